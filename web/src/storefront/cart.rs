//! The cart page and the forms that change a cart.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use cart_core::{Cart, CartLayout, Command, LineId, Product, Properties, Request, Sku};
use futures_util::join;

use super::{
    Front, Page,
    browse::{SHELF_LEN, shelf, shelf_for},
    form::Form,
    guest::Guest,
    html,
    lists::save_line,
    note::form_text,
    pages::{
        CartPage, CartView, NoteField, Notice, PROPERTY_PREFIX, Redeem, ShareRow, product_path, with_prices,
    },
    see_other,
};
use crate::{
    clock,
    definitions::Asker,
    problem::{Problem, accepted},
    shelves::{
        About, ShelfName,
        report::{Report, Told},
    },
    shop::Shop,
    store::Accepted,
    wire::{line_of, promotion_of, properties_of, sku_of},
};

/// The most products that one form adds: a set is what one looks over at a glance.
const SET_MAX: usize = 6;

/// Shows a cart with the pictures of today's catalogue.
pub(super) fn view(shop: &Shop, cart: &Cart) -> CartView {
    let catalogue = shop.catalogue.get();
    let product = |sku: &Sku| -> Option<&Product> { catalogue.product(sku).map(|p| &**p) };
    CartView::of(cart, &shop.quote(cart), clock::now_ms(), product)
}

/// `GET /cart`.
pub(super) async fn page(front: Data<Front>, request: HttpRequest) -> HttpResponse {
    front
        .serve(async {
            let guest = Guest::meet(&front.shop, &request).await?;
            cart_page(&front, &request, &guest, Left::default(), StatusCode::OK).await
        })
        .await
}

/// Is what a form of the cart's page brought that was refused, to be shown again.
#[derive(Default)]
pub(super) struct Left {
    /// The field for codes.
    pub redeem: Redeem,
    /// The field for the note, where that is what was sent.
    pub note: Option<NoteField>,
}

/// Shows the cart, with its fields as they were left.
pub(super) async fn cart_page(
    front: &Front,
    request: &HttpRequest,
    guest: &Guest,
    left: Left,
    status: StatusCode,
) -> Page {
    let shop = &front.shop;
    let heading = shop.definitions.get().shelf_heading(&Asker::of(&guest.visitor), &guest.forced);
    let (name, about) = match &guest.cart {
        Some(cart) => (ShelfName::GoesWithCart, About::Cart(cart.clone())),
        None => (ShelfName::Popular, About::Nothing),
    };
    let now_ms = clock::now_ms();
    let shares = async {
        match &guest.cart {
            Some(cart) => shop.store.shares_of(&cart.id, now_ms).await,
            None => Ok(vec![]),
        }
    };
    let (suggested, shares) = join!(shelf_for(shop, name, about, guest, SHELF_LEN), shares);
    // The shelf's heading is met only where there is a shelf beside a cart.
    if guest.cart.as_ref().is_some_and(|c| !c.lines.is_empty()) && !suggested.items.is_empty() {
        shop.expose(&guest.visitor, heading.counted).await;
    }
    let mut shell = front.shell_of(guest, request);
    shell.index = false;
    shell.shelf_heading.clone_from(&heading.value);
    let has_lines = guest.cart.as_ref().filter(|cart| !cart.is_empty());
    let page = CartPage {
        note: has_lines.map(|cart| left.note.unwrap_or_else(|| NoteField::new(cart.note.as_str()))),
        shares: shares?.iter().map(|share| ShareRow::of(share, now_ms)).collect(),
        cart: guest.cart.as_ref().map(|cart| view(shop, cart)),
        shelf: shelf(shop, guest, &heading.value, suggested).await,
        redeem: left.redeem,
    };
    html(guest, request, status, front.pages.cart(&shell, &page))
}

