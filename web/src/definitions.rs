//! The running set of experiments and imported features, swapped whole when the store's revision moves.

mod asker;
pub mod groups;
mod imported;

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use cart_core::{AssignedVariation, Workflow};
use experiments::{
    DefinitionError, Experiment, Status,
    assign::drawn,
    assign::force,
    definition::WHOLE_BP,
    growthbook::{self, Evaluator, Exposure, Payload, User, export::UNIT_ATTRIBUTE},
    holdout,
    json::Object,
};
use serde_json::{Map, Value};
use time::{OffsetDateTime, macros::format_description};
use tokio::sync::{Mutex, watch};

pub use self::asker::{ATTRIBUTES, Asker};
pub use self::groups::{GroupsError, SavedGroups};
pub use self::imported::{ImportFault, Imported};
use crate::{
    metrics,
    shelves::{Filling, ShelfName},
    store::{self, Store, StoredExperiment},
};

/// The flag whose value is the workflow of a new cart.
pub const WORKFLOW_FLAG: &str = "checkout_workflow";
/// The flag whose value is the heading of the shelf beside a cart.
pub const SHELF_HEADING_FLAG: &str = "shelf_heading";
/// The flags that the shop asks for; an experiment on another one would wait for ever. Those named after shelves
/// ([`ShelfName::flag`]) say who fills them.
pub const FLAGS: [&str; 10] = [
    WORKFLOW_FLAG,
    SHELF_HEADING_FLAG,
    holdout::FLAG,
    ShelfName::ALL[0].flag(),
    ShelfName::ALL[1].flag(),
    ShelfName::ALL[2].flag(),
    ShelfName::ALL[3].flag(),
    ShelfName::ALL[4].flag(),
    ShelfName::ALL[5].flag(),
    ShelfName::ALL[6].flag(),
];

/// The attribute of an exposure to a bandit that says in which epoch the unit was assigned, from 0.
pub const EPOCH: &str = "epoch";
/// The attribute that says which chance its variation had in that epoch, a number from 0 to 1.
pub const CHANCE: &str = "chance";

/// Variations that a tester has forced, by experiment key.
pub type Forced = BTreeMap<String, usize>;

/// Says why the shop cannot run a definition.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionFault {
    /// It is not a definition.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// No page asks for the flag.
    #[error("no page asks for flag {0:?}; the shop's flags are {flags}", flags = FLAGS.join(", "))]
    UnknownFlag(String),
    /// The condition asks for what nobody knows.
    #[error("condition asks for {name:?}, which the shop does not know of a visitor; it knows {known}")]
    UnknownAttribute {
        /// The attribute.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// It makes no sense beside the others.
    #[error("beside the other flags, {0}")]
    Beside(String),
    /// A variation's value does not fit the flag.
    #[error("variation {variation:?} cannot be shown: {why}")]
    Value {
        /// The variation's key.
        variation: String,
        /// What is wrong with its value.
        why: String,
    },
}

/// Parses a definition and checks that the shop can show every variation.
///
/// # Errors
/// [`DefinitionFault`], in words that say how to mend it.
pub fn parse(definition: &str) -> Result<Experiment, DefinitionFault> {
    let experiment = Experiment::parse(definition)?;
    if !FLAGS.contains(&experiment.flag()) {
        return Err(DefinitionFault::UnknownFlag(experiment.flag().to_owned()));
    }
    experiment.check_holdout()?;
    let is_known = |name: &String| ATTRIBUTES.iter().any(|(known, _)| known == name);
    if let Some(name) = experiment.targeting().attributes().into_iter().find(|name| !is_known(name)) {
        let known = ATTRIBUTES.map(|(known, _)| known).join(", ");
        return Err(DefinitionFault::UnknownAttribute { name, known });
    }
    for variation in experiment.variations() {
        let checked = match experiment.flag() {
            // Its values were looked at above.
            holdout::FLAG => Ok(()),
            WORKFLOW_FLAG => workflow_of(variation.value()).map(drop),
            flag if flag != SHELF_HEADING_FLAG => filling_of(variation.value()).and_then(|filling| {
                let shelf = ShelfName::ALL.into_iter().find(|shelf| shelf.flag() == flag);
                shelf.map_or(Ok(()), |shelf| filling.fits(shelf))
            }),
            _ => text_of(variation.value()).map(drop),
        };
        checked.map_err(|why| DefinitionFault::Value { variation: variation.key().to_owned(), why })?;
    }
    Ok(experiment)
}

