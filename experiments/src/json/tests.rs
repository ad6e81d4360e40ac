//! JavaScript's view of JSON, as tables.

use super::*;

fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

#[test]
fn objects_keep_javascripts_order() {
    let written = json(r#"{"b": 1, "10": 2, "a": 3, "2": 4, "b": 5, "01": 6, "4294967295": 7}"#);
    assert_eq!(written.to_string(), r#"{"2":4,"10":2,"b":5,"a":3,"01":6,"4294967295":7}"#);
    let many: String = (0..50).rev().map(|i| format!(r#""k{i}": {i},"#)).collect();
    let many = json(&format!(r#"{{{many} "k7": 70}}"#));
    assert_eq!(many.get("k7"), Some(&json("70")));
    assert_eq!(many.get("k49"), Some(&json("49")));
    assert_eq!(many.as_object().map(Object::len), Some(50));
    assert_eq!(many.as_object().unwrap().iter().next(), Some(("k49", &json("49"))));
    assert_eq!(many.get("k50"), None);
}

#[test]
fn values_become_numbers_as_in_javascript() {
    let cases = [
        ("null", 0.0),
        ("true", 1.0),
        (r#""""#, 0.0),
        (r#"" \n12 ""#, 12.0),
        (r#""1e3""#, 1000.0),
        (r#"".5""#, 0.5),
        (r#""5.""#, 5.0),
        (r#""-7""#, -7.0),
        (r#""0x1F""#, 31.0),
        (r#""0b101""#, 5.0),
        (r#""0o17""#, 15.0),
        (r#""-Infinity""#, f64::NEG_INFINITY),
        ("[]", 0.0),
        (r#"["8"]"#, 8.0),
    ];
    for (value, number) in cases {
        assert_eq!(json(value).to_number(), number, "{value}");
    }
    for value in [
        "{}",
        "[1, 2]",
        r#""inf""#,
        r#""nan""#,
        r#""1_0""#,
        r#""-0x1""#,
        r#""1 2""#,
        r#""0x""#,
        r#"".""#,
        r#""e5""#,
    ] {
        assert!(json(value).to_number().is_nan(), "{value}");
    }
}

#[test]
fn values_compare_as_in_javascript() {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let cases = [
        (r#""10""#, r#""9""#, Some(Less)),
        (r#""10""#, "9", Some(Greater)),
        ("null", "0", Some(Equal)),
        ("null", r#""a""#, None),
        ("[5]", "6", Some(Less)),
        ("[5]", r#""6""#, Some(Less)),
        ("{}", "1", None),
        ("true", "1", Some(Equal)),
        // One unit from U+E000 on lies above both units of a character beyond the basic plane.
        (r#""\uE000""#, r#""😀""#, Some(Greater)),
    ];
    for (one, other, order) in cases {
        assert_eq!(json(one).compare(&json(other)), order, "{one} {other}");
    }
}

#[test]
fn objects_are_equal_when_their_texts_are() {
    assert!(json(r#"{"a": 1, "b": [1.0, -0.0]}"#).is_written_as(&json(r#"{"a": 1.0, "b": [1, 0]}"#)));
    assert!(!json(r#"{"a": 1, "b": 2}"#).is_written_as(&json(r#"{"b": 2, "a": 1}"#)));
    assert!(!json("[1]").is_strictly(&json("[1]")));
}

#[test]
fn values_deeper_than_the_limit_are_refused() {
    let nested = |levels: usize| (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    assert!(Json::try_from(&nested(JSON_DEPTH_MAX)).is_ok());
    assert_eq!(Json::try_from(&nested(JSON_DEPTH_MAX + 1)), Err(TooDeep));
    let text = format!("{}{}", "[".repeat(JSON_DEPTH_MAX + 1), "]".repeat(JSON_DEPTH_MAX + 1));
    assert!(Json::parse(&text).unwrap_err().to_string().starts_with("recursion limit exceeded"));
}

#[test]
fn values_become_texts_as_in_javascript() {
    let cases = [
        ("1.5", "1.5"),
        ("-12", "-12"),
        ("100", "100"),
        ("42.0", "42"),
        ("123456.789", "123456.789"),
        ("0.1", "0.1"),
        ("0.000001", "0.000001"),
        ("0.0000015", "0.0000015"),
        ("0.0000001", "1e-7"),
        ("1.25e-9", "1.25e-9"),
        ("1e20", "100000000000000000000"),
        ("123456789012345680000.0", "123456789012345680000"),
        ("1e21", "1e+21"),
        ("-1.5e300", "-1.5e+300"),
        ("9007199254740993", "9007199254740992"),
        ("18446744073709551615", "18446744073709552000"),
        ("-0.0", "0"),
        (r#"[1, null, "a", [2, 0]]"#, "1,,a,2,0"),
        ("[]", ""),
        (r#"{"a": 1}"#, "[object Object]"),
    ];
    for (value, text) in cases {
        assert_eq!(json(value).to_text(), text, "{value}");
    }
}
