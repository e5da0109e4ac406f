#!/usr/bin/env bash
# The environment of this repository: torch, mmcv with its compiled operators, mmdet, mmamodal.
#
#   bash tools/setup_env.sh             makes .venv, or completes it
#   bash tools/setup_env.sh --active    completes the environment that is active and replaces nothing in it
#
# Scripts source this file and call `setup_env own` or `setup_env active`; ENV_PYTHON is then the interpreter to use.
# Whatever is there already is left as it is, and a second call sees from one hash that there is nothing to do.
#
# Variables: PYTHON          the interpreter to start from (default: the first of python3, python3.12, ... that fits)
#            MMAMODAL_TORCH  what to give to `pip install` for torch (default: torch==2.13.0)
#            MAX_JOBS        compilers to run at once (default: by cores and memory)
set -euo pipefail

REPO_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SETUP_DIR=$REPO_ROOT/.setup # logs, and what is needed between two steps
OWN_ENV=$REPO_ROOT/.venv
MARK=mmamodal-environment # in an environment that this script made: the fingerprint once complete, empty before

say() { printf '%s\n' "$*"; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# --- running things: output to a log, the time on the terminal -------------------------------------------------------

# tick WHAT LOG: one line that counts (a new line every minute where there is no terminal), until this script ends.
tick() {
  local start=$SECONDS now counter
  while sleep 1 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
    now=$((SECONDS - start))
    [[ -t 1 ]] || ((now > 0 && now % 60 == 0)) || continue
    counter=$(tail -c 20000 "$2" 2>/dev/null | grep -oE '\[[0-9]+/[0-9]+\]' | tail -n 1) || counter=
    if [[ -t 1 ]]; then
      printf '\r\033[K  %s  %s %s' "$1" "$(clock $now)" "$counter"
    else
      printf '  %s  %s %s\n' "$1" "$(clock $now)" "$counter"
    fi
  done
}

# run_logged NAME WHAT COMMAND...: the exit status is the command's, LOG the file with its output.
run_logged() {
  local name=$1 what=$2 start=$SECONDS status=0 ticker
  shift 2
  LOG=$SETUP_DIR/$name.log
  : >"$LOG"
  tick "$what" "$LOG" &
  ticker=$!
  "$@" >"$LOG" 2>&1 </dev/null || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  if [[ -t 1 ]]; then printf '\r\033[K'; fi
  if ((status == 0)); then say "  $what: done in $(clock $((SECONDS - start)))"; fi
  return "$status"
}

# reason LOG: in one line, why the command that wrote LOG failed.
reason() {
  local log=$1
  log_has() { grep -qE "$1" "$log"; }
  if log_has 'No space left on device'; then
    echo 'no space is left on the disk.'
  elif tail -n 40 "$log" | grep -qE 'NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|unreachable'; then
    echo 'the package index cannot be reached; check the network, the proxy, or pip config.'
  elif log_has 'No matching distribution found for torch'; then
    echo "no such torch for $ENV_PYTHON ($(python_version "$ENV_PYTHON")); set PYTHON or MMAMODAL_TORCH."
  elif log_has 'Killed signal|internal compiler error: Killed|[Cc]annot allocate memory|out of memory'; then
    echo 'memory ran out; run again with MAX_JOBS=1.'
  elif log_has 'externally-managed-environment'; then
    echo "$ENV_PYTHON belongs to the system; activate a virtual environment, or leave out --active."
  elif log_has 'ensurepip'; then
    echo 'this Python has no ensurepip; install its venv module (on Debian and Ubuntu: python3-venv).'
  else
    {
      grep -m 1 -E ': (fatal )?error: ' "$log" || grep -E '^[[:space:]]*(ERROR|[A-Za-z]*Error)' "$log" | tail -n 1 | grep . ||
        tail -n 1 "$log"
    } | sed 's/^[[:space:]]*//' | cut -c 1-300
  fi
}

pip_install() { # LOG-NAME WHAT ARGUMENTS...
  local name=$1 what=$2
  shift 2
  run_logged "$name" "$what" "$ENV_PYTHON" -m pip install --no-input --disable-pip-version-check "$@" ||
    fail "$what: $(reason "$LOG") Log: $LOG"
}

# --- what is there ---------------------------------------------------------------------------------------------------

python_version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }
python_can() { # CODE, which does not see the modules of the current directory
  "$ENV_PYTHON" -c "import sys; sys.path = [path for path in sys.path if path]
$1" >/dev/null 2>&1
}
has_module() { python_can "import importlib.util as u; sys.exit(u.find_spec('$1') is None)"; }

