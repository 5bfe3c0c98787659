//! RE2 syntax, read into an expression over bytes.
//!
//! Envoy 1.40 runs RE2 in Latin-1 mode (CVE-2026-73552): a character is a byte, in the pattern as in the value.
//! Rust's own syntax differs in many small ways, so nothing is handed to its parser but the names of Unicode classes.

mod class;
mod escape;

use regex_syntax::hir::{Class, ClassBytes, Hir, Look, Repetition};

use super::bytes::ByteSet;

/// The most repetitions that RE2 accepts, nested ones multiplied.
const MAX_REPEAT: u32 = 1000;
/// How deep groups may nest.
const MAX_DEPTH: usize = 200;
/// How large an expression may grow by repetition.
const MAX_SIZE: usize = 200_000;

/// Why an expression was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegexError {
    /// RE2 refuses it.
    Syntax {
        /// The byte offset in the expression.
        at: usize,
        /// What is wrong.
        why: String,
    },
    /// Its automaton is too large.
    TooLarge {
        /// What was too much.
        why: String,
    },
}

impl std::fmt::Display for RegexError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax { at, why } => write!(out, "{why} at byte {at}"),
            Self::TooLarge { why } => write!(out, "the automaton of the expression is too large: {why}"),
        }
    }
}

impl std::error::Error for RegexError {}

/// The flags in force.
#[derive(Clone, Copy, Default)]
struct Flags {
    /// `i`: letters in either case.
    ignore_case: bool,
    /// `m`: `^` and `$` at lines.
    lines: bool,
    /// `s`: `.` matches a newline.
    dot_newline: bool,
}

/// A parsed expression and what counts against the limits.
#[derive(Clone)]
struct Node {
    /// The expression.
    hir: Hir,
    /// Its size with repetitions unrolled.
    size: usize,
    /// The product of the repetitions on its deepest path.
    repeat: u32,
}

impl Node {
    /// A leaf.
    fn leaf(hir: Hir) -> Self {
        Self { hir, size: 1, repeat: 1 }
    }
}

/// Reads an expression.
pub(super) fn parse(source: &str) -> Result<Hir, RegexError> {
    let mut parser = Parser { source: source.as_bytes(), at: 0, flags: Flags::default(), depth: 0 };
    let node = parser.alternation()?;
    if parser.at < parser.source.len() {
        return Err(parser.refuse("unexpected `)`"));
    }
    Ok(node.hir)
}

/// A position in the source.
struct Parser<'a> {
    /// The expression.
    source: &'a [u8],
    /// The next byte.
    at: usize,
    /// The flags in force here.
    flags: Flags,
    /// How many groups are open.
    depth: usize,
}

