//! Tables in files: CSV with a header, and Parquet. Every cell is handed on as text.

use std::{fs::File, path::Path};

use anyhow::{Context, bail, ensure};
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};

/// Is an open table: its columns, and its rows one after the other.
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// About how many rows there are, where the file says so.
    pub rows: Option<u64>,
    /// The rows; a row that cannot be read is an error of its own, and the next one may be good.
    pub cells: Box<dyn Iterator<Item = Result<Vec<Option<String>>, String>>>,
}

impl Table {
    /// Opens a file whose name ends in `.csv` or `.parquet`.
    ///
    /// # Errors
    /// Where it is not there, or of another kind, or broken from the start.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let table = match path.extension().and_then(|e| e.to_str()) {
            Some("csv") => open_csv(path),
            Some("parquet") => open_parquet(path),
            _ => bail!("the file's name must end in .csv or .parquet"),
        };
        table.with_context(|| format!("cannot read {}", path.display()))
    }
}

fn open_csv(path: &Path) -> anyhow::Result<Table> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path)?;
    let columns: Vec<String> = reader.headers()?.iter().map(|h| h.trim().to_owned()).collect();
    ensure!(!columns.is_empty(), "the first line must name the columns");
    let width = columns.len();
    let cells = reader.into_records().map(move |record| {
        let record = record.map_err(|e| e.to_string())?;
        if record.len() != width {
            return Err(format!("the row has {} cells, the header {width}", record.len()));
        }
        Ok(record.iter().map(|c| Some(c.trim()).filter(|c| !c.is_empty()).map(str::to_owned)).collect())
    });
    Ok(Table { columns, rows: None, cells: Box::new(cells) })
}

fn open_parquet(path: &Path) -> anyhow::Result<Table> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let metadata = reader.metadata().file_metadata();
    let columns = metadata.schema_descr().columns().iter().map(|c| c.name().to_owned()).collect();
    let rows = u64::try_from(metadata.num_rows()).ok();
    let cells = reader.into_iter().map(|row| {
        let row = row.map_err(|e| e.to_string())?;
        Ok(row.into_columns().into_iter().map(|(_, field)| text_of(field)).collect())
    });
    Ok(Table { columns, rows, cells: Box::new(cells) })
}

/// Times become Unix milliseconds; what has no plain text, such as a nested value, counts as absent.
fn text_of(field: Field) -> Option<String> {
    match field {
        Field::Str(text) => Some(text.trim().to_owned()).filter(|t| !t.is_empty()),
        Field::TimestampMillis(ms) => Some(ms.to_string()),
        Field::TimestampMicros(us) => Some((us.div_euclid(1_000)).to_string()),
        Field::Date(days) => Some((i64::from(days) * 86_400_000).to_string()),
        Field::Bool(b) => Some(b.to_string()),
        Field::Byte(n) => Some(n.to_string()),
        Field::Short(n) => Some(n.to_string()),
        Field::Int(n) => Some(n.to_string()),
        Field::Long(n) => Some(n.to_string()),
        Field::UByte(n) => Some(n.to_string()),
        Field::UShort(n) => Some(n.to_string()),
        Field::UInt(n) => Some(n.to_string()),
        Field::ULong(n) => Some(n.to_string()),
        Field::Float(n) => Some(n.to_string()),
        Field::Double(n) => Some(n.to_string()),
        _ => None,
    }
}
