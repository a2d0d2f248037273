"""Hostile requests: attacker.py URL CALLERS MOST_MS. Called by attacker.sh. Fails when one of them is answered
otherwise than by a clear refusal, when anything has changed afterwards, or when the 99th percentile of a good
client beside it is above MOST_MS (0: it is only told)."""
import http.client
import json
import multiprocessing
import pathlib
import socket
import sys
import threading
import time
import urllib.parse

ATTACKER, SLOW_ONE, FLOODER, CROWD = "127.0.0.66", "127.0.0.67", "127.0.0.68", "127.0.0.69"
DEADLINE_S, CLIENT_REQUESTS, CLIENT_CONNECTIONS = 10, 1000, 512  # as README.md says
SLOW_SENDERS = 40

url, callers_file, most_ms = sys.argv[1], sys.argv[2], int(sys.argv[3])
place = (urllib.parse.urlsplit(url).hostname, urllib.parse.urlsplit(url).port)
tokens = dict(line.split() for line in pathlib.Path(callers_file).read_text().splitlines())
wrong = []


def bearer(name):
    return f"Authorization: Bearer {tokens[name]}\r\n"


def call(name, method, path, body=None):
    connection = http.client.HTTPConnection(*place, timeout=20)
    headers = {"Authorization": f"Bearer {tokens[name]}", "Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text else None


# --- The good client, in a process of its own: what it feels is the server, not this program.


def good_client(stop, result):
    connection = http.client.HTTPConnection(*place, timeout=20)
    took, bad = [], 0
    while not stop.is_set():
        began = time.perf_counter()
        connection.request("GET", "/bookings?limit=1", headers={"Authorization": f"Bearer {tokens['booker']}"})
        answer = connection.getresponse()
        answer.read()
        took.append((time.perf_counter() - began) * 1000)
        bad += answer.status != 200
        time.sleep(0.005)  # a pace, not a wait
    result.put((sorted(took), bad))


# --- The requests. Each is bytes on a connection of its own, and the statuses that refuse it.

BODY = '{"slotId":"s-1","userId":"u"}'
HOST = "Host: a\r\n"


def post(lines, rest="", path="/bookings", who="booker"):
    return f"POST {path} HTTP/1.1\r\n{HOST}{bearer(who)}Content-Type: application/json\r\n{lines}\r\n{rest}"


def with_body(body, path="/bookings", who="booker", lines=""):
    data = body if isinstance(body, bytes) else body.encode()
    return post(f"{lines}Content-Length: {len(data)}\r\n", "", path, who).encode() + data


def get(path, lines="", who="booker"):
    return f"GET {path} HTTP/1.1\r\n{HOST}{bearer(who) if who else ''}{lines}\r\n"


def chunked(rest):
    return post("Transfer-Encoding: chunked\r\n", rest)


def framing():
    smuggled = get("/users", who="admin")
    for name, lines in (
        ("two lengths", "Content-Length: 29\r\nContent-Length: 30\r\n"),
        ("two equal lengths", "Content-Length: 29\r\nContent-Length: 29\r\n"),
        ("a list of lengths", "Content-Length: 29, 29\r\n"),
        ("a signed length", "Content-Length: +29\r\n"),
        ("a negative length", "Content-Length: -1\r\n"),
        ("a hexadecimal length", "Content-Length: 0x1d\r\n"),
        ("a length with a blank", "Content-Length: 2 9\r\n"),
        ("a length beyond 64 bits", "Content-Length: 18446744073709551645\r\n"),
        ("an empty length", "Content-Length:\r\n"),
        ("a length and chunks", "Content-Length: 29\r\nTransfer-Encoding: chunked\r\n"),
        ("chunks and a length", "Transfer-Encoding: chunked\r\nContent-Length: 29\r\n"),
        ("an unknown coding", "Transfer-Encoding: xchunked\r\n"),
        ("two codings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
        ("a list of codings", "Transfer-Encoding: gzip, chunked\r\n"),
        ("chunked twice", "Transfer-Encoding: chunked, chunked\r\n"),
        ("a coding behind a tab and a vertical tab", "Transfer-Encoding: \x0bchunked\r\n"),
        ("a blank before the colon", "Transfer-Encoding : chunked\r\n"),
        ("a folded coding", "Transfer-Encoding:\r\n chunked\r\n"),
        ("a folded header", "X-A: b\r\n c\r\n"),
        ("NUL in a header", "X-A: b\0c\r\n"),
        ("a bare CR", "X-A: b\rTransfer-Encoding: chunked\r\n"),
        ("a bare LF", "X-A: b\nTransfer-Encoding: chunked\r\n"),
        ("two Hosts", "Host: b\r\n"),
        ("a header without a name", ": x\r\n"),
        ("a header without a colon", "X-A\r\n"),
        ("a name with a blank", "X A: b\r\n"),
        ("a name with a letter of UTF-8", "X-Ä: b\r\n"),
    ):
        yield name, post(lines, f"1d\r\n{BODY}\r\n0\r\n\r\n{smuggled}"), {400, 417, 501}
    for name, rest in (
        ("a chunk size that is none", f"zz\r\n{BODY}\r\n0\r\n\r\n"),
        ("a chunk size that overflows", f"fffffffffffffffff\r\n{BODY}\r\n"),
        ("a negative chunk size", f"-1\r\n{BODY}\r\n0\r\n\r\n"),
        ("a chunk size in 0x", f"0x1d\r\n{BODY}\r\n0\r\n\r\n"),
        ("a chunk that goes on", f"1c\r\n{BODY}\r\n0\r\n\r\n"),
        ("a chunk that ends with LF", f"1d\n{BODY}\r\n0\r\n\r\n"),
        ("trailing headers", f"1d\r\n{BODY}\r\n0\r\nAuthorization: {bearer('admin')}\r\n"),
    ):
        yield name, chunked(rest + smuggled), {400, 413}
    for name, line in (
        ("no version", "GET /bookings"),
        ("another version", "GET /bookings HTTP/2.0"),
        ("a version with a blank", "GET /bookings HTTP/ 1.1"),
        ("two blanks", "GET  /bookings HTTP/1.1"),
        ("NUL in the target", "GET /bookings\0 HTTP/1.1"),
        ("a target that is none", "GET bookings HTTP/1.1"),
        ("a method with a NUL", "GE\0T /bookings HTTP/1.1"),
        ("noise", "\x16\x03\x01\x02"),
    ):
        yield name, f"{line}\r\n{HOST}{bearer('booker')}\r\n{smuggled}", {400, 404, 405, 505}
    yield "no Host", f"GET /bookings HTTP/1.1\r\n{bearer('booker')}\r\n{smuggled}", {400}
    yield "chunks in HTTP/1.0", chunked(f"1d\r\n{BODY}\r\n0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0"), {400, 501}


def oversized():
    yield "a target of 9,000 bytes", get("/" + "x" * 9000), {414}
    yield "a header of 20,000 bytes", get("/bookings", f"X-A: {'x' * 20000}\r\n"), {431}
    yield "120 headers", get("/bookings", "X-A: b\r\n" * 120), {431}
    yield "a body of 70,000 bytes", with_body("x" * 70000), {413}
    yield "the same in chunks", chunked(f"11170\r\n{'x' * 70000}\r\n0\r\n\r\n"), {413}
    yield "a terabyte to come", post("Content-Length: 1000000000000\r\n"), {413}
    yield "100 KB of slots, and no token", get("/providers/salon/slots", "Content-Length: 100000\r\n", None).replace("GET", "POST"), {401}
    yield "5 MB of slots", post("Content-Length: 5000000\r\n", "", "/providers/salon/slots", "own"), {413}


def traversal():
    for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/bookings/../users", "/bookings/..%2fusers",
                 "/providers/salon/../other/bookings", "/providers/salon%2f..%2fother/bookings", "/bookings/%00",
                 "/bookings/%c0%ae%c0%ae", "/bookings/..%5c..%5cx", "//bookings", "/./bookings", "/bookings/", "/bookings;x",
                 "/bookings%0d%0aX-Evil:%201", "/bookings/%", "http://evil.example/bookings", "/bookings/" + "x" * 129):
        yield f"GET {path[:40]}", get(path), {400, 404}


def strangers():
    id_of, secret = tokens["admin"].split(".")
    for name, line in (
        ("no token", ""),
        ("an empty one", "Authorization: Bearer \r\n"),
        ("nonsense", "Authorization: Bearer nonsense\r\n"),
        ("another scheme", "Authorization: Basic YWRtaW46YWRtaW4=\r\n"),
        ("no scheme", f"Authorization: {tokens['admin']}\r\n"),
        ("another's secret", f"Authorization: Bearer {id_of}.{tokens['booker'].split('.')[1]}\r\n"),
        ("a secret one digit off", f"Authorization: Bearer {tokens['admin'][:-1]}{'0' if secret[-1] != '0' else '1'}\r\n"),
        ("the secret alone", f"Authorization: Bearer {secret}\r\n"),
        ("capital letters", f"Authorization: Bearer {tokens['admin'].upper()}g\r\n"),
        ("one behind another", bearer("booker") + bearer("admin")),
        ("a list", f"Authorization: Bearer {tokens['booker']}, Bearer {tokens['admin']}\r\n"),
        ("SQL", "Authorization: Bearer ' OR 1=1 --\r\n"),
        ("8,000 letters", f"Authorization: Bearer {'a' * 8000}\r\n"),
        ("a proxy's word", "X-Forwarded-User: root\r\nX-Forwarded-For: 127.0.0.1\r\n"),
        ("a cookie", f"Cookie: token={tokens['admin']}\r\n"),
    ):
        yield f"a token: {name}", get("/users", line, None), {401}
    yield "a token in the query", get(f"/users?access_token={tokens['admin']}", "", None), {401}


def others(booking):
    hidden = f"/providers/other/bookings/{booking}"
    for path in (hidden, hidden + "/history", f"/providers/salon/bookings/{booking}"):
        yield f"another's booking: GET {path[:30]}", get(path, who="own"), {404}
    for verb in ("accept", "reject", "cancel"):
        for provider in ("other", "salon"):
            yield f"another's booking: {verb} as {provider}", with_body("{}", f"/providers/{provider}/bookings/{booking}/{verb}", "own"), {404}
    for path in ("/providers/other/bookings", "/providers/other/events", "/providers/other/slots", "/providers/other",
                 "/providers/Salon/bookings", "/providers/salon./bookings", "/bookings", f"/bookings/{booking}", "/users"):
        yield f"another's: GET {path[:30]}", get(path, who="own"), {403}
    yield "another's slots", with_body('{"start":"2040-01-01T10:00:00Z","end":"2040-01-01T11:00:00Z"}', "/providers/other/slots", "own"), {403}
    yield "another's decisions", with_body(f'{{"accept":["{booking}"]}}', "/providers/other/decisions", "own"), {403}
    yield "a booker decides", with_body("{}", f"{hidden}/accept"), {403}
    yield "a booker among the people", get("/users"), {403}
    yield "a booker among dead letters", with_body('{"body":"x"}', "/queues/request/check"), {403}


def contents():
    for name, body in (
        ("bad UTF-8", b'{"slotId":"s-1","userId":"\xff"}'), ("overlong UTF-8", b'{"slotId":"s-1","userId":"\xc0\xaf"}'),
        ("a lone surrogate", '{"slotId":"s-1","userId":"\\ud800"}'), ("NUL", '{"slotId":"s-1","userId":"u\\u0000"}'),
        ("a raw NUL", b'{"slotId":"s-1\0","userId":"u"}'), ("10,000 brackets", "[" * 10000),
        ("10,000 objects", '{"a":' * 10000), ("two keys", '{"slotId":"s-1","slotId":"s-2","userId":"u"}'),
        ("a list", "[]"), ("a number", '{"slotId":1e999,"userId":"u"}'), ("more behind it", BODY + BODY),
        ("SQL", '{"slotId":"s-1\' OR 1=1 --","userId":"u"}'), ("a line end", '{"slotId":"s-1\\r\\nX-Evil: 1","userId":"u"}'),
        ("an escape sequence", '{"slotId":"s-1","userId":"\\u001b[2J"}'), ("nothing", "{}")):
        yield f"a body: {name}", with_body(body), {400}
    yield "a body: gzip", with_body(BODY, lines="Content-Encoding: gzip\r\n"), {415}
    yield "a form", with_body(BODY).replace(b"application/json", b"application/x-www-form-urlencoded"), {415}
    yield "an injected key", with_body(BODY, lines="Idempotency-Key: a b\r\n"), {400}
    for query in ("limit=-1", "limit=1e9", "limit=99999999999999999999", "after=x", "status=%27%20OR%201=1", "userId=%0d%0a",
                  "limit=%zz", "providerId=%00"):
        yield f"GET /bookings?{query}", get(f"/bookings?{query}"), {400}
    for method in ("TRACE", "DELETE", "PUT", "PATCH", "OPTIONS", "CONNECT", "BREW", "get"):
        yield method, get("/bookings").replace("GET", method, 1), {400, 405}


# --- Sending them.


def connect(source):
    return socket.create_connection(place, timeout=15, source_address=(source, 0))


def read_to_end(connection):
    answer = b""
    try:
        while piece := connection.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def answers_of(data):
    """(status, head, body) of each answer on the wire."""
    found = []
    while data.startswith(b"HTTP/1.1 "):
        head, _, data = data.partition(b"\r\n\r\n")
        lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        length = lengths[0] if lengths else 0
        found.append((int(head.split()[1]), head.decode("latin-1"), data[:length]))
        data = data[length:]
    return found, data


def judge(name, data, allowed):
    found, rest = answers_of(data)
    if len(found) != 1 or rest:
        wrong.append(f"{name}: {len(found)} answers: {data[:300]!r}")
        return
    status, head, body = found[0]
    if status not in allowed:
        wrong.append(f"{name}: {status}, not {allowed}: {body[:200]!r}")
    try:
        sentence = json.loads(body)["error"]
    except (ValueError, KeyError):
        sentence = ""
    if len(sentence) < 5 or not sentence.isprintable():
        wrong.append(f"{name}: no clear sentence: {body[:200]!r}")
    if "evil" in head.lower() or "etc" in sentence:
        wrong.append(f"{name}: got through: {head!r} {sentence!r}")


def send_all(requests):
    count = 0
    for name, request, allowed in requests:
        data = request if isinstance(request, bytes) else request.encode("utf-8" if "Ä" in request else "latin-1")
        with connect(ATTACKER) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has been refused already
            judge(name, read_to_end(connection), allowed)
        count += 1
    return count


# --- Slow ones, floods, crowds.


def slow_sender(number, ends):
    began = time.monotonic()
    with connect(SLOW_ONE) as connection:
        connection.settimeout(1)
        connection.sendall(post("Content-Length: 29\r\n", '{"').encode() if number % 2 else b"GET /bookings HTTP/1.1\r\nX-Slow: ")
        data = b""
        try:
            while time.monotonic() - began < DEADLINE_S + 10:
                try:
                    piece = connection.recv(4096)
                    if not piece:
                        break
                    data += piece
                except TimeoutError:
                    connection.sendall(b"x")
        except (BrokenPipeError, ConnectionResetError):
            pass
    ends.append((time.monotonic() - began, data))


def flood():
    """As fast as it goes, until it has been refused for a while."""
    connection, granted, refused = connect(FLOODER), 0, 0
    stream = connection.makefile("rb")
    asks = get("/openapi.json", "X-Forwarded-For: 127.0.0.1\r\n", None).replace("GET", "HEAD").encode() * 50
    while refused < 2000:
        connection.sendall(asks)
        for _ in range(50):
            status = int(stream.readline().split()[1])
            head = b"".join(iter(stream.readline, b"\r\n"))
            granted, refused = granted + (status == 200), refused + (status == 429)
            if status not in (200, 429) or (status == 429 and b"Retry-After: 1" not in head):
                wrong.append(f"flood: {status} {head!r}")
                return granted, refused
    connection.close()
    return granted, refused


def crowd():
    """More connections than one address may have."""
    connections = [connect(CROWD) for _ in range(CLIENT_CONNECTIONS + 40)]
    refused = 0
    for connection in connections[CLIENT_CONNECTIONS:]:
        data = read_to_end(connection)
        judge("one connection too many", data, {503})
        refused += b"\r\nRetry-After: 1\r\n" in data
    status, _ = call("booker", "GET", "/bookings")  # from another address
    if status != 200:
        wrong.append(f"beside a crowd a new connection is answered {status}")
    for connection in connections:
        connection.close()
    if refused != 40:
        wrong.append(f"of 40 connections too many {refused} are refused")
    return refused


def prepare():
    slots = [{"id": f"s-{i}", "start": f"2040-01-01T{10 + i}:00:00Z", "end": f"2040-01-01T{11 + i}:00:00Z"} for i in (1, 2)]
    assert call("admin", "POST", "/providers/other/slots", {"slots": slots})[0] == 201
    booking = call("booker", "POST", "/bookings", {"slotId": "s-2", "userId": "u"})[1]["id"]
    until = time.monotonic() + 20
    while call("admin", "GET", f"/providers/other/bookings/{booking}")[0] != 200:
        assert time.monotonic() < until
    return booking


def state():
    return [call("admin", "GET", path) for path in ("/bookings", "/users", "/providers", "/providers/other/slots",
                                                    "/providers/salon/slots", "/providers/other/bookings")]


def main():
    booking = prepare()
    before, stop, result = state(), multiprocessing.Event(), multiprocessing.Queue()
    client = multiprocessing.Process(target=good_client, args=(stop, result))
    client.start()
    ends = []
    slow = [threading.Thread(target=slow_sender, args=(i, ends)) for i in range(SLOW_SENDERS)]
    for thread in slow:
        thread.start()
    count = sum(send_all(kind) for kind in (framing(), oversized(), traversal(), strangers(), others(booking), contents()))
    granted, refused = flood()
    crowded = crowd()
    for thread in slow:
        thread.join()
    stop.set()
    took, bad = result.get()
    client.join()
    for after, data in ends:
        judge("a slow sender", data, {408})
        if not DEADLINE_S - 1 <= after <= DEADLINE_S + 2:  # its own clock ticks once a second
            wrong.append(f"a slow sender is closed after {after:.1f} s")
    p99 = took[len(took) * 99 // 100]
    if bad or (most_ms and p99 > most_ms):
        wrong.append(f"a good client: {bad} bad answers, p99 {p99:.1f} ms")
    if granted > 4 * CLIENT_REQUESTS or state() != before:
        wrong.append(f"{granted} requests of a flood are answered, or something has changed")
    print("\n".join(wrong), file=sys.stderr)
    print(f"{count} hostile requests: {count} clear refusals")
    print(f"{SLOW_SENDERS} senders of a byte a second: closed after {max(after for after, _ in ends):.1f} s at most (limit {DEADLINE_S})")
    print(f"a flood: {refused} of {refused + granted} requests 429; {crowded} connections beyond {CLIENT_CONNECTIONS} 503")
    print(f"a good client meanwhile: {len(took)} requests, p99 {p99:.1f} ms" + (f" (limit {most_ms})" if most_ms else ""))
    return 1 if wrong or count < 60 else 0


sys.exit(main())
