//! Letters: an event and what is known of it, rendered as text and as HTML.

use include_dir::{Dir, include_dir};
use lettre::{
    Message,
    address::AddressError,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
};
use serde::Serialize;
use tera::{Context, Tera};

use super::sink::sender;
use crate::store::{OutboxEvent, StoreError};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/mail");

/// Begins the first line of a letter's text template.
const SUBJECT: &str = "Subject: ";

/// Says why a letter could not be written.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// What it is about could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A template is broken, or asks for what its data lack.
    #[error("a letter could not be rendered: {0}")]
    Template(#[from] tera::Error),
    /// A text template does not begin with the subject.
    #[error("{0}.txt does not begin with {SUBJECT:?}")]
    Subject(String),
    /// No letter can be sent to the address.
    #[error("the address cannot be written to: {0}")]
    Address(#[from] AddressError),
    /// The parts make no message.
    #[error("the letter makes no message: {0}")]
    Message(#[from] lettre::error::Error),
}

/// Is a letter ready to be sent.
#[derive(Debug)]
pub struct Letter {
    /// Names it among the shop's letters: the same for the same event.
    pub name: String,
    /// The letter.
    pub message: Message,
}

/// Tells mail programs that no person wrote the letter, so that nobody's out-of-office answers it (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

/// Names where the letters of a list are ended: a page for people and, by a POST without further ado, for mail programs
/// (RFC 2369, RFC 8058).
#[derive(Clone)]
struct ListUnsubscribe(String);

impl Header for ListUnsubscribe {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.trim_matches(['<', '>']).to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), format!("<{}>", self.0))
    }
}

/// Says that one POST ends the letters.
#[derive(Clone)]
struct ListUnsubscribePost;

impl Header for ListUnsubscribePost {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "List-Unsubscribe=One-Click".into())
    }
}

/// Is who a letter goes to.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// Their name; may be empty.
    pub name: &'a str,
    /// Their address.
    pub email: &'a str,
    /// Where they end such letters, where these are more than the news of their own order.
    pub unsubscribe: Option<&'a str>,
}

impl<'a> From<&'a cart_core::Address> for Reader<'a> {
    fn from(address: &'a cart_core::Address) -> Self {
        Self { name: &address.name, email: &address.email, unsubscribe: None }
    }
}

/// Is what every letter says of the shop.
#[derive(Debug, Serialize)]
struct ShopView {
    name: String,
    url: String,
}

/// Writes letters.
#[derive(Debug)]
pub struct Letters {
    tera: Tera,
    shop: ShopView,
    from: Mailbox,
}

impl Letters {
    /// Parses the templates and the sender.
    ///
    /// # Errors
    /// Where a template or the sender is broken.
    pub fn new(shop: &str, public_url: &str, from: &str) -> anyhow::Result<Self> {
        let mut tera = Tera::default();
        tera.autoescape_on(vec![".html"]);
        let files = TEMPLATES.files().filter_map(|file| Some((file.path().to_str()?, file.contents_utf8()?)));
        tera.add_raw_templates(files)?;
        let shop = ShopView { name: one_line(shop), url: public_url.trim_end_matches('/').to_owned() };
        Ok(Self { tera, shop, from: sender(from)? })
    }

    /// Returns the address of a page of the shop.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.shop.url)
    }

    /// Writes a letter about an event.
    ///
    /// # Errors
    /// [`LetterError`].
    pub fn write<'a>(
        &self,
        template: &str,
        event: &OutboxEvent,
        to: impl Into<Reader<'a>>,
        data: &impl Serialize,
    ) -> Result<Letter, LetterError> {
        let to = to.into();
        let mut context = Context::from_serialize(data)?;
        context.insert("shop", &self.shop);
        let text = self.tera.render(&format!("{template}.txt"), &context)?;
        let html = self.tera.render(&format!("{template}.html"), &context)?;
        let broken = || LetterError::Subject(template.to_owned());
        let (subject, text) = text.split_once('\n').ok_or_else(broken)?;
        let subject = subject.strip_prefix(SUBJECT).ok_or_else(broken)?;
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(one_line(to.name)).filter(|name| !name.is_empty()), to.email.parse()?))
            .subject(one_line(subject))
            .message_id(Some(format!("<{}.{template}@{}>", event.id, self.from.email.domain())))
            .header(AutoSubmitted);
        if let Some(url) = to.unsubscribe {
            message = message.header(ListUnsubscribe(url.to_owned())).header(ListUnsubscribePost);
        }
        let message =
            message.multipart(MultiPart::alternative_plain_html(text.trim_start().to_owned(), html))?;
        Ok(Letter { name: format!("{:020}-{template}-{}", event.position, event.id), message })
    }
}

