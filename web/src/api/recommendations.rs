//! Recommendations.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse, http::header::ContentType, web};
use cart_core::{CartId, Sku, StockLevels};
use recommender::index::TRAIL_ITEMS_MAX;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    operation::Operation,
    page::Limit,
    request::{cart_id, forced, visitor},
};
use crate::{
    catalogue::Catalogue,
    problem::{Kind, Problem, accepted},
    shelves::{About, ShelfName, showing::Spot},
    shop::Shop,
    visitor::Visitor,
    wire::{ProductView, sku_of},
};

/// The entries of a shelf where the client names no number.
const SHELF_DEFAULT: usize = 8;

/// Describes the operation.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/recommendations", recommendations)
            .named(
                "recommend",
                "Recommends what goes with a product, with a cart, or with a visitor's history",
            )
            .for_any_visitor()
            .query::<Wanted>()
            .answers::<RecommendationsView<'_>>(200, "The products, the best first.")
            .compressed()
            .problems(&[
                Kind::Unauthorized,
                Kind::UnknownSku,
                Kind::UnknownCart,
                Kind::NotOwner,
                Kind::UnreadableCart,
            ]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The product to go with.
    #[schemars(with = "Option<Sku>")]
    sku: Option<String>,
    /// The cart to go with.
    #[schemars(with = "Option<CartId>")]
    cart: Option<String>,
    /// A category: what many buy of it, and nothing else.
    category: Option<String>,
    /// Products that were looked at, the latest last: what is looked at next. Named again for each, or several between commas; a
    /// comma written `%2C` belongs to the SKU where there is such a product.
    #[schemars(length(max = TRAIL_ITEMS_MAX))]
    #[expect(dead_code, reason = "the document alone is made of it: `trail_of` reads it")]
    viewed: Option<Vec<String>>,
    /// The shelf, where what is asked about has more than one: `also_viewed` of a `sku` (what others looked at together with it,
    /// after what the visitor looked at in this session) or of what was `viewed`, in place of `bought_together` and `continue`.
    shelf: Option<ShelfName>,
    /// The most products to answer.
    limit: Option<Limit>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Suggestion")]
struct SuggestionView<'a> {
    #[serde(flatten)]
    product: ProductView<'a>,
    /// Why it is suggested, for programs.
    reason: &'static str,
    /// Why it is suggested, in words for shoppers.
    because: String,
    /// What `POST /shelf-events` tells of it, of a shelf that was made for a visitor.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Recommendations")]
struct RecommendationsView<'a> {
    /// The shelf that they are for.
    shelf: ShelfName,
    recommendations: Vec<SuggestionView<'a>>,
}

/// `GET /api/v1/recommendations`: what goes with a product (`sku`), with a cart (`cart`), or with a visitor's history; what others
/// looked at, too, where the shelf is named.
async fn recommendations(shop: web::Data<Shop>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let who = Visitor::of_request(&request);
    let (viewed, others): (Vec<&str>, Vec<&str>) =
        request.query_string().split('&').partition(|pair| pair.starts_with(VIEWED));
    let wanted: Wanted = read(&others.join("&"))?;
    let (name, about) = subject(&shop, &request, &wanted, &viewed, who.as_ref()).await?;
    let filling = shop.filling(name, who.as_ref(), &forced(&request, &shop.definitions.get()));
    let question = shop.shelves.question(
        shop.catalogue.get(),
        name,
        &about,
        who.as_ref(),
        filling.value,
        request.query_string(),
    );
    let in_cart = match (&about, &who) {
        // Who names a cart says what lies in it.
        (About::Cart(_), _) | (_, None) => BTreeSet::new(),
        (_, Some(who)) => shop.in_open_cart(who).await,
    };
    let found = question.as_ref().and_then(|question| shop.shelves.answer(question, who.as_ref(), &in_cart));
    if let Some(found) = found {
        if let Some(who) = who.filter(|_| !found.is_empty) {
            shop.expose_in_time(&who, filling.counted).await;
        }
        return Ok(HttpResponse::Ok().content_type(ContentType::json()).body(found.json));
    }
    let limit = wanted.limit.map_or(SHELF_DEFAULT, Limit::get);
    let shelf = shop.shelf(name, about, who.as_ref(), filling, limit, &in_cart).await;
    if let Some(who) = &who {
        shop.expose_shelf(who, &shelf).await;
    }
    let products = || shelf.items.iter().map(|item| &item.suggested.product);
    let shown = products().flat_map(|product| product.shelves()).cloned().collect();
    let stock = shop.shelf_stock(shown).await;
    let now = shop.price_question(None, who.as_ref().and_then(Visitor::group));
    let catalogue = shop.catalogue.get();
    let view = shelf.items.iter().map(|item| SuggestionView {
        product: match &stock {
            Some(stock) => ProductView::of(&item.suggested.product, stock, &now),
            None => ProductView::of(&item.suggested.product, &StockLevels::default(), &now).uncounted(),
        },
        reason: item.suggested.why.name(),
        because: item.suggested.why.words(&catalogue, None),
        from: item.spot.as_ref().map(Spot::to_string),
    });
    let view = RecommendationsView { shelf: shelf.name, recommendations: view.collect() };
    let json = web::Bytes::from(serde_json::to_vec(&view).expect("products are plain values"));
    // What is left out for one visitor's cart is not for all.
    if let (Some(question), Some(stock)) = (question.filter(|_| in_cart.is_empty()), &stock) {
        shop.shelves.keep_answer(shop.catalogue.get(), question, json.clone(), &shelf, stock);
    }
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(json))
}

