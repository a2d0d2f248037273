#!/usr/bin/env bash
# The console's verbs without a screen: what they print, their exit codes, the same key on every try,
# and a watch that misses nothing while the worker is away.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

provider=salon-1
out=$work/out errors=$work/errors

# console [ARGUMENT...]: in an environment of its own; against the worker unless --url is among them.
console()
{
    (exec_console "$@")
}

exec_console()
{
    exec env -i PATH="$PATH" HOME="$work/home" TZ=UTC LC_ALL=C.UTF-8 TERM="${TERM_OF_CONSOLE-dumb}" \
        ASAN_OPTIONS="${ASAN_OPTIONS-}" UBSAN_OPTIONS="${UBSAN_OPTIONS-}" \
        BOOKFLOW_URL="${url[w]-http://127.0.0.1:1}" BOOKFLOW_PROVIDER=$provider \
        "$build/tui/bookflow-console" "$@"
}

# exits CODE ARGUMENT...: into $out and $errors.
exits()
{
    local wanted=$1 code=0
    shift
    console "$@" >"$out" 2>"$errors" </dev/null || code=$?
    ((code == wanted)) || fail "$* exits with $wanted, not $code: $(head -c 600 "$errors")"
}

# refuses CODE WORDS ARGUMENT...: says the words in one line, and nothing on stdout.
refuses()
{
    local code=$1 words=$2
    shift 2
    exits "$code" "$@"
    grep -qF -- "$words" "$errors" || fail "$* says \"$words\", not \"$(cat "$errors")\""
    same "$* says one line" 1 "$(wc -l <"$errors")"
    [[ ! -s $out ]] || fail "$* prints nothing"
}

is_here()
{
    reaches w "/providers/$provider/bookings/$1" ".status == \"${2-pending}\""
}

# asked SLOT USER: a booking that has reached the provider; its id is in $id.
asked()
{
    book w "$1" "$2"
    until_true 20 "$1 reaches the provider" is_here "$id"
}

usage()
{
    refuses 2 'is not an option' --bogus
    refuses 2 'one verb at a time' --list --accept x
    refuses 2 '--json does not belong here' --json
    refuses 2 '--reason does not belong here' --accept x --reason y
    refuses 2 'name the booking by its id' --show
    refuses 2 'one word too many' --show x y
    refuses 2 'is not an id' --accept ../x
    refuses 2 '- stands alone' --accept - x
    refuses 2 'is none of' --list --status open
    local day
    for day in 2026-02-31 2026-13-01 yesterday 26-2-19 2026-02-19x ''; do
        refuses 2 'nor today or tomorrow' --list --day "$day"
    done
    refuses 2 'not valid UTF-8' --reject x --reason $'bad \xff'
    TERM_OF_CONSOLE=xterm refuses 2 'use --list'
    exits 0 --accept --help
    grep -q '^usage: ' "$out" || fail '--help'
    exits 0 --version
    ok 'wrong use is named in one line, exit 2'
}

configuration()
{
    local conf=$work/home/.config/bookflow/console.conf
    mkdir -p "${conf%/*}"
    printf '%s\n' '# a comment' 'provider = nobody' "url = http://127.0.0.1:2" >"$conf"
    exits 0 --list
    exits 0 --list --config /dev/null
    code=0
    env -u BOOKFLOW_URL HOME="$work/home" BOOKFLOW_PROVIDER=x "$build/tui/bookflow-console" --list 2>"$errors" || code=$?
    same 'the file says where' 75 "$code"
    grep -q '127.0.0.1 port 2 ' "$errors" || fail 'the url of the file'
    printf '%s\n' 'undo_seconds = 61' 'url = http://127.0.0.1:2' 'colr = on' >"$conf"
    exits 78 --list
    grep -q "^$conf:1: undo_seconds" "$errors" || fail 'the first bad line is named'
    grep -q "^$conf:3: \"colr\" is no setting" "$errors" || fail 'and the second in the same run'
    rm "$conf"
    refuses 78 'No such file' --config "$work/none" --list
    refuses 78 'is not a URL' --url nonsense --list
    refuses 78 'token-none' --token-file "$work/token-none" --list
    ok 'a bad configuration is exit 78, every bad line named'
}

