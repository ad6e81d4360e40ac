-- What becomes of an order, and where questions about it go, to look orders up by.
ALTER TABLE orders ADD COLUMN status text NOT NULL DEFAULT 'placed';
ALTER TABLE orders ADD COLUMN email text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX orders_by_time ON orders (placed_at_ms, id);
CREATE INDEX orders_by_email ON orders (email) WHERE email <> '';
