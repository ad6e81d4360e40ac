//! What a visitor brings back becomes a cart again, line by line and by the rules of today.
//!
//! A snapshot is no more than a list of wishes: each line is added as a shopper would add it, with today's price,
//! limits and stock, and its outcome is told. What the shop knows counts more: where it has the cart as new as the
//! snapshot or newer, nothing is done; where it has some of the pieces, only the others are added; and a cart that was
//! bought is not filled again.

pub mod outcome;

use std::sync::Arc;

use cart_core::{Cart, CartId, Code, Command, Rejection, Request, VisitorId, limits::BATCH_COMMANDS_MAX};

use self::outcome::{CodeOutcome, Fate, LineOutcome, MENDS_MAX, Reason, Restoration};
use crate::{
    carts::CartWish,
    definitions::Forced,
    problem::{Problem, accepted},
    shop::Shop,
    snapshot::{KeptLine, Snapshot},
    store::{Accepted, Answer},
    visitor::Visitor,
};

/// How often the cart may change under a restoration before it is given up.
const RACES_MAX: u32 = 8;

/// Brings a snapshot back into a visitor's cart, which is opened where it is gone.
///
/// # Errors
/// Where the cart is somebody else's or was bought, or the store does not answer.
pub async fn restore(
    shop: &Shop,
    visitor: &Visitor,
    id: CartId,
    snapshot: Snapshot,
    forced: &Forced,
) -> Result<Restoration, Problem> {
    if snapshot.cart != id {
        match shop.carts.read_newest(snapshot.cart.clone(), visitor.id.clone()).await? {
            Answer::UnknownCart => {}
            known => still_open(&accepted(known)?.cart)?,
        }
    }
    let wish = CartWish { currency: Some(snapshot.currency), channel: snapshot.channel };
    let opened = shop.open_cart(Some(id.clone()), visitor, wish, forced).await?;
    let (cart, reopened) = shop.reopened(accepted(opened)?.cart, &visitor.id).await?;
    let mut filling = Filling { shop, visitor: &visitor.id, cart };
    still_open(&filling.cart)?;
    let is_applied = snapshot.cart != id || filling.cart.version < snapshot.version;
    let (mut wishes, mut codes) = (vec![], vec![]);
    if is_applied {
        let catalogue = shop.catalogue.get();
        for line in snapshot.lines {
            let properties = catalogue.marked(&line.sku, &line.properties);
            wishes.push(Wish::new(KeptLine { properties, ..line }, &filling.cart));
        }
        for some in wishes.chunks_mut(BATCH_COMMANDS_MAX) {
            filling.add(some).await?;
        }
        for code in snapshot.codes {
            codes.push(filling.type_code(code).await?);
        }
        filling.write_note(snapshot.note).await?;
    }
    let cart = filling.cart;
    let accepted =
        Accepted { quote: shop.quote(&cart), cart, item: None, order: None, left: vec![], reopened };
    let lines = wishes.into_iter().map(|wish| wish.outcome(&accepted)).collect();
    Ok(Restoration { accepted, is_applied, lines, codes })
}

/// What was bought is not put into a cart again.
fn still_open(cart: &Cart) -> Result<(), Problem> {
    Ok(cart.closed()?)
}

/// Is a cart that is being filled. Its version is part of every command, so that two restorations at the same time add
/// nothing twice.
struct Filling<'a> {
    shop: &'a Shop,
    visitor: &'a VisitorId,
    cart: Arc<Cart>,
}

