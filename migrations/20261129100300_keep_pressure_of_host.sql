-- How long work of the host waited, in thousandths; NULL where the kernel does not tell.
ALTER TABLE host_minutes ADD COLUMN memory_pressure INTEGER;
ALTER TABLE host_minutes ADD COLUMN io_pressure INTEGER;

-- What became of the host's minutes that are older than a day, as with those of agents.
CREATE TABLE host_quarters (
    -- The first of its minutes.
    at              INTEGER PRIMARY KEY CHECK (at % 15 = 0),
    -- Minutes that are known of it.
    minutes         INTEGER NOT NULL,
    cpu             INTEGER NOT NULL,
    cpu_max         INTEGER NOT NULL,
    memory          INTEGER NOT NULL,
    memory_max      INTEGER NOT NULL,
    swap_max        INTEGER NOT NULL,
    disk_max        INTEGER NOT NULL,
    load_max        INTEGER NOT NULL,
    memory_pressure INTEGER,
    io_pressure     INTEGER
) STRICT;
