#!/usr/bin/env bash
# Formats our C++ sources in place; with --check only says what differs, and fails then.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

# 14 is Debian 12's version; another one lays out differently.
command -v clang-format-14 >/dev/null || die 'clang-format-14 is not here' 'Run: make deps'
action=(-i)
[[ ${1:-} != --check ]] || action=(--dry-run -Werror)
cd "$REPO"
mapfile -d '' files < <(
  find src fuzz bench tests \( -name '*.h' -o -name '*.cc' \) -print0 2>/dev/null
)
((${#files[@]})) || die 'no source files found'
clang-format-14 "${action[@]}" "${files[@]}" || die 'formatting differs' 'Run: make format'
