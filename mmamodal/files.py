"""Files that are there whole or not at all, and files that grow by lines and survive a kill."""

import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Iterator, TextIO, Tuple, Union


def check_writable(path: Union[str, Path]) -> None:
    """Make the folder of a file that will be written, and try: OSError if it cannot be.

    Hours may lie between the start of a command and its output.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    draft = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        draft.touch()
    except OSError as error:
        if error.filename:
            error.filename = str(path)
        raise
    draft.unlink()


def write_whole(path: Union[str, Path], data: bytes) -> None:
    """Write under a temporary name beside it, then move; make the folder."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        draft.write_bytes(data)
        os.replace(draft, path)
    except OSError as error:
        if error.filename:
            error.filename = str(path)
        raise
    finally:
        draft.unlink(missing_ok=True)


def write_json(path: Union[str, Path], content: object) -> None:
    """Write ``content`` as JSON, whole or not at all.

    Raises:
        ValueError: it holds NaN or infinity, which JSON does not know.
    """
    write_whole(path, json.dumps(content, allow_nan=False).encode())


def sha256(path: Union[str, Path], start: int = 0) -> str:
    """The file's SHA-256, from byte ``start`` on, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        file.seek(start)
        for block in iter(lambda: file.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()


def check_output(out: Union[str, Path], *others: Union[str, Path], suffix: str = '.json') -> None:
    """Refuse to write what is no JSON file, or over another file of the same command, or where
    nothing can be written.

    Raises:
        ValueError: ``out`` is such a path.
        OSError: it cannot be written.
    """
    if not str(out).endswith(suffix):
        raise ValueError(f'expected an output file that ends in {suffix}, got {str(out)!r}')
    for path in others:
        if os.path.realpath(path) == os.path.realpath(out):
            raise ValueError(f'{out} is to be written, but is read or written by this command '
                             'already: give the output another name')
    check_writable(out)


def open_lines(path: Path, head: dict) -> TextIO:
    """Open a file of JSON lines to add to it; if it is new, its first line is ``head``.

    A process that is killed leaves one broken line at most, which :func:`read_lines` skips.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = path.exists()
    file = path.open('a', encoding='utf-8')
    # After a kill the last line may be cut off: end it, so that it spoils no other.
    file.write('\n' if begun else json.dumps(head) + '\n')
    file.flush()
    return file


def add_line(file: TextIO, content: dict) -> None:
    """Add a line; it is on disk when this returns."""
    file.write(json.dumps(content) + '\n')
    file.flush()


def read_lines(path: Path) -> Iterator[Tuple[int, dict]]:
    """Offset in bytes and content of all whole lines, the head with them."""
    offset = 0
    with path.open('rb') as file:
        for line in file:
            try:
                yield offset, json.loads(line)
            except ValueError:
                pass
            offset += len(line)
