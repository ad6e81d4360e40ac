//! What shoppers do with forms alone, in both workflows: accept changed prices, write a note, say what is to be done to
//! the pieces, and lay lines aside.

use harness::{Admin, Store, TestApp, app::random_token, audit, patience::eventually, shopper::Shopper};
use reqwest::{Client, Method, Response, redirect::Policy};
use serde_json::{Value, json};

use crate::{codes::shown, experiments};

on_each_store!(
    changed_prices_are_accepted_in_both_workflows,
    a_note_is_written_in_both_workflows,
    a_product_asks_for_its_properties,
    properties_go_wherever_lines_go,
    lines_wait_for_later_without_scripts,
);

in_other_workflows!(a_product_asks_for_its_properties, lines_wait_for_later_without_scripts);

/// The workflows: what forces each, and where its last form goes.
const WORKFLOWS: [(&str, &str); 2] =
    [("checkout-express=0", "/checkout/order"), ("checkout-express=1", "/checkout/express")];

async fn post(app: &TestApp, shopper: &Shopper, path: &str, form: &[(&str, &str)]) -> Response {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let cookie = format!("cartwright_visitor={}", shopper.token());
    client.post(app.url(path)).header("cookie", cookie).form(form).send().await.unwrap()
}

/// Sends a form, and reads the page that it leads to with the message there.
async fn follow(app: &TestApp, shopper: &Shopper, path: &str, form: &[(&str, &str)]) -> (String, String) {
    let answer = post(app, shopper, path, form).await;
    assert_eq!(answer.status(), 303, "{path}: {}", answer.text().await.unwrap());
    let to = answer.headers()["location"].to_str().unwrap().to_owned();
    let cookies = answer.headers().get_all("set-cookie").iter().map(|c| c.to_str().unwrap());
    let notice = cookies.filter_map(|c| c.split(';').next()).find(|c| c.starts_with("cartwright_notice="));
    let cookie = format!("cartwright_visitor={}; {}", shopper.token(), notice.unwrap_or_default());
    let page = Client::new().get(app.url(&to)).header("cookie", cookie).send().await.unwrap();
    (to, page.error_for_status().unwrap().text().await.unwrap())
}

async fn import(app: &TestApp, products: &str) {
    let file = app.write_file("more.csv", products);
    app.run(&["import", "products", &file]).await;
}

/// Goes up to the last page of the checkout.
async fn to_the_last_page(shopper: &Shopper) {
    let mut cart = shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    while let Some(step) = cart["next_step"].as_str().filter(|step| *step != "review") {
        cart = shopper.command(&harness::shopper::complete_step(step)).await.accepted();
    }
}

/// What the last form of either workflow brings.
const LAST_FORM: [(&str, &str); 9] = [
    ("step", "review"),
    ("email", "ada@example.org"),
    ("name", "Ada Byron"),
    ("street", "12 St James's Square"),
    ("city", "London"),
    ("postcode", "SW1Y 4JH"),
    ("country", "GB"),
    ("method", "standard"),
    ("payment_token", "tok_success"),
];

/// What the shopper is asked to accept on a page, as its form sends it.
fn seen(page: &str) -> Vec<&str> {
    let fields = page.split("name=\"seen\" value=\"").skip(1);
    fields.map(|field| field.split('"').next().unwrap()).collect()
}

async fn reprice(app: &TestApp, shopper: &Shopper, minor: i64) {
    import(app, &format!("sku,name,price_minor,currency\nMUG,The MUG,{minor},GBP\n")).await;
    eventually("the price has changed", async || {
        shopper.cart().await["lines"][0]["unit_price_minor"] == minor
    })
    .await;
}

