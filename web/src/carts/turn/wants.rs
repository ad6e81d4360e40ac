//! What a turn must know before it is decided: whose stock, and which accounts.

use std::collections::BTreeSet;

use cart_core::{
    AccountId, Cart, CartId, Code, Command, Currency, GiftCard, Line, Request, Sku, VisitorId, account,
    gift_card, quote,
};

use super::Turn;
use crate::{
    carts::JobKind,
    store::{AccountWants, Loaded},
};

impl Turn {
    /// Lists the products whose stock the turn may move.
    pub(super) fn stocked(&self, loaded: &Loaded) -> BTreeSet<Sku> {
        let mut skus = BTreeSet::new();
        for job in self.jobs.iter() {
            if let JobKind::Enter(_) = &job.kind {
                let carts = || job.carts().filter_map(|id| self.cart(loaded, id));
                skus.extend(carts().flat_map(|cart| &cart.lines).map(|l| l.sku.clone()));
                skus.extend(carts().flat_map(|cart| &cart.lines).flat_map(parts_of));
                skus.extend(self.gifts(carts().flat_map(|cart| cart.codes.iter().cloned()).collect()));
            }
            let JobKind::Execute(Request { command, .. }) = &job.kind else { continue };
            let cart = self.cart(loaded, &job.cart);
            let lines = cart.map_or(&[][..], |cart| &cart.lines);
            if self.terms.promotions.is_giving() || lines.iter().any(Line::is_gift) {
                let codes = cart.map_or_else(Vec::new, |cart| cart.codes.clone());
                let mut named = Named { codes, ..Named::default() };
                named.add(command);
                skus.extend(self.gifts(named.codes));
                let gifts = lines.iter().filter(|line| line.is_gift());
                skus.extend(gifts.flat_map(|line| [line.sku.clone()].into_iter().chain(parts_of(line))));
            }
            // Where the cart goes to may decide where its pieces come from.
            let may_move = self.terms.locations.are_several() && command.may_move_holds();
            let moves_all = may_move || command.moves_all_lines();
            for sku in command.skus() {
                skus.insert(sku.clone());
                let parts = self.catalogue.product(sku).map_or(&[][..], |product| product.parts());
                skus.extend(parts.iter().map(|part| part.sku.clone()));
                // A line keeps the parts that it was added with.
                let lines = lines.iter().filter(|line| !moves_all && line.sku == *sku);
                skus.extend(lines.flat_map(parts_of));
            }
            if moves_all {
                for line in lines {
                    skus.insert(line.sku.clone());
                    skus.extend(parts_of(line));
                    // A line that is added again, because its cart had expired, takes the parts of today.
                    let parts = self.catalogue.product(&line.sku).map_or(&[][..], |product| product.parts());
                    skus.extend(parts.iter().map(|part| part.sku.clone()));
                }
            }
        }
        skus
    }

