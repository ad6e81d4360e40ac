-- Links by which others read the report of an experiment; of the token only a digest is kept.
CREATE TABLE report_links (
    token_hash TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    experiment TEXT NOT NULL,
    note TEXT NOT NULL,
    made_by TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    ends_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX report_links_of_experiment ON report_links (experiment, created_at_ms);
