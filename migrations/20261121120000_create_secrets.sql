-- Values that agents are given: sealed, and of no use without the vault's key, which is not here.

CREATE TABLE secrets (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    -- Who is given it: one agent, every agent of one fleet, or every agent if both are NULL. Ids, not names:
    -- an agent made anew under an old name inherits nothing.
    agent_id   INTEGER REFERENCES agents (id),
    fleet_id   INTEGER REFERENCES fleets (id),
    origin     TEXT NOT NULL CHECK (origin IN ('chat', 'adopted')),
    -- The highest version ever given; a version is never given twice.
    versions   INTEGER NOT NULL DEFAULT 0,
    removed_at TEXT,
    CHECK (agent_id IS NULL OR fleet_id IS NULL)
) STRICT;

CREATE UNIQUE INDEX secrets_living ON secrets (name, coalesce(agent_id, 0), coalesce(fleet_id, 0))
    WHERE removed_at IS NULL;

-- A value waits as `pending` until the action that brought it is carried out; then it is `current`, and the one
-- before it is deleted. No value is kept longer than it is needed.
CREATE TABLE secret_versions (
    secret_id  INTEGER NOT NULL REFERENCES secrets (id),
    version    INTEGER NOT NULL CHECK (version > 0),
    state      TEXT NOT NULL CHECK (state IN ('pending', 'current')),
    -- No REFERENCES: that table is made anew now and then. None for a value taken over at an adoption.
    action_id  INTEGER,
    set_by     INTEGER,
    created_at TEXT NOT NULL,
    -- The key it is sealed with, and the nonce with the ciphertext. Bound to instance, secret, version and column.
    key_id     TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    PRIMARY KEY (secret_id, version),
    CHECK (state = 'current' OR action_id IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX secret_versions_current ON secret_versions (secret_id) WHERE state = 'current';
CREATE INDEX secret_versions_pending ON secret_versions (action_id) WHERE state = 'pending';

-- A proposed value goes with the action that brought it, however that action ends. Here and not in the code, so
-- that no way to end an action can forget it.
CREATE TRIGGER drop_pending_secrets AFTER UPDATE OF state ON actions
    WHEN NEW.state NOT IN ('asked', 'pending', 'running')
BEGIN
    DELETE FROM secret_versions WHERE action_id = NEW.id AND state = 'pending';
END;

-- With which image and command a secret was given to an agent before: any other use is asked about.
CREATE TABLE secret_uses (
    -- 0 for the secrets of the environment, which have no row.
    secret_id     INTEGER NOT NULL,
    name          TEXT NOT NULL,
    -- The image's digest (`sha256:…`), or its id if it is in no registry.
    image         TEXT NOT NULL,
    command       TEXT NOT NULL CHECK (json_valid(command)),
    first_used_at TEXT NOT NULL,
    PRIMARY KEY (secret_id, name, image, command)
) STRICT;

-- Whoever an agent's or a fleet's secrets were for is gone: so are they.
CREATE TRIGGER drop_secrets_of_agent AFTER UPDATE OF removed_at ON agents WHEN NEW.removed_at IS NOT NULL
BEGIN
    DELETE FROM secret_versions WHERE secret_id IN (SELECT id FROM secrets WHERE agent_id = NEW.id);
    UPDATE secrets SET removed_at = NEW.removed_at WHERE agent_id = NEW.id AND removed_at IS NULL;
END;

CREATE TRIGGER drop_secrets_of_fleet AFTER UPDATE OF removed_at ON fleets WHEN NEW.removed_at IS NOT NULL
BEGIN
    DELETE FROM secret_versions WHERE secret_id IN (SELECT id FROM secrets WHERE fleet_id = NEW.id);
    UPDATE secrets SET removed_at = NEW.removed_at WHERE fleet_id = NEW.id AND removed_at IS NULL;
END;
