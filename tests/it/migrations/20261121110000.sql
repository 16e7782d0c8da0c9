INSERT INTO actions (kind, actor, origin, details, state, created_at, expires_at, plan, plan_digest)
    VALUES ('remove', 7, 'chat', '{}', 'denied', '2026-11-21T09:00:00+00:00', '2026-11-21T10:00:00+00:00', '{}', 'ab');
INSERT INTO action_targets (action_id, agent_id, state) VALUES (3, 1, 'denied');
INSERT INTO outbox (channel_id, subject_kind, subject_id, state, due_at, created_at)
    VALUES (5, 'approval', 3, 'dead', '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00');
