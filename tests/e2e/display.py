"""What reaches a terminal: display.py URL BUILD CORPUS. Called by display.sh."""
import json
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import time
import urllib.request

url, build, corpus = sys.argv[1:]
wrong = []

# Bytes with which the console steers its terminal, by terminfo, and the one title that it sets. No other strings
# (OSC, DCS, APC), no reset: with these a name could set a title, write to the clipboard, or answer for the user.
STEERING = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b\([0AB]|\x1b[=>78M]|[\x08\x0e\x0f]|\x1b\]2;(?:\d+ waiting - salon)?\x07")
RANGES = ((0, 8), (11, 12), (14, 31), (0x7F, 0x9F), (0xAD, 0xAD), (0x61C, 0x61C), (0x200B, 0x200F), (0x2028, 0x202E),
          (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xE0000, 0xE0FFF))


def forbidden(data, steers):
    text = (STEERING.sub(b"", data) if steers else data).decode("utf-8", "surrogateescape")
    # A space before a name's first mark, a tab between columns and line ends are the program's own.
    return sorted({f"U+{ord(c):04X}" for c in text if any(low <= ord(c) <= high for low, high in RANGES)
                   or "\udc80" <= c <= "\udcff"})


def call(method, path, body=None):
    request = urllib.request.Request(url + path, None if body is None else json.dumps(body).encode(),
                                     {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read() or b"null")


def texts():
    """Names of at most 100 letters; what is no UTF-8 cannot be sent, so its bytes become letters."""
    for path in sorted(pathlib.Path(corpus, "text").iterdir()) + sorted(pathlib.Path(corpus, "console").iterdir()):
        data = path.read_bytes()
        for text in {data.decode("utf-8", "ignore"), data.decode("latin-1")}:
            text = text.replace("\0", "")[:100]
            if text.strip():
                yield text
    for low, high in RANGES:
        yield "a" + "".join(map(chr, range(max(low, 1), min(high, low + 40) + 1))) + "b"


def book(names):
    start = int(time.time()) // 86400 * 86400 + 3 * 86400
    at = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(s))
    slots = [{"id": f"d-{i}", "start": at(start + i * 600), "end": at(start + i * 600 + 600)} for i in range(len(names))]
    call("POST", "/providers/salon/slots", {"slots": slots})
    ids = []
    for i, name in enumerate(names):
        call("PUT", f"/users/u-{i}", {"name": name})
        ids.append(call("POST", "/bookings", {"slotId": f"d-{i}", "userId": f"u-{i}"})["id"])
        if i % 3 == 0:
            call("POST", f"/bookings/{ids[-1]}/cancel", {"reason": name[:100]})
    until = time.monotonic() + 20
    while len(call("GET", "/providers/salon/bookings?limit=1000")["bookings"]) < len(names):
        assert time.monotonic() < until, "the bookings do not arrive"
    return ids


def screen(environment):
    """The console on a pty: what it writes while a user looks at everything, byte by byte."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(f"{build}/tui/bookflow-console", ["bookflow-console"], environment)
    seen, keys = b"", [b"j"] * 300 + [b"2"] + [b"j"] * 60 + [b"1", b"q", b"y"]
    until = time.monotonic() + 60
    while time.monotonic() < until:
        readable, _, _ = select.select([terminal], [], [], 0.02 if keys else 1)
        if readable:
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break  # it has ended
            if not piece:
                break
            seen += piece
        elif keys and len(seen) > 500:  # it is quiet: the next key
            os.write(terminal, keys.pop(0))
    os.close(terminal)
    os.waitpid(child, 0)
    return seen


def main():
    names = sorted(set(texts()))
    ids = book(names)
    environment = {"HOME": os.environ["HOME"], "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "BOOKFLOW_URL": url,
                   "BOOKFLOW_PROVIDER": "salon", "PATH": os.environ["PATH"], "LINES": "50", "COLUMNS": "120"}
    shown = {"the console on a pty": (screen(environment), True)}
    for booking in ids[::3]:
        for program in (["workers/bookflow", "history", booking], ["tui/bookflow-console", "--show", booking]):
            done = subprocess.run([f"{build}/{program[0]}", *program[1:]], env=environment, capture_output=True, check=True)
            shown[" ".join(program)] = (done.stdout + done.stderr, False)
    done = subprocess.run([f"{build}/tui/bookflow-console", "--list"], env=environment, capture_output=True, check=True)
    shown["--list"] = (done.stdout, False)
    for name, (data, steers) in shown.items():
        found = forbidden(data.replace(b"\n", b" ").replace(b"\r", b" ").replace(b"\t", b" "), steers)
        if found or not data:
            wrong.append(f"{name}: {len(data)} bytes, among them {found}")
    if len(shown["the console on a pty"][0]) < 5000:
        wrong.append("the console has shown nothing")
    print("\n".join(wrong), file=sys.stderr)
    print(f"{len(names)} hostile texts, {sum(len(data) for data, _ in shown.values())} raw bytes of console (pty) and verbs: "
          f"0 forbidden")
    return 1 if wrong else 0


sys.exit(main())
