//! Numbers as people read them: grouped by threes, a real minus sign, no digit that means nothing.

/// What stands where there is no number.
pub(crate) const NONE: &str = "–";

/// Groups the digits before the point of a plain number by threes.
pub(crate) fn group(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut text = String::with_capacity(number.len() + whole.len() / 3);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

/// Writes a count: `12,345`.
pub fn count(number: u64) -> String {
    group(&number.to_string())
}

/// Writes a count and its noun: `1 order`, `2 orders`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!("{}\u{a0}{noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Writes a share between 0 and 1 with two decimals: `3.42 %`.
pub(crate) fn percent(share: f64) -> String {
    unsigned(share, 2)
}

/// Writes a whole share without idle decimals: `50 %`, `33.34 %`.
pub(crate) fn short_percent(share: f64) -> String {
    if !share.is_finite() {
        return NONE.into();
    }
    let text = format!("{:.2}", share * 100.0);
    format!("{}\u{a0}%", text.trim_end_matches('0').trim_end_matches('.'))
}

fn unsigned(share: f64, decimals: usize) -> String {
    if !share.is_finite() {
        return NONE.into();
    }
    format!("{}\u{a0}%", group(&format!("{:.decimals$}", share * 100.0)))
}

/// Writes a relative change with its sign: `+12.1 %`, `−3.0 %`, `0.0 %`.
pub(crate) fn signed_percent(change: f64) -> String {
    signed_percent_to(change, 1)
}

/// Writes a relative change with its sign and so many decimals.
pub(crate) fn signed_percent_to(change: f64, decimals: usize) -> String {
    if !change.is_finite() {
        return NONE.into();
    }
    let text = format!("{:.decimals$}", (change * 100.0).abs());
    let is_nought = text.chars().all(|c| matches!(c, '0' | '.'));
    let sign = if is_nought {
        ""
    } else if change > 0.0 {
        "+"
    } else {
        "−"
    };
    format!("{sign}{}\u{a0}%", group(&text))
}

/// Writes a number with its sign and so many decimals: `+12`, `−3.5`, `0`.
pub(crate) fn signed(number: f64, decimals: usize) -> String {
    if !number.is_finite() {
        return NONE.into();
    }
    let text = format!("{:.decimals$}", number.abs());
    let is_nought = text.chars().all(|c| matches!(c, '0' | '.'));
    let sign = match number {
        _ if is_nought => "",
        n if n > 0.0 => "+",
        _ => "−",
    };
    format!("{sign}{}", group(&text))
}

/// Writes a p-value as it stands after `p`: `= 0.43`, `= 0.012`, `< 0.0001`.
pub(crate) fn p_value(p: f64) -> String {
    if !p.is_finite() {
        NONE.into()
    } else if p < 0.0001 {
        "<\u{a0}0.0001".into()
    } else if p < 0.001 {
        format!("=\u{a0}{p:.4}")
    } else if p < 0.1 {
        format!("=\u{a0}{p:.3}")
    } else {
        format!("=\u{a0}{p:.2}")
    }
}

/// Writes a p-value as it stands in a column of them: `0.43`, `< 0.0001`.
pub(crate) fn p_cell(p: f64) -> String {
    p_value(p).trim_start_matches("=\u{a0}").to_owned()
}

/// Writes a number with so many decimals.
pub(crate) fn decimal(number: f64, decimals: usize) -> String {
    if !number.is_finite() {
        return NONE.into();
    }
    let text = group(&format!("{:.decimals$}", number.abs()));
    let is_nought = text.chars().all(|c| matches!(c, '0' | '.'));
    format!("{}{text}", if number < 0.0 && !is_nought { "−" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "order"), "1\u{a0}order");
        assert_eq!(counted(0, "order"), "0\u{a0}orders");
        assert_eq!(percent(0.034_24), "3.42\u{a0}%");
        assert_eq!(short_percent(0.5), "50\u{a0}%");
        assert_eq!(short_percent(0.3334), "33.34\u{a0}%");
        assert_eq!(short_percent(1.0), "100\u{a0}%");
        assert_eq!(short_percent(0.0), "0\u{a0}%");
        assert_eq!(signed_percent(0.1214), "+12.1\u{a0}%");
        assert_eq!(signed_percent(-0.03), "−3.0\u{a0}%");
        assert_eq!(signed_percent(-0.0001), "0.0\u{a0}%");
        assert_eq!(signed_percent(25.0), "+2,500.0\u{a0}%");
        assert_eq!(signed_percent(f64::INFINITY), "–");
        assert_eq!(signed(-3.5, 1), "−3.5");
        assert_eq!(signed(0.2, 0), "0");
        assert_eq!(signed(1234.0, 0), "+1,234");
    }

    #[test]
    fn p_values_never_read_as_nought() {
        let table = [
            (1.0, "= 1.00"),
            (0.43, "= 0.43"),
            (0.0123, "= 0.012"),
            (0.000_46, "= 0.0005"),
            (0.0, "< 0.0001"),
        ];
        for (p, text) in table {
            assert_eq!(p_value(p).replace('\u{a0}', " "), text);
        }
    }
}
