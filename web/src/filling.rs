//! Putting many lines into a cart at once: all of them where the rules allow it, otherwise as much of each as they let
//! pass; and of each it is said what became of it.

use std::collections::BTreeMap;

use cart_core::{
    CartId, Command, LineId, Order, Properties, Rejection, Request, Sku, VisitorId,
    limits::BATCH_COMMANDS_MAX,
};

use crate::{
    carts::{Carts, IdempotencyKey},
    catalogue::Catalogue,
    problem::{Problem, accepted},
    restore::outcome::{Fate, MENDS_MAX, Reason},
    store::{Accepted, Answer},
};

/// Is a line that somebody would like to have in a cart.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The product.
    pub sku: Sku,
    /// What is to be done to the pieces.
    pub properties: Properties,
    /// Its name for people.
    pub name: String,
    /// Pieces to add to those that the cart has.
    pub quantity: u32,
    /// What one piece cost when the shopper last saw it, where that is known.
    pub was_minor: Option<i64>,
}

impl Wanted {
    /// Lists what was bought with an order, by the rules that its products have today.
    pub fn of_order(order: &Order, catalogue: &Catalogue) -> Vec<Self> {
        let wanted = order.lines.iter().filter(|line| line.gift_of.is_none()).map(|line| Self {
            sku: line.sku.clone(),
            properties: catalogue.marked(&line.sku, &line.properties),
            name: line.name.clone(),
            quantity: line.quantity,
            was_minor: Some(line.unit_price_minor),
        });
        wanted.collect()
    }

    /// Returns the name of the line in its cart.
    pub fn id(&self) -> LineId {
        LineId::new(self.sku.clone(), &self.properties)
    }

    fn command(&self, quantity: u32) -> Command {
        Command::AddLine { sku: self.sku.clone(), quantity, properties: self.properties.clone() }
    }
}

/// Is a cart that was filled.
pub struct Filled {
    /// The cart with what it costs.
    pub accepted: Accepted,
    /// What became of each line, in the order of the wishes.
    pub lines: Vec<Put>,
}

/// Is what became of a line that was to be put into a cart.
pub struct Put {
    /// The line.
    pub wanted: Wanted,
    /// The pieces that were added.
    pub added: u32,
    /// The price of one piece today, where some were added.
    pub unit_price_minor: Option<i64>,
    /// Why it is not as it was.
    pub reasons: Vec<Reason>,
    mends: u32,
}

impl Put {
    fn new(wanted: Wanted) -> Self {
        Self { added: wanted.quantity, wanted, unit_price_minor: None, reasons: vec![], mends: 0 }
    }

    /// Says in one word what became of it.
    pub fn fate(&self) -> Fate {
        match () {
            () if self.added == 0 => Fate::Refused,
            () if !self.reasons.is_empty() => Fate::Adjusted,
            () => Fate::Restored,
        }
    }

    /// Wishes for as much as the rule that said no lets pass, and after some tries for nothing.
    fn mend(&mut self, because: &Rejection) {
        self.mends += 1;
        let fewer = because.lets_pass(self.added).min(self.added.saturating_sub(1));
        self.added = if self.mends < MENDS_MAX { fewer } else { 0 };
        if self.reasons.last().is_none_or(|last| last.name != because.name()) {
            self.reasons.push(because.into());
        }
    }

    fn price(&mut self, now_minor: i64) {
        self.unit_price_minor = Some(now_minor);
        let Some(was) = self.wanted.was_minor.filter(|was| *was != now_minor) else { return };
        let name = if now_minor > was { "dearer" } else { "cheaper" };
        let detail = format!("one piece was {was} minor units and is {now_minor} now");
        self.reasons.push(Reason { name, detail });
    }
}

