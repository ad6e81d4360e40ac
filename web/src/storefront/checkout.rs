//! The checkout, in steps or on one page, and the page that says thank you.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    http::StatusCode,
    web::{Data, Path, Payload},
};
use cart_core::{
    Address, Asked, AttemptState, Cart, Command, FieldError, OrderId, OrderStatus, Product, Sku, Stage, Step,
    StepDetails,
};

use super::{
    Front, Page,
    browse::{SHELF_LEN, shelf, shelf_for},
    cart::{refusal, run, sentence, view},
    codes::{Redeemed, redeem},
    form::Form,
    guest::Guest,
    html,
    note::typed,
    pages::{CheckoutPage, Confirmation, Entered, Notice, parcels},
    payment::newest_order,
    see_other,
};
use crate::{
    checkout::Placing,
    clock,
    problem::{Kind, Problem, accepted},
    shelves::{About, ShelfName},
    shop::Shop,
    store::{Answer, OrderQuery},
};

/// Carries the chosen card from the payment step to the last one.
const CARD_COOKIE: &str = "cartwright_card";

/// Returns the cart that is being checked out.
pub(super) fn in_checkout(guest: &Guest) -> Option<Arc<Cart>> {
    let is_on_the_way = |c: &&Arc<Cart>| matches!(c.stage, Stage::Checkout { .. }) && !c.lines.is_empty();
    guest.cart.as_ref().filter(is_on_the_way).cloned()
}

/// Returns where a checkout goes on.
fn next_path(cart: &Cart) -> String {
    match cart.next_step().or_else(|| cart.steps().next_back()) {
        Some(step) if !CheckoutPage::is_single(cart) => format!("/checkout/{step}"),
        _ => "/checkout".into(),
    }
}

/// `POST /checkout/start`.
pub(super) async fn start(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front
        .serve(async {
            let (_, guest) = front.sent(&request, body).await?;
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
                true => {
                    let entered = remembered(&front.shop, &guest, &cart).await;
                    show(&front, &request, &guest, &cart, None, &entered, StatusCode::OK)
                }
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
                    let entered = match step {
                        Step::Contact if cart.contact.is_some() => Entered::default(),
                        Step::Contact | Step::Address => remembered(&front.shop, &guest, &cart).await,
                        _ => Entered::default(),
                    };
                    show(&front, &request, &guest, &cart, Some(step), &entered, StatusCode::OK)
                }
                None => Ok(see_other(&guest, &next_path(&cart), None)),
            }
        })
        .await
}

/// Returns the step on whose page a form was sent, where its checkout has a page for each.
pub(super) fn step_of(cart: &Cart, form: &Form) -> Option<Step> {
    match CheckoutPage::is_single(cart) {
        true => None,
        false => Step::from_name(form.text("step"))
            .filter(|step| cart.steps().any(|other| other == *step))
            .or(cart.next_step())
            .or(cart.steps().next_back()),
    }
}

/// Fills the address in as a user's last order had it; it is theirs to change. What cannot be found is typed.
async fn remembered(shop: &Shop, guest: &Guest, cart: &Cart) -> Entered {
    let Some(login) = guest.visitor.login().filter(|_| cart.address.is_none()) else {
        return Entered::default();
    };
    let query = OrderQuery { owner: Some(login.user.clone()), ..OrderQuery::default() };
    let last = shop.store.find_orders(&query, 1).await.ok().and_then(|orders| orders.into_iter().next());
    let read = match last {
        Some(order) => shop.carts.read(order.cart, login.user.clone()).await.ok(),
        None => None,
    };
    let known = match read {
        Some(Answer::Accepted(accepted)) => accepted.cart.address.clone(),
        _ => None,
    };
    let fields = match known {
        Some(Address { email, name, street, city, postcode, country, region }) => vec![
            ("email", email),
            ("name", name),
            ("street", street),
            ("city", city),
            ("postcode", postcode),
            ("country", country),
            ("region", region),
        ],
        None => vec![("email", login.email.clone()), ("name", login.name.clone())],
    };
    Entered {
        fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..Entered::default()
    }
}

