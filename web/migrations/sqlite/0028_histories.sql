-- What units say of their histories: that none is to be kept, and until when what there was is forgotten.
CREATE TABLE histories (
    unit TEXT PRIMARY KEY,
    declined TEXT CHECK (declined IN ('choice', 'signal')),
    deleted_through_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
