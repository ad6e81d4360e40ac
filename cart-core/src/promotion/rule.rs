//! A promotion ready to be tried: its definition, and what was worked out from it beforehand.

use std::sync::Arc;

use super::{
    Code, Need, NotApplied, Occasion, PromotionClass, PromotionConditions, PromotionDefinition,
    PromotionOutcome, Stacking, UseLimit, Verdict,
    basket::Basket,
    index::{IndexBuilder, SelectorId},
    reward::Target,
};
use crate::{Currency, Money};

/// Is a promotion of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) definition: PromotionDefinition,
    pub(super) plan: Plan,
}

/// Is what is worked out from a definition once; sets of classes are bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Its own class.
    pub(super) class: u8,
    /// The classes that must not have applied before.
    pub(super) closes_before: u8,
    /// The classes that may not follow.
    pub(super) closes_after: u8,
    /// The benefit's selectors, in the order of its fields.
    pub(super) targets: Vec<Target>,
    /// The selectors of the needs, in their order.
    needs: Vec<(SelectorId, Option<Arc<str>>)>,
}

fn bit(class: PromotionClass) -> u8 {
    1 << class as u8
}

impl Plan {
    pub(super) fn new<'a>(definition: &'a PromotionDefinition, index: &mut IndexBuilder<'a>) -> Self {
        let but = |with: &std::collections::BTreeSet<PromotionClass>| {
            PromotionClass::ALL.into_iter().filter(|class| !with.contains(class)).map(bit).sum()
        };
        let (closes_before, closes_after) = match &definition.stacking {
            Stacking::Stackable {} | Stacking::BestOf { .. } => (0, 0),
            Stacking::Last { but_with } => (0, but(but_with)),
            Stacking::Exclusive { but_with } => (but(but_with), but(but_with)),
        };
        let selectors = definition.benefit.selectors().into_iter();
        Self {
            class: bit(definition.benefit.class()),
            closes_before,
            closes_after,
            targets: selectors
                .map(|selector| Target { selector: index.add(selector), label: selector.label() })
                .collect(),
            needs: definition
                .conditions
                .needs
                .iter()
                .map(|need| (index.add(&need.of), need.of.label()))
                .collect(),
        }
    }
}

impl Rule {
    /// Reports whether both are of one group of which the best one wins.
    pub(super) fn stands_with(&self, other: &Self) -> bool {
        match (&self.definition.stacking, &other.definition.stacking) {
            (Stacking::BestOf { group }, Stacking::BestOf { group: other }) => group == other,
            _ => false,
        }
    }

    pub(super) fn outcome(&self, verdict: Verdict) -> PromotionOutcome {
        let PromotionDefinition { id, name, .. } = &self.definition;
        PromotionOutcome { promotion: id.clone(), name: name.clone(), verdict }
    }

    /// Checks what the time alone decides.
    pub(super) fn admit_time(&self, now_ms: i64) -> Result<(), NotApplied> {
        let PromotionConditions { from_ms, until_ms, weekly, .. } = &self.definition.conditions;
        match (*from_ms, *until_ms, weekly) {
            _ if self.definition.paused => Err(NotApplied::Paused),
            (Some(from_ms), ..) if now_ms < from_ms => Err(NotApplied::NotBegun { from_ms }),
            (_, Some(until_ms), _) if now_ms >= until_ms => Err(NotApplied::Ended { until_ms }),
            (.., Some(hours)) if !hours.hold(now_ms) => Err(NotApplied::Hours { hours: hours.clone() }),
            _ => Ok(()),
        }
    }

    fn admit_currency(&self, currency: Currency) -> Result<(), NotApplied> {
        let PromotionConditions { currencies, needs, .. } = &self.definition.conditions;
        let knows = (currencies.is_empty() || currencies.contains(&currency))
            && needs.iter().all(|need| need.knows(currency))
            && self.definition.benefit.knows(currency);
        if knows { Ok(()) } else { Err(NotApplied::Currency { currency }) }
    }

