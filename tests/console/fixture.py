"""A scripted decision worker: the API that the console speaks, with faults on demand. Run as a program
it serves until its stdin ends; POST /fixture tells it what to do, and `Fixture` does so from a test."""
import http.client
import http.server
import itertools
import json
import subprocess
import sys
import threading
import time
import urllib.parse

PROVIDER = "salon-1"


NAMES = ("Zoë Müller", "José da Silva", "山田 太郎", "Олена Коваль", "Pat O'Brien", "Anne-Marie Dupont-Lefèvre", "Bo Li")


def client(number):
    """A name, unlike that of its neighbours."""
    return f"{NAMES[number % len(NAMES)]} {number * 7919 % 100000}"


def at(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def booking(number, name, waits_s, **others):
    """One that waits: in 3 hours and later, three to the hour, none overlapping another."""
    now = others.pop("now", None) or int(time.time())
    start = now - now % 3600 + 3 * 3600 + number * 1200
    return {
        "id": f"0199-{number:08x}", "userId": f"user-{number}", "providerId": PROVIDER, "slotId": f"slot-{number}",
        "start": at(start), "end": at(start + 1200), "status": "pending", "userName": name,
        "receivedAt": at(now - waits_s), "delivered": False, **others}


class State:
    def __init__(self):
        self.lock = threading.Lock()
        self.bookings = {}
        self.streams = []
        self.sequence = 1
        self.posts = []  # (path, key, body)
        self.pages = {}  # the lists that were asked for, until something changes
        self.all = 0  # the status that everything is answered with
        self.decisions = []  # the statuses of the next decisions; "drop" closes without an answer
        self.pipeline = {"unsent": 0, "oldestUnsentSeconds": 0, "queue": "ok", "since": at(0)}
        self.heartbeat_s = 15
        self.rate = 0

    def change(self, booking_):
        with self.lock:
            self.bookings[booking_["id"]] = booking_
            self.pages.clear()
            self.sequence += 1
            event = f"id: {self.sequence}\nevent: booking\ndata: {json.dumps(booking_)}\n\n".encode()
            self.send(event)

    def send(self, data):
        for stream in list(self.streams):
            try:
                stream.wfile.write(data)
                stream.wfile.flush()
            except OSError:
                self.streams.remove(stream)

    def order(self, order):
        """What a test tells it; each name is a field of this or one of these."""
        for one in order.pop("add", []):
            self.change(one)
        many = order.pop("many", None)
        if many:
            self.bookings = {one["id"]: one for one in (booking(i, client(i), 61 * (many - i)) for i in range(many))}
            self.pages.clear()
        with self.lock:
            for name, value in order.items():
                getattr(self, name)  # a word that is none must fail
                setattr(self, name, value)
            if self.all:
                self.hang_up()

    def hang_up(self):
        for stream in self.streams:
            stream.connection.shutdown(2)
        self.streams.clear()

    def page(self, query):
        key = tuple(query.get(name, [""])[0] for name in ("status", "from", "to"))
        if key not in self.pages:
            self.pages[key] = [
                one for one in sorted(self.bookings.values(), key=lambda one: one["receivedAt"], reverse=True)
                if (not key[0] or one["status"] == key[0]) and (not key[1] or one["start"] >= key[1])
                and (not key[2] or one["start"] < key[2])]
        found, first = self.pages[key], int(query.get("after", ["0"])[0])
        last = first + int(query.get("limit", ["100"])[0])
        return {"bookings": found[first:last], "next": str(last) if last < len(found) else None}


STATE = State()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        rest = url.path.removeprefix(f"/providers/{PROVIDER}")
        if url.path == "/fixture":
            self.answer(200, {"posts": STATE.posts, "streams": len(STATE.streams)})
        elif STATE.all:
            self.answer(STATE.all, {"error": "as the test wants it"})
        elif url.path == "/pipeline":
            self.answer(200, STATE.pipeline)
        elif rest == "/events":
            self.listen()
        elif rest == "/bookings":
            with STATE.lock:
                page = STATE.page(urllib.parse.parse_qs(url.query))
            self.answer(200, page)
        else:
            self.one(rest.removeprefix("/bookings/"))

    def one(self, number):
        known = STATE.bookings.get(number)
        self.answer(200 if known else 404, known or {"error": "Booking not found"})

    def listen(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        with STATE.lock:
            self.wfile.write(f"id: {STATE.sequence}\n\n".encode())
            STATE.streams.append(self)
        while self in STATE.streams:  # who writes is change(), and the heart
            time.sleep(0.2)
        self.close_connection = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/fixture":
            STATE.order(json.loads(body))
            self.answer(200, {})
            return
        STATE.posts.append((self.path, self.headers.get("Idempotency-Key"), body.decode()))
        number, verb = self.path.split("/")[-2:]
        status = STATE.all or (STATE.decisions.pop(0) if STATE.decisions else 200)
        if status == "drop":
            self.close_connection = True
        elif status != 200:
            self.answer(status, {"error": "as the test wants it"})
        elif number not in STATE.bookings:
            self.answer(404, {"error": "Booking not found or does not belong to this provider"})
        else:
            self.decide(STATE.bookings[number], "confirmed" if verb == "accept" else "rejected")

    def decide(self, known, status):
        if known["status"] not in ("pending", status):
            self.answer(409, {"error": f"Cannot decide booking with status: {known['status']}", "booking": known})
            return
        decided = {**known, "status": status, "delivered": True, "decidedAt": at(time.time()), "decidedBy": "provider"}
        STATE.change(decided)
        self.answer(200, {"message": "done", "booking": decided})


def beat():
    last = time.monotonic()
    while True:
        time.sleep(0.1)
        if STATE.heartbeat_s and time.monotonic() - last >= STATE.heartbeat_s:
            last = time.monotonic()
            with STATE.lock:
                STATE.send(b": heartbeat\n\n")


def bring():
    """`rate` requests a second."""
    numbers = itertools.count(1000000)
    due = time.monotonic()
    while True:
        due = max(due + 0.02, time.monotonic() - 1)
        time.sleep(max(0, due - time.monotonic()))
        for _ in range(STATE.rate // 50):
            number = next(numbers)
            STATE.change(booking(number % 100000, f"New {number}", 0, id=f"0199-{number:08x}"))


def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Handler)
    server.daemon_threads = True
    for run in (beat, bring, server.serve_forever):
        threading.Thread(target=run, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


class Fixture:
    """The server as a process; `with Fixture() as server: server(add=[...])`."""

    def __init__(self, **order):
        self.process = subprocess.Popen(
            [sys.executable, "-B", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"
        self(**order)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def call(self, method, body=None):
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=60)
        connection.request(method, "/fixture", body)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def __call__(self, **order):
        self.call("POST", json.dumps(order))

    def posts(self):
        return self.call("GET")["posts"]


if __name__ == "__main__":
    serve()
