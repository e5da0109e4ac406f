"""Import mmdet without the line it prints, twice, about a dataset service that it can do without."""

import contextlib
import io

NOISE = 'Could not import OneDL'


def import_mmdet() -> None:
    """Import mmdet's datasets; all that they print but the noise is printed."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            import mmdet.datasets  # noqa: F401
    finally:
        for line in printed.getvalue().splitlines():
            if not line.startswith(NOISE):
                print(line)


import_mmdet()
