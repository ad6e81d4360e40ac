//! From a pattern's text to its tree, by the grammar of section 22.2.1 with Annex B's leniencies.

use super::class::LINE_ENDS;
use super::{PATTERN_DEPTH_MAX, RegexpError};

mod escape;

/// Most units of a group's name, so that looking for names takes no memory to speak of.
const NAME_UNITS_MAX: usize = 256;
/// The highest count of a quantifier that is told apart from "without end".
pub(super) const UNBOUNDED: u32 = u32::MAX;

/// Holds a part of a pattern.
#[derive(Debug)]
pub(super) enum Node {
    /// One unit of these ranges, or outside of them.
    One {
        ranges: Vec<(u16, u16)>,
        is_negated: bool,
    },
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Group {
        index: usize,
        body: Box<Node>,
    },
    Repeat {
        body: Box<Node>,
        min: u32,
        max: u32,
        is_greedy: bool,
        groups: std::ops::Range<usize>,
    },
    TextStart,
    TextEnd,
    Boundary {
        is_negated: bool,
    },
    Again(usize),
    Look {
        body: Box<Node>,
        is_behind: bool,
        is_negated: bool,
    },
}

/// Returns the tree and the number of groups that capture.
pub(super) fn parse(units: &[u16]) -> Result<(Node, usize), RegexpError> {
    let mut names = Vec::new();
    let captures = count_groups(units, &mut names);
    let mut parser = Parser { units, at: 0, opened: 0, captures, names, depth: 0 };
    let tree = parser.alternatives()?;
    if parser.at < units.len() {
        return parser.fail("unmatched `)`");
    }
    Ok((tree, captures))
}

/// Counts the groups that capture, so that `\3` is known for a reference or an octal number, and gathers names.
fn count_groups(units: &[u16], names: &mut Vec<(Vec<u16>, usize)>) -> usize {
    let (mut count, mut at, mut is_in_class) = (0, 0, false);
    while at < units.len() {
        match ascii(units[at]) {
            '\\' => at += 1,
            '[' => is_in_class = true,
            ']' => is_in_class = false,
            '(' if !is_in_class => {
                let is_question = units.get(at + 1).copied().map(ascii) == Some('?');
                let kind = |offset: usize| units.get(at + offset).copied().map(ascii);
                let is_named = is_question && kind(2) == Some('<') && !matches!(kind(3), Some('=' | '!'));
                if is_named || !is_question {
                    count += 1;
                }
                if is_named {
                    let rest = units[at + 3..].iter().copied().take(NAME_UNITS_MAX);
                    let name = rest.take_while(|&unit| ascii(unit) != '>').collect();
                    names.push((name, count));
                }
            }
            _ => {}
        }
        at += 1;
    }
    count
}

/// Returns the unit as a character; what is not ASCII as one that means nothing in a pattern.
fn ascii(unit: u16) -> char {
    u8::try_from(unit).ok().filter(u8::is_ascii).map_or('\u{FFFD}', char::from)
}

struct Parser<'a> {
    units: &'a [u16],
    at: usize,
    /// Groups that were opened so far.
    opened: usize,
    captures: usize,
    names: Vec<(Vec<u16>, usize)>,
    depth: usize,
}

