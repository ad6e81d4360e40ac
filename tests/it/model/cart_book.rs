//! The model: what one cart has, as far as the commands say that it accepted.

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{
    Cart, ChannelId, Code, Command, Currency, GiftCardId, GroupId, LineId, PromotionId, ReopenedLine, Sku,
    Stage, StepDetails,
};

use super::{bill::Day, shop};

/// Is what one cart has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartBook {
    pub currency: Currency,
    /// The group of its customer, and how it is filled.
    pub group: Option<GroupId>,
    pub channel: Option<ChannelId>,
    /// Where it goes to, once that is known.
    pub country: Option<String>,
    /// Pieces, and the price that was told.
    pub lines: BTreeMap<LineId, (i64, i64)>,
    /// What is given beside: pieces.
    pub gifts: BTreeMap<LineId, i64>,
    pub declined: BTreeSet<PromotionId>,
    pub saved: BTreeMap<LineId, i64>,
    /// In the order in which they were typed.
    pub codes: Vec<Code>,
    pub cards: Vec<GiftCardId>,
    pub credit: bool,
    pub note: String,
    /// How it travels.
    pub method: Option<String>,
}

impl CartBook {
    /// Returns what a cart has that was just opened.
    pub fn new(currency: Currency, group: Option<GroupId>, channel: Option<ChannelId>) -> Self {
        Self {
            currency,
            group,
            channel,
            country: None,
            lines: BTreeMap::new(),
            gifts: BTreeMap::new(),
            declined: BTreeSet::new(),
            saved: BTreeMap::new(),
            codes: vec![],
            cards: vec![],
            credit: false,
            note: String::new(),
            method: None,
        }
    }

    /// Writes down a command that was accepted by the cart as it was; `bought` is what its customer has bought before.
    pub fn enter(&mut self, command: &Command, before: &Cart, day: &Day, bought: &BTreeMap<Sku, i64>) {
        if self.wanted(command).is_some() {
            assert_eq!(self.breaks(command, bought), None, "{command:?} is accepted by {self:?}");
        }
        match command {
            Command::AddLine { sku, quantity, properties } => {
                self.add(LineId::new(sku.clone(), properties), i64::from(*quantity), day);
            }
            Command::SetQuantity { line, quantity } => {
                let (pieces, told) = self.lines.get(line).copied().unwrap_or_default();
                let today = |pieces| day.today_minor(self, line.sku(), pieces);
                // Fewer pieces cost what they were told to cost, unless that is what they cost today: then what fewer do.
                let is_news = i64::from(*quantity) > pieces || told == today(pieces);
                let told = if is_news { today(i64::from(*quantity)) } else { told };
                self.lines.insert(line.clone(), (i64::from(*quantity), told));
            }
            Command::RemoveLine { line } => drop(self.lines.remove(line)),
            Command::SaveLine { line } => {
                let (pieces, _) = self.lines.remove(line).expect("an accepted save had its line");
                *self.saved.entry(line.clone()).or_default() += pieces;
            }
            Command::RestoreLine { line } => {
                let pieces = self.saved.remove(line).expect("an accepted restore had its line");
                self.add(line.clone(), pieces, day);
            }
            Command::DropSavedLine { line } => drop(self.saved.remove(line)),
            Command::ApplyCode { code } if !self.codes.contains(code) => self.codes.push(code.clone()),
            Command::RemoveCode { code } => self.codes.retain(|typed| typed != code),
            Command::SetGroup { group } if *group != self.group => {
                self.group.clone_from(group);
                self.tell_prices(day, |_| true);
            }
            Command::ApplyGiftCard { card } if !self.cards.contains(&card.id) => {
                assert_eq!(shop::currency_of(&card.id), self.currency, "{command:?}");
                self.cards.push(card.id.clone());
            }
            Command::RemoveGiftCard { card } => self.cards.retain(|c| c != card),
            Command::UseStoreCredit { on } => self.credit = *on,
            Command::SetNote { text } => self.note.clone_from(text),
            Command::DeclineGift { promotion } => drop(self.declined.insert(promotion.clone())),
            Command::AcceptGift { promotion } => drop(self.declined.remove(promotion)),
            Command::Clear => self.lines.clear(),
            Command::AcceptPrices => {
                let changed = day.changed(self);
                self.tell_prices(day, |id| changed.contains(id));
            }
            Command::Batch(commands) => commands.iter().for_each(|c| self.enter(c, before, day, bought)),
            Command::CompleteStep(StepDetails::Address(address)) => {
                self.country = Some(address.country.clone());
            }
            // A cart of which nothing travels does not ask how.
            Command::CompleteStep(StepDetails::Shipping { method })
                if before.travels() || before.stage == Stage::Open =>
            {
                self.method = method.as_ref().map(ToString::to_string);
            }
            _ => {}
        }
    }

    fn add(&mut self, line: LineId, more: i64, day: &Day) {
        let pieces = self.lines.get(&line).map_or(0, |(pieces, _)| *pieces) + more;
        let told = day.today_minor(self, line.sku(), pieces);
        self.lines.insert(line, (pieces, told));
    }

    /// Tells some lines what they cost today.
    fn tell_prices(&mut self, day: &Day, is_told: impl Fn(&LineId) -> bool) {
        let mut lines = self.lines.clone();
        for (id, (pieces, told)) in lines.iter_mut().filter(|(id, _)| is_told(id)) {
            *told = day.today_minor(self, id.sku(), *pieces);
        }
        self.lines = lines;
    }

