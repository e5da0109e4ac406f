# Stage 1 on KINS. The published code validates on the test images, and so does this. The ASBU
# paper sets 1,474 training images apart: tools/dataset_converters/kins_split.py writes lists of
# ids, which the two datasets take as image_ids; docs/datasets.md has the command.
_base_ = './cocoa_completion.py'
data_root = 'data/KINS/'

train_dataset = dict(
    type='KINSDataset',
    data_root=data_root,
    ann_file='instances_train.json',
    data_prefix=dict(img='training/image_2/'))
train_dataloader = dict(dataset=dict(dataset=train_dataset))
val_dataloader = dict(
    dataset=dict(
        type='KINSDataset',
        data_root=data_root,
        ann_file='instances_val.json',
        data_prefix=dict(img='testing/image_2/')))
test_dataloader = val_dataloader
