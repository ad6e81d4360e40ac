//! The order exactly once: the checkout is cut at every await, its store fails at every turn, and whatever the provider
//! does and the client repeats, recovery leaves one order that is paid once, or none and no money.

use std::{
    collections::BTreeSet,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use cart_core::{
    Address, Currency, LineId, MethodId, Money, Product, Properties, Sku, StepDetails, StockPolicy, Workflow,
};

use super::*;
use crate::{
    carts::Opening,
    catalogue::CatalogueCell,
    config::Config,
    payment::{Sandbox, book::Book},
    store::{
        ProductSupply,
        memory::{Fault, Faults, MemoryStore},
    },
    terms::TermsCell,
};

const PRICE_MINOR: i64 = 1_250;
/// More awaits than a checkout has; a loop that reaches it never ended.
const AWAITS_MAX: usize = 40;
const TOKENS: [&str; 7] =
    ["tok_success", "tok_decline", "tok_timeout", "tok_twice", "tok_late", "tok_late_decline", "tok_lost"];

/// Is a shop over the strict double and a sandbox that forgets.
struct Shop {
    checkout: Checkout,
    sandbox: Sandbox,
    faults: Faults,
    carts_opened: AtomicUsize,
}

impl Shop {
    async fn open() -> Self {
        let double = MemoryStore::new();
        let faults = double.faults();
        let store: Arc<dyn Store> = Arc::new(double);
        let currency = Currency::parse("GBP").unwrap();
        let product = Product {
            stock_policy: StockPolicy::HoldOnAdd,
            ..Product::new(mug(), "Mug", Money::new(PRICE_MINOR, currency))
        };
        store
            .put_products(&[ProductSupply { product, supplied: Some(100_000), safety: None }])
            .await
            .unwrap();
        let catalogue = Arc::new(CatalogueCell::default());
        catalogue.refresh(&*store).await.unwrap();
        let config = Config::default();
        let terms = Arc::new(TermsCell::new(&config.shop).unwrap_or_else(|e| panic!("{e}")));
        let carts = Carts::start(&config.carts, &store, &catalogue, &terms);
        let short = Duration::from_millis(1);
        let sandbox = Sandbox::new(Book::in_memory().unwrap(), short, short);
        let provider = Arc::new(sandbox.clone());
        let checkout = Checkout { carts, store, provider, grace_ms: 0, patience_ms: 60_000 };
        Self { checkout, sandbox, faults, carts_opened: AtomicUsize::new(0) }
    }

    async fn told(&self, cart: &CartId, command: Command) {
        let answer = self.ask(cart, command).await;
        assert!(matches!(answer, Ok(Answer::Accepted(_))), "{answer:?}");
    }

    async fn ask(&self, cart: &CartId, command: Command) -> Result<Answer, CartsError> {
        let request = Request { caller: Some(ada()), expected_version: None, command };
        self.checkout.carts.execute(cart.clone(), request, None).await
    }

    /// Opens a cart of one mug that only waits for its payment.
    async fn ready_cart(&self) -> CartId {
        let id = CartId::parse(&format!("c{}", self.carts_opened.fetch_add(1, Ordering::Relaxed))).unwrap();
        let opening = Opening {
            owner: ada(),
            unit: ada(),
            group: None,
            channel: None,
            currency: Currency::parse("GBP").unwrap(),
            workflow: Arc::new(Workflow::express()),
            met: vec![],
        };
        self.checkout.carts.open(id.clone(), opening, None).await.unwrap();
        let add = Command::AddLine { sku: mug(), quantity: 1, properties: Properties::default() };
        let address = Address::parse(cart_core::Asked::default(), |field| {
            Some(match field {
                "email" => "ada@example.org".into(),
                "country" => "GB".into(),
                "region" => String::new(),
                other => other.to_owned(),
            })
        });
        for command in [
            add,
            Command::StartCheckout,
            Command::CompleteStep(StepDetails::Address(address.unwrap())),
            Command::CompleteStep(StepDetails::Shipping { method: MethodId::parse("standard").ok() }),
            Command::CompleteStep(StepDetails::Payment),
        ] {
            self.told(&id, command).await;
        }
        id
    }

    async fn place(&self, cart: &CartId, token: &str, key: &str) -> Result<Answer, CheckoutError> {
        self.checkout
            .place_order(Placing {
                cart: cart.clone(),
                caller: ada(),
                expected_version: None,
                payment_token: token.into(),
                key: Some(IdempotencyKey { key: key.into(), fingerprint: token.into() }),
            })
            .await
    }

    /// Waits until everything that was sent to a cart is decided: a client that broke off did not take back what it had
    /// sent, and recovery knows nothing of a command that is still on its way.
    async fn heard_out(&self, cart: &CartId) {
        self.checkout.carts.read_newest(cart.clone(), None).await.unwrap();
    }

    /// Lets recovery run until nothing is due any more.
    async fn recover(&self) {
        for round in 1.. {
            // Each round is much later than the last, so that nothing is put off.
            let now_ms = clock::now_ms() + round * 1_000_000;
            if self.checkout.recover(now_ms).await.unwrap() == 0 {
                return;
            }
            assert!(round < 1_000, "recovery does not come to its end");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Audits the whole shop: every cart that is an order was told to be one, once.
    async fn close(&self) {
        assert_eq!(self.checkout.store.audit().await.unwrap(), [""; 0]);
        let events = self.checkout.store.outbox_after(0, usize::MAX).await.unwrap();
        let placed: Vec<_> = events.iter().filter(|e| e.kind == "order_placed").map(|e| &e.cart).collect();
        assert_eq!(placed.iter().collect::<BTreeSet<_>>().len(), placed.len(), "an order was told twice");
        assert_eq!(placed.len() as u64, self.checkout.store.totals().await.unwrap().orders);
    }

    /// Checks that a cart became one order that was paid once, or none and nobody paid; returns what was paid.
    async fn settled(&self, id: &CartId, story: &str) -> i64 {
        let cart = self.checkout.store.cart(id).await.unwrap().unwrap();
        assert!(!cart.is_payment_due(), "{story}: {cart:?}");
        let order = self.checkout.store.order(&order_id_of(id)).await.unwrap();
        assert_eq!(order.as_ref().map(|o| &o.order_id), cart.order_id(), "{story}");
        let mut captured = vec![];
        for number in 1..=cart.payments {
            let payment = PaymentId::of(&order_id_of(id), number);
            let Some(row) = self.sandbox.payment(&payment).await.unwrap() else { continue };
            match row.state.as_str() {
                "captured" => captured.push((payment, row.captured_minor - row.refunded_minor)),
                "declined" | "voided" => {
                    assert_eq!(row.captured_minor, row.refunded_minor, "{story}: {row:?}")
                }
                _ => panic!("{story}: {payment} is left {row:?}"),
            }
        }
        let due: Vec<_> = order.iter().map(|o| (o.payment.clone().unwrap(), o.total_minor)).collect();
        assert_eq!(captured, due, "{story}");
        due.first().map_or(0, |(_, minor)| *minor)
    }
}

fn ada() -> VisitorId {
    VisitorId::parse("ada").unwrap()
}

fn mug() -> Sku {
    Sku::parse("MUG").unwrap()
}

/// Polls a future until it has not been ready so many times, and then drops it as a connection that breaks does.
async fn cut<T>(future: impl Future<Output = T>, at: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut waited = 0;
    poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if waited == at => Poll::Ready(None),
        Poll::Pending => {
            waited += 1;
            Poll::Pending
        }
    })
    .await
}

fn is_ordered(answer: &Result<Answer, CheckoutError>) -> bool {
    matches!(answer, Ok(Answer::Accepted(accepted)) if accepted.cart.order_id().is_some())
}

/// Is what a client does after its connection broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    GoesAway,
    AsksAgain,
    ChangesTheCart,
    Cancels,
}

