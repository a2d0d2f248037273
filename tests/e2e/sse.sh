#!/usr/bin/env bash
# The change stream: news, resume without loss, a heartbeat that is a comment.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

events=/providers/listener/events

# listen NAME PATH [HEADER]: in the background, into $work/NAME.
listen()
{
    : >"$work/$1"
    curl -q --noproxy '*' -sSN --max-time 120 ${3:+-H "$3"} -D "$work/$1.head" "${url[all]}$2" >"$work/$1" 2>/dev/null &
    helpers+=($!)
}

# data NAME [FILTER]: of the events so far, one a line.
data()
{
    sed -n 's/^data: //p' "$work/$1" | jq -c "${2-.}"
}

# heard NAME ID STATUS
heard()
{
    data "$1" "select(.id == \"$2\" and .status == \"$3\")" | grep -q .
}

# last_id NAME: what a browser would send as Last-Event-ID.
last_id()
{
    sed -n 's/^id: //p' "$work/$1" | tail -n 1
}

is_open()
{
    grep -q '^id: ' "$work/$1"
}

heard_all()
{
    (($(data "$1" .slotId | sort -u | wc -l) >= $2))
}

news()
{
    listen live "$events"
    until_true 20 'the stream opens with an id' is_open live
    grep -qi '^content-type: text/event-stream' "$work/live.head" || fail 'Content-Type: text/event-stream'
    book all sse-1 user-1
    until_true 20 'the arrival is heard' heard live "$id" pending
    same 'the fields of an event' \
        '["id","userId","providerId","slotId","start","end","status","userName","receivedAt","decidedAt","decidedBy","reason","delivered"]' \
        "$(data live keys_unsorted | head -n 1)"
    post "${url[all]}/providers/listener/bookings/$id/accept"
    until_true 20 'the decision is heard' heard live "$id" confirmed
    post "${url[all]}/bookings/$id/cancel"
    until_true 20 'the cancel is heard' heard live "$id" cancelled
    ok 'arrival, decision and cancel are in the stream'
}

only_ones_own()
{
    book all other-1 user-1
    until_true 20 'the other inbox shows it' shows all "/providers/other/bookings/$id" pending
    book all sse-2 user-1
    until_true 20 'the own one is heard' heard live "$id" pending
    same 'whose bookings are in the stream' '"listener"' "$(data live .providerId | sort -u)"
    ok 'a stream tells only of the provider'\''s own bookings'
}

resume()
{
    local slot seen
    seen=$(last_id live)
    kill "${helpers[0]}"
    wait "${helpers[0]}" 2>/dev/null || true
    for slot in 3 4 5 6; do
        book all "sse-$slot" "user-$slot"
        until_true 20 'the inbox shows it' shows all "/providers/listener/bookings/$id" pending
    done
    listen header "$events" "Last-Event-ID: $seen"
    listen query "$events?after=$seen"
    until_true 20 'all that was missed comes' heard_all header 4
    until_true 20 'all that was missed comes, by query' heard_all query 4
    for name in header query; do
        same "what was missed ($name)" '"sse-3" "sse-4" "sse-5" "sse-6"' \
            "$(data $name 'select(.slotId != "sse-2") | .slotId' | uniq | paste -sd ' ')"
    done
    same 'ids only rise' "$(sed -n 's/^id: //p' "$work/header" | sort -n)" "$(sed -n 's/^id: //p' "$work/header")"
    ok 'a stream is resumed by Last-Event-ID or after= without loss'
}

after_a_restart()
{
    local seen
    seen=$(last_id header)
    stop_worker all
    ok 'SIGTERM ends open streams and the worker'
    start_worker all all
    book all sse-7 user-7
    until_true 20 'the inbox shows it' shows all "/providers/listener/bookings/$id" pending
    listen later "$events" "Last-Event-ID: $seen"
    until_true 20 'the missed one comes' heard later "$id" pending
    ok 'ids stay valid over a restart'
}

bad_ids()
{
    get "${url[all]}$events?after=x"
    expect_status 400 'after=x'
    http GET "${url[all]}$events" -H 'Last-Event-ID: x'
    expect_status 400 'Last-Event-ID: x'
    ok 'an id that is none is 400'
}

heartbeat()
{
    until_true 17 'a heartbeat comes' grep -q '^:' "$work/later"
    ok 'the heartbeat is a comment, at least every 15 s'
}

start_worker all all
make_slots all listener sse 9
make_slots all other other 1
news
only_ones_own
resume
after_a_restart
bad_ids
heartbeat
finish
