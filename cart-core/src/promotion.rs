//! Promotions: what is taken off a cart, given beside it, and why not.
//!
//! # Order
//! Promotions are applied one after the other, each on what the earlier ones left, never below zero:
//!
//! 1. the higher [priority](PromotionDefinition::priority) first;
//! 2. of equal priority by [class](PromotionClass): items, order, gift, shipping, so that an order's minimum is measured
//!    after the reductions of its items;
//! 3. of equal class by id, in the order of its bytes.
//!
//! A [group](Stacking::BestOf) of which the best one wins takes the place of its first member; its members
//! are compared on what is left there, and the first of equals wins. With no priorities at all this is the order of
//! Shopify (product, order and shipping discounts,
//! <https://help.shopify.com/en/manual/discounts/combining-discounts>); priorities are the sort order of
//! commercetools, [`Stacking::Last`] is its `StopAfterThisDiscount`, which stops only where the promotion did apply, and
//! best-of groups are its discount groups (<https://docs.commercetools.com/api/projects/cartDiscounts>).
//!
//! # Whether
//! A promotion is tried in the order of [`NotApplied`]: the conditions that the cart does not decide, limits of
//! uses, exclusion by what applied before, the needs, and last what there is to take off. The first that fails is
//! the reason told.
//!
//! # What it finds
//! A gift is not a line to any promotion, and goes with at least one other line. Needs count every other line; benefits only reach lines of which something is
//! left to pay. A piece costs its share of what is left of its line. The order of the cart's lines decides nothing
//! but which of two equal lines gets a unit that cannot be halved.

mod basket;
mod benefit;
mod code;
mod condition;
mod definition;
mod gather;
mod index;
mod occasion;
mod outcome;
mod reason;
mod reward;
mod rule;
mod selector;

