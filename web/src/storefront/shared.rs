//! The page of a cart that somebody shared, and its owner's forms to share and to stop.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload, Query},
};
use cart_core::{Cart, Command, Properties};
use serde::Deserialize;

use super::{
    Front, Page,
    browse::cards,
    cart::{gift_of, quantity_of, refusal, sentence, view},
    filled::{as_left, told},
    form::Form,
    guest::Guest,
    html,
    pages::{Card, Notice, SharedPage, encode},
    see_other,
};
use crate::{
    carts::CartWish,
    clock,
    filling::fill,
    problem::{Kind, Problem, accepted},
    search::Ask,
    share_link::LinkTo,
    shares::{self, Wish},
    shop::Shop,
    store::{Accepted, CartShare},
    wire::{code_of, line_of, sku_of},
};

/// The most products that a search beside a shared cart shows.
const FOUND_LEN: usize = 8;

/// Is what a page of a shared cart is asked for.
#[derive(Deserialize)]
pub(super) struct Search {
    /// What to look for, to be added.
    #[serde(default)]
    q: String,
}

/// `GET /cart/shared/{token}`: the cart of a link.
pub(super) async fn page(
    front: Data<Front>,
    request: HttpRequest,
    token: Path<String>,
    search: Query<Search>,
) -> HttpResponse {
    front.serve(shared_page(&front, &request, &token, &search.q)).await
}

async fn shared_page(front: &Front, request: &HttpRequest, token: &str, query: &str) -> Page {
    let shop = &front.shop;
    let guest = Guest::meet(shop, request).await?;
    let share = shares::find(shop, token).await?;
    let Accepted { cart, quote, .. } = shares::read(shop, &share).await?;
    let is_own = guest.cart.as_ref().is_some_and(|own| own.id == cart.id);
    let action = LinkTo::Cart.path(token);
    let mut page =
        SharedPage::new((&share, action), (&cart, &quote), view(shop, &cart), is_own, clock::now_ms());
    if share.is_editable && !query.trim().is_empty() {
        page = page.with_found(query, found(shop, query, &cart).await?);
    }
    let mut shell = front.shell_of(&guest, request);
    shell.index = false;
    html(&guest, request, StatusCode::OK, front.pages.shared(&shell, &page))
}

/// Finds products to add: each variant for itself, at what it costs in the cart's currency.
async fn found(shop: &Shop, query: &str, cart: &Cart) -> Result<Vec<Card>, Problem> {
    let mut ask = Ask::default();
    ask.take("q", query).map_err(Problem::invalid_request)?;
    let found = shop.search(&ask, cart.group.as_ref(), 0, FOUND_LEN).await?;
    let variants = found.hits.into_iter().flat_map(|hit| hit.variants);
    let products: Vec<_> = variants.take(FOUND_LEN).collect();
    let now = cart.price_question(1, clock::now_ms());
    cards(shop, &now, &products).await
}

/// `POST /cart/shared/{token}`: what whoever has the link does with the cart.
pub(super) async fn change(
    front: Data<Front>,
    request: HttpRequest,
    token: Path<String>,
    body: Payload,
) -> HttpResponse {
    front
        .serve(async {
            let shop = &front.shop;
            let (form, mut guest) = front.sent(&request, body).await?;
            let share = shares::find(shop, &token).await?;
            let notice = match act(shop, &mut guest, &share, &form).await {
                Ok(notice) => notice,
                Err(problem) => refusal(problem)?,
            };
            let here = LinkTo::Cart.path(&token);
            let here = match form.text("q") {
                "" => here,
                query => format!("{here}?q={}", encode(query)),
            };
            Ok(see_other(&guest, &here, notice))
        })
        .await
}

async fn act(
    shop: &Shop,
    guest: &mut Guest,
    share: &CartShare,
    form: &Form,
) -> Result<Option<Notice>, Problem> {
    if form.get("all").is_some() {
        return into_own(shop, guest, share).await.map(Some);
    }
    let command = command_of(form)?;
    let is_adding = matches!(command, Command::AddLine { .. });
    let Accepted { cart, item, reopened, .. } = shares::execute(shop, share, None, command, None).await?;
    Ok(match item {
        Some(line) if is_adding => Some(Notice::Done(format!("{} is in the shared cart.", line.name))),
        _ if !reopened.is_empty() => {
            let (is_whole, text) =
                as_left("The cart is open again, as it was left", &reopened, cart.currency);
            Some(if is_whole { Notice::Done(text) } else { Notice::Refused(text) })
        }
        _ => None,
    })
}