/// Shows a page of the checkout: a step of it, or all of it.
pub(super) fn show(
    front: &Front,
    request: &HttpRequest,
    guest: &Guest,
    cart: &Cart,
    step: Option<Step>,
    entered: &Entered,
    status: StatusCode,
) -> Page {
    let cart = &*CheckoutPage::shown(cart, &front.shop.quote(cart), entered);
    let quote = front.shop.quote(cart);
    let cart_view = view(&front.shop, cart);
    let taxes = front.shop.terms.get();
    let taxes = &taxes.taxes;
    let page = match step {
        Some(step) => {
            let card = request.cookie(CARD_COOKIE).map(|c| c.value().to_owned());
            CheckoutPage::step(cart, &quote, cart_view, step, card, entered).asking(cart, taxes)
        }
        None => CheckoutPage::single(cart, &quote, cart_view, entered).asking(cart, taxes),
    };
    let page = if guest.visitor.login().is_some() { page.for_user() } else { page };
    let mut shell = front.shell_of(guest, request);
    shell.index = false;
    if let Some(done) = &entered.done {
        shell.notice = Some(Notice::Done(done.clone()));
    }
    html(guest, request, status, front.pages.checkout(&shell, &page))
}

fn details(shop: &Shop, cart: &Cart, step: Step, form: &Form) -> Result<StepDetails, Vec<FieldError>> {
    let asked = Asked::of(cart, &shop.terms.get().taxes, form.text("country"));
    StepDetails::parse(step, asked, |field| form.get(field).map(str::to_owned))
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
    let (form, guest) = front.sent(request, body).await?;
    let Some(mut cart) = in_checkout(&guest) else { return Ok(see_other(&guest, "/cart", None)) };
    let Some(step) = Step::from_name(step) else {
        return Ok(see_other(&guest, &next_path(&cart), None));
    };
    // Who typed a code and went on without applying it meant it all the same.
    match redeem(shop, request, &guest, &cart, &form).await? {
        Redeemed::Nothing => {}
        Redeemed::Done(changed) => cart = changed,
        Redeemed::Refused(field) => {
            let entered = Entered { fields: form.into_fields(), redeem: field, ..Entered::default() };
            let step = Some(step).filter(|_| !CheckoutPage::is_single(&cart));
            return show(front, request, &guest, &cart, step, &entered, StatusCode::UNPROCESSABLE_ENTITY);
        }
    }
    let details = match details(shop, &cart, step, &form) {
        Ok(details) => details,
        Err(errors) => {
            let entered = Entered { fields: form.into_fields(), errors, ..Entered::default() };
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
        Err(problem) if !problem.fields().is_empty() => {
            let step = match problem.kind() {
                Kind::AddressNotServed => Step::Address,
                _ => step,
            };
            let entered = Entered {
                fields: form.into_fields(),
                errors: problem.fields().to_vec(),
                ..Entered::default()
            };
            show(front, request, &guest, &cart, Some(step), &entered, problem.status())
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
    let (form, guest) = front.sent(request, body).await?;
    let Some(cart) = guest.cart.clone() else {
        // The order was placed by an earlier click, perhaps.
        return newest_order(shop, &guest).await;
    };
    let is_single = CheckoutPage::is_single(&cart);
    let shown = if is_single { None } else { cart.steps().next_back() };
    let redeemed = redeem(shop, request, &guest, &cart, &form).await?;
    if !matches!(redeemed, Redeemed::Nothing) {
        return before_paying(front, request, &guest, cart, shown, form, redeemed);
    }
    let steps: Vec<Step> = match is_single {
        true => cart.steps().collect(),
        false => cart.next_step().into_iter().filter(|s| Some(*s) == shown).collect(),
    };
    let (mut completed, mut errors) = (vec![], vec![]);
    for step in steps {
        match details(shop, &cart, step, &form) {
            Ok(details) => completed.push(details),
            Err(wrong) => errors.extend(wrong),
        }
    }
    let note = match typed(&form) {
        Ok(note) => note,
        Err(wrong) => {
            errors.push(wrong);
            None
        }
    };
    let token = form.text("payment_token").to_owned();
    let again = |cart: &Cart, errors: Vec<FieldError>, problem: Option<String>, status| {
        let entered = Entered { fields: form.clone().into_fields(), errors, problem, ..Entered::default() };
        show(front, request, &guest, cart, shown, &entered, status)
    };
    if !errors.is_empty() {
        return again(&cart, errors, None, StatusCode::UNPROCESSABLE_ENTITY);
    }
    match place(shop, &guest, &cart, completed, note, token).await {
        Ok(Placed::Challenged(url)) => Ok(see_other(&guest, &url, None)),
        Ok(Placed::Order(order)) => {
            let thanks = Some(Notice::Done("Thank you! Your order is on its way to us.".into()));
            Ok(see_other(&guest, &format!("/orders/{order}"), thanks))
        }
        Err(problem) if problem.status().is_server_error() && problem.name() != "payment_timeout" => {
            Err(problem)
        }
        Err(problem) => {
            let newest = shop.current_cart(&guest.visitor.id).await?.unwrap_or(cart);
            let fields = problem.fields().to_vec();
            let said = fields.is_empty().then(|| sentence(problem.detail()));
            again(&newest, fields, said, problem.status())
        }
    }
}

/// Whoever typed a code and did not apply it sees what it does before they pay.
fn before_paying(
    front: &Front,
    request: &HttpRequest,
    guest: &Guest,
    cart: Arc<Cart>,
    shown: Option<Step>,
    form: Form,
    redeemed: Redeemed,
) -> Page {
    let mut entered = Entered { fields: form.into_fields(), ..Entered::default() };
    let (cart, status) = match redeemed {
        Redeemed::Refused(field) => {
            entered.redeem = field;
            (cart, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Redeemed::Done(changed) => {
            entered.done = Some("Your code is applied. Look the sum over, then place the order.".into());
            (changed, StatusCode::OK)
        }
        Redeemed::Nothing => (cart, StatusCode::OK),
    };
    show(front, request, guest, &cart, shown, &entered, status)
}

/// Is what came of placing an order.
enum Placed {
    Order(OrderId),
    /// The shopper is to confirm the payment there.
    Challenged(String),
}

async fn place(
    shop: &Shop,
    guest: &Guest,
    cart: &Cart,
    completed: Vec<StepDetails>,
    note: Option<String>,
    payment_token: String,
) -> Result<Placed, Problem> {
    if let Some(text) = note.filter(|text| *text != cart.note) {
        run(shop, guest, cart, Command::SetNote { text }).await?;
    }
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
    let cart = accepted(shop.checkout.place_order(placing).await?)?.cart;
    match (cart.order_id(), cart.payment().map(|attempt| &attempt.state)) {
        (Some(order), _) => Ok(Placed::Order(order.clone())),
        (None, Some(AttemptState::Challenged { url })) => Ok(Placed::Challenged(url.clone())),
        (None, _) => {
            Err(Problem::new(Kind::NotOrdered, "the order was not placed; look the cart over and try again"))
        }
    }
}

/// `GET /orders/{id}`: the confirmation, for whoever placed the order.
pub(super) async fn confirmation(front: Data<Front>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    front.serve(confirmation_page(&front, &request, &id)).await
}

async fn confirmation_page(front: &Front, request: &HttpRequest, id: &str) -> Page {
    let shop = &front.shop;
    let guest = Guest::meet(shop, request).await?;
    let unknown = || Problem::new(Kind::UnknownOrder, "you have no such order");
    let id = OrderId::parse(id).map_err(|_| unknown())?;
    let order = shop.store.order(&id).await?.filter(|o| o.owner == guest.visitor.id).ok_or_else(unknown)?;
    let cart = accepted(shop.carts.read(order.cart.clone(), guest.visitor.id.clone()).await?)?.cart;
    let catalogue = shop.catalogue.get();
    let about = About::Shopper { orders: vec![order.clone()], trail: vec![] };
    let chosen = shelf_for(shop, ShelfName::Recommended, about, &guest, SHELF_LEN).await;
    let suggested = shelf(shop, &guest, "Recommended for you", chosen).await;
    let product = |sku: &Sku| -> Option<&Product> { catalogue.product(sku).map(|p| &**p) };
    let mut page =
        Confirmation::of(&cart, &shop.quote(&cart), &order, product, shop.config.mail.is_sent(), suggested);
    let age_ms = clock::now_ms() - order.placed_at_ms;
    page.parcels = parcels(&order, &shop.terms.get().locations);
    page.can_cancel = order.state.status == OrderStatus::Placed && age_ms <= shop.terms.get().cancel_ms;
    let mut shell = front.shell_of(&guest, request);
    shell.index = false;
    html(&guest, request, StatusCode::OK, front.pages.confirmation(&shell, &page))
}
