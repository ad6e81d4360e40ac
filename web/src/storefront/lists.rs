//! The pages of wish lists, and of those that somebody shared.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use cart_core::{Cart, LineId, Sku};

use super::{
    Front, Page,
    cart::{properties_in, refusal},
    filled::told,
    form::Form,
    guest::Guest,
    html,
    pages::{ListPage, ListRow, ListsPage, Notice, product_path},
    see_other,
};
use crate::{
    api::lists::{line_onto, wish},
    filling::fill,
    lists::{self, FIRST_NAME, ListChange, WishItem, WishList},
    problem::Problem,
    share_link::LinkTo,
    shop::Shop,
    wire::line_of,
};

/// `GET /lists`: the visitor's own.
pub(super) async fn all(front: Data<Front>, request: HttpRequest) -> HttpResponse {
    front
        .serve(async {
            let guest = Guest::meet(&front.shop, &request).await?;
            let lists = front.shop.store.lists_of(&guest.visitor.id).await?;
            let page = ListsPage { lists: lists.iter().map(ListRow::from).collect() };
            let mut shell = front.shell_of(&guest, &request);
            shell.index = false;
            html(&guest, &request, StatusCode::OK, front.pages.lists(&shell, &page))
        })
        .await
}

/// `POST /lists`: opens one.
pub(super) async fn open(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front
        .serve(async {
            let shop = &front.shop;
            let (form, guest) = front.sent(&request, body).await?;
            match lists::open(&*shop.store, &guest.visitor.id, form.text("name")).await {
                Ok(list) => Ok(see_other(&guest, &path_of(&list.id), None)),
                Err(problem) => Ok(see_other(&guest, "/lists", refusal(problem)?)),
            }
        })
        .await
}

fn path_of(id: &str) -> String {
    format!("/lists/{id}")
}

/// `GET /lists/{id}`: one of the visitor's own.
pub(super) async fn one(front: Data<Front>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    front
        .serve(async {
            let guest = Guest::meet(&front.shop, &request).await?;
            let list = lists::read(&*front.shop.store, &guest.visitor.id, &id).await?;
            show(&front, &request, &guest, &list, path_of(&list.id), true).await
        })
        .await
}

/// `GET /lists/shared/{token}`: one that somebody shared.
pub(super) async fn shared(front: Data<Front>, request: HttpRequest, token: Path<String>) -> HttpResponse {
    front
        .serve(async {
            let guest = Guest::meet(&front.shop, &request).await?;
            let list = lists::shared(&*front.shop.store, &token).await?;
            show(&front, &request, &guest, &list, format!("/lists/shared/{token}"), false).await
        })
        .await
}

async fn show(
    front: &Front,
    request: &HttpRequest,
    guest: &Guest,
    list: &WishList,
    action: String,
    is_own: bool,
) -> Page {
    let shop = &front.shop;
    let catalogue = shop.catalogue.get();
    let listed = list.items.iter().filter_map(|item| catalogue.visible(&item.sku));
    let stock = shop.stock(&listed.flat_map(|product| product.shelves()).cloned().collect()).await?;
    let now = guest.price_question(shop);
    let page = ListPage::new(
        list,
        action,
        is_own,
        |sku: &Sku| {
            let product = catalogue.visible(sku)?;
            Some((&**product, stock.on_offer(product, now.now_ms)))
        },
        &now,
    );
    let mut shell = front.shell_of(guest, request);
    shell.index = false;
    html(guest, request, StatusCode::OK, front.pages.list(&shell, &page))
}

/// `POST /lists/items`: puts a product on a list, a new one where none is chosen.
pub(super) async fn put(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front
        .serve(async {
            let shop = &front.shop;
            let (form, guest) = front.sent(&request, body).await?;
            let done = async {
                let item = wish(shop, form.text("sku"), properties_in(&form)?, 1, "")?;
                let list = match form.text("list") {
                    "" => lists::open(&*shop.store, &guest.visitor.id, FIRST_NAME).await?.id,
                    id => id.to_owned(),
                };
                lists::change(&*shop.store, &guest.visitor.id, &list, &ListChange::Put(item)).await
            };
            let notice = match done.await {
                Ok(list) => Some(Notice::Done(format!("It is on your list “{}”.", list.name))),
                Err(problem) => refusal(problem)?,
            };
            Ok(see_other(&guest, &product_path(form.text("sku")), notice))
        })
        .await
}

