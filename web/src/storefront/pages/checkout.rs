//! The checkout: one page a step, or all steps on one page.

use std::borrow::Cow;

use cart_core::{
    Asked, AttemptState, Cart, CheckoutLayout, FieldError, Offer, Quote, Step, Taxes, gift_card,
};
use serde::Serialize;

use super::{
    CartView, Field, NoteField, Price, Redeem, Summary, TestCard,
    cart::{address_lines, delivery},
    field,
};

/// Is what a form brought that was refused, to be shown again.
#[derive(Clone, Debug, Default)]
pub struct Entered {
    /// The fields by name, as they came.
    pub fields: Vec<(String, String)>,
    /// What is wrong with them.
    pub errors: Vec<FieldError>,
    /// What is wrong with the whole, in a sentence: a declined card, a piece that is gone.
    pub problem: Option<String>,
    /// The field for codes.
    pub redeem: Redeem,
    /// What was done meanwhile, in a sentence.
    pub done: Option<String>,
}

impl Entered {
    fn get(&self, name: &str) -> Option<String> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
    }
}

/// Is one entry of the progress list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    label: &'static str,
    /// Where a finished step is looked at again.
    href: Option<String>,
    state: &'static str,
}

/// Is a way to send the order.
#[derive(Clone, Debug, Serialize)]
pub struct ShippingChoice {
    value: String,
    label: String,
    price: Option<Price>,
    /// What the cart comes to with it.
    total: Price,
    /// What of that gift cards and credit would pay, in minor units, where they pay something.
    paid: Option<(i64, i64)>,
    checked: bool,
}

/// The words on the button that orders, where the page has no final sum.
const PLACE: &str = "Place order";

/// Is a page of the checkout.
#[derive(Clone, Debug, Serialize)]
pub struct CheckoutPage {
    single: bool,
    heading: &'static str,
    /// Where the form posts to.
    action: String,
    /// The words on the button.
    button: String,
    /// The parts of the form, in order: names of steps.
    parts: Vec<&'static str>,
    progress: Vec<Progress>,
    problem: Option<String>,
    summary: Vec<Summary>,
    /// The field of the e-mail address, where the workflow asks for it by itself.
    contact: Vec<Field>,
    address: Vec<Field>,
    shipping: Vec<ShippingChoice>,
    cards: Vec<TestCard>,
    /// The card that an earlier step chose; the form carries it on.
    payment_token: Option<String>,
    address_lines: Vec<String>,
    email: Option<String>,
    delivery: Option<String>,
    /// The payment that is under way.
    paying: Option<Paying>,
    /// Nobody is asked to pay: gift cards and credit cover all of it.
    nothing_due: bool,
    /// The button names the sum.
    names_sum: bool,
    redeem: Redeem,
    /// The field for a note to the shop, on the page that orders.
    note: Option<NoteField>,
    cart: CartView,
}

/// Is a payment that is under way.
#[derive(Clone, Debug, Serialize)]
struct Paying {
    amount: Price,
    /// Where the shopper confirms it.
    href: Option<String>,
}

impl Paying {
    fn of(cart: &Cart) -> Option<Self> {
        let attempt = cart.payment()?;
        let href = match &attempt.state {
            AttemptState::Begun => None,
            AttemptState::Challenged { url } => Some(url.clone()),
        };
        Some(Self { amount: Price::new(attempt.amount_minor, cart.currency), href })
    }
}

impl CheckoutPage {
    /// Puts one step of a stepwise checkout together.
    ///
    /// The form of the last step places the order: it posts to `/checkout/order` and carries a `payment_token`, from
    /// the payment step where `payment_token` says so, else chosen on the spot.
    pub fn step(
        cart: &Cart,
        quote: &Quote,
        view: CartView,
        step: Step,
        payment_token: Option<String>,
        entered: &Entered,
    ) -> Self {
        let is_last = cart.steps().next_back() == Some(step);
        let mut parts = vec![step.name()];
        let cards = field::cards(entered.get("payment_token").as_deref().or(payment_token.as_deref()));
        // A card that led to a problem is asked for again instead of being carried on.
        let payment_token = payment_token.filter(|_| step != Step::Payment && entered.problem.is_none());
        // The last page takes the card where no step before it did, and shows it where one did.
        if is_last && payment_token.is_none() && step != Step::Payment {
            parts.push(Step::Payment.name());
        }
        // On the page of the ways to travel the sum may still change, so the button promises none.
        let names_sum = is_last && step != Step::Shipping;
        let action = if is_last { "/checkout/order".into() } else { format!("/checkout/{step}") };
        let button = match is_last {
            true if names_sum && quote.totals.due() > 0 => {
                format!("Pay {}", Price::new(quote.totals.due(), cart.currency).text)
            }
            true => PLACE.into(),
            false => "Continue".into(),
        };
        Self {
            action,
            button,
            parts,
            heading: heading(cart, step),
            progress: progress(cart, step),
            payment_token,
            cards,
            names_sum,
            note: is_last.then(|| note(cart, entered)),
            ..Self::with(cart, quote, view, entered)
        }
    }

    /// Puts the checkout together that has all steps on one page.
    pub fn single(cart: &Cart, quote: &Quote, view: CartView, entered: &Entered) -> Self {
        Self {
            single: true,
            parts: cart.steps().map(Step::name).collect(),
            note: Some(note(cart, entered)),
            ..Self::with(cart, quote, view, entered)
        }
    }

