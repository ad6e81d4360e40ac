//! What happens after the commit: the outbox is read by position, into event files, roll-ups and counts of shelves.

pub mod data;
pub mod files;
pub mod reader;
pub mod rollups;
pub mod shelf_counts;
pub mod window;
