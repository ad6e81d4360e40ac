//! The model: what orders, stock and money come to, kept in sums from the commands that were accepted.
//!
//! It knows no rule of the shop but those that a clerk with a pencil would: pieces add up, the provider is given back first
//! what it paid.

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{
    Code, Command, Currency, GiftCardId, LineId, LocationId, Order, OrderId, ParcelWish, PaymentTask,
    RefundWish, RelocationWish, Sku, VisitorId,
};

use super::{
    bill::{Bill, BillLine},
    cart_book::CartBook,
    deal::Limits,
    season::Season,
    shop,
};

/// Names who paid part of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Payer {
    Provider,
    Credit(VisitorId, Currency),
    Card(GiftCardId),
}

/// Says how many pieces of a product wait for a line in a location.
type Lies = BTreeMap<(LineId, Sku, Option<LocationId>), i64>;

/// Is an order with what came back of it.
#[derive(Clone, Debug)]
pub struct OrderBook {
    /// Who is given something back, the first first: what they paid, and what they have back.
    payers: Vec<(Payer, i64, i64)>,
    /// Pieces, those that were paid back, and what all of them cost.
    lines: BTreeMap<LineId, (i64, i64, i64)>,
    gifts: BTreeSet<LineId>,
    owner: VisitorId,
    shipping_left: i64,
    /// How many pieces of each product wait to be sent for each line.
    waiting: BTreeMap<(LineId, Sku), i64>,
    /// Where that lies, as the order tells; nowhere, where nobody counts it.
    lies: Lies,
    /// How many parcels have left.
    parcels: usize,
    status: &'static str,
    used: Vec<Use>,
    payment: String,
}

impl OrderBook {
    fn left(&self) -> i64 {
        self.payers.iter().map(|(_, paid, back)| paid - back).sum()
    }

    /// Says what the next pieces of a line cost: the first ones take the pence that cannot be shared.
    fn cost_of(&self, id: &LineId, pieces: i64) -> i64 {
        let (of, back, minor) = self.lines[id];
        (back..back + pieces).map(|n| minor / of + i64::from(n < minor % of)).sum()
    }

    /// Counts the pieces of a line of which all waits.
    fn unsent_of(&self, id: &LineId) -> i64 {
        let waiting = |(part, each): (Sku, i64)| self.waiting[&(id.clone(), part)] / each;
        shop::parts_of(id.sku()).into_iter().map(waiting).min().unwrap_or(0)
    }

    /// With the last that waits, what was begun to be sent is sent off.
    fn close(&mut self) {
        if self.status == "placed" && self.parcels > 0 && self.waiting.values().all(|pieces| *pieces == 0) {
            self.status = "fulfilled";
        }
    }

    fn due_in_the_end(&self) -> i64 {
        self.payers.iter().filter(|(p, ..)| *p == Payer::Provider).map(|(_, paid, back)| paid - back).sum()
    }
}

/// Is an order's use of a promotion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    deal: String,
    owner: VisitorId,
    code: Option<Code>,
}

/// Is what a cart was told of promotions when its shopper last did something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Promotions that it may not use any more, at all or by a code.
    pub used_up: BTreeSet<(String, Option<Code>)>,
    /// How many orders its customer has placed, where anybody asks.
    pub orders: i64,
}

