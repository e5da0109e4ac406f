# As published on KINS, the mask is multiplied by the id of its category.
_base_ = [
    '../_base_/models/completer_unet.py', '../_base_/datasets/kins_completion.py',
    '../_base_/schedules/completion_32k.py', '../_base_/completion_runtime.py'
]
model = dict(category_input=True)
