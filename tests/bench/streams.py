"""V15 and the second half of V7: many consoles at once, and a provider with a very long inbox."""
import asyncio
import statistics
import time

from machine import Load, Silent, Worker, demand, silent_queues

STREAMS = 1000
ARRIVALS_A_SECOND = 100


class Console:
    """One open stream: notes when something comes."""

    def __init__(self, port, provider):
        self.port, self.provider, self.arrived = port, provider, None

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(f"GET /providers/{self.provider}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        await self._until(b"id:")

    async def _until(self, prefix):
        while line := await self.reader.readline():
            if line.startswith(prefix):
                return
        demand(False, "a stream has ended")

    async def listen(self):
        await self._until(b"data: ")
        return time.monotonic()


class Decider:
    """One keep-alive connection that accepts."""

    async def open(self, port):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)

    async def accept(self, provider, booking):
        self.writer.write(f"POST /providers/{provider}/bookings/{booking}/accept HTTP/1.1\r\nHost: x\r\n"
                          "Content-Length: 0\r\n\r\n".encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split()[0])
        await self.reader.readexactly(length)
        demand(head.startswith(b"HTTP/1.1 200"), f"an accept was answered {head[:40]}")


async def arrivals(worker, bookings):
    """Each on the stream of another provider; from the asking of the accept to its event."""
    consoles = [Console(worker.port, provider) for provider, _ in bookings]
    before = worker.memory_mb()
    for console in consoles:
        await console.open()
    memory_mb, decider, times = worker.memory_mb() - before, Decider(), []
    await decider.open(worker.port)
    for number, (provider, booking) in enumerate(bookings):
        heard = asyncio.ensure_future(consoles[number].listen())
        asked = time.monotonic()
        await decider.accept(provider, booking)
        times.append((await asyncio.wait_for(heard, 30)) - asked)
        await asyncio.sleep(max(0, 1 / ARRIVALS_A_SECOND - (time.monotonic() - asked)))
    for console in consoles:
        console.writer.close()
    times.sort()
    return {"streams.kb_each": memory_mb * 1024 / len(consoles), "streams.p99_ms": times[len(times) * 99 // 100] * 1000,
            "streams.p50_ms": statistics.median(times) * 1000}


def one_round(bench, inbox):
    """Of an inbox with one booking for each of STREAMS providers, as make_inbox() makes them."""
    state = bench.copy(inbox)
    bookings = [(f"provider-{i % STREAMS}", f"01900000-0000-7000-8000-{i:012x}") for i in range(1, STREAMS + 1)]
    with Silent() as silent, Worker(bench, "decision", state, silent_queues(silent)) as worker:
        return asyncio.run(arrivals(worker, bookings))


def page(bench, inbox, settings):
    """The first page of a provider who has all of the inbox."""
    requests = f"{bench.folder()}/requests"
    with open(requests, "w", encoding="ascii") as file:
        file.write("GET /providers/provider-0/bookings?status=pending\n" * 20000)
    with Silent() as silent, Worker(bench, "decision", bench.copy(inbox), silent_queues(silent)) as worker:
        load = Load(bench, worker.port, requests, connections=1, seconds=settings.seconds, rate=100, status=200)
        result = load.finish()
        return {"page.p50_ms": result["p50_ms"], "page.p99_ms": result["p99_ms"]}
