# Stage 1 on D2S amodal: both training files together; the annotations of its test set were never
# released. Masks live on the canvas, which may be larger than the photo; no photo is read.
_base_ = './cocoa_completion.py'
data_root = 'data/D2SA/'
ann_dir = 'd2s_amodal_annotations_v1/'
img_dir = 'd2s_amodal_images_v1/images/'

train_dataset = dict(
    type='D2SADataset',
    data_root=data_root,
    ann_file=ann_dir + 'D2S_amodal_training_rot0.json',
    more_ann_files=[ann_dir + 'D2S_amodal_augmented.json'],
    data_prefix=dict(img=img_dir))
train_dataloader = dict(dataset=dict(dataset=train_dataset))
val_dataloader = dict(
    dataset=dict(
        type='D2SADataset',
        data_root=data_root,
        ann_file=ann_dir + 'D2S_amodal_validation.json',
        data_prefix=dict(img=img_dir)))
test_dataloader = val_dataloader
