//! Carts shared by a link: its owner's side, and that of whoever has it.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header},
    web,
};
use cart_core::CartId;
use serde_json::json as example;

use super::{
    BASE,
    headers::{ETAG, IDEMPOTENCY_KEY, IF_MATCH, LOCATION, PREFER, PREFERENCE_APPLIED},
    operation::Operation,
    orders::show_filled,
    request::{Return, cart_id, done, etag, forced, idempotency_key, if_match, json, optional_json, visitor},
};
use crate::{
    carts::CartWish,
    filling::fill,
    problem::{Kind, Problem},
    share_link::LinkTo,
    shares::{self, owner_only},
    shop::Shop,
    wire::{
        AcceptedView, CartView, CommandForm, Parsed,
        filling::{FilledView, IntoForm},
        share::{MadeShareView, ShareForm, ShareView, SharedCartView, SharesView},
    },
};

/// Describes the operations on shares of carts.
pub(super) fn operations() -> Vec<Operation> {
    const REFUSALS: &[Kind] = &[Kind::UnknownCart, Kind::NotOwner, Kind::UnreadableCart];
    const OF_THE_LINK: &[Kind] = &[Kind::UnknownShare, Kind::UnreadableCart];
    const TOKEN: &str = "The token of the link.";
    vec![
        Operation::post("/carts/{id}/shares", make)
            .named("shareCart", "Makes a link by which others see a cart, or change it")
            .about(
                "Only this answer carries the token: whoever has it takes part until it is taken back or ends. Where the \
                 cart goes into another at a log-in, the link ends.",
            )
            .for_visitors()
            .path::<CartId>("id", "The cart.")
            .optional_body::<ShareForm>()
            .example("for a week", example!({ "editable": true, "name": "the party", "expires_in_s": 604_800 }))
            .answers::<MadeShareView<'_>>(201, "The link.")
            .with(LOCATION)
            .leads_to("readSharedCart", "token", "$response.body#/token")
            .leads_to("commandSharedCart", "token", "$response.body#/token")
            .problems(REFUSALS)
            .problems(&[Kind::CartClosed, Kind::CartMerged, Kind::TooManyShares]),
        Operation::get("/carts/{id}/shares", list)
            .named("listShares", "Lists the links to a cart, for its owner")
            .for_visitors()
            .path::<CartId>("id", "The cart.")
            .answers::<SharesView<'_>>(200, "Those that live, the oldest first.")
            .problems(REFUSALS),
        Operation::new(Method::DELETE, "/carts/{id}/shares/{share}", revoke)
            .named("revokeShare", "Takes a link back, at once and from those who watch, too")
            .for_visitors()
            .path::<CartId>("id", "The cart.")
            .path::<String>("share", "The link's `id`.")
            .answers_nothing(204, "It leads nowhere from now on.")
            .problems(REFUSALS)
            .problems(&[Kind::UnknownShare]),
        Operation::get("/shared-carts/{token}", read)
            .named("readSharedCart", "Reads the cart of a link")
            .about("A channel joined with `{\"share\": token}` as its payload tells every change of it.")
            .path::<String>("token", TOKEN)
            .answers::<SharedCartView<'_>>(200, "The cart, without what is between its owner and the shop.")
            .with(ETAG)
            .problems(OF_THE_LINK),
        Operation::post("/shared-carts/{token}/commands", command)
            .named("commandSharedCart", "Runs a command on the cart of a link")
            .about(
                "By the rules that its owner is bound by: `add_line`, `set_quantity`, `remove_line`, `clear`, `apply_code`, \
                 `remove_code`, `reopen` and batches of them. All else is the owner's alone (`owner_only`).",
            )
            .path::<String>("token", TOKEN)
            .takes(IF_MATCH)
            .takes(IDEMPOTENCY_KEY)
            .body::<CommandForm>()
            .example("add", example!({ "type": "add_line", "sku": "MUG", "quantity": 2 }))
            .takes(PREFER)
            .answers::<AcceptedView<'_>>(200, "The cart after the command.")
            .with(ETAG)
            .may_carry(PREFERENCE_APPLIED)
            .answers_nothing(204, "The command was done; so little was preferred.")
            .with(ETAG)
            .with(PREFERENCE_APPLIED)
            .problems(OF_THE_LINK)
            .problems(&Kind::rejections())
            .problems(&[Kind::ShareReadOnly, Kind::OwnerOnly, Kind::UnknownPaymentToken, Kind::IdempotencyMismatch]),
        Operation::post("/shared-carts/{token}/to-cart", to_cart)
            .named("sharedCartIntoCart", "Puts what the cart of a link holds into one's own cart")
            .about(
                "As much of each line as there is; `reasons` says what is gone, limited, dearer or cheaper. Where the link \
                 leads to that very cart, nothing is added.",
            )
            .for_visitors()
            .path::<String>("token", TOKEN)
            .takes(IDEMPOTENCY_KEY)
            .optional_body::<IntoForm>()
            .answers::<FilledView<'_>>(200, "The cart and what became of each line.")
            .with(ETAG)
            .problems(REFUSALS)
            .problems(&[Kind::UnknownShare, Kind::IdempotencyMismatch])
            .problems(&[Kind::CartClosed, Kind::CartMerged, Kind::CartExpired]),
    ]
}

