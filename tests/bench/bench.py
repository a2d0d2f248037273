#!/usr/bin/env python3
"""`./run bench`: this machine's limits, then every figure of the design beside them, in the same run.

  bench.py BUILD_FOLDER OUT_FOLDER NODE [OPTION...] [PART...]

Rounds are interleaved: each measures everything once, limits and peers beside us, and figures are ratios within
a round; so a machine that is busy for a while spoils a round, not a figure. OUT_FOLDER gets RESULT.json. The
part `growth` stands alone: what becomes of a cost when something grows, as growth.json and plots of it.
"""
import argparse
import json
import os
import platform
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import figures
import growth
import pipeline
import plots
import posts
import queues
import starts
import streams
from machine import Bench, Wrong
from stores import make_backlog, make_inbox, make_old, make_slots


TROUBLES = (Wrong, OSError, subprocess.SubprocessError, sqlite3.Error)


class Kept(dict):
    """What rounds share, made when it is first asked for."""

    def once(self, name, make):
        if name not in self:
            self[name] = make()
        return self[name]


def measure_posts(bench, settings, kept):
    slots = kept.once("slots", lambda: make_slots(bench, sum(posts.MOST.values()) + posts.MOST[16] + 1))
    return (posts.limits(bench, settings) | posts.alone(bench, settings, slots) | posts.on_sqs(bench, settings, slots)
            | posts.on_embedded(bench, settings, slots))


def measure_large(bench, settings, kept):
    """Beside an empty one, which has as many free slots."""
    slots = kept.once("large slots", lambda: make_slots(bench, posts.MOST[64] * settings.rounds))
    large = kept.once("large", lambda: make_old(bench, slots, settings.rows))
    empty = kept.once("empty", lambda: bench.copy(slots))
    first = kept.setdefault("large next", 0)
    kept["large next"] += posts.MOST[64]
    return (posts.named("empty", posts.on_old(bench, settings, empty, first))
            | posts.named("large", posts.on_old(bench, settings, large, first)))


def measure_queues(bench, settings, kept):
    counts = {"large": settings.messages, "small": settings.messages // 2}
    backlogs = {size: (kept.once(size + " backlog", lambda: make_backlog(bench, count)), count) for size, count in counts.items()}
    return queues.one_round(bench, backlogs)


def measure_pipeline(bench, settings, kept):
    slots = kept.once("pipeline slots", lambda: make_slots(bench, pipeline.slots_needed(settings)))
    return pipeline.under_load(bench, settings, slots) | pipeline.round_trips(bench, settings, slots)


def measure_consoles(bench, settings, kept):
    inbox = kept.once("inbox", lambda: make_inbox(bench, 100000, 1))
    many = kept.once("many", lambda: make_inbox(bench, streams.STREAMS, streams.STREAMS))
    return streams.page(bench, inbox, settings) | streams.one_round(bench, many)


def measure_starts(bench, settings, kept):
    crashed = kept.once("large backlog", lambda: make_backlog(bench, settings.messages))
    backlog = kept.once("backlog", lambda: make_backlog(bench, 5 * settings.messages))
    return starts.one_round(bench, settings, crashed, backlog)


PARTS = {"posts": measure_posts, "large": measure_large, "pipeline": measure_pipeline, "consoles": measure_consoles,
         "starts": measure_starts, "queues": measure_queues}


def about_machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, check=False, text=True).stdout
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()[0],
            "commit": commit.strip() or "-", "date": time.strftime("%FT%TZ", time.gmtime())}


def run(bench, settings):
    """What each round measured, and what went wrong: the rest is measured all the same."""
    rounds, wrongs, kept, start = [], [], Kept(), time.monotonic()
    for number in range(settings.rounds):
        if number and (time.monotonic() - start) * (number + 1) / number > settings.minutes * 60:
            print(f"only {number} rounds: another would not be over in {settings.minutes} minutes", file=sys.stderr)
            break
        rounds.append({})
        for name in settings.parts or PARTS:
            begun, how = time.monotonic(), "ok"
            try:
                rounds[-1].update(PARTS[name](bench, settings, kept))
            except TROUBLES as wrong:
                how = f"WRONG: {wrong}"
                wrongs.append(f"{name}: {wrong}")
            print(f"round {number + 1}: {name:10} {time.monotonic() - begun:5.1f} s  {how}", file=sys.stderr)
    return rounds, wrongs


def arguments():
    parser = argparse.ArgumentParser(usage="./run bench [OPTION...] [PART...]")
    for given in ("build", "out", "node"): # by bench.sh
        parser.add_argument(given, help=argparse.SUPPRESS)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {' '.join(PARTS)}; all of them unless told; or growth")
    parser.add_argument("--rows", type=int, default=1000000, help="bookings of the large store")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=10, help="begin no round that would end later")
    parser.add_argument("--messages", type=int, default=20000, help="that are published and consumed")
    parser.add_argument("--seconds", type=float, default=2.5, help="of each load; the first is not counted")
    parser.add_argument("--quick", action="store_true", help="one short round: does it work, not how fast it is")
    settings = parser.parse_intermixed_args()
    if settings.parts != ["growth"] and set(settings.parts) - set(PARTS):
        parser.error("no such part")
    if settings.quick:
        settings.rounds, settings.seconds = 1, 1.6
        settings.messages, settings.rows = min(settings.messages, 5000), min(settings.rows, 100000)
    return settings


def write(path, value):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)


def measure_growth(bench, settings, machine):
    kept = Kept()
    rounds = [growth.one_round(bench, settings, kept, number) for number in range(settings.rounds)]
    write(settings.out + "/growth.json", {"machine": machine, "rounds": rounds})
    plots.main(settings.out + "/growth.json", settings.out)
    print(f"drawn: {settings.out}/*.svg")
    return False


def measure_figures(bench, settings, machine):
    """Whether a mark was missed, or a load was not answered as it must be."""
    rounds, wrongs = run(bench, settings)
    results = figures.judge(rounds, settings)
    figures.show(results)
    write(settings.out + "/RESULT.json", {"machine": machine, "wrong": wrongs, "rounds": rounds, "figures": results})
    return bool(wrongs) or any(each["verdict"] == "MISSED" for each in results)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1)) # takes its processes and folders with it
    settings, machine = arguments(), about_machine()
    print(f'{machine["cpu"]}, {machine["cores"]} cores, Linux {machine["kernel"]}, load {machine["load"]:.1f}, '
          f'commit {machine["commit"]}, {machine["date"]}')
    measure = measure_growth if settings.parts == ["growth"] else measure_figures
    with tempfile.TemporaryDirectory(prefix="work.", dir=settings.out) as work:
        missed = measure(Bench(settings.build, work, settings.node), settings, machine)
    sys.exit(missed)


main()