/// A workflow is an object, or the name of a built-in one.
fn workflow_of(value: &Value) -> Result<Workflow, String> {
    match value.as_str() {
        Some(name) => Workflow::named(name).ok_or_else(|| {
            let names = Workflow::NAMES.join(", ");
            format!("workflow {name:?} is not built in; use {names} or a workflow object")
        }),
        None => serde_json::from_value(value.clone()).map_err(|e| e.to_string()),
    }
}

/// A filling is the name of an algorithm, or of two.
fn filling_of(value: &Value) -> Result<Filling, String> {
    value.as_str().ok_or("the value must be the name of an algorithm, as pairs or pairs:min_support=5, or two as pairs~popular")?.parse()
}

fn text_of(value: &Value) -> Result<&str, String> {
    match value.as_str() {
        Some(text) if !text.is_empty() && text.len() <= 80 => Ok(text),
        _ => Err("the value must be a text of 1 to 80 bytes".into()),
    }
}

/// Is the set of definitions at one revision.
#[derive(Debug)]
pub struct Definitions {
    revision: u64,
    experiments: Vec<Experiment>,
    stored: BTreeMap<String, StoredExperiment>,
    version: String,
    /// The running experiments as features.
    own: Object,
    /// The features that were imported, as they came.
    imported: Option<String>,
    /// The shop's own saved groups.
    groups: SavedGroups,
    /// The keys of the variations of imported experiments, a list for each rule, by tracking key.
    imported_experiments: BTreeMap<String, Vec<Vec<String>>>,
    /// All that doors serve.
    payload: Payload,
}

impl Default for Definitions {
    fn default() -> Self {
        Self::of(store::StoredDefinitions::default())
    }
}

/// Writes when the newest definition was saved or imported. The digits below the millisecond are the revision's last six, so that two
/// changes within one millisecond, or by nodes whose clocks differ, are two versions, and the same ones on every node.
fn version(stored: &store::StoredDefinitions, groups: &SavedGroups) -> String {
    let others_ms = stored.features.iter().map(|features| features.saved_at_ms).chain([groups.saved_at_ms]);
    let saved_ms = stored.experiments.iter().map(|row| row.saved_at_ms).chain(others_ms).max().unwrap_or(0);
    let revision = stored.revision.wrapping_add(groups.revision);
    let nanos = i128::from(saved_ms) * 1_000_000 + i128::from(revision % 1_000_000);
    let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let iso = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:9]Z");
    at.format(iso).expect("a time in UTC has all these parts")
}

/// Is what a flag answers to a visitor, and the variation to count where one is met for real.
#[derive(Debug, Clone)]
pub struct Answered<T> {
    /// The value.
    pub value: T,
    /// The experiments and variations that are to be counted where it is met: those that decided it, unless a tester forced it,
    /// and those that were asked on the way, as a holdout is.
    pub counted: Vec<AssignedVariation>,
}

impl Definitions {
    /// Reads and compiles what is stored. What another version of the server has stored and this one cannot read is left
    /// out, so that everything else goes on.
    pub fn of(stored: store::StoredDefinitions) -> Self {
        Self::with_groups(stored, SavedGroups::default())
    }

    /// Reads and compiles all that a store holds.
    ///
    /// # Errors
    /// What the store says.
    pub async fn read(store: &dyn Store) -> store::Result<Self> {
        let groups = SavedGroups::stored(store).await?;
        Ok(Self::with_groups(store.definitions(0).await?.unwrap_or_default(), groups))
    }

    /// As [`Definitions::of`], with the shop's own saved groups.
    pub fn with_groups(stored: store::StoredDefinitions, groups: SavedGroups) -> Self {
        let mut experiments = vec![];
        for row in &stored.experiments {
            match parse(&row.definition) {
                Ok(experiment) => experiments.push(experiment),
                Err(error) => {
                    tracing::error!(experiment = row.key, %error, "a stored definition is left out")
                }
            }
        }
        let version = version(&stored, &groups);
        let own = own_payload(&experiments, &groups, &version);
        let imported = stored.features.map(|features| features.text);
        let payload = served(imported.as_deref(), &own);
        let stored_rows: BTreeMap<_, _> =
            stored.experiments.into_iter().map(|e| (e.key.clone(), e)).collect();
        let mut imported_experiments: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
        for (_, experiment) in payload.tracked().filter(|(_, one)| !stored_rows.contains_key(one.key())) {
            let keys = experiment.variation_keys().map(str::to_owned).collect();
            imported_experiments.entry(experiment.key().to_owned()).or_default().push(keys);
        }
        Self {
            revision: stored.revision,
            experiments,
            stored: stored_rows,
            version,
            own,
            imported,
            groups,
            imported_experiments,
            payload,
        }
    }

