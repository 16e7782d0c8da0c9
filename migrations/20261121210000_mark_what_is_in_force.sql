-- What an action does to no agent is one transaction and its end another. A start that finds it cut off in between knows by
-- this that it is done.
ALTER TABLE actions ADD COLUMN in_force INTEGER NOT NULL DEFAULT 0 CHECK (in_force IN (0, 1));
