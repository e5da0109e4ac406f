# Nothing is published for completers on D2S amodal: as on COCOA.
_base_ = [
    '../_base_/models/completer_unet.py', '../_base_/datasets/d2sa_completion.py',
    '../_base_/schedules/completion_56k.py', '../_base_/completion_runtime.py'
]
