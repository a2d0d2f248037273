#!/bin/bash
# The console end to end: the real worker, the real console, a terminal by tmux.
# usage: console.sh BIN_DIR       (BIN_DIR/workers/bookflow and BIN_DIR/tui/bookflow-console)
# Nothing sleeps for luck: every step waits for what it expects, with a limit.
set -u

bin=$(cd "${1:?usage: console.sh BIN_DIR}" && pwd)
dir=$(mktemp -d)
tmux_name=console$$
server=
provider=salon-1
step=start

unset BOOKFLOW_TOKEN BOOKFLOW_TOKEN_FILE NO_COLOR XDG_STATE_HOME XDG_CONFIG_HOME
export HOME=$dir BOOKFLOW_STATE_DIR=$dir/state BOOKFLOW_PROVIDER=$provider TZ=UTC LANG=C.UTF-8
mkdir -p "$BOOKFLOW_STATE_DIR"

finish() {
    tmux -L "$tmux_name" kill-server 2>/dev/null
    [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null
    rm -rf "$dir"
}
trap finish EXIT

fail() {
    echo "console.sh: $step: $*" >&2
    echo "--- screen" >&2
    screen >&2
    echo "--- server" >&2
    tail -n 20 "$dir/server.log" >&2
    exit 1
}

# --- terminal ---
mux() { tmux -L "$tmux_name" -f /dev/null "$@"; }
screen() { mux capture-pane -p -t t 2>/dev/null; }
keys() { mux send-keys -t t "$@"; }
pane() { mux display-message -p -t t "$1"; }

# until_true LIMIT_IN_TENTHS COMMAND...
until_true() {
    local limit=$1 i
    shift
    for ((i = 0; i < limit; i++)); do
        "$@" && return 0
        read -r -t 0.1 <>"$dir/never"
    done
    return 1
}
shows() { screen | grep -qE -- "$1"; }
hides() { ! shows "$1"; }
pane_is() { [ "$(pane "$1")" = "$2" ]; }
wait_for() { until_true "${2:-100}" shows "$1" || fail "expected on the screen: $1"; }
wait_gone() { until_true 100 hides "$1" || fail "still on the screen: $1"; }
wait_pane() { until_true 100 pane_is "$1" "$2" || fail "expected $1 to be $2"; }

# --- server ---
port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
answers() { curl -fsS -o "$dir/out" "$BOOKFLOW_URL/health" 2>/dev/null; }
start_server() {
    "$bin/workers/bookflow" serve all >>"$dir/server.log" 2>&1 &
    server=$!
    until_true 100 answers || fail "the worker does not answer"
}
stop_server() {
    kill "$server"
    wait "$server" 2>/dev/null
    server=
}
post() { curl -sS -X POST -H 'Content-Type: application/json' -d "$2" "$BOOKFLOW_URL$1"; }
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
book() { # book SLOT USER -> sets $id
    id=$(post /bookings "{\"slotId\":\"$1\",\"userId\":\"$2\"}" | field id)
    [ -n "$id" ] || fail "slot $1 could not be booked"
}
status_is() { [ "$(curl -sS "$BOOKFLOW_URL/bookings/$1" | field status)" = "$2" ]; }
wait_status() { until_true 150 status_is "$1" "$2" || fail "booking $1 did not become $2"; }

# Arrivals go to the end of the list: the newest is what G goes to.
pick_newest() {
    wait_for "$1"
    keys G
    wait_for "^>.*$1"
}

start_console() {
    keys "clear; $bin/tui/bookflow-console; echo left with \$?" Enter
    wait_for '\[LIVE\]'
}
terminal_is_right() {
    wait_pane '#{alternate_on}' 0
    wait_pane '#{cursor_flag}' 1
    keys 'clear; stty -a | tr " ;" "\n\n" | grep -cxE "echo|icanon|isig|icrnl"' Enter
    wait_for '^4$'
}
console_pid() { pgrep -P "$(pane '#{pane_pid}')" -f bookflow-console; }

mkfifo "$dir/never"
for _ in 1 2 3 4 5 6 7 8 9 10; do
    port=$((20000 + RANDOM % 12000)) # below those that the system gives to clients
    port_is_free "$port" && break
done
export BOOKFLOW_LISTEN=127.0.0.1:$port BOOKFLOW_URL=http://127.0.0.1:$port

step="start the worker and import slots"
start_server
day=$(date -u -d '+2 days' +%Y-%m-%d)
{
    echo id,provider_id,start,end
    for hour in 08 09 10 11 12 13 14 15 16 17; do
        echo "slot-$hour,$provider,${day}T$hour:00:00Z,${day}T$hour:45:00Z"
    done
} >"$dir/slots.csv"
"$bin/workers/bookflow" slots import "$dir/slots.csv" >"$dir/out" 2>&1 || fail "$(cat "$dir/out")"

step="the console comes up live and empty"
mux new-session -d -s t -x 80 -y 24 \
    "exec env TERM=screen PS1='\$ ' ESCDELAY=25 bash --norc --noprofile -i" || fail "tmux"
start_console
wait_for 'No requests are waiting'

step="an arrival is seen live; accept is staged, sent, confirmed at the intake"
book slot-08 ann
pick_newest ann
keys a
wait_for 'ACCEPT [0-9]+s .*ann'
wait_for 'ACCEPT will be sent in'
status_is "$id" pending || fail "the answer was sent while it was staged"
keys s
wait_status "$id" confirmed
wait_for 'ann: ACCEPT delivered'

step="reject with a reason"
book slot-09 bob
pick_newest bob
keys r
wait_for 'Reject bob'
keys Escape
wait_gone 'Reject bob'
wait_for '^>.*wait.*bob'
until_true 50 eval 'keys r; shows "Reject bob"' || fail "r does not open the reasons"
keys 2
wait_for '^> 2 Please choose another day'
keys Enter
wait_for 'REJECT [0-9]+s .*bob'
keys s
wait_status "$id" rejected
curl -sS "$BOOKFLOW_URL/providers/$provider/bookings/$id" | grep -q 'Please choose another day' ||
    fail "the reason did not arrive"

step="undo, and an answer that is left alone goes out by itself"
book slot-10 cleo
pick_newest cleo
keys a
wait_for 'ACCEPT [0-9]+s .*cleo'
keys u
wait_for 'taken back'
wait_for '^>.*wait.*cleo'
status_is "$id" pending || fail "an answer that was taken back was sent"
keys a
wait_for 'ACCEPT [0-9]+s .*cleo'
wait_status "$id" confirmed

step="leaving with a staged answer asks"
book slot-11 dora
pick_newest dora
keys a
wait_for 'ACCEPT [0-9]+s .*dora'
keys q
wait_for 'What now'
keys u
wait_for 'left with 0'
status_is "$id" pending || fail "undo and quit sent the answer"
terminal_is_right
start_console
wait_for dora

step="offline keeps the list and the answers; back online it is live again"
stop_server
wait_for '\[OFFLINE [0-9][0-9]:[0-9][0-9]\]'
wait_for dora
keys G
wait_for '^>.*dora'
keys a
wait_for 'ACCEPT kept .*dora'
keys s
wait_for 'There is no connection'
start_server
keys F5
wait_for '\[LIVE\]' 300
wait_for 'Back after .*1 kept answer'
keys s
wait_status "$id" confirmed

step="a client's cancellation while the answer is staged"
book slot-12 emil
pick_newest emil
keys a
wait_for 'ACCEPT [0-9]+s .*emil'
post "/bookings/$id/cancel" '{}' >"$dir/out"
wait_for 'NOT DONE'

step="a hostile name cannot act on the terminal"
hostile='{"name":"\u001b]0;pwned\u0007Mallory\u202e\u001b[2Jdrow","email":"m@example.com"}'
mild='{"name":"Mallory\u202edrow","email":"m@example.com"}'
put_user() { curl -fsS -X PUT -H 'Content-Type: application/json' -d "$1" -o "$dir/out" "$BOOKFLOW_URL/users/mal" 2>/dev/null; }
put_user "$hostile" || put_user "$mild" || fail "the user could not be made"
book slot-13 mal
wait_for Mallory
pane '#{pane_title}' | grep -qxE "[0-9]+ waiting - $provider" || fail "the name changed the title"
screen | grep -q $'\u202e' && fail "a bidi control reached the terminal"
wait_for '\[1 Inbox'

step="pasted text does nothing"
mux set-buffer 'aaaarrq'
mux paste-buffer -p -t t
wait_for 'Pasted text is ignored'
shows 'ACCEPT [0-9]+s .*Mallory' && fail "pasted text answered"
keys Down
keys -l aaaa # as a terminal without bracketed paste sends it
until_true 50 eval 'shows "Pasted text is ignored"' || fail "a bunch of letters is not taken for a paste"
shows 'ACCEPT [0-9]+s .*Mallory' && fail "a bunch of letters answered"

step="help is made from the keys"
keys '?'
wait_for 'Keys: Esc closes'
wait_for 'ANSWER .*a accept'
keys Escape
wait_gone 'Keys: Esc closes'

step="too small, and back"
mux resize-window -t t -x 25 -y 5
wait_for 'Make the window bigger'
mux resize-window -t t -x 40 -y 12
wait_for '^>.*(pwned|Mallory)'
wait_for 'a Accept .*q Quit'
mux resize-window -t t -x 120 -y 30
wait_for 'Mallory.*Request|Request'
mux resize-window -t t -x 80 -y 24
wait_for 'a Accept'

step="stop and go on: a staged answer waits"
keys a
wait_for 'ACCEPT [0-9]+s .*Mallory'
keys C-z
wait_for 'Stopped'
read -r -t 11 <>"$dir/never"
wait_pane '#{alternate_on}' 0
keys fg Enter
wait_pane '#{alternate_on}' 1
wait_for 'ACCEPT [0-9]+s .*Mallory'
keys u
wait_for 'taken back'
status_is "$id" pending || fail "an answer was sent while nobody could see it"
wait_for '\[LIVE\]'

step="Ctrl-C does not quit"
keys C-c
wait_for 'Press q to quit'

for signal in TERM INT HUP SEGV; do
    step="the terminal is right after $signal"
    kill "-$signal" "$(console_pid)"
    wait_for 'left with|Segmentation'
    terminal_is_right
    start_console
done

step="quit"
keys q
wait_for 'left with 0'
terminal_is_right

echo "console.sh: all steps passed"
