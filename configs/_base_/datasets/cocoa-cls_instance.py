# A detector on COCOA-cls: amodal truth, the 80 classes of COCO.
_base_ = './cocoa_instance.py'
train_dataloader = dict(
    dataset=dict(
        type='COCOAClsDataset',
        ann_file='COCOA/annotations/COCO_amodal_train2014_with_classes.json'))
val_dataloader = dict(
    dataset=dict(
        type='COCOAClsDataset',
        ann_file='COCOA/annotations/COCO_amodal_val2014_with_classes.json'))
test_dataloader = val_dataloader
