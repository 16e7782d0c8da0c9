-- Whether the audit was told that one ended by itself.
ALTER TABLE allowances ADD COLUMN end_told INTEGER NOT NULL DEFAULT 0 CHECK (end_told IN (0, 1));
