//! Operators that the user defines for CUDA's vector types, and HIP's vector types have already.
//!
//! In CUDA `float4` is a plain struct, so nearly every code base defines `operator*(float4, float4)`
//! and `operator+=(float4 &, float4)` for it. HIP's `float4` has these, element by element (`*` and
//! `/` of two vectors since HIP 6, the compound assignments in every release), and a call of both
//! would be ambiguous. Operators with a scalar do not clash: HIP's are templates.

use port_diag::{Finding, Span};
use port_hir::{Body, FunctionId, FunctionKind, Res, TyId, TyKind};
use port_rewrite::{Reason, Side};

use super::port::Port;
use crate::findings::{ClashingOperator, VectorOperator};

/// The operators of two vectors that are ambiguous beside HIP's.
const CLASHING: [&str; 6] = ["*", "/", "+=", "-=", "*=", "/="];

const COMPONENTS: [&str; 4] = ["x", "y", "z", "w"];

/// Leaves out the definitions that say what HIP says, and reports the others.
pub(super) fn apply(port: &mut Port<'_>) {
    let functions: Vec<FunctionId> = port.unit.module.functions.iter().map(|(id, _)| id).collect();
    for id in functions {
        let Some((operator, components)) = clashing(port, id) else { continue };
        let function = &port.unit.module.functions[id];
        let name = function.origin.span;
        let span = written_span(port, function.tokens).filter(|_| function.declarations.len() == 1);
        let same = is_elementwise(port, id, &operator, components)
            || is_assigned_result(port, id, &operator, components);
        match span {
            Some(span) if same => {
                leave_out(port, span);
                port.report_at(&VectorOperator { operator, target: port.target() }, name);
            }
            _ => port.report_at(&ClashingOperator { operator, target: port.target() }, name),
        }
    }
}

/// The operator and the number of components, if the function is one that clashes.
fn clashing(port: &Port<'_>, id: FunctionId) -> Option<(String, usize)> {
    let function = &port.unit.module.functions[id];
    let FunctionKind::Operator(operator) = &function.kind else { return None };
    let operator = operator.as_str().to_owned();
    if !CLASHING.contains(&operator.as_str()) || function.template_parameters.is_some() {
        return None;
    }
    let [left, right] = function.parameters.as_slice() else { return None };
    let of = |local: &port_hir::LocalId| vector(port, port.unit.module.locals[*local].ty);
    let (left, right) = (of(left)?, of(right)?);
    (left == right).then_some((operator, left.1))
}

/// The API vector type that a parameter has, by value or by reference, and its components.
fn vector(port: &Port<'_>, ty: TyId) -> Option<(String, usize)> {
    let module = port.unit.module;
    match &module.types[ty].kind {
        TyKind::LValueReference(inner) => vector(port, *inner),
        TyKind::Named(name) => {
            let Res::Api(key) = &name.resolution else { return None };
            let row = port_api::find(key.as_str())?;
            let count = key.as_str().chars().last()?.to_digit(10)? as usize;
            let is_vector = row.family == "vector/type" && (1..=4).contains(&count);
            is_vector.then(|| (row.name.to_owned(), count))
        }
        _ => None,
    }
}

/// Whether the body does to each component what the operator says, and nothing else: for every
/// component `a.c op b.c` (or `a.c op= b.c`) stands in it, and no other operator does.
fn is_elementwise(port: &Port<'_>, id: FunctionId, operator: &str, components: usize) -> bool {
    let Some((words, left, right)) = body_words(port, id) else { return false };
    let operators = words.iter().filter(|word| {
        matches!(**word, "+" | "-" | "*" | "/" | "%" | "+=" | "-=" | "*=" | "/=" | "?" | "<" | ">")
    });
    let has = |component: &&str| {
        let wanted = [left, ".", component, operator, right, ".", component];
        words.windows(wanted.len()).any(|window| window == wanted)
    };
    operators.count() == components && COMPONENTS[..components].iter().all(has)
}

