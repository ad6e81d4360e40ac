//! The shop: everything a door needs to serve somebody.

use std::sync::Arc;

use cart_core::{AssignedVariation, Cart, CartId, Currency, Quote, VisitorId, quote};
use metrics_exporter_prometheus::PrometheusHandle;
use uuid::Uuid;

use crate::{
    carts::{Carts, CartsError, Opening},
    catalogue::CatalogueCell,
    channel::sessions::Sessions,
    clock,
    config::Config,
    definitions::{DefinitionsCell, Forced},
    metrics,
    payment::PaymentProvider,
    shelves::Shelves,
    store::{Answer, Exposure, Store},
    terms::TermsCell,
};

/// The currency of a cart where neither the client nor the catalogue names one.
const FALLBACK_CURRENCY: &str = "GBP";

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
    /// The carts.
    pub carts: Carts,
    /// The payments.
    pub payment: Arc<dyn PaymentProvider>,
    /// The recommendations.
    pub shelves: Arc<Shelves>,
    /// The open websockets.
    pub sessions: Arc<Sessions>,
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
        owner: &VisitorId,
        currency: Option<Currency>,
        forced: &Forced,
    ) -> Result<Answer, CartsError> {
        let id = id.unwrap_or_else(|| {
            CartId::parse(&Uuid::now_v7().simple().to_string()).expect("hexadecimal digits are an id")
        });
        let workflow = self.definitions.get().workflow(owner, forced);
        let opening = Opening {
            owner: owner.clone(),
            currency: currency.unwrap_or_else(|| self.currency()),
            workflow: Arc::new(workflow.value),
            assignments: workflow.counted.into_iter().collect(),
        };
        self.carts.open(id, opening).await
    }

    /// Says what a cart costs now.
    pub fn quote(&self, cart: &Cart) -> Quote {
        quote(cart, &*self.catalogue.get(), &self.terms.get(), clock::now_ms())
    }

    /// Returns the currency that a cart is opened in when nobody says.
    pub fn currency(&self) -> Currency {
        let fallback = || Currency::parse(FALLBACK_CURRENCY).expect("the fallback is listed");
        self.catalogue.get().currency().unwrap_or_else(fallback)
    }

    /// Returns the visitor's newest cart that is not an order yet.
    ///
    /// # Errors
    /// [`CartsError`] where the store did not answer.
    pub async fn current_cart(&self, owner: &VisitorId) -> Result<Option<Arc<Cart>>, CartsError> {
        let id = self.store.open_cart_of(owner).await.map_err(|error| {
            tracing::warn!(%error, "the visitor's cart could not be looked up");
            CartsError::Unavailable
        })?;
        let Some(id) = id else { return Ok(None) };
        match self.carts.read(id, owner.clone()).await? {
            Answer::Accepted(accepted) if accepted.cart.order_id().is_none() => Ok(Some(accepted.cart)),
            _ => Ok(None),
        }
    }

    /// Logs that a visitor has met a variation, once; a failure is logged and the page goes on.
    pub async fn expose(&self, unit: &VisitorId, met: Option<AssignedVariation>) {
        let Some(AssignedVariation { experiment, variation }) = met else { return };
        let exposure = Exposure { experiment, variation, unit: unit.clone(), at_ms: clock::now_ms() };
        match self.store.expose(&[exposure]).await {
            Ok(new) => new.iter().for_each(|e| metrics::exposure(&e.experiment, e.variation)),
            Err(error) => tracing::warn!(%error, "an exposure could not be logged"),
        }
    }
}
