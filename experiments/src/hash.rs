//! GrowthBook's hash, ranges and overrides, number for number.
//!
//! Source: the GrowthBook SDK specification (<https://docs.growthbook.io/lib/build-your-own>) as its
//! JavaScript SDK behaves. The shared test cases of those SDKs run against this module in
//! `tests/growthbook.rs`.

/// Says which of GrowthBook's two hashes is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashVersion {
    /// The first: fnv(value‖seed) mod 1000 in thousandths; biased when experiments share a seed's shape.
    V1,
    /// The second: fnv of the decimal text of fnv(seed‖value), mod 10,000 in ten-thousandths.
    V2,
}

impl HashVersion {
    /// Returns the version of that number, or `None`: units under an unknown version are in no experiment.
    pub fn from_number(number: u64) -> Option<HashVersion> {
        match number {
            1 => Some(HashVersion::V1),
            2 => Some(HashVersion::V2),
            _ => None,
        }
    }
}

/// Returns the 32-bit FNV-1a hash of the UTF-16 code units of `parts`, one after another.
///
/// JavaScript texts are UTF-16, so each 16-bit unit is XORed whole. Over bytes or code points every text
/// outside ASCII would hash otherwise and a visitor would get another variation from the server than from the
/// JavaScript SDK.
///
/// ```
/// use experiments::hash::fnv1a32;
/// assert_eq!(fnv1a32(&[""]), 2_166_136_261);
/// assert_eq!(fnv1a32(&["a"]), 3_826_002_220);
/// assert_eq!(fnv1a32(&["foo", "bar"]), 3_214_735_720);
/// assert_eq!(fnv1a32(&["naïve", "日本語-😀"]), 1_735_499_777);
/// ```
pub fn fnv1a32(parts: &[&str]) -> u32 {
    parts.iter().fold(FNV_START, |hash, part| fnv1a32_onwards(hash, part))
}

/// What the hash begins with.
const FNV_START: u32 = 2_166_136_261;

#[inline]
fn fnv1a32_onwards(hash: u32, text: &str) -> u32 {
    let step = |hash: u32, unit: u32| (hash ^ unit).wrapping_mul(16_777_619);
    if text.is_ascii() {
        return text.bytes().fold(hash, |hash, byte| step(hash, u32::from(byte)));
    }
    text.encode_utf16().fold(hash, |hash, unit| step(hash, u32::from(unit)))
}

/// Returns the hash of a number's decimal text.
#[inline]
fn fnv1a32_of_decimal(number: u32) -> u32 {
    // Three of four numbers have all ten digits.
    if number >= 1_000_000_000 {
        return fnv1a32_of_digits(fnv1a32_of_digits(FNV_START, number / 100_000), number % 100_000);
    }
    let (high, low) = (number / 100_000, number % 100_000);
    if high == 0 { fnv1a32_of_few_digits(low) } else { fnv1a32_of_digits(fnv1a32_of_few_digits(high), low) }
}

/// Begins with the digits of a number below 100,000, without zeros in front.
fn fnv1a32_of_few_digits(number: u32) -> u32 {
    let digits = [number / 10_000, number / 1_000 % 10, number / 100 % 10, number / 10 % 10, number % 10];
    let first = digits.iter().position(|digit| *digit > 0).unwrap_or(4);
    digits[first..]
        .iter()
        .fold(FNV_START, |hash, digit| (hash ^ (u32::from(b'0') + digit)).wrapping_mul(16_777_619))
}

/// Goes on over the five digits of a number below 100,000, the first of which comes at once: its multiple of
/// 2³² / 10⁴ holds the digit above bit 32, and ten times what is below holds the next.
#[inline]
fn fnv1a32_of_digits(hash: u32, number: u32) -> u32 {
    let mut shifted = u64::from(number) * 429_497;
    let mut hash = hash;
    for _ in 0..5 {
        hash = (hash ^ (u32::from(b'0') + (shifted >> 32) as u32)).wrapping_mul(16_777_619);
        shifted = (shifted & 0xFFFF_FFFF) * 10;
    }
    hash
}

