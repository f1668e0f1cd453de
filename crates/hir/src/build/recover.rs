//! After a failure: what is reported, and where reading goes on.

use port_syntax::{Keyword, TokenKind};

use super::Builder;
use super::cursor::{Failure, FailureKind};
use crate::findings::{NestedTooDeeply, UnreadableCode, UnreadableKernel};

impl Builder<'_> {
    /// What stands at a token, for a message.
    pub(super) fn spelling_at(&self, index: usize) -> String {
        match self.tokens.get(index) {
            Some(token) => token.text.as_str().to_string(),
            None => String::from("end of file"),
        }
    }

    fn expectation(failure: Failure) -> String {
        match failure.kind {
            FailureKind::Expected(what)
                if what.chars().all(|c| c.is_ascii_alphabetic() || c == ' ') =>
            {
                what.to_string()
            }
            FailureKind::Expected(what) => format!("`{what}`"),
            FailureKind::TooDeep => String::from("less nesting"),
        }
    }

    /// Reports a statement that can't be read, in device code, and poisons the function.
    pub(super) fn statement_failure(&mut self, failure: Failure) {
        match failure.kind {
            FailureKind::Expected(_) => {
                let finding = UnreadableCode {
                    expected: Self::expectation(failure),
                    found: self.spelling_at(failure.at),
                };
                self.report(&finding, failure.at);
            }
            FailureKind::TooDeep => self.report(&NestedTooDeeply {}, failure.at),
        }
    }

    /// Skips an item that can't be read. The next definition of device code is never skipped with
    /// it.
    pub(super) fn item_failure(&mut self, start: usize, failure: Failure) {
        let from = self.position.max(start);
        let mut device = self.context.device;
        for index in start..failure.at.min(self.end) {
            device |= matches!(self.keyword_at(index), Some(Keyword::Global | Keyword::Device));
        }
        let outer = std::mem::replace(&mut self.context.device, device);
        match failure.kind {
            FailureKind::TooDeep => self.report(&NestedTooDeeply {}, failure.at),
            FailureKind::Expected(_) => {
                let finding = UnreadableKernel {
                    expected: Self::expectation(failure),
                    found: self.spelling_at(failure.at),
                };
                self.report(&finding, failure.at);
            }
        }
        self.context.device = outer;
        self.position = self.item_end(start, from.max(failure.at.min(self.end)));
    }

    /// Where the next item begins after one that failed at `failed`.
    fn item_end(&self, start: usize, failed: usize) -> usize {
        // Groups that the failed item opened are left as a whole.
        let mut at = start;
        while at < self.end {
            let kind = self.tokens[at].kind;
            if at >= failed && at > start && self.begins_device_item(at) {
                return at;
            }
            match kind {
                TokenKind::Semicolon if at >= failed => return at + 1,
                TokenKind::LeftBrace if self.closer(at).is_some() => {
                    let after = self.past_group(at);
                    if after > failed {
                        // The body of what failed; a `;` after it belongs to it.
                        let semicolon = self.kind_at(after) == TokenKind::Semicolon;
                        return after + usize::from(semicolon);
                    }
                    at = after;
                }
                TokenKind::RightBrace => return at + 1,
                _ if kind.is_open() => {
                    let after = self.past_group(at);
                    // An unclosed parenthesis hides nothing.
                    at = if after >= self.end { at + 1 } else { after };
                }
                _ => at += 1,
            }
        }
        self.end
    }

    /// Whether a line begins here with the qualifiers or template header of device code.
    fn begins_device_item(&self, at: usize) -> bool {
        if !self.tokens[at].line_start {
            return false;
        }
        match self.keyword_at(at) {
            Some(Keyword::Global | Keyword::Template) => true,
            Some(Keyword::Device | Keyword::Static | Keyword::Extern | Keyword::Inline) => {
                (at..at + 6).any(|index| {
                    matches!(self.keyword_at(index), Some(Keyword::Global | Keyword::Device))
                })
            }
            _ => false,
        }
    }
}
