//! A change of the stock: what clients ask for, and what becomes of it.

use cart_core::{
    FieldError, LocationId,
    limits::{STOCK_REASON_BYTES_MAX, SUPPLY_MAX},
};
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use super::find;
use crate::{
    clock,
    problem::{Kind, Problem},
    shop::Shop,
    store::{NotedChange, StockAct, StockChange, StockOutcome},
};

/// Is a change as clients write it.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewStockChange")]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum NewChange {
    /// Says how many pieces there are, and how many stay on the shelf.
    Set {
        #[serde(default)]
        location: LocationId,
        /// The pieces that are there, those that carts hold among them; left out, they stay as they are.
        #[schemars(range(min = 0, max = SUPPLY_MAX))]
        on_hand: Option<i64>,
        /// Pieces that no cart may take; left out, they stay as they are.
        #[schemars(range(min = 0, max = SUPPLY_MAX))]
        safety_stock: Option<i64>,
        /// Why.
        #[serde(default)]
        #[schemars(length(max = STOCK_REASON_BYTES_MAX))]
        reason: String,
    },
    /// Pieces came, or are gone.
    Adjust {
        #[serde(default)]
        location: LocationId,
        /// The pieces; below 0, those that are gone.
        #[schemars(range(min = -SUPPLY_MAX, max = SUPPLY_MAX))]
        pieces: i64,
        /// Why.
        #[schemars(length(min = 1, max = STOCK_REASON_BYTES_MAX))]
        reason: String,
    },
    /// Pieces go from one location to another.
    Move {
        from: LocationId,
        to: LocationId,
        #[schemars(range(min = 1, max = SUPPLY_MAX))]
        pieces: i64,
        /// Why.
        #[serde(default)]
        #[schemars(length(max = STOCK_REASON_BYTES_MAX))]
        reason: String,
    },
}

impl NewChange {
    fn parse(self) -> Result<(StockAct, String), Problem> {
        let mut fields = vec![];
        let mut need = |is_so: bool, field: &str, message: String| {
            if !is_so {
                fields.push(FieldError { field: field.into(), message });
            }
        };
        let count = |pieces: Option<i64>| pieces.is_none_or(|pieces| (0..=SUPPLY_MAX).contains(&pieces));
        let range = || format!("must be 0 to {SUPPLY_MAX}");
        let (act, reason) = match self {
            Self::Set { location, on_hand, safety_stock: safety, reason } => {
                need(count(on_hand), "on_hand", range());
                need(count(safety), "safety_stock", range());
                let says = on_hand.or(safety).is_some();
                need(says, "on_hand", "must be there, or safety_stock".into());
                (StockAct::Set { location, supplied: None, on_hand, safety }, reason)
            }
            Self::Adjust { location, pieces, reason } => {
                let range = format!("must be 1 to {SUPPLY_MAX}, or as many below 0");
                need(pieces != 0 && pieces.unsigned_abs() <= SUPPLY_MAX.unsigned_abs(), "pieces", range);
                need(!reason.trim().is_empty(), "reason", "must say why".into());
                (StockAct::Adjust { location, pieces }, reason)
            }
            Self::Move { from, to, pieces, reason } => {
                need((1..=SUPPLY_MAX).contains(&pieces), "pieces", format!("must be 1 to {SUPPLY_MAX}"));
                need(from != to, "to", "must be another location".into());
                (StockAct::Move { from, to, pieces }, reason)
            }
        };
        let length = reason.len() <= STOCK_REASON_BYTES_MAX;
        need(length, "reason", format!("must have at most {STOCK_REASON_BYTES_MAX} bytes"));
        match fields.is_empty() {
            true => Ok((act, reason.trim().to_owned())),
            false => Err(Problem::invalid_details(fields)),
        }
    }
}

/// Changes the stock of a product, once for each key of whoever does it.
///
/// # Errors
/// The problems of the operation `changeStock`.
pub(crate) async fn change_stock(
    shop: &Shop,
    sku: &str,
    form: NewChange,
    by: String,
    key: Option<String>,
) -> Result<NotedChange, Problem> {
    let sku = find(shop, sku)?.sku.clone();
    let (act, reason) = form.parse()?;
    let terms = shop.terms.get();
    let stood = shop.store.stock(&[sku.clone()].into()).await?;
    let is_known = |location: &LocationId| {
        terms.locations.ids().contains(location) || stood.of(&sku).any(|(known, _)| known == location)
    };
    if let Some(location) = act.locations().into_iter().find(|location| !is_known(location)) {
        let known: Vec<_> = terms.locations.ids().iter().map(LocationId::as_str).collect();
        let detail = format!("there is no location {location}; there are {}", known.join(", "));
        return Err(Problem::new(Kind::UnknownLocation, detail));
    }
    // Every change has a key, by which what was noted of it is found.
    let key = format!("{by}:{}", key.unwrap_or_else(|| Uuid::new_v4().to_string()));
    let change = StockChange {
        sku: sku.clone(),
        act: act.clone(),
        reason,
        by,
        at_ms: clock::now_ms(),
        key: Some(key.clone()),
    };
    let refused = |kind, detail: String| Err(Problem::new(kind, detail));
    let outcomes = shop.store.change_stock(&[change]).await?;
    match outcomes.into_iter().next() {
        Some(StockOutcome::Changed | StockOutcome::Unchanged | StockOutcome::Repeated) => {}
        Some(StockOutcome::KeyReused) => {
            return refused(
                Kind::IdempotencyMismatch,
                "the Idempotency-Key was used before for another change; use a new key for a new one".into(),
            );
        }
        Some(StockOutcome::SupplyTooLow { taken }) => {
            return refused(
                Kind::StockTooLow,
                format!(
                    "carts hold and orders took {taken} pieces of {sku} there; as many must have arrived"
                ),
            );
        }
        Some(StockOutcome::TooFew { available }) => {
            return refused(
                Kind::OutOfStock,
                format!("of {sku}, only {available} pieces can leave that location"),
            );
        }
        Some(StockOutcome::TooMany) => {
            let message = format!("would make more than the {SUPPLY_MAX} pieces that may ever have arrived");
            let field = if matches!(act, StockAct::Set { .. }) { "on_hand" } else { "pieces" };
            return Err(Problem::invalid_details(vec![FieldError { field: field.into(), message }]));
        }
        Some(StockOutcome::UnknownProduct) | None => {
            return refused(Kind::UnknownProduct, format!("the catalogue has no product {sku}"));
        }
    }
    let noted = shop.store.stock_change(&key).await?;
    noted.ok_or_else(|| Problem::new(Kind::Unavailable, "the change is made, but was not found again"))
}
