"""What the console says in each state, each brought about by its real cause: states.py BUILD_FOLDER.
The worker is stopped, killed, slowed by a proxy; another console and the customer are quicker; what no
worker does on demand (401, 422, 5xx, no answer) the fixture does."""
import select
import signal
import socket
import threading
import time

from fixture import PROVIDER, Fixture, booking
from terminal import ENTER, ESCAPE
from worker import Worker, run_all

UNHURRIED = "undo_seconds = 60\n"  # longer than any wait of a test: what is said is not said by a 409
TESTS = []
test = TESTS.append


class Proxy:
    """Between the console and a worker. What is answered waits for `delay_s`; 0 = at once."""

    def __init__(self, address):
        host, port = address.split(":")
        self.target = (host, int(port))
        self.delay_s = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client):
        with client, socket.create_connection(self.target) as server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    if ready is server:
                        time.sleep(self.delay_s)
                    (client if ready is server else server).sendall(data)


class Stage:
    """A worker with free slots, and names for those who book them."""

    def __init__(self, bench):
        self.bench = bench
        self.worker = bench.stack.enter_context(Worker(bench))
        self.taken = 0
        now = int(time.time())
        self.worker.slots("slot", 40, now - now % 3600 + 2 * 86400)

    def asks(self, terminal, name):
        """A booking under the cursor; its id."""
        self.worker.call("PUT", f"/users/{name}", {"name": name})
        number = self.worker.book(f"slot-{self.taken}", name)
        self.taken += 1
        terminal.sees(f"^[> ].*{name}")
        terminal.keys("G")
        terminal.sees(f"^>.*{name}")
        return number

    def stages(self, terminal, name):
        number = self.asks(terminal, name)
        terminal.keys("a")
        terminal.sees(f"ACCEPT [0-9]+s .*{name}")
        return number

    def becomes(self, number, status):
        deadline = time.monotonic() + 30
        while (now := self.worker.status(number)) != status:
            assert time.monotonic() < deadline, f"{number} is {now}, not {status}"
            time.sleep(0.05)

    def decides(self, number, verb):
        self.worker.call("POST", f"/providers/{PROVIDER}/bookings/{number}/{verb}", {})


def fixture_console(bench, **order):
    """A console with one request, and the server behind it."""
    server = bench.stack.enter_context(Fixture(add=[booking(1, "Zoë Müller", 1560)], **order))
    terminal = bench.stack.enter_context(bench.open(server.url))
    terminal.sees(r"\[(LIVE|QUEUE BEHIND)")
    terminal.sees("^>.*Zoë Müller")
    return server, terminal


# --- the real worker


@test
def first_start(bench):
    with bench.open("http://127.0.0.1:1") as terminal:
        terminal.sees(r"Connecting to http://127\.0\.0\.1:1 \.\.\. +[0-9]+ s +\(q quits, nothing is lost\)")
        terminal.sees(r"\[OFFLINE 00:0[0-9]\]")
        terminal.keys("q")
        assert terminal.ends() == (0, "")


@test
def empty(bench):
    stage = Stage(bench)
    with bench.open(stage.worker.url, 36) as terminal:
        terminal.sees("No requests are waiting. New ones appear here by themselves.")
        terminal.sees("2 Your day")
        number = stage.stages(terminal, "ann")
        terminal.keys("s")
        stage.becomes(number, "confirmed")
        terminal.sees("ann: ACCEPT delivered")
        terminal.keys("/", "x")  # the cursor leaves it
        terminal.sees("found 0 of 0")
        terminal.keys(ESCAPE)
        terminal.sees(r"Last answer [0-9:]{5}\.")


@test
def finds_nothing(bench):
    _, terminal = fixture_console(bench)
    terminal.keys("/")
    terminal.sees("^Find: _")
    terminal.keys("xy")
    terminal.sees(r'Nothing matches "xy"\.  1 request hidden\.   Esc Show all')
    terminal.keys(ESCAPE)
    terminal.sees("^>.*Zoë Müller")


