#!/usr/bin/env bash
# Bad input of every kind, on every side: requests, messages, variables, folders. Each gets its clear
# error, and everything else goes on. What an attacker sends on the wire is in attacker.sh.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

# an_error STATUS WHAT: {"error": sentence}, whatever else.
an_error()
{
    expect_status "$1" "$2"
    expect_json '.error | type == "string" and length > 5' "$2: a sentence"
}

# --- Requests.

bad_bodies()
{
    local body_sent deep
    deep=$(printf '[%.0s' {1..3000})
    while IFS= read -r body_sent; do
        post "${url[all]}/bookings" "$body_sent"
        an_error 400 "the body ${body_sent:0:60}"
    done <<BODIES
{"slotId":"s-1"
{"slotId":"s-1","userId":"u"
{"slotId":"s-1","userId":"u"} {}
{"slotId":"s-1","userId":"u"}x
{"slotId":"s-1","slotId":"s-2","userId":"u"}
[]
"slotId"
5
null
{"slotId":5,"userId":"u"}
{"slotId":["s-1"],"userId":"u"}
{"slotId":null,"userId":"u"}
{"slotId":"s 1","userId":"u"}
{"slotId":"s-1","userId":"u\u0000v"}
{"slotId":"s-1","userId":"\ud800"}
{"slotId":"$(printf 'x%.0s' {1..129})","userId":"u"}
{"slotId":$deep
BODIES
    for body_sent in '{"slotId":"s-1","userId":"\xff"}' '{"slotId":"s-1","userId":"\xc0\xaf"}' '{"slotId":"s-1\0","userId":"u"}'; do
        printf '%b' "$body_sent" >"$work/bytes"
        http POST "${url[all]}/bookings" "${json[@]}" --data-binary "@$work/bytes"
        an_error 400 "the bytes $body_sent"
    done
    ok 'truncated, mistyped and misencoded bodies are 400'
}

bad_requests()
{
    local long
    long=$(printf 'k%.0s' {1..5000})
    for path in / /nothing /bookings/a/b/c "/bookings/$(printf 'x%.0s' {1..129})" /bookings/a%20b /bookings/%00 /bookings/%ff; do
        get "${url[all]}$path"
        [[ $status == 404 || $status == 400 ]] || fail "GET ${path:0:40} is 404, not $status"
        an_error "$status" "GET ${path:0:40}"
    done
    for method in PUT DELETE; do
        http "$method" "${url[all]}/bookings"
        an_error 405 "$method /bookings"
        [[ $(header allow) == *GET* && $(header allow) == *POST* ]] || fail 'Allow names GET and POST'
    done
    http BREW "${url[all]}/bookings"
    [[ $status == 405 || $status == 501 || $status == 400 ]] || fail "BREW is refused, not $status"
    for type in text/plain application/x-www-form-urlencoded application/jsonp; do
        http POST "${url[all]}/bookings" -H "Content-Type: $type" -d '{"slotId":"s-1","userId":"u"}'
        an_error 415 "Content-Type: $type"
    done
    http POST "${url[all]}/bookings" "${json[@]}" -H "Idempotency-Key: $long" -d '{"slotId":"s-1","userId":"u"}'
    an_error 400 'an over-long Idempotency-Key'
    http POST "${url[all]}/bookings" "${json[@]}" -H 'Idempotency-Key: schlüssel' -d '{"slotId":"s-1","userId":"u"}'
    an_error 400 'an Idempotency-Key beyond ASCII'
    ok 'unknown routes, methods and types, bad keys: 404, 405, 415, 400'
}

# --- Messages.

# put QUEUE ID BODY: as another producer would.
put()
{
    local now
    now=$(now_ms)
    sqlite3 -cmd '.timeout 5000' "$(state_of all)/queues.db" "INSERT INTO message
        (queue, id, sent_ms, visible_ms, attributes, body) VALUES
        ('$1', '$2', $now, $now, CAST('BookingId' || char(0) || '$2' || char(0) AS BLOB), '${3//\'/\'\'}')"
    touch "$(state_of all)/queues.db"
}

dead_letters()
{
    sqlite3 -readonly -cmd '.timeout 5000' "$(state_of all)/queues.db" \
        "SELECT count(*) FROM message WHERE queue = '$1-dlq'" | grep -qx "$2"
}

poison()
{
    local name=$1 time='"2030-01-01T10:00:00Z"'
    local facts='"userId":"u","providerId":"p","slotId":"s"'
    put "$name" not-json 'this is not JSON'
    put "$name" truncated '{"bookingId":"b-1","eventType":"BOOKING_'
    put "$name" no-type '{"bookingId":"b-1"}'
    put "$name" unknown-type "{\"bookingId\":\"b-1\",$facts,\"eventType\":\"BOOKING_LOST\",\"timestamp\":$time}"
    put "$name" bad-id "{\"bookingId\":\"b 1\",$facts,\"cancelledAt\":$time,\"eventType\":\"BOOKING_CANCELLED\",\"timestamp\":$time}"
    put "$name" bad-time "{\"bookingId\":\"b-1\",$facts,\"slotStart\":\"soon\",\"slotEnd\":$time,\"eventType\":\"BOOKING_CREATED\",\"timestamp\":$time}"
}

poison_messages()
{
    local facts='"userId":"u","providerId":"poisoned","slotId":"made"'
    poison booking-request
    poison booking-confirmation
    put booking-request wrong-queue '{"bookingId":"b-1","providerId":"p","acceptedAt":"2030-01-01T10:00:00Z","eventType":"BOOKING_CONFIRMED","timestamp":"2030-01-01T10:00:00Z"}'
    # In the midst of it, a message made by hand with only the listed keys, and a booking of ours.
    put booking-request by-hand "{\"bookingId\":\"by-hand\",$facts,\"slotStart\":\"2040-01-01T10:00:00Z\",\"slotEnd\":\"2040-01-01T11:00:00Z\",\"eventType\":\"BOOKING_CREATED\",\"timestamp\":\"2030-01-01T10:00:00Z\"}"
    book all poison-1 user-1
    until_true 20 'a booking flows past the poison' shows all "/providers/poisoned/bookings/$id" pending
    until_true 20 'a message made by hand works' shows all /providers/poisoned/bookings/by-hand pending
    post "${url[all]}/providers/poisoned/bookings/$id/accept"
    until_true 20 'and the answer flows back' shows all "/bookings/$id" confirmed
    until_true 10 'the poison is put aside' dead_letters booking-request 7
    until_true 10 'on both queues' dead_letters booking-confirmation 6
    sqlite3 -readonly -cmd '.timeout 5000' "$(state_of all)/queues.db" \
        "SELECT hex(attributes) FROM message WHERE queue = 'booking-request-dlq' AND body LIKE '%BOOKING_LOST%'" |
        sed 's/../\\x&/g' >"$work/hex"
    # shellcheck disable=SC2059
    printf "$(<"$work/hex")" | tr '\0' '\n' >"$work/letter"
    for name in 'DeadLetterReason' 'DeadLetterAttempts' 'DeadLetterSource' 'BookingId' 'unknown event type: BOOKING_LOST' 'request'; do
        grep -qFx -- "$name" "$work/letter" || fail "a dead letter says $name: $(paste -sd '|' "$work/letter")"
    done
    until_true 20 'the metrics count them' reaches_text /metrics 'bookflow_messages_dead_lettered_total{worker="decision"} 7'
    ok 'poison messages are dead-lettered with their reason, their neighbours flow'
}

reaches_text()
{
    get "${url[all]}$1"
    grep -qxF -- "$2" <<<"$body"
}

# --- Starting.

folders()
{
    echo file >"$work/file"
    refuses_to_start 78 '/proc/bookflow.*BOOKFLOW_STATE_DIR' 'a folder that cannot be made' \
        BOOKFLOW_STATE_DIR=/proc/bookflow -- serve all
    refuses_to_start 78 "$work/file" 'a folder that is a file' BOOKFLOW_STATE_DIR="$work/file" -- serve all
    refuses_to_start 78 'absolute' 'a relative folder' BOOKFLOW_STATE_DIR=state -- serve all
    if ((EUID != 0)); then
        mkdir -m 500 "$work/locked"
        refuses_to_start 78 'cannot write' 'a folder without write permission' BOOKFLOW_STATE_DIR="$work/locked" -- serve all
    fi
    ok 'a state directory that cannot be used is refused: 78'
}

stores()
{
    local store
    for store in intake decision; do
        start_worker newer all
        stop_worker newer
        sqlite3 "$(state_of newer)/$store.db" 'PRAGMA user_version = 99'
        refuses_to_start 78 "$store.*newer" "a newer $store store" BOOKFLOW_STATE_DIR="$(state_of newer)" -- serve all
        same 'its version afterwards' 99 "$(sqlite3 "$(state_of newer)/$store.db" 'PRAGMA user_version')"
        rm -r "$(state_of newer)"
    done
    mkdir -p "$work/strange"
    head -c 20000 /dev/urandom >"$work/strange/intake.db"
    cp "$work/strange/intake.db" "$work/strange.copy"
    refuses_to_start 78 'intake.*not a database' 'a store that is none' BOOKFLOW_STATE_DIR="$work/strange" -- serve all
    cmp -s "$work/strange/intake.db" "$work/strange.copy" || fail 'a file that is no store is left as it was'
    refuses_to_start 78 'in use by another worker' 'a second worker on a store' BOOKFLOW_STATE_DIR="$(state_of all)" -- serve all
    get "${url[all]}/ready"
    expect_status 200 'the first worker'
    refuses_to_start 75 "${url[all]##*:}" 'a port that is taken' BOOKFLOW_LISTEN="${url[all]#http://}" -- serve all
    ok 'a newer store, a strange one, one that is in use: refused and left alone'
}

variables()
{
    local name
    refuses_to_start 78 . 'bad variables' BOOKFLOW_MAX_ATTEMPTS=many BOOKFLOW_LISTEN=nowhere BOOKFLOW_LOG_LEVEL=loud \
        BOOKFLOW_FAIR_QUEUES=maybe BOOKFLOW_ALLOW_PAST_SLOTS=2 SQS_BOOKING_REQUEST_QUEUE_URL=ftp://queue \
        SQS_BOOKING_CONFIRMATION_QUEUE_URL='sqlite:/x?queue=a&delay=1' -- serve all
    for name in BOOKFLOW_MAX_ATTEMPTS BOOKFLOW_LISTEN BOOKFLOW_LOG_LEVEL BOOKFLOW_FAIR_QUEUES BOOKFLOW_ALLOW_PAST_SLOTS \
        SQS_BOOKING_REQUEST_QUEUE_URL SQS_BOOKING_CONFIRMATION_QUEUE_URL; do
        same "lines that name $name" 1 "$(grep -c "$name" "$work/said")"
    done
    refuses_to_start 78 'is not an address that credentials may go to' 'a queue in the clear' \
        SQS_BOOKING_REQUEST_QUEUE_URL=http://sqs.eu-central-1.amazonaws.com/123456789012/requests -- serve all
    refuses_to_start 78 AWS_REGION 'an SQS queue of no region' \
        SQS_BOOKING_REQUEST_QUEUE_URL=https://queue.example/123456789012/requests -- serve all
    refuses_to_start 78 SQS_BOOKING_REQUEST_QUEUE_URL 'intake without queues' -- serve intake
    grep -q SQS_BOOKING_CONFIRMATION_QUEUE_URL "$work/said" || fail 'both queues are named'
    refuses_to_start 78 no-such-file 'an env file that is not there' -- serve all --env-file "$work/no-such-file"
    printf 'BOOKFLOW_MAX_ATTEMPTS=many\nBOOKFLOW_LOG_LEVEL=loud\n' >"$work/env"
    refuses_to_start 78 BOOKFLOW_MAX_ATTEMPTS 'an env file with a bad value' BOOKFLOW_LOG_LEVEL=warn -- serve all --env-file "$work/env"
    ! grep -q BOOKFLOW_LOG_LEVEL "$work/said" || fail 'the real environment wins over the file'
    same '--check' 'configuration ok' "$(bookflow_with BOOKFLOW_STATE_DIR="$work/unmade" -- serve all --check)"
    [[ ! -e $work/unmade ]] || fail '--check makes nothing'
    ok 'bad variables: 78, every one named in one run'
}

usage()
{
    refuses_to_start 2 usage 'an unknown verb' -- brew
    refuses_to_start 2 usage 'no verb' --
    refuses_to_start 2 usage 'an unknown role' -- serve kitchen
    refuses_to_start 2 usage 'no role' -- serve
    refuses_to_start 2 '' 'an unknown option' -- serve all --fast
    refuses_to_start 2 usage 'an unknown slots verb' -- slots paint
    refuses_to_start 2 'date' 'a bad date' BOOKFLOW_URL="${url[all]}" -- slots generate --provider p --from soon --days 1 --hours 09:00-10:00 --length 30
    refuses_to_start 75 . 'a worker that is not there' BOOKFLOW_URL=http://127.0.0.1:1 -- history b-1
    printf 'id,provider_id,start,end\na,p,%s,%s\nb,p,soon,later\n' "$(a_day 1)" "$(a_day 1 11:00)" >"$work/bad.csv"
    refuses_to_start 1 'line 3' 'a CSV file with a bad line' BOOKFLOW_URL="${url[all]}" -- slots import "$work/bad.csv"
    get "${url[all]}/providers/p/slots"
    expect_json '.slots == []' 'nothing of a bad file is imported'
    ok 'wrong usage is 2, unreachable is 75, a bad file is 1'
}

# No more room in the file system, as the worker sees it: its files may not grow. (The signal that comes
# with that is ignored, or it would end the worker.)
room_runs_out()
{
    trap '' XFSZ
    start_worker full all
    trap - XFSZ
    make_slots full crowded crowd 5
    prlimit --pid "${pid[full]}" --fsize=4096:unlimited # the soft limit: it can be lifted again
    post "${url[full]}/bookings" '{"slotId":"crowd-1","userId":"user-1"}'
    expect_status 503 'a booking without room'
    get "${url[full]}/ready"
    expect_status 503 'a worker whose store refuses is not ready'
    expect_json '.error | contains("refused a write")' 'and says why'
    get "${url[full]}/bookings?providerId=crowded"
    expect_json '.bookings == []' 'nothing was stored'
    prlimit --pid "${pid[full]}" --fsize=unlimited:unlimited
    book full crowd-1 user-1
    until_true 20 'it is delivered' shows full "/providers/crowded/bookings/$id" pending
    until_true 30 'it is ready again' is_ready
    stop_worker full
    ok 'without room: 503, not ready, and all is well when there is room again'
}

is_ready()
{
    get "${url[full]}/ready"
    [[ $status == 200 ]]
}

start_worker all all
make_slots all poisoned poison 3
bad_bodies
bad_requests
poison_messages
folders
stores
variables
usage
room_runs_out
book all poison-2 user-2
until_true 20 'a booking still flows' shows all "/providers/poisoned/bookings/$id" pending
ok 'after all of it, a booking still flows'
finish
