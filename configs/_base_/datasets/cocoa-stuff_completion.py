# Stage 1 on the regions marked as stuff, such as ground and sky.
_base_ = './cocoa_completion.py'
train_dataset = dict(regions='stuff')
train_dataloader = dict(dataset=dict(dataset=train_dataset))
val_dataloader = dict(dataset=dict(regions='stuff'))
test_dataloader = val_dataloader
