-- Sums of the units that experiments share. Roll-ups are derived, so they are made again from the outbox; experiments keep the
-- metrics they had.
DELETE FROM rollup_units;
DELETE FROM rollup_arms;
DELETE FROM rollup_looks;
DELETE FROM rollup_past;
DELETE FROM rollup_people;
DELETE FROM rollup_sales;
UPDATE cursors SET position = 0 WHERE reader = 'rollups';