/// Returns where a unit falls, at or above 0 and below 1.
///
/// ```
/// use experiments::hash::{HashVersion, bucket};
/// assert_eq!(bucket("checkout", "user-1", HashVersion::V2), 0.7893);
/// assert_eq!(bucket("checkout", "user-1", HashVersion::V1), 0.944);
/// assert_eq!(bucket("exp", "zoë", HashVersion::V2), 0.9868); // by UTF-16; bytes would give 0.5448
/// ```
pub fn bucket(seed: &str, value: &str, version: HashVersion) -> f64 {
    match version {
        HashVersion::V1 => f64::from(fnv1a32(&[value, seed]) % 1_000) / 1_000.0,
        HashVersion::V2 => f64::from(fnv1a32_of_decimal(fnv1a32(&[seed, value])) % 10_000) / 10_000.0,
    }
}

/// Holds a seed whose share of the hash is computed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    text: String,
    /// The hash of the text, from which version 2 goes on.
    start: u32,
}

impl Seed {
    /// Prepares a seed.
    pub fn new(text: &str) -> Seed {
        Seed { text: text.to_owned(), start: fnv1a32(&[text]) }
    }

    /// Returns where a unit falls: what [`bucket`] returns.
    #[inline]
    pub fn bucket(&self, value: &str, version: HashVersion) -> f64 {
        match version {
            HashVersion::V1 => bucket(&self.text, value, version),
            HashVersion::V2 => {
                f64::from(fnv1a32_of_decimal(fnv1a32_onwards(self.start, value)) % 10_000) / 10_000.0
            }
        }
    }
}

/// Holds a range of buckets that includes its start and leaves out its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BucketRange {
    /// The first bucket in the range.
    pub start: f64,
    /// The first bucket after the range.
    pub end: f64,
}

impl BucketRange {
    /// Returns whether the bucket lies in the range.
    #[inline]
    pub fn contains(&self, bucket: f64) -> bool {
        self.start <= bucket && bucket < self.end
    }
}

/// Returns equal weights for that many variations; none for 0.
pub fn equal_weights(variations: usize) -> Vec<f64> {
    vec![1.0 / variations as f64; variations]
}

/// Returns the range of each variation.
///
/// Coverage is clamped to 0..=1. Weights of the wrong number, or whose sum is below 0.99 or above 1.01, are
/// replaced by equal ones. Each range starts at the sum of the weights before it and is `coverage · weight`
/// long, so raising coverage only adds units, while new weights move them. All in `f64` in the order of the
/// JavaScript SDK.
///
/// ```
/// use experiments::hash::{BucketRange, bucket_ranges};
/// let ranges = bucket_ranges(2, 0.5, Some(&[0.4, 0.6]));
/// assert_eq!(ranges, [BucketRange { start: 0.0, end: 0.2 }, BucketRange { start: 0.4, end: 0.7 }]);
/// let ranges = bucket_ranges(4, 0.1, Some(&[0.4, 0.4, 0.2, 0.0]));
/// assert_eq!(ranges[0].end, 0.04000000000000001);
/// assert_eq!(ranges[2].end, 0.8200000000000001);
/// ```
pub fn bucket_ranges(variations: usize, coverage: f64, weights: Option<&[f64]>) -> Vec<BucketRange> {
    let coverage = if coverage.is_nan() { 0.0 } else { coverage.clamp(0.0, 1.0) };
    let equal = equal_weights(variations);
    let weights = weights.filter(|given| {
        let sum: f64 = given.iter().sum();
        given.len() == variations && (0.99..=1.01).contains(&sum)
    });
    let mut start_of_next = 0.0;
    let range_of = |&weight: &f64| {
        let start = start_of_next;
        start_of_next += weight;
        BucketRange { start, end: start + coverage * weight }
    };
    weights.unwrap_or(&equal).iter().map(range_of).collect()
}

/// Returns the first variation whose range holds the bucket.
#[inline]
pub fn choose_variation(bucket: f64, ranges: &[BucketRange]) -> Option<usize> {
    ranges.iter().position(|range| range.contains(bucket))
}

/// Returns whether a unit lies in the part of a namespace that an experiment was given.
///
/// Units are placed in a namespace by hash version 1 under the seed `__` and the namespace's id.
///
/// ```
/// use experiments::hash::{BucketRange, in_namespace};
/// assert!(in_namespace("user-1", "ns", BucketRange { start: 0.7, end: 0.8 })); // at 0.709
/// ```
pub fn in_namespace(unit: &str, namespace: &str, range: BucketRange) -> bool {
    range.contains(bucket(&format!("__{namespace}"), unit, HashVersion::V1))
}