impl Then {
    const ALL: [Self; 4] = [Self::GoesAway, Self::AsksAgain, Self::ChangesTheCart, Self::Cancels];

    /// Returns what the client heard last.
    async fn happen(self, shop: &Shop, cart: &CartId, token: &str) -> Option<Result<Answer, CheckoutError>> {
        match self {
            Self::GoesAway => None,
            Self::AsksAgain => Some(shop.place(cart, token, "k").await),
            Self::ChangesTheCart => {
                let command = Command::SetQuantity { line: LineId::from(mug()), quantity: 3 };
                // An order that was placed before cannot be changed, and stands.
                let _ = shop.ask(cart, command).await;
                Some(shop.place(cart, "tok_success", "k2").await)
            }
            Self::Cancels => {
                let _ = shop.ask(cart, Command::CancelPayment { payment: None }).await;
                None
            }
        }
    }
}

/// Checks one story to its end.
async fn tell(
    shop: &Shop,
    cart: &CartId,
    first: Option<Result<Answer, CheckoutError>>,
    then: Then,
    token: &str,
    story: &str,
) {
    let last = then.happen(shop, cart, token).await;
    shop.heard_out(cart).await;
    let was_acknowledged = first.iter().chain(&last).any(is_ordered);
    shop.recover().await;
    let paid = shop.settled(cart, story).await;
    assert!(paid > 0 || !was_acknowledged, "{story}: an order that was acknowledged is gone");
    let kept = shop.place(cart, token, "k").await;
    if let Some(Ok(Answer::Accepted(before))) = &first {
        let Ok(Answer::Accepted(again)) = &kept else { panic!("{story}: {kept:?}") };
        assert_eq!(again.order, before.order, "{story}: the same key, the same answer");
    }
    shop.recover().await;
    shop.settled(cart, story).await;
}

