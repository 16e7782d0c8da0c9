-- When it was last put off. If that is still to come, the clock was set back meanwhile.
ALTER TABLE outbox ADD COLUMN put_off_at TEXT;
