-- The ids that programs gave to events they reported, as long as a doubled one is taken at all.
CREATE TABLE tracked_ids (
    id uuid PRIMARY KEY,
    at_ms bigint NOT NULL
);
CREATE INDEX tracked_ids_by_age ON tracked_ids (at_ms);
