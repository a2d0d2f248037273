#!/usr/bin/env bash
# The operator and the queues: `bookflow queues`, `dlq` and `doctor` on the embedded queue, beside
# workers that run.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

queue_file=$work/all/queues.db
code=0 # of the last command

# operator ARGUMENTS...: $body is what it prints, $code how it ends; its sentence is in operator.log.
operator()
{
    code=0
    body=$(bookflow_with BOOKFLOW_STATE_DIR="$(state_of all)" BOOKFLOW_URL="${url[all]-}" \
        "${settings[@]}" -- "$@" 2>"$work/operator.log") || code=$?
    ! grep -E 'Sanitizer|runtime error:' "$work/operator.log" >&2 || fail "no sanitizer report from $*"
}
settings=()

expect_code()
{
    same "$2 ends with $1" "$1" "$code"
}

says()
{
    grep -qF -- "$1" "$work/operator.log" || fail "it says: $1, not: $(<"$work/operator.log")"
}

# sql DATABASE STATEMENT
sql()
{
    sqlite3 -cmd '.timeout 5000' "$1" "$2"
}

# put QUEUE ID BODY [ATTRIBUTE VALUE]...: as another producer would.
put()
{
    local queue=$1 id=$2 text=$3 packed=''
    shift 3
    while (($#)); do
        packed+=$(printf '%s\0%s\0' "$1" "$2" | od -An -v -tx1 | tr -d ' \n')
        shift 2
    done
    sql "$queue_file" "INSERT INTO message (queue, id, sent_ms, visible_ms, attributes, body)
        VALUES ('$queue', '$id', unixepoch() * 1000 - 150000, 0, x'$packed', '$text')"
    touch -c "$queue_file" # the bell
}

# created BOOKING PROVIDER: the body of an event.
created()
{
    jq -cn --arg booking "$1" --arg provider "$2" --arg from "$(a_day 2)" --arg to "$(a_day 3)" \
        '{bookingId: $booking, userId: "user-1", providerId: $provider, slotId: ("slot-" + $booking),
          slotStart: $from, slotEnd: $to, eventType: "BOOKING_CREATED", timestamp: "2026-01-01T00:00:00Z"}'
}

put_letter()
{
    put booking-request-dlq "$1" "$(created "$2" salon)" EventType BOOKING_CREATED BookingId "$2" ProviderId salon \
        EventId "event-$2" DeadLetterReason "the moon was full" DeadLetterAttempts 8 DeadLetterSource request
}

# letters FILTER: of the request queue's dead letters, as JSON.
letters()
{
    operator dlq list --queue request --json
    expect_code 0 'dlq list'
    jq -e "$1" <<<"$body" >/dev/null
}

stores()
{
    local store
    for store in intake decision; do
        sqlite3 -readonly "$(state_of all)/$store.db" .dump
    done | sha256sum
}

# --- The tests.

nothing_is_made()
{
    operator queues
    expect_code 75 'queues without a queue file'
    says 'there is no queue file'
    operator dlq list --queue request
    expect_code 75 'dlq without a queue file'
    operator doctor
    expect_code 1 'doctor without a queue file'
    grep -q '^FAIL  request queue: out of reach: there is no queue file' <<<"$body" || fail 'doctor says so'
    [[ ! -e $work/all ]] || fail 'looking makes nothing'
    ok 'before the first start the verbs say what is missing and make nothing'
}

usage_is_checked()
{
    local wrong
    for wrong in 'queues more' 'dlq' 'dlq list' 'dlq list --queue other' 'dlq list --queue request --all' \
        'dlq show --queue request' 'dlq show a b --queue request' 'dlq redrive --queue request' \
        'dlq redrive a --all --queue request' 'dlq drop --all --queue request' 'dlq burn --queue request' \
        'dlq drop a --dry-run --queue request' 'doctor --fast'; do
        # shellcheck disable=SC2086 # words
        operator $wrong
        expect_code 2 "bookflow $wrong"
    done
    for wrong in queues dlq doctor; do
        operator "$wrong" --help
        expect_code 0 "$wrong --help"
        grep -q "^usage: bookflow $wrong" <<<"$body" || fail "$wrong --help"
    done
    ok 'wrong usage is 2, --help is 0'
}

poison_is_listed()
{
    put booking-request poison-1 "no event $(printf '\302\233')31m$(printf '\342\200\256')gpj"
    until_true 20 'the worker dead-letters it' letters 'length == 1'
    expect_json '.[0] | .attempts == "0" and .event == null and .ageSeconds < 60 and (.reason | length > 10)' 'its reason'
    poison=$(field '.[0].id')
    operator dlq list --queue request
    expect_code 0 'dlq list'
    grep -q "^$poison  " <<<"$body" || fail 'the id comes first'
    operator dlq show "$poison" --queue request
    grep -q '^DeadLetterSource  *request$' <<<"$body" || fail 'show tells the source'
    grep -q 'no event 31mgpj' <<<"$body" || fail 'what could act on a terminal is taken out of the body'
    operator dlq show "$poison" --queue request --json
    expect_json '.attributes.DeadLetterSource == "request" and (.body | startswith("no event"))' 'show --json'
    operator queues
    grep -Eq '^request +booking-request +0 +0 +0 +- +1$' <<<"$body" || fail 'queues shows one dead letter'
    operator queues --json
    expect_json '.[0].deadLetters == 1 and .[1].deadLetters == 0 and .[0].visible == 0' 'queues --json'
    operator dlq list --queue confirmation
    same 'the other queue' 'no dead letters' "$body"
    ok 'a message nobody understands is a dead letter, listed and shown harmlessly'
}

unknown_ids_touch_nothing()
{
    operator dlq redrive "$poison" nobody --queue request
    expect_code 1 'one unknown id'
    says 'there is no dead letter nobody'
    operator dlq drop nobody --queue request
    expect_code 1 'dropping an unknown id'
    letters "length == 1 and .[0].id == \"$poison\"" || fail 'it is still there, and visible at once'
    ok 'an unknown id: 1, and nothing else is touched'
}

dry_run_changes_nothing()
{
    local before
    put_letter letter-new booking-new
    put_letter letter-old booking-old
    put booking-request old-first "$(created booking-old salon)"
    until_true 20 'the worker has it' shows all /providers/salon/bookings/booking-old pending
    before=$(stores)
    operator dlq redrive --all --dry-run --queue request --json
    expect_code 0 'the dry run'
    expect_json 'length == 3' 'all are looked at'
    expect_json 'any(.id == "letter-new" and .outcome == "would apply")' 'new'
    expect_json 'any(.id == "letter-old" and .outcome == "duplicate")' 'known already'
    expect_json "any(.id == \"$poison\" and .outcome == \"still fails\" and (.reason | length > 10))" 'hopeless'
    same 'both stores, row by row' "$before" "$(stores)"
    letters 'length == 3' || fail 'all letters are where they were'
    operator dlq redrive letter-new --dry-run --queue request
    same 'as text' 'letter-new  would apply' "$body"
    post "${url[all]}/queues/confirmation/check" "$(jq -cn --arg body "$(created booking-new salon)" '{$body}')"
    expect_json '.outcome == "still fails" and (.reason | contains("does not belong"))' 'the wrong queue'
    post "${url[all]}/queues/request/check" '{"body":7}'
    expect_error 400 'body is required: the text of a message' 'a check without a text'
    same 'both stores still' "$before" "$(stores)"
    get "${url[all]}/providers/salon/bookings/booking-new"
    expect_status 404 'a booking that was only tried'
    ok 'a dry run asks the real handler and changes nothing'
}

redrive_applies()
{
    operator dlq redrive letter-new letter-new --queue request
    expect_code 0 'redrive'
    same 'what it says' 'letter-new  redriven' "$body"
    until_true 20 'it is applied' shows all /providers/salon/bookings/booking-new pending
    letters 'length == 2 and all(.id != "letter-new")' || fail 'it is a dead letter no more'
    operator dlq redrive --all --queue request
    expect_code 0 'redrive --all'
    until_true 20 'the hopeless one is back, under a new id' letters "length == 1 and .[0].id != \"$poison\""
    poison=$(field '.[0].id')
    operator dlq drop "$poison" --queue request
    same 'what drop says' "$poison  dropped" "$body"
    letters 'length == 0' || fail 'dropped is gone'
    ok 'redrive hands letters to the worker again, drop ends them'
}

# With the worker away: what exactly is sent.
redriven_as_published()
{
    stop_worker all
    unset 'url[all]'
    put_letter letter-as booking-as
    operator dlq redrive letter-as --dry-run --queue request
    expect_code 75 'a dry run without a worker'
    letters 'length == 1' || fail 'given back although the worker did not answer'
    operator dlq redrive letter-as --queue request
    expect_code 0 'redrive without a worker'
    same 'the attributes' 'EventType BOOKING_CREATED BookingId booking-as ProviderId salon EventId event-booking-as' \
        "$(sql "$queue_file" "SELECT hex(attributes) FROM message WHERE queue = 'booking-request'" |
            xxd -r -p | tr '\0' ' ' | sed 's/ $//')"
    same 'the body' "$(created booking-as salon)" \
        "$(sql "$queue_file" "SELECT body FROM message WHERE queue = 'booking-request'")"
    operator queues --json
    expect_json '.[0].visible == 1 and .[0].deadLetters == 0' 'it waits in its queue'
    ok 'redriven with the attributes it was published with, and without ours'
}

