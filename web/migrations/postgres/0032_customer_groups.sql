-- The group of customers that a user belongs to; null is none.
ALTER TABLE users ADD COLUMN customer_group text COLLATE "C";

-- Orders of each customer are counted from here on; those before are counted now, the cancelled ones left out.
INSERT INTO account_entries (account, cause, delta, at_ms)
    SELECT 'orders:' || owner, 'order:' || id, 1, placed_at_ms FROM orders WHERE source = 'shop' AND status <> 'cancelled';
INSERT INTO accounts (id, kind, balance)
    SELECT 'orders:' || owner, 'orders', count(*) FROM orders WHERE source = 'shop' AND status <> 'cancelled' GROUP BY owner;
