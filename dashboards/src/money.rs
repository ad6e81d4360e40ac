//! Money as people read it.

use experiments::metric::Format;
use experiments::verdict::MetricSummary;

use crate::figure::{count, decimal, group, percent};

/// Most digits after the point; ISO 4217 has none above 4.
pub const EXPONENT_MAX: u32 = 4;

/// Names a currency and how many digits its smallest unit stands behind the point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Currency {
    code: String,
    exponent: u32,
}

impl Currency {
    /// Makes a currency from its ISO 4217 code and exponent; an exponent above [`EXPONENT_MAX`] counts as that.
    pub fn new(code: &str, exponent: u32) -> Currency {
        Currency { code: code.to_owned(), exponent: exponent.min(EXPONENT_MAX) }
    }

    /// Returns the ISO 4217 code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Writes an amount of the smallest unit.
    ///
    /// ```
    /// use dashboards::Currency;
    /// assert_eq!(Currency::new("GBP", 2).amount(1_234_567), "£12,345.67");
    /// assert_eq!(Currency::new("JPY", 0).amount(-980), "−¥980");
    /// assert_eq!(Currency::new("KWD", 3).amount(1_500), "KWD\u{a0}1.500");
    /// ```
    pub fn amount(&self, minor: i64) -> String {
        let scale = 10_u64.pow(self.exponent);
        let (whole, rest) = (minor.unsigned_abs() / scale, minor.unsigned_abs() % scale);
        let digits = if self.exponent == 0 {
            count(whole)
        } else {
            format!("{}.{rest:0width$}", count(whole), width = self.exponent as usize)
        };
        self.signed(minor < 0, &digits)
    }

    /// Writes a mean of amounts of the smallest unit, rounded to it; a dash where there is none.
    ///
    /// ```
    /// use dashboards::Currency;
    /// assert_eq!(Currency::new("GBP", 2).mean(318.62), "£3.19");
    /// assert_eq!(Currency::new("GBP", 2).mean(f64::NAN), "–");
    /// ```
    pub fn mean(&self, minor: f64) -> String {
        if !minor.is_finite() {
            return "–".into();
        }
        let text =
            format!("{:.*}", self.exponent as usize, minor.abs() / 10_f64.powi(self.exponent.cast_signed()));
        let is_nought = text.chars().all(|c| matches!(c, '0' | '.'));
        self.signed(minor < 0.0 && !is_nought, &group(&text))
    }

    /// Writes a number of a metric, which counts the parts that the metric says.
    pub fn measured_in(&self, metric: &MetricSummary, parts: f64) -> String {
        self.measured(metric.format, parts / 10_f64.powi(metric.decimals.min(9) as i32))
    }

    /// Writes a metric's value.
    pub fn measured(&self, format: Format, value: f64) -> String {
        match format {
            Format::Share => percent(value),
            Format::Money => self.mean(value),
            Format::Milliseconds if value.abs() >= 3_600_000.0 => {
                format!("{}\u{a0}h", decimal(value / 3_600_000.0, 1))
            }
            Format::Milliseconds if value.abs() >= 60_000.0 => {
                format!("{}\u{a0}min", decimal(value / 60_000.0, 1))
            }
            Format::Milliseconds if value.abs() >= 10_000.0 => {
                format!("{}\u{a0}s", decimal(value / 1_000.0, 1))
            }
            Format::Milliseconds => format!("{}\u{a0}ms", decimal(value, 0)),
            Format::Number => decimal(value, if value.abs() >= 100.0 { 0 } else { 3 }),
        }
    }

    fn signed(&self, is_negative: bool, digits: &str) -> String {
        let sign = if is_negative { "−" } else { "" };
        match self.code.as_str() {
            "GBP" => format!("{sign}£{digits}"),
            "USD" => format!("{sign}${digits}"),
            "EUR" => format!("{sign}€{digits}"),
            "JPY" => format!("{sign}¥{digits}"),
            code => format!("{sign}{code}\u{a0}{digits}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_at_the_ends_of_their_range_are_written() {
        let pound = Currency::new("GBP", 2);
        assert_eq!(pound.amount(0), "£0.00");
        assert_eq!(pound.amount(-5), "−£0.05");
        assert_eq!(pound.amount(i64::MIN), "−£92,233,720,368,547,758.08");
        assert_eq!(pound.mean(-0.3), "£0.00");
        assert_eq!(pound.mean(-123_456_789.0), "−£1,234,567.89");
        assert_eq!(Currency::new("JPY", 0).mean(1234.5), "¥1,234");
        assert_eq!(Currency::new("XXX", 99).amount(1), "XXX\u{a0}0.0001");
    }
}
