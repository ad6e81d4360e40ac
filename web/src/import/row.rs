//! One row of a table with its columns mapped to the importer's fields.

use std::collections::BTreeMap;

use anyhow::ensure;
use cart_core::{Currency, Sku, limits::PRICE_MINOR_MAX};
use time::{
    Date, OffsetDateTime, PrimitiveDateTime, format_description::well_known::Rfc3339,
    macros::format_description,
};

/// Says how a table's columns become fields.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    /// Field to column, where their names differ.
    pub columns: BTreeMap<String, String>,
    /// Field to the value of rows that have none.
    pub defaults: BTreeMap<String, String>,
    /// The currency of prices.
    pub currency: Option<Currency>,
    /// SKUs to pass over; one that ends in `*` stands for all that begin so.
    pub skipped: Vec<String>,
    /// Writes SKUs in capital letters.
    pub is_upper: bool,
}

/// Finds the fields of rows.
pub struct Fields<'m> {
    mapping: &'m Mapping,
    places: BTreeMap<&'static str, usize>,
}

impl<'m> Fields<'m> {
    /// Places the fields in a table's columns.
    ///
    /// # Errors
    /// Where a mapped column is not there, a field is unknown, or a needed field has neither column nor default.
    pub fn place(
        mapping: &'m Mapping,
        columns: &[String],
        fields: &[&'static str],
        needed: &[&'static str],
    ) -> anyhow::Result<Self> {
        for field in mapping.columns.keys().chain(mapping.defaults.keys()) {
            ensure!(
                fields.contains(&field.as_str()),
                "no field {field:?}; the fields are {}",
                fields.join(", ")
            );
        }
        let mut places = BTreeMap::new();
        for field in fields {
            let column = mapping.columns.get(*field).map_or(*field, String::as_str);
            match columns.iter().position(|c| c == column) {
                Some(at) => {
                    places.insert(*field, at);
                }
                None => ensure!(
                    !mapping.columns.contains_key(*field),
                    "no column {column:?} for field {field}; the file has {}",
                    columns.join(", ")
                ),
            }
        }
        for field in needed {
            ensure!(
                places.contains_key(field) || mapping.defaults.contains_key(*field),
                "field {field} has no column; the file has {}: add --map {field}=COLUMN or --default {field}=VALUE",
                columns.join(", ")
            );
        }
        Ok(Self { mapping, places })
    }

    /// Reports whether the table has a column or a default for a field.
    pub fn has(&self, field: &str) -> bool {
        self.places.contains_key(field) || self.mapping.defaults.contains_key(field)
    }

    /// Checks that prices can be found, in minor units or as decimals.
    ///
    /// # Errors
    /// Where there is neither a column nor a default for them.
    pub fn check_price(&self) -> anyhow::Result<()> {
        ensure!(
            self.has("price") || self.has("price_minor"),
            "field price_minor or price has no column: add --map price_minor=COLUMN or --default price_minor=VALUE"
        );
        Ok(())
    }

    /// Takes one row.
    pub fn row<'r>(&'r self, cells: &'r [Option<String>]) -> Row<'r> {
        Row { fields: self, cells }
    }
}

/// Is one row.
pub struct Row<'r> {
    fields: &'r Fields<'r>,
    cells: &'r [Option<String>],
}

impl Row<'_> {
    /// Returns a field's text, where it has one.
    pub fn text(&self, field: &str) -> Option<&str> {
        let cell = self.fields.places.get(field).and_then(|at| self.cells.get(*at)?.as_deref());
        cell.or_else(|| self.fields.mapping.defaults.get(field).map(String::as_str))
    }

    /// Returns a field's text.
    ///
    /// # Errors
    /// Where it has none.
    pub fn needed(&self, field: &str) -> Result<&str, String> {
        self.text(field).ok_or_else(|| format!("{field} is empty"))
    }

    /// Returns a field's whole number.
    ///
    /// # Errors
    /// Where it has none.
    pub fn number(&self, field: &str) -> Result<i64, String> {
        let text = self.needed(field)?;
        text.parse().map_err(|_| format!("{field} {text:?} is not a whole number"))
    }

