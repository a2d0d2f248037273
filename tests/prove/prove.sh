#!/usr/bin/env bash
# Every proof, and one table of figures at the end: prove.sh ci|full|nightly. Called by `./run prove`,
# which has installed what is needed; `./run test` runs the size ci. The harnesses know nothing of
# each other; each prints FIGURE lines (figure.h, figure.sh) that are collected here. Two run at a
# time: the proofs are made for two cores.
set -euo pipefail
shopt -s inherit_errexit

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
size=${1-}
logs=build/prove
seats=2
declare -A name_of=() began=() # of the running, by process id
failed=0

# --- How they are run.

# proof NAME COMMAND...: runs it as soon as a seat is free.
proof()
{
    ((${#name_of[@]} < seats)) || one_ends
    local name=$1
    shift
    PROVE_SIZE=$size "$@" >"$logs/$name.log" 2>&1 </dev/null &
    name_of[$!]=$name
    began[$!]=$SECONDS
}

one_ends()
{
    local id code=0
    wait -n -p id "${!name_of[@]}" || code=$?
    local name=${name_of[$id]} seconds=$((SECONDS - began[$id]))
    unset "name_of[$id]" "began[$id]"
    if ((code == 0)) && grep -q '^FIGURE ' "$logs/$name.log"; then
        printf 'ok      %-24s %4d s\n' "$name" "$seconds"
    else
        failed=$((failed + 1))
        printf 'FAILED  %-24s %4d s  %s\n' "$name" "$seconds" "$logs/$name.log"
        tail -n 40 "$logs/$name.log"
    fi
}

all_end()
{
    while ((${#name_of[@]} > 0)); do
        one_ends
    done
}

# built PRESET TARGET...: with both cores, for what many use.
built()
{
    local preset=$1 start=$SECONDS
    shift
    { cmake --preset "$preset" && cmake --build --preset "$preset" --target "$@"; } >"$logs/build-$preset.log" 2>&1 ||
        { tail -n 40 "$logs/build-$preset.log" && exit 1; }
    printf 'ok      %-24s %4d s\n' "build $preset" $((SECONDS - start))
}

# --- The table: what is proven, and how it came out.

table()
{
    printf '\n%-4s %-7s %s\n' '' '' "figures, size $size, $(uname -m), $(nproc) cores, commit $(git rev-parse --short HEAD 2>/dev/null || echo -)"
    sed -n 's/^FIGURE \([A-Z][0-9]*\) \(ok\|MISSED\|SKIPPED\) \(.*\)/\1 \2 \3/p' "$logs"/*.log | sort -V -s -k 1,1 |
        while read -r id mark text; do
            printf '%-4s %-7s %s\n' "$id" "$mark" "$text"
        done | fold -s -w 118 | sed '/^[A-Z][0-9]* *\(ok\|MISSED\|SKIPPED\) /!s/^/             /'
    printf '\n%d s\n' "$SECONDS"
}

[[ $size == ci || $size == full || $size == nightly ]] || { echo 'usage: prove.sh ci|full|nightly' >&2 && exit 2; }
rm -rf "$logs"
mkdir -p "$logs"

# --- The proofs. The long ones first, so that none is left running alone.

release=build/release
built release bookflow bookflow-console simulation simulation_plants power_cuts \
    fault_{load,check,kills,point,shim,recovery,network} sqs_faults{,_failed_is_done,_digest_not_looked_at}
built dev fault_allocations
[[ $size == ci ]] || built fuzz fuzzers

proof 'kill -9' tests/faults/kills.sh $release
proof 'simulation' tests/simulation/simulate.sh $release
[[ $size == ci ]] || proof 'mutation' python3 -B tests/prove/mutate.py build/mutate
[[ $size == ci ]] || proof 'fuzzing' tests/fuzz/fuzz.sh build/fuzz
[[ $size == ci ]] || proof 'coverage' tests/prove/coverage.sh build/coverage
[[ $size == ci ]] || proof 'valgrind' tests/prove/analysers.sh valgrind build/plain
[[ $size == ci ]] || proof 'gcc -fanalyzer' tests/prove/analysers.sh gcc build/gcc
proof 'thread sanitizer' tests/prove/analysers.sh tsan build/tsan
proof 'model' tests/model/model.sh
proof 'system calls' tests/faults/syscalls.sh $release
proof 'network' $release/tests/faults/fault_network
[[ $size == ci ]] || proof 'network, on the wire' tests/sqs/wire_faults.sh $release
proof 'power cuts' $release/tests/faults/power_cuts
proof 'allocations' build/dev/tests/faults/fault_allocations
proof 'recovery' tests/faults/recovery.sh $release
proof 'audit' tests/prove/audit.sh $release
proof 'machine' tests/ops/boot.sh $release
for name in tokens roles secrets attacker display security; do
    proof "security, $name" tests/e2e/$name.sh $release
done
proof 'backup' tests/ops/backup.sh $release
proof 'proxies' tests/ops/proxies.sh $release
proof 'package' tests/ops/package.sh $release
proof 'openapi' tests/ops/openapi.sh $release
proof 'console' tests/console/figures.sh $release
proof 'cppcheck' tests/prove/analysers.sh cppcheck build/cppcheck
proof 'full disk' tests/faults/kills_full_disk.sh $release
[[ $size != nightly ]] || proof 'soak' tests/faults/soak.sh $release
all_end
table
exit $((failed > 0))
