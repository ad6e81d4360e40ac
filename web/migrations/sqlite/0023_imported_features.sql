-- The GrowthBook payload that was imported last, at most one row; the revision of the definitions covers it.
CREATE TABLE imported_features (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    payload TEXT NOT NULL,
    saved_at_ms INTEGER NOT NULL
) STRICT;
