# Stage 1 on the regions that are no stuff. What stuff hides is not completed: its masks are absent.
_base_ = './cocoa_completion.py'
train_dataset = dict(regions='things')
train_dataloader = dict(dataset=dict(dataset=train_dataset))
val_dataloader = dict(dataset=dict(regions='things'))
test_dataloader = val_dataloader