fn command_of(form: &Form) -> Result<Command, Problem> {
    let is = |name| form.get(name).is_some();
    Ok(match () {
        () if is("reopen") => Command::Reopen,
        () if is("code") && is("remove") => Command::RemoveCode { code: code_of(form.text("code"))? },
        () if is("code") => Command::ApplyCode { code: code_of(form.text("code"))? },
        () if is("promotion") => gift_of(form)?,
        () if is("sku") => {
            let (sku, quantity) = (sku_of(form.text("sku"))?, quantity_of(form)?);
            Command::AddLine { sku, quantity, properties: Properties::default() }
        }
        () => {
            let line = line_of(form.text("line"))?;
            match quantity_of(form)? {
                _ if is("remove") => Command::RemoveLine { line },
                0 => Command::RemoveLine { line },
                quantity => Command::SetQuantity { line, quantity },
            }
        }
    })
}

/// Puts what the cart of a link holds into the guest's own cart, and says what became of each line.
async fn into_own(shop: &Shop, guest: &mut Guest, share: &CartShare) -> Result<Notice, Problem> {
    let shared = shares::read(shop, share).await?;
    if guest.cart.as_ref().is_some_and(|own| own.id == share.cart) {
        return Ok(Notice::Refused("This is your own cart: all of it is there already.".into()));
    }
    let cart = match &guest.cart {
        Some(cart) => cart.clone(),
        None => {
            let wish = CartWish::of_pages(Some(shared.cart.currency));
            accepted(shop.open_cart(None, &guest.visitor, wish, &guest.forced).await?)?.cart
        }
    };
    guest.cart = Some(cart.clone());
    let wanted = shares::wanted(&shared, &cart, &shop.catalogue.get());
    Ok(told(&fill(&shop.carts, &cart.id, &guest.visitor.id, None, wanted).await?))
}

/// `POST /cart/shares`: makes a link to the guest's cart.
pub(super) async fn share(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front
        .serve(async {
            let shop = &front.shop;
            let (form, mut guest) = front.sent(&request, body).await?;
            let made = async {
                let cart = guest.cart_or_open(shop).await?.id.clone();
                shares::make(shop, cart, guest.visitor.id.clone(), wish_of(&form)?).await
            };
            let notice = match made.await {
                Ok((share, token)) => Some(Notice::Link {
                    says: match share.is_editable {
                        true => {
                            "Whoever has this link sees and changes your cart. It is shown this once.".into()
                        }
                        false => "Whoever has this link sees your cart. It is shown this once.".into(),
                    },
                    url: LinkTo::Cart.url(&shop.config.shop.public_url, &token),
                }),
                Err(problem) if problem.kind() == Kind::InvalidRequest => {
                    Some(Notice::Refused(sentence(problem.detail())))
                }
                Err(problem) => refusal(problem)?,
            };
            Ok(see_other(&guest, "/cart", notice))
        })
        .await
}

fn wish_of(form: &Form) -> Result<Wish, Problem> {
    let expires_in_s = match form.text("expires_in_s") {
        "" => None,
        text => Some(text.parse().map_err(|_| {
            Problem::invalid_request(format!("expires_in_s {text:?} is not a number of seconds"))
        })?),
    };
    Ok(Wish { is_editable: form.text("editable") == "1", name: form.text("name").to_owned(), expires_in_s })
}

/// `POST /cart/shares/{id}`: takes a link back.
pub(super) async fn stop(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
    body: Payload,
) -> HttpResponse {
    front
        .serve(async {
            let shop = &front.shop;
            let (_, guest) = front.sent(&request, body).await?;
            let Some(cart) = &guest.cart else { return Ok(see_other(&guest, "/cart", None)) };
            match shares::revoke(shop, cart.id.clone(), guest.visitor.id.clone(), &id).await {
                // It has ended by itself meanwhile, or the form was sent twice.
                Err(problem) if problem.kind() != Kind::UnknownShare => return Err(problem),
                _ => {}
            }
            let notice = Notice::Done("The link leads to your cart no more.".into());
            Ok(see_other(&guest, "/cart", Some(notice)))
        })
        .await
}
