# Completes the visible masks of the training scenes: what the detector learns from.
_base_ = './asbu_unet_scenes.py'
model = dict(unite_visible=True)
test_dataloader = dict(dataset=dict(split='train', num_scenes=400, visible_only=True))
test_evaluator = dict(
    _delete_=True,
    type='PseudoLabelWriter',
    out_file='work_dirs/asbu_unet_scenes/scenes_train_asbu.json')
