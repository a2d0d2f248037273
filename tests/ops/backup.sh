#!/usr/bin/env bash
# Copies of both stores while they are written, what they cost those who book meanwhile, and the way back from them.
#
#   backup.sh BUILD_FOLDER      PROVE_SIZE=ci makes small stores
# shellcheck source=tests/e2e/lib.sh disable=SC2317
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh" "${1-}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/prove/figure.sh
source "$here/../prove/figure.sh"

provider=salon bookings=34000 load=6000
[[ $size != ci ]] || bookings=3000 load=1500
copies=$work/copies most_wal=0
queues=("SQS_BOOKING_REQUEST_QUEUE_URL=sqlite:$work/queues.db?queue=requests"
    "SQS_BOOKING_CONFIRMATION_QUEUE_URL=sqlite:$work/queues.db?queue=confirmations")

begin()
{
    start_worker "$1" "$1" "${queues[@]}"
}

# back_up NAME [ARGUMENT...]: the verb, as an operator calls it.
back_up()
{
    bookflow_with "BOOKFLOW_URL=${url[$1]}" -- backup "${@:2}"
}

# steady COUNT FIRST: books so many slots; prints how long they took.
steady()
{
    python3 -B "$here/book.py" "${url[intake]}" "$2" "$1"
}

fill()
{
    local each
    for ((each = 0; each < bookings + 2 * load; each += 9000)); do
        jq -cn --argjson from "$each" --argjson day "$(date -u -d 'tomorrow 08:00' +%s)" '{slots: [range($from; $from + 9000) |
            {id: "s-\(.)", start: ($day + . * 600 | todate), end: ($day + . * 600 + 600 | todate)}]}' >"$work/slots.json"
        http POST "${url[intake]}/providers/$provider/slots" "${json[@]}" --data-binary "@$work/slots.json"
        expect_status 201 'slots'
    done
    steady "$bookings" 0 >/dev/null
    until_true 120 'all of it has arrived' all_sent
}

metric()
{
    curl -q --noproxy '*' -sS "${url[$1]}/metrics" | sed -n "s/^bookflow_$2{worker=\"$1\"} //p"
}

all_sent()
{
    (($(metric intake outbox_unsent) == 0 && $(metric decision outbox_unsent) == 0 &&
        $(metric decision messages_applied_total) == $(metric intake events_sent_total)))
}

# Copies are made for as long as the load lasts.
costs_little()
{
    local quiet busy made=0 longest=0 took
    quiet=$(steady "$load" "$bookings")
    steady "$load" $((bookings + load)) >"$work/busy.json" &
    local loading=$!
    while kill -0 $loading 2>/dev/null; do
        took=$(back_up intake --json "$copies" | jq '.[0].tookMs')
        made=$((made + 1))
        ((took <= longest)) || longest=$took
        took=$(metric intake store_wal_bytes)
        ((took <= most_wal)) || most_wal=$took
    done
    ((most_wal < 64 << 20)) || fail "the WAL stays below 64 MB, not $most_wal bytes"
    wait $loading
    busy=$(<"$work/busy.json")
    ((made > 0)) || fail 'a copy was made under load'
    until_true 120 'all of it has arrived' all_sent
    figure O9 ok "a store of $(sqlite3 "$copies/intake.db" 'SELECT (SELECT count(*) FROM bookings) + (SELECT count(*) FROM audit) +
        (SELECT count(*) FROM slots)') rows copied $made times under load ($(jq .rate <<<"$busy") POSTs/s), at most $longest ms each; longest POST $(jq .longest <<<"$busy") ms, without copying $(jq .longest <<<"$quiet") ms, p99 $(jq .p99 <<<"$busy") and $(jq .p99 <<<"$quiet") ms"
}

# A copy of a moment under load is whole: every booking in it has its audit rows, every hash fits.
copy_of_a_busy_moment_is_whole()
{
    same 'integrity of the copy' ok "$(sqlite3 "$copies/intake.db" 'PRAGMA integrity_check')"
    same 'each booking has its first row of the trail' 0 "$(sqlite3 "$copies/intake.db" \
        "SELECT count(*) FROM bookings WHERE id NOT IN (SELECT booking_id FROM audit WHERE event = 'BOOKING_CREATED')")"
    same 'nothing but the copy is left' intake.db "$(ls "$copies")"
    same 'nor beside the store' '' "$(find "$(state_of intake)" -name '*.copy*')"
    same 'it is for its owner alone' 600 "$(stat -c %a "$copies/intake.db")"
    ok 'a copy made under load is whole, private, and leaves nothing else behind'
}

