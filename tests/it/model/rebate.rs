//! What promotions take off a cart, piece by piece.

use std::cmp::Ordering;

use cart_core::{Code, LineId, PromotionId, Sku};

use super::{
    book::Told,
    cart_book::CartBook,
    deal::{Benefit, Beside, CLASSES, Choice, Deal, Need, Off},
    pencil::{rounded, share_of, shared},
    shop,
};

/// Is a line of things that somebody pays for.
#[derive(Clone, Debug)]
pub struct Thing {
    /// Its place in the cart.
    pub place: usize,
    pub sku: Sku,
    pub pieces: i64,
    pub unit_minor: i64,
    /// What promotions have left of its price.
    pub left: i64,
}

/// Is a promotion that applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub id: String,
    pub off: i64,
    /// Off the line of each place.
    pub shares: Vec<(usize, i64)>,
    pub code: Option<Code>,
}

/// Is what comes of all promotions.
#[derive(Clone, Debug, Default)]
pub struct Rebates<'d> {
    pub applied: Vec<Applied>,
    deals: Vec<&'d Deal>,
}

/// Says who asks, and when.
#[derive(Clone, Copy, Debug)]
pub struct Customer<'a> {
    pub cart: &'a CartBook,
    pub told: &'a Told,
    pub now_ms: i64,
    /// What is given away can be had.
    pub gift_is_there: bool,
}

impl<'d> Rebates<'d> {
    /// Takes one promotion after the other off the things, each off what the one before has left.
    pub fn take(deals: &'d [Deal], things: &mut [Thing], customer: Customer<'_>) -> Self {
        // Equal lines are told apart by nothing but their place.
        things.sort_by_key(|thing| (thing.sku.clone(), thing.unit_minor, thing.pieces, thing.place));
        let rank = |deal: &Deal| CLASSES.iter().position(|class| *class == deal.benefit.class());
        let mut waiting: Vec<&Deal> = deals.iter().collect();
        waiting.sort_by_key(|deal| (-deal.priority, rank(deal), &deal.id));
        let mut rebates = Self::default();
        while !waiting.is_empty() {
            let first = waiting.remove(0);
            let mut rivals = vec![first];
            if first.beside == Beside::BestOf {
                rivals.extend(waiting.extract_if(.., |deal| deal.beside == Beside::BestOf));
            }
            let tried = rivals.into_iter().filter_map(|deal| {
                let code = rebates.admit(deal, things, customer)?;
                Some((deal, code, deal.off(things)?))
            });
            let best = tried.reduce(|best, next| if sum(&next.2) > sum(&best.2) { next } else { best });
            let Some((deal, code, off)) = best else { continue };
            let mut shares = vec![];
            for (thing, minor) in things.iter_mut().zip(&off).filter(|(_, minor)| **minor > 0) {
                thing.left -= minor;
                assert!(thing.left >= 0, "{deal:?} takes more than the price off {thing:?}");
                shares.push((thing.place, *minor));
            }
            shares.sort_unstable();
            rebates.applied.push(Applied { id: deal.id.clone(), off: sum(&off), shares, code });
            rebates.deals.push(deal);
        }
        rebates
    }

    /// Says what a charge for a way to travel comes to.
    pub fn charge(&self, method: &str, mut minor: i64) -> i64 {
        for deal in &self.deals {
            if let Benefit::FreeShipping { method: of, off_bp, most } = &deal.benefit
                && of.is_none_or(|of| of == method)
            {
                minor -= share_of(minor, *off_bp).min(most.unwrap_or(i64::MAX));
            }
        }
        minor
    }

    /// Says what is given away.
    pub fn gift(&self) -> Option<(LineId, i64)> {
        self.deals.iter().find_map(|deal| match deal.benefit {
            Benefit::Gift { sku, pieces } => {
                Some((LineId::of_gift(shop::sku(sku), &deal.promotion()), pieces))
            }
            _ => None,
        })
    }

    /// Returns the code that opens a promotion, if any is asked for; nothing, where it does not hold.
    fn admit(&self, deal: &Deal, things: &[Thing], customer: Customer<'_>) -> Option<Option<Code>> {
        let Customer { cart, told, now_ms, gift_is_there } = customer;
        let when = &deal.when;
        let class = deal.benefit.class();
        let is_used_up = |code: Option<&Code>| told.used_up.contains(&(deal.id.clone(), code.cloned()));
        let is_wanted = || match deal.benefit {
            Benefit::Gift { .. } => {
                gift_is_there && !things.is_empty() && !cart.declined.contains(&deal.promotion())
            }
            _ => true,
        };
        let holds = when.currencies.contains(&cart.currency)
            && when.window.is_none_or(|(from, until)| (from..until).contains(&now_ms))
            && (when.group.is_none() || when.group == cart.group)
            && (when.channel.is_none() || when.channel == cart.channel)
            && when.orders.is_none_or(|(min, max)| (min..=max).contains(&told.orders))
            && !is_used_up(None)
            && self.deals.iter().all(|before| before.suffers(class) && deal.stands_beside(before))
            && when.need.as_ref().is_none_or(|need| need.is_met(things))
            && is_wanted();
        let typed = cart.codes.iter().filter(|code| deal.codes.contains(&code.as_str()));
        match deal.codes.is_empty() {
            true => holds.then_some(None),
            false => typed.into_iter().find(|code| holds && !is_used_up(Some(code))).cloned().map(Some),
        }
    }
}

