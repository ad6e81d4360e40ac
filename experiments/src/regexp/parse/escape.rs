//! Escapes and classes.

use super::super::RegexpError;
use super::super::class::{DIGITS, SPACE, WORD, complement};
use super::{Node, Parser, ascii, unit_node};

impl Parser<'_> {
    /// Reads an escape outside of a class, behind its backslash.
    pub(super) fn escape(&mut self) -> Result<Node, RegexpError> {
        let Some(c) = self.peek() else { return self.fail("`\\` at the end") };
        if let Some(ranges) = class_escape(c) {
            self.at += 1;
            return Ok(Node::One { ranges, is_negated: false });
        }
        if let '1'..='9' = c {
            let digits: String =
                self.units[self.at..].iter().copied().map(ascii).take_while(char::is_ascii_digit).collect();
            if let Ok(group) = digits.parse::<usize>()
                && group <= self.captures
            {
                self.at += digits.len();
                return Ok(Node::Again(group));
            }
        }
        if c == 'k' && !self.names.is_empty() {
            self.at += 1;
            if !self.eat("<") {
                return self.fail("invalid named reference");
            }
            let name = self.until_bracket()?;
            let found = self.names.iter().find(|(other, _)| *other == name);
            return match found {
                Some((_, group)) => Ok(Node::Again(*group)),
                None => self.fail("invalid named reference"),
            };
        }
        self.character_escape(false).map(unit_node)
    }

    /// Reads the one unit that an escape stands for, behind its backslash.
    fn character_escape(&mut self, is_in_class: bool) -> Result<u16, RegexpError> {
        let Some(&unit) = self.units.get(self.at) else { return self.fail("`\\` at the end") };
        let c = ascii(unit);
        self.at += 1;
        let plain = |c: char| c as u16;
        Ok(match c {
            'b' if is_in_class => 0x08,
            'f' => 0x0C,
            'n' => 0x0A,
            'r' => 0x0D,
            't' => 0x09,
            'v' => 0x0B,
            '0'..='7' => self.octal(plain(c) - plain('0')),
            'c' => match self.peek() {
                Some(letter) if letter.is_ascii_alphabetic() || (is_in_class && is_word_digit(letter)) => {
                    self.at += 1;
                    plain(letter) % 32
                }
                _ => {
                    self.at -= 1;
                    plain('\\')
                }
            },
            'x' => self.hexadecimal(2).unwrap_or(unit),
            'u' => self.hexadecimal(4).unwrap_or(unit),
            'k' if !self.names.is_empty() => return self.fail("invalid escape"),
            _ => unit,
        })
    }

    /// Reads the rest of an octal number of at most 0o377.
    fn octal(&mut self, first: u16) -> u16 {
        let mut value = first;
        for _ in 0..2 {
            match self.peek() {
                Some(digit @ '0'..='7') if value * 8 + (digit as u16 - 0x30) <= 0o377 => {
                    value = value * 8 + (digit as u16 - 0x30);
                    self.at += 1;
                }
                _ => break,
            }
        }
        value
    }

    fn hexadecimal(&mut self, length: usize) -> Option<u16> {
        let digits = self.units.get(self.at..self.at + length)?;
        let value =
            digits.iter().try_fold(0_u32, |value, &unit| Some(value * 16 + ascii(unit).to_digit(16)?))?;
        self.at += length;
        u16::try_from(value).ok()
    }

    /// Reads a class behind its bracket.
    pub(super) fn class(&mut self) -> Result<Node, RegexpError> {
        let is_negated = self.eat("^");
        let mut ranges = Vec::new();
        loop {
            if self.eat("]") {
                return Ok(Node::One { ranges, is_negated });
            }
            let first = self.class_atom()?;
            let is_range =
                self.peek() == Some('-') && self.units.get(self.at + 1).is_some_and(|&u| ascii(u) != ']');
            if !is_range {
                ranges.extend(first);
                continue;
            }
            self.at += 1;
            let last = self.class_atom()?;
            match (&first[..], &last[..]) {
                (&[(first, end)], &[(last, other)]) if first == end && last == other => {
                    if first > last {
                        return self.fail("range out of order in class");
                    }
                    ranges.push((first, last));
                }
                // `[\d-x]` is three members.
                _ => {
                    ranges.extend(first);
                    ranges.extend(last);
                    ranges.push((u16::from(b'-'), u16::from(b'-')));
                }
            }
        }
    }

    fn class_atom(&mut self) -> Result<Vec<(u16, u16)>, RegexpError> {
        let Some(&unit) = self.units.get(self.at) else { return self.fail("unterminated class") };
        self.at += 1;
        if ascii(unit) != '\\' {
            return Ok(vec![(unit, unit)]);
        }
        if let Some(ranges) = self.peek().and_then(class_escape) {
            self.at += 1;
            return Ok(ranges);
        }
        let unit = self.character_escape(true)?;
        Ok(vec![(unit, unit)])
    }
}

fn is_word_digit(c: char) -> bool {
    c.is_ascii_digit() || c == '_'
}

fn class_escape(c: char) -> Option<Vec<(u16, u16)>> {
    Some(match c {
        'd' => DIGITS.to_vec(),
        'D' => complement(DIGITS),
        'w' => WORD.to_vec(),
        'W' => complement(WORD),
        's' => SPACE.to_vec(),
        'S' => complement(SPACE),
        _ => return None,
    })
}
