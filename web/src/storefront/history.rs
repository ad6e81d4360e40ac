//! What the shop remembers of whoever looks, and the switch and the button by which they say otherwise.

use std::{collections::HashSet, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use cart_core::{Product, Sku};

use super::{
    Front, Page,
    browse::{SHELF_LEN, shelf_cards},
    guest::Guest,
    html,
    pages::{Card, HistoryPage, Notice},
    see_other,
};
use crate::{
    catalogue::Catalogue,
    history::cookie,
    trails::{Act, Step},
};

/// Products that a message names: it travels in a cookie.
const NAMED_MAX: usize = 3;

/// Makes cards of what a guest looked at lately, the newest first, but of the product that they look at now.
pub(super) async fn seen(front: &Front, guest: &Guest, now: Option<&Sku>) -> Vec<Card> {
    let shop = &front.shop;
    let catalogue = shop.catalogue.get();
    let steps = shop.steps(&guest.visitor);
    let mut shown: HashSet<&Sku> = now.into_iter().collect();
    let viewed = steps.iter().rev().filter(|step| step.act == Act::Viewed && shown.insert(&step.sku));
    let products: Vec<Arc<Product>> =
        viewed.filter_map(|step| catalogue.visible(&step.sku).cloned()).take(SHELF_LEN).collect();
    if products.is_empty() {
        return vec![];
    }
    shelf_cards(shop, &guest.price_question(shop), &products).await
}

/// `GET /history`.
pub(super) async fn page(front: Data<Front>, request: HttpRequest) -> HttpResponse {
    front.serve(show(&front, &request)).await
}

async fn show(front: &Front, request: &HttpRequest) -> Page {
    let shop = &front.shop;
    let guest = Guest::meet(shop, request).await?;
    let catalogue = shop.catalogue.get();
    let remembered = shop.remembered(&guest.visitor).await?;
    let page = HistoryPage::new(&remembered, |sku| catalogue.visible(sku).cloned());
    let mut shell = front.shell_of(&guest, request);
    shell.index = false;
    html(&guest, request, StatusCode::OK, front.pages.history(&shell, &page))
}

/// `POST /history`: keeps none, keeps one again, or forgets what there is.
pub(super) async fn change(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(changed(&front, &request, body)).await
}

async fn changed(front: &Front, request: &HttpRequest, body: Payload) -> Page {
    let shop = &front.shop;
    let (form, guest) = front.sent(request, body).await?;
    if form.get("delete").is_some() {
        let deleted = shop.delete_history(&guest.visitor).await?;
        let notice = Notice::Done(in_words(&deleted, &shop.catalogue.get()));
        return Ok(see_other(&guest, "/history", Some(notice)));
    }
    let is_kept = form.text("keep") == "1";
    shop.keep_history(&guest.visitor, is_kept).await?;
    let words = match is_kept {
        true => "From now on we remember what you look at.",
        false => "From now on we remember nothing of what you look at.",
    };
    let mut response = see_other(&guest, "/history", Some(Notice::Done(words.into())));
    // One cookie more cannot break an answer.
    let _ = response.add_cookie(&cookie(is_kept));
    Ok(response)
}

/// Says what was deleted.
fn in_words(steps: &[Step], catalogue: &Catalogue) -> String {
    let mut skus = HashSet::new();
    let products: Vec<&Sku> =
        steps.iter().rev().map(|step| &step.sku).filter(|sku| skus.insert(*sku)).collect();
    if products.is_empty() {
        return "There was nothing of late to forget. What is older is forgotten too.".into();
    }
    let name = |sku: &&Sku| catalogue.product(sku).map_or_else(|| sku.to_string(), |p| p.name.clone());
    let mut named: Vec<String> = products.iter().take(NAMED_MAX).map(name).collect();
    if products.len() > NAMED_MAX {
        named.push(format!("{} more", products.len() - NAMED_MAX));
    }
    let last = named.pop().unwrap_or_default();
    let all = if named.is_empty() { last } else { format!("{} and {last}", named.join(", ")) };
    format!("Forgotten: that you looked at {all}, and all that came before.")
}
