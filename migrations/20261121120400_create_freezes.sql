-- The one stop for everything: what is frozen, and what ran when it was.

CREATE TABLE freezes (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    -- NULL: everything.
    fleet_id   INTEGER REFERENCES fleets (id),
    mode       TEXT NOT NULL CHECK (mode IN ('pause', 'cut')),
    -- Who froze when why: the action that asked for it. It makes one freeze, also if it is repeated after a crash.
    action_id  INTEGER NOT NULL UNIQUE REFERENCES actions (id),
    created_at TEXT NOT NULL,
    -- 'thawing': nothing is held any more, and what was is being restored, over a crash too.
    state      TEXT NOT NULL CHECK (state IN ('frozen', 'thawing', 'over'))
) STRICT;

-- Whom a freeze stands on is asked at each look at what should run; those that are over are history.
CREATE UNIQUE INDEX freezes_one_per_fleet ON freezes (coalesce(fleet_id, 0)) WHERE state = 'frozen';

-- What ran when it was frozen, and is to run again; written before anything is done to it.
CREATE TABLE frozen_agents (
    -- One freeze at a time holds an agent: a wider one takes over what a narrower one held.
    agent_id  INTEGER PRIMARY KEY REFERENCES agents (id),
    freeze_id INTEGER NOT NULL REFERENCES freezes (id),
    -- Its processes are, or are about to be, paused.
    paused    INTEGER NOT NULL CHECK (paused IN (0, 1)),
    -- It has left, or is about to leave, its fleet's network.
    cut       INTEGER NOT NULL CHECK (cut IN (0, 1))
) STRICT;

CREATE INDEX frozen_agents_by_freeze ON frozen_agents (freeze_id);
