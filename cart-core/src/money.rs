//! Money: whole minor units of an ISO 4217 currency, never a float.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Is a currency of ISO 4217, with its number of decimal places.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Says why a text names no currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an ISO 4217 currency code such as GBP")]
pub struct CurrencyError(pub String);

/// The active codes of ISO 4217 (2024) by exponent; funds codes and metals are left out.
const EXPONENT_0: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
const EXPONENT_2: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP \
    BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD \
    HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP \
    MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG \
    SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD \
    YER ZAR ZMW ZWG";
const EXPONENT_3: &str = "BHD IQD JOD KWD LYD OMR TND";

impl Currency {
    /// Parses a code of three capital letters.
    ///
    /// # Errors
    /// [`CurrencyError`] where ISO 4217 lists no such active currency.
    pub fn parse(code: &str) -> Result<Self, CurrencyError> {
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| CurrencyError(code.into()))?;
        exponent_of(code).map(|_| Self(bytes)).ok_or_else(|| CurrencyError(code.into()))
    }

    /// Returns the code, such as `GBP`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a parsed code is ASCII")
    }

    /// Returns the number of decimal places: 2 for GBP, 0 for JPY, 3 for KWD.
    pub fn exponent(&self) -> u32 {
        exponent_of(self.code()).expect("a parsed code is listed")
    }
}

fn exponent_of(code: &str) -> Option<u32> {
    let lists = [(EXPONENT_2, 2), (EXPONENT_0, 0), (EXPONENT_3, 3)];
    lists.into_iter().find(|(list, _)| list.split_whitespace().any(|c| c == code)).map(|(_, e)| e)
}

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut codes: Vec<_> =
            [EXPONENT_0, EXPONENT_2, EXPONENT_3].iter().flat_map(|l| l.split_whitespace()).collect();
        codes.sort_unstable();
        json_schema!({ "description": "A currency of ISO 4217.", "type": "string", "enum": codes })
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;
    fn from_str(code: &str) -> Result<Self, CurrencyError> {
        Self::parse(code)
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;
    fn try_from(code: String) -> Result<Self, CurrencyError> {
        Self::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Is an amount in minor units of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units: pence for GBP, yen for JPY.
    pub minor: i64,
    /// The currency that gives the units their meaning.
    pub currency: Currency,
}

impl Money {
    /// Pairs minor units with their currency.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }
}

impl fmt::Display for Money {
    /// Writes the plain decimal amount and the code: `12.50 GBP`.
    ///
    /// ```
    /// use cart_core::{Currency, Money};
    /// let kwd = Currency::parse("KWD").unwrap();
    /// assert_eq!(Money::new(-1_005, kwd).to_string(), "-1.005 KWD");
    /// assert_eq!(Money::new(1_250, Currency::parse("JPY").unwrap()).to_string(), "1250 JPY");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = self.currency.exponent();
        let scale = 10_u64.pow(exponent);
        let sign = if self.minor < 0 { "-" } else { "" };
        let minor = self.minor.unsigned_abs();
        match exponent {
            0 => write!(f, "{sign}{minor} {}", self.currency),
            _ => write!(
                f,
                "{sign}{}.{:0width$} {}",
                minor / scale,
                minor % scale,
                self.currency,
                width = exponent as usize
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_a_listed_code() {
        for (code, exponent) in [("GBP", 2), ("JPY", 0), ("KWD", 3), ("EUR", 2)] {
            assert_eq!(Currency::parse(code).map(|c| c.exponent()), Ok(exponent));
        }
        for code in ["", "gbp", "GB", "GBPX", "XXX", "£££", "A B"] {
            assert!(Currency::parse(code).is_err(), "{code:?}");
        }
    }
}
