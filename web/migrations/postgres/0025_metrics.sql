-- Roll-ups of any metric; all of them are derived, so they are made again from the outbox.
DROP TABLE rollup_units;
DROP TABLE rollup_arms;
DROP TABLE rollup_looks;
DELETE FROM rollup_sales;
UPDATE cursors SET position = 0 WHERE reader = 'rollups';

-- The metrics of each experiment, as they were when its first unit was exposed: what all its sums mean.
CREATE TABLE rollup_experiments (
    experiment text COLLATE "C" NOT NULL PRIMARY KEY,
    metrics text NOT NULL,
    since_ms bigint NOT NULL
);
-- What each unit did since it was exposed, and the arm it counts in; none where it met two variations.
CREATE TABLE rollup_units (
    unit text COLLATE "C" NOT NULL,
    experiment text COLLATE "C" NOT NULL,
    variation bigint NOT NULL,
    exposed_at_ms bigint NOT NULL,
    is_crossed bigint NOT NULL,
    did text NOT NULL,
    PRIMARY KEY (unit, experiment)
);
-- Sums over units, of a whole arm (segment '') and of its segments.
CREATE TABLE rollup_arms (
    experiment text COLLATE "C" NOT NULL,
    segment text COLLATE "C" NOT NULL,
    variation bigint NOT NULL,
    sums text NOT NULL,
    PRIMARY KEY (experiment, segment, variation)
) WITH (fillfactor = 50);
CREATE TABLE rollup_looks (
    experiment text COLLATE "C" NOT NULL,
    units bigint NOT NULL,
    at_ms bigint NOT NULL,
    arms text NOT NULL,
    PRIMARY KEY (experiment, units)
);
-- Orders of units, exposed or not: what they had done before they were exposed.
CREATE TABLE rollup_past (
    unit text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    at_ms bigint NOT NULL,
    data text NOT NULL,
    PRIMARY KEY (unit, position)
);
-- Units that are one person: a visitor, and the unit by which the user is known that the visitor logged in as.
CREATE TABLE rollup_people (
    visitor text COLLATE "C" NOT NULL PRIMARY KEY,
    unit text COLLATE "C" NOT NULL
);
