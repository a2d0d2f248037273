#!/usr/bin/env bash
# `bookflow queues`, `dlq` and `doctor` against an SQS server that verifies signatures and fails when
# told to. No worker runs: what the verbs leave in the queues is looked at.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

node=$("$(dirname "${BASH_SOURCE[0]}")/../sqs/peers.sh" "$build")
peers=$build/../sqs-peers
request=request confirmation=confirmation # the queues in use
code=0

# --- The peer.

start_peer()
{
    coproc peer { "$node" "$peers/peer.mjs" 2>"$work/peer.log"; }
    # shellcheck disable=SC2154 # peer_PID: set by coproc
    helpers+=("$peer_PID")
    local hello
    read -r -t 60 hello <&"${peer[0]}" || fail 'the peer listens'
    control=$(jq -r .control <<<"$hello")
    sqs=$(jq -r .url <<<"$hello")
}

# tell PATH [BODY]: the peer's control.
tell()
{
    http POST "$control$1" ${2+-d "$2"}
    expect_status 200 "$1"
}

# fault CALL FAULT: from now on, every time; fault none.
fault()
{
    if [[ $1 == none ]]; then
        tell /faults '{"rules": []}'
    else
        tell /faults "$(jq -cn --arg call "$1" --arg fault "$2" '{rules: [{$call, $fault, times: 1000}]}')"
    fi
}

# aws ACTION ARGUMENTS: by the SDK; $body is its answer. QUEUE in the arguments is the server's address.
aws()
{
    # shellcheck disable=SC2016 # JavaScript
    body=$(cd "$peers" && AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY \
        "$node" --input-type=module -e '
            import * as sqs from "@aws-sdk/client-sqs";
            const [endpoint, action, given] = process.argv.slice(1);
            const client = new sqs.SQSClient({ region: "us-east-1", endpoint });
            const { $metadata, ...answer } = await client.send(new sqs[`${action}Command`](JSON.parse(given)));
            console.log(JSON.stringify(answer));' "$sqs" "$1" "$2" 2>>"$work/sdk.log") || fail "$1 by the SDK"
}

url_of()
{
    echo "$sqs/000000000000/$1"
}

# operator ARGUMENTS...: with the queues of the moment.
operator()
{
    code=0
    body=$(bookflow_with AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=AKIDEXAMPLE \
        "AWS_SECRET_ACCESS_KEY=${secret-wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY}" \
        BOOKFLOW_STATE_DIR="$work/state" BOOKFLOW_URL=http://127.0.0.1:9 \
        SQS_BOOKING_REQUEST_QUEUE_URL="$(url_of "$request")" \
        SQS_BOOKING_CONFIRMATION_QUEUE_URL="$(url_of "$confirmation")" \
        -- "$@" 2>"$work/operator.log") || code=$?
    ! grep -E 'Sanitizer|runtime error:' "$work/operator.log" >&2 || fail "no sanitizer report from $*"
}

expect_code()
{
    ((code == $1)) || fail "$2 ends with $1, not $code: $(<"$work/operator.log")"
}

# attributes BOOKING: as the SDK takes them.
attributes()
{
    jq -cn --arg booking "$1" '{EventType: "BOOKING_CREATED", BookingId: $booking, ProviderId: "salon",
        EventId: "event-\($booking)", DeadLetterReason: "too late", DeadLetterAttempts: "8", DeadLetterSource: "request"}
        | map_values({DataType: "String", StringValue: .})'
}

put_letters()
{
    tell /put "$(for booking; do jq -cn --argjson attributes "$(attributes "$booking")" --arg body "{\"bookingId\":\"$booking\"}" \
        '{$body, $attributes}'; done | jq -cs --arg queue "$request-dlq" '{$queue, messages: .}')"
}

depth()
{
    http GET "$control/depth?queue=$1"
    field .depth
}

# --- The tests.

