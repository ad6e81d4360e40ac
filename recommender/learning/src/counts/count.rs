//! One count: orders and their weight, added as one number.

/// The bits of the weight; the orders stand above them.
const WEIGHT_BITS: u32 = 40;

/// The most orders that hold one item: what is left above the weight, and sixteen million orders of the heaviest
/// weight still fit below. Four million orders a year leave it far away for the best-sold item of a large shop.
pub const ORDERS_OF_ITEM_MAX: u64 = (1 << (u64::BITS - WEIGHT_BITS)) - 1;

/// Holds how many orders there are and what they weigh, in 64 bits: adding one order to a pair is one addition.
///
/// Sums wrap: an order that is taken back is added as what is missing to 0, in any order, and what remains is exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count(pub(super) u64);

impl Count {
    /// Returns one order of a weight.
    pub(super) fn one(weight: u16) -> Self {
        Self(1 << WEIGHT_BITS | u64::from(weight))
    }

    /// Returns the number of orders.
    pub fn orders(self) -> u32 {
        (self.0 >> WEIGHT_BITS) as u32
    }

    /// Returns the weight, in the unit of [`super::Weighing`].
    pub fn weight(self) -> u64 {
        self.0 & ((1 << WEIGHT_BITS) - 1)
    }

    /// Returns the weight as a float, which holds all of it: its bits below those of 2^52, less 2^52. The processor's own
    /// instruction would take numbers one by one.
    #[inline]
    pub(super) fn float_weight(self) -> f64 {
        const ABOVE: f64 = (1_u64 << 52) as f64;
        f64::from_bits(ABOVE.to_bits() | self.weight()) - ABOVE
    }

    pub(super) fn of(orders: u64, weight: u64) -> Self {
        Self((orders << WEIGHT_BITS) | weight)
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    pub(super) fn negated(self) -> Self {
        Self(self.0.wrapping_neg())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_back_leaves_no_trace() {
        let count = Count::one(7).plus(Count::one(65_535)).plus(Count::one(9).negated());
        assert_eq!((count.orders(), count.weight()), (1, 65_533));
        assert_eq!(count.plus(Count::one(65_533).negated()), Count::default());
    }
}
