//! Build, run, drain, stop.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::{Server, Service, ServiceRequest},
    middleware::{Compress, NormalizePath, from_fn},
    rt::net::TcpStream,
    web,
};
use anyhow::Context;
use futures_util::{FutureExt, future::join_all};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};
use uuid::Uuid;

use crate::{
    admin,
    api::{self, cart_text::CartTexts},
    back_in_stock::{asks::Asks, waves},
    bandits,
    carts::{
        Carts,
        idle::{self, Patience},
    },
    catalogue::CatalogueCell,
    channel::{self, inside::Inside, sessions::Sessions},
    checkout::{Checkout, recovery},
    clock,
    config::Config,
    definitions::DefinitionsCell,
    deliveries::{courier::Courier, lease},
    events::{files::EventFiles, reader, rollups::RollUps, shelf_counts::ShelfReader, window::Window},
    experiment_metrics::ExperimentMetrics,
    flags::{self, publisher::Flags},
    mail::{self, Postman},
    metrics,
    payment::{Sandbox, book::Book, courier},
    peek,
    problem::Problem,
    ramps,
    shelves::{
        Shelves,
        batch::{self, Trained},
        journal::{self, Journal, Noted},
        training::{LINES_MAX, Line},
    },
    shop::Shop,
    store::{self, Heard},
    storefront::{self, Front},
    terms::TermsCell,
    throttle::{Allowance, Throttle},
    trails::tail,
    users::{Principals, door::recognise, password::Hasher},
    webhooks::{self, agent::Agent},
};

/// How long requests under way may take to end when the server stops, in seconds.
const SHUTDOWN_SECONDS: u64 = 10;
/// How often an order, or an address of the network, may be tried in a window: who mistypes is helped, who guesses is not.
/// Pages of one visitor whose measurements are kept in [`MEASUREMENT_SECONDS`]: nobody reads faster.
const MEASUREMENTS_MAX: u32 = 60;
const MEASUREMENT_SECONDS: u32 = 60;
/// Reports of one visitor on shelves that are kept in [`SHELF_REPORT_SECONDS`]: a shelf seen and a click a second.
const SHELF_REPORTS_MAX: u32 = 120;
const SHELF_REPORT_SECONDS: u32 = 60;
const LOOKUPS_MAX: u32 = 10;
const LOOKUP_SECONDS: u32 = 60;
/// How many codes of gift cards somebody may try within so many seconds.
const GUESSES_MAX: u32 = 10;
const GUESS_SECONDS: u32 = 60;
/// How long the kernel waits for a peer that neither reads nor answers: a stalled socket stops its session actor too,
/// so its end must come from outside.
const PEER_TIMEOUT: Duration = Duration::from_secs(60);

/// Is a server that is built and bound, but does not serve yet.
pub struct Application {
    shop: web::Data<Shop>,
    listener: TcpListener,
    postman: Option<Arc<Postman>>,
    shelf_events: mpsc::Receiver<Noted>,
}

