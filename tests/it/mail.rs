//! Letters to shoppers: every order is confirmed, whatever the mail server and a crash do.

use std::{collections::BTreeSet, path::Path};

use harness::{
    Shopper, Store, TestApp,
    app::Setup,
    letters::{self, LetterFile},
    mailbox::Mailbox,
    shopper::complete_step,
};
use serde_json::{Value, json};

on_each_store!(
    an_order_is_confirmed_by_a_letter_with_its_exact_sums,
    a_mail_server_that_refuses_first_gets_every_letter_and_dead_ones_hold_nothing_up,
    letters_survive_a_kill,
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

fn has_drafts(folder: &Path) -> bool {
    std::fs::read_dir(folder)
        .unwrap()
        .any(|file| file.unwrap().file_name().to_string_lossy().ends_with(".draft"))
}