/// Returns the shelf that is wanted, and what it is about.
async fn subject(
    shop: &Shop,
    request: &HttpRequest,
    wanted: &Wanted,
    viewed: &[&str],
    who: Option<&Visitor>,
) -> Result<(ShelfName, About), Problem> {
    let (name, about) = usual_subject(shop, request, wanted, viewed, who).await?;
    match (wanted.shelf, about) {
        (Some(ShelfName::AlsoViewed), About::Product(sku)) => {
            let mut trail = who.map(|who| shop.trail(who).session).unwrap_or_default();
            trail.push(sku);
            Ok((ShelfName::AlsoViewed, About::Trail(trail)))
        }
        (Some(ShelfName::AlsoViewed), about @ About::Trail(_)) => Ok((ShelfName::AlsoViewed, about)),
        (Some(shelf), _) if shelf != name => Err(Problem::invalid_request(format!(
            "what is asked about is answered by the shelf {}, not {}; also_viewed needs a sku, or what was viewed",
            name.name(),
            shelf.name()
        ))),
        (_, about) => Ok((name, about)),
    }
}

/// As [`subject`], where no shelf is named.
async fn usual_subject(
    shop: &Shop,
    request: &HttpRequest,
    wanted: &Wanted,
    viewed: &[&str],
    who: Option<&Visitor>,
) -> Result<(ShelfName, About), Problem> {
    let viewed = (!viewed.is_empty()).then(|| trail_of(viewed, &shop.catalogue.get())).transpose()?;
    let named = [viewed.is_some(), wanted.sku.is_some(), wanted.cart.is_some(), wanted.category.is_some()];
    if named.iter().filter(|is_named| **is_named).count() > 1 {
        let say = "name viewed products, a sku, a cart or a category, not two of them";
        return Err(Problem::invalid_request(say));
    }
    if let Some(trail) = viewed {
        return Ok((ShelfName::Continue, About::Trail(trail)));
    }
    if let Some(category) = &wanted.category {
        let catalogue = shop.catalogue.get();
        if catalogue.categories().binary_search(category).is_err() {
            let say =
                format!("the catalogue has no category {category:?}; GET /products names them as facets");
            return Err(Problem::invalid_request(say));
        }
        return Ok((ShelfName::Popular, About::Category(category.clone())));
    }
    Ok(match (&wanted.sku, &wanted.cart, who) {
        (Some(sku), _, _) => (ShelfName::BoughtTogether, About::Product(sku_of(sku)?)),
        (None, Some(id), _) => {
            let caller = visitor(request)?;
            let cart = accepted(shop.carts.read(cart_id(id)?, caller.id).await?)?.cart;
            (ShelfName::GoesWithCart, About::Cart(cart))
        }
        (None, None, Some(visitor)) => {
            let orders = shop.taste(visitor).await;
            let trail = shop.trail(visitor).session;
            (ShelfName::Recommended, About::Shopper { orders, trail })
        }
        (None, None, None) => (ShelfName::Popular, About::Nothing),
    })
}

/// How a pair of a query begins that names what was looked at.
const VIEWED: &str = "viewed=";

/// Reads a trail, the latest last, from the pairs of a query that name it. Most programs write the commas of a list `%2C`, as
/// they write those of a SKU: the catalogue tells which of both it is.
fn trail_of(viewed: &[&str], catalogue: &Catalogue) -> Result<Vec<Sku>, Problem> {
    let parts = viewed.iter().flat_map(|pair| pair[VIEWED.len()..].split(','));
    let parts: Vec<String> = parts.map(|part| format!("{VIEWED}{part}")).collect();
    let parts: Vec<(String, String)> = read(&parts.join("&"))?;
    let mut trail = vec![];
    for (_, text) in &parts {
        match Sku::parse(text).ok().filter(|sku| catalogue.product(sku).is_some()) {
            Some(sku) => trail.push(sku),
            None => {
                for sku in text.split(',').filter(|sku| !sku.is_empty()) {
                    trail.push(sku_of(sku)?);
                }
            }
        }
    }
    match trail.len() {
        0..=TRAIL_ITEMS_MAX => Ok(trail),
        n => {
            Err(Problem::invalid_request(format!("viewed names {n} products, the most is {TRAIL_ITEMS_MAX}")))
        }
    }
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let read = web::Query::<T>::from_query(query).map_err(|e| Problem::invalid_request(e.to_string()))?;
    Ok(read.into_inner())
}
