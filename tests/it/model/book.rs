//! The model: what carts, orders, stock and money come to, kept in sums from the commands that were accepted.
//!
//! It knows no rule of the shop but those that a clerk with a pencil would: pieces add up, the price is the one that was
//! told when pieces were added, a tenth goes off where the code is used, the provider is given back first what it paid.

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{
    Cart, Code, Command, GiftCardId, LineId, Order, OrderId, PaymentTask, RefundWish, ReopenedLine, Sku,
    Stage, StepDetails, VisitorId,
};

use super::shop::{self, CODE, CODE_PER_CUSTOMER, CODE_TOTAL, EXPRESS_MINOR};

/// Is what one cart has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CartBook {
    /// Pieces, and the price that was told.
    pub lines: BTreeMap<LineId, (i64, i64)>,
    pub saved: BTreeMap<LineId, i64>,
    pub codes: BTreeSet<Code>,
    pub cards: Vec<GiftCardId>,
    pub credit: bool,
    pub note: String,
    pub express: bool,
}

impl CartBook {
    /// Writes down a command that was accepted by the cart as it was.
    pub fn enter(&mut self, command: &Command, before: &Cart, prices: &BTreeMap<Sku, i64>) {
        match command {
            Command::AddLine { sku, quantity, properties } => {
                self.add(LineId::new(sku.clone(), properties), i64::from(*quantity), prices[sku]);
            }
            Command::SetQuantity { line, quantity } => {
                let (pieces, told) = self.lines.get(line).copied().unwrap_or_default();
                let more = i64::from(*quantity) > pieces;
                let told = if more { prices[line.sku()] } else { told };
                self.lines.insert(line.clone(), (i64::from(*quantity), told));
            }
            Command::RemoveLine { line } => drop(self.lines.remove(line)),
            Command::SaveLine { line } => {
                let (pieces, _) = self.lines.remove(line).expect("an accepted save had its line");
                *self.saved.entry(line.clone()).or_default() += pieces;
            }
            Command::RestoreLine { line } => {
                let pieces = self.saved.remove(line).expect("an accepted restore had its line");
                self.add(line.clone(), pieces, prices[line.sku()]);
            }
            Command::DropSavedLine { line } => drop(self.saved.remove(line)),
            Command::ApplyCode { code } => drop(self.codes.insert(code.clone())),
            Command::RemoveCode { code } => drop(self.codes.remove(code)),
            Command::ApplyGiftCard { card } if !self.cards.contains(&card.id) => {
                self.cards.push(card.id.clone());
            }
            Command::RemoveGiftCard { card } => self.cards.retain(|c| c != card),
            Command::UseStoreCredit { on } => self.credit = *on,
            Command::SetNote { text } => self.note.clone_from(text),
            Command::Clear => self.lines.clear(),
            Command::Batch(commands) => commands.iter().for_each(|c| self.enter(c, before, prices)),
            // A cart of which nothing travels does not ask how.
            Command::CompleteStep(StepDetails::Shipping { method })
                if before.travels() || before.stage == Stage::Open =>
            {
                self.express = method.as_ref().is_some_and(|m| m.as_str() == "express");
            }
            _ => {}
        }
    }

    fn add(&mut self, line: LineId, pieces: i64, told: i64) {
        let entry = self.lines.entry(line).or_default();
        *entry = (entry.0 + pieces, told);
    }

    /// Writes down what came back of a cart that had expired: all of it, or less with a reason.
    pub fn reopen(&mut self, told: &[ReopenedLine], prices: &BTreeMap<Sku, i64>) {
        assert!(told.iter().map(|l| &l.line).collect::<BTreeSet<_>>().into_iter().eq(self.lines.keys()));
        for line in told {
            assert_eq!(i64::from(line.wanted), self.lines[&line.line].0);
            assert_eq!(line.quantity < line.wanted, line.because.is_some(), "{line:?}");
            match i64::from(line.quantity) {
                0 => drop(self.lines.remove(&line.line)),
                pieces => drop(self.lines.insert(line.line.clone(), (pieces, prices[line.line.sku()]))),
            }
        }
    }

    /// Reads what a cart says of itself.
    pub fn of(cart: &Cart, express: bool) -> Self {
        Self {
            lines: cart.lines.iter().map(|l| (l.id(), (i64::from(l.quantity), l.unit_price_minor))).collect(),
            saved: cart.saved.iter().map(|l| (l.id(), i64::from(l.quantity))).collect(),
            codes: cart.codes.iter().cloned().collect(),
            cards: cart.gift_cards.iter().map(|card| card.id.clone()).collect(),
            credit: cart.uses_credit,
            note: cart.note.clone(),
            express,
        }
    }

