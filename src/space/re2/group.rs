//! Groups and flags of RE2.

use std::rc::Rc;

use super::tree::Tree;
use super::{MAX_DEPTH, Node, Parser, RegexError};

impl Parser<'_> {
    /// A group, or flags for the rest of the enclosing one.
    pub(super) fn group(&mut self) -> Result<Option<Node>, RegexError> {
        let outer = self.flags;
        let mut captures = true;
        if self.take("(?P<") || self.take("(?<") {
            self.name()?;
        } else if self.take("(?") {
            if !self.flags()? {
                return Ok(None);
            }
            captures = false;
        } else {
            self.at += 1;
        }
        self.captures += usize::from(captures);
        let number = self.captures;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(RegexError::TooLarge { why: format!("groups nest deeper than {MAX_DEPTH}") });
        }
        let mut node = self.alternation()?;
        self.depth -= 1;
        if !self.take(")") {
            return Err(self.refuse("missing `)`"));
        }
        self.flags = outer;
        if captures {
            node.tree = Rc::new(Tree::Capture(node.tree, number));
        }
        Ok(Some(node))
    }

    /// The name of a group. RE2 also takes letters beyond ASCII; istiod does not.
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
        let mut flags = self.flags;
        let mut on = true;
        let mut some = false;
        loop {
            let byte = self.peek();
            match byte {
                Some(b'i') => flags.ignore_case = on,
                Some(b'm') => flags.lines = on,
                Some(b's') => flags.dot_newline = on,
                Some(b'U') => flags.ungreedy = on,
                Some(b'-') if on => {
                    self.at += 1;
                    (on, some) = (false, false);
                    continue;
                }
                Some(b':' | b')') if on || some => {
                    self.at += 1;
                    self.flags = flags;
                    return Ok(byte == Some(b':'));
                }
                Some(b'=' | b'!') => return Err(self.refuse("no lookaround in RE2")),
                _ => return Err(self.refuse("invalid flags")),
            }
            self.at += 1;
            some = true;
        }
    }
}
