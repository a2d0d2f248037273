#!/usr/bin/env bash
# Intake and decision as two processes with nothing between them but SQS: the whole flow on standard
# and on FIFO queues, with other producers and consumers, poison, and a wrong secret. The server is
# fauxqs behind a proxy that verifies every signature.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"
# shellcheck source=tests/sqs/peer.sh
source "$(dirname "${BASH_SOURCE[0]}")/../sqs/peer.sh"

provider=salon
hand_made='{"bookingId":"test-123","userId":"user-456","providerId":"provider-789","slotId":"slot-001","slotStart":"2025-02-19T10:00:00Z","slotEnd":"2025-02-19T11:00:00Z","eventType":"BOOKING_CREATED","timestamp":"2025-02-19T09:55:00Z"}'

# use_queues NAME SUFFIX: makes both; $variables are all that the workers are given.
use_queues()
{
    requests=$1-requests$2 confirmations=$1-confirmations$2
    peer /queue "{\"name\":\"$requests\"}" >/dev/null
    peer /queue "{\"name\":\"$confirmations\"}" >/dev/null
    variables=(AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=ASIAEXAMPLE AWS_SECRET_ACCESS_KEY=a-secret/of+its=own
        AWS_SESSION_TOKEN=a-token AWS_ENDPOINT_URL_SQS="$peer_url"
        SQS_BOOKING_REQUEST_QUEUE_URL="$(queue_url "$requests")"
        SQS_BOOKING_CONFIRMATION_QUEUE_URL="$(queue_url "$confirmations")")
}

begin()
{
    start_worker "$1" "${1%%-*}" "${variables[@]}" "${@:2}"
}

inbox()
{
    echo "/providers/$provider/bookings/$id"
}

# round INTAKE DECISION SLOT VERB STATUS
round()
{
    book "$1" "$3" "user-$3"
    until_true 20 'the inbox shows it' shows "$2" "$(inbox)" pending
    post "${url[$2]}$(inbox)/$4"
    expect_status 200 "$4"
    until_true 20 "intake shows $5" shows "$1" "/bookings/$id" "$5"
}

is_empty()
{
    (($(peer "/depth?queue=$1" | jq .depth) == 0))
}

# whole_flow INTAKE DECISION WHAT
whole_flow()
{
    make_slots "$1" $provider "$1" 8
    round "$1" "$2" "$1-1" accept confirmed
    round "$1" "$2" "$1-2" reject rejected
    book "$1" "$1-3" user-3
    post "${url[$1]}/bookings/$id/cancel"
    expect_status 200 'cancel'
    until_true 20 'the inbox shows the cancel' shows "$2" "$(inbox)" cancelled
    round "$1" "$2" "$1-4" accept confirmed
    post "${url[$2]}$(inbox)/cancel"
    expect_status 200 'withdraw'
    until_true 20 'intake shows the withdrawal' shows "$1" "/bookings/$id" cancelled
    until_true 20 'requests run empty' is_empty "$requests"
    until_true 20 'confirmations run empty' is_empty "$confirmations"
    ok "$3: booked, accepted, rejected, cancelled by either side; the queues are empty"
}

# --- the proxy itself

# ask SECRET: an SQS call signed by curl.
ask()
{
    curl -q --noproxy '*' -sS --max-time 10 --aws-sigv4 aws:amz:us-east-1:sqs --user "$AWS_ACCESS_KEY_ID:$1" \
        -H 'Content-Type: application/x-amz-json-1.0' -H 'X-Amz-Target: AmazonSQS.GetQueueAttributes' \
        -d "{\"QueueUrl\":\"$(queue_url "$requests")\",\"AttributeNames\":[\"QueueArn\"]}" "$peer_url/"
}

the_proxy_verifies()
{
    same 'what curl signs is accepted' "arn:aws:sqs:us-east-1:000000000000:$requests" \
        "$(ask "$AWS_SECRET_ACCESS_KEY" | jq -r .Attributes.QueueArn)"
    same 'what is signed with another secret is not' 'com.amazonaws.sqs#SignatureDoesNotMatch' \
        "$(ask another | jq -r .__type)"
    ok 'control: the proxy accepts what curl signs, and refuses a wrong signature'
}

# --- other clients

