# Stage 1 on COCOA-cls: the objects of COCOA that have one of COCO's classes.
_base_ = './cocoa_completion.py'
train_dataset = dict(
    type='COCOAClsDataset',
    ann_file='COCOA/annotations/COCO_amodal_train2014_with_classes.json')
train_dataloader = dict(dataset=dict(dataset=train_dataset))
val_dataloader = dict(
    dataset=dict(
        type='COCOAClsDataset',
        ann_file='COCOA/annotations/COCO_amodal_val2014_with_classes.json'))
test_dataloader = val_dataloader