    /// Returns the shop's own saved groups.
    pub fn groups(&self) -> &SavedGroups {
        &self.groups
    }

    /// Finds what makes no sense of an experiment beside all others, as if it ran: groups and flags that it asks for and that do
    /// not exist, and flags that wait for each other. A flag of the shop on which nothing runs yet is let pass until the start.
    ///
    /// # Errors
    /// The first of them, in words that say where it is.
    pub fn check_beside(&self, experiment: &Experiment, is_start: bool) -> Result<(), DefinitionFault> {
        if experiment.targeting().is_everybody() {
            return Ok(());
        }
        let mut running = experiment.to_value();
        running["status"] = Status::Running.as_str().into();
        let others = self.experiments.iter().filter(|other| other.key() != experiment.key()).cloned();
        let beside: Vec<Experiment> = others.chain([Experiment::parse_value(&running)?]).collect();
        let own = own_payload(&beside, &self.groups, &self.version);
        let compiled = served(self.imported.as_deref(), &own);
        let is_early = |message: &str| {
            let mut flags = FLAGS.iter();
            !is_start && flags.any(|flag| message.starts_with(&format!("names the feature `{flag}`")))
        };
        let is_new = |problem: &&growthbook::Problem| {
            !self.payload.problems().contains(problem) && !is_early(&problem.message)
        };
        match compiled.problems().iter().find(is_new) {
            Some(problem) => Err(DefinitionFault::Beside(problem.to_string())),
            None => Ok(()),
        }
    }

    /// Returns the features that were imported, as they came.
    pub fn imported(&self) -> Option<&str> {
        self.imported.as_deref()
    }

    /// Reports whether an imported feature counts units under a key, which no experiment of the shop may have then.
    pub fn is_imported(&self, experiment: &str) -> bool {
        self.imported_experiments.contains_key(experiment)
    }

    /// Returns the keys of the variations of an imported experiment, for each rule that has it.
    pub fn imported_variations(&self, experiment: &str) -> Option<&[Vec<String>]> {
        self.imported_experiments.get(experiment).map(Vec::as_slice)
    }

    /// Returns what was imported, with the running experiments as further features.
    ///
    /// # Errors
    /// [`ImportFault`] where another version of the server has imported it.
    pub fn exported(&self) -> Result<Object, ImportFault> {
        let Some(text) = &self.imported else { return Ok(self.own.clone()) };
        Ok(Imported::read(text)?.with(&self.own))
    }

    /// Returns what tells this set from every other: a time in ISO 8601, which SDKs know as `dateUpdated`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the running experiments and the imported features as a GrowthBook payload, compiled; it gives every unit
    /// what [`Definitions::workflow`] and its like give.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// Returns all experiments that can be shown, in order of their keys.
    pub fn experiments(&self) -> &[Experiment] {
        &self.experiments
    }

    /// Returns the experiments that assign units.
    pub fn running(&self) -> Vec<Experiment> {
        self.experiments.iter().filter(|experiment| experiment.status() == Status::Running).cloned().collect()
    }

    /// Reports whether any experiment assigns units.
    pub fn has_running(&self) -> bool {
        self.experiments.iter().any(|experiment| experiment.status() == Status::Running)
    }

    /// Returns an experiment.
    pub fn experiment(&self, key: &str) -> Option<&Experiment> {
        self.experiments.iter().find(|e| e.key() == key)
    }

    /// Returns what the exposure of a unit to a bandit tells of the draw that gave it its variation: [`EPOCH`] and [`CHANCE`];
    /// nothing of other experiments. Where no epoch is named, it is the newest that gives the unit that variation.
    pub fn draw(&self, unit: &str, met: &AssignedVariation, epoch: Option<usize>) -> Map<String, Value> {
        let drawn = self
            .experiment(&met.experiment)
            .and_then(|experiment| drawn(experiment, unit, met.variation as usize, epoch));
        let Some(drawn) = drawn else { return Map::new() };
        let chance = f64::from(drawn.chance_bp) / f64::from(WHOLE_BP);
        [(EPOCH.to_owned(), drawn.epoch.into()), (CHANCE.to_owned(), chance.into())].into_iter().collect()
    }

