"""The real worker and the console's environment, for the proofs of the console."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback

from fixture import PROVIDER, at, client
from terminal import Terminal


class Bench:
    """A folder that goes, the programs of a build, and the environment that the console gets."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.console = self.build / "tui" / "bookflow-console"
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        self.folder = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="bookflow-console.")))
        self.home(0)
        return self

    def __exit__(self, *_):
        self.stack.close()

    def home(self, number, settings=""):
        """A new one: no journal, these settings."""
        self.home_folder = self.folder / f"home-{number}"
        config = self.home_folder / ".config" / "bookflow"
        config.mkdir(parents=True, exist_ok=True)
        (config / "console.conf").write_text(settings)

    def environment(self, url, **others):
        kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
        return {**kept, "HOME": str(self.home_folder), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "TZ": "UTC",
                "ESCDELAY": "25", "BOOKFLOW_URL": url, "BOOKFLOW_PROVIDER": PROVIDER, **others}

    def open(self, url, lines=24, columns=80, **environment):
        return Terminal([str(self.console)], self.environment(url, **environment), lines, columns)


class Worker:
    """`bookflow serve all` on a port of its own that it keeps over a restart."""

    def __init__(self, bench):
        self.program = bench.build / "workers" / "bookflow"
        self.state = pathlib.Path(tempfile.mkdtemp(dir=bench.folder, prefix="state-"))
        self.address = "127.0.0.1:0"
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.kill()
            self.process.wait()

    def start(self):
        log = self.state / "log"
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.state), "BOOKFLOW_STATE_DIR": str(self.state),
                       "BOOKFLOW_LISTEN": self.address, "TZ": "UTC", "LC_ALL": "C.UTF-8"}
        with open(log, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen([str(self.program), "serve", "all"], env=environment, stdout=out, stderr=out)
        deadline = time.monotonic() + 60
        while not (found := re.search(r" serve\.ready .*address=(\S+)", log.read_text())):
            assert time.monotonic() < deadline and self.process.poll() is None, log.read_text()
            time.sleep(0.02)
        self.address = found[1]
        self.url = f"http://{self.address}"

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait()
        self.process = None

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.address, timeout=30)
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = json.loads(answer.read() or "{}")
        connection.close()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
        return text

    def slots(self, prefix, count, from_s, minutes=10):
        self.call("POST", f"/providers/{PROVIDER}/slots", {"slots": [
            {"id": f"{prefix}-{i}", "start": at(from_s + i * minutes * 60), "end": at(from_s + (i + 1) * minutes * 60)}
            for i in range(count)]})

    def book(self, slot, user):
        return self.call("POST", "/bookings", {"slotId": slot, "userId": user})["id"]

    def status(self, number):
        return self.call("GET", f"/bookings/{number}")["status"]

    def seed(self, count):
        """So many that wait, into the decision worker's store while nobody has it open."""
        now = int(time.time())
        first = now - now % 3600 + 3 * 3600
        with contextlib.closing(sqlite3.connect(self.state / "decision.db")) as store, store:
            store.executemany(
                "INSERT INTO bookings (id, user_id, user_name, provider_id, slot_id, start_s, end_s, status, received_s,"
                " decided_s, decided_by, reason) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, 0, '', '')",
                ((f"0199-{i:08x}", f"user-{i}", client(i), PROVIDER, f"slot-{i}", first + i * 1200,
                  first + i * 1200 + 1200, now - 61 * (count - i)) for i in range(count)))


def run_all(tests):
    """PROGRAM BUILD_FOLDER [TEST...]: each with a bench of its own. Ends with 1 when one fails."""
    failed = 0
    for run in tests:
        if sys.argv[2:] and run.__name__ not in sys.argv[2:]:
            continue
        began = time.monotonic()
        try:
            with Bench(sys.argv[1]) as bench:
                run(bench)
            print(f"ok - {run.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok - {run.__name__}\n{traceback.format_exc()}", flush=True)
    sys.exit(failed > 0)