empty_queues_are_shown()
{
    operator queues --json
    expect_code 0 queues
    expect_json 'length == 2 and all(.visible == 0 and .deadLetters == 0 and .oldestAgeSeconds == null)' 'two empty queues'
    expect_json 'map(.name) == ["request", "confirmation"]' 'their names'
    operator dlq list --queue request
    same 'an empty list' 'no dead letters' "$body"
    ok 'two empty queues, and an age that SQS does not tell'
}

letters_are_listed_and_given_back()
{
    put_letters {1..25}
    for _ in 1 2; do # the second look finds them only if the first has given them back
        operator dlq list --queue request --json
        expect_code 0 'dlq list'
        expect_json 'length == 25 and (map(.bookingId) | unique | length) == 25' 'all of them'
        expect_json 'all(.reason == "too late" and .attempts == "8" and .event == "BOOKING_CREATED")' 'what they say'
    done
    letter=$(field '.[] | select(.bookingId == "7").id')
    operator dlq show "$letter" --queue request --json
    expect_json '.body == "{\"bookingId\":\"7\"}" and .attributes.DeadLetterSource == "request"' 'show'
    operator queues --json
    expect_json '.[0].deadLetters == 25' 'their number'
    operator dlq drop nobody --queue request
    expect_code 1 'an unknown id'
    same 'letters' 25 "$(depth request-dlq)"
    ok 'more letters than one call brings: listed twice, shown, all still there'
}

refused_is_not_lost()
{
    fault SendMessageBatch denied
    operator dlq redrive "$letter" --queue request
    expect_code 77 'redrive that is not allowed'
    fault SendMessageBatch lies # it had its effect, and the answer says that it had none
    operator dlq redrive "$letter" --queue request
    expect_code 75 'redrive without an answer'
    fault none
    same 'letters' 25 "$(depth request-dlq)"
    same 'what came through nevertheless' 1 "$(depth request)"
    aws PurgeQueue "{\"QueueUrl\": \"$(url_of request)\"}"
    ok 'a letter that the queue is not seen to take stays a dead letter'
}

redriven_as_published()
{
    operator dlq redrive "$letter" --queue request
    expect_code 0 redrive
    same 'what it says' "$letter  redriven" "$body"
    same 'letters left' 24 "$(depth request-dlq)"
    aws ReceiveMessage "{\"QueueUrl\": \"$(url_of request)\", \"MessageAttributeNames\": [\"All\"], \"MessageSystemAttributeNames\": [\"All\"]}"
    expect_json '.Messages | length == 1 and .[0].Body == "{\"bookingId\":\"7\"}"' 'the message'
    expect_json '.Messages[0].MessageAttributes | map_values(.StringValue) == {EventType: "BOOKING_CREATED", BookingId: "7", ProviderId: "salon", EventId: "event-7"}' 'its attributes'
    operator dlq redrive --all --queue request --json
    expect_code 0 'redrive --all'
    expect_json 'length == 24 and all(.outcome == "redriven")' 'each is told'
    same 'letters left' 0 "$(depth request-dlq)"
    same 'messages' 25 "$(depth request)"
    put_letters to-drop
    operator dlq list --queue request --json
    operator dlq drop "$(field '.[0].id')" --queue request
    expect_code 0 drop
    same 'letters left' 0 "$(depth request-dlq)"
    ok 'redriven with what it was published with, then deleted'
}