# Where everything is in place: a hash over what was asked for and what is installed. Otherwise: nothing, status 1.
fingerprint() {
  "$ENV_PYTHON" - "$REPO_ROOT" "${MMAMODAL_TORCH:-}" 2>/dev/null <<'PY'
import hashlib, importlib.metadata, importlib.util, pathlib, sys
sys.path = [path for path in sys.path if path]
modules = 'torch mmcv mmengine mmdet cv2 scipy pycocotools faster_coco_eval matplotlib pytest hypothesis mmamodal'
if any(importlib.util.find_spec(name) is None for name in modules.split()):
    sys.exit(1)
files = ['requirements.txt', 'setup.cfg', 'pyproject.toml', 'tools/setup_env.sh']
facts = [pathlib.Path(sys.argv[1], name).read_text(encoding='utf-8') for name in files]
facts += [*sys.argv[1:], sys.version, sys.prefix, importlib.metadata.version('torch')]
facts.append(str(importlib.util.find_spec('mmamodal').origin))
print(hashlib.sha256('\0'.join(facts).encode()).hexdigest())
PY
}

# The compiled part of mmcv loads into the installed torch. (mmcv itself needs packages that come after it.)
mmcv_loads() {
  python_can "
import importlib.util, types, torch
mmcv = types.ModuleType('mmcv')
mmcv.__path__ = importlib.util.find_spec('mmcv').submodule_search_locations
sys.modules['mmcv'] = mmcv
import mmcv._ext"
}

# requirement NAME: its line of requirements.txt.
requirement() { grep -E "^$1([^A-Za-z0-9_-]|\$)" "$REPO_ROOT/requirements.txt" | sed 's/[[:space:]]*#.*//'; }

installed_as_required() { # NAME, pinned with ==
  python_can "import importlib.metadata as m; sys.exit(m.version('$1') != '$(requirement "$1" | sed 's/.*==//')')"
}

# --- what must be there before anything is installed ----------------------------------------------------------------

fits() { # VERSION: torch and mmcv are made for it
  case $1 in 3.10 | 3.11 | 3.12 | 3.13) ;; *) return 1 ;; esac
}

# BASE_PYTHON: an interpreter outside of any virtual environment, for .venv may be the active one and be made anew.
find_python() {
  local candidate version found=() candidates=(python3 python3.12 python3.11 python3.10 python3.13)
  if [[ -n ${PYTHON:-} ]]; then candidates=("$PYTHON"); fi
  for candidate in "${candidates[@]}"; do
    version=$(python_version "$candidate") || continue
    if fits "$version"; then
      BASE_PYTHON=$("$candidate" -c 'import os, sys; print(os.path.realpath(sys.executable))')
      return
    fi
    found+=("$candidate ($version)")
  done
  fail "expected Python 3.10 to 3.13, found ${found[*]:-none}; install one, or set PYTHON to its path."
}

check_space() {
  local needed=4 free place=$REPO_ROOT
  if has_module torch && has_module mmcv; then needed=1; fi
  if [[ $ENV_KIND == kept ]]; then place=$(dirname "$ENV_PYTHON"); fi
  free=$(df -Pk "$place" | awk 'NR == 2 {print int($4 / 1048576)}')
  ((free >= needed)) || fail "expected $needed GB free on the disk of $place, found $free GB; make room."
}

check_compiler() {
  local compiler
  read -ra compiler <<<"${CXX:-c++}"
  command -v "${compiler[0]}" >/dev/null ||
    fail "mmcv is compiled and no C++ compiler (${compiler[0]}) is there; install one (Debian and Ubuntu: g++), or set CXX."
  "${compiler[@]}" -std=c++17 -x c++ -fsyntax-only - <<<'#include <vector>' >/dev/null 2>&1 ||
    fail "mmcv is compiled and the C++ compiler ${compiler[*]} cannot compile C++17; install g++ 9 or newer, or set CXX."
  python_can "import os, sysconfig; os.stat(os.path.join(sysconfig.get_path('include'), 'Python.h'))" ||
    fail "mmcv is compiled and Python.h is absent; install the headers of this Python (Debian and Ubuntu: python3-dev)."
}

