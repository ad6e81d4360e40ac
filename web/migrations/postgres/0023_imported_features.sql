-- The GrowthBook payload that was imported last, at most one row; the revision of the definitions covers it.
CREATE TABLE imported_features (
    id bigint PRIMARY KEY CHECK (id = 1),
    payload text NOT NULL,
    saved_at_ms bigint NOT NULL
);
