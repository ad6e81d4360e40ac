//! The shop: everything a door needs to serve somebody.

mod patience;
mod shelf;

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use actix_web::web::Bytes;
use cart_core::{
    AssignedVariation, Cart, CartId, Command, Currency, GroupId, PriceQuestion, Quote, Rejection,
    ReopenedLine, Request, Sku, StockLevels, VisitorId, quote,
};
use metrics_exporter_prometheus::PrometheusHandle;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    admin::accounts::Doorkeeper,
    api::cart_text::CartTexts,
    back_in_stock::asks::Asks,
    carts::{CartWish, Carts, CartsError, IdempotencyKey, Opening},
    catalogue::CatalogueCell,
    channel::sessions::Sessions,
    checkout::Checkout,
    clock,
    config::Config,
    definitions::{Asker, DefinitionsCell, Forced},
    experiment_metrics::ExperimentMetrics,
    flags::publisher::Flags,
    keyring::Keyring,
    metrics,
    payment::Sandbox,
    problem::{Kind, Problem, accepted},
    search::{self, Ask, Found, Sellers, Sight},
    shelves::{Shelves, journal::Journal},
    store::{self, Answer, Exposure, Store},
    terms::TermsCell,
    throttle::{Allowance, Throttle},
    trails::Trails,
    users::{password::Hasher, principals::Principals},
    views::Views,
    visitor::{Token, Visitor},
    webhooks::agent::Agent,
};

/// Is what every door shares.
pub struct Shop {
    /// The configuration.
    pub config: Config,
    /// The state.
    pub store: Arc<dyn Store>,
    /// The catalogue.
    pub catalogue: Arc<CatalogueCell>,
    /// The terms.
    pub terms: Arc<TermsCell>,
    /// The experiments.
    pub definitions: Arc<DefinitionsCell>,
    /// What they are judged by.
    pub experiment_metrics: Arc<ExperimentMetrics>,
    /// What SDKs are told of the experiments.
    pub flags: Flags,
    /// The allowances of the API's callers.
    pub throttle: Throttle,
    /// The carts.
    pub carts: Carts,
    /// Carts as they were read.
    pub cart_texts: CartTexts,
    /// The way from carts to orders.
    pub checkout: Checkout,
    /// The provider of payments, which is one for trying things.
    pub sandbox: Sandbox,
    /// How often orders may be looked up by what is printed on them.
    pub lookups: Allowance,
    /// How often codes of gift cards may be tried.
    pub guesses: Allowance,
    /// How often it may be asked to be told that a product is back.
    pub stock_asks: Asks,
    /// How often pages of one visitor may tell what they measured.
    pub measurements: Allowance,
    /// What visitors saw of shelves and clicked on.
    pub shelf_journal: Journal,
    /// How often one visitor's pages may tell of their shelves.
    pub shelf_reports: Allowance,
    /// How often a cart may be changed by one link to it.
    pub link_commands: Allowance,
    /// What its webhooks are signed with.
    pub webhook_secret: String,
    /// The recommendations.
    pub shelves: Arc<Shelves>,
    /// The keys that seal what browsers keep.
    pub keys: Arc<Keyring>,
    /// What shoppers look at, on its way to the store.
    pub views: Arc<Views>,
    /// What shoppers did lately.
    pub trails: Arc<Trails>,
    /// What sells.
    pub sellers: Arc<Sellers>,
    /// The users that are logged in.
    pub principals: Principals,
    /// The cores that hash passwords.
    pub hasher: Hasher,
    /// The open websockets.
    pub sessions: Arc<Sessions>,
    /// Who of the shop's people was here a moment ago.
    pub admins: Doorkeeper,
    /// Who delivers to the endpoints of webhooks.
    pub webhooks: Agent,
    /// The metrics' page.
    pub metrics: PrometheusHandle,
}

