//! The session actor: one websocket, its channels and what they say. Only this module knows actix-web-actors.
//!
//! A device wants the latest cart, not every one. Each channel watches its cart; the watch holds one state, so a
//! socket that is slow skips states and nothing is ever queued for it. Messages of one socket are answered in order,
//! one at a time: while one is under way the socket is not read, so a client that pushes too fast feels it itself.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::prelude::*;
use actix_http::ws::Item;
use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws;
use cart_core::{Cart, CartId, Line, Quote, Request};
use futures_util::{Stream, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use super::{
    frame::{self, Message, Refusal},
    inside::Asker,
    manner::{Manner, take_manner},
    operations,
    sessions::Tell,
};
use crate::{
    api::{carts::wished, request::household_of, snapshots::sealed},
    carts::live::Newest,
    checkout::Placing,
    clock, metrics,
    problem::{Kind, Problem, accepted},
    shares,
    shop::Shop,
    store::{Accepted, CartShare},
    views::Source,
    visitor::Visitor,
    wire::{AcceptedView, CartView, CommandForm, LineView, Parsed, UpdateForm, read_value, sku_of},
};

/// The largest frame in bytes: an update fits a hundred times over.
pub const FRAME_BYTES_MAX: usize = 64 * 1_024;
/// The most channels of one connection, as in Phoenix.
pub const CHANNELS_MAX: usize = 100;
/// A client that says nothing for this long is gone; it should send a heartbeat every 30 s.
const QUIET_MAX: Duration = Duration::from_secs(60);
/// Closes the socket of a device that was logged out, in the range that applications may use.
const LOGGED_OUT: u16 = 4_401;
const TOPIC: &str = "cart:";
/// The topic of the shop itself.
const SHOP: &str = "shop";

/// Upgrades a request and starts its session.
///
/// # Errors
/// Where the request is no websocket handshake.
pub(super) fn start(
    shop: web::Data<Shop>,
    visitor: Visitor,
    asker: Asker,
    request: &HttpRequest,
    stream: web::Payload,
) -> Result<HttpResponse, actix_web::Error> {
    let session = Session {
        household: household_of(&shop.config.limits, request),
        shop,
        visitor,
        asker,
        channels: HashMap::new(),
        desk: None,
        heard: Instant::now(),
        number: None,
        parts: vec![],
    };
    ws::WsResponseBuilder::new(session, request, stream)
        .frame_size(FRAME_BYTES_MAX)
        .protocols(&["phoenix"])
        .start()
}

struct Session {
    shop: web::Data<Shop>,
    visitor: Visitor,
    /// Where it comes from.
    household: Option<IpAddr>,
    /// How operations of the API are asked.
    asker: Asker,
    channels: HashMap<String, Channel>,
    /// The join of the shop's own topic, where the client has joined it.
    desk: Option<Desk>,
    heard: Instant,
    number: Option<u64>,
    /// The parts of a message that comes in several frames.
    parts: Vec<u8>,
}

/// Is the shop's own topic, joined: over it a visitor asks what the API answers.
struct Desk {
    join_ref: Option<String>,
}

/// Is a joined topic.
struct Channel {
    join_ref: Option<String>,
    cart: CartId,
    /// The state that the client was last told.
    told: Arc<Cart>,
    watching: SpawnHandle,
    /// The client keeps snapshots.
    is_kept: bool,
    /// The link by which somebody else's cart is seen, where it is one.
    share: Option<CartShare>,
}

impl Channel {
    fn is_over(&self, now_ms: i64) -> bool {
        self.share.as_ref().and_then(|share| share.ends_at_ms).is_some_and(|ends_at_ms| ends_at_ms <= now_ms)
    }
}

/// Is what a client may say when it joins; what it says beside that is its own business.
#[derive(Default, Deserialize)]
#[serde(default)]
struct JoinForm {
    /// Every cart that is told comes with its snapshot.
    snapshot: bool,
    /// The token of a link to the cart, where it is somebody else's.
    share: Option<String>,
    /// The currency of the cart, where the join opens it.
    currency: Option<String>,
    /// The channel that it is opened through, such as `app`.
    channel: Option<String>,
}

/// Is what a client says that shows a product.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ViewForm {
    sku: String,
}

#[derive(Serialize)]
struct JoinedView<'a> {
    cart: CartView<'a>,
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
}

#[derive(Serialize)]
struct UpdatedView<'a> {
    item: Option<LineView<'a>>,
    cart: CartView<'a>,
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
}

type Context = ws::WebsocketContext<Session>;

