//! One macro call's replacement list: arguments put in, `#` and `##` applied, and the frames that say
//! which token came how. Asks the expander to expand arguments; does not touch what is read next.

use port_diag::{ExpansionId, ExpansionKind, Finding, Frame, Origin, Span};

use super::expand::{Item, NO_PRAGMA};
use super::macros::{Macro, MacroId, Part};
use super::{BodyToken, Preprocessor, limits};
use crate::findings::{InvalidPaste, MacroArgumentCount};
use crate::lexer;
use crate::symbol::Symbol;
use crate::token::{Token, TokenKind};

/// The arguments of a call, as written.
pub(super) struct Arguments {
    pub items: Vec<Item>,
    /// One range of `items` per argument.
    pub ranges: Vec<std::ops::Range<usize>>,
    pub close: Origin,
}

/// The frames of one expansion, made when first asked for.
pub(super) struct CallFrames {
    pub call: Origin,
    made: [Option<ExpansionId>; 3],
    /// Where frames of argument tokens were moved to.
    moved: Vec<(ExpansionId, ExpansionId)>,
}

impl CallFrames {
    pub fn new(call: Origin) -> Self {
        CallFrames { call, made: [None; 3], moved: Vec::new() }
    }

    /// The frame of this kind.
    pub fn get(
        &mut self,
        preprocessor: &mut Preprocessor<'_>,
        id: MacroId,
        kind: ExpansionKind,
    ) -> ExpansionId {
        let slot = match kind {
            ExpansionKind::Body => 0,
            ExpansionKind::Argument => 1,
            ExpansionKind::Made => 2,
        };
        if let Some(frame) = self.made[slot] {
            return frame;
        }
        let definition: &Macro = &preprocessor.macros[id.0 as usize];
        let frame = preprocessor.out.expansions.push(Frame {
            name: definition.frame_name.clone(),
            kind,
            call: self.call,
            definition: definition.definition,
        });
        self.made[slot] = Some(frame);
        frame
    }

    /// The expansion of an argument token that had `before`: the frames that it went through inside
    /// the call's context are kept, on top of the argument frame of this call.
    fn rebase(
        &mut self,
        preprocessor: &mut Preprocessor<'_>,
        id: MacroId,
        before: Option<ExpansionId>,
    ) -> ExpansionId {
        let argument = self.get(preprocessor, id, ExpansionKind::Argument);
        let context = self.call.expansion;
        let mut path: Vec<ExpansionId> = Vec::new();
        let mut next = before;
        let mut base = argument;
        while let Some(frame_id) = next {
            if Some(frame_id) == context
                || path.len() >= limits::MOVED_FRAMES
                || preprocessor.out.expansions.len() >= limits::FRAMES
            {
                break;
            }
            if let Some((_, moved)) = self.moved.iter().find(|(from, _)| *from == frame_id) {
                base = *moved;
                break;
            }
            let frame = preprocessor.out.expansions.get(frame_id);
            // An argument frame of the context's own call: the context's frames say the rest.
            if frame.kind == ExpansionKind::Argument
                && context.is_some_and(|context| {
                    preprocessor.out.expansions.get(context).call == frame.call
                })
            {
                break;
            }
            path.push(frame_id);
            next = frame.call.expansion;
        }
        for frame_id in path.into_iter().rev() {
            let mut frame = preprocessor.out.expansions.get(frame_id).clone();
            frame.call.expansion = Some(base);
            base = preprocessor.out.expansions.push(frame);
            self.moved.push((frame_id, base));
        }
        base
    }
}

/// One call's replacement list being filled in.
pub(super) struct Substitution {
    id: MacroId,
    arguments: Option<Arguments>,
    expanded: Vec<Option<Vec<Item>>>,
    /// The call passes no variadic argument, not even an empty one.
    no_variadic: bool,
    depth: usize,
}

impl Substitution {
    pub fn new(id: MacroId, arguments: Option<Arguments>, depth: usize) -> Self {
        Substitution { id, arguments, expanded: Vec::new(), no_variadic: false, depth }
    }

