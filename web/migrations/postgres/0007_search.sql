-- What the search finds products by. All of it is derived: a program of another version of the index makes it again.
-- The words are folded by the program, so no dictionary and no extension has a part in it.
CREATE TABLE search_texts (
    sku text COLLATE "C" PRIMARY KEY,
    text text NOT NULL,
    words tsvector NOT NULL
);
CREATE INDEX search_texts_by_word ON search_texts USING gin (words) WITH (fastupdate = off);

-- How many products hold a word.
CREATE TABLE search_words (
    word text COLLATE "C" PRIMARY KEY,
    products bigint NOT NULL
);
CREATE TABLE search_trigrams (
    trigram text COLLATE "C" NOT NULL,
    word text COLLATE "C" NOT NULL,
    PRIMARY KEY (trigram, word)
);

-- The version of the index.
INSERT INTO revisions VALUES ('search', 0);

-- The revision of the catalogue at which a product was listed first.
ALTER TABLE products ADD COLUMN listed bigint NOT NULL DEFAULT 0;

-- The pieces that were ordered of each product on a day, counted from 1970-01-01 in UTC. A roll-up of the outbox: all
-- roll-ups begin anew, so that what was ordered before counts too.
CREATE TABLE rollup_sales (
    day bigint NOT NULL,
    sku text COLLATE "C" NOT NULL,
    pieces bigint NOT NULL,
    PRIMARY KEY (day, sku)
);
DELETE FROM rollup_units;
DELETE FROM rollup_arms;
DELETE FROM rollup_looks;
UPDATE cursors SET position = 0 WHERE reader = 'rollups';
