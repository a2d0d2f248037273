"""Stores to measure with: by the product's own hand where the trail must hold, by SQL where only size counts."""
import contextlib
import sqlite3

from machine import Load, Silent, Worker, demand, silent_queues, sync

PROVIDERS = 100


def write_bookings(path, first, count):
    """A request for each of the free slots from `first` on."""
    with open(path, "w", encoding="ascii") as file:
        for i in range(first, first + count):
            file.write(f'POST /bookings {{"slotId":"slot-{i}","userId":"user-{i}"}}\n')
    return path


# --- Looking into a store.

def ask(path, sql):
    """One row. Not read-only: what was killed must be recovered first."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as store:
        return store.execute(sql).fetchone()


def booked(state, answered):
    """Each 201 is a booking, and each booking's event is in the outbox or noted as sent."""
    bookings, unsent, sent = ask(f"{state}/intake.db", "SELECT (SELECT count(*) FROM bookings), (SELECT count(*) FROM outbox),"
                                 " (SELECT count(*) FROM audit WHERE event = 'PUBLISHED')")
    demand(bookings == answered, f"{answered} answers of 201, but {bookings} bookings")
    demand(unsent + sent == bookings, f"{bookings} bookings, but {unsent} events unsent and {sent} sent")


# --- By SQL: rows as the product would have left them, but for the hashes of the trail.

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
ID = "printf('01900000-%04x-7000-8000-%012x', i >> 24, i)" # older than any that is made today
TIMES = "4070944800, 4070946600" # 2099-01-01 10:00
OLD = (
    "INSERT INTO slots (id, provider_id, start_s, end_s)"
    " SELECT printf('old-%09d', i), 'provider-' || (i % {providers}), " + TIMES + " FROM n",
    "INSERT INTO bookings (id, user_id, provider_id, slot, slot_id, start_s, end_s, status, created_s)"
    " SELECT " + ID + ", 'user-' || (i * 7919 % 1000003), 'provider-' || (i % {providers}),"
    " i + (SELECT coalesce(max(slot), 0) - {last} FROM slots), printf('old-%09d', i), " + TIMES + ", 1, 1700000000 FROM n",
    *("INSERT INTO audit (at_ms, booking_id, provider_id, actor, from_status, to_status, event, reason, event_id, hash)"
      f" SELECT 1700000000000, {ID}, 'provider-' || (i % {{providers}}), '{actor}', {before}, {after}, '{event}', '', {ID},"
      " zeroblob(32) FROM n" for actor, before, after, event in (
          ("user", 4, 0, "BOOKING_CREATED"), ("system", 0, 0, "PUBLISHED"), ("provider", 0, 1, "BOOKING_CONFIRMED"))))
FREE = (
    "INSERT INTO slots (id, provider_id, start_s, end_s)"
    " SELECT 'slot-' || i, 'provider-' || (i % {providers}), " + TIMES + " FROM n",)
UNSENT = (
    "INSERT INTO outbox (booking_id, provider_id, event_id, traceparent, type, created_ms, body)"
    " SELECT " + ID + ", 'provider-' || (i % {providers}), " + ID + ", '', 'BOOKING_CREATED', 1700000000000,"
    " json_object('bookingId', " + ID + ", 'userId', 'user-' || i, 'providerId', 'provider-' || (i % {providers}),"
    " 'slotId', 'old-' || i, 'slotStart', '2099-01-01T10:00:00Z', 'slotEnd', '2099-01-01T10:30:00Z', 'eventType',"
    " 'BOOKING_CREATED', 'timestamp', '2023-11-14T22:13:20Z', 'eventId', " + ID + ") FROM n",)
INBOX = (
    "INSERT INTO bookings (id, user_id, user_name, provider_id, slot_id, start_s, end_s, status, received_s, decided_s,"
    " decided_by, reason) SELECT " + ID + ", 'user-' || i, 'Name ' || i, 'provider-' || (i % {providers}), 'slot-' || i, "
    + TIMES + ", 0, 1700000000, 0, '', '' FROM n",)


def fill(path, statements, first, last, providers=PROVIDERS):
    """Numbers first to last, without the indexes, which are made anew at the end."""
    if first > last:
        return
    with contextlib.closing(sqlite3.connect(path)) as store:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000", "temp_store = FILE"):
            store.execute("PRAGMA " + pragma).fetchall()
        indexes = store.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        for name, _ in indexes:
            store.execute(f"DROP INDEX {name}")
        for statement in statements:
            store.execute(NUMBERS.format(first=first, last=last) + statement.format(providers=providers, last=last))
        for _, sql in indexes:
            store.execute(sql)
        store.commit()
    sync(path)


def make_new(bench, role):
    """A store with its schema and nothing in it."""
    state = bench.folder()
    with Silent() as silent, Worker(bench, role, state, silent_queues(silent)) as worker:
        worker.stop()
    return state


def make_slots(bench, count, providers=PROVIDERS):
    """An intake store with the free slots slot-0 and so on."""
    state = make_new(bench, "intake")
    fill(f"{state}/intake.db", FREE, 0, count - 1, providers)
    return state


def make_old(bench, slots, count, providers=PROVIDERS):
    """An intake store that has taken so many bookings in its life, and has the free slots of another."""
    state = bench.copy(slots)
    fill(f"{state}/intake.db", OLD, 1, count, providers)
    return state


def make_unsent(bench, slots, count):
    """An intake store whose queue was down for so many events."""
    state = bench.copy(slots)
    fill(f"{state}/intake.db", UNSENT, 1, count)
    return state


def make_inbox(bench, count, providers):
    """A decision store with so many waiting bookings."""
    state = make_new(bench, "decision")
    fill(f"{state}/decision.db", INBOX, 1, count, providers)
    return state


def make_backlog(bench, count):
    """An intake store with so many bookings, none of them sent, as a kill leaves it: its WAL is not copied back."""
    state = make_slots(bench, count)
    with Silent() as silent, Worker(bench, "intake", state, silent_queues(silent)) as worker:
        load = Load(bench, worker.port, write_bookings(f"{state}/requests", 0, count), connections=64, seconds=60)
        demand(load.finish()["answered"] == count, "not every booking of the backlog was answered")
    return state
