#!/usr/bin/env bash
# Every route about bookings, asked of one `bookflow serve all`: the main path exactly as its users type
# it, and then what surrounds it.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

no_booking='Booking not found or does not belong to this provider'
provider='provider-789'
start=$(a_day 2 10:00) end=$(a_day 2 10:45)

# seven ID USER SLOT START END STATUS: a booking, its fields in the contract's order.
seven()
{
    printf '{"id":"%s","userId":"%s","providerId":"%s","slotId":"%s","start":"%s","end":"%s","status":"%s"}' \
        "$1" "$2" "$provider" "$3" "$4" "$5" "$6"
}

of_123()
{
    seven "$id" user-456 slot-123 "$start" "$end" "$1"
}

import_slot_123()
{
    printf 'id,provider_id,start,end\nslot-123,%s,%s,%s\n,%s,%s,%s\n' "$provider" "$start" "$end" \
        "$provider" "$(a_day 3)" "$(a_day 3 11:00)" >"$work/slots.csv"
    same 'what import says' '2 slots imported' \
        "$(bookflow_with "BOOKFLOW_URL=${url[all]}" -- slots import "$work/slots.csv")"
    same 'what list --json shows' "slot-123 $provider $start $end true" \
        "$(bookflow_with "BOOKFLOW_URL=${url[all]}" -- slots list --provider "$provider" --json |
            jq -r '.[] | select(.id == "slot-123") | "\(.id) \(.providerId) \(.start) \(.end) \(.available)"')"
    ok 'slots import takes a CSV file, slots list shows it'
}

# The three commands as people type them.
typed_by_hand()
{
    local at=http://localhost:${url[all]##*:}
    body=$(curl -q --noproxy '*' -sS -X POST "$at/bookings" -H "Content-Type: application/json" \
        -d '{"slotId":"slot-123","userId":"user-456"}')
    id=$(field .id)
    same 'the booking' "$(of_123 pending)" "$body"
    until_true 20 'the inbox shows the booking' shows all "/providers/$provider/bookings/$id" pending
    body=$(curl -q --noproxy '*' -sS -X POST "$at/providers/$provider/bookings/$id/$1" \
        -H "Content-Type: application/json")
    same "what $1 answers" "{\"message\":\"Booking $2 successfully\",\"booking\":$(of_123 "$3")}" "$body"
    until_true 20 "the booking becomes $3 on the intake side" shows all "/bookings/$id" "$3"
    same "the booking when $3" "$(of_123 "$3")" "$body"
    ok "book, $1 and see: $3, each body exact"
}

conflicts_when_decided()
{
    local conflict state=$1 verb
    get "${url[all]}/providers/$provider/bookings/$id"
    conflict=$(jq -c "{error:\"x\", booking:$(of_123 "$state"), decidedBy, decidedAt}" <<<"$body")
    for verb in accept reject; do
        post "${url[all]}/providers/$provider/bookings/$id/$verb"
        expect 409 "${conflict/\"x\"/\"Cannot $verb booking with status: $state\"}" "$verb when $state"
    done
    expect_json '.decidedBy == "provider" and (.decidedAt | test("^....-..-..T..:..:..Z$"))' 'who decided'
    ok "a $state booking is decided: 409 with booking, decidedBy, decidedAt"
}

cancel_by_provider()
{
    post "${url[all]}/providers/$provider/bookings/$id/cancel" '{"reason":"closed that day"}'
    expect 200 "{\"message\":\"Booking cancelled successfully\",\"booking\":$(of_123 cancelled)}" \
        'the provider withdraws'
    until_true 20 'the user sees the cancel' shows all "/bookings/$id" cancelled
    reaches all "/bookings/$id/history" \
        '.history[-1] | .to == "cancelled" and .from == "confirmed" and .actor == "provider"
            and .reason == "closed that day"' || fail 'the history tells who cancelled and why'
    ok 'a provider withdraws a confirmed booking'
}

