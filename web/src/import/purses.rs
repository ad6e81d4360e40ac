//! Gift cards and customers' credit: one amount a row, each booked once however often it is imported.

use cart_core::{
    Posting, VisitorId,
    gift_card::credit as credit_account,
    limits::{GIFT_CARD_NOTE_BYTES_MAX, REFERENCE_BYTES_MAX},
};

use super::{
    Report,
    row::{Fields, Mapping, Row},
    table::Table,
};
use crate::{
    clock,
    gift_card::{self, ISSUE},
    store::{IssuedCard, PostingWrite, Store},
};

/// The fields of a gift card.
const CARD_FIELDS: [&str; 7] =
    ["code", "currency", "amount", "amount_minor", "reference", "expires_at", "note"];
/// The fields of an amount of credit.
const CREDIT_FIELDS: [&str; 5] = ["customer", "currency", "amount", "amount_minor", "reference"];
/// Amounts that one transaction takes.
const BATCH: usize = 1_000;

/// Imports gift cards. A card that is there already keeps its expiry and note; its amount is added where the row has a
/// `reference` of its own.
///
/// # Errors
/// Where the columns do not fit or the store does not answer. Bad rows are no error: they are in the report.
pub async fn cards(
    store: &dyn Store,
    table: Table,
    mapping: &Mapping,
    tick: impl Fn(),
) -> anyhow::Result<Report> {
    let fields = Fields::place(mapping, &table.columns, &CARD_FIELDS, &["code"])?;
    let (mut report, mut batch) = (Report::default(), vec![]);
    for cells in table.cells {
        report.rows += 1;
        tick();
        match cells.and_then(|cells| card(&fields.row(&cells))) {
            Ok(card) => batch.push((report.rows, card)),
            Err(reason) => report.bad.push((report.rows, reason)),
        }
        if batch.len() == BATCH {
            issue(store, &mut batch, &mut report).await?;
        }
    }
    issue(store, &mut batch, &mut report).await?;
    Ok(report)
}

fn card(row: &Row<'_>) -> Result<IssuedCard, String> {
    let currency = row.currency()?;
    let note = row.text("note").unwrap_or_default();
    if note.len() > GIFT_CARD_NOTE_BYTES_MAX {
        return Err(format!("note has {} bytes, the most allowed is {GIFT_CARD_NOTE_BYTES_MAX}", note.len()));
    }
    Ok(IssuedCard {
        card: gift_card::of_code(row.needed("code")?)?,
        currency,
        amount_minor: row.amount_minor(currency)?,
        // Whoever may read the store must not learn money from it, so the cause says nothing of the code.
        cause: reference(row)?.map_or_else(|| ISSUE.to_owned(), |reference| format!("{ISSUE}:{reference}")),
        expires_at_ms: row.text("expires_at").map(|_| row.time_ms("expires_at")).transpose()?,
        note: note.to_owned(),
        at_ms: clock::now_ms(),
    })
}

async fn issue(
    store: &dyn Store,
    batch: &mut Vec<(u64, IssuedCard)>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (rows, cards): (Vec<u64>, Vec<IssuedCard>) = std::mem::take(batch).into_iter().unzip();
    let issued = store.issue_gift_cards(&cards).await?;
    for (row, card) in rows.into_iter().zip(&cards) {
        if issued.in_other_currency.contains(&card.card.id) {
            report.bad.push((row, format!("card …{} is there in another currency", card.card.last4)));
        }
    }
    report.count("amounts booked", issued.booked);
    report.count(
        "amounts booked before",
        cards.len() as u64 - issued.booked - issued.in_other_currency.len() as u64,
    );
    Ok(())
}

/// Imports credit of customers; each row has a `reference` under which it is booked once.
///
/// # Errors
/// As [`cards`].
pub async fn credit(
    store: &dyn Store,
    table: Table,
    mapping: &Mapping,
    tick: impl Fn(),
) -> anyhow::Result<Report> {
    let fields = Fields::place(mapping, &table.columns, &CREDIT_FIELDS, &["customer", "reference"])?;
    let (mut report, mut batch) = (Report::default(), vec![]);
    for cells in table.cells {
        report.rows += 1;
        tick();
        match cells.and_then(|cells| amount(&fields.row(&cells))) {
            Ok(posting) => batch.push(posting),
            Err(reason) => report.bad.push((report.rows, reason)),
        }
        if batch.len() == BATCH {
            post(store, &mut batch, &mut report).await?;
        }
    }
    post(store, &mut batch, &mut report).await?;
    Ok(report)
}

fn amount(row: &Row<'_>) -> Result<PostingWrite, String> {
    let customer = VisitorId::parse(row.needed("customer")?).map_err(|e| e.to_string())?;
    let reference = reference(row)?.ok_or("reference is empty")?;
    let currency = row.currency()?;
    Ok(PostingWrite {
        posting: Posting { account: credit_account(currency, &customer), delta: row.amount_minor(currency)? },
        cause: format!("credit:{reference}"),
        at_ms: clock::now_ms(),
    })
}

fn reference<'r>(row: &'r Row<'_>) -> Result<Option<&'r str>, String> {
    match row.text("reference") {
        Some(text) if text.len() > REFERENCE_BYTES_MAX => {
            Err(format!("reference has {} bytes, the most allowed is {REFERENCE_BYTES_MAX}", text.len()))
        }
        other => Ok(other),
    }
}

async fn post(store: &dyn Store, batch: &mut Vec<PostingWrite>, report: &mut Report) -> anyhow::Result<()> {
    let new = store.post(batch).await?;
    report.count("amounts booked", new);
    report.count("amounts booked before", batch.len() as u64 - new);
    batch.clear();
    Ok(())
}
