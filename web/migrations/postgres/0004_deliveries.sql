-- What of the outbox is on its way to a sink outside, has arrived there or never will; tries are JSON.
CREATE TABLE deliveries (
    sink text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    event uuid NOT NULL,
    kind text NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
    attempts bigint NOT NULL,
    due_at_ms bigint CHECK ((due_at_ms IS NOT NULL) = (state = 'waiting')),
    changed_at_ms bigint NOT NULL,
    tries text NOT NULL,
    PRIMARY KEY (sink, position)
);
CREATE INDEX deliveries_due ON deliveries (sink, due_at_ms) WHERE state = 'waiting';
CREATE INDEX deliveries_dead ON deliveries (sink, changed_at_ms, position) WHERE state = 'dead';
CREATE INDEX deliveries_by_change ON deliveries (sink, changed_at_ms, position);
