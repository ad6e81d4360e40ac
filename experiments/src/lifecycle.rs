//! The life of an experiment: draft, running and paused in turns, stopped, archived; never back.

use crate::definition::{DefinitionError, Experiment, Status};

mod change;
mod missing;

pub use change::ChangeError;
pub use missing::Missing;

/// Says which move is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Draft to running.
    Start,
    /// Running to paused: nobody is assigned until it goes on.
    Pause,
    /// Paused to running: every unit gets the variation that it had.
    Resume,
    /// Running or paused to stopped.
    Stop,
    /// Stopped to archived.
    Archive,
}

/// Says why an experiment did not move, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// It runs already.
    #[error("experiment is running already")]
    AlreadyRunning,
    /// It is paused, which is neither its beginning nor its end.
    #[error("experiment is paused: resume it or stop it")]
    Paused,
    /// It has stopped; its units know their variation, so starting it again would count old habits as
    /// effects.
    #[error("experiment has stopped and cannot start again: copy it under a new key and seed")]
    Stopped,
    /// It has not started, so there is nothing to hold or to end.
    #[error("experiment is a draft that nobody has seen: start it first")]
    NotStarted,
    /// It is put away.
    #[error("experiment is archived: copy it under a new key and seed to try it again")]
    Archived,
    /// It says too little to start: what is chosen after the start is chosen by the results.
    #[error("experiment cannot start without {}: say so first, so that nobody chooses by the result", missing::list(.0))]
    Incomplete(Vec<Missing>),
    /// Its variations are the same, or are to be and are not.
    #[error(transparent)]
    Values(#[from] DefinitionError),
    /// A holdout is neither paused nor shipped: those who are held out would meet everything for a while, or nothing for ever.
    #[error(
        "a holdout is neither paused nor shipped, which would change whom it keeps out: stop it, which is for good"
    )]
    Holdout,
    /// It still assigns, or may again.
    #[error("experiment is not over: stop it before it is archived")]
    NotOver,
}

impl Status {
    /// Returns the status after the move.
    ///
    /// # Errors
    /// [`MoveError`], when the move does not lead on from this status.
    pub fn after(self, asked: Move) -> Result<Status, MoveError> {
        match (self, asked) {
            (Status::Draft, Move::Start) | (Status::Paused, Move::Resume) => Ok(Status::Running),
            (Status::Running, Move::Pause) => Ok(Status::Paused),
            (Status::Running | Status::Paused, Move::Stop) => Ok(Status::Stopped),
            (Status::Stopped, Move::Archive) => Ok(Status::Archived),
            (Status::Draft, _) => Err(MoveError::NotStarted),
            (Status::Running | Status::Paused, Move::Archive) => Err(MoveError::NotOver),
            (Status::Running, Move::Start | Move::Resume) => Err(MoveError::AlreadyRunning),
            (Status::Paused, Move::Start | Move::Pause) => Err(MoveError::Paused),
            (Status::Stopped, _) => Err(MoveError::Stopped),
            (Status::Archived, _) => Err(MoveError::Archived),
        }
    }
}

impl Experiment {
    /// Returns the experiment after the move.
    ///
    /// ```
    /// # use experiments::Experiment;
    /// # let draft = Experiment::parse(r#"{"schema_version": 1, "key": "e", "name": "E", "flag": "f",
    /// #   "hypothesis": "1 sells more.", "owner": "ann", "planned_days": 14, "variations": [
    /// #   {"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "weight_bp": 5000, "value": 1}]}"#).unwrap();
    /// use experiments::lifecycle::{Move, MoveError};
    /// let running = draft.moved(Move::Start)?;
    /// let stopped = running.moved(Move::Stop)?;
    /// assert_eq!(stopped.moved(Move::Start), Err(MoveError::Stopped));
    /// # Ok::<(), MoveError>(())
    /// ```
    ///
    /// # Errors
    /// [`MoveError`], when the move does not lead on from its status, or it says too little to start.
    pub fn moved(self, asked: Move) -> Result<Experiment, MoveError> {
        let status = self.status().after(asked)?;
        if asked == Move::Pause && self.is_holdout() {
            return Err(MoveError::Holdout);
        }
        if asked == Move::Start {
            let missing = self.missing();
            if !missing.is_empty() {
                return Err(MoveError::Incomplete(missing));
            }
            self.check_values()?;
            self.check_holdout()?;
            self.check_first_step()?;
        }
        Ok(self.with_status(status))
    }
}

#[cfg(test)]
mod tests;
