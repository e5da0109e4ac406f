#!/usr/bin/env bash
# Sets up the environment if need be, and runs the tests.
#
#   bash tools/run_tests.sh [--active] [arguments of pytest, paths relative to the repository]
#
# --active uses the environment that is active instead of .venv.
set -euo pipefail
# shellcheck source=tools/setup_env.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup_env.sh"

environment=own
if [[ ${1:-} == --active ]]; then
  environment=active
  shift
fi
setup_env "$environment"
cd "$REPO_ROOT"
exec "$ENV_PYTHON" -m pytest "$@"