impl Parser<'_> {
    fn fail<T>(&self, reason: &'static str) -> Result<T, RegexpError> {
        Err(RegexpError::Syntax { reason, at: self.at + 1 })
    }

    fn peek(&self) -> Option<char> {
        self.units.get(self.at).copied().map(ascii)
    }

    fn eat(&mut self, text: &str) -> bool {
        let is_here =
            text.bytes().enumerate().all(|(i, byte)| self.units.get(self.at + i) == Some(&u16::from(byte)));
        if is_here {
            self.at += text.len();
        }
        is_here
    }

    fn alternatives(&mut self) -> Result<Node, RegexpError> {
        self.depth += 1;
        if self.depth > PATTERN_DEPTH_MAX {
            return self.fail("too many groups within each other");
        }
        let mut branches = vec![self.sequence()?];
        while self.eat("|") {
            branches.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(if branches.len() == 1 { branches.remove(0) } else { Node::Either(branches) })
    }

    fn sequence(&mut self) -> Result<Node, RegexpError> {
        let mut terms = Vec::new();
        while !matches!(self.peek(), None | Some('|' | ')')) {
            let before = self.opened;
            let (term, may_repeat) = self.term()?;
            terms.push(self.quantified(term, may_repeat, before)?);
        }
        Ok(Node::Sequence(terms))
    }

    /// Reads an assertion or an atom, and says whether a quantifier may follow.
    fn term(&mut self) -> Result<(Node, bool), RegexpError> {
        let look = |body, is_behind, is_negated| Node::Look { body: Box::new(body), is_behind, is_negated };
        for (open, is_behind, is_negated) in
            [("(?=", false, false), ("(?!", false, true), ("(?<=", true, false), ("(?<!", true, true)]
        {
            if self.eat(open) {
                let body = self.closed()?;
                return Ok((look(body, is_behind, is_negated), !is_behind));
            }
        }
        if self.eat("^") {
            return Ok((Node::TextStart, false));
        }
        if self.eat("$") {
            return Ok((Node::TextEnd, false));
        }
        if self.eat("\\b") {
            return Ok((Node::Boundary { is_negated: false }, false));
        }
        if self.eat("\\B") {
            return Ok((Node::Boundary { is_negated: true }, false));
        }
        self.atom().map(|atom| (atom, true))
    }

    fn closed(&mut self) -> Result<Node, RegexpError> {
        let body = self.alternatives()?;
        if self.eat(")") { Ok(body) } else { self.fail("unterminated group") }
    }

    fn atom(&mut self) -> Result<Node, RegexpError> {
        if self.eat("(?:") {
            return self.closed();
        }
        if self.eat("(?<") {
            self.name()?;
            return self.group();
        }
        if self.eat("(?") {
            return self.fail("invalid group");
        }
        if self.eat("(") {
            return self.group();
        }
        if self.eat(".") {
            return Ok(Node::One { ranges: LINE_ENDS.to_vec(), is_negated: true });
        }
        if self.eat("[") {
            return self.class();
        }
        if self.eat("\\") {
            return self.escape();
        }
        if matches!(self.peek(), Some('*' | '+' | '?')) || self.braces().is_some() {
            return self.fail("nothing to repeat");
        }
        let unit = self.units[self.at];
        self.at += 1;
        Ok(unit_node(unit))
    }

    fn group(&mut self) -> Result<Node, RegexpError> {
        self.opened += 1;
        let index = self.opened;
        Ok(Node::Group { index, body: Box::new(self.closed()?) })
    }

    /// Reads the rest of a group's name, which may stand only once.
    fn name(&mut self) -> Result<(), RegexpError> {
        let name = self.until_bracket()?;
        let is_first = self.names.iter().filter(|(other, _)| *other == name).count() == 1;
        if is_first { Ok(()) } else { self.fail("duplicate group name") }
    }

    fn until_bracket(&mut self) -> Result<Vec<u16>, RegexpError> {
        let rest = &self.units[self.at..self.units.len().min(self.at + NAME_UNITS_MAX)];
        let Some(length) = rest.iter().position(|&unit| ascii(unit) == '>') else {
            return self.fail("invalid group name");
        };
        let name = rest[..length].to_vec();
        let text = String::from_utf16_lossy(&name);
        let is_name = text.chars().enumerate().all(|(i, c)| {
            c == '$' || c == '_' || c.is_alphabetic() || (i > 0 && (c.is_alphanumeric() || c == '\u{200D}'))
        });
        if name.is_empty() || !is_name {
            return self.fail("invalid group name");
        }
        self.at += length + 1;
        Ok(name)
    }

    fn quantified(&mut self, term: Node, may_repeat: bool, before: usize) -> Result<Node, RegexpError> {
        let (min, max) = match self.peek() {
            Some('*') => (0, UNBOUNDED),
            Some('+') => (1, UNBOUNDED),
            Some('?') => (0, 1),
            _ => match self.braces() {
                Some((min, max, length)) => {
                    self.at += length - 1;
                    (min, max)
                }
                None => return Ok(term),
            },
        };
        if !may_repeat {
            return self.fail("nothing to repeat");
        }
        self.at += 1;
        if min > max {
            return self.fail("numbers out of order in quantifier");
        }
        let is_greedy = !self.eat("?");
        let groups = before + 1..self.opened + 1;
        Ok(Node::Repeat { body: Box::new(term), min, max, is_greedy, groups })
    }

    /// Returns the counts of `{1}`, `{1,}` or `{1,2}` at this place and its length; `None` where the brace is a
    /// plain character.
    fn braces(&self) -> Option<(u32, u32, usize)> {
        let rest = self.units.get(self.at..)?;
        if rest.first().copied().map(ascii) != Some('{') {
            return None;
        }
        let inside: String =
            rest[1..].iter().copied().map(ascii).take_while(|c| c.is_ascii_digit() || *c == ',').collect();
        if rest.get(inside.len() + 1).copied().map(ascii) != Some('}') {
            return None;
        }
        let (min, max) = inside.split_once(',').map_or((&inside[..], None), |(min, max)| (min, Some(max)));
        if min.is_empty() || max.is_some_and(|max| max.contains(',')) {
            return None;
        }
        let count = |text: &str| text.parse().unwrap_or(UNBOUNDED);
        let most = max.map_or(count(min), |max| if max.is_empty() { UNBOUNDED } else { count(max) });
        Some((count(min), most, inside.len() + 2))
    }
}

fn unit_node(unit: u16) -> Node {
    Node::One { ranges: vec![(unit, unit)], is_negated: false }
}
