//! Patterns whose answers were seen in JavaScript.

use super::*;

#[test]
fn patterns_match_as_in_javascript() {
    let cases: &[(&str, &str, bool)] = &[
        ("", "", true),
        ("b", "abc", true),
        ("^b", "abc", false),
        ("a|^b", "xb", false),
        ("a.c", "a\nc", false),
        ("^..$", "😀", true),
        ("^.$", "😀", false),
        ("^(?:a|ab)c$", "abc", true),
        ("^(a*)*$", "aaa", true),
        ("^(a?){3}b", "aab", true),
        ("^(?:){2,}$", "", true),
        ("^a{2,3}$", "aaaa", false),
        ("^a{2,3}?a$", "aaaa", true),
        ("^a{,2}$", "a{,2}", true),
        ("a{", "a{", true),
        ("^{a}]}$", "{a}]}", true),
        (r"(\w+) \1$", "the the", true),
        (r"^(?<year>\d{4})-\k<year>$", "2026-2026", true),
        (r"\k<x>", "k<x>", true),
        (r"(?<=\$)\d+(?!\d|\.)", "$42", true),
        (r"(?<=\$)\d+$", "€42", false),
        (r"(?<=(\d+)(\d+))$", "1053", true),
        (r"(?<!a)b", "ab", false),
        (r"(?=(a+))a*b\1", "baaabac", true),
        (r"^(?!.*\.\.).*@x\.com$", "a.b@x.com", true),
        (r"^[\d-x]+$", "1-x", true),
        (r"^[a-]+$", "a-", true),
        ("[]", "a", false),
        ("^[^]$", "\n", true),
        (r"^\8\9$", "89", true),
        (r"^\101$", "A", true),
        (r"^(a)\2$", "a\u{2}", true),
        (r"^\0$", "\0", true),
        (r"^\cA\c$", "\u{1}\\c", true),
        (r"^[\c_\b]+$", "\u{1f}\u{8}", true),
        (r"^\x41\u0042\xg\u{3}$", "ABxguuu", true),
        (r"^\s+$", " \u{feff}\u{2028}\u{a0}", true),
        (r"^\S$", "\u{85}", true),
        (r"\bé", "é", false),
        (r"^(?:(a)|b)*\1$", "ab", true),
        (r"(z)((a+)?(b+)?(c))*$", "zaacbbbcac", true),
        ("(?:(?=x))*y", "y", true),
        (r"^\/a/b$", "/a/b", true),
        (r"^\p{L}$", "p{L}", true),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(Regexp::new(pattern, false).unwrap().is_match(text), *expected, "/{pattern}/ {text:?}");
    }
}

#[test]
fn case_is_ignored_as_in_javascript() {
    let cases = [
        ("ZOË", "zoë", true),
        ("[à-ö]", "Ë", true),
        ("^[^a-z]$", "K", false),
        ("ß", "SS", false),
        ("s", "ſ", false),
        ("k", "\u{212A}", false),
        ("µ", "μ", true),
        ("[ς]", "Σ", true),
        (r"^(\w)\1$", "aA", true),
        (r"\W", "ſ", true),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(Regexp::new(pattern, true).unwrap().is_match(text), expected, "/{pattern}/i {text:?}");
    }
}

#[test]
fn broken_patterns_say_where() {
    let cases = [
        ("/???***[)", "nothing to repeat at character 4 of the pattern"),
        ("*a", "nothing to repeat at character 1 of the pattern"),
        ("a**", "nothing to repeat at character 3 of the pattern"),
        ("{1}", "nothing to repeat at character 1 of the pattern"),
        ("^*", "nothing to repeat at character 2 of the pattern"),
        ("(?<=a)*", "nothing to repeat at character 7 of the pattern"),
        ("(", "unterminated group at character 2 of the pattern"),
        ("a)", "unmatched `)` at character 2 of the pattern"),
        ("[a", "unterminated class at character 3 of the pattern"),
        ("[b-a]", "range out of order in class at character 5 of the pattern"),
        ("a{2,1}", "numbers out of order in quantifier at character 7 of the pattern"),
        ("a\\", "`\\` at the end at character 3 of the pattern"),
        ("(?i:a)", "invalid group at character 3 of the pattern"),
        ("(?<1>a)", "invalid group name at character 4 of the pattern"),
        ("(?<a>x)(?<a>y)", "duplicate group name at character 6 of the pattern"),
        (r"(?<a>x)\k<b>", "invalid named reference at character 13 of the pattern"),
    ];
    for (pattern, message) in cases {
        assert_eq!(Regexp::new(pattern, false).unwrap_err().to_string(), message, "/{pattern}/");
    }
    let long = "a".repeat(PATTERN_BYTES_MAX + 1);
    assert_eq!(Regexp::new(&long, false).unwrap_err(), RegexpError::TooLong { bytes: PATTERN_BYTES_MAX + 1 });
    let deep = format!("{}{}", "(".repeat(PATTERN_DEPTH_MAX), ")".repeat(PATTERN_DEPTH_MAX));
    assert!(Regexp::new(&deep, false).is_err());
}

#[test]
fn searches_that_would_not_end_give_up() {
    let text = format!("{}!", "a".repeat(5_000));
    for pattern in
        ["^(a+)+$", "^(a|a)*$", "(.*)(.*)(.*)(.*)(.*)x", r"^(a*)*\1$", "(?=(a+)+$)x", "(a?){5000}a{5000}$"]
    {
        assert!(!Regexp::new(pattern, false).unwrap().is_match(&text), "/{pattern}/");
    }
    // Many groups, forgotten at each round of a loop.
    let groups = format!("^(?:{}a)*$", "(b)?".repeat(3_000));
    assert!(!Regexp::new(&groups, false).unwrap().is_match(&text));
    // A plain search through a long text comes to its end.
    let text = format!("{}needle", "hay ".repeat(100_000));
    assert!(Regexp::new("ne+dle", false).unwrap().is_match(&text));
    assert!(Regexp::new(r"\w+dle$", false).unwrap().is_match(&text));
}

proptest::proptest! {
    #[test]
    fn no_pattern_and_no_text_make_a_panic(
        pattern in r"([a-cé😀(){}\[\]?*+|^$.,:=!<>\\0-9kbBdDwWsSxuc-]|\PC){0,24}", text in r"[a-cA-C0-9é😀\n -]{0,12}", ignores_case: bool,
    ) {
        if let Ok(regexp) = Regexp::new(&pattern, ignores_case) {
            regexp.is_match(&text);
        }
    }
}
