-- What is done again and again, and each time it was.

CREATE TABLE schedules (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL,
    -- Those of the settings file and those built in are changed there, never in chat.
    source      TEXT NOT NULL CHECK (source IN ('chat', 'file', 'built-in')),
    -- Whose rights it has, looked up each time it runs.
    owner       INTEGER,
    cron        TEXT NOT NULL,
    zone        TEXT NOT NULL,
    action      TEXT NOT NULL,
    agent       TEXT,
    fleet       TEXT,
    template    TEXT,
    arguments   TEXT NOT NULL CHECK (json_valid(arguments)),
    missed      TEXT NOT NULL CHECK (missed IN ('skip', 'once', 'all')),
    -- With `all`: how many are made up for.
    up_to       INTEGER NOT NULL CHECK (up_to BETWEEN 1 AND 10),
    overlap     TEXT NOT NULL CHECK (overlap IN ('skip', 'queue')),
    until       TEXT,
    -- Why it does not run, if it is paused.
    paused      TEXT,
    -- In UTC and whole seconds. NULL: it has ended.
    next_run_at TEXT,
    created_at  TEXT NOT NULL,
    removed_at  TEXT,
    CHECK ((source = 'chat') = (owner IS NOT NULL))
) STRICT;

-- A name is free again once its schedule is removed.
CREATE UNIQUE INDEX schedules_name ON schedules (name) WHERE removed_at IS NULL;
CREATE INDEX schedules_due ON schedules (next_run_at) WHERE removed_at IS NULL AND paused IS NULL;

CREATE TABLE runs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    schedule_id INTEGER NOT NULL REFERENCES schedules (id),
    planned_at  TEXT NOT NULL,
    -- `claimed` until there is an action: it is then `submitted` in the transaction that writes the action.
    stage       TEXT NOT NULL CHECK (stage IN ('claimed', 'submitted', 'done', 'refused', 'skipped')),
    action_id   INTEGER REFERENCES actions (id),
    -- What it waits for, or why there is no action.
    outcome     TEXT,
    created_at  TEXT NOT NULL,
    finished_at TEXT,
    -- A time comes once, whatever the clock does and wherever we are cut off.
    UNIQUE (schedule_id, planned_at),
    CHECK ((stage = 'submitted') = (action_id IS NOT NULL))
) STRICT;

CREATE INDEX runs_of ON runs (schedule_id, id);
CREATE INDEX runs_claimed ON runs (id) WHERE stage = 'claimed';
