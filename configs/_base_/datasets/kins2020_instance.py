# A detector on the KINS annotations of 2020: other files on the same images.
_base_ = './kins_instance.py'
train_dataloader = dict(
    dataset=dict(type='KINS2020Dataset', ann_file='update_train_2020.json'))
val_dataloader = dict(
    dataset=dict(type='KINS2020Dataset', ann_file='update_test_2020.json'))
test_dataloader = val_dataloader
