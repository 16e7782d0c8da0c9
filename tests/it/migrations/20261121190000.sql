INSERT INTO secret_uses VALUES (2, 'TEAM_KEY', 'sha256:bb', '[]', '[["pgrep", "worker"]]', '2026-11-21T09:00:00+00:00');
