//! Headers: each CUDA include becomes what its row says, and the headers that nvcc gives without
//! asking, or that the port needs, are added.

use std::collections::BTreeSet;

use port_api::HeaderStatus;
use port_diag::{FileId, Finding, Span};
use port_rewrite::{Directive, FileText, IncludeLine, Reason, Side, relative};
use port_syntax::token::TokenKind;

use super::port::{Port, identifiers};
use super::standard;
use crate::compat;
use crate::findings::{
    CompatibilityHeader, ImplicitRuntimeHeader, UnknownCudaHeader, UnsupportedHeader,
};

const RUNTIME_HEADER: &str = "hip/hip_runtime.h";

/// Beginnings of header names that only NVIDIA's libraries have.
const CUDA_PREFIXES: [&str; 22] = [
    "cuda",
    "cub/",
    "cublas",
    "cufft",
    "cufile",
    "curand",
    "cusolver",
    "cusparse",
    "cudnn",
    "cudss",
    "cupti",
    "cutensor",
    "cuvs/",
    "custatevec",
    "cooperative_groups",
    "thrust/",
    "npp",
    "nvrtc",
    "nvml",
    "nvtx",
    "nvjpeg",
    "nvToolsExt",
];

/// Edits the include lines.
pub(super) fn apply(port: &mut Port<'_>) {
    let includes = &port.unit.parsed.unit.includes;
    let found: BTreeSet<Span> = includes
        .iter()
        .filter(|include| include.file.is_some())
        .map(|include| include.name_span)
        .collect();
    for index in 0..port.files.len() {
        apply_file(port, index, &found);
    }
}

/// `found` holds the names in include lines that resolve to files of the repository.
fn apply_file(port: &mut Port<'_>, index: usize, found: &BTreeSet<Span>) {
    let id = port.files[index].id;
    let lines = port.files[index].includes();
    let definitions: String =
        port.definitions.get(&id).map_or(String::new(), |all| all.iter().cloned().collect());
    let mut names = port.ported_identifiers(id);
    names.extend(identifiers(&definitions));
    let options = port.compat_options();
    let sections = compat::section_names(names.iter().map(String::as_str), &options);
    let needs_compat = !sections.is_empty();
    let mut compat_included = false;
    let mut runtime_included = false;
    let mut anchor: Option<Span> = None;
    let mut defined: BTreeSet<&'static str> = BTreeSet::new();
    for line in &lines {
        if found.contains(&line.header) {
            continue;
        }
        if line.name == RUNTIME_HEADER {
            anchor = anchor.or(Some(line.line).filter(|_| is_unconditional(port, index, line)));
        }
        let Some(header) = port_api::header(&line.name) else {
            if !is_inactive(port, line) {
                report_unknown(port, line);
            }
            continue;
        };
        let reason = Reason::Row(header.name);
        match header.hip {
            HeaderStatus::Same => {}
            HeaderStatus::Renamed(names) => {
                runtime_included |= names.contains(&RUNTIME_HEADER);
                anchor = anchor.or(Some(line.line).filter(|_| is_unconditional(port, index, line)));
                let text = names.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>();
                port.changes.replace(line.header, text.join("\n#include "), reason.clone());
                let missing: Vec<_> =
                    header.define.iter().filter(|name| defined.insert(**name)).collect();
                if !missing.is_empty() {
                    let text = missing.iter().map(|name| define(name)).collect::<String>();
                    port.changes.insert(id, line.line.start, Side::After, text, reason);
                }
            }
            HeaderStatus::Removed(_) => port.changes.replace(line.line, "", reason),
            HeaderStatus::Compat if needs_compat && !compat_included => {
                compat_included = true;
                let name = compat_include_name(port, id);
                port.changes.replace(line.header, format!("\"{name}\""), reason);
            }
            HeaderStatus::Compat => port.changes.replace(line.line, "", reason),
            HeaderStatus::Unsupported(_)
                if is_inactive(port, line) || is_asked_for(&port.files[index], line) => {}
            HeaderStatus::Unsupported(why) => {
                let finding = UnsupportedHeader {
                    header: line.name.clone(),
                    target: port.target(),
                    reason: why.into(),
                };
                port.report_at(&finding, line.header);
                // Under the `#error`, so that the rest can be built without it.
                let newline = if port.files[index].text.contains("\r\n") { "\r\n" } else { "\n" };
                let code = UnsupportedHeader::METADATA.code;
                port.changes.insert(
                    id,
                    line.line.start,
                    Side::After,
                    format!(
                        "#ifndef PORT_ALLOW_MANUAL{newline}#error \"port: {code}: {}\"{newline}",
                        finding.message().replace(['"', '\\'], "'")
                    ),
                    Reason::Finding(code),
                );
                let ended = port.unit.sources.text(line.line).ends_with('\n');
                let end = format!("{}#endif{newline}", if ended { "" } else { newline });
                port.changes.insert(id, line.line.end, Side::Before, end, Reason::Finding(code));
            }
        }
    }
    rewrite_questions(port, index);

    let mut added = String::new();
    let is_root = id == port.unit.root;
    if is_root && port.uses_runtime && !runtime_included && !unit_includes_runtime(port) {
        added.push_str(&format!("#include <{RUNTIME_HEADER}>\n"));
        let finding = ImplicitRuntimeHeader { header: RUNTIME_HEADER.into() };
        let place = Span::new(id, 0, 0);
        port.findings.push(finding.at_span(place));
    }
    if is_root && port.uses_runtime {
        for header in standard::missing(port) {
            added.push_str(&format!("#include <{header}>\n"));
            let finding = ImplicitRuntimeHeader { header: header.into() };
            port.findings.push(finding.at_span(Span::new(id, 0, 0)));
        }
    }
    let runtime_added = !added.is_empty();
    // The functions need the header before them, wherever the file includes it.
    if needs_compat && (!compat_included || !definitions.is_empty()) {
        let name = compat_include_name(port, id);
        added.push_str(&format!("#include \"{name}\"\n"));
    }
    if needs_compat {
        let names: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| compat::provides(name)).collect();
        let finding =
            CompatibilityHeader { header: compat::FILE_NAME.into(), names: names.join(", ") };
        port.findings.push(finding.at_span(anchor.unwrap_or(Span::new(id, 0, 0))));
    }
    added.push_str(&definitions);
    if !added.is_empty() {
        let at = anchor.map_or_else(|| port.files[index].first_include_or_code(), |line| line.end);
        let file = &port.files[index];
        // The anchor may be the last line of a file without a final newline.
        if at as usize == file.text.len() && !file.text.is_empty() && !file.text.ends_with('\n') {
            added = format!("\n{}", added.trim_end());
        }
        if file.text.contains("\r\n") {
            added = added.replace('\n', "\r\n");
        }
        let code = if runtime_added {
            ImplicitRuntimeHeader::METADATA.code
        } else {
            CompatibilityHeader::METADATA.code
        };
        port.changes.insert(id, at, Side::Before, added, Reason::Finding(code));
    }
}

