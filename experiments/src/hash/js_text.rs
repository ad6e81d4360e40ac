//! The text that JavaScript makes of a JSON value.

use serde_json::{Number, Value};

/// Returns what JavaScript's `String(value)` gives, or `None` for the values it counts as false (`null`,
/// `false`, 0 and the empty text), which GrowthBook takes for a missing attribute.
///
/// ```
/// use experiments::hash::js_text;
/// use serde_json::json;
/// assert_eq!(js_text(&json!(7)).as_deref(), Some("7"));
/// assert_eq!(js_text(&json!(true)).as_deref(), Some("true"));
/// assert_eq!(js_text(&json!(1e21)).as_deref(), Some("1e+21"));
/// assert_eq!(js_text(&json!(0)), None);
/// ```
pub fn js_text(value: &Value) -> Option<String> {
    let is_missing = match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    (!is_missing).then(|| string_of(value))
}

fn string_of(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number_text(number),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(element_text).collect::<Vec<_>>().join(","),
        Value::Object(_) => "[object Object]".into(),
    }
}

/// Joining an array makes nothing of `null`.
fn element_text(value: &Value) -> String {
    if value.is_null() { String::new() } else { string_of(value) }
}

/// Writes a number as ECMAScript's `Number::toString` does (ECMA-262, 2024, section 6.1.6.1.20): the shortest
/// digits that read back the same, plain between 1e-7 and 1e21, else with an exponent.
pub(crate) fn number_text(number: &Number) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_read_as_javascript_writes_them() {
        let cases = [
            (json!(1.5), "1.5"),
            (json!(-12), "-12"),
            (json!(100), "100"),
            (json!(42.0), "42"),
            (json!(123456.789), "123456.789"),
            (json!(0.1), "0.1"),
            (json!(0.000001), "0.000001"),
            (json!(0.0000015), "0.0000015"),
            (json!(0.0000001), "1e-7"),
            (json!(1.25e-9), "1.25e-9"),
            (json!(1e20), "100000000000000000000"),
            (json!(123456789012345680000.0), "123456789012345680000"),
            (json!(1e21), "1e+21"),
            (json!(-1.5e300), "-1.5e+300"),
            (json!(9007199254740993_u64), "9007199254740992"),
            (json!(u64::MAX), "18446744073709552000"),
        ];
        for (value, text) in cases {
            assert_eq!(js_text(&value).as_deref(), Some(text), "{value}");
        }
    }

    #[test]
    fn other_values_read_as_javascript_writes_them() {
        assert_eq!(js_text(&json!([1, null, "a", [2, 0]])).as_deref(), Some("1,,a,2,0"));
        assert_eq!(js_text(&json!([])).as_deref(), Some(""));
        assert_eq!(js_text(&json!({"a": 1})).as_deref(), Some("[object Object]"));
        for missing in [json!(null), json!(false), json!(0), json!(-0.0), json!("")] {
            assert_eq!(js_text(&missing), None);
        }
    }
}
