//! Device code beyond names: what has no form.

use port_hir::{ExprId, ExprKind, FunctionId, LiteralValue, StmtKind};
use port_rewrite::Reason;

use super::port::Port;
use super::rules::source_span;
use crate::findings::InlineAssembly;
use port_diag::Finding;

/// The function of the compatibility header that stops a kernel which is not translated.
const TRAP: &str = "port_manual";

/// Reports and replaces inline PTX in device code.
pub(super) fn apply(port: &mut Port<'_>) {
    let mut found = Vec::new();
    for (_, stmt) in port.unit.module.stmts.iter() {
        let StmtKind::Asm(asm) = &stmt.kind else { continue };
        let holder: Option<FunctionId> = port.program.function_at(stmt.tokens.start as usize);
        if holder.is_some_and(|function| port.program.is_device(function)) {
            found.push((stmt.tokens, template(port, asm.template)));
        }
    }
    for (tokens, template) in found {
        let Some(span) = source_span(port, tokens) else { continue };
        let finding =
            InlineAssembly { instruction: first_instruction(&template), target: port.target() };
        port.report_at(&finding, span);
        let original = port.unit.sources.text(span);
        let comment = if original.contains("*/") { "inline PTX" } else { original };
        let semicolon = if original.trim_end().ends_with(';') { ";" } else { "" };
        let text = format!("{TRAP}(/* {} */){semicolon}", comment.trim_end_matches(';'));
        port.changes.remove_inside(span);
        port.changes.replace(span, text, Reason::Finding(InlineAssembly::METADATA.code));
    }
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

#[cfg(test)]
mod tests {
    use super::first_instruction;

    #[test]
    fn the_first_instruction_names_the_template() {
        assert_eq!(first_instruction("mov.u32 %0, %%laneid;"), "mov.u32");
        assert_eq!(first_instruction("{\n\t.reg .pred p;\n @p bra L;}"), "bra");
        assert_eq!(first_instruction(""), "asm");
    }
}