impl Session {
    fn receive(&mut self, text: &str, ctx: &mut Context) {
        let message = match frame::parse(text) {
            Ok(message) => message,
            Err(error) => {
                tracing::debug!(%error, "a client sent a broken frame");
                let reason =
                    ws::CloseReason { code: ws::CloseCode::Invalid, description: Some(error.to_string()) };
                return self.end(reason, ctx);
            }
        };
        match (message.topic.as_str(), message.event.as_str()) {
            ("phoenix", "heartbeat") => ctx.text(message.ok(&serde_json::json!({}))),
            (SHOP, event) => self.at_desk(event.to_owned(), message, ctx),
            (_, "phx_join") => self.join(message, ctx),
            (_, "phx_leave") => self.leave(&message, ctx),
            _ => self.push(message, ctx),
        }
    }

    /// Answers at the shop's own topic, where pushes are operations of the API.
    fn at_desk(&mut self, event: String, message: Message, ctx: &mut Context) {
        match (event.as_str(), &self.desk) {
            ("phx_join", _) => {
                self.leave_desk(ctx);
                self.desk = Some(Desk { join_ref: message.join_ref.clone() });
                metrics::live_channels(1);
                ctx.text(message.ok(&serde_json::json!({})));
            }
            ("phx_leave", None) => ctx.text(message.ok(&serde_json::json!({}))),
            (_, None) => ctx.text(message.error("unmatched topic")),
            (_, Some(desk)) if message.join_ref.is_some() && message.join_ref != desk.join_ref => {}
            ("phx_leave", _) => {
                ctx.text(message.ok(&serde_json::json!({})));
                self.leave_desk(ctx);
            }
            _ => self.ask(message, ctx),
        }
    }

    fn leave_desk(&mut self, ctx: &mut Context) {
        if let Some(desk) = self.desk.take() {
            ctx.text(frame::close(desk.join_ref.as_deref(), SHOP));
            metrics::live_channels(-1);
        }
    }