/// `POST /api/v1/carts/{id}/shares`: makes a link.
async fn make(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (cart, caller) = (cart_id(&path)?, visitor(&request)?.id);
    let (form, _) = optional_json::<ShareForm>(&request, body).await?;
    let (share, token) = shares::make(&shop, cart, caller, form.into()).await?;
    let url = LinkTo::Cart.url(&shop.config.shop.public_url, &token);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("{BASE}/shared-carts/{token}")))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .json(MadeShareView { share: (&share).into(), token, url }))
}

/// `GET /api/v1/carts/{id}/shares`: the links, for the owner.
async fn list(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let shares = shares::of_cart(&shop, cart_id(&path)?, visitor(&request)?.id).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(SharesView { shares: shares.iter().map(ShareView::from).collect() }))
}

/// `DELETE /api/v1/carts/{id}/shares/{share}`: takes a link back.
async fn revoke(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (cart, share) = path.into_inner();
    shares::revoke(&shop, cart_id(&cart)?, visitor(&request)?.id, &share).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `GET /api/v1/shared-carts/{token}`: the cart of a link.
async fn read(shop: web::Data<Shop>, token: web::Path<String>) -> Result<HttpResponse, Problem> {
    let share = shares::find(&shop, &token).await?;
    let accepted = shares::read(&shop, &share).await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(accepted.cart.version))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(SharedCartView {
            editable: share.is_editable,
            ends_at_ms: share.ends_at_ms,
            cart: CartView::of(&accepted.cart, &accepted.quote).shared(share.is_editable),
        }))
}

/// `POST /api/v1/shared-carts/{token}/commands`: one command.
async fn command(
    shop: web::Data<Shop>,
    request: HttpRequest,
    token: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let share = shares::find(&shop, &token).await?;
    let (form, bytes) = json::<CommandForm>(&request, body).await?;
    let (key, expected_version) = (idempotency_key(&request, &bytes)?, if_match(&request)?);
    let Parsed::Command(command) = form.parse()? else { return Err(owner_only("place_order")) };
    let accepted = shares::execute(&shop, &share, expected_version, command, key).await?;
    let preferred = Return::preferred(&request);
    let mut response = done(accepted.cart.version, preferred);
    Ok(match preferred {
        Some(Return::Minimal) => response.finish(),
        _ => response.json(AcceptedView::from(&accepted).shared(share.is_editable)),
    })
}

/// `POST /api/v1/shared-carts/{token}/to-cart`: puts it into the visitor's own cart.
async fn to_cart(
    shop: web::Data<Shop>,
    request: HttpRequest,
    token: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let caller = visitor(&request)?;
    let (IntoForm { cart: named }, bytes) = optional_json(&request, body).await?;
    let key = idempotency_key(&request, &bytes)?;
    let shared = shares::read(&shop, &shares::find(&shop, &token).await?).await?;
    let named = named.as_deref().map(cart_id).transpose()?;
    let forced = forced(&request, &shop.definitions.get());
    let wish = CartWish::in_currency(shared.cart.currency);
    let (cart, reopened) = shop.cart_to_fill(named, &caller, wish, &forced, key.as_ref()).await?;
    let wanted = shares::wanted(&shared, &cart, &shop.catalogue.get());
    let mut filled = fill(&shop.carts, &cart.id, &caller.id, key.as_ref(), wanted).await?;
    filled.accepted.reopened = reopened;
    Ok(show_filled(&filled))
}
