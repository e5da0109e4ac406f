"""Print how much of a data set is occluded, in the layout of Table 3 of the ORCNN paper."""

import argparse
import sys
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np

from mmamodal.annotations.dataset_statistics import (Objects, Statistics, as_json, by_class,
                                                     class_table, joined, read_objects, summarise,
                                                     table)
from mmamodal.apis.running.command_line import load_config, run_tool
from mmamodal.apis.running.open_data import open_data
from mmamodal.datasets.amodal_coco import AmodalCocoDataset
from mmamodal.datasets.formats import FORMATS
from mmamodal.files import check_output, write_json, write_whole
from mmamodal.visualization.plots.histograms import histograms

SPLITS = ('train', 'val', 'test')
EXAMPLE = '''examples:
  python tools/analysis_tools/dataset_stats.py configs/mask_rcnn/mask-rcnn_r50_fpn_1x_kins.py
  python tools/analysis_tools/dataset_stats.py data/KINS/update_train_2020.json --min-rate 0.05 \\
      --per-class --hist kins --out kins/statistics.json

OR is the occlusion rate: |amodal minus visible| / |amodal|, from the masks. Averages run over
objects. Masks count as far as they lie on the canvas of their file; all its classes count, and
crowds do not.'''


def rate(text: str) -> float:
    """A part of one, less than one."""
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f'expected a part of an object in [0, 1), got {text}')
    return value


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('sources', nargs='+', metavar='SOURCE',
                        help='a config (.py) or an annotation file')
    parser.add_argument('--split', nargs='+', choices=SPLITS,
                        help='splits of a config; default: all that it has')
    parser.add_argument('--format', choices=FORMATS,
                        help='of annotation files; default: told by their keys')
    parser.add_argument('--min-rate', type=rate, default=0.0, metavar='RATE',
                        help='an object is occluded if more than this part of it is; where amodal '
                        'and visible masks were drawn or rounded apart, 0.01 leaves out what is no '
                        'occlusion; default: 0')
    parser.add_argument('--per-class', action='store_true',
                        help='the same figures for each class, the most frequent first')
    parser.add_argument('--hist', type=Path, metavar='DIR',
                        help='folder for histograms, one PNG for each data set')
    parser.add_argument('--out', type=Path, metavar='FILE.json', help='write all figures')
    return parser.parse_args(args)


def open_all(options: argparse.Namespace) -> Tuple[Dict[str, AmodalCocoDataset], Dict[str, str]]:
    """The data sets and their titles, by the names of their columns; nothing is read yet.

    Raises:
        ValueError: --out is one of their files, or a config has no such split.
    """
    places = [(source, split) for source in dict.fromkeys(options.sources)
              for split in splits(source, options.split)]
    data = [open_data(source, split, options.format) for source, split in places]
    inputs = [*options.sources, *(path for dataset in data for path in (
        dataset.ann_file, *getattr(dataset, 'more_ann_files', ())))]
    if options.out:
        check_output(options.out, *inputs)
    names = column_names(places)
    titles = [f'{"/".join(Path(source).with_suffix("").parts[-2:])} {split}'.strip()
              for source, split in places]
    return dict(zip(names, data)), dict(zip(names, titles))


def splits(source: str, wanted: Optional[Sequence[str]]) -> List[str]:
    """Those to look into; that of a file has no name."""
    if not source.endswith('.py'):
        return ['']
    found = [split for split in SPLITS if load_config(source).get(f'{split}_dataloader')]
    if not found:
        raise ValueError(f'config {source} has no data: expected a train_dataloader, '
                         'val_dataloader or test_dataloader; give another config')
    return list(wanted or found)


