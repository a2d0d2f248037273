#!/usr/bin/env bash
# What was answered 201 is never lost: kill -9 in the middle of bursts, SIGTERM under load.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

rounds=4 clients=6 of_a_client=400

# One client: books its slots one after the other and notes each booking answered 201. Ends when
# the worker is gone.
client()
{
    local -a commands=()
    local slot
    for ((slot = 1; slot <= of_a_client; slot++)); do
        ((slot == 1)) || commands+=(--next)
        commands+=(-sS --max-time 20 -H 'Content-Type: application/json' -w '\n%{http_code}\n'
            -d "{\"slotId\":\"$1-$(((($2 - 1) * of_a_client) + slot))\",\"userId\":\"user-$2\"}"
            "${url[all]}/bookings")
    done
    curl -q --fail-early "${commands[@]}" 2>/dev/null |
        awk '/^{/ { answer = $0 } $0 == "201" { print answer; fflush() }' >>"$work/booked.$1.$2" || true
}

# burst NAME: all clients at once; their process ids are in $clients_running.
burst()
{
    local each
    clients_running=()
    make_slots all durable "$1" $((clients * of_a_client))
    for ((each = 1; each <= clients; each++)); do
        : >"$work/booked.$1.$each"
        client "$1" "$each" &
        clients_running+=($!)
    done
}

# enough_booked NAME COUNT
enough_booked()
{
    (($(cat "$work/booked.$1".* | wc -l) >= $2))
}

# end_of_burst NAME: waits for the clients, which must not have been done before.
end_of_burst()
{
    local job
    for job in "${clients_running[@]}"; do
        wait "$job" || true
    done
    ! enough_booked "$1" $((clients * of_a_client)) || fail 'the worker ended in the middle of the burst'
    cat "$work/booked.$1".* | jq -r .id | sort >>"$work/promised"
}

# everything PATH: the ids of all bookings, over all pages.
everything()
{
    local next=''
    while get "${url[all]}$1?limit=1000$2${next:+&after=$next}"; do
        field '.bookings[].id'
        next=$(field '.next // empty')
        [[ -n $next ]] || break
    done
}

# No id that was answered 201 is missing from the store, none is there twice.
promises_are_stored()
{
    everything /bookings '&providerId=durable' | sort >"$work/stored"
    same 'promised bookings that are not stored' '' "$(comm -23 <(sort "$work/promised") "$work/stored")"
    same 'bookings that are stored twice' '' "$(uniq -d "$work/stored")"
}

inbox_is_whole()
{
    everything /providers/durable/bookings '' | sort >"$work/inbox"
    cmp -s "$work/stored" "$work/inbox"
}

killed_in_a_burst()
{
    burst "kill$1"
    until_true 20 'some are booked' enough_booked "kill$1" $((20 + $1 * 60))
    kill_worker all
    end_of_burst "kill$1"
    start_worker all all
    promises_are_stored
    ok "kill -9 in a burst, round $1: $(wc -l <"$work/promised") bookings promised so far, all stored"
}

# attempts STORE: rows that say a handler failed or crashed.
attempts()
{
    sqlite3 -readonly "$(state_of all)/$1.db" 'SELECT count(*) FROM attempts WHERE failures > 0 OR crashes > 0'
}

stopped_under_load()
{
    burst term
    until_true 20 'some are booked' enough_booked term 200
    stop_worker all
    end_of_burst term
    same 'attempts lost by the drain' '0 0' "$(attempts intake) $(attempts decision)"
    same 'messages dead-lettered' 0 "$(sqlite3 -readonly "$(state_of all)/queues.db" \
        "SELECT count(*) FROM message WHERE queue LIKE '%-dlq'")"
    start_worker all all
    promises_are_stored
    until_true 20 'the inbox has every booking' inbox_is_whole
    ok 'SIGTERM under load: exit 0 within 5 s, nothing lost, no attempt used up'
}

: >"$work/promised"
start_worker all all
# First, while no crash has left an attempt of its own.
stopped_under_load
for ((round = 1; round <= rounds; round++)); do
    killed_in_a_burst "$round"
done
# What a killed worker had in its hands comes back when its visibility time is over: 30 s.
until_true 45 'the inbox has every booking, once' inbox_is_whole
ok "all $(wc -l <"$work/promised") promised bookings reached the inbox"
get "${url[all]}/metrics"
grep -q '^bookflow_messages_dead_lettered_total{worker="decision"} 0' <<<"$body" || fail 'kill -9 dead-letters nothing'
finish
