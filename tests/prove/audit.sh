#!/usr/bin/env bash
# R13: the shipped audit says yes of two stores that a real pipeline left behind, killed again and again
# while it worked, and says no of every damage planted in copies of them, by name.
#
#   audit.sh BUILD_FOLDER [SEED]     the seed chooses when the kills come
# shellcheck disable=SC2317 # what until_true calls
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh" "${1-}"
# shellcheck source=tests/prove/figure.sh
source "$(dirname "${BASH_SOURCE[0]}")/figure.sh"

seed=${2:-$((EPOCHSECONDS % 32768))}
RANDOM=$seed
declare -A kills_of=([ci]=3 [full]=6 [nightly]=30)
kills=${kills_of[$size]} of_a_round=120 clients=4

# --- A pipeline with kills.

# request ARGUMENT...: prints the answer; fails when there is none.
request()
{
    curl -q -sS --noproxy '*' --max-time 20 "${json[@]}" "$@"
}

# Each books slots of its round until it has them all or the worker is gone, and decides meanwhile what
# it finds in the inbox; somebody else may have been faster.
client()
{
    local slot decisions
    for ((slot = $2; slot <= of_a_round; slot += clients)); do
        request -d "{\"slotId\":\"$1-$slot\",\"userId\":\"user-$2\"}" "${url[all]}/bookings" || return 0
        ((slot % 12 < clients)) || continue
        decisions=$(request "${url[all]}/providers/salon/bookings?status=pending&limit=20" | jq -c '[.bookings[].id] |
            select(length > 0) | {accept: .[:12], reject: [.[12:18][] | {id: .}]}') || return 0
        [[ -z $decisions ]] || request -d "$decisions" "${url[all]}/providers/salon/decisions" || return 0
    done
}

booked_of_round()
{
    (($(sqlite3 -readonly "$(state_of all)/intake.db" \
        "SELECT count(*) FROM bookings WHERE slot_id LIKE '$1-%'") >= $2))
}

# What a dead worker had in its hands would come back after 30 s; here at once.
end_leases()
{
    sqlite3 "$(state_of all)/queues.db" 'PRAGMA busy_timeout = 5000; UPDATE message SET visible_ms = sent_ms' >/dev/null
}

round()
{
    local -a running=()
    local each
    make_slots all salon "$1" "$of_a_round"
    for ((each = 1; each <= clients; each++)); do
        client "$1" "$each" >/dev/null 2>&1 &
        running+=($!)
    done
    until_true 30 'some are booked' booked_of_round "$1" $((5 + RANDOM % (of_a_round / 2)))
    kill_worker all
    wait "${running[@]}" || true
    end_leases
}

nothing_on_its_way()
{
    reaches all /pipeline '.unsent == 0' && [[ $(sqlite3 -readonly "$(state_of all)/queues.db" \
        'SELECT count(*) FROM message') == 0 ]] && [[ $(sqlite3 -readonly "$(state_of all)/intake.db" \
        'SELECT count(*) FROM outbox') == 0 ]]
}

# copy_to FOLDER
copy_to()
{
    local each
    mkdir "$1"
    for each in intake decision; do
        sqlite3 "$(state_of all)/$each.db" ".backup '$1/$each.db'"
    done
}

# --- The verdict on copies, clean and damaged.

# says yes|no FOLDER [PATTERN]: the last line, the exit code, and a line that names the damage.
says()
{
    local code=0 expected=0
    [[ $1 == yes ]] || expected=1
    body=$(bookflow_with -- audit "$2/intake.db" "$2/decision.db" 2>&1) || code=$?
    [[ $code == "$expected" && $(tail -n 1 <<<"$body") == "converged: $1" ]] && grep -Eq "${3-^}" <<<"$body"
}

planted=0 found=0
declare -a missed=()

# damage WHAT intake|decision|PATH PATTERN [SQL]: in a fresh copy; with PATH that file stands for
# the store of its name.
damage()
{
    local copy=$work/damaged
    rm -rf "$copy"
    cp -r "$work/clean" "$copy"
    case $2 in
    */*) cp "$2" "$copy/" ;;
    *) sqlite3 "$copy/$2.db" "$4" ;;
    esac
    planted=$((planted + 1))
    if says no "$copy" "$3"; then
        found=$((found + 1))
    else
        missed+=("$1")
        printf 'not found: %s\n%s\n' "$1" "$body"
    fi
}

damages()
{
    local last_step='(SELECT max(sequence) FROM audit)'
    local a_booking='(SELECT min(id) FROM bookings WHERE status = 1)'
    damage 'an edited row of the trail' intake 'intake trail: .*BROKEN at row 7$' \
        "UPDATE audit SET reason = 'edited' WHERE sequence = 7"
    damage 'a removed row of the trail' decision 'decision trail: .*BROKEN at row 9$' \
        'DELETE FROM audit WHERE sequence = 9'
    damage 'a trail that was cut short, its chain whole' intake \
        '^not in the state their trail ends in: [1-9]|^requests( +[0-9]+){5} +[1-9]' \
        "DELETE FROM audit WHERE sequence = $last_step"
    damage 'a status changed by hand' decision '^differing: 1, first ' \
        "UPDATE bookings SET status = 2 WHERE id = $a_booking"
    damage 'the same, out of step with its own trail' intake '^not in the state their trail ends in: 1$' \
        "UPDATE bookings SET status = 2 WHERE id = $a_booking"
    damage 'another user on a booking' decision '^differing: 1, first ' \
        "UPDATE bookings SET user_id = 'somebody' WHERE id = $a_booking"
    damage 'a lost message: a booking missing in decision' decision '^requests( +[0-9]+){4} +1 ' \
        "DELETE FROM bookings WHERE id = $a_booking"
    damage 'a lost answer: a booking missing in intake' intake '^confirmations( +[0-9]+){4} +1 ' \
        "DELETE FROM bookings WHERE id = $a_booking"
    damage 'a slot booked twice' intake '^slots booked twice: 1, first ' \
        "DROP INDEX one_active_booking_of_a_slot; UPDATE bookings SET slot = (SELECT slot FROM bookings
         WHERE id = $a_booking) WHERE id = (SELECT max(id) FROM bookings WHERE status = 1)"
    damage 'an event left in the outbox' decision '^unsent: 1$' \
        "INSERT INTO outbox SELECT 1, booking_id, provider_id, event_id, '', event, 0, 0, 0, '' FROM audit
         WHERE event = 'BOOKING_CONFIRMED' LIMIT 1"
    damage 'a parked event' decision '^parked: 1$' \
        "INSERT INTO outbox SELECT 1, booking_id, provider_id, event_id, '', event, 0, 9, 1, '' FROM audit
         WHERE event = 'BOOKING_CONFIRMED' LIMIT 1"
    damage 'an event applied twice' decision '^requests( +[0-9]+){7} +1$' \
        "INSERT INTO audit SELECT $last_step + 1, at_ms, booking_id, provider_id, actor, from_status, to_status,
         event, reason, event_id, hash FROM audit WHERE sequence = 1"
    damage 'a step down' intake '^steps that go down or do not follow: 1$' \
        "INSERT INTO audit SELECT $last_step + 1, at_ms, booking_id, provider_id, actor, 1, 0, event, reason,
         event_id, hash FROM audit WHERE event = 'BOOKING_CREATED' AND booking_id = $a_booking"
    damage 'an event that nobody wrote' intake '^confirmations( +[0-9]+){6} +1 ' \
        "INSERT INTO audit SELECT $last_step + 1, at_ms, booking_id, provider_id, actor, 1, 3, 'BOOKING_CANCELLED',
         '', 'nobody', hash FROM audit WHERE event = 'BOOKING_CONFIRMED' AND booking_id = $a_booking"
    damage 'intake set back to an older copy' "$work/earlier/intake.db" '^differing: [1-9]'
    damage 'decision set back to an older copy' "$work/earlier/decision.db" '^confirmations( +[0-9]+){6} +[1-9]'
}

begun_ms=$(now_ms)
printf 'seed %s\n' "$seed"
start_worker all all
for ((number = 1; number <= kills; number++)); do
    round "round$number"
    ((number != kills / 2 + 1)) || copy_to "$work/earlier"
    start_worker all all
done
until_true 60 'nothing is on its way' nothing_on_its_way
stop_worker all
copy_to "$work/clean"

if says yes "$work/clean"; then
    verdict='converged: yes' mark=ok
else
    verdict='NOT converged' mark=MISSED
    printf '%s\n' "$body"
fi
bookings=$(sed -n 's/^bookings: //p' <<<"$body")
damages
says yes "$work/clean" || mark=MISSED # the audit has changed nothing
((found == planted && planted >= 8 && bookings > kills * 5)) || mark=MISSED
figure R13 "$mark" "audit of $bookings bookings through $kills kills: $verdict; $found of $planted planted damages named"
printf 'seed %s, %d ms\n' "$seed" $(($(now_ms) - begun_ms))
exit "$figures_missed"
