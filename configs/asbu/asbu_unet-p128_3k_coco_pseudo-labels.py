# Completes the visible masks of any COCO file.
_base_ = './asbu_unet-p128_3k_coco.py'
model = dict(unite_visible=True)
test_evaluator = dict(out_file='work_dirs/asbu_unet-p128_3k_coco/coco_train_asbu.json')
