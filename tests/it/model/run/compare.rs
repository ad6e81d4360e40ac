//! What is compared: each answer with the books, and now and then everything that the store has.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cart_core::{
    AccountId, Cart, CartId, Command, LineId, LineQuote, PricePolicy, PromotionOutcome, Quote, Rejection,
    Request, Sku, Stage, gift_card, promotion::AppliedPromotion,
};
use rand::seq::IndexedRandom;
use web::{carts::Entering, store::Accepted};

use super::{Life, Run};
use crate::model::{
    bill::{Bill, BillLine, Day},
    book::Told,
    cart_book::CartBook,
    rebate::Applied,
    season::gift_id,
    shop::{self, SKUS, sku},
};

impl Run {
    /// Whoever is not the owner, or saw another version, is told so and nothing else.
    pub(super) fn forbid(&self, request: &Request, id: &CartId, is_first: bool, what: &str) {
        let cart = &self.lives[id].cart;
        assert!(request.caller.as_ref().is_none_or(|caller| *caller == cart.owner), "{request:?} {what}");
        let is_stale = is_first && request.expected_version.is_some_and(|v| v != cart.version);
        assert!(!is_stale, "{request:?} {what} at version {}", cart.version);
    }

    pub(super) fn accepted(&mut self, id: &CartId, command: &Command, accepted: &Accepted) {
        let Accepted { cart, quote, order, reopened, .. } = accepted;
        let bought = self.book.bought(&cart.owner);
        let life = self.lives.get_mut(id).expect("a known cart");
        if std::mem::take(&mut life.is_told) {
            life.book.gifts = CartBook::of(cart).gifts;
        }
        let is_placed = order.is_some() && self.lives[id].order.is_none();
        // What the clock does tells a cart nothing; every other command, which promotions may still be used.
        if is_placed
            || !matches!(command, Command::ExpireHolds | Command::Lapse { .. } | Command::PlaceOrder { .. })
        {
            self.tell(id);
        }
        if is_placed || matches!(command, Command::BeginPayment { .. }) {
            let Life { book, told, .. } = &self.lives[id];
            let changed = self.day.changed(book);
            assert!(self.day.season.prices != PricePolicy::Tell || changed.is_empty(), "{changed:?}");
            assert_eq!(book.too_many(&bought), None, "{command:?} of {cart:?}");
            self.day.check(book, told, cart, quote);
            self.gifts_are_due(id, cart, false);
        }
        let life = self.lives.get_mut(id).expect("a known cart");
        let before = life.cart.clone();
        match (command, order) {
            (Command::PlaceOrder { payment, .. }, Some(order)) => {
                let bill = self.day.check(&life.book, &life.told, cart, quote);
                self.book.place(&life.book, order, &bill, payment.amount_minor);
                life.order = Some(order.clone());
            }
            (Command::PlaceOrder { .. }, None) => assert!(life.order.is_some(), "an order is nowhere"),
            (Command::SettlePayment(task), _) if life.cart.payment_tasks.contains(task) => {
                self.book.settle(task)
            }
            (Command::Reopen, _) if life.cart.is_expired() => {
                life.book.reopen(reopened, &self.day, &bought);
            }
            (command, Some(after)) if command.order().is_some() => self.book.change(command, after),
            (command, _) => life.book.enter(command, &life.cart, &self.day, &bought),
        }
        life.cart = cart.clone();
        if command.order().is_none() {
            self.owes_no_more(&before, cart);
        }
        let life = self.lives.get_mut(id).expect("a known cart");
        if life.order.is_some() {
            return;
        }
        if settles_gifts(command) {
            life.book.gifts = CartBook::of(cart).gifts;
        }
        assert_eq!(CartBook::of(cart), life.book, "after {command:?}");
        let bill = self.day.check(&life.book, &life.told, cart, quote);
        if settles_gifts(command) && !cart.is_expired() {
            self.gifts_are_due(id, cart, true);
        }
        let life = &self.lives[id];
        if let (Command::BeginPayment { .. }, Some(attempt)) = (command, cart.payment()) {
            let due = self.book.due(&life.book, &cart.owner, bill.total_minor);
            assert_eq!(attempt.amount_minor, due, "{attempt:?}");
        }
        for applied in bill.applied {
            let deal = self.day.season.deals.iter().find(|deal| deal.id == applied.id).expect("a promotion");
            self.count(format!("{} applies", deal.benefit.kind()));
        }
        let holds = cart.lines.iter().any(|line| line.held > 0);
        assert_eq!(cart.holds_expire_at_ms.is_some(), holds, "{cart:?}");
    }

