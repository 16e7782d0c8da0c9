-- Requested changes and the messages about them.

CREATE TABLE actions (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    -- An interaction that Discord delivers twice is one action.
    interaction_id INTEGER UNIQUE,
    kind           TEXT NOT NULL,
    actor          INTEGER,
    origin         TEXT NOT NULL CHECK (origin IN ('chat', 'converge')),
    reason         TEXT,
    details        TEXT NOT NULL CHECK (json_valid(details)),
    state          TEXT NOT NULL CHECK (state IN
                       ('asked', 'pending', 'running', 'succeeded', 'failed', 'interrupted', 'cancelled', 'expired')),
    created_at     TEXT NOT NULL,
    -- When an unconfirmed one lapses.
    expires_at     TEXT,
    started_at     TEXT,
    finished_at    TEXT,
    outcome        TEXT,
    -- The message that answers the interaction: edited by id once its token is gone.
    channel_id     INTEGER,
    message_id     INTEGER,
    -- The start that found it cut off.
    found_by_start INTEGER REFERENCES starts (id)
) STRICT;

CREATE INDEX actions_open ON actions (state) WHERE state IN ('asked', 'pending', 'running');

CREATE TABLE action_targets (
    action_id   INTEGER NOT NULL REFERENCES actions (id),
    agent_id    INTEGER NOT NULL REFERENCES agents (id),
    state       TEXT NOT NULL CHECK (state IN
                    ('asked', 'pending', 'running', 'succeeded', 'failed', 'interrupted', 'cancelled', 'expired')),
    step        TEXT NOT NULL DEFAULT 'waiting',
    -- What it is to become; no secret's value is in it.
    spec        TEXT CHECK (json_valid(spec)),
    arguments   TEXT CHECK (json_valid(arguments)),
    -- `rollback`: the very image of then, although its tag may have moved.
    image_id    TEXT,
    note        TEXT,
    finished_at TEXT,
    PRIMARY KEY (action_id, agent_id)
) STRICT;

-- One action at a time on an agent: the second is refused here, whatever the code believes.
CREATE UNIQUE INDEX action_targets_busy ON action_targets (agent_id) WHERE state IN ('pending', 'running');

-- One row for each message that exists or shall exist about a subject in a channel.
CREATE TABLE outbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_id   INTEGER NOT NULL,
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('action', 'start')),
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

CREATE INDEX outbox_waiting ON outbox (channel_id, id) WHERE state = 'waiting';
