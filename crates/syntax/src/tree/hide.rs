//! Which tokens the C++ grammar does not get to see: CUDA's qualifiers, attributes and launch
//! configurations, and what [`adapt`] finds. Decides by keyword and bracket alone; what a hidden
//! token means to a declaration is for later stages.

use std::ops::Range;

use super::adapt::{self, Adaptation};
use crate::keyword::Keyword;
use crate::token::{Token, TokenKind};

/// Tokens that the grammar does not see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// What they are.
    pub kind: HiddenKind,
    /// Which tokens.
    pub tokens: Range<usize>,
}

/// What hidden tokens are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HiddenKind {
    /// `__global__`
    Global,
    /// `__device__`
    Device,
    /// `__host__`
    Host,
    /// `__shared__`
    Shared,
    /// `__constant__`
    Constant,
    /// `__managed__`
    Managed,
    /// `__grid_constant__`
    GridConstant,
    /// `__restrict__` or `__restrict`
    Restrict,
    /// `__forceinline__`
    ForceInline,
    /// `__noinline__`
    NoInline,
    /// `__launch_bounds__(…)`
    LaunchBounds,
    /// `__maxnreg__(…)`
    MaxRegisters,
    /// `__cluster_dims__(…)` or `__block_size__(…)`
    ClusterDims,
    /// `__align__(…)` or `__builtin_align__(…)`
    Align,
    /// `__attribute__((…))` or `__declspec(…)`
    Attribute,
    /// `__extension__` and words of the toolkit's own headers that change nothing.
    Extension,
    /// `<<<…>>>`
    Launch,
    /// `template class X<float>;`, `extern template void f<3>(int);`, whole: in no tree node.
    ExplicitInstantiation,
    /// A name spelled like a macro, with its arguments if it has any, in a declaration where C++ has
    /// no place for a name: a header that is not in view would define it.
    UnknownMacro,
    /// The `typename` of `typename T::X{}` in an expression.
    Typename,
    /// The `const` and `*` of `new const T *[n]`.
    NewPointer,
    /// A type in operand position, `typeid(unsigned int)`, `va_arg(list, char *)`, but for its first
    /// token, which the grammar sees as a name.
    TypeOperand,
}

/// A launch configuration, as indices of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The `<<<`; the callee ends before it.
    pub open: usize,
    /// The `>>>`; the arguments of the kernel begin after it.
    pub close: usize,
}

/// What the grammar gets to see.
#[derive(Default)]
pub(super) struct View {
    /// Everything to hide, in order and disjoint.
    pub hidden: Vec<Hidden>,
    /// All launches in the order of their `<<<`, those inside another's configuration too.
    pub launches: Vec<Launch>,
    /// After which tokens to show a `;` that is not there.
    pub semicolons: Vec<usize>,
    /// Which tokens to show as a name.
    pub names: Vec<usize>,
    /// Before which tokens to show a name that is not there.
    pub types_before: Vec<usize>,
}

/// Decides what the grammar gets to see. Linear, but for forms that end within a fixed reach.
pub(super) fn find(tokens: &[Token]) -> View {
    let launches = find_launches(tokens);
    let closing = adapt::match_brackets(tokens);
    let mut view = View::default();
    // Whether each open bracket is a parenthesis.
    let mut brackets: Vec<bool> = Vec::new();
    let mut next_launch = launches.iter().peekable();
    let mut later: Option<(HiddenKind, usize, usize)> = None;
    let mut previous = None;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        while next_launch.peek().is_some_and(|launch| launch.open < at) {
            next_launch.next();
        }
        if let Some((kind, start, end)) = later
            && start <= at
        {
            later = None;
            let mut start = at;
            if kind == HiddenKind::TypeOperand {
                view.names.push(at);
                start += 1;
            }
            if start < end {
                view.hidden.push(Hidden { kind, tokens: start..end });
            }
            if at < end {
                previous = Some(at);
                at = end;
                continue;
            }
        }
        let found = match token.kind {
            TokenKind::LaunchOpen => next_launch
                .peek()
                .filter(|launch| launch.open == at)
                .map(|launch| Adaptation::Hide(HiddenKind::Launch, launch.close + 1)),
            TokenKind::Identifier => {
                let qualifier = token.text.keyword().and_then(|k| qualifier(k, tokens, at));
                qualifier
                    .map(|(kind, end)| Adaptation::Hide(kind, end))
                    .or_else(|| adapt::at(tokens, &closing, at, previous))
            }
            TokenKind::LeftBrace if brackets.last() == Some(&true) => {
                adapt::at(tokens, &closing, at, previous)
            }
            _ => None,
        };
        if token.kind.is_open() {
            brackets.push(token.kind == TokenKind::LeftParen);
        } else if token.kind.is_close() {
            brackets.pop();
        }
        match found {
            Some(Adaptation::TypeBefore) => view.types_before.push(at),
            Some(Adaptation::Hide(kind, end)) => {
                view.hidden.push(Hidden { kind, tokens: at..end });
                at = end;
                continue;
            }
            Some(Adaptation::Semicolon(before)) => view.semicolons.push(before - 1),
            Some(Adaptation::HideLater(kind, start, end)) => later = Some((kind, start, end)),
            None => {}
        }
        previous = Some(at);
        at += 1;
    }
    view.semicolons.sort_unstable();
    view.launches = launches;
    view
}

