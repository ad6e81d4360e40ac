//! Two carts become one: what a log-in does with the cart of a guest and that of the user.
//!
//! Pieces that are held move from line to line and never return to the shelf in between; what the other cart cannot
//! take is laid aside there for later and said in words. The cart that gives is empty afterwards and closed for good, so a
//! merge that is tried again finds nothing to move.

use serde::{Deserialize, Serialize};

use crate::{
    Cart, CartEvent, Facts, Line, LineId, LineRelease, Pick, Rejection, SavedLine, Stage, StockPolicy,
    VisitorId,
    decide::{
        add_line, marked,
        payment::{cancel, give_up_where_changed},
        pieces::expiry_after,
    },
    evolve,
    limits::{CART_CODES_MAX, CART_GIFT_CARDS_MAX, CART_LINES_MAX, SAVED_LINES_MAX},
};

/// Says what a log-in does where guest and user both have a cart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginCart {
    /// The guest's lines come into the user's cart; equal lines add up.
    #[default]
    Merge,
    /// The user's cart stays as it is; the guest's lines wait there for later.
    Keep,
    /// The guest's cart becomes the user's; the lines of the earlier one wait there for later.
    Replace,
}

/// Says what becomes of the lines of the cart that gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// They become lines.
    Added,
    /// They wait for later.
    LaidAside,
}

/// Is a line, or the rest of one, that a cart could not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftLine {
    /// The line.
    pub line: LineId,
    /// The product's name.
    pub name: String,
    /// The pieces that were not taken.
    pub quantity: u32,
    /// Whether they wait for later; otherwise there was no room for that either.
    pub is_saved: bool,
    /// Why they were not taken.
    pub because: Rejection,
}

/// Is what a merge comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// What happens to the cart that takes.
    pub into: Vec<CartEvent>,
    /// What happens to the cart that gives.
    pub from: Vec<CartEvent>,
    /// What could not be taken.
    pub left: Vec<LeftLine>,
}

/// Makes a cart a user's own.
///
/// # Errors
/// [`Rejection::CartClosed`] or [`Rejection::CartMerged`] where the cart is closed.
pub fn claim(cart: &Cart, owner: &VisitorId) -> Result<Vec<CartEvent>, Rejection> {
    cart.closed()?;
    Ok(match cart.owner == *owner {
        true => vec![],
        false => vec![CartEvent::CartClaimed { owner: owner.clone() }],
    })
}

/// Decides what comes of moving one cart into another. The facts must hold the stock of every line of the cart that
/// gives. What the carts are told of accounts and gifts follows with [`catch_up`](crate::catch_up), once both have changed.
///
/// # Errors
/// [`Rejection::CartClosed`] or [`Rejection::CartMerged`] where either is closed, [`Rejection::CartExpired`] where it is to
/// be reopened first.
pub fn merge(into: &Cart, from: &Cart, facts: &Facts<'_>, lines: Lines) -> Result<Merged, Rejection> {
    into.closed()?;
    from.closed()?;
    if into.is_expired() || from.is_expired() {
        return Err(Rejection::CartExpired);
    }
    let mut table =
        Table { cart: into.clone(), stock: facts.stock.clone(), facts, merged: Merged::default() };
    let mut releases = vec![];
    for line in &from.lines {
        let carried = match lines {
            // Gifts are given anew, by what the carts have become.
            _ if line.is_gift() => 0,
            Lines::Added => table.add(from, line),
            Lines::LaidAside => {
                table.lay_aside(line, line.quantity);
                0
            }
        };
        if line.held > carried {
            let picks = line.picks_of(line.held - carried);
            releases.push(LineRelease { line: line.id(), pieces: line.held - carried, picks });
        }
    }
    for saved in &from.saved {
        table.lay_aside_saved(saved.clone());
    }
    if lines == Lines::Added {
        for code in &from.codes {
            if !table.cart.codes.contains(code) && table.cart.codes.len() < CART_CODES_MAX {
                table.happens(CartEvent::CodeApplied { code: code.clone() });
            }
        }
        for card in &from.gift_cards {
            let cards = &table.cart.gift_cards;
            if cards.iter().all(|c| c.id != card.id) && cards.len() < CART_GIFT_CARDS_MAX {
                table.happens(CartEvent::GiftCardApplied { card: card.clone() });
            }
        }
        for promotion in &from.gifts_declined {
            if !table.cart.gifts_declined.contains(promotion) {
                table.happens(CartEvent::GiftDeclined { promotion: promotion.clone() });
            }
        }
        if from.uses_credit && !table.cart.uses_credit {
            table.happens(CartEvent::StoreCreditSet { on: true });
        }
        if table.cart.note.is_empty() && !from.note.is_empty() {
            table.happens(CartEvent::NoteSet { text: from.note.clone() });
        }
    }
    // What somebody is about to pay is another cart by now.
    table.merged.into = give_up_where_changed(into, table.merged.into);
    if let Some(attempt) = from.payment() {
        table.merged.from.extend(cancel(from, Some(&attempt.id)));
    }
    table.merged.from.push(CartEvent::CartMerged { into: into.id.clone(), releases });
    Ok(table.merged)
}

