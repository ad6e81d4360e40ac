-- Carts of which the payment provider is to be asked or told something: a payment under way, or a task that it has not
-- confirmed. The cart itself says what.
CREATE TABLE pending_payments (
    cart text COLLATE "C" PRIMARY KEY,
    since_ms bigint NOT NULL,
    due_at_ms bigint NOT NULL,
    tries bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX pending_payments_by_time ON pending_payments (due_at_ms);
