-- When the sweeps look at carts: for holds that end, and because nobody touches them. A cart's times stand in its row without an
-- index, and here stands a wake that is never later than the earlier of them; the row names the earliest wake of the cart. So filling
-- a cart changes no index of the carts (heap-only tuples), and appends here, rarely.
CREATE TABLE wakes (
    due_ms bigint NOT NULL,
    cart text COLLATE "C" NOT NULL,
    PRIMARY KEY (due_ms, cart)
);

ALTER TABLE carts ADD COLUMN wake_ms bigint;
UPDATE carts SET wake_ms = least(holds_expire_at_ms, idle_due_ms)
    WHERE holds_expire_at_ms IS NOT NULL OR idle_due_ms IS NOT NULL;
INSERT INTO wakes SELECT wake_ms, id FROM carts WHERE wake_ms IS NOT NULL ORDER BY wake_ms, id;

DROP INDEX carts_idle;
DROP INDEX carts_holding;
ALTER TABLE carts DROP COLUMN holds_due;