    /// Returns a cart as its checkout shows it: where nobody has chosen yet how it travels, with the way that the page chooses
    /// beforehand, so that its sums are those of the form as it stands.
    pub fn shown<'c>(cart: &'c Cart, quote: &Quote, entered: &Entered) -> Cow<'c, Cart> {
        let method = chosen(entered.get("method").as_deref(), quote, cart).map(|offer| offer.method.clone());
        match method {
            Some(method) if cart.shipping.as_ref() != Some(&method) && cart.payment().is_none() => {
                Cow::Owned(Cart { shipping: Some(method), ..cart.clone() })
            }
            _ => Cow::Borrowed(cart),
        }
    }

    /// Leaves out of the address what nobody needs: where nothing travels, all that tax does not depend on either.
    #[must_use]
    pub fn asking(mut self, cart: &Cart, taxes: &Taxes) -> Self {
        if !cart.travels() {
            let (region, postcode) = taxes.depends_on(None);
            self.address = field::billing(self.address, region, postcode);
        }
        self
    }

    /// Greets somebody who has logged in: they go on as who they are.
    #[must_use]
    pub fn for_user(mut self) -> Self {
        if self.parts.first() == Some(&Step::Contact.name()) {
            self.heading = "Where do we write to?";
        }
        self
    }

    /// Reports whether a cart's workflow has its steps on one page.
    pub fn is_single(cart: &Cart) -> bool {
        cart.workflow.checkout() == CheckoutLayout::SinglePage
    }

    fn with(cart: &Cart, quote: &Quote, cart_view: CartView, entered: &Entered) -> Self {
        let known = cart.address.as_ref();
        let asks_contact = asks_contact(cart);
        let value = |name: &str| {
            let typed = entered.get(name).or_else(|| cart.contact.clone().filter(|_| name == "email"));
            typed.or_else(|| {
                known.map(|a| match name {
                    "email" => a.email.clone(),
                    "name" => a.name.clone(),
                    "street" => a.street.clone(),
                    "city" => a.city.clone(),
                    "postcode" => a.postcode.clone(),
                    "region" => a.region.clone(),
                    _ => a.country.clone(),
                })
            })
        };
        let shipping = shipping(chosen(entered.get("method").as_deref(), quote, cart), quote, cart);
        Self {
            single: false,
            heading: "Checkout",
            action: "/checkout/express".into(),
            button: PLACE.into(),
            parts: vec![],
            progress: vec![],
            problem: entered.problem.clone(),
            summary: field::summary(&entered.errors),
            contact: match asks_contact {
                true => field::contact(value("email"), &entered.errors),
                false => vec![],
            },
            address: field::address(
                Asked { knows_email: asks_contact, postal: cart.travels(), ..Asked::default() },
                value,
                &entered.errors,
            ),
            shipping,
            cards: field::cards(entered.get("payment_token").as_deref()),
            payment_token: None,
            address_lines: known.map(address_lines).unwrap_or_default(),
            email: known.map(|a| a.email.clone()).or(cart.contact.clone()),
            delivery: quote.chosen(cart).map(delivery),
            paying: Paying::of(cart),
            nothing_due: quote.totals.due() == 0,
            names_sum: false,
            redeem: entered.redeem.clone(),
            note: None,
            cart: cart_view,
        }
    }
}

/// Shows the note as it was typed, or else as the cart has it.
fn note(cart: &Cart, entered: &Entered) -> NoteField {
    let text = entered.get("note").unwrap_or_else(|| cart.note.clone());
    NoteField::new(text).refused(field::error_of("note", field::NOTE, &entered.errors))
}

/// Reports whether the e-mail address is asked for by itself, and not with the rest of the address.
pub(super) fn asks_contact(cart: &Cart) -> bool {
    cart.workflow.steps().contains(&Step::Contact)
}

fn heading(cart: &Cart, step: Step) -> &'static str {
    match step {
        Step::Contact => "Continue as a guest",
        Step::Address if !cart.travels() => "Who is it for?",
        Step::Address => "Where shall we send it?",
        Step::Shipping => "How shall it travel?",
        Step::Payment => "How would you like to pay?",
        Step::Review => "One last look",
    }
}

fn label(cart: &Cart, step: Step) -> &'static str {
    match step {
        Step::Contact => "Email",
        Step::Address if !cart.travels() => "Billing",
        Step::Address => "Address",
        Step::Shipping => "Delivery",
        Step::Payment => "Payment",
        Step::Review => "Review",
    }
}

fn progress(cart: &Cart, current: Step) -> Vec<Progress> {
    let entry = |step: Step| {
        let is_done = cart.completed().contains(&step);
        Progress {
            label: label(cart, step),
            href: (is_done && step != current).then(|| format!("/checkout/{step}")),
            state: match (step == current, is_done) {
                (true, _) => "current",
                (false, true) => "done",
                (false, false) => "ahead",
            },
        }
    };
    cart.steps().map(entry).collect()
}

/// Returns the way to travel that was entered, or chosen before, or else the first that is offered.
fn chosen<'q>(entered: Option<&str>, quote: &'q Quote, cart: &Cart) -> Option<&'q Offer> {
    let offered = &quote.offers.offered;
    let method = entered.or(cart.shipping.as_ref().map(|method| method.as_str()));
    offered.iter().find(|offer| Some(offer.method.as_str()) == method).or(offered.first())
}

fn shipping(chosen: Option<&Offer>, quote: &Quote, cart: &Cart) -> Vec<ShippingChoice> {
    let choice = |(offer, total): (&Offer, &i64)| ShippingChoice {
        value: offer.method.to_string(),
        label: delivery(offer),
        price: (offer.minor > 0).then(|| Price::new(offer.minor, cart.currency)),
        total: Price::new(*total, cart.currency),
        paid: gift_card::paid(cart, *total),
        checked: chosen.is_some_and(|chosen| chosen.method == offer.method),
    };
    quote.offers.offered.iter().zip(&quote.offered_totals_minor).map(choice).collect()
}
