//! The checkout, in steps or on one page, and the page that says thank you.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    http::StatusCode,
    web::{Data, Path, Payload},
};
use cart_core::{Cart, Command, FieldError, OrderId, Product, Sku, Stage, Step, StepDetails};

use super::{
    Front, Page,
    browse::{SHELF_LEN, shelf},
    cart::{refusal, run, sentence, view},
    form::Form,
    guest::Guest,
    html,
    pages::{CheckoutPage, Confirmation, Entered, Notice},
    see_other,
};
use crate::{
    checkout::{Placing, place_order},
    problem::{Problem, accepted},
    shop::Shop,
};

/// Carries the chosen card from the payment step to the last one.
const CARD_COOKIE: &str = "cartwright_card";

/// Returns the cart that is being checked out.
fn in_checkout(guest: &Guest) -> Option<Arc<Cart>> {
    let is_on_the_way = |c: &&Arc<Cart>| matches!(c.stage, Stage::Checkout { .. }) && !c.lines.is_empty();
    guest.cart.as_ref().filter(is_on_the_way).cloned()
}

/// Returns where a checkout goes on.
fn next_path(cart: &Cart) -> String {
    match cart.next_step().or_else(|| cart.workflow.steps().last().copied()) {
        Some(step) if !CheckoutPage::is_single(cart) => format!("/checkout/{step}"),
        _ => "/checkout".into(),
    }
}

/// `POST /checkout/start`.
pub(super) async fn start(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front
        .serve(async {
            Form::read(&request, body, &front.shop.config.allowed_origins).await?;
            let guest = Guest::meet(&front.shop, &request).await?;
            let Some(cart) = &guest.cart else { return Ok(see_other(&guest, "/cart", None)) };
            match run(&front.shop, &guest, cart, Command::StartCheckout).await {
                Ok(accepted) => Ok(see_other(&guest, &next_path(&accepted.cart), None)),
                Err(problem) => Ok(see_other(&guest, "/cart", refusal(problem)?)),
            }
        })
        .await
}

/// `GET /checkout`: the single page, or the step that is next.
pub(super) async fn page(front: Data<Front>, request: HttpRequest) -> HttpResponse {
    front
        .serve(async {
            let guest = Guest::meet(&front.shop, &request).await?;
            let Some(cart) = in_checkout(&guest) else { return Ok(see_other(&guest, "/cart", None)) };
            match CheckoutPage::is_single(&cart) {
                true => show(&front, &request, &guest, &cart, None, &Entered::default(), StatusCode::OK),
                false => Ok(see_other(&guest, &next_path(&cart), None)),
            }
        })
        .await
}

/// `GET /checkout/{step}`: a step that is next, or done and looked at again.
pub(super) async fn step(front: Data<Front>, request: HttpRequest, step: Path<String>) -> HttpResponse {
    front
        .serve(async {
            let guest = Guest::meet(&front.shop, &request).await?;
            let Some(cart) = in_checkout(&guest) else { return Ok(see_other(&guest, "/cart", None)) };
            let wanted = Step::from_name(&step)
                .filter(|s| cart.next_step() == Some(*s) || cart.completed().contains(s))
                .filter(|_| !CheckoutPage::is_single(&cart));
            match wanted {
                Some(step) => {
                    show(&front, &request, &guest, &cart, Some(step), &Entered::default(), StatusCode::OK)
                }
                None => Ok(see_other(&guest, &next_path(&cart), None)),
            }
        })
        .await
}

fn show(
    front: &Front,
    request: &HttpRequest,
    guest: &Guest,
    cart: &Cart,
    step: Option<Step>,
    entered: &Entered,
    status: StatusCode,
) -> Page {
    let quote = front.shop.quote(cart);
    let cart_view = view(&front.shop, cart);
    let page = match step {
        Some(step) => {
            let card = request.cookie(CARD_COOKIE).map(|c| c.value().to_owned());
            CheckoutPage::step(cart, &quote, cart_view, step, card, entered)
        }
        None => CheckoutPage::single(cart, &quote, cart_view, entered),
    };
    let mut shell = front.shell_of(guest, request);
    shell.index = false;
    html(guest, request, status, front.pages.checkout(&shell, &page))
}

fn details(step: Step, form: &Form) -> Result<StepDetails, Vec<FieldError>> {
    StepDetails::parse(step, |field| form.get(field).map(str::to_owned))
}

/// `POST /checkout/{step}`: completes a step and leads on.
pub(super) async fn complete(
    front: Data<Front>,
    request: HttpRequest,
    step: Path<String>,
    body: Payload,
) -> HttpResponse {
    front.serve(complete_step(&front, &request, &step, body)).await
}

async fn complete_step(front: &Front, request: &HttpRequest, step: &str, body: Payload) -> Page {
    let shop = &front.shop;
    let form = Form::read(request, body, &shop.config.allowed_origins).await?;
    let guest = Guest::meet(shop, request).await?;
    let Some(cart) = in_checkout(&guest) else { return Ok(see_other(&guest, "/cart", None)) };
    let Some(step) = Step::from_name(step) else {
        return Ok(see_other(&guest, &next_path(&cart), None));
    };
    let details = match details(step, &form) {
        Ok(details) => details,
        Err(errors) => {
            let entered = Entered { fields: form.into_fields(), errors, problem: None };
            return show(
                front,
                request,
                &guest,
                &cart,
                Some(step),
                &entered,
                StatusCode::UNPROCESSABLE_ENTITY,
            );
        }
    };
    match run(shop, &guest, &cart, Command::CompleteStep(details)).await {
        Ok(accepted) => {
            let mut response = see_other(&guest, &next_path(&accepted.cart), None);
            if let Some(card) = form.get("payment_token").filter(|_| step == Step::Payment) {
                let cookie = Cookie::build(CARD_COOKIE, card.to_owned())
                    .path("/checkout")
                    .http_only(true)
                    .same_site(SameSite::Lax)
                    .max_age(Duration::hours(1))
                    .finish();
                response.add_cookie(&cookie).map_err(|e| Problem::invalid_request(e.to_string()))?;
            }
            Ok(response)
        }
        Err(problem) => Ok(see_other(&guest, &next_path(&cart), refusal(problem)?)),
    }
}