/// The qualifier that begins at `at`, and the index after it.
fn qualifier(keyword: Keyword, tokens: &[Token], at: usize) -> Option<(HiddenKind, usize)> {
    let kind = match keyword {
        Keyword::Global => HiddenKind::Global,
        Keyword::Device => HiddenKind::Device,
        Keyword::Host => HiddenKind::Host,
        Keyword::Shared => HiddenKind::Shared,
        Keyword::Constant => HiddenKind::Constant,
        Keyword::Managed => HiddenKind::Managed,
        Keyword::GridConstant => HiddenKind::GridConstant,
        Keyword::GnuRestrict | Keyword::GnuRestrictShort => HiddenKind::Restrict,
        Keyword::ForceInline => HiddenKind::ForceInline,
        Keyword::NoInline => HiddenKind::NoInline,
        Keyword::LaunchBounds => HiddenKind::LaunchBounds,
        Keyword::MaxRegisters => HiddenKind::MaxRegisters,
        Keyword::ClusterDims | Keyword::BlockSize => HiddenKind::ClusterDims,
        Keyword::Align | Keyword::BuiltinAlign => HiddenKind::Align,
        Keyword::GnuAttribute | Keyword::GnuAttributeShort | Keyword::Declspec => {
            HiddenKind::Attribute
        }
        Keyword::GnuExtension
        | Keyword::InlineHint
        | Keyword::NvPure
        | Keyword::DeviceBuiltin
        | Keyword::CudartBuiltin => HiddenKind::Extension,
        _ => return None,
    };
    let takes_operand = matches!(
        kind,
        HiddenKind::LaunchBounds
            | HiddenKind::MaxRegisters
            | HiddenKind::ClusterDims
            | HiddenKind::Align
            | HiddenKind::Attribute
    );
    let open = tokens.get(at + 1).is_some_and(|token| token.kind == TokenKind::LeftParen);
    if takes_operand && open {
        // Without its `)` the operand is a syntax error, which the grammar will report.
        return Some((kind, closing(tokens, at + 1)? + 1));
    }
    Some((kind, at + 1))
}

/// Operands of qualifiers are short; a longer one is an unbalanced parenthesis.
const OPERAND_TOKENS: usize = 512;

/// The `)` that closes the `(` at `open`.
fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open).take(OPERAND_TOKENS) {
        match token.kind {
            TokenKind::LeftParen => depth += 1,
            TokenKind::RightParen => {
                depth -= 1;
                if depth == 0 {
                    return Some(index);
                }
            }
            TokenKind::Semicolon | TokenKind::LeftBrace | TokenKind::RightBrace => return None,
            _ => {}
        }
    }
    None
}

fn find_launches(tokens: &[Token]) -> Vec<Launch> {
    let mut launches = Vec::new();
    let mut opens = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::LaunchOpen => opens.push(index),
            TokenKind::LaunchClose => {
                launches.extend(opens.pop().map(|open| Launch { open, close: index }));
            }
            _ => {}
        }
    }
    launches.sort_unstable_by_key(|launch| launch.open);
    launches
}
