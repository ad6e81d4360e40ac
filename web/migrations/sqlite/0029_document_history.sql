-- Every revision of the documents that say who changed them and why.
CREATE TABLE document_history (
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    text TEXT NOT NULL,
    saved_at_ms INTEGER NOT NULL,
    saved_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (name, revision)
) STRICT, WITHOUT ROWID;
