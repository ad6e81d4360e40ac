//! Holds that move between locations: when the cart's destination becomes known, pieces that cannot be sent from where they lie
//! are looked for elsewhere.

use std::collections::BTreeSet;

use super::{
    Facts,
    allocation::{Allocation, put_back, sending, serving, travels},
    gifts::withdrawn,
    pieces::{Obtained, lacks, needs_of, obtain},
};
use crate::{AllocationRule, Cart, CartEvent, HoldMove, Line, LocationId, Pick, Rejection, Sku};

/// Moves the cart's holds to locations that serve where it goes to and, where the rule says so, to fewer of them. A gift
/// that no location has which serves the destination is taken out.
///
/// # Errors
/// [`Rejection::OutOfStock`] where pieces are held that no location has which serves the destination.
pub(super) fn move_holds(cart: &Cart, facts: &Facts<'_>) -> Result<Vec<CartEvent>, Rejection> {
    let serving = serving(cart, facts);
    // What a line holds of a product that is no longer counted stays where it is: it would not be looked for anew.
    let is_counted = |line: &Line| line.held > 0 && !needs_of(facts, line).is_empty();
    let is_out_of_reach =
        |(sku, location, _): (&Sku, &LocationId, u32)| travels(facts, sku) && !serving.contains(location);
    let is_astray = |line: &Line| is_counted(line) && line.holds().any(is_out_of_reach);
    let any_astray = cart.lines.iter().any(is_astray);
    let gathers =
        facts.terms.locations.rule() == AllocationRule::FewestParcels && sending(cart, facts).len() > 1;
    if !any_astray && !gathers {
        return Ok(vec![]);
    }
    // Where something has to move, a gift that need not keeps its pieces.
    let may_gather = |line: &Line| gathers && !(any_astray && line.is_gift());
    let may_move = |line: &Line| is_astray(line) || (is_counted(line) && may_gather(line));
    // The pieces are put back in thought and looked for anew.
    let mut bare = cart.clone();
    let mut stock = facts.stock.clone();
    for line in bare.lines.iter_mut().filter(|line| may_move(line)) {
        put_back(&mut stock, line);
        (line.quantity, line.held) = (line.held, 0);
        line.picks.clear();
    }
    let facts = &Facts { stock: &stock, ..*facts };
    let lines: Vec<_> = cart.lines.iter().zip(&bare.lines).filter(|(line, _)| may_move(line)).collect();
    let mut allocation = Allocation::of(&bare, facts, || lacks(facts, lines.iter().map(|(_, bare)| *bare)));
    let (mut moves, mut events) = (vec![], vec![]);
    let mut after: BTreeSet<LocationId> = sending(&bare, facts).into_iter().cloned().collect();
    for (line, bare) in &lines {
        let needs = needs_of(facts, bare);
        let obtained = obtain(&mut allocation, &needs, bare.quantity, Some(bare));
        let Obtained { picks, backordered } = match obtained {
            Ok(obtained) => obtained,
            Err(_) if any_astray && line.is_gift() => {
                events.push(withdrawn(line));
                continue;
            }
            Err(rejection) if any_astray => return Err(rejection),
            Err(_) => return Ok(vec![]),
        };
        let to = said(line, picks);
        let sent = to.iter().filter(|pick| travels(facts, &pick.sku));
        after.extend(sent.map(|pick| pick.location.clone()));
        let from = said(line, line.picks.clone());
        if from != to {
            moves.push(HoldMove { line: line.id(), from, to, backordered });
        }
    }
    let is_better = any_astray || after.len() < sending(cart, facts).len();
    events.extend((is_better && !moves.is_empty()).then_some(CartEvent::HoldsMoved { moves }));
    Ok(events)
}

/// Returns where all held pieces of a line are, said of the main location too.
fn said(line: &Line, picks: Vec<Pick>) -> Vec<Pick> {
    match line.parts.is_empty() && picks.is_empty() {
        true => vec![Pick::new(line.sku.clone(), line.held)],
        false => picks,
    }
}