    fn admit_customer(&self, occasion: &Occasion<'_>) -> Result<(), NotApplied> {
        let conditions = &self.definition.conditions;
        let PromotionConditions { groups, customers, countries, .. } = conditions;
        if !groups.is_empty() && !occasion.group.is_some_and(|group| groups.contains(group)) {
            return Err(NotApplied::Group);
        }
        if !customers.is_empty() && !occasion.customer.is_some_and(|customer| customers.contains(customer)) {
            return Err(NotApplied::Customer);
        }
        let orders = occasion.orders_before;
        if let Some(min) = conditions.min_orders_before.filter(|min| orders < *min) {
            return Err(NotApplied::OrdersLacking { orders: min - orders });
        }
        if let Some(max) = conditions.max_orders_before.filter(|max| orders > *max) {
            return Err(NotApplied::OrdersTooMany { max });
        }
        let country = occasion.country;
        if !countries.is_empty() && !country.is_some_and(|country| countries.contains(&country)) {
            return Err(NotApplied::Country { country, countries: countries.clone() });
        }
        Ok(())
    }

    /// Checks all that neither uses nor the cart's lines decide, and returns the code that opened it.
    pub(super) fn admit<'a>(
        &self,
        occasion: &Occasion<'_>,
        entered: impl Iterator<Item = &'a Code> + Clone,
    ) -> Result<Option<&'a Code>, NotApplied> {
        self.admit_time(occasion.now_ms)?;
        if !self.definition.codes.is_empty() && entered.clone().next().is_none() {
            return Err(NotApplied::CodeMissing);
        }
        let channels = &self.definition.conditions.channels;
        if !channels.is_empty() && !occasion.channel.is_some_and(|channel| channels.contains(channel)) {
            return Err(NotApplied::Channel);
        }
        self.admit_currency(occasion.currency)?;
        self.admit_customer(occasion)?;
        self.admit_uses(occasion, entered)
    }

    /// Checks the limits of uses, and returns the first typed code that may still be used.
    fn admit_uses<'a>(
        &self,
        occasion: &Occasion<'_>,
        mut entered: impl Iterator<Item = &'a Code>,
    ) -> Result<Option<&'a Code>, NotApplied> {
        let limits = &self.definition.limits;
        let mut code = entered.next();
        if !limits.is_limited() {
            return Ok(code);
        }
        let is_reached = |limit: Option<u64>, uses: u64| limit.is_some_and(|limit| uses >= limit);
        loop {
            let uses = (occasion.uses)(&self.definition.id, code);
            let limit = if is_reached(limits.total, uses.total) {
                UseLimit::Total
            } else if is_reached(limits.per_customer, uses.by_customer) {
                UseLimit::Customer
            } else if is_reached(limits.per_code, uses.of_code) {
                match entered.next() {
                    None => return Err(NotApplied::UsedUp { limit: UseLimit::Code }),
                    other => code = other,
                }
                continue;
            } else {
                return Ok(code);
            };
            return Err(NotApplied::UsedUp { limit });
        }
    }

    /// Checks what the cart must hold.
    pub(super) fn meet_needs(&self, basket: &Basket, currency: Currency) -> Result<(), NotApplied> {
        let needs = self.definition.conditions.needs.iter().zip(&self.plan.needs);
        needs.into_iter().try_for_each(|(need, (selector, label))| {
            let (pieces, sum) = basket.measure(*selector, need.sum);
            need.meet(pieces, sum, currency, label.as_ref())
        })
    }
}

impl Need {
    fn knows(&self, currency: Currency) -> bool {
        [&self.min_minor, &self.max_minor]
            .into_iter()
            .all(|amounts| amounts.is_empty() || amounts.contains_key(&currency))
    }

    fn meet(
        &self,
        pieces: u64,
        sum: i128,
        currency: Currency,
        label: Option<&Arc<str>>,
    ) -> Result<(), NotApplied> {
        let of = || label.cloned();
        if let Some(min) = self.min_pieces.filter(|min| pieces < *min) {
            return Err(NotApplied::PiecesLacking { pieces: min - pieces, of: of() });
        }
        if let Some(max) = self.max_pieces.filter(|max| pieces > *max) {
            return Err(NotApplied::PiecesTooMany { max, of: of() });
        }
        let money = |minor| Money::new(minor, currency);
        if let Some(min) = self.min_minor.get(&currency).filter(|min| sum < i128::from(**min)) {
            let lacking = i64::try_from(i128::from(*min) - sum).unwrap_or(i64::MAX);
            return Err(NotApplied::SumLacking { lacking: money(lacking), of: of() });
        }
        match self.max_minor.get(&currency).filter(|max| sum > i128::from(**max)) {
            Some(max) => Err(NotApplied::SumTooGreat { max: money(*max), of: of() }),
            None => Ok(()),
        }
    }
}
