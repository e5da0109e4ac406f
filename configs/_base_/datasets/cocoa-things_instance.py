# The regions that are no stuff: the "no stuff" of the ORCNN paper.
_base_ = './cocoa_instance.py'
train_dataloader = dict(dataset=dict(regions='things'))
val_dataloader = dict(dataset=dict(regions='things'))
test_dataloader = val_dataloader
