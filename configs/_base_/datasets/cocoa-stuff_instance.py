# The regions marked as stuff, such as ground and sky.
_base_ = './cocoa_instance.py'
train_dataloader = dict(dataset=dict(regions='stuff'))
val_dataloader = dict(dataset=dict(regions='stuff'))
test_dataloader = val_dataloader
