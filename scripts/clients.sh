#!/usr/bin/env bash
# Installs the client libraries that tests/clients drives, exactly the pinned versions, into the
# cache; prints the folder. It holds `venv` (Python) and `node_modules`. Once for a set of pins.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

pins=$REPO/tests/clients
# Which Python and Node.js: compiled parts of a client fit one version only.
key=$({
  cat "$pins/requirements.txt" "$pins/package.json" "$pins/package-lock.json"
  python3 --version
  node --version 2>/dev/null || true
  uname -m
} | sha256sum | cut -c1-12)
home=$HOLDFAST_CACHE/clients
target=$home/$key

# A venv holds its own absolute path, so it is made where it stays; `complete` is written last.
install_clients() {
  [[ -e $target/complete ]] && return
  local log=$home/$key.log python
  python=$(python_with ensurepip) || die 'python3-venv is not here' 'Run: make deps'
  command -v node >/dev/null && command -v npm >/dev/null ||
    die 'node and npm are not here' 'Run: make deps'
  headline 'installing the client libraries (once for these versions, about a minute)'
  : >"$log"
  rm -rf "$target"
  mkdir -p "$target"
  say '   for Python'
  logged 'making a Python environment' "$log" "Is there room on $home (df -h)?" \
    "$python" -m venv "$target/venv"
  logged 'fetching the Python clients' "$log" \
    'Is the network up, and does pip reach a package index?' \
    "$target/venv/bin/python" -m pip install --quiet --no-deps --require-hashes \
    --disable-pip-version-check -r "$pins/requirements.txt"
  say '   for Node.js'
  cp "$pins/package.json" "$pins/package-lock.json" "$target/"
  logged 'fetching the npm clients' "$log" \
    'Is the network up, and does npm reach a package registry?' \
    npm ci --prefix "$target" --ignore-scripts --no-audit --no-fund --loglevel=error
  touch "$target/complete"
  good "   clients ready: $target"
}

mkdir -p "$home"
under_lock "$home/$key.lock" 'installing the client libraries' install_clients
echo "$target"
