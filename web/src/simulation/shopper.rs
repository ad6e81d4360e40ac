//! One shopper from the first page to the order, or to the door.

use cart_core::Sku;
use reqwest::Url;
use serde_json::{Value, json};

use super::{
    live::Device,
    market::{Pick, SUGGESTIONS_READ},
    plan::{Effect, Plan},
    seen::{Answered, SeenCart},
    site::{Caller, Site, Trouble},
    summary::Summary,
};

/// How often a shopper takes out what is sold out and tries to order the rest.
const MENDS_MAX: u32 = 3;

/// Sends a shopper into the shop; returns what they did.
pub async fn send(site: &Site, plan: &Plan, effect: &Effect) -> Summary {
    let mut shopper = Shopper {
        caller: site.caller(plan.token.clone()),
        plan,
        device: None,
        summary: Summary { shoppers: 1, ..Summary::default() },
    };
    if let Err(trouble) = shopper.shop(effect).await {
        shopper.note(&trouble);
    }
    if let Some(device) = shopper.device.take() {
        shopper.summary.live_updates += device.close().await;
    }
    shopper.summary.retries = shopper.caller.retries();
    shopper.summary
}

struct Shopper<'p> {
    caller: Caller,
    plan: &'p Plan,
    device: Option<Device>,
    summary: Summary,
}

