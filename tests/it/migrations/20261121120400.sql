INSERT INTO actions (kind, actor, origin, details, state, created_at) VALUES ('freeze', 7, 'chat', '{}', 'succeeded', '2026-11-21T09:00:00+00:00');
INSERT INTO freezes (fleet_id, mode, action_id, created_at, state) VALUES (1, 'pause', 4, '2026-11-21T09:00:00+00:00', 'frozen');
INSERT INTO frozen_agents VALUES (1, 1, 1, 0);