impl Shop {
    /// Opens a cart in the workflow that the visitor's variation selects, or answers the visitor's own of that id.
    ///
    /// Opening is where a shopper meets the workflow, so it logs the exposure, in the same transaction.
    ///
    /// # Errors
    /// [`CartsError`] where no rule answered.
    pub async fn open_cart(
        &self,
        id: Option<CartId>,
        who: &Visitor,
        wish: CartWish,
        forced: &Forced,
    ) -> Result<Answer, CartsError> {
        self.open_cart_once(id, who, wish, forced, None).await
    }

    /// As [`Shop::open_cart`], once a key: where no id is named, it follows from visitor and key.
    ///
    /// # Errors
    /// [`CartsError`] where no rule answered.
    pub async fn open_cart_once(
        &self,
        id: Option<CartId>,
        who: &Visitor,
        wish: CartWish,
        forced: &Forced,
        key: Option<IdempotencyKey>,
    ) -> Result<Answer, CartsError> {
        let id = id.unwrap_or_else(|| key.as_ref().map_or_else(fresh_id, |key| id_of_key(&who.id, &key.key)));
        let definitions = self.definitions.get();
        let (group, currency) = (self.group_of(who).await?, wish.currency.unwrap_or_else(|| self.currency()));
        let asker = Asker::of(who).opening(group.as_ref(), wish.channel.as_ref(), currency);
        let workflow = definitions.workflow(&asker, forced);
        let told = |met: AssignedVariation| {
            let mut attributes = who.circumstances.attributes();
            attributes.extend(definitions.draw(who.unit().as_str(), &met, None));
            (met, attributes)
        };
        let opening = Opening {
            owner: who.id.clone(),
            unit: who.unit().clone(),
            group,
            channel: wish.channel,
            currency,
            workflow: Arc::new(workflow.value),
            met: workflow.counted.into_iter().map(told).collect(),
        };
        self.carts.open(id, opening, key).await
    }

    /// Reads the group that a visitor belongs to, as it is now: what the door remembers of a log-in may be some seconds old, and a
    /// cart would keep it.
    async fn group_of(&self, who: &Visitor) -> Result<Option<GroupId>, CartsError> {
        let Some(login) = who.login() else { return Ok(None) };
        let user = self.store.user(&login.user).await.map_err(|error| {
            tracing::warn!(%error, "a user could not be looked up");
            CartsError::Unavailable
        })?;
        Ok(user.and_then(|user| user.group))
    }

    /// Says which group of customers a user belongs to, and tells their open carts.
    ///
    /// # Errors
    /// The problem `unknown_customer`, or that the store does not answer.
    pub async fn put_group(&self, user: &VisitorId, group: Option<&GroupId>) -> Result<(), Problem> {
        if !self.store.put_group(user, group).await? {
            return Err(Problem::unknown_customer(user));
        }
        self.principals.forget_user(user);
        for cart in self.store.open_carts_of(user).await? {
            let command = Command::SetGroup { group: group.cloned() };
            let request = Request { caller: None, expected_version: None, command };
            match self.carts.execute(cart, request, None).await? {
                // It was bought, or went into another one, a moment ago.
                Answer::Rejected(Rejection::CartClosed { .. } | Rejection::CartMerged { .. }) => {}
                answer => drop(accepted(answer)?),
            }
        }
        Ok(())
    }

