#!/usr/bin/env bash
# A booking that nobody decides before its slot starts is cancelled by the system, on both sides.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

inbox()
{
    echo "/providers/late/bookings/$id"
}

# slot_in SECONDS ID
slot_in()
{
    post "${url[all]}/providers/late/slots" \
        "{\"id\":\"$2\",\"start\":\"$(date -u -d "+$1 seconds" +%FT%TZ)\",\"end\":\"$(a_day 1)\"}"
    expect_status 201 'a slot that starts soon'
}

start_worker all all
slot_in 10 decided
slot_in 10 undecided
book all decided user-1
decided=$id
until_true 20 'the inbox shows it' shows all "$(inbox)" pending
post "${url[all]}$(inbox)/accept"
expect_status 200 'accepting the other one'
book all undecided user-2
until_true 20 'the inbox shows it' shows all "$(inbox)" pending

until_true 20 'the provider sees it expire' shows all "$(inbox)" cancelled
expect_json '.decidedBy == "system" and .reason == "expired"' 'who and why, for the provider'
ok 'an undecided booking is cancelled on the provider side'

until_true 20 'the user sees it expire' shows all "/bookings/$id" cancelled
until_true 20 'the history tells' reaches all "/bookings/$id/history" \
    'any(.history[]; .to == "cancelled" and .reason == "expired" and .actor == "system")'
ok 'and on the user side, with reason expired'

for verb in accept reject; do
    post "${url[all]}$(inbox)/$verb"
    expect_status 409 "$verb after that"
    expect_json ".error == \"Cannot $verb booking with status: cancelled\" and .decidedBy == \"system\"" 'its answer'
done
ok 'accept and reject after that are 409'

shows all "/bookings/$decided" confirmed || fail 'a decided booking does not expire'
ok 'a confirmed booking stays confirmed'
finish
