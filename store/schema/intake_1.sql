-- The intake worker's own tables. Part of migration 1 of intake.db, behind shared_1.sql.
--
-- Rowid tables with the public id in a UNIQUE column: appends stay cheap however long the history.
-- Indexes beyond that are few on purpose: each costs every booking a page.

CREATE TABLE people (
    kind  TEXT NOT NULL CHECK (kind IN ('user', 'provider')),
    id    TEXT NOT NULL,
    name  TEXT NOT NULL,
    email TEXT NOT NULL, -- '' = none
    phone TEXT NOT NULL, -- '' = none
    UNIQUE (kind, id)
) STRICT;

CREATE TABLE slots (
    slot        INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: bookings remember it
    id          TEXT    NOT NULL UNIQUE,
    provider_id TEXT    NOT NULL,
    start_s     INTEGER NOT NULL,
    end_s       INTEGER NOT NULL CHECK (end_s > start_s)
) STRICT;
CREATE INDEX slots_by_provider ON slots (provider_id, start_s);

-- A booking keeps its own copy of the slot's facts: it stays true when the slot is deleted.
-- status: 0 pending, 1 confirmed, 2 rejected, 3 cancelled.
CREATE TABLE bookings (
    booking     INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    user_id     TEXT    NOT NULL,
    provider_id TEXT    NOT NULL,
    slot        INTEGER NOT NULL,
    slot_id     TEXT    NOT NULL,
    start_s     INTEGER NOT NULL,
    end_s       INTEGER NOT NULL,
    status      INTEGER NOT NULL CHECK (status BETWEEN 0 AND 3),
    created_s   INTEGER NOT NULL
) STRICT;

-- The promise that no slot is booked twice.
CREATE UNIQUE INDEX one_active_booking_of_a_slot ON bookings (slot) WHERE status < 2;

-- What the expiry sweep looks for. Booked after its start (only with BOOKFLOW_ALLOW_PAST_SLOTS): never
-- expires.
CREATE INDEX bookings_to_expire ON bookings (start_s) WHERE status = 0 AND created_s < start_s;

CREATE INDEX bookings_by_user ON bookings (user_id);
