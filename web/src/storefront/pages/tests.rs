//! What a shopper would notice if a page broke.

use cart_core::{CartId, Currency, Money, Product, Sku, Step, StockPolicy, Workflow};

use crate::{
    search::{Ask, Facet, FacetKind, FacetValue, Found},
    store::CartShare,
};

use super::{samples::*, *};

fn page(name: &str) -> String {
    all().into_iter().find(|(n, _)| *n == name).unwrap().1
}

#[test]
fn every_page_is_whole_in_every_state() {
    for (name, html) in all() {
        assert!(html.trim_end().ends_with("</html>"), "{name}");
        assert_eq!(html.matches("<h1").count(), 1, "{name} has one first heading");
        assert_eq!(html.matches("<main").count(), 1, "{name}");
        assert!(html.contains("href=\"#main\""), "{name} has a skip link");
        assert!(!html.contains("Tera") && !html.contains("{{") && !html.contains("{%"), "{name}");
        // A strict content security policy allows neither.
        assert!(!html.contains("style=\""), "{name} has no inline style");
        for script in html.split("<script").skip(1) {
            assert!(script.starts_with(" src=\"/static/"), "{name} has no inline script");
        }
    }
}

#[test]
fn ids_are_unique_and_labels_find_their_fields() {
    for (name, html) in all() {
        let ids: Vec<&str> = attributes(&html, " id=\"");
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(ids.len(), unique.len(), "{name}: {ids:?}");
        for attribute in [" for=\"", " aria-labelledby=\"", " aria-describedby=\"", " href=\"#"] {
            for target in attributes(&html, attribute) {
                assert!(ids.contains(&target), "{name}: nothing has the id {target:?}");
            }
        }
    }
}

fn attributes<'a>(html: &'a str, start: &str) -> Vec<&'a str> {
    html.split(start).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_local_link_to_a_static_file_leads_to_one() {
    for (name, html) in all() {
        for source in attributes(&html, " src=\"") {
            let Some(path) = source.strip_prefix("/static/") else { continue };
            assert!(asset(path.split('?').next().unwrap()).is_some(), "{name}: {path}");
        }
    }
}

