#!/usr/bin/env bash
# Builds and runs every benchmark program; each prints one JSON line for each workload, which is
# also appended to build/bench.jsonl. bench/README.md says what they measure and keeps the
# published results.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

"$REPO/scripts/deps.sh" build
configure_and_build release
mapfile -t programs < <(find "$REPO/build/release/bench" -maxdepth 1 -type f -executable | sort)
((${#programs[@]})) || die 'bench/CMakeLists.txt built no program'
HOLDFAST_COMMIT=$(git -C "$REPO" rev-parse --short HEAD 2>/dev/null || echo unknown)
export HOLDFAST_COMMIT
for program in "${programs[@]}"; do
  headline "${program##*/}"
  (cd "$REPO" && "$program") | tee -a "$REPO/build/bench.jsonl"
done
headline prediction.py
"$REPO/scripts/engine.sh" >/dev/null
"$REPO/scripts/model.sh"
ln -sfn release/src/app/holdfast "$REPO/build/holdfast"
(cd "$REPO" && python3 bench/prediction.py) | tee -a "$REPO/build/bench.jsonl"
