INSERT INTO alerts (route, grouped_by, opened_at, due_at, announced_at, told_at, told_severity)
    VALUES ('ops', '', '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00', 'warning');
INSERT INTO incidents (about, agent_id, fleet_id, kind, severity, cause, evidence, opened_at, changed_at, returns, flapping,
                       alert_id, joined_at)
    VALUES ('agent 1', 1, 1, 'down', 'warning', 'exited with code 3', '{"exit_code":3}', '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00', '[]', 0, 1, '2026-11-21T09:00:00+00:00');
INSERT INTO nudges (alert_id, kind, created_at) VALUES (1, 'worse', '2026-11-21T09:00:00+00:00');
INSERT INTO breakers VALUES (1, '2026-11-21T09:00:00+00:00', NULL);
INSERT INTO actions (kind, actor, origin, details, state, created_at) VALUES ('silence', 7, 'chat', '{}', 'succeeded', '2026-11-21T09:00:00+00:00');
INSERT INTO silences (matcher, reason, author, since, until, action_id) VALUES ('{}', 'I look after it', 7, '2026-11-21T09:00:00+00:00', '2026-11-21T10:00:00+00:00', 5);
