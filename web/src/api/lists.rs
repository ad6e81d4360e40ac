//! Wish lists: a visitor's own, and those that somebody shared.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header},
    web,
};
use cart_core::{Command, LineId, Request};
use serde_json::json;

use super::{
    BASE,
    headers::{ETAG, IDEMPOTENCY_KEY, LOCATION},
    operation::Operation,
    orders::show_filled,
    request::{cart_id, forced, idempotency_key, json, optional_json, visitor},
};
use crate::{
    carts::CartWish,
    filling::{Filled, fill},
    lists::{self, ListChange, WishItem, WishList},
    problem::{Kind, Problem, accepted},
    share_link::LinkTo,
    shop::Shop,
    visitor::Visitor,
    wire::{
        filling::FilledView,
        line_of,
        list::{FromCartForm, ItemForm, ListView, ListsView, NameForm, SharedView, ToCartForm},
        share::LinkView,
        sku_of,
    },
};

/// Describes the operations on wish lists.
pub(super) fn operations() -> Vec<Operation> {
    const ID: &str = "The list.";
    const CARTS: &[Kind] = &[Kind::UnknownCart, Kind::NotOwner, Kind::UnreadableCart];
    const INTO: &[Kind] = &[
        Kind::CartClosed,
        Kind::CartMerged,
        Kind::CartExpired,
        Kind::ItemNotFound,
        Kind::LineNotFound,
        Kind::IdempotencyMismatch,
    ];
    vec![
        Operation::get("/lists", all)
            .named("listWishLists", "Lists the wish lists of a visitor")
            .for_visitors()
            .answers::<ListsView<'_>>(200, "The lists."),
        Operation::post("/lists", create)
            .named("openWishList", "Opens a wish list")
            .for_visitors()
            .body::<NameForm>()
            .example("for a birthday", json!({"name": "Birthday"}))
            .answers::<ListView<'_>>(201, "The list.")
            .with(LOCATION)
            .leads_to("readWishList", "id", "$response.body#/id")
            .problems(&[Kind::TooManyLists, Kind::InvalidDetails]),
        Operation::get("/lists/{id}", read)
            .named("readWishList", "Reads a wish list, for its owner")
            .for_visitors()
            .path::<String>("id", ID)
            .answers::<ListView<'_>>(200, "The list.")
            .problems(&[Kind::UnknownList]),
        Operation::new(Method::PATCH, "/lists/{id}", rename)
            .named("renameWishList", "Calls a wish list otherwise")
            .for_visitors()
            .path::<String>("id", ID)
            .body::<NameForm>()
            .answers::<ListView<'_>>(200, "The list.")
            .problems(&[Kind::UnknownList, Kind::InvalidDetails]),
        Operation::new(Method::DELETE, "/lists/{id}", delete)
            .named("deleteWishList", "Deletes a wish list")
            .for_visitors()
            .path::<String>("id", ID)
            .answers_nothing(204, "It is gone.")
            .problems(&[Kind::UnknownList]),
        Operation::post("/lists/{id}/items", put)
            .named("putWish", "Puts something on a wish list, or says something else about it")
            .about("A product with the same properties is on a list once: put again, its quantity and note are replaced.")
            .for_visitors()
            .path::<String>("id", ID)
            .body::<ItemForm>()
            .example("a mug", json!({"sku": "MUG", "quantity": 2, "note": "the blue one"}))
            .answers::<ListView<'_>>(200, "The list.")
            .problems(&[Kind::UnknownList, Kind::UnknownSku, Kind::InvalidQuantity, Kind::InvalidDetails, Kind::ListFull]),
        Operation::new(Method::DELETE, "/lists/{id}/items/{item}", take)
            .named("takeWish", "Takes something off a wish list")
            .for_visitors()
            .path::<String>("id", ID)
            .path::<LineId>("item", "The item.")
            .answers::<ListView<'_>>(200, "The list.")
            .problems(&[Kind::UnknownList, Kind::LineNotFound]),
        Operation::post("/lists/{id}/to-cart", to_cart)
            .named("wishesIntoCart", "Moves what is on a wish list into a cart")
            .about(
                "What goes in comes off the list, unless `keep` is set; the rest stays, and `reasons` says why. With a key \
                 nothing is added twice.",
            )
            .for_visitors()
            .path::<String>("id", ID)
            .takes(IDEMPOTENCY_KEY)
            .optional_body::<ToCartForm>()
            .answers::<FilledView<'_>>(200, "The cart, and what became of each item.")
            .with(ETAG)
            .problems(&[Kind::UnknownList])
            .problems(CARTS)
            .problems(INTO),
        Operation::post("/lists/{id}/from-cart", from_cart)
            .named("lineOntoWishList", "Moves a line of a cart onto a wish list")
            .for_visitors()
            .path::<String>("id", ID)
            .body::<FromCartForm>()
            .answers::<ListView<'_>>(200, "The list.")
            .problems(&[Kind::UnknownList, Kind::LineNotFound, Kind::ListFull])
            .problems(&[Kind::CartClosed, Kind::CartMerged, Kind::CartExpired])
            .problems(CARTS),
        Operation::post("/lists/{id}/share", share)
            .named("shareWishList", "Makes a link by which others read a wish list")
            .about("The link is told this once; one that was made before is good for nothing any more.")
            .for_visitors()
            .path::<String>("id", ID)
            .answers::<LinkView>(201, "The link.")
            .with(LOCATION)
            .leads_to("readSharedWishList", "token", "$response.body#/token")
            .problems(&[Kind::UnknownList]),
        Operation::new(Method::DELETE, "/lists/{id}/share", unshare)
            .named("unshareWishList", "Takes the link of a wish list back")
            .for_visitors()
            .path::<String>("id", ID)
            .answers_nothing(204, "Nobody reads it by a link any more.")
            .problems(&[Kind::UnknownList]),
        Operation::get("/shared-lists/{token}", read_shared)
            .named("readSharedWishList", "Reads a wish list that somebody shared")
            .path::<String>("token", "The token of its link.")
            .answers::<SharedView<'_>>(200, "The list.")
            .problems(&[Kind::UnknownList]),
        Operation::post("/shared-lists/{token}/to-cart", shared_to_cart)
            .named("sharedWishesIntoCart", "Puts what is on a list that somebody shared into one's own cart")
            .for_visitors()
            .path::<String>("token", "The token of its link.")
            .takes(IDEMPOTENCY_KEY)
            .optional_body::<ToCartForm>()
            .answers::<FilledView<'_>>(200, "The cart, and what became of each item.")
            .with(ETAG)
            .problems(&[Kind::UnknownList])
            .problems(CARTS)
            .problems(INTO),
    ]
}

