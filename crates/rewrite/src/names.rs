//! Where the user's text names the CUDA API: in code, in macro bodies, in directives, in inactive
//! branches. The front end's meanings decide; where it never saw a token, the spelling does, unless
//! the user declares that name somewhere.

use port_api::Row;
use port_diag::Span;
use port_hir::{Meaning, Module};
use port_syntax::keyword::Keyword;
use port_syntax::token::TokenKind;

use crate::file::FileText;

/// A use of an API name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameUse {
    /// The identifier (the last part of a qualified name).
    pub span: Span,
    /// The qualified name as written: from its first part, or from a leading `::`, to the
    /// identifier. Equal to `span` when there is no qualifier.
    pub qualified: Span,
    /// The row.
    pub row: &'static Row,
    /// Index of the identifier in [`FileText::tokens`].
    pub token: usize,
    /// Whether the front end saw the token and gave it this meaning; else the spelling did.
    pub resolved: bool,
}

/// An API name whose meaning is not certain; it is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The identifier.
    pub span: Span,
    /// The row that it may mean.
    pub row: &'static Row,
    /// Why it is not certain.
    pub why: DoubtReason,
}

/// Why a meaning is not certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoubtReason {
    /// The token was never analysed, and the user's files declare the same name.
    Shadowed,
    /// A macro's token means one thing in one expansion and another elsewhere.
    Conflicting,
}

/// All uses of API names in a file, in order, and the doubtful ones.
pub fn uses(file: &FileText<'_>, module: &Module) -> (Vec<NameUse>, Vec<Doubt>) {
    let mut uses = Vec::new();
    let mut doubts = Vec::new();
    for (index, token) in file.tokens.iter().enumerate() {
        if token.kind != TokenKind::Identifier {
            continue;
        }
        let span = file.span(token);
        let spelling = token.spelling(file.text);
        let qualified = qualified_from(file, index);
        let named = |row, resolved| NameUse { span, qualified, row, token: index, resolved };
        match module.meanings.get(span) {
            Some(Meaning::Api(key)) => {
                uses.extend(port_api::find(key.as_str()).map(|row| named(row, true)))
            }
            Some(Meaning::User(_) | Meaning::Macro(_) | Meaning::Member | Meaning::Library(_)) => {}
            Some(Meaning::Conflicting) => {
                let why = DoubtReason::Conflicting;
                doubts.extend(port_api::find(&spelling).map(|row| Doubt { span, row, why }));
            }
            Some(Meaning::Unresolved) | None => {
                let Some(row) = row_by_spelling(file, index, &spelling) else { continue };
                if module.declares(&*spelling) {
                    doubts.push(Doubt { span, row, why: DoubtReason::Shadowed });
                } else {
                    uses.push(named(row, false));
                }
            }
        }
    }
    (uses, doubts)
}

/// The row that an identifier names by its spelling alone: an unqualified name, or a name whose
/// qualifiers are written out. A member (`x.name`) names none.
fn row_by_spelling(file: &FileText<'_>, index: usize, spelling: &str) -> Option<&'static Row> {
    let before = |back: usize| index.checked_sub(back).map(|i| &file.tokens[i]);
    match before(1).map(|token| token.kind) {
        Some(TokenKind::Dot | TokenKind::Arrow) => return None,
        Some(TokenKind::ColonColon) => {}
        _ => return port_api::find(spelling),
    }
    let mut parts = vec![spelling.to_owned()];
    let mut back = 1;
    while before(back).is_some_and(|token| token.kind == TokenKind::ColonColon) {
        match before(back + 1) {
            Some(token) if is_qualifier(file, index - back - 1) => {
                parts.push(token.spelling(file.text).into_owned());
                back += 2;
            }
            // `>::name` is a member of a template's instance; `::name` is global.
            Some(token) if token.kind == TokenKind::Greater => return None,
            _ => break,
        }
    }
    parts.reverse();
    port_api::find(&parts.join("::"))
}

/// The bytes from the first part of a qualified name to the identifier of this index.
fn qualified_from(file: &FileText<'_>, index: usize) -> Span {
    let kind = |i: usize| file.tokens[i].kind;
    let mut first = index;
    while first >= 1 && kind(first - 1) == TokenKind::ColonColon {
        if first >= 2 && is_qualifier(file, first - 2) {
            first -= 2;
        } else if first >= 2 && kind(first - 2) == TokenKind::Greater {
            break;
        } else {
            first -= 1;
            break;
        }
    }
    Span::new(file.id, file.tokens[first].start, file.tokens[index].end)
}

/// Whether a token can stand before `::` as a name: `return ::f()` has none.
fn is_qualifier(file: &FileText<'_>, index: usize) -> bool {
    let Some(token) = file.tokens.get(index) else { return false };
    token.kind == TokenKind::Identifier
        && !Keyword::ALL.iter().any(|keyword| keyword.as_str() == token.spelling(file.text))
}