# SQS swallows for five minutes what comes again under one deduplication id.
fifo_is_not_swallowed()
{
    request=orders.fifo
    aws SendMessage "$(jq -cn --arg url "$(url_of orders.fifo)" \
        '{QueueUrl: $url, MessageBody: "{}", MessageGroupId: "b-1", MessageDeduplicationId: "event-b-1"}')"
    aws ReceiveMessage "{\"QueueUrl\": \"$(url_of orders.fifo)\"}"
    aws DeleteMessage "$(jq -cn --arg url "$(url_of orders.fifo)" --arg receipt "$(field '.Messages[0].ReceiptHandle')" \
        '{QueueUrl: $url, ReceiptHandle: $receipt}')"
    aws SendMessage "$(jq -cn --arg url "$(url_of orders-dlq.fifo)" --argjson attributes "$(attributes b-1)" \
        '{QueueUrl: $url, MessageBody: "{\"again\":1}", MessageGroupId: "b-1", MessageDeduplicationId: "x", MessageAttributes: $attributes}')"
    operator dlq redrive --all --queue request
    expect_code 0 'redrive of a FIFO queue'
    aws ReceiveMessage "{\"QueueUrl\": \"$(url_of orders.fifo)\", \"MessageSystemAttributeNames\": [\"All\"]}"
    expect_json '.Messages | length == 1 and .[0].Body == "{\"again\":1}"' 'the message has arrived'
    expect_json '.Messages[0].Attributes | .MessageGroupId == "b-1" and (.MessageDeduplicationId | startswith("event-b-1-"))' 'in its group'
    same 'letters left' 0 "$(depth orders-dlq.fifo)"
    request=request
    ok 'FIFO: in the group of its booking, under a deduplication id of its own'
}

# set_attributes QUEUE JSON
set_attributes()
{
    aws SetQueueAttributes "$(jq -cn --arg url "$(url_of "$1")" --argjson attributes "$2" '{QueueUrl: $url, Attributes: $attributes}')"
}

# finds VERDICT ABOUT TEXT
finds()
{
    jq -e --arg verdict "$1" --arg about "$2" --arg text "$3" \
        'any(.verdict == $verdict and .about == $about and (.finding | contains($text)))' <<<"$body" >/dev/null ||
        fail "doctor: $1 $2: $3"
}

doctor_examines_them()
{
    local allow
    allow=$(jq -cn '{redrivePermission: "byQueue", sourceQueueArns: ["arn:aws:sqs:us-east-1:000000000000:request"]} | tojson
        | {RedriveAllowPolicy: ., MessageRetentionPeriod: "1209600", SqsManagedSseEnabled: "true"}')
    operator doctor --json
    expect_code 0 'doctor of new queues'
    finds ok credentials 'from environment'
    finds ok clock within
    finds ok 'request queue' 'maxReceiveCount 1000'
    finds warn 'request dead letters' byQueue
    finds warn 'request dead letters' '4 and 4 days'
    finds warn worker 'http://127.0.0.1:9'
    set_attributes request-dlq "$allow"
    set_attributes confirmation-dlq "$allow"
    set_attributes confirmation '{"SqsManagedSseEnabled": "true", "VisibilityTimeout": "5"}'
    operator doctor --json
    expect_code 1 'doctor of queues that do not fit'
    finds ok 'request dead letters' 'takes dead letters of this queue'
    finds ok 'request dead letters' 'keeps letters 14 days'
    finds ok 'request dead letters' 'encrypted at rest'
    finds FAIL 'confirmation dead letters' 'other queues only'
    finds warn 'confirmation queue' 'visibility timeout 5 s'
    confirmation=few
    operator doctor --json
    expect_code 1 'doctor of a queue with five receives'
    finds FAIL 'confirmation queue' 'maxReceiveCount is 5:'
    expect_json 'any(.setting == "aws_sqs_queue.redrive_policy.maxReceiveCount")' 'what mends it'
    confirmation=nowhere
    operator doctor --json
    expect_code 1 'doctor of a queue that is not there'
    finds FAIL 'confirmation queue' 'out of reach'
    confirmation=confirmation
    secret=wrong
    operator doctor --json
    expect_code 1 'doctor with a wrong secret'
    finds FAIL 'request queue' AWS_SECRET_ACCESS_KEY
    ! grep -q 'secret=wrong' <<<"$body" || fail 'no secret is told'
    unset secret
    ok 'doctor finds each attribute that does not fit'
}

start_peer
for name in request confirmation orders.fifo; do
    tell /queue "{\"name\": \"$name\"}"
done
tell /queue '{"name": "few", "maxReceives": 5}'
empty_queues_are_shown
letters_are_listed_and_given_back
refused_is_not_lost
redriven_as_published
fifo_is_not_swallowed
doctor_examines_them
finish
