"""The terminal is as it was, whatever ends the console; everything is done by arrows, Enter and Esc
alone; no bytes that are not keys answer anything: life.py BUILD_FOLDER. The seed of the random keys is
printed; SEED=n plays one again."""
import os
import random
import re
import signal
import time

from fixture import Fixture, booking
from terminal import ALTERNATE_SCREEN, DOWN, ENTER, ESCAPE, RIGHT, UP, Terminal
from worker import run_all

ENDS = ("TERM", "INT", "HUP", "QUIT")
CRASHES = ("SEGV", "ABRT", "BUS", "FPE", "ILL")
DEAF_S = 0.2  # behind Esc no key is heard for 150 ms: the rest of a split arrow could follow


def three():
    return [booking(i, name, 600 - i * 60) for i, name in enumerate(("Ann", "Bob", "Cleo"))]


def live(terminal):
    terminal.sees(r"\[LIVE\]")
    terminal.sees("^>.*Ann")


def right_after_signals(bench):
    with Fixture(add=three()) as server:
        for term in ("xterm-256color", "screen"):
            for name in ENDS + CRASHES:
                with bench.open(server.url, TERM=term) as terminal:
                    live(terminal)
                    terminal.keys("\033OQ")  # the mouse, so that there is something to undo
                    terminal.sees("Mouse on")
                    number = getattr(signal, f"SIG{name}")
                    terminal.signal(number)
                    code, _ = terminal.ends()
                    assert code == (0 if name in ENDS else -number), f"{name} ended it with {code}"
                    assert not terminal.is_right(), f"wrong after {name} on {term}: {terminal.is_right()}"


def right_after_stop(bench):
    """Ctrl-Z as a person does it, and a TSTP as a program does."""
    with Fixture(add=three()) as server:
        environment = bench.environment(server.url)
        with Terminal(["/bin/bash", "-c", "exec bash --norc --noprofile -i 2>&1"], environment) as shell:
            shell.sees("^bash-")
            shell.keys(f"{bench.console}\r")
            live(shell)
            for how in ("\032", signal.SIGTSTP):
                if how == "\032":
                    shell.keys(how)
                else:
                    os.kill(child_of(shell.process.pid), how)
                shell.until("the other screen is left", lambda: not shell.screen.modes[ALTERNATE_SCREEN])
                shell.sees("Stopped")
                shell.keys("clear; stty -a\r")
                shell.sees(r"(?s)[^-]icanon.*[^-]echo ")
                shell.keys("fg\r")
                shell.until("the other screen is back", lambda: shell.screen.modes[ALTERNATE_SCREEN])
                live(shell)
            shell.keys("q")
            shell.until("the other screen is left", lambda: not shell.screen.modes[ALTERNATE_SCREEN])
            shell.keys("clear; echo left with $?\r")
            shell.sees("^left with 0")
            assert not shell.screen.title


def child_of(parent):
    with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as children:
        return int(children.read().split()[0])


# --- arrows, Enter and Esc

EFFECTS = {  # what each entry of a menu shows; on the inbox, the day, and where they are special
    "next new": "Nothing new", "accept": "ACCEPT [0-9]+s|Accept Ann", "reject": "Reject ", "mark": "1 marked",
    "undo": "taken back", "send now": "delivered", "edit the reason": "Reason for the reject",
    "Inbox": r"\[1 Inbox", "Day": r"\[2 Day", "History": r"\[3 History", "next pane": r"\[2 Day|\[3 History|\[1 Inbox",
    "day before": "Yesterday|Today|Tomorrow", "day after": "Tomorrow", "today": "Today,", "find": "^Find: _",
    "order": "Order: ", "copy": "Copied: ", "fetch again": "Fetching again", "sign in again": "Signing in|Signed in",
    "redraw": "Ann", "mouse on/off": "Mouse on", "these keys": "Keys: Esc closes", "quit": "",
}


def menu(terminal):
    """Opens it; its entries."""
    terminal.keys(ENTER)
    terminal.sees("> 0 +Go back")
    terminal.sees(r"Esc: go back\Z")
    return re.findall(r"^[> ] \S+ +(\S.*)$", terminal.text()[terminal.text().index("> 0"):], re.MULTILINE)[1:]


def choose(terminal, words):
    """An entry of the menu; all its entries."""
    entries = menu(terminal)
    assert words in entries, f"{words} is not in {entries}"
    for entry in entries[:entries.index(words) + 1]:
        terminal.keys(DOWN)
        terminal.sees(f"^> .* {re.escape(entry)}$")
    terminal.keys(ENTER)
    return entries


def escape(terminal):
    terminal.keys(ESCAPE)
    time.sleep(DEAF_S)
    terminal.drain(0.05)


def does(terminal, words):
    """The entry of the menu does what it says; leaves the screen without a question over it."""
    entries = choose(terminal, words)
    if words == "quit":
        return entries
    terminal.sees(EFFECTS[words])
    if re.search("Accept Ann|Reject |Find: _|Keys: |Reason for", terminal.text()):
        escape(terminal)
    return entries


