//! A hand in the tables, past the store and its rules.

/// Runs statements on the tables of the store at an address.
///
/// # Errors
/// What the database refuses.
///
/// # Panics
/// Where the database cannot be reached.
pub async fn run(store_url: &str, statements: &str) -> Result<(), String> {
    if let Some(path) = store_url.strip_prefix("sqlite:") {
        let db = rusqlite::Connection::open(path).expect("the file is a database");
        return db.execute_batch(statements).map_err(|e| e.to_string());
    }
    let (client, connection) =
        tokio_postgres::connect(store_url, tokio_postgres::NoTls).await.expect("the database answers");
    tokio::spawn(connection);
    client.batch_execute(statements).await.map_err(|e| format!("{e:?}"))
}

/// Reads the rows of a query, every column as text.
///
/// # Panics
/// Where the database cannot be reached, or refuses the query.
pub async fn texts(store_url: &str, query: &str) -> Vec<Vec<String>> {
    if let Some(path) = store_url.strip_prefix("sqlite:") {
        let db = rusqlite::Connection::open(path).expect("the file is a database");
        let mut statement = db.prepare(query).expect("a query");
        let columns = statement.column_count();
        let text = |value: rusqlite::types::Value| match value {
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => format!("{other:?}"),
        };
        let rows = statement.query_map([], |row| (0..columns).map(|n| row.get(n).map(text)).collect());
        return rows.and_then(Iterator::collect).expect("rows");
    }
    let (client, connection) =
        tokio_postgres::connect(store_url, tokio_postgres::NoTls).await.expect("the database answers");
    tokio::spawn(connection);
    let messages = client.simple_query(query).await.expect("a query");
    let row = |message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|n| row.get(n).unwrap_or_default().to_owned()).collect())
        }
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}
