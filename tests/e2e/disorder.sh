#!/usr/bin/env bash
# The queues deliver late, shuffled and twice while users and providers contradict each other. Once
# both queues are empty, both stores agree on every booking.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

seed=${BOOKFLOW_TEST_SEED:-$((RANDOM * 32768 + RANDOM))}
clients=8 of_a_client=13
unruly="shuffle=1&duplicate=50"

inbox()
{
    echo "/providers/chaos/bookings/$id"
}

arrived()
{
    get "${url[all]}$(inbox)"
    [[ $status == 200 ]]
}

# at_once PATH...: POSTs to all of them at the same moment; any answer but an error of ours is right.
at_once()
{
    local path job
    local -a jobs=()
    for path; do
        (post "${url[all]}$path" && [[ $status =~ ^(200|404|409)$ ]]) &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do
        wait "$job" || fail "$* are answered 200, 404 or 409"
    done
}

# One booking's life, by its number.
life()
{
    local user
    book all "chaos-$1" "user-$1"
    user=/bookings/$id
    case $(($1 % 7)) in
    0) at_once "$user/cancel" ;; # its cancel may overtake its create
    1) until_true 20 'it arrives' arrived && at_once "$(inbox)/accept" ;;
    2) until_true 20 'it arrives' arrived && at_once "$(inbox)/reject" ;;
    3) until_true 20 'it arrives' arrived && at_once "$(inbox)/accept" "$user/cancel" ;;
    4) until_true 20 'it arrives' arrived && at_once "$(inbox)/reject" "$user/cancel" ;;
    5) until_true 20 'it arrives' arrived && at_once "$(inbox)/accept" "$(inbox)/reject" && at_once "$(inbox)/cancel" ;;
    6) until_true 20 'it arrives' arrived && at_once "$(inbox)/accept" && at_once "$(inbox)/cancel" "$user/cancel" ;;
    esac
}

lives()
{
    local each
    for ((each = $1; each <= clients * of_a_client; each += clients)); do
        life "$each"
    done
}

# metric NAME: over both workers.
metric()
{
    awk -v name="$1{" 'index($0, name) == 1 { sum += $2 } END { print sum + 0 }' <<<"$body"
}

all_is_quiet()
{
    get "${url[all]}/metrics"
    (($(metric bookflow_outbox_unsent) == 0)) && (($(in_queues '') == 0))
}

# in_queues CONDITION
in_queues()
{
    sqlite3 -readonly -cmd '.timeout 5000' "$work/queues.db" "SELECT count(*) FROM message $1"
}

# both SQL: over both stores, of stopped workers; the decision worker's is d.
both()
{
    sqlite3 -readonly "$(state_of all)/intake.db" "ATTACH '$(state_of all)/decision.db' AS d; $1"
}

they_agree()
{
    local total=$((clients * of_a_client))
    same 'bookings on both sides' "$total $total" \
        "$(both 'SELECT (SELECT count(*) FROM main.bookings) || " " || (SELECT count(*) FROM d.bookings)')"
    same 'bookings on which they differ' '' "$(both 'SELECT i.slot_id, i.status, o.status
        FROM main.bookings i LEFT JOIN d.bookings o USING (id) WHERE o.status IS NOT i.status')"
    same 'tombstones that were never filled in' 0 "$(both 'SELECT count(*) FROM d.bookings WHERE start_s = 0')"
    same 'moves that happened twice' '' "$(both 'SELECT booking_id, to_status FROM main.audit
        WHERE from_status <> to_status GROUP BY 1, 2 HAVING count(*) > 1 UNION ALL
        SELECT booking_id, to_status FROM d.audit
        WHERE from_status <> to_status GROUP BY 1, 2 HAVING count(*) > 1')"
    same 'slots with two active bookings' '' \
        "$(both 'SELECT slot FROM main.bookings WHERE status < 2 GROUP BY slot HAVING count(*) > 1')"
}

printf 'seed %s (BOOKFLOW_TEST_SEED replays it)\n' "$seed"
start_worker all all "SQS_BOOKING_REQUEST_QUEUE_URL=sqlite:$work/queues.db?queue=requests&$unruly&seed=$seed" \
    "SQS_BOOKING_CONFIRMATION_QUEUE_URL=sqlite:$work/queues.db?queue=confirmations&$unruly&seed=$((seed + 1))"
make_slots all chaos chaos $((clients * of_a_client))
for ((client = 1; client <= clients; client++)); do
    lives "$client" &
    helpers+=($!)
done
for job in "${helpers[@]}"; do
    wait "$job" || fail 'every booking lives its life'
done
helpers=()
ok "$((clients * of_a_client)) bookings were booked, decided and cancelled"

until_true 60 'both queues run empty' all_is_quiet
(($(metric bookflow_messages_duplicate_total) > 0)) || fail 'the queues did deliver twice'
same 'dead-lettered' 0 "$(metric bookflow_messages_dead_lettered_total)"
stop_worker all
they_agree
ok "both stores agree: $(both 'SELECT group_concat(n, ", ") FROM (SELECT count(*) || " of status " || status AS n
    FROM main.bookings GROUP BY status)')"
finish
