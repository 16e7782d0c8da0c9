-- What was done to an agent of late is asked whenever it is in trouble, and the table only grows.
CREATE INDEX action_targets_agent ON action_targets (agent_id, action_id);