/// Runs a command of the guest.
pub(super) async fn run(
    shop: &Shop,
    guest: &Guest,
    cart: &Cart,
    command: Command,
) -> Result<Accepted, Problem> {
    let request = Request { caller: Some(guest.visitor.id.clone()), expected_version: None, command };
    accepted(shop.carts.execute(cart.id.clone(), request, None).await?)
}

/// A rule that says no is a message on the next page; everything else is a page of its own.
pub(super) fn refusal(problem: Problem) -> Result<Option<Notice>, Problem> {
    match problem.status() {
        StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::TOO_MANY_REQUESTS => {
            Ok(Some(Notice::Refused(sentence(problem.detail()))))
        }
        _ => Err(problem),
    }
}

/// Messages are fragments for logs and clients; a page wants a sentence.
pub(crate) fn sentence(fragment: &str) -> String {
    let fragment = with_prices(fragment);
    let mut letters = fragment.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}

pub(super) fn quantity_of(form: &Form) -> Result<u32, Problem> {
    let text = form.get("quantity").unwrap_or("1").trim();
    text.parse().map_err(|_| Problem::invalid_quantity(format!("quantity {text:?} is not a whole number")))
}

/// Reads what is to be done to the pieces: each in a field of its own.
pub(super) fn properties_in(form: &Form) -> Result<Properties, Problem> {
    let text = |(field, text): (&str, &str)| {
        Some((field.strip_prefix(PROPERTY_PREFIX)?.to_owned(), form_text(text)))
    };
    properties_of(form.pairs().filter_map(text).collect())
}

/// `POST /cart/lines`: adds.
pub(super) async fn add(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(add_line(&front, &request, body)).await
}

async fn add_line(front: &Front, request: &HttpRequest, body: Payload) -> Page {
    let shop = &front.shop;
    let (form, mut guest) = front.sent(request, body).await?;
    let sku = sku_of(form.text("sku"))?;
    let product = product_path(sku.as_str());
    if let Some(from) = form.get("from") {
        let clicked = vec![Told { sku: sku.to_string(), from: from.to_owned() }];
        shop.hear_of_shelves(&guest.visitor, &Report { clicked, ..Report::default() }).await;
    }
    let added = async {
        let quantity = quantity_of(&form)?;
        let cart = guest.cart_or_open(shop).await?;
        let properties = properties_in(&form)?;
        run(shop, &guest, &cart, Command::AddLine { sku, quantity, properties }).await
    };
    match added.await {
        Ok(Accepted { cart, item, .. }) => {
            let name = item.map(|line| line.name).unwrap_or_default();
            Ok(match cart.workflow.cart() {
                CartLayout::Page => see_other(&guest, "/cart", None),
                CartLayout::Drawer => {
                    see_other(&guest, &product, Some(Notice::Done(format!("{name} is in your cart."))))
                }
            })
        }
        Err(problem) => Ok(see_other(&guest, &product, refusal(problem)?)),
    }
}

/// `POST /cart/sets`: adds a piece of each of some products, all or none.
pub(super) async fn add_all(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(add_set(&front, &request, body)).await
}

async fn add_set(front: &Front, request: &HttpRequest, body: Payload) -> Page {
    let shop = &front.shop;
    let (form, mut guest) = front.sent(request, body).await?;
    let named: Vec<&str> = form.pairs().filter(|(name, _)| *name == "sku").map(|(_, sku)| sku).collect();
    if named.is_empty() || named.len() > SET_MAX {
        return Err(Problem::invalid_request(format!("a set is 1 to {SET_MAX} products, each as sku")));
    }
    let back = product_path(named[0]);
    note_set(shop, &guest, &form).await;
    let added = async {
        let add = |sku: &&str| {
            let (quantity, properties) = (1, Properties::default());
            Ok(Command::AddLine { sku: sku_of(sku)?, quantity, properties })
        };
        let commands = named.iter().map(add).collect::<Result<_, Problem>>()?;
        let cart = guest.cart_or_open(shop).await?;
        run(shop, &guest, &cart, Command::Batch(commands)).await
    };
    match added.await {
        Ok(Accepted { cart, .. }) => Ok(match cart.workflow.cart() {
            CartLayout::Page => see_other(&guest, "/cart", None),
            CartLayout::Drawer => {
                see_other(&guest, &back, Some(Notice::Done("All of them are in your cart.".into())))
            }
        }),
        Err(problem) => Ok(see_other(&guest, &back, refusal(problem)?)),
    }
}