/// `POST /checkout/order`: completes the last step and places the order.
pub(super) async fn order(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(finish(&front, &request, body)).await
}

/// `POST /checkout/express`: all steps at once, and the order.
pub(super) async fn express(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(finish(&front, &request, body)).await
}

/// Completes every step that the form brings and that is not done, and places the order.
async fn finish(front: &Front, request: &HttpRequest, body: Payload) -> Page {
    let shop = &front.shop;
    let form = Form::read(request, body, &shop.config.allowed_origins).await?;
    let guest = Guest::meet(shop, request).await?;
    let Some(cart) = guest.cart.clone() else {
        // The order was placed by an earlier click, perhaps: its page is where a shopper wants to be.
        return Ok(match shop.store.orders_of(&guest.visitor.id, 1).await?.first() {
            Some(order) => see_other(&guest, &format!("/orders/{}", order.order_id), None),
            None => see_other(&guest, "/cart", None),
        });
    };
    let is_single = CheckoutPage::is_single(&cart);
    let shown = if is_single { None } else { cart.workflow.steps().last().copied() };
    let steps: Vec<Step> = match is_single {
        true => cart.workflow.steps().to_vec(),
        false => cart.next_step().into_iter().filter(|s| Some(*s) == shown).collect(),
    };
    let (mut completed, mut errors) = (vec![], vec![]);
    for step in steps {
        match details(step, &form) {
            Ok(details) => completed.push(details),
            Err(wrong) => errors.extend(wrong),
        }
    }
    let token = form.text("payment_token").to_owned();
    let again = |cart: &Cart, errors: Vec<FieldError>, problem: Option<String>, status| {
        let entered = Entered { fields: form.clone().into_fields(), errors, problem };
        show(front, request, &guest, cart, shown, &entered, status)
    };
    if !errors.is_empty() {
        return again(&cart, errors, None, StatusCode::UNPROCESSABLE_ENTITY);
    }
    match place(shop, &guest, &cart, completed, token).await {
        Ok(order) => {
            let thanks = Some(Notice::Done("Thank you! Your order is on its way to us.".into()));
            Ok(see_other(&guest, &format!("/orders/{order}"), thanks))
        }
        Err(problem) if problem.status().is_server_error() && problem.name() != "payment_timeout" => {
            Err(problem)
        }
        Err(problem) => {
            let newest = shop.current_cart(&guest.visitor.id).await?.unwrap_or(cart);
            again(&newest, vec![], Some(sentence(problem.detail())), problem.status())
        }
    }
}

async fn place(
    shop: &Shop,
    guest: &Guest,
    cart: &Cart,
    completed: Vec<StepDetails>,
    payment_token: String,
) -> Result<OrderId, Problem> {
    if cart.stage == Stage::Open {
        run(shop, guest, cart, Command::StartCheckout).await?;
    }
    for details in completed {
        run(shop, guest, cart, Command::CompleteStep(details)).await?;
    }
    let placing = Placing {
        cart: cart.id.clone(),
        caller: guest.visitor.id.clone(),
        expected_version: None,
        payment_token,
        key: None,
    };
    let answer = place_order(&shop.carts, &*shop.payment, placing).await?;
    let accepted = accepted(answer)?;
    accepted.cart.order_id().cloned().ok_or_else(|| {
        Problem::new(
            StatusCode::CONFLICT,
            "not_ordered",
            "the order was not placed; look the cart over and try again",
        )
    })
}

/// `GET /orders/{id}`: the confirmation, for whoever placed the order.
pub(super) async fn confirmation(front: Data<Front>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    front.serve(confirmation_page(&front, &request, &id)).await
}

async fn confirmation_page(front: &Front, request: &HttpRequest, id: &str) -> Page {
    let shop = &front.shop;
    let guest = Guest::meet(shop, request).await?;
    let unknown = || Problem::not_found("unknown_order", "you have no such order");
    let id = OrderId::parse(id).map_err(|_| unknown())?;
    let order = shop.store.order(&id).await?.filter(|o| o.owner == guest.visitor.id).ok_or_else(unknown)?;
    let cart = accepted(shop.carts.read(order.cart.clone(), guest.visitor.id.clone()).await?)?.cart;
    let catalogue = shop.catalogue.get();
    let chosen = shop.shelves.for_history(&catalogue, std::slice::from_ref(&order), SHELF_LEN);
    let suggested = shelf(shop, "Recommended for you", chosen).await?;
    let product = |sku: &Sku| -> Option<&Product> { catalogue.product(sku).map(|p| &**p) };
    let page = Confirmation::of(&cart, &shop.quote(&cart), &order, product, suggested);
    let mut shell = front.shell_of(&guest, request);
    shell.index = false;
    html(&guest, request, StatusCode::OK, front.pages.confirmation(&shell, &page))
}
