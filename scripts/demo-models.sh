#!/usr/bin/env bash
# Generates tiny models with random weights into models/, so that a demonstration has several models
# to juggle. They answer nonsense; loading, memory and eviction are those of any model.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

# make_model NAME SIZE SEED
make_model() {
  local name=$1 size=$2 seed=$3 target=$REPO/models/$1.gguf
  [[ -s $target ]] && return
  python3 "$REPO/tools/make_gguf.py" "$target.part" \
    --size "$size" --seed "$seed" --name "$name" >/dev/null ||
    die "generating the demonstration model $name failed" \
      'Its message is above; the tool is tools/make_gguf.py.'
  mv "$target.part" "$target"
  say "   generated models/$name.gguf"
}

mkdir -p "$REPO/models"
make_model demo-small tiny 1
make_model demo-medium 30MB 2
make_model demo-large 60MB 3
