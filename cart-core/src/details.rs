//! What a shopper enters in the steps of a checkout, parsed at the edge.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Cart, Country, MethodId, Region, Step, Taxes, limits::FIELD_BYTES_MAX};

/// Says what is wrong with one field and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldError {
    /// The field's name on the wire.
    pub field: String,
    /// A sentence fragment for the shopper.
    pub message: String,
}

/// Says what of an address is needed beside an e-mail address and a country.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Something travels: it needs a name, a street, a town and a postcode.
    pub postal: bool,
    /// Tax depends on the region.
    pub region: bool,
    /// Tax depends on the postcode.
    pub postcode: bool,
}

impl Asked {
    /// Returns what is needed of the address of a cart in a country: what a parcel needs, or else what tax does.
    pub fn of(cart: &Cart, taxes: &Taxes, country: &str) -> Self {
        if cart.travels() {
            return Self { postal: true, ..Self::default() };
        }
        let country = Country::parse(country.trim()).ok();
        let (region, postcode) = country.map_or((false, false), |country| taxes.depends_on(Some(country)));
        Self { postal: false, region, postcode }
    }

    fn needs(self, field: &str) -> bool {
        match field {
            "region" => self.region,
            "postcode" => self.postal || self.postcode,
            "email" | "country" => true,
            _ => self.postal,
        }
    }
}

/// Is where an order goes to, or its bill where nothing travels; every field was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Where questions about the order go.
    pub email: String,
    /// The recipient. As the three that follow, it may be empty where nothing travels.
    pub name: String,
    /// Street and number.
    pub street: String,
    /// Town.
    pub city: String,
    /// Postal code, as its country writes it.
    pub postcode: String,
    /// ISO 3166 code of two letters.
    pub country: String,
    /// The part of the country after the dash of its ISO 3166-2 code, such as `CA` for California, where one is given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
}

impl Address {
    /// Checks the fields of an address, looked up by their names.
    ///
    /// # Errors
    /// One [`FieldError`] for each field that is asked for and missing, too long or malformed.
    pub fn parse(asked: Asked, field: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<FieldError>> {
        let mut errors = vec![];
        let mut take = |name: &str, check: fn(&str) -> Result<(), &'static str>| {
            let text = field(name).unwrap_or_default().trim().to_owned();
            let verdict = match text.len() {
                0 if asked.needs(name) => Err(NEEDED),
                0 => Ok(()),
                n if n > FIELD_BYTES_MAX => Err("is too long; 200 bytes are the most"),
                _ if text.chars().any(char::is_control) => Err("holds a control character"),
                _ => check(&text),
            };
            if let Err(message) = verdict {
                errors.push(FieldError { field: name.into(), message: message.into() });
            }
            text
        };
        let address = Self {
            email: take("email", is_email),
            name: take("name", |_| Ok(())),
            street: take("street", |_| Ok(())),
            city: take("city", |_| Ok(())),
            postcode: take("postcode", |_| Ok(())),
            country: take("country", is_country).to_ascii_uppercase(),
            region: field("region").unwrap_or_default().trim().to_ascii_uppercase(),
        };
        if !address.region.is_empty() && Region::parse(&address.region).is_err() {
            let message = "must be the short code of the region, such as CA, or left out".into();
            errors.push(FieldError { field: "region".into(), message });
        }
        if address.region.is_empty() && asked.region {
            errors.push(needed("region"));
        }
        if errors.is_empty() { Ok(address) } else { Err(errors) }
    }

    /// Reports whether a parcel finds its way by it.
    pub fn is_postal(&self) -> bool {
        self.lacking(Asked { postal: true, ..Asked::default() }).is_empty()
    }

    /// Returns the fields that are asked for and empty.
    pub fn lacking(&self, asked: Asked) -> Vec<FieldError> {
        let fields = [
            ("name", &self.name),
            ("street", &self.street),
            ("city", &self.city),
            ("postcode", &self.postcode),
            ("region", &self.region),
        ];
        let lacking = fields.iter().filter(|(name, text)| text.is_empty() && asked.needs(name));
        lacking.map(|(name, _)| needed(name)).collect()
    }
}

const NEEDED: &str = "is needed";

fn needed(field: &str) -> FieldError {
    FieldError { field: field.into(), message: NEEDED.into() }
}

/// Accepts what has one `@` with something before it and a dotted name after it; only a letter sent proves more.
///
/// # Errors
/// How an address looks, as a sentence fragment.
pub fn is_email(text: &str) -> Result<(), &'static str> {
    match text.split_once('@') {
        Some((user, host))
            if !user.is_empty()
                && !host.contains('@')
                && host.split('.').count() > 1
                && host.split('.').all(|label| !label.is_empty())
                && !text.contains(char::is_whitespace) =>
        {
            Ok(())
        }
        _ => Err("must look like name@example.org"),
    }
}

