-- Times are Unix milliseconds in UTC, amounts are minor units of their currency. A migration that has been released is
-- never edited; what comes later is a further file.

-- What callers poll for a change: 'catalogue' and 'definitions'.
CREATE TABLE revisions (
    name TEXT PRIMARY KEY,
    revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO revisions VALUES ('catalogue', 0), ('definitions', 0);

-- The state is the whole cart as JSON; the columns beside it repeat what is searched for.
CREATE TABLE carts (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    status TEXT NOT NULL CHECK (status IN ('open', 'checkout', 'ordered')),
    holds_expire_at_ms INTEGER,
    state TEXT NOT NULL
) STRICT;

CREATE INDEX carts_not_ordered ON carts (owner, number) WHERE status <> 'ordered';
CREATE INDEX carts_holding ON carts (holds_expire_at_ms) WHERE holds_expire_at_ms IS NOT NULL;

CREATE TABLE idempotency_keys (
    cart TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    answer TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (cart, key)
) STRICT;

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (at_ms);

CREATE TABLE products (
    sku TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    category TEXT NOT NULL,
    price_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    stock_policy TEXT NOT NULL,
    hidden INTEGER NOT NULL CHECK (hidden IN (0, 1)),
    image TEXT
) STRICT, WITHOUT ROWID;

-- Every piece that was supplied is in one of the three places.
CREATE TABLE stock (
    sku TEXT PRIMARY KEY REFERENCES products (sku),
    supplied INTEGER NOT NULL,
    available INTEGER NOT NULL CHECK (available >= 0),
    held INTEGER NOT NULL CHECK (held >= 0),
    sold INTEGER NOT NULL CHECK (sold >= 0),
    CHECK (supplied = available + held + sold)
) STRICT, WITHOUT ROWID;

-- An imported order names a cart that never was, so the cart is no foreign key.
CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    cart TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('shop', 'import')),
    placed_at_ms INTEGER NOT NULL,
    currency TEXT NOT NULL,
    total_minor INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;

CREATE INDEX orders_of_owner ON orders (owner, placed_at_ms);

CREATE TABLE experiments (
    key TEXT PRIMARY KEY,
    revision INTEGER NOT NULL CHECK (revision > 0),
    definition TEXT NOT NULL,
    saved_at_ms INTEGER NOT NULL,
    saved_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE experiment_history (
    key TEXT NOT NULL,
    revision INTEGER NOT NULL,
    definition TEXT NOT NULL,
    saved_at_ms INTEGER NOT NULL,
    saved_by TEXT NOT NULL,
    PRIMARY KEY (key, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE exposures (
    experiment TEXT NOT NULL,
    unit TEXT NOT NULL,
    variation INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (experiment, unit)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT keeps a position from being given twice. Writers come one after the other, so the order of positions is
-- the order of commits and no reader can miss one.
CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    type TEXT NOT NULL,
    cart TEXT,
    unit TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;

CREATE TABLE cursors (
    reader TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
    reader TEXT PRIMARY KEY,
    process TEXT NOT NULL,
    until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup_units (
    unit TEXT NOT NULL,
    experiment TEXT NOT NULL,
    variation INTEGER NOT NULL,
    exposed_at_ms INTEGER NOT NULL,
    orders INTEGER NOT NULL,
    revenue_minor INTEGER NOT NULL,
    PRIMARY KEY (unit, experiment)
) STRICT, WITHOUT ROWID;

-- The sum of squares outgrows 64 bits, so it is decimal text.
CREATE TABLE rollup_arms (
    experiment TEXT NOT NULL,
    variation INTEGER NOT NULL,
    units INTEGER NOT NULL,
    conversions INTEGER NOT NULL,
    orders INTEGER NOT NULL,
    revenue_minor INTEGER NOT NULL,
    revenue_squares TEXT NOT NULL,
    PRIMARY KEY (experiment, variation)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup_looks (
    experiment TEXT NOT NULL,
    units INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    arms TEXT NOT NULL,
    PRIMARY KEY (experiment, units)
) STRICT, WITHOUT ROWID;

CREATE TABLE admin_users (
    name TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE admin_sessions (
    token_hash TEXT PRIMARY KEY,
    user TEXT NOT NULL REFERENCES admin_users (name),
    csrf TEXT NOT NULL,
    ends_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX admin_sessions_by_end ON admin_sessions (ends_at_ms);
