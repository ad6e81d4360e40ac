-- Metrics that were added to experiments after their start, and are counted from the beginning beside the cursor; sums of segments by
-- day, and since when visitors are known. Roll-ups are derived, so they are made again from the outbox; experiments keep the metrics
-- they had.
ALTER TABLE rollup_experiments ADD COLUMN position bigint;
ALTER TABLE rollup_people ADD COLUMN position bigint NOT NULL DEFAULT 0;
DELETE FROM rollup_units;
DELETE FROM rollup_arms;
DELETE FROM rollup_looks;
DELETE FROM rollup_past;
DELETE FROM rollup_people;
DELETE FROM rollup_sales;
UPDATE cursors SET position = 0 WHERE reader = 'rollups';