#[test]
fn a_hostile_name_is_words_and_nothing_else() {
    let name = "\"><script>alert('x')</script>&amp;{{ shell.cart_id }}";
    let gbp = Currency::parse("GBP").unwrap();
    let product = Product {
        description: format!("{name}\n{name}"),
        category: name.into(),
        stock_policy: StockPolicy::Untracked,
        image: Some("\"><script>.svg".into()),
        ..Product::new(Sku::parse("a\"/<b>?").unwrap(), name, Money::new(100, gbp))
    };
    let other = Product { sku: Sku::parse("b'\"<i>").unwrap(), ..product.clone() };
    let kind = FacetKind::Option(name.into());
    let mut ask = Ask::text(name).toggled(&FacetKind::Category, name).toggled(&kind, name);
    ask.price = Some((Some(1), None));
    let value = || FacetValue { value: name.into(), count: 1, is_selected: true };
    let found = Found {
        total: 1,
        meant: Some(name.into()),
        facets: [FacetKind::Category, kind].map(|kind| Facet { kind, values: vec![value(), value()] }).into(),
        ..Found::default()
    };
    let pages = Pages::new().unwrap();
    let mut shell = Shell::new(name, gbp).with_categories([name]);
    shell.cart_id = CartId::parse("c1").ok();
    shell.notice = Some(Notice::Done(name.into()));
    shell.query = name.into();
    let card = || Card::of(&product, None, NOW_MS);
    let shelf = || Shelf::new(name, vec![card()]);
    let hero = Hero { heading: name.into(), text: name.into() };
    let mut cart = cart(&catalogue(), Workflow::classic());
    cart.lines[0].name = name.into();
    cart.lines[0].sku = product.sku.clone();
    let view = CartView::of(&cart, &quote(&cart), NOW_MS, |_| None);
    let entered = Entered {
        fields: ["email", "name", "country", "payment_token"].map(|f| (f.to_owned(), name.to_owned())).into(),
        errors: vec![cart_core::FieldError { field: "email".into(), message: name.into() }],
        problem: Some(name.into()),
        redeem: Redeem { typed: name.into(), error: Some(name.into()) },
        done: Some(name.into()),
    };
    let fault = FaultPage::of(404).because(name);
    cart.codes.clear();
    let quoted = quote(&cart);
    let link = CartShare { name: name.into(), ..share(true) };
    let by_link =
        SharedPage::new((&link, "/cart/shared/t".into()), (&cart, &quoted), view.clone(), false, NOW_MS)
            .with_found(name, vec![card()]);
    for html in [
        pages.home(&shell, &Home::new(hero, vec![card()], shelf(), &[(name.into(), &product)])).unwrap(),
        pages.listing(&shell, &Listing::new(&ask, &found, vec![card()], 1, gbp)).unwrap(),
        pages.listing(&shell, &Listing::new(&ask, &Found::default(), vec![], 1, gbp)).unwrap(),
        pages
            .product(
                &shell,
                &ProductPage::new(&product, card(), shelf())
                    .with_family(&product, &[(&product, 1), (&other, 0)]),
            )
            .unwrap(),
        pages
            .cart(
                &shell,
                &CartPage {
                    cart: Some(view.clone()),
                    shelf: shelf(),
                    shares: vec![ShareRow::of(&link, NOW_MS)],
                    redeem: entered.redeem.clone(),
                    note: Some(NoteField::new(name).refused(Some(name.into()))),
                },
            )
            .unwrap(),
        pages.shared(&shell, &by_link).unwrap(),
        pages.checkout(&shell, &CheckoutPage::single(&cart, &quote(&cart), view.clone(), &entered)).unwrap(),
        pages
            .checkout(
                &shell,
                &CheckoutPage::step(&cart, &quote(&cart), view, Step::Review, Some(name.into()), &entered),
            )
            .unwrap(),
        pages.fault(&shell, &fault).unwrap(),
    ] {
        assert!(!html.contains("<script>") && !html.contains("alert('"), "a name became markup");
        assert!(html.contains("&lt;script&gt;"), "the name is shown");
        assert!(html.contains("&amp;amp;"), "an entity in a name is shown as it is written");
        for link in attributes(&html, " href=\"").into_iter().chain(attributes(&html, " action=\"")) {
            assert!(!link.contains(['<', '>', ' ', '\'']), "{link}");
        }
    }
}

#[test]
fn a_cart_is_shown_with_its_lines_sums_and_hold() {
    let html = page("cart.html");
    for text in ["Brown teapot, four cups", "£29.50", "£23.00", "£62.00", "19 minutes", "Goes with your cart"]
    {
        assert!(html.contains(text), "{text}");
    }
    assert!(html.contains("action=\"/cart/lines/TEAPOT-BROWN\""), "lines post to their own address");
    // A line with properties shows them and has an address of its own.
    assert!(html.contains("action=\"/cart/lines/MUG-COBALT~"));
    assert!(html.contains("<span>Engraving:</span> Ada &amp; Charles"));
    assert!(html.contains("Saved for later") && html.contains("Raspberry jam"));
    assert!(page("cart-empty.html").contains("data-cart-full hidden"));
}

#[test]
fn changed_prices_are_named_where_they_are_to_be_accepted() {
    for (name, form, posts_to) in [
        ("cart-repriced.html", "cart-prices", "id=\"cart-prices\" method=\"post\" action=\"/cart/prices\""),
        ("checkout-repriced.html", "checkout-form", "formaction=\"/checkout/prices\""),
    ] {
        let html = page(name);
        let main = html.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
        let told = main.split("data-prices>").nth(1).unwrap().split("</div>").next().unwrap();
        assert!(told.contains("Brown teapot, four cups: £31.00 before, £29.50 now"), "{told}");
        let seen = format!("name=\"seen\" value=\"TEAPOT-BROWN=2950\" form=\"{form}\"");
        assert!(told.contains(&seen) && told.contains("Accept the new prices"), "{told}");
        assert!(told.contains(posts_to), "{told}");
        assert_eq!(told.matches("<li>").count(), 1, "what costs what it did is not named");
    }
    assert!(!page("cart.html").contains("data-prices"), "nobody is asked where the shop does not ask");
}

