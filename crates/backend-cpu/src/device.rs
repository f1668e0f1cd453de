//! Device code that is not C++: inline PTX ends the program where it is reached.

use port_diag::{Finding, Span};
use port_hir::{ExprId, ExprKind, FunctionId, LiteralValue, StmtKind, TokenRange};
use port_rewrite::Reason;

use crate::findings::InlineAssembly;
use crate::port::Port;

/// A statement that has no form in the text.
pub(crate) struct Assembly {
    pub span: Span,
    pub finding: InlineAssembly,
}

/// The inline PTX of device code.
pub(crate) fn assembly(port: &Port<'_>) -> Vec<Assembly> {
    let mut found = Vec::new();
    for (_, stmt) in port.unit.module.stmts.iter() {
        let StmtKind::Asm(asm) = &stmt.kind else { continue };
        let holder: Option<FunctionId> = port.program.function_at(stmt.tokens.start as usize);
        if !holder.is_some_and(|function| port.program.is_device(function)) {
            continue;
        }
        let Some(span) = port.source_span(TokenRange { ..stmt.tokens }) else { continue };
        let instruction = first_instruction(&template(port, asm.template));
        found.push(Assembly { span, finding: InlineAssembly { instruction } });
    }
    found
}

/// Replaces one statement.
pub(crate) fn replace(port: &mut Port<'_>, assembly: &Assembly) {
    let original = port.unit.sources.text(assembly.span);
    let semicolon = if original.trim_end().ends_with(';') { ";" } else { "" };
    let code = InlineAssembly::METADATA.code;
    let message = literal(&format!("{code}: {}", assembly.finding.message()));
    let text = format!("port_cpu::untranslated({message}){semicolon}");
    port.changes.remove_inside(assembly.span);
    port.changes.replace(assembly.span, text, Reason::Finding(code));
}

/// A C string literal.
pub(crate) fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' | '\r' => out.push(' '),
            // No trigraph, whatever the standard.
            '?' => out.push_str("\\?"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
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

/// The first instruction of a template, without operands; declarations and predicates are passed
/// over.
fn first_instruction(template: &str) -> String {
    let lines = template.split(['\n', ';', '{', '}']).map(str::trim);
    let code = lines.filter(|line| !line.is_empty() && !line.starts_with(['.', '/']));
    let word = code.flat_map(str::split_whitespace).find(|word| !word.starts_with('@'));
    word.unwrap_or("asm").to_owned()
}
