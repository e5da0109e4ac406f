# PCNet-C on KINS: the mask is multiplied by the id of its category, as published.
_base_ = [
    '../_base_/models/content_unet.py', '../_base_/datasets/kins_completion.py',
    '../_base_/datasets/content_pipeline.py', '../_base_/schedules/content_450k.py',
    '../_base_/completion_runtime.py'
]
model = dict(category_input=True)
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=_base_.content_pipeline))
val_cfg = val_dataloader = val_evaluator = None
test_cfg = test_dataloader = test_evaluator = None