/// Whether the body is `a = a op b; return a;`, where the operator of two vectors is that of each
/// component.
fn is_assigned_result(port: &Port<'_>, id: FunctionId, operator: &str, components: usize) -> bool {
    let module = port.unit.module;
    let Some(simple) = operator.strip_suffix('=') else { return false };
    let Some((words, left, right)) = body_words(port, id) else { return false };
    let assigned = ["{", left, "=", left, simple, right, ";"];
    let Some(rest) = words.strip_prefix(assigned.as_slice()) else { return false };
    if rest != ["return", left, ";", "}"] && rest != ["}"] {
        return false;
    }
    let [first, _] = module.functions[id].parameters.as_slice() else { return false };
    let Some(ty) = vector(port, module.locals[*first].ty) else { return false };
    // The user's own operators of these types; without one it is HIP's.
    let of_type = |local: &port_hir::LocalId| vector(port, module.locals[*local].ty);
    let mut own = module.functions.iter().filter(|(_, function)| {
        function.kind == FunctionKind::Operator(simple.into())
            && function.parameters.len() == 2
            && function.parameters.iter().all(|local| of_type(local).as_ref() == Some(&ty))
    });
    own.all(|(own, _)| is_elementwise(port, own, simple, components))
}

/// The tokens of the body of a function of two parameters, and the parameters' names.
fn body_words<'p>(port: &Port<'p>, id: FunctionId) -> Option<(Vec<&'p str>, &'p str, &'p str)> {
    let module = port.unit.module;
    let function = &module.functions[id];
    let Body::Block(body) = function.body else { return None };
    let [left, right] = function.parameters.as_slice() else { return None };
    let tokens = port.unit.parsed.tokens().get(module.stmts[body].tokens.range())?;
    let words = tokens.iter().map(|token| token.text.as_str()).collect();
    Some((words, module.locals[*left].name.as_str(), module.locals[*right].name.as_str()))
}

/// The bytes that a definition takes in the text, macros that stand for its qualifiers included.
fn written_span(port: &Port<'_>, range: port_hir::TokenRange) -> Option<Span> {
    let tokens = port.unit.parsed.tokens().get(range.range())?;
    let place = |token: &port_syntax::Token| port.unit.module.expansions.outermost(token.origin);
    let (first, last) = (place(tokens.first()?), place(tokens.last()?));
    // What one use of a macro makes as a whole is not taken apart.
    (first.file == last.file && first.end <= last.start).then(|| first.to(last))
}

/// Puts a definition under `#if 0`.
fn leave_out(port: &mut Port<'_>, span: Span) {
    let text = &port.unit.sources.file(span.file).text;
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let code = VectorOperator::METADATA.code;
    let line_start = text[..span.start as usize].rfind('\n').map_or(0, |at| at + 1);
    let alone = text[line_start..span.start as usize].trim().is_empty();
    let at = if alone { line_start as u32 } else { span.start };
    let before = format!(
        "{}#if 0  // HIP's vector types have this operator ({code}){newline}",
        if alone { "" } else { newline }
    );
    let rest = &text[span.end as usize..];
    let line_end = rest.find('\n').map_or(rest.len(), |at| at + 1);
    let ends_line = rest[..line_end].trim().is_empty();
    let (end, after) = if ends_line && line_end > 0 {
        (span.end + line_end as u32, format!("#endif{newline}"))
    } else {
        (span.end, format!("{newline}#endif{newline}"))
    };
    // A last line without an ending needs one before the directive.
    let after = if rest[..line_end].ends_with('\n') || !ends_line {
        after
    } else {
        format!("{newline}{after}")
    };
    port.changes.remove_inside(span);
    port.changes.insert(span.file, at, Side::After, before, Reason::Finding(code));
    port.changes.insert(span.file, end, Side::Before, after, Reason::Finding(code));
}
