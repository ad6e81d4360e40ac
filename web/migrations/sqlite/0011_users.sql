-- People with an account. The id owns their carts; the unit is how experiments know them.
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    unit TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user_sessions (
    token_hash TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL,
    device TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    seen_at_ms INTEGER NOT NULL,
    ends_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX user_sessions_of_user ON user_sessions (user, seen_at_ms);
CREATE INDEX user_sessions_by_end ON user_sessions (ends_at_ms);

-- Attempts to log in, by account and by address, in a window of time.
CREATE TABLE login_attempts (
    key TEXT PRIMARY KEY,
    time_window INTEGER NOT NULL,
    attempts INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX login_attempts_by_window ON login_attempts (time_window);
