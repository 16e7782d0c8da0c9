INSERT INTO anchors (day, number, hash, created_at) VALUES ('2026-11-21', 2, zeroblob(32), '2026-11-21T09:00:00+00:00');