impl Filling<'_> {
    async fn run(&self, command: Command) -> Result<Answer, Problem> {
        let expected_version = Some(self.cart.version);
        let request = Request { caller: Some(self.visitor.clone()), expected_version, command };
        Ok(self.shop.carts.execute(self.cart.id.clone(), request, None).await?)
    }

    /// Adds what the cart lacks of some wishes: all at once, and where a rule says no, with less.
    async fn add(&mut self, wishes: &mut [Wish]) -> Result<(), Problem> {
        let mut races = 0;
        loop {
            let mut lacking: Vec<&mut Wish> = wishes.iter_mut().filter(|w| w.lacks(&self.cart) > 0).collect();
            if lacking.is_empty() {
                return Ok(());
            }
            let commands = lacking.iter().map(|wish| wish.command(&self.cart)).collect();
            match self.run(Command::Batch(commands)).await? {
                Answer::Rejected(Rejection::StaleVersion { .. }) if races < RACES_MAX => {
                    races += 1;
                    self.read_again().await?;
                }
                Answer::Rejected(Rejection::InBatch { position, because }) if position < lacking.len() => {
                    lacking[position].mend(&self.cart, because.reason());
                }
                answer => self.cart = accepted(answer)?.cart,
            }
        }
    }

    async fn type_code(&mut self, code: Code) -> Result<CodeOutcome, Problem> {
        let mut races = 0;
        loop {
            if self.cart.codes.contains(&code) {
                return Ok(CodeOutcome { code, fate: Fate::Kept, reason: None });
            }
            match self.run(Command::ApplyCode { code: code.clone() }).await? {
                Answer::Rejected(Rejection::StaleVersion { .. }) if races < RACES_MAX => {
                    races += 1;
                    self.read_again().await?;
                }
                Answer::Rejected(rejection) => {
                    let reason = Some(Reason::from(&rejection));
                    return Ok(CodeOutcome { code, fate: Fate::Refused, reason });
                }
                answer => {
                    self.cart = accepted(answer)?.cart;
                    return Ok(CodeOutcome { code, fate: Fate::Restored, reason: None });
                }
            }
        }
    }

    /// A note that was written since is not written over.
    async fn write_note(&mut self, text: String) -> Result<(), Problem> {
        if !self.cart.note.is_empty() || text.is_empty() {
            return Ok(());
        }
        match self.run(Command::SetNote { text }).await? {
            Answer::Rejected(Rejection::StaleVersion { .. }) => self.read_again().await,
            answer => {
                self.cart = accepted(answer)?.cart;
                Ok(())
            }
        }
    }

    async fn read_again(&mut self) -> Result<(), Problem> {
        let answer = self.shop.carts.read_newest(self.cart.id.clone(), self.visitor.clone()).await?;
        self.cart = accepted(answer)?.cart;
        Ok(())
    }
}

/// Is a line that the visitor would like to have again.
struct Wish {
    line: KeptLine,
    /// The cart had it all before.
    is_kept: bool,
    /// The pieces that the line should come to: fewer, once a rule said so.
    target: u32,
    mends: u32,
    reasons: Vec<Reason>,
}

impl Wish {
    fn new(line: KeptLine, cart: &Cart) -> Self {
        let target = line.quantity;
        let wish = Self { line, is_kept: false, target, mends: 0, reasons: vec![] };
        Self { is_kept: wish.lacks(cart) == 0, ..wish }
    }

    fn pieces_in(&self, cart: &Cart) -> u32 {
        cart.line(&self.line.id()).map_or(0, |line| line.quantity)
    }

    fn lacks(&self, cart: &Cart) -> u32 {
        self.target.saturating_sub(self.pieces_in(cart))
    }

    fn command(&self, cart: &Cart) -> Command {
        Command::AddLine {
            sku: self.line.sku.clone(),
            quantity: self.lacks(cart),
            properties: self.line.properties.clone(),
        }
    }

    /// Wishes for as much as the rule that said no lets pass, and after some tries for nothing.
    fn mend(&mut self, cart: &Cart, because: &Rejection) {
        let (has, lacks) = (self.pieces_in(cart), self.lacks(cart));
        self.mends += 1;
        let fewer = because.lets_pass(lacks).min(lacks.saturating_sub(1));
        let granted = if self.mends < MENDS_MAX { fewer } else { 0 };
        self.target = has + granted;
        if self.reasons.last().is_none_or(|last| last.name != because.name()) {
            self.reasons.push(because.into());
        }
    }

    fn outcome(mut self, accepted: &Accepted) -> LineOutcome {
        let id = self.line.id();
        let at = accepted.cart.lines.iter().position(|line| line.is(&id));
        let quantity = at.map_or(0, |at| accepted.cart.lines[at].quantity);
        let price = at.and_then(|at| accepted.quote.lines.get(at)).map(|quote| quote.unit_price_minor);
        if let Some(now) = price.filter(|now| *now != self.line.unit_price_minor) {
            let detail = format!("one piece was {} minor units and is {now} now", self.line.unit_price_minor);
            self.reasons.push(Reason { name: "price_changed", detail });
        }
        let fate = match () {
            () if quantity == 0 => Fate::Refused,
            () if !self.reasons.is_empty() => Fate::Adjusted,
            () if self.is_kept => Fate::Kept,
            () => Fate::Restored,
        };
        LineOutcome { line: self.line, quantity, unit_price_minor: price, fate, reasons: self.reasons }
    }
}
