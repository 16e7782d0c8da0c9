-- More to tell about in chat, and other ways out than Discord. SQLite cannot alter a CHECK, so the table is made anew.

CREATE TABLE outbox_new (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    -- 0 if it does not go to Discord.
    channel_id   INTEGER NOT NULL,
    -- The name of a `[[notify]]` entry; empty for Discord.
    target       TEXT NOT NULL DEFAULT '',
    subject_kind TEXT NOT NULL CHECK (subject_kind IN
                     ('action', 'start', 'approval', 'result', 'reminder', 'break-glass', 'anchor',
                      'alert', 'nudge', 'escalation', 'schedule', 'report', 'board')),
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
    UNIQUE (subject_kind, subject_id, channel_id, target),
    CHECK ((channel_id = 0) = (target <> ''))
) STRICT;

INSERT INTO outbox_new (id, channel_id, subject_kind, subject_id, version, state, message_id, attempts, in_doubt,
                        due_at, error, created_at)
SELECT id, channel_id, subject_kind, subject_id, version, state, message_id, attempts, in_doubt, due_at, error, created_at
FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_new RENAME TO outbox;
CREATE INDEX outbox_waiting ON outbox (channel_id, target, id) WHERE state = 'waiting';