cancel_by_user()
{
    post "${url[all]}/bookings" '{"slotId":"slot-123","userId":"user-456"}'
    id=$(field .id)
    expect 201 "$(of_123 pending)" 'a freed slot is booked again'
    same 'Location' "/bookings/$id" "$(header location)"
    same 'Content-Type' 'application/json' "$(header content-type)"
    until_true 20 'the inbox shows it' shows all "/providers/$provider/bookings/$id" pending
    post "${url[all]}/providers/$provider/bookings/$id/cancel"
    expect_json '.error == "Cannot cancel booking with status: pending"' 'a pending one is rejected, not withdrawn'
    expect_status 409 'withdrawing a pending booking'
    post "${url[all]}/bookings/$id/cancel" '{"reason":"found another"}'
    expect 200 "{\"message\":\"Booking cancelled successfully\",\"booking\":$(of_123 cancelled)}" 'the user cancels'
    until_true 20 'the inbox shows the cancel' shows all "/providers/$provider/bookings/$id" cancelled
    expect_json '.decidedBy == "user" and .reason == "found another"' 'who cancelled and why'
    post "${url[all]}/bookings/$id/cancel"
    expect 409 "{\"error\":\"Cannot cancel booking with status: cancelled\",\"booking\":$(of_123 cancelled)}" \
        'a second cancel'
    post "${url[all]}/providers/$provider/bookings/$id/accept"
    expect_status 409 'accepting a cancelled booking'
    ok 'a user cancels; the slot is free at once, the provider sees it'
}

cancelling_a_rejected_one()
{
    post "${url[all]}/bookings/$id/cancel"
    expect 409 "{\"error\":\"Cannot cancel booking with status: rejected\",\"booking\":$(of_123 rejected)}" \
        'cancelling a rejected booking'
    ok 'a rejected booking is not cancelled'
}

refusals_of_bookings()
{
    local path sentence='slotId and userId are required'
    for path in '' '{}' '{"slotId":"slot-123"}' '{"userId":"user-456"}' '{"slotId":"","userId":"u"}'; do
        post "${url[all]}/bookings" "$path"
        expect_error 400 "$sentence" "booking with '$path'"
    done
    post "${url[all]}/bookings" '{"slotId":"slot-none","userId":"user-456"}'
    expect_error 404 'Slot not found' 'booking an unknown slot'
    book all slot-123 user-1
    post "${url[all]}/bookings" '{"slotId":"slot-123","userId":"user-2"}'
    expect_error 409 'Slot is already booked' 'booking a booked slot'
    http POST "${url[all]}/bookings" "${json[@]}" -H 'Accept: application/problem+json' \
        -d '{"slotId":"slot-123","userId":"user-2"}'
    expect_json '.error == "Slot is already booked" and .status == 409 and .title and .type and .detail' \
        'RFC 9457 members beside error'
    same 'its Content-Type' 'application/problem+json' "$(header content-type)"
    ok 'what cannot be booked is refused with the contract'\''s sentences'
}

another_providers_booking()
{
    local verb absent=0197f7a2-0000-7000-8000-000000000000 foreign
    until_true 20 'the inbox shows it' shows all "/providers/$provider/bookings/$id" pending
    for verb in accept reject cancel; do
        post "${url[all]}/providers/somebody-else/bookings/$id/$verb"
        expect_error 404 "$no_booking" "$verb by another provider"
        foreign=$(sed '/^Date:/Id' <<<"$headers")$body
        post "${url[all]}/providers/somebody-else/bookings/$absent/$verb"
        same "$verb of an absent booking" "$foreign" "$(sed '/^Date:/Id' <<<"$headers")$body"
    done
    for verb in '' /history; do
        get "${url[all]}/providers/somebody-else/bookings/$id$verb"
        expect_error 404 "$no_booking" "GET$verb by another provider"
    done
    get "${url[all]}/bookings/$absent"
    expect_error 404 'Booking not found' 'an absent booking on the intake side'
    post "${url[all]}/bookings/$absent/cancel"
    expect_error 404 'Booking not found' 'cancelling an absent booking'
    ok 'another provider'\''s booking is 404, identical to an absent one'
}

