#!/usr/bin/env bash
# The whole chain on drawn scenes, from nothing to a report:
#   visible masks -> completer -> pseudo-labels -> Mask R-CNN -> work_dirs/quickstart/report.html
#
#   bash tools/quickstart.sh [--active]
#
# --active uses the environment that is active instead of .venv. What is trained already is not trained again.
set -euo pipefail
# shellcheck source=tools/setup_env.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup_env.sh"

PCNET=pcnet-m_unet_scenes
ASBU=asbu_unet_scenes
DETECTOR=mask-rcnn_r18_fpn_scenes-asbu
VISIBLE=raw_scenes
HULL=convexr_scenes
REPORT=work_dirs/quickstart/report.html
STEPS=8
STEP=0

step() { # TITLE COMMAND...
  local title=$1
  shift
  STEP=$((STEP + 1))
  printf '\n=== %d/%d  %s  (%s since the start)\n' "$STEP" "$STEPS" "$title" "$(clock $SECONDS)"
  printf '$'
  printf ' %q' "$@"
  echo
  "$@" || fail "step $STEP of $STEPS ($title) failed; the same command goes on from here."
}

# The newest checkpoint of a run, also where the repository has been moved since.
checkpoint() { # CONFIG-NAME
  local pointer=work_dirs/$1/last_checkpoint
  [[ -s $pointer ]] || fail "expected $pointer, which training writes; remove work_dirs/$1 and run again."
  CHECKPOINT=work_dirs/$1/$(basename "$(<"$pointer")")
}

# The pictures go where the report looks for them.
test_run() { # TITLE CONFIG CHECKPOINT [OPTION...]
  step "$1" python tools/test.py "$2" "$3" "${@:4}" --show-dir "work_dirs/$(basename "$2" .py)/test/vis"
}

main() {
  local environment=own
  case ${1:-} in
    '') ;;
    --active) environment=active ;;
    *) fail "expected no argument or --active, got $1." ;;
  esac
  setup_env "$environment"
  cd "$REPO_ROOT"

  step 'train PCNet-M, the reference completer' python tools/train.py "configs/pcnet/$PCNET.py"
  step 'train ASBU, write pseudo-labels, train Mask R-CNN on them' python tools/train.py "configs/asbu/$DETECTOR.py"
  step 'test the visible mask as it is' python tools/test.py "configs/baselines/$VISIBLE.py" none
  step 'test the order-grounded convex hull' python tools/test.py "configs/baselines/$HULL.py" none
  checkpoint "$PCNET"
  test_run 'test PCNet-M' "configs/pcnet/$PCNET.py" "$CHECKPOINT"
  checkpoint "$ASBU"
  test_run 'test ASBU' "configs/asbu/$ASBU.py" "$CHECKPOINT"
  checkpoint "$DETECTOR"
  test_run 'test the detector' "configs/asbu/$DETECTOR.py" "$CHECKPOINT" --eval segm bbox
  step 'write the report' python tools/analysis_tools/report.py --out "$REPORT" \
    --completer "visible mask=work_dirs/$VISIBLE" --completer "convex hull=work_dirs/$HULL" \
    --completer "PCNet-M=work_dirs/$PCNET" --completer "ASBU=work_dirs/$ASBU" \
    --detector "Mask R-CNN on ASBU's labels=work_dirs/$DETECTOR"

  printf '\nDone in %s. Open %s in a browser.\n' "$(clock $SECONDS)" "$REPO_ROOT/$REPORT"
}

main "$@"
