UPDATE breakers SET closed_at = '2026-11-21T10:00:00+00:00' WHERE agent_id = 1;
