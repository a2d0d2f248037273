#!/usr/bin/env bash
# The directory of users and providers, and slots: every route, asked of one `bookflow serve all`.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

start=$(a_day 2 10:00) end=$(a_day 2 10:45)

a_directory()
{
    local kind=$1 one=$2 person
    person='{"id":"zoe","name":"Zoë Müller","email":"zoe@example.org","phone":"+49 30 1234"}'
    http PUT "${url[all]}/$kind/zoe" "${json[@]}" -d "$(jq -c 'del(.id)' <<<"$person")"
    expect 201 "$person" "PUT /$kind/zoe"
    same 'Location' "/$kind/zoe" "$(header location)"
    http PUT "${url[all]}/$kind/zoe" "${json[@]}" -d '{"name":"山田 太郎"}'
    expect 200 '{"id":"zoe","name":"山田 太郎","email":null,"phone":null}' 'PUT again'
    post "${url[all]}/$kind" '{"name":"José da Silva"}'
    expect_status 201 "POST /$kind"
    same 'Location' "/$kind/$(field .id)" "$(header location)"
    get "${url[all]}/$kind?limit=1"
    expect_json "(.$kind | length) == 1 and .next != null" 'a page of one'
    get "${url[all]}/$kind"
    expect_json "[.${kind}[].name] | contains([\"山田 太郎\",\"José da Silva\"])" 'the list'
    for bad in '{}' '{"name":""}' '{"name":5}' '{"name":"x","email":"nowhere"}' '{"name":"x","phone":"call me"}'; do
        http PUT "${url[all]}/$kind/zoe" "${json[@]}" -d "$bad"
        expect_status 400 "PUT /$kind/zoe $bad"
    done
    http DELETE "${url[all]}/$kind/zoe"
    expect 204 '' "DELETE /$kind/zoe"
    for again in GET DELETE; do
        http "$again" "${url[all]}/$kind/zoe"
        expect_error 404 "$one not found" "$again what is gone"
    done
    ok "/$kind: create, read, replace, delete, list"
}

names_reach_the_provider()
{
    http PUT "${url[all]}/users/named" "${json[@]}" -d '{"name":"Олена Коваль"}'
    make_slots all namer name 1
    book all name-1 named
    until_true 20 'the inbox shows the name' reaches all "/providers/namer/bookings/$id" '.userName == "Олена Коваль"'
    ok 'the provider sees the user'\''s name'
}

slots()
{
    local one="{\"id\":\"s-1\",\"start\":\"$start\",\"end\":\"$end\"}"
    post "${url[all]}/providers/slotter/slots" "$one"
    expect 201 "{\"id\":\"s-1\",\"providerId\":\"slotter\",\"start\":\"$start\",\"end\":\"$end\",\"available\":true}" 'a slot'
    post "${url[all]}/providers/slotter/slots" "$one"
    expect_status 201 'the same slot again'
    post "${url[all]}/providers/slotter/slots" "{\"id\":\"s-1\",\"start\":\"$start\",\"end\":\"$(a_day 2 11:30)\"}"
    expect_status 409 'the same id with other times'
    post "${url[all]}/providers/slotter/slots" "{\"start\":\"$(a_day 2 12:00)\",\"end\":\"$(a_day 2 13:00)\"}"
    expect_status 201 'a slot without an id'
    book all s-1 user-1
    http DELETE "${url[all]}/slots/s-1"
    expect_status 409 'deleting a booked slot'
    get "${url[all]}/providers/slotter/slots"
    expect_json '[.slots[].available] == [false,true]' 'which are available'
    get "${url[all]}/providers/slotter/slots?available=true"
    expect_json '.slots | length == 1' 'only those available'
    get "${url[all]}/providers/slotter/slots?from=$(a_day 2 11:00)&to=$(a_day 2 12:30)"
    expect_json '.slots | length == 1' 'from and to'
    post "${url[all]}/bookings/$id/cancel"
    http DELETE "${url[all]}/slots/s-1"
    expect 204 '' 'deleting a free slot'
    http DELETE "${url[all]}/slots/s-1"
    expect_error 404 'Slot not found' 'deleting it again'
    for one in '{}' '{"slots":[]}' '{"slots":5}' '{"start":"soon","end":"later"}' "{\"start\":\"$end\",\"end\":\"$start\"}" \
        "{\"id\":\"a b\",\"start\":\"$start\",\"end\":\"$end\"}"; do
        post "${url[all]}/providers/slotter/slots" "$one"
        expect_status 400 "POST slots $one"
    done
    ok 'slots: make, list, delete, 409 while booked'
}

