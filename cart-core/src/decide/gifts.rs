//! Gifts follow their promotions: they come where one applies and go where it does not. A gift never takes pieces that the
//! cart's own lines need; one that cannot be had is not given, and the cart remembers why.

use super::{
    Facts,
    allocation::{Allocation, put_back, serving},
    pieces::{Obtained, expiry_after, holds_now, lacks, needs_of, obtain, policy_of},
};
use crate::{
    Balances, Cart, CartEvent, Line, LineHold, PromotionId, Rejection, evolve, promotion::Gift,
    quote::gifts_due,
};

/// Reports whether there may be something to do about the gifts of a cart: in most shops there is not.
pub(super) fn matter(cart: &Cart, facts: &Facts<'_>) -> bool {
    let has_any = cart.gifts().next().is_some() || !cart.gifts_out_of_stock.is_empty();
    has_any || facts.terms.promotions.is_giving()
}

/// Gives a cart the gifts that it is due as it stands, and takes out those that it is not. The stock must be known of every
/// product that may be given.
pub(super) fn settle(cart: &Cart, facts: &Facts<'_>) -> Vec<CartEvent> {
    if !matter(cart, facts) || cart.is_closed() || cart.is_expired() {
        return vec![];
    }
    let plan = Plan::of(cart, &cart.known, facts, vec![]);
    let mut events: Vec<_> = plan.gone.iter().map(|line| withdrawn(line)).collect();
    events.extend(plan.added);
    if !plan.holds.is_empty() {
        let holds_expire_at_ms = expiry_after(cart, facts, 1);
        events.push(CartEvent::LinesHeld { holds: plan.holds, holds_expire_at_ms });
    }
    if plan.out_of_stock != cart.gifts_out_of_stock {
        events.push(CartEvent::GiftsOutOfStock { promotions: plan.out_of_stock });
    }
    events
}

/// Refuses where the gifts that a cart shows are not those that it is due by now. A gift that could not be had is none: nobody
/// is kept from paying because one has arrived meanwhile.
pub(super) fn still_given(cart: &Cart, known: &Balances, facts: &Facts<'_>) -> Result<(), Rejection> {
    if !matter(cart, facts) {
        return Ok(());
    }
    let plan = Plan::of(cart, known, facts, cart.gifts_out_of_stock.clone());
    let gone: Vec<_> = plan.gone.iter().map(|line| line.name.clone()).collect();
    let new: Vec<_> = plan.added.iter().filter_map(name_of).collect();
    match gone.is_empty() && new.is_empty() {
        true => Ok(()),
        false => Err(Rejection::GiftsChanged { gone, new }),
    }
}

fn name_of(event: &CartEvent) -> Option<String> {
    match event {
        CartEvent::GiftAdded { name, .. } => Some(name.clone()),
        _ => None,
    }
}

/// Takes a gift out.
pub(super) fn withdrawn(line: &Line) -> CartEvent {
    CartEvent::GiftWithdrawn { line: line.id(), release: line.held, picks: line.picks.clone() }
}

/// A gift is declined that the cart has, or would have if it were there.
pub(super) fn decline(cart: &Cart, promotion: &PromotionId) -> Result<Vec<CartEvent>, Rejection> {
    if cart.gifts_declined.contains(promotion) {
        return Ok(vec![]);
    }
    let is_given = cart.gifts().any(|line| line.gift_of.as_ref() == Some(promotion));
    match is_given || cart.gifts_out_of_stock.contains(promotion) {
        true => Ok(vec![CartEvent::GiftDeclined { promotion: promotion.clone() }]),
        false => Err(Rejection::GiftNotFound { promotion: promotion.clone() }),
    }
}

pub(super) fn accept(cart: &Cart, promotion: &PromotionId) -> Vec<CartEvent> {
    match cart.gifts_declined.contains(promotion) {
        true => vec![CartEvent::GiftAccepted { promotion: promotion.clone() }],
        false => vec![],
    }
}

/// Says what is to become of the gifts of a cart.
struct Plan<'c> {
    /// The lines that are given no more.
    gone: Vec<&'c Line>,
    /// Those that are given from now on, as events.
    added: Vec<CartEvent>,
    /// What the others hold from now on.
    holds: Vec<LineHold>,
    /// The promotions whose gift cannot be had.
    out_of_stock: Vec<PromotionId>,
}