    fn ask(&mut self, mut message: Message, ctx: &mut Context) {
        let (asker, event, payload) = (self.asker.clone(), message.event.clone(), message.payload.take());
        let answered = async move {
            let asked = operations::asked(&event, payload);
            asker.ask(asked.map_err(|problem| Refusal::of(&problem).into_owned())?).await
        };
        let answer = move |answered: Result<Value, Refusal<'_>>, _: &mut Self, ctx: &mut Context| {
            if message.reference.is_some() {
                ctx.text(match answered {
                    Ok(response) => message.ok(&response),
                    Err(refusal) => message.refused(&refusal),
                });
            }
        };
        answered.into_actor(self).map(answer).wait(ctx);
    }

    fn join(&mut self, message: Message, ctx: &mut Context) {
        // The client may join again when its own picture of the connection is out of date: the earlier join ends.
        self.drop_channel(&message.topic, ctx);
        let id = message.topic.strip_prefix(TOPIC).and_then(|id| CartId::parse(id).ok());
        let Some(id) = id else { return ctx.text(message.error("unmatched topic")) };
        if self.channels.len() >= CHANNELS_MAX {
            return ctx.text(message.error("too many channels joined"));
        }
        let form = JoinForm::deserialize(&message.payload).unwrap_or_default();
        let (shop, visitor) = (self.shop.clone(), self.visitor.clone());
        let opened = async move {
            // Watch first: no change can slip between the state that the reply tells and the first one watched.
            let watch = shop.carts.watch(&id);
            let Some(token) = form.share else {
                let wish = wished(form.currency.as_deref(), form.channel.as_deref())?;
                let answer = shop.open_cart(Some(id), &visitor, wish, &Default::default()).await?;
                return Ok((watch, accepted(answer)?.cart, None, form.snapshot));
            };
            let share = shares::find(&shop, &token).await?;
            if share.cart != id {
                return Err(Problem::new(
                    Kind::UnknownShare,
                    "the link leads to another cart than the topic names",
                ));
            }
            let cart = shares::read(&shop, &share).await?.cart;
            Ok((watch, cart, Some(share), false))
        };
        opened
            .into_actor(self)
            .map(move |opened, session, ctx| match opened {
                Ok((watch, cart, share, is_kept)) => {
                    session.joined(&message, watch, cart, share, is_kept, ctx);
                }
                Err(problem) => ctx.text(message.refusal(&problem)),
            })
            .wait(ctx);
    }

    fn joined(
        &mut self,
        message: &Message,
        watch: watch::Receiver<Newest>,
        cart: Arc<Cart>,
        share: Option<CartShare>,
        is_kept: bool,
        ctx: &mut Context,
    ) {
        let quote = self.shop.quote(&cart);
        ctx.text(message.ok(&JoinedView {
            cart: seen(CartView::of(&cart, &quote), share.as_ref()),
            version: cart.version,
            snapshot: self.snapshot(is_kept, &cart, &quote),
        }));
        let (topic, ended) = (message.topic.clone(), message.topic.clone());
        let telling = states(watch)
            .into_actor(self)
            .map(move |cart, session: &mut Self, ctx: &mut Context| session.tell(&topic, cart, ctx))
            .finish()
            .map(move |(), session, ctx| session.crash(&ended, ctx));
        let watching = ctx.spawn(telling);
        let channel = Channel {
            join_ref: message.join_ref.clone(),
            cart: cart.id.clone(),
            told: cart,
            watching,
            is_kept,
            share,
        };
        self.channels.insert(message.topic.clone(), channel);
        metrics::live_channels(1);
    }

    fn snapshot(&self, is_kept: bool, cart: &Cart, quote: &Quote) -> Option<String> {
        is_kept.then(|| sealed(&self.shop, &self.visitor.id, cart, quote)).flatten()
    }

    /// Tells the client the newest state, unless it knows it.
    fn tell(&mut self, topic: &str, cart: Arc<Cart>, ctx: &mut Context) {
        let Some(channel) = self.channels.get(topic) else { return };
        if cart.version <= channel.told.version {
            return;
        }
        match &channel.share {
            // The cart went into another one, which was never shared.
            Some(_) if cart.merged_into().is_some() || channel.is_over(clock::now_ms()) => {
                return self.end_share(topic, ctx);
            }
            // A log-in took the cart along: who it belonged to before is told so, and sees it no more.
            None if cart.owner != self.visitor.id => {
                ctx.text(frame::write(None, None, topic, "cart_claimed", &serde_json::json!({})));
                return self.drop_channel(topic, ctx);
            }
            _ => {}
        }
        let item = changed_line(&channel.told, &cart);
        let quote = self.shop.quote(&cart);
        let snapshot = self.snapshot(channel.is_kept, &cart, &quote);
        let view = UpdatedView {
            item: item.as_ref().map(|line| LineView::of(line, &cart, &quote)),
            cart: seen(CartView::of(&cart, &quote), channel.share.as_ref()),
            version: cart.version,
            snapshot,
        };
        ctx.text(frame::write(None, None, topic, "cart_updated", &view));
        if let Some(channel) = self.channels.get_mut(topic) {
            channel.told = cart;
        }
    }

    fn leave(&mut self, message: &Message, ctx: &mut Context) {
        match self.channels.get(&message.topic) {
            None => ctx.text(message.ok(&serde_json::json!({}))),
            Some(channel) if !is_for(channel, message) => {}
            Some(_) => {
                ctx.text(message.ok(&serde_json::json!({})));
                self.drop_channel(&message.topic, ctx);
            }
        }
    }

    /// Tells a client that the link is over by which it sees a cart.
    fn end_share(&mut self, topic: &str, ctx: &mut Context) {
        ctx.text(frame::write(None, None, topic, "share_ended", &serde_json::json!({})));
        self.drop_channel(topic, ctx);
    }

    /// Ends the channels of links that are over.
    fn end_shares(&mut self, is_over: impl Fn(&Channel) -> bool, ctx: &mut Context) {
        let over = self.channels.iter().filter(|(_, channel)| channel.share.is_some() && is_over(channel));
        let over: Vec<String> = over.map(|(topic, _)| topic.clone()).collect();
        over.iter().for_each(|topic| self.end_share(topic, ctx));
    }

    fn drop_channel(&mut self, topic: &str, ctx: &mut Context) {
        if let Some(channel) = self.channels.remove(topic) {
            ctx.cancel_future(channel.watching);
            ctx.text(frame::close(channel.join_ref.as_deref(), topic));
            metrics::live_channels(-1);
        }
    }

    /// Ends a channel whose cart can no longer be told; the connection and its other channels live on.
    fn crash(&mut self, topic: &str, ctx: &mut Context) {
        if let Some(channel) = self.channels.remove(topic) {
            ctx.cancel_future(channel.watching);
            ctx.text(frame::crash(channel.join_ref.as_deref(), topic));
            metrics::live_channels(-1);
        }
    }

    fn push(&mut self, mut message: Message, ctx: &mut Context) {
        let Some(channel) = self.channels.get(&message.topic) else {
            return ctx.text(message.error("unmatched topic"));
        };
        if !is_for(channel, &message) {
            return;
        }
        if message.event == "view" {
            let viewed = self.view(&message, channel.share.is_some());
            return reply_to_view(&message, viewed, ctx);
        }
        let parsed = take_manner(&mut message).and_then(|manner| Ok((manner, command_of(&message)?)));
        let (Manner { key, expected_version }, parsed) = match parsed {
            Ok(parsed) => parsed,
            Err(problem) => return answer(&message, &Err(problem), None, ctx),
        };
        let (shop, cart, caller) = (self.shop.clone(), channel.cart.clone(), self.visitor.id.clone());
        let (household, share) = (self.household, channel.share.clone());
        let seen_by = share.clone();
        let done = async move {
            if let Some(share) = share {
                // It may have ended unheard.
                let share = shares::find_hashed(&shop, &share.token_hash).await?;
                let Parsed::Command(command) = parsed else { return Err(shares::owner_only("place_order")) };
                return shares::execute(&shop, &share, expected_version, command, key).await;
            }
            accepted(match parsed {
                Parsed::Command(command) => {
                    shop.admit_cards(&command, &caller, household)?;
                    let request = Request { caller: Some(caller), expected_version, command };
                    shop.carts.execute(cart, request, key).await?
                }
                Parsed::PlaceOrder { payment_token } => {
                    let placing = Placing { cart, caller, expected_version, payment_token, key };
                    shop.checkout.place_order(placing).await?
                }
            })
        };
        done.into_actor(self)
            .map(move |done, _, ctx| answer(&message, &done, seen_by.as_ref(), ctx))
            .wait(ctx);
    }

    /// Notes that a product is looked at on a page beside the cart; who came by a link to it looks on their own behalf.
    fn view(&self, message: &Message, is_shared: bool) -> Result<bool, Problem> {
        if is_shared {
            return Err(shares::owner_only("view"));
        }
        let form = read_value::<ViewForm>(&message.payload)?;
        let sku = sku_of(&form.sku)?;
        if self.shop.catalogue.get().visible(&sku).is_none() {
            return Err(Problem::new(Kind::UnknownSku, format!("no product {sku} is for sale")));
        }
        Ok(self.shop.views.note(&self.visitor, sku, Source::Channel, clock::now_ms()).is_ok())
    }

    fn end(&mut self, reason: ws::CloseReason, ctx: &mut Context) {
        ctx.close(Some(reason));
        ctx.stop();
    }

    /// Joins the frames of one message; returns the whole once it is there.
    fn continued(&mut self, item: Item) -> Result<Option<String>, ws::CloseCode> {
        let (bytes, is_last) = match item {
            Item::FirstBinary(_) => return Err(ws::CloseCode::Unsupported),
            Item::FirstText(bytes) => {
                self.parts.clear();
                (bytes, false)
            }
            Item::Continue(bytes) => (bytes, false),
            Item::Last(bytes) => (bytes, true),
        };
        if self.parts.len() + bytes.len() > FRAME_BYTES_MAX {
            return Err(ws::CloseCode::Size);
        }
        self.parts.extend_from_slice(&bytes);
        match is_last {
            true => String::from_utf8(std::mem::take(&mut self.parts))
                .map(Some)
                .map_err(|_| ws::CloseCode::Invalid),
            false => Ok(None),
        }
    }
}