slots_in_bulk()
{
    make_slots all bulk bulk 10000
    expect_json '.slots | length == 10000' '10,000 slots in one request'
    get "${url[all]}/providers/bulk/slots?limit=1000"
    expect_json '(.slots | length) == 1000 and .next != null' 'a page of 1000 of them'
    post "${url[all]}/providers/bulk/slots" "{\"slots\":[{\"id\":\"fresh\",\"start\":\"$start\",\"end\":\"$end\"},
        {\"id\":\"bulk-7\",\"start\":\"$start\",\"end\":\"$end\"}]}"
    expect_status 409 'a bulk with one conflict'
    post "${url[all]}/bookings" '{"slotId":"fresh","userId":"u"}'
    expect_error 404 'Slot not found' 'nothing of a refused bulk is kept'
    ok 'slots in bulk: 10,000 at once, all or nothing'
}

# On the last Sunday of March the clocks of Berlin go from 02:00 to 03:00.
slots_across_a_change_of_clocks()
{
    local -a generate=(slots generate --provider dst --from 2030-03-31 --days 1 --hours 01:00-05:00 --tz)
    same 'four hours, one of which does not exist' '3 slots for dst' \
        "$(bookflow_with "BOOKFLOW_URL=${url[all]}" -- "${generate[@]}" Europe/Berlin --length 45)"
    get "${url[all]}/providers/dst/slots"
    expect_json '[.slots[] | (.end | fromdate) - (.start | fromdate)] | unique == [2700]' 'each is as long as it says'
    expect_json '[.slots[].start | fromdate] as $from | [.slots[].end | fromdate] as $to
        | [range(1; $from | length) | $from[.] >= $to[. - 1]] | all' 'none overlaps the one before'
    bookflow_with "BOOKFLOW_URL=${url[all]}" -- "${generate[@]}" Europe --length 45 2>/dev/null && fail 'a folder is no zone'
    ok 'slots generate: the clocks may change'
}

slots_of_the_past()
{
    local past
    past="{\"id\":\"old\",\"start\":\"$(a_day -1)\",\"end\":\"$(a_day -1 11:00)\"}"
    post "${url[all]}/providers/past/slots" "$past"
    expect_status 201 'a slot of yesterday'
    post "${url[all]}/bookings" '{"slotId":"old","userId":"u"}'
    expect_error 409 'Slot is in the past' 'booking it'
    start_worker lenient all BOOKFLOW_ALLOW_PAST_SLOTS=1
    post "${url[lenient]}/providers/past/slots" "$past"
    book lenient old u
    until_true 20 'the inbox shows it' shows lenient "/providers/past/bookings/$id" pending
    post "${url[lenient]}/providers/past/bookings/$id/accept"
    expect_status 200 'accepting it'
    until_true 20 'it is confirmed' shows lenient "/bookings/$id" confirmed
    stop_worker lenient
    ok 'a slot that has started: 409, or allowed by BOOKFLOW_ALLOW_PAST_SLOTS'
}

start_worker all all
a_directory users User
a_directory providers Provider
names_reach_the_provider
slots
slots_in_bulk
slots_across_a_change_of_clocks
slots_of_the_past
finish
