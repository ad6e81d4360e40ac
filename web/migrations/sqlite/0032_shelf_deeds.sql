-- What units did lately that a click on a shelf may have led to: clicks are written by a queue, and may come after it. The counts are
-- made again from the outbox, by the one rule.
CREATE TABLE shelf_deeds (
    unit TEXT NOT NULL,
    sku TEXT NOT NULL,
    what TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    currency TEXT NOT NULL,
    paid_minor INTEGER NOT NULL,
    shelf TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    clicked_at_ms INTEGER,
    PRIMARY KEY (unit, sku, what, at_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX shelf_deeds_by_age ON shelf_deeds (at_ms);
DELETE FROM shelf_clicks;
DELETE FROM shelf_duels;
DELETE FROM shelf_counts;
UPDATE cursors SET position = 0 WHERE reader = 'shelves';
