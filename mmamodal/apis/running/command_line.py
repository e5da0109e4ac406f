"""What the tools share: configs, processes, devices, and errors that fit on one line."""

import argparse
import ctypes
import difflib
import inspect
import multiprocessing
import os
import re
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Callable, List, Optional, Sequence

import torch
import torch.distributed
from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmengine.dist import barrier, broadcast_object_list, init_dist, is_distributed, is_main_process
from mmengine.runner import Runner

from .sync_buffers import SyncStatisticsHook  # noqa: F401  registers it

# Settings that a config may lack: what a Runner takes, and what is read from its config.
KNOWN_KEYS = {*inspect.signature(Runner).parameters, 'auto_scale_lr', 'compile', 'custom_imports',
              'find_unused_parameters', 'model_wrapper_cfg', 'runner_type', 'stage1'}


def run_tool(main: Callable[[], None], resumes: bool = False) -> int:
    """Call ``main``; what a user can mend becomes one line ``error: …`` and exit code 1.

    ``MMAMODAL_DEBUG=1`` shows where it was raised. ``resumes``: the same command goes on where it
    was stopped.
    """
    try:
        main()
        leave_processes()
    except (ValueError, OSError, KeyError, TypeError) as error:
        if not is_for_the_user(error):
            raise
        if os.environ.get('MMAMODAL_DEBUG', '0') != '0':
            traceback.print_exc()
        print(f'error: {one_line(error)}', file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        what = 'stopped; the same command goes on from here' if resumes else 'stopped'
        print(what, file=sys.stderr, flush=True)
        return 130
    return 0


def leave_processes() -> None:
    """Wait for the other processes and part from them. On CPUs this ends the process at once:
    gloo's threads now and then abort it while the group or the interpreter is taken down."""
    if not is_distributed():
        return
    barrier()
    if torch.distributed.get_backend() != 'gloo':
        torch.distributed.destroy_process_group()
        return
    if is_main_process():
        time.sleep(1)  # It holds what the others' barrier may still read.
    for worker in multiprocessing.active_children():
        worker.terminate()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)


def is_for_the_user(error: BaseException) -> bool:
    """Whether a config, a path or data can mend it; else a traceback helps more."""
    if isinstance(error, KeyError):  # a registry's: the type that a config names is unknown
        return 'is not in the' in str(error)
    if isinstance(error, TypeError):  # a config names an option that its class does not have
        return 'unexpected keyword argument' in str(error)
    return isinstance(error, (ValueError, OSError))


def one_line(error: BaseException) -> str:
    """The message without what carried it: worker processes and registries wrap errors."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if isinstance(error, OSError) and error.strerror and error.filename:
        text = f'{error.filename}: {error.strerror}; give another path'
    lines = [line.strip() for line in text.strip().split('\n') if line.strip()]
    if not lines:
        return type(error).__name__
    if lines[0].startswith('Caught '):  # torch: the traceback of a dataloader's worker
        lines = [re.sub(r'^[\w.]*(Error|Exception): ', '', lines[-1])]
    return re.sub(r'^(class `\w+` in \S+: )+', '', ' '.join(lines))


class Settings(DictAction):
    """KEY=VALUE pairs; says which one has no ``=``."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace,
                 values: Sequence[str], option_string: Optional[str] = None) -> None:
        """Parse the pairs into a dict."""
        for value in values:
            if '=' not in value:
                raise ValueError(f'{option_string}: expected KEY=VALUE, got {value!r}')
        super().__call__(parser, namespace, values, option_string)


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Options that training and testing share, named as mmdet's are."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=Settings,
        metavar='KEY=VALUE',
        help='override settings of the config, such as train_dataloader.batch_size=4; lists as '
        'key="[a,b]", without spaces')
    parser.add_argument(
        '--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
        help='how several processes were started; tools/dist_*.sh and tools/slurm_*.sh set it')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0,
                        help=argparse.SUPPRESS)


