"""What a cost does when something grows: each series is a list of sizes, and what was measured at each."""
import posts
import starts
import streams
from machine import Silent, silent_queues
from stores import make_inbox, make_old, make_slots, make_unsent

SLOTS = posts.MOST[64]
SIZES = {
    "connections": [1, 4, 16, 64, 256, 1000],
    "bookings": [0, 10000, 100000, 1000000, 10000000], # up to --rows
    "providers": [1, 10, 100, 1000, 10000, 100000],
    "inbox": [10, 100, 1000, 10000, 100000],
    "backlog": [0, 1000, 10000, 100000, 1000000],
}


def taken(bench, settings, state, number, connections=64):
    """One load of the round, with its own slots."""
    return posts.on_old(bench, settings, state, number * SLOTS, connections)


def connections(bench, settings, kept, number, size):
    state = kept.once("connections", lambda: make_slots(bench, SLOTS * settings.rounds * len(SIZES["connections"])))
    values = taken(bench, settings, state, number * len(SIZES["connections"]) + SIZES["connections"].index(size), size)
    return {"bookings/s": values["rate"], "p99 in ms": values["p99_ms"]}


def bookings(bench, settings, kept, number, size):
    slots = kept.once("slots", lambda: make_slots(bench, SLOTS * settings.rounds))
    values = taken(bench, settings, kept.once(f"old {size}", lambda: make_old(bench, slots, size)), number)
    return {"bookings/s": values["rate"], "KB written each": values["bytes_each"] / 1024}


def providers(bench, settings, kept, number, size):
    def make():
        return make_old(bench, make_slots(bench, SLOTS * settings.rounds, size), 100000, size)
    values = taken(bench, settings, kept.once(f"providers {size}", make), number)
    return {"bookings/s": values["rate"], "KB written each": values["bytes_each"] / 1024}


def inbox(bench, settings, kept, _, size):
    values = streams.page(bench, kept.once(f"inbox {size}", lambda: make_inbox(bench, size, 1)), settings)
    return {"page, median ms": values["page.p50_ms"], "page, p99 in ms": values["page.p99_ms"]}


def backlog(bench, settings, kept, number, size):
    slots = kept.once("slots", lambda: make_slots(bench, SLOTS * settings.rounds))
    state = kept.once(f"unsent {size}", lambda: make_unsent(bench, slots, size))
    with Silent() as silent:
        ready, _ = starts.ready_ms(bench, "intake", state, silent_queues(silent))
    return {"bookings/s": taken(bench, settings, state, number)["rate"], "ready in ms": ready}


SERIES = {"connections": connections, "bookings": bookings, "providers": providers, "inbox": inbox, "backlog": backlog}


def one_round(bench, settings, kept, number):
    """{series: {size: {what: value}}}"""
    return {name: {size: measure(bench, settings, kept, number, size) for size in SIZES[name]
                   if name != "bookings" or size <= settings.rows} for name, measure in SERIES.items()}