fn is_country(text: &str) -> Result<(), &'static str> {
    match text.len() == 2 && text.chars().all(|c| c.is_ascii_alphabetic()) {
        true => Ok(()),
        false => Err("must be a code of two letters, such as GB"),
    }
}

/// Whether a method is offered is a rule of the cart; here its name must be one.
fn method(name: Option<String>) -> Result<Option<MethodId>, Vec<FieldError>> {
    let name = name.filter(|name| !name.is_empty());
    name.map(|name| MethodId::parse(&name)).transpose().map_err(|error| {
        vec![FieldError { field: "method".into(), message: format!("names no way to travel: {error}") }]
    })
}

/// Is what a completed step has established.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum StepDetails {
    /// The address was given.
    Address(Address),
    /// The method was chosen.
    Shipping {
        /// The chosen method; none where nothing travels.
        method: Option<MethodId>,
    },
    /// The shopper is ready to pay; the means of payment never enter the cart.
    Payment,
    /// The order was looked over.
    Review,
}

impl StepDetails {
    /// Parses the fields of a step, looked up by their names.
    ///
    /// # Errors
    /// One [`FieldError`] for each field that is missing or malformed.
    pub fn parse(
        step: Step,
        asked: Asked,
        field: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<FieldError>> {
        match step {
            Step::Address => Address::parse(asked, field).map(Self::Address),
            Step::Shipping => method(field("method")).map(|method| Self::Shipping { method }),
            Step::Payment => Ok(Self::Payment),
            Step::Review => Ok(Self::Review),
        }
    }

    /// Returns the fields that the cart needs and the details lack.
    pub fn lacking(&self, cart: &Cart, taxes: &Taxes) -> Vec<FieldError> {
        match self {
            Self::Address(address) => address.lacking(Asked::of(cart, taxes, &address.country)),
            _ => vec![],
        }
    }

    /// Returns the step that these details complete.
    pub fn step(&self) -> Step {
        match self {
            Self::Address(_) => Step::Address,
            Self::Shipping { .. } => Step::Shipping,
            Self::Payment => Step::Payment,
            Self::Review => Step::Review,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSTAL: Asked = Asked { postal: true, region: false, postcode: false };

    fn address(email: &str, country: &str) -> Result<Address, Vec<FieldError>> {
        Address::parse(POSTAL, |name| {
            Some(match name {
                "email" => email.into(),
                "country" => country.into(),
                "city" => "  Bath ".into(),
                "region" => String::new(),
                other => other.into(),
            })
        })
    }

    #[test]
    fn an_address_is_trimmed_and_checked_field_by_field() {
        let good = address("ada@example.org", "gb").unwrap();
        assert_eq!((good.city.as_str(), good.country.as_str()), ("Bath", "GB"));
        let fields = |r: Result<Address, Vec<FieldError>>| {
            r.unwrap_err().into_iter().map(|e| e.field).collect::<Vec<_>>()
        };
        for bad in ["ada", "@example.org", "ada@", "ada@host", "a b@example.org", "a@b@c.org", "a@b..c"] {
            assert_eq!(fields(address(bad, "GB")), ["email"], "{bad}");
        }
        assert_eq!(fields(address("", "England")), ["email", "country"]);
        assert_eq!(fields(Address::parse(POSTAL, |_| None)).len(), 6);
        assert_eq!(fields(Address::parse(POSTAL, |_| Some("x\u{0}".into()))).len(), 7);
        assert_eq!(fields(Address::parse(POSTAL, |_| Some("x".repeat(201)))).len(), 7);
    }

    #[test]
    fn where_nothing_travels_an_address_is_what_tax_needs() {
        let email_and_country = |name: &str| match name {
            "email" => Some("ada@example.org".to_owned()),
            "country" => Some("us".to_owned()),
            _ => None,
        };
        let short = Address::parse(Asked::default(), email_and_country).unwrap();
        assert_eq!((short.country.as_str(), short.is_postal()), ("US", false));
        let asked = Asked { region: true, ..Asked::default() };
        assert_eq!(Address::parse(asked, email_and_country).unwrap_err(), [needed("region")]);
        assert_eq!(short.lacking(asked), [needed("region")]);
        assert_eq!(short.lacking(POSTAL).len(), 4);
        assert!(address("ada@example.org", "GB").unwrap().is_postal());
    }
}
