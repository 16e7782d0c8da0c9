-- The hashes are what docs/security.md says they are.
INSERT INTO audit VALUES (1, '2026-11-21T09:00:00.000000Z', 'started', NULL, 'yardarm', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"start":1}',
    x'f0444f4311947f4edceae98a93014cbbc359bd08aef405780eef39c789745505');
INSERT INTO audit VALUES (2, '2026-11-21T09:00:01.000000Z', 'asked', 7, 'chat', 1, 'scout', 1, 'main', 3, 'remove', 'ab', 'why?', '{}',
    x'89209c240e0d88577eb80ee0e90f62c04ffdaaf7100571f3e4e5fbd0412b025b');
