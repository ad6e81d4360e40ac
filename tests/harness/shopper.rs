//! A visitor with a cart, over the JSON API.

use std::net::SocketAddr;

use reqwest::{Client, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

/// Is what the API answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null where it is not JSON.
    pub body: Value,
}

impl Answer {
    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// Where the connection fails before the answer is complete.
    pub async fn to(request: RequestBuilder) -> Result<Self, reqwest::Error> {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await?;
        Ok(Self { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    /// Returns a header as text, empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Asserts the command was accepted, and returns the cart after it.
    pub fn accepted(self) -> Value {
        assert!(matches!(self.status, 200 | 201), "{} {}", self.status, self.body);
        self.body["cart"].clone()
    }

    /// Returns the last part of a problem's type, such as `out-of-stock`.
    pub fn problem(&self) -> &str {
        self.body["type"].as_str().and_then(|kind| kind.strip_prefix("/problems/")).unwrap_or_default()
    }

    /// Asserts the answer is this problem, well-formed as RFC 9457 has it.
    pub fn assert_problem(&self, status: u16, problem: &str) {
        assert_eq!((self.status, self.problem()), (status, problem), "{}", self.body);
        assert!(self.header("content-type").starts_with("application/problem+json"), "{:?}", self.headers);
        assert_eq!(self.body["status"], status, "{}", self.body);
        for member in ["title", "detail"] {
            assert!(
                self.body[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member} in {}",
                self.body
            );
        }
        if status == 503 {
            assert!(self.header("retry-after").parse::<u32>().is_ok(), "a 503 says when to come back");
        }
    }
}

/// Is a visitor's cart and the connection it is used over; clones share the connection pool.
#[derive(Clone, Debug)]
pub struct Shopper {
    http: Client,
    address: SocketAddr,
    token: String,
    cart: String,
}

impl Shopper {
    /// Opens a cart for the visitor with the token.
    ///
    /// # Panics
    /// Where the API refuses.
    pub async fn open_cart(address: SocketAddr, token: &str) -> Self {
        Self::try_open_cart(address, token, "").await.expect("the server answers")
    }

    /// Opens a cart in a variation that a tester forces, such as `checkout-express=1`.
    ///
    /// # Panics
    /// Where the API refuses.
    pub async fn open_forced_cart(address: SocketAddr, token: &str, forced: &str) -> Self {
        Self::try_open_cart(address, token, forced).await.expect("the server answers")
    }

    /// Opens a cart, unless the connection fails.
    ///
    /// # Errors
    /// Where the server goes away meanwhile.
    pub async fn try_open_cart(
        address: SocketAddr,
        token: &str,
        query: &str,
    ) -> Result<Self, reqwest::Error> {
        let http = Client::new();
        let url = format!("http://{address}/api/v1/carts?{query}");
        let request = http.post(url).bearer_auth(token).json(&json!({}));
        let answer = Answer::to(request).await?;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let cart = answer.body["cart"]["id"].as_str().expect("a cart has an id").to_owned();
        Ok(Self { http, address, token: token.to_owned(), cart })
    }

    /// Returns the same visitor and cart on a connection of its own, at a node's address.
    pub fn on(&self, address: SocketAddr) -> Self {
        Self { http: Client::new(), address, token: self.token.clone(), cart: self.cart.clone() }
    }

    /// Returns another visitor who tries to use this cart.
    pub fn impostor(&self, token: &str) -> Self {
        Self { http: Client::new(), address: self.address, token: token.to_owned(), cart: self.cart.clone() }
    }

    /// Returns the same visitor with another of their carts.
    pub fn with_cart(&self, cart: &str) -> Self {
        Self { cart: cart.to_owned(), ..self.clone() }
    }

    /// Returns the visitor's token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns the cart's id.
    pub fn cart_id(&self) -> &str {
        &self.cart
    }

    /// Returns the cart's channel topic.
    pub fn topic(&self) -> String {
        format!("cart:{}", self.cart)
    }

    /// Returns a bare request for the cart's commands, for input that no client would send.
    pub fn raw_command(&self) -> RequestBuilder {
        let url = format!("http://{}/api/v1/carts/{}/commands", self.address, self.cart);
        self.http.post(url).bearer_auth(&self.token)
    }

    /// Sends one command.
    ///
    /// # Panics
    /// Where the server goes away meanwhile.
    pub async fn command(&self, command: &Value) -> Answer {
        self.try_command(command, None).await.expect("the server answers")
    }

    /// Sends one command with an idempotency key.
    ///
    /// # Panics
    /// Where the server goes away meanwhile.
    pub async fn command_with_key(&self, command: &Value, key: &str) -> Answer {
        self.try_command(command, Some(key)).await.expect("the server answers")
    }

    /// Sends one command, unless the connection fails.
    ///
    /// # Errors
    /// Where it fails, whatever became of the command.
    pub async fn try_command(&self, command: &Value, key: Option<&str>) -> Result<Answer, reqwest::Error> {
        let mut request = self.raw_command().json(command);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        Answer::to(request).await
    }

    /// Adds pieces of a SKU.
    pub async fn add(&self, sku: &str, quantity: i64) -> Answer {
        self.command(&json!({"type": "add_line", "sku": sku, "quantity": quantity})).await
    }

    /// Asks for a resource of the cart, such as `/snapshot`.
    ///
    /// # Panics
    /// Where the method is none, or the server goes away meanwhile.
    pub async fn request(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let url = format!("http://{}/api/v1/carts/{}{path}", self.address, self.cart);
        let mut request = self.http.request(method.parse().expect("a method"), url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::to(request).await.expect("the server answers")
    }

    /// Asks for the cart.
    pub async fn get(&self) -> Answer {
        let url = format!("http://{}/api/v1/carts/{}", self.address, self.cart);
        Answer::to(self.http.get(url).bearer_auth(&self.token)).await.expect("the server answers")
    }

    /// Reads the cart.
    ///
    /// # Panics
    /// Where the API refuses.
    pub async fn cart(&self) -> Value {
        let answer = self.get().await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// Reads how many pieces of the SKU the cart holds.
    pub async fn quantity(&self, sku: &str) -> u64 {
        quantity(&self.cart().await, sku)
    }

    /// Goes through the checkout with the payment token, and returns the last answer: the order's or the first refusal.
    pub async fn check_out(&self, payment_token: &str) -> Answer {
        let mut answer = self.command(&json!({"type": "start_checkout"})).await;
        while answer.status == 200 {
            let Some(step) = answer.body["cart"]["next_step"].as_str() else { break };
            answer = self.command(&complete_step(step)).await;
        }
        if answer.status == 200 { self.place_order(payment_token).await } else { answer }
    }

    /// Places the order.
    pub async fn place_order(&self, payment_token: &str) -> Answer {
        self.command(&place_order(payment_token)).await
    }
}

/// Reads how many pieces of the SKU a cart holds.
pub fn quantity(cart: &Value, sku: &str) -> u64 {
    let lines = cart["lines"].as_array().expect("a cart has lines");
    lines.iter().filter(|line| line["sku"] == sku).map(|line| line["quantity"].as_u64().unwrap_or(0)).sum()
}

/// Returns the command that completes a checkout step with good details.
pub fn complete_step(step: &str) -> Value {
    let details = match step {
        "contact" => json!({"email": "ada@example.org"}),
        "address" => json!({
            "email": "ada@example.org", "name": "Ada Byron", "street": "12 St James's Square",
            "city": "London", "postcode": "SW1Y 4JH", "country": "GB",
        }),
        "shipping" => json!({"method": "standard"}),
        _ => json!({}),
    };
    json!({"type": "complete_step", "step": step, "details": details})
}

/// Returns the command that places the order.
pub fn place_order(payment_token: &str) -> Value {
    json!({"type": "place_order", "payment_token": payment_token})
}
