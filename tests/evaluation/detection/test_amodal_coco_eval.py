"""The amodal metrics: COCO's own numbers, definitions, and each rule by hand."""

import gc
import json
import math
from collections import defaultdict
from pathlib import Path
from typing import Dict, List

import amodal_scenes
import numpy as np
import pytest
from amodal_scenes import RULES, evaluated, one_image
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmamodal.evaluation.detection.amodal_coco_eval import (IOU_THRS, GivenIoUs, Variant,
                                                            collector_paused, evaluate, match)
from mmamodal.evaluation.detection.amodal_figures import class_figures, figures, table
from mmamodal.evaluation.detection.amodal_rules import AmodalRules
from mmamodal.evaluation.detection.class_shares import Problem

# COCO's numbers

BOX_ORACLE = (.5045806987249628, .6969727247299577, .5729816669904824)


def test_bbox_of_the_coco_oracle(shared_data: Path):
    folder = shared_data / 'coco_eval_oracle'
    truth = json.loads((folder / 'instances_val2014_100.json').read_text())
    entries = json.loads((folder / 'instances_val2014_fakebbox100_results.json').read_text())
    objects, detections = defaultdict(list), defaultdict(list)
    for grouped, items in ((objects, truth['annotations']), (detections, entries)):
        for item in items:
            grouped[item['image_id'], item['category_id']].append(item)
    images = sorted(image['id'] for image in truth['images'])
    precision = np.stack([
        match([box_problem(objects[image, category['id']], detections[image, category['id']])
               for image in images], [100], IOU_THRS, {Variant('A'): (0, 1e10)}
              )[Variant('A')].precision for category in truth['categories']])
    found = [np.nanmean(part) for part in (precision, precision[:, 0], precision[:, 5])]
    assert found == pytest.approx(BOX_ORACLE, abs=1e-10)


def box_problem(objects: List[dict], detections: List[dict]) -> Problem:
    detections = sorted(detections, key=lambda entry: -entry['score'])
    ious = []
    if objects and detections:
        ious = mask_utils.iou([entry['bbox'] for entry in detections],
                              [given['bbox'] for given in objects],
                              [given['iscrowd'] for given in objects]).tolist()
    return Problem(
        [dict(id=1, score=entry['score'], area=entry['bbox'][2] * entry['bbox'][3])
         for entry in detections],
        [dict(given, ignore=given['iscrowd']) for given in objects], ious)


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('masks', ['A', 'V'])
def test_pycocotools_finds_the_same_of_one_kind_of_masks(seed: int, masks: str, tmp_path: Path,
                                                         capsys):
    """All twelve figures, exactly; ties and crowds are among the scenes."""
    scenes = amodal_scenes.random_scenes(seed, 30)
    if masks == 'V':  # COCO's tool cannot match objects that are not seen at all
        scenes = [without_unseen(scene) for scene in scenes]
    truth, entries = amodal_scenes.coco_of(scenes), amodal_scenes.entries_of(scenes)
    key = dict(A='segmentation', V='visible_mask')[masks]
    for item in [*truth['annotations'], *entries]:
        item['segmentation'] = item.get(key, item['segmentation'])
        item['area'] = float(mask_utils.area(item['segmentation']))
    coco = COCO()
    coco.dataset = truth
    coco.createIndex()
    run = COCOeval(coco, coco.loadRes(entries), 'segm')
    for step in (run.evaluate, run.accumulate, run.summarize):
        step()
    named = figures(evaluated(scenes))
    names = ['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl']
    found = [named[f'{name}_{masks}_all'] / 100 for name in names]
    assert np.nan_to_num(found, nan=-1) == pytest.approx(run.stats, abs=1e-13)


def without_unseen(scene: amodal_scenes.Scene) -> amodal_scenes.Scene:
    seen = scene.visible.any((1, 2))
    parts = ('amodal', 'visible', 'labels', 'crowd', 'stuff')
    return scene._replace(**{part: getattr(scene, part)[seen] for part in parts})


# Definitions


