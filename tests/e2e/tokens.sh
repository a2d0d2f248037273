#!/usr/bin/env bash
# Tokens from end to end: made, used, changed for others without a refused request, taken back; and when
# a worker asks for them.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"
# shellcheck source=tests/prove/figure.sh
source "$(dirname "${BASH_SOURCE[0]}")/../prove/figure.sh"

rotations=12

# token NAME ARGUMENTS...: the verb, on the state directory of that worker.
token()
{
    local name=$1
    shift
    bookflow_with BOOKFLOW_STATE_DIR="$(state_of "$name")" -- token "$@"
}

# made NAME ARGUMENTS...: ID.SECRET of a new one, in $new.
made()
{
    new=$(token "$1" create "${@:2}") || fail "token create ${*:2}"
    new=${new##* }
    [[ $new =~ ^[0-9a-f]{16}\.[0-9a-f]{64}$ ]] || fail "a token is the last word, not $new"
}

# as TOKEN COMMAND...: `http METHOD URL ...` with that token.
as()
{
    http "$2" "$3" -H "Authorization: Bearer $1" "${@:4}"
}

# as_post TOKEN URL BODY [CURL ARGUMENT...]
as_post()
{
    as "$1" POST "$2" "${json[@]}" -d "$3" "${@:4}"
}

# --- The verb.

verbs()
{
    local state
    state=$(state_of all)
    made all 'front desk' --role provider --provider salon
    desk=$new
    made all app --role booker --expires 30
    app=$new
    made all root --role admin
    root=$new
    same 'the mode of the file' 600 "$(stat -c %a "$state/tokens")"
    for new in "$desk" "$app" "$root"; do
        ! grep -rq "${new#*.}" "$state" || fail 'no secret is kept'
        grep -q "^${new%.*} $(printf %s "${new#*.}" | sha256sum | cut -d ' ' -f 1) " "$state/tokens" || fail 'but its hash'
    done
    body=$(token all list --json)
    expect_json 'map([.name, .role, .provider]) | sort == [["app","booker",null],["front desk","provider","salon"],["root","admin",null]]' 'token list --json'
    expect_json 'all(.[]; has("hash") or has("token") | not)' 'and no hash in it'
    token all list | grep -q "^${desk%.*}  provider  salon  *.*front desk$" || fail 'token list'
    body=$(token all create gone --role booker --json)
    new=$(field .token)
    token all revoke "${new%.*}"
    ! grep -q " gone$" "$state/tokens" || fail 'a revoked one is gone'
    refuses_to_start 1 'no token has the id' 'revoking it again' BOOKFLOW_STATE_DIR="$state" -- token revoke "${new%.*}"
    ok 'token create, list, revoke'
}

wrong_usage()
{
    refuses_to_start 2 'role' 'no role' -- token create a
    refuses_to_start 2 'role' 'a strange role' -- token create a --role boss
    refuses_to_start 2 'provider' 'a provider without an id' -- token create a --role provider
    refuses_to_start 2 'provider' 'a booker with one' -- token create a --role booker --provider p
    refuses_to_start 2 'must be an id' 'an id that is none' -- token create a --role provider --provider p/1
    refuses_to_start 2 'audit trail' 'a name of the trail' -- token create system --role admin
    refuses_to_start 2 'plain text' 'a name that acts' -- token create $'a\e[2J' --role admin
    refuses_to_start 2 'days' 'no days' -- token create a --role admin --expires 0
    refuses_to_start 2 usage 'no name' -- token create --role admin
    refuses_to_start 2 usage 'an option of another verb' -- token list --role admin
    refuses_to_start 2 'only the id' 'a secret among the arguments' -- token revoke "$root"
    [[ ! -e $work/refused/tokens ]] || fail 'wrong usage makes no file'
    ok 'wrong usage is 2 and leaves no file'
}

# --- When it is asked for.

asks()
{
    get "${url[$1]}/bookings"
    same "a request without a token to $1" "$2" "$status"
}

at_start()
{
    local state
    state=$(state_of all)
    refuses_to_start 78 BOOKFLOW_BEHIND_TLS_PROXY 'listening beyond loopback' BOOKFLOW_LISTEN=0.0.0.0:0 -- serve all
    refuses_to_start 78 BOOKFLOW_AUTH 'open beyond loopback' BOOKFLOW_LISTEN='[::]:0' BOOKFLOW_BEHIND_TLS_PROXY=1 \
        BOOKFLOW_AUTH=off -- serve all
    refuses_to_start 78 'BOOKFLOW_BEHIND_TLS_PROXY: must be 1' '--check of it' BOOKFLOW_LISTEN=0.0.0.0:0 -- serve all --check
    beyond 78 'BOOKFLOW_BEHIND_TLS_PROXY=1' 'a socket of systemd beyond loopback'
    beyond 78 'not off' 'an open one' BOOKFLOW_BEHIND_TLS_PROXY=1 BOOKFLOW_AUTH=off
    chmod 640 "$state/tokens"
    refuses_to_start 78 'chmod 600' 'a tokens file that others may read' BOOKFLOW_STATE_DIR="$state" -- serve all
    refuses_to_start 78 'chmod 600' '--check of it' BOOKFLOW_STATE_DIR="$state" -- serve all --check
    chmod 600 "$state/tokens"
    start_worker far all BOOKFLOW_LISTEN=0.0.0.0:0 BOOKFLOW_BEHIND_TLS_PROXY=1
    url[far]=http://127.0.0.1:${url[far]##*:}
    asks far 401
    stop_worker far
    start_worker asking all BOOKFLOW_AUTH=on
    asks asking 401
    stop_worker asking
    start_worker open all
    asks open 200
    made open late --role booker
    until_true 5 'tokens that are made are asked for' is_asked open
    as "$new" GET "${url[open]}/bookings"
    expect_status 200 'who has one'
    stop_worker open
    start_worker open all BOOKFLOW_AUTH=off
    asks open 200
    stop_worker open
    ok 'tokens are asked for where there are some, and always beyond loopback, behind a TLS proxy only'
    figure S6 ok 'beyond loopback without a TLS proxy, or open: exit 78, by setting and by a socket of systemd; with both: every request needs a token'
}

is_asked()
{
    get "${url[$1]}/bookings"
    [[ $status == 401 ]]
}

# beyond CODE TEXT WHAT [VARIABLE=VALUE...]: with a socket from systemd that listens on all addresses.
beyond()
{
    local code=0
    (trap - ERR; exec env -i PATH="$PATH" HOME="$work" BOOKFLOW_STATE_DIR="$work/beyond" "${@:4}" timeout 10 python3 -c '
import os, socket, sys
listener = socket.socket()
listener.bind(("0.0.0.0", 0))
listener.listen()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[1], [sys.argv[1], "serve", "all"])' "$bookflow") >"$work/said.out" 2>"$work/said" </dev/null || code=$?
    same "exit code of $3" "$1" "$code"
    grep -q -- "$2" "$work/said" || fail "$3 is told: $2"
}

damage()
{
    local state
    state=$(state_of all)
    cp -p "$state/tokens" "$work/whole"
    sed -i "s/^${app%.*} ./${app%.*} x/" "$state/tokens"
    until_true 5 'a damaged line is nobody' is_answered 401 "$app"
    is_answered 200 "$root" || fail 'the others hold'
    until_true 5 'the log names the line' grep -q 'tokens.trouble .*refused=1 reason="line 3 is no token"' "$work/all.log.now"
    refuses_to_start 78 'line 3 is no token' '--check' BOOKFLOW_STATE_DIR="$state" -- serve all --check
    refuses_to_start 1 'line 3 is no token' 'adding to it' BOOKFLOW_STATE_DIR="$state" -- token create more --role admin
    : >"$state/tokens"
    is_answered 401 "$root" || fail 'an empty file lets nobody in'
    chmod 644 "$state/tokens"
    is_answered 503 "$root" || fail 'a file that others may read lets nobody in'
    cp -p "$work/whole" "$state/tokens"
    is_answered 200 "$app" || fail 'all is well again'
    ok 'a damaged line refuses its own, a damaged file everybody; both are named'
}

# is_answered STATUS TOKEN
is_answered()
{
    as "$2" GET "${url[all]}/bookings"
    [[ $status == "$1" ]]
}

# --- One for another, while it is used.

# Uses the token of the moment, one request after the other; each answer is a line: TOKEN STATUS.
use()
{
    local now
    while now=$(<"$work/token") && [[ $now ]]; do
        printf '%s %s\n' "$now" "$(curl -q -sS -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $now" "${url[all]}/bookings?limit=1")"
    done >"$1"
}

used_by_all()
{
    grep -q "^$new " "$work/use.1" && grep -q "^$new " "$work/use.2"
}

rotation()
{
    local old users=()
    made all salon --role booker
    printf '%s' "$new" >"$work/token"
    use "$work/use.1" &
    users+=($!)
    use "$work/use.2" &
    users+=($!)
    helpers+=("${users[@]}")
    for ((i = 0; i < rotations; i++)); do
        until_true 20 'the token is used' used_by_all
        old=$new
        made all salon --role booker
        printf '%s' "$new" >"$work/token.new"
        mv "$work/token.new" "$work/token"
        until_true 20 'the new one is used' used_by_all
        token all revoke "${old%.*}"
        is_answered 401 "$old" || fail 'the request behind revoke is refused'
    done
    : >"$work/token"
    wait "${users[@]}"
    requests=$(cat "$work"/use.* | wc -l)
    refused=$(cat "$work"/use.* | grep -vc ' 200$') || true # grep counts none as a failure
    same 'refused requests' 0 "$refused"
    ok "$requests requests over $rotations rotations: none refused, each old token refused at once"
}

# --- Streams.

stream()
{
    curl -q -sSN -H "Authorization: Bearer $1" "${url[all]}/providers/salon/events" >"$work/stream.$2" &
    helpers+=($!)
    until_true 10 'a stream begins' grep -q '^id: ' "$work/stream.$2"
}

streams_end()
{
    local began
    made all tablet --role provider --provider salon
    stream "$new" gone
    local gone=${helpers[-1]}
    stream "$desk" stays
    began=$(now_ms)
    token all revoke "${new%.*}"
    until_true 5 'the stream of a revoked token ends' is_gone "$gone"
    took=$(($(now_ms) - began))
    ((took < 2500)) || fail "within two seconds, not after $took ms"
    ! is_gone "${helpers[-1]}" || fail 'the other stream goes on'
    kill "${helpers[-1]}"
    ok "the stream of a revoked token ended after $took ms, its neighbour's did not"
}

# --- Who did it.

who_decided()
{
    local first
    as_post "$root" "${url[all]}/providers/salon/slots" "{\"slots\":[
        {\"id\":\"w-1\",\"start\":\"$(a_day 3)\",\"end\":\"$(a_day 3 11:00)\"},
        {\"id\":\"w-2\",\"start\":\"$(a_day 4)\",\"end\":\"$(a_day 4 11:00)\"}]}"
    expect_status 201 'slots'
    as_post "$app" "${url[all]}/bookings" '{"slotId":"w-1","userId":"u-1"}' -H 'Idempotency-Key: k-1'
    expect_status 201 'a booking'
    first=$body
    id=$(field .id)
    made all app --role booker
    as_post "$new" "${url[all]}/bookings" '{"slotId":"w-1","userId":"u-1"}' -H 'Idempotency-Key: k-1'
    expect 201 "$first" 'the same again, by the next token of the same name'
    made all 'another app' --role booker
    as_post "$new" "${url[all]}/bookings" '{"slotId":"w-1","userId":"u-1"}' -H 'Idempotency-Key: k-1'
    expect_error 409 'Slot is already booked' 'the same key of somebody else'
    until_true 20 'the booking arrives' arrives
    as_post "$desk" "${url[all]}/providers/salon/bookings/$id/accept" '{}'
    expect_status 200 'accepting'
    as "$desk" GET "${url[all]}/providers/salon/bookings/$id"
    expect_json '.decidedBy == "front desk"' 'who decided is named'
    as "$desk" GET "${url[all]}/providers/salon/bookings/$id/history"
    expect_json 'any(.history[]; .actor == "front desk" and .to == "confirmed")' 'in the trail, too'
    as_post "$root" "${url[all]}/providers/salon/bookings/$id/reject" '{}'
    expect_json '.decidedBy == "front desk"' 'and to who comes second'
    until_true 20 'intake hears it' confirmed
    ok 'keys belong to the caller, decisions carry the name of the token'
}

arrives()
{
    as "$desk" GET "${url[all]}/providers/salon/bookings/$id"
    [[ $status == 200 ]]
}

confirmed()
{
    as "$app" GET "${url[all]}/bookings/$id"
    [[ $(field .status) == confirmed ]]
}

trail_is_whole()
{
    local store
    for store in intake decision; do
        sqlite3 "$(state_of all)/$store.db" ".backup $work/$store.db"
    done
    bookflow_with -- audit "$work/intake.db" "$work/decision.db" | grep -qx 'converged: yes' || fail 'the trail is whole'
    ok 'the audit finds both stores whole and alike'
}

# --- Clients.

clients()
{
    local code=0
    (umask 077 && printf '%s\n' "$desk" >"$work/desk" && printf '%s\n' "$app" >"$work/app")
    (exec env -i PATH="$PATH" HOME="$work" BOOKFLOW_URL="${url[all]}" BOOKFLOW_PROVIDER=salon BOOKFLOW_TOKEN_FILE="$work/desk" \
        "$build/tui/bookflow-console" --list --json) >"$work/list"
    jq -e --arg id "$id" 'any(.[]; .id == $id)' "$work/list" >/dev/null || fail 'the console lists with a token'
    bookflow_with BOOKFLOW_URL="${url[all]}" BOOKFLOW_TOKEN_FILE="$work/app" -- history "$id" | grep -q 'front desk\|provider' ||
        fail 'history with a token'
    refuses_to_start 77 'bearer token' 'history without a token' BOOKFLOW_URL="${url[all]}" -- history "$id"
    refuses_to_start 77 'another token' "history with a provider's" BOOKFLOW_URL="${url[all]}" BOOKFLOW_TOKEN="$desk" -- history "$id"
    (exec env -i PATH="$PATH" HOME="$work" BOOKFLOW_URL="${url[all]}" BOOKFLOW_PROVIDER=other BOOKFLOW_TOKEN="$desk" \
        "$build/tui/bookflow-console" --list) >"$work/list" 2>"$work/said" || code=$?
    same "another provider's list in the console" 77 "$code"
    ok 'the console and the verbs use tokens; without the right one: 77'
}

mkdir -p "$(state_of all)"
verbs
wrong_usage
at_start
start_worker all all
damage
rotation
streams_end
who_decided
trail_is_whole
clients
stop_worker all
! grep -rqE "$never_logged" "$work"/*.log || fail 'no log holds a token'
figure S4 ok "256-bit tokens, SHA-256 alone in the file; $requests requests over $rotations rotations, $refused refused; revoked: next request refused, stream ended in $took ms"
finish
