//! Who is asked for: the unit, and what the shop knows of it at the moment of assignment.

use cart_core::{ChannelId, Currency, GroupId, VisitorId};
use experiments::{
    growthbook::export::UNIT_ATTRIBUTE,
    json::{Json, Object},
};

use crate::visitor::Visitor;

/// What the shop may know of a unit, by the names that conditions ask for, with what each means. Programs that evaluate flags
/// themselves pass the same.
pub const ATTRIBUTES: [(&str, &str); 8] = [
    (UNIT_ATTRIBUTE, "the visitor or user, as experiments know them: a text"),
    ("device", "`phone`, `tablet` or `desktop`, by the browser's words; absent for programs"),
    ("language", "the language that the browser asks for first, such as `de`: a text"),
    ("country", "the country that the proxy in front says by `X-Country-Code`, such as `AT`: a text"),
    ("logged_in", "whether the visitor is logged in: true or false"),
    ("group", "the group of customers that a user belongs to, such as `trade`: a text"),
    (
        "channel",
        "the channel of a cart that is opened, such as `web`: a text; only where its workflow is chosen",
    ),
    (
        "currency",
        "the currency of a cart that is opened, such as `EUR`: a text; only where its workflow is chosen",
    ),
];

/// Is who is asked for.
#[derive(Debug, Clone)]
pub struct Asker {
    unit: VisitorId,
    attributes: Object,
}

impl Asker {
    /// Makes one of whom nothing else is known.
    pub fn of_unit(unit: &VisitorId) -> Self {
        Self { unit: unit.clone(), attributes: Object::default().with(UNIT_ATTRIBUTE, unit.as_str()) }
    }

    /// Makes one of a visitor, by what their request tells.
    pub fn of(who: &Visitor) -> Self {
        let told = [
            ("device", who.circumstances.device().map(str::to_owned)),
            ("language", who.circumstances.language()),
            ("country", who.circumstances.country()),
            ("group", who.group().map(|group| group.as_str().to_owned())),
        ];
        let mut asker = Self::of_unit(who.unit()).knowing("logged_in", who.is_logged_in());
        for (name, value) in told {
            if let Some(value) = value {
                asker = asker.knowing(name, value);
            }
        }
        asker
    }

    /// Adds what a cart that is opened begins with.
    #[must_use]
    pub fn opening(self, group: Option<&GroupId>, channel: Option<&ChannelId>, currency: Currency) -> Self {
        let asker = self.knowing("currency", currency.code());
        let asker = group.into_iter().fold(asker, |asker, group| asker.knowing("group", group.as_str()));
        channel.into_iter().fold(asker, |asker, channel| asker.knowing("channel", channel.as_str()))
    }

    fn knowing(self, name: &str, value: impl Into<Json>) -> Self {
        Self { attributes: self.attributes.with(name, value), ..self }
    }

    /// Returns the unit.
    pub fn unit(&self) -> &VisitorId {
        &self.unit
    }

    /// Returns what is known of it, the unit among it.
    pub(super) fn attributes(&self) -> Json {
        self.attributes.clone().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_is_known_by_what_the_request_tells() {
        let request = actix_web::test::TestRequest::default()
            .insert_header((
                "user-agent",
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148",
            ))
            .insert_header(("accept-language", "de-AT,de;q=0.9,en;q=0.8"))
            .insert_header(("x-country-code", "at"))
            .to_http_request();
        let who = Visitor::fresh_at(&request);
        let asker = Asker::of(&who).opening(
            None,
            ChannelId::parse("web").ok().as_ref(),
            Currency::parse("EUR").unwrap(),
        );
        assert_eq!(asker.unit(), who.unit());
        let known = asker.attributes().to_value();
        assert_eq!(
            known,
            serde_json::json!({
                "id": who.unit().as_str(), "device": "phone", "language": "de", "country": "AT", "logged_in": false,
                "channel": "web", "currency": "EUR",
            })
        );
        for (name, _) in known.as_object().unwrap() {
            assert!(ATTRIBUTES.iter().any(|(known, _)| known == name), "{name} is told of");
        }
        let bare = Asker::of_unit(who.unit()).attributes().to_value();
        assert_eq!(bare, serde_json::json!({"id": who.unit().as_str()}));
    }
}