#[test]
fn a_note_is_asked_for_and_shown_back() {
    assert!(
        page("cart.html")
            .contains("maxlength=\"2000\" aria-describedby=\"note-hint\">\nRing twice.</textarea>")
    );
    let refused = page("cart-redeemed.html");
    assert!(
        refused.contains("&lt;b&gt;Ring&lt;/b&gt;</textarea>") && refused.contains("The note is too long.")
    );
    for (name, is_asked) in
        [("checkout-address.html", false), ("checkout-review.html", true), ("express.html", true)]
    {
        assert_eq!(page(name).contains("name=\"note\""), is_asked, "{name}");
    }
    assert!(page("checkout-repriced.html").contains("\nRing twice.</textarea>"), "what was typed is kept");
    assert!(!page("cart-empty.html").contains("name=\"note\""));
}

#[test]
fn a_shared_cart_shows_what_its_link_lets_do_and_nothing_of_its_owner() {
    let editable = page("shared.html");
    for form in ["name=\"quantity\"", "name=\"remove\"", "name=\"code\"", "id=\"find-words\"", "name=\"all\""]
    {
        assert!(editable.contains(form), "{form}");
    }
    assert!(
        editable.contains("Code <b>SUMMER</b>") && editable.contains("This link ends on 1 December 2025")
    );
    assert!(editable.contains("id=\"add-TEAPOT-BROWN\"") && !editable.contains("id=\"add-LANTERN\""));
    let reading = page("shared-read.html");
    for kept in ["data-by-link", "SUMMER", "Summer sale", "Raspberry jam", "checkout", "Save for later"] {
        let shared = reading.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
        assert!(!shared.contains(kept), "{kept}");
    }
    assert!(reading.contains("2 × £11.50") && reading.contains("£62.00") && reading.contains("A code: "));
    assert!(!page("shared-own.html").contains("name=\"all\""));
    let expired = page("shared-expired.html");
    assert!(expired.contains("name=\"reopen\"") && !expired.contains("id=\"find-words\""));
    let ordered = page("shared-ordered.html");
    assert!(
        ordered.contains("It was ordered") && !ordered.contains("data-by-link") && !ordered.contains("ada@")
    );
}

#[test]
fn a_gift_is_free_cannot_be_edited_and_can_be_declined() {
    let html = page("cart.html");
    let lines: Vec<&str> = html.split("<li class=\"line\"").skip(1).collect();
    let is_gift = |line: &&&str| line.starts_with(" data-line=\"MATCHES-LONG~");
    let gift = lines.iter().find(is_gift).unwrap();
    for text in
        ["A gift<span data-gift-pieces> × 2</span>", ">Free</span>", "name=\"promotion\" value=\"matches\""]
    {
        assert!(gift.contains(text), "{text} in {gift}");
    }
    assert!(gift.contains("<div class=\"line-edit\" data-bought hidden>"), "{gift}");
    assert!(lines[0].contains("data-decline hidden>"), "what is bought is not declined: {}", lines[0]);
    assert!(html.contains("A jar of honey: gives Heather honey"), "{html}");
    assert!(html.contains("name=\"promotion\" value=\"honey\"><input type=\"hidden\" name=\"accept\""));
}

#[test]
fn only_a_line_that_lost_its_hold_says_so() {
    let html = page("cart.html");
    let lines: Vec<&str> = html.split("<li class=\"line\"").skip(1).collect();
    let says_so = |line: &str| !line.contains("data-unheld hidden");
    // Teapot, mugs, biscuits without a hold, a gift, and the template that scripts clone.
    assert_eq!(lines.iter().map(|l| says_so(l)).collect::<Vec<_>>(), [false, false, true, false, false]);
}