/// Who takes a set from a shelf has clicked on what came from there.
async fn note_set(shop: &Shop, guest: &Guest, form: &Form) {
    let mut clicked: Vec<Told> = vec![];
    let mut last = None;
    for (name, value) in form.pairs() {
        match (name, last) {
            ("sku", _) => last = Some(value),
            ("from", Some(sku)) => clicked.push(Told { sku: sku.to_owned(), from: value.to_owned() }),
            _ => {}
        }
    }
    clicked.truncate(SET_MAX);
    shop.hear_of_shelves(&guest.visitor, &Report { clicked, ..Report::default() }).await;
}

/// `POST /cart/lines/{line}`: sets, removes, saves for later, restores or forgets.
pub(super) async fn set(
    front: Data<Front>,
    request: HttpRequest,
    line: Path<String>,
    body: Payload,
) -> HttpResponse {
    front.serve(set_line(&front, &request, &line, body)).await
}

/// `POST /cart/gifts`: does without the gift of a promotion, or takes it after all.
pub(super) async fn gift(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(change_gift(&front, &request, body)).await
}

async fn change_gift(front: &Front, request: &HttpRequest, body: Payload) -> Page {
    let shop = &front.shop;
    let (form, guest) = front.sent(request, body).await?;
    let Some(cart) = &guest.cart else { return Ok(see_other(&guest, "/cart", None)) };
    let changed = async { run(shop, &guest, cart, gift_of(&form)?).await };
    let notice = match changed.await {
        Ok(_) => None,
        Err(problem) => refusal(problem)?,
    };
    Ok(see_other(&guest, "/cart", notice))
}

/// Reads what becomes of the gift of a promotion.
pub(super) fn gift_of(form: &Form) -> Result<Command, Problem> {
    let promotion = promotion_of(form.text("promotion"))?;
    Ok(match form.get("accept") {
        Some(_) => Command::AcceptGift { promotion },
        None => Command::DeclineGift { promotion },
    })
}

fn change_of(line: LineId, form: &Form) -> Result<Command, Problem> {
    let is = |name| form.get(name).is_some();
    Ok(match () {
        () if is("remove") => Command::RemoveLine { line },
        () if is("save") => Command::SaveLine { line },
        () if is("restore") => Command::RestoreLine { line },
        () if is("drop") => Command::DropSavedLine { line },
        () => match quantity_of(form)? {
            0 => Command::RemoveLine { line },
            quantity => Command::SetQuantity { line, quantity },
        },
    })
}

async fn set_line(front: &Front, request: &HttpRequest, line: &str, body: Payload) -> Page {
    let shop = &front.shop;
    let (form, guest) = front.sent(request, body).await?;
    let Some(cart) = &guest.cart else {
        return Ok(see_other(&guest, "/cart", None));
    };
    if form.get("list").is_some() {
        let saved = async { save_line(shop, &guest, cart, line_of(line)?).await };
        let notice = match saved.await {
            Ok(list) => Some(Notice::Done(format!("It is on your list “{list}” now."))),
            Err(problem) => refusal(problem)?,
        };
        return Ok(see_other(&guest, "/cart", notice));
    }
    let changed = async {
        let line = line_of(line)?;
        run(shop, &guest, cart, change_of(line, &form)?).await
    };
    let notice = match changed.await {
        Ok(_) => None,
        Err(problem) => refusal(problem)?,
    };
    Ok(see_other(&guest, "/cart", notice))
}
