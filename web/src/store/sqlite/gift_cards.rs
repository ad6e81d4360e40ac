//! Gift cards.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cart_core::{CardTerms, Currency, GiftCard, GiftCardId, GiftCards};
use rusqlite::{Connection, Row, params};

use super::{
    super::{CardQuery, GiftCardStore, Issued, IssuedCard, Result, StoredCard, gift_cards::to_book},
    SqliteStore, accounts,
    columns::{execute, int, parsed, row, rows},
};

#[async_trait]
impl GiftCardStore for SqliteStore {
    async fn issue_gift_cards(&self, cards: &[IssuedCard]) -> Result<Issued> {
        let cards = cards.to_vec();
        self.writer.run(move |db| issue(db, &cards)).await
    }

    async fn gift_card(&self, id: &GiftCardId) -> Result<Option<StoredCard>> {
        let id = id.clone();
        self.readers.run(move |db| row(db, &format!("{CARDS} WHERE c.id = ?1"), [id.as_str()], card)).await
    }

    async fn gift_cards(&self, query: &CardQuery, limit: usize) -> Result<Vec<StoredCard>> {
        let query = query.clone();
        self.readers.run(move |db| find(db, &query, limit)).await
    }

    async fn disable_gift_card(&self, id: &GiftCardId, at_ms: Option<i64>) -> Result<bool> {
        let id = id.clone();
        let sql = "UPDATE gift_cards SET disabled_at_ms = ?2 WHERE id = ?1";
        self.writer.run(move |db| Ok(execute(db, sql, params![id.as_str(), at_ms])? == 1)).await
    }
}

const CARDS: &str =
    "SELECT c.id, c.last4, c.currency, c.expires_at_ms, c.disabled_at_ms, c.note, c.issued_at_ms,
        coalesce(a.balance, 0)
    FROM gift_cards AS c LEFT JOIN accounts AS a ON a.id = 'gift-card:' || c.currency || ':' || c.id";

fn card(row: &Row<'_>) -> rusqlite::Result<StoredCard> {
    Ok(StoredCard {
        card: GiftCard { id: parsed(row, 0)?, last4: row.get(1)? },
        currency: parsed(row, 2)?,
        expires_at_ms: row.get(3)?,
        disabled_at_ms: row.get(4)?,
        note: row.get(5)?,
        issued_at_ms: row.get(6)?,
        balance_minor: row.get(7)?,
    })
}

fn find(db: &Connection, CardQuery { last4, before }: &CardQuery, limit: usize) -> Result<Vec<StoredCard>> {
    let sql = format!(
        "{CARDS} WHERE (?1 IS NULL OR c.last4 = ?1)
         AND (?2 IS NULL OR c.issued_at_ms < ?2 OR (c.issued_at_ms = ?2 AND c.id < ?3))
         ORDER BY c.issued_at_ms DESC, c.id DESC LIMIT ?4"
    );
    let (at_ms, id) = before.as_ref().map(|(at_ms, id)| (*at_ms, id.as_str())).unzip();
    rows(db, &sql, params![last4, at_ms, id, int(limit)], card)
}

fn issue(db: &Connection, cards: &[IssuedCard]) -> Result<Issued> {
    let mut stored: BTreeMap<GiftCardId, Currency> = BTreeMap::new();
    for IssuedCard { card, currency, expires_at_ms, note, at_ms, .. } in cards {
        execute(
            db,
            "INSERT INTO gift_cards (id, last4, currency, expires_at_ms, disabled_at_ms, note, issued_at_ms)
             VALUES (?1, ?2, ?3, ?4, NULL, ?5, ?6) ON CONFLICT (id) DO NOTHING",
            params![card.id.as_str(), card.last4, currency.code(), expires_at_ms, note, at_ms],
        )?;
        stored.extend(terms(db, [&card.id].into_iter())?.into_iter().map(|(id, terms)| (id, terms.currency)));
    }
    let (postings, issued) = to_book(cards, &stored);
    Ok(Issued { booked: accounts::post(db, &postings)?, ..issued })
}

/// Reads what cards are good for; cards that there are not are left out.
pub fn terms<'a>(db: &Connection, cards: impl Iterator<Item = &'a GiftCardId>) -> Result<GiftCards> {
    let sql = "SELECT currency, expires_at_ms, disabled_at_ms IS NOT NULL FROM gift_cards WHERE id = ?1";
    let mut found = GiftCards::new();
    for card in cards {
        let terms = row(db, sql, [card.as_str()], |row| {
            let currency = parsed(row, 0)?;
            Ok(CardTerms { currency, expires_at_ms: row.get(1)?, is_disabled: row.get(2)? })
        })?;
        found.extend(terms.map(|terms| (card.clone(), terms)));
    }
    Ok(found)
}
