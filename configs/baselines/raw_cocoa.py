_base_ = [
    '../_base_/models/hull.py', '../_base_/datasets/cocoa_completion.py',
    '../_base_/schedules/completion_56k.py', '../_base_/completion_runtime.py'
]
model = dict(method='raw')
