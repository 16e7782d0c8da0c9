INSERT INTO outbox (channel_id, subject_kind, subject_id, state, message_id, due_at, created_at)
    VALUES (5, 'thread', 1, 'sent', 51, '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00');
INSERT INTO nudges (alert_id, kind, created_at) VALUES (1, 'over', '2026-11-21T10:00:00+00:00');
