-- What a gift card is good for; what is left on it is an account. Codes are kept nowhere: an id is a digest of one.
CREATE TABLE gift_cards (
    id TEXT PRIMARY KEY,
    last4 TEXT NOT NULL,
    currency TEXT NOT NULL,
    expires_at_ms INTEGER,
    disabled_at_ms INTEGER,
    note TEXT NOT NULL,
    issued_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX gift_cards_by_issue ON gift_cards (issued_at_ms, id);