async fn changed_prices_are_accepted_in_both_workflows(store: Store) {
    let (app, _admin) = experiments::start_with(store, "\n[shop]\nprice_policy = \"tell\"\n").await;
    for (n, (forced, order)) in (0_i64..).zip(WORKFLOWS) {
        let [before, then, now] = [1_250 + 300 * n, 1_350 + 300 * n, 1_450 + 300 * n];
        let shopper = Shopper::open_forced_cart(app.address(), &random_token(), forced).await;
        shopper.add("MUG", 2).await.accepted();
        shopper.add("TEAPOT", 1).await.accepted();
        let price = |minor: i64| format!("£{}.{:02}", minor / 100, minor % 100);
        if n > 0 {
            eventually("the mug costs what it did", async || {
                shopper.cart().await["lines"][0]["unit_price_minor"] == before - 100
            })
            .await;
            reprice(&app, &shopper, before).await;
            shopper.command(&json!({"type": "accept_prices"})).await.accepted();
        }
        let page = app.page(&shopper, "/cart").await;
        assert!(page.contains("data-prices hidden") && seen(&page).is_empty(), "nothing has changed yet");

        // On the cart's page.
        reprice(&app, &shopper, then).await;
        let page = app.page(&shopper, "/cart").await;
        let told = format!("The MUG: {} before, {} now", price(before), price(then));
        assert!(page.contains(&told) && page.contains("Accept the new prices"), "{page}");
        assert_eq!(seen(&page), [format!("MUG={then}")]);
        // Nobody accepts what they have not seen.
        let stale = format!("MUG={before}");
        let (to, page) = follow(&app, &shopper, "/cart/prices", &[("seen", &stale)]).await;
        assert!(to == "/cart" && page.contains("The prices have changed once more."), "{page}");
        assert_eq!(shopper.cart().await["lines"][0]["was_minor"], before);
        let form: Vec<_> = seen(&page).into_iter().map(|seen| ("seen", seen)).collect();
        let (_, page) = follow(&app, &shopper, "/cart/prices", &form).await;
        assert!(page.contains("The new prices are yours.") && page.contains("data-prices hidden"), "{page}");
        assert_eq!(shopper.cart().await["lines"][0].get("was_minor"), None);

        // In the checkout, where the order is refused.
        to_the_last_page(&shopper).await;
        reprice(&app, &shopper, now).await;
        let mut form = LAST_FORM.to_vec();
        form.push(("note", "Mind the step."));
        let (status, page) = shown(&app, shopper.token(), order, &form).await;
        assert_eq!(status, 409, "{page}");
        assert!(page.contains("The price of MUG has changed"), "{page}");
        let told = format!("The MUG: {} before, {} now", price(then), price(now));
        assert!(page.contains(&told) && page.contains("formaction=\"/checkout/prices\""), "{page}");
        let mut accepting = form.clone();
        accepting.push(("seen", "MUG=1"));
        let (status, page) = shown(&app, shopper.token(), "/checkout/prices", &accepting).await;
        assert!(status == 409 && page.contains("changed once more"), "{page}");
        accepting.extend(seen(&page).into_iter().map(|seen| ("seen", seen)));
        let (status, page) = shown(&app, shopper.token(), "/checkout/prices", &accepting).await;
        assert!(status == 200 && page.contains("The new prices are yours."), "{page}");
        assert!(page.contains("Mind the step.</textarea>"), "what was typed is kept: {page}");
        let (to, page) = follow(&app, &shopper, order, &form).await;
        assert!(to.starts_with("/orders/") && page.contains(&price(2 * now)), "{to}: {page}");
    }
}

async fn a_note_is_written_in_both_workflows(store: Store) {
    let (app, admin) = experiments::start(store).await;
    for (forced, order) in WORKFLOWS {
        let shopper = Shopper::open_forced_cart(app.address(), &random_token(), forced).await;
        assert!(!app.page(&shopper, "/cart").await.contains("name=\"note\""), "there is nothing to buy yet");
        shopper.add("MUG", 1).await.accepted();
        // A form ends lines in its own way.
        let (to, page) =
            follow(&app, &shopper, "/cart/note", &[("note", " Ring twice,\r\n<b>please</b> ")]).await;
        assert!(to == "/cart" && page.contains("Your note goes with the order."), "{page}");
        assert!(page.contains("\nRing twice,\n&lt;b&gt;please&lt;/b&gt;</textarea>"), "{page}");
        assert_eq!(shopper.cart().await["note"], "Ring twice,\n<b>please</b>");
        let long = "x".repeat(2_001);
        let (status, page) = shown(&app, shopper.token(), "/cart/note", &[("note", &long)]).await;
        assert_eq!(status, 422);
        let field = page.split("<div class=\"field note\">").nth(1).unwrap().split("</div>").next().unwrap();
        for text in ["maxlength=\"2000\"", "aria-invalid", "The note must be at most 2000 bytes", &long] {
            assert!(field.contains(text), "{text}: {field}");
        }
        assert_eq!(shopper.cart().await["note"], "Ring twice,\n<b>please</b>", "what was there stays");

        // The page that orders has the field too: what it says then is what the shop reads.
        to_the_last_page(&shopper).await;
        let path = if order == "/checkout/order" { "/checkout/review" } else { "/checkout" };
        let page = app.page(&shopper, path).await;
        assert!(page.contains("\nRing twice,\n&lt;b&gt;please&lt;/b&gt;</textarea>"), "{page}");
        let form = |note| LAST_FORM.iter().copied().chain([("note", note)]).collect::<Vec<_>>();
        let (status, page) = shown(&app, shopper.token(), order, &form(&long)).await;
        assert_eq!(status, 422);
        assert!(page.contains("<a href=\"#note\">The note must be at most 2000 bytes"), "{page}");
        assert_eq!(shopper.cart().await["status"], "checkout");
        let (to, page) = follow(&app, &shopper, order, &form("Ring\r\nthrice.")).await;
        assert!(page.contains("<dd class=\"note-text\">Ring\nthrice.</dd>"), "{to}: {page}");
        assert_eq!(shopper.cart().await["note"], "Ring\nthrice.");
        let staff = admin.get(&format!("/admin{to}")).await;
        assert!(staff.html.contains("Ring\nthrice."), "{}", staff.html);
    }
}

