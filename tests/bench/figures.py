"""The figures of the design, V1 to V15, as a table: what we measured, what it is divided by, and the mark. A
quotient is of one round; its median over the rounds is compared with the mark, and shown with its spread."""
import statistics


# Id, what, relation and mark (none: shown, not judged: the other side of it is not here, or it explains
# another line), ours, beside what (none: as it is), unit.
FIGURES = [
    ("-", "4 KiB overwritten, fdatasync", "", None, "limit.disk", None, "/s"),
    ("-", "SQLite alone, a booking a commit", "", None, "limit.sqlite", "limit.disk", "/s"),
    *(("V1", f"POST, {n} connections; bare loop", "", None, f"sqs.{n}.rate", f"limit.bare.{n}", "/s") for n in (1, 16, 64)),
    ("V1", "POST, 64, embedded queue; bare loop", "", None, "embedded.64.rate", "limit.bare.64", "/s"),
    *(("V1", f"POST, {n}, nothing else; bare loop", "", None, f"alone.{n}.rate", f"limit.bare.{n}", "/s")
      for n in (1, 16, 64, 255)),
    *(("V2", f"CPU of 10,000 POSTs, {n} connections", "", None, f"sqs.{n}.cpu_s_10k", None, " s") for n in (1, 16, 64)),
    ("V2", "CPU of 10,000 POSTs, 64, nothing else", "", None, "alone.64.cpu_s_10k", None, " s"),
    ("V3", "POST, 1 connection; raw fdatasync", ">=", 0.42, "alone.1.rate", "limit.disk", "/s"),
    *(("V4", f"fsyncs a booking, {n} connections", "<=", mark, f"alone.{n}.commits_each", None, "")
      for n, mark in ((16, 0.15), (64, 0.05), (255, 0.015))),
    ("V4", "fsyncs that strace sees and we do not count", "<=", 0.05, "traced", None, ""),
    ("V5", "GET p99 beside 64 POSTs", "<=", 1, "sqs.64.read_p99_ms", None, " ms"),
    ("V5", "GET p99 beside 64 POSTs, embedded queue", "", None, "embedded.64.read_p99_ms", None, " ms"),
    ("V5", "GET p99 beside 64 POSTs, nothing else", "", None, "alone.64.read_p99_ms", None, " ms"),
    ("V5", "POST p99, 64 connections; nothing else", "", None, "sqs.64.p99_ms", "alone.64.p99_ms", " ms"),
    ("V6", "POST, {rows} bookings there; none", ">=", 0.9, "large.rate", "empty.rate", "/s"),
    ("V6", "bytes a booking, {rows} there; none", "<=", 1.15, "large.bytes_each", "empty.bytes_each", " B"),
    ("V7", "accept, 64 connections; bare loop", "", None, "accept.rate", "limit.bare.64", "/s"),
    ("V7", "inbox page of 100,000 bookings, p99", "<=", 5, "page.p99_ms", None, " ms"),
    *((identity, f"{act} {count}, {peer}: {what}", relation, mark if side == "peer" else None, f"{size}.ours.{act}.{key}",
       f"{size}.{side}.{act}.{key}", unit)
      for identity, act, names, marks in (("V8", "publish", ("SDK", "SDK, 8 calls"), (3, 1 / 15)),
                                          ("V9", "consume", ("sqs-consumer", "8 sqs-consumers"), (4, 1 / 6)))
      for count, size, side, peer in (("{messages}", "large", "peer", names[0]), ("{half}", "small", "peer", names[0]),
                                      ("{half}", "small", "many", names[1]))
      for what, key, relation, unit, mark in (("rate", "rate", ">=", "/s", marks[0]), ("CPU", "cpu_us", "<=", " us", marks[1]))),
    ("V10", "SigV4 of 400 B; @smithy/signature-v4", ">=", 20, "sign.ours", "sign.peer", "/s"),
    ("V11", "ready", "<=", 15, "ready.ms", None, " ms"),
    ("V11", "ready, new stores and queues", "", None, "ready.new_ms", None, " ms"),
    ("V11", "ready after kill -9 with a full WAL", "<=", 150, "ready.crashed_ms", None, " ms"),
    ("V11", "ready with {unsent} unsent events", "<=", 1000, "ready.backlog_ms", None, " ms"),
    ("V12", "memory idle", "<=", 10, "memory.idle", None, " MB"),
    ("V12", "memory loaded, 255 connections", "<=", 100, "memory.loaded", None, " MB"),
    ("V12", "memory loaded, {rows} bookings there", "<=", 100, "large.memory_mb", None, " MB"),
    ("V13", "POST p99, courier active; alone", "<=", 1.5, "full.p99_ms", "alone.64.p99_ms", " ms"),
    ("V13", "publisher, full load; half load", ">=", 0.8, "full.sent", "half.sent", "/s"),
    ("V13", "consumer, full load; half load", ">=", 0.8, "full.applied", "half.applied", "/s"),
    ("V14", "booked to confirmed, 100/s, p50", "<=", 30, "trip.p50_ms", None, " ms"),
    ("V14", "booked to confirmed, 100/s, p99", "<=", 150, "trip.p99_ms", None, " ms"),
    ("V15", "an open event stream", "<=", 20, "streams.kb_each", None, " KB"),
    ("V15", "1,000 streams: arrival at its own, p99", "<=", 10, "streams.p99_ms", None, " ms"),
]


def judged(figure, rounds):
    identity, what, relation, mark, ours, beside, unit = figure
    result = {"id": identity, "figure": what, "relation": relation, "mark": mark, "unit": unit}
    names = [ours, beside] if beside else [ours]
    told = [[values[name] for name in names] for values in rounds if all(name in values for name in names)]
    if not told:
        return {**result, "verdict": "SKIPPED", "reason": f"not measured: {' or '.join(names)}"}
    quotients = [values[0] / values[1] if beside else values[0] for values in told]
    median = statistics.median(quotients)
    result.update(value=median, least=min(quotients), most=max(quotients), rounds=len(told),
                  **{name: statistics.median(each) for name, each in zip(("ours", "beside"), zip(*told))})
    if mark is None:
        return {**result, "verdict": "-"}
    return {**result, "verdict": "ok" if (median >= mark if relation == ">=" else median <= mark) else "MISSED"}


def judge(rounds, settings):
    sizes = {name: f"{value:,}" for name, value in (("rows", settings.rows), ("messages", settings.messages),
                                                    ("half", settings.messages // 2), ("unsent", settings.messages * 5))}
    return [judged((figure[0], figure[1].format(**sizes), *figure[2:]), rounds) for figure in FIGURES]


def number(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def line(result):
    mark = f'{result["relation"]} {number(result["mark"])}' if result["mark"] else ""
    if result["verdict"] == "SKIPPED":
        return f'{result["id"]:4}{result["figure"]:46}{mark:>10}{"":29}{"SKIPPED":8}{result["reason"]}'
    spread = f'{number(result["least"])} .. {number(result["most"])}'
    values = " beside ".join(number(result[name]) + result["unit"] for name in ("ours", "beside") if name in result)
    return (f'{result["id"]:4}{result["figure"]:46}{mark:>10}{number(result["value"]):>8}  {spread:19}'
            f'{result["verdict"]:8}{values}')


def show(results):
    print(f'\n{"":4}{"figure":46}{"mark":>10}{"value":>8}  {"spread":19}{"":8}ours, beside what')
    print("\n".join(line(result) for result in results))
