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
