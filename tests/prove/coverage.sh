#!/usr/bin/env bash
# R10, first half: which branches of the core the unit tests and a short simulation take. Branches that an
# assert() would take are left out: they are bugs, and a test that took one would have found it.
#
#   coverage.sh [BUILD_FOLDER]     sizes full and nightly; ci leaves it out
set -euo pipefail
shopt -s inherit_errexit

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${1:-$root/build/coverage}
# shellcheck source=tests/prove/figure.sh
source "$root/tests/prove/figure.sh"
if [[ $size == ci ]]; then
    echo 'FIGURE R10 SKIPPED branch coverage: at the sizes full and nightly'
    exit 0
fi

tests=(booking event event_edges outbox audit attempts idempotency db db_open db_faults writer
    publisher publisher_troubles consumer consumer_leases consumer_troubles
    intake intake_trail decision decision_trail convergence convergence_check intake_store decision_store store_failures)
state_machine='store/domain/booking.c'
core='store/.*\.c|workers/courier/.*\.c|workers/intake/intake\.c|workers/decision/decision\.c'
options=(--rc lcov_branch_coverage=1 --rc 'lcov_excl_br_line=\bassert\(')
# booking, so many worlds: enough for what only happens when workers die and queues misbehave
simulation=()

built()
{
    local -a targets=("${tests[@]/#/test_}")
    cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DBOOKFLOW_SANITIZE=OFF \
        -DBOOKFLOW_WERROR=OFF -DCMAKE_C_FLAGS='--coverage -O0'
    if ninja -C "$build" -t query simulation >/dev/null 2>&1; then
        targets+=(simulation)
        simulation=("$build/tests/simulation/simulation" 1 40)
    fi
    ninja -C "$build" "${targets[@]}"
}

run_test()
{
    "$build/tests/test_$1" --short-filename -j1 >"$build/log/$1.log" 2>&1 ||
        { tail -n 20 "$build/log/$1.log" >&2 && return 1; }
}
export -f run_test
export build

# captured FILE: what all runs so far have taken.
captured()
{
    lcov --quiet "${options[@]}" --capture --no-external --base-directory "$root" \
        --directory "$build/store" --directory "$build/workers" --output-file "$1" 2>"$build/log/lcov.log" ||
        { tail -n 20 "$build/log/lcov.log" >&2 && exit 1; }
}

# taken FILE PATTERN: "taken all" of the branches in the files of the pattern.
taken()
{
    awk -F '[:,]' -v pattern="^$root/($2)\$" '
        /^SF:/ { wanted = substr($0, 4) ~ pattern }
        /^BRDA:/ && wanted { all++; taken += $5 != "-" && $5 > 0 }
        END { print taken + 0, all + 0 }' "$1"
}

# missed FILE: the lines with branches that nothing takes.
missed()
{
    awk -F '[:,]' -v pattern="^$root/($core)\$" -v skip=$((${#root} + 5)) '
        /^SF:/ { wanted = substr($0, 4) ~ pattern; name = substr($0, skip) }
        /^BRDA:/ && wanted && ($5 == "-" || $5 == 0) { print "  " name ":" $2 }' "$1" | sort | uniq -c | sort -rn
}

mkdir -p "$build/log"
built >"$build/log/build.log" 2>&1 || { tail -n 40 "$build/log/build.log" >&2 && exit 1; }

# The control: one test alone takes the state machine and hardly anything else.
find "$build" -name '*.gcda' -delete
run_test booking
captured "$build/alone.info"
read -r alone_taken _ < <(taken "$build/alone.info" "$core")

printf '%s\n' "${tests[@]}" | xargs -P 2 -I {} bash -c 'run_test {}'
if ((${#simulation[@]} > 0)); then
    "${simulation[@]}" >"$build/log/simulation.log" 2>&1 || { tail -n 20 "$build/log/simulation.log" >&2 && exit 1; }
fi
captured "$build/all.info"
read -r machine_taken machine_all < <(taken "$build/all.info" "$state_machine")
read -r core_taken core_all < <(taken "$build/all.info" "$core")
missed "$build/all.info"

mark=ok
((machine_all > 0 && machine_taken == machine_all)) || mark=MISSED
((core_all > 1000 && core_taken * 100 >= core_all * 90)) || mark=MISSED
((alone_taken * 100 < core_all * 20)) || mark=MISSED
figure R10 "$mark" "branch coverage: state machine $((machine_all > 0 ? machine_taken * 100 / machine_all : 0)) %, core \
$((core_all > 0 ? core_taken * 100 / core_all : 0)) % ($core_taken of $core_all branches; control: one test alone $((alone_taken * 100 / core_all)) %)"
exit "$figures_missed"
