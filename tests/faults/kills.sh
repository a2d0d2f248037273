#!/usr/bin/env bash
# kill -9 of both workers under HTTP load, and planted bugs that it must find: kills.sh BUILD_FOLDER
# [SEED].
# shellcheck source=tests/faults/kills_lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/kills_lib.sh" "${1-}"

seed=${2:-$((RANDOM * 32768 + RANDOM))}
kills=1000 mean_ms=30
case $size in
ci) kills=150 ;;
nightly) kills=5000 ;;
esac

# kill_all FOLDER KILLS [OPTION...]
kill_all()
{
    mkdir "$work/$1"
    "$programs/fault_kills" "$bookflow" "$programs/fault_load" "$work/$1" "$2" "$mean_ms" "$seed" "${@:3}"
}

printf 'seed %s\n' "$seed"
if ! kill_all clean "$kills"; then
    figures_missed=1
    tail -n 20 "$work"/clean/{intake,decision}.log
fi

# --- Planted bugs: copies of these stores and of what was promised, each with one thing wrong.

found=0 planted=0

# plant WHAT STORE SQL [LOG LINE]
plant()
{
    local copy=$work/plant.$((planted += 1))
    mkdir "$copy"
    cp "$work"/clean/{intake/intake,decision/decision}.db "$work/clean/promises.log" "$copy"
    [[ -z $2 ]] || sqlite3 "$copy/$2.db" "$3"
    [[ -z ${4-} ]] || echo "$4" >>"$copy/promises.log"
    if fails "$programs/fault_check" --settled "$copy/promises.log" "$copy"/{intake,decision}.db; then
        found=$((found + 1))
    else
        printf 'NOT FOUND: %s\n' "$1"
    fi
    rm -r "$copy"
}

# id_of STATUS: a booking that both stores have so.
id_of()
{
    sqlite3 -readonly "$work/clean/intake/intake.db" "SELECT id FROM bookings WHERE status = $1 LIMIT 1"
}

pending=$(id_of 0) confirmed=$(id_of 1) rejected=$(id_of 2)
promised="(SELECT id FROM bookings LIMIT 1)"
plant 'an answer for a booking that is not there' '' '' 'booked 00000000-0000-0000-0000-000000000000 s0-0 u0-0'
plant 'an accept that is not there' '' '' "decision $pending confirmed"
plant 'a cancel that is not there' '' '' "intake $confirmed cancelled"
plant 'an accept of what is rejected' '' '' "decision $rejected confirmed"
plant 'a booking removed from intake' intake "DELETE FROM bookings WHERE id = $promised"
plant 'a booking removed from decision' decision "DELETE FROM bookings WHERE id = $promised"
plant 'a booking moved down' decision "UPDATE bookings SET status = 0 WHERE id = '$confirmed'"
plant 'a trail that was edited' intake 'UPDATE audit SET reason = reason || 1 WHERE sequence = 3'
plant 'a trail that lost a row' decision 'DELETE FROM audit WHERE sequence = 3'
plant 'an event that was never sent' intake "INSERT INTO outbox (booking_id, provider_id, event_id, traceparent, type, created_ms, body)
    SELECT id, provider_id, 'e', '', 'BOOKING_CREATED', 0, '{}' FROM bookings LIMIT 1"

# And a worker that answers before anything is safe: its WAL is gone with the process.
planted=$((planted + 1))
if fails kill_all forgetful 40 LD_PRELOAD="$shim" FAULT_KIND=forget &&
    grep -q '^violation ' "$work/forgetful/promises.log"; then
    found=$((found + 1))
else
    echo 'NOT FOUND: a WAL that is gone with the process'
fi

mark=ok
((found == planted)) || mark=MISSED
figure R4 $mark "kill -9, controls: $found of $planted planted bugs found"
finish
