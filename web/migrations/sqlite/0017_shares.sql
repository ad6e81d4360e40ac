-- Links by which others see a cart, or change it; of the token only a digest is kept.
CREATE TABLE cart_shares (
    token_hash TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    cart TEXT NOT NULL,
    is_editable INTEGER NOT NULL CHECK (is_editable IN (0, 1)),
    name TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    ends_at_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX cart_shares_of_cart ON cart_shares (cart, created_at_ms);
