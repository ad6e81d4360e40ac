//! What a cart comes to, worked out with a pencil: prices as the season binds them, what promotions take off, and tax.

use std::collections::BTreeSet;

use cart_core::{LineId, PricePolicy, Sku};

use super::{
    book::Told,
    cart_book::CartBook,
    pencil::{handed_out, rounded, shared},
    price::{Asking, Prices},
    rebate::{Applied, Customer, Rebates, Thing},
    season::{Season, TaxRule},
    shop,
};

/// Is what the shop asks for its things today.
#[derive(Clone, Debug)]
pub struct Day {
    pub season: Season,
    pub prices: Prices,
    /// When lamps are released, in Unix milliseconds.
    pub lamps_from_ms: i64,
    pub now_ms: i64,
}

/// Is what a cart comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// Of each line, in the order of the cart.
    pub lines: Vec<BillLine>,
    /// With tax.
    pub shipping_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
    /// What promotions did.
    pub applied: Vec<Applied>,
}

/// Is what a line comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BillLine {
    pub unit_minor: i64,
    pub off_minor: i64,
    /// All of it, with tax.
    pub paid_minor: i64,
}

impl Day {
    /// Says what a piece costs the customer of a cart today, where so many are bought.
    pub fn today_minor(&self, cart: &CartBook, sku: &Sku, pieces: i64) -> i64 {
        let asking = Asking { currency: cart.currency, group: cart.group.as_ref(), now_ms: self.now_ms };
        self.prices.of(sku, pieces, asking)
    }

    /// Says what a piece of a line costs, by what its shopper was told.
    fn unit_minor(&self, cart: &CartBook, id: &LineId) -> i64 {
        let (pieces, told) = cart.lines[id];
        match self.season.prices {
            PricePolicy::Hold => told,
            PricePolicy::Follow | PricePolicy::Tell => self.today_minor(cart, id.sku(), pieces),
        }
    }

    /// Lists the lines that cost something else than the shopper was told.
    pub fn changed(&self, cart: &CartBook) -> BTreeSet<LineId> {
        let is_changed = |id: &&LineId| self.unit_minor(cart, id) != cart.lines[*id].1;
        cart.lines.keys().filter(is_changed).cloned().collect()
    }

    /// Says what promotions take off the things of a cart, whose lines stand in this order.
    fn rebates(
        &self,
        cart: &CartBook,
        order: &[LineId],
        told: &Told,
        gift_is_there: bool,
    ) -> (Rebates<'_>, Vec<Thing>) {
        let thing = |(place, id): (usize, &LineId)| {
            let (pieces, _) = *cart.lines.get(id)?;
            let unit_minor = self.unit_minor(cart, id);
            Some(Thing { place, sku: id.sku().clone(), pieces, unit_minor, left: pieces * unit_minor })
        };
        let mut things: Vec<Thing> = order.iter().enumerate().filter_map(thing).collect();
        let customer = Customer { cart, told, now_ms: self.now_ms, gift_is_there };
        let rebates = Rebates::take(&self.season.deals, &mut things, customer);
        things.sort_by_key(|thing| thing.place);
        (rebates, things)
    }

    /// Says what a cart is given, if that can be had.
    pub fn gift(&self, cart: &CartBook, order: &[LineId], told: &Told) -> Option<(LineId, i64)> {
        self.rebates(cart, order, told, true).0.gift()
    }

    /// Makes out the bill.
    pub fn bill(&self, cart: &CartBook, order: &[LineId], told: &Told, gift_is_there: bool) -> Bill {
        let (rebates, things) = self.rebates(cart, order, told, gift_is_there);
        let mut bill = Bill { lines: vec![BillLine::default(); order.len()], ..Bill::default() };
        // Which line each amount belongs to: a bundle is taxed as its parts are.
        let (mut amounts, mut line_of) = (vec![], vec![]);
        for Thing { place, sku, pieces, unit_minor, left } in &things {
            let off_minor = pieces * unit_minor - left;
            bill.lines[*place] = BillLine { unit_minor: *unit_minor, off_minor, paid_minor: 0 };
            for amount in self.by_rate(cart, sku, *left) {
                amounts.push(amount);
                line_of.push(*place);
            }
        }
        let shipping_minor = self.shipping_minor(cart, order, &rebates, things.iter().map(|t| t.left).sum());
        let taxed = tax(self.season.tax, cart.country.as_deref(), &amounts, shipping_minor);
        for (n, Taxed { net, tax }) in taxed.iter().enumerate() {
            let paid_minor = match line_of.get(n) {
                Some(line) => &mut bill.lines[*line].paid_minor,
                None => &mut bill.shipping_minor,
            };
            *paid_minor += net + tax;
            bill.tax_minor += tax;
            bill.total_minor += net + tax;
        }
        bill.applied = rebates.applied;
        bill
    }

