//! `cartwright demo`: a whole shop in one process, with shoppers whose ways are known, so that everybody can see
//! whether the dashboards find the truth.

mod program;
mod report;
mod stage;

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    pin::pin,
    time::Duration,
};

use actix_web::web::Data;
use anyhow::ensure;
use clap::{Args, value_parser};
use indicatif::ProgressBar;
use tokio::{sync::oneshot, time::Instant};

use super::simulate;
use crate::{
    application::Application,
    config::Config,
    events,
    shop::Shop,
    simulation::{
        crowd::{AT_ONCE_MAX, Pace, SHOPPERS_MAX},
        plan::Effect,
        site::Site,
    },
    store::readers,
};
use program::Program;
use report::{Recommendations, Report};
use stage::Folder;

/// How long the readers of the outbox may take to catch up after the last shopper.
const CATCH_UP_MAX: Duration = Duration::from_secs(300);

#[derive(Args)]
pub(super) struct DemoArgs {
    /// The port of 127.0.0.1 to serve on; 0 takes any that is free.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Keeps the shop in this folder, which must be new or empty; else it lives in a temporary one until the end.
    #[arg(long, value_name = "PATH")]
    dir: Option<PathBuf>,
    /// How many simulated shoppers come.
    #[arg(long, default_value_t = 3_000, value_parser = value_parser!(u64).range(1..=SHOPPERS_MAX))]
    shoppers: u64,
    /// Draws the shoppers and what they want.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How likely a shopper buys what is in the cart, in the classic workflow.
    #[arg(long, default_value_t = 0.4, value_name = "PROBABILITY")]
    conversion: f64,
    /// How much likelier they do in the express workflow: 0.25 is a quarter more.
    #[arg(long, default_value_t = 0.25, allow_negative_numbers = true)]
    lift: f64,
    /// How many shoppers are in the shop at once.
    #[arg(long, default_value_t = 32, value_parser = value_parser!(u16).range(1..=i64::from(AT_ONCE_MAX)))]
    concurrency: u16,
    /// Trains no recommendations.
    #[arg(long)]
    skip_training: bool,
    /// Ends when everything is told, instead of serving on.
    #[arg(long)]
    exit: bool,
    /// Prints one JSON object at the end; everything else goes to standard error.
    #[arg(long)]
    json: bool,
}

impl DemoArgs {
    /// Tells people something.
    fn say(&self, text: &str) {
        if self.json { eprintln!("{text}") } else { println!("{text}") }
    }
}

pub(super) async fn run(config: Config, args: DemoArgs) -> anyhow::Result<()> {
    let effect = Effect::new(args.conversion, args.lift)?;
    let folder = Folder::new(args.dir.as_deref())?;
    let password = stage::password();
    let port = if args.port == 0 { free_port()? } else { args.port };
    let config = stage::config(config, folder.path(), port, &password);
    let application = Application::build(config.clone()).await.map_err(|error| explain(error, port))?;
    let shop = application.shop();
    stage::furnish(&shop, folder.path(), args.shoppers).await?;
    let url = format!("http://{}", application.address()?);
    folder.write_config(application.address()?)?;
    args.say(&welcome(&url, &password, &folder, &args));

    let (stop, stopped) = oneshot::channel::<()>();
    let mut serving = pin!(application.run_until(async {
        let _ = stopped.await;
    }));
    let playing = pin!(play(&shop, &config, &url, effect, &args));
    tokio::select! {
        served = &mut serving => served,
        played = playing => {
            if played.is_ok() && !args.exit {
                args.say(&format!("\nThe shop stays open at {url}/ — Ctrl-C closes it."));
                let served = serving.await;
                drop(stop);
                return served;
            }
            drop(stop);
            serving.await?;
            played
        }
    }
}

/// Letters and links name the shop's address, so it is known before the shop is open.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Says what to do about the one thing that goes wrong for everybody once.
fn explain(error: anyhow::Error, port: u16) -> anyhow::Error {
    let is_taken = |e: &io::Error| e.kind() == io::ErrorKind::AddrInUse;
    if error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(is_taken)) {
        return error.context(format!(
            "port {port} is taken; choose another, such as --port {}, or --port 0 for any that is free",
            if port == 8081 { 8082 } else { 8081 }
        ));
    }
    error
}

fn welcome(url: &str, password: &str, folder: &Folder, args: &DemoArgs) -> String {
    let kept = if folder.is_kept() { "kept" } else { "removed at the end; --dir PATH keeps it" };
    format!(
        "The shop is open.\n\
         \n\
         \x20 Shop         {url}/\n\
         \x20 Dashboards   {url}/admin   name {}, password {password}\n\
         \x20 Metrics      {url}/metrics\n\
         \x20 Letters      {}   an .eml each, the newest last\n\
         \x20 Data         {} ({kept})\n\
         \n\
         {} simulated shoppers come in. Planted: the express checkout changes their conversion by {}; the \
         experiment aa-shelf-heading compares the same words with themselves, so it changes nothing.",
        stage::ADMIN,
        stage::letters(folder.path()).display(),
        folder.path().display(),
        args.shoppers,
        report::signed_percent(args.lift),
    )
}

async fn play(
    shop: &Data<Shop>,
    config: &Config,
    url: &str,
    effect: Effect,
    args: &DemoArgs,
) -> anyhow::Result<()> {
    let site = Site::new(url)?;
    // The batch is built beside the shopping: nobody's first page waits for a compiler.
    let program = (!args.skip_training).then(|| Program::find(config));
    if let Some(Program::Building(_)) = &program {
        args.say("cartwright-batch, which learns the recommendations, is being built meanwhile; Polars takes some minutes.");
    }
    let market = simulate::market(&site).await?;
    let pace = Pace { at_once: args.concurrency, spread: Duration::ZERO };
    let summary = simulate::draw(&site, args.shoppers, args.seed, effect, pace).await?;
    args.say(&format!("\n{}", summary.text()));
    catch_up(shop).await?;
    let experiments = report::judge(shop, &effect).await?;
    args.say(&report::text(&experiments, url));
    let recommendations = match program {
        None => Recommendations::not_trained("--skip-training was given"),
        Some(program) => {
            if !program.is_there() {
                args.say("\nThe recommendations follow when cartwright-batch is built.");
            }
            let patience = ProgressBar::new_spinner().with_message("building cartwright-batch …");
            patience.enable_steady_tick(Duration::from_millis(200));
            let path = program.path().await;
            patience.finish_and_clear();
            match path {
                Ok(path) => report::train(&path, config, &site, &market).await,
                Err(error) => Recommendations::not_trained(format!("{error:#}")),
            }
        }
    };
    args.say(&recommendations.text());
    if args.json {
        let report = Report {
            url,
            seed: args.seed,
            conversion: args.conversion,
            lift: args.lift,
            experiments: &experiments,
            recommendations: &recommendations,
            shoppers: &summary,
        };
        println!("{}", serde_json::to_string(&report)?);
    }
    Ok(())
}

/// Waits until files and roll-ups have everything that happened.
async fn catch_up(shop: &Shop) -> anyhow::Result<()> {
    let began = Instant::now();
    for reader in [readers::FILES, readers::ROLLUPS] {
        while shop.store.outbox_lag(reader, events::window::READ_EVENTS_MAX as u64).await? > 0 {
            ensure!(
                began.elapsed() < CATCH_UP_MAX,
                "the reader {reader} does not catch up with the shop's events; the log says why"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    Ok(())
}