@pytest.mark.parametrize('seed', range(6))
def test_all_figures_are_those_of_their_definitions(seed: int):
    scenes = amodal_scenes.random_scenes(seed, 16)
    named, expected = figures(evaluated(scenes)), amodal_scenes.expected_figures(scenes)
    assert named == pytest.approx(expected, abs=1e-9, nan_ok=True)
    assert sum(0 < value < 100 for value in expected.values()) > 50  # no easy scenes


@pytest.mark.parametrize('most', [1, 2, 4])
def test_fewer_detections_by_definition(most: int):
    scenes = amodal_scenes.random_scenes(10)
    rules = AmodalRules(max_dets=tuple(range(1, most + 1)))
    named = figures(evaluated(scenes, rules))
    expected = amodal_scenes.expected_figures(scenes, most)
    for name in ('AP_A_all', 'AP75_V_all', 'AP_AV_occluded', 'APs_AV_all', f'AR{most}_A_heavy'):
        assert named[name] == pytest.approx(expected[name], abs=1e-9)


def test_any_number_of_detections_can_be_allowed():
    scenes = amodal_scenes.random_scenes(10)
    huge, usual = (figures(evaluated(scenes, AmodalRules(max_dets=(1, most))))
                   for most in (10**9, 100))
    assert huge['AR1000000000_V_all'] == usual['AR100_V_all'] > usual['AR1_V_all']
    assert huge['AP_AV_occluded'] == usual['AP_AV_occluded']


def test_evaluators_are_gone_after_use_though_the_collector_pauses():
    """A thousand draws of the bootstrap would fill the memory otherwise."""
    with collector_paused():
        evaluated(amodal_scenes.random_scenes(10, 2))
        assert not any(isinstance(thing, GivenIoUs) for thing in gc.get_objects())


RULE_NAMES = dict(gate='iv_gate', any_class='iv_gate_any_class', drop_empty='iv_drop_empty')


@pytest.mark.parametrize('options', [
    dict(gate=0.7), dict(gate=0.0), dict(any_class=True), dict(drop_empty=True),
    dict(gate=0.3, any_class=True, drop_empty=True)])
@pytest.mark.parametrize('difference', [False, True])
def test_choices_of_the_invisible_by_definition(options: dict, difference: bool):
    scenes = sorted(amodal_scenes.random_scenes(3, 30), key=lambda scene: scene.image_id)
    rules = AmodalRules(**{RULE_NAMES[name]: value for name, value in options.items()})
    named = figures(evaluated(scenes, rules))
    way = 'IV_diff' if difference else 'IV'
    for same, name in ((False, f'AP50_{way}'), (True, f'AP50_{way}_same')):
        expected, _ = amodal_scenes.measured(
            lambda label: [amodal_scenes.hidden_case(scene, label, difference, same, **options)
                           for scene in scenes], 100, [0.5])
        assert named[name] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize('kind', ['things', 'stuff'])
def test_things_and_stuff_by_definition(kind: str):
    """The others are ignored; what the annotation does not say is a thing."""
    scenes = amodal_scenes.random_scenes(5, 20, stuff=True)
    scenes.sort(key=lambda scene: scene.image_id)
    named = figures(evaluated(scenes))
    for masks in ('A', 'V', 'AV'):
        expected = amodal_scenes.measured(
            lambda label: [amodal_scenes.seen_case(scene, label, masks,
                                                   (scene.stuff == 1) == (kind == 'stuff'))
                           for scene in scenes], 100)
        found = [named[f'{stat}_{masks}_all_{kind}'] for stat in ('AP', 'AR100')]
        assert found == pytest.approx(expected, abs=1e-9)
    assert named['AP_A_all'] == figures(evaluated([
        scene._replace(stuff=0 * scene.stuff) for scene in scenes]))['AP_A_all']


def test_without_stuff_there_are_no_kinds():
    named = figures(evaluated(amodal_scenes.random_scenes(0)))
    assert not [name for name in named if 'things' in name or 'stuff' in name]


