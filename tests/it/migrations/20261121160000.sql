INSERT INTO actions (kind, actor, origin, details, state, created_at) VALUES ('board', 7, 'chat', '{}', 'succeeded', '2026-11-21T09:00:00+00:00');
INSERT INTO boards (channel_id, fleet_id, repost_after, created_by, action_id, created_at, shown, shown_at, changed_at)
    VALUES (5, 1, 20, 7, 6, '2026-11-21T09:00:00+00:00', 'ab', '2026-11-21T10:00:00+00:00', '2026-11-21T09:00:00+00:00');
INSERT INTO outbox (channel_id, subject_kind, subject_id, state, message_id, due_at, created_at)
    VALUES (5, 'board', 1, 'sent', 52, '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00');
