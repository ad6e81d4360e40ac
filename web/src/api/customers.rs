//! Customers with an account, for the shop's own people: the group that they belong to.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header},
    web,
};
use cart_core::{FieldError, GroupId, VisitorId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{admin::admin, operation::Operation, request::json};
use crate::{
    problem::{Kind, Problem},
    shop::Shop,
    store::User,
};

/// Describes the operations on customers.
pub(super) fn operations() -> Vec<Operation> {
    const CUSTOMER: &str = "The customer, by the id that orders name as their `owner`.";
    vec![
        Operation::get("/admin/customers/{customer}", read)
            .named("readCustomer", "Reads a customer who has an account")
            .for_admins()
            .path::<VisitorId>("customer", CUSTOMER)
            .answers::<CustomerView>(200, "The customer.")
            .problems(&[Kind::InvalidDetails, Kind::UnknownCustomer]),
        Operation::new(Method::PUT, "/admin/customers/{customer}/group", put_group)
            .named("putCustomerGroup", "Says which group a customer belongs to")
            .about(
                "Prices, promotions, ways to travel and exemptions from tax may be a group's own. The customer's open carts are \
                 priced anew at once, whatever the policy for changed prices.",
            )
            .for_admins()
            .path::<VisitorId>("customer", CUSTOMER)
            .body::<NewGroup>()
            .example("trade", json!({ "group": "trade" }))
            .example("nobody in particular", json!({ "group": null }))
            .answers::<CustomerView>(200, "The customer after that.")
            .problems(&[Kind::InvalidDetails, Kind::UnknownCustomer]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewCustomerGroup")]
#[serde(deny_unknown_fields)]
struct NewGroup {
    /// The group, as prices and promotions name it; `null` for none. Who forgets it has not said that there is none.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schemars(with = "Option<GroupId>", required)]
    group: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Customer")]
struct CustomerView {
    id: VisitorId,
    /// The e-mail address that they log in with.
    email: String,
    /// What to call them; may be empty.
    name: String,
    /// The group that they belong to, where there is one.
    group: Option<GroupId>,
    /// When they signed up, in Unix milliseconds.
    created_at_ms: i64,
}

impl From<User> for CustomerView {
    fn from(User { id, email, name, group, created_at_ms, .. }: User) -> Self {
        Self { id, email, name, group, created_at_ms }
    }
}

/// Says what is wrong in one field.
pub(super) fn wrong(field: &str, message: impl Into<String>) -> Problem {
    Problem::invalid_details(vec![FieldError { field: field.into(), message: message.into() }])
}

/// Reads the id of a customer from an address.
///
/// # Errors
/// The problem `invalid_details`.
pub(super) fn customer_of(text: &str) -> Result<VisitorId, Problem> {
    VisitorId::parse(text).map_err(|e| wrong("customer", e.to_string()))
}

/// Reads the name of a group as somebody typed it; nothing is no group.
///
/// # Errors
/// The problem `invalid_details`.
pub(crate) fn group_of(text: &str) -> Result<Option<GroupId>, Problem> {
    match text.trim() {
        "" => Ok(None),
        text => GroupId::parse(text).map(Some).map_err(|e| wrong("group", e.to_string())),
    }
}

async fn show(shop: &Shop, customer: &VisitorId) -> Result<HttpResponse, Problem> {
    let user = shop.store.user(customer).await?.ok_or_else(|| Problem::unknown_customer(customer))?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "private, no-cache"));
    Ok(response.json(CustomerView::from(user)))
}

/// `GET /api/v1/admin/customers/{customer}`.
async fn read(
    shop: web::Data<Shop>,
    request: HttpRequest,
    customer: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    show(&shop, &customer_of(&customer)?).await
}

/// `PUT /api/v1/admin/customers/{customer}/group`.
async fn put_group(
    shop: web::Data<Shop>,
    request: HttpRequest,
    customer: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (form, _) = json::<NewGroup>(&request, body).await?;
    let customer = customer_of(&customer)?;
    let group = form.group.as_deref().map(GroupId::parse).transpose();
    let group = group.map_err(|e| wrong("group", e.to_string()))?;
    shop.put_group(&customer, group.as_ref()).await?;
    show(&shop, &customer).await
}
