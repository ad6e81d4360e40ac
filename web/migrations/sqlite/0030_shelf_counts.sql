-- What came of shelves, derived from the outbox by the reader 'shelves'.
-- The last click of each unit on each product.
CREATE TABLE shelf_clicks (
    unit TEXT NOT NULL,
    sku TEXT NOT NULL,
    shelf TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    is_added INTEGER NOT NULL,
    is_ordered INTEGER NOT NULL,
    PRIMARY KEY (unit, sku)
) STRICT, WITHOUT ROWID;
CREATE INDEX shelf_clicks_by_age ON shelf_clicks (at_ms);
-- Clicks of showings that two algorithms share.
CREATE TABLE shelf_duels (
    showing TEXT NOT NULL PRIMARY KEY,
    clicks INTEGER NOT NULL,
    clicks_against INTEGER NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX shelf_duels_by_age ON shelf_duels (at_ms);
-- Counts of a day: of products what was seen, clicked on, added and ordered; of currencies what was paid; of other algorithms who won.
CREATE TABLE shelf_counts (
    day INTEGER NOT NULL,
    shelf TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    what TEXT NOT NULL,
    of TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (day, shelf, algorithm, what, of)
) STRICT, WITHOUT ROWID;
