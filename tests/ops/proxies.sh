#!/usr/bin/env bash
# The samples for nginx and Caddy, really started, with a certificate of a CA of our own: one origin for both workers, what is cut
# off, what is passed on.
#
#   proxies.sh BUILD_FOLDER
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh" "${1-}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/prove/figure.sh
source "$here/../prove/figure.sh"
# shellcheck source=tests/ops/tools.sh
source "$here/tools.sh"

samples=$(cd "$here/../../workers/systemd" && pwd)
host=bookflow.example.com provider=salon
queues=("SQS_BOOKING_REQUEST_QUEUE_URL=sqlite:$work/queues.db?queue=requests"
    "SQS_BOOKING_CONFIRMATION_QUEUE_URL=sqlite:$work/queues.db?queue=confirmations" BOOKFLOW_AUTH=on BOOKFLOW_BEHIND_TLS_PROXY=1)

# free_port: one that nobody listens on now.
free_port()
{
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

make_certificate()
{
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=a CA of our own' -keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$host" -keyout "$work/host.key" -out "$work/host.csr" 2>/dev/null
    openssl x509 -req -in "$work/host.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 -out "$work/host.pem" \
        -extfile <(echo "subjectAltName=DNS:$host") 2>/dev/null
    chmod 755 "$work" # nginx's workers are nobody's
}

# port_of WORKER
port_of()
{
    echo "${url[$1]##*:}"
}

# The sample as it is, but for ports and paths.
start_nginx()
{
    local program
    program=$(tool nginx usr/sbin/nginx) || return
    mkdir -p "$work/nginx"
    sed -e "s/127.0.0.1:3000/127.0.0.1:$(port_of intake)/; s/127.0.0.1:3001/127.0.0.1:$(port_of decision)/" \
        -e "s|/etc/ssl/bookflow/fullchain.pem|$work/host.pem|; s|/etc/ssl/bookflow/privkey.pem|$work/host.key|" \
        -e "s/listen 443/listen 127.0.0.1:$port/; /listen \[::\]/d" "$samples/bookflow-nginx.conf" >"$work/nginx/site.conf"
    cat >"$work/nginx/nginx.conf" <<CONF
daemon off;
pid $work/nginx/pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path $work/nginx/body;
    proxy_temp_path $work/nginx/proxy;
    fastcgi_temp_path $work/nginx/fastcgi;
    uwsgi_temp_path $work/nginx/uwsgi;
    scgi_temp_path $work/nginx/scgi;
    include $work/nginx/site.conf;
}
CONF
    "$program" -e stderr -p "$work/nginx" -c "$work/nginx/nginx.conf" </dev/null >"$work/nginx.log" 2>&1 &
    proxy=$!
}

start_caddy()
{
    local program
    program=$(tool caddy usr/bin/caddy) || return
    sed -e "s/127.0.0.1:3000/127.0.0.1:$(port_of intake)/; s/127.0.0.1:3001/127.0.0.1:$(port_of decision)/" \
        -e "0,/^{/s||{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n\tdefault_bind 127.0.0.1|" \
        -e "s|^$host {|$host:$port {\n\ttls $work/host.pem $work/host.key|" "$samples/Caddyfile" >"$work/Caddyfile"
    XDG_DATA_HOME=$work XDG_CONFIG_HOME=$work "$program" run --config "$work/Caddyfile" --adapter caddyfile </dev/null >"$work/caddy.log" 2>&1 &
    proxy=$!
}

