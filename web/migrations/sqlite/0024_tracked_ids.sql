-- The ids that programs gave to events they reported, as long as a doubled one is taken at all.
CREATE TABLE tracked_ids (
    id TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tracked_ids_by_age ON tracked_ids (at_ms);
