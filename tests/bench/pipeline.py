"""V7, V13 and V14: both workers over SQS, from a booking to its answer and back. Ends with `bookflow audit`."""
import http.client
import json
import socket
import subprocess
import threading
import time

from machine import Load, Sqs, Worker, Wrong, demand, sqs_queues, until
from posts import MOST, Posts, named
from stores import ask, write_bookings

BOOKINGS_A_SECOND = 100
CONFIRMATIONS_A_SECOND = 5000 # more than are taken beside a load
SENT, APPLIED, UNSENT = "bookflow_events_sent_total", "bookflow_messages_applied_total", "bookflow_outbox_unsent"


def confirmations_needed(settings):
    return int(CONFIRMATIONS_A_SECOND * 2 * settings.seconds)


def slots_needed(settings):
    return confirmations_needed(settings) + 2 * MOST[64]


def audit(bench, intake, decision):
    done = subprocess.run([bench.bookflow, "audit", f"{intake}/intake.db", f"{decision}/decision.db"], capture_output=True,
                          text=True, check=False)
    demand(done.returncode == 0, f"the stores do not agree:\n{done.stdout}{done.stderr}")


class Pipeline:
    """Two workers and the two queues between them."""

    def __init__(self, bench, settings, sqs, slots):
        self.bench, self.settings, self.sqs = bench, settings, sqs
        self.queues = [sqs.queue("requests"), sqs.queue("confirmations")]
        self.states = {"intake": bench.copy(slots), "decision": bench.folder()}

    def start(self, role):
        return Worker(self.bench, role, self.states[role], sqs_queues(self.sqs.endpoint, *self.queues))

    def drained(self, *workers):
        """Nothing is on its way any more."""
        for _ in range(2): # what the one sends last, the other may answer
            for worker in workers:
                until("every event is sent", lambda: worker.metrics()[UNSENT] == 0, pause=0.05)
            for queue in self.queues:
                until("every message is handled", lambda: self.sqs.depth(queue) == 0, pause=0.05)

    def audit(self):
        audit(self.bench, self.states["intake"], self.states["decision"])


def rates(worker, load):
    """What the load reports, and how fast publisher and consumer were meanwhile."""
    begun, before = time.monotonic(), worker.metrics()
    result = load()
    after, seconds = worker.metrics(), time.monotonic() - begun
    return result | {"sent": (after[SENT] - before[SENT]) / seconds, "applied": (after[APPLIED] - before[APPLIED]) / seconds}


def accept_all(pipeline, decision, answers):
    """V7, of the bookings that were answered."""
    requests = answers + ".accept"
    with open(answers, encoding="ascii") as lines, open(requests, "w", encoding="ascii") as file:
        for booking in map(json.loads, lines):
            file.write(f'POST /providers/{booking["providerId"]}/bookings/{booking["id"]}/accept\n')
    load = Load(pipeline.bench, decision.port, requests, connections=64, seconds=60, status=200)
    return load.finish()["rate"]


def under_load(bench, settings, slots):
    """V7 and V13: bookings are made and accepted; then their confirmations come in while new bookings are
    made, as fast as possible and at half of that rate."""
    with Sqs(bench) as sqs:
        pipeline = Pipeline(bench, settings, sqs, slots)
        count, values = confirmations_needed(settings), {}
        answers = f"{bench.folder()}/answers"
        with pipeline.start("decision") as decision:
            with pipeline.start("intake") as intake:
                requests = write_bookings(answers + ".requests", 0, count)
                Load(bench, intake.port, requests, connections=64, seconds=60, answers=answers).finish()
                until("every booking is in the inbox", lambda: decision.metrics()[APPLIED] == count, pause=0.05)
                intake.stop()
            values["accept.rate"] = accept_all(pipeline, decision, answers)
            until("every answer is sent", lambda: decision.metrics()[UNSENT] == 0, pause=0.05)
            with pipeline.start("intake") as intake:
                posts = Posts(bench, intake, pipeline.states["intake"], settings, count)
                full = rates(intake, lambda: posts.once(64))
                half = rates(intake, lambda: posts.finish(posts.begin(64, full["rate"] / 2)))
                if sqs.depth(pipeline.queues[1]) == 0: # it had nothing to do for a while
                    del half["applied"]
                pipeline.drained(intake, decision)
                intake.stop()
            decision.stop()
        pipeline.audit()
        return values | named("half", half) | named("full", full)


# --- V14.

class Accepter(threading.Thread):
    """A provider who listens to the stream and accepts everything at once."""

    def __init__(self, port, provider):
        super().__init__(daemon=True)
        self.path, self.accepted, self.trouble = f"/providers/{provider}", 0, None
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.stream = socket.create_connection(("127.0.0.1", port))
        self.stream.sendall(f"GET {self.path}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        self.lines = self.stream.makefile("rb")
        next(line for line in self.lines if line.startswith(b"id:")) # from here nothing is missed
        self.start()

    def run(self):
        for line in self.lines:
            booking = json.loads(line[6:]) if line.startswith(b"data: {") else {}
            if booking.get("status") == "pending":
                self.connection.request("POST", f'{self.path}/bookings/{booking["id"]}/accept')
                answer = self.connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.trouble = f"an accept was answered {answer.status}"
                self.accepted += 1

    def end(self):
        self.stream.shutdown(socket.SHUT_RDWR)
        self.join()
        if self.trouble:
            raise Wrong(self.trouble)


def round_trips(bench, settings, slots):
    """From the intake's own trail: when it took the booking, and when it heard of the confirmation."""
    count = int(BOOKINGS_A_SECOND * settings.seconds * 2)
    with Sqs(bench) as sqs:
        pipeline = Pipeline(bench, settings, sqs, slots)
        with pipeline.start("intake") as intake, pipeline.start("decision") as decision:
            accepters = [Accepter(decision.port, f"provider-{i}") for i in range(10)]
            requests = f"{bench.folder()}/requests"
            with open(requests, "w", encoding="ascii") as file:
                for i in range(count): # of ten providers only
                    file.write(f'POST /bookings {{"slotId":"slot-{i // 10 * 100 + i % 10}","userId":"user-{i}"}}\n')
            Load(bench, intake.port, requests, connections=4, seconds=60, rate=BOOKINGS_A_SECOND).finish()
            until("every booking is accepted", lambda: sum(each.accepted for each in accepters) == count)
            pipeline.drained(intake, decision)
            for each in accepters:
                each.end()
            intake.stop()
            decision.stop()
        pipeline.audit()
        return trip_times(f'{pipeline.states["intake"]}/intake.db', count)


def trip_times(path, count):
    times = ask(path, "SELECT group_concat(b.at_ms - a.at_ms) FROM audit a JOIN audit b USING (booking_id)"
                " WHERE a.event = 'BOOKING_CREATED' AND b.event = 'BOOKING_CONFIRMED'")[0]
    times = sorted(map(int, times.split(",")))[:count]
    demand(len(times) == count, f"{count} bookings, but {len(times)} were confirmed")
    return {"trip.p50_ms": times[count // 2], "trip.p99_ms": times[count * 99 // 100]}