impl<'c> Plan<'c> {
    /// Each round finds a gift that cannot be had, which may let another promotion apply, until all are there.
    fn of(cart: &'c Cart, known: &Balances, facts: &Facts<'_>, mut out_of_stock: Vec<PromotionId>) -> Self {
        loop {
            let due = gifts_due(cart, known, facts.products, facts.terms, facts.now_ms, &out_of_stock);
            match Self::serve(cart, facts, &due) {
                Ok(plan) => return Self { out_of_stock, ..plan },
                Err(promotion) => out_of_stock.push(promotion),
            }
        }
    }

    /// Serves all gifts, or says the first promotion whose gift is not to be had.
    fn serve(cart: &'c Cart, facts: &Facts<'_>, due: &[Gift]) -> Result<Self, PromotionId> {
        let (kept, gone): (Vec<_>, Vec<_>) =
            cart.gifts().partition(|line| due.iter().any(|g| is_of(line, g)));
        let mut stock = facts.stock.clone();
        gone.iter().for_each(|line| put_back(&mut stock, line));
        let facts = Facts { stock: &stock, ..*facts };
        let serving = serving(cart, &facts);
        let is_astray = |line: &Line| line.holds().any(|(_, location, _)| !serving.contains(location));
        // What lies where it cannot be sent from is moved before it is sold, and so is looked for like what is not held.
        let bare = |line: &Line| match is_astray(line) {
            true => Line { held: 0, picks: vec![], ..line.clone() },
            false => line.clone(),
        };
        let mut allocation = Allocation::of(cart, &facts, || lacks(&facts, cart.lines.iter()));
        let mut obtain =
            |line: &Line| obtain(&mut allocation, &needs_of(&facts, line), line.quantity, Some(line)).ok();
        for line in cart.bought() {
            // What the cart's own lines cannot have is told where they are added, held or sold.
            obtain(&bare(line));
        }
        let mut after = cart.clone();
        gone.iter().for_each(|line| evolve(&mut after, &withdrawn(line)));
        let mut plan = Self { gone, added: vec![], holds: vec![], out_of_stock: vec![] };
        for gift in due {
            let out_of_stock = || gift.promotion.clone();
            let Some(line) = kept.iter().find(|line| is_of(line, gift)) else {
                let line = given(cart, &facts, gift).ok_or_else(out_of_stock)?;
                let obtained = obtain(&line).ok_or_else(out_of_stock)?;
                let added = added(&after, &facts, line, obtained);
                evolve(&mut after, &added);
                plan.added.push(added);
                continue;
            };
            let obtained = obtain(&bare(line)).ok_or_else(out_of_stock)?;
            let hold = line.quantity - line.held;
            if hold > 0 && !is_astray(line) && may_hold(cart, &facts, line) {
                let Obtained { picks, backordered } = obtained;
                plan.holds.push(LineHold { line: line.id(), hold, picks, backordered });
            }
        }
        Ok(plan)
    }
}

fn is_of(line: &Line, gift: &Gift) -> bool {
    line.gift_of.as_ref() == Some(&gift.promotion) && line.sku == gift.sku && line.quantity == gift.pieces
}

fn may_hold(cart: &Cart, facts: &Facts<'_>, line: &Line) -> bool {
    holds_now(cart, line.policy) && !needs_of(facts, line).is_empty()
}

/// Returns the line of a gift. Whether its product is listed does not matter: some are made to be given.
fn given(cart: &Cart, facts: &Facts<'_>, gift: &Gift) -> Option<Line> {
    let product = facts.products.product(&gift.sku)?;
    let policy = policy_of(cart, product);
    Some(Line {
        gift_of: Some(gift.promotion.clone()),
        parts: product.line_parts(),
        digital: product.is_digital(),
        ships_from_ms: product.ships_from_ms(facts.now_ms),
        ..Line::new(gift.sku.clone(), product.name.as_str(), gift.pieces, 0, policy)
    })
}

/// Puts the line of a gift into a cart, with what it gets of the stock.
fn added(cart: &Cart, facts: &Facts<'_>, line: Line, obtained: Obtained) -> CartEvent {
    let (hold, picks) = match may_hold(cart, facts, &line) {
        true => (line.quantity, obtained.picks),
        false => (0, vec![]),
    };
    let Line { sku, gift_of, name, policy, parts, digital, quantity, ships_from_ms, .. } = line;
    CartEvent::GiftAdded {
        promotion: gift_of.expect("the line is a gift"),
        sku,
        name,
        policy,
        parts,
        digital,
        quantity,
        hold,
        picks,
        backordered: obtained.backordered,
        ships_from_ms,
        holds_expire_at_ms: expiry_after(cart, facts, hold),
    }
}