    /// Checks the number of arguments and gives their tokens the frame of this call.
    pub fn move_origins(&mut self, preprocessor: &mut Preprocessor<'_>, frames: &mut CallFrames) {
        let Some(arguments) = &mut self.arguments else { return };
        let Some(parameters) = &preprocessor.macros[self.id.0 as usize].parameters else { return };
        let wanted = parameters.names.len();
        let least = wanted - usize::from(parameters.variadic);
        let mut found = arguments.ranges.len();
        if wanted == 0 && found == 1 && arguments.items.is_empty() {
            (found, arguments.ranges) = (0, Vec::new());
        }
        // An empty pair of parentheses is one empty argument, or none.
        if found < least || found > wanted {
            let finding = MacroArgumentCount {
                name: preprocessor.macros[self.id.0 as usize].name.to_string(),
                expected: parameters.expected(),
                found: if arguments.items.is_empty() && found == 1 { 0 } else { found },
            };
            let finding = finding.at(frames.call, &preprocessor.out.expansions);
            preprocessor.out.diagnostics.push(finding);
        }
        self.no_variadic = found < wanted || (wanted == 1 && arguments.items.is_empty());
        arguments.ranges.resize(wanted, 0..0);
        self.expanded.resize(wanted, None);
        let mut last: Option<(Option<ExpansionId>, ExpansionId)> = None;
        for item in &mut arguments.items {
            let before = item.token.origin.expansion;
            let after = match last {
                Some((from, to)) if from == before => to,
                _ => frames.rebase(preprocessor, self.id, before),
            };
            last = Some((before, after));
            item.token.origin.expansion = Some(after);
        }
    }

    fn raw(&self, index: usize) -> &[Item] {
        match &self.arguments {
            Some(arguments) => {
                arguments.ranges.get(index).map_or(&[], |range| &arguments.items[range.clone()])
            }
            None => &[],
        }
    }

    fn expanded(
        &mut self,
        preprocessor: &mut Preprocessor<'_>,
        index: usize,
        call: Origin,
    ) -> &[Item] {
        if self.expanded.get(index).is_some_and(Option::is_none) {
            let raw = self.raw(index).to_vec();
            let items = preprocessor.expand_list(&raw, self.depth + 1, false);
            let definition = &preprocessor.macros[self.id.0 as usize];
            preprocessor.spend(items.len(), definition.name, call);
            self.expanded[index] = Some(items);
        }
        self.expanded.get(index).and_then(Option::as_deref).unwrap_or(&[])
    }

    pub fn substitute(
        &mut self,
        preprocessor: &mut Preprocessor<'_>,
        parts: &[Part],
        frames: &mut CallFrames,
    ) -> Vec<Item> {
        let mut out: Vec<Item> = Vec::with_capacity(parts.len());
        let mut paste: Option<Span> = None;
        // The last operand gave no token: a placemarker in the standard's terms.
        let mut nothing = false;
        let mut space = false;
        for (at, part) in parts.iter().enumerate() {
            if preprocessor.out.cut_off || out.len() > limits::EXPANDED_TOKENS {
                break;
            }
            let pasted = paste.is_some() || matches!(parts.get(at + 1), Some(Part::Paste { .. }));
            let start = out.len();
            match part {
                Part::Paste { span } => {
                    paste = Some(*span);
                    continue;
                }
                Part::Token(token) => out.push(self.body_item(preprocessor, token, frames)),
                Part::Parameter { index, token } => {
                    if pasted {
                        out.extend_from_slice(self.raw(*index));
                    } else {
                        out.extend_from_slice(self.expanded(preprocessor, *index, frames.call));
                    }
                    if let Some(first) = out.get_mut(start) {
                        first.token.spaced = token.spaced;
                        first.token.line_start = false;
                    }
                }
                Part::Stringify { index, token } => {
                    let text = stringify(self.raw(*index));
                    let kind = TokenKind::String;
                    out.push(self.made_item(preprocessor, kind, &text, token, frames));
                }
                Part::Optional { parts, token } => {
                    let last = self.expanded.len().saturating_sub(1);
                    if !self.expanded(preprocessor, last, frames.call).is_empty() {
                        out.append(&mut self.substitute(preprocessor, parts, frames));
                    }
                    if let Some(first) = out.get_mut(start) {
                        first.token.spaced = token.spaced;
                    }
                }
            }
            let empty = out.len() == start;
            // The space before an argument that is empty stays.
            match out.get_mut(start) {
                Some(first) => first.token.spaced |= std::mem::take(&mut space),
                None => space |= matches!(part, Part::Parameter { token, .. } if token.spaced),
            }
            if let Some(operator) = paste.take()
                && !nothing
                && start > 0
            {
                if self.swallows_comma(preprocessor, parts, at) {
                    // `, ## __VA_ARGS__` (GNU): the comma goes if there is no argument.
                    if self.no_variadic {
                        out.pop();
                    } else if let Some(first) = out.get_mut(start) {
                        first.token.spaced = false;
                    }
                } else if !empty {
                    let made =
                        self.paste(preprocessor, out[start - 1], out[start], operator, frames);
                    out.splice(start - 1..=start, made);
                }
                nothing = false;
                continue;
            }
            nothing = empty;
        }
        out
    }

