//! How a parcel can be followed, and what is put right of that.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    FieldError,
    limits::{TRACKING_BYTES_MAX, TRACKING_URL_BYTES_MAX},
};

/// Says how a parcel can be followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tracking {
    /// Who carries it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    carrier: String,
    /// What the carrier calls it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    number: String,
    /// Where it is followed: an `http` or `https` address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    url: String,
}

/// Says what of how a parcel can be followed is said anew; an empty text takes away what was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackingChange {
    /// Who carries it; as before, where nothing is said.
    pub carrier: Option<String>,
    /// What the carrier calls it; as before, where nothing is said.
    pub number: Option<String>,
    /// Where it is followed; as before, where nothing is said.
    pub url: Option<String>,
}

impl Tracking {
    /// Parses how a parcel can be followed; none where nothing is said.
    ///
    /// # Errors
    /// Each field that is too long, holds control characters, or is no web address.
    pub fn parse(carrier: &str, number: &str, url: &str) -> Result<Option<Self>, Vec<FieldError>> {
        let [carrier, number, url] = [carrier, number, url].map(str::trim);
        let words = |text: &str| {
            (text.len() > TRACKING_BYTES_MAX || text.contains(char::is_control))
                .then(|| format!("must be at most {TRACKING_BYTES_MAX} bytes of text on one line"))
        };
        let is_address = url.split_once("://").is_some_and(|(scheme, rest)| {
            matches!(scheme, "http" | "https")
                && !rest.is_empty()
                && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
        });
        let wrong_url = (!url.is_empty() && (!is_address || url.len() > TRACKING_URL_BYTES_MAX))
            .then(|| format!("must begin with https:// or http://, without spaces, of at most {TRACKING_URL_BYTES_MAX} bytes"));
        let faults = [("carrier", words(carrier)), ("number", words(number)), ("url", wrong_url)];
        let faults: Vec<_> = faults
            .into_iter()
            .filter_map(|(field, message)| {
                Some(FieldError { field: format!("tracking.{field}"), message: message? })
            })
            .collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        let is_said = !(carrier.is_empty() && number.is_empty() && url.is_empty());
        let [carrier, number, url] = [carrier, number, url].map(str::to_owned);
        Ok(is_said.then_some(Self { carrier, number, url }))
    }

    /// Returns how a parcel is followed of which that was said before, once some of it is said anew.
    ///
    /// # Errors
    /// As [`Tracking::parse`].
    pub fn changed(before: Option<&Self>, change: &TrackingChange) -> Result<Option<Self>, Vec<FieldError>> {
        let said = |new: &Option<String>, old: fn(&Self) -> &String| {
            new.clone().or_else(|| before.map(|before| old(before).clone())).unwrap_or_default()
        };
        let carrier = said(&change.carrier, |before| &before.carrier);
        let number = said(&change.number, |before| &before.number);
        Self::parse(&carrier, &number, &said(&change.url, |before| &before.url))
    }

    /// Reports whether whoever follows the parcel must do so otherwise than before: by another number, or at another address.
    pub fn leads_elsewhere(&self, before: Option<&Self>) -> bool {
        before.is_none_or(|before| (&before.number, &before.url) != (&self.number, &self.url))
    }

    /// Returns who carries the parcel; may be empty.
    pub fn carrier(&self) -> &str {
        &self.carrier
    }

    /// Returns what the carrier calls the parcel; may be empty.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// Returns who carries the parcel and what they call it, as far as that is known.
    pub fn name(&self) -> String {
        [self.carrier.as_str(), &self.number].join(" ").trim().to_owned()
    }

    /// Returns where the parcel is followed; may be empty.
    pub fn url(&self) -> &str {
        &self.url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_parcel_is_followed_is_read_or_refused_field_by_field() {
        let read = |carrier, number, url| Tracking::parse(carrier, number, url);
        assert_eq!(read(" ", "", ""), Ok(None));
        let full = read("Royal Mail ", "AB 12", "https://post.example/AB12").unwrap().unwrap();
        assert_eq!((full.name().as_str(), full.url()), ("Royal Mail AB 12", "https://post.example/AB12"));
        assert_eq!(read("", "AB12", "").unwrap().unwrap().name(), "AB12");
        let long = "x".repeat(TRACKING_BYTES_MAX + 1);
        for (carrier, number, url, field) in [
            (long.as_str(), "", "", "tracking.carrier"),
            ("", "A\nB", "", "tracking.number"),
            ("", "", "javascript://alert", "tracking.url"),
            ("", "", "https://", "tracking.url"),
            ("", "", "https://post example", "tracking.url"),
            ("", "", "post.example/AB12", "tracking.url"),
        ] {
            let faults = read(carrier, number, url).unwrap_err();
            assert_eq!(faults.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(), [field]);
        }
    }

    #[test]
    fn what_is_said_anew_of_a_parcel_leaves_the_rest_as_it_was() {
        let before = Tracking::parse("Royal Mail", "AB1", "https://post.example/AB1").unwrap();
        let change = |number: &str, url: Option<&str>| {
            let change = TrackingChange {
                number: Some(number.into()),
                url: url.map(str::to_owned),
                ..TrackingChange::default()
            };
            Tracking::changed(before.as_ref(), &change)
        };
        let after = change("AB2", None).unwrap().unwrap();
        assert_eq!((after.name().as_str(), after.url()), ("Royal Mail AB2", "https://post.example/AB1"));
        assert!(after.leads_elsewhere(before.as_ref()) && after.leads_elsewhere(None));
        let carrier = TrackingChange { carrier: Some("Post".into()), ..TrackingChange::default() };
        let renamed = Tracking::changed(before.as_ref(), &carrier).unwrap().unwrap();
        assert!(!renamed.leads_elsewhere(before.as_ref()), "the same number leads to the same place");
        assert_eq!(change("AB1", Some("post")).unwrap_err()[0].field, "tracking.url");
        let nothing =
            TrackingChange { carrier: Some(" ".into()), number: Some("".into()), url: Some("".into()) };
        assert_eq!(Tracking::changed(before.as_ref(), &nothing), Ok(None));
    }
}
