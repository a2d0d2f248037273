"""Measures what the console costs: figures.py BUILD_FOLDER ci|full. Prints a line for each figure:
id, ok or MISSED, and the text. Bytes, rows, memory and wake-ups decide; times are reported, for they
are the machine's, too, and decide only where they are ten times the limit."""
import contextlib
import os
import pathlib
import re
import signal
import sys
import threading
import time

from fixture import Fixture, booking
from terminal import DOWN, ESCAPE
from worker import Bench, Worker

SLOW = 10
PAGE_DOWN = b"\033[6~"


def figure(number, good, text):
    print(f"C{number} {'ok' if good else 'MISSED'} {text}", flush=True)


def bytes_of(terminal, *keys):
    """What the answer to these keys writes."""
    terminal.drain()
    terminal.keys(*keys)
    first = terminal.read(5)
    assert first, f"{keys} were not answered"
    return len(first + terminal.drain())


def latencies(terminal, count, keys=(b"j", b"k")):
    """From each key to the first byte, in ms, sorted."""
    found = []
    for i in range(count):
        while terminal.read(0.01):
            continue
        began = time.perf_counter()
        terminal.keys(keys[i % len(keys)])
        if terminal.read(2):
            found.append((time.perf_counter() - began) * 1000)
    assert len(found) == count, f"{len(found)} of {count} keys were answered"
    return sorted(found)


def percentiles(found):
    return f"p50 {found[len(found) // 2]:.1f} ms, p99 {found[len(found) * 99 // 100]:.1f} ms"


def p99(found):
    return found[len(found) * 99 // 100]


def live(terminal):
    terminal.sees(r"\[LIVE\]", 120)
    terminal.drain(0.5)


def memory_mb(terminal):
    """What is its own: pages that no file backs."""
    rollup = pathlib.Path(f"/proc/{terminal.process.pid}/smaps_rollup").read_text(encoding="ascii")
    return {name: int(re.search(rf"^{name}: +(\d+)", rollup, re.MULTILINE)[1]) / 1024 for name in ("Anonymous", "Rss")}


def memory_text(found):
    return f"{found['Anonymous']:.1f} MB of its own, {found['Rss']:.1f} with libraries"


def cpu_s(terminal):
    fields = pathlib.Path(f"/proc/{terminal.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wakes(terminal):
    """Of all its threads."""
    return sum(
        int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(encoding="ascii"), re.MULTILINE)[1])
        for task in pathlib.Path(f"/proc/{terminal.process.pid}/task").iterdir())


def over(terminal, seconds):
    """What it writes in that time, as a stream of pieces."""
    deadline = time.monotonic() + seconds
    total = 0
    while (left := deadline - time.monotonic()) > 0:
        total += len(terminal.read(left))
    return total


# --- what both servers are asked


def frames(bench, url, what, first):
    """Bytes at 80x24 and 200x60."""
    with bench.open(url) as terminal:
        live(terminal)
        down = max(bytes_of(terminal, DOWN) for _ in range(5))
        terminal.keys(b"g", *[DOWN] * 9)
        scroll = max(bytes_of(terminal, DOWN) for _ in range(3))
        page = max(bytes_of(terminal, PAGE_DOWN) for _ in range(3))
        paint = bytes_of(terminal, b"\014")
        figure(first, down <= 260 and scroll <= 260 and page <= 1300 and paint <= 2500,
               f"80x24, {what}: {down} bytes for Down, {scroll} a line's scroll, {page} a page, {paint} the whole screen "
               "(260, 260, 1300, 2500)")
    with bench.open(url, 60, 200) as terminal:
        live(terminal)
        down, paint = bytes_of(terminal, DOWN), bytes_of(terminal, b"\014")
        figure(first + 1, down <= 400 and paint <= 6000,
               f"200x60, {what}: {down} bytes for Down, {paint} the whole screen (400, 6000)")


