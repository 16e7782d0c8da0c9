-- More ends and origins for actions, what they were planned to do, and more to tell about in chat. SQLite cannot
-- alter a CHECK, so the tables are made anew. The child goes before its parent, and the new ones are renamed last:
-- a rename takes the references along, so no foreign key is ever without its parent.

CREATE TABLE actions_new (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    -- An interaction that Discord delivers twice is one action.
    interaction_id INTEGER UNIQUE,
    kind           TEXT NOT NULL,
    actor          INTEGER,
    origin         TEXT NOT NULL CHECK (origin IN ('chat', 'converge', 'host', 'schedule', 'recovery')),
    reason         TEXT,
    details        TEXT NOT NULL CHECK (json_valid(details)),
    state          TEXT NOT NULL CHECK (state IN
                       ('asked', 'pending', 'running', 'succeeded', 'failed', 'interrupted', 'cancelled', 'expired',
                        'denied', 'void')),
    created_at     TEXT NOT NULL,
    -- When an unanswered one lapses.
    expires_at     TEXT,
    started_at     TEXT,
    finished_at    TEXT,
    outcome        TEXT,
    -- What it was to do when it was asked for: people approve this and nothing else. No secret's value is in it.
    plan           TEXT CHECK (plan IS NULL OR json_valid(plan)),
    plan_digest    TEXT,
    -- The message that answers the interaction: edited by id once its token is gone.
    channel_id     INTEGER,
    message_id     INTEGER,
    -- The start that found it cut off.
    found_by_start INTEGER REFERENCES starts (id)
) STRICT;

CREATE TABLE action_targets_new (
    action_id   INTEGER NOT NULL REFERENCES actions_new (id),
    agent_id    INTEGER NOT NULL REFERENCES agents (id),
    state       TEXT NOT NULL CHECK (state IN
                    ('asked', 'pending', 'running', 'succeeded', 'failed', 'interrupted', 'cancelled', 'expired',
                     'denied', 'void')),
    step        TEXT NOT NULL DEFAULT 'waiting',
    -- What it is to become; no secret's value is in it.
    spec        TEXT CHECK (spec IS NULL OR json_valid(spec)),
    arguments   TEXT CHECK (arguments IS NULL OR json_valid(arguments)),
    -- `rollback`: the very image of then, although its tag may have moved.
    image_id    TEXT,
    note        TEXT,
    finished_at TEXT,
    PRIMARY KEY (action_id, agent_id)
) STRICT;

INSERT INTO actions_new (id, interaction_id, kind, actor, origin, reason, details, state, created_at, expires_at,
                         started_at, finished_at, outcome, channel_id, message_id, found_by_start)
SELECT id, interaction_id, kind, actor, origin, reason, details, state, created_at, expires_at,
       started_at, finished_at, outcome, channel_id, message_id, found_by_start
FROM actions;

INSERT INTO action_targets_new (action_id, agent_id, state, step, spec, arguments, image_id, note, finished_at)
SELECT action_id, agent_id, state, step, spec, arguments, image_id, note, finished_at
FROM action_targets;

DROP TABLE action_targets;
DROP TABLE actions;
ALTER TABLE actions_new RENAME TO actions;
ALTER TABLE action_targets_new RENAME TO action_targets;

CREATE INDEX actions_open ON actions (state) WHERE state IN ('asked', 'pending', 'running');
-- One action at a time on an agent: the second is refused here, whatever the code believes.
CREATE UNIQUE INDEX action_targets_busy ON action_targets (agent_id) WHERE state IN ('pending', 'running');

CREATE TABLE outbox_new (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_id   INTEGER NOT NULL,
    subject_kind TEXT NOT NULL CHECK (subject_kind IN
                     ('action', 'start', 'approval', 'result', 'reminder', 'break-glass', 'anchor')),
    subject_id   INTEGER NOT NULL,
    -- Grows whenever the subject changes; a delivery settles only the version it began with.
    version      INTEGER NOT NULL DEFAULT 1,
    state        TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'dead')),
    message_id   INTEGER,
    attempts     INTEGER NOT NULL DEFAULT 0,
    -- A send was begun and its end is not known: look before sending again.
    in_doubt     INTEGER NOT NULL DEFAULT 0 CHECK (in_doubt IN (0, 1)),
    due_at       TEXT NOT NULL,
    error        TEXT,
    created_at   TEXT NOT NULL,
    UNIQUE (subject_kind, subject_id, channel_id)
) STRICT;

INSERT INTO outbox_new SELECT id, channel_id, subject_kind, subject_id, version, state, message_id, attempts, in_doubt,
                              due_at, error, created_at
FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_new RENAME TO outbox;
CREATE INDEX outbox_waiting ON outbox (channel_id, id) WHERE state = 'waiting';