def everything_without_letters(bench):
    done = set()

    def do(terminal, *all_words):
        for words in all_words:
            done.add(words)
            seen.update(does(terminal, words))

    seen = set()
    with Fixture(add=three(), decisions=[422]) as server, bench.open(server.url, 36) as terminal:
        live(terminal)
        do(terminal, "next new", "mark")
        choose(terminal, "mark")
        terminal.misses("1 marked")
        do(terminal, "accept", "undo", "copy", "order", "order", "order", "find",
           "fetch again", "redraw", "mouse on/off", "these keys", "reject")
        choose(terminal, "reject")
        terminal.sees("Reject Ann")
        terminal.keys(DOWN)
        terminal.sees("^> 1 ")
        terminal.keys(ENTER)
        terminal.sees("REJECT [0-9]+s")
        choose(terminal, "send now")
        terminal.sees("did not take the reason")
        do(terminal, "edit the reason", "accept", "send now", "Day", "History", "Inbox", "next pane")
        terminal.sees(r"\[2 Day")
        terminal.keys(RIGHT)
        terminal.sees("Tomorrow,|Wed|Thu|Fri|Sat|Sun|Mon|Tue")
        do(terminal, "today", "day after", "day before", "Inbox")
        server(all=401)
        terminal.sees("SIGNED OUT")
        server(all=0)
        do(terminal, "sign in again")
        terminal.sees(r"\[LIVE\]")
        do(terminal, "quit")
        assert terminal.ends()[0] == 0
    assert seen == done, f"in a menu, but not done: {seen - done}"
    assert done == set(EFFECTS), f"in no menu: {set(EFFECTS) - done}"


# --- bytes that are not keys

ARROWS = (UP, DOWN, b"\033[A", b"\033[B", b"\033[6~", b"\033[1;5B", b"\033[<0;10;5M")


def split_arrows(bench):
    """Byte by byte, 60 ms apart, as on a slow line."""
    with Fixture(add=three()) as server, bench.open(server.url) as terminal:
        live(terminal)
        for arrow in ARROWS * 2:
            for byte in arrow:
                terminal.keys(bytes([byte]))
                terminal.drain(0.06)
        escape(terminal)
        assert not server.posts() and not terminal.shows("ACCEPT|REJECT")


def pasted(bench):
    with Fixture(add=three()) as server, bench.open(server.url) as terminal:
        live(terminal)
        for text in (b"\033[200~aaaassss\r\r\033[201~", b"aaaassss", b"\033[200~a\033[201", b"s~aas\r\r"):
            terminal.keys(text)
            terminal.drain(0.2)
            assert not terminal.shows("ACCEPT|REJECT"), f"{text} answered"
        terminal.keys(b"\033[201~")
        terminal.sees("Pasted text is ignored")
        assert not server.posts()


def storm(bench, chance, pieces):
    """Those bytes, 200 times, and sizes, while requests come and go; what was sent."""
    with Fixture(add=three()) as server, bench.open(server.url) as terminal:
        live(terminal)
        for i in range(200):
            terminal.keys(chance.choice(pieces))
            if chance.random() < 0.2:
                terminal.resize(chance.randint(1, 60), chance.randint(1, 200))
            if chance.random() < 0.2:
                status = chance.choice(("pending", "cancelled", "confirmed"))
                server(add=[booking(chance.randrange(8), f"N{i}", chance.randrange(900), status=status)])
            terminal.read(chance.random() * 0.02)
            if terminal.process.poll() is not None:
                break
        if terminal.process.poll() is None:
            terminal.signal(signal.SIGTERM)
        code, said = terminal.ends()
        assert code == 0 and "Sanitizer" not in said and "runtime error" not in said, (code, said)
        assert not terminal.is_right(), terminal.is_right()
        return server.posts()


def random_bytes(bench):
    """Keys, pastes, broken text. Without `s` and Enter nothing can have been sent: an answer waits
    longer than this lasts."""
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    print(f"# SEED={seed}", flush=True)
    chance = random.Random(seed)
    bench.home(1, "undo_seconds = 60\n")
    pieces = [bytes([byte]) for byte in b"jkgGnaruyeoh123ltL/?\t \033\014\177xz9"] + [
        *ARROWS, b"\xff", b"\xc3", b"\xe5\xb1", "山".encode(), b"\033[200~aass\r\033[201~", b"\033[201~", b"\0",
        b"aaaarrrr", b"ssssaaaa", b"\033]0;x\007", b"\033[99999999~", b"\x9b31m"]
    posts = storm(bench, chance, pieces)
    assert not posts, f"nobody sent {posts}"
    storm(bench, chance, pieces + [b"s", b"q", ENTER, ENTER])


run_all((right_after_signals, right_after_stop, everything_without_letters, split_arrows, pasted, random_bytes))
