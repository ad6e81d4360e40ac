//! The matcher: a program, a text, and a stack of what to try next.

use super::case::canonical;
use super::class::is_word;
use super::parse::UNBOUNDED;
use super::{Op, Regexp, STEPS_MAX, STEPS_PER_UNIT};

/// A text as code units.
pub(super) trait Text {
    fn len(&self) -> usize;
    fn unit(&self, at: usize) -> u16;
}

impl Text for &[u8] {
    fn len(&self) -> usize {
        <[u8]>::len(self)
    }

    fn unit(&self, at: usize) -> u16 {
        u16::from(self[at])
    }
}

impl Text for &[u16] {
    fn len(&self) -> usize {
        <[u16]>::len(self)
    }

    fn unit(&self, at: usize) -> u16 {
        self[at]
    }
}

/// A position that a group does not have.
const NOWHERE: usize = usize::MAX;

/// Says what to do when the way taken fails.
enum Frame {
    /// Go on there.
    Branch { op: usize, at: usize },
    /// Give back a unit that a greedy run took, down to `least` of them, and go on behind it.
    Shorter { op: usize, least: usize, taken: usize, start: usize },
    /// Take one more unit in a lazy run, and go on behind it.
    Longer { op: usize, taken: usize, start: usize },
    /// Put back a start or end of a group.
    Slot { slot: usize, old: usize },
    /// Put back a loop's count and start.
    Counter { counter: usize, old: (u32, usize) },
}

/// The search has used up its steps.
struct Exhausted;

struct Machine<'a, T> {
    regexp: &'a Regexp,
    text: T,
    slots: Vec<usize>,
    counters: Vec<(u32, usize)>,
    frames: Vec<Frame>,
    steps: usize,
}

/// Returns whether the pattern matches from some place of the text on.
pub(super) fn search<T: Text>(regexp: &Regexp, text: T) -> bool {
    let end = text.len();
    let steps = STEPS_MAX + STEPS_PER_UNIT * end;
    let slots = vec![NOWHERE; 2 * (regexp.captures + 1)];
    let counters = vec![(0, 0); regexp.loops];
    let mut machine = Machine { regexp, text, slots, counters, frames: Vec::new(), steps };
    let last = if matches!(regexp.program[0], Op::TextStart) { 0 } else { end };
    for start in 0..=last {
        if let Op::Unit { unit, back: false } = regexp.program[0]
            && (start == end || machine.text.unit(start) != unit)
        {
            continue;
        }
        match machine.run(0, start) {
            Ok(true) => return true,
            Ok(false) => {}
            Err(Exhausted) => return false,
        }
    }
    false
}

