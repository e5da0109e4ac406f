# Stage 1 on the KINS annotations of 2020, which are other files on the same images.
_base_ = './kins_completion.py'
train_dataset = dict(type='KINS2020Dataset', ann_file='update_train_2020.json')
train_dataloader = dict(dataset=dict(dataset=train_dataset))
val_dataloader = dict(
    dataset=dict(type='KINS2020Dataset', ann_file='update_test_2020.json'))
test_dataloader = val_dataloader