/// Is all books of the shop.
#[derive(Debug, Default)]
pub struct Book {
    pub supplied: BTreeMap<Sku, i64>,
    pub sold: BTreeMap<Sku, i64>,
    pub cards: BTreeMap<GiftCardId, i64>,
    pub credit: BTreeMap<(VisitorId, Currency), i64>,
    /// Uses of the promotions of this season.
    pub uses: Vec<Use>,
    /// How many orders of a customer stand.
    pub orders_of: BTreeMap<VisitorId, i64>,
    /// Pieces that customers have bought and not given back.
    pub bought: BTreeMap<VisitorId, BTreeMap<Sku, i64>>,
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
        let cards = cart.cards.iter().filter(|id| shop::currency_of(id) == cart.currency);
        let cards = cards.map(|id| (Payer::Card(id.clone()), self.cards[id]));
        let purse = (owner.clone(), cart.currency);
        let left = self.credit.get(&purse).copied().unwrap_or(0);
        let credit = (Payer::Credit(purse.0, purse.1), left);
        let all = cards.chain(cart.credit.then_some(credit));
        let mut left = total;
        let pays = all.map(|(payer, holds)| {
            let minor = holds.min(left);
            left -= minor;
            (payer, minor)
        });
        pays.filter(|(_, minor)| *minor > 0).collect()
    }

    /// Returns what a customer has bought before.
    pub fn bought(&self, owner: &VisitorId) -> BTreeMap<Sku, i64> {
        self.bought.get(owner).cloned().unwrap_or_default()
    }

    /// Says what a customer is told of the promotions of a season.
    pub fn tell(&self, owner: &VisitorId, season: &Season) -> Told {
        let mut told = Told::default();
        for deal in &season.deals {
            let count = |is_meant: &dyn Fn(&Use) -> bool| {
                self.uses.iter().filter(|of| of.deal == deal.id && is_meant(of)).count() as i64
            };
            let is_reached = |limit: Option<i64>, uses: i64| limit.is_some_and(|limit| uses >= limit);
            let Limits { total, per_customer, per_code } = deal.limits;
            if is_reached(total, count(&|_| true))
                || is_reached(per_customer, count(&|of| of.owner == *owner))
            {
                told.used_up.insert((deal.id.clone(), None));
            }
            for code in deal.codes.iter().map(|code| shop::code(code)) {
                if is_reached(per_code, count(&|of| of.code.as_ref() == Some(&code))) {
                    told.used_up.insert((deal.id.clone(), Some(code)));
                }
            }
        }
        if season.asks_for_orders() {
            told.orders = self.orders_of.get(owner).copied().unwrap_or(0);
        }
        told
    }

    /// Writes an order down, and checks that it is the one that its cart leads to.
    pub fn place(&mut self, cart: &CartBook, order: &Order, bill: &Bill, paid_minor: i64) {
        let total = bill.total_minor;
        assert_eq!(order.total_minor, total, "{order:?} of {cart:?}");
        assert_eq!(cart.too_many(&self.bought(&order.owner)), None, "{order:?}");
        let used: Vec<Use> = bill
            .applied
            .iter()
            .map(|one| Use { deal: one.id.clone(), owner: order.owner.clone(), code: one.code.clone() })
            .collect();
        self.uses.extend(used.clone());
        *self.orders_of.entry(order.owner.clone()).or_default() += 1;
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
        for (sku, pieces) in cart.pieces_with_gifts() {
            *self.sold.entry(sku).or_default() += pieces;
        }
        let bought = self.bought.entry(order.owner.clone()).or_default();
        let mut lines = BTreeMap::new();
        for (line, BillLine { paid_minor, .. }) in order.lines.iter().zip(&bill.lines) {
            let pieces = i64::from(line.quantity);
            let is_late =
                line.backordered > 0 || line.ships_from_ms.is_some_and(|at| at > order.placed_at_ms);
            assert!(
                line.backordered <= line.quantity && (!is_late || shop::owed_max_ever(&line.sku) > 0),
                "{line:?}"
            );
            if line.gift_of.is_none() {
                *bought.entry(line.sku.clone()).or_default() += pieces;
            }
            lines.insert(line.id(), (pieces, 0, *paid_minor));
        }
        let book = OrderBook {
            payers: payers.into_iter().map(|(payer, paid)| (payer, paid, 0)).collect(),
            lines,
            gifts: cart.gifts.keys().cloned().collect(),
            owner: order.owner.clone(),
            shipping_left: bill.shipping_minor,
            waiting: order.lines.iter().flat_map(waiting).collect(),
            lies: lies(order),
            parcels: 0,
            status: "placed",
            used,
            payment: order.payment.as_ref().expect("an order is paid").to_string(),
        };
        assert!(self.orders.insert(order.order_id.clone(), book).is_none(), "one order a cart");
    }

    fn purse(&mut self, payer: &Payer) -> &mut i64 {
        match payer {
            Payer::Card(id) => self.cards.get_mut(id).expect("a known card"),
            Payer::Credit(owner, currency) => self.credit.entry((owner.clone(), *currency)).or_default(),
            Payer::Provider => unreachable!("the provider's money is its own"),
        }
    }

    /// Writes down what became of an order, and checks it against what the order says.
    pub fn change(&mut self, command: &Command, after: &Order) {
        let id = &after.order_id;
        let Some(mut order) = self.orders.remove(id) else { panic!("{id} was never placed") };
        match command {
            Command::FulfilOrder { wish, .. } => Self::send(&mut order, wish, after),
            Command::RelocateOrder { wish, .. } => Self::relocate(&order, wish, after),
            Command::CancelOrder { .. } if order.parcels > 0 => {
                let rest: Vec<_> = order.lines.keys().map(|id| (id.clone(), order.unsent_of(id))).collect();
                let minor: i64 = rest.iter().map(|(id, n)| order.cost_of(id, *n)).sum();
                self.give_back(&mut order, &rest, true, false);
                let minor = minor.min(order.left());
                self.pay_back(&mut order, minor);
            }
            Command::CancelOrder { .. } if order.status == "placed" => {
                let all: Vec<_> =
                    order.lines.iter().map(|(id, (n, back, _))| (id.clone(), n - back)).collect();
                self.give_back(&mut order, &all, true, false);
                let left = order.left();
                self.pay_back(&mut order, left);
                order.status = "cancelled";
                order.shipping_left = 0;
                for one in &order.used {
                    let at = self.uses.iter().position(|of| of == one);
                    at.map(|at| self.uses.remove(at));
                }
                self.orders_of.entry(order.owner.clone()).and_modify(|orders| *orders -= 1);
            }
            Command::RefundOrder { wish, .. } => self.refund(&mut order, wish),
            _ => {}
        }
        order.close();
        assert_eq!(after.state.status.name(), order.status, "{command:?} leads to {after:?}");
        let waits = |w: &cart_core::Waiting| ((w.line.clone(), w.sku.clone()), i64::from(w.pieces));
        let mut told = BTreeMap::new();
        for (what, pieces) in after.waiting().iter().map(waits) {
            *told.entry(what).or_insert(0) += pieces;
        }
        let mut waiting = order.waiting.clone();
        waiting.retain(|_, pieces| *pieces > 0 && order.status == "placed");
        assert_eq!(told, waiting, "{command:?} leads to {after:?}");
        order.lies = lies(after);
        let back: i64 = order.payers.iter().map(|(.., back)| back).sum();
        assert_eq!(after.state.refunded_minor(), back, "{command:?} leads to {after:?}");
        self.orders.insert(id.clone(), order);
    }

    /// Takes what parcels hold off what waits, and checks that they hold what was asked for.
    fn send(order: &mut OrderBook, wish: &ParcelWish, after: &Order) {
        let new = &after.state.parcels[order.parcels..];
        order.parcels = after.state.parcels.len();
        let mut sent: BTreeMap<(LineId, Sku), i64> = BTreeMap::new();
        for packed in new.iter().flat_map(|parcel| &parcel.contents) {
            *sent.entry((packed.line.clone(), packed.sku.clone())).or_default() += i64::from(packed.pieces);
        }
        for wanted in &wish.contents {
            let parts = shop::parts_of(wanted.line.sku()).into_iter();
            for (part, each) in parts.filter(|(part, _)| wanted.part.as_ref().is_none_or(|p| p == part)) {
                let pieces = i64::from(wanted.pieces) * if wanted.part.is_some() { 1 } else { each };
                assert_eq!(sent[&(wanted.line.clone(), part)], pieces, "{wish:?} leads to {after:?}");
            }
        }
        for (what, pieces) in &sent {
            let waiting = order.waiting.get_mut(what).expect("it is of the order");
            *waiting -= pieces;
            assert!(*waiting >= 0, "more is sent than was bought: {after:?}");
        }
        if wish.is_for_all() && order.status == "placed" {
            assert!(order.waiting.values().all(|pieces| *pieces == 0), "{wish:?} leads to {after:?}");
            order.status = "fulfilled";
        }
        let of_one =
            |parcel: &cart_core::Parcel| wish.location.as_ref().is_none_or(|at| *at == parcel.location);
        assert!(new.iter().all(of_one), "{wish:?} leads to {after:?}");
    }

    /// What was asked for, and nothing else, waits in the other location.
    fn relocate(order: &OrderBook, wish: &RelocationWish, after: &Order) {
        let mut due = order.lies.clone();
        let there = order.lies.iter().filter(|((.., at), _)| at.as_ref() == Some(&wish.from));
        for ((line, sku, _), all) in there {
            let each =
                shop::parts_of(line.sku()).into_iter().find(|(part, _)| part == sku).expect("a part").1;
            let named = wish.contents.iter().filter(|named| named.line == *line);
            let named = named.filter(|named| named.part.as_ref().is_none_or(|part| part == sku));
            let pieces =
                named.map(|named| i64::from(named.pieces) * if named.part.is_some() { 1 } else { each });
            let pieces = if wish.contents.is_empty() { *all } else { pieces.sum() };
            *due.get_mut(&(line.clone(), sku.clone(), Some(wish.from.clone()))).expect("it is there") -=
                pieces;
            *due.entry((line.clone(), sku.clone(), Some(wish.to.clone()))).or_default() += pieces;
        }
        due.retain(|_, pieces| *pieces != 0);
        assert_eq!(lies(after), due, "{wish:?} leads to {after:?}");
    }

    fn refund(&mut self, order: &mut OrderBook, wish: &RefundWish) {
        let lines: Vec<_> = wish.lines.iter().map(|(id, n)| (id.clone(), i64::from(*n))).collect();
        let mut amount: i64 = lines.iter().map(|(id, n)| order.cost_of(id, *n)).sum();
        amount += wish.amount_minor;
        if wish.shipping {
            amount += std::mem::take(&mut order.shipping_left);
        }
        self.give_back(order, &lines, wish.restock, wish.sent);
        self.pay_back(order, amount);
    }

    fn give_back(&mut self, order: &mut OrderBook, lines: &[(LineId, i64)], restock: bool, sent: bool) {
        for (id, pieces) in lines {
            let line = order.lines.get_mut(id).expect("a line of the order");
            line.1 += pieces;
            assert!(line.1 <= line.0, "more of {id} came back than was bought");
            // Whether customers who are gone may buy more is of no interest; gifts are not bought.
            let bought = self.bought.get_mut(&order.owner).filter(|_| !order.gifts.contains(id));
            if let Some(bought) = bought {
                *bought.get_mut(id.sku()).expect("it was bought") -= pieces;
            }
            for (part, each) in shop::parts_of(id.sku()).into_iter().filter(|_| !sent) {
                let waiting = order.waiting.get_mut(&(id.clone(), part)).expect("it is of the order");
                *waiting -= (pieces * each).min(*waiting);
            }
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

fn lies(order: &Order) -> Lies {
    let lies = |w: cart_core::Waiting| ((w.line, w.sku, w.location), i64::from(w.pieces));
    order.waiting().into_iter().map(lies).collect()
}

/// Says what of a line is to be sent.
fn waiting(line: &cart_core::OrderLine) -> Vec<((LineId, Sku), i64)> {
    let pieces = i64::from(line.quantity);
    shop::parts_of(&line.sku).into_iter().map(|(part, each)| ((line.id(), part), each * pieces)).collect()
}