lists()
{
    asked batch-1 ann
    ann=$id
    asked batch-2 bob
    bob=$id
    exits 0 --list
    same 'two lines' 2 "$(wc -l <"$out")"
    grep -qE "^$ann  pending    [0-9-]{10} 08:00   10 min  ann$" "$out" || fail "a line: $(cat "$out")"
    exits 0 --list --json
    jq -e --arg id "$ann" 'length == 2 and .[1].id == $id' "$out" >/dev/null || fail '--list --json'
    exits 0 --list --day tomorrow
    same 'tomorrow' 2 "$(wc -l <"$out")"
    exits 0 --list --day "$(date -u -d tomorrow +%F)" --status pending
    same 'the day' 2 "$(wc -l <"$out")"
    exits 0 --list --day today --json
    same 'nothing today' '[]' "$(cat "$out")"
    exits 0 --show "$ann"
    grep -qx 'status       pending' "$out" || fail '--show'
    exits 0 --show "$ann" --json
    same '--show --json' "$ann" "$(jq -r .id "$out")"
    refuses 1 '--list shows which there are' --show no-such
    code=0
    console --list 2>"$errors" >/dev/full || code=$?
    same 'a list that could not be written' 1 "$code"
    exits 0 --health
    grep -q 'connected, queue ok' "$out" || fail '--health'
    exits 0 --health --json
    same '--health --json' ok "$(jq -r .queue "$out")"
    exits 0 --history --json
    same 'no answers of a screen' '[]' "$(cat "$out")"
    ok 'list, show, health and history print lines and JSON'
}

decides()
{
    exits 0 --accept "$ann"
    same 'accepted' "$ann accepted" "$(cat "$out")"
    is_here "$ann" confirmed || fail 'the worker knows'
    refuses 1 'it is confirmed already; nothing to do' --accept "$ann"
    refuses 1 'it is confirmed already; --show tells more' --reject "$ann"
    exits 5 --reject no-such "$bob" --reason 'not on 山'
    same 'partly done' "$bob rejected" "$(cat "$out")"
    grep -q '^bookflow-console: no-such: ' "$errors" || fail 'the other one is named'
    reaches w "/providers/$provider/bookings/$bob" '.reason == "not on 山"' || fail 'the reason arrives'
    refuses 1 'no-such: ' --accept no-such
    ok 'accept and reject; 0, 1 and 5'
}

from_stdin()
{
    local code=0
    asked batch-3 cleo
    local cleo=$id
    asked batch-4 dora
    printf '%s\nx y\n\n../bad\n' "$cleo" | console --accept - 2>"$errors" >"$out" || code=$?
    same 'a bad line' 2 "$code"
    grep -q 'line 4 ' "$errors" || fail 'the bad line has its number'
    is_here "$cleo" || fail 'nothing is done when a line is bad'
    code=0
    printf '%s %8300s\n' "$cleo" "$id" | console --accept - 2>"$errors" >"$out" || code=$?
    same 'a line without end' 2 "$code"
    console --list --status pending | console --accept - >"$out"
    same 'every line of a list' "$(printf '%s accepted\n' "$id" "$cleo")" "$(cat "$out")"
    console --list --status pending | console --accept - >"$out"
    same 'an empty list' '' "$(cat "$out")"
    ok 'ids from stdin'
}

# A worker with troubles of its own: answers each request with the next line of $work/troubles.
troubled()
{
    cat >"$work/troubled.py" <<'PYTHON'
import http.server, sys
answers = open(sys.argv[1]).read().split('\n')
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.path, self.headers['Idempotency-Key'], flush=True)
        status = answers.pop(0)
        if status == 'none':
            return
        body = b'{"error":"a trouble"}' if status != '200' else b'{"booking":{}}'
        self.send_response(int(status))
        if status == '503':
            self.send_header('Retry-After', '0')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_POST
    def log_message(self, *arguments):
        pass
server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
    printf '%s\n' "$@" >"$work/troubles"
    : >"$work/asked"
    python3 "$work/troubled.py" "$work/troubles" >"$work/asked" 2>"$work/troubled.log" &
    troubled_pid=$!
    helpers+=("$troubled_pid")
    until_true 20 'the troubled worker listens' test -s "$work/asked"
    trouble=http://127.0.0.1:$(head -n 1 "$work/asked")
}

troubles()
{
    troubled 503 none 200
    exits 0 --url "$trouble" --accept x
    same 'three tries' 3 "$(sed 1d "$work/asked" | wc -l)"
    same 'with one key' 1 "$(sed 1d "$work/asked" | sort -u | wc -l)"
    troubled 401
    refuses 77 'check BOOKFLOW_TOKEN' --url "$trouble" --accept x
    troubled 401
    refuses 77 'check BOOKFLOW_TOKEN' --url "$trouble" --list
    troubled 403
    refuses 77 'not for this provider' --url "$trouble" --watch
    troubled 401 401
    exits 77 --url "$trouble" --accept x y
    grep -q '1 more were not tried' "$errors" || fail 'what would fail alike is not tried'
    same 'one try' 1 "$(sed 1d "$work/asked" | wc -l)"
    troubled 503 503 503 503
    refuses 75 'try again' --url "$trouble" --accept x
    ok 'tried again with the same key; 75 and 77'
}

