//! The checkout workflow as data: the ordered steps and the layout that a variation selects.

use std::{collections::BTreeSet, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{StockPolicy, limits::HOLD_SECONDS_MAX};

/// Is one step of a checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Who is asked about the order: the e-mail address, before anything else.
    Contact,
    /// Who and where the order goes to.
    Address,
    /// How it travels.
    Shipping,
    /// How it is paid.
    Payment,
    /// A last look before the order is placed.
    Review,
}

impl Step {
    /// All steps, in no order that binds a workflow.
    pub const ALL: [Self; 5] = [Self::Contact, Self::Address, Self::Shipping, Self::Payment, Self::Review];

    /// Returns the name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Address => "address",
            Self::Shipping => "shipping",
            Self::Payment => "payment",
            Self::Review => "review",
        }
    }

    /// Returns the step of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Says where a shopper meets the cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CartLayout {
    /// On a page of its own.
    Page,
    /// In a drawer beside the page the shopper is on.
    Drawer,
}

/// Says how the steps are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutLayout {
    /// One page a step.
    Stepwise,
    /// All steps on one page.
    SinglePage,
}

/// Is an ordered list of checkout steps with its layout. A cart keeps the one it was opened with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "WorkflowForm", into = "WorkflowForm")]
pub struct Workflow {
    form: WorkflowForm,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WorkflowForm {
    name: String,
    cart: CartLayout,
    checkout: CheckoutLayout,
    steps: Vec<Step>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stock_policy: Option<StockPolicy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold_seconds: Option<u32>,
}

/// Says why a workflow cannot lead to an order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkflowError {
    /// The name is empty, too long or holds other characters than lower-case letters, digits, `-` and `_`.
    #[error("workflow name {0:?} must be 1 to 40 lower-case letters, digits, '-' or '_'")]
    Name(String),
    /// A step stands twice.
    #[error("step {0} stands twice; each step may stand once")]
    Twice(Step),
    /// A step that every order needs is missing.
    #[error("step {0} is missing; an order needs address, shipping and payment")]
    Missing(Step),
    /// The address, which asks for the e-mail address where nobody has, stands before the contact.
    #[error(
        "step contact stands behind address, which has asked for the e-mail address by then; put it before"
    )]
    ContactBehindAddress,
    /// The policy of its carts counts no pieces, which only a product can do.
    #[error(
        "stock_policy untracked belongs to products; a workflow takes hold_on_add, hold_at_checkout or take_at_order"
    )]
    Untracked,
    /// Holds would end at once, or never.
    #[error("hold_seconds {0} must be 1 to {HOLD_SECONDS_MAX}")]
    HoldSeconds(u32),
}

impl TryFrom<WorkflowForm> for Workflow {
    type Error = WorkflowError;

    fn try_from(form: WorkflowForm) -> Result<Self, WorkflowError> {
        let safe = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if form.name.is_empty() || form.name.len() > 40 || !form.name.chars().all(safe) {
            return Err(WorkflowError::Name(form.name));
        }
        let mut seen = BTreeSet::new();
        if let Some(step) = form.steps.iter().find(|s| !seen.insert(**s)) {
            return Err(WorkflowError::Twice(*step));
        }
        let behind = form.steps.iter().skip_while(|step| **step != Step::Address);
        if behind.into_iter().any(|step| *step == Step::Contact) {
            return Err(WorkflowError::ContactBehindAddress);
        }
        if form.stock_policy == Some(StockPolicy::Untracked) {
            return Err(WorkflowError::Untracked);
        }
        if let Some(seconds) = form.hold_seconds.filter(|s| !(1..=HOLD_SECONDS_MAX).contains(s)) {
            return Err(WorkflowError::HoldSeconds(seconds));
        }
        match [Step::Address, Step::Shipping, Step::Payment].into_iter().find(|s| !seen.contains(s)) {
            Some(step) => Err(WorkflowError::Missing(step)),
            None => Ok(Self { form }),
        }
    }
}

impl From<Workflow> for WorkflowForm {
    fn from(workflow: Workflow) -> Self {
        workflow.form
    }
}

impl Workflow {
    /// The names of the workflows that are built in.
    pub const NAMES: [&str; 3] = ["classic", "express", "guest-first"];

