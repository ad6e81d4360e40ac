-- Links by which others read the report of an experiment; of the token only a digest is kept.
CREATE TABLE report_links (
    token_hash text COLLATE "C" PRIMARY KEY,
    id text COLLATE "C" NOT NULL,
    experiment text COLLATE "C" NOT NULL,
    note text NOT NULL,
    made_by text NOT NULL,
    created_at_ms bigint NOT NULL,
    ends_at_ms bigint NOT NULL
);
CREATE INDEX report_links_of_experiment ON report_links (experiment, created_at_ms);
