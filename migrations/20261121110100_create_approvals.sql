-- The questions to people and their answers. An approval is open as long as its action is in state `asked`.

CREATE TABLE approvals (
    action_id   INTEGER PRIMARY KEY REFERENCES actions (id),
    -- The rule that asks, and what it asks for, as they were at that time.
    rule        TEXT NOT NULL,
    ask         TEXT NOT NULL CHECK (json_valid(ask)),
    -- Where its card stands; NULL if there is no channel to put it into.
    channel_id  INTEGER,
    asked_at    TEXT NOT NULL,
    expires_at  TEXT NOT NULL,
    -- Half time: people are reminded once.
    remind_at   TEXT NOT NULL,
    reminded_at TEXT,
    -- Whose answer decided.
    decided_by  INTEGER,
    decided_at  TEXT
) STRICT;

-- One answer for each person: the latest counts until it is decided.
CREATE TABLE votes (
    action_id INTEGER NOT NULL REFERENCES approvals (action_id),
    user_id   INTEGER NOT NULL,
    answer    TEXT NOT NULL CHECK (answer IN ('approve', 'deny')),
    reason    TEXT,
    first_at  TEXT NOT NULL,
    at        TEXT NOT NULL,
    PRIMARY KEY (action_id, user_id)
) STRICT;

-- "Approve and allow for an hour": the same person may do the same again without being asked for, until it ends.
CREATE TABLE allowances (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    action_id  INTEGER NOT NULL REFERENCES actions (id),
    user_id    INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    fleet_id   INTEGER NOT NULL REFERENCES fleets (id),
    given_by   INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    ends_at    TEXT NOT NULL,
    revoked_by INTEGER,
    revoked_at TEXT
) STRICT;

CREATE INDEX allowances_of ON allowances (user_id, ends_at) WHERE revoked_at IS NULL;
