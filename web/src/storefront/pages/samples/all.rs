//! Every page in every state.

use super::{page::*, *};

/// Renders every page in every state, each under a file name.
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
    let guests = cart(&rows, Workflow::guest_first());
    let mut mistyped = refused();
    mistyped.errors.truncate(1);
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
                        note: Some(NoteField::new("Ring twice.")),
                    },
                )
                .unwrap(),
        ),
        ("cart-redeemed.html", redeemed_cart(&rows)),
        ("cart-repriced.html", repriced_cart(&rows)),
        ("checkout-repriced.html", repriced_checkout(&rows)),
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
                        note: None,
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
                        note: None,
                    },
                )
                .unwrap(),
        ),
        (
            "checkout-address.html",
            pages.checkout(&plain, &step(&open, Step::Address, None, &Entered::default())).unwrap(),
        ),
        (
            "checkout-contact.html",
            pages.checkout(&plain, &step(&guests, Step::Contact, None, &Entered::default())).unwrap(),
        ),
        (
            "checkout-contact-refused.html",
            pages.checkout(&plain, &step(&guests, Step::Contact, None, &mistyped)).unwrap(),
        ),
        (
            "checkout-contact-known.html",
            pages
                .checkout(&plain, &step(&guests, Step::Contact, None, &Entered::default()).for_user())
                .unwrap(),
        ),
        (
            "checkout-address-guest.html",
            pages.checkout(&plain, &step(&guests, Step::Address, None, &Entered::default())).unwrap(),
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
        ("confirmation-sent-in-part.html", {
            let order = sent_in_part(&order, &payment);
            let shelf = Shelf::new("While the kettle boils", goes().cards);
            let mut page = Confirmation::of(&done, &quote(&done), &order, find, true, shelf);
            page.parcels = parcels(&order, &two_locations());
            page.can_cancel = true;
            pages.confirmation(&plain, &page).unwrap()
        }),
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