fn show(shop: &Shop, list: &WishList) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(ListView::of(list, &shop.catalogue.get()))
}

async fn all(shop: web::Data<Shop>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let found = shop.store.lists_of(&visitor(&request)?.id).await?;
    let catalogue = shop.catalogue.get();
    let lists = found.iter().map(|list| ListView::of(list, &catalogue)).collect();
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(ListsView { lists }))
}

async fn create(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let caller = visitor(&request)?;
    let (form, _) = json::<NameForm>(&request, body).await?;
    let list = lists::open(&*shop.store, &caller.id, &form.name).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("{BASE}/lists/{}", list.id)))
        .json(ListView::of(&list, &shop.catalogue.get())))
}

async fn read(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    Ok(show(&shop, &lists::read(&*shop.store, &visitor(&request)?.id, &id).await?))
}

async fn change(
    shop: &Shop,
    request: &HttpRequest,
    id: &str,
    change: &ListChange,
) -> Result<WishList, Problem> {
    lists::change(&*shop.store, &visitor(request)?.id, id, change).await
}

async fn rename(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    visitor(&request)?;
    let (form, _) = json::<NameForm>(&request, body).await?;
    Ok(show(&shop, &change(&shop, &request, &id, &ListChange::Rename(form.name)).await?))
}

async fn delete(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = visitor(&request)?;
    lists::read(&*shop.store, &caller.id, &id).await?;
    shop.store.delete_list(&caller.id, &id).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn put(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    visitor(&request)?;
    let (form, _) = json::<ItemForm>(&request, body).await?;
    let item = wish(&shop, &form.sku, form.properties, form.quantity, &form.note)?;
    Ok(show(&shop, &change(&shop, &request, &id, &ListChange::Put(item)).await?))
}

/// Returns a wish for something that is for sale.
///
/// # Errors
/// The problem `unknown_sku`, or that of the quantity or the note.
pub(crate) fn wish(
    shop: &Shop,
    sku: &str,
    properties: cart_core::Properties,
    quantity: u32,
    note: &str,
) -> Result<WishItem, Problem> {
    let sku = sku_of(sku)?;
    let catalogue = shop.catalogue.get();
    if catalogue.visible(&sku).is_none() {
        return Err(Problem::new(Kind::UnknownSku, format!("no product {sku} is for sale")));
    }
    let properties = catalogue.marked(&sku, &properties);
    WishItem::new(sku, properties, quantity, note)
}

async fn take(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (id, item) = path.into_inner();
    let item = line_of(&item)?;
    Ok(show(&shop, &change(&shop, &request, &id, &ListChange::Take(vec![item])).await?))
}

async fn to_cart(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let caller = visitor(&request)?;
    let (form, bytes) = optional_json::<ToCartForm>(&request, body).await?;
    let list = lists::read(&*shop.store, &caller.id, &id).await?;
    let filled = fill_from(&shop, &request, &caller, &list, &form, &bytes).await?;
    if !form.keep {
        let taken = ListChange::Take(lists::taken(&filled.lines));
        lists::change(&*shop.store, &caller.id, &id, &taken).await?;
    }
    Ok(show_filled(&filled))
}

async fn shared_to_cart(
    shop: web::Data<Shop>,
    request: HttpRequest,
    token: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let caller = visitor(&request)?;
    let (form, bytes) = optional_json::<ToCartForm>(&request, body).await?;
    let list = lists::shared(&*shop.store, &token).await?;
    Ok(show_filled(&fill_from(&shop, &request, &caller, &list, &form, &bytes).await?))
}

async fn fill_from(
    shop: &Shop,
    request: &HttpRequest,
    caller: &Visitor,
    list: &WishList,
    form: &ToCartForm,
    bytes: &[u8],
) -> Result<Filled, Problem> {
    let ids: Option<Vec<LineId>> = match &form.items {
        Some(ids) => Some(ids.iter().map(|id| line_of(id)).collect::<Result<_, _>>()?),
        None => None,
    };
    let catalogue = shop.catalogue.get();
    let wanted = list.chosen(ids.as_deref())?.into_iter().map(|item| item.wanted(&catalogue)).collect();
    let key = idempotency_key(request, bytes)?;
    let named = form.cart.as_deref().map(cart_id).transpose()?;
    let forced = forced(request, &shop.definitions.get());
    let (cart, reopened) =
        shop.cart_to_fill(named, caller, CartWish::default(), &forced, key.as_ref()).await?;
    let mut filled = fill(&shop.carts, &cart.id, &caller.id, key.as_ref(), wanted).await?;
    filled.accepted.reopened = reopened;
    Ok(filled)
}

async fn from_cart(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let caller = visitor(&request)?;
    let (form, _) = json::<FromCartForm>(&request, body).await?;
    let (cart, line) = (cart_id(&form.cart)?, line_of(&form.line)?);
    let cart = accepted(shop.carts.read_newest(cart, caller.id.clone()).await?)?.cart;
    Ok(show(&shop, &line_onto(&shop, &caller, &cart, line, &id).await?))
}

/// Moves a line of a cart onto a list: it is on the list before it is out of the cart, so that nothing is lost in between.
///
/// # Errors
/// The problem of the list, the line or the cart.
pub(crate) async fn line_onto(
    shop: &Shop,
    caller: &Visitor,
    cart: &cart_core::Cart,
    line: LineId,
    list: &str,
) -> Result<WishList, Problem> {
    let missing = || cart_core::Rejection::LineNotFound { line: line.clone() };
    let found = cart.line(&line).ok_or_else(missing)?;
    if let Some(promotion) = found.gift_of.clone() {
        return Err(cart_core::Rejection::GiftLine { line, promotion }.into());
    }
    let wish = WishItem::of_line(found);
    let list = lists::change(&*shop.store, &caller.id, list, &ListChange::Put(wish)).await?;
    let command = Command::RemoveLine { line };
    let request = Request { caller: Some(caller.id.clone()), expected_version: None, command };
    accepted(shop.carts.execute(cart.id.clone(), request, None).await?)?;
    Ok(list)
}

async fn share(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (token, digest) = LinkTo::List.fresh_token();
    change(&shop, &request, &id, &ListChange::Share(Some(digest))).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .insert_header((header::LOCATION, format!("{BASE}/shared-lists/{token}")))
        .json(LinkView { url: LinkTo::List.url(&shop.config.shop.public_url, &token), token }))
}

async fn unshare(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    change(&shop, &request, &id, &ListChange::Share(None)).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn read_shared(shop: web::Data<Shop>, token: web::Path<String>) -> Result<HttpResponse, Problem> {
    let list = lists::shared(&*shop.store, &token).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(SharedView::of(&list, &shop.catalogue.get())))
}