impl Need {
    fn is_met(&self, things: &[Thing]) -> bool {
        let meant = || things.iter().filter(|thing| self.of.has(&thing.sku));
        let full = |thing: &Thing| thing.pieces * thing.unit_minor;
        let minor: i64 = meant().map(|thing| if self.is_full { full(thing) } else { thing.left }).sum();
        let pieces: i64 = meant().map(|thing| thing.pieces).sum();
        self.pieces.is_none_or(|least| pieces >= least)
            && self.minor.is_none_or(|(least, most)| (least..=most).contains(&minor))
    }
}

impl Deal {
    /// Returns how the shop knows it.
    pub fn promotion(&self) -> PromotionId {
        PromotionId::parse(&self.id).expect("an id")
    }

    /// Reports whether something of a class may follow.
    fn suffers(&self, class: &str) -> bool {
        match &self.beside {
            Beside::Last(classes) | Beside::Exclusive(classes) => classes.contains(&class),
            Beside::All | Beside::BestOf => true,
        }
    }

    fn stands_beside(&self, before: &Self) -> bool {
        match &self.beside {
            Beside::Exclusive(classes) => classes.contains(&before.benefit.class()),
            _ => true,
        }
    }

    /// Says what it takes off each thing; nothing, where that is nothing at all.
    fn off(&self, things: &[Thing]) -> Option<Vec<i64>> {
        let is_open = |thing: &Thing| {
            thing.left > 0 && !(self.is_for_untouched && thing.left < thing.pieces * thing.unit_minor)
        };
        let meant = |on: &Choice| -> Vec<bool> {
            things.iter().map(|thing| is_open(thing) && on.has(&thing.sku)).collect()
        };
        let left = |on: &Choice| -> Vec<i64> {
            things.iter().zip(meant(on)).map(|(thing, is)| if is { thing.left } else { 0 }).collect()
        };
        let off = match &self.benefit {
            Benefit::FreeShipping { .. } | Benefit::Gift { .. } => return Some(vec![0; things.len()]),
            Benefit::Percentage { on, off_bp, most } => {
                let left = left(on);
                shared(share_of(sum(&left), *off_bp).min(most.unwrap_or(i64::MAX)), &left)
            }
            Benefit::Fixed { on, minor, is_per_piece: false } => {
                let left = left(on);
                shared(sum(&left).min(*minor), &left)
            }
            Benefit::Fixed { on, minor, is_per_piece: true } => {
                things.iter().zip(left(on)).map(|(thing, left)| left.min(thing.pieces * minor)).collect()
            }
            Benefit::Tiered { on, by_pieces, tiers } => {
                let left = left(on);
                let pieces =
                    things.iter().zip(meant(on)).filter(|(_, is)| *is).map(|(thing, _)| thing.pieces);
                let reached = if *by_pieces { pieces.sum() } else { sum(&left) };
                let (_, off) = tiers.iter().rfind(|(from, _)| *from <= reached)?;
                let minor = match off {
                    Off::Bp(bp) => share_of(sum(&left), *bp),
                    Off::Minor(minor) => sum(&left).min(*minor),
                };
                shared(minor, &left)
            }
            Benefit::BuyGet { buy, get, off_bp, is_dearest, times_max } => {
                let given =
                    given(things, (&meant(&buy.0), buy.1), (&meant(&get.0), get.1), *is_dearest, *times_max);
                let worth = worth(things, &given);
                shared_along(things, *is_dearest, share_of(sum(&worth), *off_bp), &worth)
            }
            Benefit::CheapestFree { on, of, free, times_max } => {
                let mut pieces = single_pieces(things, &meant(on));
                let groups = (pieces.len() as i64 / of).min(times_max.unwrap_or(i64::MAX));
                pieces.truncate((groups * of) as usize);
                let is_free = |(n, _): &(usize, usize)| *n as i64 % of >= of - free;
                let free = pieces.into_iter().enumerate().filter(is_free).map(|(_, thing)| thing);
                worth(things, &counted(things, free))
            }
            Benefit::BundlePrice { parts, minor, times_max } => {
                let parts: Vec<_> = parts.iter().map(|(on, pieces)| (meant(on), *pieces)).collect();
                bundled(things, &parts, *minor, *times_max)?
            }
        };
        (sum(&off) > 0).then_some(off)
    }
}

fn sum(minors: &[i64]) -> i64 {
    minors.iter().sum()
}

/// Compares what is left of one piece, the dearest first.
fn dearest_first(a: &Thing, b: &Thing) -> Ordering {
    (b.left * a.pieces).cmp(&(a.left * b.pieces))
}

