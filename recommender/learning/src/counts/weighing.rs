//! What an order weighs: whole numbers, so that sums do not depend on the order of adding.

use super::bytes::{Bytes, Put};

/// The weight of an order of one item on the last day before the scale moves on.
const HEAVIEST: f64 = u16::MAX as f64;

/// The most items of one order that may pair: pairs grow with the square, and ten thousand items are fifty million.
pub const ORDER_ITEMS_MAX: usize = 10_000;

/// Says how orders weigh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighing {
    /// The days after which an order counts half; infinite where orders do not age.
    pub half_life_days: f64,
    /// An order of `n` items counts `n` to the power of minus this.
    pub length_power: f64,
}

impl Weighing {
    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        bytes.put_u64(self.half_life_days.to_bits());
        bytes.put_u64(self.length_power.to_bits());
    }

    pub(super) fn get(bytes: &mut Bytes) -> Option<Self> {
        let half_life_days = f64::from_bits(bytes.u64()?);
        Some(Self { half_life_days, length_power: f64::from_bits(bytes.u64()?) })
    }
}

/// Weighs orders as seen from a day.
///
/// Weights are relative to the end of a scale and not to the latest day, so that a new day changes none of the old ones
/// (forward decay: Cormode, Shkapenyuk, Srivastava and Xu, *Forward Decay*, ICDE 2009). The scale moves on after each
/// half-life, a matter of the latest day alone: then everything is weighed anew. An order of one item weighs 65,535 at its
/// end and half of that at its beginning, two half-lives before its end a quarter; it is rounded to whole numbers, so
/// what is more than 17 half-lives older than the scale counts as an order and weighs nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    weighing: Weighing,
    /// The day, with its fraction, on which the scale ends.
    end_day: f64,
}

impl Scale {
    pub(super) fn new(weighing: Weighing, latest_day: i32) -> Self {
        let half_life = weighing.half_life_days;
        let end_day = if half_life.is_finite() {
            ((f64::from(latest_day) / half_life).floor() + 1.0) * half_life
        } else {
            0.0
        };
        Self { weighing, end_day }
    }

    /// Returns what a day's orders of one item weigh.
    pub(super) fn day(&self, day: i32) -> f64 {
        if self.weighing.half_life_days.is_infinite() {
            return HEAVIEST;
        }
        HEAVIEST * libm::exp2((f64::from(day) - self.end_day) / self.weighing.half_life_days).min(1.0)
    }

    /// Returns the share of it that an order of so many items weighs.
    pub(super) fn length(&self, items: u32) -> f64 {
        libm::pow(f64::from(items.max(1)), -self.weighing.length_power)
    }
}

/// Returns the whole weight of an order.
pub(super) fn rounded(day: f64, length: f64) -> u16 {
    // Below 65,536 by the scale; a negative power of the length would make long orders heavier, up to this.
    (day * length).round().min(HEAVIEST) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_weighs_half_after_the_half_life_and_less_by_its_length() {
        let scale = Scale::new(Weighing { half_life_days: 180.0, length_power: 0.5 }, 719);
        let weight = |day, items| rounded(scale.day(day), scale.length(items));
        assert_eq!((weight(540, 1), weight(360, 1), weight(180, 4)), (32_768, 16_384, 4_096));
        assert_eq!(weight(540 - 18 * 180, 1), 0, "long ago");
        assert_eq!(scale, Scale::new(scale.weighing, 540), "the scale stands for a half-life");
        assert_ne!(scale, Scale::new(scale.weighing, 720));
    }

    #[test]
    fn days_before_1970_and_orders_that_do_not_age_have_weights() {
        let scale = Scale::new(Weighing { half_life_days: 10.0, length_power: 0.0 }, -5);
        assert_eq!(rounded(scale.day(-10), 1.0), 32_768);
        let scale = Scale::new(Weighing { half_life_days: f64::INFINITY, length_power: 1.0 }, 5);
        assert_eq!(rounded(scale.day(-100_000), scale.length(5)), 13_107);
    }
}