the_sdk_reads_our_messages()
{
    local message
    book intake intake-7 user-7
    until_true 20 'it was sent' sent
    message=$(sdk receive "$requests" | jq '.[0]')
    same 'the keys of the body' 'bookingId userId providerId slotId slotStart slotEnd eventType timestamp eventId' \
        "$(jq -r '.Body | fromjson | keys_unsorted | join(" ")' <<<"$message")"
    same 'the attributes' "BOOKING_CREATED $id $provider String" \
        "$(jq -r '.MessageAttributes | "\(.EventType.StringValue) \(.BookingId.StringValue) \(.ProviderId.StringValue) \(.EventType.DataType)"' <<<"$message")"
    same 'the event id' "$(jq -r '.Body | fromjson | .eventId' <<<"$message")" \
        "$(jq -r .MessageAttributes.EventId.StringValue <<<"$message")"
    ok 'the AWS SDK reads our message: attributes, and the keys in their order'
}

sent()
{
    ! is_empty "$requests"
}

a_message_made_by_hand_is_heard()
{
    sdk send "$requests" <<<"$hand_made"
    until_true 20 'the inbox shows it' shows decision /providers/provider-789/bookings/test-123 pending ||
        fail 'it is accepted'
    ok 'a message made by hand with the AWS SDK is accepted'
}

# --- poison

dead_letter()
{
    peer "/messages?queue=$requests-dlq" | jq -e 'length > 0' >/dev/null
}

poison_does_not_block()
{
    local from took
    sdk send "$requests" <<<'{"bookingId":"b-1","eventType":"BOOKING_MOVED","timestamp":"2027-01-15T08:00:00Z"}' &
    helpers+=($!)
    round intake decision intake-5 accept confirmed
    wait "${helpers[-1]}"
    until_true 20 'the poison is in the dead-letter queue' dead_letter
    peer /put "{\"queue\":\"$requests\",\"messages\":[{\"body\":\"poison\"}]}" >/dev/null
    from=$(now_ms)
    until_true 20 'the second, too' two_dead_letters
    took=$(($(now_ms) - from))
    ((took < 1000 * slow)) || fail "within a second, not $took ms"
    peer "/messages?queue=$requests-dlq" |
        jq -e 'all(.attributes.DeadLetterReason != "" and .attributes.DeadLetterSource == "request")' >/dev/null ||
        fail 'the reason is on it'
    ok "poison from the AWS SDK is dead-lettered with its reason, in $took ms; its neighbours flow"
}

two_dead_letters()
{
    peer "/messages?queue=$requests-dlq" | jq -e 'length == 2' >/dev/null
}

# --- a wrong secret

troubles()
{
    cat "$work/intake-wrong.log.now" "$work/intake-wrong.log.out"
}

names_the_secret()
{
    troubles | grep -q ' courier\.trouble .*AWS_SECRET_ACCESS_KEY'
}

refused_calls()
{
    peer /counts | jq '.refused.SignatureDoesNotMatch // 0'
}

a_wrong_secret_is_told_once()
{
    local before each
    use_queues wrong ''
    before=$(refused_calls)
    begin intake-wrong AWS_SECRET_ACCESS_KEY=mistyped
    until_true 20 'the log says what to check' names_the_secret
    make_slots intake-wrong $provider wrong 40
    for each in {1..40}; do
        book intake-wrong "wrong-$each" "user-$each"
    done
    until_true 20 'it has been asked for long enough' long_since "$(($(now_ms) + 5000))"
    same 'lines about it' 1 "$(troubles | grep -c ' courier\.trouble ')"
    (($(refused_calls) - before <= 16)) || fail "few calls are refused, not $(($(refused_calls) - before))"
    ok "a wrong secret is told once; $(($(refused_calls) - before)) calls were refused while 40 bookings were made"
    stop_worker intake-wrong
}

long_since()
{
    (($(now_ms) > $1))
}

slow=1
[[ -z ${ASAN_OPTIONS-} ]] || slow=4 # a sanitizer build
start_peer ''
helpers+=("$peer_pid")
peer /account '{"accessKey":"ASIAEXAMPLE","secretKey":"a-secret/of+its=own","token":"a-token"}' >/dev/null
use_queues standard ''
the_proxy_verifies
begin intake
begin decision
whole_flow intake decision 'standard queues'
poison_does_not_block
a_message_made_by_hand_is_heard
stop_worker decision
the_sdk_reads_our_messages
stop_worker intake
use_queues fifo .fifo
begin intake-fifo
begin decision-fifo
whole_flow intake-fifo decision-fifo 'FIFO queues'
same 'what else was refused' '{"SignatureDoesNotMatch":1}' "$(peer /counts | jq -c .refused)"
stop_worker intake-fifo
stop_worker decision-fifo
a_wrong_secret_is_told_once
finish
