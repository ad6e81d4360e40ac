//! Item codes: where a shop numbers its products, neighbouring numbers are often variants of one thing.

/// Returns the number that a code begins with, or `None` where it begins with none: 85123 for `85123A`.
pub fn number(code: &str) -> Option<u32> {
    let digits = code.bytes().take_while(u8::is_ascii_digit).count();
    code[..digits].parse().ok()
}

/// Returns how far two numbers are apart, as the logarithm of one more; minus one where either is missing.
#[inline]
pub fn distance(a: Option<u32>, b: Option<u32>) -> f32 {
    match (a, b) {
        (Some(a), Some(b)) => (a.abs_diff(b) as f32).ln_1p(),
        _ => -1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_as_near_as_its_number() {
        assert_eq!(
            ["85123A", "22", "MUG-1", "", "99999999999"].map(number),
            [Some(85_123), Some(22), None, None, None]
        );
        assert_eq!(distance(number("85123A"), number("85123B")), 0.0);
        assert_eq!(distance(Some(22), None), -1.0);
    }
}
