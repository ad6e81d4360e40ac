-- Roll-ups of any metric; all of them are derived, so they are made again from the outbox.
DROP TABLE rollup_units;
DROP TABLE rollup_arms;
DROP TABLE rollup_looks;
DELETE FROM rollup_sales;
UPDATE cursors SET position = 0 WHERE reader = 'rollups';

-- The metrics of each experiment, as they were when its first unit was exposed: what all its sums mean.
CREATE TABLE rollup_experiments (
    experiment TEXT NOT NULL PRIMARY KEY,
    metrics TEXT NOT NULL,
    since_ms INTEGER NOT NULL
) WITHOUT ROWID;
-- What each unit did since it was exposed, and the arm it counts in; none where it met two variations.
CREATE TABLE rollup_units (
    unit TEXT NOT NULL,
    experiment TEXT NOT NULL,
    variation INTEGER NOT NULL,
    exposed_at_ms INTEGER NOT NULL,
    is_crossed INTEGER NOT NULL,
    did TEXT NOT NULL,
    PRIMARY KEY (unit, experiment)
) WITHOUT ROWID;
-- Sums over units, of a whole arm (segment '') and of its segments.
CREATE TABLE rollup_arms (
    experiment TEXT NOT NULL,
    segment TEXT NOT NULL,
    variation INTEGER NOT NULL,
    sums TEXT NOT NULL,
    PRIMARY KEY (experiment, segment, variation)
) WITHOUT ROWID;
CREATE TABLE rollup_looks (
    experiment TEXT NOT NULL,
    units INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    arms TEXT NOT NULL,
    PRIMARY KEY (experiment, units)
) WITHOUT ROWID;
-- Orders of units, exposed or not: what they had done before they were exposed.
CREATE TABLE rollup_past (
    unit TEXT NOT NULL,
    position INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (unit, position)
) WITHOUT ROWID;
-- Units that are one person: a visitor, and the unit by which the user is known that the visitor logged in as.
CREATE TABLE rollup_people (
    visitor TEXT NOT NULL PRIMARY KEY,
    unit TEXT NOT NULL
) WITHOUT ROWID;