    /// Says how many pieces of which line a command asks for.
    fn wanted(&self, command: &Command) -> Option<(LineId, i64)> {
        let has = |id: &LineId| self.lines.get(id).map_or(0, |(pieces, _)| *pieces);
        match command {
            Command::AddLine { sku, quantity, properties } => {
                let id = LineId::new(sku.clone(), properties);
                let pieces = has(&id) + i64::from(*quantity);
                Some((id, pieces))
            }
            Command::RestoreLine { line } => Some((line.clone(), has(line) + self.saved.get(line).copied()?)),
            Command::SetQuantity { line, quantity } if i64::from(*quantity) != has(line) => {
                Some((line.clone(), i64::from(*quantity)))
            }
            _ => None,
        }
    }

    /// Names the limit of a product that a command breaks. Nobody has to buy more to take some back.
    pub fn breaks(&self, command: &Command, bought: &BTreeMap<Sku, i64>) -> Option<&'static str> {
        let (id, pieces) = self.wanted(command)?;
        let limits = shop::limits(id.sku());
        let has = self.lines.get(&id).map_or(0, |(pieces, _)| *pieces);
        let order = self.pieces_of(id.sku()) - has + pieces;
        match () {
            () if pieces < limits.min => Some("min"),
            () if pieces % limits.step != 0 => Some("step"),
            () if pieces < has => None,
            () if order > limits.order_max => Some("max"),
            () => self.exceeds(id.sku(), order, bought),
        }
    }

    fn exceeds(&self, sku: &Sku, order: i64, bought: &BTreeMap<Sku, i64>) -> Option<&'static str> {
        let before = bought.get(sku).copied().unwrap_or(0);
        (order + before > shop::limits(sku).customer_max).then_some("per_customer")
    }

    /// Finds a line of which its customer has bought so many that these are too many.
    pub fn too_many(&self, bought: &BTreeMap<Sku, i64>) -> Option<&LineId> {
        self.lines.keys().find(|id| self.exceeds(id.sku(), self.pieces_of(id.sku()), bought).is_some())
    }

    fn pieces_of(&self, sku: &Sku) -> i64 {
        self.lines.iter().filter(|(id, _)| id.sku() == sku).map(|(_, (pieces, _))| pieces).sum()
    }

    /// Checks that each line which is new, or has more pieces than before, keeps to the limits.
    pub fn keeps_to_limits(&self, before: &Self, bought: &BTreeMap<Sku, i64>) {
        for (id, (pieces, _)) in &self.lines {
            let limits = shop::limits(id.sku());
            if before.lines.get(id).is_some_and(|(before, _)| before >= pieces) {
                continue;
            }
            let order = self.pieces_of(id.sku());
            let fits = *pieces >= limits.min && pieces % limits.step == 0 && order <= limits.order_max;
            assert!(fits, "{pieces} of {id}, {order} in all");
            assert_eq!(self.exceeds(id.sku(), order, bought), None, "{order} of {id} after {bought:?}");
        }
    }

    /// Writes down what came back of a cart that had expired: all of it, or less with a reason.
    pub fn reopen(&mut self, told: &[ReopenedLine], day: &Day, bought: &BTreeMap<Sku, i64>) {
        assert!(told.iter().map(|l| &l.line).collect::<BTreeSet<_>>().into_iter().eq(self.lines.keys()));
        for line in told {
            assert_eq!(i64::from(line.wanted), self.lines[&line.line].0);
            assert_eq!(line.quantity < line.wanted, line.because.is_some(), "{line:?}");
            match i64::from(line.quantity) {
                0 => drop(self.lines.remove(&line.line)),
                pieces => {
                    let told = day.today_minor(self, line.line.sku(), pieces);
                    self.lines.insert(line.line.clone(), (pieces, told));
                }
            }
        }
        self.keeps_to_limits(&Self::new(self.currency, None, None), bought);
        self.codes.retain(|code| day.season.knows(code));
    }

    /// Reads what a cart says of itself.
    pub fn of(cart: &Cart) -> Self {
        Self {
            currency: cart.currency,
            group: cart.group.clone(),
            channel: cart.channel.clone(),
            country: cart.address.as_ref().map(|address| address.country.clone()),
            lines: cart.bought().map(|l| (l.id(), (i64::from(l.quantity), l.unit_price_minor))).collect(),
            gifts: cart.gifts().map(|line| (line.id(), i64::from(line.quantity))).collect(),
            declined: cart.gifts_declined.iter().cloned().collect(),
            saved: cart.saved.iter().map(|l| (l.id(), i64::from(l.quantity))).collect(),
            codes: cart.codes.clone(),
            cards: cart.gift_cards.iter().map(|card| card.id.clone()).collect(),
            credit: cart.uses_credit,
            note: cart.note.clone(),
            method: cart.shipping.as_ref().map(ToString::to_string),
        }
    }

    /// Counts the pieces of the shelf that its own lines need with more of a product, parts of bundles included.
    pub fn pieces_and(&self, sku: &Sku, more: i64) -> BTreeMap<Sku, i64> {
        let own = self.lines.iter().map(|(line, (pieces, _))| (line.sku(), *pieces));
        needs(own.chain([(sku, more)]))
    }

    /// Counts the pieces that its own lines and its gifts need.
    pub fn pieces_with_gifts(&self) -> BTreeMap<Sku, i64> {
        let own = self.lines.iter().map(|(line, (pieces, _))| (line.sku(), *pieces));
        needs(own.chain(self.gifts.iter().map(|(line, pieces)| (line.sku(), *pieces))))
    }
}

/// Counts the pieces of the shelf that some things need.
fn needs<'s>(things: impl Iterator<Item = (&'s Sku, i64)>) -> BTreeMap<Sku, i64> {
    let mut needs = BTreeMap::new();
    for (sku, pieces) in things {
        for (part, each) in shop::parts_of(sku) {
            *needs.entry(part).or_default() += pieces * each;
        }
    }
    needs
}
