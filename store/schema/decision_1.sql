-- The decision worker's own tables. Part of migration 1 of decision.db, behind shared_1.sql.

-- status: 0 pending, 1 confirmed, 2 rejected, 3 cancelled. A row with start_s = 0 is a tombstone: the
-- cancel came before its create, which will fill in the rest and leave the status alone.
CREATE TABLE bookings (
    booking     INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    user_id     TEXT    NOT NULL,
    user_name   TEXT    NOT NULL, -- '' = unknown
    provider_id TEXT    NOT NULL,
    slot_id     TEXT    NOT NULL,
    start_s     INTEGER NOT NULL,
    end_s       INTEGER NOT NULL,
    status      INTEGER NOT NULL CHECK (status BETWEEN 0 AND 3),
    received_s  INTEGER NOT NULL,
    decided_s   INTEGER NOT NULL, -- of the last change of status; 0 = none yet
    decided_by  TEXT    NOT NULL,
    reason      TEXT    NOT NULL
) STRICT;

-- One index for each way a provider looks: everything, one status, one stretch of time.
CREATE INDEX bookings_by_provider ON bookings (provider_id);
CREATE INDEX bookings_by_status ON bookings (provider_id, status);
CREATE INDEX bookings_by_start ON bookings (provider_id, start_s, status);

-- What the expiry sweep looks for. Received after its start: the provider may still decide.
CREATE INDEX bookings_to_expire ON bookings (start_s) WHERE status = 0 AND received_s < start_s;

-- The change stream of one provider.
CREATE INDEX audit_by_provider ON audit (provider_id, sequence);
