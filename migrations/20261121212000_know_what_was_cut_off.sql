-- The container that stands still, or has left its network: another that the agent has by now does not yet. NULL for what was
-- frozen before this was known: it is stilled once more.
ALTER TABLE frozen_agents ADD COLUMN container_id TEXT;
