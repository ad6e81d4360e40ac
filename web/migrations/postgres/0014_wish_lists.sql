-- What people would like to have. A list is kept whole; the columns beside it repeat what is searched for, and say who owns it.
CREATE TABLE wish_lists (
    id text COLLATE "C" PRIMARY KEY,
    owner text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    share text COLLATE "C",
    doc text NOT NULL
);
CREATE INDEX wish_lists_of_owner ON wish_lists (owner, id);
CREATE UNIQUE INDEX wish_lists_by_share ON wish_lists (share) WHERE share IS NOT NULL;