    /// Whether the part at `at` is the variadic parameter in `, ## __VA_ARGS__`.
    fn swallows_comma(&self, preprocessor: &Preprocessor<'_>, parts: &[Part], at: usize) -> bool {
        let Some(parameters) = &preprocessor.macros[self.id.0 as usize].parameters else {
            return false;
        };
        let last = parameters.names.len().wrapping_sub(1);
        let before = at.checked_sub(2).and_then(|at| parts.get(at));
        parameters.variadic
            && matches!(&parts[at], Part::Parameter { index, .. } if *index == last)
            && matches!(before, Some(Part::Token(token)) if token.kind == TokenKind::Comma)
    }

    /// A token of the body. A macro without a place in the text takes the place of its use.
    fn body_item(
        &self,
        preprocessor: &mut Preprocessor<'_>,
        token: &BodyToken,
        frames: &mut CallFrames,
    ) -> Item {
        let in_text = preprocessor.macros[self.id.0 as usize].definition.is_some();
        let kind = if in_text { ExpansionKind::Body } else { ExpansionKind::Made };
        let expansion = Some(frames.get(preprocessor, self.id, kind));
        let span = if in_text { token.span } else { frames.call.span };
        Item::new(Token {
            kind: token.kind,
            text: token.text,
            origin: Origin { span, expansion },
            spaced: token.spaced,
            line_start: false,
        })
    }

    /// A token that an operator of the body makes.
    fn made_item(
        &self,
        preprocessor: &mut Preprocessor<'_>,
        kind: TokenKind,
        text: &str,
        operator: &BodyToken,
        frames: &mut CallFrames,
    ) -> Item {
        let mut item = self.body_item(preprocessor, operator, frames);
        item.token.origin.expansion = Some(frames.get(preprocessor, self.id, ExpansionKind::Made));
        item.token.kind = kind;
        item.token.text = Symbol::new(text);
        item
    }

    fn paste(
        &self,
        preprocessor: &mut Preprocessor<'_>,
        left: Item,
        right: Item,
        operator: Span,
        frames: &mut CallFrames,
    ) -> Vec<Item> {
        let text = format!("{}{}", left.token.text, right.token.text);
        let tokens = lexer::lex(&text);
        let body_token = |kind| BodyToken {
            kind,
            text: left.token.text,
            span: operator,
            spaced: left.token.spaced,
        };
        if let [token] = tokens[..]
            && !token.kind.is_trivia()
            && !token.unterminated
        {
            let operator = body_token(token.kind);
            let mut item = self.made_item(preprocessor, token.kind, &text, &operator, frames);
            item.token.spaced = left.token.spaced;
            return vec![item];
        }
        // Two `>` are a shift, which has no token of its own here.
        let shift = left.is(TokenKind::Greater)
            && matches!(right.token.kind, TokenKind::Greater | TokenKind::GreaterEqual);
        if !shift {
            let finding = InvalidPaste {
                left: left.token.text.to_string(),
                right: right.token.text.to_string(),
            };
            let finding = finding.at(frames.call, &preprocessor.out.expansions);
            preprocessor.out.diagnostics.push(finding);
        }
        let right = Item { token: Token { spaced: false, ..right.token }, ..right };
        vec![left, right]
    }
}

/// The argument as `#` spells it: single spaces where there was space, quotes and backslashes of
/// literals escaped.
fn stringify(items: &[Item]) -> String {
    let mut out = String::from("\"");
    for (index, item) in items.iter().filter(|item| item.pragma == NO_PRAGMA).enumerate() {
        let token = &item.token;
        if index > 0 && (token.spaced || token.line_start) {
            out.push(' ');
        }
        let literal = matches!(token.kind, TokenKind::String | TokenKind::Character);
        for character in token.text.as_str().chars() {
            match character {
                '"' | '\\' if literal => out.extend(['\\', character]),
                // Only inside raw strings, which are one line in the result.
                '\n' => out.push_str("\\n"),
                _ => out.push(character),
            }
        }
    }
    out.push('"');
    out
}
