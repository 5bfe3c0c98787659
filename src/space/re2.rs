//! Regular expressions as they pass istiod, which asks Go's `regexp`, and as Envoy then runs them, with RE2: a
//! character is a byte, in the expression as in the value.
//!
//! Envoy runs RE2 in Latin-1 mode since the fix of CVE-2026-73552 (Envoy 1.36.10, 1.37.6, 1.38.4, 1.39.1 and
//! later; guard `envoy.reloadable_features.re2_use_latin1_mode`). Rust's own syntax differs in many small ways,
//! so nothing is handed to its parser but the names of Unicode classes.
//!
//! An expression is read into a [`Tree`]. Its meaning (`meaning`) is taken from the tree as written; its size
//! (`program`) from the tree as RE2 rearranges it (`shape`), for Envoy refuses large programs.

mod class;
mod escape;
mod factor;
mod group;
mod meaning;
mod program;
mod shape;
mod tree;
mod unicode;

use std::rc::Rc;

use regex_syntax::hir::Hir;

use super::bytes::ByteSet;
use tree::{Flags, Look, Op, Tree};

/// The most repetitions that RE2 accepts, nested ones multiplied.
const MAX_REPEAT: u32 = 1000;
/// How deep groups may nest; RE2 itself has no limit.
const MAX_DEPTH: usize = 200;
/// The largest program that Istio lets Envoy load: `re2.max_program_size.error_level` in istio/istio
/// `pkg/bootstrap/config.go`.
pub(super) const MAX_PROGRAM: usize = 32_768;

/// Why an expression was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegexError {
    /// It is no regular expression to istiod.
    Syntax {
        /// The byte offset in the expression.
        at: usize,
        /// What is wrong.
        why: String,
    },
    /// istiod lets it pass, and Envoy refuses the configuration that has it.
    Unloadable {
        /// What is wrong.
        why: String,
    },
    /// Its automaton is too large for us.
    TooLarge {
        /// What was too much.
        why: String,
    },
}

impl std::fmt::Display for RegexError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax { at, why } => write!(out, "{why} at byte {at}"),
            Self::Unloadable { why } => write!(out, "Envoy refuses to load it: {why}"),
            Self::TooLarge { why } => write!(out, "the automaton of the expression is too large: {why}"),
        }
    }
}

impl std::error::Error for RegexError {}

/// Reads an expression.
pub(super) fn parse(source: &str) -> Result<Hir, RegexError> {
    let tree = read(source)?;
    match program::size(&shape::shaped(&tree), MAX_PROGRAM) {
        Some(size) if size <= MAX_PROGRAM => Ok(meaning::of(&tree)),
        _ => {
            let why = format!("its program has more than the {MAX_PROGRAM} instructions that Istio allows");
            Err(RegexError::Unloadable { why })
        }
    }
}

/// Reads an expression with its groups and its greed, which say where a match lies and what is in it.
pub(super) fn parse_with_groups(source: &str) -> Result<Hir, RegexError> {
    parse(source)?;
    Ok(meaning::with_groups(&*read(source)?))
}

/// The size of the program that RE2 makes of an expression; `None` where it gives up.
#[cfg(test)]
pub(super) fn program_size(source: &str) -> Result<Option<usize>, RegexError> {
    Ok(program::size(&shape::shaped(&read(source)?), usize::MAX))
}

/// Reads an expression as it is written.
fn read(source: &str) -> Result<Rc<Tree>, RegexError> {
    let mut parser =
        Parser { source: source.as_bytes(), at: 0, flags: Flags::default(), depth: 0, captures: 0, unloadable: None };
    let node = parser.alternation()?;
    if parser.at < parser.source.len() {
        return Err(parser.refuse("unexpected `)`"));
    }
    match parser.unloadable {
        Some(why) => Err(RegexError::Unloadable { why }),
        None => Ok(node.tree),
    }
}

/// A part of the expression.
#[derive(Clone)]
struct Node {
    /// The part.
    tree: Rc<Tree>,
    /// The product of the repetitions on its deepest path.
    repeat: u32,
}

impl Node {
    /// A part without repetitions.
    fn leaf(tree: Tree) -> Self {
        Self { tree: Rc::new(tree), repeat: 1 }
    }

