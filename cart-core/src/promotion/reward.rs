//! What a promotion takes off, and off which lines.

use std::sync::Arc;

use super::{
    Amounts, Benefit, NotApplied, Per, Pick, Tier, WHOLE_BP,
    basket::Basket,
    gather::{Gathering, Picked, sort_cheapest_first, sort_dearest_first, value},
    index::SelectorId,
};
use crate::{Currency, Money, allocate::allocate_in_place};

/// Is what a promotion takes off a basket.
#[derive(Debug, Default)]
pub(super) struct Reward {
    pub(super) off: i64,
    pub(super) times: u64,
    pub(super) shares: Vec<(u32, i64)>,
    pub(super) next_tier: Option<Box<NotApplied>>,
}

/// Is a selector of a benefit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) selector: SelectorId,
    pub(super) label: Option<Arc<str>>,
}

/// Asks what a benefit is worth.
#[derive(Clone, Copy)]
pub(super) struct Rewarding<'a> {
    pub(super) basket: &'a Basket,
    pub(super) currency: Currency,
    /// The benefit's selectors, in the order of its fields.
    pub(super) targets: &'a [Target],
    pub(super) skip_discounted_lines: bool,
}

/// Returns a percentage of an amount, to the nearest whole; exact halves go up.
pub(crate) fn percent(amount: i128, bp: u32) -> i128 {
    let whole = i128::from(WHOLE_BP);
    (2 * amount * i128::from(bp) + whole) / (2 * whole)
}

fn clamp(minor: i128) -> i64 {
    i64::try_from(minor).unwrap_or(i64::MAX)
}

/// Returns how often something happens that a limit and the pieces allow.
fn at_most(times: u64, times_max: Option<u32>) -> u64 {
    times_max.map_or(times, |max| times.min(u64::from(max)))
}

impl Benefit {
    /// Reports whether it has all amounts that it needs in a currency.
    pub(super) fn knows(&self, currency: Currency) -> bool {
        let knows = |amounts: &Amounts| amounts.is_empty() || amounts.contains_key(&currency);
        match self {
            Self::Percentage { max_minor, .. } | Self::FreeShipping { max_minor, .. } => knows(max_minor),
            Self::Fixed { off_minor, .. } => knows(off_minor),
            Self::Tiered { tiers, .. } => tiers.iter().any(|tier| tier.knows(currency)),
            Self::BundlePrice { price_minor, .. } => knows(price_minor),
            Self::BuyGet { .. } | Self::CheapestFree { .. } | Self::Gift { .. } => true,
        }
    }
}

impl Tier {
    fn knows(&self, currency: Currency) -> bool {
        let knows = |amounts: &Amounts| amounts.is_empty() || amounts.contains_key(&currency);
        knows(&self.from_minor) && knows(&self.off_minor)
    }
}

