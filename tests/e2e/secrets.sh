#!/usr/bin/env bash
# Canaries: secrets and contact data in every input there is, and in no log, whatever its level; and files
# with secrets that others may read are refused.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"
# shellcheck source=tests/prove/figure.sh
source "$(dirname "${BASH_SOURCE[0]}")/../prove/figure.sh"

secret=canary-s3cret # nowhere but where it was put
contact=canary-contact
inputs=0

# send METHOD PATH [CURL ARGUMENT...]: whatever comes of it.
send()
{
    http "$1" "${url[all]}$2" "${@:3}"
    inputs=$((inputs + 1))
}

# body TEXT...: each as the body of requests that write, whole and broken.
bodies()
{
    local text path
    for text in "$@"; do
        for path in /bookings /users /providers /providers/salon/slots /providers/salon/decisions /bookings/none/cancel \
            /providers/salon/bookings/none/reject /queues/request/check /queues/confirmation/check; do
            send POST "$path" "${json[@]}" -d "$text" -H "Idempotency-Key: $secret-$inputs"
        done
    done
}

requests()
{
    local form
    for form in "Bearer $secret" "Bearer ${root%.*}.$(printf %064d 7)" "Basic $secret" "bearer $root, $secret" "$secret"; do
        send GET /bookings -H "Authorization: $form"
    done
    send GET "/bookings?userId=$contact&access_token=$secret&limit=$secret"
    send GET "/$secret/$contact"
    send GET "/users/$contact" -H "Authorization: Bearer $root"
    send GET "/providers/$contact/bookings" -H "X-Api-Key: $secret" -H "Cookie: $secret" -H "Authorization: Bearer $root"
    send GET /providers/salon/events -H "Last-Event-ID: $secret" -H "Authorization: Bearer $root"
    send "$secret" /bookings
    json+=(-H "Authorization: Bearer $root")
    bodies "{\"name\":\"$contact\",\"email\":\"$contact@example.org\",\"phone\":\"+49 170 5550199\"}" \
        "{\"slotId\":\"s-1\",\"userId\":\"$contact\",\"reason\":\"$contact\",\"more\":\"$secret\"}" \
        "{\"$contact\":1,\"$contact\":2}" "{\"name\":\"$contact\xff" "{\"name\": $contact" "[\"$secret\"]" \
        "{\"slots\":[{\"id\":\"$contact\",\"start\":\"$secret\"}]}" "{\"accept\":[\"$contact $secret\"],\"reject\":[{\"id\":\"$contact\"}]}" \
        "{\"body\":\"{\\\"eventType\\\":\\\"BOOKING_CREATED\\\",\\\"userName\\\":\\\"$contact\\\"\"}"
    send PUT "/users/u-1" "${json[@]}" -d "{\"name\":\"$contact\",\"email\":\"$contact@example.org\",\"phone\":\"+49 170 5550199\"}"
    raw all "GET /$secret HTTP/1.1\r\nHost: $secret\r\nAuthorization: Bearer $secret\r\nBad Header: $secret\r\n\r\n" 5 >"$work/raw"
    inputs=$((inputs + 1))
}

a_booking_with_contact_data()
{
    make_slots all salon s 3
    book all s-1 u-1
    until_true 20 'it arrives' arrives
    post "${url[all]}/providers/salon/bookings/$id/reject" "{\"reason\":\"$contact\"}"
    expect_status 200 'rejecting'
    book all s-2 u-1
    until_true 20 'it arrives' arrives
    post "${url[all]}/bookings/$id/cancel" "{\"reason\":\"$contact\"}"
    expect_status 200 'cancelling'
    inputs=$((inputs + 2))
}

arrives()
{
    http GET "${url[all]}/providers/salon/bookings/$id" "${json[@]}"
    [[ $status == 200 ]]
}

# put QUEUE ID BODY: as another producer would.
put()
{
    local now
    now=$(now_ms)
    sqlite3 -cmd '.timeout 5000' "$(state_of all)/queues.db" "INSERT INTO message
        (queue, id, sent_ms, visible_ms, attributes, body) VALUES
        ('$1', '$2', $now, $now, CAST('BookingId' || char(0) || '$2' || char(0) AS BLOB), '${3//\'/\'\'}')"
    touch "$(state_of all)/queues.db"
    inputs=$((inputs + 1))
}

dead_letters()
{
    [[ $(sqlite3 -readonly -cmd '.timeout 5000' "$(state_of all)/queues.db" \
        "SELECT count(*) FROM message WHERE queue LIKE '%-dlq'") == "$1" ]]
}

messages()
{
    local queue facts='"userId":"u","providerId":"p","slotId":"s"' time='"2030-01-01T10:00:00Z"'
    for queue in booking-request booking-confirmation; do
        put "$queue" 1 "$contact, not JSON"
        put "$queue" 2 "{\"bookingId\":\"b\",\"userName\":\"$contact"
        put "$queue" 3 "{\"bookingId\":\"b\",$facts,\"userName\":\"$contact\",\"userName\":\"$secret\"}"
        put "$queue" 4 "{\"bookingId\":\"b\",$facts,\"reason\":\"$contact\",\"cancelledAt\":\"$contact\",\"eventType\":\"BOOKING_CANCELLED\",\"timestamp\":$time}"
        put "$queue" 5 "{\"bookingId\":\"$contact of $secret\",$facts,\"eventType\":\"BOOKING_CANCELLED\",\"timestamp\":$time}"
    done
    until_true 20 'they are dead letters' dead_letters 10
}

