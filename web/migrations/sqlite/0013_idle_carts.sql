-- When a cart that nobody touches is to be looked at, in coarse steps. A cart of before has none until it is touched.
ALTER TABLE carts ADD COLUMN idle_due_ms INTEGER;

CREATE INDEX carts_idle ON carts (idle_due_ms) WHERE idle_due_ms IS NOT NULL;
