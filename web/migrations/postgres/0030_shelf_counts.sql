-- What came of shelves, derived from the outbox by the reader 'shelves'.
-- The last click of each unit on each product.
CREATE TABLE shelf_clicks (
    unit text COLLATE "C" NOT NULL,
    sku text COLLATE "C" NOT NULL,
    shelf text NOT NULL,
    algorithm text NOT NULL,
    at_ms bigint NOT NULL,
    is_added boolean NOT NULL,
    is_ordered boolean NOT NULL,
    PRIMARY KEY (unit, sku)
);
CREATE INDEX shelf_clicks_by_age ON shelf_clicks (at_ms);
-- Clicks of showings that two algorithms share.
CREATE TABLE shelf_duels (
    showing text COLLATE "C" NOT NULL PRIMARY KEY,
    clicks bigint NOT NULL,
    clicks_against bigint NOT NULL,
    at_ms bigint NOT NULL
);
CREATE INDEX shelf_duels_by_age ON shelf_duels (at_ms);
-- Counts of a day: of products what was seen, clicked on, added and ordered; of currencies what was paid; of other algorithms who won.
CREATE TABLE shelf_counts (
    day bigint NOT NULL,
    shelf text COLLATE "C" NOT NULL,
    algorithm text COLLATE "C" NOT NULL,
    what text COLLATE "C" NOT NULL,
    of text COLLATE "C" NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (day, shelf, algorithm, what, of)
);
