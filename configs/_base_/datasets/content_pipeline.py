# The synthetic occlusion of content completion: B is always in front.
content_pipeline = [
    dict(type='CropPair', image_loader=dict(type='LoadImageFromFile')),
    dict(type='PlaceOccluder', front_prob=1.0),
    dict(type='PackContentInputs')
]
