#!/usr/bin/env bash
# The model of the protocol, checked by spin in all its states: model.sh, its size from PROVE_SIZE. The
# transition table comes out of the shipped booking.c, so a table that would break a promise fails here.
# Then the checks of the check: every planted bug (in the model, and in a copy of booking.c) must be
# found, and every way a booking can end must be reached. Must not know what the model says: bugs and
# ends are read from it.
#
# Exhaustive: no bit-state hashing, and a search that was cut short counts as a failure.
# shellcheck disable=SC2317 # the claims are called by judge
set -euo pipefail
shopt -s inherit_errexit

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
root=$here/../..
# shellcheck source=tests/prove/figure.sh
source "$root/tests/prove/figure.sh"

compiler=${CC:-cc}
depth=1000000
work=$(mktemp -d "${TMPDIR:-/tmp}/bookflow-model.XXXXXX")
lanes=()
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# A lane is a process group of its own, so that its compilers and searches end with it.
stop()
{
    local lane
    for lane in "${lanes[@]}"; do
        kill -- "-$lane" 2>/dev/null || true
    done
}

die()
{
    printf 'model: %s\n' "$*" >&2
    exit 1
}

# --- From C to a search.

# table BOOKING.C FOLDER: the table as the model reads it. Of the domain only the tables are linked.
table()
{
    mkdir -p "$2"
    "$compiler" -std=c17 -D_GNU_SOURCE -I"$root/store/domain" -I"$root/workers/base" -ffunction-sections \
        -fdata-sections -Wl,--gc-sections "$here/table.c" "$1" "$root/store/domain/event.c" -o "$2/table"
    "$2/table" >"$2/transitions.pml"
    cp "$here"/*.pml "$2"
}

# verifier FOLDER OPTIMISATION DEFINE...: the search for the table that is there; goes to the folder.
# Nearly every step touches what all share, so partial order reduction would only cost.
verifier()
{
    local optimisation=$2
    cd "$1"
    shift 2
    spin "$@" -a bookings.pml
    "$compiler" -w "$optimisation" -DSAFETY -DNOREDUCE -DMEMLIM=16000 -o pan pan.c
}

# run HASH_BITS: into the file log; pan's own exit code says nothing.
run()
{
    timeout --foreground 3600 ./pan -m"$depth" -w"$1" >log 2>&1 || true
}

violation()
{
    grep -m 1 '^pan:1: ' log
}

# Searched to the end without an error.
whole()
{
    grep -q 'errors: 0$' log && ! grep -Eq 'max search depth too small|Search not completed|out of memory' log
}

# An end is found by an assertion that names what was planted; a bug by any other.
is_end()
{
    violation | grep -q 'planted=='
}

is_bug()
{
    violation | grep -q 'assertion violated' && ! is_end
}

# judge CLAIM WORD TEXT: one line of the result.
judge()
{
    "$1" && echo "ok $2 $3" || echo "MISSED $2 $3"
}

# --- The right model: nothing may be wrong.

# search NAME HASH_BITS DEFINE...
search()
{
    local name=$1 bits=$2 states reached
    shift 2
    table "$root/store/domain/booking.c" "$work/search-$name"
    verifier "$work/search-$name" "$optimisation" "$@"
    run "$bits"
    states=$(awk '/ states, stored/ { printf "%d", $1 }' log)
    reached=$(sed -n 's/.*depth reached \([0-9]*\),.*/\1/p' log)
    judge whole search "$name: $* ${states:-0} states, depth ${reached:-0}"
    whole || (tail -n 20 log && ./pan -r | tail -n 60) >&2 || true
    echo "${states:-0} ${reached:-0}" >>"$work/states-$name"
}

# --- The wrong ones: each must be found.

# planted NUMBER TROUBLES
planted()
{
    PLANTED=$1 TROUBLES=$2 run 20
}

# switches PREFIX: "NAME NUMBER TROUBLES" of each.
switches()
{
    sed -nE "s/^#define $1_([A-Z_]+) ([0-9]+)( .*troubles: ([0-9]).*)?\$/\1 \2 \4/p" "$here/switches.pml"
}

# look PREFIX CLAIM WORD: plants or looks for each.
look()
{
    local name number troubles
    while read -r name number troubles; do
        planted "$number" "${troubles:-0}"
        judge "$2" "$3" "$name"
    done < <(switches "$1")
}

planted_in_model()
{
    table "$root/store/domain/booking.c" "$work/switches"
    verifier "$work/switches" -O1 -DSWITCHES -DBOOKINGS=2 -DATTEMPTS=1 -DCRASHED=1
    planted 0 0
    judge whole control 'with nothing planted nothing is found'
    look PLANT is_bug bug
    look END is_end end
}

