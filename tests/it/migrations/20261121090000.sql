INSERT INTO instance VALUES (1, '3f2a9c', '2026-11-21T09:00:00+00:00');
INSERT INTO starts (started_at) VALUES ('2026-11-21T09:00:00+00:00');
INSERT INTO fleets (name, channel_id, created_at) VALUES ('main', 5, '2026-11-21T09:00:00+00:00');
INSERT INTO fleets (name, created_at, removed_at) VALUES ('old', '2026-11-21T09:00:00+00:00', '2026-11-21T10:00:00+00:00');
INSERT INTO agents (name, fleet_id, desired, container_id, version, created_at)
    VALUES ('scout', 1, 'running', 'c0ffee', 1, '2026-11-21T09:00:00+00:00');
INSERT INTO agents (name, fleet_id, desired, adopted, created_at, removed_at)
    VALUES ('scout', 2, 'stopped', 1, '2026-11-21T09:00:00+00:00', '2026-11-21T10:00:00+00:00');
INSERT INTO specs VALUES (1, 1, 'd1', 'sha256:aa', '{"template": "demo", "image": "demo:1", "command": ["sh", "-c", "exec sleep 3600"], "env": {"GREETING": "hello"}, "secrets": ["API_KEY"], "limits": {"memory_mb": 512, "cpus": 1.0, "pids": 256}, "mounts": [{"volume": "data", "target": "/data", "read_only": false}], "tmpfs": [{"target": "/tmp", "size_mb": 64}], "ports": [{"container": 8080, "host": 0, "protocol": "tcp", "address": "127.0.0.1"}], "network": "fleet", "internet": true, "user": "65534:65534", "read_only_root": true, "health": null, "stop_grace_s": 10, "log_patterns": [], "privileges": {"privileged": false, "host_pid": false, "host_ipc": false, "capabilities": [], "devices": []}}', '{}', '2026-11-21T09:00:00+00:00');
INSERT INTO templates VALUES ('mine', '{"description":"mine","image":"demo:1","secrets":[{"name":"API_KEY"}]}', 7, '2026-11-21T09:00:00+00:00');
INSERT INTO drafts VALUES (7, '{}', '2026-11-21T09:00:00+00:00');
