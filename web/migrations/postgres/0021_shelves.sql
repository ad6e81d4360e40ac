-- Counts the changes of the stock that no turn makes: rows that begin, and levels that are set. A process that remembers
-- levels compares it, because a row that it does not know cannot be compared.
INSERT INTO revisions VALUES ('shelves', 0);
