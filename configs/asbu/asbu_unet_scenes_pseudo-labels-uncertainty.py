# The same labels, and how unsure the completer is of each pixel.
_base_ = './asbu_unet_scenes_pseudo-labels.py'
test_evaluator = dict(
    out_file='work_dirs/asbu_unet_scenes/scenes_train_asbu-uncertainty.json',
    with_uncertainty=True)
