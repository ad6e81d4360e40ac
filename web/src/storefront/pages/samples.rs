//! A model of every page in its states, from the demo's catalogue: what tests render and eyes check.

use std::sync::Arc;

use cart_core::{
    Address, AttemptState, Balances, Cart, CartId, CartLayout, Currency, FieldError, GiftCard, GiftCardId,
    Lapse, Line, Locations, Money, OnOffer, Order, OrderId, OrderState, PaymentAttempt, PaymentId, Posting,
    PricePolicy, Product, PromotionId, Properties, Quote, SavedLine, Shipping, Sku, Stage, Step, Terms,
    VisitorId, Workflow, gift_card,
};

use super::*;
use crate::{
    catalogue::Catalogue,
    config::SessionMode,
    history::Remembered,
    search::{Ask, Matches, Sight, find, terms, words::words},
    store::{Because, CartShare, CatalogueSnapshot, PostingWrite, StockRequest, UserSession},
    trails::{self, Act},
    users::principals::Login,
};

pub const NOW_MS: i64 = 1_764_000_000_000;
const SHIPPING_MINOR: i64 = 495;

pub struct Row {
    pub product: Product,
    pub stock: i64,
}

/// Reads the demo's catalogue.
pub fn catalogue() -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(&include_bytes!("../../../demo/catalogue.csv")[..]);
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let number = |at: usize| record[at].parse::<i64>().unwrap();
            let price = Money::new(number(4), Currency::parse(&record[5]).unwrap());
            let product = Product {
                description: record[2].into(),
                category: record[3].into(),
                image: (!record[7].is_empty()).then(|| record[7].into()),
                ..Product::new(Sku::parse(&record[0]).unwrap(), &record[1], price)
            };
            Row { product, stock: number(6) }
        })
        .collect()
}

fn gbp() -> Currency {
    Currency::parse("GBP").unwrap()
}

pub fn shell(rows: &[Row]) -> Shell {
    let mut names: Vec<String> = vec![];
    for row in rows {
        if !names.contains(&row.product.category) {
            names.push(row.product.category.clone());
        }
    }
    Shell::new("Cartwright & Daughters", gbp()).with_categories(names)
}

fn express_shell(rows: &[Row]) -> Shell {
    let mut shell = with_cart(rows);
    shell.cart_layout = CartLayout::Drawer;
    shell
}

fn with_cart(rows: &[Row]) -> Shell {
    let mut shell = shell(rows);
    shell.cart_id = CartId::parse("c1").ok();
    shell.cart_version = Some(3);
    let visitor = VisitorId::parse("v1").ok();
    shell.keeps = Some(Keeps { mode: SessionMode::Hybrid, visitor, key_hours: 24 });
    shell.cart_count = 4;
    shell
}

pub fn cards(rows: &[Row], skus: &[&str]) -> Vec<Card> {
    let row = |sku: &&str| rows.iter().find(|r| r.product.sku.as_str() == *sku).unwrap();
    skus.iter().map(row).map(|r| Card::of(&r.product, on_offer(r.stock), NOW_MS)).collect()
}

pub fn on_offer(pieces: i64) -> Option<OnOffer> {
    Some(OnOffer { there: pieces, all: pieces })
}

