//! What is wrong with a definition that a shop wrote: every fault, with its place and how to mend it.

use std::fmt;

use crate::FieldError;

/// Says why a definition makes no sense; it lists every fault that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionError(Vec<FieldError>);

impl DefinitionError {
    /// Returns the faults in the order of the definition; there is at least one.
    pub fn faults(&self) -> &[FieldError] {
        &self.0
    }
}

impl fmt::Display for DefinitionError {
    /// Writes `place message; place message`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { "; " };
            write!(f, "{separator}{} {}", fault.field, fault.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for DefinitionError {}

/// Collects the faults of a definition while it is walked.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    place: String,
    found: Vec<FieldError>,
}

impl Faults {
    /// Walks a part of the definition, whose places stand below `part`.
    pub(crate) fn within(&mut self, part: impl fmt::Display, walk: impl FnOnce(&mut Self)) {
        let parent = self.place.len();
        if !self.place.is_empty() {
            self.place.push('.');
        }
        self.place.push_str(&part.to_string());
        walk(self);
        self.place.truncate(parent);
    }

    /// Walks the items of a list, each below `list[n]`.
    pub(crate) fn each<'a, T>(&mut self, list: &str, items: &'a [T], mut walk: impl FnMut(&mut Self, &'a T)) {
        for (n, item) in items.iter().enumerate() {
            self.within(format_args!("{list}[{n}]"), |faults| walk(faults, item));
        }
    }

    /// Notes a fault of a field of the part that is being walked.
    pub(crate) fn push(&mut self, field: &str, message: impl Into<String>) {
        let separator = if self.place.is_empty() || field.is_empty() { "" } else { "." };
        self.found
            .push(FieldError { field: format!("{}{separator}{field}", self.place), message: message.into() });
    }

    /// Notes a fault where the condition does not hold.
    pub(crate) fn need<M: Into<String>>(&mut self, holds: bool, field: &str, message: impl FnOnce() -> M) {
        if !holds {
            self.push(field, message());
        }
    }

    /// Refuses an amount in minor units that is negative or above the highest price.
    pub(crate) fn amount(&mut self, field: &str, minor: i64) {
        let most = crate::limits::PRICE_MINOR_MAX;
        self.need((0..=most).contains(&minor), field, || {
            format!("is {minor}; write an amount from 0 to {most} minor units")
        });
    }

    /// Refuses a name that is empty, padded, too long or holds control characters.
    pub(crate) fn name(&mut self, field: &str, name: &str) {
        let most = crate::limits::FIELD_BYTES_MAX;
        let good = !name.is_empty()
            && name.trim() == name
            && name.len() <= most
            && !name.chars().any(char::is_control);
        self.need(good, field, || {
            format!("is {name:?}; write 1 to {most} bytes without control characters or spaces at the ends")
        });
    }

    /// Ends the walk.
    ///
    /// # Errors
    /// [`DefinitionError`] where any fault was noted.
    pub(crate) fn verdict(self) -> Result<(), DefinitionError> {
        if self.found.is_empty() { Ok(()) } else { Err(DefinitionError(self.found)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_with_their_places() {
        let mut faults = Faults::default();
        faults.push("home", "is missing");
        faults.each("zones", &[0, -1], |faults, minor| {
            faults.within("rate", |faults| faults.amount("minor", *minor));
            faults.need(*minor == 0, "", || "is bad");
        });
        faults.name("name", " x");
        let error = faults.verdict().unwrap_err();
        assert_eq!(
            error.to_string(),
            "home is missing; \
             zones[1].rate.minor is -1; write an amount from 0 to 100000000000 minor units; \
             zones[1] is bad; \
             name is \" x\"; write 1 to 200 bytes without control characters or spaces at the ends"
        );
        assert_eq!(error.faults().len(), 4);
        assert_eq!(Faults::default().verdict(), Ok(()));
    }
}
