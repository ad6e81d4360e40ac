//! The pages of orders: a shopper's own, one that a guest looks up, and the button that cancels.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload, Query},
};
use cart_core::{Order, OrderId};
use serde::Deserialize;

use super::{
    Front, Page,
    cart::{refusal, sentence},
    filled::told,
    form::Form,
    guest::Guest,
    html,
    pages::{FoundOrder, LookUpPage, Notice, OrderRow, OrdersPage},
    see_other,
};
use crate::{
    api::{
        orders::{AfterOrder, find_for_guest, page_of},
        page::{CursorText, PAGE_DEFAULT},
    },
    checkout::orders::OrderChange,
    filling::{Wanted, fill},
    problem::{Kind, Problem, accepted},
    shop::Shop,
    store::OrderQuery,
};

#[derive(Deserialize)]
pub(super) struct Where {
    cursor: Option<CursorText>,
}

/// `GET /orders`: the visitor's own.
pub(super) async fn list(front: Data<Front>, request: HttpRequest, place: Query<Where>) -> HttpResponse {
    front
        .serve(async {
            let shop = &front.shop;
            let guest = Guest::meet(shop, &request).await?;
            let after = place.cursor.as_ref().map(CursorText::decode::<AfterOrder>).transpose()?;
            let query = OrderQuery {
                owner: Some(guest.visitor.id.clone()),
                before: after.map(|AfterOrder(at_ms, id)| (at_ms, id)),
                ..OrderQuery::default()
            };
            let found = page_of(shop, query, PAGE_DEFAULT).await?;
            let page = OrdersPage {
                orders: found.entries.iter().map(OrderRow::from).collect(),
                next: found.next_cursor.map(|cursor| format!("/orders?cursor={cursor}")),
            };
            let mut shell = front.shell_of(&guest, &request);
            shell.index = false;
            html(&guest, &request, StatusCode::OK, front.pages.orders(&shell, &page))
        })
        .await
}

/// `GET /orders/lookup`: the form.
pub(super) async fn look_up(front: Data<Front>, request: HttpRequest) -> HttpResponse {
    front.serve(show_look_up(&front, &request, StatusCode::OK, LookUpPage::default())).await
}

async fn show_look_up(front: &Front, request: &HttpRequest, status: StatusCode, page: LookUpPage) -> Page {
    let guest = Guest::meet(&front.shop, request).await?;
    let mut shell = front.shell_of(&guest, request);
    shell.index = false;
    html(&guest, request, status, front.pages.look_up(&shell, &page))
}

/// `POST /orders/lookup`: the order of a guest.
pub(super) async fn find(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front
        .serve(async {
            let form = Form::read(&request, body, &front.shop.config.allowed_origins).await?;
            let typed = LookUpPage {
                order: form.text("order").to_owned(),
                email: form.text("email").to_owned(),
                ..LookUpPage::default()
            };
            let found = find_for_guest(&front.shop, &request, &typed.order, &typed.email).await;
            let (status, page) = match found {
                Ok(order) => {
                    let found = FoundOrder::of(&order, &front.shop.terms.get().locations);
                    (StatusCode::OK, LookUpPage { found: Some(found), ..typed })
                }
                Err(problem) if problem.status().is_client_error() => {
                    (problem.status(), LookUpPage { problem: Some(sentence(problem.detail())), ..typed })
                }
                Err(problem) => return Err(problem),
            };
            show_look_up(&front, &request, status, page).await
        })
        .await
}

/// `POST /orders/{id}/cancel`: cancels, for whoever placed it.
pub(super) async fn cancel(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
    body: Payload,
) -> HttpResponse {
    front
        .serve(async {
            let shop = &front.shop;
            let (_, guest) = front.sent(&request, body).await?;
            let order = own(shop, &guest, &id).await?;
            let id = order.order_id.clone();
            let owner = Some(guest.visitor.id.clone());
            let answer = shop.checkout.change_order(order, owner, OrderChange::Cancel, None).await?;
            let notice = match accepted(answer) {
                Ok(_) => {
                    Some(Notice::Done("The order is cancelled. What you paid is on its way back.".into()))
                }
                Err(problem) => refusal(problem)?,
            };
            Ok(see_other(&guest, &format!("/orders/{id}"), notice))
        })
        .await
}

/// `POST /orders/{id}/again`: puts what an order had into the cart, and says what could not be had.
pub(super) async fn again(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
    body: Payload,
) -> HttpResponse {
    front
        .serve(async {
            let shop = &front.shop;
            let (_, mut guest) = front.sent(&request, body).await?;
            let order = own(shop, &guest, &id).await?;
            let cart = guest.cart_or_open(shop).await?;
            let wanted = Wanted::of_order(&order, &shop.catalogue.get());
            let filled = fill(&shop.carts, &cart.id, &guest.visitor.id, None, wanted).await?;
            Ok(see_other(&guest, "/cart", Some(told(&filled))))
        })
        .await
}

async fn own(shop: &Shop, guest: &Guest, id: &str) -> Result<Order, Problem> {
    let unknown = || Problem::new(Kind::UnknownOrder, "you have no such order");
    let id = OrderId::parse(id).map_err(|_| unknown())?;
    shop.store.order(&id).await?.filter(|o| o.owner == guest.visitor.id).ok_or_else(unknown)
}
