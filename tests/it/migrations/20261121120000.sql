INSERT INTO secrets (name, agent_id, origin, versions) VALUES ('API_KEY', 1, 'chat', 1);
INSERT INTO secrets (name, fleet_id, origin, versions) VALUES ('TEAM_KEY', 1, 'chat', 1);
INSERT INTO secret_versions VALUES (1, 1, 'current', 1, 7, '2026-11-21T09:00:00+00:00', '0011223344556677', x'00ff');
INSERT INTO secret_versions VALUES (2, 1, 'current', NULL, 7, '2026-11-21T09:00:00+00:00', '0011223344556677', x'01ff');
INSERT INTO secret_uses VALUES (1, 'API_KEY', 'sha256:aa', '["sh"]', '2026-11-21T09:00:00+00:00');
