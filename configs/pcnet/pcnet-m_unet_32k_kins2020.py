# Nothing is published for the annotations of 2020: as on KINS.
_base_ = [
    '../_base_/models/completer_unet.py', '../_base_/datasets/kins2020_completion.py',
    '../_base_/schedules/completion_32k.py', '../_base_/completion_runtime.py'
]
model = dict(category_input=True)