# in_sight COUNT: so many of the letters are visible.
in_sight()
{
    (($(sql "$queue_file" "SELECT count(*) FROM message
        WHERE queue = 'booking-request-dlq' AND visible_ms <= unixepoch() * 1000") == $1))
}

# Stopped while it holds them all: it cannot go on before somebody takes what it prints.
letters_are_given_back()
{
    local reader many=700
    sql "$queue_file" "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < $many)
        INSERT INTO message (queue, id, sent_ms, visible_ms, attributes, body)
        SELECT 'booking-request-dlq', 'many-' || i, i, 0, x'', 'many' FROM n"
    mkfifo "$work/pipe"
    exec {pipe}<>"$work/pipe"
    exec_bookflow BOOKFLOW_STATE_DIR="$(state_of all)" -- dlq list --queue request 2>"$work/many.log" 1>&"$pipe" &
    reader=$!
    helpers+=("$reader")
    until_true 60 'it holds all' in_sight 0
    kill -TERM "$reader"
    cat <&"$pipe" >"$work/many.out" &
    helpers+=($!)
    code=0
    wait "$reader" || code=$?
    expect_code 143 'a list that is stopped'
    in_sight "$many" || fail 'none stays hidden'
    letters "length == $many and (map(.id) | unique | length) == $many and .[0].id == \"many-1\"" ||
        fail 'all are listed, oldest first'
    ok 'a stopped list gives everything back, and the next one has all'
}

doctor_is_heard()
{
    start_worker all all
    operator doctor
    expect_code 0 'doctor of a healthy worker'
    grep -q "^ok    worker: ready at ${url[all]}" <<<"$body" || fail 'it has asked the worker'
    grep -q '^warn  request dead letters: about 700 wait' <<<"$body" || fail 'dead letters are a warning'
    ! grep -q '^FAIL' <<<"$body" || fail 'nothing fails'
    chmod 755 "$(state_of all)"
    operator doctor --json
    expect_code 0 'a warning is no failure'
    expect_json 'any(.verdict == "warn" and .about == "files" and (.finding | endswith("chmod 700")))' 'an open folder'
    chmod 700 "$(state_of all)"
    settings=(BOOKFLOW_MAX_ATTEMPTS=200 BOOKFLOW_FAIR_QUEUES=maybe)
    operator doctor
    expect_code 78 'doctor of a bad configuration'
    same 'one line for each bad variable' 2 "$(grep -c '^FAIL  configuration: BOOKFLOW_' <<<"$body")"
    operator queues
    expect_code 78 'queues of a bad configuration'
    same 'every complaint' 2 "$(grep -c BOOKFLOW_ "$work/operator.log")"
    settings=("SQS_BOOKING_REQUEST_QUEUE_URL=sqlite:$queue_file?queue=booking-request&max_receives=11")
    operator doctor --json
    expect_code 1 'eight attempts, three crashes and a queue that gives up after eleven'
    expect_json 'map(select(.verdict == "FAIL")) | length == 1 and (.[0].finding | startswith("maxReceiveCount is 11:"))' 'why'
    settings=(AWS_EC2_METADATA_DISABLED=true SQS_BOOKING_REQUEST_QUEUE_URL=https://queues.invalid/1/request
        SQS_BOOKING_CONFIRMATION_QUEUE_URL=https://queues.invalid/1/confirmation)
    operator doctor
    expect_code 78 'no region'
    settings=()
    stop_worker all
    operator doctor --json
    expect_json 'any(.verdict == "warn" and .about == "worker")' 'the worker is away'
    ok 'doctor: ok, warn, FAIL, and 78 for what was never right'
}

nothing_is_made
usage_is_checked
start_worker all all
poison_is_listed
unknown_ids_touch_nothing
dry_run_changes_nothing
redrive_applies
redriven_as_published
letters_are_given_back
doctor_is_heard
finish
