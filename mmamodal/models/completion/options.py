"""Options of completers: wrong ones are refused with a worded error."""

from typing import Sequence


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """ValueError unless ``value`` is one of the choices."""
    if value not in choices:
        raise ValueError(f'expected {name} to be one of {choices}, got {value!r}')


def check_whole(name: str, value: int, least: int) -> None:
    """ValueError unless ``value`` is a whole number of at least so much."""
    if not isinstance(value, int) or value < least:
        raise ValueError(f'expected {name} to be a whole number of at least {least}, got {value!r}')


def check_flags(**flags: bool) -> None:
    """ValueError unless all are True or False: from a command line, 'no' comes as a text."""
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise ValueError(f'expected {name} to be True or False, got {value!r}')


def check_share(name: str, value: float) -> None:
    """ValueError unless ``value`` is in [0, 1]."""
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f'expected {name} to be a probability in [0, 1], got {value!r}')


def check_gap(contact_gap: float) -> None:
    """ValueError unless it is a number of pixels of at least 0."""
    if not isinstance(contact_gap, (int, float)) or not contact_gap >= 0:
        raise ValueError(f'expected contact_gap to be at least 0 pixels, got {contact_gap!r}')