pub fn cart(rows: &[Row], workflow: Workflow) -> Cart {
    let line = |sku: &str, quantity, held| {
        let product = &rows.iter().find(|r| r.product.sku.as_str() == sku).unwrap().product;
        let (sku, name) = (product.sku.clone(), product.name.clone());
        Line { held, ..Line::new(sku, name, quantity, product.price.minor, product.stock_policy) }
    };
    let gift = |id: &str| PromotionId::parse(id).unwrap();
    let engraving = Properties::parse([("Engraving".to_owned(), "Ada & Charles".to_owned())].into()).unwrap();
    let Line { sku, name, properties, .. } = line("JAM-RASPBERRY", 3, 0);
    let saved = SavedLine { sku, properties, name, quantity: 3 };
    Cart {
        id: CartId::parse("c1").unwrap(),
        owner: VisitorId::parse("v1").unwrap(),
        unit: None,
        version: 7,
        currency: gbp(),
        workflow: Arc::new(workflow),
        assignments: vec![],
        stage: Stage::Open,
        lines: vec![
            line("TEAPOT-BROWN", 1, 1),
            Line { properties: engraving, ..line("MUG-COBALT", 2, 2) },
            Line { released: 1, ..line("BISCUITS-OAT", 1, 0) },
            Line { gift_of: Some(gift("matches")), unit_price_minor: 0, ..line("MATCHES-LONG", 2, 2) },
        ],
        saved: vec![saved],
        gifts_declined: vec![gift("honey")],
        gifts_out_of_stock: vec![],
        gift_cards: vec![],
        uses_credit: false,
        known: Balances::default(),
        codes: vec!["SUMMER".parse().unwrap()],
        note: String::new(),
        address: None,
        shipping: None,
        payments: 0,
        payment_tasks: vec![],
        payment_failure: None,
        lapse: None,
        holds_expire_at_ms: Some(NOW_MS + 1_100_000),
    }
}

fn address() -> Address {
    Address {
        email: "ada@example.org".into(),
        name: "Ada Byron".into(),
        street: "12 St James’s Square".into(),
        city: "London".into(),
        postcode: "SW1Y 4JH".into(),
        country: "GB".into(),
        region: String::new(),
    }
}

/// Says what a sample costs: at the prices in it, with express shipping at a charge.
pub fn quote(cart: &Cart) -> Quote {
    let shipping = Shipping::standard_and_express(SHIPPING_MINOR).unwrap();
    let promotions = r#"[
        {"id": "summer", "name": "Summer sale", "codes": ["SUMMER"],
         "benefit": {"kind": "percentage", "on": {"categories": ["Larder"]}, "off_bp": 1000}},
        {"id": "post", "name": "Free delivery", "conditions": {"needs": [{"min_minor": {"GBP": 7500}}]},
         "benefit": {"kind": "free_shipping"}},
        {"id": "matches", "name": "Matches for the stove", "benefit": {"kind": "gift", "sku": "MATCHES-LONG", "pieces": 2}},
        {"id": "honey", "name": "A jar of honey", "benefit": {"kind": "gift", "sku": "HONEY-HEATHER"}}
    ]"#;
    let promotions = serde_json::from_str(promotions).unwrap();
    let terms = Terms { promotions, ..Terms::plain(PricePolicy::Hold, shipping) };
    let rows = catalogue();
    let gifts =
        rows.iter().filter(|row| ["MATCHES-LONG", "HONEY-HEATHER"].contains(&row.product.sku.as_str()));
    let gifts: std::collections::BTreeMap<Sku, &Product> =
        gifts.map(|row| (row.product.sku.clone(), &row.product)).collect();
    cart_core::quote(cart, &gifts, &terms, NOW_MS)
}

pub fn view(cart: &Cart, rows: &[Row]) -> CartView {
    CartView::of(cart, &quote(cart), NOW_MS, |sku| rows.iter().map(|r| &r.product).find(|p| p.sku == *sku))
}

fn home(rows: &[Row]) -> Home {
    let featured = [
        "KETTLE-18",
        "TEAPOT-BROWN",
        "JAM-RASPBERRY",
        "PLANE-BLOCK",
        "BASKET-WILLOW",
        "SAUCEPAN-16",
        "CAN-8",
        "BLANKET-WOOL",
    ];
    let doors: Vec<_> = ["BOWL-BANDED", "JUG-MILK", "HAMMER-16", "POT-TERRA", "HONEY-HEATHER", "BROOM"]
        .iter()
        .map(|sku| &rows.iter().find(|r| r.product.sku.as_str() == *sku).unwrap().product)
        .map(|p| (p.category.clone(), p))
        .collect();
    let hero = Hero {
        heading: "Things that outlast the day".into(),
        text: "Pots, tools and provisions, chosen by people who use them before breakfast.".into(),
    };
    let popular = ["MUG-COBALT", "TEA-BREAKFAST", "TWINE-GREEN", "MATCHES-LONG", "LANTERN", "SECATEURS"];
    let shelf = Shelf::new("Popular this week", cards(rows, &popular));
    let mut home = Home::new(hero, cards(rows, &featured), shelf, &doors);
    home.next = Some(Shelf::new("Where you left off", cards(rows, &["SPOONS-BEECH", "JUG-MILK"])));
    home.seen = cards(rows, &["MUG-COBALT", "LANTERN"]);
    home
}

