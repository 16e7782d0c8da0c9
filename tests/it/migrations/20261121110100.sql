INSERT INTO approvals (action_id, rule, ask, channel_id, asked_at, expires_at, remind_at, decided_by, decided_at)
    VALUES (3, 'team: remove', '{"approvals":1}', 5, '2026-11-21T09:00:00+00:00', '2026-11-21T10:00:00+00:00', '2026-11-21T10:00:00+00:00', 8, '2026-11-21T09:00:00+00:00');
INSERT INTO votes VALUES (3, 8, 'deny', 'not now', '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00');
INSERT INTO allowances (action_id, user_id, kind, fleet_id, given_by, created_at, ends_at)
    VALUES (3, 7, 'restart', 1, 8, '2026-11-21T09:00:00+00:00', '2026-11-21T10:00:00+00:00');
