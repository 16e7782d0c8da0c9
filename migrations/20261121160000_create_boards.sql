-- The live picture of a fleet: one message in a channel, edited in place.

CREATE TABLE boards (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_id     INTEGER NOT NULL,
    -- NULL: of all fleets.
    fleet_id       INTEGER REFERENCES fleets (id),
    -- So many messages below it bury it; NULL: nothing does.
    repost_after   INTEGER CHECK (repost_after BETWEEN 1 AND 100),
    created_by     INTEGER NOT NULL,
    -- An action that is carried out twice, because it was cut off, makes one board.
    action_id      INTEGER NOT NULL UNIQUE REFERENCES actions (id),
    created_at     TEXT NOT NULL,
    -- What was last shown, in short, when that was, and since when it is the same. Without it nothing was shown yet.
    shown          TEXT,
    shown_at       TEXT,
    changed_at     TEXT,
    -- The message that the present one took the place of, until it is deleted.
    old_message_id INTEGER,
    ended_at       TEXT,
    -- Why, for people.
    ended_because  TEXT,
    CHECK ((shown IS NULL) = (shown_at IS NULL) AND (shown IS NULL) = (changed_at IS NULL)),
    CHECK ((ended_at IS NULL) = (ended_because IS NULL))
) STRICT;

-- One at a time in a channel.
CREATE UNIQUE INDEX boards_channel ON boards (channel_id) WHERE ended_at IS NULL;