fn listing(rows: &[Row], query: &str, category: Option<&str>, page: usize) -> Listing {
    let products: Vec<_> = rows.iter().map(|r| r.product.clone()).collect();
    let listed = products.iter().map(|_| 1).collect();
    let catalogue = Catalogue::of(CatalogueSnapshot { revision: 1, products, listed });
    let mut ask = Ask::text(query);
    ask.take("category", category.unwrap_or_default()).unwrap();
    let words = words(query);
    let hits = rows.iter().filter(|r| words.iter().all(|w| r.product.name.to_lowercase().contains(w)));
    let matches = (!words.is_empty()).then(|| Matches {
        terms: terms::Terms::parse(query),
        skus: hits.map(|r| r.product.sku.clone()).collect(),
        meant: None,
    });
    let (sold_out, sales) = Default::default();
    let sight = Sight { sold_out: &sold_out, sales: &sales, currency: gbp(), now_ms: NOW_MS };
    let skip = (page - 1) * Listing::PAGE_LEN;
    let found = find(&catalogue, &ask, matches.as_ref(), &sight, skip, Listing::PAGE_LEN);
    let shown: Vec<_> = found.hits.iter().map(|hit| hit.product.sku.as_str()).collect();
    let cards = cards(rows, &shown);
    Listing::new(&ask, &found, cards, page, gbp())
}

fn product(rows: &[Row], sku: &str) -> ProductPage {
    let row = rows.iter().find(|r| r.product.sku.as_str() == sku).unwrap();
    let together =
        cards(rows, &["TEAPOT-BROWN", "TEA-BREAKFAST", "BISCUITS-OAT", "JUG-MILK", "SPOONS-BEECH"]);
    let card = Card::of(&row.product, on_offer(row.stock), NOW_MS);
    let mut page = ProductPage::new(&row.product, card, Shelf::new("Bought together", together));
    page.viewed = Some(Shelf::new("People also viewed", cards(rows, &["MUG-COBALT", "JUG-MILK"])));
    page.seen = cards(rows, &["LANTERN", "TWINE-GREEN"]);
    page
}

fn refused() -> Entered {
    let error = |field: &str, message: &str| FieldError { field: field.into(), message: message.into() };
    Entered {
        fields: vec![
            ("email".into(), "ada.example.org".into()),
            ("name".into(), "Ada \"<b>\" Byron".into()),
            ("country".into(), "GB".into()),
            ("method".into(), "express".into()),
        ],
        errors: vec![error("email", "must look like name@example.org"), error("city", "is needed")],
        ..Entered::default()
    }
}

fn refused_sign_up() -> Entrance {
    let error = |field: &str, message: &str| FieldError { field: field.into(), message: message.into() };
    let mut page = Entrance::new(Purpose::SignUp, 15, "/account").filled("ada@example", "Ada");
    page.refuse_fields(&[
        error("email", "has no dotted name after the @"),
        error("password", "needs at least 15 characters; a few words with spaces do"),
    ]);
    page
}