/// Returns the variation that a page's address asks for by `?<experiment key>=<index>`.
///
/// As in the JavaScript SDK: the query runs from the first `?` to a second one or `#`, the first parameter of
/// that name counts, nothing is percent-decoded, and the number is read as `parseInt` does (`1abc` is 1).
///
/// ```
/// use experiments::hash::query_string_override;
/// assert_eq!(query_string_override("my-test", "https://shop.example/cart?a=b&my-test=1#top", 2), Some(1));
/// assert_eq!(query_string_override("my-test", "/cart?my-test=2", 2), None); // only 0 and 1 exist
/// ```
pub fn query_string_override(experiment: &str, url: &str, variations: usize) -> Option<usize> {
    if url.is_empty() {
        return None;
    }
    let (_, after) = url.split_once('?')?;
    let query = after.split(['?', '#']).next()?;
    let value = query.split('&').find_map(|pair| {
        let mut sides = pair.split('=');
        (sides.next() == Some(experiment)).then(|| sides.next())
    })??;
    parse_int(value).filter(|&index| index < variations)
}

/// Reads a non-negative integer as JavaScript's `parseInt` does: leading space and `+` skipped, `0x` is
/// hexadecimal, the rest after the digits ignored.
fn parse_int(text: &str) -> Option<usize> {
    let text = text.trim_start();
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, text) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(rest) => (16, rest),
        None => (10, text),
    };
    let end = text.find(|c: char| !c.is_digit(radix)).unwrap_or(text.len());
    let number = usize::from_str_radix(&text[..end], radix).ok()?;
    (!is_negative || number == 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values seen from the JavaScript SDK 1.8.0: seed, value, v1, v2.
    #[test]
    fn hashes_match_the_javascript_sdk() {
        let seen = [
            ("checkout", "user-1", 0.944, 0.7893),
            ("checkout", "user-2", 0.385, 0.5609),
            ("exp-pricing", "42", 0.581, 0.4387),
            ("", "anonymous", 0.790, 0.6947),
            ("naïve", "日本語-😀", 0.463, 0.8048),
        ];
        for (seed, value, v1, v2) in seen {
            assert_eq!(bucket(seed, value, HashVersion::V1), v1, "{seed} {value}");
            assert_eq!(bucket(seed, value, HashVersion::V2), v2, "{seed} {value}");
        }
    }

    #[test]
    fn decimals_hash_as_their_texts() {
        let near = |number: u32| (number.saturating_sub(2)..=number).chain(number..number.saturating_add(3));
        let powers = (0..10).map(|exponent| 10_u32.pow(exponent)).flat_map(near);
        let spread = (0..20_000_u32).map(|i| i.wrapping_mul(2_654_435_761));
        for number in powers.chain(spread).chain(near(u32::MAX)) {
            assert_eq!(fnv1a32_of_decimal(number), fnv1a32(&[&number.to_string()]), "{number}");
        }
    }

    #[test]
    fn weights_almost_summing_to_one_are_kept() {
        let ranges = bucket_ranges(2, 1.0, Some(&[0.5, 0.509]));
        assert_eq!(ranges[1], BucketRange { start: 0.5, end: 1.009 });
        assert_eq!(bucket_ranges(2, f64::NAN, None)[1], BucketRange { start: 0.5, end: 0.5 });
    }

    #[test]
    fn query_numbers_are_read_as_javascript_reads_them() {
        let cases = [
            ("?k=1abc", Some(1)),
            ("?k=%31", None),
            ("?k= 1", Some(1)),
            ("?k=+1", Some(1)),
            ("?k=-0", Some(0)),
            ("?k=-1", None),
            ("?k=0x1", Some(1)),
            ("?k", None),
            ("?k=", None),
            ("?k=9&k=1", None),
            ("?k=1?k=0", Some(1)),
            ("?a=1#?k=1", None),
            ("?k=1=0", Some(1)),
            ("?k=99999999999999999999999", None),
        ];
        for (url, expected) in cases {
            assert_eq!(query_string_override("k", url, 2), expected, "{url}");
        }
    }
}
