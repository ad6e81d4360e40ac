//! The text that JavaScript makes of a number.

use serde_json::Number;

/// Writes a number as ECMAScript's `Number::toString` does (ECMA-262, 2024, section 6.1.6.1.20): the shortest
/// digits that read back the same, plain between 1e-7 and 1e21, else with an exponent.
pub(super) fn number_text(number: &Number) -> String {
    let number = number.as_f64().unwrap_or(f64::NAN);
    if number == 0.0 {
        return "0".into();
    }
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').expect("`{:e}` writes an exponent");
    let digits = mantissa.replace('.', "");
    let exponent: i32 = exponent.parse().expect("`{:e}` writes an integer exponent");
    let sign = if number < 0.0 { "-" } else { "" };
    format!("{sign}{}", place_point(&digits, exponent))
}

/// Writes `d.ddd · 10^exponent` given its digits.
fn place_point(digits: &str, exponent: i32) -> String {
    let count = digits.len() as i32;
    match exponent {
        -6..=-1 => format!("0.{}{digits}", "0".repeat((-exponent - 1) as usize)),
        0..=20 if exponent + 1 >= count => format!("{digits}{}", "0".repeat((exponent + 1 - count) as usize)),
        0..=20 => {
            let (whole, fraction) = digits.split_at((exponent + 1) as usize);
            format!("{whole}.{fraction}")
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{first}{point}{rest}e{sign}{}", exponent.unsigned_abs())
        }
    }
}
