# PCNet-C: partial convolutions, and a discriminator. With vgg16='/path/to/vgg16.pth' the perceptual
# and style losses of the published configurations join in.
model = dict(
    type='ContentCompleter',
    generator=dict(type='PConvUNet'),
    discriminator=dict(type='InpaintDiscriminator'))
