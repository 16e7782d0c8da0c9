-- What people have not been told of yet is kept, not concluded from times: a clock may have been set meanwhile.

-- Of an incident whose message was sent: it came to it, or came back, after people were last notified.
ALTER TABLE incidents ADD COLUMN untold TEXT CHECK (untold IN ('new', 'back'));

-- When they were of this one, and how grave it was then.
ALTER TABLE incidents ADD COLUMN told_at TEXT;
ALTER TABLE incidents ADD COLUMN told_severity TEXT CHECK (told_severity IN ('info', 'warning', 'critical'));

UPDATE incidents SET told_at = told.told_at, told_severity = told.told_severity, untold = CASE
    WHEN julianday(joined_at) > julianday(told.told_at) THEN 'new'
    WHEN julianday(json_extract(returns, '$[#-1]')) > julianday(told.told_at) THEN 'back'
END
FROM alerts told WHERE told.id = alert_id AND told.told_at IS NOT NULL;

-- Since when something of it waits for somebody to look after it: reminders and escalations count from here. NULL while all
-- of it is over, muted or looked after.
ALTER TABLE alerts ADD COLUMN unheeded_since TEXT;

UPDATE alerts SET unheeded_since = announced_at
WHERE closed_at IS NULL AND announced_at IS NOT NULL AND EXISTS (
    SELECT 1 FROM incidents WHERE alert_id = alerts.id AND resolved_at IS NULL AND acknowledged_at IS NULL);