listens()
{
    is_gone "$proxy" && fail "$1 starts"
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

# through METHOD PATH [CURL ARGUMENT...]: as a client elsewhere would.
through()
{
    http "$1" "https://$host:$port$2" --cacert "$work/ca.pem" --resolve "$host:$port:127.0.0.1" "${bearer[@]}" "${@:3}"
}

decided_through_one_origin()
{
    through POST /bookings "${json[@]}" -d "{\"slotId\":\"$1-1\",\"userId\":\"u\"}"
    expect_status 201 "$1: booked through the proxy"
    id=$(field .id)
    until_true 20 "$1: the inbox shows it" inbox_shows pending
    through POST "/providers/$provider/bookings/$id/accept" "${json[@]}"
    expect_status 200 "$1: accept"
    until_true 20 "$1: intake shows it" intake_shows confirmed
    through POST "/providers/$provider/decisions" "${json[@]}" -d "{\"accept\":[\"$id\"]}"
    expect_status 200 "$1: decisions go to the decision worker"
    through GET /pipeline
    expect_json '.queue == "ok"' "$1: so does the pipeline"
    through GET "/providers/$provider/slots"
    expect_status 200 "$1: slots are intake's"
}

inbox_shows()
{
    through GET "/providers/$provider/bookings/$id"
    [[ $status == 200 && $(field .status) == "$1" ]]
}

intake_shows()
{
    through GET "/bookings/$id"
    [[ $(field .status) == "$1" ]]
}

# An event is passed on when it happens, not when a buffer is full.
events_come_at_once()
{
    curl -q --noproxy '*' -sSN --max-time 30 --cacert "$work/ca.pem" --resolve "$host:$port:127.0.0.1" "${bearer[@]}" \
        "https://$host:$port/providers/$provider/events" >"$work/events.$1" 2>/dev/null &
    local stream=$!
    until_true 10 "$1: the stream is open" test -s "$work/events.$1"
    through POST /bookings "${json[@]}" -d "{\"slotId\":\"$1-2\",\"userId\":\"u\"}"
    until_true 5 "$1: the event has come" grep -q "$1-2" "$work/events.$1"
    kill $stream
    wait $stream 2>/dev/null || true
}

what_does_not_pass()
{
    local path
    for path in /metrics /stores/intake/backup /queues/confirmation/check; do
        through GET "$path"
        expect_status 404 "$1: $path from outside"
    done
    head -c 5000000 /dev/zero | tr '\0' ' ' >"$work/large"
    through POST "/providers/$provider/slots" "${json[@]}" --data-binary "@$work/large"
    expect_status 413 "$1: 5 MB"
    through GET /health --http1.1 -H "X-Large: $(head -c 30000 /dev/zero | tr '\0' a)"
    [[ $status == 4* ]] || fail "$1: a head of 30 KB is refused, not $status"
    local -a known=("${bearer[@]}")
    bearer=()
    through GET "/providers/$provider/bookings"
    bearer=("${known[@]}")
    expect_status 401 "$1: without a token"
    ! curl -q -sS --max-time 5 --tls-max 1.1 --cacert "$work/ca.pem" --resolve "$host:$port:127.0.0.1" "https://$host:$port/health" \
        >/dev/null 2>&1 || fail "$1: TLS 1.1 is refused"
}

bulk_passes()
{
    jq -cn --arg prefix "$1" --argjson from "$(date -u -d 'tomorrow 08:00' +%s)" '{slots: [range(10000) | {id: "\($prefix)-\(.)",
        start: ($from + . * 600 | todate), end: ($from + . * 600 + 600 | todate)}]}' >"$work/slots.json"
    through POST "/providers/$provider/slots" "${json[@]}" --data-binary "@$work/slots.json"
    expect_status 201 "$1: a bulk of 10,000 slots"
}

# A byte a second for a head: closed when its time is over. Prints after how many ms.
slow_head()
{
    python3 -B "$here/slow_head.py" 127.0.0.1 "$port" "$host" "$work/ca.pem"
}

proxy_works()
{
    local name=$1 closed
    port=$(free_port)
    "start_$name" || { figure O14 SKIPPED "no $name: $(tool_missing)" && return; }
    helpers+=("$proxy")
    until_true 20 "$name listens" listens "$name"
    slow_head >"$work/slow.$name" &
    closed=$!
    bulk_passes "$name"
    decided_through_one_origin "$name"
    events_come_at_once "$name"
    what_does_not_pass "$name"
    wait $closed || fail "$name: a head that trickles in is cut off"
    kill -QUIT "$proxy"
    wait "$proxy" 2>/dev/null || true
    figure O14 ok "$name: booked, decided, events at once, by one origin with TLS; a trickling head cut after $(<"$work/slow.$name") ms; 5 MB, 30 KB of head, TLS 1.1, /metrics refused"
}

make_certificate
for name in intake decision; do
    mkdir -p "$(state_of $name)"
    token=$(bookflow_with BOOKFLOW_STATE_DIR="$(state_of $name)" -- token create ops --role admin)
    tokens+=("${token##* }")
done
# One token for both: the file is the same.
cp -p "$(state_of intake)/tokens" "$(state_of decision)/tokens"
bearer=(-H "Authorization: Bearer ${tokens[0]}")
start_worker intake intake "${queues[@]}"
start_worker decision decision "${queues[@]}"
for name in nginx caddy; do
    proxy_works $name
done
finish
