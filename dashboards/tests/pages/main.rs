//! Every page in every state, as a browser gets it.

mod every;
mod experiment;
mod form;

use std::sync::LazyLock;

use dashboards::{Pages, samples};

fn pages() -> Pages {
    Pages::new().unwrap_or_else(|error| panic!("{error}"))
}

/// Every sample page by name, rendered once: a calculator that answers for any look integrates for seconds.
fn rendered() -> &'static [(String, String)] {
    static RENDERED: LazyLock<Vec<(String, String)>> =
        LazyLock::new(|| samples::render_all(&pages()).unwrap_or_else(|error| panic!("{error}")));
    &RENDERED
}

fn page(name: &str) -> String {
    let found = rendered().iter().find(|(other, _)| other == name);
    found.unwrap_or_else(|| panic!("no page {name}")).1.clone()
}

/// The text of a page without tags, blanks run together.
fn text(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for letter in html.chars() {
        match letter {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                text.push(' ');
            }
            other if !is_tag => text.push(other),
            _ => {}
        }
    }
    text.replace("&#39;", "'")
        .replace("&quot;", "\"")
        .replace('\u{a0}', " ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// The page without the one script that it may have.
fn without_our_script(html: &str) -> String {
    html.replacen(r#"<script src="/admin/static/form.js" defer></script>"#, "", 1)
}

#[test]
fn a_purse_says_what_moved_it_and_what_was_left_each_time() {
    let html = page("gift-card");
    let rows: Vec<String> = html.split("<tr role=\"row\">").skip(2).map(text).collect();
    for (row, words) in rows.iter().zip([
        ["Given back of order", "o5f2c9e", "+£2.50", "£15.00"],
        ["Paid for order", "o5f2c9e", "−£12.50", "£12.50"],
        ["Issued", "", "+£25.00", "£25.00"],
    ]) {
        assert!(words.iter().all(|word| row.contains(word)), "{words:?} in {row}");
    }
    assert!(page("gift-card-stopped").contains("Let it pay again"));
    assert!(page("gift-cards-issued").contains("<code>ABCD-EFGH-2345-6789</code>"));
    assert!(page("customers-nobody").contains("Nobody found"));
}

#[test]
fn an_empty_shop_invites() {
    let text = text(&page("overview-empty"));
    assert!(
        text.contains("No experiments yet") && text.contains("Create the first one") && text.contains("¥0")
    );
}

#[test]
fn of_a_models_methods_the_one_that_serves_stands_in_the_open() {
    let html = page("shelves");
    let (_, model) = html.split_once("id=\"model\"").unwrap();
    let (open, folded) = model.split_once("<details>").unwrap();
    let (open, read) = (text(open), text(folded));
    assert!(open.contains("The product taken out of a basket ranked 9,412 44.00 %"), "{open}");
    assert!(open.contains("83.00 % 44.70 % weighted"), "the best of the others beside it: {open}");
    assert!(!open.contains("cosine") && !open.contains("popularity"), "{open}");
    assert!(read.contains("The product taken out of a basket: all 4 methods"), "{read}");
    assert!(read.contains("ranked fills shelves now candidates of many lists"), "{read}");
    let order = ["weighted", "ranked", "cosine", "popularity"];
    let (_, basket) = read.split_once("all 4 methods").unwrap();
    let places = order.map(|method| basket.find(&format!("{method} ")));
    assert!(places.is_sorted() && places[0].is_some(), "the best comes first: {basket}");
    assert!(!read.contains("all 1 methods"), "a method alone has nothing beside it");
}
