# The same labels, and how unsure the completer is of each pixel.
_base_ = './asbu_unet_32k_kins_pseudo-labels.py'
test_evaluator = dict(
    out_file='work_dirs/asbu_unet_32k_kins/kins_train_asbu-uncertainty.json',
    with_uncertainty=True)
