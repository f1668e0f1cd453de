//! Device code beyond names: inline PTX. What the table of instructions knows becomes a call of a
//! function in C++, written once before the code of its file; the rest has no form.
//!
//! The operands stay where they are in the text: only what stands between them is replaced.

use std::collections::BTreeMap;

use port_api::ptx::{self, AsmOperand, RegisterKind, Role};
use port_diag::{Finding, Span};
use port_hir::{
    ExprId, ExprKind, FunctionId, InlineAssembly as Statement, LiteralValue, StmtKind, TokenRange,
};
use port_rewrite::{FileText, Reason};
use port_syntax::TokenKind;

use super::port::Port;
use super::rules::source_span;
use crate::findings::{InlineAssembly, TranslatedAssembly};
use crate::ptx as form;

/// The function of the compatibility header that stops a kernel which is not translated.
const TRAP: &str = "port_manual";

/// What becomes of the statements of one place.
struct Place {
    /// The text of its first expansion.
    template: String,
    translation: Option<Translation>,
}

/// A call of a function in C++.
#[derive(PartialEq)]
struct Translation {
    name: String,
    definition: String,
    /// The replacements, in order.
    edits: Vec<(Span, String)>,
}

/// Translates inline PTX in device code, or reports it.
pub(super) fn apply(port: &mut Port<'_>) {
    let mut places: BTreeMap<Span, Place> = BTreeMap::new();
    for (_, stmt) in port.unit.module.stmts.iter() {
        let StmtKind::Asm(asm) = &stmt.kind else { continue };
        let holder: Option<FunctionId> = port.program.function_at(stmt.tokens.start as usize);
        if !holder.is_some_and(|function| port.program.is_device(function)) {
            continue;
        }
        let template = template(port, asm.template);
        if is_compiler_barrier(&template, asm) {
            continue;
        }
        let Some(span) = statement_span(port, stmt.tokens) else {
            // Put together by several macros: there is no text to edit.
            let token = port.unit.parsed.tokens().get(stmt.tokens.start as usize);
            if let Some(origin) = token.map(|token| token.origin) {
                let span = port.unit.module.expansions.outermost(origin);
                let instruction = ptx::first_opcode(&template);
                let finding = InlineAssembly { instruction, target: port.target() };
                port.report_at(&finding, span);
            }
            continue;
        };
        let translation = translate(port, span, &template, asm);
        match places.get_mut(&span) {
            None => {
                places.insert(span, Place { template, translation });
            }
            // A macro's body is one text for all of its uses.
            Some(place) if place.translation != translation => place.translation = None,
            Some(_) => {}
        }
    }
    for (span, place) in places {
        let instruction = ptx::first_opcode(&place.template);
        match place.translation {
            Some(translation) => {
                let finding = TranslatedAssembly { instruction, function: translation.name };
                port.report_at(&finding, span);
                for (span, text) in translation.edits {
                    let reason = Reason::Finding(TranslatedAssembly::METADATA.code);
                    port.changes.remove_inside(span);
                    port.changes.replace(span, text, reason);
                }
                port.definitions.entry(span.file).or_default().insert(translation.definition);
            }
            None => {
                let finding = InlineAssembly { instruction, target: port.target() };
                port.report_at(&finding, span);
                let original = port.unit.sources.text(span);
                let comment = if original.contains("*/") { "inline PTX" } else { original };
                let semicolon = if original.trim_end().ends_with(';') { ";" } else { "" };
                let text = format!("{TRAP}(/* {} */){semicolon}", comment.trim_end_matches(';'));
                port.changes.remove_inside(span);
                port.changes.replace(span, text, Reason::Finding(InlineAssembly::METADATA.code));
            }
        }
    }
}

/// The text of a statement, without its `;` where another place brings that.
fn statement_span(port: &Port<'_>, tokens: TokenRange) -> Option<Span> {
    source_span(port, tokens).or_else(|| {
        let end = tokens.end.checked_sub(1)?;
        source_span(port, TokenRange { end, ..tokens })
    })
}

/// `asm volatile("" ::: "memory")` means the same to every compiler.
fn is_compiler_barrier(template: &str, asm: &Statement) -> bool {
    template.trim().is_empty() && asm.outputs.is_empty() && asm.inputs.is_empty()
}

