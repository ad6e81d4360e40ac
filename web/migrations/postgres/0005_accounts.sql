-- What is counted up to a limit or paid down to nothing. Balances move by entries only.
CREATE TABLE accounts (
    id text COLLATE "C" PRIMARY KEY,
    kind text NOT NULL,
    balance bigint NOT NULL CHECK (balance >= 0)
) WITH (fillfactor = 50);

-- No cause moves an account twice.
CREATE TABLE account_entries (
    account text COLLATE "C" NOT NULL,
    cause text COLLATE "C" NOT NULL,
    delta bigint NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (account, cause)
);