impl Parser<'_> {
    /// The next byte, not taken.
    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    /// What is left.
    fn rest(&self) -> &[u8] {
        self.source.get(self.at..).unwrap_or(&[])
    }

    /// Takes a text if it comes next.
    fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text.as_bytes());
        if found {
            self.at += text.len();
        }
        found
    }

    /// A refusal at this position.
    fn refuse(&self, why: impl Into<String>) -> RegexError {
        RegexError::Syntax { at: self.at, why: why.into() }
    }

    /// Branches separated by `|`.
    fn alternation(&mut self) -> Result<Node, RegexError> {
        let mut branches = vec![self.concatenation()?];
        while self.take("|") {
            branches.push(self.concatenation()?);
        }
        if let ([_], Some(only)) = (branches.as_slice(), branches.first()) {
            return Ok(only.clone());
        }
        let (size, repeat) = totals(&branches);
        Ok(Node { hir: Hir::alternation(branches.into_iter().map(|node| node.hir).collect()), size, repeat })
    }

    /// Repeated atoms up to `|`, `)` or the end.
    fn concatenation(&mut self) -> Result<Node, RegexError> {
        let mut items: Vec<Node> = Vec::new();
        while let Some(byte) = self.peek() {
            if matches!(byte, b'|' | b')') {
                break;
            }
            if self.take("\\Q") {
                while !self.rest().is_empty() && !self.take("\\E") {
                    let literal = self.literal();
                    items.push(literal);
                }
                // The last quoted character takes a repetition, as in RE2.
            } else if self.take("\\E") {
                continue;
            } else if let Some(atom) = self.atom()? {
                items.push(atom);
            } else {
                continue;
            }
            if let Some(last) = items.pop() {
                let repeated = self.repetition(last)?;
                items.push(repeated);
            }
        }
        let (size, repeat) = totals(&items);
        Ok(Node { hir: Hir::concat(items.into_iter().map(|node| node.hir).collect()), size, repeat })
    }

    /// One byte that stands for itself.
    fn literal(&mut self) -> Node {
        let byte = self.peek().unwrap_or(0);
        self.at += 1;
        Node::leaf(class_hir(class::folded(ByteSet::NONE.with(byte), self.flags.ignore_case)))
    }

    /// One atom; `None` for a change of flags.
    fn atom(&mut self) -> Result<Option<Node>, RegexError> {
        let Some(byte) = self.peek() else { return Ok(None) };
        let node = match byte {
            b'(' => return self.group(),
            b'[' => Node::leaf(class_hir(self.class()?)),
            b'\\' => self.escape()?,
            b'*' | b'+' | b'?' => return Err(self.refuse("no argument for a repetition")),
            b'.' => {
                self.at += 1;
                let all = ByteSet::ANY;
                Node::leaf(class_hir(if self.flags.dot_newline { all } else { all.without(b'\n') }))
            }
            b'^' => {
                self.at += 1;
                Node::leaf(Hir::look(if self.flags.lines { Look::StartLF } else { Look::Start }))
            }
            b'$' => {
                self.at += 1;
                Node::leaf(Hir::look(if self.flags.lines { Look::EndLF } else { Look::End }))
            }
            _ => self.literal(),
        };
        Ok(Some(node))
    }

    /// A group, or flags for the rest of the enclosing one.
    fn group(&mut self) -> Result<Option<Node>, RegexError> {
        let outer = self.flags;
        self.at += 1;
        if self.take("?") && !self.take("P<") && !self.take("<") {
            if !self.flags()? {
                return Ok(None);
            }
        } else if self.source.get(self.at.wrapping_sub(1)) == Some(&b'<') {
            self.name()?;
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.refuse("groups nest too deep"));
        }
        let node = self.alternation()?;
        self.depth -= 1;
        if !self.take(")") {
            return Err(self.refuse("missing `)`"));
        }
        self.flags = outer;
        Ok(Some(node))
    }

    /// The name of a group.
    fn name(&mut self) -> Result<(), RegexError> {
        if matches!(self.peek(), Some(b'=' | b'!')) {
            return Err(self.refuse("no lookaround in RE2"));
        }
        let length = self.rest().iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        self.at += length;
        if length == 0 || !self.take(">") {
            return Err(self.refuse("invalid name of a group"));
        }
        Ok(())
    }

    /// Flags behind `(?`. True when a group follows.
    fn flags(&mut self) -> Result<bool, RegexError> {
        let mut on = true;
        let mut some = false;
        loop {
            let byte = self.peek();
            self.at += 1;
            match byte {
                Some(b'i') => self.flags.ignore_case = on,
                Some(b'm') => self.flags.lines = on,
                Some(b's') => self.flags.dot_newline = on,
                // Greed changes which match is found, never whether there is one.
                Some(b'U') => {}
                Some(b'-') if on => {
                    on = false;
                    some = false;
                    continue;
                }
                Some(b':') if on || some => return Ok(true),
                Some(b')') if on || some => return Ok(false),
                _ => {
                    self.at -= 1;
                    let look = matches!(byte, Some(b'=' | b'!'));
                    return Err(self.refuse(if look { "no lookaround in RE2" } else { "invalid flags" }));
                }
            }
            some = true;
        }
    }

    /// What repeats an atom, if anything.
    fn repetition(&mut self, atom: Node) -> Result<Node, RegexError> {
        let Some((min, max)) = self.bounds()? else { return Ok(atom) };
        self.take("?");
        let at = self.at;
        if matches!(self.peek(), Some(b'*' | b'+' | b'?')) || self.bounds()?.is_some() {
            return Err(RegexError::Syntax { at, why: "a repetition of a repetition".into() });
        }
        let count = max.unwrap_or(min).max(1);
        let repeat = atom.repeat.saturating_mul(count);
        let size = atom.size.saturating_mul(usize::try_from(count).unwrap_or(usize::MAX));
        if repeat > MAX_REPEAT {
            return Err(self.refuse("more than 1000 repetitions"));
        }
        if size > MAX_SIZE {
            return Err(RegexError::TooLarge { why: "too many repetitions".into() });
        }
        let hir = Hir::repetition(Repetition { min, max, greedy: true, sub: Box::new(atom.hir) });
        Ok(Node { hir, size, repeat })
    }

    /// The bounds of a repetition. A `{` that begins none is left as a literal.
    fn bounds(&mut self) -> Result<Option<(u32, Option<u32>)>, RegexError> {
        let simple = match self.peek() {
            Some(b'*') => Some((0, None)),
            Some(b'+') => Some((1, None)),
            Some(b'?') => Some((0, Some(1))),
            _ => None,
        };
        if simple.is_some() {
            self.at += 1;
            return Ok(simple);
        }
        let start = self.at;
        if !self.take("{") {
            return Ok(None);
        }
        let min = self.number();
        let max = if self.take(",") { self.number().map(Some).or(Some(None)) } else { min.map(Some) };
        let (Some(min), Some(max), true) = (min, max, self.take("}")) else {
            self.at = start;
            return Ok(None);
        };
        if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT || max < min) {
            self.at = start;
            return Err(self.refuse("invalid repetition"));
        }
        Ok(Some((min, max)))
    }

    /// A decimal number without superfluous zeros.
    fn number(&mut self) -> Option<u32> {
        let digits: Vec<u8> = self.rest().iter().copied().take_while(u8::is_ascii_digit).collect();
        if digits.is_empty() || (digits.len() > 1 && digits.first() == Some(&b'0')) {
            return None;
        }
        self.at += digits.len();
        let value =
            digits.iter().fold(0_u32, |value, digit| value.saturating_mul(10).saturating_add(u32::from(digit - b'0')));
        Some(value)
    }
}

/// The size and the deepest repetition of several expressions.
fn totals(nodes: &[Node]) -> (usize, u32) {
    let size = nodes.iter().fold(1_usize, |sum, node| sum.saturating_add(node.size));
    (size, nodes.iter().map(|node| node.repeat).max().unwrap_or(1))
}

/// A class as an expression.
fn class_hir(bytes: ByteSet) -> Hir {
    let ranges = bytes.iter().map(|byte| regex_syntax::hir::ClassBytesRange::new(byte, byte));
    Hir::class(Class::Bytes(ClassBytes::new(ranges)))
}