    /// Says what it costs, with or without the tenth that the code takes off.
    pub fn total(&self, is_discounted: bool) -> i64 {
        let items: i64 = self.lines.values().map(|(pieces, told)| pieces * told).sum();
        items - if is_discounted { items / 10 } else { 0 } + self.shipping()
    }

    fn shipping(&self) -> i64 {
        let travels = self.lines.keys().any(|line| !shop::is_digital(line.sku()));
        if self.express && travels { EXPRESS_MINOR } else { 0 }
    }

    /// Counts the pieces of the shelf that its lines need, parts of bundles included.
    pub fn pieces(&self) -> BTreeMap<Sku, i64> {
        let mut needs = BTreeMap::new();
        for (line, (pieces, _)) in &self.lines {
            for (part, each) in shop::parts_of(line.sku()) {
                *needs.entry(part).or_default() += pieces * each;
            }
        }
        needs
    }
}

/// Names who paid part of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Payer {
    Provider,
    Credit(VisitorId),
    Card(GiftCardId),
}

/// Is an order with what came back of it.
#[derive(Clone, Debug)]
pub struct OrderBook {
    /// Who is given something back, the first first: what they paid, and what they have back.
    payers: Vec<(Payer, i64, i64)>,
    /// Pieces, those that were paid back, and what one cost.
    lines: BTreeMap<LineId, (i64, i64, i64)>,
    shipping_left: i64,
    is_placed: bool,
    /// Who used the code, in which season.
    has_code: Option<(VisitorId, u64)>,
    payment: String,
}

impl OrderBook {
    fn left(&self) -> i64 {
        self.payers.iter().map(|(_, paid, back)| paid - back).sum()
    }

    fn due_in_the_end(&self) -> i64 {
        self.payers.iter().filter(|(p, ..)| *p == Payer::Provider).map(|(_, paid, back)| paid - back).sum()
    }
}

/// Is all books of the shop.
#[derive(Debug, Default)]
pub struct Book {
    pub supplied: BTreeMap<Sku, i64>,
    pub sold: BTreeMap<Sku, i64>,
    pub cards: BTreeMap<GiftCardId, i64>,
    pub credit: BTreeMap<VisitorId, i64>,
    /// Uses of the code in this season.
    pub uses: BTreeMap<VisitorId, i64>,
    pub season: u64,
    pub orders: BTreeMap<OrderId, OrderBook>,
    /// What the provider has taken and not given back, by payment; none where it let it go.
    pub taken: BTreeMap<String, i64>,
}

impl Book {
    /// Says what gift cards and credit leave of a sum to the provider.
    pub fn due(&self, cart: &CartBook, owner: &VisitorId, total: i64) -> i64 {
        total - self.purses(cart, owner, total).iter().map(|(_, minor)| minor).sum::<i64>()
    }

    fn purses(&self, cart: &CartBook, owner: &VisitorId, total: i64) -> Vec<(Payer, i64)> {
        let cards = cart.cards.iter().map(|id| (Payer::Card(id.clone()), self.cards[id]));
        let credit = (Payer::Credit(owner.clone()), self.credit.get(owner).copied().unwrap_or(0));
        let all = cards.chain(cart.credit.then_some(credit));
        let mut left = total;
        let pays = all.map(|(payer, holds)| {
            let minor = holds.min(left);
            left -= minor;
            (payer, minor)
        });
        pays.filter(|(_, minor)| *minor > 0).collect()
    }

    /// Writes an order down, and checks that it is the one that its cart leads to.
    pub fn place(&mut self, cart: &CartBook, order: &Order, paid_minor: i64) {
        let is_discounted = order.quote.as_ref().expect("a quote").promotions.applied().next().is_some();
        let total = cart.total(is_discounted);
        assert_eq!(order.total_minor, total, "{order:?} of {cart:?}");
        if is_discounted {
            assert!(cart.codes.contains(&shop::code(CODE)), "a tenth without the code");
            assert!(self.uses.values().sum::<i64>() < CODE_TOTAL, "the code is used up");
            let own = self.uses.entry(order.owner.clone()).or_default();
            assert!(*own < CODE_PER_CUSTOMER, "the customer has used the code up");
            *own += 1;
        }
        let mut payers = self.purses(cart, &order.owner, total);
        for (payer, minor) in &payers {
            *self.purse(payer) -= minor;
        }
        let prepaid: i64 = payers.iter().map(|(_, minor)| minor).sum();
        let told: Vec<i64> = order.tenders().iter().map(|t| t.minor).collect();
        assert_eq!(told, payers.iter().map(|(_, minor)| *minor).collect::<Vec<_>>());
        assert_eq!(paid_minor, total - prepaid, "what is authorised is what is due");
        payers.push((Payer::Provider, paid_minor));
        payers.reverse();
        for (sku, pieces) in cart.pieces() {
            *self.sold.entry(sku).or_default() += pieces;
        }
        let each = |told: i64| if is_discounted { told - told / 10 } else { told };
        let lines = cart.lines.iter().map(|(id, (pieces, told))| (id.clone(), (*pieces, 0, each(*told))));
        let book = OrderBook {
            payers: payers.into_iter().map(|(payer, paid)| (payer, paid, 0)).collect(),
            lines: lines.collect(),
            shipping_left: cart.shipping(),
            is_placed: true,
            has_code: is_discounted.then(|| (order.owner.clone(), self.season)),
            payment: order.payment.as_ref().expect("an order is paid").to_string(),
        };
        assert!(self.orders.insert(order.order_id.clone(), book).is_none(), "one order a cart");
    }

