"""V10, V11 and the idle half of V12: signing, starting, being idle."""
import time

from machine import Silent, Worker, embedded_queues, silent_queues


def ready_ms(bench, role, state, queues):
    """From the start of the process to a /ready that says yes."""
    begun = time.monotonic()
    with Worker(bench, role, state, queues) as worker:
        worker.get("/ready") # raises unless it is 200
        return (time.monotonic() - begun) * 1000, worker.memory_mb()


def one_round(bench, settings, crashed, backlog):
    """On a store that is new, that was left well, that was killed with a full WAL, that has much to send."""
    state, values = bench.folder(), {}
    values["ready.new_ms"], _ = ready_ms(bench, "all", state, embedded_queues(state))
    with Silent() as silent:
        queues = silent_queues(silent)
        with Worker(bench, "intake", state, queues) as worker:
            worker.stop()
        values["ready.ms"], values["memory.idle"] = ready_ms(bench, "intake", state, queues)
        values["ready.crashed_ms"], _ = ready_ms(bench, "intake", bench.copy(crashed), queues)
        values["ready.backlog_ms"], _ = ready_ms(bench, "intake", bench.copy(backlog), queues)
    values["sign.ours"] = bench.number("bench_limits", "sign", "-", settings.seconds / 2)
    values["sign.peer"] = bench.peer("sign", settings.seconds / 2)["rate"]
    return values