use std::{cmp::Reverse, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use crate::{
    DefinitionError, PromotionId, Sku,
    definition::Faults,
    limits::{PROMOTION_GIFTS_MAX, PROMOTIONS_MAX},
};
use basket::Basket;
pub use benefit::{Amounts, Benefit, BundlePart, Per, Pick, PromotionClass, Tier, WHOLE_BP};
pub use code::{Code, CodeError};
pub use condition::{Need, PromotionConditions, SumOf, Weekday, WeeklyHours};
pub use definition::{PromotionDefinition, Stacking, UseLimits};
use index::{IndexBuilder, SelectorId, SelectorIndex};
pub use occasion::{Occasion, PromotedLine, Uses};
pub use outcome::{AppliedPromotion, Gift, LineShare, Promoted, PromotionOutcome, ShippingDiscount, Verdict};
pub use reason::{NotApplied, UseLimit};
pub(crate) use reward::percent;
use reward::{Reward, Rewarding};
use rule::Rule;
pub use selector::{Exceptions, Selector};

/// Applies promotions, by definitions that were checked; they are sorted and indexed once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<PromotionDefinition>", into = "Vec<PromotionDefinition>")]
pub struct Promotions {
    /// In the order of application; the members of a group stand together.
    rules: Vec<Rule>,
    /// The rules that each code opens, by number.
    codes: BTreeMap<Code, Vec<u32>>,
    /// The rules that have limits of uses, by number.
    limited: Vec<u32>,
    /// The rules that give something away, by number.
    giving: Vec<u32>,
    /// Some promotion asks how many orders its customer has placed before.
    asks_for_orders: bool,
    selectors: SelectorIndex,
    everything: Option<SelectorId>,
}

impl TryFrom<Vec<PromotionDefinition>> for Promotions {
    type Error = DefinitionError;
    fn try_from(definitions: Vec<PromotionDefinition>) -> Result<Self, DefinitionError> {
        Self::new(definitions)
    }
}

impl From<Promotions> for Vec<PromotionDefinition> {
    fn from(promotions: Promotions) -> Self {
        promotions.rules.into_iter().map(|rule| rule.definition).collect()
    }
}

impl Promotions {
    /// Checks, sorts and indexes definitions; their order does not matter.
    ///
    /// # Errors
    /// [`DefinitionError`] with all that makes no sense in them, below `promotions[n]`.
    pub fn new(mut definitions: Vec<PromotionDefinition>) -> Result<Self, DefinitionError> {
        let mut faults = Faults::default();
        faults.need(definitions.len() <= PROMOTIONS_MAX, "promotions", || {
            format!("holds {} promotions, the most allowed is {PROMOTIONS_MAX}", definitions.len())
        });
        let gifts = definitions.iter().filter(|d| d.benefit.gift().is_some() && !d.paused).count();
        faults.need(gifts <= PROMOTION_GIFTS_MAX, "promotions", || {
            format!(
                "holds {gifts} promotions with gifts, the most allowed is {PROMOTION_GIFTS_MAX}; pause some"
            )
        });
        let mut ids = std::collections::BTreeSet::new();
        faults.each("promotions", &definitions, |faults, definition| {
            faults.need(ids.insert(&definition.id), "id", || {
                format!("is {}, as another promotion's is; give each its own", definition.id)
            });
            definition.check_within(faults);
        });
        faults.verdict()?;
        sort(&mut definitions);
        let mut index = IndexBuilder::default();
        let plans: Vec<_> =
            definitions.iter().map(|definition| rule::Plan::new(definition, &mut index)).collect();
        let everything = index.everything;
        let selectors = index.build();
        let mut codes: BTreeMap<Code, Vec<u32>> = BTreeMap::new();
        for (n, definition) in definitions.iter().enumerate() {
            for code in &definition.codes {
                codes.entry(code.clone()).or_default().push(n as u32);
            }
        }
        let limited = definitions.iter().zip(0..).filter(|(d, _)| d.limits.is_limited() && !d.paused);
        let limited = limited.map(|(_, n)| n).collect();
        let giving = definitions.iter().zip(0..).filter(|(d, _)| d.benefit.gift().is_some() && !d.paused);
        let giving = giving.map(|(_, n)| n).collect();
        let asks_for_orders = definitions.iter().any(|d| !d.paused && d.conditions.ask_for_orders());
        let rules = definitions.into_iter().zip(plans).map(|(definition, plan)| Rule { definition, plan });
        Ok(Self { rules: rules.collect(), codes, limited, giving, asks_for_orders, selectors, everything })
    }

    /// Walks the definitions, in the order of application.
    pub fn definitions(&self) -> impl ExactSizeIterator<Item = &PromotionDefinition> {
        self.rules.iter().map(|rule| &rule.definition)
    }

    /// Returns a definition by its id.
    pub fn definition(&self, id: &PromotionId) -> Option<&PromotionDefinition> {
        self.definitions().find(|definition| definition.id == *id)
    }

    /// Returns the first time after one, both in Unix milliseconds, at which a promotion may begin or end by itself.
    ///
    /// ```
    /// use cart_core::Promotions;
    /// let sale = |conditions: &str| -> Promotions {
    ///     let benefit = r#"{"kind": "percentage", "on": {"all": true}, "off_bp": 1000}"#;
    ///     let sale = format!(r#"[{{"id": "sale", "name": "Sale", "conditions": {conditions}, "benefit": {benefit}}}]"#);
    ///     serde_json::from_str(&sale).unwrap()
    /// };
    /// let dates = sale(r#"{"from_ms": 5000, "until_ms": 9000}"#);
    /// assert_eq!([0, 5_000, 9_000].map(|at_ms| dates.change_after(at_ms)), [Some(5_000), Some(9_000), None]);
    /// let hours = sale(r#"{"weekly": {"from_minute": 600, "until_minute": 720}}"#);
    /// assert_eq!(hours.change_after(59_999), Some(60_000));
    /// ```
    pub fn change_after(&self, at_ms: i64) -> Option<i64> {
        self.definitions().filter_map(|definition| definition.conditions.change_after(at_ms)).min()
    }

    /// Lists the promotions that a code opens.
    ///
    /// ```
    /// use cart_core::{Code, Promotions};
    /// let promotions: Promotions = serde_json::from_str(r#"[{"id": "ten", "name": "Ten", "codes": ["TEN"],
    ///     "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}}]"#).unwrap();
    /// let opened = |code| promotions.opened_by(&Code::parse(code).unwrap()).map(|id| id.as_str()).collect::<Vec<_>>();
    /// assert_eq!((opened("ten"), opened("eleven")), (vec!["ten"], vec![]));
    /// ```
    pub fn opened_by(&self, code: &Code) -> impl Iterator<Item = &PromotionId> {
        let rules = self.codes.get(code).map_or(&[][..], Vec::as_slice);
        rules.iter().map(|rule| &self.rules[*rule as usize].definition.id)
    }

    /// Reports whether a code opens any promotion.
    pub fn knows_code(&self, code: &Code) -> bool {
        self.codes.contains_key(code)
    }

    /// Reports whether uses of any promotion are counted.
    pub fn is_counting(&self) -> bool {
        !self.limited.is_empty()
    }

    /// Lists what [`Occasion::uses`] may be asked about where these codes were typed: each promotion with limits that
    /// they, or no code, open. It is what must be looked up before.
    pub fn counted<'a>(&'a self, codes: &'a [Code]) -> Vec<(&'a PromotionId, Option<&'a Code>)> {
        self.limited(codes).into_iter().map(|(definition, code)| (&definition.id, code)).collect()
    }

    /// Lists the same with the definitions.
    pub(crate) fn limited<'a>(
        &'a self,
        codes: &'a [Code],
    ) -> Vec<(&'a PromotionDefinition, Option<&'a Code>)> {
        let mut counted = vec![];
        for definition in self.limited.iter().map(|n| &self.rules[*n as usize].definition) {
            let typed = codes.iter().filter(|code| definition.codes.contains(*code));
            counted.extend(typed.map(|code| (definition, Some(code))));
            if definition.codes.is_empty() {
                counted.push((definition, None));
            }
        }
        counted
    }

    /// Reports whether any promotion asks how many orders its customer has placed before.
    pub fn asks_for_orders(&self) -> bool {
        self.asks_for_orders
    }

    /// Reports whether any promotion gives something away.
    pub fn is_giving(&self) -> bool {
        !self.giving.is_empty()
    }

    /// Lists the products that may be given to a cart at a time where these codes were typed.
    pub fn gifts<'a>(&'a self, now_ms: i64, codes: &'a [Code]) -> impl Iterator<Item = &'a Sku> {
        let rules = self.giving.iter().map(|n| &self.rules[*n as usize]);
        let may_apply = move |rule: &&Rule| {
            let wanted = &rule.definition.codes;
            rule.admit_time(now_ms).is_ok()
                && (wanted.is_empty() || codes.iter().any(|code| wanted.contains(code)))
        };
        rules.filter(may_apply).filter_map(|rule| rule.definition.benefit.gift())
    }

    /// Applies the promotions to a cart and says of each what became of it.
    ///
    /// ```
    /// use cart_core::{Currency, Money, Occasion, Product, PromotedLine, Promotions, Sku};
    /// let promotions: Promotions = serde_json::from_str(r#"[{
    ///     "id": "ten", "name": "Ten per cent off", "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000},
    ///     "conditions": {"needs": [{"min_minor": {"GBP": 2000}}]}
    /// }]"#).unwrap();
    /// let gbp = Currency::parse("GBP").unwrap();
    /// let mug = Product::new(Sku::parse("MUG").unwrap(), "Mug", Money::new(750, gbp));
    /// let price = |quantity| promotions.apply(&[PromotedLine::new(&mug, quantity, 750)], &Occasion::new(0, gbp));
    /// assert_eq!(price(2).outcomes[0].to_string(), "Ten per cent off: spend 5.00 GBP more");
    /// assert_eq!(price(3).outcomes[0].to_string(), "Ten per cent off: 2.25 GBP off");
    /// assert_eq!(price(3).left_minor, [2_025]);
    /// ```
    pub fn apply(&self, lines: &[PromotedLine<'_>], occasion: &Occasion<'_>) -> Promoted {
        let basket = Basket::new(lines, &self.selectors, self.everything);
        let mut round = Round {
            promotions: self,
            occasion,
            basket,
            entered: vec![],
            applied: vec![],
            classes: 0,
            closed: 0,
        };
        let mut promoted = Promoted { outcomes: Vec::with_capacity(self.rules.len()), ..Promoted::default() };
        for code in occasion.codes {
            match self.codes.get(code) {
                Some(rules) => round.entered.extend(rules.iter().map(|rule| (*rule, code))),
                None if promoted.unknown_codes.contains(code) => {}
                None => promoted.unknown_codes.push(code.clone()),
            }
        }
        let mut next = 0;
        while let Some(rule) = self.rules.get(next) {
            let members = self.rules[next..].iter().take_while(|other| other.stands_with(rule)).count();
            match members {
                0 | 1 => round.try_one(next as u32, &mut promoted),
                members => round.try_group(next as u32, members as u32, &mut promoted),
            }
            next += members.max(1);
        }
        promoted.discount_minor = i64::try_from(round.basket.taken()).unwrap_or(i64::MAX);
        promoted.left_minor = round.basket.left_by_place(lines);
        promoted
    }
}

