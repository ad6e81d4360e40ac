-- People with an account. The id owns their carts; the unit is how experiments know them.
CREATE TABLE users (
    id text COLLATE "C" PRIMARY KEY,
    unit text COLLATE "C" NOT NULL,
    email text COLLATE "C" NOT NULL UNIQUE,
    name text NOT NULL,
    password_hash text NOT NULL,
    created_at_ms bigint NOT NULL
);

CREATE TABLE user_sessions (
    token_hash text COLLATE "C" PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    user_id text COLLATE "C" NOT NULL,
    device text NOT NULL,
    since_ms bigint NOT NULL,
    seen_at_ms bigint NOT NULL,
    ends_at_ms bigint NOT NULL
);
CREATE INDEX user_sessions_of_user ON user_sessions (user_id, seen_at_ms);
CREATE INDEX user_sessions_by_end ON user_sessions (ends_at_ms);

-- Attempts to log in, by account and by address, in a window of time.
CREATE TABLE login_attempts (
    key text COLLATE "C" PRIMARY KEY,
    time_window bigint NOT NULL,
    attempts bigint NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX login_attempts_by_window ON login_attempts (time_window);
