//! Amounts as shoppers read them.

use std::borrow::Cow;

use cart_core::{Currency, Money};
use serde::Serialize;

/// Signs that stand for one currency only, before the amount. Any other currency is written with its code behind it.
const SIGNS: [(&str, &str); 13] = [
    ("GBP", "£"),
    ("EUR", "€"),
    ("USD", "$"),
    ("JPY", "¥"),
    ("AUD", "A$"),
    ("CAD", "CA$"),
    ("NZD", "NZ$"),
    ("BRL", "R$"),
    ("INR", "₹"),
    ("KRW", "₩"),
    ("ILS", "₪"),
    ("VND", "₫"),
    ("PHP", "₱"),
];

/// Is an amount, formatted for the page and still exact for scripts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Price {
    /// What the shopper reads: `£12.50`, `¥1,250`, `12.500 KWD`.
    pub text: String,
    /// Minor units.
    pub minor: i64,
    /// The ISO 4217 code.
    pub currency: Currency,
}

impl From<Money> for Price {
    fn from(money: Money) -> Self {
        Self { text: format(money), minor: money.minor, currency: money.currency }
    }
}

impl Price {
    /// Pairs minor units with their currency and formats them.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Money::new(minor, currency).into()
    }
}

/// Returns the sign that stands before amounts of a currency; empty where the code stands behind them.
pub(super) fn sign(currency: Currency) -> &'static str {
    SIGNS.iter().find(|(code, _)| *code == currency.code()).map_or("", |(_, sign)| sign)
}

/// Writes the amounts of a sentence, such as `12.50 GBP`, as prices are: messages for programs name the currency.
pub fn with_prices(sentence: &str) -> String {
    let mut words: Vec<Cow<'_, str>> = vec![];
    for word in sentence.split(' ') {
        let code = word.trim_end_matches([';', ',', '.']);
        let amount = words.last().and_then(|amount| amount_of(amount, Currency::parse(code).ok()?));
        match amount {
            Some(amount) => {
                words.pop();
                words.push(format!("{}{}", format(amount), &word[code.len()..]).into());
            }
            None => words.push(word.into()),
        }
    }
    words.join(" ")
}

/// Reads what [`Money`] writes: with all decimal places of the currency, and no others.
fn amount_of(text: &str, currency: Currency) -> Option<Money> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_whole = !whole.is_empty()
        && fraction.len() == currency.exponent() as usize
        && text.contains('.') != fraction.is_empty();
    let digits = format!("{whole}{fraction}").parse().ok().filter(|_| is_whole);
    digits.map(|minor| Money::new(minor, currency))
}

fn format(money: Money) -> String {
    let exponent = money.currency.exponent();
    let scale = 10_u64.pow(exponent);
    let minor = money.minor.unsigned_abs();
    let minus = if money.minor < 0 { "−" } else { "" };
    let fraction = match exponent {
        0 => String::new(),
        places => format!(".{:0width$}", minor % scale, width = places as usize),
    };
    let amount = format!("{}{fraction}", dashboards::count(minor / scale));
    match sign(money.currency) {
        "" => format!("{minus}{amount} {}", money.currency),
        sign => format!("{minus}{sign}{amount}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_people_write_them() {
        for (minor, code, text) in [
            (1_250, "GBP", "£12.50"),
            (5, "GBP", "£0.05"),
            (0, "EUR", "€0.00"),
            (100_000, "GBP", "£1,000.00"),
            (123_456_789, "USD", "$1,234,567.89"),
            (1_250, "JPY", "¥1,250"),
            (999, "JPY", "¥999"),
            (12_500, "KWD", "12.500 KWD"),
            (12_500_000, "KWD", "12,500.000 KWD"),
            (1_990, "CHF", "19.90 CHF"),
            (-1_250, "GBP", "−£12.50"),
            (-5, "CHF", "−0.05 CHF"),
            (i64::MIN, "JPY", "−¥9,223,372,036,854,775,808"),
        ] {
            let price = Price::new(minor, Currency::parse(code).unwrap());
            assert_eq!((price.text.as_str(), price.minor), (text, minor));
        }
    }

    #[test]
    fn sentences_write_amounts_as_prices_are() {
        for (said, written) in [
            ("A code: 2.50 GBP off", "A code: £2.50 off"),
            (
                "1.00 GBP off; for the next tier, spend 1050.00 GBP more",
                "£1.00 off; for the next tier, spend £1,050.00 more",
            ),
            (
                "is for orders from 10.00 GBP on; 0.01 GBP are lacking",
                "is for orders from £10.00 on; £0.01 are lacking",
            ),
            ("up to 34.99 GBP.", "up to £34.99."),
            ("spend 1000 JPY more; 0.101 KWD off", "spend ¥1,000 more; 0.101 KWD off"),
            ("-5.00 EUR", "−€5.00"),
            // What is no amount of the currency is left as it is.
            (
                "100 GBP off; 1. GBP; .50 GBP; 1e2.00 GBP; GBP; 12.50 XYZ; 3 ALL",
                "100 GBP off; 1. GBP; .50 GBP; 1e2.00 GBP; GBP; 12.50 XYZ; 3 ALL",
            ),
            ("", ""),
        ] {
            assert_eq!(with_prices(said), written);
        }
    }

    #[test]
    fn every_sign_belongs_to_a_real_currency_and_to_one_only() {
        let mut seen = vec![];
        for (code, sign) in SIGNS {
            assert!(Currency::parse(code).is_ok(), "{code}");
            assert!(!seen.contains(&sign), "{sign}");
            seen.push(sign);
        }
    }
}
