#!/usr/bin/env bash
# Intake and decision as two processes with a state directory each, which share nothing but the
# queues: the main path, and what happens while one of them is away.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

provider=salon
queues=("SQS_BOOKING_REQUEST_QUEUE_URL=sqlite:$work/queues.db?queue=requests"
    "SQS_BOOKING_CONFIRMATION_QUEUE_URL=sqlite:$work/queues.db?queue=confirmations")

begin()
{
    start_worker "$1" "$1" "${queues[@]}"
}

inbox()
{
    echo "/providers/$provider/bookings/$id"
}

# round SLOT VERB STATUS
round()
{
    book intake "$1" "user-$1"
    until_true 20 'the inbox shows it' shows decision "$(inbox)" pending
    post "${url[decision]}$(inbox)/$2"
    expect_status 200 "$2"
    until_true 20 "intake shows $3" shows intake "/bookings/$id" "$3"
    ok "two processes: $2 makes it $3"
}

each_has_its_own_routes()
{
    get "${url[decision]}/bookings"
    expect_status 404 'GET /bookings of the decision worker'
    get "${url[intake]}/pipeline"
    expect_status 404 'GET /pipeline of the intake worker'
    [[ ! -e $(state_of intake)/decision.db && ! -e $(state_of decision)/intake.db ]] || fail 'one store each'
    ok 'each worker has its own routes and its own store'
}

# An answer given in time counts, although intake hears of it only after the slot has started.
answer_in_time_arrives_late()
{
    local start=$(($(now_ms) / 1000 + 8))
    post "${url[intake]}/providers/$provider/slots" \
        "{\"id\":\"soon\",\"start\":\"$(date -u -d "@$start" +%FT%TZ)\",\"end\":\"$(a_day 1)\"}"
    expect_status 201 'a slot that starts soon'
    book intake soon user-late
    until_true 20 'the inbox shows it' shows decision "$(inbox)" pending
    stop_worker intake
    post "${url[decision]}$(inbox)/accept"
    expect_status 200 'an accept before the slot starts'
    until_true 20 'the slot has started' has_started "$start"
    begin intake
    until_true 20 'intake hears of it' shows intake "/bookings/$id" confirmed
    shows decision "$(inbox)" confirmed || fail 'it stays confirmed for the provider'
    ok 'an answer given in time counts, also when it arrives after the start'
}

has_started()
{
    (($(now_ms) / 1000 > $1 + 3))
}

# Bookings and cancels pile up in the queue; a worker that comes back gets them all.
decision_is_away()
{
    local -a ids=()
    stop_worker decision
    for slot in 3 4 5; do
        book intake "s-$slot" "user-$slot"
        ids+=("$id")
    done
    post "${url[intake]}/bookings/${ids[2]}/cancel"
    expect_status 200 'a cancel while decision is away'
    begin decision
    for id in "${ids[@]:0:2}"; do
        until_true 20 'decision catches up' shows decision "$(inbox)" pending
    done
    id=${ids[2]}
    until_true 20 'it hears of the cancel, too' shows decision "$(inbox)" cancelled
    id=${ids[0]}
    ok 'the decision worker was away: it gets every event when it is back'
}

intake_is_away()
{
    stop_worker intake
    post "${url[decision]}$(inbox)/accept"
    expect_status 200 'accept while intake is away'
    begin intake
    until_true 20 'intake catches up' shows intake "/bookings/$id" confirmed
    ok 'the intake worker was away: the answer reaches it when it is back'
}

both_were_away()
{
    book intake s-6 user-6
    stop_worker intake
    until_true 20 'the event was sent before intake stopped' shows decision "$(inbox)" pending
    post "${url[decision]}$(inbox)/reject" '{"reason":"holiday"}'
    expect_status 200 'reject'
    stop_worker decision
    begin intake
    until_true 20 'the answer was in the queue' shows intake "/bookings/$id" rejected
    begin decision
    shows decision "$(inbox)" rejected || fail 'decision still knows'
    ok 'both were stopped in turn: nothing is lost'
}

begin intake
begin decision
make_slots intake $provider s 10
round s-1 accept confirmed
round s-2 reject rejected
each_has_its_own_routes
decision_is_away
intake_is_away
both_were_away
round s-7 accept confirmed
answer_in_time_arrives_late
finish
