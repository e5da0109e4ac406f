"""Files that are there whole or not at all."""

import json
import os
from pathlib import Path
from typing import Union


def write_whole(path: Union[str, Path], data: bytes) -> None:
    """Write under a temporary name beside it, then move; make the folder."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        draft.write_bytes(data)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def write_json(path: Union[str, Path], content: object) -> None:
    """Write ``content`` as JSON, whole or not at all.

    Raises:
        ValueError: it holds NaN or infinity, which JSON does not know.
    """
    write_whole(path, json.dumps(content, allow_nan=False).encode())


def check_output(out: Union[str, Path], *others: Union[str, Path]) -> None:
    """Refuse to write what is no JSON file, or over another file of the same command.

    Raises:
        ValueError: ``out`` is such a path.
    """
    if not str(out).endswith('.json'):
        raise ValueError(f'expected an output file that ends in .json, got {str(out)!r}')
    for path in others:
        if os.path.realpath(path) == os.path.realpath(out):
            raise ValueError(f'{out} is to be written, but is read or written by this command '
                             'already: give the output another name')
