"""A new user with nothing but the README: its commands, typed as they stand there, until the first
booking is accepted; timed: first_minute.py BUILD_FOLDER."""
import pathlib
import re
import socket
import time

from terminal import ALTERNATE_SCREEN, Terminal
from worker import run_all

PROMPT = r"\A(\[.*\n)*bash-\S+\s*\Z"  # and nothing else but a job's number
README = pathlib.Path(__file__).parents[2] / "README.md"


def commands(build, port):
    """Of "Try it by hand", for this build and this port."""
    section = README.read_text(encoding="utf-8").split("\n## Try it by hand\n")[1]
    block = section.split("```")[1].replace("\\\n", " ").strip()
    return [re.sub(r"\blocalhost:3000\b", f"localhost:{port}", line.split("  #")[0].rstrip()).replace("build/run", str(build))
            for line in block.splitlines()]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def the_first_minute(bench):
    port = free_port()
    environment = {**bench.environment(f"http://127.0.0.1:{port}"), "BOOKFLOW_LISTEN": f"127.0.0.1:{port}",
                   "BOOKFLOW_STATE_DIR": str(bench.folder)}
    del environment["BOOKFLOW_PROVIDER"]  # the README sets it
    began = time.monotonic()
    with Terminal(["/bin/bash", "-c", f"cd {bench.folder}; exec bash --norc --noprofile -i 2>&1"], environment, 30, 100) as shell:
        shell.sees(PROMPT)
        try:
            number = follow(shell, commands(bench.build, port))
        finally:
            shell.keys("clear; kill %1; wait; echo all is over\r")
            shell.sees("^all is over")
    took = time.monotonic() - began
    print(f"# from the first command to the first accepted booking, and its history: {took:.1f} s (60)")
    assert took < 60 and number


def follow(shell, lines):
    """What he types and sees; the booking's id."""
    number = None
    for line in lines:
        shell.keys("clear\r")
        shell.sees(PROMPT)
        shell.keys(line.replace("BOOKING_ID", number or "BOOKING_ID") + "\r")
        if "serve all" in line:
            shell.sees("serve.ready")
        if "curl" in line:
            shell.sees('"status":"pending"')
            number = re.search(r'"id":"([^"]+)"', shell.text().replace("\n", ""))[1]
        if "bookflow-console" in line:
            accept(shell)
        if "history" in line:
            shell.sees("confirmed")
    return number


def accept(shell):
    shell.sees(r"\[LIVE\]")
    shell.sees("^>.*user-456")
    shell.keys("a")
    shell.sees("ACCEPT will be sent in [0-9]+ s")
    shell.sees("user-456: ACCEPT delivered")
    shell.keys("q")
    shell.until("the console has gone", lambda: not shell.screen.modes[ALTERNATE_SCREEN])


run_all((the_first_minute,))
