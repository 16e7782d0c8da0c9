-- What was noted down of the audit outside: one row for each day, posted through the outbox.
CREATE TABLE anchors (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    -- In UTC. Two anchors of one day are refused here, whatever the clock does.
    day        TEXT NOT NULL UNIQUE,
    -- The last row of the audit at that moment, and its hash.
    number     INTEGER NOT NULL,
    hash       BLOB NOT NULL CHECK (length(hash) = 32),
    created_at TEXT NOT NULL
) STRICT;
