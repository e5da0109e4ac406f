# On any COCO file with visible masks: see the three paths at the top of the dataset's base.
_base_ = [
    '../_base_/models/completer_unet.py', '../_base_/datasets/coco_completion.py',
    '../_base_/schedules/completion_56k.py', '../_base_/completion_runtime.py'
]
val_cfg = None