const RULES: &str = r#"[{""name"":""engraving"",""label"":""Engraving <on the clip>"",""max_chars"":8},
 {""name"":""ink"",""required"":true,""splits"":false},{""name"":""gift_note"",""label"":""Gift note"",""splits"":false}]"#;

/// Starts a shop whose pens ask for an ink, and may be engraved.
pub(crate) async fn stationer(store: Store) -> (TestApp, Admin) {
    let mut app = TestApp::prepare(store, harness::admin::setup()).await;
    let rows = format!("sku,name,price_minor,currency,stock,properties\nPEN,Pen,900,GBP,50,\"{RULES}\"\n");
    import(&app, &rows).await;
    app.restart().await;
    let admin = Admin::sign_in(&app).await;
    (app, admin)
}

/// What the lines of a cart say, and their pieces.
fn said(cart: &Value) -> Vec<(Value, u64)> {
    let lines = cart["lines"].as_array().unwrap_or_else(|| panic!("there are no lines in {cart}"));
    lines.iter().map(|line| (line["properties"].clone(), line["quantity"].as_u64().unwrap())).collect()
}

async fn a_product_asks_for_its_properties(store: Store) {
    let (app, admin) = stationer(store).await;
    let shopper = app.open_cart().await;
    let page = app.page(&shopper, "/products/PEN").await;
    for text in [
        "Engraving &lt;on the clip&gt; <span",
        "name=\"property.engraving\" maxlength=\"8\"",
        "name=\"property.ink\" rows=\"3\" maxlength=\"500\" required data-beside>",
        "name=\"property.gift_note\" rows=\"3\" maxlength=\"500\" data-beside>",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    assert!(!app.page(&shopper, "/products/MUG").await.contains("name=\"property."));
    let listing = app.page(&shopper, "/products?q=pen").await;
    assert!(
        listing.contains("/products/PEN") && !listing.contains("name=\"sku\" value=\"PEN\""),
        "{listing}"
    );

    let add = async |engraving: &str, ink: &str, note: &str| {
        let form = [
            ("sku", "PEN"),
            ("quantity", "1"),
            ("property.engraving", engraving),
            ("property.ink", ink),
            ("property.gift_note", note),
        ];
        follow(&app, &shopper, "/cart/lines", &form).await
    };
    for (engraving, ink, sentence) in [
        ("Ada", " ", "PEN: ink is needed; give it as the property"),
        ("Ada Byron", "blue", "PEN: Engraving &lt;on the clip&gt; has 9 characters, the most allowed is 8"),
    ] {
        let (to, page) = add(engraving, ink, "").await;
        assert!(to == "/products/PEN" && page.contains(sentence), "{to}: {page}");
    }
    assert_eq!(said(&shopper.cart().await), []);

    // Notes and inks do not keep lines apart: the newer text holds, what is not said again stays.
    add("Ada", "blue", "Happy\r\nbirthday").await;
    add("Eve", "red", "").await;
    add("Ada", "black", "").await;
    let ada = json!({"engraving": "Ada", "ink": "black", "gift_note": "Happy\nbirthday"});
    let eve = json!({"engraving": "Eve", "ink": "red"});
    assert_eq!(said(&shopper.cart().await), [(ada.clone(), 2), (eve.clone(), 1)]);
    let page = app.page(&shopper, "/cart").await;
    for text in [
        "<span>Engraving &lt;on the clip&gt;:</span> Ada",
        "<span>ink:</span> black",
        "<span>Gift note:</span> Happy",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }

    let labels = json!({"engraving": "Engraving <on the clip>", "gift_note": "Gift note"});
    assert_eq!(shopper.cart().await["lines"][0]["labels"], labels);

    // What is typed goes on a list as well, where nothing is needed yet.
    let wish = [("sku", "PEN"), ("quantity", "2"), ("property.engraving", "Eve"), ("property.ink", "")];
    follow(&app, &shopper, "/lists/items", &wish).await;
    let lists = app.page(&shopper, "/lists").await;
    let list = lists.split("href=\"/lists/").nth(1).unwrap().split('"').next().unwrap();
    let page = app.page(&shopper, &format!("/lists/{list}")).await;
    assert!(page.contains("Engraving &lt;on the clip&gt;: Eve"), "{page}");

    // Other doors hold to the same rules, and say how it is mended.
    let command = |properties: Value| json!({"type": "add_line", "sku": "PEN", "properties": properties});
    for (properties, detail) in [
        (
            json!({"colour": "red", "ink": "blue"}),
            "PEN: it takes no property \"colour\"; leave it out, it takes engraving, ink, gift_note",
        ),
        (json!({}), "PEN: ink is needed; give it as the property \"ink\""),
    ] {
        let refused = shopper.command(&command(properties)).await;
        refused.assert_problem(422, "property-refused");
        assert_eq!(refused.body["detail"], detail);
        assert!(refused.body["mend"].as_str().unwrap().contains("`properties` of the product"));
    }
    let mut device = app.join(&shopper).await;
    let answer = device.push(&shopper.topic(), "command", command(json!({"colour": "red"}))).await;
    assert_eq!(answer.reason(), "property_refused");
    let product: Value = reqwest::get(app.url("/api/v1/products/PEN")).await.unwrap().json().await.unwrap();
    let engraving = json!({
        "name": "engraving", "label": "Engraving <on the clip>", "required": false, "max_chars": 8, "splits": true,
    });
    assert_eq!((&product["properties"][0], product["properties"].as_array().unwrap().len()), (&engraving, 3));

    let order = shopper.check_out("tok_success").await.body["order"].clone();
    assert_eq!(said(&order), [(ada, 2), (eve, 1)]);
    let receipt = app.page(&shopper, &format!("/orders/{}", order["id"].as_str().unwrap())).await;
    let said = "Engraving &lt;on the clip&gt;: Ada; Gift note: Happy\nbirthday; ink: black</small>";
    assert!(receipt.contains(said), "{receipt}");
    let staff = admin.get(&format!("/admin/orders/{}", order["id"].as_str().unwrap())).await;
    assert!(
        staff
            .html
            .contains("Pen (Engraving &lt;on the clip&gt;: Ada; Gift note: Happy\nbirthday; ink: black)"),
        "{}",
        staff.html
    );
    app.run(&["check"]).await;

    let bad = "sku,name,price_minor,currency,properties\nNIB,Nib,90,GBP,\"[{\"\"name\"\":\"\"a\"\",\"\"max_chars\"\":501}]\"\n";
    let file = app.write_file("bad.csv", bad);
    let output = app.try_run(&["import", "products", &file]).await;
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("properties[0].max_chars is 501; write 1 to 500 characters"), "{told}");
}

