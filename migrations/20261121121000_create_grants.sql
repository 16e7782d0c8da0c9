-- Who may do what, as far as no file says it. What the settings file says is never copied here, so it goes when the
-- file drops it. A grant that is revoked is deleted: the audit remembers it.

CREATE TABLE grants (
    -- Never reused: a reference to one that is gone means nothing else later.
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    holder_kind TEXT NOT NULL CHECK (holder_kind IN ('user', 'role', 'team')),
    -- A snowflake, or the name of a team.
    holder      TEXT NOT NULL,
    level       TEXT NOT NULL CHECK (level IN ('viewer', 'operator', 'maintainer', 'owner')),
    -- A pattern over names of fleets; `*` alone is everything.
    fleets      TEXT NOT NULL,
    until       TEXT,
    source      TEXT NOT NULL CHECK (source IN ('chat', 'claim', 'host', 'approval')),
    -- NULL if no person in Discord gave it.
    granted_by  INTEGER,
    created_at  TEXT NOT NULL,
    -- What is given with an approval always ends.
    CHECK (source <> 'approval' OR until IS NOT NULL)
) STRICT;

CREATE TABLE teams (
    name       TEXT PRIMARY KEY,
    -- Its users, roles and the fleets it owns.
    body       TEXT NOT NULL CHECK (json_valid(body)),
    created_at TEXT NOT NULL
) STRICT;

-- The code that `yardarm claim` printed; a new one replaces it. The code itself is nowhere.
CREATE TABLE claim_code (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    digest     BLOB NOT NULL CHECK (length(digest) = 32),
    expires_at TEXT NOT NULL
) STRICT;

-- Wrong codes since the code was made, by user.
CREATE TABLE claim_failures (
    user_id INTEGER PRIMARY KEY,
    count   INTEGER NOT NULL CHECK (count > 0)
) STRICT;
