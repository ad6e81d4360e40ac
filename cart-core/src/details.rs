//! What a shopper enters in the steps of a checkout, parsed at the edge.

mod rule;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::rule::{ADDRESS, FieldRule, Format, Input, is_email};
use crate::{Cart, Country, MethodId, Step, Taxes};

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
    /// The e-mail address is known by a step before.
    pub knows_email: bool,
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
        let knows_email = cart.contact.is_some();
        if cart.travels() {
            return Self { knows_email, postal: true, ..Self::default() };
        }
        let country = Country::parse(country.trim()).ok();
        let (region, postcode) = country.map_or((false, false), |country| taxes.depends_on(Some(country)));
        Self { knows_email, postal: false, region, postcode }
    }

    /// Reports whether a field of an address must be there.
    pub fn needs(self, field: &str) -> bool {
        match field {
            "region" => self.region,
            "postcode" => self.postal || self.postcode,
            "email" => !self.knows_email,
            "country" => true,
            _ => self.postal,
        }
    }
}

/// Is where an order goes to, or its bill where nothing travels; every field was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Where questions about the order go; that of an earlier step, where one asked for it and the address names none.
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
        let texts = ADDRESS.map(|rule| {
            let text = field(rule.name).unwrap_or_default();
            let checked = rule.check(&text, asked.needs(rule.name)).map(ToOwned::to_owned);
            checked.unwrap_or_else(|message| {
                errors.push(FieldError { field: rule.name.into(), message });
                String::new()
            })
        });
        let [email, name, street, city, postcode, mut country, mut region] = texts;
        country.make_ascii_uppercase();
        region.make_ascii_uppercase();
        let address = Self { email, name, street, city, postcode, country, region };
        if errors.is_empty() { Ok(address) } else { Err(errors) }
    }

    /// Reports whether a parcel finds its way by it.
    pub fn is_postal(&self) -> bool {
        self.lacking(Asked { postal: true, knows_email: true, ..Asked::default() }).is_empty()
    }

    /// Returns the fields that are asked for and empty.
    pub fn lacking(&self, asked: Asked) -> Vec<FieldError> {
        let fields = [
            ("email", &self.email),
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

fn contact(email: Option<String>) -> Result<String, Vec<FieldError>> {
    let [rule, ..] = &ADDRESS;
    let email = email.unwrap_or_default();
    let checked = rule.check(&email, true).map(ToOwned::to_owned);
    checked.map_err(|message| vec![FieldError { field: rule.name.into(), message }])
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
    /// Where questions about the order go was given.
    Contact {
        /// The e-mail address.
        email: String,
    },
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
            Step::Contact => contact(field("email")).map(|email| Self::Contact { email }),
            Step::Address => Address::parse(asked, field).map(Self::Address),
            Step::Shipping => method(field("method")).map(|method| Self::Shipping { method }),
            Step::Payment => Ok(Self::Payment),
            Step::Review => Ok(Self::Review),
        }
    }

    /// Returns the details with what an earlier step has established: the e-mail address is asked for once.
    pub(crate) fn knowing(&self, cart: &Cart) -> Cow<'_, Self> {
        match (self, &cart.contact) {
            (Self::Address(address), Some(email)) if address.email.is_empty() => {
                Cow::Owned(Self::Address(Address { email: email.clone(), ..address.clone() }))
            }
            _ => Cow::Borrowed(self),
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
            Self::Contact { .. } => Step::Contact,
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

    const POSTAL: Asked = Asked { knows_email: false, postal: true, region: false, postcode: false };

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