/// Sorts definitions by the module's order.
fn sort(definitions: &mut [PromotionDefinition]) {
    type Place = (Reverse<i32>, PromotionClass, PromotionId);
    let place = |d: &PromotionDefinition| -> Place { (Reverse(d.priority), d.benefit.class(), d.id.clone()) };
    let mut groups: BTreeMap<String, Place> = BTreeMap::new();
    for definition in definitions.iter() {
        if let Stacking::BestOf { group } = &definition.stacking {
            let own = place(definition);
            let first = groups.entry(group.clone()).or_insert_with(|| own.clone());
            *first = own.min(first.clone());
        }
    }
    definitions.sort_by_cached_key(|definition| {
        let own = place(definition);
        match &definition.stacking {
            Stacking::BestOf { group } => (groups.get(group).cloned().unwrap_or_else(|| own.clone()), own),
            _ => (own.clone(), own),
        }
    });
}

/// Is one application of a set to a cart.
struct Round<'a> {
    promotions: &'a Promotions,
    occasion: &'a Occasion<'a>,
    basket: Basket,
    /// The rules that typed codes open, in the order in which they were typed.
    entered: Vec<(u32, &'a Code)>,
    /// The rules that applied.
    applied: Vec<u32>,
    /// The classes of these, and those that they let nothing follow of.
    classes: u8,
    closed: u8,
}

