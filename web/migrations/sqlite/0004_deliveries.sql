-- What of the outbox is on its way to a sink outside, has arrived there or never will; tries are JSON.
CREATE TABLE deliveries (
    sink TEXT NOT NULL,
    position INTEGER NOT NULL,
    event TEXT NOT NULL,
    type TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
    attempts INTEGER NOT NULL,
    due_at_ms INTEGER CHECK ((due_at_ms IS NOT NULL) = (state = 'waiting')),
    changed_at_ms INTEGER NOT NULL,
    tries TEXT NOT NULL,
    PRIMARY KEY (sink, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_due ON deliveries (sink, due_at_ms) WHERE state = 'waiting';
CREATE INDEX deliveries_dead ON deliveries (sink, changed_at_ms, position) WHERE state = 'dead';
CREATE INDEX deliveries_by_change ON deliveries (sink, changed_at_ms, position);
