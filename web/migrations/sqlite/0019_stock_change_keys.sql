-- A change of the stock that is asked for again under the same name is made once.
ALTER TABLE stock_changes ADD COLUMN key TEXT;
CREATE UNIQUE INDEX stock_changes_by_key ON stock_changes (key);