fn account(orders: Vec<OrderRow>) -> AccountPage {
    let user = VisitorId::parse("u1").unwrap();
    let login = Login {
        user: user.clone(),
        unit: user.clone(),
        email: "ada@example.org".into(),
        name: "Ada Byron".into(),
        session: "s1".into(),
        token_hash: String::new(),
    };
    let device = |id: &str, device: &str| UserSession {
        token_hash: String::new(),
        id: id.into(),
        user: user.clone(),
        device: device.into(),
        since_ms: NOW_MS,
        seen_at_ms: NOW_MS,
        ends_at_ms: NOW_MS,
    };
    let sessions = [device("s1", "Firefox on Linux"), device("s2", "Safari on iPhone")];
    let mut page = AccountPage::new(&login, &sessions, orders, 15);
    let entry = |cause: &str, delta| PostingWrite {
        posting: Posting { account: gift_card::credit(gbp(), &user), delta },
        cause: cause.into(),
        at_ms: NOW_MS,
    };
    let entries =
        [entry("refund:o5f2c9e:1", 250), entry("order:o5f2c9e", -700), entry("credit:sorry", 1_700)];
    page.credit = CreditView::of(1_250, gbp(), &entries);
    page
}

/// A link to the cart of these samples, for a week.
pub fn share(is_editable: bool) -> CartShare {
    CartShare {
        token_hash: String::new(),
        id: "s1".into(),
        cart: CartId::parse("c1").unwrap(),
        is_editable,
        name: "The harvest supper".into(),
        created_at_ms: NOW_MS,
        ends_at_ms: Some(NOW_MS + 7 * 86_400_000),
    }
}

pub fn shared(cart: &Cart, rows: &[Row], is_editable: bool, is_own: bool) -> SharedPage {
    let action = "/cart/shared/0f3a".to_owned();
    let quote = quote(cart);
    SharedPage::new((&share(is_editable), action), (cart, &quote), view(cart, rows), is_own, NOW_MS)
}

/// Puts a gift card into a cart that pays for all of it, and the customer's credit.
fn with_card(mut cart: Cart) -> Cart {
    let card = GiftCard { id: GiftCardId::parse("0a1b").unwrap(), last4: "6789".into() };
    cart.known = [(card.account(gbp()), 7_000)].into_iter().collect();
    cart.gift_cards = vec![card];
    cart.uses_credit = true;
    cart
}

/// A cart with a code, a gift card and credit, whose shopper has mistyped another.
fn redeemed_cart(rows: &[Row]) -> String {
    let mut shell = with_cart(rows);
    shell.credit = Some(Money::new(1_250, gbp()).into());
    let redeem = Redeem { typed: "SUMER\"<b>".into(), error: Some("SUMER is no code of this shop.".into()) };
    let cart = with_card(cart(rows, Workflow::classic()));
    let page =
        CartPage { cart: Some(view(&cart, rows)), shelf: Shelf::new("", vec![]), shares: vec![], redeem };
    Pages::new().unwrap().cart(&shell, &page).unwrap()
}

/// Renders every page in every state, each under a file name.
fn tell(error: Option<String>) -> Option<Tell> {
    Some(Tell { email: "ada@example".into(), error, keep_days: 90 })
}

fn history(rows: &[Row], declined: Option<Because>, skus: &[(&str, Act)]) -> HistoryPage {
    let steps = skus.iter().zip(0_i64..).map(|((sku, act), n)| trails::Step {
        sku: Sku::parse(sku).unwrap(),
        at_ms: NOW_MS + n * 9 * 3_600_000,
        act: *act,
    });
    let remembered =
        Remembered { declined, is_asked: declined == Some(Because::Signal), steps: steps.collect() };
    HistoryPage::new(&remembered, |sku| {
        Some(rows.iter().find(|row| row.product.sku == *sku)?.product.clone().into())
    })
}

fn waited_for(rows: &[Row], skus: &[&str], done: Option<&'static str>) -> StockRequestsPage {
    let email = "ada@example.org".to_owned();
    let request = |sku: &&str| {
        StockRequest::new(email.clone(), Sku::parse(sku).unwrap(), gbp(), NOW_MS, NOW_MS + 7_776_000_000)
    };
    let requests: Vec<_> = skus.iter().map(request).collect();
    let name = |sku: &Sku| Some(rows.iter().find(|row| row.product.sku == *sku)?.product.name.clone());
    StockRequestsPage::new(email, "/back-in-stock/k.0f3a".into(), done, &requests, name)
}

