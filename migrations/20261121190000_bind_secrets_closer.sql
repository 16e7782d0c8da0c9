-- Health checks and probes run commands in the container too, and these can read what its own can: a secret is bound to
-- them as well. What was noted before had none, or is asked about once.
CREATE TABLE secret_uses_closer (
    -- 0 for the secrets of the environment, which have no row.
    secret_id     INTEGER NOT NULL,
    name          TEXT NOT NULL,
    -- The image's digest (`sha256:…`), or its id if it is in no registry.
    image         TEXT NOT NULL,
    command       TEXT NOT NULL CHECK (json_valid(command)),
    -- What is run beside it: a list of commands.
    checks        TEXT NOT NULL CHECK (json_valid(checks)),
    first_used_at TEXT NOT NULL,
    PRIMARY KEY (secret_id, name, image, command, checks)
) STRICT;

INSERT INTO secret_uses_closer
SELECT secret_id, name, image, command, '[]', first_used_at FROM secret_uses;

DROP TABLE secret_uses;
ALTER TABLE secret_uses_closer RENAME TO secret_uses;