    /// Returns the built-in workflow of a name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "classic" => Some(Self::classic()),
            "express" => Some(Self::express()),
            "guest-first" => Some(Self::guest_first()),
            _ => None,
        }
    }

    /// Returns the workflow of a cart page and one page a step.
    pub fn classic() -> Self {
        let steps = [Step::Address, Step::Shipping, Step::Payment, Step::Review];
        Self::built_in("classic", CartLayout::Page, CheckoutLayout::Stepwise, &steps)
    }

    /// Returns the workflow of a cart drawer and one checkout page.
    pub fn express() -> Self {
        let steps = [Step::Address, Step::Shipping, Step::Payment];
        Self::built_in("express", CartLayout::Drawer, CheckoutLayout::SinglePage, &steps)
    }

    /// Returns the workflow that begins with an e-mail address and ends on the page that takes the card: nobody is asked
    /// for an account, and whoever leaves after the first page can be written to.
    pub fn guest_first() -> Self {
        let steps = [Step::Contact, Step::Address, Step::Shipping, Step::Payment];
        Self::built_in("guest-first", CartLayout::Page, CheckoutLayout::Stepwise, &steps)
    }

    fn built_in(name: &str, cart: CartLayout, checkout: CheckoutLayout, steps: &[Step]) -> Self {
        Self {
            form: WorkflowForm {
                name: name.into(),
                cart,
                checkout,
                steps: steps.to_vec(),
                stock_policy: None,
                hold_seconds: None,
            },
        }
    }

    /// Returns the name that logs and pages use.
    pub fn name(&self) -> &str {
        &self.form.name
    }

    /// Returns where a shopper meets the cart.
    pub fn cart(&self) -> CartLayout {
        self.form.cart
    }

    /// Returns how the steps are laid out.
    pub fn checkout(&self) -> CheckoutLayout {
        self.form.checkout
    }

    /// Returns when its carts take the pieces of a product, which the workflow may say otherwise than the product.
    pub fn stock_policy(&self, of_product: StockPolicy) -> StockPolicy {
        if of_product.is_tracked() { self.form.stock_policy.unwrap_or(of_product) } else { of_product }
    }

    /// Returns how long its carts hold pieces, in milliseconds, where it is not as long as in the rest of the shop.
    pub fn hold_ms(&self) -> Option<i64> {
        self.form.hold_seconds.map(|seconds| i64::from(seconds) * 1_000)
    }

    /// Returns the steps in order.
    pub fn steps(&self) -> &[Step] {
        &self.form.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_that_cannot_lead_to_an_order_is_refused() {
        let parse = |steps: &str, name: &str| {
            serde_json::from_str::<Workflow>(&format!(
                r#"{{"name":"{name}","cart":"page","checkout":"stepwise","steps":{steps}}}"#
            ))
            .map_err(|e| e.to_string())
        };
        assert!(parse(r#"["payment","address","shipping"]"#, "reversed").is_ok());
        for (steps, name, message) in [
            (r#"["address","payment"]"#, "short", "step shipping is missing"),
            (r#"["address","address"]"#, "twice", "step address stands twice"),
            (r#"["address","contact","shipping","payment"]"#, "late", "step contact stands behind address"),
            (r#"["teleport"]"#, "odd", "unknown variant `teleport`"),
            (r#"["address","shipping","payment"]"#, "Bad Name", "workflow name \"Bad Name\""),
        ] {
            let error = parse(steps, name).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn a_workflow_may_say_when_pieces_are_taken_and_for_how_long() {
        let parse = |rest: &str| {
            serde_json::from_str::<Workflow>(&format!(
                r#"{{"name":"late","cart":"page","checkout":"stepwise","steps":["address","shipping","payment"]{rest}}}"#
            ))
            .map_err(|e| e.to_string())
        };
        let late = parse(r#","stock_policy":"hold_at_checkout","hold_seconds":90"#).unwrap();
        assert_eq!(late.stock_policy(StockPolicy::HoldOnAdd), StockPolicy::HoldAtCheckout);
        assert_eq!(
            late.stock_policy(StockPolicy::Untracked),
            StockPolicy::Untracked,
            "a download never runs out"
        );
        assert_eq!(late.hold_ms(), Some(90_000));
        let plain = parse("").unwrap();
        assert_eq!(
            (plain.stock_policy(StockPolicy::TakeAtOrder), plain.hold_ms()),
            (StockPolicy::TakeAtOrder, None)
        );
        for (rest, message) in [
            (r#","stock_policy":"untracked""#, "stock_policy untracked belongs to products"),
            (r#","hold_seconds":0"#, "hold_seconds 0 must be 1 to 604800"),
            (r#","hold_seconds":604801"#, "hold_seconds 604801 must be"),
        ] {
            let error = parse(rest).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn the_built_in_workflows_are_valid() {
        for name in Workflow::NAMES {
            let workflow = Workflow::named(name).unwrap();
            assert_eq!(workflow.name(), name);
            let json = serde_json::to_string(&workflow).unwrap();
            assert_eq!(serde_json::from_str::<Workflow>(&json).unwrap(), workflow);
        }
        assert_eq!(Workflow::named("slow"), None);
        assert_eq!(Workflow::guest_first().steps().first(), Some(&Step::Contact));
    }
}
