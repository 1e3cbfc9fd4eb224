#!/usr/bin/env bash
# Obtains the engine: a stock llama-server of a pinned llama.cpp release, built once for this
# machine and kept in the cache, then linked as build/llama-server. Prints the binary's path.
#   HOLDFAST_LLAMA_SERVER=/path/llama-server   use that one and build nothing
#
# The source comes as a git bundle inside the npm package node-llama-cpp: a package registry keeps a
# published version unchanged, and its checksum is pinned here.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

package=node-llama-cpp@3.22.1
# base64, as the registry states it   tidy: allow(line-length) a checksum cannot be broken
package_sha512=bltIipuWmc123H7tMIgDGKSsSrhmhlQYeVUC48XTjVW7XGJJiJJyCdlTMzQ/LiWoPkGDpcL4FviDpgw7qfTiDw==
release=v0.5.0
# No web page, no TLS and nothing fetched while configuring: children of Holdfast need neither.
flags=(-G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=ON
  -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_UI=OFF
  -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF)
# Many virtual machines list AMX among the CPU's flags and then fault on its first tile instruction
# (seen: SIGSEGV at ldtilecfg while the first model warmed up). AVX-512 stays.
if [[ $(uname -m) == x86_64 ]]; then
  no_amx='-mno-amx-tile -mno-amx-int8 -mno-amx-bf16'
  flags+=("-DCMAKE_C_FLAGS=$no_amx" "-DCMAKE_CXX_FLAGS=$no_amx")
fi

runs() { [[ -x $1 ]] && timeout 20 "$1" --version >/dev/null 2>&1 </dev/null; }

# link_engine BINARY: beside build/holdfast, and beside the program that link names, where it
# looks too.
link_engine() {
  local program
  mkdir -p "$REPO/build"
  ln -sfn "$1" "$REPO/build/llama-server"
  program=$(readlink -f "$REPO/build/holdfast" || true)
  [[ ! -x $program || -d $program ]] || ln -sfn "$1" "$(dirname "$program")/llama-server"
  echo "$1"
}

if [[ -n ${HOLDFAST_LLAMA_SERVER:-} ]]; then
  binary=$(realpath -- "$HOLDFAST_LLAMA_SERVER")
  runs "$binary" || die "HOLDFAST_LLAMA_SERVER: $binary does not run here" \
    'Correct the path, or unset the variable to build the pinned release.'
  link_engine "$binary"
  exit
fi

# The build uses every instruction this CPU has, so a home folder shared by unlike machines needs
# one engine for each kind: the key holds the CPU, the source and the options.
cpu=$(awk -F: '/^(model name|CPU part|flags|Features)/ && !seen[$1]++' /proc/cpuinfo)
key=$(printf '%s\n' "$cpu" "$package_sha512" "${flags[*]}" | sha256sum | cut -c1-12)
key=llama.cpp-$release-$(uname -m)-$key
home=$HOLDFAST_CACHE/engine
binary=$home/$key/llama-server

if runs "$binary"; then
  link_engine "$binary"
  exit
fi

# fetch_source WORK: the checked package unpacked to WORK/source.
fetch_source() {
  local work=$1 log=$1/fetch.log tarball
  say "   fetching $package"
  : >"$log"
  command -v npm >/dev/null || die 'npm is not here; it fetches the engine source' 'Run: make deps'
  (cd "$work" && logged 'fetching the engine source' "$log" \
    'Is the network up? Or name a llama-server you have: HOLDFAST_LLAMA_SERVER=/path make build' \
    npm pack --loglevel=error --fetch-retries=2 --fetch-retry-mintimeout=1000 \
    --fetch-retry-maxtimeout=5000 "$package") || exit 1
  tarball=$(echo "$work"/*.tgz)
  [[ $(sha512_base64 "$tarball") == "$package_sha512" ]] ||
    die "the checksum of $package is not the pinned one" \
      'The download was damaged or the package was changed. Remove it and try again:' "rm -r $work"
  rm -rf "$work/package" "$work/source"
  logged 'unpacking the engine source' "$log" "Is there room on $home (df -h)?" \
    tar -xzf "$tarball" -C "$work" package/llama/gitRelease.bundle
  logged 'cloning the engine source' "$log" "Is there room on $home (df -h)?" \
    git clone -q "$work/package/llama/gitRelease.bundle" "$work/source.part"
  rm -rf "$work/package" "$tarball"
  mv "$work/source.part" "$work/source"
}

# The registry's checksums are base64, which sha512sum does not print.
sha512_base64() {
  python3 -c 'import base64, hashlib, sys
print(base64.b64encode(hashlib.sha512(open(sys.argv[1], "rb").read()).digest()).decode())' "$1"
}

# The work folder outlives a failure or Ctrl-C, so that the next run goes on where this one stopped.
build_engine() {
  runs "$binary" && return # the run we may have waited for built it
  local work=$home/work-$key
  headline "building the engine, llama.cpp $release (once for this machine, some minutes)"
  mkdir -p "$work"
  if [[ ! -d $work/source ]]; then
    rm -rf "$work"/*.tgz "$work/source.part"
    fetch_source "$work"
  fi
  local log=$work/build.log
  if [[ ! -e $work/build/build.ninja ]]; then
    say '   configuring'
    : >"$log"
    logged 'configuring the engine' "$log" 'If a package is missing: make deps' \
      cmake -S "$work/source" -B "$work/build" "${flags[@]}"
  fi
  if ! ninja_build 'compiling the engine' "$log" "$work/build" llama-server; then
    log_tail "$log"
    die 'compiling the engine failed' "The whole log: $log" \
      'If the compiler was killed for memory, give it fewer jobs: make engine JOBS=1' \
      'Or name a llama-server you have: HOLDFAST_LLAMA_SERVER=/path make build'
  fi
  runs "$work/build/bin/llama-server" ||
    die 'the engine was built but does not run' "Try: $work/build/bin/llama-server --version"
  # One rename makes it visible, so nobody ever runs half a file.
  rm -rf "${home:?}/$key" "$work/install"
  mkdir "$work/install"
  cp "$work/build/bin/llama-server" "$work/source/LICENSE" "$work/install/"
  mv "$work/install" "$home/$key"
  rm -rf "$work"
  good "   engine ready: $binary"
}

under_lock "$home/$key.lock" 'building the engine' build_engine
link_engine "$binary"
