//! What a request tells of its visitor that experiments want to know: the device, and whether it is to be counted at all.

use actix_web::{
    HttpRequest,
    http::header::{HeaderValue, USER_AGENT},
};
use serde_json::{Map, Value};

/// The attribute of an exposure that says why its unit is left out.
pub const EXCLUDED: &str = "excluded";
/// The cookie that a browser has whose owner works here.
pub const STAFF_COOKIE: &str = "cartwright_staff";

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
    is_staff: bool,
}

impl Circumstances {
    /// Takes what a request tells; nothing is looked at before somebody asks.
    pub fn of(request: &HttpRequest) -> Self {
        Self {
            agent: request.headers().get(USER_AGENT).cloned(),
            is_staff: request.cookie(STAFF_COOKIE).is_some(),
        }
    }

    /// Returns the attributes of an exposure under these circumstances: `device`, where it is known, and [`EXCLUDED`], for
    /// robots and for the shop's own people.
    pub fn attributes(&self) -> Map<String, Value> {
        let agent =
            self.agent.as_ref().and_then(|agent| agent.to_str().ok()).unwrap_or_default().to_lowercase();
        let mut attributes = Map::new();
        if let Some(device) = device_of(&agent) {
            attributes.insert("device".into(), device.into());
        }
        let excluded = if is_robot(&agent) { Some("robot") } else { self.is_staff.then_some("staff") };
        if let Some(why) = excluded {
            attributes.insert(EXCLUDED.into(), why.into());
        }
        attributes
    }
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
            let attributes = Circumstances { agent: Some(agent.clone()), is_staff: false }.attributes();
            let of = |name: &str| attributes.get(name).and_then(Value::as_str);
            assert_eq!((of("device"), of(EXCLUDED)), (device, excluded), "{agent:?}");
        }
        let staff = Circumstances { agent: None, is_staff: true }.attributes();
        assert_eq!(staff[EXCLUDED], "staff");
    }
}
