//! Gift cards and customers' credit, for the shop's own people.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header},
    web,
};
use cart_core::{
    Currency, GiftCardId, Posting, VisitorId, gift_card,
    limits::{
        GIFT_CARD_CODE_MAX, GIFT_CARD_CODE_MIN, GIFT_CARD_NOTE_BYTES_MAX, PRICE_MINOR_MAX,
        REFERENCE_BYTES_MAX,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    BASE,
    admin::admin,
    customers::{customer_of, wrong},
    headers::LOCATION,
    operation::Operation,
    page::{Cursor, CursorText, Limit, Page, within},
    request::json,
};
use crate::{
    clock,
    gift_card::{ISSUE, fresh_code, of_code},
    problem::{Kind, Problem},
    shop::Shop,
    store::{CardQuery, IssuedCard, PostingWrite, StoredCard},
};

/// The newest entries of a ledger that are answered.
const ENTRIES_MAX: usize = 100;

/// Describes the operations on gift cards and credit.
pub(super) fn operations() -> Vec<Operation> {
    const ID: &str = "The card, by the `id` that lists and carts show of it.";
    vec![
        Operation::get("/admin/gift-cards", list)
            .named("listGiftCards", "Lists gift cards, the newest first")
            .for_admins()
            .query::<Query>()
            .answers::<CardsView>(200, "A page of them.")
            .problems(&[Kind::InvalidCursor]),
        Operation::post("/admin/gift-cards", issue)
            .named("issueGiftCard", "Issues a gift card")
            .about(
                "The answer holds the code, which is shown only here: the shop keeps a digest of it. A `code` of your own makes \
                 the request safe to repeat: its card is issued once.",
            )
            .for_admins()
            .body::<NewCard>()
            .example("a present", json!({ "amount_minor": 2_500, "currency": "GBP", "note": "for ada@example.org" }))
            .answers::<CardWithCode>(201, "The card and its code.")
            .with(LOCATION)
            .problems(&[Kind::InvalidDetails]),
        Operation::get("/admin/gift-cards/{id}", read)
            .named("readGiftCard", "Reads a gift card and what moved it")
            .for_admins()
            .path::<GiftCardId>("id", ID)
            .answers::<CardWithLedger>(200, "The card.")
            .problems(&[Kind::GiftCardNotFound]),
        Operation::new(Method::PATCH, "/admin/gift-cards/{id}", change)
            .named("changeGiftCard", "Stops a gift card, or lets it pay again")
            .about("What is left on it stays. A cart that it was to pay for is told when its order is placed.")
            .for_admins()
            .path::<GiftCardId>("id", ID)
            .body::<CardChange>()
            .example("lost", json!({ "enabled": false }))
            .answers::<CardWithLedger>(200, "The card after the change.")
            .problems(&[Kind::GiftCardNotFound]),
        Operation::get("/admin/customers/{customer}/credit", credit)
            .named("readStoreCredit", "Reads the credit that a customer has, and what moved it")
            .for_admins()
            .path::<VisitorId>("customer", "The customer, by the id that orders name as their `owner`.")
            .query::<CreditQuery>()
            .answers::<CreditView>(200, "The credit; 0 where none was ever given.")
            .problems(&[Kind::InvalidDetails]),
        Operation::post("/admin/customers/{customer}/credit", give)
            .named("giveStoreCredit", "Gives a customer credit, once for each reference")
            .for_admins()
            .path::<VisitorId>("customer", "The customer.")
            .body::<NewCredit>()
            .example(
                "an apology",
                json!({ "amount_minor": 500, "currency": "GBP", "reference": "ticket-4711" }),
            )
            .answers::<CreditView>(200, "The credit after that.")
            .problems(&[Kind::InvalidDetails]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Query {
    /// The end of their codes.
    #[schemars(length(max = 4))]
    last4: Option<String>,
    /// The most cards to answer.
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the page before.
    cursor: Option<CursorText>,
}

/// Is where a page of cards begins: behind the card of that time and id.
#[derive(Serialize, Deserialize)]
pub(crate) struct AfterCard(i64, GiftCardId);

impl Cursor for AfterCard {
    const VERSION: u8 = 1;
    const LIST: &'static str = "gift cards";
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCard {
    /// What is put on it, in minor units.
    #[schemars(range(min = 1, max = PRICE_MINOR_MAX))]
    pub amount_minor: i64,
    #[schemars(with = "Currency")]
    pub currency: String,
    /// Its code; the shop makes one where none is named.
    #[schemars(length(min = GIFT_CARD_CODE_MIN, max = GIFT_CARD_CODE_MAX * 2))]
    pub code: Option<String>,
    /// When it stops paying, in Unix milliseconds; never where that is not told.
    pub expires_at_ms: Option<i64>,
    /// For whom it is, and why: only the shop's people read that.
    #[serde(default)]
    #[schemars(length(max = GIFT_CARD_NOTE_BYTES_MAX))]
    pub note: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CardChange {
    /// Whether it pays.
    enabled: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewCredit {
    /// What is given, in minor units.
    #[schemars(range(min = 1, max = PRICE_MINOR_MAX))]
    amount_minor: i64,
    #[schemars(with = "Currency")]
    currency: String,
    /// Why: the same reference gives nothing twice.
    #[schemars(length(min = 1, max = REFERENCE_BYTES_MAX))]
    reference: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreditQuery {
    /// The currency of the credit; the catalogue's own where none is named.
    #[schemars(with = "Option<Currency>")]
    currency: Option<String>,
}

/// Is a gift card as the shop's people see it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "IssuedGiftCard")]
struct CardView {
    id: GiftCardId,
    /// The end of its code.
    last4: String,
    currency: Currency,
    /// What is left on it.
    balance_minor: i64,
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at_ms: Option<i64>,
    issued_at_ms: i64,
    note: String,
}

impl From<StoredCard> for CardView {
    fn from(card: StoredCard) -> Self {
        Self {
            id: card.card.id,
            last4: card.card.last4,
            currency: card.currency,
            balance_minor: card.balance_minor,
            enabled: card.disabled_at_ms.is_none(),
            expires_at_ms: card.expires_at_ms,
            issued_at_ms: card.issued_at_ms,
            note: card.note,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "GiftCards")]
struct CardsView {
    gift_cards: Vec<CardView>,
    /// Where the next page begins; `null` at the end of the list.
    next_cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "GiftCardWithCode")]
struct CardWithCode {
    #[serde(flatten)]
    card: CardView,
    /// What the shopper types.
    code: String,
}

/// Is what moved an account.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LedgerEntry")]
struct EntryView {
    /// Why, such as `order:o5f2c9e`; no cause moves an account twice.
    cause: String,
    /// What was added; less than 0 was taken away.
    delta_minor: i64,
    at_ms: i64,
}

impl From<PostingWrite> for EntryView {
    fn from(entry: PostingWrite) -> Self {
        Self { cause: entry.cause, delta_minor: entry.posting.delta, at_ms: entry.at_ms }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "GiftCardWithLedger")]
struct CardWithLedger {
    #[serde(flatten)]
    card: CardView,
    /// What moved it, the newest first.
    entries: Vec<EntryView>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StoreCredit")]
struct CreditView {
    customer: VisitorId,
    currency: Currency,
    balance_minor: i64,
    /// What moved it, the newest first.
    entries: Vec<EntryView>,
}

fn amount(minor: i64) -> Result<i64, Problem> {
    match minor {
        1..=PRICE_MINOR_MAX => Ok(minor),
        _ => Err(wrong("amount_minor", format!("must be 1 to {PRICE_MINOR_MAX}"))),
    }
}

fn currency_of(text: &str) -> Result<Currency, Problem> {
    Currency::parse(text).map_err(|e| wrong("currency", e.to_string()))
}

async fn list(
    shop: web::Data<Shop>,
    request: HttpRequest,
    query: web::Query<Query>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let after = query.cursor.as_ref().map(CursorText::decode::<AfterCard>).transpose()?;
    let last4 = within("last4", query.last4.as_deref(), 4)?;
    let page = cards(&shop, last4, after, query.limit.get()).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "private, no-cache"));
    if let Some(link) = page.link(&request) {
        response.insert_header(link);
    }
    Ok(response.json(CardsView {
        gift_cards: page.entries.into_iter().map(CardView::from).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Returns a page of the cards whose codes end so, or of all; it begins behind a card.
///
/// # Errors
/// What the store says.
pub(crate) async fn cards(
    shop: &Shop,
    last4: Option<&str>,
    after: Option<AfterCard>,
    limit: usize,
) -> Result<Page<StoredCard>, Problem> {
    let wanted = CardQuery {
        last4: last4.map(str::to_ascii_uppercase),
        before: after.map(|AfterCard(at_ms, id)| (at_ms, id)),
    };
    let cards = shop.store.gift_cards(&wanted, limit + 1).await?;
    Ok(Page::of(cards, limit, |card: &StoredCard| AfterCard(card.issued_at_ms, card.card.id.clone())))
}

async fn issue(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (form, _) = json::<NewCard>(&request, body).await?;
    let (card, code) = issue_card(&shop, form).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("{BASE}/admin/gift-cards/{}", card.card.id)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(CardWithCode { card: card.into(), code }))
}

/// Issues a card; returns it with its code. One whose code is named is issued once.
///
/// # Errors
/// The problem `invalid_details`.
pub(crate) async fn issue_card(shop: &Shop, form: NewCard) -> Result<(StoredCard, String), Problem> {
    let code = form.code.unwrap_or_else(fresh_code);
    let card = of_code(&code).map_err(|why| wrong("code", why))?;
    if form.note.len() > GIFT_CARD_NOTE_BYTES_MAX {
        return Err(wrong("note", format!("is longer than {GIFT_CARD_NOTE_BYTES_MAX} bytes")));
    }
    let issued = IssuedCard {
        card: card.clone(),
        currency: currency_of(&form.currency)?,
        amount_minor: amount(form.amount_minor)?,
        cause: ISSUE.into(),
        expires_at_ms: form.expires_at_ms,
        note: form.note,
        at_ms: clock::now_ms(),
    };
    let said = shop.store.issue_gift_cards(&[issued]).await?;
    if !said.in_other_currency.is_empty() {
        return Err(wrong("currency", "is another than that of the card that has this code"));
    }
    Ok((find(shop, card.id.as_str()).await?, code))
}

async fn find(shop: &Shop, id: &str) -> Result<StoredCard, Problem> {
    let unknown = || Problem::new(Kind::GiftCardNotFound, "the shop has issued no such gift card");
    let id = GiftCardId::parse(id).map_err(|_| unknown())?;
    shop.store.gift_card(&id).await?.ok_or_else(unknown)
}

/// Reads a card with what moved it, the newest first.
///
/// # Errors
/// The problem `gift_card_not_found`.
pub(crate) async fn card(shop: &Shop, id: &str) -> Result<(StoredCard, Vec<PostingWrite>), Problem> {
    let card = find(shop, id).await?;
    let entries = shop.store.entries(&card.account(), ENTRIES_MAX).await?;
    Ok((card, entries))
}

async fn show(shop: &Shop, id: &str) -> Result<HttpResponse, Problem> {
    let (card, entries) = card(shop, id).await?;
    let entries = entries.into_iter().map(EntryView::from).collect();
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(CardWithLedger { card: card.into(), entries }))
}

async fn read(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    show(&shop, &id).await
}

async fn change(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (form, _) = json::<CardChange>(&request, body).await?;
    switch(&shop, &id, form.enabled).await?;
    show(&shop, &id).await
}

/// Stops a card, or lets it pay again.
///
/// # Errors
/// The problem `gift_card_not_found`.
pub(crate) async fn switch(shop: &Shop, id: &str, enabled: bool) -> Result<(), Problem> {
    let card = find(shop, id).await?;
    // Stopped once more, it stays stopped since it first was.
    if enabled != card.disabled_at_ms.is_none() {
        let at_ms = (!enabled).then(clock::now_ms);
        shop.store.disable_gift_card(&card.card.id, at_ms).await?;
    }
    Ok(())
}

/// Reads the credit of a customer in minor units, and what moved it, the newest first.
///
/// # Errors
/// What the store says.
pub(crate) async fn credit_of(
    shop: &Shop,
    customer: &VisitorId,
    currency: Currency,
) -> Result<(i64, Vec<PostingWrite>), Problem> {
    let account = gift_card::credit(currency, customer);
    let balances = shop.store.balances(&[account.clone()].into()).await?;
    let entries = shop.store.entries(&account, ENTRIES_MAX).await?;
    Ok((balances.get(&account).unwrap_or(0), entries))
}

async fn show_credit(shop: &Shop, customer: VisitorId, currency: Currency) -> Result<HttpResponse, Problem> {
    let (balance_minor, entries) = credit_of(shop, &customer, currency).await?;
    let entries = entries.into_iter().map(EntryView::from).collect();
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "private, no-cache")).json(CreditView {
        customer,
        currency,
        balance_minor,
        entries,
    }))
}

async fn credit(
    shop: web::Data<Shop>,
    request: HttpRequest,
    customer: web::Path<String>,
    query: web::Query<CreditQuery>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let currency = query.currency.as_deref().map(currency_of).transpose()?;
    show_credit(&shop, customer_of(&customer)?, currency.unwrap_or_else(|| shop.currency())).await
}

async fn give(
    shop: web::Data<Shop>,
    request: HttpRequest,
    customer: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (form, _) = json::<NewCredit>(&request, body).await?;
    let (customer, currency) = (customer_of(&customer)?, currency_of(&form.currency)?);
    give_credit(&shop, &customer, currency, form.amount_minor, &form.reference).await?;
    show_credit(&shop, customer, currency).await
}

/// Gives a customer credit in minor units, once for each reference.
///
/// # Errors
/// The problem `invalid_details`.
pub(crate) async fn give_credit(
    shop: &Shop,
    customer: &VisitorId,
    currency: Currency,
    minor: i64,
    reference: &str,
) -> Result<(), Problem> {
    if reference.is_empty() || reference.len() > REFERENCE_BYTES_MAX {
        return Err(wrong("reference", format!("must have 1 to {REFERENCE_BYTES_MAX} bytes")));
    }
    let posting = Posting { account: gift_card::credit(currency, customer), delta: amount(minor)? };
    let cause = format!("credit:{reference}");
    shop.store.post(&[PostingWrite { posting, cause, at_ms: clock::now_ms() }]).await?;
    Ok(())
}