/// The lines that define a macro unless the build does.
fn define(name: &str) -> String {
    format!("#ifndef {name}\n#define {name}\n#endif\n")
}

/// Whether some file of the unit that is read before any code of the root includes the runtime.
/// Only the root's own unconditional includes count: a header may include it too late.
fn unit_includes_runtime(port: &Port<'_>) -> bool {
    let gives_runtime = |name: &str| {
        name == RUNTIME_HEADER
            || matches!(
                port_api::header(name).map(|header| header.hip),
                Some(HeaderStatus::Renamed(names)) if names.contains(&RUNTIME_HEADER)
            )
    };
    let includes = &port.unit.parsed.unit.includes;
    includes.iter().any(|include| include.active && gives_runtime(&include.name))
}

fn is_inactive(port: &Port<'_>, line: &IncludeLine) -> bool {
    port.inactive.iter().any(|body| body.contains(line.header))
}

/// Whether a condition around the line asks whether the header is there, so that the target leaves
/// the line out by itself.
fn is_asked_for(file: &FileText<'_>, line: &IncludeLine) -> bool {
    let mut open: Vec<bool> = Vec::new();
    for directive in &file.directives {
        if directive.line.start >= line.line.start {
            break;
        }
        let asks = || questions(file, directive).any(|question| question.name == line.name);
        match directive.keyword.as_str() {
            "if" => open.push(asks()),
            "ifdef" | "ifndef" => open.push(false),
            "elif" => {
                open.pop();
                open.push(asks());
            }
            "else" => {
                open.pop();
                open.push(false);
            }
            "endif" => {
                open.pop();
            }
            _ => {}
        }
    }
    open.contains(&true)
}

/// `__has_include(<name>)` in a condition.
struct Question {
    name: String,
    /// The name with its delimiters.
    header: Span,
}