#[test]
fn a_line_says_what_ships_later_and_what_went_back() {
    let rows = catalogue();
    let mut cart = cart(&rows, Workflow::classic());
    cart.lines[0].backordered = 1;
    cart.lines[1].ships_from_ms = Some(NOW_MS + 40 * 86_400_000);
    cart.lines[2].released = 3;
    let shown = serde_json::to_value(view(&cart, &rows)).unwrap();
    let later: Vec<_> = shown["lines"].as_array().unwrap().iter().map(|l| &l["later"]).collect();
    assert_eq!(later[0], "1 of these ships later");
    assert!(later[1].as_str().unwrap().starts_with("Ships from "), "{later:?}");
    assert_eq!((later[2], &shown["lines"][2]["released"]), (&serde_json::Value::Null, &3.into()));
    let mut over = cart.clone();
    over.holds_expire_at_ms = None;
    assert!(serde_json::to_value(view(&over, &rows)).unwrap()["has_released"] == true);
}

#[test]
fn stock_decides_what_can_be_added() {
    assert!(page("product.html").contains("In stock"));
    let few = page("product-few.html");
    assert!(few.contains("Only 3 left") && few.contains("max=\"3\""));
    let out = page("product-out.html");
    assert!(out.contains("Sold out") && !out.contains("class=\"product-add\""));
}

#[test]
fn a_refused_form_keeps_what_was_entered_and_says_what_to_mend() {
    for name in ["checkout-refused.html", "express-refused.html"] {
        let html = page(name);
        assert!(html.contains("value=\"ada.example.org\""), "{name}");
        assert!(html.contains("value=\"Ada &quot;&lt;b&gt;&quot; Byron\""), "{name}");
        assert!(html.contains("<option value=\"GB\" selected>"), "{name}");
        assert!(html.contains("<a href=\"#email\">Email must look like name@example.org</a>"), "{name}");
        assert!(html.contains("id=\"city-error\">Town or city is needed</p>"), "{name}");
        assert_eq!(html.matches("aria-invalid=\"true\"").count(), 2, "{name}");
    }
    assert!(
        page("express-refused.html")
            .contains("value=\"express\" data-minor=\"495\" data-sum=\"6695\" checked")
    );
}

#[test]
fn a_guest_gives_the_address_for_letters_first_and_once() {
    let contact = page("checkout-contact.html");
    assert!(
        contact.contains("<h1>Continue as a guest</h1>")
            && contact.contains("href=\"/login?next=/checkout\"")
    );
    assert!(contact.contains("name=\"email\"") && !contact.contains("name=\"street\""));
    assert!(page("checkout-contact-refused.html").contains("value=\"ada.example.org\""));
    assert!(page("checkout-contact-known.html").contains("<h1>Where do we write to?</h1>"));
    let address = page("checkout-address-guest.html");
    assert!(!address.contains("name=\"email\"") && address.contains("name=\"street\""));
    assert!(!address.contains("/login?next=/checkout"), "it was offered on the page before");
}

#[test]
fn fields_of_an_address_carry_the_limits_that_the_shop_parses_by() {
    let html = page("checkout-address.html");
    for rule in cart_core::details::ADDRESS {
        let (_, tag) = html.split_once(&format!("name=\"{}\"", rule.name)).unwrap();
        let (tag, _) = tag.split_once('>').unwrap();
        assert!(tag.contains(&format!("autocomplete=\"{}\"", rule.autocomplete)), "{tag}");
        assert_eq!(tag.contains(" required"), rule.name != "region", "{tag}");
        if rule.input == cart_core::details::Input::List {
            continue;
        }
        assert!(tag.contains(&format!("maxlength=\"{}\"", rule.units_max)), "{tag}");
        assert!(tag.contains(&format!("pattern=\"{}\"", rule.pattern(rule.name != "region"))), "{tag}");
        assert_eq!(tag.contains("inputmode=\"email\""), rule.name == "email", "{tag}");
    }
}

