"""V1 to V6: bookings as fast as they are taken. The load is the same in every setting; what differs is what
the worker does besides."""
import subprocess
import urllib.request

from machine import DIRECT, Load, Server, Silent, Sqs, Worker, demand, embedded_queues, silent_queues, sqs_queues
from stores import booked, write_bookings

CONNECTIONS = (1, 16, 64, 255)
MOST = {1: 20000, 16: 60000, 64: 100000, 255: 100000} # bookings of one load, before its slots run out
READS_A_SECOND = 200


def limits(bench, settings):
    """What the machine does without us."""
    values = {"limit.disk": bench.number("bench_limits", "disk", bench.folder(), settings.seconds / 2),
              "limit.sqlite": bench.number("bench_limits", "sqlite", bench.folder(), settings.seconds / 2)}
    requests = write_bookings(f"{bench.folder()}/requests", 0, 200000)
    with Server([bench.program("bench_bare")]) as bare:
        for connections in CONNECTIONS:
            load = Load(bench, bare.port, requests, connections=connections, seconds=settings.seconds)
            values[f"limit.bare.{connections}"] = load.finish()["rate"]
    return values


class Posts:
    """Loads one after the other on one worker, each on slots of its own."""

    def __init__(self, bench, worker, state, settings, first=0):
        self.bench, self.worker, self.state, self.settings = bench, worker, state, settings
        self.next, self.answered = first, 0

    def begin(self, connections, rate=0):
        most = MOST.get(connections, MOST[64])
        requests = write_bookings(f"{self.state}/requests.{connections}", self.next, most)
        self.next += most
        self.before = self.worker.metrics(), self.worker.cpu_s(), self.worker.written_bytes()
        return Load(self.bench, self.worker.port, requests, connections=connections, seconds=self.settings.seconds, rate=rate)

    def finish(self, load):
        result = load.finish()
        count = result["answered"]
        metrics, cpu_s, written = self.worker.metrics(), self.worker.cpu_s(), self.worker.written_bytes()
        commits = "bookflow_store_commits_total"
        self.answered += count
        demand(result["rate"] > 0, "the load was over before it was measured")
        return {"rate": result["rate"], "p99_ms": result["p99_ms"], "cpu_s_10k": (cpu_s - self.before[1]) * 1e4 / count,
                "commits_each": (metrics[commits] - self.before[0][commits]) / count,
                "bytes_each": (written - self.before[2]) / count, "count": count}

    def once(self, connections):
        return self.finish(self.begin(connections))

    def measure(self, connections):
        return with_reads(self) if connections == 64 else self.once(connections)


def named(prefix, result):
    return {f"{prefix}.{key}": value for key, value in result.items()}


def alone(bench, settings, slots):
    """Its queue is silent: what a booking costs by itself."""
    values, state = {}, bench.copy(slots)
    with Silent() as silent, Worker(bench, "intake", state, silent_queues(silent)) as worker:
        posts = Posts(bench, worker, state, settings)
        for connections in CONNECTIONS:
            values |= named(f"alone.{connections}", posts.measure(connections))
        values |= traced(posts)
        values["memory.loaded"] = worker.memory_mb("VmHWM")
    booked(state, posts.answered)
    return values


def traced(posts):
    """By what share strace sees other fdatasync calls than the worker counts commits."""
    with subprocess.Popen(["strace", "-f", "-c", "-e", "trace=fdatasync,fsync", "-p", str(posts.worker.pid)],
                          stderr=subprocess.PIPE, text=True) as strace:
        if "attached" not in strace.stderr.readline(): # not everybody may
            return {}
        result = posts.once(16)
        strace.terminate()
        calls = sum(int(line.split()[3]) for line in strace.stderr if line.rstrip().endswith(("fdatasync", "fsync")))
    return {"traced": abs(calls / (result["commits_each"] * result["count"]) - 1)}


def an_id(worker, slot):
    request = urllib.request.Request(f"http://127.0.0.1:{worker.port}/bookings", f'{{"slotId":"{slot}","userId":"u"}}'.encode(),
                                     {"Content-Type": "application/json"})
    with DIRECT.open(request) as answer:
        return answer.headers["Location"]


def with_reads(posts):
    """64 connections book while two others read, paced."""
    path = an_id(posts.worker, f"slot-{posts.next}")
    posts.next, posts.answered = posts.next + 1, posts.answered + 1
    reads = f"{posts.state}/reads"
    with open(reads, "w", encoding="ascii") as file:
        file.write(f"GET {path}\n" * int(READS_A_SECOND * posts.settings.seconds))
    load = posts.begin(64)
    reader = Load(posts.bench, posts.worker.port, reads, connections=2, seconds=posts.settings.seconds,
                  rate=READS_A_SECOND, status=200)
    return posts.finish(load) | {"read_p99_ms": reader.finish()["p99_ms"]}


def publishing(bench, settings, slots, queues, name, connections):
    """The same with a queue that takes what it is given."""
    values, state = {}, bench.copy(slots)
    with Worker(bench, "intake", state, queues(state)) as worker:
        posts = Posts(bench, worker, state, settings)
        for count in connections:
            values |= named(f"{name}.{count}", posts.measure(count))
    booked(state, posts.answered)
    return values


def on_sqs(bench, settings, slots):
    with Sqs(bench) as sqs:
        def queues(_):
            return sqs_queues(sqs.endpoint, sqs.queue("requests"), sqs.queue("confirmations"))
        return publishing(bench, settings, slots, queues, "sqs", (1, 16, 64))


def on_embedded(bench, settings, slots):
    return publishing(bench, settings, slots, embedded_queues, "embedded", (64,))


def on_old(bench, settings, state, first, connections=64):
    """V6: what its store has gone through must not matter. The rounds go on with it, each with other slots."""
    with Silent() as silent, Worker(bench, "intake", state, silent_queues(silent)) as worker:
        result = Posts(bench, worker, state, settings, first).once(connections)
        return result | {"memory_mb": worker.memory_mb("VmHWM")}
