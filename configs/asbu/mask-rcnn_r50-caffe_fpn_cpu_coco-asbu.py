# The whole chain on any COCO file of visible masks, for a CPU.
_base_ = '../mask_rcnn/mask-rcnn_r50-caffe_fpn_cpu_coco.py'
stage1 = dict(
    config='./asbu_unet-p128_3k_coco.py', pseudo_labels='./asbu_unet-p128_3k_coco_pseudo-labels.py')
train_dataloader = dict(
    dataset=dict(
        data_root='',
        ann_file='work_dirs/asbu_unet-p128_3k_coco/coco_train_asbu.json',
        data_prefix=dict(img='data/coco/train2017/')))
