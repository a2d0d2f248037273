#!/usr/bin/env bash
# Everyone is told, once and correctly: a mail server (Debian's aiosmtpd), a webhook receiver (npm's
# standardwebhooks) and SNS (npm's fauxqs), first one by one, then all together while they lose what
# comes and the worker is killed again and again.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=/usr/bin/python3 # the one that Debian's packages are for
seed=${BOOKFLOW_TEST_SEED:-$((RANDOM * 32768 + RANDOM + 1))}
secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
other_secret=whsec_c2l4IGFuZCB0d2VudHkgcmFuZG9tIGJ5dGVzIQ==
node=$("$here/../sqs/peers.sh" "$build")
far_side=$(dirname "$(dirname "$(dirname "$(dirname "$node")")")")/notices.mjs
lives=100
inputs=() # of the helpers

# --- The far sides.

# helper NAME COMMAND...: starts it; its first line is in $said. It ends when the test does.
helper()
{
    local name=$1
    shift
    mkfifo "$work/$name.in"
    : >"$work/$name.said"
    "$@" <"$work/$name.in" >"$work/$name.said" 2>"$work/$name.log" &
    helpers+=($!)
    exec {held}>"$work/$name.in" # its standard input ends with us
    inputs+=("$held")
    until_true 60 "$name listens" test -s "$work/$name.said"
    said=$(head -n 1 "$work/$name.said")
}

# start_post NAME [OPTION...]: a mail server; sets $post_port.
start_post()
{
    : >"$work/$1.mails"
    helper "$1" "$python" "$here/notices_post.py" "$work/$1.mails" "${@:2}"
    post_port=$said
}

# start_far NAME [SEED]
start_far()
{
    helper "$1" "$node" --no-warnings "$far_side" "$secret" "${@:2}"
    far=$(jq -r .control <<<"$said")
    variables=(BOOKFLOW_MAIL_FROM='Salon Zoë <bookings@example.org>' BOOKFLOW_SMTP_URL="smtp://127.0.0.1:$post_port"
        BOOKFLOW_WEBHOOK_URL="$(jq -r .webhook <<<"$said")/hook" BOOKFLOW_WEBHOOK_SECRET="$secret"
        BOOKFLOW_SMS=sns AWS_REGION=eu-north-1 AWS_ENDPOINT_URL_SNS="$(jq -r .sns <<<"$said")"
        AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY)
}

told()
{
    curl -q --noproxy '*' -sS "$far/told"
}

# --- People and bookings.

# put_people NAME: the provider, and users user-1 ... user-$lives with an address and a number each.
put_people()
{
    local each
    http PUT "${url[$1]}/providers/salon" "${json[@]}" -d '{"name":"Salon","email":"salon@example.org"}'
    for ((each = 1; each <= ${2:-$lives}; each++)); do
        http PUT "${url[$1]}/users/user-$each" "${json[@]}" \
            -d "{\"name\":\"User $each\",\"email\":\"user-$each@example.org\",\"phone\":\"+49 12345 $(printf %05d "$each")\"}"
    done
}

# decided VERB STATUS: the provider decides of $id.
decided()
{
    until_true 20 'the inbox shows it' shows "$worker" "/providers/salon/bookings/$id" pending
    post "${url[$worker]}/providers/salon/bookings/$id/$1"
    until_true 20 "intake shows $2" shows "$worker" "/bookings/$id" "$2"
}

notices()
{
    get "${url[$worker]}/notices?limit=1000${1+&$1}"
}

# all_told: nothing waits any more.
all_told()
{
    notices waiting=true
    jq -e '.notices | length == 0' <<<"$body" >/dev/null
}

# The same; what has met trouble twice would wait for minutes, and is asked for again.
all_told_by_request()
{
    local each
    ! all_told || return 0
    for each in $(field '.notices[] | select(.attempts > 1).id'); do
        post "${url[$worker]}/notices/$each/replay"
    done
    return 1
}

operator()
{
    bookflow_with BOOKFLOW_URL="${url[$worker]}" -- "$@"
}

# judged FILE: all that arrived beside all bookings.
judged()
{
    get "${url[$worker]}/bookings?limit=1000"
    jq -c --argjson told "$(told)" '{bookings, told: $told}' <<<"$body" >"$work/judge.json"
    "$python" "$here/notices_judge.py" "$1" <"$work/judge.json"
}

# --- One by one.

mails_with()
{
    (($(jq -r .message "$work/$1.mails" | grep -c "$2") == $3))
}

