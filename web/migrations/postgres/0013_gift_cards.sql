-- What a gift card is good for; what is left on it is an account. Codes are kept nowhere: an id is a digest of one.
CREATE TABLE gift_cards (
    id text COLLATE "C" PRIMARY KEY,
    last4 text NOT NULL,
    currency text NOT NULL,
    expires_at_ms bigint,
    disabled_at_ms bigint,
    note text NOT NULL,
    issued_at_ms bigint NOT NULL
);

CREATE INDEX gift_cards_by_issue ON gift_cards (issued_at_ms, id);
