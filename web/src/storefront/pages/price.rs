//! Amounts as shoppers read them.

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

fn format(money: Money) -> String {
    let exponent = money.currency.exponent();
    let scale = 10_u64.pow(exponent);
    let minor = money.minor.unsigned_abs();
    let minus = if money.minor < 0 { "−" } else { "" };
    let fraction = match exponent {
        0 => String::new(),
        places => format!(".{:0width$}", minor % scale, width = places as usize),
    };
    let amount = format!("{}{fraction}", grouped(minor / scale));
    match sign(money.currency) {
        "" => format!("{minus}{amount} {}", money.currency),
        sign => format!("{minus}{sign}{amount}"),
    }
}

/// Puts a comma between groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
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
    fn every_sign_belongs_to_a_real_currency_and_to_one_only() {
        let mut seen = vec![];
        for (code, sign) in SIGNS {
            assert!(Currency::parse(code).is_ok(), "{code}");
            assert!(!seen.contains(&sign), "{sign}");
            seen.push(sign);
        }
    }
}