/// Adds lines to a visitor's cart, in batches of [`BATCH_COMMANDS_MAX`], each of them whole. With a key the same request
/// adds nothing twice and is told the same.
///
/// # Errors
/// Where the cart is not the visitor's or takes no more lines at all, or the store does not answer.
pub async fn fill(
    carts: &Carts,
    cart: &CartId,
    caller: &VisitorId,
    key: Option<&IdempotencyKey>,
    wanted: Vec<Wanted>,
) -> Result<Filled, Problem> {
    let mut lines: Vec<Put> = wanted.into_iter().map(Put::new).collect();
    let mut newest = None;
    for (number, some) in lines.chunks_mut(BATCH_COMMANDS_MAX).enumerate() {
        let part = |attempt: usize| {
            key.map(|key| IdempotencyKey {
                key: format!("{}/{number}.{attempt}", key.key),
                fingerprint: key.fingerprint.clone(),
            })
        };
        newest = add(carts, cart, caller, part, some).await?.or(newest);
    }
    let accepted = match newest {
        Some(accepted) => accepted,
        None => accepted(carts.read(cart.clone(), caller.clone()).await?)?,
    };
    let prices: BTreeMap<LineId, i64> = accepted
        .cart
        .lines
        .iter()
        .zip(&accepted.quote.lines)
        .map(|(line, quote)| (line.id(), quote.unit_price_minor))
        .collect();
    for put in lines.iter_mut().filter(|put| put.added > 0) {
        if let Some(minor) = prices.get(&put.wanted.id()) {
            put.price(*minor);
        }
    }
    Ok(Filled { accepted, lines })
}

/// Adds some lines as one batch, with less where a rule says no; nothing is returned where nothing is left to add.
async fn add(
    carts: &Carts,
    cart: &CartId,
    caller: &VisitorId,
    key: impl Fn(usize) -> Option<IdempotencyKey>,
    lines: &mut [Put],
) -> Result<Option<Accepted>, Problem> {
    for attempt in 0.. {
        let mut left: Vec<&mut Put> = lines.iter_mut().filter(|put| put.added > 0).collect();
        if left.is_empty() {
            break;
        }
        let commands = left.iter().map(|put| put.wanted.command(put.added)).collect();
        let command = Command::Batch(commands);
        let request = Request { caller: Some(caller.clone()), expected_version: None, command };
        match carts.execute(cart.clone(), request, key(attempt)).await? {
            Answer::Rejected(Rejection::InBatch { position, because }) if position < left.len() => {
                left[position].mend(because.reason());
            }
            answer => return accepted(answer).map(Some),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(quantity: u32, was_minor: Option<i64>) -> Put {
        let (sku, name) = (Sku::parse("MUG").unwrap(), "Mug".to_owned());
        Put::new(Wanted { sku, properties: Properties::default(), name, quantity, was_minor })
    }

    fn reasons(put: &Put) -> Vec<&str> {
        put.reasons.iter().map(|reason| reason.name).collect()
    }

    #[test]
    fn a_line_comes_as_far_as_the_rules_let_it() {
        let sold =
            |available, wanted| Rejection::OutOfStock { sku: Sku::parse("MUG").unwrap(), available, wanted };
        let mut some = put(5, Some(1_000));
        some.mend(&sold(3, 5));
        assert_eq!((some.added, reasons(&some)), (3, vec!["out_of_stock"]));
        some.price(1_100);
        assert_eq!(reasons(&some), ["out_of_stock", "dearer"]);
        assert_eq!(some.fate().name(), "adjusted");
        // A shelf that empties while it is asked does not keep a shopper waiting for ever.
        let mut racing = put(9_000, None);
        for left in [8_999, 8_998, 8_997, 8_996] {
            racing.mend(&sold(left, left as u32 + 1));
        }
        assert_eq!((racing.added, racing.fate().name()), (0, "refused"));
        let mut whole = put(2, Some(1_000));
        whole.price(1_000);
        assert_eq!((whole.fate().name(), reasons(&whole)), ("restored", vec![]));
        whole.price(900);
        assert_eq!(reasons(&whole), ["cheaper"]);
    }
}
