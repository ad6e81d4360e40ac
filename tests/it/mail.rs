//! Letters to shoppers: every order is confirmed, whatever the mail server and a crash do.

use std::{collections::BTreeSet, path::Path};

use harness::{
    Shopper, Store, TestApp,
    app::Setup,
    letters::{self, LetterFile},
    mailbox::Mailbox,
    patience::eventually,
    shopper::complete_step,
};
use serde_json::{Value, json};

use crate::whole_loop::buy;

on_each_store!(
    an_order_is_confirmed_by_a_letter_with_its_exact_sums,
    a_mail_server_that_refuses_first_gets_every_letter_and_dead_ones_hold_nothing_up,
    letters_survive_a_kill,
    letters_say_what_goes_with_what_they_are_about,
);

fn setup(sink: &str) -> Setup {
    let config = format!(
        "[shop]\nname = \"Tea & Sons\"\npublic_url = \"https://tea.example\"\n\n\
         [mail]\nsink = \"{sink}\"\nfrom = \"Tea & Sons <tea@tea.example>\"\nretry_seconds = [1, 1, 1, 1]\n"
    );
    Setup { config, ..Setup::default() }
}

/// Places an order of two mugs that goes to an e-mail address, and returns it.
async fn order(shopper: &Shopper, email: &str) -> Value {
    shopper.add("MUG", 2).await.accepted();
    shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    let mut address = complete_step("address");
    address["details"]["email"] = json!(email);
    address["details"]["name"] = json!("Ada \"<b>\" Byron");
    shopper.command(&address).await.accepted();
    shopper
        .command(&json!({"type": "complete_step", "step": "shipping", "details": {"method": "express"}}))
        .await
        .accepted();
    shopper.command(&json!({"type": "set_note", "text": "ring twice\n& <i>loudly</i>"})).await.accepted();
    let answer = shopper.check_out("tok_success").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["order"].clone()
}

fn order_id(letter: &LetterFile) -> String {
    letter.header("Subject").split(' ').nth(2).unwrap().to_owned()
}

async fn an_order_is_confirmed_by_a_letter_with_its_exact_sums(store: Store) {
    let folder = harness::reaper::folder("mail");
    // The first shop sends no mail; what was bought meanwhile is no news when it begins to.
    let mut app = TestApp::start(store).await;
    order(&app.open_cart().await, "early@example.org").await;
    // Readers have passed it: what another transaction of the database server holds up may yet be news.
    app.events("order_placed", 1).await;
    app.configure(setup(&format!("file:{}", folder.display())).config);
    app.restart().await;

    let shopper = app.open_cart().await;
    let placed = order(&shopper, "ada@example.org").await;
    let id = placed["id"].as_str().unwrap();
    let found = letters::in_folder(&folder, 1).await;
    assert_eq!(found.len(), 1);
    let letter = &found[0];
    assert_eq!(letter.header("Subject"), format!("Your order {id} at Tea & Sons"));
    assert!(letter.header("From").ends_with("<tea@tea.example>"), "{}", letter.head);
    assert!(letter.header("To").ends_with("<ada@example.org>"), "{}", letter.head);
    assert!(letter.header("Message-ID").ends_with(".order_confirmation@tea.example>"), "{}", letter.head);
    for line in [
        "2 × The MUG at £12.50: £25.00",
        "Subtotal: £25.00",
        "Shipping: £4.95",
        "Total: £29.95",
        "12 St James's Square",
        "London SW1Y 4JH",
        &format!("https://tea.example/orders/{id}"),
    ] {
        assert!(letter.text.contains(line), "{line} in {}", letter.text);
    }
    assert!(!letter.text.contains("Goes with it"), "nothing is known: {}", letter.text);
    assert_eq!(placed["total_minor"], 2_995);
    assert!(letter.html.contains("&lt;i&gt;loudly"), "{}", letter.html);

    let cancel = app.url(&format!("/api/v1/orders/{id}/cancel"));
    let cancelled = reqwest::Client::new().post(cancel).bearer_auth(shopper.token()).send().await.unwrap();
    assert_eq!(cancelled.status(), 200);
    let found = letters::in_folder(&folder, 2).await;
    let is_news = |letter: &&LetterFile| letter.header("Message-ID").contains(".order_cancelled@");
    let news = found.iter().find(is_news).expect("a letter of the cancellation");
    assert_eq!(news.header("Subject"), format!("Your order {id} was cancelled"));
    assert!(news.text.contains("£29.95 of £29.95 is on its way back"), "{}", news.text);
    assert!(!letter.html.contains("<b>\" Byron"), "{}", letter.html);

    let page = reqwest::Client::new()
        .get(app.url(&format!("/orders/{id}")))
        .header("Cookie", format!("cartwright_visitor={}", shopper.token()))
        .send()
        .await
        .unwrap();
    let html = page.text().await.unwrap();
    assert!(html.contains("A confirmation is on its way to <b>ada@example.org</b>"), "{html}");
    let metrics = app.metrics().await;
    let delivered = [("sink", "mail"), ("outcome", "delivered")];
    assert_eq!(metrics.value("cartwright_deliveries_total", &delivered), Some(2.0));
}

