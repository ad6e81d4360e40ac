-- Links by which others see a cart, or change it; of the token only a digest is kept.
CREATE TABLE cart_shares (
    token_hash text COLLATE "C" PRIMARY KEY,
    id text COLLATE "C" NOT NULL,
    cart text COLLATE "C" NOT NULL,
    is_editable boolean NOT NULL,
    name text NOT NULL,
    created_at_ms bigint NOT NULL,
    ends_at_ms bigint
);
CREATE INDEX cart_shares_of_cart ON cart_shares (cart, created_at_ms);
