-- Times are Unix milliseconds in UTC, amounts are minor units of their currency. A migration that has been released is
-- never edited; what comes later is a further file.
-- Identifiers compare byte by byte: every process must lock rows in the same order, whatever its locale.

CREATE TABLE settings (
    name text COLLATE "C" PRIMARY KEY,
    value bigint NOT NULL
);
-- What is added to a transaction's id to give its place in the outbox; grows when a dump is restored elsewhere.
INSERT INTO settings VALUES ('outbox_base', 0);

CREATE TABLE revisions (
    name text COLLATE "C" PRIMARY KEY,
    revision bigint NOT NULL
);
INSERT INTO revisions VALUES ('catalogue', 0), ('definitions', 0);

CREATE TABLE carts (
    id text COLLATE "C" PRIMARY KEY,
    owner text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    is_ordered boolean NOT NULL,
    holds_expire_at_ms bigint,
    -- The same in steps of five minutes: it changes rarely, so most updates touch no index (heap-only tuples).
    holds_due bigint GENERATED ALWAYS AS (holds_expire_at_ms / 300000) STORED,
    -- The place in the outbox of the transaction that opened the cart, and of the one that changed it last.
    opened bigint NOT NULL,
    place bigint NOT NULL,
    -- JSON as text: the server need not parse what it only keeps. So are the answers and the events' data below.
    state text NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX carts_of_owner ON carts (owner, opened) WHERE NOT is_ordered;
CREATE INDEX carts_holding ON carts (holds_due) WHERE holds_due IS NOT NULL;

CREATE TABLE products (
    sku text COLLATE "C" PRIMARY KEY,
    is_tracked boolean NOT NULL,
    doc json NOT NULL
);

CREATE TABLE stock (
    sku text COLLATE "C" PRIMARY KEY,
    supplied bigint NOT NULL,
    available bigint NOT NULL CHECK (available >= 0),
    held bigint NOT NULL CHECK (held >= 0),
    sold bigint NOT NULL CHECK (sold >= 0),
    CONSTRAINT stock_is_conserved CHECK (supplied = available + held + sold)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE orders (
    id text COLLATE "C" PRIMARY KEY,
    cart text COLLATE "C" NOT NULL UNIQUE,
    owner text COLLATE "C" NOT NULL,
    source text NOT NULL CHECK (source IN ('shop', 'import')),
    placed_at_ms bigint NOT NULL,
    currency text NOT NULL,
    total_minor bigint NOT NULL,
    doc json NOT NULL
);
CREATE INDEX orders_of_owner ON orders (owner, placed_at_ms);

CREATE TABLE idempotency_keys (
    cart text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint text NOT NULL,
    answer text NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (cart, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys USING brin (at_ms)
    WITH (autosummarize = on, pages_per_range = 16);

CREATE TABLE experiments (
    key text COLLATE "C" PRIMARY KEY,
    revision bigint NOT NULL,
    definition text NOT NULL,
    saved_at_ms bigint NOT NULL,
    saved_by text NOT NULL
);
CREATE TABLE experiment_history (
    key text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    definition text NOT NULL,
    saved_at_ms bigint NOT NULL,
    saved_by text NOT NULL,
    PRIMARY KEY (key, revision)
);

CREATE TABLE exposures (
    experiment text COLLATE "C" NOT NULL,
    unit text COLLATE "C" NOT NULL,
    variation bigint NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (experiment, unit)
);

CREATE TABLE outbox (
    position bigint PRIMARY KEY,
    id uuid NOT NULL,
    at_ms bigint NOT NULL,
    kind text NOT NULL,
    cart text,
    unit text NOT NULL,
    data text NOT NULL
);
CREATE TABLE cursors (
    reader text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO cursors VALUES ('rollups', 0);
CREATE TABLE leases (
    reader text COLLATE "C" PRIMARY KEY,
    process text NOT NULL,
    until_ms bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE rollup_units (
    unit text COLLATE "C" NOT NULL,
    experiment text COLLATE "C" NOT NULL,
    variation bigint NOT NULL,
    exposed_at_ms bigint NOT NULL,
    orders bigint NOT NULL,
    revenue_minor bigint NOT NULL,
    PRIMARY KEY (unit, experiment)
);
CREATE TABLE rollup_arms (
    experiment text COLLATE "C" NOT NULL,
    variation bigint NOT NULL,
    units bigint NOT NULL,
    conversions bigint NOT NULL,
    orders bigint NOT NULL,
    revenue_minor bigint NOT NULL,
    -- A whole number of up to 39 digits, as text.
    revenue_squares text NOT NULL,
    PRIMARY KEY (experiment, variation)
) WITH (fillfactor = 50);
CREATE TABLE rollup_looks (
    experiment text COLLATE "C" NOT NULL,
    units bigint NOT NULL,
    at_ms bigint NOT NULL,
    arms text NOT NULL,
    PRIMARY KEY (experiment, units)
);

CREATE TABLE admin_users (
    name text COLLATE "C" PRIMARY KEY,
    password_hash text NOT NULL
);
CREATE TABLE admin_sessions (
    token_hash text COLLATE "C" PRIMARY KEY,
    user_name text COLLATE "C" NOT NULL,
    csrf text NOT NULL,
    ends_at_ms bigint NOT NULL
);