@test
def worker_stopped_and_killed(bench):
    stage = Stage(bench)
    with bench.open(stage.worker.url, 36) as terminal:
        terminal.sees(r"\[LIVE\]")
        for how in (signal.SIGTERM, signal.SIGKILL):
            name = f"gina{how}"
            number = stage.stages(terminal, name)
            stage.worker.stop(how)
            terminal.sees(r"\[OFFLINE [0-9:]{5}\]")
            terminal.sees(r"OFFLINE since [0-9:]{8}\. This is the list as it was then\.")
            terminal.sees("Answers you give now are kept and shown; none is sent until the list")
            terminal.sees(r"Next try in [0-9]+ s\.")
            terminal.sees("F5 Try now")
            terminal.sees(f"ACCEPT kept .*{name}")
            stage.worker.start()
            terminal.sees(r"Back after .*\. 0 new, 0 gone\. 1 kept answer\.   s Send   u Undo", 60)
            assert stage.worker.status(number) == "pending", "an answer went out by itself"
            terminal.keys("s")
            stage.becomes(number, "confirmed")


@test
def slow_and_stale(bench):
    stage = Stage(bench)
    proxy = Proxy(stage.worker.address)
    with bench.open(proxy.url) as terminal:
        terminal.sees(r"\[LIVE\]")
        number = stage.stages(terminal, "hugo")
        proxy.delay_s = 4
        terminal.keys("s")
        terminal.sees(r"\[SLOW [2-9]\.[0-9] s\]")
        terminal.keys("?")
        terminal.sees("Keys: Esc closes", 1)  # keys are instant all the same
        terminal.keys(ESCAPE)
        stage.becomes(number, "confirmed")
        proxy.delay_s = 0
        terminal.sees(r"\[LIVE\]")
        proxy.delay_s = 3600
        terminal.sees(r"\[STALE 00:[2-3][0-9]\]", 60)
        terminal.sees(r"Connected, but nothing was heard for [0-9]+ s")


@test
def somebody_else_is_quicker(bench):
    bench.home(1, UNHURRIED)
    stage = Stage(bench)
    with bench.open(stage.worker.url) as terminal, bench.open(stage.worker.url) as other:
        for one in (terminal, other):
            one.sees(r"\[LIVE\]")
        number = stage.stages(terminal, "emil")
        other.sees("^[> ].*emil")
        other.keys("r")
        other.sees("Reject emil")
        other.keys("1", ENTER)
        other.sees("REJECT [0-9]+s .*emil")
        other.keys("s")
        terminal.sees(r"Already REJECTED elsewhere at [0-9:]{5}\. Your ACCEPT was not done\.   Enter See it")
        terminal.keys(ENTER)
        terminal.sees("NOT DONE")
        stage.becomes(number, "rejected")
        number = stage.stages(terminal, "fred")
        stage.decides(number, "accept")
        terminal.sees(r"Already ACCEPTED elsewhere at [0-9:]{5}\. Nothing to do\.")


@test
def the_customer_cancels_what_is_staged(bench):
    bench.home(1, UNHURRIED)
    stage = Stage(bench)
    with bench.open(stage.worker.url) as terminal:
        terminal.sees(r"\[LIVE\]")
        number = stage.stages(terminal, "cleo")
        stage.worker.call("POST", f"/bookings/{number}/cancel", {})
        terminal.sees(r"The client cancelled at [0-9:]{5}\. Nothing was booked\. Nothing to do\.")
        stage.becomes(number, "cancelled")


@test
def a_restart_after_a_kill(bench):
    stage = Stage(bench)
    with bench.open(stage.worker.url) as terminal:
        terminal.sees(r"\[LIVE\]")
        numbers = [stage.stages(terminal, name) for name in ("ida", "jan", "kim")]
        terminal.signal(signal.SIGKILL)
        terminal.ends()
    assert [stage.worker.status(number) for number in numbers] == ["pending"] * 3, "one was sent"
    with bench.open(stage.worker.url) as terminal:
        terminal.sees("3 answers were not sent when the console closed.   Enter Check them")
        terminal.keys(ENTER)
        for name in ("ida", "jan", "kim"):
            terminal.sees(f"ACCEPT {name}, .*: still waits for an answer")
        terminal.keys("u")
        terminal.sees("taken back")
        assert [stage.worker.status(number) for number in numbers] == ["pending"] * 3, "one was sent"


# --- what no worker does on demand


@test
def a_booking_that_is_gone(bench):
    server, terminal = fixture_console(bench, decisions=[404])
    terminal.keys("a")
    terminal.sees("ACCEPT [0-9]+s")
    terminal.keys("s")
    terminal.sees(r"no longer exists\. Nothing was sent to")
    terminal.sees("It left your list")
    terminal.sees(r"\(404, +000001\)|\(404,")
    assert len(server.posts()) == 1


