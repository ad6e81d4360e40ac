-- The endpoints of webhooks, each a JSON document.
CREATE TABLE webhook_endpoints (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL CHECK (revision > 0),
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
