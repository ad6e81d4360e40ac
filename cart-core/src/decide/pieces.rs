//! The rules of pieces: when a line takes them from the stock, for how long, and how many of them ship later.

use super::{Facts, allocation::Allocation};
use crate::{
    Cart, CartEvent, Line, LineHold, LinePart, LineRelease, Pick, Product, Rejection, Sku, Stage, StockPolicy,
};

/// Says what a line would get of the stock.
pub(super) struct Served {
    /// Pieces to hold now.
    pub hold: u32,
    /// What that holds of the parts of a bundle, and where it does not hold pieces in the main location alone.
    pub picks: Vec<Pick>,
    /// Pieces of the line that ship later.
    pub backordered: u32,
}

/// Says what a line takes from the stock: pieces of its product, or of its parts.
pub(super) struct Needs<'a> {
    sku: &'a Sku,
    is_bundle: bool,
    /// The products that are counted, with their pieces in one of the line.
    each: Vec<(&'a Sku, u32)>,
}

impl<'a> Needs<'a> {
    /// Returns what a line lacks of each product.
    pub fn missing(&self, line: &Line) -> impl Iterator<Item = (&'a Sku, u32)> {
        self.lacking(line.quantity, Some(line))
    }

    /// Returns what a line lacks of each product that wants so many pieces.
    pub fn lacking(&self, wanted: u32, line: Option<&Line>) -> impl Iterator<Item = (&'a Sku, u32)> {
        let held = move |sku: &Sku| line.map_or(0, |line| line.holds_of(sku));
        self.each.iter().map(move |(sku, each)| (*sku, (wanted * each).saturating_sub(held(sku))))
    }

    /// Reports whether nothing of the line is counted.
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }
}

/// Returns what a line of a product, or of its parts, takes from the stock.
pub(super) fn needs<'a>(
    facts: &Facts<'_>,
    policy: StockPolicy,
    sku: &'a Sku,
    parts: &'a [LinePart],
) -> Needs<'a> {
    let is_counted = |part: &&LinePart| {
        facts.products.product(&part.sku).is_none_or(|product| product.stock_policy.is_tracked())
    };
    let each = match (policy.is_tracked(), parts) {
        (false, _) => vec![],
        (true, []) => vec![(sku, 1)],
        (true, parts) => parts.iter().filter(is_counted).map(|part| (&part.sku, part.quantity)).collect(),
    };
    Needs { sku, is_bundle: !parts.is_empty(), each }
}

/// Returns when a cart takes the pieces of a product.
pub(super) fn policy_of(cart: &Cart, product: &Product) -> StockPolicy {
    cart.workflow.stock_policy(product.stock_policy)
}

/// Serves a line that wants so many pieces, from what is in the stock.
pub(super) fn serve(
    cart: &Cart,
    facts: &Facts<'_>,
    policy: StockPolicy,
    needs: &Needs<'_>,
    wanted: u32,
    line: Option<&Line>,
) -> Result<Served, Rejection> {
    let (held, late) = line.map_or((0, 0), |l| (l.held, l.backordered.min(l.held)));
    let missing = wanted.saturating_sub(held);
    if needs.is_empty() || missing == 0 {
        return Ok(Served { hold: 0, picks: vec![], backordered: late });
    }
    let mut allocation = Allocation::of(cart, facts, || needs.lacking(wanted, line).collect());
    let obtained = obtain(&mut allocation, needs, wanted, line)?;
    // A line that promises nothing yet is still refused when too few pieces are to be had.
    let (hold, picks) = if holds_now(cart, policy) { (missing, obtained.picks) } else { (0, vec![]) };
    Ok(Served { hold, picks, backordered: obtained.backordered })
}

pub(super) fn holds_now(cart: &Cart, policy: StockPolicy) -> bool {
    match policy {
        StockPolicy::HoldOnAdd => true,
        StockPolicy::HoldAtCheckout => cart.stage != Stage::Open,
        StockPolicy::TakeAtOrder | StockPolicy::Untracked => false,
    }
}

/// Says what a line gets that lacks pieces.
pub(super) struct Obtained {
    /// The missing pieces of the parts of a bundle, and where those of a plain line do not all lie in the main location.
    pub picks: Vec<Pick>,
    /// Pieces of the line that ship later.
    pub backordered: u32,
}