@test
def a_conflict(bench):
    server, terminal = fixture_console(bench)
    terminal.keys("a")
    terminal.sees("ACCEPT [0-9]+s")
    quietly = booking(1, "Zoë Müller", 1560, status="rejected", decidedBy="front desk", decidedAt="2026-01-02T10:41:00Z")
    server(bookings={quietly["id"]: quietly})
    terminal.keys("s")
    terminal.sees(r'Already REJECTED on "front desk" at 10:41\. Your ACCEPT was not done\.')
    terminal.sees(r"\(409\)")


@test
def a_reason_that_is_refused(bench):
    server, terminal = fixture_console(bench, decisions=[422])
    terminal.keys("r")
    terminal.sees("Reject Zoë")
    terminal.keys("1", ENTER)
    terminal.sees("REJECT [0-9]+s")
    terminal.keys("s")
    terminal.sees(r"The server did not take the reason text \([0-9]+ letters\)")
    terminal.sees(r"e Edit   Esc Keep waiting   \(422\)")
    terminal.keys("e")
    terminal.sees("Reason for the reject")
    terminal.keys("!", ENTER)
    terminal.sees("REJECT [0-9]+s")
    terminal.keys("s")
    terminal.sees("delivered")
    keys = [key for _, key, _ in server.posts()]
    assert len(set(keys)) == 2, "another reason is another answer"


@test
def a_key_that_is_refused(bench):
    server, terminal = fixture_console(bench)
    terminal.keys("a")
    terminal.sees("ACCEPT [0-9]+s")
    server(all=401)
    terminal.sees(r"\[SIGNED OUT\]")
    terminal.sees(r"This console is signed out\. Answers are kept\.   L Sign in   \(401\)")
    terminal.sees("ACCEPT kept")
    server(all=0)
    terminal.keys("L")
    terminal.sees(r"\[LIVE\]")
    terminal.sees("1 kept answer")
    assert not server.posts(), "nothing goes out while nobody is signed in"


@test
def a_server_that_is_busy(bench):
    server, terminal = fixture_console(bench, decisions=[503, 429])
    terminal.keys("a")
    terminal.sees("ACCEPT [0-9]+s")
    terminal.keys("s")
    terminal.sees(r"Server busy\. Trying again in [0-9]+ s \(2 of 6\)\. Not sent yet\.   \(503\)")
    terminal.sees(r"Server busy\. Trying again in [0-9]+ s \(3 of 6\)\. Not sent yet\.   \(429\)")
    terminal.sees("ACCEPT delivered")
    assert len(same_key(server)) == 3


def same_key(server):
    posts = server.posts()
    assert len({key for _, key, _ in posts}) == 1, f"one answer has one key: {posts}"
    return posts


@test
def no_answer(bench):
    server, terminal = fixture_console(bench, decisions=["drop"] * 3)  # libcurl asks again by itself, once
    terminal.keys("a")
    terminal.sees("ACCEPT [0-9]+s")
    terminal.keys("s")
    terminal.sees(r"Sent, but no answer came\. Checking what happened \.\.\.")
    terminal.sees("the same key")
    terminal.sees("ACCEPT delivered")
    assert len(same_key(server)) >= 2


@test
def the_queue_is_behind(bench):
    late = {"unsent": 12, "oldestUnsentSeconds": 180, "queue": "down", "since": "2026-01-01T00:00:00Z"}
    _, terminal = fixture_console(bench, pipeline=late)
    terminal.sees(r"\[QUEUE BEHIND 3 min\]")
    terminal.sees(r"Recorded, but clients are not told yet \(12 waiting\)\.")


@test
def too_small(bench):
    server, terminal = fixture_console(bench)
    terminal.resize(5, 29)
    terminal.sees(r"Make the window bigger")
    terminal.keys("a")
    terminal.drain(0.2)
    terminal.resize(24, 80)
    terminal.sees("^>.*Zoë Müller")
    assert not terminal.shows("will be sent"), "an answer to what nobody could see"
    assert not server.posts()


@test
def no_terminal_at_all(bench):
    with bench.open("http://127.0.0.1:1", TERM="dumb") as terminal:
        code, said = terminal.ends()
        assert code == 2 and "--list" in said, (code, said)


run_all(TESTS)