/// Is where the lines are moved one by one, each seeing what those before it took.
struct Table<'f> {
    cart: Cart,
    stock: crate::StockLevels,
    facts: &'f Facts<'f>,
    merged: Merged,
}

impl Table<'_> {
    fn happens(&mut self, event: CartEvent) {
        evolve(&mut self.cart, &event);
        self.stock.apply(&event);
        self.merged.into.push(event);
    }

    /// Adds as much of a line as the cart takes and lays the rest aside; returns the held pieces that went along.
    fn add(&mut self, from: &Cart, line: &Line) -> u32 {
        // The rules of its product may be others since it was added.
        let properties = marked(self.facts, &line.sku, &line.properties).into_owned();
        let line = &Line { properties, ..line.clone() };
        let (mut wanted, mut because) = (line.quantity, None);
        while wanted > 0 {
            match self.take(from, line, wanted) {
                Ok(event) => {
                    self.happens(event);
                    break;
                }
                Err(rejection) => {
                    wanted = rejection.lets_pass(wanted).min(wanted - 1);
                    // The first reason is the one that a shopper who adds all pieces would be told.
                    because.get_or_insert(rejection);
                }
            }
        }
        let rest = line.quantity - wanted;
        if let Some(because) = because.filter(|_| rest > 0) {
            let is_saved = self.lay_aside(line, rest);
            let (line, name) = (line.id(), line.name.clone());
            self.merged.left.push(LeftLine { line, name, quantity: rest, is_saved, because });
        }
        self.carried(line, wanted)
    }

    /// Returns how many held pieces go along: bundles that are made of other parts by now do not meet in one line.
    fn carried(&self, line: &Line, quantity: u32) -> u32 {
        let is_other = self.cart.line(&line.id()).is_some_and(|own| own.parts != line.parts);
        if is_other { 0 } else { line.held.min(quantity) }
    }

    /// Asks the rules of adding, with the held pieces already on the line that they will lie on.
    fn take(&mut self, from: &Cart, line: &Line, quantity: u32) -> Result<CartEvent, Rejection> {
        let id = line.id();
        let carried = self.carried(line, quantity);
        let at = self.cart.lines.iter().position(|l| l.is(&id));
        let Some(at) = at else {
            if self.cart.bought().count() >= CART_LINES_MAX {
                return Err(Rejection::CartFull);
            }
            let backordered = line.backordered.min(carried);
            let picks =
                if line.parts.is_empty() { line.picks_carried(carried) } else { picks_for(line, carried) };
            self.cart.lines.push(Line { quantity: 0, held: carried, picks, backordered, ..line.clone() });
            let added = self.ask(line, quantity);
            self.cart.lines.pop();
            let is_whole = quantity == line.quantity && from.currency == self.cart.currency;
            let is_whole = is_whole && from.group == self.cart.group;
            // A line that moves whole costs what its shopper was told, as whom the shop knows them now.
            let told_minor = is_whole.then_some(line.unit_price_minor);
            let expiry = self.expiry(carried);
            return added.map(|event| merged(event, from, line, carried, told_minor, expiry));
        };
        let own = self.cart.lines[at].clone();
        let is_held = match own.policy {
            StockPolicy::HoldOnAdd => true,
            StockPolicy::HoldAtCheckout => self.cart.stage != Stage::Open,
            StockPolicy::TakeAtOrder | StockPolicy::Untracked => false,
        };
        // Pieces that the cart lacks of its own stay lacking: they are no reason to refuse held ones.
        let promised = if is_held { own.quantity } else { own.held };
        let backordered = own.backordered + line.backordered.min(carried);
        let picks =
            if own.parts.is_empty() { own.picks.clone() } else { picks_for(&own, promised + carried) };
        self.cart.lines[at] = Line { held: promised + carried, picks, backordered, ..own.clone() };
        let added = self.ask(line, quantity);
        self.cart.lines[at] = own;
        let expiry = self.expiry(carried);
        added.map(|event| merged(event, from, line, carried, None, expiry))
    }

    /// Held pieces that come along renew the time of all holds, as pieces newly held do.
    fn expiry(&self, carried: u32) -> Option<i64> {
        expiry_after(&self.cart, self.facts, carried).filter(|_| carried > 0)
    }

    fn ask(&self, line: &Line, quantity: u32) -> Result<CartEvent, Rejection> {
        let facts = Facts { stock: &self.stock, ..*self.facts };
        let events = add_line(&self.cart, &facts, &line.sku, quantity, &line.properties)?;
        Ok(events.into_iter().next().expect("adding a line is one event"))
    }

    fn lay_aside(&mut self, line: &Line, quantity: u32) -> bool {
        let Line { sku, properties, name, .. } = line.clone();
        self.lay_aside_saved(SavedLine { sku, properties, name, quantity })
    }

    fn lay_aside_saved(&mut self, line: SavedLine) -> bool {
        let has_room = self.cart.saved_line(&line.id()).is_some() || self.cart.saved.len() < SAVED_LINES_MAX;
        if has_room {
            self.happens(CartEvent::LineLaidAside { line });
        }
        has_room
    }
}

