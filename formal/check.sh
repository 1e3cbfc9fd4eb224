#!/usr/bin/env bash
# Model-checks formal/lease.pml with SPIN: the rules as they are must keep every claim in every
# configuration, searched to the end; each mutant must break the claim that stands beside it.
#   formal/check.sh              the everyday set: two minutes on two cores, 1 GiB
#   formal/check.sh --long       larger configurations: five minutes on two cores, 6 GiB
#   formal/check.sh NAME…        only these rows of the table, of either set
#   formal/check.sh --trail NAME the steps by which a row fails, one line each
# JOBS limits the rows at a time. The column `trail` is the first way found; --trail looks for a
# shorter one.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/../scripts/lib.sh"

model=$REPO/formal/lease.pml

# Sizes: two small ones or the large one; two of three; a small one with either large one; one.
pair='-DBUDGET=2 -DSIZE0=1 -DSIZE1=1 -DSIZE2=2'
two='-DBUDGET=4 -DSIZE0=2 -DSIZE1=2 -DSIZE2=2'
uneven='-DBUDGET=4 -DSIZE0=3 -DSIZE1=2 -DSIZE2=1'
one='-DBUDGET=2 -DSIZE0=2 -DSIZE1=2 -DSIZE2=2'
# Four clients on fixed models; client 0's first. Liveness and AHEAD speak of client 0.
first='-DNC=4 -DHOME0=0 -DHOME1=1 -DHOME2=2 -DHOME3=0'
large='-DNC=4 -DHOME0=2 -DHOME1=1 -DHOME2=0 -DHOME3=1'
crowd='-DNC=4 -DHOME0=0 -DHOME1=0 -DHOME2=0 -DHOME3=1'
others='-DNC=4 -DHOME0=0 -DHOME1=1 -DHOME2=2 -DHOME3=1'
steady='-DCANCEL -DGHOSTS -DFAIL -DCRASH -DHAND -DTIDY'
all="$steady -DOOM -DFORCE"

# name | safety, live | claim that must fail (nothing: all hold) | configuration
everyday=(
  "pair|safety||-DROAM $all $pair"
  "two|safety||-DROAM $all $two"
  "uneven|safety||-DROAM $all $uneven"
  "two-slots|safety||-DSLOTS=2 $crowd $all $two"
  "two-loads|safety||-DROAM -DLOADS=2 $all $two"
  "priority|safety||-DROAM -DPRIORITY $all $pair"
  "sure-owner|safety||-DROAM -DFORCE $steady $uneven"
  "no-escape|safety||$first -DFAIL -DOOM $pair"
  "live-pair|live||$first $all $pair"
  "live-large|live||$large $all $pair"
  "live-uneven|live||$large $all $uneven"
  "live-one|live||-DROAM -DCANCEL -DFAIL $one"
  "live-two-slots|live||-DSLOTS=2 $crowd -DCANCEL -DOOM -DHAND $pair"
  "live-priority|live||-DPRIORITY $others $all $one"

  "1 leases-ignored|safety|IN_USE|$first $all $pair -DMUTANT=1"
  "2 loading-evicted|safety|IN_USE|$first $all $pair -DMUTANT=2"
  "3 free-before-reap|safety|WITHIN|$first $all $pair -DMUTANT=3"
  "4 gate-lifted|safety|AHEAD|$first -DCANCEL $one -DMUTANT=4"
  "5 no-owner|live|progress|$first -DCANCEL $pair -DMUTANT=5"
  "6 small-overtake|live|progress|$large -DCANCEL $pair -DMUTANT=6"
  "7 overtake-at-gates|safety|OWNER_SURE|$large $steady $pair -DMUTANT=7"
  "8 idle-left-open|safety|OWNER_SURE|$large $steady $pair -DMUTANT=8"
  "9 heads-patience|live|progress|$others -DCANCEL $one -DMUTANT=9"
  "10 bite-only-gated|live|progress|$first -DCANCEL $one -DMUTANT=10"
  "11 no-turn|safety|TURN|$first $all $pair -DMUTANT=11"
  "12 all-waited-first|safety|NO_HOLD_OUT|$first $steady $pair -DMUTANT=12"
  "13 old-number|safety|AHEAD|$first $all $pair -DMUTANT=13"
  "14 drain-not-counted|safety|FRUGAL|$first $all $two -DMUTANT=14"
  "15 silent-failure|live|progress|$first -DFAIL $one -DMUTANT=15"
  "16 hand-gate-lifted|safety|LIFTED|$first $all $pair -DMUTANT=16"
  "17 grant-on-stopping|safety|GENERATION|$first $all $pair -DMUTANT=17"
  "18 grant-through-gate|safety|GENERATION|$first $all $pair -DMUTANT=18"
  "19 lease-too-many|safety|FEW|$first $all $pair -DMUTANT=19"
  "20 told-and-retried|safety|ONCE|$first $all $pair -DMUTANT=20"
  "21 endless-retry|live|progress|$first -DOOM $one -DMUTANT=21"
  "22 crash-keeps-lease|safety|GENERATION|$first $all $pair -DMUTANT=22"
  "23 gate-never-opens|live|progress|$first -DCANCEL $one -DMUTANT=23"
  "24 owner-gives-way|safety|ONE_OWNER|$large -DPRIORITY $all $pair -DMUTANT=24"
  "25 drain-stands-out|safety|STANDS|$first $all $one -DMUTANT=25"
  "5b no-owner|safety|SETTLES|$first $all $pair -DMUTANT=5"
  "6b small-overtake|safety|AHEAD|$large $all $pair -DMUTANT=6"
  "7b overtake-at-gates|safety|HEADS_ONLY|$large $steady $pair -DMUTANT=7"
  "25b drain-stands-out|live|progress|$first -DHAND $one -DMUTANT=25"
)
long=(
  "long-pair|safety||-DROAM -DNC=4 -DCANCEL -DOOM -DCRASH -DHAND $pair"
  "long-uneven|safety||-DROAM -DNC=4 -DGHOSTS -DFAIL $uneven"
  "long-two-slots|safety||-DROAM -DNC=4 -DSLOTS=2 -DCANCEL -DHAND $pair"
  "long-live-pair|live||-DROAM $all $pair"
  "long-live-two|live||-DROAM $all $two"
  "long-live-uneven|live||-DROAM $all $uneven"
  "long-live-loads|live||-DROAM -DLOADS=2 $all $two"
  "long-live-priority|live||-DROAM -DPRIORITY $all $pair"
  "long-live-four|live||-DROAM -DNC=4 -DCANCEL -DFAIL $pair"
)

