//! The pages of gift cards and of the credit of customers.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query},
};
use cart_core::{Currency, VisitorId, limits::PRICE_MINOR_MAX};
use dashboards::{
    CreditPage, CustomerAccount, CustomersPage, GiftCardPage, GiftCardRow, GiftCardsPage, Movement,
    NewGiftCard, Notice, Pages, Session,
};
use serde::Deserialize;
use time::{Date, macros::format_description};

use super::{
    Did, html, html_with,
    login::{Sent, SignedIn},
    orders::next_link,
    refusal, see_other,
};
use crate::{
    api::{
        admin_orders::any,
        customers::group_of,
        gift_cards::{AfterCard, NewCard, card, cards, credit_of, give_credit, issue_card, switch},
        page::{CursorText, PAGE_DEFAULT},
    },
    clock,
    gift_card::fresh_code,
    import::row::minor_of,
    problem::{Kind, Problem},
    shop::Shop,
    store::{PostingWrite, StoredCard},
    storefront::form::Form,
    users::email,
};

#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    last4: String,
    cursor: Option<CursorText>,
}

const DONE: &[(&str, &str)] = &[
    ("disable", "The card is stopped: it pays nothing until you let it."),
    ("enable", "The card pays again."),
    ("group", "The group is noted, and the open carts of the customer are priced anew."),
    ("give", "The credit is given; had it been given before under this reference, nothing more was."),
];

fn currency(currency: Currency) -> dashboards::Currency {
    dashboards::Currency::new(currency.code(), currency.exponent())
}

fn row(card: &StoredCard) -> GiftCardRow {
    GiftCardRow {
        id: card.card.id.to_string(),
        last4: card.card.last4.clone(),
        currency: currency(card.currency),
        balance_minor: card.balance_minor,
        is_stopped: card.disabled_at_ms.is_some(),
        is_expired: card.expires_at_ms.is_some_and(|end| end <= clock::now_ms()),
        expires_at_ms: card.expires_at_ms,
        issued_at_ms: card.issued_at_ms,
        note: card.note.clone(),
    }
}

fn movement(entry: PostingWrite) -> Movement {
    Movement { cause: entry.cause, delta_minor: entry.posting.delta, at_ms: entry.at_ms }
}

/// Shows the list; the form that issues a card is filled in as it was sent, or fresh.
async fn listed(
    shop: &Shop,
    request: &HttpRequest,
    session: Session,
    wanted: &Wanted,
    form: Option<NewGiftCard>,
) -> Result<GiftCardsPage, Problem> {
    let after = wanted.cursor.as_ref().map(CursorText::decode::<AfterCard>).transpose()?;
    let found = cards(shop, Some(wanted.last4.trim()).filter(|t| !t.is_empty()), after, PAGE_DEFAULT).await?;
    let fresh = || NewGiftCard {
        currency: shop.currency().code().to_owned(),
        code: fresh_code(),
        ..NewGiftCard::default()
    };
    Ok(GiftCardsPage {
        session,
        notice: None,
        last4: wanted.last4.trim().to_owned(),
        next: next_link(&found, request),
        cards: found.entries.iter().map(row).collect(),
        issued: None,
        form: form.unwrap_or_else(fresh),
    })
}

/// `GET /admin/gift-cards`.
pub(super) async fn list(
    shop: Data<Shop>,
    pages: Data<Pages>,
    request: HttpRequest,
    wanted: Query<Wanted>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    html(pages.gift_cards(&listed(&shop, &request, session, &wanted, None).await?))
}

