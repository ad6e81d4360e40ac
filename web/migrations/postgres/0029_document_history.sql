-- Every revision of the documents that say who changed them and why.
CREATE TABLE document_history (
    name text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    text text NOT NULL,
    saved_at_ms bigint NOT NULL,
    saved_by text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (name, revision)
);
