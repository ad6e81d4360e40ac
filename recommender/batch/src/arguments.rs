//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};
use recommender::{Score, Settings, model::NEIGHBOURS_MAX};

/// Learns from a shop's orders what sells together.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Exit status: 0 done, 1 failed, 2 wrong arguments, 3 no orders to learn from."
)]
pub struct Arguments {
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
}

/// Is what the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compacts new events into the lake, learns from all orders of the lake and writes the model file.
    Train(Train),
    /// Learns from earlier orders, asks about later ones, and prints how good the answers are; writes nothing.
    Evaluate(Evaluate),
}

/// Holds the arguments of `train`.
#[derive(Debug, Args)]
pub struct Train {
    /// Folder of the event files (events-v1-<position>.jsonl).
    #[arg(long, value_name = "DIR")]
    pub events: PathBuf,
    /// Folder of the lake: orders by day as Parquet; made where it is missing.
    #[arg(long, value_name = "DIR")]
    pub lake: PathBuf,
    /// The model file, replaced whole.
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// The time to note as that of the training, Unix milliseconds; by default the clock's.
    #[arg(long, value_name = "MS")]
    pub now_ms: Option<i64>,
    /// How to learn.
    #[command(flatten)]
    pub learning: Learning,
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
}

impl Protocol {
    /// Returns the name, as files of cases and tables spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Loo => "loo",
            Self::Fbt => "fbt",
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
    /// Sessions or orders to learn from: order_id or session_id, item_id, and where known name, quantity,
    /// unit_price_minor, ts, seq.
    #[arg(long, value_name = "FILE", requires = "protocol")]
    pub train: Option<PathBuf>,
    /// Later sessions, of the same columns.
    #[arg(long, value_name = "FILE", requires = "protocol", conflicts_with = "cases")]
    pub test: Option<PathBuf>,
    /// Questions about baskets: task (loo or fbt), context (a list of items), target.
    #[arg(long, value_name = "FILE", requires = "protocol")]
    pub cases: Option<PathBuf>,
    /// Learn only from what is before this time, as 2011-11-10.
    #[arg(long, value_name = "TIME", requires = "protocol")]
    pub before: Option<String>,
    /// Learn only from the order_ids of this file.
    #[arg(long, value_name = "FILE", requires = "protocol")]
    pub orders: Option<PathBuf>,
    /// Codes that are no products, such as POST; with a star behind, all that begin so.
    #[arg(long, value_name = "CODE", value_delimiter = ',', requires = "protocol")]
    pub without: Vec<String>,
    /// Folder of a lake, read beside the event files.
    #[arg(long, value_name = "DIR")]
    pub lake: Option<PathBuf>,
    /// How many per cent of the orders, the latest, are asked about.
    #[arg(long, value_name = "PER CENT", default_value_t = 15.0, value_parser = per_cent)]
    pub test_percent: f64,
    /// Print one JSON object a line instead of a table.
    #[arg(long)]
    pub json: bool,
    /// How to learn; every score is evaluated.
    #[command(flatten)]
    pub learning: Learning,
}

/// Holds the settings of learning.
#[derive(Debug, Args)]
pub struct Learning {
    /// Days after which an order counts half, back from the latest order.
    #[arg(long, value_name = "DAYS", default_value_t = 180.0, value_parser = positive)]
    pub half_life_days: f64,
    /// Neighbours kept per item.
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = neighbours)]
    pub neighbours: usize,
    /// How two items that were bought together are scored.
    #[arg(long, default_value = "cosine", value_parser = PossibleValuesParser::new(Score::ALL.map(Score::name)))]
    pub score: String,
    /// Fewest orders that must hold both items of a pair.
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    pub min_support: u32,
    /// How strongly the cosine doubts items of few orders.
    #[arg(long, value_name = "WEIGHT", default_value_t = 1.0, value_parser = not_negative)]
    pub shrink: f64,
    /// An order of n items counts n to the power of minus this.
    #[arg(long, value_name = "POWER", default_value_t = 1.0, value_parser = not_negative)]
    pub length_power: f64,
    /// Most items of one order that are paired: pairs grow with the square, and 500 items are 125,000 pairs.
    #[arg(long, value_name = "COUNT", default_value_t = 500, value_parser = order_items)]
    pub order_items_max: usize,
}

impl Learning {
    /// Returns the settings as a model notes them.
    pub fn settings(&self) -> Settings {
        Settings {
            score: Score::named(&self.score).expect("clap allows the names of scores only"),
            half_life_days: self.half_life_days,
            neighbours: self.neighbours,
            min_support: self.min_support,
            shrink: self.shrink,
            length_power: self.length_power,
            order_items_max: self.order_items_max,
        }
    }
}

fn number(text: &str, allowed: &str, is_allowed: impl Fn(f64) -> bool) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
    if number.is_finite() && is_allowed(number) {
        Ok(number)
    } else {
        Err(format!("{text} is not {allowed}"))
    }
}

fn positive(text: &str) -> Result<f64, String> {
    number(text, "above 0", |n| n > 0.0)
}

fn not_negative(text: &str) -> Result<f64, String> {
    number(text, "0 or above", |n| n >= 0.0)
}

fn per_cent(text: &str) -> Result<f64, String> {
    number(text, "above 0 and below 100", |n| n > 0.0 && n < 100.0)
}

fn count(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let count: usize = text.parse().map_err(|_| format!("{text:?} is not a whole number"))?;
    if (least..=most).contains(&count) {
        Ok(count)
    } else {
        Err(format!("{count} is not between {least} and {most}"))
    }
}

fn neighbours(text: &str) -> Result<usize, String> {
    count(text, 1, NEIGHBOURS_MAX)
}

fn order_items(text: &str) -> Result<usize, String> {
    count(text, 2, 10_000)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let parse = |more: &[&str]| {
            let all = ["cartwright-batch", "evaluate", "--events", "e"].iter().chain(more);
            Arguments::try_parse_from(all).map(|_| ()).map_err(|error| error.kind())
        };
        assert_eq!(parse(&["--score", "llr", "--neighbours", "1000"]), Ok(()));
        for bad in [
            ["--half-life-days", "0"],
            ["--half-life-days", "nan"],
            ["--neighbours", "1001"],
            ["--min-support", "0"],
            ["--shrink", "-1"],
            ["--test-percent", "100"],
            ["--order-items-max", "1"],
            ["--score", "best"],
        ] {
            assert!(parse(&bad).is_err(), "{bad:?}");
        }
    }
}
