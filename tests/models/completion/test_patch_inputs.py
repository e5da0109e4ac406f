"""What a completer's network sees of patches."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from mmamodal.models.completion.patch_inputs import PatchInputs
from mmamodal.models.completion.visible_objects import VisibleObjects

SIZE = 16


def patch_inputs(evidence: str = 'mask', **options) -> PatchInputs:
    return PatchInputs(evidence, **dict(dict(
        patch_size=SIZE, boundary_width=5, category_input=False, with_image=False), **options))


def batch(**changes) -> dict:
    """Two training patches, as default_collate makes them; a change to None is left out."""
    generator = torch.Generator().manual_seed(0)
    inputs = {key: torch.randint(0, 2, (2, SIZE, SIZE), dtype=torch.uint8, generator=generator)
              for key in ('mask', 'occluder', 'boundary')}
    inputs.update(category=torch.tensor([1, 7]))
    return {key: value for key, value in {**inputs, **changes}.items() if value is not None}


def test_it_leaves_no_trace_in_checkpoints():
    assert not patch_inputs().state_dict() and not list(patch_inputs().parameters())


@pytest.mark.parametrize('evidence, second', [('mask', 'occluder'), ('boundary', 'boundary')])
@pytest.mark.parametrize('category_input', [False, True])
def test_channels(evidence, second, category_input):
    make, inputs = patch_inputs(evidence, category_input=category_input), batch()
    assert make.evidence_key == second
    channels = make(**inputs)
    assert channels.shape == (2, 2, SIZE, SIZE) and channels.dtype == torch.float32
    scale = torch.tensor([1, 7 if category_input else 1]).reshape(2, 1, 1)
    torch.testing.assert_close(channels[:, 0], (inputs['mask'] * scale).float())
    torch.testing.assert_close(channels[:, 1], inputs[second].float())


def test_the_image_is_normalised_rgb():
    bgr = torch.tensor([255, 51, 0], dtype=torch.uint8).reshape(1, 3, 1, 1)
    channels = patch_inputs(with_image=True)(**batch(image=bgr.repeat(2, 1, SIZE, SIZE)))
    expected = (np.array([0, 0.2, 1]) - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    np.testing.assert_allclose(channels[1, 2:, 5, 5], expected, rtol=1e-5)


@pytest.mark.parametrize('options, changes, message', [
    (dict(evidence='boundary'), dict(boundary=None), 'needs OcclusionBoundary in the pipeline'),
    (dict(with_image=True), {}, r'needs images: CropPair\(image_loader=.*LoadImageFromFile')])
def test_patches_without_what_the_network_needs(options, changes, message):
    with pytest.raises(ValueError, match=message):
        patch_inputs(**options)(**batch(**changes))


# Two objects of an image, 4x4 pixels each, side by side; patches of 6 pixels at 4..10 and 8..14.
MASKS = np.zeros((2, 16, 16), np.uint8)
MASKS[0, 5:9, 5:9] = MASKS[1, 5:9, 9:13] = 1
IMAGE = np.full((16, 16, 3), (1, 2, 3), np.uint8)


def objects(**options) -> VisibleObjects:
    return VisibleObjects(MASKS, np.array([3, 9]), **dict(dict(image=None, enlarge=2.25),
                                                          **options))


def test_crops_of_objects_and_their_occluders():
    made = patch_inputs(patch_size=24).crop(objects(), [(0, [1]), (1, [])], smooth=False)
    assert {key: value.shape for key, value in made.items()} == dict(
        mask=(2, 24, 24), occluder=(2, 24, 24), category=(2, ))
    assert made['category'].tolist() == [3, 9]
    for mask in made['mask']:  # four pixels of the image are sixteen of the patch
        np.testing.assert_array_equal(np.argwhere(mask)[[0, -1]], [[4, 4], [19, 19]])
    np.testing.assert_array_equal(np.argwhere(made['occluder'][0])[[0, -1]], [[4, 20], [19, 23]])
    assert not made['occluder'][1].any()


def test_crops_have_the_evidence_and_the_image_that_the_network_sees():
    made = patch_inputs('boundary', patch_size=24, with_image=True).crop(
        objects(image=IMAGE), [(0, [1])], smooth=False)
    # A band of four pixels where the two meet, two rows longer at each end.
    np.testing.assert_array_equal(np.argwhere(made['boundary'][0])[[0, -1]], [[2, 18], [21, 21]])
    assert made['image'].shape == (1, 3, 24, 24)
    assert made['image'][0, :, 12, 12].tolist() == [1, 2, 3]


def test_where_both_are_visible_the_occluder_is():
    lower = np.stack([MASKS[0] | MASKS[1], MASKS[1]])
    made = patch_inputs().crop(VisibleObjects(lower, np.ones(2), None, 2.25), [(0, [1])], False)
    assert made['mask'].any() and not (made['mask'] & made['occluder']).any()


def test_categories_of_an_image():
    truth = InstanceData(masks=MASKS)
    assert patch_inputs().categories(truth).tolist() == [1, 1]
    by_id = patch_inputs(category_input=True)
    with pytest.raises(ValueError, match='LoadAmodalAnnotations and pack them with PackAmodal'):
        by_id.categories(truth)
    truth.category_ids = torch.tensor([3, 9])
    assert by_id.categories(truth).tolist() == [3, 9]


@pytest.mark.parametrize('options, message', [
    (dict(evidence='boundry'), r"evidence to be one of \('boundary', 'mask'\), got 'boundry'"),
    (dict(patch_size=15), 'patch_size to be a whole number of at least 16, got 15'),
    (dict(patch_size=64.0), 'patch_size to be a whole number of at least 16, got 64.0'),
    (dict(boundary_width=-1), 'boundary_width to be a whole number of at least 1, got -1'),
    (dict(boundary_width=4), 'odd boundary_width, got 4')])
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        patch_inputs(**options)
