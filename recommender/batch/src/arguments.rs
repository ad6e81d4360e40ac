//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use recommender::Task;

/// Learns from a shop's orders and sessions what sells together and what is viewed next.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Exit status: 0 done, 1 failed, 2 wrong arguments, 3 nothing to learn from, 4 learnt but not put into service."
)]
pub struct Arguments {
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
}

/// Is what the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compacts new events into the lake, learns from all of it, and puts the model into service where it is not worse.
    Train(Train),
    /// Tries settings on the latest part of the events, and writes which did best and why.
    Tune(Tune),
    /// Learns from what came first, asks about what came later, and prints how good the answers are; writes nothing.
    Evaluate(Evaluate),
}

/// Holds the arguments of `train`.
#[derive(Debug, Args)]
pub struct Train {
    /// Folder of the event files (events-v1-<position>.jsonl).
    #[arg(long, value_name = "DIR")]
    pub events: PathBuf,
    /// Folder of the lake: orders and views by day as Parquet; made where it is missing.
    #[arg(long, value_name = "DIR")]
    pub lake: PathBuf,
    /// The model file in service, replaced whole; models are kept beside it.
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// The time to note as that of the training, Unix milliseconds; by default the clock's. What is more than a day later is not
    /// believed.
    #[arg(long, value_name = "MS")]
    pub now_ms: Option<i64>,
    /// The memory to train with, in bytes: to count orders with, and as much again to learn with, of fewer lines, questions and items where
    /// these would take more. What the program and the catalogue take, and the largest day where it changed, comes on top.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30, overrides_with = "memory_bytes")]
    pub memory_bytes: usize,
    /// Put the model into service even where it is plainly worse than the one that is there.
    #[arg(long)]
    pub promote_anyway: bool,
    /// What else is known.
    #[command(flatten)]
    pub facts: Facts,
}

/// Holds the arguments of `tune`.
#[derive(Debug, Args)]
pub struct Tune {
    /// Folder of the event files (events-v1-<position>.jsonl).
    #[arg(long, value_name = "DIR")]
    pub events: PathBuf,
    /// Folder of a lake, read beside the event files.
    #[arg(long, value_name = "DIR")]
    pub lake: Option<PathBuf>,
    /// Where the settings are written, to be given to train and evaluate.
    #[arg(long, value_name = "FILE", overrides_with = "out")]
    pub out: PathBuf,
    /// The minutes that it may take.
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    pub minutes: u32,
    /// What else is known.
    #[command(flatten)]
    pub facts: Facts,
}

/// Holds what is known beside events.
#[derive(Debug, Args)]
pub struct Facts {
    /// The catalogue: one JSON object a line, with sku and name; where it is missing, nothing is known of names.
    #[arg(long, value_name = "FILE", overrides_with = "catalogue")]
    pub catalogue: Option<PathBuf>,
    /// How to learn, as JSON: what tune wrote, or any part of what `cartwright model show` prints as settings.
    #[arg(long, value_name = "FILE", overrides_with = "settings")]
    pub settings: Option<PathBuf>,
}

/// Names what later entries are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// Every prefix of a session, for the next item.
    Session,
    /// A basket without one item, for that item.
    Loo,
    /// One item, for another of its basket.
    Fbt,
    /// What a customer had bought, for something that they buy for the first time on a later occasion.
    After,
}

impl Protocol {
    /// Returns what is asked.
    pub fn task(self) -> Task {
        match self {
            Self::Session => Task::Session,
            Self::Loo => Task::Loo,
            Self::Fbt => Task::Fbt,
            Self::After => Task::After,
        }
    }
}

/// Holds the arguments of `evaluate`.
#[derive(Debug, Args)]
pub struct Evaluate {
    /// Folder of the event files (events-v1-<position>.jsonl).
    #[arg(long, value_name = "DIR", required_unless_present = "protocol")]
    pub events: Option<PathBuf>,
    /// Learn from and ask about these Parquet files, not the shop's own events.
    #[arg(long, value_enum)]
    pub protocol: Option<Protocol>,
    /// Sessions or orders to learn from: order_id or session_id, item_id, and where known user_id, name, quantity,
    /// unit_price_minor, ts, seq. The protocol after asks its later orders.
    #[arg(long, value_name = "FILE", requires = "protocol")]
    pub train: Option<PathBuf>,
    /// Later sessions, of the same columns.
    #[arg(long, value_name = "FILE", requires = "protocol", conflicts_with = "cases")]
    pub test: Option<PathBuf>,
    /// Questions about baskets: task (loo or fbt), context (a list of items), target.
    #[arg(long, value_name = "FILE", requires = "protocol")]
    pub cases: Option<PathBuf>,
    /// Learn only from what is before this time, as 2011-11-10; the protocol after asks what is not, without it the latest tenth.
    #[arg(long, value_name = "TIME", requires = "protocol")]
    pub before: Option<String>,
    /// Learn only from the order_ids of this file.
    #[arg(long, value_name = "FILE", requires = "protocol")]
    pub orders: Option<PathBuf>,
    /// Codes that are no products, such as POST; with a star behind, all that begin so.
    #[arg(long, value_name = "CODE", value_delimiter = ',', requires = "protocol")]
    pub without: Vec<String>,
    /// Take what lines of negative quantity say from the orders before them, as imports do; otherwise these lines are passed over.
    #[arg(long, requires = "protocol")]
    pub returns: bool,
    /// Say also what each part of the order of candidates is worth, by learning it anew without the part; it takes several times
    /// as long. Not with the protocol after.
    #[arg(long, requires = "protocol")]
    pub ablate: bool,
    /// Folder of a lake, read beside the event files.
    #[arg(long, value_name = "DIR")]
    pub lake: Option<PathBuf>,
    /// Print one JSON object a line instead of a table.
    #[arg(long)]
    pub json: bool,
    /// What else is known.
    #[command(flatten)]
    pub facts: Facts,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