/// `POST /lists/{id}`: what its owner does with a list.
pub(super) async fn change(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
    body: Payload,
) -> HttpResponse {
    front
        .serve(async {
            let shop = &front.shop;
            let (form, mut guest) = front.sent(&request, body).await?;
            let list = lists::read(&*shop.store, &guest.visitor.id, &id).await?;
            match act(shop, &mut guest, &list, &form).await {
                Ok((to, notice)) => Ok(see_other(&guest, &to, notice)),
                Err(problem) => Ok(see_other(&guest, &path_of(&list.id), refusal(problem)?)),
            }
        })
        .await
}

async fn act(
    shop: &Shop,
    guest: &mut Guest,
    list: &WishList,
    form: &Form,
) -> Result<(String, Option<Notice>), Problem> {
    let (owner, here) = (guest.visitor.id.clone(), path_of(&list.id));
    let change = async |change| lists::change(&*shop.store, &owner, &list.id, &change).await;
    let is = |name| form.get(name).is_some();
    let item = form.get("item").map(line_of).transpose()?;
    match () {
        () if is("delete") => {
            shop.store.delete_list(&owner, &list.id).await?;
            Ok(("/lists".into(), Some(Notice::Done(format!("“{}” is gone.", list.name)))))
        }
        () if is("share") => {
            let (token, digest) = LinkTo::List.fresh_token();
            change(ListChange::Share(Some(digest))).await?;
            let url = LinkTo::List.url(&shop.config.shop.public_url, &token);
            let says = "Whoever has this link can see the list. It is shown this once.".into();
            Ok((here, Some(Notice::Link { says, url })))
        }
        () if is("unshare") => {
            change(ListChange::Share(None)).await?;
            Ok((here, Some(Notice::Done("Nobody sees the list by a link any more.".into()))))
        }
        () if is("cart") => {
            let ids = item.map(|item| vec![item]);
            let (filled, notice) = into_cart(shop, guest, list, ids.as_deref()).await?;
            change(ListChange::Take(filled)).await?;
            Ok((here, Some(notice)))
        }
        () if is("remove") => {
            change(ListChange::Take(item.into_iter().collect())).await?;
            Ok((here, None))
        }
        () if is("item") => {
            let wished = list.chosen(item.map(|item| vec![item]).as_deref())?;
            let [there] = &wished[..] else { return Ok((here, None)) };
            let quantity = form.text("quantity").trim().parse().map_err(|_| {
                Problem::invalid_quantity(format!(
                    "quantity {:?} is not a whole number",
                    form.text("quantity")
                ))
            })?;
            let item =
                WishItem::new(there.sku.clone(), there.properties.clone(), quantity, form.text("note"))?;
            change(ListChange::Put(item)).await?;
            Ok((here, None))
        }
        () => {
            change(ListChange::Rename(form.text("name").to_owned())).await?;
            Ok((here, None))
        }
    }
}

/// `POST /lists/shared/{token}`: puts what somebody wishes for into one's own cart.
pub(super) async fn buy_shared(
    front: Data<Front>,
    request: HttpRequest,
    token: Path<String>,
    body: Payload,
) -> HttpResponse {
    front
        .serve(async {
            let shop = &front.shop;
            let (form, mut guest) = front.sent(&request, body).await?;
            let list = lists::shared(&*shop.store, &token).await?;
            let ids = form.get("item").map(line_of).transpose()?.map(|item| vec![item]);
            let notice = match into_cart(shop, &mut guest, &list, ids.as_deref()).await {
                Ok((_, notice)) => Some(notice),
                Err(problem) => refusal(problem)?,
            };
            Ok(see_other(&guest, &format!("/lists/shared/{token}"), notice))
        })
        .await
}

/// Puts items into the guest's cart; returns those of which something went in, and what to say.
async fn into_cart(
    shop: &Shop,
    guest: &mut Guest,
    list: &WishList,
    ids: Option<&[LineId]>,
) -> Result<(Vec<LineId>, Notice), Problem> {
    let catalogue = shop.catalogue.get();
    let wanted = list.chosen(ids)?.into_iter().map(|item| item.wanted(&catalogue)).collect();
    let cart = guest.cart_or_open(shop).await?;
    let filled = fill(&shop.carts, &cart.id, &guest.visitor.id, None, wanted).await?;
    Ok((lists::taken(&filled.lines), told(&filled)))
}

/// Moves a line of the guest's cart onto their first list, which is opened where there is none; returns its name.
pub(super) async fn save_line(
    shop: &Shop,
    guest: &Guest,
    cart: &Cart,
    line: LineId,
) -> Result<String, Problem> {
    let first = shop.store.lists_of(&guest.visitor.id).await?.into_iter().next();
    let list = match first {
        Some(list) => list,
        None => lists::open(&*shop.store, &guest.visitor.id, FIRST_NAME).await?,
    };
    line_onto(shop, &guest.visitor, cart, line, &list.id).await.map(|list| list.name)
}
