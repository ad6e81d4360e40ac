//! Order lines in Parquet: order (i64), day (i32), item (i32), the lines of an order one after the other.

use std::{fs::File, path::Path, sync::Arc, sync::mpsc, thread};

use parquet::{
    column::reader::get_typed_column_reader,
    data_type::{DataType, Int32Type, Int64Type},
    file::{
        properties::WriterProperties,
        reader::{FileReader, RowGroupReader, SerializedFileReader},
        writer::SerializedFileWriter,
    },
    schema::parser::parse_message_type,
};

const SCHEMA: &str = "message lines { required int64 order; required int32 day; required int32 item; }";
const GROUP_LINES: usize = 1 << 20;

/// Writes lines.
pub struct Writer {
    file: SerializedFileWriter<File>,
    orders: Vec<i64>,
    days: Vec<i32>,
    items: Vec<i32>,
}

impl Writer {
    pub fn new(path: &Path) -> Self {
        let schema = Arc::new(parse_message_type(SCHEMA).expect("the schema is sound"));
        let compression = parquet::basic::Compression::SNAPPY;
        let properties = WriterProperties::builder().set_compression(compression).build();
        let file = File::create(path).expect("the file can be written");
        let file = SerializedFileWriter::new(file, schema, Arc::new(properties)).expect("a writer");
        Self { file, orders: Vec::new(), days: Vec::new(), items: Vec::new() }
    }

    pub fn line(&mut self, order: u64, day: i32, item: u32) {
        self.orders.push(order as i64);
        self.days.push(day);
        self.items.push(item as i32);
        if self.orders.len() == GROUP_LINES {
            self.flush();
        }
    }

    pub fn finish(mut self) {
        self.flush();
        self.file.close().expect("the file is written");
    }

    fn flush(&mut self) {
        let mut group = self.file.next_row_group().expect("a group");
        let mut column = group.next_column().expect("a column").expect("of three");
        column.typed::<Int64Type>().write_batch(&self.orders, None, None).expect("it is written");
        column.close().expect("it is written");
        for numbers in [&self.days, &self.items] {
            let mut column = group.next_column().expect("a column").expect("of three");
            column.typed::<Int32Type>().write_batch(numbers, None, None).expect("it is written");
            column.close().expect("it is written");
        }
        group.close().expect("it is written");
        self.orders.clear();
        self.days.clear();
        self.items.clear();
    }
}

type Group = (Vec<i64>, Vec<i32>, Vec<i32>);

/// Calls `visit` with each order, its day and its items; one thread reads while another visits.
pub fn orders(path: &Path, mut visit: impl FnMut(u64, i32, &[u32])) {
    let (sender, receiver) = mpsc::sync_channel::<Group>(2);
    thread::scope(|scope| {
        scope.spawn(move || {
            let file =
                SerializedFileReader::new(File::open(path).expect("the file is there")).expect("Parquet");
            for number in 0..file.num_row_groups() {
                let group = file.get_row_group(number).expect("a group");
                let lines = group.metadata().num_rows() as usize;
                let read = (column::<Int64Type>(&*group, 0, lines), column::<Int32Type>(&*group, 1, lines));
                if sender.send((read.0, read.1, column::<Int32Type>(&*group, 2, lines))).is_err() {
                    return;
                }
            }
        });
        let (mut order, mut day, mut items) = (None, 0, Vec::new());
        for (orders, days, numbers) in receiver {
            for ((number, at), item) in orders.into_iter().zip(days).zip(numbers) {
                if order != Some(number) {
                    if let Some(order) = order.replace(number) {
                        visit(order as u64, day, &items);
                    }
                    day = at;
                    items.clear();
                }
                items.push(item as u32);
            }
        }
        if let Some(order) = order {
            visit(order as u64, day, &items);
        }
    });
}

fn column<T: DataType>(group: &dyn RowGroupReader, column: usize, lines: usize) -> Vec<T::T> {
    let mut reader = get_typed_column_reader::<T>(group.get_column_reader(column).expect("a column"));
    let mut numbers = Vec::with_capacity(lines);
    while numbers.len() < lines {
        let (read, ..) = reader.read_records(lines - numbers.len(), None, None, &mut numbers).expect("lines");
        assert!(read > 0, "as many lines as the file says");
    }
    numbers
}
