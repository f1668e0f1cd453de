//! API names become what their rows say, in every file, branch and macro body.

use port_api::{Kind, Row, Status};
use port_diag::Span;
use port_rewrite::{Doubt, DoubtReason, FileText, NameUse, unknown, uses};

use port_syntax::TokenKind;

use super::port::Port;
use super::rules;
use crate::findings::{
    ArchitectureBranch, DifferentBehaviour, DoubtfulName, UnknownName, UnsupportedName,
};

/// The macro whose value a port keeps as it is in the reference.
const ARCHITECTURE_MACRO: &str = "__CUDA_ARCH__";

/// Names that HIP overloads for more types than CUDA does (`atomicMax` for `float`): a user's own
/// overload would be a second definition. With it, calls go to a name that has CUDA's overloads alone.
const WIDER: &[(&str, &str)] = &[("atomicMax", "port_atomicMax"), ("atomicMin", "port_atomicMin")];

/// Renames, and notes the uses that need more than that.
pub(super) fn apply(port: &mut Port<'_>) {
    for index in 0..port.files.len() {
        let (uses, doubts) = uses(&port.files[index], port.unit.module);
        for doubt in doubts {
            report_doubt(port, &doubt);
        }
        for name_use in uses {
            apply_one(port, index, name_use);
        }
        for span in unknown(&port.files[index], port.unit.module) {
            let name = port.unit.sources.text(span).to_owned();
            port.report_at(&UnknownName { name, target: port.target() }, span);
        }
    }
}

fn apply_one(port: &mut Port<'_>, file: usize, name_use: NameUse) {
    let row = name_use.row;
    port.uses_runtime = true;
    // The user's own go with those that they overload; what else the row asks for is theirs to do.
    if name_use.overloaded {
        if let Status::Renamed(name) | Status::Compat(name) = row.hip.status {
            rename(port, file, name_use, name);
        } else if let Some((_, name)) = WIDER.iter().find(|(name, _)| *name == row.name) {
            rename(port, file, name_use, name);
        }
        return;
    }
    note_difference(port, &name_use);
    // The object is edited along with its member.
    if row.kind == Kind::Field && is_member_access(&port.files[file], &name_use) {
        return;
    }
    match row.hip.status {
        Status::Same => {}
        Status::Renamed(name) => rename(port, file, name_use, name),
        Status::Compat(name) => {
            rename(port, file, name_use, name);
            if row.name == ARCHITECTURE_MACRO {
                let value = (port.options.cuda_arch * 10).to_string();
                let finding =
                    ArchitectureBranch { name: row.name.into(), value, target: port.target() };
                port.report_at(&finding, name_use.span);
            }
        }
        Status::Semantic { rule, name } => {
            if let Some(name) = name.filter(|_| !rules::decides_the_name(rule)) {
                rename(port, file, name_use, name);
            }
            port.rule_uses.push((file, name_use));
        }
        Status::Unsupported(_) if !is_compiled(port, file, &name_use) => {}
        Status::Unsupported(reason) => {
            let finding = UnsupportedName {
                name: row.name.into(),
                target: port.target(),
                reason: reason.into(),
            };
            port.report_at(&finding, name_use.span);
        }
    }
}

/// Tells once a unit what a user should know about the target's form of a name.
fn note_difference(port: &mut Port<'_>, name_use: &NameUse) {
    let row = name_use.row;
    if let Some(difference) = row.hip.note
        && port.noted.insert(row.name)
    {
        let finding = DifferentBehaviour {
            name: row.name.into(),
            target: port.target(),
            difference: difference.into(),
        };
        port.report_at(&finding, name_use.span);
    }
}

/// Whether the name stands after `.` or `->`.
fn is_member_access(file: &FileText<'_>, name_use: &NameUse) -> bool {
    let before = name_use.token.checked_sub(1).and_then(|index| file.tokens.get(index));
    before.is_some_and(|token| matches!(token.kind, TokenKind::Dot | TokenKind::Arrow))
}

/// Whether a name without a form matters: it is compiled, or it is a macro that a condition tests
/// and that the reference defines. What no pass of the reference compiles is not compiled on the
/// target either, and a macro that neither defines is false in both.
fn is_compiled(port: &Port<'_>, file: usize, name_use: &NameUse) -> bool {
    let text = &port.files[file];
    if let Some(directive) = text.directive_of(name_use.token) {
        return match directive.keyword.as_str() {
            "if" | "ifdef" | "ifndef" | "elif" | "elifdef" | "elifndef" => {
                let defines = &port.unit.configuration.defines;
                defines.iter().any(|(name, _)| name == name_use.row.name)
            }
            _ => name_use.resolved,
        };
    }
    name_use.resolved || !port.inactive.iter().any(|body| body.contains(name_use.span))
}

/// Replaces the written name. Only what differs is touched: `cub::BlockReduce` becomes
/// `hipcub::BlockReduce` by the row of the namespace `cub`, which renames its own token.
fn rename(port: &mut Port<'_>, file: usize, name_use: NameUse, name: &'static str) {
    let row = name_use.row;
    let (old_prefix, old_last) = split(row.name);
    let (new_prefix, new_last) = split(name);
    if namespace_form(old_prefix) == new_prefix {
        if old_last != new_last {
            port.rename(name_use.span, new_last, row);
        }
        return;
    }
    // Another namespace, or none: the qualifiers go too.
    let span = written_qualifiers(&port.files[file], name_use);
    port.rename(span, name, row);
}

/// What becomes of a namespace by its own row.
fn namespace_form(prefix: &str) -> &str {
    if prefix.is_empty() {
        return prefix;
    }
    match port_api::find(prefix).map(|row: &'static Row| row.hip.status) {
        Some(Status::Renamed(name) | Status::Compat(name)) => name,
        _ => prefix,
    }
}

/// The qualified name as written; only the last part where the qualifier is an object's type that
/// stays (`dim3::x`).
fn written_qualifiers(file: &FileText<'_>, name_use: NameUse) -> Span {
    let global = file.text.get(name_use.qualified.range()).is_some_and(|t| t.starts_with("::"));
    // `::cudaMalloc` keeps its `::`; the new name is global as well.
    if global && !name_use.row.name.contains("::") { name_use.span } else { name_use.qualified }
}

fn split(name: &str) -> (&str, &str) {
    name.rsplit_once("::").unwrap_or(("", name))
}

fn report_doubt(port: &mut Port<'_>, doubt: &Doubt) {
    // A name that stays as it is cannot be left wrongly.
    let Some(form) = doubt.row.hip_name().filter(|form| *form != doubt.row.name) else { return };
    let owner = match doubt.why {
        DoubtReason::Shadowed => "your own",
        DoubtReason::Conflicting => "something else, depending on where the macro is used",
    };
    let finding = DoubtfulName {
        name: doubt.row.name.into(),
        owner: owner.into(),
        target: port.target(),
        form: form.into(),
    };
    port.report_at(&finding, doubt.span);
}