# generate KIND CLAIM CONFIGURATION: the checker of one row, ./pan in the present folder. NOREDUCE:
# every step reads what others write, so partial orders save nothing, and weak fairness wants it.
generate() {
  local kind=$1 claim=$2 flags=(-DNOREDUCE -DCOLLAPSE -DMEMLIM="$memory_mb") defines
  read -ra defines <<<"$3"
  if [[ $kind == live ]]; then
    defines+=(-DLIVE)
    [[ -z $claim ]] || defines+=(-DONLY=NOTHING) # the cycle, not what an assertion sees before
    flags+=(-DNFAIR=3)
  else
    [[ -z $claim ]] || defines+=("-DONLY=$claim")
    flags+=(-DSAFETY)
    ((trail == 0)) || flags+=(-DREACH) # a state found again by a shorter way counts as new
  fi
  # A mutant fails soon, so for it the compiler's time counts.
  [[ -z $claim ]] && flags+=(-O2) || flags+=(-O0)
  spin -a "${defines[@]}" "$model" >spin.log 2>&1 &&
    ! grep -iE 'error|warning' spin.log >>cc.log && # a guard that spin doubts is no guard
    "${CC:-gcc}" "${flags[@]}" -o pan pan.c >>cc.log 2>&1
}

# verdict KIND CLAIM STATUS: ok, or what is wrong, from log. A search that was cut short proves
# nothing, whatever it found.
verdict() {
  local kind=$1 claim=$2 status=$3
  if grep -qE 'max search depth too small|out of memory|MEMLIM|resource limit' log; then
    echo 'CUT SHORT'
  elif ((status != 0)) || ! grep -q 'errors: ' log; then
    echo "ENDED WITH $status"
  elif [[ -z $claim ]]; then
    if grep -q 'errors: 0$' log; then echo ok; else echo BROKEN; fi
  elif [[ $kind == safety ]] && grep -q 'assertion violated' log; then
    echo ok
  elif [[ $kind == live ]] && grep -q 'acceptance cycle' log; then
    echo ok
  else
    echo 'NOT CAUGHT'
  fi
}

