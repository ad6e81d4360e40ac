//! Every limit of the domain with its reason.

/// The most lines a cart holds: what the largest hosted shops allow; a frame of such a cart stays below 100 KB.
pub const CART_LINES_MAX: usize = 500;

/// The most pieces of one line: what a shop would rather sell by quotation.
pub const LINE_QUANTITY_MAX: u32 = 9_999;

/// The highest unit price in minor units. With the two limits above, a cart's total stays below
/// 5 × 10¹⁷ (and shipping), so sums fit an `i64` with room to spare.
pub const PRICE_MINOR_MAX: i64 = 100_000_000_000;

/// The longest free text of an address field in bytes: longer than any postal system prints.
pub const FIELD_BYTES_MAX: usize = 200;

/// The most pieces of one product that a shop may have been supplied with.
pub const SUPPLY_MAX: i64 = 1_000_000_000_000;