# watched SLOT STATUS: the watch has printed it.
watched()
{
    jq -c "select(.slotId == \"$1\" and .status == \"$2\")" "$work/watch" 2>/dev/null | grep -q .
}

# Until the watch hears, it may not have begun.
watch_began()
{
    ((++probe))
    book w "probe-$probe" ann
    sleep 0.1
    watched "probe-$probe" pending
}

watches()
{
    local port=${url[w]#http://} code=0 probe=0
    make_slots w $provider probe 50
    make_slots w $provider stop 20
    exec_console --watch >"$work/watch" 2>"$work/watch.errors" &
    local watcher=$!
    helpers+=("$watcher")
    until_true 20 'the watch begins' watch_began
    stop_worker w
    until_true 20 'the loss is said' grep -q 'connection is lost' "$work/watch.errors"
    # While the watch waits for its next try, as much as possible happens.
    start_worker w all BOOKFLOW_LISTEN="$port"
    asked batch-5 emil
    console --accept "$id" >"$out"
    asked batch-6 fay
    until_true 60 'what came meanwhile' watched batch-6 pending
    watched batch-5 confirmed || fail 'nothing is missed over a restart'
    grep -q 'nothing was missed' "$work/watch.errors" || fail 'and that is said'
    jq -es 'all(type == "object" and has("id"))' "$work/watch" >/dev/null || fail 'one object a line'
    same 'one object a line' "$(jq -s length "$work/watch")" "$(wc -l <"$work/watch")"
    kill -TERM "$watcher"
    wait "$watcher" || code=$?
    same 'SIGTERM ends it with' 0 "$code"
    ok 'a watch resumes after a restart without loss'
}

reader_goes()
{
    local code=0
    mkfifo "$work/pipe"
    exec_console --watch >"$work/pipe" 2>"$errors" &
    local watcher=$!
    helpers+=("$watcher")
    exec {reader}<"$work/pipe"
    exec {reader}<&-
    until_true 5 'a watch whose reader has gone ends' is_gone "$watcher"
    wait "$watcher" || code=$?
    same 'it ends with' 0 "$code"
    [[ ! -s $errors ]] || fail "it says nothing: $(cat "$errors")"
    ok 'a watch ends when nobody reads any more'
}

# More than a pipe holds, to a reader that does not read.
reader_stops()
{
    local code=0 slot long
    long=$(printf 'é%.0s' {1..200}) # six letters of JSON each
    http PUT "${url[w]}/users/long" "${json[@]}" -d "{\"name\":\"$long\"}"
    expect_status 201 'a long name'
    mkfifo "$work/full"
    exec {reader}<>"$work/full"
    exec_console --watch >"$work/full" 2>"$errors" &
    local watcher=$!
    helpers+=("$watcher")
    IFS= read -r -t 0.5 -u "$reader" || true
    for slot in {1..20}; do
        asked "stop-$slot" long
    done
    console --list --status pending | console --reject - --reason "$long" >"$out"
    (($(wc -l <"$out") >= 20)) || fail 'all are rejected'
    for _ in {1..6}; do # now there is room for a little more
        IFS= read -r -t 20 -u "$reader" || fail 'lines are in the pipe'
    done
    kill -TERM "$watcher"
    until_true 5 'SIGTERM ends a watch that nobody reads' is_gone "$watcher"
    wait "$watcher" || code=$?
    same 'it ends with' 0 "$code"
    timeout 1 cat <&"$reader" >"$work/rest" || true
    (($(wc -c <"$work/rest") > 40000)) || fail 'the pipe was full'
    exec {reader}<&-
    ok 'a reader that does not read keeps no signal away'
}

offline()
{
    stop_worker w
    local there=(--url http://127.0.0.1:1)
    refuses 75 'check --url' "${there[@]}" --list
    refuses 75 'check --url' "${there[@]}" --show x
    refuses 75 'check --url' "${there[@]}" --health
    refuses 75 'check --url' "${there[@]}" --watch
    refuses 75 'not known to be accepted' "${there[@]}" --accept x
    ok 'offline is exit 75'
}

mkdir -p "$work/home"
start_worker w all
make_slots w $provider batch 10
usage
configuration
lists
decides
from_stdin
troubles
watches
reader_goes
reader_stops
offline
finish
