UPDATE frozen_agents SET container_id = 'abc' WHERE agent_id = 1;
