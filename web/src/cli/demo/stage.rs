//! The demo's scenery: the folder, the catalogue, the terms, the stock, the experiments.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use experiments::definition::{PLANNED_UNITS_MAX, PLANNED_UNITS_MIN};
use tempfile::TempDir;
use toml::Value;

use crate::{
    admin::accounts,
    clock,
    config::Config,
    definitions,
    import::{Report, products, row::Mapping, stock, table::Table},
    shop::Shop,
    simulation::market::PIECES_MIN,
    store::{ProductSupply, StoredExperiment},
    terms::Document,
};

/// The name to log in with.
pub(super) const ADMIN: &str = "owner";
/// How long the password is: 64 bits, hexadecimal.
const PASSWORD_LEN: usize = 16;
const DATABASE: &str = "cartwright.db";
const CATALOGUE: &str = include_str!("../../../demo/catalogue.csv");
const BUNDLES: &str = include_str!("../../../demo/bundles.csv");
const STOCK: &str = include_str!("../../../demo/stock.csv");
const EXPERIMENTS: [&str; 2] = [
    include_str!("../../../demo/experiments/checkout-express.json"),
    include_str!("../../../demo/experiments/aa-shelf-heading.json"),
];

const TERMS: [(Document, &str); 4] = [
    (Document::Taxes, include_str!("../../../demo/terms/taxes.json")),
    (Document::Shipping, include_str!("../../../demo/terms/shipping.json")),
    (Document::Promotions, include_str!("../../../demo/terms/promotions.json")),
    (Document::Locations, include_str!("../../../demo/terms/locations.json")),
];

/// Is where the demo's shop lives.
pub(super) enum Folder {
    Temporary(TempDir),
    Kept(PathBuf),
}

impl Folder {
    /// Takes the folder that is named, else a temporary one.
    pub(super) fn new(named: Option<&Path>) -> anyhow::Result<Self> {
        let Some(named) = named else {
            let folder =
                TempDir::with_prefix("cartwright-demo-").context("cannot make a temporary folder")?;
            return Ok(Self::Temporary(folder));
        };
        let path = std::path::absolute(named)?;
        // Shoppers of the same seed are the same visitors: a second run would not measure what the first one did.
        ensure!(
            !path.join(DATABASE).exists(),
            "{0} holds a shop already: serve it with `cartwright --config {0}/cartwright.toml serve`, or choose another \
             folder",
            path.display()
        );
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self::Kept(path))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }

    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }

    /// Leaves what `cartwright serve` needs to open the shop again.
    pub(super) fn write_config(&self, listen: SocketAddr) -> anyhow::Result<()> {
        let text = |text: String| Value::String(text).to_string();
        let config = format!(
            "listen = {}\ndata_dir = {}\n\n[shop]\npublic_url = {}\n\n[store]\nurl = {}\n\n[mail]\nsink = {}\n",
            text(listen.to_string()),
            text(self.path().display().to_string()),
            text(public_url(listen)),
            text(store_url(self.path())),
            text(mail_sink(self.path())),
        );
        fs::write(self.path().join("cartwright.toml"), config)?;
        Ok(())
    }
}

/// Returns the folder in which the shop's letters are laid, a file each.
pub(super) fn letters(folder: &Path) -> PathBuf {
    folder.join("letters")
}

fn mail_sink(folder: &Path) -> String {
    format!("file:{}", letters(folder).display())
}

fn public_url(listen: SocketAddr) -> String {
    format!("http://{listen}")
}

fn store_url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join(DATABASE).display())
}

/// Returns a fresh password.
pub(super) fn password() -> String {
    accounts::secret()[..PASSWORD_LEN].to_owned()
}

/// Returns the configuration of the demo's shop; what it does not need of its own stays as the operator set it.
pub(super) fn config(config: Config, folder: &Path, port: u16, password: &str) -> Config {
    let mut config = config;
    config.listen = SocketAddr::from(([127, 0, 0, 1], port));
    config.shop.public_url = public_url(config.listen);
    config.data_dir = folder.to_owned();
    config.store.url = store_url(folder);
    config.mail.sink = mail_sink(folder);
    config.admin.user = Some(ADMIN.into());
    config.admin.password = Some(password.to_owned());
    config
}

