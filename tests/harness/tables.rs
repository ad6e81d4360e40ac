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
