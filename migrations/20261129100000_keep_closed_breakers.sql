-- A breaker that closed is kept: what was tried before that does not count any more.
ALTER TABLE breakers ADD COLUMN closed_at TEXT;