/// Returns a cart as it is seen by its owner, or by a link.
fn seen<'a>(cart: CartView<'a>, share: Option<&CartShare>) -> CartView<'a> {
    match share {
        None => cart,
        Some(share) => cart.shared(share.is_editable),
    }
}

fn reply_to_view(message: &Message, noted: Result<bool, Problem>, ctx: &mut Context) {
    if message.reference.is_none() {
        return;
    }
    ctx.text(match noted {
        Ok(noted) => message.ok(&serde_json::json!({"noted": noted})),
        Err(problem) => message.refusal(&problem),
    });
}

/// Answers a push; one that expects no answer gets none.
fn answer(message: &Message, done: &Result<Accepted, Problem>, share: Option<&CartShare>, ctx: &mut Context) {
    if message.reference.is_none() {
        return;
    }
    ctx.text(match done {
        Ok(accepted) => message.ok(&match share {
            None => AcceptedView::from(accepted),
            Some(share) => AcceptedView::from(accepted).shared(share.is_editable),
        }),
        Err(problem) => message.refusal(problem),
    });
}

/// A message belongs to the join that it names; one that names none belongs to whichever there is.
fn is_for(channel: &Channel, message: &Message) -> bool {
    message.join_ref.is_none() || message.join_ref == channel.join_ref
}

