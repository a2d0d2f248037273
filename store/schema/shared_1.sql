-- What both stores have: the way out (outbox), the trail (audit), the ledger of handling attempts and
-- the answers kept for idempotency keys. Part of migration 1 of each store; see the headers of the
-- same names.

CREATE TABLE outbox (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    booking_id  TEXT    NOT NULL,
    provider_id TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    traceparent TEXT    NOT NULL,
    type        TEXT    NOT NULL,
    created_ms  INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    parked      INTEGER NOT NULL DEFAULT 0,
    body        TEXT    NOT NULL
) STRICT;
-- Holds only what is not sent yet, so it stays small whatever the history.
CREATE INDEX outbox_by_booking ON outbox (booking_id);
CREATE INDEX outbox_parked ON outbox (sequence) WHERE parked = 1;

CREATE TABLE audit (
    sequence    INTEGER PRIMARY KEY,
    at_ms       INTEGER NOT NULL,
    booking_id  TEXT    NOT NULL,
    provider_id TEXT    NOT NULL,
    actor       TEXT    NOT NULL,
    from_status INTEGER NOT NULL,
    to_status   INTEGER NOT NULL,
    event       TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    hash        BLOB    NOT NULL
) STRICT;
CREATE INDEX audit_by_booking ON audit (booking_id);

CREATE TABLE attempts (
    message_id TEXT    NOT NULL UNIQUE,
    owner      TEXT    NOT NULL, -- the process that runs the handler now; '' = nobody
    failures   INTEGER NOT NULL,
    crashes    INTEGER NOT NULL,
    begun_ms   INTEGER NOT NULL
) STRICT;

CREATE TABLE idempotency (
    scope      TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    body       BLOB    NOT NULL, -- SHA-256 of the request's body
    status     INTEGER NOT NULL,
    location   TEXT    NOT NULL,
    answer     TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    UNIQUE (scope, key)
) STRICT;
CREATE INDEX idempotency_by_age ON idempotency (created_ms);
