//! The models of single pages.

use super::*;

pub(super) fn home(rows: &[Row]) -> Home {
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

pub(super) fn listing(rows: &[Row], query: &str, category: Option<&str>, page: usize) -> Listing {
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
    let sight = Sight { sold_out: &sold_out, sales: &sales, currency: gbp(), group: None, now_ms: NOW_MS };
    let skip = (page - 1) * Listing::PAGE_LEN;
    let found = find(&catalogue, &ask, matches.as_ref(), &sight, skip, Listing::PAGE_LEN);
    let shown: Vec<_> = found.hits.iter().map(|hit| hit.product.sku.as_str()).collect();
    let cards = cards(rows, &shown);
    Listing::new(&ask, &found, cards, page, gbp())
}

pub(super) fn product(rows: &[Row], sku: &str) -> ProductPage {
    let row = rows.iter().find(|r| r.product.sku.as_str() == sku).unwrap();
    let together =
        cards(rows, &["TEAPOT-BROWN", "TEA-BREAKFAST", "BISCUITS-OAT", "JUG-MILK", "SPOONS-BEECH"]);
    let card = Card::of(&row.product, on_offer(row.stock), NOW_MS);
    let mut page = ProductPage::new(&row.product, card, Shelf::new("Bought together", together));
    page.viewed = Some(Shelf::new("People also viewed", cards(rows, &["MUG-COBALT", "JUG-MILK"])));
    page.seen = cards(rows, &["LANTERN", "TWINE-GREEN"]);
    page
}

pub(super) fn refused() -> Entered {
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

pub(super) fn refused_sign_up() -> Entrance {
    let error = |field: &str, message: &str| FieldError { field: field.into(), message: message.into() };
    let mut page = Entrance::new(Purpose::SignUp, 15, "/account").filled("ada@example", "Ada");
    page.refuse_fields(&[
        error("email", "has no dotted name after the @"),
        error("password", "needs at least 15 characters; a few words with spaces do"),
    ]);
    page
}

pub(super) fn account(orders: Vec<OrderRow>) -> AccountPage {
    let user = VisitorId::parse("u1").unwrap();
    let login = Login {
        user: user.clone(),
        unit: user.clone(),
        email: "ada@example.org".into(),
        name: "Ada Byron".into(),
        group: None,
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
pub(super) fn with_card(mut cart: Cart) -> Cart {
    let card = GiftCard { id: GiftCardId::parse("0a1b").unwrap(), last4: "6789".into() };
    cart.known = [(card.account(gbp()), 7_000)].into_iter().collect();
    cart.gift_cards = vec![card];
    cart.uses_credit = true;
    cart
}

/// A cart with a code, a gift card and credit, whose shopper has mistyped another.
pub(super) fn redeemed_cart(rows: &[Row]) -> String {
    let mut shell = with_cart(rows);
    shell.credit = Some(Money::new(1_250, gbp()).into());
    let redeem = Redeem { typed: "SUMER\"<b>".into(), error: Some("SUMER is no code of this shop.".into()) };
    let cart = with_card(cart(rows, Workflow::classic()));
    let note = Some(NoteField::new("<b>Ring</b>").refused(Some("The note is too long.".into())));
    let page = CartPage {
        cart: Some(view(&cart, rows)),
        shelf: Shelf::new("", vec![]),
        shares: vec![],
        redeem,
        note,
    };
    Pages::new().unwrap().cart(&shell, &page).unwrap()
}

/// Says what a sample costs whose teapot was dearer when its shopper looked.
fn repriced(cart: &Cart) -> Quote {
    let mut quote = quote(cart);
    quote.lines[0].was_minor = Some(3_100);
    quote
}

fn repriced_view(cart: &Cart, rows: &[Row]) -> CartView {
    CartView::of(cart, &repriced(cart), NOW_MS, |sku| rows.iter().map(|r| &r.product).find(|p| p.sku == *sku))
}

fn asking_shell(rows: &[Row]) -> Shell {
    let mut shell = with_cart(rows);
    shell.asks_prices = true;
    shell
}

/// A cart in a shop that wants changed prices accepted.
pub(super) fn repriced_cart(rows: &[Row]) -> String {
    let cart = cart(rows, Workflow::classic());
    let page = CartPage {
        cart: Some(repriced_view(&cart, rows)),
        shelf: Shelf::new("", vec![]),
        shares: vec![],
        redeem: Redeem::default(),
        note: None,
    };
    Pages::new().unwrap().cart(&asking_shell(rows), &page).unwrap()
}

/// The checkout of the same cart, on one page, whose order was refused.
pub(super) fn repriced_checkout(rows: &[Row]) -> String {
    let cart = cart(rows, Workflow::express());
    let entered = Entered {
        fields: vec![("note".into(), "Ring twice.".into())],
        problem: Some("The price of TEAPOT-BROWN has changed.".into()),
        ..Entered::default()
    };
    let page = CheckoutPage::single(&cart, &repriced(&cart), repriced_view(&cart, rows), &entered);
    Pages::new().unwrap().checkout(&asking_shell(rows), &page).unwrap()
}

pub(super) fn tell(error: Option<String>) -> Option<Tell> {
    Some(Tell { email: "ada@example".into(), error, keep_days: 90 })
}

pub(super) fn history(rows: &[Row], declined: Option<Because>, skus: &[(&str, Act)]) -> HistoryPage {
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

pub(super) fn waited_for(rows: &[Row], skus: &[&str], done: Option<&'static str>) -> StockRequestsPage {
    let email = "ada@example.org".to_owned();
    let request = |sku: &&str| {
        StockRequest::new(email.clone(), Sku::parse(sku).unwrap(), gbp(), NOW_MS, NOW_MS + 7_776_000_000)
    };
    let requests: Vec<_> = skus.iter().map(request).collect();
    let name = |sku: &Sku| Some(rows.iter().find(|row| row.product.sku == *sku)?.product.name.clone());
    StockRequestsPage::new(email, "/back-in-stock/k.0f3a".into(), done, &requests, name)
}

/// An order of mugs and a teapot, of which one location has sent its part.
pub(super) fn sent_in_part(order: &Order, payment: &PaymentId) -> Order {
    let line = |sku: &str, name: &str, pieces: u32| OrderLine {
        from_held: pieces,
        ..OrderLine::new(Sku::parse(sku).unwrap(), name, pieces, 1_250)
    };
    let contents = vec![cart_core::Packed {
        line: Sku::parse("MUG-COBALT").unwrap().into(),
        sku: Sku::parse("MUG-COBALT").unwrap(),
        pieces: 2,
    }];
    let parcel = cart_core::Parcel {
        number: 1,
        sent_at_ms: NOW_MS,
        location: LocationId::default(),
        contents,
        tracking: Tracking::parse("Royal Mail", "AB123456785GB", "https://post.example/AB123456785GB")
            .unwrap(),
    };
    Order {
        lines: vec![line("MUG-COBALT", "Enamel mug, cobalt", 3), line("TEAPOT-BROWN", "Brown teapot", 1)],
        payment: Some(payment.clone()),
        state: OrderState { parcels: vec![parcel], ..OrderState::default() },
        ..order.clone()
    }
}

pub(super) fn two_locations() -> Locations {
    let locations =
        r#"{"locations": [{"id": "main", "name": "Leeds"}, {"id": "north", "name": "Aberdeen"}]}"#;
    serde_json::from_str(locations).unwrap()
}
