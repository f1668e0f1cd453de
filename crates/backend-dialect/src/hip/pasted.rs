//! API names that `##` makes: `cuda##name` with `Malloc`. No token of the text is the name, so what
//! changes is the operand that is written in the macro's body, if one change serves every name that
//! this `##` makes.

use std::collections::{BTreeMap, BTreeSet};

use port_diag::{ExpansionKind, Span};
use port_rewrite::Reason;
use port_syntax::TokenKind;
use port_syntax::token::RawToken;

use super::port::Port;
use crate::findings::PastedName;

/// A name of CUDA's and the target's form of it.
type Rename = (&'static str, &'static str);

/// Edits the operands of `##`, or reports the name that is made.
pub(super) fn apply(port: &mut Port<'_>) {
    for (operator, names) in made_names(port) {
        let Some((first, form)) = names.first().copied() else { continue };
        match operand_edit(port, operator, &names) {
            Some((span, text)) => {
                port.uses_runtime = true;
                port.changes.replace(span, &text, Reason::Row(first));
            }
            None => {
                let (name, form) = (first.to_owned(), form.to_owned());
                port.report_at(&PastedName { name, target: port.target(), form }, operator);
            }
        }
    }
}

/// By the place of the `##`: the API names that it makes and that are spelled otherwise on the target.
fn made_names(port: &Port<'_>) -> BTreeMap<Span, BTreeSet<Rename>> {
    let mut made: BTreeMap<Span, BTreeSet<Rename>> = BTreeMap::new();
    let module = port.unit.module;
    for token in port.unit.parsed.tokens() {
        let Some(expansion) = token.origin.expansion else { continue };
        if token.kind != TokenKind::Identifier
            || module.expansions.get(expansion).kind != ExpansionKind::Made
        {
            continue;
        }
        let Some(row) = port_api::find(token.text.as_str()) else { continue };
        let Some(form) = row.hip_name().filter(|form| *form != row.name) else { continue };
        if !module.declares(row.name) && module.functions_named(row.name).is_empty() {
            made.entry(token.origin.span).or_default().insert((row.name, form));
        }
    }
    made
}

/// The operand that, spelled otherwise, makes all of the target's names.
fn operand_edit(
    port: &Port<'_>,
    operator: Span,
    names: &BTreeSet<Rename>,
) -> Option<(Span, String)> {
    let file = port.files.iter().find(|file| file.id == operator.file)?;
    let index = file.tokens.iter().position(|token| file.span(token) == operator)?;
    let directive = file.directive_of(index).filter(|directive| directive.keyword == "define")?;
    let tokens = file.tokens.get(directive.tokens.clone())?;
    let is_written = |token: &RawToken| {
        token.kind == TokenKind::Identifier && !is_parameter(file, tokens, file.bytes(token))
    };
    let neighbour =
        |at: Option<usize>| at.and_then(|at| file.tokens.get(at)).filter(|token| is_written(token));
    // A longer chain of `##` has other operands beside this one.
    let is_paste = |at: Option<usize>| {
        at.and_then(|at| file.tokens.get(at)).is_some_and(|token| token.kind == TokenKind::HashHash)
    };
    if is_paste(index.checked_sub(2)) || is_paste(Some(index + 2)) {
        return None;
    }
    let agreed = |of: &dyn Fn(&Rename) -> Option<String>| {
        let texts: BTreeSet<Option<String>> = names.iter().map(of).collect();
        texts
            .into_iter()
            .next()
            .flatten()
            .filter(|_| names.iter().map(of).collect::<BTreeSet<_>>().len() == 1)
    };
    if let Some(left) = neighbour(index.checked_sub(1)) {
        let written = file.bytes(left);
        let text = agreed(&|(name, form)| {
            let rest = name.strip_prefix(written)?;
            form.strip_suffix(rest).map(str::to_owned)
        });
        if let Some(text) = text {
            return Some((file.span(left), text));
        }
    }
    let right = neighbour(Some(index + 1))?;
    let written = file.bytes(right);
    let text = agreed(&|(name, form)| {
        let rest = name.strip_suffix(written)?;
        form.strip_prefix(rest).map(str::to_owned)
    });
    text.map(|text| (file.span(right), text))
}

/// Whether a word is a parameter of the macro that a `#define` line begins.
fn is_parameter(file: &port_rewrite::FileText<'_>, define: &[RawToken], word: &str) -> bool {
    // `#`, `define`, the name, and `(` directly behind it.
    let [_, _, name, open, ..] = define else { return false };
    if open.kind != TokenKind::LeftParen || name.end != open.start {
        return false;
    }
    let parameters = define.iter().skip(4).take_while(|token| token.kind != TokenKind::RightParen);
    parameters.into_iter().any(|token| file.bytes(token) == word) || word == "__VA_ARGS__"
}
