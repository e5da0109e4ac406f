"""Train a config; for a detector on pseudo-labels, with all of stage 1 that is missing."""

import argparse
import sys

from mmengine.config import Config
from mmengine.device import get_device

from mmamodal.apis.running.chain import run_chain
from mmamodal.apis.running.command_line import (add_common_options, default_work_dir, load_config,
                                                run_tool, start_processes)


def parse_args() -> argparse.Namespace:
    """Options of the command line: mmdet's."""
    parser = argparse.ArgumentParser(
        description=__doc__ + ' Goes on where an earlier call ended; does nothing twice.',
        epilog='MMAMODAL_DEBUG=1 shows where an error comes from.')
    parser.add_argument('config', help='path of the config')
    parser.add_argument('--work-dir', help='folder for checkpoints and logs (default: '
                        "the config's work_dir, or work_dirs/<config>)")
    parser.add_argument('--resume', nargs='?', const='auto', metavar='CHECKPOINT',
                        help='checkpoint to go on from; without one, as by default, the newest '
                        'in the work dir that can be read')
    parser.add_argument('--amp', action='store_true',
                        help='mixed precision in the training of this config (on a GPU)')
    parser.add_argument('--auto-scale-lr', action='store_true',
                        help='scale the learning rate of this config with the batch size')
    add_common_options(parser)
    return parser.parse_args()


def apply_options(cfg: Config, args: argparse.Namespace) -> None:
    """Write the options into the config."""
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or default_work_dir(args.config)
    if args.amp:
        if get_device() == 'cpu':
            instead = (', or, if this CPU computes bfloat16 natively, give --cfg-options '
                       'model.cpu_bf16=True') if cfg.model.type == 'MaskCompleter' else ''
            raise ValueError(f'--amp needs a GPU: leave it out{instead}')
        cfg.optim_wrapper.update(type='AmpOptimWrapper', loss_scale='dynamic')
    if args.auto_scale_lr:
        if 'base_batch_size' not in (cfg.get('auto_scale_lr') or {}):
            raise ValueError(f'--auto-scale-lr: {args.config} does not say for which batch its '
                             'learning rate is: expected auto_scale_lr=dict(base_batch_size=...)')
        cfg.auto_scale_lr.enable = True


def main() -> None:
    """Read the command line and train."""
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options, args.launcher)
    apply_options(cfg, args)
    start_processes(cfg, args.local_rank)
    run_chain(cfg, None if args.resume == 'auto' else args.resume)


if __name__ == '__main__':
    sys.exit(run_tool(main, resumes=True))
