# The mask loss weighs a pixel by how sure the completer is of its label.
_base_ = './mask-rcnn_r50_fpn_1x_kins2020-asbu.py'
stage1 = dict(pseudo_labels='./asbu_unet_32k_kins2020_pseudo-labels-uncertainty.py')
model = dict(roi_head=dict(mask_head=dict(type='WeightedMaskHead')))
train_dataloader = dict(
    dataset=dict(
        ann_file='work_dirs/asbu_unet_32k_kins2020/kins2020_train_asbu-uncertainty.json',
        pipeline=[
            dict(step, with_uncertainty=True) if step.type == 'LoadAmodalAnnotations' else step
            for step in _base_.train_dataloader.dataset.pipeline
        ]))