fn command_of(message: &Message) -> Result<Parsed, Problem> {
    match message.event.as_str() {
        "update_cart" => read_value::<UpdateForm>(&message.payload)?.item.parse().map(Parsed::Command),
        "command" => parse_command(&message.payload),
        other => {
            Err(Problem::invalid_request(format!("event {other:?} is not update_cart, command or view")))
        }
    }
}

fn parse_command(payload: &Value) -> Result<Parsed, Problem> {
    read_value::<CommandForm>(payload)?.parse()
}

/// Yields the states of a watch, skipping those that a newer one has replaced.
fn states(watch: watch::Receiver<Newest>) -> impl Stream<Item = Arc<Cart>> {
    stream::unfold(watch, |mut watch| async {
        loop {
            watch.changed().await.ok()?;
            let newest = watch.borrow_and_update().clone();
            if let Some(cart) = newest {
                return Some((cart, watch));
            }
        }
    })
}

/// Returns the line that differs between two states of a cart, with quantity 0 where it is gone; the last one, where
/// several do.
fn changed_line(before: &Cart, after: &Cart) -> Option<Line> {
    let changed = after.lines.iter().rev().find(|l| before.line(&l.id()) != Some(l));
    changed.cloned().or_else(|| {
        let gone = before.lines.iter().rev().find(|l| after.line(&l.id()).is_none())?;
        Some(Line { quantity: 0, held: 0, ..gone.clone() })
    })
}

impl Actor for Session {
    type Context = Context;

    fn started(&mut self, ctx: &mut Context) {
        self.number = Some(self.shop.sessions.add(ctx.address().recipient()));
        ctx.run_interval(QUIET_MAX / 4, |session, ctx| {
            if session.heard.elapsed() > QUIET_MAX {
                session.end(ws::CloseCode::Away.into(), ctx);
            }
            let now_ms = clock::now_ms();
            session.end_shares(|channel| channel.is_over(now_ms), ctx);
        });
    }

    fn stopped(&mut self, _: &mut Context) {
        let channels = self.channels.len() + usize::from(self.desk.is_some());
        metrics::live_channels(-i32::try_from(channels).unwrap_or(0));
        if let Some(number) = self.number {
            self.shop.sessions.remove(number);
        }
    }
}

impl Handler<Tell> for Session {
    type Result = ();

    fn handle(&mut self, news: Tell, ctx: &mut Context) {
        match news {
            // 1012: the client reconnects by itself, to another node or to this one when it is back.
            Tell::Drain => self.end(ws::CloseCode::Restart.into(), ctx),
            // The client joins again by itself, and is let in where its link still leads here.
            Tell::Doubt => {
                let shared = self.channels.iter().filter(|(_, channel)| channel.share.is_some());
                let shared: Vec<String> = shared.map(|(topic, _)| topic.clone()).collect();
                shared.iter().for_each(|topic| self.crash(topic, ctx));
            }
            Tell::TokenEnded(hash) => {
                if self.visitor.login().is_some_and(|login| login.token_hash == *hash) {
                    self.end(ws::CloseCode::Other(LOGGED_OUT).into(), ctx);
                }
                let is_over =
                    |channel: &Channel| channel.share.as_ref().is_some_and(|share| share.token_hash == *hash);
                self.end_shares(is_over, ctx);
            }
        }
    }
}

impl StreamHandler<Result<ws::Message, ws::ProtocolError>> for Session {
    fn handle(&mut self, message: Result<ws::Message, ws::ProtocolError>, ctx: &mut Context) {
        self.heard = Instant::now();
        match message {
            Ok(ws::Message::Text(text)) => self.receive(&text, ctx),
            Ok(ws::Message::Ping(bytes)) => ctx.pong(&bytes),
            Ok(ws::Message::Continuation(item)) => match self.continued(item) {
                Ok(Some(text)) => self.receive(&text, ctx),
                Ok(None) => {}
                Err(code) => self.end(code.into(), ctx),
            },
            Ok(ws::Message::Binary(_)) => self.end(ws::CloseCode::Unsupported.into(), ctx),
            Ok(ws::Message::Close(reason)) => {
                ctx.close(reason);
                ctx.stop();
            }
            Ok(ws::Message::Pong(_) | ws::Message::Nop) => {}
            Err(ws::ProtocolError::Overflow) => self.end(ws::CloseCode::Size.into(), ctx),
            Err(error) => {
                tracing::debug!(%error, "a websocket broke off");
                self.end(ws::CloseCode::Protocol.into(), ctx);
            }
        }
    }
}