/// A line break in a header would begin another header.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use cart_core::Address;
    use serde_json::json;

    use super::*;

    fn letters() -> Letters {
        Letters::new("Tea & Daughters", "https://tea.example/", "Tea & Daughters <tea@tea.example>").unwrap()
    }

    fn event() -> OutboxEvent {
        serde_json::from_value(json!({
            "position": 7, "id": "a3bb189e-8bf9-4c1a-9f0e-0d1f2a3b4c5d", "at_ms": 1, "type": "order_placed",
            "cart": "c", "unit": "v", "data": {},
        }))
        .unwrap()
    }

    fn address(name: &str, email: &str) -> Address {
        Address {
            email: email.into(),
            name: name.into(),
            street: "1 <b>Royal</b> Crescent".into(),
            city: "Bath".into(),
            postcode: "BA1 2LR".into(),
            country: "GB".into(),
            region: String::new(),
        }
    }

    fn data(name: &str) -> serde_json::Value {
        json!({
            "name": name, "order_id": "o-1", "placed_on": "24 November 2026", "note": "", "items": 1,
            "lines": [{"name": "Mug <i>", "properties": [["engraving", "Ada"]], "quantity": 2, "total": "£25.00", "parts": null,
                       "unit_price": "£12.50", "is_gift": false},
                      {"name": "Tin", "properties": [], "quantity": 2, "total": "£0.00", "parts": null, "unit_price": "£0.00",
                       "is_gift": true}],
            "sums": [["Subtotal", "£25.00"]], "total": "£25.00", "paid": [], "given_back": "£25.00", "delivery": null, "parcels": [{"title": "From Leeds <i>", "contents": ["2 × Mug <i>", "2 × Tin"], "tracking": "", "url": ""}],
            "address_lines": [name, "1 <b>Royal</b> Crescent"], "delivery_notes": [["Song", "At <b>once</b>"]],
        })
    }

    #[test]
    fn a_letter_says_the_same_for_the_same_event_and_escapes_what_it_quotes() {
        let write = || {
            letters().write("order_confirmation", &event(), &address("Ada", "ada@example.org"), &data("Ada"))
        };
        let (letter, again) = (write().unwrap(), write().unwrap());
        assert_eq!(letter.name, again.name);
        let text = String::from_utf8(letter.message.formatted()).unwrap().replace("=\r\n", "");
        let id = "Message-ID: <a3bb189e-8bf9-4c1a-9f0e-0d1f2a3b4c5d.order_confirmation@tea.example>\r\n";
        for part in [
            id,
            "To: Ada <ada@example.org>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "text/plain",
            "text/html",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(text.contains("Tin: a gift"), "{text}");
        assert!(text.contains("From Leeds <i>:\r\n    2 =C3=97 Mug <i>\r\n    2 =C3=97 Tin\r\n"), "{text}");
        let (_, html) = text.rsplit_once("text/html").unwrap();
        assert!(html.contains("A gift") && html.contains("Free"), "{html}");
        assert!(html.contains("From Leeds &lt;i&gt;") && !html.contains("Leeds <i>"), "{html}");
        assert!(!html.contains("<b>Royal") && html.contains("&lt;b&gt;Royal"), "{html}");
    }

    #[test]
    fn letters_of_what_comes_back_say_how_much() {
        for template in ["order_cancelled", "order_refunded"] {
            let letter =
                letters().write(template, &event(), &address("Ada", "ada@example.org"), &data("Ada"));
            let text = String::from_utf8(letter.unwrap().message.formatted()).unwrap().replace("=\r\n", "");
            assert!(text.contains("is on its way back to you"), "{text}");
            assert!(text.contains(&format!(".{template}@tea.example>")), "{text}");
        }
    }

    #[test]
    fn nobody_writes_headers_through_a_name() {
        let hostile = "Ada\r\nBcc: all@example.org\r\n\r\nBuy";
        for name in [hostile, "Ada\" <eve@example.org>, \"", "Zoë\nBcc: a@b.c", "静\u{0}"] {
            let letter = letters()
                .write("order_confirmation", &event(), &address(name, "ada@example.org"), &data(name))
                .unwrap();
            let text = String::from_utf8(letter.message.formatted()).unwrap();
            let head = text.split("\r\n\r\n").next().unwrap();
            let names: Vec<_> =
                head.lines().filter(|l| !l.starts_with(' ')).filter_map(|l| l.split(':').next()).collect();
            assert!(!names.contains(&"Bcc"), "{head}");
            assert_eq!(letter.message.envelope().to().len(), 1, "{head}");
            assert_eq!(letter.message.envelope().to()[0].to_string(), "ada@example.org");
        }
        let bad =
            letters().write("order_confirmation", &event(), &address("A", "a@b.c\r\nBcc: d@e.f"), &data("A"));
        assert!(matches!(bad, Err(LetterError::Address(_))));
    }
}
