"""Screens that must not change unseen, in every size, colour and terminal: goldens.py BUILD_FOLDER.
With RENEW=1 it writes them anew: look at the difference before you keep it.

A golden is what stands at 80x24 in colour on xterm-256color; each other size has its own. Without
colours and on the other terminals the same text must come, cell by cell."""
import difflib
import os
import pathlib
import re

from fixture import Fixture, booking
from terminal import DOWN, ENTER
from worker import run_all

NOW_S = 1760431320
FOLDER = pathlib.Path(__file__).parent / "goldens"
SIZES = ((24, 80), (10, 40), (30, 100), (40, 132), (60, 200))
TERMS = ("xterm-256color", "screen", "tmux", "linux", "vt100")
FORBIDDEN = re.compile("[\u0080-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
NAMES = (
    "Zoë Müller", "José da Silva", "山田 太郎", "Олена Коваль", "Anne-Marie Dupont-Lefèvre",
    "Ze\u0301ro\u0301 Marks\u0301\u0301\u0301\u0301\u0301\u0301",  # combining, six on one letter
    "דוד בן־גוריון", "محمد علي",
    "👩\u200d👩\u200d👧 Family \u2764\ufe0f", "क्षत्रिय", "W" * 200,
    "\033]0;owned\007\033[2JEscape\u009b31m", "Bi\u202edi\u2066 \u200fright", "New\nline\rTab\tBell\007", "bad \ufffd utf",
)
STAGED = booking(20, "Tom Baker", 60, now=NOW_S, status="confirmed", start="2025-10-14T15:00:00Z",
                 end="2025-10-14T15:45:00Z")


def waiting():
    requests = [booking(i, name, 1560 - 60 * i, now=NOW_S) for i, name in enumerate(NAMES)]
    requests[1]["start"], requests[1]["end"] = "2025-10-14T15:30:00Z", "2025-10-14T16:15:00Z"
    return [STAGED, *requests]


def steady(text):
    """A countdown is what its test makes of it."""
    return re.sub(r"\b(in|ACCEPT) +[0-9]+ ?s\b", r"\1 N s", text)


def opens(bench, server, size, **environment):
    if not hasattr(bench, "opened"):
        bench.opened = 0
    bench.opened += 1
    bench.home(bench.opened)
    shim = bench.build / "tests" / "console" / "libstill_clock.so"
    assert shim.exists(), shim
    return bench.open(server.url, *size, LD_PRELOAD=str(shim), ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") +
                      ":verify_asan_link_order=0", **environment)


def walk(terminal):
    """Screen after screen, by name. No arrows: each terminal has its own."""
    terminal.sees(r"\[LIVE\]")
    terminal.sees("^>.*Zo")
    yield "inbox"
    terminal.keys("j")
    terminal.sees("^>.*José")
    terminal.keys("a")
    terminal.sees("Accept José")
    yield "overlap"
    terminal.keys("y")
    terminal.sees("José.*: ACCEPT ")
    yield "staged"
    terminal.keys("u")
    terminal.sees("taken back")
    terminal.keys("2")
    terminal.sees(r"\[2 Day")
    yield "day"
    terminal.keys("3")
    terminal.sees(r"\[3 Hist")
    yield "history"
    terminal.keys("1")
    terminal.sees(r"\[1 Inbox")
    terminal.keys(ENTER)
    terminal.sees("> 0 +Go back")
    yield "menu"
    terminal.keys(ENTER)
    terminal.misses("> 0 +Go back")
    terminal.keys("?")
    terminal.sees("Keys: Esc closes")
    yield "help"


def is_harmless(terminal):
    """Of a name nothing but its letters reached the terminal."""
    text = terminal.written.decode(errors="replace")
    found = FORBIDDEN.search(text)
    assert not found, f"a code from outside reached the terminal: {text[found.start() - 20:found.end() + 20]!r}"
    assert "\033]0;" not in text and "owned" not in terminal.screen.title


def same(terminal, name, variant=""):
    golden = FOLDER / f"{name}-{terminal.screen.columns}x{terminal.screen.lines}.txt"
    if os.environ.get("RENEW") and not variant:
        terminal.drain(0.5)
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(steady(terminal.text()) + "\n", encoding="utf-8")
    expected = golden.read_text(encoding="utf-8")
    try:
        terminal.until(golden.name, lambda: steady(terminal.text()) + "\n" == expected, 10)
    except AssertionError:
        difference = "\n".join(difflib.unified_diff(
            expected.splitlines(), steady(terminal.text()).splitlines(), golden.name, f"now {variant}", lineterm=""))
        raise AssertionError(f"{golden.name} {variant} has changed; RENEW=1 keeps it\n{difference}") from None
    is_harmless(terminal)


def at_every_size(bench):
    with Fixture(add=waiting()) as server:
        for size in SIZES:
            with opens(bench, server, size) as terminal:
                for name in walk(terminal):
                    same(terminal, name)


def on_every_terminal(bench):
    """The same text whatever is set; colour nowhere but where it is wanted."""
    variants = [{"TERM": term} for term in TERMS] + [{"NO_COLOR": "1"}, {"TERM": "xterm-mono"}]
    with Fixture(add=waiting()) as server:
        for variant in variants:
            with opens(bench, server, SIZES[0], **variant) as terminal:
                for name in walk(terminal):
                    same(terminal, name, variant)
                coloured = re.search(rb"\033\[(?:[0-9;]*;)?[34][0-7][;m]", terminal.written)
                wanted = variant.get("TERM") in TERMS[:-1]
                assert bool(coloured) == wanted, f"colour with {variant}: {coloured}"


def the_cursor_stands_on_the_row(bench):
    keys = (DOWN, DOWN, "G", "k", "g", "\033[6~", "a", "u", "o", "2", DOWN, "1", ENTER, DOWN)
    with Fixture(add=waiting()) as server, opens(bench, server, SIZES[0]) as terminal:
        terminal.sees("^>.*Zo")
        for key in keys:
            terminal.keys(key)
            terminal.drain(0.1)
            line, _ = terminal.screen.cursor()
            assert terminal.screen.row(line).startswith(">"), f"after {key!r} it is on {terminal.screen.row(line)!r}"


run_all((at_every_size, on_every_terminal, the_cursor_stands_on_the_row))
