# Shared by the scripts beside it; source it, do not run it. Messages go to standard error so that a
# script's standard output stays its result.
# shellcheck shell=bash

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Tests point HOLDFAST_CACHE elsewhere; everybody else shares one cache between clones.
HOLDFAST_CACHE=${HOLDFAST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/holdfast}
export REPO HOLDFAST_CACHE

if [[ -t 2 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' PLAIN=$'\e[0m'
else
  BOLD='' RED='' GREEN='' PLAIN=''
fi

# Compilers and package managers end by themselves on Ctrl-C and look as if they had failed.
trap 'printf "\ninterrupted\n" >&2; exit 130' INT

say() { printf '%s\n' "$*" >&2; }
headline() { printf '%s== %s%s\n' "$BOLD" "$*" "$PLAIN" >&2; }
good() { printf '%s%s%s\n' "$GREEN" "$*" "$PLAIN" >&2; }

# die WHAT [WHAT TO DO]…: one line of what went wrong, then one line for each thing to do about it.
die() {
  printf '%serror: %s%s\n' "$RED" "$1" "$PLAIN" >&2
  shift
  local hint
  for hint in "$@"; do printf '       %s\n' "$hint" >&2; done
  exit 1
}

# log_tail FILE [LINES]: what a failed step said. A compiler's first error matters more than the
# end of its output, so the text starts at the first "FAILED:" where ninja printed one.
log_tail() {
  local file=$1 lines=${2:-15} first
  [[ -s $file ]] || return 0
  first=$(grep -n -m1 '^FAILED: ' "$file" | cut -d: -f1 || true)
  say "---- $file"
  if [[ -n $first ]]; then
    sed -n "${first},$((first + 40))p" "$file" | cut -c1-300 >&2
  else
    tail -n "$lines" "$file" | cut -c1-300 >&2
  fi
  say '----'
}

# logged TITLE LOG HINT COMMAND…: runs COMMAND silently; when it fails, says which step, what it
# printed and what to do, and ends the script.
logged() {
  local title=$1 log=$2 hint=$3 status=0
  shift 3
  "$@" >>"$log" 2>&1 </dev/null || status=$?
  if ((status != 0)); then
    log_tail "$log"
    die "$title failed (exit status $status)" "$hint" "The whole log: $log"
  fi
}

# Parallel compile jobs: one for each core, but no more than memory allows. A Boost.Asio or
# llama.cpp unit takes up to 1.5 GiB in g++ 12; a machine that swaps builds slower than one that
# waits.
compile_jobs() {
  local cores by_memory
  cores=$(nproc)
  by_memory=$(awk '/^MemAvailable:/ { print int($2 / 1572864) }' /proc/meminfo)
  ((by_memory >= 1)) || by_memory=1
  if [[ -n ${JOBS:-} ]]; then
    echo "$JOBS"
  else
    echo $((cores < by_memory ? cores : by_memory))
  fi
}

# ninja_progress TITLE LOG < ninja's output: keeps the log and shows how far it is: in place on a
# terminal, else a line every 5 seconds.
ninja_progress() {
  local title=$1 log=$2 line='' part='' count='' now all status shown=$SECONDS width=100
  while true; do
    status=0
    IFS= read -r -t 1 part || status=$?
    line+=$part
    if ((status == 0)); then
      printf '%s\n' "$line" >>"$log"
      if [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]]; then
        now=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]}
        count="$((100 * now / all))% ($now of $all)"
      fi
      line=''
    elif ((status <= 128)); then # end of input; a larger status is the one-second limit
      [[ -z $line ]] || printf '%s\n' "$line" >>"$log"
      break
    fi
    [[ -n $count ]] || continue
    if [[ -t 2 ]]; then
      printf '\r%-*s' "$width" "   $title: $count, ${SECONDS} s" >&2
    elif ((SECONDS - shown >= 5)); then
      say "   $title: $count, ${SECONDS} s"
      shown=$SECONDS
    fi
  done
  if [[ -t 2 ]]; then printf '\r%-*s\r' "$width" '' >&2; fi
}

# ninja_build TITLE LOG BUILD_DIR [TARGET]…: cmake --build with progress. Returns the build's
# status.
ninja_build() {
  local title=$1 log=$2 dir=$3 target args=()
  shift 3
  for target in "$@"; do args+=(--target "$target"); done
  : >"$log"
  SECONDS=0
  NINJA_STATUS='[%f/%t] ' cmake --build "$dir" -j "$(compile_jobs)" "${args[@]}" 2>&1 </dev/null |
    ninja_progress "$title" "$log"
  return "${PIPESTATUS[0]}"
}

# configure_and_build PRESET: our own program and tests in build/PRESET. Configuring again is left
# to ninja, which does it when a CMake file changed.
configure_and_build() {
  local preset=$1 dir=$REPO/build/$1 log=$REPO/build/logs/build-$1.log
  mkdir -p "$REPO/build/logs"
  if [[ ! -e $dir/build.ninja ]]; then
    : >"$log"
    (cd "$REPO" && logged "configuring the $preset build" "$log" \
      'If a package is missing: make deps. If the folder was moved: make clean.' \
      cmake --preset "$preset") || exit 1
  fi
  if ! ninja_build "compiling ($preset)" "$log" "$dir"; then
    log_tail "$log"
    die "compiling the $preset build failed" "The whole log: $log" \
      'If the compiler was killed for memory, give it fewer jobs: make build JOBS=1'
  fi
}

# under_lock FILE WHAT COMMAND…: one at a time on this machine; says so while it waits for another
# run. COMMAND runs with errexit as it is; the end of the process releases the lock in any case. The
# names are long because a function called from here sees them in place of its script's own.
under_lock() {
  local lock_file=$1 lock_what=$2 lock_fd
  shift 2
  mkdir -p "$(dirname "$lock_file")"
  exec {lock_fd}>"$lock_file"
  if ! flock -n "$lock_fd"; then
    say "   another run is busy with $lock_what; waiting for it"
    flock "$lock_fd"
  fi
  "$@"
  exec {lock_fd}>&-
}

# no_aslr COMMAND…: sanitizers of g++ 12 cannot place their shadow where a kernel with 32 random
# mmap bits may put things, so they run without randomisation where the system allows to ask for
# that.
no_aslr() {
  if setarch -R true 2>/dev/null; then setarch -R "$@"; else "$@"; fi
}

# python_with MODULE: the first Python 3 that has MODULE; Debian's has what `make deps` installed
# even where another one comes first on PATH.
python_with() {
  local candidate
  for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c "import $1" 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  return 1
}
