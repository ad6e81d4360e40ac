-- What the shop's people have written down: one JSON text a name.
CREATE TABLE documents (
    name text COLLATE "C" PRIMARY KEY,
    text text NOT NULL,
    saved_at_ms bigint NOT NULL
);

INSERT INTO revisions VALUES ('documents', 0);