    /// Several parts in one.
    fn of(nodes: Vec<Self>, join: impl Fn(Vec<Rc<Tree>>) -> Tree) -> Self {
        match <[Self; 1]>::try_from(nodes) {
            Ok([only]) => only,
            Err(nodes) => {
                let repeat = nodes.iter().map(|node| node.repeat).max().unwrap_or(1);
                Self { tree: Rc::new(join(nodes.into_iter().map(|node| node.tree).collect())), repeat }
            }
        }
    }
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
    /// How many groups capture.
    captures: usize,
    /// What istiod lets pass and RE2 refuses.
    unloadable: Option<String>,
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
        Ok(Node::of(branches, Tree::Alternate))
    }

    /// Repeated atoms up to `|`, `)` or the end.
    fn concatenation(&mut self) -> Result<Node, RegexError> {
        let mut items: Vec<Node> = Vec::new();
        let mut repeated = false;
        while let Some(byte) = self.peek() {
            if matches!(byte, b'|' | b')') {
                break;
            }
            let start = self.at;
            if let Some((min, max)) = self.bounds() {
                let greedy = !self.take("?");
                let refuse = |why: &str| RegexError::Syntax { at: start, why: why.to_owned() };
                if repeated {
                    return Err(refuse("a repetition of a repetition"));
                }
                let last = items.pop().ok_or_else(|| refuse("no argument for a repetition"))?;
                items.push(self.repeat(last, byte, min, max, greedy).map_err(refuse)?);
                repeated = true;
                continue;
            }
            repeated = false;
            if self.take("\\Q") {
                // The last quoted character takes a repetition.
                while !self.rest().is_empty() && !self.take("\\E") {
                    items.push(self.literal());
                }
            } else {
                // A change of flags is no atom: a repetition behind it takes the atom before.
                items.extend(self.atom()?);
            }
        }
        if items.is_empty() {
            return Ok(Node::leaf(Tree::Empty));
        }
        Ok(Node::of(items, Tree::Concat))
    }

    /// One byte that stands for itself.
    fn literal(&mut self) -> Node {
        let byte = self.peek().unwrap_or(0);
        self.at += 1;
        Node::leaf(Tree::literal(byte, self.flags.ignore_case))
    }

    /// One atom; `None` for a change of flags.
    fn atom(&mut self) -> Result<Option<Node>, RegexError> {
        let Some(byte) = self.peek() else { return Ok(None) };
        let lines = self.flags.lines;
        let simple = match byte {
            b'(' => return self.group(),
            b'[' => {
                let class = self.class()?;
                return Ok(Some(Node::leaf(Tree::class(class, self.flags.ignore_case))));
            }
            b'\\' => return self.escape().map(Some),
            b'.' if self.flags.dot_newline => Tree::Any,
            b'.' => Tree::Class(ByteSet::ANY.without(b'\n')),
            b'^' => Tree::Look(if lines { Look::LineStart } else { Look::Start }),
            b'$' => Tree::Look(if lines { Look::LineEnd } else { Look::Dollar }),
            _ => return Ok(Some(self.literal())),
        };
        self.at += 1;
        Ok(Some(Node::leaf(simple)))
    }

    /// An atom, repeated.
    fn repeat(&self, atom: Node, by: u8, min: u32, max: Option<u32>, greedy: bool) -> Result<Node, &'static str> {
        let flags = Flags { ungreedy: self.flags.ungreedy == greedy, ..self.flags };
        let op = match by {
            b'*' => Op::Star,
            b'+' => Op::Plus,
            b'?' => Op::Quest,
            _ => {
                if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT || max < min) {
                    return Err("invalid repetition");
                }
                let repeat = atom.repeat.saturating_mul(max.unwrap_or(min).max(1));
                if repeat > MAX_REPEAT && (min >= 2 || max.is_some_and(|max| max >= 2)) {
                    return Err("more than 1000 repetitions");
                }
                return Ok(Node { tree: Rc::new(Tree::Count(atom.tree, min, max, flags)), repeat });
            }
        };
        Ok(Node { tree: Rc::new(Tree::Repeat(op, atom.tree, flags)), repeat: atom.repeat })
    }

    /// Takes the bounds of a repetition. A `{` that begins none is left as a literal.
    fn bounds(&mut self) -> Option<(u32, Option<u32>)> {
        let simple = match self.peek()? {
            b'*' => (0, None),
            b'+' => (1, None),
            b'?' => (0, Some(1)),
            b'{' => {
                let start = self.at;
                let bounds = self.counted();
                if bounds.is_none() {
                    self.at = start;
                }
                return bounds;
            }
            _ => return None,
        };
        self.at += 1;
        Some(simple)
    }

    /// `{2}`, `{2,}` or `{2,3}`.
    fn counted(&mut self) -> Option<(u32, Option<u32>)> {
        self.take("{");
        let min = self.number()?;
        let max = match self.take(",") {
            true if self.peek() == Some(b'}') => None,
            true => Some(self.number()?),
            false => Some(min),
        };
        self.take("}").then_some((min, max))
    }

    /// A decimal number without superfluous zeros.
    fn number(&mut self) -> Option<u32> {
        let length = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = self.rest().get(..length)?;
        if length == 0 || (length > 1 && digits.first() == Some(&b'0')) {
            return None;
        }
        let digit = |digit: &u8| u32::from(digit - b'0');
        // RE2 takes a number of ten digits for text, but istiod refuses it.
        let value = digits.iter().fold(0_u32, |value, next| value.saturating_mul(10).saturating_add(digit(next)));
        self.at += length;
        Some(value)
    }
}
