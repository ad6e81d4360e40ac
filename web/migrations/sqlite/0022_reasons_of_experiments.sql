-- Why a revision of an experiment was saved, in the words of whoever saved it.
ALTER TABLE experiments ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE experiment_history ADD COLUMN reason TEXT NOT NULL DEFAULT '';
