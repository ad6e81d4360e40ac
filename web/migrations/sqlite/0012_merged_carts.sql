-- A cart may end by going into another. SQLite changes no CHECK, so the table is made anew; what a status may be is the
-- program's to say.
CREATE TABLE carts_anew (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    status TEXT NOT NULL,
    holds_expire_at_ms INTEGER,
    state TEXT NOT NULL
) STRICT;
INSERT INTO carts_anew (number, id, owner, version, status, holds_expire_at_ms, state)
    SELECT number, id, owner, version, status, holds_expire_at_ms, state FROM carts;
DROP TABLE carts;
ALTER TABLE carts_anew RENAME TO carts;

CREATE INDEX carts_not_closed ON carts (owner, number) WHERE status NOT IN ('ordered', 'merged');
CREATE INDEX carts_holding ON carts (holds_expire_at_ms) WHERE holds_expire_at_ms IS NOT NULL;
