#!/usr/bin/env bash
# Train with several processes, one for each GPU, or on CPUs where there is none:
#   bash tools/dist_train.sh CONFIG PROCESSES [options of train.py]
# NNODES, NODE_RANK, MASTER_ADDR and PORT as in mmdet; without PORT a free one is taken.
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG PROCESSES [options of train.py]" >&2
    exit 1
fi
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ "${NNODES:-1}" = 1 ] && [ -z "${PORT:-}" ]; then
    meet=(--standalone)
else
    meet=(--nnodes "${NNODES:-1}" --node_rank "${NODE_RANK:-0}"
          --master_addr "${MASTER_ADDR:-127.0.0.1}" --master_port "${PORT:-29500}")
fi
PYTHONPATH="$tools/..:${PYTHONPATH:-}" exec python -m torch.distributed.run "${meet[@]}" \
    --nproc_per_node "$2" "$tools/train.py" "$1" "${@:3}" --launcher pytorch