impl Shopper<'_> {
    async fn shop(&mut self, effect: &Effect) -> Result<(), Trouble> {
        self.look_around().await;
        let mut cart = self.caller.open().await?;
        let workflow = cart.workflow.name.clone();
        self.summary.cart(&workflow, cart.currency);
        if self.plan.is_live {
            self.summary.live_shoppers += 1;
            let (device, seen) = Device::join(&self.caller, &cart.id).await?;
            self.device = Some(device);
            cart = seen;
        }
        cart = self.fill(cart).await;
        if cart.lines.is_empty() {
            self.summary.empty_carts += 1;
            return Ok(());
        }
        self.look(&["cart"]).await;
        // The one place where the workflow changes what a shopper does.
        if self.plan.intent.buys(effect, &workflow) {
            self.buy(cart, &workflow).await?;
        }
        Ok(())
    }

    async fn look_around(&mut self) {
        let Some(category) = &self.plan.category else { return };
        self.look(&[]).await;
        let mut url = self.caller.site().address(&["products"]);
        url.query_pairs_mut().append_pair("category", category);
        self.look_at(url).await;
    }

    async fn look(&mut self, path: &[&str]) {
        self.look_at(self.caller.site().address(path)).await;
    }

    /// A page that fails is noted; the shopper goes on.
    async fn look_at(&mut self, url: Url) {
        match self.caller.page(url).await {
            Ok(()) => self.summary.pages += 1,
            Err(trouble) => self.note(&trouble),
        }
    }

    fn note(&mut self, trouble: &Trouble) {
        tracing::debug!(%trouble, "a simulated shopper met trouble");
        self.summary.error(trouble.name());
    }

    /// Puts everything into the cart that the shop lets in.
    async fn fill(&mut self, mut cart: SeenCart) -> SeenCart {
        for pick in &self.plan.picks {
            let sku = self.choose(pick, &cart).await;
            // Whoever replays an order knows what they want; others look at it first.
            if self.plan.category.is_some() {
                self.look(&["products", sku.as_str()]).await;
            }
            match self.add(&cart, &sku, pick.quantity).await {
                Ok(changed) => {
                    cart = changed;
                    self.summary.lines += 1;
                }
                Err(Trouble::Problem { name, .. }) => self.summary.refusal(name),
                Err(trouble) => self.note(&trouble),
            }
        }
        cart
    }

    async fn choose(&mut self, pick: &Pick, cart: &SeenCart) -> Sku {
        let Some(rank) = pick.suggestion else { return pick.sku.clone() };
        match self.caller.suggestions(&cart.id, SUGGESTIONS_READ).await {
            Ok(shelf) => match shelf.get(rank) {
                Some(suggestion) => {
                    self.summary.suggested_lines += 1;
                    suggestion.sku.clone()
                }
                None => pick.sku.clone(),
            },
            Err(trouble) => {
                self.note(&trouble);
                pick.sku.clone()
            }
        }
    }

    async fn add(&mut self, cart: &SeenCart, sku: &Sku, quantity: u32) -> Result<SeenCart, Trouble> {
        match &mut self.device {
            Some(device) => {
                // The channel sets a line's quantity.
                let before = cart.lines.iter().find(|l| l.sku == *sku).map_or(0, |l| l.quantity);
                device.set_line(sku, before.saturating_add(quantity)).await
            }
            None => {
                let command = json!({"type": "add_line", "sku": sku, "quantity": quantity});
                Ok(self.caller.command(&cart.id, &command).await?.cart)
            }
        }
    }

    async fn buy(&mut self, mut cart: SeenCart, workflow: &str) -> Result<(), Trouble> {
        let mut mends = 0;
        let order = loop {
            match self.check_out(&cart).await {
                Ok(answered) => break answered.order,
                // Somebody else was faster: better an order of the rest than none.
                Err(trouble) if trouble.is("out_of_stock") && mends < MENDS_MAX => {
                    self.note(&trouble);
                    mends += 1;
                    cart = self.take_out_what_is_gone(cart).await?;
                }
                Err(trouble) => return Err(trouble),
            }
        };
        let Some(order) = order else {
            return Err(Trouble::BrokenAnswer("an order was placed and none is shown".into()));
        };
        self.summary.order(workflow, order.total_minor);
        self.look(&["orders", order.id.as_str()]).await;
        Ok(())
    }

    async fn check_out(&mut self, cart: &SeenCart) -> Result<Answered, Trouble> {
        let mut cart = self.tell(cart, &json!({"type": "start_checkout"})).await?.cart;
        let is_stepwise = cart.workflow.checkout == "stepwise";
        if !is_stepwise {
            self.look(&["checkout"]).await;
        }
        while let Some(step) = cart.next_step.clone() {
            if is_stepwise {
                self.look(&["checkout", &step]).await;
            }
            let command = json!({"type": "complete_step", "step": step, "details": self.details(&step)});
            cart = self.tell(&cart, &command).await?.cart;
        }
        if self.plan.is_declined {
            match self.pay(&cart, "tok_decline").await {
                Err(trouble) if trouble.is("payment_declined") => self.summary.declined += 1,
                other => return other,
            }
        }
        self.pay(&cart, "tok_success").await
    }

    async fn pay(&mut self, cart: &SeenCart, token: &str) -> Result<Answered, Trouble> {
        self.tell(cart, &json!({"type": "place_order", "payment_token": token})).await
    }

    /// Sends a command over HTTP; a second device must hear of what came of it.
    async fn tell(&mut self, cart: &SeenCart, command: &Value) -> Result<Answered, Trouble> {
        let answered = self.caller.command(&cart.id, command).await?;
        if let Some(device) = &mut self.device
            && let Err(trouble) = device.is_told(answered.cart.version).await
        {
            self.note(&trouble);
        }
        Ok(answered)
    }

    fn details(&self, step: &str) -> Value {
        match step {
            "contact" => json!({"email": format!("shopper-{}@example.com", &self.plan.token[..8])}),
            "address" => json!({
                "email": format!("shopper-{}@example.com", &self.plan.token[..8]),
                "name": "Sim Shopper", "street": "1 Test Lane", "city": "Sampleton", "postcode": "TE5 7ER",
                "country": "GB",
            }),
            "shipping" => json!({"method": self.plan.shipping}),
            _ => json!({}),
        }
    }

    async fn take_out_what_is_gone(&mut self, mut cart: SeenCart) -> Result<SeenCart, Trouble> {
        for line in cart.lines.clone() {
            let missing = line.quantity.saturating_sub(line.held);
            let Some(available) = self.caller.product(&line.sku).await?.available else { continue };
            let available = u32::try_from(available.max(0)).unwrap_or(u32::MAX);
            if missing > available {
                let command = match line.held + available {
                    0 => json!({"type": "remove_line", "sku": line.sku}),
                    quantity => json!({"type": "set_quantity", "sku": line.sku, "quantity": quantity}),
                };
                cart = self.tell(&cart, &command).await?.cart;
            }
        }
        Ok(cart)
    }
}
