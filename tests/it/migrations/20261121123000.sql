-- Saved by a version that gives secrets as files unless a template says otherwise.
INSERT INTO templates VALUES ('later', '{"description":"later","image":"demo:1","secrets":[{"name":"API_KEY"}]}', 7, '2026-11-21T09:00:00+00:00');
