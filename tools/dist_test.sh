#!/usr/bin/env bash
# Test with several processes, one for each GPU, or on CPUs where there is none:
#   bash tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [options of test.py]
# NNODES, NODE_RANK, MASTER_ADDR and PORT as in mmdet; without PORT a free one is taken.
set -euo pipefail

if [ $# -lt 3 ]; then
    echo "usage: $0 CONFIG CHECKPOINT PROCESSES [options of test.py]" >&2
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
    --nproc_per_node "$3" "$tools/test.py" "$1" "$2" "${@:4}" --launcher pytorch
