"""V8 and V9: what our workers and other clients make of the same test server. The others do what their own
documentation shows: the SDK sends one batch after the other, one sqs-consumer runs. How they do with as much
in flight as ours has is shown beside it, without a mark: with that the server is the limit."""
import time

from machine import Sqs, Worker, demand, sqs_queues, until
from stores import ask

CALLS, POLLS = 8, 8 # of our publisher and our consumer
REQUESTS, CONFIRMATIONS = "requests", "confirmations"


def timed(worker, begun, count):
    return {"rate": count / (time.monotonic() - begun), "cpu_us": worker.cpu_s() * 1e6 / count}


def publish_ours(bench, sqs, url, backlog, count):
    """From the start of the worker to the last event noted as sent."""
    back, state = sqs.queue(CONFIRMATIONS), bench.copy(backlog)
    begun = time.monotonic()
    with Worker(bench, "intake", state, sqs_queues(sqs.endpoint, url, back)) as worker:
        until("every event is sent", lambda: worker.metrics()["bookflow_outbox_unsent"] == 0, pause=0.02)
        result = timed(worker, begun, count)
        worker.stop()
    return result


def consume_ours(bench, sqs, url, count):
    """From the start of the worker to the last message deleted."""
    state, back = bench.folder(), sqs.queue(CONFIRMATIONS)
    begun = time.monotonic()
    with Worker(bench, "decision", state, sqs_queues(sqs.endpoint, url, back)) as worker:
        until("every event is applied", lambda: worker.metrics()["bookflow_messages_applied_total"] == count, pause=0.02)
        until("every message is deleted", lambda: sqs.depth(url) == 0)
        result = timed(worker, begun, count)
        worker.stop()
    bookings, = ask(f"{state}/decision.db", "SELECT count(*) FROM bookings")
    demand(bookings == count, "bookings are missing")
    return result


def one_side(bench, count, publish, consume):
    with Sqs(bench) as sqs:
        url = sqs.queue(REQUESTS)
        values = {"publish": publish(sqs, url)}
        demand(sqs.depth(url) == count, "the queue does not hold every event once")
        values["consume"] = consume(sqs, url)
        until("every message is deleted", lambda: sqs.depth(url) == 0)
    return values


def ours(bench, backlog, count):
    return one_side(bench, count, lambda sqs, url: publish_ours(bench, sqs, url, backlog, count),
                    lambda sqs, url: consume_ours(bench, sqs, url, count))


def theirs(bench, count, in_flight, consumers):
    return one_side(bench, count, lambda sqs, url: bench.peer("publish", sqs.endpoint, url, count, in_flight),
                    lambda sqs, url: bench.peer("consume", sqs.endpoint, url, count, consumers, bench.folder() + "/peer.db"))


def one_round(bench, backlogs):
    """By size, side, act and what was measured: {"large.ours.publish.rate": ...}."""
    sides = {}
    for size, (backlog, count) in backlogs.items():
        sides[f"{size}.peer"] = theirs(bench, count, 1, 1)
        sides[f"{size}.ours"] = ours(bench, backlog, count)
    sides["small.many"] = theirs(bench, backlogs["small"][1], CALLS, POLLS)
    return {f"{side}.{act}.{key}": value for side, acts in sides.items() for act, result in acts.items()
            for key, value in result.items()}
