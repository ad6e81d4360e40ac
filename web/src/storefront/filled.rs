//! What became of lines that were put into a cart, in words for a page.

use cart_core::{Currency, Rejection, ReopenedLine};

use super::{
    guest::Guest,
    pages::{Notice, Price},
};
use crate::filling::{Filled, Put};

/// The most lines that a message names: it travels in a cookie.
const NAMED_MAX: usize = 6;

/// Says what became of lines: a message without complaint where all of them are in the cart as they were.
pub(super) fn told(filled: &Filled) -> Notice {
    let currency = filled.accepted.cart.currency;
    let words: Vec<String> = filled.lines.iter().filter_map(|put| words(put, currency)).collect();
    let is_short = filled.lines.iter().any(|put| put.added < put.wanted.quantity);
    let has_any = filled.lines.iter().any(|put| put.added > 0);
    let all = listed(&words);
    match (is_short, has_any) {
        (false, _) if words.is_empty() => Notice::Done("All of it is in your cart.".into()),
        (false, _) => Notice::Done(format!("All of it is in your cart. {all}")),
        (true, true) => {
            Notice::Refused(format!("Not all of it could be had. {all} The rest is in your cart."))
        }
        (true, false) => Notice::Refused(format!("None of it can be had just now. {all}")),
    }
}

fn listed(words: &[String]) -> String {
    let mut listed =
        words.iter().take(NAMED_MAX).map(|words| format!("{words}.")).collect::<Vec<_>>().join(" ");
    if words.len() > NAMED_MAX {
        listed.push_str(&format!(" And {} more.", words.len() - NAMED_MAX));
    }
    listed
}

/// Says what became of one line, where it is not as it was.
fn words(put: &Put, currency: Currency) -> Option<String> {
    let first = put.reasons.iter().find(|reason| !matches!(reason.name, "dearer" | "cheaper"));
    let line = Line {
        name: &put.wanted.name,
        wanted: put.wanted.quantity,
        added: put.added,
        was_minor: put.wanted.was_minor,
        now_minor: put.unit_price_minor,
        because: first.map(|reason| (reason.name, reason.detail.clone())),
    };
    line.words(currency)
}

/// Says what became of a cart that was opened again, and whether all of it is there; nothing where none was.
pub(super) fn reopened(guest: &Guest) -> Option<(bool, String)> {
    let currency = guest.cart.as_ref().filter(|_| !guest.reopened.is_empty())?.currency;
    Some(as_left("Welcome back. Your cart is as you left it", &guest.reopened, currency))
}

/// Says that a cart is as it was left, but for what is not; and whether all of it is there.
pub(super) fn as_left(welcome: &str, lines: &[ReopenedLine], currency: Currency) -> (bool, String) {
    let words: Vec<String> = lines.iter().filter_map(|line| again(line, currency)).collect();
    let is_whole = lines.iter().all(|line| line.quantity == line.wanted);
    match words.is_empty() {
        true => (is_whole, format!("{welcome}.")),
        false => (is_whole, format!("{welcome}, but for this: {}", listed(&words))),
    }
}

fn again(line: &ReopenedLine, currency: Currency) -> Option<String> {
    let line = Line {
        name: &line.name,
        wanted: line.wanted,
        added: line.quantity,
        was_minor: Some(line.was_minor),
        now_minor: line.unit_price_minor,
        because: line.because.as_ref().map(|because| (Rejection::name(because), because.to_string())),
    };
    line.words(currency)
}

/// Is a line with what became of it.
struct Line<'a> {
    name: &'a str,
    wanted: u32,
    added: u32,
    was_minor: Option<i64>,
    now_minor: Option<i64>,
    because: Option<(&'static str, String)>,
}

impl Line<'_> {
    fn words(&self, currency: Currency) -> Option<String> {
        let Self { name, wanted, added, .. } = self;
        let short = match (added, &self.because) {
            (0, Some(("out_of_stock", _))) => format!("{name} is sold out"),
            (0, Some(("unknown_sku", _))) => format!("{name} is no longer for sale"),
            (0, because) => {
                format!(
                    "{name} cannot be had: {}",
                    because.as_ref().map_or("", |(_, detail)| detail.as_str())
                )
            }
            (added, _) if added < wanted => format!("{name}: only {added} of {wanted}"),
            _ => String::new(),
        };
        let price = self.now_minor.zip(self.was_minor).filter(|(now, was)| now != was).map(|(now, was)| {
            let [now, was] = [now, was].map(|minor| Price::new(minor, currency).text);
            format!("{now} each, was {was}")
        });
        match (short.is_empty(), price) {
            (true, None) => None,
            (true, Some(price)) => Some(format!("{name} is {price}")),
            (false, None) => Some(short),
            (false, Some(price)) => Some(format!("{short}, {price}")),
        }
    }
}