#[actix_web::test]
async fn cut_at_every_await_an_order_is_placed_and_paid_once_or_not_at_all() {
    let shop = Shop::open().await;
    let (mut stories, mut orders) = (0, 0);
    for token in TOKENS {
        for then in Then::ALL {
            for at in 0.. {
                assert!(at < AWAITS_MAX, "{token} never ends");
                let cart = shop.ready_cart().await;
                let story = format!("{token}, cut at {at}, then the client {then:?}");
                let first = cut(shop.place(&cart, token, "k"), at).await;
                let was_cut = first.is_none();
                tell(&shop, &cart, first, then, token, &story).await;
                stories += 1;
                orders += usize::from(shop.settled(&cart, &story).await > 0);
                if !was_cut {
                    break;
                }
            }
        }
    }
    assert!(stories > 80 && orders > 30 && orders < stories, "{orders} orders of {stories} stories");
    shop.close().await;
}

#[actix_web::test]
async fn whatever_turn_fails_an_order_is_placed_and_paid_once_or_not_at_all() {
    let shop = Shop::open().await;
    for token in TOKENS {
        for fault in [Fault::Fail, Fault::CrashBeforeCommit, Fault::CrashAfterCommit, Fault::Conflict] {
            for turn in 0..4 {
                for then in Then::ALL {
                    let cart = shop.ready_cart().await;
                    let story = format!("{token}, turn {turn} {fault:?}, then the client {then:?}");
                    for _ in 0..turn {
                        shop.faults.stall().notify_one();
                    }
                    // Five times: a conflict is tried again.
                    shop.faults.line_up(fault.clone(), if matches!(fault, Fault::Conflict) { 5 } else { 1 });
                    let first = shop.place(&cart, token, "k").await;
                    shop.faults.clear();
                    let first = Some(first).filter(is_ordered);
                    tell(&shop, &cart, first, then, token, &story).await;
                }
            }
        }
    }
    shop.close().await;
}