def test_amodal_and_visible_files_exchanged():
    """AP_V of the exchanged is AP_A: there is one arithmetic for both."""
    scenes = [without_unseen(scene) for scene in amodal_scenes.random_scenes(7, 20)]
    swapped = [scene._replace(amodal=scene.visible, visible=scene.amodal,
                              found_amodal=scene.found_visible, found_visible=scene.found_amodal)
               for scene in scenes]
    named, other = figures(evaluated(scenes)), figures(evaluated(swapped))
    for stat in ('AP', 'AP50', 'AP75', 'APs', 'AR1', 'AR10', 'AR100', 'ARs'):
        assert named[f'{stat}_V_all'] == other[f'{stat}_A_all']
        assert named[f'{stat}_A_all'] == other[f'{stat}_V_all']
    assert named['AP_AV_all'] == other['AP_AV_all']


def test_perfect_predictions_are_worth_100():
    scenes = [scene._replace(found_amodal=scene.amodal, found_visible=scene.visible,
                             found_invisible=scene.amodal & ~scene.visible,
                             found_labels=scene.labels, scores=np.ones(len(scene.labels)))
              for scene in amodal_scenes.random_scenes(11, 20)]
    named = figures(evaluated(scenes, AmodalRules(max_dets=(100, ))))
    known = {name: value for name, value in named.items() if not math.isnan(value)}
    assert known and set(known.values()) == {100}
    assert {'AP_A_all', 'AP_V_occluded', 'AP_AV_occluded', 'AP50_IV', 'AP50_IV_diff'} < set(known)


@pytest.mark.parametrize('seed', range(5))
def test_joint_masks_are_seldom_better_than_one_kind_alone(seed: int):
    """Not a law, since matching is greedy; it holds for these scenes."""
    named = figures(evaluated(amodal_scenes.random_scenes(seed, 30)))
    for subset in ('all', 'occluded'):
        both, *single = (named[f'AP_{masks}_{subset}'] for masks in ('AV', 'A', 'V'))
        assert both <= min(single) + 1e-9


# Rules, by hand: an image is one row, 'A' what is amodal and seen, 'a' what is amodal and not.


def named_of(*images: tuple, rules: AmodalRules = RULES, classes: int = 1) -> Dict[str, float]:
    return figures(evaluate(images, classes, rules))


def test_joint_needs_both_masks():
    """IoU of 10/10 amodal, 5/9 visible: right at 0.5 and 0.55 of the ten thresholds."""
    named = named_of(one_image(['AAAAAAAAAa'], ['AAAAAaaaaa']))
    assert named['AP_A_all'] == 100
    assert named['AP_V_all'] == named['AP_AV_all'] == pytest.approx(20)
    named = named_of(one_image(['AAAAAaaaaa'], ['AAAAAa....']))  # 6/10 and 5/5
    assert named['AP_V_all'] == 100
    assert named['AP_A_all'] == named['AP_AV_all'] == pytest.approx(30)


def test_joint_of_one_object_by_two_detections_is_none():
    """One has the amodal mask right, another the visible one."""
    named = named_of(one_image(['AAAAAaaaaa'], ['Aaaaaaaaaa', 'AAAA......']))
    assert (named['AP_A_all'], named['AR100_V_all']) == (100, pytest.approx(70))
    assert named['AR100_AV_all'] == named['AP_AV_occluded'] == 0


def test_what_is_not_occluded_is_ignored_not_removed():
    """The best detection is of an object that is not occluded: ignored. Were the object removed,
    that would be a wrong one before the right one."""
    named = named_of(one_image(['AAAA........', '......AAaa..'], ['AAAA........', '......AAaa..']))
    assert named['AP_A_occluded'] == named['AP_AV_occluded'] == named['AP_A_all'] == 100
    # A detection of nothing is wrong among occluded objects, too.
    named = named_of(one_image(['AAAA........', '......AAaa..'], ['....AA......', '......AAaa..']))
    assert named['AP_A_occluded'] == pytest.approx(50)
    assert named['AP_A_all'] == pytest.approx(100 * 51 * 0.5 / 101)