    /// Finds the visitor of a token, a session's included; `None` where it is no token or the session has ended.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn visitor_of(&self, token: &str) -> store::Result<Option<Visitor>> {
        match Token::of(token) {
            Some(token) if token.is_sessions() => self.visitor_of_session(&token).await,
            token => Ok(token.and_then(Visitor::of)),
        }
    }

    /// Finds who a session's token speaks for, while the session lives.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn visitor_of_session(&self, token: &Token) -> store::Result<Option<Visitor>> {
        self.principals.find(&*self.store, token, self.session_ms()).await
    }

    /// Passes on that what a token stood for has ended, here or elsewhere.
    pub fn token_ended(&self, token_hash: &str) {
        self.principals.forget(token_hash);
        self.sessions.token_ended(token_hash);
    }

    /// Returns how long a session lives without being used, in milliseconds.
    pub fn session_ms(&self) -> i64 {
        i64::try_from(self.config.users.session_days * 86_400_000).unwrap_or(i64::MAX)
    }

    /// Takes the gift cards that a command types off the allowance of who types them, and of the household they are in.
    ///
    /// # Errors
    /// The problem `too_many_tries`.
    pub fn admit_cards(
        &self,
        command: &Command,
        visitor: &VisitorId,
        household: Option<IpAddr>,
    ) -> Result<(), Problem> {
        let is_counted = |address: &IpAddr| self.config.limits.loopback || !address.is_loopback();
        let household = household.filter(is_counted);
        let admits = || {
            let at_home = household.is_none_or(|address| self.guesses.admits(&address));
            at_home & self.guesses.admits(&visitor.as_str())
        };
        match (0..command.typed_cards()).all(|_| admits()) {
            true => Ok(()),
            false => Err(Problem::new(
                Kind::TooManyTries,
                "codes of gift cards were typed too often; wait a minute",
            )),
        }
    }

    /// Says what a cart costs now.
    pub fn quote(&self, cart: &Cart) -> Quote {
        quote(cart, &*self.catalogue.get(), &self.terms.get(), clock::now_ms())
    }

    /// Searches the catalogue for somebody of a group, or of none; the page begins `skip` hits behind the question's cursor.
    ///
    /// # Errors
    /// What the store says.
    pub async fn search(
        &self,
        ask: &Ask,
        group: Option<&GroupId>,
        skip: usize,
        limit: usize,
    ) -> store::Result<Found> {
        let matches = match ask.text.trim().is_empty() {
            true => None,
            false => Some(search::matches(&*self.store, &ask.text).await?),
        };
        let (sold_out, sales) = (self.shelves.sold_out(), self.sellers.get());
        let sight = Sight {
            sold_out: &sold_out,
            sales: &sales,
            currency: self.currency(),
            group,
            now_ms: clock::now_ms(),
        };
        Ok(search::find(&self.catalogue.get(), ask, matches.as_ref(), &sight, skip, limit))
    }

    /// Reads the stock of products in the locations that send orders.
    ///
    /// # Errors
    /// What the store says.
    pub async fn stock(&self, skus: &BTreeSet<Sku>) -> store::Result<StockLevels> {
        Ok(self.store.stock(skus).await?.within(self.terms.get().locations.ids()))
    }

    /// Returns what a cart is and costs now, as clients read it.
    pub fn cart_text(&self, cart: &Arc<Cart>) -> Bytes {
        self.cart_texts.of(cart, self.catalogue.get(), self.terms.get())
    }

    /// Returns the currency that a cart is opened in when nobody says.
    pub fn currency(&self) -> Currency {
        self.catalogue.get().currency()
    }

    /// Asks what one piece costs now, in a currency or the shop's, whoever belongs to a group or to none.
    pub fn price_question<'g>(
        &self,
        currency: Option<Currency>,
        group: Option<&'g GroupId>,
    ) -> PriceQuestion<'g> {
        let currency = currency.unwrap_or_else(|| self.currency());
        PriceQuestion { currency, group, quantity: 1, now_ms: clock::now_ms() }
    }

    /// Returns the visitor's newest cart that is not an order yet.
    ///
    /// # Errors
    /// [`CartsError`] where the store did not answer.
    pub async fn current_cart(&self, owner: &VisitorId) -> Result<Option<Arc<Cart>>, CartsError> {
        current_cart(&*self.store, &self.carts, owner).await
    }

    /// Opens a visitor's cart again where it has expired; any other stays as it is. Also says what became of its lines.
    ///
    /// # Errors
    /// Where the cart is not the visitor's, or the store does not answer.
    pub async fn reopened(
        &self,
        cart: Arc<Cart>,
        owner: &VisitorId,
    ) -> Result<(Arc<Cart>, Vec<ReopenedLine>), Problem> {
        if !cart.is_expired() {
            return Ok((cart, vec![]));
        }
        let request =
            Request { caller: Some(owner.clone()), expected_version: None, command: Command::Reopen };
        let reopened = accepted(self.carts.execute(cart.id.clone(), request, None).await?)?;
        Ok((reopened.cart, reopened.reopened))
    }

    /// Returns the cart that something is to go into: the one that is named, else the visitor's newest that is not an
    /// order, which is opened again where it has expired; where there is none, one is opened, the same for the same key.
    ///
    /// # Errors
    /// The problem of the cart that is named, or that the store does not answer.
    pub async fn cart_to_fill(
        &self,
        named: Option<CartId>,
        who: &Visitor,
        wish: CartWish,
        forced: &Forced,
        key: Option<&IdempotencyKey>,
    ) -> Result<(Arc<Cart>, Vec<ReopenedLine>), Problem> {
        let known = match named {
            Some(id) => Some(accepted(self.carts.read(id, who.id.clone()).await?)?.cart),
            None => self.current_cart(&who.id).await?,
        };
        if let Some(cart) = known {
            return self.reopened(cart, &who.id).await;
        }
        let id = key.map(|key| id_of_key(&who.id, &key.key));
        let opened = accepted(self.open_cart(id, who, wish, forced).await?)?.cart;
        Ok((opened, vec![]))
    }

    /// Logs that a visitor has met variations, each once; a failure is logged and the page goes on.
    pub async fn expose(&self, who: &Visitor, met: Vec<AssignedVariation>) {
        if !met.is_empty() {
            log_exposures(&*self.store, self.exposures(who, met)).await;
        }
    }

    fn exposures(&self, who: &Visitor, met: Vec<AssignedVariation>) -> Vec<Exposure> {
        met.into_iter().map(|met| self.exposure(who, met)).collect()
    }

    fn exposure(&self, who: &Visitor, met: AssignedVariation) -> Exposure {
        let (unit, at_ms) = (who.unit().clone(), clock::now_ms());
        let mut attributes = who.circumstances.attributes();
        attributes.extend(self.definitions.get().draw(unit.as_str(), &met, None));
        let AssignedVariation { experiment, variation } = met;
        Exposure { experiment, variation, unit, at_ms, attributes }
    }
}

