//! Promotions as a shop writes them down.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Benefit, Code, PromotionClass, PromotionConditions};
use crate::{DefinitionError, PromotionId, definition::Faults, limits::PROMOTION_CODES_MAX};

/// Is a promotion, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromotionDefinition {
    /// Its name in orders and counts.
    pub id: PromotionId,
    /// Its name for people.
    pub name: Arc<str>,
    /// It does not apply for the time being.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// The codes of which a shopper must type one; none applies without.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub codes: BTreeSet<Code>,
    /// The higher are applied first.
    #[serde(default)]
    pub priority: i32,
    /// What else may apply beside it.
    #[serde(default)]
    pub stacking: Stacking,
    /// Leaves lines alone of which an earlier promotion took something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skip_discounted_lines: bool,
    /// When it holds.
    #[serde(default)]
    pub conditions: PromotionConditions,
    /// How often it may be used.
    #[serde(default)]
    pub limits: UseLimits,
    /// What it gives.
    pub benefit: Benefit,
}

/// Says what else may apply beside a promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum Stacking {
    /// Everything.
    Stackable {},
    /// Nothing after it but the classes named; what applied before it stays.
    Last {
        /// The classes that may apply after it nevertheless.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        but_with: BTreeSet<PromotionClass>,
    },
    /// Nothing but the classes named: it does not apply where something else did, nor anything after it.
    Exclusive {
        /// The classes that may apply beside it nevertheless.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        but_with: BTreeSet<PromotionClass>,
    },
    /// Everything but those of its group, of which only the one applies that takes off most.
    BestOf {
        /// The group's name.
        group: String,
    },
}

impl Default for Stacking {
    fn default() -> Self {
        Self::Stackable {}
    }
}

/// Says how often a promotion may be used; an order uses it once, however often it happens within.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UseLimits {
    /// In all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// By each customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_customer: Option<u64>,
    /// With each of its codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_code: Option<u64>,
}

impl UseLimits {
    /// Reports whether there is any limit.
    pub fn is_limited(&self) -> bool {
        *self != Self::default()
    }
}

impl PromotionDefinition {
    /// Checks the definition.
    ///
    /// # Errors
    /// [`DefinitionError`] with all that makes no sense in it.
    pub fn check(&self) -> Result<(), DefinitionError> {
        let mut faults = Faults::default();
        self.check_within(&mut faults);
        faults.verdict()
    }

    pub(super) fn check_within(&self, faults: &mut Faults) {
        faults.name("name", &self.name);
        faults.need(self.codes.len() <= PROMOTION_CODES_MAX, "codes", || {
            format!("holds {} codes, the most allowed is {PROMOTION_CODES_MAX}", self.codes.len())
        });
        if let Stacking::BestOf { group } = &self.stacking {
            faults.name("stacking.group", group);
            let class = self.benefit.class();
            let takes_off = matches!(class, PromotionClass::Items | PromotionClass::Order);
            faults.need(takes_off, "stacking", || {
                format!("compares amounts, but what a promotion of class {} saves is not known yet; make it exclusive", class.name())
            });
        }
        faults.within("conditions", |faults| self.conditions.check(faults));
        faults.within("limits", |faults| {
            let UseLimits { total, per_customer, per_code } = self.limits;
            for (field, limit) in [("total", total), ("per_customer", per_customer), ("per_code", per_code)] {
                faults.need(limit != Some(0), field, || "is 0, so that nobody may use it; pause it instead");
            }
            faults.need(
                per_code.is_none() || !self.codes.is_empty(),
                "per_code",
                || "limits codes, but there are none; name codes or leave it out",
            );
        });
        faults.within("benefit", |faults| self.benefit.check(faults));
    }
}
