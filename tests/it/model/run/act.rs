//! What the shop's people do beside: terms, prices, stock, gift cards and credit.

use std::sync::Arc;

use cart_core::{Posting, gift_card};
use rand::{RngExt, seq::IndexedRandom};
use web::store::{PostingWrite, StockOutcome};

use super::Run;
use crate::model::{
    draw,
    season::Season,
    shop::{self, CURRENCIES, SKUS, card, sku},
};

impl Run {
    pub(super) async fn act(&mut self) {
        let store = self.subject.store.clone();
        match self.rng.random_range(0..40) {
            0..=4 => self.begin_season(),
            5..=12 => {
                let text = *SKUS.choose(&mut self.rng).expect("some");
                if shop::off_parts_bp(&sku(text)).is_none() {
                    self.day.prices.draw(&mut self.rng, text, self.now_ms);
                }
                if text == "LAMP" {
                    self.day.lamps_from_ms = self.now_ms + self.rng.random_range(-1_000..300_000);
                }
                shop::put(&*store, text, &self.day.prices, self.day.lamps_from_ms).await;
                self.catalogue.refresh(&*store).await.unwrap();
            }
            13..=25 => {
                let (text, location) = draw::slot(&mut self.rng);
                // Where some may be owed, fewer at two locations might owe more together than carts may.
                let is_owed = shop::owed_max_ever(&sku(text)) > 0;
                let pieces = self.rng.random_range(if is_owed { 0 } else { -3 }..10);
                let change = shop::adjust(text, location, pieces, self.now_ms);
                if store.change_stock(&[change]).await.unwrap()[0] == StockOutcome::Changed {
                    *self.book.supplied.entry(sku(text)).or_default() += pieces;
                }
            }
            26..=30 => {
                let (id, _) = *shop::CARDS.choose(&mut self.rng).expect("some");
                let minor = self.rng.random_range(1..3_000);
                let cause = self.name("topped-up-");
                store.issue_gift_cards(&[shop::issue(id, minor, &cause, self.now_ms)]).await.unwrap();
                *self.book.cards.get_mut(&card(id).id).expect("a known card") += minor;
            }
            31..=35 => {
                let customer = shop::customer(&mut self.rng, self.day.season.number);
                let currency = shop::currency(CURRENCIES.choose(&mut self.rng).expect("some"));
                let (delta, cause) = (self.rng.random_range(1..3_000), self.name("credit-"));
                let posting = Posting { account: gift_card::credit(currency, &customer), delta };
                store.post(&[PostingWrite { posting, cause, at_ms: self.now_ms }]).await.unwrap();
                *self.book.credit.entry((customer, currency)).or_default() += delta;
            }
            _ => {
                store.forget_keys(self.now_ms + 1).await.unwrap();
                self.keyed.clear();
            }
        }
        self.count("the shop acts");
    }

    /// Lets other terms hold: other promotions take the codes over, their uses are counted anew, and other customers come.
    fn begin_season(&mut self) {
        self.day.season = Season::draw(&mut self.rng, self.day.season.number + 1, self.now_ms);
        self.terms = Arc::new(self.day.season.terms());
        self.book.uses.clear();
        let stays = |who: &cart_core::VisitorId| self.lives.values().any(|life| life.cart.owner == *who);
        self.book.credit.retain(|(who, _), _| stays(who));
        self.book.bought.retain(|who, _| stays(who));
        self.book.orders_of.retain(|who, _| stays(who));
        self.count("a season begins");
    }
}
