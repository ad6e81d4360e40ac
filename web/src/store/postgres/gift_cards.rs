//! Gift cards.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cart_core::{CardTerms, Currency, GiftCard, GiftCardId, GiftCards};
use deadpool_postgres::Client;
use tokio_postgres::Row;

use super::{
    super::{CardQuery, GiftCardStore, Issued, IssuedCard, Result, StoredCard, gift_cards::to_book},
    PostgresStore, accounts,
    cells::{bigint, cell, number, parsed},
    error,
    transaction::{Params, Transaction, bounded, execute, execute_alone, query},
};

#[async_trait]
impl GiftCardStore for PostgresStore {
    async fn issue_gift_cards(&self, cards: &[IssuedCard]) -> Result<Issued> {
        issue(self.client().await?, cards).await
    }

    async fn gift_card(&self, id: &GiftCardId) -> Result<Option<StoredCard>> {
        let client = self.client().await?;
        let rows = bounded(query(&client, &format!("{CARDS} WHERE c.id = $1"), &[&id.as_str()])).await?;
        rows.first().map(card).transpose()
    }

    async fn gift_cards(&self, query: &CardQuery, limit: usize) -> Result<Vec<StoredCard>> {
        bounded(find(&self.client().await?, query, limit)).await
    }

    async fn disable_gift_card(&self, id: &GiftCardId, at_ms: Option<i64>) -> Result<bool> {
        let sql = "UPDATE gift_cards SET disabled_at_ms = $2 WHERE id = $1";
        Ok(bounded(execute_alone(&self.client().await?, sql, &[&id.as_str(), &at_ms])).await? == 1)
    }
}

const CARDS: &str =
    "SELECT c.id, c.last4, c.currency, c.expires_at_ms, c.disabled_at_ms, c.note, c.issued_at_ms,
        coalesce(a.balance, 0) AS balance
    FROM gift_cards AS c LEFT JOIN accounts AS a ON a.id = 'gift-card:' || c.currency || ':' || c.id";

/// Reads what cards are good for.
pub const TERMS: &str = "SELECT id, currency, expires_at_ms, disabled_at_ms IS NOT NULL AS is_disabled
    FROM gift_cards WHERE id = ANY ($1::text[])";

fn card(row: &Row) -> Result<StoredCard> {
    Ok(StoredCard {
        card: GiftCard { id: parsed(row, "id")?, last4: cell(row, "last4")? },
        currency: parsed(row, "currency")?,
        expires_at_ms: cell(row, "expires_at_ms")?,
        disabled_at_ms: cell(row, "disabled_at_ms")?,
        note: cell(row, "note")?,
        issued_at_ms: cell(row, "issued_at_ms")?,
        balance_minor: cell(row, "balance")?,
    })
}

/// Reads a row of [`TERMS`].
pub fn terms(row: &Row) -> Result<(GiftCardId, CardTerms)> {
    let terms = CardTerms {
        currency: parsed(row, "currency")?,
        expires_at_ms: cell(row, "expires_at_ms")?,
        is_disabled: cell(row, "is_disabled")?,
    };
    Ok((parsed(row, "id")?, terms))
}

async fn find(
    client: &Client,
    CardQuery { last4, before }: &CardQuery,
    limit: usize,
) -> Result<Vec<StoredCard>> {
    let sql = format!(
        "{CARDS} WHERE ($1::text IS NULL OR c.last4 = $1)
         AND ($2::int8 IS NULL OR (c.issued_at_ms, c.id) < ($2, $3::text COLLATE \"C\"))
         ORDER BY c.issued_at_ms DESC, c.id DESC LIMIT $4"
    );
    let (at_ms, id) = before.as_ref().map(|(at_ms, id)| (*at_ms, id.as_str())).unzip();
    query(client, &sql, &[last4, &at_ms, &id, &bigint(limit)]).await?.iter().map(card).collect()
}

/// Inserts cards that are not there.
const INSERT: &str = "INSERT INTO gift_cards (id, last4, currency, expires_at_ms, note, issued_at_ms)
    SELECT w.id, w.last4, w.currency, w.expires_at_ms, w.note, w.issued_at_ms
    FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::text[], $6::int8[])
        AS w (id, last4, currency, expires_at_ms, note, issued_at_ms)
    ORDER BY w.id COLLATE \"C\"
    ON CONFLICT (id) DO NOTHING";

async fn issue(client: Client, cards: &[IssuedCard]) -> Result<Issued> {
    let transaction = Transaction::begin(client).await?;
    let issued = bounded(issue_in(&transaction, cards)).await?;
    transaction.commit().await?;
    Ok(issued)
}

async fn issue_in(transaction: &Transaction, cards: &[IssuedCard]) -> Result<Issued> {
    let ids: Vec<&str> = cards.iter().map(|c| c.card.id.as_str()).collect();
    let last4s: Vec<&str> = cards.iter().map(|c| c.card.last4.as_str()).collect();
    let currencies: Vec<&str> = cards.iter().map(|c| c.currency.code()).collect();
    let expiries: Vec<Option<i64>> = cards.iter().map(|c| c.expires_at_ms).collect();
    let notes: Vec<&str> = cards.iter().map(|c| c.note.as_str()).collect();
    let times: Vec<i64> = cards.iter().map(|c| c.at_ms).collect();
    let columns: &Params<'_> = &[&ids, &last4s, &currencies, &expiries, &notes, &times];
    execute(transaction, INSERT, columns).await?;
    let rows = transaction.query(TERMS, &[&ids]).await.map_err(|e| error::of_query(&e))?;
    let stored: GiftCards = rows.iter().map(terms).collect::<Result<_>>()?;
    let currencies: BTreeMap<GiftCardId, Currency> =
        stored.into_iter().map(|(id, terms)| (id, terms.currency)).collect();
    let (postings, issued) = to_book(cards, &currencies);
    let columns = accounts::PostColumns::of(&postings);
    let rows = transaction.query(accounts::POST, &columns.params()).await.map_err(|e| error::of_query(&e))?;
    let booked = rows.first().map_or(Ok(0), |row| number(row, "entered"))?;
    Ok(Issued { booked, ..issued })
}
