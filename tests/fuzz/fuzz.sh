#!/usr/bin/env bash
# Fuzzes every parser of outside input from its committed corpus: fuzz.sh [BUILD], a build of the
# preset fuzz. New inputs stay in a folder of its own that is gone afterwards; one that breaks a
# promise is kept in BUILD/fuzz-findings, printed in base64, and replayed by
#
#     BUILD/tests/fuzz/fuzz_replay_NAME FILE
#
# Then the dirty controls: programs with a planted bug, which the fuzzer must find.
# shellcheck disable=SC2317 # functions are called by name
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "${1:-$here/../../build/fuzz}" && pwd)
# shellcheck source=../prove/figure.sh
. "$here/../prove/figure.sh"

declare -A seconds_of=([ci]=6 [full]=20 [nightly]=600) # each target
declare -A size_of=([gate]=17000 [text]=512 [keys]=256 [time]=128 [address]=512)
seconds=${FUZZ_SECONDS:-${seconds_of[$size]}}
seed=${FUZZ_SEED:-$(($(date +%s) % 1000000 + 1))}
control_inputs=200000 # 10 s of a quiet machine
seats=2
programs=$build/tests/fuzz
findings=$build/fuzz-findings
mapfile -t targets < <(cd "$here/corpus" && ls)
mapfile -t plants < <(cd "$here/plants" && printf '%s\n' *.patch | sed 's/\.patch$//')

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$findings" "$work/tmp"
# The stores of a target need a file system, not a disk.
[[ -d /dev/shm && -w /dev/shm ]] && stores=$(mktemp -d -p /dev/shm) && trap 'rm -rf "$work" "$stores"' EXIT
export TMPDIR=${stores:-$work/tmp} TZ=UTC
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1

# fuzz PROGRAM TARGET OPTION CORPUS...: one libFuzzer run; its log and what it found are in $work/PROGRAM.
fuzz()
{
    local program=$1 target=$2 options=("$3")
    shift 3
    mkdir -p "$work/$program/new"
    [[ -f $here/dictionaries/$target.dict ]] && options+=(-dict="$here/dictionaries/$target.dict")
    "$programs/$program" -seed="$seed" -max_len="${size_of[$target]:-4096}" -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$work/$program/found-" "${options[@]}" \
        "$work/$program/new" "$@" >"$work/$program/log" 2>&1
}

# two COMMAND NAME...: runs COMMAND for each name, two at a time; what comes of it is in its folder.
two()
{
    local command=$1 running=0
    shift
    for name in "$@"; do
        ((running < seats)) || { wait -n || true; running=$((running - 1)); }
        "$command" "$name" &
        running=$((running + 1))
    done
    wait
}

# --- The shipped code.

fuzz_target()
{
    fuzz "fuzz_$1" "$1" -max_total_time="$seconds" "$here/corpus/$1" || touch "$work/fuzz_$1/failed"
}

# What libFuzzer counted: of_log NAME TARGET
executions_of() { sed -n 's/^stat::number_of_executed_units: *//p' "$work/fuzz_$1/log"; }
edges_of() { { grep -ao 'cov: [0-9]*' "$work/fuzz_$1/log" || true; } | tail -n 1 | tr -dc 0-9; }

tell_crash()
{
    local name=$1 file kept
    printf 'FAILED %s, seed %s\n' "$name" "$seed"
    grep -aE 'does not hold|ERROR:|runtime error|SUMMARY|^    #[0-9] ' "$work/fuzz_$name/log" | head -n 20 || true
    for file in "$work/fuzz_$name"/found-*; do
        [[ -f $file ]] || continue
        kept=$findings/$name-${file##*/found-}
        cp "$file" "$kept"
        printf 'input %s\n' "$kept"
        base64 "$kept"
    done
}

printf 'seed %s, %s s a target\n' "$seed" "$seconds"
crashes=0 executions=0 edges=0
two fuzz_target "${targets[@]}"
for name in "${targets[@]}"; do
    count=$(executions_of "$name")
    covered=$(edges_of "$name")
    printf '%-10s %9d executions %6d edges\n' "$name" "${count:-0}" "${covered:-0}"
    executions=$((executions + ${count:-0}))
    edges=$((edges + ${covered:-0}))
    if [[ -e $work/fuzz_$name/failed || ${count:-0} -eq 0 ]]; then
        crashes=$((crashes + 1))
        tell_crash "$name"
    fi
done

# --- The controls: from the harmless inputs that the patch names, not from a corpus that may hold the very
# thing. The planted program itself must find nothing wrong with those.

fuzz_plant()
{
    local program=fuzz_plant_$1 start=$work/start-$1 target file
    local -a from
    read -r target file < <(sed -n 's/^# target: \([a-z]*\), from \(.*\)$/\1 \2/p' "$here/plants/$1.patch")
    read -r -a from <<<"$file"
    mkdir -p "$start"
    for file in "${from[@]}"; do
        cp "$here/corpus/$target/$file" "$start/"
    done
    "$programs/$program" -runs=0 "$start" >"$start.log" 2>&1 || return 0
    fuzz "$program" "$target" -runs="$control_inputs" "$start" || true
    if grep -aq 'does not hold' "$work/$program/log" && compgen -G "$work/$program/found-*" >/dev/null; then
        touch "$work/$program/caught"
    fi
}

caught=0
two fuzz_plant "${plants[@]}"
for name in "${plants[@]}"; do
    if [[ -e $work/fuzz_plant_$name/caught ]]; then
        caught=$((caught + 1))
        printf 'plant %-18s found after %s inputs: %s\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/fuzz_plant_$name/log")" \
            "$(grep -am1 -o 'does not hold.*' "$work/fuzz_plant_$name/log" | cut -c 1-100 | tr -d '\r')"
    else
        printf 'plant %-18s NOT FOUND in %d inputs\n' "$name" "$control_inputs"
    fi
done

reached=ok
((crashes == 0 && caught == ${#plants[@]})) || reached=MISSED
figure R8 "$reached" "fuzzed: ${#targets[@]} parsers, $executions executions, $crashes crashes, edges covered $edges; controls $caught/${#plants[@]} found"
# shellcheck disable=SC2154 # set by figure.sh
exit "$figures_missed"