restored_stores_go_on()
{
    local count told
    back_up intake "$copies" >/dev/null
    back_up decision "$copies" >/dev/null
    count=$(sqlite3 "$copies/decision.db" 'SELECT count(*) FROM bookings')
    stop_worker intake
    stop_worker decision
    rm "$(state_of intake)"/intake.db* "$(state_of decision)"/decision.db*
    cp "$copies/intake.db" "$(state_of intake)/"
    cp "$copies/decision.db" "$(state_of decision)/"
    begin intake
    begin decision
    make_slots intake $provider after 1
    book intake after-1 user-after
    until_true 20 'the inbox shows it' shows decision "/providers/$provider/bookings/$id" pending
    post "${url[decision]}/providers/$provider/bookings/$id/accept"
    expect_status 200 'accept'
    until_true 20 'intake shows it' shows intake "/bookings/$id" confirmed
    stop_worker intake
    stop_worker decision
    told=$(bookflow_with -- audit "$(state_of intake)/intake.db" "$(state_of decision)/decision.db") || fail "audit: $told"
    same 'bookflow audit' 'converged: yes' "$(tail -n 1 <<<"$told")"
    ok "restored from the copies, $count bookings and one more; the audit has converged"
}

# refused CODE TEXT WHAT ARGUMENT...: of the verb.
refused()
{
    local code=0
    bookflow_with "BOOKFLOW_URL=$1" -- backup "${@:5}" >"$work/said.txt" 2>&1 || code=$?
    same "$4: exit code" "$2" "$code"
    grep -q -- "$3" "$work/said.txt" || fail "$4: $(<"$work/said.txt")"
}

# A server that is no worker of ours, on the worker's port, must not make root move files about.
liars_are_refused()
{
    local file
    mkdir -p "$work/lies"
    for file in /etc/hostname ../intake.db.copy "$work/lies/intake.db.copy"; do
        printf 'not a store' >"$work/lies/intake.db.copy"
        python3 -B "$here/liar.py" "$file" >"$work/port" 2>/dev/null &
        helpers+=($!)
        until_true 10 'the liar listens' test -s "$work/port"
        [[ $file == $work/* ]] && refused "http://127.0.0.1:$(<"$work/port")" 78 'not good' "a lie: $file" "$work/taken"
        [[ $file == $work/* ]] || refused "http://127.0.0.1:$(<"$work/port")" 75 'no answer of a worker' "a lie: $file" "$work/taken"
        same 'nothing is taken' '' "$(ls "$work/taken")"
        [[ -s $work/lies/intake.db.copy ]] || fail 'and nothing is removed'
        : >"$work/port"
    done
    ok 'who is no worker cannot make the verb take or remove a file'
}

wrong_ways()
{
    refused "${url[intake]}" 2 usage 'no folder'
    refused http://127.0.0.1:1 75 bookflow: 'nobody listens' "$work/none"
    refused "${url[intake]}" 75 'cannot make' 'a folder that cannot be' /dev/null/copies
    printf x >"$work/file"
    refused "${url[intake]}" 75 'cannot make' 'a file in place of the folder' "$work/file"
    http POST "${url[intake]}/stores/decision/backup"
    expect_status 404 'intake has no decision store'
    http GET "${url[intake]}/stores/intake/backup"
    expect_status 405 'a backup is asked for by POST'
    ok 'what cannot be backed up is said, with its exit code'
}

# What is kept for a time goes when it is over, so many rows in one commit that nobody waits for it.
old_keys_are_pruned()
{
    local old=5000 store wal
    store=$(state_of intake)/intake.db
    sqlite3 "$store" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $old)
        INSERT INTO idempotency SELECT 'POST /bookings', 'old-' || i, x'00', 201, '', '{}', 1 FROM n;
        INSERT INTO idempotency SELECT 'POST /bookings', 'new', x'00', 201, '', '{}', CAST(strftime('%s') AS INTEGER) * 1000;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $old)
        INSERT INTO attempts SELECT 'old-' || i, '', 1, 0, 1 FROM n;"
    begin intake
    until_true 20 'old idempotency keys and attempts are gone' keys_left "$store" 1
    keys_left "$store" 1 || fail 'and the new one stays'
    (($(metric intake store_commits_total) >= old / 1000)) || fail 'in more than one commit'
    wal=$(metric intake store_wal_bytes)
    ((wal < 64 << 20)) || fail "the WAL is $wal bytes"
    stop_worker intake
    figure O11 ok "$old old keys and $old old attempts pruned at most 1,000 of each a commit; WAL $((most_wal >> 20)) MB at most, under load and copies"
}

keys_left()
{
    [[ $(sqlite3 -readonly "$1" "SELECT (SELECT count(*) FROM idempotency WHERE key LIKE 'old-%' OR key = 'new') || (SELECT count(*) FROM attempts)") == "${2}0" ]]
}

begin intake
begin decision
fill
costs_little
copy_of_a_busy_moment_is_whole
wrong_ways
liars_are_refused
restored_stores_go_on
old_keys_are_pruned
finish
exit "$figures_missed"
