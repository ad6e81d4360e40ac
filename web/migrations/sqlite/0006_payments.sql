-- Carts of which the payment provider is to be asked or told something: a payment under way, or a task that it has not
-- confirmed. The cart itself says what.
CREATE TABLE pending_payments (
    cart TEXT PRIMARY KEY,
    since_ms INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX pending_payments_by_time ON pending_payments (due_at_ms);
