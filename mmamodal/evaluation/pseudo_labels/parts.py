"""Pseudo-labels while they are written: one JSON-lines part per process, merged at the end.

A part's first line says what its labels come from, each other line is one image. A process
that is killed leaves at most one broken line; broken lines are skipped, so that their images
count as not done.
"""

import glob
import json
import os
from collections import Counter
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, TextIO

from ...files import add_line, open_lines, read_lines, sha256

BEGIN = '{"info": '


class Place(NamedTuple):
    """Where the labels of one image stand, and all of them but the masks."""

    part: Path
    offset: int
    image: dict
    counts: Dict[str, int]


def part_path(out_file: Path, rank: int) -> Path:
    """The part that process ``rank`` writes for ``out_file``."""
    return out_file.with_name(f'{out_file.name}.part-{rank:03d}.jsonl')


def part_paths(out_file: Path) -> List[Path]:
    """All parts that stand beside ``out_file``, of this run or of earlier ones."""
    return sorted(out_file.parent.glob(f'{glob.escape(out_file.name)}.part-*.jsonl'))


def open_part(path: Path, fingerprint: str) -> TextIO:
    """Open a part to add images to it.

    A part of another ``fingerprint`` (other checkpoint, data or thresholds) is begun anew.
    """
    if path.exists() and _fingerprint(path) != fingerprint:
        path.unlink()
    return open_lines(path, dict(fingerprint=fingerprint))


def append(file: TextIO, image: dict, annotations: List[dict], counts: Dict[str, int]) -> None:
    """Add one image with its labels; they are on disk when this returns."""
    add_line(file, dict(image=image, annotations=annotations, counts=counts))


def finished_images(out_file: Path, fingerprint: str) -> Dict[int, Place]:
    """Image id -> place, of all images whose labels are in the parts."""
    places: Dict[int, Place] = {}
    for path in part_paths(out_file):
        if _fingerprint(path) != fingerprint:
            continue
        for offset, record in islice(read_lines(path), 1, None):
            places.setdefault(record['image']['id'],
                              Place(path, offset, record['image'], record['counts']))
    return places


def merge_parts(out_file: Path, fingerprint: str, info: dict, categories: List[dict],
                entries: Dict[int, dict]) -> Counter:
    """Write ``out_file`` from its parts, images by id, and remove the parts.

    An image that two processes labelled (samplers repeat some to keep processes even) is
    written once. Labels pass through one image at a time.

    Args:
        out_file: path of the file; its parts lie beside it.
        fingerprint: parts with another one are left out.
        info: of the file.
        categories: of the file.
        entries: image id -> entry in the source, for what parts don't know (licence, URL).

    Returns:
        The sums of all images' counts, with ``images``.
    """
    places = finished_images(out_file, fingerprint)
    ordered = [places[image_id] for image_id in sorted(places)]
    counts = Counter(images=len(places))
    for place in ordered:
        counts.update(place.counts)
    images = [dict(entries.get(place.image['id'], {}), **place.image) for place in ordered]
    head = dict(info=info, images=images, categories=categories)
    temporary = out_file.with_name(out_file.name + '.tmp')
    with temporary.open('w', encoding='utf-8') as file:
        file.write(json.dumps(head)[:-1] + ', "annotations": [')
        for i, annotation in enumerate(_annotations(ordered)):
            file.write((',\n' if i else '\n') + json.dumps(annotation))
        file.write('\n]}\n')
    os.replace(temporary, out_file)
    for path in part_paths(out_file):
        path.unlink()
    return counts


def read_info(out_file: Path) -> dict:
    """The ``info`` of a file that :func:`merge_parts` wrote, without reading its masks.

    Raises:
        ValueError: the file does not begin with an ``info``.
    """
    head = ''
    with out_file.open(encoding='utf-8', errors='replace') as file:
        while more := file.read(max(1 << 16, len(head))):
            head += more
            if not head.startswith(BEGIN + '{'):
                break
            try:
                return json.JSONDecoder().raw_decode(head, len(BEGIN))[0]
            except ValueError:  # it goes on behind what was read
                continue
    raise ValueError(f'{out_file} is no pseudo-label file: expected it to begin with {BEGIN}{{…; '
                     'move it away to have it written anew')


def content_sha256(out_file: Path) -> str:
    """SHA-256 of a file that :func:`merge_parts` wrote, but for its ``info``: labels that are
    written again, at another time or from files that lie elsewhere, have the same."""
    return sha256(out_file, len(BEGIN + json.dumps(read_info(out_file))))


def _annotations(places: List[Place]) -> Iterator[dict]:
    with ExitStack() as stack:
        files = {place.part: stack.enter_context(place.part.open('rb')) for place in places}
        for place in places:
            files[place.part].seek(place.offset)
            yield from json.loads(files[place.part].readline())['annotations']


def _fingerprint(path: Path) -> str:
    _, head = next(read_lines(path), (0, {}))
    return head.get('fingerprint', '') if isinstance(head, dict) else ''