async fn log_exposures(store: &dyn Store, exposures: Vec<Exposure>) {
    match store.expose(&exposures).await {
        Ok(new) => {
            new.iter().filter(|e| e.counts()).for_each(|e| metrics::exposure(&e.experiment, e.variation))
        }
        Err(error) => tracing::warn!(%error, "an exposure could not be logged"),
    }
}

async fn current_cart(
    store: &dyn Store,
    carts: &Carts,
    owner: &VisitorId,
) -> Result<Option<Arc<Cart>>, CartsError> {
    let id = store.open_cart_of(owner).await.map_err(|error| {
        tracing::warn!(%error, "the visitor's cart could not be looked up");
        CartsError::Unavailable
    })?;
    let Some(id) = id else { return Ok(None) };
    match carts.read(id, owner.clone()).await? {
        Answer::Accepted(accepted) if !accepted.cart.is_closed() => Ok(Some(accepted.cart)),
        _ => Ok(None),
    }
}

fn fresh_id() -> CartId {
    CartId::parse(&Uuid::now_v7().simple().to_string()).expect("hexadecimal digits are an id")
}

fn id_of_key(owner: &VisitorId, key: &str) -> CartId {
    let digest = Sha256::new().chain_update(b"cartwright cart 1:").chain_update(owner.as_str());
    let digest = digest.chain_update([0]).chain_update(key).finalize();
    CartId::parse(&hex::encode(&digest[..16])).expect("hexadecimal digits are an id")
}
