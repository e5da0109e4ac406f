# ORCNN (modal aug): Table 4. Learns only from images made of cut-outs by visible masks, which were
# never released: tools/dataset_converters/d2s_modal_aug.py --out-dir data/D2S_modal_aug makes them.
_base_ = './orcnn_r101_fpn_1x_d2sa.py'
train_dataloader = dict(
    dataset=dict(
        data_root='data/D2S_modal_aug/',
        ann_file='annotations.json',
        more_ann_files=[],
        data_prefix=dict(img='images/')))