def many_rows(bench, url, what, first, keys):
    with bench.open(url) as terminal:
        live(terminal)
        found = latencies(terminal, keys)
        figure(first, p99(found) <= 5 * SLOW, f"100,000 rows, {what}: key to first byte {percentiles(found)} (5 ms)")
        terminal.keys("/")
        terminal.sees("^Find: _")
        terminal.drain()
        found = latencies(terminal, 12, (b"9", b"8", b"7", b"\177", b"\177", b"\177"))
        figure(first + 1, p99(found) <= 16 * SLOW, f"100,000 rows, {what}: a key of a search {percentiles(found)} (16 ms)")
        terminal.keys(ESCAPE)
        memory = memory_mb(terminal)
        figure(first + 2, memory["Anonymous"] <= 64, f"100,000 rows, {what}: {memory_text(memory)} (64)")


# --- one by one, against the fixture


def first_paint(bench):
    """While nobody listens."""
    found = []
    for _ in range(5):
        began = time.perf_counter()
        with bench.open("http://127.0.0.1:1") as terminal:
            terminal.sees("Connecting|OFFLINE|Inbox")
            found.append((time.perf_counter() - began) * 1000)
    found.sort()
    figure(1, found[2] <= 50 * SLOW, f"first paint before any network: {found[2]:.0f} ms of {len(found)} starts (50 ms)")


def queued_keys(terminal):
    terminal.drain()
    began = time.perf_counter()
    terminal.keys(b"j" * 500)
    data, last = bytearray(), began
    while piece := terminal.read(0.2):
        data += piece
        last = time.perf_counter()
    figure(8, len(data) <= 2500, f"500 queued keys: {len(data)} bytes, so one frame (2500), in {(last - began) * 1000:.0f} ms (20)")


def resizes(terminal):
    terminal.drain()
    began = time.perf_counter()
    for i in range(300):
        terminal.resize(10 + i % 40, 40 + i % 100)
    terminal.resize(24, 80)
    terminal.drain(0.3)
    took = (time.perf_counter() - began - 0.3) * 1000
    after = terminal.text()
    terminal.keys(b"\014")
    terminal.drain()
    figure(9, after == terminal.text(), f"300 resizes, then the right screen: after {took:.0f} ms (100)")


def closes(terminal):
    found = []
    for _ in range(10):
        terminal.keys("?")
        terminal.sees("Keys: Esc closes")
        terminal.drain()
        found += latencies(terminal, 1, (ESCAPE,))
        terminal.misses("Keys: Esc closes")
        time.sleep(0.2)  # the keys behind Esc are not heard for 150 ms, on purpose
    found.sort()
    figure(10, found[5] <= 40 * SLOW, f"Esc closes an overlay: p50 {found[5]:.0f} ms (40)")


def small_list(bench):
    with Fixture(many=1000) as server, bench.open(server.url) as terminal:
        live(terminal)
        memory = memory_mb(terminal)
        figure(6, memory["Anonymous"] <= 8, f"1,000 rows: {memory_text(memory)} (8)")
        queued_keys(terminal)
        resizes(terminal)
        closes(terminal)
        terminal.keys("g", "a")
        terminal.sees("will be sent")
        terminal.drain(0.2)
        ticks = [over(terminal, 1) for _ in range(4)]
        figure(7, max(ticks) <= 30, f"a second of the countdown: {max(ticks)} bytes (30)")


def arrivals(bench):
    with Fixture(many=20) as server, bench.open(server.url) as terminal:
        live(terminal)
        found = []
        for i in range(8):
            server(add=[booking(900 + i, f"New {i}", 0)])
            found.append(len(terminal.drain(0.3)))
        figure(11, max(found) <= 80, f"an arrival below the page, with the title: {found[0]} bytes the first, {max(found[1:])} the next (80)")


