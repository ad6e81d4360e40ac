//! Units of other programs.

use cart_core::VisitorId;
use sha2::{Digest, Sha256};

/// The longest name of a unit in bytes: an address of mail or a token fits several times.
pub(super) const UNIT_BYTES_MAX: usize = 1_024;

/// Returns the unit of a name. One that is no visitor's id, such as an address of mail, goes by a digest: `sha256-` and the
/// first 32 hexadecimal digits of its SHA-256, which any program can make again.
pub(super) fn unit_of(name: &str) -> VisitorId {
    VisitorId::parse(name).unwrap_or_else(|_| {
        let digest = Sha256::digest(name);
        let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        VisitorId::parse(&format!("sha256-{hex}")).expect("letters, digits and a hyphen are an id")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_id_goes_by_its_digest() {
        assert_eq!(unit_of("user-1").as_str(), "user-1");
        // `printf %s ada@example.org | sha256sum | head -c 32`
        assert_eq!(unit_of("ada@example.org").as_str(), "sha256-cfe00dde46ef942601ffafb9e2825e80");
        assert_eq!(unit_of("ada@example.org"), unit_of("ada@example.org"));
        assert_ne!(unit_of(&"x".repeat(81)), unit_of(&"x".repeat(82)));
    }
}