# check ROW FILE: runs one row in a folder of its own, writes its line of the table to FILE.
check() {
  local name kind claim config dir status=0 options from states steps outcome
  IFS='|' read -r name kind claim config <<<"$1"
  from=$(date +%s)
  dir=$work/${name// /-}
  mkdir -p "$dir" && cd "$dir"
  if ! generate "$kind" "$claim" "$config"; then
    outcome='NOT GENERATED'
    cat spin.log cc.log >log 2>/dev/null || true
  else
    options=(-m"$depth" -w"$hash")
    [[ $kind == safety ]] || options+=(-a -f)
    [[ -z $claim || $kind == live ]] || options+=(-E) # only the claim, not an end of all steps
    ./pan "${options[@]}" >log 2>&1 || status=$?
    outcome=$(verdict "$kind" "$claim" "$status")
  fi
  states=$(sed -nE 's/^ *([0-9]+) states, stored.*/\1/p' log | head -1)
  steps=$(sed -nE 's/.*(violated|cycle).*\(at depth ([0-9]+)\).*/\2/p' log | head -1)
  printf '%-22s %-12s %10s %8s %8s  %s\n' "$name" "${claim:-all hold}" "${states:--}" \
    "${steps:--}" "$(($(date +%s) - from))" "$outcome" >"$2"
  ((trail)) || say "   $name: $outcome"
}

# show ROW: replays a short trail of a row that fails.
show() {
  local name kind claim config defines
  IFS='|' read -r name kind claim config <<<"$1"
  for depth in 25 50 100 200 400 800 "$depth"; do
    check "$1" "$work/line"
    # Near the limit a cycle may be cut off: then its mark is not there.
    [[ $kind == safety ]] || grep -qs '^-1:-1:-1' "$work/${name// /-}"/*.trail || continue
    ! compgen -G "$work/${name// /-}/*.trail" >/dev/null || break
  done
  cd "$work/${name// /-}"
  compgen -G '*.trail' >/dev/null || die "no trail: $(cat "$work/line")"
  read -ra defines <<<"$config"
  [[ $kind == safety ]] || defines+=(-DLIVE)
  [[ -z $claim ]] || defines+=("-DONLY=${claim/progress/NOTHING}")
  spin -t -T -B "${defines[@]}" -k "$(compgen -G '*.trail')" "$model" |
    grep -vE '^(ltl |Never claim|spin: trail ends|#processes|starting claim)'
}

trail=0 memory_mb=1500 depth=2000000 hash=22
rows=("${everyday[@]}")
case ${1:-} in
  --long)
    rows=("${long[@]}")
    shift
    ;;
  --trail)
    trail=1
    shift
    (($#)) || die 'which row?' 'Usage: formal/check.sh --trail NAME'
    ;;
  -*) die "unknown option $1" 'Usage: formal/check.sh [--long] [--trail] [NAME]…' ;;
esac
if (($#)); then
  rows=()
  for name in "$@"; do
    found=0
    for row in "${everyday[@]}" "${long[@]}"; do
      [[ ${row%%|*} == "$name" || ${row%% *} == "$name" ]] || continue
      rows+=("$row")
      found=1
    done
    ((found)) || die "no row is called '$name'" "Rows: $(printf '%s, ' "${everyday[@]%%|*}")…"
  done
fi
if [[ ${rows[0]} == long-* ]]; then
  memory_mb=6000 depth=30000000 hash=25
fi
command -v spin >/dev/null || die 'spin is not here' 'Run: make deps'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ((trail)); then
  show "${rows[0]}"
  exit
fi

jobs_max=${JOBS:-$(nproc)}
running=0
for i in "${!rows[@]}"; do
  if ((running >= jobs_max)); then
    wait -n || true
    running=$((running - 1))
  fi
  (check "${rows[$i]}" "$work/line.$(printf '%03d' "$i")") &
  running=$((running + 1))
done
wait

printf '\n%-22s %-12s %10s %8s %8s  %s\n' row claim states trail seconds result
cat "$work"/line.*
good=$(cat "$work"/line.* | grep -c ' ok$' || true)
echo "$good of ${#rows[@]} as they should be, $SECONDS s"
((good == ${#rows[@]}))