@pytest.mark.parametrize('thr, expected', [(0, 0), (0.24, 0), (0.25, math.nan), (0.3, math.nan)])
def test_occluded_is_above_a_rate(thr: float, expected: float):
    rules = AmodalRules(occ_thr=thr)
    named = named_of(one_image(['AAAa'], [], rules=rules), rules=rules)
    assert named['AP_A_occluded'] == pytest.approx(expected, nan_ok=True)
    assert named['AP_A_all'] == 0


@pytest.mark.parametrize('text, bins', [
    ('AAAAAAAA', ['none']), ('AAAAAAAa', ['partial']), ('AAAAAAaa', ['partial', 'heavy']),
    ('AAAAAaaa', ['heavy']), ('aaaaaaaa', ['heavy'])])
def test_bins_of_occlusion(text: str, bins: List[str]):
    named = named_of(one_image([text], [text]))
    assert [name for name in ('none', 'partial', 'heavy')
            if not math.isnan(named[f'AR100_A_{name}'])] == bins
    assert all(named[f'AR100_AV_{name}'] == 100 for name in bins)


def test_a_wrong_detection_is_wrong_in_every_bin():
    named = named_of(one_image(['AAAA............', '.....AAAa.......', '..........Aaaa..'],
                               ['AAAA............', '.....AAAa.......', '..........Aaaa..',
                                '...............A'], scores=[.5, .5, .5, .9]))
    assert [named[f'AR100_A_{name}'] for name in ('none', 'partial', 'heavy')] == [100] * 3
    assert named['AP50_A_all'] == pytest.approx(75)


def test_what_cannot_be_seen_is_right_to_see_nothing_of():
    named = named_of(one_image(['aaaa....'], ['aaaa....']))
    assert named['AP_V_all'] == named['AP_AV_all'] == 100
    named = named_of(one_image(['aaaa....'], ['Aaaa....']))
    assert named['AP_V_all'] == named['AP_AV_all'] == 0 and named['AP_A_all'] == 100
    named = named_of(one_image(['Aaaa....'], ['aaaa....']))
    assert named['AP_V_all'] == named['AP_AV_all'] == 0


def test_an_object_without_a_pixel_is_ignored():
    named = named_of(one_image(['........', 'AAAA....'], ['AAAA....']))
    assert named['AP_A_all'] == named['AP_V_all'] == 100
    assert math.isnan(named_of(one_image(['........'], ['AAAA....']))['AP_A_all'])
    # It is no object of which nothing can be seen: to see nothing matches it no more than others.
    named = named_of(one_image(['........', 'AAAA....'], ['aaaa....', 'AAAA....']))
    assert named['AP_V_all'] == pytest.approx(50)


def test_crowds_swallow_detections():
    """Two detections inside a crowd are ignored, by all masks; so is the crowd, missed or not."""
    named = named_of(one_image(['AAAAAAaa....', '........AAaa'],
                               ['AAA.........', '...AAAaa....', '........AAaa'], crowd=[0]))
    assert [named[f'AP_{masks}_{subset}'] for masks in ('A', 'V', 'AV')
            for subset in ('all', 'occluded')] == [100] * 6
    named = named_of(one_image(['AAAA....', '....AA..'], ['....AA..'], crowd=[0]))
    assert named['AP_A_all'] == 100


@pytest.mark.parametrize('scores, expected', [((.9, .8), 100), ((.8, .9), 50), ((.5, .5), 100)])
def test_of_equal_scores_the_first_counts_first(scores: tuple, expected: float):
    named = named_of(one_image(['AAAA....'], ['AAAA....', '....AAAA'], scores))
    assert named['AP_A_all'] == pytest.approx(expected)


@pytest.mark.parametrize('ids, expected', [((1, 2), 100), ((2, 1), 50)])
def test_of_equal_scores_the_image_of_the_lower_id_counts_first(ids: tuple, expected: float):
    right = one_image(['AAAA....'], ['AAAA....'], [.5], image_id=ids[0])
    wrong = one_image([], ['....AAAA'], [.5], image_id=ids[1])
    for images in ((right, wrong), (wrong, right)):
        assert named_of(*images)['AP_A_all'] == pytest.approx(expected)