impl Application {
    /// Opens the store, starts the cart actors and binds the address.
    ///
    /// # Errors
    /// Where one of them cannot be had.
    pub async fn build(config: Config) -> anyhow::Result<Self> {
        let handle = metrics::install()?;
        let listener = TcpListener::bind(config.listen)
            .with_context(|| format!("cannot listen on {}", config.listen))?;
        let store = store::connect(&config.store.url, config.store.connections).await?;
        let catalogue = Arc::new(CatalogueCell::default());
        catalogue.refresh(&*store).await?;
        let terms = Arc::new(TermsCell::new(&config.shop).map_err(|e| anyhow::anyhow!("{e}"))?);
        terms.refresh(&*store).await?;
        let definitions = Arc::new(DefinitionsCell::default());
        definitions.refresh(&*store).await?;
        let experiment_metrics = Arc::new(ExperimentMetrics::new(catalogue.clone()));
        experiment_metrics.refresh(&*store).await?;
        let shelves = Arc::new(Shelves::beside(config.store.connections));
        shelves.rulebook.refresh(&*store).await?;
        shelves.refresh_sold_out(&*store, &catalogue.get(), &terms.get().locations).await?;
        shelves.refresh_model(&config.model_file());
        if let (Some(user), Some(password)) = (&config.admin.user, &config.admin.password) {
            admin::accounts::put_user(&*store, user, password).await?;
        }
        let keys = Arc::new(config.keyring()?);
        let sandbox = Sandbox::new(
            Book::open(&config.sandbox_book())?,
            Duration::from_millis(config.payment.timeout_ms),
            Duration::from_millis(config.payment.sandbox_late_ms),
        );
        let webhook_secret = match &config.payment.webhook_secret {
            Some(secret) => secret.clone(),
            None => sandbox.secret().await?,
        };
        let carts = Carts::start(&config.carts, &store, &catalogue, &terms);
        let checkout = Checkout {
            carts: carts.clone(),
            store: store.clone(),
            provider: Arc::new(sandbox.clone()),
            grace_ms: in_ms(config.payment.recover_seconds),
            patience_ms: in_ms(config.payment.patience_seconds),
        };
        let webhooks = Agent::new(&config.webhooks, store.clone())?;
        let (shelf_journal, shelf_events) = Journal::open();
        let shop = Shop {
            admins: admin::accounts::Doorkeeper::default(),
            webhooks,
            carts,
            cart_texts: CartTexts::default(),
            checkout,
            sandbox,
            webhook_secret,
            lookups: Allowance::new("look-up", LOOKUPS_MAX, LOOKUP_SECONDS),
            principals: Principals::default(),
            hasher: Hasher::new(config.workers),
            measurements: Allowance::new("measurement", MEASUREMENTS_MAX, MEASUREMENT_SECONDS),
            shelf_journal,
            shelf_reports: Allowance::new("shelf report", SHELF_REPORTS_MAX, SHELF_REPORT_SECONDS),
            stock_asks: Asks::default(),
            guesses: Allowance::new("gift card", GUESSES_MAX, GUESS_SECONDS),
            link_commands: Allowance::new("link", config.limits.link_commands, config.limits.seconds),
            sessions: Arc::new(Sessions::default()),
            keys,
            metrics: handle,
            throttle: Throttle::new(&config.limits),
            flags: Flags::new(&config.flags, definitions.clone()),
            config,
            store,
            catalogue,
            terms,
            definitions,
            experiment_metrics,
            shelves,
            views: Arc::default(),
            trails: Arc::default(),
            sellers: Arc::default(),
        };
        let shop = web::Data::new(shop);
        let postman = Postman::new(shop.clone().into_inner())?.map(Arc::new);
        if postman.is_some() {
            shop.store.begin_cursor(mail::SINK).await?;
        }
        Ok(Self { shop, listener, postman, shelf_events })
    }

    /// Returns the shop, for whoever prepares it before it serves.
    pub fn shop(&self) -> web::Data<Shop> {
        self.shop.clone()
    }

    /// Returns the address that is bound; its port is the system's choice where the configuration says 0.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until told to stop, or until a part of the server dies: better dead than silently wrong.
    ///
    /// # Errors
    /// What ended it.
    pub async fn run(self) -> anyhow::Result<()> {
        self.run_until(std::future::pending()).await
    }

    /// As [`Application::run`], and ends well when `done` does.
    ///
    /// # Errors
    /// What ended it.
    pub async fn run_until(self, done: impl Future<Output = ()>) -> anyhow::Result<()> {
        let address = own_address(self.listener.local_addr()?);
        let server = serve(self.shop.clone(), self.listener)?;
        let handle = server.handle();
        let shop = self.shop;
        let mut tasks = tasks(&shop, self.postman);
        tasks.spawn(journal::write(shop.store.clone(), self.shelf_events));
        let told_at = format!("http://{address}/api/v1/payments/webhook");
        tasks.spawn(courier::run(shop.sandbox.clone(), shop.webhook_secret.clone(), told_at));
        let mut server = tokio::spawn(server);
        tokio::select! {
            ended = &mut server => return Ok(ended??),
            ended = tasks.join_next() => {
                tracing::error!(?ended, "a part of the server ended; stopping");
                handle.stop(true).await;
                anyhow::bail!("a part of the server ended");
            }
            () = stop_asked() => tracing::info!("stopping"),
            () = done => {}
        }
        shop.sessions.drain();
        shop.flags.streams.drain();
        handle.stop(true).await;
        if let Err(error) = shop.views.flush(&*shop.store, &shop.trails).await {
            tracing::warn!(%error, "what shoppers looked at last could not be written");
        }
        tasks.shutdown().await;
        Ok(())
    }
}

fn in_ms(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX)
}