fn questions<'f>(
    file: &'f FileText<'_>,
    directive: &'f Directive,
) -> impl Iterator<Item = Question> + 'f {
    let tokens = &file.tokens[directive.tokens.clone()];
    tokens.iter().enumerate().filter_map(|(index, token)| {
        if file.bytes(token) != "__has_include" {
            return None;
        }
        let open = tokens.get(index + 1).filter(|t| t.kind == TokenKind::LeftParen)?;
        let close = tokens[index..].iter().find(|t| t.kind == TokenKind::RightParen)?;
        let spelled = file.text.get(open.end as usize..close.start as usize)?;
        let name = spelled.trim().strip_prefix('<')?.strip_suffix('>')?;
        let start = open.end + (spelled.len() - spelled.trim_start().len()) as u32;
        let header = Span::new(file.id, start, start + name.len() as u32 + 2);
        Some(Question { name: name.to_owned(), header })
    })
}

/// Asks for the target's header where the text asks for CUDA's.
fn rewrite_questions(port: &mut Port<'_>, index: usize) {
    let file = &port.files[index];
    let conditions = file.directives.iter().filter(|d| matches!(d.keyword.as_str(), "if" | "elif"));
    let asked: Vec<Question> = conditions.flat_map(|d| questions(file, d)).collect();
    for Question { name, header } in asked {
        let Some(row) = port_api::header(&name) else { continue };
        let form = match row.hip {
            HeaderStatus::Renamed(names) => names.first().copied(),
            // What stands in its place is always there.
            HeaderStatus::Removed(_) | HeaderStatus::Compat => Some(RUNTIME_HEADER),
            HeaderStatus::Same | HeaderStatus::Unsupported(_) => None,
        };
        if let Some(form) = form {
            port.changes.replace(header, format!("<{form}>"), Reason::Row(row.name));
        }
    }
}

/// A header that only CUDA's libraries have, without a row.
fn report_unknown(port: &mut Port<'_>, line: &IncludeLine) {
    let looks_like_cuda =
        line.angled && CUDA_PREFIXES.iter().any(|prefix| line.name.starts_with(prefix));
    if looks_like_cuda {
        let finding = UnknownCudaHeader { header: line.name.clone(), target: port.target() };
        port.report_at(&finding, line.header);
    }
}

/// Whether the line is in no `#if`, an include guard around the whole file excepted.
fn is_unconditional(port: &Port<'_>, index: usize, line: &IncludeLine) -> bool {
    let file = &port.files[index];
    let mut depth = 0_u32;
    let mut guard_depth = 0;
    for (position, directive) in file.directives.iter().enumerate() {
        if directive.line.start >= line.line.start {
            break;
        }
        match directive.keyword.as_str() {
            "if" | "ifdef" | "ifndef" => {
                depth += 1;
                let next = file.directives.get(position + 1).map(|d| d.keyword.as_str());
                if position == 0 && directive.keyword == "ifndef" && next == Some("define") {
                    guard_depth = 1;
                }
            }
            "endif" => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth <= guard_depth
}

/// The compatibility header as a file of the unit includes it: from the folder that the units of a
/// run share, else from beside the root's port.
fn compat_include_name(port: &Port<'_>, file: FileId) -> String {
    let folder = |id: FileId| {
        let path = &port.unit.sources.file(id).path;
        path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned())
    };
    let from = folder(file);
    let to = port.options.shared_folder.clone().unwrap_or_else(|| folder(port.unit.root));
    format!("{}{}", relative(&from, &to), compat::FILE_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> u32 {
        FileText::of_text(FileId(0), text).first_include_or_code()
    }

    #[test]
    fn an_added_include_goes_after_guards_and_comments() {
        assert_eq!(place("// licence\n#pragma once\nint x;\n"), 24);
        assert_eq!(place("#ifndef A\n#define A\nint x;\n#endif\n"), 20);
        assert_eq!(place("// licence\n\nint x;\n"), 12);
        assert_eq!(place("/* a */ #include <x>\n"), 0);
        assert_eq!(place(""), 0);
    }

    #[test]
    fn ways_between_folders() {
        assert_eq!(relative("a/b", "a/b"), "");
        assert_eq!(relative("a/common", "a/norm"), "../norm/");
        assert_eq!(relative("", "x"), "x/");
        assert_eq!(relative("x/y", ""), "../../");
    }
}