the_whole_story()
{
    book "$worker" salon-1 user-1
    decided accept confirmed
    until_true 20 'the invitation is there' mails_with post 'method=REQUEST' 1
    post "${url[$worker]}/bookings/$id/cancel" '{"reason":"ill; sorry, \\\nBEGIN:VEVENT"}'
    book "$worker" salon-2 user-2
    decided reject rejected
    book "$worker" salon-3 user-3
    decided accept confirmed
    until_true 30 'all are told' all_told
    judged "$work/post.mails" || fail 'each is told what is true'
    same 'what was refused' '[]' "$(told | jq -c .refused)"
    same 'types' '["booking.created","booking.confirmed","booking.cancelled"]' \
        "$(told | jq -c '[.webhooks[] | select(.data.userId == "user-1").type]')"
    ok 'request, confirmation, cancel, rejection: mail, webhook and short message'
}

the_history_tells()
{
    get "${url[$worker]}/bookings?userId=user-1"
    id=$(field '.bookings[0].id')
    get "${url[$worker]}/bookings/$id/history"
    expect_json '[.history[] | select(.event == "NOTICE_SENT").reason] | sort == [
        "mail to provider, cancelled", "mail to provider, pending", "mail to user, cancelled", "mail to user, confirmed",
        "sms to user, cancelled", "sms to user, confirmed", "webhook to endpoint, cancelled",
        "webhook to endpoint, confirmed", "webhook to endpoint, pending"]' 'what was delivered'
    get "${url[$worker]}/metrics"
    grep -q '^bookflow_notices_sent_total{worker="intake"} 19$' <<<"$body" || fail 'the metrics count it'
    operator notice list "$id" | grep -q "sent .*${id}_confirmed_user_mail" || fail 'notice list'
    ok 'history, metrics and the list of notices show the delivery'
}

it_can_be_seen_and_said_again()
{
    operator notice preview "$id" --channel mail >"$work/preview"
    for line in METHOD:CANCEL 'Cancelled: Salon' user-1@example.org; do
        grep -q "$line" "$work/preview" || fail "the preview shows $line"
    done
    same 'replay' '4 to be sent again' "$(operator notice replay "$id")"
    until_true 30 'all are told again' all_told
    judged "$work/post.mails" || fail 'each is told what is true'
    operator notice replay "${id}_confirmed_user_mail" 2>/dev/null && fail 'what is not true any more is not said again'
    ok 'preview, and replay of what is true'
}

hostile_names()
{
    local name='x\r\nBcc: all@example.org\nEND:VCALENDAR\",;\\{user}\u202e'
    http PUT "${url[$worker]}/users/user-4" "${json[@]}" -d "{\"name\":\"$name\",\"email\":\"user-4@example.org\",\"phone\":\"0049 (12345) 00004\"}"
    http PUT "${url[$worker]}/providers/salon" "${json[@]}" -d "{\"name\":\"$name\",\"email\":\"salon@example.org\"}"
    book "$worker" salon-4 user-4
    decided accept confirmed
    until_true 30 'all are told' all_told
    judged "$work/post.mails" || fail 'each is told what is true'
    same 'the name in the webhook' "$(jq -r . <<<"\"$name\"")" \
        "$(told | jq -r '[.webhooks[] | select(.data.userId == "user-4").data.userName] | last')"
    ! jq -r .message "$work/post.mails" | grep -q '^Bcc:' || fail 'a name makes no header'
    same 'recipients of each mail' 1 "$(jq -s 'map(.to | length) | unique | .[]' "$work/post.mails")"
    ok 'hostile names stay names in headers, calendar and payload'
}

