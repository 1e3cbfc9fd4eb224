#!/usr/bin/env bash
# From a bare Debian 12 to build/holdfast and build/llama-server: packages, compile, engine.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

"$REPO/scripts/deps.sh" build engine
configure_and_build release
ln -sfn release/src/app/holdfast "$REPO/build/holdfast"
[[ -x $REPO/build/holdfast ]] || die 'the build left no build/release/src/app/holdfast' \
  'src/app/CMakeLists.txt names the program and its place.'
engine=$("$REPO/scripts/engine.sh")
good "   build/holdfast and build/llama-server ($engine) are ready"
