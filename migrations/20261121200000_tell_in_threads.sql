-- An alert may have a thread, in which what follows is told. SQLite cannot alter a CHECK, so the tables are made anew.

CREATE TABLE outbox_new (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    -- 0 if it does not go to Discord. What is told in a thread has the channel of the thread's message.
    channel_id   INTEGER NOT NULL,
    -- The name of a `[[notify]]` entry; empty for Discord.
    target       TEXT NOT NULL DEFAULT '',
    -- A `thread` is no message: it is the thread of the alert with that id.
    subject_kind TEXT NOT NULL CHECK (subject_kind IN
                     ('action', 'start', 'approval', 'result', 'reminder', 'break-glass', 'anchor',
                      'alert', 'thread', 'nudge', 'schedule', 'report', 'board')),
    subject_id   INTEGER NOT NULL,
    -- Grows whenever the subject changes; a delivery settles only the version it began with.
    version      INTEGER NOT NULL DEFAULT 1,
    state        TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'dead')),
    -- Of a thread, the message it was started from, which is the thread's own id. NULL and sent: it has to do without one.
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

INSERT INTO outbox_new (id, channel_id, target, subject_kind, subject_id, version, state, message_id, attempts, in_doubt,
                        due_at, error, created_at)
SELECT id, channel_id, target, subject_kind, subject_id, version, state, message_id, attempts, in_doubt, due_at, error,
       created_at
FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_new RENAME TO outbox;
CREATE INDEX outbox_waiting ON outbox (channel_id, target, id) WHERE state = 'waiting';

CREATE TABLE nudges_new (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    alert_id   INTEGER NOT NULL REFERENCES alerts (id),
    -- `over` notifies nobody: it ends a thread.
    kind       TEXT NOT NULL CHECK (kind IN ('more', 'back', 'worse', 'repeat', 'escalation', 'over')),
    created_at TEXT NOT NULL
) STRICT;

INSERT INTO nudges_new (id, alert_id, kind, created_at) SELECT id, alert_id, kind, created_at FROM nudges;
DROP TABLE nudges;
ALTER TABLE nudges_new RENAME TO nudges;
