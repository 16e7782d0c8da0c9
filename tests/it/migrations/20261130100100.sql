UPDATE outbox SET put_off_at = '2026-11-21T09:00:00+00:00' WHERE state = 'waiting';
