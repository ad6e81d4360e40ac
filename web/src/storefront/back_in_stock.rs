//! The form of a product that is sold out, and the page on which who reads the letters ends their requests.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path, Payload, Query},
};

use super::{
    Front, Page, browse,
    cart::{refusal, sentence},
    form::Form,
    guest::Guest,
    html,
    pages::{Notice, StockRequestsPage, Tell, product_path},
    see_other,
};
use crate::{
    api::request::body_bytes,
    back_in_stock::{Wish, ask as keep, email_of, name_of, path_of},
    clock,
    problem::{Kind, Problem},
    users::door::client_address,
    wire::sku_of,
};

/// `POST /back-in-stock`: asks, and leads back to the product.
pub(super) async fn ask(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(asked(&front, &request, body)).await
}

async fn asked(front: &Front, request: &HttpRequest, body: Payload) -> Page {
    let shop = &front.shop;
    let form = Form::read(request, body, &shop.config.allowed_origins).await?;
    let (sku, email) = (form.text("sku"), form.text("email"));
    let wish = Wish { sku, email, currency: None };
    let notice = match keep(shop, &wish, client_address(request, &shop.config.limits)).await {
        Ok(product) => Some(Notice::Done(format!(
            "We will write to {} when {} is back.",
            email.trim(),
            name_of(&product)
        ))),
        Err(problem) if problem.kind() == Kind::InvalidDetails => {
            let error = problem
                .fields()
                .first()
                .map(|field| sentence(&format!("an e-mail address {}", field.message)));
            let tell =
                Tell { email: email.to_owned(), error, keep_days: shop.config.back_in_stock.keep_days };
            return browse::product_page(front, request, sku, Some(tell)).await;
        }
        Err(problem) => refusal(problem)?,
    };
    let guest = Guest::meet(shop, request).await?;
    Ok(see_other(&guest, &product_path(sku), notice))
}

/// `GET /back-in-stock/{token}`: what an address waits for. It ends nothing: mail programs follow links by themselves.
pub(super) async fn waiting(front: Data<Front>, request: HttpRequest, token: Path<String>) -> HttpResponse {
    front.serve(show(&front, &request, &token, None)).await
}

/// `POST /back-in-stock/{token}`: ends one request of an address, or all. Mail programs send it by themselves when a reader
/// wants no more letters (RFC 8058): with no cookie, from no page, as a form of either type, and they follow no redirect.
pub(super) async fn end(
    front: Data<Front>,
    request: HttpRequest,
    token: Path<String>,
    body: Payload,
) -> HttpResponse {
    front
        .serve(async {
            let email = email_of(&front.shop.keys, &token)?;
            let sku = chosen(&request, body).await?.as_deref().map(sku_of).transpose()?;
            front.shop.store.withdraw_stock_requests(&email, sku.as_ref()).await?;
            let done = match sku {
                Some(_) => "We will not write to you about that one.",
                None => "You wait for nothing any more.",
            };
            show(&front, &request, &token, Some(done)).await
        })
        .await
}

/// Returns the product whose request is to be ended, where the form names one.
async fn chosen(request: &HttpRequest, body: Payload) -> Result<Option<String>, Problem> {
    let bytes = body_bytes(body).await?;
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|h| h.to_str().ok());
    if !content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        return Ok(None);
    }
    let text = std::str::from_utf8(&bytes).map_err(|e| Problem::invalid_request(e.to_string()))?;
    let pairs = Query::<Vec<(String, String)>>::from_query(text);
    let pairs = pairs.map_err(|e| Problem::invalid_request(e.to_string()))?.into_inner();
    Ok(pairs.into_iter().find(|(name, _)| name == "sku").map(|(_, sku)| sku))
}

async fn show(front: &Front, request: &HttpRequest, token: &str, done: Option<&'static str>) -> Page {
    let shop = &front.shop;
    let email = email_of(&shop.keys, token)?;
    let requests = shop.store.stock_requests_of(&email, clock::now_ms()).await?;
    let catalogue = shop.catalogue.get();
    let page = StockRequestsPage::new(email, path_of(token), done, &requests, |sku| {
        catalogue.visible(sku).map(|product| name_of(product))
    });
    let guest = Guest::meet(shop, request).await?;
    let mut shell = front.shell_of(&guest, request);
    shell.index = false;
    html(&guest, request, StatusCode::OK, front.pages.stock_requests(&shell, &page))
}