#[actix_web::test]
async fn a_payment_to_be_confirmed_ends_as_the_shopper_says_wherever_it_is_cut() {
    let shop = Shop::open().await;
    let impatient = Checkout { patience_ms: 0, ..shop.checkout.clone() };
    for confirmed in [Some(true), Some(false), None] {
        for at in 0.. {
            assert!(at < AWAITS_MAX, "it never ends");
            let cart = shop.ready_cart().await;
            let story = format!("the shopper says {confirmed:?}, cut at {at}");
            let answer = cut(shop.place(&cart, "tok_challenge", "k"), at).await;
            let again = shop.place(&cart, "tok_challenge", "k").await;
            let Ok(Answer::Accepted(accepted)) = &again else { panic!("{story}: {again:?}") };
            let attempt = accepted.cart.payment().unwrap_or_else(|| panic!("{story}: {accepted:?}"));
            assert!(matches!(attempt.state, AttemptState::Challenged { .. }), "{story}: {attempt:?}");
            assert_eq!(accepted.cart.payments, 1, "{story}: the attempt is joined");
            match confirmed {
                Some(word) => drop(shop.sandbox.decide(&attempt.id, word).await.unwrap()),
                None => drop(impatient.resolve(&cart, None).await.unwrap()),
            }
            shop.recover().await;
            let paid = shop.settled(&cart, &story).await;
            assert_eq!(paid, if confirmed == Some(true) { PRICE_MINOR } else { 0 }, "{story}");
            if confirmed == Some(true) {
                assert!(is_ordered(&shop.place(&cart, "tok_challenge", "k").await), "{story}");
            }
            if answer.is_some() {
                break;
            }
        }
    }
    shop.close().await;
}

#[actix_web::test]
async fn recovery_may_itself_be_cut_anywhere() {
    let shop = Shop::open().await;
    for token in ["tok_success", "tok_timeout", "tok_late", "tok_lost"] {
        for at in 0..AWAITS_MAX {
            let cart = shop.ready_cart().await;
            let story = format!("{token}, recovery cut at {at}");
            // The client goes away while the provider is asked.
            let _ = cut(shop.place(&cart, token, "k"), 2).await;
            let done = cut(shop.checkout.recover(clock::now_ms() + 10), at).await;
            shop.recover().await;
            shop.settled(&cart, &story).await;
            if done.is_some() {
                break;
            }
        }
    }
    shop.close().await;
}

#[actix_web::test]
async fn two_devices_that_pay_at_once_pay_once() {
    let shop = Shop::open().await;
    for (one, other) in
        [("tok_success", "tok_success"), ("tok_timeout", "tok_success"), ("tok_success", "tok_lost")]
    {
        let cart = shop.ready_cart().await;
        let (first, second) = tokio::join!(shop.place(&cart, one, "k1"), shop.place(&cart, other, "k2"));
        assert!(is_ordered(&first) || is_ordered(&second), "{first:?} {second:?}");
        for answer in [&first, &second].into_iter().filter(|answer| is_ordered(answer)) {
            assert!(matches!(answer, Ok(Answer::Accepted(a)) if a.order.is_some()), "{answer:?}");
        }
        shop.recover().await;
        assert_eq!(shop.settled(&cart, &format!("{one} and {other}")).await, PRICE_MINOR);
    }
}

#[actix_web::test]
async fn an_answer_that_comes_after_the_cart_has_changed_is_voided() {
    let shop = Shop::open().await;
    let cart = shop.ready_cart().await;
    let late = shop.place(&cart, "tok_late", "k").await;
    assert!(matches!(late, Err(CheckoutError::Payment(PaymentError::TimedOut))), "{late:?}");
    let command = Command::SetQuantity { line: LineId::from(mug()), quantity: 2 };
    shop.told(&cart, command).await;
    assert!(is_ordered(&shop.place(&cart, "tok_success", "k2").await));
    // The provider settles and tells of the first payment, twice.
    tokio::time::sleep(Duration::from_millis(5)).await;
    let first = PaymentId::of(&order_id_of(&cart), 1);
    for _ in 0..2 {
        shop.checkout.resolve(&cart, Some(&first)).await.unwrap();
        shop.recover().await;
        assert_eq!(shop.settled(&cart, "a late answer").await, 2 * PRICE_MINOR);
    }
}
