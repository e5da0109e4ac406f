"""Writing pseudo-labels: where they come from, and which images still lack theirs."""

import datetime
import hashlib
import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.fileio import join_path
from mmengine.runner import Runner
from torch.utils.data import Dataset, Subset

from ..datasets.coco_files import located
from ..evaluation.pseudo_labels.parts import finished_images, read_info
from ..evaluation.pseudo_labels.writer import PseudoLabelWriter
from ..files import sha256
from ..version import __version__
from ..weights import local_file
from .running.command_line import on_main_process
from .running.initialisation import without_pretrained


def continue_labels(runner: Runner, checkpoint: Optional[str]) -> Optional[PseudoLabelWriter]:
    """Make ``runner.test()`` write pseudo-labels for the images that have none yet.

    Tells the writer what its labels come from, and takes out of the test dataloader the
    images that an interrupted run labelled with the same checkpoint, data and thresholds.

    Args:
        runner: built from a pseudo-labels config, not yet run.
        checkpoint: path of the completer's weights; None if it has none.

    Returns:
        The writer; None if the config has none. Its ``left`` says how many images are still to
        label; with none, call ``merge`` instead of ``runner.test()``.

    Raises:
        ValueError: the file to write is the user's, or the model has not learned anything.
    """
    writer = find_writer(runner)
    if writer is None:
        return None
    if checkpoint is None and any(True for _ in runner.model.parameters()):
        raise ValueError(f'{writer.out_file} would hold labels of a model whose parameters are at '
                         'random: give the checkpoint of a trained completer')
    dataset = runner.test_dataloader.dataset
    # The main process looks, all others hear: files change as soon as one begins to write.
    provenance, left = on_main_process(_what_is_left, runner.cfg, checkpoint, dataset,
                                       writer.out_file)
    writer.provenance.update(provenance)
    writer.left = len(left)
    if 0 < len(left) < len(dataset):
        runner.logger.info(f'{len(dataset) - len(left)} of {len(dataset)} images have their '
                           f'labels from an interrupted run; {len(left)} are left')
        loader = dict(runner.cfg.test_dataloader, dataset=chosen(dataset, left))
        runner.test_loop.dataloader = Runner.build_dataloader(loader, seed=runner.seed)
    return writer


def check_out_file(out_file: Path, cfg: Config) -> None:
    """Refuse to write labels over a file that is not a pseudo-label file."""
    sources = [path.resolve() for path in annotation_files(cfg.test_dataloader.dataset)]
    if out_file.resolve() in sources:
        raise ValueError(f'out_file {out_file} is the annotation file that the labels are made '
                         'from: give PseudoLabelWriter another out_file')
    if out_file.exists() and 'fingerprint' not in read_info(out_file):
        raise ValueError(f'out_file {out_file} exists and is no pseudo-label file: expected a '
                         'fingerprint in its info; move it away or give another out_file')


def find_writer(runner: Runner) -> Optional[PseudoLabelWriter]:
    """The runner's PseudoLabelWriter, if its config has one."""
    for metric in runner.test_evaluator.metrics:
        if isinstance(metric, PseudoLabelWriter):
            return metric
    return None


def _what_is_left(cfg: Config, checkpoint: Optional[str], dataset: Dataset,
                  out_file: Path) -> Tuple[dict, List[int]]:
    """Where labels come from, and the indices of the images without."""
    check_out_file(out_file, cfg)
    provenance = describe_source(cfg, checkpoint, len(dataset))
    return provenance, unlabelled(dataset, out_file, provenance['fingerprint'])


def unlabelled(dataset: Dataset, out_file: Path, fingerprint: str) -> List[int]:
    """Indices of the images that have no labels in the parts beside ``out_file``."""
    done = finished_images(out_file, fingerprint)
    return [i for i in range(len(dataset)) if dataset.get_data_info(i)['img_id'] not in done]


def chosen(dataset: Dataset, indices: List[int]) -> Dataset:
    """Some images of a dataset; mmengine's wrappers have a ``get_subset`` that only raises."""
    if isinstance(dataset, BaseDataset):
        return dataset.get_subset(indices)
    return Subset(dataset, indices)


def describe_source(cfg: Config, checkpoint: Optional[str], images: int) -> dict:
    """What labels come from; ``fingerprint`` changes with all that could change them."""
    decisive = decided_by(cfg, checkpoint)
    return dict(
        description='Amodal masks predicted from visible ones: pseudo-labels, not ground truth',
        version=f'mmamodal {__version__}',
        date=datetime.datetime.now().isoformat(timespec='seconds'),
        config=Path(cfg.filename or 'config').name,
        checkpoint=checkpoint,
        images=images,
        fingerprint=fingerprint_of(dict(decisive, images=images)),
        **decisive)


def fingerprint_of(decisive: dict) -> str:
    """SHA-256 of what decides a result, such as :func:`decided_by` gives it."""
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def decided_by(cfg: Config, checkpoint: Optional[str]) -> Dict[str, Any]:
    """Checkpoint, model with its thresholds, dataset, annotation files and, where it is written,
    uncertainty, as JSON holds them."""
    dataset = cfg.test_dataloader.dataset.to_dict()
    model = without_pretrained(cfg).model.to_dict()
    source = {str(path): sha256(path) for path in annotation_files(dataset) if path.is_file()}
    decisive = dict(checkpoint_sha256=checkpoint and sha256(local_file(checkpoint)), model=model,
                    dataset=dataset, source=source)
    evaluators = cfg.get('test_evaluator') or []
    if any(evaluator.get('with_uncertainty') for evaluator in
           ([evaluators] if isinstance(evaluators, dict) else evaluators)):
        decisive['with_uncertainty'] = True
    return json.loads(json.dumps(decisive, default=str))


def annotation_files(dataset: dict) -> List[Path]:
    """Files with annotations or image ids of a dataset's config and of those it wraps."""
    root, kind = dataset.get('data_root') or '', DATASETS.get(dataset.get('type') or 'none')
    named = [dataset.get('ann_file'), *dataset.get('more_ann_files', ())]
    found = [Path(located(join_path(root, name), root, getattr(kind, 'ann_dirs', ()),
                          Path(name).name)) for name in named if name]
    if dataset.get('image_ids'):
        found.append(Path(root) / dataset['image_ids'])
    for key in ('dataset', 'datasets'):
        inner = dataset.get(key) or []
        for child in [inner] if isinstance(inner, dict) else inner:
            found.extend(annotation_files(child))
    return found
