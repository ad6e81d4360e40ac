//! Names the readers of the outbox: under them their cursors are stored, and what they lag behind is exported.

/// Writes event files.
pub const FILES: &str = "files";
/// Rolls experiments up.
pub const ROLLUPS: &str = "rollups";
/// Counts what became of shelves.
pub const SHELVES: &str = "shelves";
/// Writes letters.
pub const MAIL: &str = "mail";
/// Tells other programs.
pub const WEBHOOKS: &str = "webhooks";

/// Names all of them.
pub const ALL: [&str; 5] = [FILES, ROLLUPS, SHELVES, MAIL, WEBHOOKS];
