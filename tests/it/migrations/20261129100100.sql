UPDATE incidents SET untold = 'back' WHERE id = 1;
UPDATE alerts SET unheeded_since = '2026-11-21T09:00:00+00:00' WHERE id = 1;
