//! Upper and lower case, one code unit at a time.

/// Returns the unit that stands for all units that are equal but for case: section 22.2.2.7.3, `Canonicalize`,
/// without the `u` flag. A unit outside ASCII never stands for one inside.
pub(super) fn canonical(unit: u16) -> u16 {
    if unit < 128 {
        return u16::from((unit as u8).to_ascii_uppercase());
    }
    let Some(character) = char::from_u32(u32::from(unit)) else { return unit };
    match single(character.to_uppercase()) {
        Some(upper) if upper >= 128 => upper,
        _ => unit,
    }
}

/// Returns the lower case of a unit, if it is one unit.
pub(super) fn lower(unit: u16) -> u16 {
    char::from_u32(u32::from(unit)).and_then(|c| single(c.to_lowercase())).unwrap_or(unit)
}

fn single(mut characters: impl Iterator<Item = char>) -> Option<u16> {
    let first = characters.next()?;
    characters.next().is_none().then(|| u16::try_from(u32::from(first)).ok())?
}
