"""Make a start for ORCNN of a Mask R-CNN's checkpoint: one mask head for two, and other classes."""

import argparse
import os
import sys
from typing import Dict, List, Optional, Sequence

from mmdet.datasets import CocoDataset

from mmamodal.apis.running.checkpoints import load_checkpoint, write_checkpoint
from mmamodal.apis.running.command_line import run_tool
from mmamodal.models.detection.duplicate_mask_head import (class_count, sources_by_name,
                                                           start_both_heads)

EPILOG = '''examples:
  COCO to COCOA-cls, which has the same 80 classes in the same order:
    python tools/model_converters/duplicate_mask_head.py \\
        mask_rcnn_r50_fpn_1x_coco_20200205-d4b0c5d6.pth data/weights/orcnn_r50_coco.pth
  class-agnostic, one mask for all classes: add --class-agnostic
  COCO to COCOA, whose regions are all "object": add --one-class
  COCO to KINS, names that differ given by --same:
    python tools/model_converters/duplicate_mask_head.py IN.pth OUT.pth \\
        --classes cyclist pedestrian car tram truck van misc \\
        --same cyclist=person pedestrian=person tram=train van=car
then: tools/train.py CONFIG --cfg-options load_from=OUT.pth

Both mask heads begin with the weights of the one that there is, as in the ORCNN paper. A class
that is not among the checkpoint's, by its own name or by --same, begins as the mean of all.
An ORCNN that is given the checkpoint itself by load_from does the same at load time, without
--classes; there, roi_head.init_classes gives them by number. A Mask R-CNN takes OUT.pth, too: it
leaves the visible head out.'''


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', metavar='IN.pth', help='checkpoint of a Mask R-CNN or a '
                        'Cascade Mask R-CNN of mmdet: a file or a URL')
    parser.add_argument('out', metavar='OUT.pth', help='file to write')
    classes = parser.add_mutually_exclusive_group()
    classes.add_argument('--classes', nargs='+', metavar='NAME',
                         help='classes of the new model, in the order of its data set (default: '
                         'those of the checkpoint)')
    classes.add_argument('--one-class', action='store_true',
                         help='the new model has a single class, made of all')
    parser.add_argument('--same', nargs='+', default=[], metavar='NEW=OLD',
                        help='classes that have another name in the checkpoint')
    parser.add_argument('--class-agnostic', action='store_true',
                        help='the new model has one mask for all classes')
    return parser.parse_args(args)


def pairs(options: argparse.Namespace) -> Dict[str, str]:
    """``--same`` as a dict.

    Raises:
        ValueError: an item is no pair, or there are no ``--classes`` for them.
    """
    wrong = [item for item in options.same if item.count('=') != 1]
    if wrong or (options.same and not options.classes):
        raise ValueError('expected --same NEW=OLD beside --classes, got '
                         f'{" ".join(wrong or options.same)!r}')
    return dict(item.split('=') for item in options.same)


def class_names(checkpoint: dict, count: int) -> List[str]:
    """Names of a checkpoint's classes: as it says itself, or COCO's 80.

    Raises:
        ValueError: they are unknown.
    """
    meta = checkpoint.get('meta', {})
    names = meta.get('dataset_meta', {}).get('classes') or meta.get('CLASSES')
    if not names and count == len(CocoDataset.METAINFO['classes']):
        names = CocoDataset.METAINFO['classes']
    if not names or len(names) != count:
        raise ValueError(f'the checkpoint has {count} classes and does not name them: --classes '
                         'cannot be used')
    return list(names)


def convert(checkpoint: dict, options: argparse.Namespace) -> dict:
    """The checkpoint to write: weights and the names of its classes, where they are known.

    Raises:
        ValueError: there is no mask head, or there are two.
    """
    weights = {name.removeprefix('module.'): value
               for name, value in checkpoint.get('state_dict', checkpoint).items()}
    heads = [name for name in ('visible_mask_head', 'mask_head')
             if any(f'roi_head.{name}.' in key for key in weights)]
    if heads != ['mask_head']:
        raise ValueError(f'{options.checkpoint}: expected a Mask R-CNN with roi_head.mask_head '
                         f'alone, got {heads or "none"}')
    same, sources, meta = pairs(options), None, {}
    if options.classes:
        known = class_names(checkpoint, class_count(weights))
        sources = sources_by_name(options.classes, known, same)
        meta = dict(dataset_meta=dict(classes=tuple(options.classes)))
        print('\n'.join(f'{name}: {" ".join(known[i] for i in group) or "mean of all"}'
                        for name, group in zip(options.classes, sources)))
    made = start_both_heads(weights, 1 if options.one_class else None, options.class_agnostic,
                            sources)
    return dict(meta=meta, state_dict=made)


def main(args: Optional[Sequence[str]] = None) -> None:
    """Read, convert, write."""
    options = parse_args(args)
    if os.path.exists(options.out) and os.path.exists(options.checkpoint) and os.path.samefile(
            options.out, options.checkpoint):
        raise ValueError(f'{options.out} would be overwritten: give another file to write')
    write_checkpoint(options.out, convert(load_checkpoint(options.checkpoint), options))
    print(f'Wrote {options.out}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
