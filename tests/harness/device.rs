//! One of a visitor's devices: a raw websocket that speaks Phoenix Channels V2.

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderValue, Response},
    },
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Is one text frame: `[join_ref, ref, topic, event, payload]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The reference of the join that the frame belongs to.
    pub join_ref: Value,
    /// The reference of the message that the frame answers.
    pub reference: Value,
    /// The topic.
    pub topic: String,
    /// The event.
    pub event: String,
    /// The payload.
    pub payload: Value,
}

impl Frame {
    /// Parses a text frame.
    ///
    /// # Panics
    /// Where it is not an array of five with a topic and an event as texts.
    pub fn parse(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).expect("a text frame is JSON");
        let [join_ref, reference, topic, event, payload] =
            value.as_array().expect("a text frame is an array").as_slice()
        else {
            panic!("a text frame has five elements: {text}")
        };
        let word = |value: &Value| value.as_str().expect("topic and event are texts").to_owned();
        Self {
            join_ref: join_ref.clone(),
            reference: reference.clone(),
            topic: word(topic),
            event: word(event),
            payload: payload.clone(),
        }
    }

    /// Returns a reply's status, empty for other frames.
    pub fn status(&self) -> &str {
        self.payload["status"].as_str().unwrap_or_default()
    }

    /// Returns a reply's response.
    pub fn response(&self) -> &Value {
        &self.payload["response"]
    }

    /// Returns an error reply's reason, empty for other frames.
    pub fn reason(&self) -> &str {
        self.response()["reason"].as_str().unwrap_or_default()
    }

    /// Returns the frame as the array that travels.
    pub fn to_json(&self) -> Value {
        json!([self.join_ref, self.reference, self.topic, self.event, self.payload])
    }
}

/// Is what ended a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The server closed with this code.
    Closed(u16),
    /// The connection broke, or was closed without a code.
    Broken,
}

/// Is an open connection.
#[derive(Debug)]
pub struct Device {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_ref: u64,
    waiting: VecDeque<Frame>,
}

impl Device {
    /// Connects as the visitor with the token.
    ///
    /// # Panics
    /// Where the server refuses.
    pub async fn connect(address: SocketAddr, token: &str) -> Self {
        let path = format!("/socket/websocket?vsn=2.0.0&userToken={token}");
        Self::try_connect(address, &path, &[]).await.expect("the socket opens").0
    }

    /// Connects as the visitor with the token, with room for no more than `receive_bytes` that nobody has read yet.
    ///
    /// # Panics
    /// Where the server refuses.
    pub async fn connect_with_room(address: SocketAddr, token: &str, receive_bytes: u32) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        // Before the connection is made: its window follows from the buffer.
        socket.set_recv_buffer_size(receive_bytes).expect("a buffer of that size");
        let stream = socket.connect(address).await.expect("the server listens");
        let url = format!("ws://{address}/socket/websocket?vsn=2.0.0&userToken={token}");
        let (socket, _) = client_async(url, MaybeTlsStream::Plain(stream)).await.expect("the socket opens");
        Self { socket, last_ref: 0, waiting: VecDeque::new() }
    }

    /// Connects to a path with more headers, and returns the upgrade's answer beside the connection.
    ///
    /// # Errors
    /// The HTTP status where the server refuses the upgrade.
    pub async fn try_connect(
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(Self, Response<Option<Vec<u8>>>), u16> {
        let mut request = format!("ws://{address}{path}").into_client_request().expect("a request");
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).expect("a header value"));
        }
        match connect_async(request).await {
            Ok((socket, answer)) => Ok((Self { socket, last_ref: 0, waiting: VecDeque::new() }, answer)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("the upgrade is neither done nor refused: {error}"),
        }
    }

    /// Returns a reference that was not used on this connection.
    pub fn next_ref(&mut self) -> String {
        self.last_ref += 1;
        self.last_ref.to_string()
    }

    /// Sends a message as it is.
    pub async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.expect("the connection is open");
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: Value) {
        self.send_raw(Message::text(frame.to_string())).await;
    }

    /// Joins a topic and returns the reply; the join's reference is the reply's `join_ref`.
    pub async fn join(&mut self, topic: &str) -> Frame {
        self.join_with(topic, json!({})).await
    }

    /// Joins a topic with a payload and returns the reply.
    pub async fn join_with(&mut self, topic: &str, payload: Value) -> Frame {
        let join_ref = self.next_ref();
        self.send(json!([join_ref, join_ref, topic, "phx_join", payload])).await;
        self.reply_to(&join_ref).await
    }

    /// Pushes an event with a null join reference and returns the reply.
    pub async fn push(&mut self, topic: &str, event: &str, payload: Value) -> Frame {
        let reference = self.next_ref();
        self.send(json!([null, reference, topic, event, payload])).await;
        self.reply_to(&reference).await
    }

    /// Sets the quantity of a SKU in the topic's cart and returns the reply.
    pub async fn update_cart(&mut self, topic: &str, sku: &str, quantity: i64) -> Frame {
        self.push(topic, "update_cart", json!({"item": {"sku": sku, "quantity": quantity}})).await
    }

    /// Waits for the reply to the reference; other frames wait their turn.
    pub async fn reply_to(&mut self, reference: &str) -> Frame {
        self.next_where(|frame| frame.event == "phx_reply" && frame.reference == reference).await
    }

    /// Waits for a broadcast with at least this version of the cart.
    pub async fn cart_at(&mut self, version: u64) -> Frame {
        self.next_where(|frame| {
            frame.event == "cart_updated" && frame.payload["version"].as_u64() >= Some(version)
        })
        .await
    }

    /// Reads on until a broadcast with this version of the cart; returns the versions of all that were read, in order.
    pub async fn versions_until(&mut self, version: u64) -> Vec<u64> {
        let last = self.cart_at(version).await;
        let told = self.waiting.drain(..).chain([last]).filter(|frame| frame.event == "cart_updated");
        told.filter_map(|frame| frame.payload["version"].as_u64()).collect()
    }

    /// Waits for the first frame that fits; those before it wait their turn.
    ///
    /// # Panics
    /// Where none comes in time, or the connection ends.
    pub async fn next_where(&mut self, fits: impl Fn(&Frame) -> bool) -> Frame {
        if let Some(found) = self.waiting.iter().position(&fits) {
            return self.waiting.remove(found).expect("it was found there");
        }
        let waited = timeout(PATIENCE, async {
            loop {
                match self.read().await {
                    Ok(frame) if fits(&frame) => return frame,
                    Ok(frame) => self.waiting.push_back(frame),
                    Err(ended) => {
                        panic!("the connection ended: {ended:?}; frames before: {:?}", self.waiting)
                    }
                }
            }
        });
        match waited.await {
            Ok(frame) => frame,
            Err(_) => panic!("no such frame within {PATIENCE:?}; these came: {:?}", self.waiting),
        }
    }

    /// Returns the next frame, or none where the server is silent that long.
    pub async fn next_within(&mut self, patience: Duration) -> Option<Frame> {
        if let Some(frame) = self.waiting.pop_front() {
            return Some(frame);
        }
        match timeout(patience, self.read()).await {
            Ok(Ok(frame)) => Some(frame),
            Ok(Err(ended)) => panic!("the connection ended: {ended:?}"),
            Err(_) => None,
        }
    }

    /// Forgets the frames that arrived and nobody asked for.
    pub fn forget_waiting(&mut self) {
        self.waiting.clear();
    }

    /// Returns the frames that arrived up to a heartbeat's answer: all that the server sent before it.
    pub async fn frames_until_heartbeat(&mut self) -> Vec<Frame> {
        let reference = self.next_ref();
        self.send(json!([null, reference, "phoenix", "heartbeat", {}])).await;
        self.reply_to(&reference).await;
        self.waiting.drain(..).collect()
    }

    /// Waits until the server ends the connection.
    ///
    /// # Panics
    /// Where it does not in time.
    pub async fn ended_within(&mut self, patience: Duration) -> Ended {
        let waited = timeout(patience, async {
            loop {
                match self.read().await {
                    Ok(frame) => self.waiting.push_back(frame),
                    Err(ended) => return ended,
                }
            }
        });
        waited.await.unwrap_or_else(|_| panic!("the connection is still open after {patience:?}"))
    }

    async fn read(&mut self) -> Result<Frame, Ended> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(Frame::parse(&text)),
                Some(Ok(Message::Close(Some(frame)))) => return Err(Ended::Closed(frame.code.into())),
                Some(Ok(Message::Close(None)) | Err(_)) | None => return Err(Ended::Broken),
                Some(Ok(_)) => {}
            }
        }
    }
}