#[test]
fn a_code_that_is_refused_is_told_at_its_field_and_what_was_redeemed_can_be_taken_back() {
    let html = page("cart-redeemed.html");
    assert!(html.contains("value=\"SUMER&quot;&lt;b&gt;\""));
    assert!(html.contains("data-redeem-error>SUMER is no code of this shop.</p>"));
    for (name, value) in [("remove_code", "SUMMER"), ("remove_card", "0a1b"), ("credit", "0")] {
        assert!(html.contains(&format!("name=\"{name}\" value=\"{value}\" form=\"cart-form\"")), "{name}");
    }
    assert!(html.contains("data-credit-offer hidden"), "credit that pays is not offered again");
    assert!(html.contains("<dt>Gift card …6789</dt><dd>−£62.00</dd>"));
    let due = page("checkout-nothing-due.html");
    assert!(
        due.contains("data-nothing-due>Nothing is left to pay") && due.contains("<div data-cards hidden>")
    );
    assert!(page("checkout-payment.html").contains("data-nothing-due hidden>"));
}

#[test]
fn an_account_says_what_moved_its_credit() {
    let html = page("account.html");
    assert!(html.contains("You have <b class=\"price\">£12.50</b> credit"));
    for text in ["Given back of order <a href=\"/orders/o5f2c9e\">", "−£7.00", "From the shop", "+£17.00"]
    {
        assert!(html.contains(text), "{text}");
    }
}

#[test]
fn a_step_posts_to_its_own_address_and_the_last_one_places_the_order() {
    for (name, action) in [
        ("checkout-contact.html", "/checkout/contact"),
        ("checkout-address.html", "/checkout/address"),
        ("checkout-payment.html", "/checkout/payment"),
        ("checkout-review.html", "/checkout/order"),
        ("express.html", "/checkout/express"),
    ] {
        assert!(page(name).contains(&format!("action=\"{action}\"")), "{name}");
    }
    let carried = page("checkout-review.html");
    assert!(carried.contains("type=\"hidden\" name=\"payment_token\" value=\"tok_success\""));
    assert!(!carried.contains("type=\"radio\" name=\"payment_token\""));
    assert!(page("checkout-review-card.html").contains("type=\"radio\" name=\"payment_token\""));
    let declined = page("checkout-review-declined.html");
    assert!(declined.contains("value=\"tok_decline\" checked"));
    assert!(declined.contains("type=\"radio\" name=\"payment_token\""));
    assert!(!declined.contains("type=\"hidden\" name=\"payment_token\""));
}

#[test]
fn a_workflow_that_ends_with_another_step_still_takes_the_card() {
    let form =
        r#"{"name":"odd","cart":"page","checkout":"stepwise","steps":["payment","address","shipping"]}"#;
    let rows = catalogue();
    let cart = cart(&rows, serde_json::from_str(form).unwrap());
    let pages = Pages::new().unwrap();
    let html = |token: Option<&str>| {
        let page = CheckoutPage::step(
            &cart,
            &quote(&cart),
            view(&cart, &rows),
            Step::Shipping,
            token.map(Into::into),
            &Entered::default(),
        );
        pages.checkout(&shell(&rows), &page).unwrap()
    };
    assert!(html(None).contains("type=\"radio\" name=\"payment_token\""));
    assert!(
        html(Some("tok_decline")).contains("type=\"hidden\" name=\"payment_token\" value=\"tok_decline\"")
    );
    assert!(html(None).contains("/checkout/order"));
}

#[test]
fn the_drawer_is_only_in_its_layout() {
    assert!(page("home-express.html").contains("<dialog"));
    assert!(!page("home.html").contains("<dialog"));
}

#[test]
fn the_demo_catalogue_is_complete() {
    let rows = catalogue();
    assert!(rows.len() >= 48);
    for row in &rows {
        let product = &row.product;
        let image = product.image.as_deref().unwrap();
        assert!(asset(&format!("products/{image}")).is_some(), "{image}");
        assert!(
            product.description.len() > 60 && product.price.minor > 0 && row.stock >= 0,
            "{}",
            product.sku
        );
    }
    let mut skus: Vec<_> = rows.iter().map(|r| &r.product.sku).collect();
    skus.sort_unstable();
    skus.dedup();
    assert_eq!(skus.len(), rows.len());
}
