INSERT INTO outbox (channel_id, target, subject_kind, subject_id, state, due_at, created_at)
    VALUES (0, 'pager', 'nudge', 1, 'waiting', '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00');
INSERT INTO outbox (channel_id, subject_kind, subject_id, state, message_id, due_at, created_at)
    VALUES (5, 'alert', 1, 'sent', 51, '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00');
