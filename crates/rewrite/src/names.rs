//! Where the user's text names the CUDA API: in code, in macro bodies, in directives, in inactive
//! branches. The front end's meanings decide; where it never saw a token, the spelling does, unless
//! the user declares that name somewhere.

use port_api::{Kind, Row};
use port_diag::Span;
use port_hir::{Entity, FunctionId, FunctionKind, Meaning, Module, Parent};
use port_syntax::keyword::Keyword;
use port_syntax::token::TokenKind;

use crate::file::FileText;
use crate::launches::matching;

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
    /// Whether the name is that of functions of the user's that overload the API's. CUDA declares
    /// its device functions at global scope, so such a name means both; the user's declarations are
    /// among the uses.
    pub overloaded: bool,
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

/// The names in a file that are spelled like those of CUDA and its libraries, that the reference
/// compiles, and that neither a row nor the user's text knows.
pub fn unknown(file: &FileText<'_>, module: &Module) -> Vec<Span> {
    let identifiers = file.tokens.iter().filter(|token| token.kind == TokenKind::Identifier);
    identifiers
        .filter(|token| {
            let spelling = token.spelling(file.text);
            let meaning = module.meanings.get(file.span(token));
            matches!(meaning, Some(Meaning::Unresolved | Meaning::Library(_)))
                && is_spelled_like_cuda(&spelling)
                && port_api::find(&spelling).is_none()
                && !module.declares(&*spelling)
        })
        .map(|token| file.span(token))
        .collect()
}

/// Whether a name follows the convention of CUDA's runtime, driver or libraries: a prefix and a
/// capital letter (`cudaFoo`, `cuFoo`), or the prefix in capitals (`CUBLAS_FOO`).
fn is_spelled_like_cuda(name: &str) -> bool {
    const PREFIXES: [&str; 16] = [
        "cuda", "cublasLt", "cublas", "cudnn", "cufft", "curand", "cusolver", "cusparse",
        "cutensor", "nccl", "npp", "nvjpeg", "nvml", "nvrtc", "nvtx", "cu",
    ];
    let name = name.strip_prefix("make_").unwrap_or(name);
    PREFIXES.iter().any(|prefix| {
        let rest = name.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
            || name
                .strip_prefix(&*prefix.to_ascii_uppercase())
                .is_some_and(|rest| rest.len() > 1 && rest.starts_with('_') && *prefix != "cuda")
    })
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
        let named = |row, resolved| {
            let overloaded = false;
            NameUse { span, qualified, row, token: index, resolved, overloaded }
        };
        match module.meanings.get(span) {
            Some(Meaning::Api(key)) => {
                uses.extend(port_api::find(key.as_str()).map(|row| named(row, true)))
            }
            Some(Meaning::User(Entity::Function(id))) => {
                let row = overloaded_row(module, *id);
                uses.extend(row.map(|row| NameUse { overloaded: true, ..named(row, true) }));
            }
            Some(Meaning::User(_) | Meaning::Macro(_) | Meaning::Member | Meaning::Library(_)) => {}
            Some(Meaning::Conflicting) => {
                let why = DoubtReason::Conflicting;
                doubts.extend(port_api::find(&spelling).map(|row| Doubt { span, row, why }));
            }
            Some(Meaning::Unresolved) | None => {
                let Some(row) = row_by_spelling(file, index, &spelling) else { continue };
                if is_declared_here(file, index) || !may_be_used(file, index, row) {
                    continue;
                }
                let users = module.functions_named(&*spelling);
                let overload = users.iter().find_map(|id| overloaded_row(module, *id));
                if let Some(row) = overload {
                    uses.push(NameUse { overloaded: true, ..named(row, false) });
                } else if is_called(file, index) && row.kind == Kind::Function {
                    // A variable of the same name is not what is called.
                    match users.is_empty() && !is_macro(module, &spelling) {
                        true => uses.push(named(row, false)),
                        false => doubts.push(Doubt { span, row, why: DoubtReason::Shadowed }),
                    }
                } else if module.declares(&*spelling) {
                    doubts.push(Doubt { span, row, why: DoubtReason::Shadowed });
                } else {
                    uses.push(named(row, false));
                }
            }
        }
    }
    (uses, doubts)
}

/// The row whose functions a function of the user's overloads: one of the same name that nvcc
/// declares, without an include, where the user's is.
fn overloaded_row(module: &Module, id: FunctionId) -> Option<&'static Row> {
    const IMPLICIT: [&str; 7] =
        ["atomics", "barrier", "math/", "memory/", "runtime/", "time", "warp"];
    let function = &module.functions[id];
    let is_global = function.parent == Parent::Namespace(module.global());
    let is_plain = function.kind == FunctionKind::Ordinary;
    let row = port_api::find(function.name.as_str()).filter(|_| is_global && is_plain)?;
    let is_implicit = IMPLICIT.iter().any(|family| row.family.starts_with(family));
    (is_implicit && row.kind == Kind::Function).then_some(row)
}

fn is_macro(module: &Module, name: &str) -> bool {
    module
        .meanings
        .iter()
        .any(|(_, meaning)| matches!(meaning, Meaning::Macro(known) if known.as_str() == name))
}

/// Whether an argument list follows.
fn is_called(file: &FileText<'_>, index: usize) -> bool {
    file.tokens.get(index + 1).is_some_and(|token| token.kind == TokenKind::LeftParen)
}

/// Whether a name that only its spelling tells can be the API's. A name that begins like a word of
/// everyday use (`j0`, `min`, `round`) is a function's only where it is called.
fn may_be_used(file: &FileText<'_>, index: usize, row: &Row) -> bool {
    const OURS: [&str; 8] = ["__", "cu", "CU", "nccl", "nvtx", "nvrtc", "tex", "surf"];
    row.kind != Kind::Function
        || is_called(file, index)
        || row.name.contains("::")
        || OURS.iter().any(|prefix| row.name.starts_with(prefix))
}

/// Whether text that was never compiled declares the name: a macro, a type, a function. A port
/// leaves it to whoever wrote it.
fn is_declared_here(file: &FileText<'_>, index: usize) -> bool {
    let kind = |index: Option<usize>| index.and_then(|i| file.tokens.get(i)).map(|t| t.kind);
    let word = |index: usize| file.tokens.get(index).map_or("", |token| file.bytes(token));
    if let Some(directive) = file.directive_of(index) {
        return directive.keyword == "define" && index == directive.tokens.start + 2;
    }
    let Some(before) = index.checked_sub(1) else { return false };
    match kind(Some(index + 1)) {
        Some(TokenKind::Equal) => word(before) == "using",
        Some(TokenKind::Semicolon) => {
            let ends = [TokenKind::Semicolon, TokenKind::LeftBrace, TokenKind::RightBrace];
            let mut first = file.tokens[..index]
                .iter()
                .rposition(|token| ends.contains(&token.kind))
                .map_or(0, |end| end + 1);
            while let Some(directive) = file.directive_of(first) {
                first = directive.tokens.end;
            }
            word(first) == "typedef"
        }
        Some(TokenKind::LeftParen) => {
            let typed = match kind(Some(before)) {
                Some(TokenKind::Identifier) => !matches!(
                    word(before),
                    "return" | "else" | "do" | "case" | "throw" | "co_return"
                ),
                Some(TokenKind::Star | TokenKind::Ampersand | TokenKind::Greater) => true,
                _ => false,
            };
            typed
                && kind(matching(file, index + 1).map(|close| close + 1))
                    == Some(TokenKind::LeftBrace)
        }
        _ => false,
    }
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
