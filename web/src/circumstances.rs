//! What a request tells of its visitor: the device, whether it is to be counted at all, and whether it may be remembered.

use actix_web::{
    HttpRequest,
    http::header::{ACCEPT_LANGUAGE, HeaderValue, USER_AGENT},
};
use serde_json::{Map, Value};

use crate::{peek::is_peeking, store::Because};

/// The attribute of an exposure that says why its unit is left out.
pub const EXCLUDED: &str = "excluded";
/// The cookie that a browser has whose owner works here.
pub const STAFF_COOKIE: &str = "cartwright_staff";
/// The header by which a proxy in front says the visitor's country.
pub const COUNTRY_HEADER: &str = "X-Country-Code";
/// The cookie of a browser in which no history is to be kept.
pub const HISTORY_COOKIE: &str = "cartwright_history";

/// Words of programs that visit pages by themselves, in lower case. Most say so; those that pretend to be people are found by no
/// list. Browsers that are driven in tests are people here.
const ROBOTS: [&str; 16] = [
    "bot",
    "crawl",
    "spider",
    "slurp",
    "preview",
    "monitor",
    "pingdom",
    "uptime",
    "lighthouse",
    "archiver",
    "scrap",
    "facebookexternalhit",
    "curl/",
    "wget/",
    "python-requests",
    "go-http-client",
];

/// Is what a request tells of its visitor.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    agent: Option<HeaderValue>,
    language: Option<HeaderValue>,
    country: Option<HeaderValue>,
    is_staff: bool,
    is_peeking: bool,
    /// Whether a browser fetches what its user may never look at.
    pub is_fetching_ahead: bool,
    /// Why what the visitor does is not to be remembered, where it is not.
    pub declined: Option<Because>,
}

impl Circumstances {
    /// Takes what a request tells; nothing is looked at before somebody asks.
    pub fn of(request: &HttpRequest) -> Self {
        Self {
            agent: request.headers().get(USER_AGENT).cloned(),
            language: request.headers().get(ACCEPT_LANGUAGE).cloned(),
            country: request.headers().get(COUNTRY_HEADER).cloned(),
            is_staff: request.cookie(STAFF_COOKIE).is_some(),
            is_peeking: is_peeking(request),
            is_fetching_ahead: is_fetching_ahead(request),
            declined: declined(request),
        }
    }

    /// Says whom experiments and histories leave out: robots and the shop's own people.
    pub fn excluded(&self) -> Option<&'static str> {
        if self.is_peeking || is_robot(&self.agent()) {
            Some("robot")
        } else {
            self.is_staff.then_some("staff")
        }
    }

    /// Returns the class of the device: `phone`, `tablet` or `desktop`; programs have none.
    pub fn device(&self) -> Option<&'static str> {
        device_of(&self.agent())
    }

    /// Returns the language that the browser asks for first, in lower case and without its region.
    pub fn language(&self) -> Option<String> {
        let first = self.language.as_ref()?.to_str().ok()?.split([',', ';', '-']).next()?.trim();
        let is_one = (2..=3).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_one.then(|| first.to_ascii_lowercase())
    }

    /// Returns the country that a proxy in front says, by its two letters in upper case.
    pub fn country(&self) -> Option<String> {
        let country = self.country.as_ref()?.to_str().ok()?.trim();
        let is_one = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_one.then(|| country.to_ascii_uppercase())
    }

    fn agent(&self) -> String {
        self.agent.as_ref().and_then(|agent| agent.to_str().ok()).unwrap_or_default().to_lowercase()
    }

    /// Returns the attributes of an exposure under these circumstances: `device`, where it is known, and [`EXCLUDED`], for
    /// robots and for the shop's own people.
    pub fn attributes(&self) -> Map<String, Value> {
        let mut attributes = Map::new();
        if let Some(device) = self.device() {
            attributes.insert("device".into(), device.into());
        }
        if let Some(why) = self.excluded() {
            attributes.insert(EXCLUDED.into(), why.into());
        }
        attributes
    }
}

/// As browsers say it: `Sec-Purpose`, and what some of them said before (<https://wicg.github.io/nav-speculation/prefetch.html>).
fn is_fetching_ahead(request: &HttpRequest) -> bool {
    let says = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let ahead = ["prefetch", "prerender", "preview"];
    ["sec-purpose", "purpose", "x-purpose", "x-moz"]
        .into_iter()
        .filter_map(says)
        .any(|purpose| ahead.iter().any(|word| purpose.to_ascii_lowercase().contains(word)))
}

/// Global Privacy Control (<https://w3c.github.io/gpc/>) and the older `DNT` ask every site; the cookie says what was chosen here.
fn declined(request: &HttpRequest) -> Option<Because> {
    let is_asked = |name: &str| request.headers().get(name).is_some_and(|value| value == "1");
    if is_asked("sec-gpc") || is_asked("dnt") {
        return Some(Because::Signal);
    }
    request.cookie(HISTORY_COOKIE).map(|_| Because::Choice)
}

/// The device of a browser, by the words that browsers agree on; programs have none.
fn device_of(agent: &str) -> Option<&'static str> {
    match agent {
        _ if !agent.starts_with("mozilla/") => None,
        _ if agent.contains("ipad") || agent.contains("tablet") => Some("tablet"),
        // Android's browsers say "Mobile" on phones only.
        _ if agent.contains("android") && !agent.contains("mobile") => Some("tablet"),
        _ if agent.contains("mobile") || agent.contains("iphone") => Some("phone"),
        _ => Some("desktop"),
    }
}

fn is_robot(agent: &str) -> bool {
    // A maker of telephones.
    let agent = agent.replace("cubot", "");
    ROBOTS.iter().any(|word| agent.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_told_apart() {
        let table = [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0 Safari/537.36",
                Some("desktop"),
                None,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
                Some("phone"),
                None,
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
                Some("phone"),
                None,
            ),
            (
                "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 Chrome/120.0 Safari/537.36",
                Some("tablet"),
                None,
            ),
            (
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                Some("desktop"),
                Some("robot"),
            ),
            ("curl/8.5.0", None, Some("robot")),
            (
                "Mozilla/5.0 (Linux; Android 13; CUBOT P80) AppleWebKit/537.36 Chrome/120.0 Mobile",
                Some("phone"),
                None,
            ),
            ("OurShop/3.1", None, None),
            ("", None, None),
        ];
        for (agent, device, excluded) in table {
            let agent = HeaderValue::from_str(agent).unwrap();
            let attributes =
                Circumstances { agent: Some(agent.clone()), ..Circumstances::default() }.attributes();
            let of = |name: &str| attributes.get(name).and_then(Value::as_str);
            assert_eq!((of("device"), of(EXCLUDED)), (device, excluded), "{agent:?}");
        }
        let staff = Circumstances { is_staff: true, ..Circumstances::default() }.attributes();
        assert_eq!(staff[EXCLUDED], "staff");
    }
}
