-- Some pieces stay on the shelf; others may be sold before they are there, so that some are owed: what is available
-- falls below zero by at most that many.
CREATE TABLE stock_with_debts (
    sku TEXT PRIMARY KEY REFERENCES products (sku),
    supplied INTEGER NOT NULL,
    available INTEGER NOT NULL CHECK (available >= -owed_max),
    held INTEGER NOT NULL CHECK (held >= 0),
    sold INTEGER NOT NULL CHECK (sold >= 0),
    safety INTEGER NOT NULL DEFAULT 0 CHECK (safety >= 0),
    owed_max INTEGER NOT NULL DEFAULT 0 CHECK (owed_max >= 0),
    CHECK (supplied = available + held + sold)
) STRICT, WITHOUT ROWID;

INSERT INTO stock_with_debts (sku, supplied, available, held, sold)
SELECT sku, supplied, available, held, sold FROM stock;

DROP TABLE stock;
ALTER TABLE stock_with_debts RENAME TO stock;
