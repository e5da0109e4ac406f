# A detector on COCOA: amodal truth for training and validation, one class, stuff included.
# The truth comes from the dataset: COCO's API can't read COCOA's own files.
_base_ = './coco_instance.py'
train_dataloader = dict(
    dataset=dict(
        type='COCOADataset',
        data_root='data/',
        ann_file='COCOA/annotations/COCO_amodal_train2014.json',
        data_prefix=dict(img='coco/train2014/')))
val_dataloader = dict(
    dataset=dict(
        type='COCOADataset',
        data_root='data/',
        ann_file='COCOA/annotations/COCO_amodal_val2014.json',
        data_prefix=dict(img='coco/val2014/')))
test_dataloader = val_dataloader