    /// Lists the accounts that the turn may read or move. In most shops nothing is counted, and then no account is looked up.
    pub(super) fn counting(&self, loaded: &Loaded) -> AccountWants {
        let mut wants = AccountWants::default();
        for job in self.jobs.iter() {
            if let JobKind::Enter(entering) = &job.kind {
                let carts: Vec<_> = job.carts().filter_map(|id| self.cart(loaded, id)).collect();
                let codes: Vec<_> = carts.iter().flat_map(|cart| cart.codes.iter().cloned()).collect();
                let bearing = account::bearing(&entering.user, &codes, &self.terms);
                wants.read.extend(bearing.into_iter().map(|(account, _)| account));
                wants.read.extend(account::orders_of(&entering.user, &self.terms));
                let lines = carts.iter().flat_map(|cart| &cart.lines);
                wants.read.extend(lines.filter_map(|line| self.pieces(&entering.user, &line.sku)));
                // What was to pay for one cart may be to pay for the other.
                let currencies: BTreeSet<Currency> = carts.iter().map(|cart| cart.currency).collect();
                for (cart, currency) in carts.iter().flat_map(|c| currencies.iter().map(move |of| (c, *of))) {
                    wants.read.extend(cart.gift_cards.iter().map(|card| card.account(currency)));
                    wants.read.extend(cart.uses_credit.then(|| gift_card::credit(currency, &entering.user)));
                    wants.cards.extend(cart.gift_cards.iter().map(|card| card.id.clone()));
                }
            }
            let JobKind::Execute(request) = &job.kind else { continue };
            let cart = self.cart(loaded, &job.cart);
            let owned = cart.map(|cart| (&cart.owner, cart.currency));
            let Some((customer, currency)) = owned.or_else(|| self.opener(&job.cart)) else { continue };
            let mut named =
                Named { codes: cart.map_or_else(Vec::new, |c| c.codes.clone()), ..Named::default() };
            named.add(&request.command);
            let bearing = account::bearing(customer, &named.codes, &self.terms);
            wants.read.extend(bearing.into_iter().map(|(account, _)| account));
            wants.read.extend(account::orders_of(customer, &self.terms));
            if let Some(order) = request.command.order() {
                wants.moved.extend(order.postings.iter().map(|posting| posting.account.clone()));
            }
            wants.read.extend(named.cards.iter().map(|card| card.account(currency)));
            wants.cards.extend(named.cards.into_iter().map(|card| card.id));
            if named.credit {
                wants.read.insert(gift_card::credit(currency, customer));
            }
            let pieces = request.command.skus().into_iter().filter_map(|sku| self.pieces(customer, sku));
            wants.read.extend(pieces);
            let Some(cart) = cart else { continue };
            wants.read.extend(gift_card::purses(cart));
            wants.cards.extend(cart.gift_cards.iter().map(|card| card.id.clone()));
            let moved = match request.command {
                Command::PlaceOrder { .. } => {
                    // An order counts, whether anybody asks for that yet or not.
                    wants.moved.insert(AccountId::CustomerOrders { customer: customer.clone() });
                    &mut wants.moved
                }
                Command::BeginPayment { .. } | Command::Reopen => &mut wants.read,
                _ => continue,
            };
            moved.extend(cart.lines.iter().filter_map(|line| self.pieces(customer, &line.sku)));
            moved.extend(gift_card::purses(cart));
            moved.extend(self.counted(cart));
        }
        wants
    }

    /// Returns who opens a cart in this turn, and in which currency.
    fn opener(&self, id: &CartId) -> Option<(&VisitorId, Currency)> {
        self.jobs.iter().filter(|job| job.cart == *id).find_map(|job| match &job.kind {
            JobKind::Open(opening) => Some((&opening.owner, opening.currency)),
            _ => None,
        })
    }

    /// Returns the account of what a customer has bought of a product, where the shop sells a customer only so many.
    fn pieces(&self, customer: &VisitorId, sku: &Sku) -> Option<AccountId> {
        self.catalogue.product(sku)?.limits.per_customer?;
        Some(AccountId::CustomerPieces { customer: customer.clone(), sku: sku.clone() })
    }

    /// Lists the products that may be given to a cart where these codes were typed, with the parts of bundles.
    fn gifts(&self, codes: Vec<Code>) -> BTreeSet<Sku> {
        let gifts = self.terms.promotions.gifts(self.now_ms, &codes);
        let parts = |sku: &Sku| self.catalogue.product(sku).map_or(&[][..], |product| product.parts());
        gifts
            .flat_map(|sku| {
                [sku].into_iter().chain(parts(sku).iter().map(|p| &p.sku)).cloned().collect::<Vec<_>>()
            })
            .collect()
    }

    /// Lists the accounts that the order of a cart is likely to move: those of what it was shown.
    fn counted(&self, cart: &Cart) -> Vec<AccountId> {
        if !self.terms.promotions.is_counting() {
            return vec![];
        }
        let quote = quote(cart, &*self.catalogue, &self.terms, self.now_ms);
        let applied = quote.promotions.applied().filter_map(|(outcome, applied)| {
            let definition = self.terms.promotions.definition(&outcome.promotion)?;
            Some(account::counters(definition, applied.code.as_ref(), &cart.owner))
        });
        applied.flatten().map(|(account, _)| account).collect()
    }
}

/// Returns the products of a bundle's parts, of which some may be held that are counted no more.
fn parts_of(line: &Line) -> impl Iterator<Item = Sku> {
    line.parts.iter().map(|part| part.sku.clone())
}

/// Is what commands name that has an account.
#[derive(Default)]
struct Named {
    codes: Vec<Code>,
    cards: Vec<GiftCard>,
    credit: bool,
}

impl Named {
    fn add(&mut self, command: &Command) {
        match command {
            Command::ApplyCode { code } => self.codes.push(code.clone()),
            Command::ApplyGiftCard { card } => self.cards.push(card.clone()),
            Command::RedeemCode(typed) => {
                self.codes.extend(typed.code().cloned());
                self.cards.extend(typed.card().cloned());
            }
            Command::UseStoreCredit { on } => self.credit |= on,
            Command::Batch(commands) => commands.iter().for_each(|command| self.add(command)),
            _ => {}
        }
    }
}