lists_and_pages()
{
    local page ids next='' all=''
    make_slots all lister list 25
    for page in $(seq 25); do
        book all "list-$page" "user-$((page % 2))"
    done
    get "${url[all]}/bookings?providerId=lister&limit=1"
    expect_json '.bookings[0].slotId == "list-25" and (.bookings[0] | keys_unsorted) ==
        ["id","userId","providerId","slotId","start","end","status"]' 'newest first, seven fields'
    for page in 10 10 5; do
        get "${url[all]}/bookings?providerId=lister&limit=10${next:+&after=$next}"
        expect_json ".bookings | length == $page" "a page of $page"
        ids=$(field '.bookings[].slotId')
        all+=$ids$'\n' next=$(field '.next // empty')
    done
    same 'the end of the list' '' "$next"
    same 'all pages together' "$(seq -f 'list-%g' 25 -1 1)" "${all%$'\n'}"
    get "${url[all]}/bookings?providerId=lister&userId=user-1&status=pending&limit=100"
    expect_json '(.bookings | length) == 13 and all(.bookings[]; .userId == "user-1")' 'filters together'
    get "${url[all]}/bookings?providerId=lister&status=confirmed"
    expect 200 '{"bookings":[],"next":null}' 'no such bookings'
    for next in limit=0 limit=x status=lost after=x 'userId=a%20b'; do
        get "${url[all]}/bookings?$next"
        expect_status 400 "GET /bookings?$next"
    done
    ok 'lists: newest first, filters, pages by cursor without gap or repeat'
}

provider_lists()
{
    local next='' all=''
    until_true 20 'the inbox has all 25' reaches all '/providers/lister/bookings?limit=100' '.bookings | length == 25'
    expect_json '.bookings[0] | keys_unsorted == ["id","userId","providerId","slotId","start","end",
        "status","userName","receivedAt","decidedAt","decidedBy","reason","delivered"]' 'the fields of the inbox'
    get "${url[all]}/providers/lister/bookings?limit=20&status=pending"
    next=$(field .next) all=$(field '.bookings[].id')
    get "${url[all]}/providers/lister/bookings?limit=20&status=pending&after=$next"
    all+=$'\n'$(field '.bookings[].id')
    same 'both pages' 25 "$(sort -u <<<"$all" | wc -l)"
    get "${url[all]}/providers/lister/bookings?from=$(a_day 30)"
    expect 200 '{"bookings":[],"next":null}' 'nothing from next month'
    get "${url[all]}/providers/lister/bookings?from=$(a_day 0 00:00)&to=$(a_day 30)&limit=100"
    expect_json '.bookings | length == 25' 'all of this month'
    get "${url[all]}/providers/nobody/bookings"
    expect 200 '{"bookings":[],"next":null}' 'the inbox of an unknown provider'
    ok 'the provider'\''s list: fields, status, from, to, pages'
}