/// The call that a statement becomes; `None` if an instruction, or the way it is written, has no form.
fn translate(port: &Port<'_>, span: Span, template: &str, asm: &Statement) -> Option<Translation> {
    let mut operands = Vec::new();
    let mut parameters: Vec<String> = Vec::new();
    let mut types: Vec<String> = Vec::new();
    let mut before = String::new();
    let mut after = String::new();
    let mut arguments = Vec::new();
    for (index, operand) in asm.outputs.iter().chain(&asm.inputs).enumerate() {
        let name = operand.name.map_or(String::new(), |name| name.as_str().to_string());
        let constraint = operand.constraint.as_str();
        let role = match constraint {
            "n" | "i" => match integer(port, operand.value) {
                Some(value) => Role::Constant(value),
                None => Role::Input(RegisterKind::Word64),
            },
            _ => Role::of_constraint(constraint)?,
        };
        match role {
            Role::Output(kind) => {
                let register = kind.spelling();
                types.push(format!("typename T{index}"));
                parameters.push(format!("T{index} &to{index}"));
                let initial = match constraint.starts_with('+') {
                    true => format!(" = port_ptx_register<{register}>(to{index})"),
                    false => String::new(),
                };
                before.push_str(&format!("  {register} o{index}{initial};\n"));
                after.push_str(&format!("  to{index} = port_ptx_register<T{index}>(o{index});\n"));
                arguments.push(true);
            }
            Role::Input(kind) => {
                let register = kind.spelling();
                types.push(format!("typename T{index}"));
                parameters.push(format!("T{index} from{index}"));
                before.push_str(&format!(
                    "  {register} o{index} = port_ptx_register<{register}>(from{index});\n"
                ));
                arguments.push(true);
            }
            Role::Constant(_) => arguments.push(false),
        }
        operands.push(AsmOperand { name, role });
    }
    let made = ptx::translate(template, &operands).ok()?;
    // Native warps have other lanes than those that the text counts.
    if !port.logical_warps() && form::depends_on_warps(&made.text) {
        return None;
    }
    let body = form::in_hip(made.text.split_once("{\n")?.1)?;
    let body = body.trim_end().strip_suffix('}')?;
    let head = match types.is_empty() {
        true => String::new(),
        false => format!("template <{}>\n", types.join(", ")),
    };
    let text = format!("({}) {{\n{before}{body}{after}}}\n", parameters.join(", "));
    // The same text has the same name in every file.
    let name = format!("port_{}_{:06x}", made.name, fingerprint(&text));
    let guard = name.to_ascii_uppercase();
    let definition =
        format!("#ifndef {guard}\n#define {guard}\n{head}PORT_DEVICE void {name}{text}#endif\n");
    let file = port.files.iter().find(|file| file.id == span.file)?;
    let edits = edits(file, span, &name, asm.outputs.len(), &arguments)?;
    Some(Translation { name, definition, edits })
}

/// The edits that make a call of the statement: its operands stay, or go where `kept` is false.
fn edits(
    file: &FileText<'_>,
    span: Span,
    name: &str,
    outputs: usize,
    kept: &[bool],
) -> Option<Vec<(Span, String)>> {
    let first = file.tokens.partition_point(|token| token.start < span.start);
    let last = file.tokens.partition_point(|token| token.end <= span.end);
    let tokens = file.tokens.get(first..last)?;
    let open = tokens.iter().position(|token| token.kind == TokenKind::LeftParen)?;
    let (mut depth, mut section) = (0usize, 0usize);
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    let mut began = None;
    let mut close = None;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            kind if kind.is_open() => {
                if depth == 1 && kind == TokenKind::LeftParen {
                    began = Some(index);
                }
                depth += 1;
            }
            kind if kind.is_close() => {
                depth = depth.checked_sub(1)?;
                if depth == 1 && kind == TokenKind::RightParen {
                    found.push((section, began.take()?, index));
                }
                if depth == 0 {
                    close = Some(index);
                    break;
                }
            }
            TokenKind::Colon if depth == 1 => section += 1,
            TokenKind::ColonColon if depth == 1 => section += 2,
            _ => {}
        }
    }
    let close = close?;
    // What macros bring into the list cannot be counted here.
    let in_section = |which: usize| found.iter().filter(|operand| operand.0 == which).count();
    let plain = found.iter().all(|operand| matches!(operand.0, 1 | 2));
    if !plain || in_section(1) != outputs || found.len() != kept.len() {
        return None;
    }
    let mut edits = Vec::new();
    let mut at = span.start;
    let mut text = format!("{name}(");
    let mut any = false;
    for ((_, begin, end), keep) in found.into_iter().zip(kept) {
        if !keep {
            continue;
        }
        if any {
            text.push_str(", ");
        }
        any = true;
        let (begin, end) = (tokens.get(begin)?, tokens.get(end)?);
        edits.push((Span::new(span.file, at, begin.end), std::mem::take(&mut text)));
        at = end.start;
    }
    text.push(')');
    edits.push((Span::new(span.file, at, tokens.get(close)?.end), text));
    Some(edits)
}

/// An operand that is a number.
fn integer(port: &Port<'_>, value: ExprId) -> Option<i128> {
    match &port.unit.module.exprs[value].kind {
        ExprKind::Literal(literal) => match literal.value {
            LiteralValue::Integer { value, .. } => Some(i128::from(value)),
            _ => None,
        },
        _ => None,
    }
}

/// 24 bits of the FNV-1a hash.
fn fingerprint(text: &str) -> u32 {
    let hash = text
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 24) ^ (hash & 0x00ff_ffff)
}

/// The text of an assembly template.
fn template(port: &Port<'_>, template: ExprId) -> String {
    match &port.unit.module.exprs[template].kind {
        ExprKind::Literal(literal) => match &literal.value {
            LiteralValue::String { value, .. } => String::from_utf8_lossy(value).into_owned(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}
