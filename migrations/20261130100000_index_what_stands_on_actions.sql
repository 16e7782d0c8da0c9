-- Each action that is forgotten is looked for in what may stand on it, of which runs are the most.
CREATE INDEX runs_action ON runs (action_id) WHERE action_id IS NOT NULL;
CREATE INDEX silences_action ON silences (action_id);
CREATE INDEX allowances_action ON allowances (action_id);
CREATE INDEX actions_finished ON actions (finished_at) WHERE finished_at IS NOT NULL;