    /// Returns an experiment's row.
    pub fn stored(&self, key: &str) -> Option<&StoredExperiment> {
        self.stored.get(key)
    }

    /// Answers a flag: by a variation that a tester has forced, else as the payload says that every door goes by. `null` where nothing
    /// gives it a value, so that the shop's own holds.
    ///
    /// A forced variation comes before every other experiment on the flag, since somebody asked to see just that; an index that does
    /// not exist, or an experiment that is over, is passed over.
    fn answer(&self, flag: &str, asker: &Asker, forced: &Forced) -> Answered<Value> {
        let on_flag = self.experiments.iter().filter(|experiment| experiment.flag() == flag);
        let mut asked = on_flag.filter_map(|experiment| {
            let placed = force(experiment, *forced.get(experiment.key())?)?;
            experiment.variations().get(placed.variation)
        });
        if let Some(variation) = asked.next() {
            return Answered { value: variation.value().clone(), counted: vec![] };
        }
        let attributes = asker.attributes();
        let mut evaluator = Evaluator::new(&self.payload, User::new(&attributes)).noting_exposures();
        let value = evaluator.evaluate(flag).value.to_value();
        let counted =
            evaluator.take_exposures().iter().filter_map(|exposure| self.counted(exposure)).collect();
        // Who is held out gets no value, and is counted where others get one.
        Answered { value, counted }
    }

    /// Returns what counts of an exposure: units that are known by another attribute are none of the shop's.
    fn counted(&self, exposure: &Exposure<'_>) -> Option<AssignedVariation> {
        let Exposure::Ran(view, placed) = exposure else { return None };
        let variation = u32::try_from(placed.variation).ok()?;
        let experiment = view.experiment.key().to_owned();
        (placed.hash_attribute == UNIT_ATTRIBUTE).then_some(AssignedVariation { experiment, variation })
    }

    /// Chooses the workflow of a visitor's new cart.
    pub fn workflow(&self, asker: &Asker, forced: &Forced) -> Answered<Workflow> {
        self.answered(WORKFLOW_FLAG, asker, forced, |value| workflow_of(value).ok())
            .or_else(Workflow::classic)
    }

    /// Chooses who fills a shelf for a visitor, where an experiment or a rollout decides that.
    pub fn filling(&self, shelf: ShelfName, asker: &Asker, forced: &Forced) -> Answered<Option<Filling>> {
        self.answered(shelf.flag(), asker, forced, |value| filling_of(value).ok())
    }

    /// Chooses the heading of the shelf beside a visitor's cart.
    pub fn shelf_heading(&self, asker: &Asker, forced: &Forced) -> Answered<String> {
        self.answered(SHELF_HEADING_FLAG, asker, forced, |value| text_of(value).ok().map(str::to_owned))
            .or_else(|| "Goes with your cart".to_owned())
    }

    fn answered<T>(
        &self,
        flag: &str,
        asker: &Asker,
        forced: &Forced,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Answered<Option<T>> {
        let Answered { value, counted } = self.answer(flag, asker, forced);
        Answered { value: read(&value), counted }
    }
}

impl<T> Answered<Option<T>> {
    /// Takes the shop's own where no flag gives a value.
    pub fn or_else(self, default: impl FnOnce() -> T) -> Answered<T> {
        Answered { value: self.value.unwrap_or_else(default), counted: self.counted }
    }
}

/// Writes the shop's own experiments and saved groups as a payload.
fn own_payload(experiments: &[Experiment], groups: &SavedGroups, version: &str) -> Object {
    let own = growthbook::export::payload(experiments, version);
    if groups.groups().is_empty() { own } else { own.with("savedGroups", groups.groups().clone()) }
}

/// Compiles all that doors serve.
fn served(imported: Option<&str>, own: &Object) -> Payload {
    let imported = imported.and_then(|text| {
        let compiled = Imported::read(text).and_then(|read| Ok(Payload::compile(read.beside(own).into())?));
        compiled.inspect_err(|error| tracing::error!(%error, "the imported features are left out")).ok()
    });
    imported
        .unwrap_or_else(|| Payload::compile(own.clone().into()).expect("few features are within every limit"))
}

/// Holds the newest definitions for everybody.
#[derive(Debug, Default)]
pub struct DefinitionsCell {
    newest: ArcSwap<Definitions>,
    /// One look at a time, so that an earlier answer of the store never replaces a later one: the revision of the documents, among
    /// them the saved groups.
    refreshing: Mutex<u64>,
    changed: watch::Sender<()>,
}

impl DefinitionsCell {
    /// Returns the definitions as of now; they stay as they are while they are held.
    pub fn get(&self) -> Arc<Definitions> {
        self.newest.load_full()
    }

