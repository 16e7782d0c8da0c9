INSERT INTO actions (interaction_id, kind, actor, origin, reason, details, state, created_at, started_at, finished_at, outcome,
                     channel_id, message_id)
    VALUES (70, 'deploy', 7, 'chat', 'first one', '{}', 'succeeded', '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00', '2026-11-21T10:00:00+00:00', 'running after 1.0 s', 5, 50);
INSERT INTO actions (kind, origin, details, state, created_at, found_by_start)
    VALUES ('start', 'converge', '{}', 'interrupted', '2026-11-21T09:00:00+00:00', 1);
INSERT INTO action_targets (action_id, agent_id, state, step, spec, arguments, image_id, finished_at)
    VALUES (1, 1, 'succeeded', 'swapped', '{"template": "demo", "image": "demo:1", "command": ["sh", "-c", "exec sleep 3600"], "env": {"GREETING": "hello"}, "secrets": ["API_KEY"], "limits": {"memory_mb": 512, "cpus": 1.0, "pids": 256}, "mounts": [{"volume": "data", "target": "/data", "read_only": false}], "tmpfs": [{"target": "/tmp", "size_mb": 64}], "ports": [{"container": 8080, "host": 0, "protocol": "tcp", "address": "127.0.0.1"}], "network": "fleet", "internet": true, "user": "65534:65534", "read_only_root": true, "health": null, "stop_grace_s": 10, "log_patterns": [], "privileges": {"privileged": false, "host_pid": false, "host_ipc": false, "capabilities": [], "devices": []}}', '{}', 'sha256:aa', '2026-11-21T10:00:00+00:00');
INSERT INTO action_targets (action_id, agent_id, state) VALUES (2, 1, 'interrupted');
INSERT INTO outbox (channel_id, subject_kind, subject_id, state, message_id, due_at, created_at)
    VALUES (5, 'action', 1, 'sent', 50, '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00');
INSERT INTO outbox (channel_id, subject_kind, subject_id, version, state, attempts, in_doubt, due_at, error, created_at)
    VALUES (5, 'start', 1, 2, 'waiting', 3, 1, '2026-11-21T10:00:00+00:00', '503', '2026-11-21T09:00:00+00:00');
