INSERT INTO schedules (name, source, owner, cron, zone, action, agent, arguments, missed, up_to, overlap, next_run_at, created_at)
    VALUES ('nightly', 'chat', 7, '30 2 * * *', 'Europe/Berlin', 'restart', 'scout', '{}', 'once', 1, 'skip', '2026-11-21T10:00:00+00:00', '2026-11-21T09:00:00+00:00');
INSERT INTO runs (schedule_id, planned_at, stage, action_id, created_at) VALUES (1, '2026-11-21T09:00:00+00:00', 'submitted', 2, '2026-11-21T09:00:00+00:00');
INSERT INTO runs (schedule_id, planned_at, stage, outcome, created_at, finished_at)
    VALUES (1, '2026-11-21T10:00:00+00:00', 'skipped', 'the one before was not over', '2026-11-21T10:00:00+00:00', '2026-11-21T10:00:00+00:00');
