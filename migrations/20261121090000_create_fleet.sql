-- What we want and what was decided; what is, only the engine knows.
-- Times are RFC 3339 in UTC, snowflakes are integers, sets of words are held by CHECK.

-- One row: whose database this is. Every container it makes carries the id.
CREATE TABLE instance (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    id         TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

-- One row for each start of the process; messages about what it found cut off refer to it.
CREATE TABLE starts (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at TEXT NOT NULL
) STRICT;

CREATE TABLE fleets (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    channel_id INTEGER,
    created_at TEXT NOT NULL,
    removed_at TEXT
) STRICT;

-- Ids are never reused, names are unique among the living.
CREATE UNIQUE INDEX fleets_living_name ON fleets (name) WHERE removed_at IS NULL;

CREATE TABLE agents (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT NOT NULL,
    fleet_id     INTEGER NOT NULL REFERENCES fleets (id),
    desired      TEXT NOT NULL CHECK (desired IN ('running', 'paused', 'stopped')),
    -- The one container that is this agent. Whoever moves it to another one has proven that one first.
    container_id TEXT,
    -- The version of `specs` that container was made from; 0 before the first.
    version      INTEGER NOT NULL DEFAULT 0,
    adopted      INTEGER NOT NULL DEFAULT 0 CHECK (adopted IN (0, 1)),
    created_at   TEXT NOT NULL,
    removed_at   TEXT
) STRICT;

CREATE UNIQUE INDEX agents_living_name ON agents (name) WHERE removed_at IS NULL;
-- A container is one agent's only.
CREATE UNIQUE INDEX agents_container ON agents (container_id) WHERE container_id IS NOT NULL;

-- What each version of an agent was made from; never changed, so that `/rollback` has something to return to.
CREATE TABLE specs (
    agent_id   INTEGER NOT NULL REFERENCES agents (id),
    version    INTEGER NOT NULL CHECK (version > 0),
    digest     TEXT NOT NULL,
    -- The image's id at that time: a tag may move, a version may not.
    image_id   TEXT NOT NULL,
    body       TEXT NOT NULL CHECK (json_valid(body)),
    -- What the template was given, so that a redeploy can resolve it anew.
    arguments  TEXT NOT NULL CHECK (json_valid(arguments)),
    created_at TEXT NOT NULL,
    PRIMARY KEY (agent_id, version)
) STRICT;

-- Templates saved from chat. Those in files are not here, and are never shadowed by these.
CREATE TABLE templates (
    name       TEXT PRIMARY KEY,
    body       TEXT NOT NULL CHECK (json_valid(body)),
    created_by INTEGER NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

-- A form that is being filled in. It outlives a restart so that nobody types a prompt twice.
CREATE TABLE drafts (
    interaction_id INTEGER PRIMARY KEY,
    body           TEXT NOT NULL CHECK (json_valid(body)),
    created_at     TEXT NOT NULL
) STRICT;
