//! How many pieces may be bought: which limit a wish breaks, and what would do.

use serde::{Deserialize, Serialize};

use crate::{DefinitionError, QuantityLimits, definition::Faults, limits::LINE_QUANTITY_MAX};

/// Says how many pieces of a product are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The pieces of the line; 0 removes it.
    pub line: u32,
    /// The pieces of all lines with the product, this one among them; 0 where pieces are only taken back, which no greatest
    /// number forbids.
    pub order: u64,
    /// The pieces that the customer has bought before.
    pub bought_before: u64,
}

/// Says which limit a wish breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "limit", rename_all = "snake_case")]
pub enum LimitBroken {
    /// The line has too few pieces.
    #[error("at least {min} pieces are sold at once, not {wanted}")]
    Min {
        /// The fewest pieces of a line.
        min: u32,
        /// The pieces of the line.
        wanted: u32,
    },
    /// The line is no multiple of the step.
    #[error("pieces are sold in multiples of {step}: {lower} or {higher}, not {wanted}")]
    Step {
        /// The step.
        step: u32,
        /// The pieces of the line.
        wanted: u32,
        /// The next multiple below; 0 removes the line.
        lower: u32,
        /// The next multiple above.
        higher: u32,
    },
    /// The line has too many pieces.
    #[error("at most {max} pieces are sold at once, not {wanted}")]
    MaxPerLine {
        /// The most pieces of a line.
        max: u32,
        /// The pieces of the line.
        wanted: u32,
    },
    /// The order has too many pieces.
    #[error("an order may hold {max} pieces, not {wanted}")]
    Max {
        /// The most pieces of an order.
        max: u32,
        /// The pieces of the order.
        wanted: u64,
    },
    /// The customer would have bought too many pieces.
    #[error(
        "a customer may buy {max} pieces in all; {before} were bought before and {wanted} are wanted now"
    )]
    PerCustomer {
        /// The most pieces that one customer may ever order.
        max: u32,
        /// The pieces bought before.
        before: u64,
        /// The pieces of the order.
        wanted: u64,
    },
}

impl LimitBroken {
    /// Returns the stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Min { .. } => "min",
            Self::Step { .. } => "step",
            Self::MaxPerLine { .. } => "max_per_line",
            Self::Max { .. } => "max",
            Self::PerCustomer { .. } => "per_customer",
        }
    }
}

impl QuantityLimits {
    /// Checks a wish; removing a line breaks no limit.
    ///
    /// ```
    /// use cart_core::{QuantityLimits, Wanted};
    /// let sixpacks = QuantityLimits { min: 6, step: 6, ..QuantityLimits::default() };
    /// let refusal = sixpacks.admits(Wanted { line: 8, order: 8, bought_before: 0 }).unwrap_err();
    /// assert_eq!(refusal.to_string(), "pieces are sold in multiples of 6: 6 or 12, not 8");
    /// ```
    ///
    /// # Errors
    /// [`LimitBroken`] with the first limit that is broken, in the order of the enum.
    pub fn admits(&self, wanted: Wanted) -> Result<(), LimitBroken> {
        let Wanted { line, order, bought_before } = wanted;
        if line == 0 {
            return Ok(());
        }
        if line < self.min {
            return Err(LimitBroken::Min { min: self.min, wanted: line });
        }
        let step = self.step.max(1);
        if !line.is_multiple_of(step) {
            let lower = line / step * step;
            return Err(LimitBroken::Step { step, wanted: line, lower, higher: lower.saturating_add(step) });
        }
        if let Some(max) = self.max_per_line.filter(|max| line > *max && order > 0) {
            return Err(LimitBroken::MaxPerLine { max, wanted: line });
        }
        if let Some(max) = self.max.filter(|max| order > u64::from(*max)) {
            return Err(LimitBroken::Max { max, wanted: order });
        }
        self.admits_customer(order, bought_before)
    }

    /// Checks the pieces of an order together with those that its customer has bought before.
    ///
    /// # Errors
    /// [`LimitBroken::PerCustomer`].
    pub fn admits_customer(&self, order: u64, bought_before: u64) -> Result<(), LimitBroken> {
        match self.per_customer {
            Some(max) if order.saturating_add(bought_before) > u64::from(max) => {
                Err(LimitBroken::PerCustomer { max, before: bought_before, wanted: order })
            }
            _ => Ok(()),
        }
    }