/// Returns what a line of bundles that holds so many pieces holds of their parts.
fn picks_for(line: &Line, pieces: u32) -> Vec<Pick> {
    line.parts.iter().map(|p| Pick::new(p.sku.clone(), p.quantity * pieces)).collect()
}

/// Turns the event of adding into that of merging.
fn merged(
    added: CartEvent,
    from: &Cart,
    line: &Line,
    carried: u32,
    told_minor: Option<i64>,
    expiry: Option<i64>,
) -> CartEvent {
    let CartEvent::LineAdded {
        sku,
        properties,
        name,
        policy,
        digital,
        quantity,
        unit_price_minor,
        hold,
        picks,
        backordered,
        ships_from_ms,
        holds_expire_at_ms,
        ..
    } = added
    else {
        unreachable!("adding a line adds a line")
    };
    CartEvent::LineMerged {
        from: from.id.clone(),
        sku,
        properties,
        name,
        policy,
        // Only a new line takes them over.
        parts: line.parts.clone(),
        digital,
        quantity,
        unit_price_minor: told_minor.unwrap_or(unit_price_minor),
        carried,
        carried_picks: line.picks_carried(carried),
        hold,
        picks,
        backordered,
        ships_from_ms,
        holds_expire_at_ms: expiry.or(holds_expire_at_ms),
    }
}

impl Cart {
    /// Reports why a cart can change no more, where that is so.
    ///
    /// # Errors
    /// [`Rejection::CartClosed`] or [`Rejection::CartMerged`].
    pub fn closed(&self) -> Result<(), Rejection> {
        match &self.stage {
            Stage::Ordered { order_id, .. } => Err(Rejection::CartClosed { order_id: order_id.clone() }),
            Stage::Merged { into } => Err(Rejection::CartMerged { into: into.clone() }),
            Stage::Open | Stage::Checkout { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