def test_recall_at_few_detections():
    named = named_of(one_image(['AA......', '....AA..'], ['AA......', '....AA..']))
    assert (named['AR1_A_all'], named['AR10_A_all'], named['AR100_A_all']) == (50, 100, 100)
    rules = AmodalRules(max_dets=(1, 1000))
    named = named_of(one_image(['AA......', '....AA..'], ['AA......', '....AA..'], rules=rules),
                     rules=rules)
    assert (named['AR1_AV_all'], named['AR1000_AV_all']) == (50, 100)
    assert named['AR1000_A_none'] == 100 and 'AR100_A_all' not in named


def test_sizes_go_by_the_mask_in_question():
    """1100 pixels amodal, 600 visible: medium, small, and for both masks medium."""
    text = 'A' * 600 + 'a' * 500
    named = named_of(one_image([text], [text]))
    assert named['APm_A_all'] == named['APs_V_all'] == named['APm_AV_occluded'] == 100
    assert math.isnan(named['APs_A_all']) and math.isnan(named['APm_V_all'])


def test_classes_do_not_mix_and_absent_ones_do_not_count():
    """Class 0 is found, class 1 missed, class 2 only predicted, class 3 nowhere."""
    image = one_image(['AA......', '...AA...'], ['AA......', '...AA...'], labels=([0, 1], [0, 2]))
    evaluation = evaluate([image], 4, RULES)
    assert figures(evaluation)['AP_A_all'] == 50
    by_class = class_figures(evaluation, ['cat', 'dog', 'cow', 'ant'])
    found = [by_class[f'AP_A_all/{name}'] for name in ('cat', 'dog', 'cow', 'ant')]
    assert found == pytest.approx([100, 0, math.nan, math.nan], nan_ok=True)


@pytest.mark.parametrize('images', [
    [], [one_image([], [])], [one_image([], ['AA'])], [one_image(['AA'], ['AA'], crowd=[0])]])
def test_nothing_to_find(images: list):
    named = named_of(*images)
    assert len(named) > 60 and all(math.isnan(value) for value in named.values())
    assert '-' in table(evaluate(images, 1, RULES))


def test_images_without_detections_or_objects():
    empty, missed = one_image([], [], image_id=1), one_image(['AAaa'], [], image_id=2)
    found = one_image(['AAaa'], ['AAaa'], invisible=['..aa'], image_id=3)
    named = named_of(empty, missed, found)
    for name in ('AP_A_all', 'AP_AV_occluded', 'AP50_IV', 'AP50_IV_diff'):
        assert named[name] == pytest.approx(100 * 51 / 101)


def test_no_visible_head():
    """Visible masks are the amodal ones; there is no difference of the two."""
    named = named_of(one_image(['AAAAAAaa..', 'AAAAAA....'], ['AAAAAAAA..'], has_visible=False))
    assert named['AP_A_all'] == pytest.approx(100 * 51 / 101)
    assert named['AP_V_all'] == named['AP_AV_all'] == pytest.approx(100 * 51 / 101 * 0.6)
    assert math.isnan(named['AP50_IV']) and math.isnan(named['AP50_IV_diff'])


# The invisible masks


def test_gated_out_detections_are_neither_right_nor_wrong():
    """The best detection overlaps the object by half at most, the second by more."""
    image = one_image(['AAAAaaaa....'], ['AA......aaaa', 'AAAAaaaa....'],
                      invisible=['........aaaa', '....aaaa....'])
    assert named_of(image)['AP50_IV'] == named_of(image)['AP50_IV_diff'] == 100
    image = one_image(['AAAAaaaa....'], ['AAAAaa......', 'AAAAaaaa....'],
                      invisible=['aa..........', '....aaaa....'])
    assert named_of(image)['AP50_IV'] == pytest.approx(50)
    assert named_of(image)['AP50_IV_diff'] == 100  # 2 of 4 pixels: COCO's thresholds are inclusive


