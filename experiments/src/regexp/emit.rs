//! From a pattern's tree to its program.

use super::case::canonical;
use super::class::Set;
use super::parse::Node;
use super::{Op, Regexp};

pub(super) fn emit(tree: &Node, captures: usize, ignores_case: bool) -> Regexp {
    let program = Vec::new();
    let mut regexp = Regexp { program, sets: Vec::new(), captures, loops: 0, ignores_case };
    regexp.node(tree, false);
    regexp.program.push(Op::Accept);
    regexp
}

impl Regexp {
    fn here(&self) -> usize {
        self.program.len()
    }

    fn node(&mut self, node: &Node, back: bool) {
        match node {
            Node::One { ranges, is_negated } => self.one(ranges, *is_negated, back),
            Node::Sequence(terms) if back => terms.iter().rev().for_each(|term| self.node(term, true)),
            Node::Sequence(terms) => terms.iter().for_each(|term| self.node(term, false)),
            Node::Either(branches) => self.either(branches, back),
            Node::Group { index, body } => {
                self.program.push(Op::Save(2 * index + usize::from(back)));
                self.node(body, back);
                self.program.push(Op::Save(2 * index + usize::from(!back)));
            }
            Node::Repeat { body, min, max, is_greedy, groups } => {
                if let Node::One { ranges, is_negated } = &**body {
                    let set = self.set(ranges, *is_negated);
                    let run = Op::Run { set, min: *min, max: *max, is_greedy: *is_greedy, back };
                    self.program.push(run);
                } else {
                    self.repeat(body, (*min, *max), *is_greedy, groups, back);
                }
            }
            Node::TextStart => self.program.push(Op::TextStart),
            Node::TextEnd => self.program.push(Op::TextEnd),
            Node::Boundary { is_negated } => self.program.push(Op::Boundary { is_negated: *is_negated }),
            Node::Again(group) => self.program.push(Op::Again { group: *group, back }),
            Node::Look { body, is_behind, is_negated } => {
                let look = self.here();
                self.program.push(Op::Accept);
                self.node(body, *is_behind);
                self.program.push(Op::Accept);
                self.program[look] = Op::Look { is_negated: *is_negated, end: self.here() };
            }
        }
    }

    fn one(&mut self, ranges: &[(u16, u16)], is_negated: bool, back: bool) {
        let op = match *ranges {
            [(first, last)] if first == last && !is_negated && !(self.ignores_case && has_case(first)) => {
                Op::Unit { unit: first, back }
            }
            _ => Op::One { set: self.set(ranges, is_negated), back },
        };
        self.program.push(op);
    }

    fn set(&mut self, ranges: &[(u16, u16)], is_negated: bool) -> usize {
        let set = Set::new(ranges.to_vec(), is_negated, self.ignores_case);
        if let Some(known) = self.sets.iter().rev().take(16).position(|other| *other == set) {
            return self.sets.len() - 1 - known;
        }
        self.sets.push(set);
        self.sets.len() - 1
    }

    fn either(&mut self, branches: &[Node], back: bool) {
        let mut jumps = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            if index + 1 == branches.len() {
                self.node(branch, back);
                break;
            }
            let split = self.here();
            self.program.push(Op::Accept);
            self.node(branch, back);
            jumps.push(self.here());
            self.program.push(Op::Accept);
            self.program[split] = Op::Split { first: split + 1, second: self.here() };
        }
        for jump in jumps {
            self.program[jump] = Op::Jump(self.here());
        }
    }

    fn repeat(
        &mut self,
        body: &Node,
        (min, max): (u32, u32),
        is_greedy: bool,
        groups: &std::ops::Range<usize>,
        back: bool,
    ) {
        let counter = self.loops;
        self.loops += 1;
        self.program.push(Op::LoopStart(counter));
        let head = self.here();
        self.program.push(Op::Accept);
        if !groups.is_empty() {
            self.program.push(Op::Forget { from: 2 * groups.start, to: 2 * groups.end });
        }
        self.node(body, back);
        self.program.push(Op::LoopNext { counter, min, head });
        self.program[head] = Op::LoopHead { counter, min, max, is_greedy, exit: self.here() };
    }
}

/// Returns whether another unit is equal to this one but for case.
fn has_case(unit: u16) -> bool {
    unit >= 128 || canonical(unit) != unit || (unit as u8).is_ascii_uppercase()
}
