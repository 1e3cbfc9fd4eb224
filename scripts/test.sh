#!/usr/bin/env bash
# Everything the CI checks, in stages; stops at the first that fails.
#   scripts/test.sh                  all stages of the everyday set
#   scripts/test.sh --long           ThreadSanitizer, longer simulation, models and end-to-end tests
#   scripts/test.sh unit e2e         only these (a stage builds what it needs)
#   scripts/test.sh --list           their names
#
# SIM_ARGS, SEARCH_ARGS, ASAN_SIM_ARGS, LONG_SIM_ARGS, LONG_SEARCH_ARGS, FUZZ_SECONDS and
# PYTEST_ARGS change the amounts.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

sim_args=${SIM_ARGS:---seeds 4000 --events 5000 --require-coverage}
search_args=${SEARCH_ARGS:---search 20000}
asan_sim_args=${ASAN_SIM_ARGS:---seeds 200 --events 2000}
long_sim_args=${LONG_SIM_ARGS:---seeds 20000 --events 5000 --require-coverage}
long_search_args=${LONG_SEARCH_ARGS:---search 1000000}
fuzz_seconds=${FUZZ_SECONDS:-20}

everyday=(deps format tidy codespell build unit simulation spin asan engine e2e clients fuzz)
long=(deps build unit engine tsan long-simulation long-spin long-e2e)

logs=$REPO/build/logs
mkdir -p "$logs"
cd "$REPO"

stage_deps() { scripts/deps.sh; }
stage_format() { scripts/format.sh --check; }
stage_tidy() {
  python3 tools/tidy.py --self-test
  python3 tools/tidy.py
}
stage_codespell() { codespell; }
stage_build() {
  configure_and_build release
  ln -sfn release/src/app/holdfast build/holdfast
}
# needs_build: for a stage that was asked for alone; after `build` it finds nothing to do.
needs_build() { stage_build >/dev/null; }

# run_units PRESET: all GoogleTest programs of a build; the summary line stays on the screen.
run_units() {
  local log=$logs/unit-$1.log status=0
  no_aslr ctest --test-dir "build/$1" -j "$(nproc)" --output-on-failure --no-tests=error \
    --timeout 300 >"$log" 2>&1 || status=$?
  if ((status != 0)); then
    # A failed test's own output stands beside its name; the list of the failed ones is at the end.
    grep -vE '^ *[0-9]+/[0-9]+ Test .* Passed|^ *Start +[0-9]+' "$log" | tail -n 120 >&2
    die "unit tests failed ($1)" "The whole log: $log" \
      "One again: ctest --test-dir build/$1 -R NAME -V"
  fi
  grep -E 'tests passed' "$log"
}
stage_unit() { needs_build && run_units release; }

stage_simulation() {
  needs_build
  # shellcheck disable=SC2086 # a list of flags
  build/holdfast simulate $sim_args
  # shellcheck disable=SC2086
  build/holdfast simulate $search_args
}
stage_asan() {
  export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
  configure_and_build asan
  run_units asan
  # shellcheck disable=SC2086
  no_aslr build/asan/src/app/holdfast simulate $asan_sim_args
}
stage_tsan() {
  export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}
  configure_and_build tsan
  run_units tsan
}
stage_long-simulation() {
  needs_build
  # shellcheck disable=SC2086
  build/holdfast simulate $long_sim_args
  # shellcheck disable=SC2086
  build/holdfast simulate $long_search_args
}
# The rules of scheduling themselves, model-checked, and mutants of them.
stage_spin() { formal/check.sh; }
stage_long-spin() { formal/check.sh --long; }
stage_engine() { scripts/engine.sh; }

# run_pytest EXPRESSION: the tests bind free ports and work in folders of their own.
run_pytest() {
  local python
  needs_build
  scripts/engine.sh >/dev/null
  python=$(python_with pytest) || die 'pytest is not here' 'Run: make deps'
  # shellcheck disable=SC2086
  PYTHONDONTWRITEBYTECODE=1 "$python" -m pytest -q -p no:cacheprovider -m "$1" \
    ${PYTEST_ARGS:-} tests/e2e
}
stage_e2e() { run_pytest 'not long'; }
stage_long-e2e() { run_pytest long; }

# The clients that teams use, on the real small model; then the table of what they showed.
stage_clients() {
  local clients
  needs_build
  scripts/engine.sh >/dev/null
  scripts/model.sh
  clients=$(scripts/clients.sh)
  # shellcheck disable=SC2086
  PYTHONDONTWRITEBYTECODE=1 "$clients/venv/bin/python" -m pytest -q -p no:cacheprovider \
    ${PYTEST_ARGS:-} tests/clients
  python3 tools/conformance.py --self-test
  python3 tools/conformance.py --check
}

# Fuzz targets are clang programs of their own (libFuzzer); each gets a few seconds on its kept
# corpus.
stage_fuzz() {
  if [[ ! -e fuzz/CMakeLists.txt ]]; then
    say '   no fuzz/ folder in this version'
    return
  fi
  configure_and_build fuzz
  local program name targets corpus
  mapfile -t targets < <(find build/fuzz/fuzz -maxdepth 1 -type f -executable | sort)
  ((${#targets[@]})) || die 'fuzz/CMakeLists.txt built no program'
  for program in "${targets[@]}"; do
    name=${program##*/}
    corpus=("build/fuzz/corpus/$name") # new inputs go here; the kept corpus is only read
    mkdir -p "${corpus[0]}"
    [[ ! -d fuzz/corpus/$name ]] || corpus+=("fuzz/corpus/$name")
    say "   $name, $fuzz_seconds s"
    "$program" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 \
      -artifact_prefix=build/fuzz/ "${corpus[@]}" >"$logs/fuzz-$name.log" 2>&1 || {
      log_tail "$logs/fuzz-$name.log" 40
      die "the fuzz target $name found an input" "It is in build/fuzz/; replay: $program FILE"
    }
  done
}

stages=()
case ${1:-} in
  --list) printf '%s\n' "everyday: ${everyday[*]}" "long:     ${long[*]}" && exit ;;
  --long) stages=("${long[@]}") ;;
  '') stages=("${everyday[@]}") ;;
  *)
    for name in "$@"; do
      declare -F "stage_$name" >/dev/null ||
        die "unknown stage '$name'" "Stages: ${everyday[*]} ${long[*]}"
    done
    stages=("$@")
    ;;
esac

results=() passed=0 failed=0
begun=$SECONDS
for name in "${stages[@]}"; do
  if ((failed)); then
    results+=("$name|not run|")
    continue
  fi
  headline "$name"
  from=$(date +%s)
  # A subshell of its own, so that errexit holds inside and `die` ends only the stage.
  set +e
  (set -e; "stage_$name")
  status=$?
  set -e
  took=$(($(date +%s) - from))
  case $status in
    0) results+=("$name|passed|$took") && passed=$((passed + 1)) ;;
    130) exit 130 ;;
    *)
      results+=("$name|FAILED|$took") && failed=$((failed + 1))
      say "stage $name failed after $took s; once mended: scripts/test.sh $name"
      ;;
  esac
done

{
  echo
  printf '%-18s %-8s %8s\n' stage result seconds
  for result in "${results[@]}"; do
    IFS='|' read -r name outcome took <<<"$result"
    printf '%-18s %-8s %8s\n' "$name" "$outcome" "$took"
  done
  printf '%-18s %-8s %8s\n' all '' "$((SECONDS - begun))"
  echo "$passed passed, $failed failed"
}
((failed == 0))
