-- Some pieces stay on the shelf; others may be sold before they are there, so that some are owed: what is available
-- falls below zero by at most that many.
ALTER TABLE stock
    ADD COLUMN safety integer NOT NULL DEFAULT 0 CHECK (safety >= 0),
    ADD COLUMN owed_max integer NOT NULL DEFAULT 0 CHECK (owed_max >= 0),
    DROP CONSTRAINT stock_available_check,
    ADD CONSTRAINT stock_available_check CHECK (available >= -owed_max);
