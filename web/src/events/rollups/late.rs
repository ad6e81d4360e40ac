//! Late metrics: added to an experiment after its start, and counted from the beginning behind the cursor.
//!
//! To the fold each is an experiment of its own, with one metric and the exposures of the experiment that it was added to. So what
//! was rolled up before stays as it is meanwhile, and its sums are those that it would have had from the start, bit for bit: it is
//! folded with what was known at each position, not with what is known by now. Where it has come to the cursor it goes along.

use std::collections::BTreeMap;

use super::Sums;
use crate::store::{LateStep, RolledUp};

/// Holds the late metrics that are counted behind the cursor, by how far they have come.
#[derive(Debug, Default)]
pub(super) struct Late(BTreeMap<u64, Sums>);

/// Is what is folded next: the sums of what stands at a position, and the position up to which it may go on alone.
#[derive(Debug)]
pub(super) struct Behind {
    pub from: u64,
    pub until: u64,
    pub sums: Sums,
}

impl Late {
    /// Opens the rows of experiments that are counted behind the cursor.
    pub fn open(rolled: RolledUp) -> Self {
        let mut late = Self::default();
        for row in rolled.experiments {
            let arms = rolled.arms.iter().filter(|arm| arm.experiment == row.experiment).cloned().collect();
            let position = row.position.unwrap_or(0);
            late.put(position, Sums::open(RolledUp { experiments: vec![row], arms }));
        }
        late
    }

    /// Reports whether something is counted behind the cursor.
    pub fn knows(&self, key: &str) -> bool {
        self.0.values().any(|sums| sums.knows(key))
    }

    /// Puts sums where they have come to.
    pub fn put(&mut self, position: u64, sums: Sums) {
        self.0.entry(position).or_default().absorb(sums);
    }

    /// Takes out what is farthest behind the cursor.
    pub fn next(&mut self, cursor: u64) -> Option<Behind> {
        let (from, sums) = self.0.pop_first()?;
        if from >= cursor {
            self.put(from, sums);
            return None;
        }
        let until = self.0.first_key_value().map_or(cursor, |(next, _)| cursor.min(*next));
        Some(Behind { from, until, sums })
    }

    /// Lets what stands where the cursor stands go along with it.
    pub fn join(&mut self, cursor: u64, along: &mut Sums) -> Vec<LateStep> {
        let Some(sums) = self.0.remove(&cursor) else { return vec![] };
        let step = |experiment: &String| LateStep { experiment: experiment.clone(), from: cursor, to: None };
        let steps = sums.experiments().map(step).collect();
        along.absorb(sums);
        steps
    }
}
