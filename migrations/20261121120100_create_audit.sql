-- What happened, chained: each row's hash covers the hash of the row before it and all of its own columns.
-- `domain::audit` says how. Rows are only ever added.

CREATE TABLE audit (
    -- AUTOINCREMENT remembers the highest number ever given: a tail that was cut off leaves a gap.
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    -- With microseconds and `Z`, always as long: compared as text.
    at         TEXT NOT NULL CHECK (length(at) = 27),
    -- The words have no CHECK: a new one would mean to copy, and so to rewrite, what must not be rewritten.
    what       TEXT NOT NULL,
    actor      INTEGER,
    origin     TEXT NOT NULL,
    -- By id and by the name of that time. No references: the record outlives what it is about.
    agent_id   INTEGER,
    agent_name TEXT,
    fleet_id   INTEGER,
    fleet_name TEXT,
    action_id  INTEGER,
    kind       TEXT,
    plan       TEXT,
    text       TEXT,
    details    TEXT NOT NULL CHECK (json_valid(details)),
    hash       BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX audit_agent ON audit (agent_id, id) WHERE agent_id IS NOT NULL;
CREATE INDEX audit_action ON audit (action_id, id) WHERE action_id IS NOT NULL;
CREATE INDEX audit_purges ON audit (id) WHERE what = 'purged';

-- These keep us from doing it by mistake. Whoever owns the file can drop them, and `yardarm audit verify` tells.
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is only added to');
END;

-- INSERT OR REPLACE would delete without asking the trigger below.
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN NEW.id <= (SELECT max(id) FROM audit)
BEGIN
    SELECT RAISE(ABORT, 'the audit is only added to');
END;

-- A purge tells first how far it goes and what the last hash was: that row is where verification begins.
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
WHEN NOT EXISTS (
    SELECT 1 FROM audit AS purge WHERE purge.what = 'purged' AND OLD.id <= json_extract(purge.details, '$.through')
)
BEGIN
    SELECT RAISE(ABORT, 'the audit is only added to');
END;
