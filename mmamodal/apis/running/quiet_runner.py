"""A Runner that says on the terminal what a user waits for."""

import logging
from typing import Any, List

from mmengine.logging import MMLogger
from mmengine.runner import Runner


class QuietRunner(Runner):
    """A Runner that writes environment, config and hooks to its log file only.

    Warnings, and all that follows its construction, are on the terminal as well.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for handler, level in zip(_terminal(self.logger), self._levels):
            handler.setLevel(level)

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """The logger, its terminal silent until the Runner is built."""
        logger = super().build_logger(*args, **kwargs)
        self._levels = [handler.level for handler in _terminal(logger)]
        for handler, level in zip(_terminal(logger), self._levels):
            handler.setLevel(max(level, logging.WARNING))
        return logger


def _terminal(logger: MMLogger) -> List[logging.Handler]:
    return [handler for handler in logger.handlers if type(handler) is logging.StreamHandler]