    /// Returns an ear for changes.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Swaps in the store's definitions where they have moved on.
    ///
    /// # Errors
    /// What the store says; the earlier definitions stay.
    pub async fn refresh(&self, store: &dyn Store) -> store::Result<()> {
        let mut documents = self.refreshing.lock().await;
        let known = self.newest.load_full();
        let (mut groups, mut revision) = (known.groups.clone(), known.revision);
        let changed = store.documents(*documents).await?;
        if let Some(changed) = &changed
            && changed.documents.get(groups::DOCUMENT).is_some_and(|text| *text != groups.text)
        {
            groups = SavedGroups::stored(store).await?;
            // No revision is this one, so that the definitions are read whatever theirs is.
            revision = u64::MAX;
        }
        if let Some(stored) = store.definitions(revision).await? {
            // Thousands of imported flags take a moment, in which nobody else is to wait.
            let compiling = tokio::task::spawn_blocking(|| Definitions::with_groups(stored, groups)).await;
            let definitions = compiling.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
            for experiment in definitions.experiments.iter().filter(|e| e.status().has_started()) {
                for variation in 0..experiment.variations().len() {
                    metrics::start_variation(experiment.key(), u32::try_from(variation).unwrap_or(u32::MAX));
                }
            }
            self.newest.store(Arc::new(definitions));
            self.changed.send_replace(());
        }
        if let Some(changed) = changed {
            *documents = changed.revision;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(flag: &str, value: &str) -> String {
        format!(
            r#"{{"schema_version": 1, "key": "e", "name": "E", "flag": "{flag}", "variations": [
                {{"key": "a", "weight_bp": 5000, "value": "classic"}}, {{"key": "b", "weight_bp": 5000, "value": {value}}}]}}"#
        )
    }

    #[test]
    fn every_change_of_the_definitions_is_another_version() {
        let row = |saved_at_ms| StoredExperiment {
            key: "e".into(),
            revision: 1,
            definition: definition(WORKFLOW_FLAG, r#""express""#),
            saved_at_ms,
            saved_by: "ann".into(),
            reason: String::new(),
        };
        let version = |revision, saved_at_ms| {
            let (experiments, features) = (vec![row(saved_at_ms)], None);
            version(&store::StoredDefinitions { revision, experiments, features }, &SavedGroups::default())
        };
        assert_eq!(version(42, 1_764_403_200_123), "2025-11-29T08:00:00.123000042Z");
        assert_ne!(version(43, 1_764_403_200_123), version(42, 1_764_403_200_123));
        assert_eq!(Definitions::default().version(), "1970-01-01T00:00:00.000000000Z");
        assert!(Definitions::default().payload().source().get("features").is_some());
    }

    #[test]
    fn a_definition_that_no_page_can_show_is_refused() {
        assert!(parse(&definition(WORKFLOW_FLAG, r#""express""#)).is_ok());
        assert!(parse(&definition(SHELF_HEADING_FLAG, r#""You may also like""#)).is_ok());
        for (flag, value, message) in [
            ("colour", r#""red""#, "no page asks for flag \"colour\""),
            (WORKFLOW_FLAG, r#""slow""#, "workflow \"slow\" is not built in"),
            (WORKFLOW_FLAG, r#"{"name":"x","cart":"page","checkout":"stepwise","steps":["nap"]}"#, "nap"),
            (SHELF_HEADING_FLAG, "7", "must be a text"),
            ("shelf_popular", r#""pairs""#, "there is no algorithm \"classic\""),
        ] {
            let error = parse(&definition(flag, value)).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        let of_shelf = |flag: &str, value: &str| {
            parse(&definition(flag, value).replace("classic", "pairs")).map_err(|error| error.to_string())
        };
        assert!(of_shelf("shelf_recommended", r#""learnt:session=90~after:min_support=3""#).is_ok());
        for (flag, value, message) in [
            ("shelf_popular", r#""pairs:min_support=x""#, "min_support=x is no whole number from 1 to 1000"),
            ("shelf_continue", r#""learnt:session=90""#, "only the shelf recommended asks, not continue"),
            ("shelf_continue", r#"{"algorithm": "pairs"}"#, "the value must be the name of an algorithm"),
        ] {
            let error = of_shelf(flag, value).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
