# The same labels, and how unsure the completer is of each pixel.
_base_ = './asbu_unet-p128_3k_coco_pseudo-labels.py'
test_evaluator = dict(
    out_file='work_dirs/asbu_unet-p128_3k_coco/coco_train_asbu-uncertainty.json',
    with_uncertainty=True)
