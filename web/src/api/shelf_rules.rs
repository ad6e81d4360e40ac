//! The rules of the shelves, for the shop's own people.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header},
    web,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{admin::admin, operation::Operation, request::json_within};
use crate::{
    problem::{Kind, Problem},
    shelves::{
        rulebook::{Draft, RulebookError},
        rules::Rules,
    },
    shop::Shop,
    store::DocumentRevision,
};

/// The longest reason in bytes.
pub(crate) const REASON_BYTES_MAX: usize = 200;
/// The largest body in bytes: as many rules as there may be, each naming some products.
const BODY_BYTES_MAX: usize = 256 * 1_024;

/// Describes the operations on the rules.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/admin/shelf-rules", read)
            .named("readShelfRules", "Reads the rules of the shelves, and who changed them")
            .for_admins()
            .answers::<RulesView>(200, "The rules."),
        Operation::new(Method::PUT, "/admin/shelf-rules", save)
            .named("saveShelfRules", "Puts rules in the place of those before")
            .about(
                "`exclude` never offers products, `boost` lets them come sooner or later, `pin` puts one at a place, `spread` \
                 offers at most so many of a category at once, `once` never offers products again to whoever bought them. \
                 What is sold out, hidden or in the cart is offered by no rule. Rules hold on every node within a second or \
                 two.",
            )
            .for_admins()
            .body::<NewRules>()
            .example(
                "winter",
                json!({"revision": 0, "reason": "winter sale", "rules": [
                    {"id": "no-vouchers", "type": "exclude", "categories": ["Vouchers"]},
                    {"id": "warm", "type": "boost", "attributes": ["season=winter"], "percent": 200,
                     "from": "2026-12-01T00:00:00Z", "until": "2027-03-01T00:00:00Z"},
                    {"id": "mix", "type": "spread", "most": 2, "shelves": ["popular", "recommended"]}]}),
            )
            .answers::<RulesView>(200, "The rules as they are now.")
            .problems(&[Kind::InvalidShelfRules, Kind::ShelfRulesChanged]),
    ]
}

/// Are rules as clients write them.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewShelfRules")]
#[serde(deny_unknown_fields)]
struct NewRules {
    /// The revision that was looked at; 0 where there are no rules yet.
    revision: u64,
    /// Why they are changed.
    #[schemars(length(min = 1, max = REASON_BYTES_MAX))]
    reason: String,
    /// All rules.
    #[schemars(with = "Rules")]
    rules: serde_json::Value,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ShelfRulesAndChanges")]
struct RulesView {
    /// The number of the last change; 0 where there was none.
    revision: u64,
    rules: Rules,
    /// What was changed, the newest first.
    changes: Vec<ChangeView>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ShelfRulesChange")]
struct ChangeView {
    revision: u64,
    at_ms: i64,
    by: String,
    reason: String,
    /// The rules after it.
    rules: Rules,
}

fn change_view(saved: DocumentRevision) -> Option<ChangeView> {
    let DocumentRevision { revision, saved_at_ms: at_ms, saved_by: by, reason, text, .. } = saved;
    // What another version of the server has saved may not be readable here.
    let rules = Rules::parse(&text).ok()?;
    Some(ChangeView { revision, at_ms, by, reason, rules })
}

async fn read(shop: web::Data<Shop>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    answer(&shop).await
}

async fn answer(shop: &Shop) -> Result<HttpResponse, Problem> {
    shop.shelves.rulebook.refresh(&*shop.store).await?;
    let history = shop.shelves.rulebook.history(&*shop.store).await?;
    let view = RulesView {
        revision: history.first().map_or(0, |last| last.revision),
        rules: (*shop.shelves.rulebook.get()).clone(),
        changes: history.into_iter().filter_map(change_view).collect(),
    };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "private, no-cache")).json(view))
}

async fn save(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let by = admin(&shop, &request).await?;
    let (new, _) = json_within::<NewRules>(&request, body, BODY_BYTES_MAX).await?;
    save_rules(&shop, &new.rules.to_string(), new.revision, by, new.reason).await?;
    answer(&shop).await
}

/// Saves rules that somebody wrote, for a reason.
///
/// # Errors
/// The problems `invalid_shelf_rules` and `shelf_rules_changed`.
pub(crate) async fn save_rules(
    shop: &Shop,
    text: &str,
    read_at: u64,
    by: String,
    reason: String,
) -> Result<(), Problem> {
    let reason = reason.trim().to_owned();
    if reason.is_empty() || reason.len() > REASON_BYTES_MAX {
        let detail = format!("say in 1 to {REASON_BYTES_MAX} bytes why the rules are changed");
        return Err(Problem::new(Kind::InvalidShelfRules, detail));
    }
    let saved = async {
        let rules = Rules::parse(text)?;
        let draft = Draft { rules, read_at, by, reason };
        shop.shelves.rulebook.save(&*shop.store, &shop.catalogue.get(), draft).await
    };
    saved.await.map_err(|error| match error {
        RulebookError::Store(error) => error.into(),
        RulebookError::Overtaken => Problem::new(Kind::ShelfRulesChanged, error.to_string()),
        _ => Problem::new(Kind::InvalidShelfRules, error.to_string()),
    })
}