/// Fills the shelves and starts the experiments.
pub(super) async fn furnish(shop: &Shop, folder: &Path, shoppers: u64) -> anyhow::Result<()> {
    let (store, plain) = (&*shop.store, &Mapping::default());
    for (name, text) in [("catalogue.csv", CATALOGUE), ("bundles.csv", BUNDLES)] {
        sound(name, products::import(store, table(folder, name, text)?, plain, || ()).await?)?;
    }
    sound("stock.csv", stock::import(store, table(folder, "stock.csv", STOCK)?, plain, || ()).await?)?;
    shop.catalogue.refresh(&*shop.store).await?;
    for (document, text) in TERMS {
        shop.store.put_document(document.name(), text, clock::now_ms()).await?;
    }
    shop.terms.refresh(&*shop.store).await?;
    stock_up(shop, shoppers).await?;
    for definition in EXPERIMENTS {
        start(shop, definition, shoppers).await?;
    }
    shop.catalogue.refresh(&*shop.store).await?;
    shop.definitions.refresh(&*shop.store).await?;
    shop.shelves.refresh_sold_out(&*shop.store, &shop.catalogue.get(), &shop.terms.get().locations).await?;
    Ok(())
}

/// Writes a table where an operator may look at it, and opens it.
fn table(folder: &Path, name: &str, text: &str) -> anyhow::Result<Table> {
    let file = folder.join(name);
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    Table::open(&file)
}

fn sound(name: &str, report: Report) -> anyhow::Result<()> {
    ensure!(report.bad.is_empty(), "the demo's {name} has bad rows: {:?}", report.bad);
    Ok(())
}

/// Brings enough pieces of everything that is not scarce on purpose: where shelves run empty, a shopper who wants to
/// buy may not, and the planted effect would be another.
async fn stock_up(shop: &Shop, shoppers: u64) -> anyhow::Result<()> {
    let enough = i64::try_from(shoppers.saturating_mul(2))?;
    let catalogue = shop.catalogue.get();
    let tracked: Vec<_> = catalogue.listed().iter().map(|l| &l.product).filter(|p| p.has_stock()).collect();
    let stock = shop.stock(&tracked.iter().map(|p| p.sku.clone()).collect()).await?;
    let supplies: Vec<ProductSupply> = tracked
        .iter()
        .filter(|p| (PIECES_MIN..enough).contains(&stock.available(&p.sku)))
        .map(|p| ProductSupply { product: p.as_ref().clone(), supplied: Some(enough), safety: None })
        .collect();
    shop.store.put_products(&supplies).await?;
    Ok(())
}

/// Saves a definition as running, planned for as many units as there are shoppers.
async fn start(shop: &Shop, definition: &str, shoppers: u64) -> anyhow::Result<()> {
    let mut definition: serde_json::Value = serde_json::from_str(definition)?;
    definition["planned_units"] = shoppers.clamp(PLANNED_UNITS_MIN, PLANNED_UNITS_MAX).into();
    let definition = definition.to_string();
    let experiment = definitions::parse(&definition)?;
    let stored = StoredExperiment {
        key: experiment.key().to_owned(),
        revision: 1,
        definition,
        saved_at_ms: clock::now_ms(),
        saved_by: ADMIN.into(),
        reason: "The demo begins.".into(),
    };
    shop.store.save_definition(&stored, None).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use experiments::{Experiment, Status};

    use super::*;

    #[test]
    fn the_demo_runs_an_experiment_on_the_checkout_and_one_on_a_heading() {
        let experiments: Vec<Experiment> =
            EXPERIMENTS.iter().map(|d| definitions::parse(d).unwrap()).collect();
        assert!(experiments.iter().all(|e| e.status() == Status::Running));
        let flags: Vec<_> = experiments.iter().map(Experiment::flag).collect();
        assert_eq!(flags, [definitions::WORKFLOW_FLAG, definitions::SHELF_HEADING_FLAG]);
        let same = experiments[1].variations();
        assert_eq!(same[0].value(), same[1].value());
    }

    #[test]
    fn the_demo_has_taxes_shipping_and_promotions() {
        for (document, text) in TERMS {
            assert_eq!(document.check(text), Ok(()), "{}", document.name());
        }
    }

    #[test]
    fn a_folder_with_a_shop_is_not_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let named = folder.path().join("new");
        let kept = Folder::new(Some(&named)).unwrap();
        assert!(kept.is_kept() && named.is_dir());
        kept.write_config(SocketAddr::from(([127, 0, 0, 1], 80))).unwrap();
        let written = Config::read(Some(&named.join("cartwright.toml"))).unwrap();
        assert_eq!((written.data_dir.as_path(), written.store.url), (named.as_path(), store_url(&named)));
        fs::write(named.join(DATABASE), "").unwrap();
        assert!(Folder::new(Some(&named)).is_err());
    }
}
