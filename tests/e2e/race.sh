#!/usr/bin/env bash
# Many clients at the same moment: a slot is booked once, a key makes one booking.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

clients=64

# all_at_once NAME PATH BODY [HEADER]: `clients` connections at once; # in the body is the client's
# number. The statuses are in $work/NAME.statuses, the answers in $work/NAME.N.
all_at_once()
{
    local client body
    for ((client = 1; client <= clients; client++)); do
        ((client == 1)) || echo next
        printf 'url = "%s"\nrequest = POST\nheader = "Content-Type: application/json"\n' "${url[all]}$2"
        body=${3//#/$client}
        printf 'data = "%s"\noutput = "%s"\n' "${body//\"/\\\"}" "$work/$1.$client"
        printf 'write-out = "%%{http_code}\\n"\n'
        [[ -z ${4-} ]] || printf 'header = "%s"\n' "$4"
    done >"$work/$1.clients"
    curl -q --noproxy '*' -sS --no-progress-meter --max-time 60 -Z --parallel-max $clients --parallel-immediate \
        -K "$work/$1.clients" >"$work/$1.statuses"
}

# count NAME STATUS
count()
{
    grep -cx "$2" "$work/$1.statuses" || true
}

one_slot()
{
    local booked
    all_at_once "$1" /bookings "{\"slotId\":\"$1\",\"userId\":\"user-#\"}"
    same 'how many were answered 201' 1 "$(count "$1" 201)"
    same 'how many were answered 409' $((clients - 1)) "$(count "$1" 409)"
    same 'what the others were told' '{"error":"Slot is already booked"}' \
        "$(cat "$work/$1".* | grep -o '{"error":"[^"]*"}' | sort -u)"
    get "${url[all]}/bookings?providerId=racer&limit=100"
    booked=$(field "[.bookings[] | select(.slotId == \"$1\")] | length")
    same 'bookings of the slot' 1 "$booked"
    ok "$clients clients race for $1: one 201, $((clients - 1)) times 409"
}

# A slot that is freed is won by one again, never by two.
a_freed_slot()
{
    get "${url[all]}/bookings?providerId=racer&limit=1"
    post "${url[all]}/bookings/$(field '.bookings[0].id')/cancel"
    expect_status 200 'cancelling the winner'
    all_at_once again /bookings '{"slotId":"race-2","userId":"again-#"}'
    same 'who wins it again' '1 63' "$(count again 201) $(count again 409)"
    ok 'a freed slot is won by one'
}

# Only one accept or reject counts, and both sides agree on which.
one_decision()
{
    local verb won job
    local -a jobs=()
    book all race-3 user-1
    until_true 20 'the inbox shows it' shows all "/providers/racer/bookings/$id" pending
    for verb in accept reject; do
        all_at_once $verb "/providers/racer/bookings/$id/$verb" '{}' &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do
        wait "$job" || fail 'all are answered'
    done
    same 'how many decided' '1 127' "$(($(count accept 200) + $(count reject 200))) $(($(count accept 409) + $(count reject 409)))"
    won=confirmed
    (($(count accept 200) == 1)) || won=rejected
    until_true 20 'both sides agree' shows all "/bookings/$id" "$won"
    shows all "/providers/racer/bookings/$id" "$won" || fail "the provider sees $won"
    ok '128 answers to one booking: one counts'
}

one_key()
{
    local key='Idempotency-Key: same-for-all'
    all_at_once key /bookings '{"slotId":"race-4","userId":"user-1"}' "$key"
    same 'how many were answered 201' $clients "$(count key 201)"
    same 'different answers' 1 "$(jq -c . "$work"/key.[0-9]* | sort -u | wc -l)"
    get "${url[all]}/bookings?providerId=racer&userId=user-1&limit=100"
    same 'bookings made' 1 "$(field '[.bookings[] | select(.slotId == "race-4")] | length')"
    all_at_once other /bookings '{"slotId":"race-5","userId":"user-1"}' "$key"
    same 'another body with that key' $clients "$(count other 422)"
    get "${url[all]}/providers/racer/slots?available=true"
    expect_json 'any(.slots[]; .id == "race-5")' 'nothing was booked by those'
    ok "$clients clients with one Idempotency-Key: one booking, one answer; another body: 422"
}

a_refusal_is_replayed_in_the_form_asked_for()
{
    local form
    for form in application/problem+json application/json; do
        http POST "${url[all]}/bookings" "${json[@]}" -H 'Idempotency-Key: nowhere' -H "Accept: $form" \
            -d '{"slotId":"nowhere","userId":"user-1"}'
        expect_status 404 "an unknown slot, as $form"
        same 'its form' "$form" "$(header Content-Type)"
        expect_json '.error == "Slot not found"' 'its sentence'
    done
    ok 'a refusal under a key is replayed in the form that is asked for'
}

start_worker all all
make_slots all racer race 5
one_slot race-1
one_slot race-2
a_freed_slot
one_decision
one_key
a_refusal_is_replayed_in_the_form_asked_for
finish