@pytest.mark.parametrize('found, gated', [('AAAA....', 0), ('AAAAA...', 1)])
def test_the_gate_is_exclusive(found: str, gated: int):
    """IoU of 4/8 does not pass."""
    evaluation = evaluate([one_image(['AAAAAAAa'], [found])], 1, RULES)
    assert evaluation.counts['gated'] == gated


def test_what_is_not_occluded_opens_no_gate():
    """A detection of an object that is not occluded is not judged, whatever it takes for hidden."""
    image = one_image(['AAAA........', '......AAaa..'], ['AAaa........', '......AAaa..'],
                      invisible=['..aa........', '........aa..'])
    named = named_of(image)
    assert named['AP50_IV'] == named['AP50_IV_diff'] == 100
    crowd = one_image(['AAaa........', '......AAaa..'], ['AAaa........', '......AAaa..'], crowd=[0])
    assert named_of(crowd)['AP50_IV_diff'] == 100


def test_empty_invisible_masks_are_wrong_or_left_out():
    image = ['AAAAaa..', 'AAAAaa..'], ['AAAAAA..', 'AAAAaa..']
    assert named_of(one_image(*image))['AP50_IV_diff'] == pytest.approx(100 * 51 * 0.5 / 101)
    rules = AmodalRules(iv_drop_empty=True)
    named = named_of(one_image(*image, rules=rules), rules=rules)
    assert named['AP50_IV_diff'] == pytest.approx(100 * 51 / 101)


def test_one_object_lets_one_or_all_through_the_gate():
    """Two detections of one object: the second is wrong, or not judged."""
    image = ['AAAAaa..'], ['AAAAAa..', 'AAAAaa..']
    assert named_of(one_image(*image))['AP50_IV_diff'] == 100  # 1 of 2 pixels hidden: right
    image = ['AAAAaa..'], ['AAAAAA..', 'AAAAaa..']
    assert named_of(one_image(*image))['AP50_IV_diff'] == pytest.approx(50)
    rules = AmodalRules(iv_gate_once=True)
    assert named_of(one_image(*image, rules=rules), rules=rules)['AP50_IV_diff'] == 0
    swapped = one_image(*image, scores=[.1, .9], rules=rules)
    assert named_of(swapped, rules=rules)['AP50_IV_diff'] == 100
    assert swapped[1].hidden.scores.tolist() == [.9]


def test_the_gate_may_look_at_other_classes():
    """The detection of class 1 lies on an object of class 0, and hides what none does."""
    image = dict(true=['AAAAaa....', '......AAaa'], found=['AAAAaa....', '......AAaa'],
                 labels=([0, 1], [1, 1]))
    assert named_of(one_image(**image), classes=2)['AP50_IV_diff'] == 50
    rules = AmodalRules(iv_gate_any_class=True)
    named = named_of(one_image(**image, rules=rules), rules=rules, classes=2)
    assert named['AP50_IV_diff'] == pytest.approx(25)  # mean of 0 and 50: one wrong before it


def test_same_object_at_the_gate_and_in_the_match():
    """The detection passes by the first object, and what it hides is what the second does."""
    image = one_image(['AAAAAa........', '.......aaAAAAA'], ['AAAAA..aa.....'],
                      invisible=['.......aa.....'])
    named = named_of(image)
    assert named['AP50_IV'] == pytest.approx(100 * 51 / 101) and named['AP50_IV_same'] == 0


# Options and output


def test_the_evaluator_is_told_what_to_ignore():
    """pycocotools and faster-coco-eval take crowds alone for ignored."""
    run = GivenIoUs([Problem([dict(id=1, score=1, area=5)],
                             [dict(id=1, area=5, iscrowd=0, ignore=1)], [[1.0]])],
                    [1], [0.5], [(0, 9)])
    run.evaluate()
    run.accumulate()
    assert (run.eval['precision'] == -1).all()