    /// Nobody is refused pieces that are there for all that the cart wants, or for a limit or a price that is kept.
    pub(super) fn refused(&mut self, id: &CartId, command: &Command, rejection: &Rejection) {
        let Life { cart, book, .. } = &self.lives[id];
        let bought = self.book.bought(&cart.owner);
        match rejection {
            Rejection::CurrencyMismatch { .. } => {
                assert!(command.skus().iter().any(|sku| !shop::is_priced(sku, book.currency)), "{command:?}");
            }
            Rejection::GiftCardCurrency { .. } | Rejection::GiftCardEmpty { .. } => {
                let Command::ApplyGiftCard { card } = command else { panic!("{command:?}: {rejection:?}") };
                let is_foreign = shop::currency_of(&card.id) != book.currency;
                assert_eq!(rejection.name() == "gift_card_currency", is_foreign, "{rejection:?} to {book:?}");
                assert!(is_foreign || self.book.cards[&card.id] == 0, "something is left on {card:?}");
            }
            Rejection::UnknownCode { code } => assert!(!self.day.season.knows(code), "{code}"),
            Rejection::OutOfStock { .. } => assert_eq!(book.breaks(command, &bought), None, "{command:?}"),
            Rejection::QuantityLimit { broken, .. } if book.breaks(command, &bought).is_some() => {
                assert_eq!(Some(broken.name()), book.breaks(command, &bought), "{command:?} of {book:?}");
            }
            Rejection::QuantityLimit { .. } => {
                let is_paid = matches!(command, Command::BeginPayment { .. } | Command::PlaceOrder { .. });
                assert!(
                    is_paid && book.too_many(&bought).is_some(),
                    "{command:?} of {book:?}, whose owner {} has bought {bought:?}: {rejection:?}",
                    cart.owner
                );
            }
            Rejection::PriceChanged { lines } => {
                assert_eq!(self.day.season.prices, PricePolicy::Tell);
                assert_eq!(lines.iter().cloned().collect::<BTreeSet<_>>(), self.day.changed(book));
            }
            _ => {}
        }
        if let (Command::AddLine { sku, quantity, .. }, Rejection::OutOfStock { .. }) = (command, rejection) {
            let needs = self.lives[id].book.pieces_and(sku, i64::from(*quantity));
            assert!(self.lacks(id, &needs), "{command:?} of {needs:?} is refused: {rejection:?}");
        }
        let is_news = ["promotion_used_up", "payment_mismatch", "gifts_changed"];
        if is_news.contains(&rejection.name()) {
            self.tell(id);
            self.lives.get_mut(id).expect("a known cart").is_told = true;
        }
    }

    /// Writes down what a cart is told of promotions by now.
    fn tell(&mut self, id: &CartId) {
        let life = self.lives.get_mut(id).expect("a known cart");
        life.told = self.book.tell(&life.cart.owner, &self.day.season);
    }

    /// No cart takes lamps that are not there beyond those that may be owed. They lie in one place: of two, one may owe what
    /// the other sells.
    fn owes_no_more(&self, before: &Cart, after: &Cart) {
        let lamp = sku("LAMP");
        let lines =
            |cart: &Cart| cart.lines.iter().filter(|line| line.sku == lamp).cloned().collect::<Vec<_>>();
        let takes = |cart: &Cart| match cart.is_closed() {
            true => lines(cart).iter().map(|line| line.quantity).sum::<u32>(),
            false => lines(cart).iter().map(|line| line.held).sum(),
        };
        let of = |books: &BTreeMap<Sku, i64>| books.get(&lamp).copied().unwrap_or(0);
        let held = held(self.lives.values().map(|life| &life.cart), &lamp);
        let left = of(&self.book.supplied) - of(&self.book.sold) - held;
        let owed_max = shop::owed_max(&lamp, self.now_ms, self.day.lamps_from_ms);
        assert!(
            takes(after) <= takes(before) || left >= -owed_max,
            "{left} are left, {owed_max} may be owed"
        );
    }

    /// Reports whether a cart could not have so many pieces, whatever it holds of them by now.
    fn lacks(&self, id: &CartId, needs: &BTreeMap<Sku, i64>) -> bool {
        // Whose order was refused because of news may hold other gifts by now, and tells so at the end of the turn.
        let is_in_doubt = self.lives.values().any(|life| life.is_told);
        is_in_doubt
            || needs.iter().any(|(part, wanted)| {
                let others = self.lives.iter().filter(|(other, _)| *other != id).map(|(_, life)| &life.cart);
                let of = |books: &BTreeMap<Sku, i64>| books.get(part).copied().unwrap_or(0);
                let owed_max = shop::owed_max(part, self.now_ms, self.day.lamps_from_ms);
                *wanted > of(&self.book.supplied) - of(&self.book.sold) - held(others, part) + owed_max
            })
    }

