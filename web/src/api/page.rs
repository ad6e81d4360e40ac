//! Pages of a list by cursors: where the next page begins is said by a text that means nothing to clients.
//!
//! A list gives its cursor a version of its own, which it counts up when what the cursor holds changes: a cursor of
//! an earlier release is then refused as such, instead of being misread.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use web::api::page::Cursor;
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct AfterOrder(i64, String);
//! impl Cursor for AfterOrder {
//!     const VERSION: u8 = 1;
//!     const LIST: &'static str = "orders";
//! }
//! let text = AfterOrder(7, "o1".into()).encode();
//! assert_eq!(AfterOrder::decode(&text).unwrap(), AfterOrder(7, "o1".into()));
//! assert!(AfterOrder::decode("page-2").is_err());
//! ```

use std::borrow::Cow;

use actix_web::{
    HttpRequest,
    http::header::{HeaderName, LINK},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::problem::{Kind, Problem};

/// The most entries of a page: what a client can show without a second look at the clock.
pub const PAGE_MAX: usize = 100;
/// The entries of a page where the client names no number: a screen of a shelf in twos, threes and fours.
pub const PAGE_DEFAULT: usize = 24;
/// The longest cursor in bytes: an id, a search and what sorts them, in base64.
pub const CURSOR_BYTES_MAX: usize = 1_024;

/// Is where a page of a list begins: what of the last entry before it sorts the list.
pub trait Cursor: Serialize + DeserializeOwned {
    /// Counts the shapes that the cursor has had.
    const VERSION: u8;
    /// Names the list, so that the cursor of one is not taken for another's.
    const LIST: &'static str;

    /// Returns the cursor as clients pass it on.
    fn encode(&self) -> String {
        let mut bytes = format!("{}.{}:", Self::LIST, Self::VERSION).into_bytes();
        serde_json::to_writer(&mut bytes, self).expect("a cursor is JSON");
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor that a client passed on.
    ///
    /// # Errors
    /// The problem `invalid_cursor`, which says whether it is of another list or release, or none at all.
    fn decode(text: &str) -> Result<Self, Problem> {
        let invalid = |why: &str| {
            let list = Self::LIST;
            Problem::new(Kind::InvalidCursor, format!("the cursor {why}; read {list} from the beginning"))
        };
        if text.len() > CURSOR_BYTES_MAX {
            return Err(invalid("is longer than any that was given"));
        }
        let none = || invalid("is none that was given");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| none())?;
        let colon = bytes.iter().position(|byte| *byte == b':').ok_or_else(none)?;
        let head = std::str::from_utf8(&bytes[..colon]).map_err(|_| none())?;
        match head.split_once('.') {
            Some((list, version)) if list == Self::LIST && version == Self::VERSION.to_string() => {}
            Some((list, _)) if list == Self::LIST => return Err(invalid("is one of another release")),
            Some(_) => return Err(invalid("is one of another list")),
            None => return Err(none()),
        }
        serde_json::from_slice(&bytes[colon + 1..]).map_err(|_| none())
    }
}

/// Is the `limit` of a list's query, 1 to [`PAGE_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "usize")]
pub struct Limit(usize);

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": PAGE_MAX })
    }

    fn inline_schema() -> bool {
        true
    }
}

impl Limit {
    /// Returns the most entries to answer.
    pub fn get(self) -> usize {
        self.0
    }
}

/// Returns a text of a query that is no longer than it may be.
///
/// # Errors
/// The problem `invalid_request`.
pub(super) fn within<'t>(
    name: &str,
    text: Option<&'t str>,
    bytes_max: usize,
) -> Result<Option<&'t str>, Problem> {
    match text {
        Some(text) if text.len() > bytes_max => Err(Problem::invalid_request(format!(
            "{name} has {} bytes, the most allowed is {bytes_max}",
            text.len()
        ))),
        text => Ok(text),
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(PAGE_DEFAULT)
    }
}

impl TryFrom<usize> for Limit {
    type Error = String;
    fn try_from(limit: usize) -> Result<Self, String> {
        match limit {
            1..=PAGE_MAX => Ok(Self(limit)),
            _ => Err(format!("limit must be 1 to {PAGE_MAX}")),
        }
    }
}

/// Is the `cursor` of a list's query: the `next_cursor` of the page before, as the client passed it on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct CursorText(#[schemars(length(max = CURSOR_BYTES_MAX))] String);

