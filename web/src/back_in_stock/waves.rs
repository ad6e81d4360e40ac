//! Tells those who wait for a product that it is back, in waves: no more at a time than its pieces make happy.
//!
//! Within the span of one wave at most so many requests are told as there are pieces that ship at once, times a factor;
//! the oldest come first. Those who come next are told once the span is over and pieces are still there. A request is
//! told in one transaction, with its event, so a crash tells nobody twice; from the event on, its letter goes the way of
//! all letters.

use std::{sync::Arc, time::Duration};

use actix_web::web::Data;
use cart_core::{OnOffer, Product};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    clock, metrics,
    shop::Shop,
    store::{self, DemandQuery, StockDemand, StockWave, stock_requests::WAVE_TOLD_MAX},
};

/// The lease under which one process at a time sends waves.
pub const LEASE: &str = "back_in_stock";
/// Products whose demand is read at once.
const PAGE: usize = 500;

/// Sends waves for ever.
pub async fn run(shop: Data<Shop>) {
    let _nobody_counts_after_this_process = NobodyCounts;
    let mut ticks = interval(Duration::from_secs(shop.config.back_in_stock.sweep_seconds));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match sweep(&shop, clock::now_ms()).await {
            Ok(waiting) => metrics::stock_requests_waiting(waiting),
            Err(error) => tracing::warn!(%error, "those who wait for products could not be told"),
        }
    }
}

/// Sets the count of who waits to 0 when the work ends: whoever goes on with it counts from then on.
struct NobodyCounts;

impl Drop for NobodyCounts {
    fn drop(&mut self) {
        metrics::stock_requests_waiting(0);
    }
}

/// Forgets requests whose time is over and tells those whose product is back; returns how many still wait.
///
/// # Errors
/// What the store says; what was told until then stays told.
pub async fn sweep(shop: &Shop, now_ms: i64) -> store::Result<u64> {
    shop.store.forget_stock_requests(now_ms).await?;
    let demand = demand(shop, now_ms).await?;
    let mut waiting = demand.iter().map(|demand| demand.waiting).sum::<u64>();
    for page in demand.chunks(PAGE) {
        for wave in waves(shop, page, now_ms).await? {
            waiting = waiting.saturating_sub(tell(shop, &wave).await?);
        }
    }
    Ok(waiting)
}

/// Reads who waits for what.
async fn demand(shop: &Shop, now_ms: i64) -> store::Result<Vec<StockDemand>> {
    let mut demand: Vec<StockDemand> = vec![];
    loop {
        let after = demand.last().map(|last| (last.waiting, last.sku.clone()));
        let page = shop.store.stock_demand(&DemandQuery { after, limit: PAGE, now_ms }).await?;
        let is_last = page.len() < PAGE;
        demand.extend(page);
        if is_last {
            return Ok(demand);
        }
    }
}

/// Returns the waves of products that are back.
async fn waves(shop: &Shop, demand: &[StockDemand], now_ms: i64) -> store::Result<Vec<StockWave>> {
    let catalogue = shop.catalogue.get();
    let products: Vec<&Arc<Product>> = demand.iter().filter_map(|d| catalogue.visible(&d.sku)).collect();
    let stock = shop.stock(&products.iter().flat_map(|p| p.shelves()).cloned().collect()).await?;
    let config = &shop.config.back_in_stock;
    let wave = |product: &&Arc<Product>| {
        let most = most(product, stock.on_offer(product, now_ms), config.letters_per_piece, now_ms);
        let since_ms = now_ms.saturating_sub(i64::from(config.wave_minutes) * 60_000);
        (most > 0).then(|| StockWave { sku: product.sku.clone(), most, since_ms, at_ms: now_ms })
    };
    Ok(products.iter().filter_map(wave).collect())
}

/// Reports whether those who wait for a product are told now: pieces of it are there, and it is not still to come.
pub fn is_back(product: &Product, on_offer: Option<OnOffer>, now_ms: i64) -> bool {
    most(product, on_offer, 1, now_ms) > 0
}

/// Returns how many may be told of a product at a time: nobody while it is still to come or only owed.
fn most(product: &Product, on_offer: Option<OnOffer>, letters_per_piece: u32, now_ms: i64) -> u64 {
    if product.coming(now_ms).is_some() {
        return 0;
    }
    let there = on_offer.map_or(i64::MAX, |offer| offer.there.min(offer.all));
    u64::try_from(there).unwrap_or(0).saturating_mul(letters_per_piece.into())
}

async fn tell(shop: &Shop, wave: &StockWave) -> store::Result<u64> {
    let mut all = 0;
    loop {
        let told = shop.store.tell_back_in_stock(wave).await?;
        metrics::stock_requests_told(told);
        all += told;
        if told < WAVE_TOLD_MAX as u64 {
            return Ok(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use cart_core::{Currency, Money, Preorder, Sku};

    use super::*;

    #[test]
    fn as_many_are_told_as_pieces_that_ship_at_once_make_happy() {
        let price = Money::new(1_250, Currency::parse("GBP").unwrap());
        let mug = Product::new(Sku::parse("MUG").unwrap(), "Mug", price);
        let offer = |there, all| Some(OnOffer { there, all });
        for (on_offer, told) in [
            (offer(3, 3), 6),
            (offer(0, 0), 0),
            (offer(-2, 4), 0), // Further ones may be owed; none is there.
            (offer(3, 9), 6),
            (None, u64::MAX - 1),
        ] {
            assert_eq!(most(&mug, on_offer, 2, 0).min(u64::MAX - 1), told, "{on_offer:?}");
        }
        let preorder = Some(Preorder { releases_at_ms: 10, limit: 5 });
        let coming = Product { preorder, ..mug };
        assert_eq!([most(&coming, offer(3, 8), 2, 9), most(&coming, offer(3, 3), 2, 10)], [0, 6]);
    }
}