nobody_is_named()
{
    ! grep -E 'user-[0-9]+@|salon@|12345|whsec_|s3cret' "$work"/*.log.now >&2 || fail 'the log names nobody'
    ok 'no address, number or secret in the log'
}

# --- Troubles one by one.

two_secrets_sign()
{
    worker=rotated
    start_worker $worker all "${variables[@]}" BOOKFLOW_WEBHOOK_SECRET="$other_secret $secret"
    make_slots $worker salon r 3
    book $worker r-1 somebody
    until_true 30 'all are told' all_told
    told | jq -e --arg id "$id" 'any(.webhooks[]; .data.bookingId == $id) and .refused == []' >/dev/null ||
        fail 'the receiver with the old secret accepts it'
    ok 'while the secret is changed both are used'
}

answered_so()
{
    local from=$SECONDS
    curl -q --noproxy '*' -sS "$far/next?answer=$1" >/dev/null
    book "$worker" "$2" somebody
    until_true 30 "answered $1" reaches "$worker" "/notices?bookingId=$id" "$3"
    printf '  %s: %d s\n' "$1" $((SECONDS - from))
}

answers_of_a_receiver()
{
    local before
    answered_so 302 r-2 '.notices[0] | .state == "sent" and .attempts == 2'
    answered_so 410 r-3 '.notices[0] | .state == "given up" and .attempts == 1'
    make_slots "$worker" salon g 1
    before=$(told | jq '.webhooks | length')
    book "$worker" g-1 somebody
    until_true 30 'it is not asked' reaches "$worker" "/notices?bookingId=$id" '.notices[0] | .state == "waiting" and .attempts > 0'
    same 'webhooks' "$before" "$(told | jq '.webhooks | length')"
    reaches "$worker" "/bookings/$id/history" 'any(.history[]; .event == "NOTICE_FAILED" and (.reason | contains("410 Gone")))' ||
        fail 'the history says why'
    stop_worker "$worker"
    ok 'a redirect is a failure and tried again after five seconds; 410 ends it until a restart'
}

nobody_there()
{
    worker=unknown
    start_worker $worker all "${variables[@]}"
    make_slots $worker salon n 2
    http PUT "${url[$worker]}/providers/salon" "${json[@]}" -d '{"name":"S","email":"nobody@example.org"}'
    book $worker n-1 somebody
    until_true 30 'it is given up' reaches $worker "/notices?bookingId=$id" \
        'any(.notices[]; .channel == "mail" and .state == "given up")'
    reaches $worker "/bookings/$id/history" 'any(.history[]; .event == "NOTICE_GIVEN_UP" and .reason == "mail to provider, pending: the mail server answered 550")' ||
        fail 'the history says why, and names nobody'
    stop_worker $worker
    ok 'an unknown recipient is given up at once'
}

# make_certificate FILE NAME: by an authority of our own, $work/ca.pem.
make_certificate()
{
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 -out "$1.crt" \
        -extfile <(printf 'subjectAltName=DNS:%s' "$2") 2>/dev/null
    cat "$1.key" "$1.crt" >"$1"
}

# a_mail_by URL [VARIABLE=VALUE...]: a worker that mails there; a booking of somebody.
a_mail_by()
{
    worker=mailer$((++mailers))
    start_worker $worker all BOOKFLOW_MAIL_FROM=bookings@example.org BOOKFLOW_SMTP_URL="$1" "${@:2}"
    make_slots $worker salon m 1
    put_people $worker 1
    book $worker m-1 user-1
}

mailed()
{
    until_true 30 'the mail is sent' reaches $worker "/notices?bookingId=$id" '.notices[0].state == "sent"'
    stop_worker $worker
}

not_mailed()
{
    until_true 30 'it fails' reaches $worker "/bookings/$id/history" "any(.history[]; .event == \"NOTICE_FAILED\" and (.reason | test(\"$1\")))"
    stop_worker $worker
}

by_tls()
{
    make_certificate "$work/localhost.pem" localhost
    start_post tls --tls "$work/localhost.pem" --auth zoe:s3cret
    a_mail_by "smtps://zoe:s3cret@localhost:$post_port" AWS_CA_BUNDLE="$work/ca.pem"
    mailed
    a_mail_by "smtps://zoe:wrong@localhost:$post_port" AWS_CA_BUNDLE="$work/ca.pem"
    not_mailed 'answered 535'
    a_mail_by "smtps://zoe:s3cret@localhost:$post_port"
    not_mailed 'certificate'
    a_mail_by "smtps://zoe:s3cret@127.0.0.1:$post_port" AWS_CA_BUNDLE="$work/ca.pem"
    not_mailed 'SSL|certificate'
    same 'mails by TLS' 1 "$(wc -l <"$work/tls.mails")"
    ok 'TLS and a password; a wrong password, an unknown authority and another name are refused'
}

by_starttls()
{
    local name
    name=$(hostname)
    if [[ $name == localhost ]] || ! getent hosts "$name" >/dev/null; then
        ok 'STARTTLS: skipped, this machine has no name'
        return
    fi
    make_certificate "$work/name.pem" "$name"
    start_post starttls --starttls "$work/name.pem"
    a_mail_by "smtp://$name:$post_port" AWS_CA_BUNDLE="$work/ca.pem"
    mailed
    same 'mails by STARTTLS' 1 "$(wc -l <"$work/starttls.mails")"
    ok 'STARTTLS beyond loopback'
}

settings_are_checked()
{
    local code=0
    mkdir -p "$work/templates"
    printf 'Subject: x\n\n{nobody}\n' >"$work/templates/mail_user_confirmed.txt"
    bookflow_with BOOKFLOW_SMTP_URL=http://x BOOKFLOW_WEBHOOK_URL=https://10.0.0.1 BOOKFLOW_SMS=pigeon \
        BOOKFLOW_TEMPLATES="$work/templates" BOOKFLOW_STATE_DIR="$work/checked" -- serve all --check 2>"$work/check.err" || code=$?
    same 'exit code' 78 $code
    for name in BOOKFLOW_SMTP_URL BOOKFLOW_MAIL_FROM BOOKFLOW_WEBHOOK_URL BOOKFLOW_WEBHOOK_SECRET BOOKFLOW_SMS \
        BOOKFLOW_TEMPLATES 'mail_user_confirmed.txt:3: '; do
        grep -q "$name" "$work/check.err" || fail "$name is named"
    done
    bookflow_with BOOKFLOW_SMS=sns BOOKFLOW_STATE_DIR="$work/checked" -- serve all --check 2>"$work/check.err" && fail 'SMS needs a region'
    grep -q AWS_REGION "$work/check.err" || fail 'AWS_REGION is named'
    ok 'bad settings and templates are named at the start, 78'
}

# --- All together, with troubles.

# A client's part: bookings whose lives contradict each other, whatever the worker is doing.
live()
{
    local each answer
    for ((each = $1; each <= lives; each += 4)); do
        until answer=$(ask POST /bookings "{\"slotId\":\"chaos-$each\",\"userId\":\"user-$each\"}" "book-$each") &&
            [[ $answer == *'"id"'* ]]; do pause; done
        answer=$(jq -r .id <<<"$answer")
        case $(((each * 7 + seed) % 5)) in
        0) ask POST "/bookings/$answer/cancel" >/dev/null || true ;;
        1 | 2) decide "$answer" accept ;;
        3) decide "$answer" reject ;;
        4) decide "$answer" accept && { ask POST "/bookings/$answer/cancel" '' "cancel-$each" >/dev/null || true; } ;;
        esac
    done
}

# ask METHOD PATH [BODY [KEY]]: in a subshell's own words; fails while the worker is away.
ask()
{
    curl -q --noproxy '*' -s --max-time 10 -X "$1" "${json[@]}" ${4:+-H "Idempotency-Key: $4"} ${3:+-d "$3"} \
        "http://127.0.0.1:$(<"$work/port")$2"
}

decide()
{
    local tries
    for ((tries = 0; tries < 400; tries++)); do
        [[ $(ask POST "/providers/salon/bookings/$1/$2") != *'successfully'* ]] || return 0
        pause
    done
}

pause()
{
    read -rt 0.05 -u "$never" || true
}

restarted()
{
    local first=$1
    start_worker chaos all "${variables[@]}"
    echo "${url[chaos]##*:}" >"$work/port"
    ((first)) || return 0
    make_slots chaos salon chaos $lives
    put_people chaos
}

clients_are_done()
{
    local job
    for job in "${clients[@]}"; do
        is_gone "$job" || return 1
    done
}

all_lives()
{
    local kills=0 client
    worker=chaos
    start_post chaos-post --trouble "$seed"
    start_far chaos-far "$seed"
    restarted 1
    clients=()
    for client in 1 2 3 4; do
        live $client &
        clients+=($!)
        helpers+=($!)
    done
    until clients_are_done; do
        for _ in {1..24}; do pause; done
        kill_worker chaos
        kills=$((kills + 1))
        restarted 0
    done
    until_true 120 'all are told' all_told_by_request
    judged "$work/chaos-post.mails" || fail "each is told what is true (seed $seed)"
    same 'what was refused' '[]' "$(told | jq -c .refused)"
    ok "$lives bookings, $kills kills, troubles everywhere: nobody is told what is not true, all are told the end"
}

printf 'seed %s (BOOKFLOW_TEST_SEED replays it)\n' "$seed"
exec {never}<> <(:)
mailers=0
settings_are_checked
start_post post
start_far far
worker=all
start_worker all all "${variables[@]}"
make_slots all salon salon 10
put_people all 5
the_whole_story
the_history_tells
it_can_be_seen_and_said_again
hostile_names
nobody_is_named
stop_worker all
two_secrets_sign
answers_of_a_receiver
nobody_there
by_tls
by_starttls
all_lives
nobody_is_named
stop_worker chaos
bookflow_with -- audit "$(state_of chaos)/intake.db" "$(state_of chaos)/decision.db" | grep -q 'converged: yes' ||
    fail 'the audit knows notices'
ok 'the audit of both stores knows the rows of notices'
finish
