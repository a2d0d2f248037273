#!/usr/bin/env bash
# How fast the decision worker is on SQS: it receives, applies and deletes COUNT bookings that wait in
# the queue; then one accept each is published. The server behind the proxy is a process or two of
# the same machine, so this says what the worker costs more than what SQS would allow.
#
#   rates.sh RELEASE_BUILD_FOLDER [COUNT]
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh" "${1-}"
# shellcheck source=tests/sqs/peer.sh
source "$(dirname "${BASH_SOURCE[0]}")/peer.sh"

count=${2:-10000}

# Their messages, in one request to the peer.
put_bookings()
{
    jq -cn --argjson count "$count" --arg from "$(a_day 30)" --arg to "$(a_day 30 11:00)" '{queue: "requests",
        messages: [range($count) | {body: ({bookingId: "b\(.)", userId: "u", providerId: "p", slotId: "s\(.)",
        slotStart: $from, slotEnd: $to, eventType: "BOOKING_CREATED", timestamp: "2026-01-01T00:00:00Z"} | tojson)}]}' \
        >"$work/put.json"
    curl -q --noproxy '*' -sS --fail-with-body --max-time 120 --data-binary "@$work/put.json" "$peer_control/put" >/dev/null
}

# accept_some FROM TO: in one transaction.
accept_some()
{
    jq -cn --argjson from "$1" --argjson to "$2" '{accept: [range($from; $to) | "b\(.)"]}' >"$work/accept.json"
    http POST "${url[decision]}/providers/p/decisions" "${json[@]}" --data-binary "@$work/accept.json"
    expect_status 200 'accept'
}

depth_is()
{
    (($(peer "/depth?queue=$1" | jq .depth) == $2))
}

# CPU of the worker so far, in ms.
cpu_ms()
{
    local -a stat
    read -r -a stat <"/proc/${pid[decision]}/stat"
    echo $(((stat[13] + stat[14]) * 1000 / $(getconf CLK_TCK)))
}

# rate WHAT FROM_MS CPU_MS
rate()
{
    local took=$(($(now_ms) - $2)) cpu=$(($(cpu_ms) - $3))
    printf '%s: %d in %d.%03d s: %d msg/s, %d us of CPU each\n' "$1" "$count" $((took / 1000)) $((took % 1000)) \
        $((count * 1000 / took)) $((cpu * 1000 / count))
}

start_peer ''
helpers+=("$peer_pid")
peer /queue '{"name":"requests","visibility":60}' >/dev/null
peer /queue '{"name":"confirmations","visibility":60}' >/dev/null
put_bookings
from=$(now_ms)
start_worker decision decision AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID \
    AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL_SQS="$peer_url" \
    SQS_BOOKING_REQUEST_QUEUE_URL="$(queue_url requests)" SQS_BOOKING_CONFIRMATION_QUEUE_URL="$(queue_url confirmations)"
until_true 120 'all are received, applied and deleted' depth_is requests 0
rate 'received, applied and deleted' "$from" 0
same 'bookings in the store' "$count" "$(sqlite3 -readonly "$(state_of decision)/decision.db" 'SELECT count(*) FROM bookings')"
from=$(now_ms) before=$(cpu_ms)
for ((each = 0; each < count; each += 1000)); do
    accept_some "$each" $((each + 1000 < count ? each + 1000 : count))
done
until_true 120 'all are published' depth_is confirmations "$count"
rate 'decided and published' "$from" "$before"
finish