    fn purse(&mut self, payer: &Payer) -> &mut i64 {
        match payer {
            Payer::Card(id) => self.cards.get_mut(id).expect("a known card"),
            Payer::Credit(owner) => self.credit.entry(owner.clone()).or_default(),
            Payer::Provider => unreachable!("the provider's money is its own"),
        }
    }

    /// Writes down what became of an order, and checks it against what the order says.
    pub fn change(&mut self, command: &Command, after: &Order) {
        let id = &after.order_id;
        let Some(mut order) = self.orders.remove(id) else { panic!("{id} was never placed") };
        match command {
            Command::FulfilOrder { .. } => order.is_placed = false,
            Command::CancelOrder { .. } if order.is_placed => {
                let all: Vec<_> =
                    order.lines.iter().map(|(id, (n, back, _))| (id.clone(), n - back)).collect();
                self.give_back(&mut order, &all, true);
                let left = order.left();
                self.pay_back(&mut order, left);
                order.is_placed = false;
                order.shipping_left = 0;
                if let Some((owner, season)) = &order.has_code
                    && *season == self.season
                {
                    *self.uses.get_mut(owner).expect("it was used") -= 1;
                }
            }
            Command::RefundOrder { wish, .. } => self.refund(&mut order, wish),
            _ => {}
        }
        let back: i64 = order.payers.iter().map(|(.., back)| back).sum();
        assert_eq!(after.state.refunded_minor(), back, "{command:?} leads to {after:?}");
        self.orders.insert(id.clone(), order);
    }

    fn refund(&mut self, order: &mut OrderBook, wish: &RefundWish) {
        let lines: Vec<_> = wish.lines.iter().map(|(id, n)| (id.clone(), i64::from(*n))).collect();
        let mut amount: i64 = lines.iter().map(|(id, n)| n * order.lines[id].2).sum();
        amount += wish.amount_minor;
        if wish.shipping {
            amount += std::mem::take(&mut order.shipping_left);
        }
        self.give_back(order, &lines, wish.restock);
        self.pay_back(order, amount);
    }

    fn give_back(&mut self, order: &mut OrderBook, lines: &[(LineId, i64)], restock: bool) {
        for (id, pieces) in lines {
            let line = order.lines.get_mut(id).expect("a line of the order");
            line.1 += pieces;
            assert!(line.1 <= line.0, "more of {id} came back than was bought");
            for (part, each) in shop::parts_of(id.sku()).into_iter().filter(|_| restock) {
                *self.sold.get_mut(&part).expect("it was sold") -= pieces * each;
            }
        }
    }

    fn pay_back(&mut self, order: &mut OrderBook, mut amount: i64) {
        assert!(amount <= order.left(), "more is given back than was paid");
        for (payer, paid, back) in &mut order.payers {
            let minor = amount.min(*paid - *back);
            (*back, amount) = (*back + minor, amount - minor);
            if *payer != Payer::Provider {
                *self.purse(payer) += minor;
            }
        }
    }

    /// Writes down what the provider did.
    pub fn settle(&mut self, task: &PaymentTask) {
        let payment = task.payment().to_string();
        match task {
            PaymentTask::Capture { amount_minor, .. } => {
                assert!(self.taken.insert(payment, *amount_minor).is_none(), "{task:?} takes twice");
            }
            PaymentTask::Refund { amount_minor, .. } => {
                *self.taken.get_mut(&payment).expect("it was taken") -= amount_minor;
            }
            PaymentTask::Void { .. } => drop(self.taken.insert(payment, 0)),
        }
    }

    /// Checks that the provider has what orders owe it, and nothing of anybody else.
    pub fn audit_provider(&self) {
        let mut others = self.taken.clone();
        for (id, order) in &self.orders {
            let taken = others.remove(&order.payment).unwrap_or(0);
            assert_eq!(taken, order.due_in_the_end(), "{id} is paid by {}", order.payment);
        }
        assert!(others.values().all(|taken| *taken == 0), "{others:?} are no order's");
    }
}