    /// A cart has the gifts that it is due, but for those that cannot be had beside what its own lines need; whoever pays
    /// is not kept back by one that has arrived meanwhile.
    fn gifts_are_due(&self, id: &CartId, cart: &Cart, is_settled: bool) {
        let Life { book, told, .. } = &self.lives[id];
        let mut due = self.day.gift(book, &order_of(cart), told);
        let is_told = self.day.tells_of_no_gift(cart);
        let is_excused = is_told || !is_settled && book.gifts.is_empty();
        if is_excused && let Some((line, pieces)) = due.take() {
            let is_lacking = self.lacks(id, &book.pieces_and(line.sku(), pieces));
            let has_arrived = is_told && !is_settled;
            assert!(is_lacking || has_arrived, "{pieces} of {line} could be given to {book:?}");
        }
        assert_eq!(book.gifts, due.into_iter().collect(), "{:?} of {book:?}", self.day.season);
    }

    pub(super) fn merged(&mut self, id: &CartId, entering: &Entering, accepted: &Accepted) {
        let from = entering.from.as_ref().map(|(from, _)| self.lives.remove(from).expect("a known cart"));
        let from = from.into_iter().collect::<Vec<_>>();
        from.iter().for_each(|from| drop(self.memory.remove(&from.cart.id)));
        // What was asked before was asked by its owner then.
        self.keyed.retain(|(job, _)| job.cart != *id);
        let life = self.lives.get_mut(id).expect("a known cart");
        assert_eq!(accepted.cart.owner, entering.user);
        assert_eq!(accepted.cart.group, entering.group, "the group of whoever logs in");
        let after = CartBook::of(&accepted.cart);
        let sums = |books: &[&CartBook]| {
            let mut sums: BTreeMap<_, i64> = BTreeMap::new();
            for book in books {
                let lines = book.lines.iter().map(|(id, (pieces, _))| (id, pieces));
                for (id, pieces) in lines.chain(&book.saved) {
                    *sums.entry(id.clone()).or_default() += pieces;
                }
            }
            sums
        };
        let mut together = sums(&[&after]);
        for left in accepted.left.iter().filter(|left| !left.is_saved) {
            *together.entry(left.line.clone()).or_default() += i64::from(left.quantity);
        }
        let both: Vec<&CartBook> =
            std::iter::once(&life.book).chain(from.iter().map(|from| &from.book)).collect();
        assert_eq!(together, sums(&both), "{:?}", accepted.left);
        for (line, (pieces, told)) in &after.lines {
            let mut known =
                both.iter().filter(|book| (book.currency, &book.group) == (after.currency, &after.group));
            let is_known = known.any(|book| book.lines.get(line).is_some_and(|(_, known)| known == told))
                || self.day.today_minor(&after, line.sku(), *pieces) == *told;
            assert!(is_known, "{line} costs {told} of a sudden");
        }
        after.keeps_to_limits(&life.book, &self.book.bought(&accepted.cart.owner));
        (life.book, life.cart) = (after, accepted.cart.clone());
        self.tell(id);
        let Life { book, told, .. } = &self.lives[id];
        self.day.check(book, told, &accepted.cart, &accepted.quote);
        if !accepted.cart.is_expired() {
            self.gifts_are_due(id, &accepted.cart, true);
        }
        self.count(if from.is_empty() { "a guest logs in" } else { "two carts become one" });
    }