/// Gets a line all of its pieces that it does not hold yet.
///
/// Nobody's line lacks more pieces than all lines together, so what has arrived meanwhile is counted in.
pub(super) fn obtain(
    allocation: &mut Allocation<'_>,
    needs: &Needs<'_>,
    wanted: u32,
    line: Option<&Line>,
) -> Result<Obtained, Rejection> {
    let (held, late) = line.map_or((0, 0), |l| (l.held, l.backordered.min(l.held)));
    let mut obtained = Obtained { picks: vec![], backordered: 0 };
    // So many of the line are to be had, where some are missing that are not.
    let mut scarcest: Option<i64> = None;
    for ((sku, missing), (_, each)) in needs.lacking(wanted, line).zip(&needs.each) {
        let supply = allocation.supply(sku);
        let obtainable = supply.obtainable(allocation.owed_max(sku));
        if missing > 0 && obtainable < i64::from(missing) {
            let whole = obtainable.max(0) / i64::from(*each);
            scarcest = Some(scarcest.map_or(whole, |least| least.min(whole)));
            continue;
        }
        let short = u32::try_from(i64::from(missing) - supply.there).unwrap_or(0);
        let still_late = (late * each).min(u32::try_from(supply.lacking).unwrap_or(u32::MAX));
        obtained.backordered = obtained.backordered.max((still_late + short).div_ceil(*each));
        allocation.take(sku, missing, &mut obtained.picks);
    }
    // What is said of a plain line says where its pieces are, which need not be said of the main location.
    if !needs.is_bundle && obtained.picks.iter().all(|pick| pick.location.is_main()) {
        obtained.picks.clear();
    }
    match scarcest {
        None => Ok(obtained),
        Some(available) => {
            let wanted = wanted.saturating_sub(held);
            Err(Rejection::OutOfStock { sku: needs.sku.clone(), available, wanted })
        }
    }
}

/// Lets every line hold all its pieces that may hold any by now; none where each does already. Gifts are settled later.
pub(super) fn hold_lines(cart: &Cart, facts: &Facts<'_>) -> Result<Option<CartEvent>, Rejection> {
    let may_hold = |line: &&Line| {
        let holds = matches!(line.policy, StockPolicy::HoldOnAdd | StockPolicy::HoldAtCheckout);
        holds && line.quantity > line.held && !line.is_gift()
    };
    let lines = || cart.lines.iter().filter(may_hold).map(|line| (line, needs_of(facts, line)));
    let mut allocation = Allocation::of(cart, facts, || lacks(facts, cart.lines.iter().filter(may_hold)));
    let mut holds = vec![];
    for (line, needs) in lines().filter(|(_, needs)| !needs.is_empty()) {
        let Obtained { picks, backordered } = obtain(&mut allocation, &needs, line.quantity, Some(line))?;
        holds.push(LineHold { line: line.id(), hold: line.quantity - line.held, picks, backordered });
    }
    let holds_expire_at_ms = expiry_after(cart, facts, 1);
    Ok((!holds.is_empty()).then_some(CartEvent::LinesHeld { holds, holds_expire_at_ms }))
}

/// Returns what some lines lack of each product.
pub(super) fn lacks<'a>(facts: &Facts<'_>, lines: impl Iterator<Item = &'a Line>) -> Vec<(&'a Sku, u32)> {
    lines.flat_map(|line| needs_of(facts, line).missing(line).collect::<Vec<_>>()).collect()
}

/// Returns what a line of a cart takes from the stock.
pub(super) fn needs_of<'a>(facts: &Facts<'_>, line: &'a Line) -> Needs<'a> {
    needs(facts, line.policy, &line.sku, &line.parts)
}

/// Every change that holds pieces renews the time of all the cart's holds.
pub(crate) fn expiry_after(cart: &Cart, facts: &Facts<'_>, hold: u32) -> Option<i64> {
    match hold {
        0 => cart.holds_expire_at_ms,
        _ => Some(facts.now_ms + cart.workflow.hold_ms().unwrap_or(facts.hold_ms)),
    }
}

/// Returns the pieces that each line holds.
pub(super) fn holds(cart: &Cart) -> Vec<LineRelease> {
    let release = |l: &Line| LineRelease { line: l.id(), pieces: l.held, picks: l.picks.clone() };
    cart.lines.iter().filter(|l| l.held > 0).map(release).collect()
}

pub(super) fn expire_holds(cart: &Cart, now_ms: i64) -> Vec<CartEvent> {
    match cart.holds_expire_at_ms {
        Some(end) if end <= now_ms => vec![CartEvent::HoldsExpired { releases: holds(cart) }],
        _ => vec![],
    }
}