# A queue that answers every call as SQS answers a wrong signature: with what it was sent.
start_talkative_queue()
{
    python3 -B - "$work/queue.port" <<'PYTHON' &
import http.server, json, sys
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        # The worst first: a log line has an end.
        canonical = "\n".join(sorted((f"{name.lower()}:{value}" for name, value in self.headers.items()),
                                     key=lambda line: not line.startswith("x-amz-security-token")))
        body = json.dumps({"__type": "com.amazon.coral.service#SignatureDoesNotMatch", "message":
            "The Canonical String should be\n" + canonical + "'"}).encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
open(sys.argv[1], "w").write(str(server.server_port))
server.serve_forever()
PYTHON
    helpers+=($!)
    until_true 10 'a queue listens' test -s "$work/queue.port"
}

talkative_queue()
{
    local queue
    start_talkative_queue
    queue=http://127.0.0.1:$(<"$work/queue.port")/123456789012
    start_worker cloud intake AWS_REGION=eu-central-1 AWS_ACCESS_KEY_ID=CANARYKEYID AWS_SECRET_ACCESS_KEY="$secret" \
        AWS_SESSION_TOKEN="$secret-session" SQS_BOOKING_REQUEST_QUEUE_URL="$queue/requests" \
        SQS_BOOKING_CONFIRMATION_QUEUE_URL="$queue/confirmations"
    until_true 20 'the refusal is logged' grep -q 'courier.trouble .*SignatureDoesNotMatch' "$work/cloud.log.now"
    inputs=$((inputs + 3))
    stop_worker cloud
}

# --- Files.

files()
{
    local name file=$work/env
    for name in AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN BOOKFLOW_TOKEN BOOKFLOW_WEBHOOK_SECRET; do
        printf '%s=%s\n' "$name" "$secret" >"$file"
        chmod 644 "$file"
        refuses_to_start 78 "$name.*chmod 600" "an env file with $name that others may read" -- serve all --check --env-file "$file"
        ! grep -q "$secret" "$work/said" || fail 'and the secret is not told'
        chmod 600 "$file"
        [[ $name == BOOKFLOW_WEBHOOK_SECRET ]] || # which must have a form of its own
            bookflow_with BOOKFLOW_STATE_DIR="$work/checked" -- serve all --check --env-file "$file" >"$work/said" ||
            fail "an env file of its user's alone"
    done
    printf 'BOOKFLOW_LOG_LEVEL=warn\n' >"$file"
    chmod 644 "$file"
    bookflow_with BOOKFLOW_STATE_DIR="$work/checked" -- serve all --check --env-file "$file" >"$work/said" || fail 'an env file without a secret'
    printf '%s\n' "$root" >"$work/token"
    chmod 640 "$work/token"
    refuses_to_start 78 'chmod 600' 'a token file that others may read' BOOKFLOW_URL="${url[all]}" BOOKFLOW_TOKEN_FILE="$work/token" -- history b
    local code=0
    BOOKFLOW_URL=${url[all]} BOOKFLOW_PROVIDER=salon "$build/tui/bookflow-console" --token-file "$work/token" --list 2>"$work/said" || code=$?
    same 'the same in the console' 78 "$code"
    mkdir -p "$work/credentials"
    printf 'nobody' >"$work/credentials/BOOKFLOW_LOG_LEVEL"
    refuses_to_start 78 BOOKFLOW_LOG_LEVEL 'a systemd credential is read' CREDENTIALS_DIRECTORY="$work/credentials" -- serve all --check
    ok 'files with secrets are of their user alone, or refused: env files, token files, tokens'
}

no_secret_is_an_argument()
{
    local verb
    for verb in serve slots token queues dlq history audit doctor; do
        ! bookflow_with -- "$verb" --help | grep -Ei -- '--[a-z-]*(token|secret|password|key)' || fail "$verb takes a secret"
    done
    ! "$build/tui/bookflow-console" --help | grep -Ei -- '--[a-z-]*(secret|password|key|token)[ =]' || fail 'the console takes a secret'
    ! grep -qa "$secret" "/proc/${pid[all]}/cmdline" || fail 'a secret among the arguments'
    ! grep -rqa "$secret-env" "$(state_of all)" || fail 'a secret of the environment in the state directory'
    ok 'no option takes a secret, and none of the environment is written down'
}

mkdir -p "$(state_of all)"
root=$(bookflow_with BOOKFLOW_STATE_DIR="$(state_of all)" -- token create root --role admin)
root=${root##* }
start_worker all all AWS_SECRET_ACCESS_KEY="$secret-env" AWS_SESSION_TOKEN="$secret-env"
requests
a_booking_with_contact_data
messages
talkative_queue
files
no_secret_is_an_argument
stop_worker all
# Once more than each log was searched when its worker ended: all that anybody wrote, outputs included.
if grep -rnEi "$never_logged|5550199" "$work"/*.log "$work"/*.log.*; then
    fail 'no log holds a canary'
fi
ok "$inputs inputs with canaries, none in $(cat "$work"/*.log | wc -l) lines of log at level debug"
figure S10 ok "$inputs inputs with secrets or contact data, 0 of them in the logs at level debug; every other test searches its logs, too"
figure S11 ok 'secrets come by systemd credentials, the environment or a 0600 file; no option takes one; files that others may read: exit 78'
finish