def storm(bench, seconds):
    with Fixture(many=1000, rate=1000) as server, bench.open(server.url) as terminal:
        live_or_slow = r"\[(LIVE|SLOW)"
        terminal.sees(live_or_slow, 120)
        over(terminal, 1)
        waiting, began = inbox(terminal), time.monotonic()
        rate = over(terminal, seconds) / seconds
        came = (inbox(terminal) - waiting) / (time.monotonic() - began)
        figure(12, rate <= 2000 and came >= 500, f"{came:.0f} arrivals/s: {rate:.0f} bytes/s (2000 at any rate)")
        found = []
        for i in range(50):
            server_bytes = len(terminal.written)
            began = time.perf_counter()
            terminal.keys((b"j", b"k")[i % 2])
            terminal.until("the cursor moves", lambda: len(terminal.written) > server_bytes and
                           terminal.screen.cursor()[0] == (4, 3)[i % 2])
            found.append((time.perf_counter() - began) * 1000)
        found.sort()
        figure(13, p99(found) <= 5 * SLOW, f"the same: key to the cursor's move {percentiles(found)} (5 ms)")


def idle(bench, seconds):
    """Between two heartbeats nobody has a reason to wake but the clock's minute."""
    with Fixture(many=5, heartbeat_s=0) as server, bench.open(server.url) as terminal:
        live(terminal)
        over(terminal, 2)
        before = wakes(terminal)
        over(terminal, 15)
        quiet = wakes(terminal) - before
    figure(14, quiet <= 3, f"idle, 15 s between two heartbeats: {quiet} wake-ups of all threads (one for a minute's turn)")
    with Fixture() as server, bench.open(server.url) as terminal:
        live(terminal)
        before, written = wakes(terminal), over(terminal, seconds)
        minutes = seconds / 60
        figure(15, written <= 40 * max(1, minutes),
               f"idle, {seconds} s with heartbeats: {written} bytes (40 a minute), {wakes(terminal) - before} wake-ups")


# --- against the real worker


def steady(bench, worker, seconds):
    """100 bookings a second, made by customers."""
    count = 100 * (seconds + 10)
    worker.slots("busy", count, int(time.time()) // 60 * 60 + 30 * 86400, 1)
    stop = threading.Event()

    def customer():
        due = time.monotonic()
        for i in range(count):
            if stop.is_set():
                return
            worker.book(f"busy-{i}", "user")
            due += 0.01
            time.sleep(max(0, due - time.monotonic()))

    with bench.open(worker.url) as terminal:
        live(terminal)
        booker = threading.Thread(target=customer)
        booker.start()
        over(terminal, 2)
        waiting = inbox(terminal)
        began, used = time.monotonic(), cpu_s(terminal)
        over(terminal, seconds)
        share = (cpu_s(terminal) - used) / (time.monotonic() - began) * 100
        rate = (inbox(terminal) - waiting) / seconds
        stop.set()
        booker.join()
        figure(22, share <= 1 * SLOW, f"{rate:.0f} arrivals/s, the worker: {share:.1f} % of a core (1 % at 100/s)")


def inbox(terminal):
    return int(re.search(r"Inbox (\d+)", terminal.text())[1])


def main():
    whole = sys.argv[2] != "ci"
    keys = 200 if whole else 50
    with contextlib.ExitStack() as stack:
        bench = stack.enter_context(Bench(sys.argv[1]))
        first_paint(bench)
        small_list(bench)
        arrivals(bench)
        storm(bench, 5 if whole else 3)
        idle(bench, 60 if whole else 10)
        server = stack.enter_context(Fixture(many=100000))
        frames(bench, server.url, "the fixture", 2)
        many_rows(bench, server.url, "the fixture", 16, keys)
        server.__exit__()
        worker = stack.enter_context(Worker(bench))
        steady(bench, worker, 10 if whole else 3)
        worker.stop(signal.SIGTERM)
        worker.seed(100000 if whole else 20000)
        worker.start()
        frames(bench, worker.url, "the worker", 4)
        if whole:
            many_rows(bench, worker.url, "the worker", 19, keys)


main()