    /// Checks that the limits admit a purchase at all.
    ///
    /// # Errors
    /// [`DefinitionError`] with each limit that is zero, that contradicts another or exceeds a line's own.
    pub fn check(&self) -> Result<(), DefinitionError> {
        let mut faults = Faults::default();
        for (field, pieces) in [("min", self.min), ("step", self.step)] {
            faults.need((1..=LINE_QUANTITY_MAX).contains(&pieces), field, || {
                format!("is {pieces}; write 1 to {LINE_QUANTITY_MAX} pieces")
            });
        }
        faults.need(self.step == 0 || self.min.is_multiple_of(self.step), "min", || {
            format!("is {}, which is no multiple of the step {}; begin with a multiple", self.min, self.step)
        });
        let most =
            [("max", self.max), ("max_per_line", self.max_per_line), ("per_customer", self.per_customer)];
        for (field, most) in most {
            let fewest = self.min.max(1);
            faults.need(most.is_none_or(|most| most >= fewest), field, || {
                format!("is {}, below the min {fewest}, so that nothing could be bought", most.unwrap_or(0))
            });
        }
        faults.verdict()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(line: u32, order: u64, bought_before: u64) -> Wanted {
        Wanted { line, order, bought_before }
    }

    #[test]
    fn the_first_limit_that_a_wish_breaks_is_told() {
        let limits =
            QuantityLimits { min: 4, max: Some(20), max_per_line: Some(12), step: 2, per_customer: Some(30) };
        for (wanted, verdict) in [
            (wish(0, 99, 99), ""),
            (wish(4, 4, 0), ""),
            (wish(12, 20, 10), ""),
            (wish(14, 0, 0), ""),
            (wish(14, 14, 0), "max_per_line: at most 12 pieces are sold at once, not 14"),
            (wish(3, 3, 0), "min: at least 4 pieces are sold at once, not 3"),
            (wish(5, 5, 0), "step: pieces are sold in multiples of 2: 4 or 6, not 5"),
            (wish(4, 24, 0), "max: an order may hold 20 pieces, not 24"),
            (
                wish(4, 20, 11),
                "per_customer: a customer may buy 30 pieces in all; 11 were bought before and 20 are wanted now",
            ),
            (wish(3, 99, 99), "min: at least 4 pieces are sold at once, not 3"),
        ] {
            let told =
                limits.admits(wanted).map_err(|e| format!("{}: {e}", e.name())).err().unwrap_or_default();
            assert_eq!(told, verdict, "{wanted:?}");
        }
        for wanted in [wish(3, 3, 0), wish(5, 5, 0), wish(14, 14, 0), wish(4, 24, 0), wish(4, 20, 11)] {
            let broken = limits.admits(wanted).unwrap_err();
            assert_eq!(serde_json::to_value(&broken).unwrap()["limit"], broken.name());
        }
        let broken = limits.admits(wish(5, 5, 0)).unwrap_err();
        let json = r#"{"limit":"step","step":2,"wanted":5,"lower":4,"higher":6}"#;
        assert_eq!(serde_json::to_string(&broken).unwrap(), json);
        assert_eq!(serde_json::from_str::<LimitBroken>(json).unwrap(), broken);
    }

    #[test]
    fn extremes_do_not_overflow() {
        let limits = QuantityLimits { step: 2, per_customer: Some(u32::MAX), ..QuantityLimits::default() };
        assert!(limits.admits(wish(u32::MAX, u64::MAX, u64::MAX)).is_err());
        assert!(limits.admits(wish(2, u64::MAX, u64::MAX)).is_err());
        let stepless = QuantityLimits { step: 0, ..QuantityLimits::default() };
        assert_eq!(stepless.admits(wish(7, 7, 0)), Ok(()));
    }

    #[test]
    fn limits_that_admit_nothing_are_refused_with_a_sentence() {
        let check = |limits: QuantityLimits| limits.check().map_err(|e| e.to_string());
        let limits = QuantityLimits::default();
        assert_eq!(check(limits), Ok(()));
        assert_eq!(
            check(QuantityLimits {
                min: 6,
                step: 3,
                max: Some(6),
                max_per_line: Some(6),
                per_customer: Some(6)
            }),
            Ok(())
        );
        for (limits, fault) in [
            (QuantityLimits { step: 0, ..limits }, "step is 0; write 1 to 9999 pieces"),
            (QuantityLimits { min: 0, ..limits }, "min is 0; write 1 to 9999 pieces"),
            (QuantityLimits { min: 10_000, ..limits }, "min is 10000; write 1 to 9999 pieces"),
            (
                QuantityLimits { min: 4, step: 3, ..limits },
                "min is 4, which is no multiple of the step 3; begin with a multiple",
            ),
            (
                QuantityLimits { min: 4, max: Some(3), ..limits },
                "max is 3, below the min 4, so that nothing could be bought",
            ),
            (
                QuantityLimits { min: 4, max_per_line: Some(3), ..limits },
                "max_per_line is 3, below the min 4, so that nothing could be bought",
            ),
            (
                QuantityLimits { per_customer: Some(0), ..limits },
                "per_customer is 0, below the min 1, so that nothing could be bought",
            ),
        ] {
            assert_eq!(check(limits), Err(fault.into()));
        }
    }
}