impl CursorText {
    /// Reads where the page begins.
    ///
    /// # Errors
    /// The problem `invalid_cursor`.
    pub fn decode<C: Cursor>(&self) -> Result<C, Problem> {
        C::decode(&self.0)
    }
}

/// Is one page of a list, made of one entry more than wanted: the extra one only says that there is a next page.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The entries.
    pub entries: Vec<T>,
    /// Where the next page begins; `None` at the end of the list.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes the page of `limit + 1` entries that were looked up; `cursor` says where the page after an entry begins.
    pub fn of<C: Cursor>(mut entries: Vec<T>, limit: usize, cursor: impl FnOnce(&T) -> C) -> Self {
        let is_more = entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last().filter(|_| is_more);
        let next_cursor = last.map(|entry| cursor(entry).encode());
        Self { entries, next_cursor }
    }

    /// Returns the header that links to the next page (RFC 8288), where there is one.
    pub fn link(&self, request: &HttpRequest) -> Option<(HeaderName, String)> {
        let cursor = self.next_cursor.as_deref()?;
        let kept = request
            .query_string()
            .split('&')
            .filter(|pair| !pair.is_empty() && *pair != "cursor" && !pair.starts_with("cursor="));
        let query: Vec<_> = kept.map(str::to_owned).chain([format!("cursor={cursor}")]).collect();
        Some((LINK, format!("<{}?{}>; rel=\"next\"", request.path(), query.join("&"))))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{test::TestRequest, web::Query as Data};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct After(u32);
    impl Cursor for After {
        const VERSION: u8 = 2;
        const LIST: &'static str = "numbers";
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Earlier(u32);
    impl Cursor for Earlier {
        const VERSION: u8 = 1;
        const LIST: &'static str = "numbers";
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Other(u32);
    impl Cursor for Other {
        const VERSION: u8 = 2;
        const LIST: &'static str = "letters";
    }

    #[test]
    fn a_cursor_that_is_none_of_the_lists_is_refused_with_the_reason() {
        for (text, why) in [
            (Earlier(1).encode(), "is one of another release"),
            (Other(1).encode(), "is one of another list"),
            ("x".repeat(CURSOR_BYTES_MAX + 1), "is longer than any that was given"),
            (String::new(), "is none that was given"),
            ("%".into(), "is none that was given"),
            (URL_SAFE_NO_PAD.encode("numbers.2:\"two\""), "is none that was given"),
            (URL_SAFE_NO_PAD.encode([0xff, b'.', b'1', b':']), "is none that was given"),
        ] {
            let problem = After::decode(&text).unwrap_err();
            assert_eq!(problem.kind(), Kind::InvalidCursor);
            assert!(problem.detail().contains(why), "{text}: {}", problem.detail());
        }
    }

    #[test]
    fn pages_lead_through_a_list_to_its_end() {
        let request = TestRequest::with_uri("/api/v1/numbers?limit=2&cursor=old&q=a%20b").to_http_request();
        let page = Page::of(vec![1, 2, 3], 2, |n| After(*n));
        assert_eq!((page.entries.as_slice(), &page.next_cursor), (&[1, 2][..], &Some(After(2).encode())));
        let (_, link) = page.link(&request).unwrap();
        let cursor = After(2).encode();
        assert_eq!(link, format!("</api/v1/numbers?limit=2&q=a%20b&cursor={cursor}>; rel=\"next\""));
        let last = Page::of(vec![3], 2, |n| After(*n));
        assert_eq!((last.entries.len(), &last.next_cursor), (1, &None));
        assert_eq!(last.link(&request), None);
    }

    #[test]
    fn a_query_names_a_limit_and_a_cursor() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Query {
            #[serde(default)]
            limit: Limit,
            cursor: Option<CursorText>,
        }
        let read = |query: &str| Data::<Query>::from_query(query).map_err(|e| e.to_string());
        let query = read(&format!("limit={PAGE_MAX}&cursor={}", After(3).encode())).unwrap();
        assert_eq!(query.limit.get(), PAGE_MAX);
        assert_eq!(query.cursor.as_ref().unwrap().decode::<After>().unwrap(), After(3));
        assert_eq!(read("").unwrap().limit.get(), PAGE_DEFAULT);
        for bad in ["limit=0", "limit=101"] {
            assert!(read(bad).unwrap_err().contains("limit must be 1 to 100"));
        }
        assert!(read("limit=ten").is_err());
    }
}
