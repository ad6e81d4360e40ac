-- What units say of their histories: that none is to be kept, and until when what there was is forgotten.
CREATE TABLE histories (
    unit text COLLATE "C" PRIMARY KEY,
    declined text CHECK (declined IN ('choice', 'signal')),
    deleted_through_ms bigint NOT NULL
);
