# What the end-to-end tests share: workers on free ports with folders of their own, requests, waits
# that are bounded, expectations that name themselves. Sourced with the build folder as $1. Knows
# nothing of bookings' rules.
# shellcheck shell=bash disable=SC2034

set -euo pipefail

build=$(cd "${1:?usage: TEST.sh BUILD_FOLDER}" && pwd)
bookflow=$build/workers/bookflow
json=(-H 'Content-Type: application/json')
export LC_ALL=C.UTF-8 TZ=UTC
unset BOOKFLOW_URL BOOKFLOW_TOKEN BOOKFLOW_TOKEN_FILE

test_name=$(basename "$0" .sh)
work=$(mktemp -d "${TMPDIR:-/tmp}/bookflow-$test_name.XXXXXX")
begun=$SECONDS
declare -A pid=() url=() role=() # of the workers, by the name that the test gave them
helpers=()                       # other processes of the test
status='' headers='' body=''     # of the last answer
# Tokens, e-mail addresses, and what a test marks as secret: in no log of no worker at no level.
never_logged='[0-9a-f]{16}\.[0-9a-f]{64}|[A-Za-z0-9._-]+@[A-Za-z0-9-]+\.[a-z]|[Bb]earer |[Cc]anary'

# --- How a test ends.

clean_up()
{
    local name
    for name in "${pid[@]}" "${helpers[@]}"; do
        kill -KILL "$name" 2>/dev/null || true
    done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP
trap 'fail "line $LINENO of $test_name.sh ended with $?"' ERR
set -E

ok()
{
    printf 'ok - %s\n' "$1"
}

fail()
{
    trap - ERR
    printf 'not ok - %s\n' "$1" >&2
    printf '  last answer: %s %s\n' "$status" "${body:0:600}" >&2
    local log
    for log in "$work"/*.log; do
        [[ ! -s $log ]] || { printf -- '--- %s\n' "$(basename "$log")"; tail -n 40 "$log"; } >&2
    done
    exit 1
}

finish()
{
    local name
    for name in "${!pid[@]}"; do
        stop_worker "$name"
    done
    printf '%s: %d s\n' "$test_name" $((SECONDS - begun))
}

# --- Waits.

# until_true SECONDS WHAT COMMAND...: tries the command until it succeeds, or fails the test.
until_true()
{
    local deadline=$(($(now_ms) + $1 * 1000)) what=$2
    shift 2
    until "$@"; do
        (($(now_ms) < deadline)) || fail "in time: $what"
        sleep 0.02
    done
}

now_ms()
{
    local now=$EPOCHREALTIME
    echo "${now%.*}${now:(-6):3}"
}

is_gone()
{
    ! kill -0 "$1" 2>/dev/null
}

# --- Workers.

# state_of NAME: its state directory, which outlives it.
state_of()
{
    echo "$work/$1"
}

# bookflow_with [VARIABLE=VALUE...] -- ARGUMENTS...: the program in an environment of our own.
bookflow_with()
{
    (exec_bookflow "$@")
}

exec_bookflow()
{
    local -a variables=()
    while [[ $1 != -- ]]; do
        variables+=("$1")
        shift
    done
    shift
    exec env -i PATH="$PATH" HOME="$work" TZ=UTC LC_ALL=C.UTF-8 \
        ASAN_OPTIONS="${ASAN_OPTIONS-}" UBSAN_OPTIONS="${UBSAN_OPTIONS-}" \
        "${variables[@]}" "$bookflow" "$@"
}

# start_worker NAME ROLE [VARIABLE=VALUE...]: on a free port, and waits until it listens.
start_worker()
{
    local name=$1 log=$work/$1.log
    role[$name]=$2
    shift 2
    mkdir -p "$(state_of "$name")"
    : >"$log.now"
    exec_bookflow BOOKFLOW_LISTEN=127.0.0.1:0 BOOKFLOW_STATE_DIR="$(state_of "$name")" \
        BOOKFLOW_LOG_LEVEL=debug "$@" -- serve "${role[$name]}" </dev/null >>"$log.out" 2>"$log.now" &
    pid[$name]=$!
    until_true 20 "$name listens" has_begun "$name"
    is_gone "${pid[$name]}" && keep_log "$name" && fail "$name starts"
    url[$name]=http://$(sed -n 's/.* serve\.ready .*address=\([^ ]*\).*/\1/p' "$log.now")
}

has_begun()
{
    grep -q ' serve\.ready ' "$work/$1.log.now" || is_gone "${pid[$1]}"
}

# The log of one run, added to the log of all its runs and searched for what must not be there.
keep_log()
{
    local log=$work/$1.log
    cat "$log.now" >>"$log"
    ! grep -E "$never_logged" "$log.now" >&2 || fail "$1 logs no secret and no contact data"
    ! grep -E 'AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:' "$log.now" >&2 ||
        fail "no sanitizer report from $1"
}

# refuses_to_start CODE TEXT WHAT [VARIABLE=VALUE...] -- ARGUMENTS...: says TEXT (a regular expression)
# on stderr.
refuses_to_start()
{
    local code=0 expected=$1 text=$2 what=$3
    shift 3
    (trap - ERR; exec_bookflow BOOKFLOW_LISTEN=127.0.0.1:0 BOOKFLOW_STATE_DIR="$work/refused" "$@") \
        >"$work/said.out" 2>"$work/said" </dev/null &
    helpers+=($!)
    until_true 10 "$what ends" is_gone "${helpers[-1]}"
    wait "${helpers[-1]}" || code=$?
    unset 'helpers[-1]'
    body=$(<"$work/said")
    same "exit code of $what" "$expected" "$code"
    grep -Eq -- "$text" "$work/said" || fail "$what is told: $text"
    ! grep -E 'AddressSanitizer|LeakSanitizer|runtime error:' "$work/said" || fail "$what leaks nothing"
}

# stop_worker NAME: SIGTERM must end it within 5 s, drained, with exit code 0.
stop_worker()
{
    local name=$1 code=0
    kill -TERM "${pid[$name]}" || fail "$name was still running"
    until_true 20 "SIGTERM ends $name" is_gone "${pid[$name]}"
    wait "${pid[$name]}" || code=$?
    unset "pid[$name]"
    keep_log "$name"
    ((code == 0)) || fail "SIGTERM ends $name with 0, not $code"
    ! grep -q ' drain\.incomplete ' "$work/$name.log.now" || fail "$name drains in time"
}

# kill_worker NAME: as a power cut would, for the process.
kill_worker()
{
    kill -KILL "${pid[$1]}" || fail "$1 was still running"
    wait "${pid[$1]}" 2>/dev/null || true
    unset "pid[$1]"
    keep_log "$1"
}

# --- Requests. Each sets $status, $headers and $body.

# http METHOD URL [CURL ARGUMENT...]
http()
{
    local method=$1 target=$2 files=$work/answer.$BASHPID
    shift 2
    : >"$files.body"
    status=$(curl -q --noproxy '*' -sS --max-time 30 -D "$files.headers" -o "$files.body" \
        -w '%{http_code}' -X "$method" "$@" "$target") || fail "$method $target is answered"
    body=$(<"$files.body")
    headers=$(tr -d '\r' <"$files.headers")
}

# post URL [BODY]: with the Content-Type that clients send, also when there is no body.
post()
{
    http POST "$1" "${json[@]}" ${2+-d "$2"}
}

get()
{
    http GET "$1"
}

# header NAME: of the last answer.
header()
{
    sed -n "s/^$1: //Ip" <<<"$headers"
}

# field FILTER: of the last answer.
field()
{
    jq -r "$1" <<<"$body"
}

# raw NAME BYTES [SECONDS]: sends bytes as they are (printf's escapes), prints what comes back until
# the worker closes. To be called in a subshell.
raw()
{
    local address=${url[$1]#http://} answer
    trap '' PIPE # it may close before it has read everything
    exec {socket}<>"/dev/tcp/${address%:*}/${address##*:}"
    { printf '%b' "$2" >&"$socket"; } 2>/dev/null || true
    answer=$(timeout "${3:-20}" cat <&"$socket" | tr -d '\r' || true)
    exec {socket}>&-
    printf '%s' "$answer"
}

# --- Expectations.

same()
{
    [[ $2 == "$3" ]] || fail "$1: expected $2 but got $3"
}

expect_status()
{
    same "$2 is answered $1" "$1" "$status"
}

# expect STATUS BODY WHAT: the answer, byte by byte.
expect()
{
    expect_status "$1" "$3"
    same "$3" "$2" "$body"
}

# expect_error STATUS SENTENCE WHAT: exactly {"error":SENTENCE}.
expect_error()
{
    expect "$1" "$(jq -cn --arg text "$2" '{error:$text}')" "$3"
}

# expect_json FILTER WHAT: the filter is true of the last answer.
expect_json()
{
    jq -e "$1" <<<"$body" >/dev/null || fail "$2 ($1)"
}

# --- What nearly every test begins with.

# a_day DAYS [TIME]: RFC 3339, so many days from now.
a_day()
{
    date -u -d "+$1 days ${2:-10:00}" +%FT%TZ
}

# make_slots NAME PROVIDER PREFIX COUNT: free slots of ten minutes from tomorrow, ids PREFIX-1 ...
make_slots()
{
    jq -cn --arg prefix "$3" --argjson count "$4" --argjson from "$(date -u -d 'tomorrow 08:00' +%s)" \
        '{slots: [range($count) | {id: "\($prefix)-\(. + 1)",
          start: ($from + . * 600 | todate), end: ($from + . * 600 + 600 | todate)}]}' \
        >"$work/slots.json"
    http POST "${url[$1]}/providers/$2/slots" "${json[@]}" --data-binary "@$work/slots.json"
    expect_status 201 "$4 slots of $2"
}

# book NAME SLOT USER: a booking; its id is in $id.
book()
{
    post "${url[$1]}/bookings" "{\"slotId\":\"$2\",\"userId\":\"$3\"}"
    expect_status 201 "booking $2"
    id=$(field .id)
}

# reaches NAME PATH FILTER: a GET answers something of which the filter is true.
reaches()
{
    get "${url[$1]}$2"
    jq -e "$3" <<<"$body" >/dev/null 2>&1
}

# shows NAME PATH STATUS: the booking there has the status.
shows()
{
    reaches "$1" "$2" ".status == \"$3\""
}
