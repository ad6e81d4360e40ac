-- What the shop's people have written down: one JSON text a name.
CREATE TABLE documents (
    name TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    saved_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO revisions VALUES ('documents', 0);
