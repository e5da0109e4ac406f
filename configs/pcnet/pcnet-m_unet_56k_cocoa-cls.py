# Nothing is published for completers on COCOA-cls: as on COCOA.
_base_ = [
    '../_base_/models/completer_unet.py', '../_base_/datasets/cocoa-cls_completion.py',
    '../_base_/schedules/completion_56k.py', '../_base_/completion_runtime.py'
]