pub fn all() -> Vec<(&'static str, String)> {
    let pages = Pages::new().unwrap();
    let rows = catalogue();
    let plain = shell(&rows);
    let mut searching = plain.clone();
    searching.query = "enamel".into();
    let mut noticed = with_cart(&rows);
    noticed.notice = Some(Notice::Refused("There are only 3 left of Cook’s knife, 20 cm.".into()));
    let express = express_shell(&rows);
    let open = cart(&rows, Workflow::classic());
    let express_cart = cart(&rows, Workflow::express());
    let mut paying = open.clone();
    paying.stage =
        Stage::Checkout { completed: vec![Step::Address, Step::Shipping, Step::Payment], payment: None };
    paying.address = Some(address());
    paying.shipping = Some("express".parse().unwrap());
    let payment = PaymentId::parse("o5f2c9e-1").unwrap();
    let mut waiting = paying.clone();
    waiting.stage = Stage::Checkout {
        completed: vec![Step::Address, Step::Shipping, Step::Payment],
        payment: Some(PaymentAttempt {
            id: payment.clone(),
            amount_minor: 4_545,
            begun_at_ms: NOW_MS,
            request: None,
            state: AttemptState::Challenged { url: "/sandbox/payments/o5f2c9e-1".into() },
        }),
    };
    let mut done = paying.clone();
    done.stage = Stage::Ordered {
        order_id: OrderId::parse("o5f2c9e").unwrap(),
        quote: Some(Box::new(quote(&paying))),
        payment: Some(payment.clone()),
        state: OrderState::default(),
    };
    let order = Order {
        order_id: OrderId::parse("o5f2c9e").unwrap(),
        cart: done.id.clone(),
        owner: done.owner.clone(),
        placed_at_ms: NOW_MS,
        currency: gbp(),
        lines: vec![],
        note: String::new(),
        shipping: done.shipping.clone(),
        quote: None,
        shipping_minor: SHIPPING_MINOR,
        total_minor: quote(&done).totals.total_minor,
        payment_reference: "p1".into(),
        postings: vec![],
        payment: None,
        email: "ada@example.org".into(),
        state: OrderState::default(),
    };
    let goes = || {
        Shelf::new(
            "",
            cards(&rows, &["TEA-BREAKFAST", "JUG-MILK", "EGG-CUPS-2", "HONEY-HEATHER", "SPOONS-BEECH"]),
        )
    };
    let step = |cart: &Cart, step, token: Option<&str>, entered: &Entered| {
        CheckoutPage::step(cart, &quote(cart), view(cart, &rows), step, token.map(Into::into), entered)
    };
    let declined = Entered {
        problem: Some("The card was declined. Nothing was charged; try another.".into()),
        ..Entered::default()
    };
    let mut expired = open.clone();
    expired.lapse = Some(Lapse::Expired);
    let mut linked = with_cart(&rows);
    linked.notice = Some(Notice::Link {
        says: "Whoever has this link sees your cart. It is shown this once.".into(),
        url: "https://shop.example/cart/shared/0f3a".into(),
    });
    let find = |sku: &Sku| rows.iter().map(|r| &r.product).find(|p| p.sku == *sku);
    vec![
        ("offline.html", pages.offline(&with_cart(&rows)).unwrap()),
        ("home.html", pages.home(&plain, &home(&rows)).unwrap()),
        ("home-express.html", pages.home(&express, &home(&rows)).unwrap()),
        ("listing.html", pages.listing(&plain, &listing(&rows, "", None, 2)).unwrap()),
        ("category.html", pages.listing(&plain, &listing(&rows, "", Some("Workshop"), 1)).unwrap()),
        ("search.html", pages.listing(&searching, &listing(&rows, "enamel", None, 1)).unwrap()),
        ("nothing.html", pages.listing(&searching, &listing(&rows, "zeppelin", Some("Garden"), 1)).unwrap()),
        ("product.html", pages.product(&plain, &product(&rows, "MUG-COBALT")).unwrap()),
        ("product-few.html", pages.product(&noticed, &product(&rows, "KNIFE-20")).unwrap()),
        ("product-out.html", pages.product(&plain, &product(&rows, "LANTERN")).unwrap()),
        (
            "product-tell.html",
            pages.product(&plain, &product(&rows, "LANTERN").with_tell(tell(None))).unwrap(),
        ),
        ("product-tell-wrong.html", {
            let wrong = tell(Some("An e-mail address needs one @, with a domain after it.".into()));
            pages.product(&plain, &product(&rows, "LANTERN").with_tell(wrong)).unwrap()
        }),
        (
            "history.html",
            pages
                .history(
                    &plain,
                    &history(
                        &rows,
                        None,
                        &[
                            ("LANTERN", Act::Viewed),
                            ("GONE", Act::Viewed),
                            ("MUG-COBALT", Act::Viewed),
                            ("MUG-COBALT", Act::Added),
                        ],
                    ),
                )
                .unwrap(),
        ),
        ("history-empty.html", pages.history(&plain, &history(&rows, None, &[])).unwrap()),
        ("history-off.html", pages.history(&plain, &history(&rows, Some(Because::Choice), &[])).unwrap()),
        ("history-signal.html", pages.history(&plain, &history(&rows, Some(Because::Signal), &[])).unwrap()),
        (
            "waiting.html",
            pages.stock_requests(&plain, &waited_for(&rows, &["LANTERN", "WITHDRAWN"], None)).unwrap(),
        ),
        (
            "waiting-ended.html",
            pages
                .stock_requests(&plain, &waited_for(&rows, &[], Some("You wait for nothing any more.")))
                .unwrap(),
        ),
        ("waiting-broken.html", pages.fault(&plain, &FaultPage::broken_letter_link()).unwrap()),
        (
            "cart.html",
            pages
                .cart(
                    &noticed,
                    &CartPage {
                        cart: Some(view(&open, &rows)),
                        shelf: Shelf { heading: noticed.shelf_heading.clone(), ..goes() },
                        shares: vec![],
                        redeem: Redeem::default(),
                    },
                )
                .unwrap(),
        ),
        ("cart-redeemed.html", redeemed_cart(&rows)),
        ("checkout-nothing-due.html", {
            let paid = with_card(paying.clone());
            pages.checkout(&plain, &step(&paid, Step::Payment, None, &Entered::default())).unwrap()
        }),
        (
            "cart-shared.html",
            pages
                .cart(
                    &linked,
                    &CartPage {
                        cart: Some(view(&open, &rows)),
                        shelf: Shelf::new("", vec![]),
                        shares: vec![
                            ShareRow::of(&share(true), NOW_MS),
                            ShareRow::of(
                                &CartShare { name: String::new(), ends_at_ms: None, ..share(false) },
                                NOW_MS,
                            ),
                        ],
                        redeem: Redeem::default(),
                    },
                )
                .unwrap(),
        ),
        (
            "shared.html",
            pages
                .shared(
                    &with_cart(&rows),
                    &shared(&open, &rows, true, false)
                        .with_found("tea", cards(&rows, &["TEA-BREAKFAST", "TEAPOT-BROWN", "LANTERN"])),
                )
                .unwrap(),
        ),
        ("shared-read.html", pages.shared(&plain, &shared(&open, &rows, false, false)).unwrap()),
        ("shared-own.html", pages.shared(&with_cart(&rows), &shared(&open, &rows, false, true)).unwrap()),
        ("shared-expired.html", pages.shared(&plain, &shared(&expired, &rows, true, false)).unwrap()),
        ("shared-ordered.html", pages.shared(&plain, &shared(&done, &rows, true, false)).unwrap()),
        ("shared-over.html", pages.fault(&plain, &FaultPage::ended_link()).unwrap()),
        (
            "cart-empty.html",
            pages
                .cart(
                    &plain,
                    &CartPage {
                        cart: None,
                        shelf: Shelf::new("Popular this week", goes().cards),
                        shares: vec![],
                        redeem: Redeem::default(),
                    },
                )
                .unwrap(),
        ),
        (
            "checkout-address.html",
            pages.checkout(&plain, &step(&open, Step::Address, None, &Entered::default())).unwrap(),
        ),
        (
            "checkout-refused.html",
            pages.checkout(&plain, &step(&open, Step::Address, None, &refused())).unwrap(),
        ),
        (
            "checkout-shipping.html",
            pages.checkout(&plain, &step(&paying, Step::Shipping, None, &Entered::default())).unwrap(),
        ),
        (
            "checkout-payment.html",
            pages.checkout(&plain, &step(&paying, Step::Payment, None, &declined)).unwrap(),
        ),
        (
            "checkout-review.html",
            pages
                .checkout(&plain, &step(&paying, Step::Review, Some("tok_success"), &Entered::default()))
                .unwrap(),
        ),
        (
            "checkout-review-declined.html",
            pages.checkout(&plain, &step(&paying, Step::Review, Some("tok_decline"), &declined)).unwrap(),
        ),
        (
            "checkout-review-card.html",
            pages.checkout(&plain, &step(&paying, Step::Review, None, &Entered::default())).unwrap(),
        ),
        (
            "express.html",
            pages
                .checkout(
                    &express,
                    &CheckoutPage::single(
                        &express_cart,
                        &quote(&express_cart),
                        view(&express_cart, &rows),
                        &Entered::default(),
                    ),
                )
                .unwrap(),
        ),
        (
            "express-refused.html",
            pages
                .checkout(
                    &express,
                    &CheckoutPage::single(
                        &express_cart,
                        &quote(&express_cart),
                        view(&express_cart, &rows),
                        &refused(),
                    ),
                )
                .unwrap(),
        ),
        (
            "checkout-waiting.html",
            pages
                .checkout(&plain, &step(&waiting, Step::Review, Some("tok_challenge"), &Entered::default()))
                .unwrap(),
        ),
        (
            "challenge.html",
            pages.challenge(&plain, &ChallengePage::of(&payment, 4_545, gbp(), true)).unwrap(),
        ),
        (
            "challenge-decided.html",
            pages.challenge(&plain, &ChallengePage::of(&payment, 4_545, gbp(), false)).unwrap(),
        ),
        (
            "confirmation.html",
            pages
                .confirmation(
                    &plain,
                    &Confirmation::of(
                        &done,
                        &quote(&done),
                        &order,
                        find,
                        true,
                        Shelf::new("While the kettle boils", goes().cards),
                    ),
                )
                .unwrap(),
        ),
        (
            "orders.html",
            pages
                .orders(
                    &plain,
                    &OrdersPage {
                        orders: vec![OrderRow::from(&order)],
                        next: Some("/orders?cursor=x".into()),
                    },
                )
                .unwrap(),
        ),
        ("orders-none.html", pages.orders(&plain, &OrdersPage { orders: vec![], next: None }).unwrap()),
        ("login.html", pages.entrance(&plain, &Entrance::new(Purpose::LogIn, 15, "/checkout")).unwrap()),
        ("register-refused.html", pages.entrance(&plain, &refused_sign_up()).unwrap()),
        ("account.html", pages.account(&noticed, &account(vec![OrderRow::from(&order)])).unwrap()),
        ("account-new.html", pages.account(&plain, &account(vec![])).unwrap()),
        ("lookup.html", pages.look_up(&plain, &LookUpPage::default()).unwrap()),
        (
            "lookup-found.html",
            pages
                .look_up(
                    &plain,
                    &LookUpPage {
                        found: Some(FoundOrder::of(&order, &Locations::default())),
                        ..LookUpPage::default()
                    },
                )
                .unwrap(),
        ),
        (
            "lookup-nothing.html",
            pages
                .look_up(
                    &plain,
                    &LookUpPage {
                        order: "o1".into(),
                        email: "ada@example.org".into(),
                        problem: Some("No order of this number was confirmed to this address.".into()),
                        found: None,
                    },
                )
                .unwrap(),
        ),
        ("404.html", pages.fault(&plain, &FaultPage::of(404)).unwrap()),
        ("409.html", pages.fault(&plain, &FaultPage::of(409)).unwrap()),
        ("503.html", pages.fault(&plain, &FaultPage::of(503)).unwrap()),
    ]
}
