"""What a check of a data set found, as text and as JSON."""

from collections import Counter
from typing import Dict, Iterator, Sequence

from .checks import KINDS, NOTES, SINGULAR, Violation


def count_kinds(found: Sequence[Violation]) -> Dict[str, int]:
    """Number of violations, or notes, of each kind that there is, in the order of KINDS."""
    counts = Counter(violation.kind for violation in found)
    return {kind: counts[kind] for kind in KINDS if counts[kind]}


def count_violations(found: Sequence[Violation]) -> int:
    """How many are no mere notes."""
    return sum(violation.kind not in NOTES for violation in found)


def as_text(source: str, coco: object, found: Sequence[Violation], most: int) -> str:
    """A table of the kinds, and the first of each.

    Args:
        source: names the data set.
        coco: its content, as far as it could be read.
        found: of ``check_dataset``.
        most: how many of a kind to show.
    """
    return '\n'.join(_lines(source, coco, found, most))


def as_dict(source: str, found: Sequence[Violation]) -> dict:
    """All violations and notes, each with its file; JSON can hold it."""
    entries = [_entry(source, violation) for violation in found]
    return dict(file=source, counts=count_kinds(found),
                violations=[entry for entry in entries if entry['kind'] not in NOTES],
                notes=[entry for entry in entries if entry['kind'] in NOTES])


def _entry(source: str, violation: Violation) -> dict:
    ids = dict(image_id=violation.image_id)
    if violation.table:
        ids[f'{SINGULAR[violation.table]}_id'] = violation.id
    return dict(kind=violation.kind, file=source, table=violation.table, place=violation.place,
                **ids, text=violation.text)


def _lines(source: str, coco: object, found: Sequence[Violation], most: int) -> Iterator[str]:
    counts = count_kinds(found)
    yield (f"{source}: {_length(coco, 'images')} images, {_length(coco, 'annotations')} "
           f'annotations, {count_violations(found)} violations')
    for kind, number in counts.items():
        yield f'  {kind:<17}{number:>8}  {KINDS[kind]}'
    for kind, number in counts.items():
        yield f'\n{kind}'
        shown = [violation for violation in found if violation.kind == kind][:most]
        yield from (f'  {violation}' for violation in shown)
        if number > len(shown):
            yield f'  … and {number - len(shown)} more'


def _length(coco: object, table: str) -> int:
    entries = coco.get(table) if isinstance(coco, dict) else None
    return len(entries) if isinstance(entries, list) else 0