    /// Says what the chosen way to travel costs; gifts travel along, downloads do not.
    fn shipping_minor(
        &self,
        cart: &CartBook,
        order: &[LineId],
        rebates: &Rebates<'_>,
        things_minor: i64,
    ) -> i64 {
        let pieces = |id: &LineId| cart.lines.get(id).map_or_else(|| cart.gifts[id], |(pieces, _)| *pieces);
        let travelling: i64 = order.iter().filter(|id| !shop::is_digital(id.sku())).map(pieces).sum();
        match &cart.method {
            Some(method) if travelling > 0 => {
                rebates.charge(method, self.season.carriage.charge(method, travelling, things_minor))
            }
            _ => 0,
        }
    }

    /// Shares what a line costs among the rates that its parts fall under, by what they cost alone.
    fn by_rate(&self, cart: &CartBook, sku: &Sku, minor: i64) -> Vec<Amount> {
        let mut weights: Vec<(bool, i64)> = vec![];
        for (part, pieces) in shop::made_of(sku) {
            let is_reduced = shop::is_reduced(&part);
            let weight = self.today_minor(cart, &part, 1) * pieces;
            match weights.iter_mut().find(|(known, _)| *known == is_reduced) {
                Some((_, sum)) => *sum += weight,
                None => weights.push((is_reduced, weight)),
            }
        }
        let shares = shared(minor, &weights.iter().map(|(_, weight)| *weight).collect::<Vec<_>>());
        weights
            .iter()
            .zip(shares)
            .map(|((is_reduced, _), minor)| Amount { is_reduced: *is_reduced, minor })
            .collect()
    }
}

#[derive(Clone, Copy)]
struct Amount {
    is_reduced: bool,
    minor: i64,
}

/// Is an amount before tax, and its tax.
#[derive(Clone, Copy, Default)]
struct Taxed {
    net: i64,
    tax: i64,
}

/// A whole in the parts that rates count in.
const WHOLE: i128 = 1_000_000_000_000;

fn rate(country: &str, is_reduced: bool) -> i128 {
    match (country, is_reduced) {
        ("GB", false) => WHOLE / 5,
        ("GB", true) => WHOLE / 20,
        // A twentieth, and 9.975 % of the price with that.
        ("CA", false) => WHOLE / 20 + WHOLE / 20 * 21 * 9_975 / 100_000,
        _ => 0,
    }
}

/// Taxes amounts, and then the parts of the shipping.
fn tax(rule: Option<TaxRule>, country: Option<&str>, amounts: &[Amount], shipping_minor: i64) -> Vec<Taxed> {
    let shipped = || shipping_of(amounts, shipping_minor);
    let country = country.unwrap_or("GB");
    match rule {
        Some(rule) if rule.keeps_net && country != "GB" => {
            let at_home = add(rule, "GB", amounts, &shipped(), true);
            let (lines, shipping) = at_home.split_at(amounts.len());
            let net = |(amount, taxed): (&Amount, &Taxed)| Amount { minor: taxed.net, ..*amount };
            let lines: Vec<_> = amounts.iter().zip(lines).map(net).collect();
            let shipping = shipping_of(&lines, shipping.iter().map(|taxed| taxed.net).sum());
            add(rule, country, &lines, &shipping, false)
        }
        Some(rule) => add(rule, country, amounts, &shipped(), rule.is_included),
        None => amounts.iter().chain(&shipped()).map(|a| Taxed { net: a.minor, tax: 0 }).collect(),
    }
}

/// Shares the shipping among the rates of what is sold, in the order of their names; where that costs nothing, it falls under
/// the usual one.
fn shipping_of(amounts: &[Amount], minor: i64) -> Vec<Amount> {
    let sum = |of| amounts.iter().filter(|a| a.is_reduced == of).map(|a| a.minor).sum::<i64>();
    let shares = match [sum(true), sum(false)] {
        [0, 0] => vec![0, minor],
        weights => shared(minor, &weights),
    };
    [true, false].into_iter().zip(shares).map(|(is_reduced, minor)| Amount { is_reduced, minor }).collect()
}

fn add(
    rule: TaxRule,
    country: &str,
    amounts: &[Amount],
    shipping: &[Amount],
    is_included: bool,
) -> Vec<Taxed> {
    let all: Vec<Amount> = amounts.iter().chain(shipping).copied().collect();
    let mut taxed: Vec<Taxed> = all.iter().map(|a| Taxed { net: a.minor, tax: 0 }).collect();
    for is_reduced in [true, false] {
        let rate = rate(country, is_reduced);
        let whole = if is_included { WHOLE + rate } else { WHOLE };
        let of: Vec<usize> = (0..all.len()).filter(|n| all[*n].is_reduced == is_reduced).collect();
        let exact: Vec<i128> = of.iter().map(|n| i128::from(all[*n].minor) * rate).collect();
        let taxes = match rule.is_per_order {
            true => handed_out(rounded(exact.iter().sum(), whole, rule.is_half_even), &exact, whole),
            false => exact.iter().map(|exact| rounded(*exact, whole, rule.is_half_even) as i64).collect(),
        };
        for (n, tax) in of.into_iter().zip(taxes) {
            taxed[n] = Taxed { net: all[n].minor - if is_included { tax } else { 0 }, tax };
        }
    }
    taxed
}