def load_config(path: str, options: Optional[dict] = None, launcher: str = 'none') -> Config:
    """The config with the options of a command line.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: it cannot be parsed, or an option does not fit into it.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'config {path} does not exist')
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # A config is code: it can fail in any way.
        raise ValueError(f'config {path} cannot be read: {one_line(error)}') from error
    _check_keys(cfg, options or {})
    try:
        cfg.merge_from_dict(options or {})
    except (KeyError, TypeError, IndexError, AssertionError) as error:
        raise ValueError(f'--cfg-options do not fit {path}: {one_line(error)}') from error
    cfg.launcher = launcher
    return cfg


def _check_keys(cfg: Config, options: dict) -> None:
    """Refuse settings that nothing would read."""
    known = sorted(KNOWN_KEYS.union(cfg))
    for option in options:
        key = option.split('.')[0]
        if key not in known:
            close = ', '.join(difflib.get_close_matches(key, known)) or 'one of its keys'
            raise ValueError(f'--cfg-options do not fit {cfg.filename}: it has no {key!r} (of '
                             f'{option}); expected {close}')


def config_name(cfg: Config) -> str:
    """The config's file name without its suffix."""
    return Path(cfg.filename or 'config').stem


def default_work_dir(config: str) -> str:
    """``work_dirs/<name of the config>``, as in mmdet."""
    return os.path.join('work_dirs', Path(config).stem)


def make_work_dir(path: str) -> None:
    """Make a work dir, and refuse one that cannot be written to."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f'work dir {path} cannot be made ({error.strerror}): give another '
                         '--work-dir') from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise ValueError(f'work dir {path} cannot be written to: give another --work-dir')


def start_processes(cfg: Config, local_rank: int = 0) -> None:
    """Join the process group that a launcher asks for; gloo where there is no GPU."""
    os.environ.setdefault('LOCAL_RANK', str(local_rank))
    if cfg.launcher == 'none' or is_distributed():
        return
    if get_device() == 'cpu':
        if cfg.launcher != 'pytorch':
            raise ValueError(f'--launcher {cfg.launcher} needs GPUs; on CPUs use '
                             'tools/dist_train.sh or tools/dist_test.sh')
        # mmengine's init_dist would ask for a CUDA device.
        torch.distributed.init_process_group(backend='gloo')
    else:
        init_dist(cfg.launcher, **cfg.get('env_cfg', {}).get('dist_cfg', {}))


def fit_to_machine(cfg: Config) -> Config:
    """What a Runner needs besides the config: its own visualizer, and to go with others."""
    # mmengine's visualizers are global by name: a second Runner would log to the first's folder.
    if isinstance(cfg.get('visualizer'), dict):
        cfg.visualizer.pop('name', None)
    if cfg.launcher != 'none':
        cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), dict(type='SyncStatisticsHook')]
    if cfg.launcher != 'none' and get_device() == 'cpu':
        cfg.setdefault('model_wrapper_cfg', dict(
            type='MMDistributedDataParallel', broadcast_buffers=False,
            find_unused_parameters=cfg.get('find_unused_parameters', False)))
        cfg.model_wrapper_cfg.device_ids = None
    if get_device() == 'cpu':
        keep_freed_memory()
    return cfg


def keep_freed_memory() -> None:
    """Keep glibc from giving large blocks back: on a CPU each layer would fault its pages in
    again. A UNet's training step takes up to a third less time, its process a quarter more memory.
    """
    try:
        libc = ctypes.CDLL('libc.so.6')
        libc.mallopt(-4, 0)  # M_MMAP_MAX: no block is mapped by itself
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
    except (OSError, AttributeError):
        pass  # Another C library: nothing to do.


def on_main_process(function: Callable[..., Any], *args: Any) -> Any:
    """Call on the main process; all processes get its result, or raise its ValueError."""
    message: List[Any] = [None, None]
    if is_main_process():
        try:
            message[0] = function(*args)
        except (ValueError, OSError) as error:
            message[1] = f'{one_line(error)}'
    broadcast_object_list(message)
    if message[1] is not None:
        raise ValueError(message[1])
    return message[0]


def say(text: str) -> None:
    """Print to the terminal, once for all processes."""
    if is_main_process():
        print(text, flush=True)
