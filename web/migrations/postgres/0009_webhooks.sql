-- The endpoints of webhooks, each a JSON document.
CREATE TABLE webhook_endpoints (
    id text COLLATE "C" PRIMARY KEY,
    revision bigint NOT NULL CHECK (revision > 0),
    document text NOT NULL
);
