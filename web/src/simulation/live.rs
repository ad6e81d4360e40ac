//! A shopper's second device: a websocket that speaks Phoenix Channels V2 and follows one cart.

use std::time::Duration;

use cart_core::{CartId, Sku};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message},
};

use super::{
    seen::SeenCart,
    site::{Caller, Trouble},
};
use crate::channel::frame;

/// How long the shop may take to reply, or to tell of a change.
const REPLY_MAX: Duration = Duration::from_secs(15);
/// Names the one join of a device.
const JOIN: &str = "1";

/// Is a device that follows a cart.
pub struct Device {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    topic: String,
    pushed: u64,
    newest: u64,
    updates: u64,
}

#[derive(Deserialize)]
struct Reply {
    status: String,
    response: Value,
}

#[derive(Deserialize)]
struct Joined {
    cart: SeenCart,
}

impl Device {
    /// Opens a websocket and joins a cart; returns the cart as the device sees it, too.
    ///
    /// # Errors
    /// [`Trouble`], as everywhere here.
    pub async fn join(caller: &Caller, cart: &CartId) -> Result<(Self, SeenCart), Trouble> {
        let mut url = caller.site().address(&["socket", "websocket"]);
        url.query_pairs_mut().append_pair("vsn", "2.0.0").append_pair("userToken", caller.token());
        url.set_scheme("ws").expect("http becomes ws");
        let connecting = timeout(REPLY_MAX, connect_async(url.as_str())).await;
        let (socket, _) = connecting.map_err(|_| Trouble::TimedOut)?.map_err(of_socket)?;
        let mut device = Self { socket, topic: format!("cart:{cart}"), pushed: 0, newest: 0, updates: 0 };
        let joined: Joined = read(device.push("phx_join", json!({})).await?)?;
        device.newest = joined.cart.version;
        Ok((device, joined.cart))
    }

    /// Sets the pieces of a line; returns the cart after it.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn set_line(&mut self, sku: &Sku, quantity: u32) -> Result<SeenCart, Trouble> {
        let answered: Joined =
            read(self.push("update_cart", json!({"item": {"sku": sku, "quantity": quantity}})).await?)?;
        Ok(answered.cart)
    }

    /// Waits until the device has been told of a version of the cart, or of a later one.
    ///
    /// # Errors
    /// [`Trouble::NotTold`] where the shop takes too long.
    pub async fn is_told(&mut self, version: u64) -> Result<(), Trouble> {
        let told = async {
            while self.newest < version {
                self.receive().await?;
            }
            Ok(())
        };
        timeout(REPLY_MAX, told).await.unwrap_or(Err(Trouble::NotTold(version)))
    }

    /// Closes the device; returns how many changes it was told of.
    pub async fn close(mut self) -> u64 {
        // A shop that is gone already needs no goodbye.
        let _ = timeout(REPLY_MAX, self.socket.close(None)).await;
        self.updates
    }

    async fn push(&mut self, event: &str, payload: Value) -> Result<Value, Trouble> {
        self.pushed += 1;
        let reference = self.pushed.to_string();
        let frame = json!([JOIN, reference, self.topic, event, payload]).to_string();
        self.socket.send(Message::text(frame)).await.map_err(of_socket)?;
        let reply = async {
            loop {
                let frame = self.receive().await?;
                if frame.event == "phx_reply" && frame.reference.as_deref() == Some(&reference) {
                    return read::<Reply>(frame.payload);
                }
            }
        };
        let reply = timeout(REPLY_MAX, reply).await.map_err(|_| Trouble::TimedOut)??;
        match reply.status.as_str() {
            "ok" => Ok(reply.response),
            _ => Err(refusal(&reply.response)),
        }
    }

    /// Receives one frame, and notes the cart's version where it tells of one.
    async fn receive(&mut self) -> Result<frame::Message, Trouble> {
        loop {
            let message = self.socket.next().await.unwrap_or(Err(tungstenite::Error::ConnectionClosed));
            let Message::Text(text) = message.map_err(of_socket)? else { continue };
            let frame = frame::parse(&text).map_err(|e| Trouble::BrokenAnswer(e.to_string()))?;
            if frame.event == "cart_updated" && frame.topic == self.topic {
                self.newest = self.newest.max(frame.payload["version"].as_u64().unwrap_or(0));
                self.updates += 1;
            }
            return Ok(frame);
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Trouble> {
    serde_json::from_value(value).map_err(|e| Trouble::BrokenAnswer(e.to_string()))
}

fn refusal(response: &Value) -> Trouble {
    let text = |key: &str| response[key].as_str().unwrap_or_default().to_owned();
    Trouble::Problem { name: text("reason").replace(' ', "_"), detail: text("detail") }
}

fn of_socket(error: tungstenite::Error) -> Trouble {
    match error {
        tungstenite::Error::Http(response) => Trouble::Status(response.status().as_u16()),
        other => Trouble::Unreachable(other.to_string()),
    }
}
