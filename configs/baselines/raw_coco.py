# On any amodal COCO file: set its paths to yours.
_base_ = [
    '../_base_/models/hull.py', '../_base_/datasets/coco_completion.py',
    '../_base_/schedules/completion_56k.py', '../_base_/completion_runtime.py'
]
model = dict(method='raw')
val_cfg = None
test_dataloader = dict(
    dataset=dict(
        data_root='data/coco/',
        ann_file='annotations/amodal_val.json',
        data_prefix=dict(img='val/'),
        visible_only=False))
test_evaluator = dict(_delete_=True, type='CompletionMetric')
