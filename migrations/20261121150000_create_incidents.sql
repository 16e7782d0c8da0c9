-- What is wrong, whom it is told to, and what is done about it.

CREATE TABLE alerts (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The names of a route and of a group within it, as the settings had them when it was opened.
    route        TEXT NOT NULL,
    grouped_by   TEXT NOT NULL,
    opened_at    TEXT NOT NULL,
    due_at       TEXT NOT NULL,
    announced_at TEXT,
    told_at      TEXT,
    -- The gravest thing people were told of: worse is told at once.
    told_severity TEXT CHECK (told_severity IN ('info', 'warning', 'critical')),
    repeats      INTEGER NOT NULL DEFAULT 0,
    escalations  INTEGER NOT NULL DEFAULT 0,
    closed_at    TEXT
) STRICT;

CREATE INDEX alerts_open ON alerts (id) WHERE closed_at IS NULL;

CREATE TABLE incidents (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Its subject: `agent 7`, `engine`, `host memory`, `loop watcher`.
    about           TEXT NOT NULL,
    -- The agent it is about; kept when the agent is removed, because ids are never reused.
    agent_id        INTEGER REFERENCES agents (id),
    fleet_id        INTEGER REFERENCES fleets (id),
    kind            TEXT NOT NULL CHECK (kind IN
                        ('down', 'unhealthy', 'waiting', 'blocked', 'resources', 'engine', 'host', 'loop')),
    severity        TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    cause           TEXT NOT NULL,
    -- Exit code, last lines, notes; redacted before they come here.
    evidence        TEXT NOT NULL CHECK (json_valid(evidence)),
    opened_at       TEXT NOT NULL,
    changed_at      TEXT NOT NULL,
    -- Since when the problem is gone; it is held open a while.
    gone_since      TEXT,
    resolved_at     TEXT,
    acknowledged_by INTEGER,
    acknowledged_at TEXT,
    -- When it came back: a list of times.
    returns         TEXT NOT NULL CHECK (json_valid(returns)),
    flapping        INTEGER NOT NULL CHECK (flapping IN (0, 1)),
    -- The message it is told in, and since when.
    alert_id        INTEGER REFERENCES alerts (id),
    joined_at       TEXT,
    CHECK ((acknowledged_by IS NULL) = (acknowledged_at IS NULL)),
    CHECK (resolved_at IS NULL OR gone_since IS NOT NULL)
) STRICT;

-- One at a time for a subject and a kind: the second opening is refused here, whatever the code believes.
CREATE UNIQUE INDEX incidents_open ON incidents (about, kind) WHERE resolved_at IS NULL;
CREATE INDEX incidents_latest ON incidents (about, kind, id);
CREATE INDEX incidents_alert ON incidents (alert_id);

-- That people were notified once more about an alert.
CREATE TABLE nudges (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    alert_id   INTEGER NOT NULL REFERENCES alerts (id),
    kind       TEXT NOT NULL CHECK (kind IN ('more', 'back', 'worse', 'repeat', 'escalation')),
    created_at TEXT NOT NULL
) STRICT;

-- Agents whose restarts are used up; a row goes when its agent has run well for a while.
CREATE TABLE breakers (
    agent_id      INTEGER PRIMARY KEY REFERENCES agents (id),
    opened_at     TEXT NOT NULL,
    healthy_since TEXT
) STRICT;

CREATE TABLE silences (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    matcher   TEXT NOT NULL CHECK (json_valid(matcher)),
    reason    TEXT NOT NULL,
    author    INTEGER NOT NULL,
    since     TEXT NOT NULL,
    -- Never for ever.
    until     TEXT NOT NULL,
    ended_at  TEXT,
    action_id INTEGER NOT NULL REFERENCES actions (id)
) STRICT;

CREATE INDEX silences_until ON silences (until) WHERE ended_at IS NULL;
