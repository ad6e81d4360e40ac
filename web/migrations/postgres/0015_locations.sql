-- The shop may keep pieces of a product in several locations; what there was lies in the main one.
ALTER TABLE stock
    ADD COLUMN location text COLLATE "C" NOT NULL DEFAULT 'main',
    DROP CONSTRAINT stock_pkey,
    ADD PRIMARY KEY (sku, location);

-- What the shop's people changed by hand, who, and why.
CREATE TABLE stock_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku text COLLATE "C" NOT NULL,
    doc json NOT NULL
);
CREATE INDEX stock_changes_of ON stock_changes (sku, id);
