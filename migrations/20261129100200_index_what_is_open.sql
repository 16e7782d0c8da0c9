-- What is open is asked every few seconds, and what is over only grows.
CREATE INDEX incidents_resolved ON incidents (resolved_at);
CREATE INDEX outbox_unsent ON outbox (state) WHERE state <> 'sent';
-- What is over for long is deleted with what was told of it.
CREATE INDEX alerts_closed ON alerts (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX nudges_alert ON nudges (alert_id);