decide_in_bulk()
{
    local -a ids
    get "${url[all]}/providers/lister/bookings?limit=100"
    mapfile -t ids < <(field '.bookings[].id')
    post "${url[all]}/providers/lister/decisions" "{\"accept\":[\"${ids[0]}\",\"${ids[1]}\",\"nobody\"],
        \"reject\":[{\"id\":\"${ids[2]}\",\"reason\":\"fully booked\"},{\"id\":\"${ids[0]}\"}]}"
    expect_status 200 'decisions'
    expect_json "[.results[] | [.id, .status]] == [[\"${ids[0]}\",200],[\"${ids[1]}\",200],
        [\"nobody\",404],[\"${ids[2]}\",200],[\"${ids[0]}\",409]]" 'one result per id, in order'
    until_true 20 'the accepted one is confirmed' shows all "/bookings/${ids[1]}" confirmed
    until_true 20 'the rejected one is rejected' shows all "/bookings/${ids[2]}" rejected
    reaches all "/providers/lister/bookings/${ids[2]}" '.reason == "fully booked"' || fail 'the reason is kept'
    until_true 20 'the answer is delivered' reaches all "/providers/lister/bookings/${ids[2]}" .delivered
    for bad in '{}' '{"accept":"x"}' '{"accept":[1]}' '{"reject":["x"]}' '{"reject":[{"reason":"x"}]}'; do
        post "${url[all]}/providers/lister/decisions" "$bad"
        expect_status 400 "decisions $bad"
    done
    post "${url[all]}/providers/lister/decisions" "{\"accept\":[\"${ids[5]}\", 5]}"
    expect_status 400 'one malformed entry'
    shows all "/providers/lister/bookings/${ids[5]}" pending || fail 'a refused request decides nothing'
    ok 'decisions in bulk: one result per id, one transaction'
}

histories()
{
    make_slots all historian hist 1
    book all hist-1 user-9
    until_true 20 'the inbox shows it' shows all "/providers/historian/bookings/$id" pending
    post "${url[all]}/providers/historian/bookings/$id/accept"
    until_true 20 'it is confirmed' shows all "/bookings/$id" confirmed
    until_true 20 'both publishes are in the history' reaches all "/providers/historian/bookings/$id/history" \
        '[.history[] | select(.from == null and .to == null)] | length >= 1'
    expect_json '[.history[] | select(.to) | .to] == ["pending","confirmed"]' 'the provider'\''s history'
    get "${url[all]}/bookings/$id/history"
    expect_json '[.history[] | select(.to) | [.from, .to, .event, .actor]] ==
        [[null,"pending","BOOKING_CREATED","user"],["pending","confirmed","BOOKING_CONFIRMED","provider"]]' \
        'the transitions'
    expect_json '.history[0] | keys_unsorted[:6] == ["at","actor","from","to","event","reason"]' 'the fields'
    bookflow_with "BOOKFLOW_URL=${url[all]}" -- history "$id" >"$work/history"
    grep -q 'user .*BOOKING_CREATED .*pending' "$work/history" || fail 'bookflow history shows the create'
    grep -q 'provider .*BOOKING_CONFIRMED .*confirmed' "$work/history" || fail 'bookflow history shows the accept'
    local code=0
    bookflow_with "BOOKFLOW_URL=${url[all]}" -- history nobody 2>"$work/said" || code=$?
    same 'bookflow history of nobody' '1 bookflow: Booking not found' "$code $(<"$work/said")"
    ok 'history on both sides, and as a command'
}

keys_of_idempotency()
{
    local first
    make_slots all keeper key 2
    http POST "${url[all]}/bookings" "${json[@]}" -H 'Idempotency-Key: k-1' -d '{"slotId":"key-1","userId":"u"}'
    expect_status 201 'the first request with a key'
    first=$body$(header location)
    http POST "${url[all]}/bookings" "${json[@]}" -H 'Idempotency-Key: k-1' -d '{"slotId":"key-1","userId":"u"}'
    same 'the replay' "201 $first" "$status $body$(header location)"
    http POST "${url[all]}/bookings" "${json[@]}" -H 'Idempotency-Key: k-1' -d '{"slotId":"key-2","userId":"u"}'
    expect_status 422 'the same key with another body'
    http POST "${url[all]}/bookings" "${json[@]}" -H 'Idempotency-Key: k-2' -d '{"slotId":"key-1","userId":"u"}'
    expect_error 409 'Slot is already booked' 'a refusal with a key'
    id=$(jq -r .id <<<"${first%%/*}")
    until_true 20 'the inbox shows it' shows all "/providers/keeper/bookings/$id" pending
    for _ in 1 2; do
        http POST "${url[all]}/providers/keeper/bookings/$id/accept" "${json[@]}" -H 'Idempotency-Key: k-3'
        expect_status 200 'accept with a key, and again'
    done
    ok 'an Idempotency-Key replays the answer'
}

what_both_workers_have()
{
    get "${url[all]}/health"
    expect 200 '{"status":"ok"}' '/health'
    get "${url[all]}/ready"
    expect_json '.status == "ready" and .queue.intake == "ok" and .queue.decision == "ok"' '/ready'
    get "${url[all]}/openapi.json"
    expect_json '(.openapi | startswith("3.")) and (.paths | has("/bookings"))' '/openapi.json'
    get "${url[all]}/metrics"
    grep -q '^bookflow_events_sent_total{worker="intake"} [1-9]' <<<"$body" || fail 'intake has sent events'
    grep -q '^bookflow_messages_applied_total{worker="decision"} [1-9]' <<<"$body" || fail 'decision has applied some'
    grep -q '^bookflow_messages_dead_lettered_total{worker="decision"} 0' <<<"$body" || fail 'none is dead-lettered'
    grep -q '^bookflow_message_handling_seconds_bucket{worker="decision",le="+Inf"} [1-9]' <<<"$body" || fail 'how long they took'
    until_true 20 '/pipeline is calm' reaches all /pipeline '.unsent == 0 and .queue == "ok"'
    expect_json 'keys_unsorted == ["unsent","oldestUnsentSeconds","queue","since"]' 'the fields of /pipeline'
    ok '/health /ready /metrics /openapi.json /pipeline'
}

start_worker all all
import_slot_123
typed_by_hand accept accepted confirmed
conflicts_when_decided confirmed
cancel_by_provider
typed_by_hand reject rejected rejected
conflicts_when_decided rejected
cancelling_a_rejected_one
cancel_by_user
refusals_of_bookings
another_providers_booking
lists_and_pages
provider_lists
decide_in_bulk
histories
keys_of_idempotency
what_both_workers_have
finish
