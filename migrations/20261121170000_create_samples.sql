-- What agents and the host used. Written in batches, once a minute; moved and trimmed by the nightly retention.

-- A minute of an agent, kept for a day. Agent first: what is read is always the run of one of them. No reference to `agents`,
-- whose rows stay for ever: looking it up would cost more than the row. A clock that is set back writes a minute over.
CREATE TABLE minutes (
    agent_id INTEGER NOT NULL,
    -- Minutes since 1970.
    at       INTEGER NOT NULL,
    -- Thousandths of a CPU.
    cpu      INTEGER NOT NULL,
    -- KiB, without the page cache.
    memory   INTEGER NOT NULL,
    pids     INTEGER NOT NULL,
    -- Bytes a second.
    received INTEGER NOT NULL,
    sent     INTEGER NOT NULL,
    "read"   INTEGER NOT NULL,
    written  INTEGER NOT NULL,
    PRIMARY KEY (agent_id, at)
) STRICT, WITHOUT ROWID;

-- What became of minutes that are older than a day, kept as long as the settings say. A time stands here or in `minutes`,
-- never in both.
CREATE TABLE quarters (
    agent_id   INTEGER NOT NULL,
    -- The first of its minutes.
    at         INTEGER NOT NULL CHECK (at % 15 = 0),
    -- Minutes that are known of it: averages of several are weighed by them.
    minutes    INTEGER NOT NULL,
    cpu        INTEGER NOT NULL,
    cpu_max    INTEGER NOT NULL,
    memory     INTEGER NOT NULL,
    memory_max INTEGER NOT NULL,
    pids_max   INTEGER NOT NULL,
    received   INTEGER NOT NULL,
    sent       INTEGER NOT NULL,
    "read"     INTEGER NOT NULL,
    written    INTEGER NOT NULL,
    PRIMARY KEY (agent_id, at)
) STRICT, WITHOUT ROWID;

-- There is one host: its minutes are few enough to be kept as they are.
CREATE TABLE host_minutes (
    at     INTEGER PRIMARY KEY,
    -- Thousandths of all CPUs.
    cpu    INTEGER NOT NULL,
    memory INTEGER NOT NULL,
    swap   INTEGER NOT NULL,
    -- Thousandths of the fullest disk.
    disk   INTEGER NOT NULL,
    -- Hundredths.
    load   INTEGER NOT NULL
) STRICT;
