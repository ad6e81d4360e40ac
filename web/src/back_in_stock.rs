//! Requests to be told when a product that is sold out is back: kept for some time, told once by a letter, and withdrawn
//! by the link in it.
//!
//! An address waits for a product once, however often somebody asks, and nobody who asks learns whether it did before.
//! What can be bought now, as a back-order or a pre-order too, is not waited for; and it is back when pieces are there
//! that ship at once, of a product that shoppers see. Who reads the letters of an address may end its requests: the link
//! in them holds the address, sealed.

pub mod asks;
pub mod waves;

use std::{net::IpAddr, sync::Arc};

use cart_core::{Currency, FieldError, Product, Sku};

use crate::{
    clock,
    keyring::Keyring,
    problem::{Kind, Problem},
    search::words::words,
    shop::Shop,
    store::StockRequest,
    users::email,
};

/// What links in letters are sealed for, with the version of their content: the address.
const PURPOSE: &str = "stock requests 1";
const DAY_MS: i64 = 86_400_000;

/// Is what somebody asks for.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    /// The product, as it was typed.
    pub sku: &'a str,
    /// Who is to be told, as it was typed.
    pub email: &'a str,
    /// The currency of the price in the letter; the shop's own where none is named.
    pub currency: Option<Currency>,
}

/// Keeps a request for a product that is sold out, once; returns the product. `client` is the household that asks,
/// where that is to be limited.
///
/// # Errors
/// The problems `no_letters`, `invalid_details`, `unknown_sku`, `too_many_requests` and `can_be_bought`.
pub async fn ask(shop: &Shop, wish: &Wish<'_>, client: Option<IpAddr>) -> Result<Arc<Product>, Problem> {
    if !shop.config.mail.is_sent() {
        return Err(Problem::new(Kind::NoLetters, "the shop sends no letters, so it can tell nobody"));
    }
    let email = email::parse(wish.email).map_err(|message| {
        Problem::invalid_details(vec![FieldError { field: "email".into(), message: message.into() }])
    })?;
    let catalogue = shop.catalogue.get();
    let unknown = || Problem::new(Kind::UnknownSku, format!("no product {} is for sale", wish.sku));
    let product = Sku::parse(wish.sku).ok().and_then(|sku| catalogue.visible(&sku).cloned());
    let product = product.ok_or_else(unknown)?;
    shop.stock_asks.admit(&email, client)?;
    let now_ms = clock::now_ms();
    if !is_sold_out(shop, &product, now_ms).await? {
        let detail = format!("{} is not sold out: it can be bought now", product.sku);
        return Err(Problem::new(Kind::CanBeBought, detail));
    }
    let ends_at_ms = now_ms.saturating_add(i64::from(shop.config.back_in_stock.keep_days) * DAY_MS);
    let currency = wish.currency.unwrap_or_else(|| shop.currency());
    let request = StockRequest::new(email, product.sku.clone(), currency, now_ms, ends_at_ms);
    shop.store.ask_for_stock(&request).await?;
    Ok(product)
}

/// Returns what to call a product that one of a family waits for: its name, and the options that the name leaves out.
pub fn name_of(product: &Product) -> String {
    let whole_words = |text: &str| format!(" {} ", words(text).join(" "));
    let name = whole_words(&product.name);
    let is_left_out = |value: &&String| !name.contains(&whole_words(value));
    let left_out: Vec<&str> = product.options.values().filter(is_left_out).map(String::as_str).collect();
    match left_out.is_empty() {
        true => product.name.clone(),
        false => format!("{} ({})", product.name, left_out.join(", ")),
    }
}

/// Reports whether nothing of a product can be bought, not even to be sent later.
async fn is_sold_out(shop: &Shop, product: &Product, now_ms: i64) -> Result<bool, Problem> {
    let stock = shop.stock(&product.shelves().cloned().collect()).await?;
    Ok(stock.on_offer(product, now_ms).is_some_and(|offer| offer.all <= 0))
}

/// Returns the token by which who reads the letters of an address ends its requests.
pub fn token_of(keys: &Keyring, email: &str) -> String {
    keys.seal(PURPOSE, email.as_bytes())
}

/// Returns the path of the page of a token, where requests are ended.
pub fn path_of(token: &str) -> String {
    format!("/back-in-stock/{token}")
}

/// Returns the address that a token speaks for.
///
/// # Errors
/// The problem `unknown_stock_link`.
pub fn email_of(keys: &Keyring, token: &str) -> Result<String, Problem> {
    let opened = keys.open(PURPOSE, token).ok().and_then(|opened| String::from_utf8(opened.content).ok());
    opened.ok_or_else(|| {
        Problem::new(Kind::UnknownStockLink, "the link is none of the shop's, is not whole, or too old")
    })
}

#[cfg(test)]
mod tests {
    use cart_core::Money;

    use super::*;

    #[test]
    fn a_variant_is_told_from_its_family() {
        let price = Money::new(2_500, Currency::parse("GBP").unwrap());
        let tee = Product::new(Sku::parse("TEE").unwrap(), "Tee, navy", price);
        assert_eq!(name_of(&tee), "Tee, navy");
        let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let options = [option("Colour", "Navy"), option("Fit", "Slim"), option("Size", "E")].into();
        assert_eq!(name_of(&Product { options, ..tee }), "Tee, navy (Slim, E)");
    }

    #[test]
    fn a_token_speaks_for_its_address_and_does_not_show_it() {
        let keys = Keyring::parse(&["k:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]).unwrap();
        let token = token_of(&keys, "ada@example.org");
        assert_eq!(email_of(&keys, &token).unwrap(), "ada@example.org");
        assert!(
            !token.contains("ada") && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        );
        let foreign = keys.seal("session 1", b"ada@example.org");
        for bad in ["", "k.", "k.AAAA", &foreign, &token[..token.len() - 1]] {
            assert_eq!(email_of(&keys, bad).unwrap_err().kind(), Kind::UnknownStockLink, "{bad}");
        }
    }
}
