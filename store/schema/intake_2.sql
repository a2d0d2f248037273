-- What people are to be told, and the ways of telling them that are configured. Migration 2 of
-- intake.db; see notices.h.

CREATE TABLE notice_channels (
    channel INTEGER NOT NULL UNIQUE
) STRICT;

-- state: 0 waiting, 1 sent, 2 superseded, 3 given up. The id is made of booking, status, recipient and
-- channel: so each is told once.
CREATE TABLE notices (
    sequence   INTEGER PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    booking_id TEXT    NOT NULL,
    status     INTEGER NOT NULL, -- of the booking: what is told
    recipient  INTEGER NOT NULL,
    channel    INTEGER NOT NULL,
    actor      TEXT    NOT NULL, -- who moved the booking
    reason     TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    until_ms   INTEGER NOT NULL, -- given up then
    due_ms     INTEGER NOT NULL,
    state      INTEGER NOT NULL DEFAULT 0,
    attempts   INTEGER NOT NULL DEFAULT 0,
    doubts     INTEGER NOT NULL DEFAULT 0 -- tries of which nobody knows whether they arrived
) STRICT;
-- Holds only what is not sent yet, so it stays small whatever the history.
CREATE INDEX notices_waiting ON notices (channel, due_ms) WHERE state = 0;
