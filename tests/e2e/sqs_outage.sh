#!/usr/bin/env bash
# SQS goes away, comes back, is killed with messages in it; temporary credentials expire in mid-run.
# Nobody who books or accepts notices, and nothing is lost.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"
# shellcheck source=tests/sqs/peer.sh
source "$(dirname "${BASH_SOURCE[0]}")/../sqs/peer.sh"

provider=salon many=30 next=1
slowest=0 # ms, of the last round of requests
ids=()

inbox()
{
    echo "/providers/$provider/bookings/$id"
}

# timed URL [BODY]
timed()
{
    local from
    from=$(now_ms)
    post "$@"
    from=$(($(now_ms) - from))
    ((from <= slowest)) || slowest=$from
}

# book_many: $many bookings; the ids are in $ids.
book_many()
{
    local each
    ids=() slowest=0
    for ((each = 0; each < many; each++, next++)); do
        timed "${url[intake]}/bookings" "{\"slotId\":\"slot-$next\",\"userId\":\"user-$next\"}"
        expect_status 201 "booking slot-$next"
        ids+=("$(field .id)")
    done
}

accept_many()
{
    slowest=0
    for id in "${ids[@]}"; do
        timed "${url[decision]}$(inbox)/accept"
        expect_status 200 'accept'
    done
}

server()
{
    peer /server "{\"state\":\"$1\"}" >/dev/null
}

# has_all NAME PATH STATUS: so many of $ids are there in that state.
has_all()
{
    get "${url[$1]}$2"
    jq -e --argjson ids "$(printf '%s\n' "${ids[@]}" | jq -R . | jq -sc .)" --arg status "$3" \
        '[.bookings[] | select(.status == $status) | .id] as $there | ($ids - $there) == []' <<<"$body" >/dev/null
}

arrived()
{
    has_all decision "/providers/$provider/bookings?limit=500" pending
}

confirmed()
{
    has_all intake '/bookings?limit=500' confirmed
}

# has_some NAME PATH STATUS
has_some()
{
    get "${url[$1]}$2"
    jq -e --argjson ids "$(printf '%s\n' "${ids[@]}" | jq -R . | jq -sc .)" --arg status "$3" \
        '[.bookings[] | select(.status == $status) | .id] as $there | ($ids - $there | length) < ($ids | length)' <<<"$body" >/dev/null
}

some_arrived()
{
    has_some decision "/providers/$provider/bookings?limit=500" pending
}

some_confirmed()
{
    has_some intake '/bookings?limit=500' confirmed
}

# at_once SOME ALL: from the first to the last, in ms in $took.
at_once()
{
    local from
    until_true 20 "$1" "$1"
    from=$(now_ms)
    until_true 20 "$2" "$2"
    took=$(($(now_ms) - from))
    ((took <= 5000)) || fail "$2 within 5 s of the first, not $took ms"
}

# as_fast_as BEFORE WHAT: a request may have bad luck on a busy machine, but none waits for SQS.
as_fast_as()
{
    ((slowest < 10 * $1 + 300)) || fail "$2: $slowest ms at worst, with SQS $1 ms"
}

# SQS keeps no order on a standard queue; what is ours is the order in which it was given the events.
sent_in_order()
{
    reaches intake "/bookings/$id/history" \
        '[.history[] | select(.event == "PUBLISHED") | .eventId] == [.history[] | select(.event | startswith("BOOKING_")) | .eventId]'
}

sqs_is_away()
{
    local booking accepting took cancelled
    book_many
    booking=$slowest
    until_true 30 'all arrive' arrived
    accept_many
    accepting=$slowest
    until_true 30 'all are confirmed' confirmed
    book_many
    until_true 30 'all arrive' arrived
    server down
    accept_many
    as_fast_as "$accepting" 'accept without SQS'
    local -a accepted=("${ids[@]}")
    book_many
    as_fast_as "$booking" 'POST /bookings without SQS'
    id=${ids[0]} cancelled=${ids[0]}
    post "${url[intake]}/bookings/$id/cancel"
    expect_status 200 'a cancel without SQS'
    until_true 20 'the pipeline says so' reaches decision /pipeline '.queue == "down" and .unsent > 0'
    get "${url[intake]}/ready"
    expect_status 200 'it is ready all the same'
    ids=("${ids[@]:1}")
    server up
    at_once some_arrived arrived
    ids=("${accepted[@]}")
    at_once some_confirmed confirmed
    id=$cancelled
    until_true 20 'the cancel arrives' shows decision "$(inbox)" cancelled
    until_true 20 'its events were sent in their order' sent_in_order
    ok "SQS was away: bookings took $booking ms at worst with it and $slowest ms without; the last answer arrived $took ms after the first"
}

everything_is_sent()
{
    get "${url[intake]}/metrics"
    grep -q '^bookflow_outbox_unsent{[^}]*} 0$' <<<"$body"
}

sqs_is_killed()
{
    stop_worker decision
    book_many
    until_true 20 'all are sent' everything_is_sent
    server killed
    book_many_more
    server up
    begin decision
    until_true 30 'all arrive' arrived
    accept_many
    until_true 30 'all are confirmed' confirmed
    ok "SQS was killed with $many messages in it: all arrive after its restart"
}

book_many_more()
{
    local -a before=("${ids[@]}")
    book_many
    ids=("${before[@]}" "${ids[@]}")
}

credentials_given()
{
    peer /expire '{}' | jq .expired
}

# Given by a container's endpoint; from one moment to the next the service refuses all that were given.
credentials_expire()
{
    local before
    before=$(credentials_given)
    book_many
    until_true 30 'all arrive' arrived
    ((before > 0 && $(credentials_given) > before)) || fail 'others were asked for'
    accept_many
    until_true 30 'all are confirmed' confirmed
    (($(peer /counts | jq '.refused.ExpiredToken // 0') > 0)) || fail 'the old ones were refused'
    ! grep -q ' courier\.trouble .*Expired' "$work"/*.log.now || fail 'nobody is troubled by it'
    ok "temporary credentials expired twice in mid-run: others were asked for, nobody noticed"
}

begin()
{
    start_worker "$1" "$1" "${variables[@]}"
}

start_peer "$work/sqs"
helpers+=("$peer_pid")
peer /queue '{"name":"requests","visibility":5}' >/dev/null
peer /queue '{"name":"confirmations","visibility":5}' >/dev/null
variables=(AWS_REGION=us-east-1 AWS_CONTAINER_CREDENTIALS_FULL_URI="$peer_control/credentials"
    AWS_ENDPOINT_URL_SQS="$peer_url" SQS_BOOKING_REQUEST_QUEUE_URL="$(queue_url requests)"
    SQS_BOOKING_CONFIRMATION_QUEUE_URL="$(queue_url confirmations)")
begin intake
begin decision
make_slots intake $provider slot 400
sqs_is_away
credentials_expire
sqs_is_killed
finish
