//! What a cart comes to, worked out with a pencil: prices as the season binds them, a tenth off, and tax.

use std::{cmp::Reverse, collections::BTreeSet};

use cart_core::{Currency, LineId, PricePolicy, Sku};

use super::{
    cart_book::CartBook,
    season::{Season, TaxRule, gift_id},
    shop::{self, EXPRESS_MINOR, GIFT_CODE, Prices},
};

/// Is what the shop asks for its things today.
#[derive(Clone, Debug)]
pub struct Day {
    pub season: Season,
    pub prices: Prices,
    /// When lamps are released, in Unix milliseconds.
    pub lamps_from_ms: i64,
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
}

impl Bill {
    /// Says what the things cost, before shipping and tax.
    pub fn things_minor(&self, cart: &CartBook, order: &[LineId]) -> i64 {
        let pieces = |id: &LineId| cart.lines.get(id).map_or(0, |(pieces, _)| *pieces);
        order.iter().zip(&self.lines).map(|(id, line)| pieces(id) * line.unit_minor - line.off_minor).sum()
    }
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
    /// Says what a piece costs today.
    pub fn today_minor(&self, sku: &Sku, currency: Currency) -> i64 {
        self.prices[&(sku.clone(), currency)]
    }

    /// Says what a piece of a line costs, by what its shopper was told.
    fn unit_minor(&self, cart: &CartBook, id: &LineId) -> i64 {
        match self.season.prices {
            PricePolicy::Hold => cart.lines[id].1,
            PricePolicy::Follow | PricePolicy::Tell => self.today_minor(id.sku(), cart.currency),
        }
    }

    /// Lists the lines that cost something else than the shopper was told.
    pub fn changed(&self, cart: &CartBook) -> BTreeSet<LineId> {
        let is_changed = |id: &&LineId| self.unit_minor(cart, id) != cart.lines[*id].1;
        cart.lines.keys().filter(is_changed).cloned().collect()
    }

    /// Says what a cart is given that has to pay so much for its things, before tax; whether it can be had is not asked.
    pub fn gift(&self, cart: &CartBook, minor: i64) -> Option<(LineId, i64)> {
        let (rule, id) = (self.season.gift?, gift_id(self.season.number));
        let has_code = !rule.needs_code || cart.codes.contains(&shop::code(GIFT_CODE));
        let is_due = has_code && !cart.lines.is_empty() && minor >= rule.min_minor;
        (is_due && !cart.declined.contains(&id))
            .then(|| (LineId::of_gift(shop::sku(rule.sku), &id), rule.pieces))
    }

    /// Makes out the bill. All prices are whole tens, so that a tenth is exact.
    pub fn bill(&self, cart: &CartBook, order: &[LineId], is_discounted: bool) -> Bill {
        let (mut bill, mut amounts) = (Bill::default(), vec![]);
        // Which line each amount belongs to: a bundle is taxed as its parts are.
        let mut line_of = vec![];
        for (at, id) in order.iter().enumerate() {
            let Some((pieces, _)) = cart.lines.get(id).copied() else {
                assert!(cart.gifts.contains_key(id), "{id} is nowhere");
                bill.lines.push(BillLine::default());
                continue;
            };
            let unit_minor = self.unit_minor(cart, id);
            let off_minor = if is_discounted { pieces * unit_minor / 10 } else { 0 };
            bill.lines.push(BillLine { unit_minor, off_minor, paid_minor: 0 });
            for amount in self.by_rate(id.sku(), cart.currency, pieces * unit_minor - off_minor) {
                amounts.push(amount);
                line_of.push(at);
            }
        }
        let travels = order.iter().any(|id| !shop::is_digital(id.sku()));
        let shipping_minor = if cart.express && travels { EXPRESS_MINOR } else { 0 };
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
        bill
    }

    /// Shares what a line costs among the rates that its parts fall under, by what they cost alone.
    fn by_rate(&self, sku: &Sku, currency: Currency, minor: i64) -> Vec<Amount> {
        let mut weights: Vec<(bool, i64)> = vec![];
        for (part, pieces) in shop::made_of(sku) {
            let (is_reduced, weight) = (shop::is_reduced(&part), self.today_minor(&part, currency) * pieces);
            match weights.iter_mut().find(|(known, _)| *known == is_reduced) {
                Some((_, sum)) => *sum += weight,
                None => weights.push((is_reduced, weight)),
            }
        }
        let sum: i64 = weights.iter().map(|(_, weight)| weight).sum();
        let exact = weights.iter().map(|(_, weight)| i128::from(minor * weight)).collect::<Vec<_>>();
        let shares = handed_out(minor.into(), &exact, sum.into());
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

/// Shares the shipping among the rates of what is sent, in the order of their names.
fn shipping_of(amounts: &[Amount], minor: i64) -> Vec<Amount> {
    let sum = |of| amounts.iter().filter(|a| a.is_reduced == of).map(|a| i128::from(a.minor)).sum::<i128>();
    let weights = [sum(true), sum(false)];
    let exact = weights.map(|weight| i128::from(minor) * weight);
    let shares = handed_out(minor.into(), &exact, weights.iter().sum::<i128>().max(1));
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

/// Rounds a fraction that is not below 0 to the nearest whole number.
fn rounded(exact: i128, whole: i128, is_half_even: bool) -> i128 {
    let below = exact / whole;
    match (2 * exact).cmp(&(2 * below * whole + whole)) {
        std::cmp::Ordering::Less => below,
        std::cmp::Ordering::Equal if is_half_even => below + below % 2,
        _ => below + 1,
    }
}

/// Hands a sum out in whole numbers: one by one to the first of those that lack most of their exact shares.
fn handed_out(sum: i128, exact: &[i128], whole: i128) -> Vec<i64> {
    let mut shares: Vec<i128> = exact.iter().map(|exact| exact / whole).collect();
    while !shares.is_empty() && shares.iter().sum::<i128>() < sum {
        let lacks = |n: &usize| (exact[*n] - shares[*n] * whole, Reverse(*n));
        let next = (0..shares.len()).max_by_key(lacks).expect("some share");
        shares[next] += 1;
    }
    shares.into_iter().map(|share| i64::try_from(share).expect("a share of a sum")).collect()
}
