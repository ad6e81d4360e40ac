//! What a turn moves in accounts.

use cart_core::AccountId;

use super::{
    super::{super::Result, transaction::execute_unless},
    write::Writes,
};

/// Moves the balances of accounts that there are.
pub async fn move_old(writes: &Writes<'_>) -> Result<()> {
    let (mut ids, mut before, mut after) = (vec![], vec![], vec![]);
    for (account, write) in &writes.staged.balances {
        let Some(balance) = write.before else { continue };
        ids.push(account.to_string());
        before.push(balance);
        after.push(write.after);
    }
    let statement = &writes.statements.balance;
    execute_unless(ids.is_empty(), writes.transaction, statement, &[&ids, &before, &after]).await
}

/// Begins accounts that nobody has posted to before.
pub async fn begin_new(writes: &Writes<'_>) -> Result<()> {
    let (mut ids, mut kinds, mut first) = (vec![], vec![], vec![]);
    for (account, write) in writes.staged.balances.iter().filter(|(_, write)| write.before.is_none()) {
        ids.push(account.to_string());
        kinds.push(account.kind());
        first.push(write.after);
    }
    let statement = &writes.statements.begin;
    execute_unless(ids.is_empty(), writes.transaction, statement, &[&ids, &kinds, &first]).await
}

/// Writes the entries.
pub async fn enter(writes: &Writes<'_>) -> Result<()> {
    let entries = || writes.staged.postings.iter();
    let accounts: Vec<String> = entries().map(|e| AccountId::to_string(&e.posting.account)).collect();
    let causes: Vec<&str> = entries().map(|e| e.cause.as_str()).collect();
    let deltas: Vec<i64> = entries().map(|e| e.posting.delta).collect();
    let times: Vec<i64> = entries().map(|e| e.at_ms).collect();
    let statement = &writes.statements.enter;
    let is_needless = accounts.is_empty();
    execute_unless(is_needless, writes.transaction, statement, &[&accounts, &causes, &deltas, &times]).await
}