def column_names(places: Sequence[Tuple[str, str]]) -> List[str]:
    """Of each (path, split): as much of the path's end as tells it from the others.

    >>> column_names([('a/train/amodal.json', ''), ('a/val/amodal.json', '')])
    ['train/amodal', 'val/amodal']
    >>> column_names([('configs/kins.py', 'train'), ('configs/kins.py', 'val')])
    ['train', 'val']
    """
    paths = {path: Path(path).with_suffix('').parts for path, _ in places}
    if len(paths) == 1 and len(places) > 1:
        return [split for _, split in places]
    depths = range(1, max(map(len, paths.values())) + 1)
    ends = ({path: '/'.join(parts[-depth:]) for path, parts in paths.items()} for depth in depths)
    names = next((end for end in ends if len({*end.values()}) == len(paths)),
                 {path: path for path in paths})
    return [f'{names[path]} {split}'.strip() for path, split in places]


def measure(data: Dict[str, AmodalCocoDataset]) -> Tuple[Dict[str, Objects], Dict[str, list]]:
    """The objects of each data set, and its categories; shows how far it is.

    Splits of a config that are the same, as val and test often are, become one.
    """
    measured: Dict[str, Objects] = {}
    categories: Dict[str, list] = {}
    for name, dataset in data.items():
        print(f'{name}: {dataset.source}', file=sys.stderr)
        coco = dataset.as_amodal_coco()
        objects = read_objects(coco, dataset.source, sys.stderr)
        same = [other for other, those in measured.items() if dataset.source == data[other].source
                and all(map(np.array_equal, objects, those))]
        if same:
            print(f'{name} is the same data as {same[0]}: one column for both.')
            continue
        if not any(ann.get('visible_mask') for ann in coco['annotations']):
            print(f'{name} has no visible masks beside the others: nothing counts as occluded.')
        measured[name], categories[name] = objects, coco.get('categories') or []
    return measured, categories


def print_notes(columns: Dict[str, Statistics], min_rate: float) -> None:
    """What the table leaves open."""
    print(f'OR: occlusion rate; occluded: more than {100 * min_rate:g} % of the object.')
    for name, one in columns.items():
        if one.crowds or one.empty:
            print(f"{name}: not counted: {one.crowds:,} as crowds or marked 'ignore', "
                  f'{one.empty:,} without an amodal pixel.')


def draw(path: Path, title: str, objects: Objects, min_rate: float) -> None:
    """Write the histograms of a column."""
    occluded = objects.rate[objects.rate > min_rate]
    counts = np.bincount(objects.image, minlength=objects.images)
    numbers = (f'images: {objects.images:,} · objects: {len(objects.rate):,} · occluded by more '
               f'than {100 * min_rate:g} %: {len(occluded):,}')
    write_whole(path, histograms(occluded, counts, np.sqrt(objects.area), title, numbers))
    print(f'Wrote {path}')


def as_content(min_rate: float, columns: Dict[str, Statistics],
               classes: Dict[str, Dict[str, Statistics]]) -> dict:
    """What --out holds."""
    content = dict(min_rate=min_rate,
                   columns={name: as_json(one) for name, one in columns.items()})
    by_name = {name: {kind: as_json(one) for kind, one in figures.items()}
               for name, figures in classes.items()}
    return dict(content, classes=by_name) if classes else content


def main(args: Optional[Sequence[str]] = None) -> None:
    """Measure, print the tables, write what is asked for."""
    options = parse_args(args)
    data, titles = open_all(options)
    measured, categories = measure(data)
    columns = {name: summarise(objects, options.min_rate) for name, objects in measured.items()}
    if len(columns) > 1:
        columns['total'] = summarise(joined(list(measured.values())), options.min_rate)
    print(f'{table(columns)}\n')
    print_notes(columns, options.min_rate)
    classes = {name: by_class(objects, categories[name], options.min_rate)
               for name, objects in measured.items() if options.per_class}
    for name, figures in classes.items():
        print(f'\n{name}\n{class_table(figures)}')
    for name, objects in measured.items() if options.hist else ():
        draw(options.hist / f'{name.replace("/", "-").replace(" ", "-")}.png', titles[name],
             objects, options.min_rate)
    if options.out:
        write_json(options.out, as_content(options.min_rate, columns, classes))
        print(f'Wrote {options.out}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
