//! Orders of another system: one row a line, any number of rows an order; rows of negative quantity take pieces back.

use std::collections::BTreeMap;

use cart_core::{CartId, Currency, Order, OrderId, OrderLine, VisitorId, limits::LINE_QUANTITY_MAX};

use super::{
    Report,
    returns::{Return, take_back},
    row::{Fields, Mapping, Row},
    table::Table,
};
use crate::store::{ImportedOrder, Store};

/// The fields of an order's line.
pub const FIELDS: [&str; 9] =
    ["order", "visitor", "sku", "name", "quantity", "price", "price_minor", "currency", "at"];
const NEEDED: [&str; 4] = ["order", "sku", "quantity", "at"];
/// Orders that one transaction takes.
const BATCH: usize = 500;

/// Is a row that is right.
enum Line {
    Bought(Box<OrderRow>),
    Returned(Return),
}

struct OrderRow {
    order: OrderId,
    visitor: Option<VisitorId>,
    at_ms: i64,
    currency: Currency,
    line: OrderLine,
}

/// Imports a table of order lines; imported again, it changes nothing. Stock is not touched: these pieces are gone.
///
/// # Errors
/// Where the columns do not fit or the store does not answer. Bad rows are no error: they are in the report.
pub async fn import(
    store: &dyn Store,
    table: Table,
    mapping: &Mapping,
    tick: impl Fn(),
) -> anyhow::Result<Report> {
    let fields = Fields::place(mapping, &table.columns, &FIELDS, &NEEDED)?;
    fields.check_price()?;
    let mut report = Report::default();
    let mut orders: BTreeMap<OrderId, Order> = BTreeMap::new();
    let mut returns = vec![];
    for cells in table.cells {
        report.rows += 1;
        tick();
        match cells.and_then(|cells| line_of(&fields.row(&cells))) {
            Ok(Some(Line::Returned(row))) => returns.push(row),
            Ok(Some(Line::Bought(row))) => {
                if let Err(reason) = gather(&mut orders, *row) {
                    report.bad.push((report.rows, reason));
                }
            }
            Ok(None) => report.skipped += 1,
            Err(reason) => report.bad.push((report.rows, reason)),
        }
    }
    let taken = take_back(&mut orders, returns);
    for (what, count) in [
        ("returns taken from orders", taken.rows),
        ("returns of more than the file's orders hold", taken.short),
        ("orders that came back whole", taken.orders),
    ] {
        if count > 0 {
            report.count(what, count);
        }
    }
    // In the order of time, so that readers of the events meet history as it happened.
    let mut orders: Vec<ImportedOrder> = orders.into_values().map(ImportedOrder).collect();
    orders.sort_by(|a, b| (a.0.placed_at_ms, &a.0.order_id).cmp(&(b.0.placed_at_ms, &b.0.order_id)));
    for batch in orders.chunks(BATCH) {
        let inserted = store.import_orders(batch).await?;
        report.count("orders inserted", inserted);
        report.count("orders known already", batch.len() as u64 - inserted);
    }
    Ok(report)
}

fn line_of(row: &Row<'_>) -> Result<Option<Line>, String> {
    let Some(sku) = row.sku()? else { return Ok(None) };
    let order = row.needed("order")?;
    let order = OrderId::parse(order).map_err(|e| e.to_string())?;
    let visitor =
        row.text("visitor").map(|v| VisitorId::parse(&format!("imported-{v}")).map_err(|e| e.to_string()));
    let (visitor, quantity) = (visitor.transpose()?, row.number("quantity")?);
    if quantity < 0 {
        let pieces = u32::try_from(quantity.unsigned_abs()).unwrap_or(u32::MAX);
        let at_ms = row.time_ms("at")?;
        return Ok(Some(Line::Returned(Return { order, visitor, sku, pieces, at_ms })));
    }
    let quantity =
        u32::try_from(quantity).ok().filter(|n| (1..=LINE_QUANTITY_MAX).contains(n)).ok_or_else(|| {
            format!("quantity {quantity} is not 1 to {LINE_QUANTITY_MAX}, or below 0 for what came back")
        })?;
    let currency = row.currency()?;
    Ok(Some(Line::Bought(Box::new(OrderRow {
        order,
        visitor,
        at_ms: row.time_ms("at")?,
        currency,
        line: {
            let name = row.text("name").unwrap_or(sku.as_str()).to_owned();
            OrderLine::new(sku, name, quantity, row.price_minor(currency)?)
        },
    }))))
}

fn gather(orders: &mut BTreeMap<OrderId, Order>, row: OrderRow) -> Result<(), String> {
    let id = format!("imported-{}", row.order);
    let order = match orders.get_mut(&row.order) {
        Some(order) => order,
        None => orders.entry(row.order.clone()).or_insert(Order {
            cart: CartId::parse(&id).map_err(|e| e.to_string())?,
            owner: match row.visitor {
                Some(visitor) => visitor,
                // Nobody is known: each such order is somebody's of its own.
                None => VisitorId::parse(&id).map_err(|e| e.to_string())?,
            },
            order_id: row.order.clone(),
            placed_at_ms: row.at_ms,
            currency: row.currency,
            lines: vec![],
            note: String::new(),
            shipping: None,
            quote: None,
            shipping_minor: 0,
            total_minor: 0,
            payment_reference: "import".into(),
            postings: vec![],
            payment: None,
            email: String::new(),
            state: cart_core::OrderState::default(),
        }),
    };
    if order.currency != row.currency {
        return Err(format!("order {} is in {}, the row in {}", row.order, order.currency, row.currency));
    }
    order.placed_at_ms = order.placed_at_ms.min(row.at_ms);
    order.total_minor += i64::from(row.line.quantity) * row.line.unit_price_minor;
    match order.lines.iter_mut().find(|l| l.sku == row.line.sku) {
        Some(line) => line.quantity += row.line.quantity,
        None => order.lines.push(row.line),
    }
    Ok(())
}
