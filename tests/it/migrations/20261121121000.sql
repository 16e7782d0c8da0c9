INSERT INTO grants (holder_kind, holder, level, fleets, source, created_at)
    VALUES ('user', '7', 'owner', '*', 'claim', '2026-11-21T09:00:00+00:00');
INSERT INTO grants (holder_kind, holder, level, fleets, until, source, granted_by, created_at)
    VALUES ('team', 'crew', 'viewer', 'prod-*', '2026-11-21T10:00:00+00:00', 'chat', 7, '2026-11-21T09:00:00+00:00');
INSERT INTO teams VALUES ('crew', '{"name":"crew","users":[8],"roles":[9],"owns":["west"],"source":"chat"}', '2026-11-21T09:00:00+00:00');
INSERT INTO claim_code VALUES (1, zeroblob(32), '2026-11-21T10:00:00+00:00');
INSERT INTO claim_failures VALUES (8, 2);