    /// Returns the SKU, and `None` where it is to be passed over.
    ///
    /// # Errors
    /// Where it cannot be one.
    pub fn sku(&self) -> Result<Option<Sku>, String> {
        let text = self.needed("sku")?;
        let mapping = self.fields.mapping;
        let is_match = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => text.starts_with(start),
            None => text == pattern,
        };
        if mapping.skipped.iter().any(is_match) {
            return Ok(None);
        }
        let text = if mapping.is_upper { text.to_uppercase() } else { text.to_owned() };
        Sku::parse(&text).map(Some).map_err(|e| e.to_string())
    }

    /// Returns the currency: the row's own, else the mapping's.
    ///
    /// # Errors
    /// Where there is none.
    pub fn currency(&self) -> Result<Currency, String> {
        match self.text("currency") {
            Some(code) => Currency::parse(code).map_err(|e| e.to_string()),
            None => {
                self.fields.mapping.currency.ok_or_else(|| "currency is empty; add --currency GBP".into())
            }
        }
    }

    /// Returns the price in minor units: `price_minor`, else `price` as a decimal number.
    ///
    /// # Errors
    /// Where it is missing, not positive, too large or finer than the currency.
    pub fn price_minor(&self, currency: Currency) -> Result<i64, String> {
        let minor = match self.text("price_minor") {
            Some(_) => self.number("price_minor")?,
            None => minor_of(self.needed("price")?, currency)?,
        };
        match minor {
            1..=PRICE_MINOR_MAX => Ok(minor),
            _ => Err(format!("price {minor} is not 1 to {PRICE_MINOR_MAX} minor units")),
        }
    }

    /// Returns an amount in minor units: `amount_minor`, else `amount` as a decimal number.
    ///
    /// # Errors
    /// Where it is missing, not positive, too large or finer than the currency.
    pub fn amount_minor(&self, currency: Currency) -> Result<i64, String> {
        let minor = match self.text("amount_minor") {
            Some(_) => self.number("amount_minor")?,
            None => minor_of(self.needed("amount")?, currency)?,
        };
        match minor {
            1..=PRICE_MINOR_MAX => Ok(minor),
            _ => Err(format!("amount {minor} is not 1 to {PRICE_MINOR_MAX} minor units")),
        }
    }

    /// Returns a field's time in Unix milliseconds.
    ///
    /// # Errors
    /// Where the text is in none of the formats.
    pub fn time_ms(&self, field: &str) -> Result<i64, String> {
        let text = self.needed(field)?;
        if let Ok(ms) = text.parse::<i64>() {
            return Ok(ms);
        }
        let minutes = format_description!("[year]-[month]-[day] [hour]:[minute]");
        let seconds = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
        let day = format_description!("[year]-[month]-[day]");
        let time = OffsetDateTime::parse(text, &Rfc3339)
            .or_else(|_| PrimitiveDateTime::parse(text, &seconds).map(PrimitiveDateTime::assume_utc))
            .or_else(|_| PrimitiveDateTime::parse(text, &minutes).map(PrimitiveDateTime::assume_utc))
            .or_else(|_| Date::parse(text, &day).map(|d| d.midnight().assume_utc()))
            .map_err(|_| {
                format!("{field} {text:?} is neither Unix milliseconds, 2011-12-09T12:50:00Z, 2011-12-09 12:50 nor 2011-12-09")
            })?;
        Ok((time.unix_timestamp_nanos() / 1_000_000) as i64)
    }
}

/// Reads a decimal amount exactly, in minor units.
///
/// # Errors
/// Where it is no number, or finer than the currency.
pub(crate) fn minor_of(text: &str, currency: Currency) -> Result<i64, String> {
    let exponent = currency.exponent() as usize;
    let wrong = || format!("{text:?} is not a decimal number of at most {exponent} places");
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = part.trim_end_matches('0');
    let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    if unsigned.is_empty() || !is_number(unsigned) || part.len() > exponent || !is_number(part) {
        return Err(wrong());
    }
    format!("{whole}{part:0<exponent$}").parse().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_exactly_or_refused() {
        let minor = |text, code| minor_of(text, Currency::parse(code).unwrap()).ok();
        for (text, code, expected) in [
            ("12.50", "GBP", Some(1_250)),
            ("12.5", "GBP", Some(1_250)),
            ("12", "GBP", Some(1_200)),
            ("12.500", "GBP", Some(1_250)),
            ("12.505", "GBP", None),
            ("1250", "JPY", Some(1_250)),
            ("0.001", "KWD", Some(1)),
            ("-3.10", "GBP", Some(-310)),
            ("1e3", "GBP", None),
            ("", "GBP", None),
            ("12,50", "GBP", None),
        ] {
            assert_eq!(minor(text, code), expected, "{text} {code}");
        }
    }

    #[test]
    fn a_time_is_read_in_each_format() {
        let mapping = Mapping::default();
        let fields = Fields::place(&mapping, &["at".into()], &["at"], &["at"]).unwrap();
        for (text, ms) in [
            ("1323435000000", 1_323_435_000_000),
            ("2011-12-09T12:50:00Z", 1_323_435_000_000),
            ("2011-12-09 12:50", 1_323_435_000_000),
            ("2011-12-09 12:50:01", 1_323_435_001_000),
            ("2011-12-09", 1_323_388_800_000),
        ] {
            assert_eq!(fields.row(&[Some(text.into())]).time_ms("at"), Ok(ms), "{text}");
        }
        assert!(fields.row(&[Some("yesterday".into())]).time_ms("at").is_err());
    }
}
