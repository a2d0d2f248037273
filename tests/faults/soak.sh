#!/usr/bin/env bash
# Does anything grow that should not? soak.sh BUILD_FOLDER [SECONDS]: both workers under steady load;
# memory, descriptors and WAL sizes each second; least-squares slopes behind the warm-up.
# shellcheck source=tests/faults/kills_lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/kills_lib.sh" "${1-}"

seconds=${2:-600}
warm_up=$((seconds / 2))
flat_kib_s=20                # 1.2 MiB a minute
caches_kib=$((160 * 1024))   # two of 64 MiB, and what SQLite has around them
wal_most_kib=$((32 * 1024)) # twice the length at which it is copied back
declare -A worker=()

start_worker()
{
    mkdir "$work/$1"
    env -i PATH="$PATH" HOME="$work" TZ=UTC BOOKFLOW_LISTEN="unix:$work/$1.sock" BOOKFLOW_STATE_DIR="$work/$1" \
        SQS_BOOKING_REQUEST_QUEUE_URL="sqlite:$work/queues.db?queue=request" \
        SQS_BOOKING_CONFIRMATION_QUEUE_URL="sqlite:$work/queues.db?queue=confirmation" \
        "$bookflow" serve "$1" </dev/null >>"$work/$1.log" 2>&1 &
    worker[$1]=$!
    started+=($!)
}

# sample SECOND: a line for each worker: name, second, anonymous memory (KiB), descriptors, WAL (KiB),
# store (KiB).
sample()
{
    local name id
    for name in intake decision; do
        id=${worker[$name]}
        printf '%s %d %d %d %d %d\n' "$name" "$1" "$(awk '/^RssAnon/ { print $2 }' "/proc/$id/status")" \
            "$(find "/proc/$id/fd" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" \
            "$(($(stat -c %s "$work/$name/$name.db-wal") / 1024))" "$(($(stat -c %s "$work/$name/$name.db") / 1024))"
    done
}

# fit NAME COLUMN: "SLOPE HIGHEST" behind the warm-up, the slope per second by least squares.
fit()
{
    awk -v name="$1" -v column="$2" -v from="$warm_up" '
        $1 == name && $2 >= from { n++; x += $2; y += $column; xx += $2 * $2; xy += $2 * $column
                                   if ($column > most) most = $column }
        END { d = n * xx - x * x; printf "%.2f %d\n", d ? (n * xy - x * y) / d : 0, most }' "$work/samples"
}

# is CLAIM: in awk's words.
is()
{
    awk "BEGIN { exit !($1) }"
}

# What may grow with the store is SQLite's page cache, of the writer and of the reader, up to its limit.
# Below that, memory is judged by the store; that it is flat is seen only behind it.
judge()
{
    local name memory memory_top files files_top wal wal_top store _ mark flat
    for name in intake decision; do
        read -r memory memory_top < <(fit "$name" 3)
        read -r files files_top < <(fit "$name" 4)
        read -r wal wal_top < <(fit "$name" 5)
        read -r store _ < <(fit "$name" 6)
        mark=ok flat='flat'
        is "$memory <= $flat_kib_s" || flat='filling its page caches, run it longer to see it flat'
        is "$memory <= $flat_kib_s || ($memory_top < $caches_kib && $memory <= 2 * $store + $flat_kib_s)" ||
            mark=MISSED flat='GROWS'
        is "$files < 0.05 && $wal <= 100 && $wal_top <= $wal_most_kib" || mark=MISSED
        figure R11 $mark "soak of $name, $seconds s ($warm_up s warm-up): memory $memory KiB/s, at most $memory_top KiB, $flat; descriptors $files/s, at most $files_top; WAL $wal KiB/s, at most $wal_top KiB; store $store KiB/s"
    done
}

start_worker intake
start_worker decision
"$programs/fault_load" "$work/intake.sock" "$work/decision.sock" "$work/promises.log" 1 8 20 >"$work/load.out" &
load=$!
started+=("$load")
from=$SECONDS
while ((SECONDS - from < seconds)); do
    sleep 1 # real processes, real time
    sample $((SECONDS - from)) >>"$work/samples"
done
kill "$load"
wait "$load" || true
cat "$work/load.out"
judge

# Memory, descriptors, WAL, each made to grow: that would be seen.
planted=0
mv "$work/samples" "$work/clean"
# shellcheck disable=SC2016 # awk's, not ours
for leak in '$3 += 40 * $2 + 200000' '$4 += $2 / 4' '$5 += 1000 * $2'; do
    awk "{ $leak } 1" "$work/clean" >"$work/samples"
    [[ $(judge) != *MISSED*MISSED* ]] || planted=$((planted + 1))
done
mark=ok
((planted == 3)) || mark=MISSED
figure R11 $mark "soak, controls: $planted of 3 planted leaks found"
finish