async fn properties_go_wherever_lines_go(store: Store) {
    let (app, _admin) = stationer(store).await;
    let shopper = app.open_cart().await;
    let pen = |note: &str| {
        let properties = json!({"engraving": "Ada", "ink": "blue", "gift_note": note});
        json!({"type": "add_line", "sku": "PEN", "quantity": 2, "properties": properties})
    };
    let cart = shopper.command(&pen("one")).await.accepted();
    let line = cart["lines"][0]["id"].as_str().unwrap().to_owned();
    let told = |note: &str| json!({"engraving": "Ada", "ink": "blue", "gift_note": note});

    // Laid aside and taken back, while another piece has come.
    let (_, page) = follow(&app, &shopper, &format!("/cart/lines/{line}"), &[("save", "1")]).await;
    assert!(page.contains("<small>Gift note: one</small>"), "{page}");
    shopper.command(&pen("two")).await.accepted();
    follow(&app, &shopper, &format!("/cart/lines/{line}"), &[("restore", "1")]).await;
    assert_eq!(said(&shopper.cart().await), [(told("one"), 4)]);

    // Kept in a browser, and brought back to a cart that has some of it.
    let kept = shopper.request("GET", "/snapshot", None).await.body;
    let other = app.open_cart_as(shopper.token()).await;
    other.command(&pen("three")).await.accepted();
    let back = json!({"snapshot": kept["snapshot"]});
    let restored = other.request("POST", "/restore", Some(back)).await.body;
    assert!(restored["cart"].is_object(), "{restored}");
    assert_eq!(said(&restored["cart"]), [(told("one"), 4)], "{restored}");
    assert_eq!(restored["lines"][0]["outcome"], "restored", "{restored}");

    // On a wish list they are one thing, too.
    let (_, page) = follow(&app, &other, &format!("/cart/lines/{line}"), &[("list", "1")]).await;
    assert!(page.contains("It is on your list"), "{page}");
    let lists = app.call(Method::GET, "/api/v1/lists", Some(other.token()), None).await.body;
    let items = &lists["lists"][0]["items"];
    assert_eq!((&items[0]["id"], &items[0]["properties"]), (&json!(line), &told("one")), "{lists}");
    let put = json!({"sku": "PEN", "quantity": 1, "properties": told("four")});
    let path = format!("/api/v1/lists/{}/items", lists["lists"][0]["id"].as_str().unwrap());
    let list = app.call(Method::POST, &path, Some(other.token()), Some(&put)).await.body;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list["items"][0]["properties"], told("four"), "{list}");

    let path = format!("/api/v1/lists/{}/to-cart", lists["lists"][0]["id"].as_str().unwrap());
    let into = json!({"cart": other.cart().await["id"]});
    let filled = app.call(Method::POST, &path, Some(other.token()), Some(&into)).await.body;
    assert_eq!(said(&filled["cart"]), [(told("four"), 1)], "{filled}");

    // Bought, and bought again.
    let ordered = other.check_out("tok_success").await;
    assert_eq!(ordered.status, 200, "{}", ordered.body);
    let order = ordered.body["order"].clone();
    assert_eq!(said(&order), [(told("four"), 1)]);
    let again = app.open_cart_as(other.token()).await;
    let path = format!("/api/v1/orders/{}/reorder", order["id"].as_str().unwrap());
    let into = json!({"cart": again.cart().await["id"]});
    let filled = app.call(Method::POST, &path, Some(other.token()), Some(&into)).await.body;
    assert!(filled["cart"].is_object(), "{filled}");
    assert_eq!(said(&filled["cart"]), [(told("four"), 1)], "{filled}");
    assert_eq!(
        (&filled["lines"][0]["id"], &filled["lines"][0]["unit_price_minor"]),
        (&json!(line), &json!(900))
    );
    app.run(&["check"]).await;
}

