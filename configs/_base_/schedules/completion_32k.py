# The schedule of the published KINS configurations: the learning rate stays as it is.
_base_ = './completion_56k.py'
train_cfg = dict(max_iters=32000)
param_scheduler = []