# patched NAME SED_PROGRAM: a copy of booking.c with a wrong table.
patched()
{
    local folder=$work/patched-$1
    mkdir "$folder"
    sed -E "$2" "$root/store/domain/booking.c" >"$folder/booking.c"
    ! cmp -s "$folder/booking.c" "$root/store/domain/booking.c" || die "booking.c has no place for the bug $1"
    table "$folder/booking.c" "$folder"
    verifier "$folder" -O0 -DPROMISES -DBOOKINGS=1 -DTROUBLES=0
    run 18
    judge is_bug bug "$1"
}

planted_in_table()
{
    patched TABLE_ACCEPTS_WHAT_IS_CANCELLED \
        's/(\[BOOKING_ACCEPT\] = \{BOOKING_CONFIRMED, BOOKING_ABSENT, BOOKING_ABSENT, )BOOKING_ABSENT/\1BOOKING_CONFIRMED/'
    patched TABLE_CANCELS_WHAT_IS_REJECTED \
        's/(\[BOOKING_CANCEL\] = \{BOOKING_CANCELLED, BOOKING_CANCELLED, )BOOKING_ABSENT/\1BOOKING_CANCELLED/'
    patched TABLE_CANCELLED_NOT_ABOVE_CONFIRMED 's/(\[BOOKING_CANCELLED\] = )2/\11/'
    patched TABLE_REJECTED_NOT_ABOVE_PENDING 's/(\[BOOKING_REJECTED\] = )1/\10/'
}

# --- The sizes: how many bookings of one slot, and how many troubles in one life. Two lanes beside
# each other, for two cores.

first_lane()
{
    local -r buried_at_once=(-DATTEMPTS=1 -DCRASHED=1)
    case $size in
    ci) search one 20 -DBOOKINGS=1 -DTROUBLES=1 "${buried_at_once[@]}" -DPROMISES ;;
    full) search one 23 -DBOOKINGS=1 -DTROUBLES=2 -DPROMISES ;;
    nightly) search one 25 -DBOOKINGS=1 -DTROUBLES=2 "${buried_at_once[@]}" -DPROMISES ;;
    esac
    [[ $size != nightly ]] || search counted 23 -DBOOKINGS=1 -DTROUBLES=2 -DPROMISES
    planted_in_table
}

second_lane()
{
    case $size in
    ci) search several 18 -DBOOKINGS=2 -DTROUBLES=0 -DPROMISES ;;
    full) search several 22 -DBOOKINGS=3 -DTROUBLES=0 ;;
    nightly) search several 24 -DBOOKINGS=3 -DTROUBLES=0 -DPROMISES ;;
    esac
    planted_in_model
}

# count MARK WORD
count()
{
    cat "$work"/result-* | grep -c "^$1 $2 " || true
}

report()
{
    local states deepest bugs ends bugs_missed ends_missed text mark=MISSED
    read -r states deepest < <(cat "$work"/states-* 2>/dev/null |
        awk '{ states += $1; if ($2 > deepest) deepest = $2 } END { print states + 0, deepest + 0 }')
    bugs=$(count ok bug) ends=$(count ok end) bugs_missed=$(count MISSED bug) ends_missed=$(count MISSED end)
    if (($(count ok lane) == 2 && $(count ok search) >= 2 && $(count MISSED search) == 0 && $(count ok control) == 1 &&
        bugs_missed + ends_missed == 0 && bugs >= 8 && ends >= 8 && states >= least)); then
        mark=ok
    fi
    text="$states states (depth $deepest), $(count MISSED search) errors, $bugs/$((bugs + bugs_missed)) planted bugs caught"
    figure R1 $mark "model: $text, $ends/$((ends + ends_missed)) ends reached; transition table generated from booking.c"
}

case $size in
ci) least=100000 optimisation=-O0 ;; # compiling would take longer than searching
full | nightly) least=1000000 optimisation=-O2 ;;
*) die "no such size: $size" ;;
esac
command -v spin >/dev/null || die 'spin is missing: apt-get install spin'

# Each must come to its end, too.
set -m
(first_lane; echo 'ok lane first') >"$work/result-first" &
lanes+=($!)
(second_lane; echo 'ok lane second') >"$work/result-second" &
lanes+=($!)
set +m
for id in "${lanes[@]}"; do
    wait "$id" || true
done
cat "$work"/result-*
report
# shellcheck disable=SC2154 # of figure.sh
exit "$figures_missed"
