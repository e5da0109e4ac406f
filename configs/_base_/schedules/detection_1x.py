# 12 epochs, as in mmdet: lr 0.02 is for 16 images at a time. With others, say on one GPU,
# tools/train.py --auto-scale-lr scales it.
_base_ = 'mmdet::_base_/schedules/schedule_1x.py'