impl<'a> Round<'a> {
    fn rule(&self, n: u32) -> &'a Rule {
        &self.promotions.rules[n as usize]
    }

    /// Returns what a rule takes off and the code that it was got by.
    fn consider(&self, n: u32) -> Result<(Reward, Option<&'a Code>), NotApplied> {
        let rule = self.rule(n);
        let entered = self.entered.iter().filter(|(opened, _)| *opened == n).map(|(_, code)| *code);
        let code = rule.admit(self.occasion, entered)?;
        if self.closed & rule.plan.class != 0 || self.classes & rule.plan.closes_before != 0 {
            return Err(self.exclusion(rule));
        }
        rule.meet_needs(&self.basket, self.occasion.currency)?;
        if let Some(sku) = rule.definition.benefit.gift() {
            if self.basket.is_empty() {
                return Err(NotApplied::PiecesLacking { pieces: 1, of: None });
            }
            if self.occasion.gifts_declined.contains(&rule.definition.id) {
                return Err(NotApplied::Declined { sku: sku.clone(), name: String::new() });
            }
            if self.occasion.gifts_out_of_stock.contains(&rule.definition.id) {
                return Err(NotApplied::GiftOutOfStock { sku: sku.clone(), name: String::new() });
            }
        }
        let rewarding = Rewarding {
            basket: &self.basket,
            currency: self.occasion.currency,
            targets: &rule.plan.targets,
            skip_discounted_lines: rule.definition.skip_discounted_lines,
        };
        Ok((rewarding.of(&rule.definition.benefit)?, code))
    }

    fn exclusion(&self, rule: &Rule) -> NotApplied {
        let excludes = |other: &&Rule| {
            other.plan.closes_after & rule.plan.class != 0 || rule.plan.closes_before & other.plan.class != 0
        };
        let by = self.applied.iter().map(|n| self.rule(*n)).find(excludes).unwrap_or(rule);
        let PromotionDefinition { id, name, .. } = &by.definition;
        NotApplied::Excluded { by: id.clone(), name: name.clone() }
    }

    fn try_one(&mut self, n: u32, promoted: &mut Promoted) {
        let verdict = match self.consider(n) {
            Ok((reward, code)) => Verdict::Applied(Box::new(self.settle(n, reward, code, promoted))),
            Err(why) => Verdict::NotApplied(why),
        };
        promoted.outcomes.push(self.rule(n).outcome(verdict));
    }

    /// Applies the one of a group that takes off most, the first of equals.
    fn try_group(&mut self, first: u32, members: u32, promoted: &mut Promoted) {
        let tried: Vec<_> = (first..first + members).map(|n| (n, self.consider(n))).collect();
        let off = |tried: &Result<(Reward, _), _>| tried.as_ref().map_or(-1, |(reward, _)| reward.off);
        let best = tried.iter().max_by_key(|(n, tried)| (off(tried), Reverse(*n))).map_or(first, |(n, _)| *n);
        for (n, tried) in tried {
            let verdict = match tried {
                Ok((reward, code)) if n == best => {
                    Verdict::Applied(Box::new(self.settle(n, reward, code, promoted)))
                }
                Ok((reward, _)) => Verdict::NotApplied(NotApplied::Beaten {
                    by: self.rule(best).definition.id.clone(),
                    name: self.rule(best).definition.name.clone(),
                    off: crate::Money::new(reward.off, self.occasion.currency),
                }),
                Err(why) => Verdict::NotApplied(why),
            };
            promoted.outcomes.push(self.rule(n).outcome(verdict));
        }
    }

    fn settle(
        &mut self,
        n: u32,
        reward: Reward,
        code: Option<&Code>,
        promoted: &mut Promoted,
    ) -> AppliedPromotion {
        let rule = self.rule(n);
        self.basket.take(&reward.shares);
        self.applied.push(n);
        self.classes |= rule.plan.class;
        self.closed |= rule.plan.closes_after;
        let currency = self.occasion.currency;
        let mut lines: Vec<_> = reward
            .shares
            .into_iter()
            .map(|(line, minor)| LineShare { line: self.basket.place(line), minor })
            .collect();
        lines.sort_unstable_by_key(|share| share.line);
        let mut applied = AppliedPromotion {
            off: crate::Money::new(reward.off, currency),
            times: reward.times,
            lines,
            code: code.cloned(),
            shipping_off_bp: None,
            gift: None,
            next_tier: reward.next_tier,
        };
        let promotion = || rule.definition.id.clone();
        match &rule.definition.benefit {
            Benefit::FreeShipping { methods, off_bp, max_minor } => {
                applied.shipping_off_bp = Some(*off_bp);
                let max_minor = max_minor.get(&currency).copied();
                let methods = methods.clone();
                promoted.shipping.push(ShippingDiscount {
                    promotion: promotion(),
                    methods,
                    off_bp: *off_bp,
                    max_minor,
                });
            }
            Benefit::Gift { sku, pieces } => {
                let gift =
                    Gift { promotion: promotion(), sku: sku.clone(), name: String::new(), pieces: *pieces };
                applied.gift = Some(gift.clone());
                promoted.gifts.push(gift);
            }
            _ => {}
        }
        applied
    }
}

#[cfg(test)]
mod tests;