/// `POST /admin/gift-cards`: issues a card, and shows its code this once. The form brings the code with it, so that
/// sent again it issues nothing more.
pub(super) async fn issue(
    shop: Data<Shop>,
    pages: Data<Pages>,
    request: HttpRequest,
    Sent { session, form: fields, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let text = |name: &str| fields.text(name).trim().to_owned();
    let form = NewGiftCard {
        amount: text("amount"),
        currency: text("currency").to_uppercase(),
        last_day: text("last_day"),
        note: text("note"),
        code: text("code"),
    };
    let issued = async { issue_card(&shop, new_card(&form)?).await }.await;
    match issued {
        Ok((_, code)) => {
            let mut page = listed(&shop, &request, session, &Wanted::default(), None).await?;
            page.issued = Some(code);
            html_with(StatusCode::CREATED, pages.gift_cards(&page))
        }
        Err(problem) => {
            let (status, notice) = refusal(problem)?;
            let mut page = listed(&shop, &request, session, &Wanted::default(), Some(form)).await?;
            page.notice = Some(notice);
            html_with(status, pages.gift_cards(&page))
        }
    }
}

fn new_card(form: &NewGiftCard) -> Result<NewCard, Problem> {
    let currency = Currency::parse(&form.currency).map_err(|e| Problem::invalid_request(e.to_string()))?;
    Ok(NewCard {
        amount_minor: amount(&form.amount, currency)?,
        currency: form.currency.clone(),
        code: Some(form.code.clone()).filter(|code| !code.is_empty()),
        expires_at_ms: (!form.last_day.is_empty()).then(|| end_of(&form.last_day)).transpose()?,
        note: form.note.clone(),
    })
}

fn amount(text: &str, currency: Currency) -> Result<i64, Problem> {
    let minor = minor_of(text.trim(), currency).map_err(Problem::invalid_request)?;
    match minor {
        1..=PRICE_MINOR_MAX => Ok(minor),
        _ => Err(Problem::invalid_request(format!("the amount must be 1 to {PRICE_MINOR_MAX} minor units"))),
    }
}

/// Returns the end of a day in UTC, in Unix milliseconds.
fn end_of(day: &str) -> Result<i64, Problem> {
    let wrong = || Problem::invalid_request(format!("{day:?} is no day; write it as 2027-12-31"));
    let day = Date::parse(day, format_description!("[year]-[month]-[day]")).map_err(|_| wrong())?;
    let end = day.next_day().ok_or_else(wrong)?.midnight().assume_utc();
    Ok(end.unix_timestamp() * 1_000)
}

/// `GET /admin/gift-cards/{id}`.
pub(super) async fn read(
    shop: Data<Shop>,
    pages: Data<Pages>,
    id: Path<String>,
    did: Query<Did>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let (card, entries) = card(&shop, &id).await?;
    html(pages.gift_card(&GiftCardPage {
        session,
        notice: did.notice(DONE, &[]),
        card: row(&card),
        movements: entries.into_iter().map(movement).collect(),
    }))
}

/// `POST /admin/gift-cards/{id}/{change}`: stops it, or lets it pay again.
pub(super) async fn change(
    shop: Data<Shop>,
    path: Path<(String, String)>,
    _: Sent,
) -> Result<HttpResponse, Problem> {
    let (id, asked) = path.into_inner();
    match asked.as_str() {
        "disable" => switch(&shop, &id, false).await?,
        "enable" => switch(&shop, &id, true).await?,
        _ => {
            let detail = format!("{asked:?} is nothing that is done with a gift card");
            return Err(Problem::invalid_request(detail));
        }
    };
    Ok(see_other(&format!("/admin/gift-cards/{id}?did={asked}")))
}

#[derive(Deserialize)]
pub(super) struct Sought {
    #[serde(default)]
    q: String,
}

/// `GET /admin/customers`: looks a customer up by an e-mail address or an order's number, and leads on to them.
pub(super) async fn look_up(
    shop: Data<Shop>,
    pages: Data<Pages>,
    sought: Query<Sought>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let query = sought.q.trim();
    match find(&shop, query).await? {
        Some(customer) => Ok(see_other(&format!("/admin/customers/{customer}"))),
        None => html(pages.customers(&CustomersPage { session, query: query.to_owned() })),
    }
}

async fn find(shop: &Shop, query: &str) -> Result<Option<VisitorId>, Problem> {
    if let Ok(email) = email::parse(query) {
        return Ok(shop.store.user_by_email(&email).await?.map(|user| user.id));
    }
    match any(shop, query).await {
        Ok(order) => Ok(Some(order.owner)),
        Err(problem) if problem.kind() == Kind::UnknownOrder => Ok(None),
        Err(problem) => Err(problem),
    }
}

async fn credit_page(
    shop: &Shop,
    session: Session,
    customer: VisitorId,
    notice: Option<Notice>,
) -> Result<CreditPage, Problem> {
    let of = shop.currency();
    let (balance_minor, entries) = credit_of(shop, &customer, of).await?;
    let user = shop.store.user(&customer).await?;
    Ok(CreditPage {
        session,
        notice,
        customer: customer.to_string(),
        currency: currency(of),
        balance_minor,
        movements: entries.into_iter().map(movement).collect(),
        amount: String::new(),
        reference: String::new(),
        account: user.map(|user| CustomerAccount {
            email: user.email,
            group: user.group.map(|group| group.to_string()).unwrap_or_default(),
        }),
    })
}

fn customer_of(id: &str) -> Result<VisitorId, Problem> {
    VisitorId::parse(id).map_err(|e| Problem::invalid_request(e.to_string()))
}

/// `GET /admin/customers/{id}`.
pub(super) async fn credit(
    shop: Data<Shop>,
    pages: Data<Pages>,
    id: Path<String>,
    did: Query<Did>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    html(pages.credit(&credit_page(&shop, session, customer_of(&id)?, did.notice(DONE, &[])).await?))
}

/// `POST /admin/customers/{id}`: gives credit, once for each reference.
pub(super) async fn give(
    shop: Data<Shop>,
    pages: Data<Pages>,
    id: Path<String>,
    Sent { session, form, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let customer = customer_of(&id)?;
    match given(&shop, &customer, &form).await {
        Ok(()) => Ok(see_other(&format!("/admin/customers/{customer}?did=give"))),
        Err(problem) => {
            let (status, notice) = refusal(problem)?;
            let mut page = credit_page(&shop, session, customer, Some(notice)).await?;
            form.text("amount").clone_into(&mut page.amount);
            form.text("reference").clone_into(&mut page.reference);
            html_with(status, pages.credit(&page))
        }
    }
}

/// `POST /admin/customers/{id}/group`: says which group a customer belongs to.
pub(super) async fn regroup(
    shop: Data<Shop>,
    pages: Data<Pages>,
    id: Path<String>,
    Sent { session, form, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let customer = customer_of(&id)?;
    let typed = form.text("group");
    let done = async { shop.put_group(&customer, group_of(typed)?.as_ref()).await }.await;
    match done {
        Ok(()) => Ok(see_other(&format!("/admin/customers/{customer}?did=group"))),
        Err(problem) => {
            let (status, notice) = refusal(problem)?;
            let mut page = credit_page(&shop, session, customer, Some(notice)).await?;
            if let Some(account) = &mut page.account {
                typed.clone_into(&mut account.group);
            }
            html_with(status, pages.credit(&page))
        }
    }
}

async fn given(shop: &Shop, customer: &VisitorId, form: &Form) -> Result<(), Problem> {
    let minor = amount(form.text("amount"), shop.currency())?;
    give_credit(shop, customer, shop.currency(), minor, form.text("reference").trim()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_pays_through_its_last_day() {
        assert_eq!(end_of("2027-12-31").unwrap(), 1_830_297_600_000, "the first moment of 2028");
        for bad in ["", "31.12.2027", "2027-02-30", "9999-12-31", "tomorrow"] {
            assert!(end_of(bad).is_err(), "{bad:?}");
        }
    }
}