async fn a_mail_server_that_refuses_first_gets_every_letter_and_dead_ones_hold_nothing_up(store: Store) {
    let mut mailbox = Mailbox::start(2).await;
    let app = TestApp::start_with(store, setup(&format!("smtp://{}", mailbox.address()))).await;
    order(&app.open_cart().await, "nobody@example.org").await;
    assert_eq!(mailbox.next().await["event"], "rejected");
    let mut placed = BTreeSet::new();
    for shopper in ["ada", "bob", "eve"] {
        let order = order(&app.open_cart().await, &format!("{shopper}@example.org")).await;
        placed.insert(order["id"].as_str().unwrap().to_owned());
    }
    let mut arrived = BTreeSet::new();
    for _ in 0..3 {
        arrived.insert(order_id(&mailbox.letter().await));
    }
    assert_eq!(arrived, placed);
    let outcome = async |outcome| {
        app.metrics().await.value("cartwright_deliveries_total", &[("sink", "mail"), ("outcome", outcome)])
    };
    for _ in 0..100 {
        if outcome("delivered").await == Some(3.0) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(
        [outcome("delivered").await, outcome("failed").await, outcome("dead").await],
        [Some(3.0), Some(2.0), Some(1.0)]
    );
}

async fn letters_survive_a_kill(store: Store) {
    let folder = harness::reaper::folder("mail");
    let mut app = TestApp::start_with(store, setup(&format!("file:{}", folder.display()))).await;
    let mut placed = BTreeSet::new();
    for n in 0..6 {
        let order = order(&app.open_cart().await, "ada@example.org").await;
        placed.insert(order["id"].as_str().unwrap().to_owned());
        if n == 3 {
            app.restart().await;
        }
    }
    app.restart().await;
    let found = letters::in_folder(&folder, 6).await;
    assert_eq!(found.iter().map(order_id).collect::<BTreeSet<_>>(), placed);
    assert_eq!(found.len(), 6, "a letter that was written twice is one file");
    assert!(!has_drafts(&folder));
}

/// Returns the letter to somebody, once it is there.
async fn letter_to(folder: &Path, name: &str, kind: &str) -> LetterFile {
    for n in 1.. {
        let found = letters::in_folder(folder, n).await;
        let is_theirs = |letter: &&LetterFile| {
            letter.header("To").contains(&format!("{name}@")) && letter.header("Message-ID").contains(kind)
        };
        if let Some(letter) = found.iter().find(is_theirs) {
            return letter.clone();
        }
    }
    unreachable!("so many letters never come")
}

async fn letters_say_what_goes_with_what_they_are_about(store: Store) {
    let folder = harness::reaper::folder("mail");
    let mut app = TestApp::start(store).await;
    for n in 0..8 {
        buy(&app, if n < 3 { &["MUG", "TEAPOT", "V1", "RARE"] } else { &["MUG", "TEAPOT", "V1"] }).await;
        buy(&app, &["LAMP", "V0"]).await;
    }
    app.events("order_placed", 16).await;
    app.run(&["train"]).await;
    let config = setup(&format!("file:{}", folder.display())).config;
    app.configure(format!("{config}\n[back_in_stock]\nsweep_seconds = 1\n"));
    app.restart().await;
    let dearer = "sku,name,description,category,price_minor,currency,stock,image\n\
                  TEAPOT,The TEAPOT <b>,Round.,home,3999,GBP,1000,\n";
    app.run(&["import", "products", &app.write_file("dearer.csv", dearer)]).await;
    eventually("the price is known", async || {
        let product = app.call(reqwest::Method::GET, "/api/v1/products/TEAPOT", None, None).await;
        product.body["price_minor"] == 3_999
    })
    .await;

    order(&app.open_cart().await, "ada@example.org").await;
    let letter = letter_to(&folder, "ada", "order_confirmation").await;
    let (_, beside) = letter.text.split_once("Goes with it:").expect("what goes with it");
    for words in [
        "The TEAPOT <b>, £39.99\n    You bought The MUG: 8 of 8 such orders held this too\n",
        "https://tea.example/products/TEAPOT?from=mail.",
        "The V1, £5.01\n",
    ] {
        assert!(beside.contains(words), "{words} in {beside}");
    }
    for (words, why) in
        [("RARE", "it is sold out"), ("LAMP", "it goes with something else"), ("MUG?", "it was bought")]
    {
        assert!(!beside.contains(words), "{words} in {beside}: {why}");
    }
    assert!(
        letter.html.contains(">The TEAPOT &lt;b&gt;</a><br><small>You bought The MUG: 8 of 8"),
        "{}",
        letter.html
    );

    // A link counts for whoever opens it, once for each product; of who got the letter, nothing is kept.
    let link = beside.split_whitespace().find(|word| word.contains("/TEAPOT?")).unwrap();
    let path = link.strip_prefix("https://tea.example").unwrap();
    let elsewhere = app.open_cart().await;
    for _ in 0..2 {
        assert!(app.page(&elsewhere, path).await.contains("<h1"));
    }
    let clicked = app.events("shelf_clicked", 1).await;
    assert_eq!(
        (&clicked[0]["data"]["shelf"], &clicked[0]["data"]["sku"]),
        (&json!("mail"), &json!("TEAPOT"))
    );
    let shown = app.events("shelf_shown", 1).await;
    assert_eq!(shown[0]["data"]["items"].as_array().unwrap().len(), 2, "{shown:?}");
    let placed = app.events("order_placed", 17).await;
    assert!(placed.iter().all(|order| order["unit"] != shown[0]["unit"]), "the letter itself is told of");

    // Who wants no history kept gets what follows from the order, by links that say nothing.
    let shy = app.open_cart().await;
    let no = Some(json!({"kept": false}));
    assert_eq!(
        app.call(reqwest::Method::PATCH, "/api/v1/history", Some(shy.token()), no.as_ref()).await.status,
        200
    );
    order(&shy, "shy@example.org").await;
    let letter = letter_to(&folder, "shy", "order_confirmation").await;
    assert!(letter.text.contains("https://tea.example/products/TEAPOT\n"), "{}", letter.text);
    assert!(!letter.text.contains("from=") && !letter.html.contains("from="), "{}", letter.html);

    // What was waited for is what the letter is about.
    let wish = json!({"sku": "RARE", "email": "eve@example.org"});
    let asked = app.call(reqwest::Method::POST, "/api/v1/stock-requests", None, Some(&wish)).await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    let asked = letter_to(&folder, "eve", "stock_request").await;
    assert!(!asked.text.contains("Goes with it"), "{}", asked.text);
    let stock = app.write_file("stock.csv", "sku,location,stock\nRARE,main,9\n");
    app.run(&["import", "stock", &stock]).await;
    let back = letter_to(&folder, "eve", "back_in_stock").await;
    for words in
        ["Goes with it:", "Bought together with The RARE in 3 of its 3 orders", "/products/MUG?from=mail."]
    {
        assert!(back.text.contains(words), "{words} in {}", back.text);
    }
    assert_eq!(app.events("shelf_shown", 2).await.len(), 2);
}

fn has_drafts(folder: &Path) -> bool {
    std::fs::read_dir(folder)
        .unwrap()
        .any(|file| file.unwrap().file_name().to_string_lossy().ends_with(".draft"))
}