impl Rewarding<'_> {
    /// Returns what a benefit takes off; more than nothing, except for gifts and shipping.
    pub(super) fn of(&self, benefit: &Benefit) -> Result<Reward, NotApplied> {
        match benefit {
            Benefit::Percentage { off_bp, max_minor, .. } => {
                let (lines, sum) = self.open_lines(0)?;
                let off = percent(sum, *off_bp).min(self.amount(max_minor)?.unwrap_or(i64::MAX).into());
                self.share(clamp(off), lines)
            }
            Benefit::Fixed { off_minor, per, .. } => self.fixed(self.amount(off_minor)?.unwrap_or(0), *per),
            Benefit::Tiered { tiers, .. } => self.tiered(tiers),
            Benefit::BuyGet { buy_pieces, get_pieces, off_bp, pick, times_max, .. } => {
                self.buy_get((*buy_pieces).into(), (*get_pieces).into(), *off_bp, *pick, *times_max)
            }
            Benefit::CheapestFree { of_pieces, free_pieces, times_max, .. } => {
                self.cheapest_free((*of_pieces).into(), (*free_pieces).into(), *times_max)
            }
            Benefit::BundlePrice { parts, price_minor, times_max } => {
                let pieces = parts.iter().map(|part| part.pieces);
                self.bundle(pieces, self.amount(price_minor)?.unwrap_or(0), *times_max)
            }
            Benefit::FreeShipping { .. } | Benefit::Gift { .. } => {
                Ok(Reward { times: 1, ..Reward::default() })
            }
        }
    }

    /// Returns the amount in the cart's currency; nothing where no amounts are given at all.
    fn amount(&self, amounts: &Amounts) -> Result<Option<i64>, NotApplied> {
        match amounts.get(&self.currency) {
            None if !amounts.is_empty() => Err(NotApplied::Currency { currency: self.currency }),
            amount => Ok(amount.copied()),
        }
    }

    fn walk(&self, target: usize) -> impl Iterator<Item = usize> + use<'_> {
        self.basket.open_lines(self.targets[target].selector, self.skip_discounted_lines)
    }

    /// Returns why nothing can be taken off a target.
    fn emptiness(&self, target: usize) -> NotApplied {
        let Target { selector, label } = &self.targets[target];
        match self.basket.lacks(*selector) {
            true => NotApplied::NothingSelected { of: label.clone() },
            false => NotApplied::NothingLeft,
        }
    }

    /// Returns what shoppers may call what any of some targets selects, which are bits; nothing where that is anything.
    fn any_of(&self, targets: usize) -> Option<Arc<str>> {
        let named = self.targets.iter().enumerate().filter(|(n, _)| targets & (1 << n) != 0);
        let mut labels: Vec<&str> =
            named.map(|(_, target)| target.label.as_deref()).collect::<Option<_>>()?;
        labels.dedup();
        Some(labels.join(" or ").into())
    }

    /// Returns the lines of a target with what is left of each, and their sum.
    fn open_lines(&self, target: usize) -> Result<(Vec<(u32, i64)>, i128), NotApplied> {
        let (mut lines, mut sum) = (Vec::with_capacity(self.basket.left.len()), 0);
        for line in self.walk(target) {
            let left = self.basket.left[line];
            lines.push((line as u32, left));
            sum += i128::from(left);
        }
        if lines.is_empty() { Err(self.emptiness(target)) } else { Ok((lines, sum)) }
    }

    /// Shares what is taken off in proportion to what the lines weigh; it is not above their sum.
    fn share(&self, off: i64, mut lines: Vec<(u32, i64)>) -> Result<Reward, NotApplied> {
        if off == 0 {
            return Err(NotApplied::TooLittle);
        }
        allocate_in_place(off, &mut lines, |(_, weight)| weight);
        lines.retain(|(_, share)| *share > 0);
        Ok(Reward { off, times: 1, shares: lines, next_tier: None })
    }

    fn fixed(&self, minor: i64, per: Per) -> Result<Reward, NotApplied> {
        let (mut lines, sum) = self.open_lines(0)?;
        if per == Per::Cart {
            return self.share(clamp(sum.min(minor.into())), lines);
        }
        let (mut off, mut times) = (0, 0);
        for (line, left) in &mut lines {
            let quantity = self.basket.quantity[*line as usize];
            *left = clamp((i128::from(quantity) * i128::from(minor)).min((*left).into()));
            off += i128::from(*left);
            times += u64::from(quantity);
        }
        Ok(Reward { off: clamp(off), times, shares: lines, next_tier: None })
    }

    fn tiered(&self, tiers: &[Tier]) -> Result<Reward, NotApplied> {
        let (lines, sum) = self.open_lines(0)?;
        let pieces = lines.iter().map(|(line, _)| u64::from(self.basket.quantity[*line as usize])).sum();
        let known = || tiers.iter().filter(|tier| tier.knows(self.currency));
        let is_reached = |tier: &&Tier| self.lacking(tier, pieces, sum).is_none();
        let next_tier =
            known().find(|tier| !is_reached(tier)).and_then(|tier| self.lacking(tier, pieces, sum));
        let Some(tier) = known().rfind(is_reached) else {
            return Err(next_tier.unwrap_or(NotApplied::Currency { currency: self.currency }));
        };
        let off = match tier.off_bp {
            Some(off_bp) => percent(sum, off_bp),
            None => sum.min(self.amount(&tier.off_minor)?.unwrap_or(0).into()),
        };
        Ok(Reward { next_tier: next_tier.map(Box::new), ..self.share(clamp(off), lines)? })
    }

    /// Returns what is lacking to reach a tier.
    fn lacking(&self, tier: &Tier, pieces: u64, sum: i128) -> Option<NotApplied> {
        let of = || self.targets[0].label.clone();
        if let Some(from) = tier.from_pieces {
            let lacking = u64::from(from).saturating_sub(pieces);
            return (lacking > 0).then(|| NotApplied::PiecesLacking { pieces: lacking, of: of() });
        }
        let from = tier.from_minor.get(&self.currency).copied().unwrap_or(0);
        let lacking = i128::from(from) - sum;
        let money = || Money::new(clamp(lacking), self.currency);
        (lacking > 0).then(|| NotApplied::SumLacking { lacking: money(), of: of() })
    }

    /// Takes a percentage off the value of pieces.
    fn reduce(&self, picked: &[Picked], off_bp: u32, times: u64) -> Result<Reward, NotApplied> {
        let values: Vec<_> = picked.iter().map(|p| (p.line, value(self.basket, *p))).collect();
        let sum = values.iter().map(|(_, minor)| i128::from(*minor)).sum();
        Ok(Reward { times, ..self.share(clamp(percent(sum, off_bp)), values)? })
    }

    fn buy_get(
        &self,
        buy: u64,
        get: u64,
        off_bp: u32,
        pick: Pick,
        times_max: Option<u32>,
    ) -> Result<Reward, NotApplied> {
        const BUY: u8 = 1;
        const GET: u8 = 2;
        let mut roles = vec![0_u8; self.basket.quantity.len()];
        self.walk(0).for_each(|line| roles[line] |= BUY);
        self.walk(1).for_each(|line| roles[line] |= GET);
        let pieces = |role: u8| -> u64 {
            let lines = roles.iter().zip(&self.basket.quantity).filter(|(r, _)| **r == role);
            lines.map(|(_, quantity)| u64::from(*quantity)).sum()
        };
        let (only_buy, only_get, both) = (pieces(BUY), pieces(GET), pieces(BUY | GET));
        // Each time needs its own pieces to buy and to get, and those of both kinds serve as one of the two only.
        let times = ((only_buy + both) / buy)
            .min((only_get + both) / get)
            .min((only_buy + only_get + both) / (buy + get));
        let times = at_most(times, times_max);
        if times == 0 {
            let lacking = |targets: usize, pieces: u64| {
                Err(NotApplied::PiecesLacking { pieces, of: self.any_of(targets) })
            };
            return match (buy.saturating_sub(only_buy + both), get.saturating_sub(only_get + both)) {
                (0, 0) => lacking(0b11, buy + get - (only_buy + only_get + both)),
                (0, pieces) => lacking(0b10, pieces),
                (pieces, _) => lacking(0b01, pieces),
            };
        }
        let mut lines: Vec<u32> =
            (0..roles.len() as u32).filter(|line| roles[*line as usize] & GET != 0).collect();
        match pick {
            Pick::Cheapest => sort_cheapest_first(self.basket, &mut lines),
            Pick::Dearest => sort_dearest_first(self.basket, &mut lines),
        }
        let mut wanted = times * get;
        // What of the pieces of both kinds is not needed as bought.
        let mut spare = (only_buy + both - times * buy).min(both);
        let mut picked = vec![];
        for line in lines {
            let quantity = u64::from(self.basket.quantity[line as usize]);
            let is_both = roles[line as usize] & BUY != 0;
            let most = if is_both { wanted.min(spare) } else { wanted };
            let pieces = quantity.min(most);
            wanted -= pieces;
            spare -= if is_both { pieces } else { 0 };
            if pieces > 0 {
                picked.push(Picked { line, pieces: pieces as u32 });
            }
        }
        self.reduce(&picked, off_bp, times)
    }

    fn cheapest_free(&self, of: u64, free: u64, times_max: Option<u32>) -> Result<Reward, NotApplied> {
        let mut lines: Vec<u32> = self.walk(0).map(|line| line as u32).collect();
        let quantity = |line: u32| u64::from(self.basket.quantity[line as usize]);
        let pieces: u64 = lines.iter().map(|line| quantity(*line)).sum();
        let times = at_most(pieces / of, times_max);
        if times == 0 {
            let label = self.targets[0].label.clone();
            return Err(NotApplied::PiecesLacking { pieces: of - pieces, of: label });
        }
        sort_dearest_first(self.basket, &mut lines);
        // Of the first n pieces, the last `free` of each group of `of` are free.
        let free_of = |n: u64| {
            let n = n.min(times * of);
            n / of * free + (n % of).saturating_sub(of - free)
        };
        let (mut picked, mut before) = (vec![], 0);
        for line in lines {
            let after = before + quantity(line);
            let pieces = (free_of(after) - free_of(before)) as u32;
            if pieces > 0 {
                picked.push(Picked { line, pieces });
            }
            before = after;
        }
        self.reduce(&picked, WHOLE_BP, times)
    }

    fn bundle(
        &self,
        pieces: impl ExactSizeIterator<Item = u32>,
        price_minor: i64,
        times_max: Option<u32>,
    ) -> Result<Reward, NotApplied> {
        let parts = pieces.enumerate().map(|(part, pieces)| (pieces, self.walk(part)));
        let gathering = Gathering::new(self.basket, parts);
        let most = at_most(gathering.times(), times_max);
        if most == 0 {
            let (parts, pieces) = gathering.lacking();
            return Err(NotApplied::PiecesLacking { pieces, of: self.any_of(parts) });
        }
        let price = i128::from(price_minor);
        let values = |times: u64| -> Vec<(u32, i64)> {
            gathering.pick(times).into_iter().map(|p| (p.line, value(self.basket, p))).collect()
        };
        let worth =
            |values: &[(u32, i64)]| -> i128 { values.iter().map(|(_, minor)| i128::from(*minor)).sum() };
        // Each further bundle takes cheaper pieces, so the last one that is worth its price is found by bisection.
        let (mut times, mut bundled) = (most, values(most));
        if worth(&bundled) - worth(&values(most - 1)) <= price {
            let saves = |times: u64| worth(&values(times)) - worth(&values(times - 1)) > price;
            let (mut good, mut bad) = (0, most);
            while bad - good > 1 {
                let middle = u64::midpoint(good, bad);
                *if saves(middle) { &mut good } else { &mut bad } = middle;
            }
            (times, bundled) = (good, values(good));
        }
        let off = worth(&bundled) - i128::from(times) * price;
        if off <= 0 {
            return Err(NotApplied::NotCheaper { price: Money::new(price_minor, self.currency) });
        }
        Ok(Reward { times, ..self.share(clamp(off), bundled)? })
    }
}