/// Lists things by what is left of one piece.
fn in_order(things: &[Thing], is_meant: impl Fn(usize) -> bool, is_dearest_first: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..things.len()).filter(|n| is_meant(*n)).collect();
    order.sort_by(|a, b| match is_dearest_first {
        true => dearest_first(&things[*a], &things[*b]),
        false => dearest_first(&things[*b], &things[*a]),
    });
    order
}

/// Shares a sum in proportion to weights: of what cannot be shared, equals get it in the order in which they were picked.
fn shared_along(things: &[Thing], is_dearest_first: bool, sum: i64, weights: &[i64]) -> Vec<i64> {
    let order = in_order(things, |n| weights[n] > 0, is_dearest_first);
    let along: Vec<i64> = order.iter().map(|n| weights[*n]).collect();
    let mut shares = vec![0; things.len()];
    order.into_iter().zip(shared(sum, &along)).for_each(|(n, share)| shares[n] = share);
    shares
}

/// Lays the pieces of what is meant side by side, the dearest first: for each of them, which thing it is of.
fn single_pieces(things: &[Thing], meant: &[bool]) -> Vec<usize> {
    in_order(things, |n| meant[n], true)
        .into_iter()
        .flat_map(|n| vec![n; things[n].pieces as usize])
        .collect()
}

/// Counts how many pieces of each thing are among some.
fn counted(things: &[Thing], pieces: impl Iterator<Item = usize>) -> Vec<i64> {
    let mut counts = vec![0; things.len()];
    pieces.for_each(|thing| counts[thing] += 1);
    counts
}

/// Says what some pieces of each thing are worth.
fn worth(things: &[Thing], pieces: &[i64]) -> Vec<i64> {
    let worth = |(thing, pieces): (&Thing, &i64)| {
        rounded(i128::from(thing.left * pieces), thing.pieces.into(), false) as i64
    };
    things.iter().zip(pieces).map(worth).collect()
}

/// Says how many pieces of each thing are reduced for others that are bought. A piece may be the one or the other.
fn given(
    things: &[Thing],
    (is_bought, buy): (&[bool], i64),
    (is_given, get): (&[bool], i64),
    is_dearest: bool,
    times_max: Option<i64>,
) -> Vec<i64> {
    let pieces = |bought: bool, given: bool| -> i64 {
        let of = (0..things.len()).filter(|n| is_bought[*n] == bought && is_given[*n] == given);
        of.map(|n| things[n].pieces).sum()
    };
    let both = pieces(true, true);
    let goes = |times: i64| {
        (0..=both).any(|of_both| {
            pieces(false, true) + of_both >= times * get
                && pieces(true, false) + both - of_both >= times * buy
        })
    };
    let mut times = 0;
    while times_max.is_none_or(|max| times < max) && goes(times + 1) {
        times += 1;
    }
    let order = in_order(things, |n| is_given[n], is_dearest);
    let mut spare = pieces(true, false) + both - times * buy;
    let mut taken = vec![];
    for thing in order.into_iter().flat_map(|n| vec![n; things[n].pieces as usize]) {
        if (taken.len() as i64) < times * get && (!is_bought[thing] || spare > 0) {
            spare -= i64::from(is_bought[thing]);
            taken.push(thing);
        }
    }
    counted(things, taken.into_iter())
}

/// Makes bundles of the dearest pieces, one after the other, as long as the next one saves something.
fn bundled(
    things: &[Thing],
    parts: &[(Vec<bool>, i64)],
    minor: i64,
    times_max: Option<i64>,
) -> Option<Vec<i64>> {
    let is_any: Vec<bool> = (0..things.len()).map(|n| parts.iter().any(|(meant, _)| meant[n])).collect();
    let pieces = single_pieces(things, &is_any);
    let of_bundles = |times: i64| {
        let mut taken = vec![];
        for piece in &pieces {
            taken.push(*piece);
            if !fit(&taken, parts, times) {
                taken.pop();
            }
        }
        let needed: i64 = parts.iter().map(|(_, each)| each * times).sum();
        (taken.len() as i64 == needed).then(|| worth(things, &counted(things, taken.into_iter())))
    };
    let (mut times, mut bundles) = (0, vec![0; things.len()]);
    while times_max.is_none_or(|max| times < max)
        && let Some(more) = of_bundles(times + 1)
        && sum(&more) - sum(&bundles) > minor
    {
        (times, bundles) = (times + 1, more);
    }
    Some(shared_along(things, true, sum(&bundles) - times * minor, &bundles)).filter(|_| times > 0)
}

/// Reports whether some pieces find room in one part or two of so many bundles.
fn fit(pieces: &[usize], parts: &[(Vec<bool>, i64)], times: i64) -> bool {
    let room = |part: &(Vec<bool>, i64)| part.1 * times;
    let all: i64 = parts.iter().map(room).sum();
    let only = |n: usize| {
        let is_of =
            |piece: &&usize| parts.iter().enumerate().all(|(m, (meant, _))| meant[**piece] == (m == n));
        pieces.iter().filter(is_of).count() as i64
    };
    pieces.len() as i64 <= all && (0..parts.len()).all(|n| only(n) <= room(&parts[n]))
}
