-- What is counted up to a limit or paid down to nothing. Balances move by entries only.
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    balance INTEGER NOT NULL CHECK (balance >= 0)
) STRICT, WITHOUT ROWID;

-- No cause moves an account twice.
CREATE TABLE account_entries (
    account TEXT NOT NULL,
    cause TEXT NOT NULL,
    delta INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (account, cause)
) STRICT, WITHOUT ROWID;