    /// Compares the stock, the accounts and a cart of the store with the books.
    pub(super) async fn look(&mut self) {
        let store = self.stores.choose(&mut self.rng).expect("a store").clone();
        let levels = store.stock(&SKUS.iter().map(|text| sku(text)).collect()).await.unwrap();
        for text in SKUS.into_iter().filter(|text| shop::is_on_a_shelf(text)) {
            let of = |books: &BTreeMap<Sku, i64>| books.get(&sku(text)).copied().unwrap_or(0);
            let (supplied, sold) = (of(&self.book.supplied), of(&self.book.sold));
            let held = held(self.lives.values().map(|life| &life.cart), &sku(text));
            let sum = |part: fn(&cart_core::StockLevel) -> i64| {
                levels.of(&sku(text)).map(|(_, l)| part(l)).sum::<i64>()
            };
            assert_eq!(
                [sum(|l| l.supplied), sum(|l| l.available), sum(|l| l.held), sum(|l| l.sold)],
                [supplied, supplied - held - sold, held, sold],
                "supplied, available, held and sold of {text}"
            );
            let owed_max = shop::owed_max_ever(&sku(text));
            assert!(sold + held <= supplied + owed_max, "{text}: {sold} sold and {held} held of {supplied}");
        }
        let cards = self.book.cards.iter().map(|(id, minor)| {
            (AccountId::GiftCard { currency: shop::currency_of(id), card: id.clone() }, *minor)
        });
        let credit = self.book.credit.iter();
        let credit = credit.map(|((owner, currency), minor)| (gift_card::credit(*currency, owner), *minor));
        let expected: BTreeMap<AccountId, i64> = cards.chain(credit).collect();
        let balances = store.balances(&expected.keys().cloned().collect()).await.unwrap();
        let found: BTreeMap<AccountId, i64> =
            balances.iter().map(|(id, minor)| (id.clone(), minor)).collect();
        assert_eq!(found, expected);
        if let Some(id) = self.lives.keys().cloned().collect::<Vec<_>>().choose(&mut self.rng) {
            assert_eq!(store.cart(id).await.unwrap().as_ref(), Some(&*self.lives[id].cart));
        }
        let ended = store.carts_with_ended_holds(self.now_ms, 1_000).await.unwrap();
        let is_over = |life: &&Life| life.cart.holds_expire_at_ms.is_some_and(|end| end <= self.now_ms);
        let expected: BTreeSet<_> = self.lives.values().filter(is_over).map(|l| l.cart.id.clone()).collect();
        assert_eq!(ended.into_iter().collect::<BTreeSet<_>>(), expected);
        self.count("all is compared");
    }
}

/// Reports whether gifts follow from what a command does: what the provider and the clock do changes none.
fn settles_gifts(command: &Command) -> bool {
    match command {
        Command::BeginPayment { .. }
        | Command::ChallengePayment { .. }
        | Command::FailPayment { .. }
        | Command::CancelPayment { .. }
        | Command::SettlePayment(_)
        | Command::PlaceOrder { .. }
        | Command::ExpireHolds
        | Command::Lapse { .. } => false,
        command => command.order().is_none(),
    }
}

impl Day {
    /// Compares what a cart is told that it costs with the bill.
    fn check(&self, book: &CartBook, told: &Told, cart: &Cart, quote: &Quote) -> Bill {
        let bill = self.bill(book, &order_of(cart), told, !self.tells_of_no_gift(cart));
        let line = |line: &LineQuote| BillLine {
            unit_minor: line.unit_price_minor,
            off_minor: line.discount_minor,
            paid_minor: line.tax.gross_minor,
        };
        let shown = Bill {
            lines: quote.lines.iter().map(line).collect(),
            shipping_minor: quote.tax.shipping.gross_minor,
            tax_minor: quote.totals.tax_minor,
            total_minor: quote.totals.total_minor,
            applied: quote.promotions.applied().map(applied).collect(),
        };
        assert_eq!(shown, bill, "{:?} of {book:?}, told {told:?}", self.season);
        let off: i64 = bill.applied.iter().map(|one| one.off).sum();
        assert_eq!(quote.totals.discount_minor, off);
        bill
    }

    /// Reports whether a cart was told that it is not given something because there is none.
    fn tells_of_no_gift(&self, cart: &Cart) -> bool {
        cart.gifts_out_of_stock.contains(&gift_id(self.season.number))
    }
}

fn order_of(cart: &Cart) -> Vec<LineId> {
    cart.lines.iter().map(cart_core::Line::id).collect()
}

/// Says what a promotion is said to have done.
fn applied((outcome, applied): (&PromotionOutcome, &AppliedPromotion)) -> Applied {
    Applied {
        id: outcome.promotion.to_string(),
        off: applied.off.minor,
        shares: applied.lines.iter().map(|share| (share.line as usize, share.minor)).collect(),
        code: applied.code.clone(),
    }
}

fn held<'c>(carts: impl Iterator<Item = &'c Arc<Cart>>, sku: &Sku) -> i64 {
    let lines =
        carts.filter(|cart| !matches!(cart.stage, Stage::Ordered { .. })).flat_map(|cart| &cart.lines);
    lines.map(|line| i64::from(line.holds_of(sku))).sum()
}
