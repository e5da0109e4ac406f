"""What the tools call."""

from .running.chain import run_chain, train, write_labels
from .score import score

__all__ = ['run_chain', 'score', 'train', 'write_labels']
