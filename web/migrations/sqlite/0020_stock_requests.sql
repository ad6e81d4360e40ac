-- Who is to be told when a product is back. A request that was told stays for a while, so that its letter can be written.
CREATE TABLE stock_requests (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    sku TEXT NOT NULL,
    currency TEXT NOT NULL,
    asked_at_ms INTEGER NOT NULL,
    ends_at_ms INTEGER NOT NULL,
    told_at_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX stock_requests_of_address ON stock_requests (email, sku) WHERE told_at_ms IS NULL;
CREATE INDEX stock_requests_waiting ON stock_requests (sku, asked_at_ms, id) WHERE told_at_ms IS NULL;
CREATE INDEX stock_requests_told ON stock_requests (sku, told_at_ms) WHERE told_at_ms IS NOT NULL;
CREATE INDEX stock_requests_by_end ON stock_requests (ends_at_ms);
