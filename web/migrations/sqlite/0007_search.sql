-- What the search finds products by. All of it is derived: a program of another version of the index makes it again.

CREATE TABLE search_texts (
    number INTEGER PRIMARY KEY,
    sku TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL
) STRICT;

-- The words are folded before they come here, so the plainest tokenizer does; the rows' numbers are those above.
CREATE VIRTUAL TABLE search_index USING fts5 (
    text, content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '2 3'
);

-- How many products hold a word.
CREATE TABLE search_words (
    word TEXT PRIMARY KEY,
    products INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE search_trigrams (
    trigram TEXT NOT NULL,
    word TEXT NOT NULL,
    PRIMARY KEY (trigram, word)
) STRICT, WITHOUT ROWID;

-- The version of the index.
INSERT INTO revisions VALUES ('search', 0);

-- The revision of the catalogue at which a product was listed first.
ALTER TABLE products ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;

-- The pieces that were ordered of each product on a day, counted from 1970-01-01 in UTC. A roll-up of the outbox: all
-- roll-ups begin anew, so that what was ordered before counts too.
CREATE TABLE rollup_sales (
    day INTEGER NOT NULL,
    sku TEXT NOT NULL,
    pieces INTEGER NOT NULL,
    PRIMARY KEY (day, sku)
) STRICT, WITHOUT ROWID;

DELETE FROM rollup_units;
DELETE FROM rollup_arms;
DELETE FROM rollup_looks;
UPDATE cursors SET position = 0 WHERE reader = 'rollups';