/// Returns where the server reaches itself: one that listens everywhere listens at home too.
fn own_address(mut bound: SocketAddr) -> SocketAddr {
    if bound.ip().is_unspecified() {
        bound.set_ip(match bound {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    bound
}

async fn stop_asked() {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .expect("the process may listen to signals");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

fn serve(shop: web::Data<Shop>, listener: TcpListener) -> anyhow::Result<Server> {
    let workers = shop.config.workers;
    let dashboards = web::Data::new(dashboards::Pages::new()?);
    let front = web::Data::new(Front::new(shop.clone())?);
    let server = HttpServer::new(move || {
        App::new()
            .configure(furnish(shop.clone()))
            .app_data(Inside::new(shop.clone()))
            .wrap(from_fn(recognise))
            .wrap(from_fn(peek::as_get))
            .wrap_fn(|request, service| {
                let (began, door) = (Instant::now(), door(&request));
                service.call(request).map(move |response| {
                    if let Ok(response) = &response {
                        metrics::http_request(door, response.status().as_u16(), began.elapsed());
                    }
                    response
                })
            })
            .wrap(NormalizePath::trim())
            .route("/metrics", web::get().to(metrics_page))
            .route("/healthz", web::get().to(HttpResponse::Ok))
            .route("/readyz", web::get().to(ready))
            .configure(flags::routes)
            .configure(api::routes)
            .configure(channel::routes)
            .configure(admin::routes(dashboards.clone()))
            .service(web::scope("").wrap(Compress::default()).configure(storefront::routes(front.clone())))
            .default_service(web::to(api::request::no_such_route))
    });
    let server = server
        .workers(workers)
        .backlog(4_096)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals()
        .on_connect(|connection, _| {
            if let Some(stream) = connection.downcast_ref::<TcpStream>() {
                let socket = socket2::SockRef::from(stream);
                if let Err(error) = socket.set_tcp_user_timeout(Some(PEER_TIMEOUT)) {
                    tracing::debug!(%error, "a socket keeps the kernel's time-out");
                }
            }
        })
        .listen(listener)?;
    Ok(server.run())
}

/// Gives a service what handlers find beside their request.
pub(crate) fn furnish(shop: web::Data<Shop>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        let refused = |why: String| Problem::invalid_request(why).into();
        config
            .app_data(web::Data::from(shop.keys.clone()))
            .app_data(shop)
            .app_data(web::QueryConfig::default().error_handler(move |e, _| refused(e.to_string())))
            .app_data(web::PathConfig::default().error_handler(move |e, _| refused(e.to_string())));
    }
}

fn door(request: &ServiceRequest) -> &'static str {
    let mut parts = request.path().split('/').skip(1);
    let (first, second) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    match first {
        "api" if matches!(second, "features" | "eval") => "flags",
        "sub" | "ofrep" => "flags",
        "api" => "api",
        "socket" => "channel",
        "admin" => "admin",
        "metrics" | "healthz" | "readyz" | "static" => "other",
        _ => "storefront",
    }
}

async fn metrics_page(shop: web::Data<Shop>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(shop.metrics.render())
}

/// Ready is who can sell: the store answers.
async fn ready(shop: web::Data<Shop>) -> Result<HttpResponse, Problem> {
    shop.store.ping().await?;
    Ok(HttpResponse::Ok().finish())
}

/// Starts everything that runs beside the doors. None of these ends by itself.
fn tasks(shop: &web::Data<Shop>, postman: Option<Arc<Postman>>) -> JoinSet<()> {
    let process = Uuid::new_v4().simple().to_string();
    let mut tasks = JoinSet::new();
    let files = &shop.config.recommender;
    let files = EventFiles::new(
        shop.config.events_dir(),
        files.file_bytes,
        Duration::from_secs(60 * files.file_minutes),
    );
    let window = Window::default();
    tasks.spawn(reader::run(shop.store.clone(), window.clone(), files, process.clone()));
    let roll_ups = RollUps::new(shop.definitions.clone(), shop.experiment_metrics.clone());
    tasks.spawn(reader::run(shop.store.clone(), window.clone(), roll_ups, process.clone()));
    tasks.spawn(reader::run(shop.store.clone(), window, ShelfReader, process.clone()));
    tasks.spawn(recovery::run(shop.checkout.clone(), process.clone()));
    if let Some(postman) = postman {
        let (store, manner) = (shop.store.clone(), mail::manner(&shop.config.mail));
        let work = move || Courier::new(store.clone(), mail::SINK, postman.clone(), manner.clone()).work();
        tasks.spawn(lease::hold(shop.store.clone(), mail::SINK, process.clone(), work));
        let told = shop.clone();
        let work = move || waves::run(told.clone());
        tasks.spawn(lease::hold(shop.store.clone(), waves::LEASE, process.clone(), work));
    }
    let agent = shop.webhooks.clone();
    tasks.spawn(lease::hold(shop.store.clone(), webhooks::agent::LEASE, process.clone(), move || {
        agent.clone().work()
    }));
    let patience = Patience::of(&shop.config.carts);
    if patience.is_limited() {
        let (carts, store) = (shop.carts.clone(), shop.store.clone());
        let period = Duration::from_secs(shop.config.carts.hold_sweep_seconds);
        let work = move || idle::run(carts.clone(), store.clone(), patience, period);
        tasks.spawn(lease::hold(shop.store.clone(), idle::LEASE, process.clone(), work));
    }
    let drawn = shop.clone();
    let work = move || bandits::run(drawn.clone());
    tasks.spawn(lease::hold(shop.store.clone(), bandits::LEASE, process.clone(), work));
    let rising = shop.clone();
    let work = move || ramps::run(rising.clone());
    tasks.spawn(lease::hold(shop.store.clone(), ramps::LEASE, process.clone(), work));
    let seen = shop.clone();
    tasks.spawn(async move { seen.views.run(&*seen.store, &seen.trails).await });
    let heard = shop.clone();
    tasks.spawn(async move { tail::run(&*heard.store, &heard.trails).await });
    tasks.spawn(refresh(shop.clone()));
    tasks.spawn(refresh_definitions(shop.clone()));
    tasks.spawn(expire_holds(shop.clone()));
    tasks.spawn(forget_keys(shop.clone()));
    tasks.spawn(listen(shop.clone()));
    if shop.config.recommender.train_every_minutes > 0 {
        tasks.spawn(train(shop.clone()));
    }
    tasks
}

fn every(seconds: f64) -> tokio::time::Interval {
    let mut ticks = interval(Duration::from_secs_f64(seconds));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// After how many times what it took, what is sold out is looked for again: of 100,000 products that takes a tenth of a
/// second, and no cart relies on it.
const SOLD_OUT_RESTS: u32 = 20;

/// Keeps what is held in memory up to date: catalogue, stock, model.
async fn refresh(shop: web::Data<Shop>) {
    let mut ticks = every(0.5);
    let mut sold_out_due = Instant::now();
    loop {
        ticks.tick().await;
        let refreshed = async {
            shop.catalogue.refresh(&*shop.store).await?;
            shop.terms.refresh(&*shop.store).await?;
            shop.experiment_metrics.refresh(&*shop.store).await?;
            shop.shelves.rulebook.refresh(&*shop.store).await?;
            let (catalogue, terms, began) = (shop.catalogue.get(), shop.terms.get(), Instant::now());
            if began >= sold_out_due {
                shop.shelves.refresh_sold_out(&*shop.store, &catalogue, &terms.locations).await?;
                sold_out_due = Instant::now() + began.elapsed() * SOLD_OUT_RESTS;
            }
            shop.shelves.refresh_levels(&*shop.store, &terms.locations).await?;
            shop.sellers.refresh(&*shop.store, shop.config.shop.sales_days, clock::now_ms()).await
        };
        let refreshed = refreshed.await;
        metrics::store_up(refreshed.is_ok());
        if let Err(error) = refreshed {
            tracing::warn!(%error, "memory could not be brought up to date");
        }
        // A large model takes a second to read, and nobody is to wait for it.
        let (shelves, path) = (shop.shelves.clone(), shop.config.model_file());
        if let Err(error) = web::block(move || shelves.refresh_model(&path)).await {
            tracing::warn!(%error, "the model file was not looked at");
        }
    }
}

/// Keeps the experiments up to date. A definition that is saved on another node is to reach this one's clients within a
/// second, whatever else is read meanwhile; one row of the store says that nothing has changed.
async fn refresh_definitions(shop: web::Data<Shop>) {
    let mut ticks = every(0.2);
    loop {
        ticks.tick().await;
        if let Err(error) = shop.definitions.refresh(&*shop.store).await {
            tracing::warn!(%error, "the experiments could not be brought up to date");
        }
    }
}

/// Carts whose holds end in one turn: few enough that shoppers wait for none of it.
const SWEEP_AT_ONCE: usize = 64;

async fn expire_holds(shop: web::Data<Shop>) {
    let mut ticks = every(shop.config.carts.hold_sweep_seconds as f64);
    loop {
        ticks.tick().await;
        let now_ms = clock::now_ms();
        if let Err(error) = shop.store.put_off_wakes(now_ms).await {
            tracing::warn!(%error, "carts that need not be looked at yet could not be put off");
        }
        match shop.store.carts_with_ended_holds(now_ms, 1_000).await {
            Ok(ids) => {
                for ids in ids.chunks(SWEEP_AT_ONCE) {
                    let expire = ids.iter().map(|id| {
                        let command = cart_core::Command::ExpireHolds;
                        let request = cart_core::Request { caller: None, expected_version: None, command };
                        shop.carts.execute(id.clone(), request, None)
                    });
                    // One that fails is found again by the next sweep.
                    let _ = join_all(expire).await;
                }
            }
            Err(error) => tracing::warn!(%error, "ended holds could not be looked for"),
        }
    }
}

async fn forget_keys(shop: web::Data<Shop>) {
    let kept_ms = i64::try_from(shop.config.carts.key_hours * 3_600_000).unwrap_or(i64::MAX);
    let mut ticks = every(600.0);
    loop {
        ticks.tick().await;
        if let Err(error) = shop.store.forget_keys(clock::now_ms().saturating_sub(kept_ms)).await {
            tracing::warn!(%error, "old idempotency keys could not be forgotten");
        }
        // What is older is refused by its age, whatever its id.
        if let Err(error) = shop.store.forget_tracked(clock::now_ms() - 2 * flags::TRACK_AGE_MAX_MS).await {
            tracing::warn!(%error, "old ids of tracked events could not be forgotten");
        }
    }
}

/// Hears of carts that other processes change and of sessions that they end.
async fn listen(shop: web::Data<Shop>) {
    let (sender, mut heard) = mpsc::channel(1_024);
    let hear = async {
        loop {
            if let Err(error) = shop.store.listen(sender.clone()).await {
                tracing::warn!(%error, "changes of other processes are not heard; listening again");
            }
            shop.carts.deaf();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let pass_on = async {
        while let Some(heard) = heard.recv().await {
            match heard {
                Heard::TokenEnded(hash) => shop.token_ended(&hash),
                Heard::Cart(_) => shop.carts.heard(heard),
                Heard::Everything => {
                    shop.principals.forget_all();
                    shop.sessions.doubt();
                    shop.carts.heard(heard);
                }
            }
        }
    };
    tokio::join!(hear, pass_on);
}

async fn train(shop: web::Data<Shop>) {
    let mut ticks = every(60.0 * shop.config.recommender.train_every_minutes as f64);
    loop {
        ticks.tick().await;
        match train_once(&shop).await {
            Ok((Trained::InService, said)) => tracing::info!(said, "the recommendations were trained"),
            Ok((Trained::Nothing, _)) => tracing::info!("there is nothing to learn recommendations from yet"),
            Ok((Trained::NotPromoted, said)) => tracing::warn!(said, "the model in service stays"),
            Err(error) => {
                tracing::warn!(%error, "the recommendations were not trained; the model in service stays");
            }
        }
    }
}

/// Trains, and returns how it ended with the last line that the batch program printed.
async fn train_once(shop: &Shop) -> anyhow::Result<(Trained, String)> {
    let (program, catalogue) = (batch::program(&shop.config)?, shop.catalogue.get());
    let (mut said, mut warned) = (String::new(), 0);
    let mut keep = |line: Line<'_>| match line {
        Line::Said(line) => line.clone_into(&mut said),
        Line::Warned(why) => {
            warned += 1;
            if warned <= LINES_MAX {
                tracing::warn!(why, "the training says");
            }
        }
    };
    let trained = batch::train(&program, &shop.config, Some(&catalogue), &[], &mut keep).await;
    if warned > LINES_MAX {
        tracing::warn!(
            lines = warned - LINES_MAX,
            "the training says more of the kind; `cartwright train` prints all"
        );
    }
    Ok((trained?, said))
}