# One compiler per core and per 2 GB of free memory.
build_jobs() {
  local jobs limit
  jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
  if [[ -r /proc/meminfo ]]; then
    limit=$(awk '/^MemAvailable/ {print int($2 / 2097152)}' /proc/meminfo)
    if ((${limit:-jobs} < jobs)); then jobs=$limit; fi
  fi
  echo $((jobs > 1 ? jobs : 1))
}

# --- the environment -------------------------------------------------------------------------------------------------

# ENV_KIND: `own` (made by this script: to be completed, repaired, made anew) or `kept` (the user's: only added to).
choose_environment() {
  local prefix
  ENV_KIND=kept
  STAMP=$SETUP_DIR/stamp
  if [[ $1 == own ]]; then
    ENV_PYTHON=$OWN_ENV/bin/python
    if [[ ! -e $OWN_ENV || -e $OWN_ENV/$MARK ]]; then
      ENV_KIND=own
      STAMP=$OWN_ENV/$MARK
    fi
    return
  fi
  for prefix in "${VIRTUAL_ENV:-}" "${CONDA_PREFIX:-}"; do
    if [[ -z ${PYTHON:-} && -n $prefix && -x $prefix/bin/python ]]; then
      ENV_PYTHON=$prefix/bin/python
      return
    fi
  done
  ENV_PYTHON=$(command -v "${PYTHON:-python3}") || fail "${PYTHON:-python3} is absent; activate an environment, or set PYTHON."
  [[ $ENV_PYTHON == /* ]] || ENV_PYTHON=$PWD/$ENV_PYTHON
}

check_kept_environment() {
  local version
  version=$(python_version "$ENV_PYTHON") || fail "$ENV_PYTHON does not run; repair or remove its environment."
  "$ENV_PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    fail "expected Python 3.10 or newer, found $version in $ENV_PYTHON; activate another environment."
}

activate() {
  PATH=$(dirname "$ENV_PYTHON"):$PATH
  if [[ $ENV_PYTHON == "$OWN_ENV/bin/python" ]]; then export VIRTUAL_ENV=$OWN_ENV; fi
  export PATH
}

make_own_environment() {
  find_python
  say "making .venv with $BASE_PYTHON ($(python_version "$BASE_PYTHON"))"
  rm -rf "$OWN_ENV"
  mkdir -p "$OWN_ENV"
  : >"$OWN_ENV/$MARK"
  run_logged venv '.venv' "$BASE_PYTHON" -m venv "$OWN_ENV" || fail "making .venv: $(reason "$LOG") Log: $LOG"
}

own_environment_usable() {
  [[ -x $ENV_PYTHON ]] && "$ENV_PYTHON" -m pip --version >/dev/null 2>&1 &&
    { [[ -z ${PYTHON:-} ]] || [[ $(python_version "$PYTHON") == "$(python_version "$ENV_PYTHON")" ]]; }
}

# --- the installation, in the order in which things need each other --------------------------------------------------

torch_version() { "$ENV_PYTHON" -c 'import torch; print(torch.__version__)' 2>/dev/null; }

install_torch() {
  local spec version
  version=$(torch_version) || version=
  if [[ -z $version || ($ENV_KIND == own && -n ${MMAMODAL_TORCH:-}) ]]; then
    if [[ $ENV_KIND == kept ]] && has_module torch; then
      fail "the torch of $ENV_PYTHON cannot be imported; repair or remove it."
    fi
    read -ra spec <<<"${MMAMODAL_TORCH:-torch==2.13.0}"
    pip_install torch "torch (${spec[*]})" "${spec[@]}"
    version=$(torch_version) || fail "torch is installed and $ENV_PYTHON -c 'import torch' fails; remove .venv and run again."
  fi
  echo "torch==$version" >"$SETUP_DIR/constraints.txt" # from here on pip may not exchange it
  say "  torch $version"
}

install_build_tools() {
  local tool missing=()
  for tool in ninja setuptools wheel; do has_module "$tool" || missing+=("$tool"); done
  if ((${#missing[@]})); then pip_install build-tools "${missing[*]}" -c "$SETUP_DIR/constraints.txt" "${missing[@]}"; fi
}

compile_mmcv() { # more arguments of pip
  local settings=("MAX_JOBS=${MAX_JOBS:-$(build_jobs)}")
  if python_can 'import torch; from torch.utils.cpp_extension import CUDA_HOME
sys.exit(not torch.cuda.is_available() or CUDA_HOME is not None)'; then
    say "  this machine has a GPU and no nvcc: mmcv's operators are built for the CPU only"
    settings+=(CUDA_VISIBLE_DEVICES=)
  fi
  run_logged mmcv mmcv env "${settings[@]}" "$ENV_PYTHON" -m pip install -v --no-input --disable-pip-version-check \
    --no-build-isolation --no-deps "$@" "$(requirement onedl-mmcv)" || fail "mmcv: $(reason "$LOG") Log: $LOG"
}

install_mmcv() {
  if mmcv_loads && { [[ $ENV_KIND == kept ]] || installed_as_required onedl-mmcv; }; then return; fi
  if [[ $ENV_KIND == kept ]] && has_module mmcv; then
    fail "the mmcv of $ENV_PYTHON has no operators that load into its torch; repair or remove it (or leave out --active)."
  fi
  check_compiler
  say "  mmcv is compiled from source: once, 6 to 8 minutes on two cores (pip keeps the result)."
  say "  Log: $SETUP_DIR/mmcv.log"
  compile_mmcv
  if ! mmcv_loads; then # pip may have kept one that was built for another torch
    say '  the mmcv that pip had does not load into this torch: compiling it again'
    compile_mmcv --force-reinstall --no-cache-dir
    mmcv_loads || fail "mmcv is built and does not load into torch. Log: $LOG"
  fi
}

# mmcv, mmdet and imaug come without their dependencies (see requirements.txt); those are in the rest.
install_rest() {
  local rest=$SETUP_DIR/requirements.txt apart='onedl-mmcv|onedl-mmdetection|imaug'
  if [[ $ENV_KIND == kept ]]; then
    if has_module mmengine; then apart="$apart|onedl-mmengine"; fi
    if has_module cv2; then apart="$apart|opencv-python-headless"; fi
  fi
  grep -vE "^($apart)([^A-Za-z0-9_-]|\$)" "$REPO_ROOT/requirements.txt" >"$rest"
  pip_install requirements 'the rest of requirements.txt' -c "$SETUP_DIR/constraints.txt" -r "$rest"
  if [[ $ENV_KIND == own ]] || ! has_module mmdet; then
    pip_install mmdet mmdet --no-deps "$(requirement onedl-mmdetection)" "$(requirement imaug)"
  fi
}

install_mmamodal() {
  local isolation=()
  if python_can 'import setuptools; assert int(setuptools.__version__.split(".")[0]) >= 64'; then
    isolation=(--no-build-isolation)
  fi
  pip_install mmamodal mmamodal --no-deps ${isolation[@]+"${isolation[@]}"} -e "$REPO_ROOT"
}

install_all() {
  activate
  install_torch
  install_build_tools
  install_mmcv
  install_rest
  install_mmamodal
}

everything_imports() {
  run_logged imports 'a first import' "$ENV_PYTHON" -c 'import mmcv.ops, mmdet.datasets, mmdet.models' &&
    fingerprint >"$SETUP_DIR/complete"
}

complete_environment() {
  local fresh=no
  if [[ $ENV_KIND == kept ]]; then check_kept_environment; fi
  check_space
  if [[ $ENV_KIND == own ]] && ! own_environment_usable; then
    make_own_environment
    fresh=yes
  fi
  say "installing what is missing from $("$ENV_PYTHON" -c 'import sys; print(sys.prefix)')"
  install_all
  if ! everything_imports; then
    [[ $ENV_KIND == own && $fresh == no ]] || fail "the installation does not import: $(reason "$LOG") Log: $LOG"
    say 'an earlier installation left something broken: starting again with a fresh .venv'
    make_own_environment
    install_all
    everything_imports || fail "the installation does not import: $(reason "$LOG") Log: $LOG"
  fi
  mv "$SETUP_DIR/complete" "$STAMP"
}

# setup_env own|active
setup_env() {
  mkdir -p "$SETUP_DIR"
  trap 'echo; fail "interrupted; the same command goes on from here."' INT TERM
  choose_environment "$1"
  if [[ -s $STAMP && -x $ENV_PYTHON && $(fingerprint) == "$(<"$STAMP")" ]]; then
    activate
  else
    complete_environment
  fi
  trap - INT TERM
  say "environment ready: $ENV_PYTHON"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  case ${1:-} in
    '') setup_env own ;;
    --active) setup_env active ;;
    *) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}" && exit 2 ;;
  esac
fi
