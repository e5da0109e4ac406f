# PCNet-C: the content of hidden parts. Nothing is known of it in photos: there is no test.
_base_ = [
    '../_base_/models/content_unet.py', '../_base_/datasets/cocoa_completion.py',
    '../_base_/datasets/content_pipeline.py', '../_base_/schedules/content_450k.py',
    '../_base_/completion_runtime.py'
]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=_base_.content_pipeline))
val_cfg = val_dataloader = val_evaluator = None
test_cfg = test_dataloader = test_evaluator = None
