-- The shop may keep pieces of a product in several locations; what there was lies in the main one.
CREATE TABLE stock_by_location (
    sku TEXT NOT NULL REFERENCES products (sku),
    location TEXT NOT NULL DEFAULT 'main',
    supplied INTEGER NOT NULL,
    available INTEGER NOT NULL CHECK (available >= -owed_max),
    held INTEGER NOT NULL CHECK (held >= 0),
    sold INTEGER NOT NULL CHECK (sold >= 0),
    safety INTEGER NOT NULL DEFAULT 0 CHECK (safety >= 0),
    owed_max INTEGER NOT NULL DEFAULT 0 CHECK (owed_max >= 0),
    PRIMARY KEY (sku, location),
    CHECK (supplied = available + held + sold)
) STRICT, WITHOUT ROWID;

INSERT INTO stock_by_location (sku, supplied, available, held, sold, safety, owed_max)
SELECT sku, supplied, available, held, sold, safety, owed_max FROM stock;

DROP TABLE stock;
ALTER TABLE stock_by_location RENAME TO stock;

-- What the shop's people changed by hand, who, and why.
CREATE TABLE stock_changes (
    id INTEGER PRIMARY KEY,
    sku TEXT NOT NULL,
    doc TEXT NOT NULL
) STRICT;
CREATE INDEX stock_changes_of ON stock_changes (sku, id);