impl<T: Text> Machine<'_, T> {
    /// Runs from an operation on until `Accept`, or until no way is left above the frames there were.
    fn run(&mut self, mut op: usize, mut at: usize) -> Result<bool, Exhausted> {
        let floor = self.frames.len();
        loop {
            self.steps = self.steps.checked_sub(1).ok_or(Exhausted)?;
            let next = match self.regexp.program[op] {
                Op::Accept => return Ok(true),
                Op::Look { is_negated, end } => {
                    let is_met = self.look(op + 1, at, is_negated)?;
                    (is_met != is_negated).then_some((end, at))
                }
                plain => self.step(plain, op, at)?,
            };
            match next.or_else(|| self.back_to(floor)) {
                Some(there) => (op, at) = there,
                None => return Ok(false),
            }
        }
    }

    /// Runs a look-around, which leaves no ways to try again; the groups of one that holds stay.
    fn look(&mut self, op: usize, at: usize, is_negated: bool) -> Result<bool, Exhausted> {
        let floor = self.frames.len();
        let is_met = self.run(op, at)?;
        if is_met && is_negated {
            while self.frames.len() > floor {
                self.undo();
            }
        } else {
            let mut kept = self.frames.split_off(floor);
            kept.retain(|frame| matches!(frame, Frame::Slot { .. } | Frame::Counter { .. }));
            self.frames.append(&mut kept);
        }
        Ok(is_met)
    }

    /// Takes one step; `None` where it fails.
    fn step(&mut self, op: Op, here: usize, at: usize) -> Result<Option<(usize, usize)>, Exhausted> {
        Ok(match op {
            Op::Unit { unit, back } => {
                self.read(at, back).filter(|(found, _)| *found == unit).map(|(_, at)| (here + 1, at))
            }
            Op::One { set, back } => {
                let sets = &self.regexp.sets;
                self.read(at, back).filter(|(found, _)| sets[set].has(*found)).map(|(_, at)| (here + 1, at))
            }
            Op::Run { .. } => return self.start_run(here, at),
            Op::Split { first, second } => {
                self.frames.push(Frame::Branch { op: second, at });
                Some((first, at))
            }
            Op::Jump(to) => Some((to, at)),
            Op::Save(slot) => {
                self.save(slot, at);
                Some((here + 1, at))
            }
            Op::Forget { from, to } => {
                self.steps = self.steps.checked_sub(to - from).ok_or(Exhausted)?;
                (from..to).for_each(|slot| self.save(slot, NOWHERE));
                Some((here + 1, at))
            }
            Op::LoopStart(counter) => {
                self.count(counter, (0, at));
                Some((here + 1, at))
            }
            Op::LoopHead { counter, min, max, is_greedy, exit } => {
                Some(self.loop_head(here, at, counter, (min, max), is_greedy, exit))
            }
            Op::LoopNext { counter, min, head } => {
                let (rounds, start) = self.counters[counter];
                // A round beyond the least that took nothing would go on for ever.
                let is_stuck = rounds >= min && start == at;
                (!is_stuck).then(|| {
                    self.count(counter, (rounds.saturating_add(1), at));
                    (head, at)
                })
            }
            Op::TextStart => (at == 0).then_some((here + 1, at)),
            Op::TextEnd => (at == self.text.len()).then_some((here + 1, at)),
            Op::Boundary { is_negated } => {
                let is_word_at = |at: Option<usize>| {
                    at.is_some_and(|at| at < self.text.len() && is_word(self.text.unit(at)))
                };
                let is_boundary = is_word_at(at.checked_sub(1)) != is_word_at(Some(at));
                (is_boundary != is_negated).then_some((here + 1, at))
            }
            Op::Again { group, back } => self.again(group, at, back)?.map(|at| (here + 1, at)),
            Op::Look { .. } | Op::Accept => None,
        })
    }

    fn read(&self, at: usize, back: bool) -> Option<(u16, usize)> {
        if back {
            let before = at.checked_sub(1)?;
            Some((self.text.unit(before), before))
        } else {
            (at < self.text.len()).then(|| (self.text.unit(at), at + 1))
        }
    }

    fn loop_head(
        &mut self,
        here: usize,
        at: usize,
        counter: usize,
        (min, max): (u32, u32),
        is_greedy: bool,
        exit: usize,
    ) -> (usize, usize) {
        let (rounds, _) = self.counters[counter];
        let may_leave = rounds >= min;
        let may_enter = rounds < max || max == UNBOUNDED;
        let (taken, other) = if is_greedy { (here + 1, exit) } else { (exit, here + 1) };
        if may_leave && may_enter {
            self.frames.push(Frame::Branch { op: other, at });
            (taken, at)
        } else {
            (if may_enter { here + 1 } else { exit }, at)
        }
    }

    fn start_run(&mut self, here: usize, start: usize) -> Result<Option<(usize, usize)>, Exhausted> {
        let Op::Run { set, min, max, is_greedy, back } = self.regexp.program[here] else { return Ok(None) };
        let most = if is_greedy { max } else { min };
        let mut taken = 0;
        let mut at = start;
        while most == UNBOUNDED || taken < most as usize {
            match self.read(at, back) {
                Some((unit, after)) if self.regexp.sets[set].has(unit) => (taken, at) = (taken + 1, after),
                _ => break,
            }
        }
        // Taking units is cheaper than other steps.
        self.steps = self.steps.checked_sub(taken / 8).ok_or(Exhausted)?;
        let least = min as usize;
        if taken < least {
            return Ok(None);
        }
        if is_greedy && taken > least {
            self.frames.push(Frame::Shorter { op: here, least, taken, start });
        } else if !is_greedy && (max == UNBOUNDED || taken < max as usize) {
            self.frames.push(Frame::Longer { op: here, taken, start });
        }
        Ok(Some((here + 1, at)))
    }

    /// Reads again what a group took; a group that took nothing yet matches the empty text.
    fn again(&mut self, group: usize, at: usize, back: bool) -> Result<Option<usize>, Exhausted> {
        let (first, last) = (self.slots[2 * group], self.slots[2 * group + 1]);
        if first == NOWHERE || last == NOWHERE {
            return Ok(Some(at));
        }
        let length = last - first;
        self.steps = self.steps.checked_sub(length / 8).ok_or(Exhausted)?;
        let Some(start) = (if back { at.checked_sub(length) } else { Some(at) }) else { return Ok(None) };
        if start + length > self.text.len() {
            return Ok(None);
        }
        let fold = |unit: u16| if self.regexp.ignores_case { canonical(unit) } else { unit };
        let is_same = (0..length).all(|i| fold(self.text.unit(first + i)) == fold(self.text.unit(start + i)));
        Ok(is_same.then_some(if back { start } else { at + length }))
    }

    fn save(&mut self, slot: usize, at: usize) {
        self.frames.push(Frame::Slot { slot, old: self.slots[slot] });
        self.slots[slot] = at;
    }

    fn count(&mut self, counter: usize, value: (u32, usize)) {
        self.frames.push(Frame::Counter { counter, old: self.counters[counter] });
        self.counters[counter] = value;
    }

    /// Takes back what was done since the last choice, and returns where another way goes on.
    fn back_to(&mut self, floor: usize) -> Option<(usize, usize)> {
        while self.frames.len() > floor {
            if let Some(there) = self.undo() {
                return Some(there);
            }
        }
        None
    }

    fn undo(&mut self) -> Option<(usize, usize)> {
        match self.frames.pop()? {
            Frame::Branch { op, at } => Some((op, at)),
            Frame::Slot { slot, old } => {
                self.slots[slot] = old;
                None
            }
            Frame::Counter { counter, old } => {
                self.counters[counter] = old;
                None
            }
            Frame::Shorter { op, least, taken, start } => {
                let taken = taken - 1;
                if taken > least {
                    self.frames.push(Frame::Shorter { op, least, taken, start });
                }
                let Op::Run { back, .. } = self.regexp.program[op] else { return None };
                Some((op + 1, if back { start - taken } else { start + taken }))
            }
            Frame::Longer { op, taken, start } => {
                let Op::Run { set, max, back, .. } = self.regexp.program[op] else { return None };
                let at = if back { start - taken } else { start + taken };
                let (unit, after) = self.read(at, back)?;
                if !self.regexp.sets[set].has(unit) {
                    return None;
                }
                let taken = taken + 1;
                if max == UNBOUNDED || taken < max as usize {
                    self.frames.push(Frame::Longer { op, taken, start });
                }
                Some((op + 1, after))
            }
        }
    }
}
