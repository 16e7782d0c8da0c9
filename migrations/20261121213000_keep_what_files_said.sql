-- What the settings file said of rights and rules when it was last read, so that a start tells the audit what was changed while
-- nobody ran. One row.
CREATE TABLE said_by_files (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    body TEXT NOT NULL CHECK (json_valid(body))
) STRICT;