async fn lines_wait_for_later_without_scripts(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("RARE", 3).await.accepted();
    shopper.add("MUG", 1).await.accepted();
    let on_line = async |what: &str| follow(&app, &shopper, "/cart/lines/RARE", &[(what, "1")]).await;
    let page = app.page(&shopper, "/cart").await;
    assert!(!page.contains("Saved for later</h2>") && page.contains("name=\"save\" value=\"1\""));

    let (to, page) = on_line("save").await;
    assert!(to == "/cart" && page.contains("Saved for later</h2>"), "{page}");
    let saved = page.split("class=\"saved\"").nth(1).unwrap().split("</section>").next().unwrap();
    for text in ["The RARE</a> × 3", "action=\"/cart/lines/RARE\"", "name=\"restore\"", "name=\"drop\""] {
        assert!(saved.contains(text), "{text} in {saved}");
    }
    let cart = shopper.cart().await;
    assert_eq!((said(&cart), &cart["saved"][0]["quantity"]), (vec![(json!({}), 1)], &json!(3)));
    assert_eq!(audit::stock(&app).await["RARE"].held, 0, "what waits holds nothing");

    // Somebody else has the pieces meanwhile: it goes on waiting, and the page says why.
    let other = app.open_cart().await;
    other.add("RARE", 2).await.accepted();
    let (_, page) = on_line("restore").await;
    assert!(
        page.contains("RARE has 1 left, 3 more are wanted.") && page.contains("Saved for later</h2>"),
        "{page}"
    );
    other.command(&json!({"type": "clear"})).await.accepted();
    let (_, page) = on_line("restore").await;
    assert!(page.contains("data-line=\"RARE\"") && !page.contains("Saved for later</h2>"), "{page}");
    assert_eq!(audit::stock(&app).await["RARE"].held, 3);

    on_line("save").await;
    let (_, page) = on_line("drop").await;
    assert!(!page.contains("Saved for later</h2>") && !page.contains("data-line=\"RARE\""), "{page}");
    let cart = shopper.cart().await;
    assert_eq!((said(&cart), &cart["saved"]), (vec![(json!({}), 1)], &json!([])));
    // What is gone is told, not a fault.
    let (_, page) = on_line("drop").await;
    assert!(page.contains("The cart has no line RARE."), "{page}");
}
