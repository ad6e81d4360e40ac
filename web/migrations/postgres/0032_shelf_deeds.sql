-- What units did lately that a click on a shelf may have led to: clicks are written by a queue, and may come after it. The counts are
-- made again from the outbox, by the one rule.
CREATE TABLE shelf_deeds (
    unit text COLLATE "C" NOT NULL,
    sku text COLLATE "C" NOT NULL,
    what text COLLATE "C" NOT NULL,
    at_ms bigint NOT NULL,
    currency text NOT NULL,
    paid_minor bigint NOT NULL,
    shelf text NOT NULL,
    algorithm text NOT NULL,
    clicked_at_ms bigint,
    PRIMARY KEY (unit, sku, what, at_ms)
);
CREATE INDEX shelf_deeds_by_age ON shelf_deeds (at_ms);
DELETE FROM shelf_clicks;
DELETE FROM shelf_duels;
DELETE FROM shelf_counts;
UPDATE cursors SET position = 0 WHERE reader = 'shelves';
