//! JavaScript's regular expressions, within a budget of steps.
//!
//! Conditions and page patterns of GrowthBook are JavaScript patterns without the `u` flag: they match UTF-16
//! code units, may look around and refer back, and have the leniencies of Annex B (`a{`, `[\d-x]`, `\8`). None of
//! the engines at hand gives that answer in bounded time. `regex` is linear but has neither look-around nor
//! back-references and reads other escapes; `regress` reads JavaScript but backtracks without a limit, so that
//! `(a+)+$` takes 2ⁿ steps, and offers no hook to stop it; `fancy-regex` counts steps but reads another dialect.
//! A translator would have to parse the whole of JavaScript's syntax anyway, and a matcher over its tree is the
//! smaller half. So this is a backtracking matcher with its own stack, which gives up, as if nothing had
//! matched, after [`STEPS_MAX`] steps: a browser would hang there.
//!
//! Source: ECMA-262, 15th edition, 2024, sections 22.2 and B.1.2: <https://262.ecma-international.org/15.0/>.

mod case;
mod class;
mod emit;
mod parse;
mod run;

use class::Set;

/// Most bytes of a pattern: room for any list of agents or addresses that people keep up by hand.
pub const PATTERN_BYTES_MAX: usize = 16 * 1024;
/// Most groups within each other, so that reading a pattern stays far from the end of the stack.
pub const PATTERN_DEPTH_MAX: usize = 100;
/// Steps after which a search gives up, besides [`STEPS_PER_UNIT`] for each unit of the text: about a millisecond.
/// V8 calls 50,000 backtracks excessive (<https://v8.dev/blog/non-backtracking-regexp>).
pub const STEPS_MAX: usize = 100_000;
/// Steps that each unit of the text adds, so that plain searches through long texts come to their end.
pub const STEPS_PER_UNIT: usize = 32;

/// Says why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegexpError {
    /// The syntax is broken.
    #[error("{reason} at character {at} of the pattern")]
    Syntax {
        /// What is wrong.
        reason: &'static str,
        /// Where, counted from 1 in UTF-16 code units.
        at: usize,
    },
    /// The pattern is longer than [`PATTERN_BYTES_MAX`].
    #[error("pattern has {bytes} bytes, the most allowed is {PATTERN_BYTES_MAX}: shorten it")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

/// Holds a compiled pattern.
///
/// ```
/// use experiments::regexp::Regexp;
/// let mobile = Regexp::new(r"(?=.*Firefox)\bMobile\b", true)?;
/// assert!(mobile.is_match("mobile; FIREFOX/12"));
/// // A pattern that a backtracking engine needs 2³² steps for.
/// assert!(!Regexp::new("^(a+)+$", false)?.is_match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"));
/// # Ok::<(), experiments::regexp::RegexpError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Regexp {
    program: Vec<Op>,
    sets: Vec<Set>,
    captures: usize,
    loops: usize,
    ignores_case: bool,
}

/// One step of a program. Where `back` is set, it reads towards the start of the text: a look-behind does.
#[derive(Debug, Clone, Copy)]
enum Op {
    /// Reads one unit.
    Unit {
        unit: u16,
        back: bool,
    },
    /// Reads one unit of a set.
    One {
        set: usize,
        back: bool,
    },
    /// Reads units of a set, again and again.
    Run {
        set: usize,
        min: u32,
        max: u32,
        is_greedy: bool,
        back: bool,
    },
    /// Tries `first`, and `second` when that fails.
    Split {
        first: usize,
        second: usize,
    },
    Jump(usize),
    /// Notes the position as the start or end of a group.
    Save(usize),
    /// Forgets the groups of which these are starts and ends.
    Forget {
        from: usize,
        to: usize,
    },
    /// Begins a loop that counts.
    LoopStart(usize),
    /// Goes into the loop's body, or to `exit`.
    LoopHead {
        counter: usize,
        min: u32,
        max: u32,
        is_greedy: bool,
        exit: usize,
    },
    /// Ends one round.
    LoopNext {
        counter: usize,
        min: u32,
        head: usize,
    },
    TextStart,
    TextEnd,
    Boundary {
        is_negated: bool,
    },
    Again {
        group: usize,
        back: bool,
    },
    /// Runs what follows up to `Accept` on its own, then goes on at `end`.
    Look {
        is_negated: bool,
        end: usize,
    },
    Accept,
}

impl Regexp {
    /// Compiles a pattern, as `new RegExp(pattern)` or `new RegExp(pattern, "i")` does.
    ///
    /// # Errors
    /// [`RegexpError`], where JavaScript throws a `SyntaxError` or the pattern is beyond a limit.
    pub fn new(pattern: &str, ignores_case: bool) -> Result<Regexp, RegexpError> {
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(RegexpError::TooLong { bytes: pattern.len() });
        }
        let units: Vec<u16> = pattern.encode_utf16().collect();
        let (tree, captures) = parse::parse(&units)?;
        Ok(emit::emit(&tree, captures, ignores_case))
    }

    /// Returns whether the pattern matches somewhere in the text; false as well where the search gave up.
    pub fn is_match(&self, text: &str) -> bool {
        if text.is_ascii() {
            return run::search(self, text.as_bytes());
        }
        let units: Vec<u16> = text.encode_utf16().collect();
        run::search(self, units.as_slice())
    }
}

#[cfg(test)]
mod tests;
