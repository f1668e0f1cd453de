//! Generates the Rust and the support pages of `port-api` from its tables.
//!
//! Input: `crates/api/tables/*.toml`. Output: `crates/api/src/generated/*.rs` and
//! `docs/support/*.md`, both committed; with `check`, nothing is written and a difference is an
//! error. The output depends on the tables alone, so that the same tables give the same bytes.
//! Whether a fact is true is not decided here: this module checks shape, not truth.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The file of rewrite rules and the file of headers; every other table is a family.
const RULES_FILE: &str = "rules.toml";
const HEADERS_FILE: &str = "headers.toml";

const RELEASES: [(&str, &str); 4] =
    [("5.2", "V5_2"), ("5.7", "V5_7"), ("6.4", "V6_4"), ("7.1", "V7_1")];

/// One family: the whole of a table file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    /// The family's name, `runtime/memory`.
    family: String,
    /// The heading of its support page.
    title: String,
    /// Where its names may be used, unless a row says otherwise: `host`, `device` or `both`.
    side: String,
    /// The HIP header of its native forms, unless a row says otherwise.
    header: Option<String>,
    /// The public documents that its facts are from, unless a row says otherwise.
    source: String,
    /// Reasons that `unsupported` and `because` of its rows refer to.
    #[serde(default)]
    reasons: BTreeMap<String, String>,
    #[serde(default)]
    function: BTreeMap<String, RowSource>,
    #[serde(default, rename = "type")]
    types: BTreeMap<String, RowSource>,
    #[serde(default)]
    field: BTreeMap<String, RowSource>,
    #[serde(default)]
    constant: BTreeMap<String, RowSource>,
    #[serde(default, rename = "macro")]
    macros: BTreeMap<String, RowSource>,
    #[serde(default)]
    variable: BTreeMap<String, RowSource>,
    #[serde(default)]
    namespace: BTreeMap<String, RowSource>,
}

impl Family {
    /// The rows by kind, in the order of the support page.
    fn sections(&self) -> [(&'static str, &'static str, &BTreeMap<String, RowSource>); 7] {
        [
            ("Function", "Functions", &self.function),
            ("Type", "Types", &self.types),
            ("Field", "Data members", &self.field),
            ("Constant", "Constants", &self.constant),
            ("Macro", "Macros", &self.macros),
            ("Variable", "Variables", &self.variable),
            ("Namespace", "Namespaces", &self.namespace),
        ]
    }
}

/// One name of a family.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowSource {
    hip: HipSource,
    side: Option<String>,
    source: Option<String>,
    #[serde(default)]
    signatures: Vec<String>,
    /// The signatures that HIP lacks.
    #[serde(default)]
    lacks: Vec<String>,
}

/// The HIP form of a name: exactly one of the statuses, with what goes with it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HipSource {
    #[serde(default)]
    same: bool,
    renamed: Option<String>,
    compat: Option<String>,
    semantic: Option<String>,
    /// A key of the family's `reasons`.
    unsupported: Option<String>,
    /// With `semantic`: the name that the edited text uses, where it differs.
    name: Option<String>,
    since: Option<String>,
    header: Option<String>,
    /// With `compat`: why, a key of the family's `reasons`.
    because: Option<String>,
    note: Option<String>,
}

/// The HIP form of one header.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderSource {
    #[serde(default)]
    same: bool,
    #[serde(default)]
    renamed: Vec<String>,
    removed: Option<String>,
    #[serde(default)]
    compat: bool,
    unsupported: Option<String>,
    since: Option<String>,
    /// Macros that choose, in the HIP form, the interface that CUDA's names have.
    #[serde(default)]
    define: Vec<String>,
    note: Option<String>,
    source: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadersFile {
    source: String,
    header: BTreeMap<String, HeaderSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    rule: BTreeMap<String, RuleSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSource {
    summary: String,
}

/// Everything that the tables hold; families are keyed by file stem.
struct Tables {
    families: BTreeMap<String, Family>,
    headers: HeadersFile,
    rules: RulesFile,
}

/// Writes one generated file of the workspace, or with `check` compares it with what is there.
pub(crate) fn write_or_compare(target: &str, expected: &str, check: bool) -> Result<(), String> {
    let path = crate::tidy::workspace_root().join(target);
    if fs::read_to_string(&path).is_ok_and(|present| present == expected) {
        return Ok(());
    }
    if check {
        return Err(format!("{target} is out of date: run `cargo xtask codegen`"));
    }
    fs::write(&path, expected).map_err(|error| format!("{target}: {error}"))
}

/// Writes the generated files, or with `check` compares them with what is there.
///
/// # Errors
/// A message that names the table and the row, or with `check` the files that are out of date.
pub fn run(check: bool) -> Result<(), String> {
    let root = repository_root()?;
    let expected = generate(&root.join("crates/api/tables"))?;
    let mut stale = Vec::new();
    for (path, text) in &expected {
        let target = root.join(path);
        if fs::read_to_string(&target).is_ok_and(|present| present == *text) {
            continue;
        }
        if check {
            stale.push(path.clone());
            continue;
        }
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
        }
        fs::write(&target, text).map_err(|error| format!("{}: {error}", target.display()))?;
    }
    for folder in ["crates/api/src/generated", "docs/support"] {
        for name in file_names(&root.join(folder))? {
            let path = format!("{folder}/{name}");
            if expected.contains_key(&path) {
                continue;
            }
            if check {
                stale.push(path);
            } else {
                fs::remove_file(root.join(&path)).map_err(|error| format!("{path}: {error}"))?;
            }
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("out of date, run `cargo xtask codegen`:\n  {}", stale.join("\n  ")))
}

/// A name that the tables claim for HIP's own headers.
pub struct NativeName {
    /// The CUDA name of the row.
    pub cuda: String,
    /// The HIP name, qualified where the row qualifies it.
    pub hip: String,
    /// The first release that has it, `5.2`.
    pub since: String,
    /// Whether device code may use it.
    pub device: bool,
    /// The signatures that HIP has too, with the CUDA name.
    pub signatures: Vec<String>,
}

/// The names that rows claim for the headers below `hip/`, sorted by CUDA name within a family.
///
/// # Errors
/// A message that names the table that cannot be read.
pub fn native_names() -> Result<Vec<NativeName>, String> {
    let tables = read_tables(&repository_root()?.join("crates/api/tables"))?;
    let mut names = Vec::new();
    for family in tables.families.values() {
        for (cuda, row) in family.sections().into_iter().flat_map(|(_, _, rows)| rows) {
            let hip = &row.hip;
            let header = hip.header.as_ref().or(family.header.as_ref());
            let Some(since) = &hip.since else { continue };
            if !header.is_some_and(|header| header.starts_with("hip/")) {
                continue;
            }
            let target = if hip.same {
                cuda
            } else if let Some(name) = hip.renamed.as_ref().or(hip.name.as_ref()) {
                name
            } else {
                continue;
            };
            // A rule may put a name of the compatibility header in place of a native one.
            if target.starts_with("port_") {
                continue;
            }
            let shared = row.signatures.iter().filter(|text| !row.lacks.contains(text));
            names.push(NativeName {
                cuda: cuda.clone(),
                hip: target.clone(),
                since: since.clone(),
                device: row.side.as_deref().unwrap_or(&family.side) != "host",
                signatures: shared.cloned().collect(),
            });
        }
    }
    Ok(names)
}

fn repository_root() -> Result<PathBuf, String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .parent()
        .map(Path::to_path_buf)
        .ok_or_else(|| format!("{} has no parent folder", manifest.display()))
}

/// The names of the files in a folder, sorted; none if the folder is missing.
fn file_names(folder: &Path) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    let Ok(entries) = fs::read_dir(folder) else { return Ok(names) };
    for entry in entries {
        let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
        if entry.path().is_file() {
            names.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// The generated files, by path from the repository root.
fn generate(tables_folder: &Path) -> Result<BTreeMap<String, String>, String> {
    let tables = read_tables(tables_folder)?;
    validate(&tables)?;
    let mut files = BTreeMap::new();
    let mut modules = String::from(GENERATED_NOTICE);
    modules.push_str("//! The tables of `crates/api/tables` as Rust.\n\n");
    let mut module_names: Vec<&str> = tables.families.keys().map(String::as_str).collect();
    module_names.extend(["headers", "index", "rules"]);
    module_names.sort_unstable();
    for name in module_names {
        let _ = writeln!(modules, "pub(crate) mod {name};");
    }
    files.insert("crates/api/src/generated/mod.rs".to_string(), modules);
    for (stem, family) in &tables.families {
        let path = format!("crates/api/src/generated/{stem}.rs");
        files.insert(path, family_module(stem, family));
        files.insert(format!("docs/support/{stem}.md"), family_page(family, &tables.rules));
    }
    files.insert("crates/api/src/generated/index.rs".into(), index_module(&tables));
    files.insert("crates/api/src/generated/headers.rs".into(), headers_module(&tables.headers));
    files.insert("crates/api/src/generated/rules.rs".into(), rules_module(&tables.rules));
    files.insert("docs/support/headers.md".into(), headers_page(&tables.headers));
    files.insert("docs/support/README.md".into(), index_page(&tables));
    Ok(files)
}

const GENERATED_NOTICE: &str =
    "// Generated by `cargo xtask codegen` from `crates/api/tables`; edit the tables.\n";
const PAGE_NOTICE: &str =
    "<!-- Generated by `cargo xtask codegen` from `crates/api/tables`; edit the tables. -->\n\n";

fn read_tables(folder: &Path) -> Result<Tables, String> {
    fn parse<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, String> {
        let text =
            fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }
    let mut families = BTreeMap::new();
    for name in file_names(folder)? {
        let Some(stem) = name.strip_suffix(".toml") else {
            return Err(format!("{}: {name} is no table", folder.display()));
        };
        if name != RULES_FILE && name != HEADERS_FILE {
            families.insert(stem.to_string(), parse(&folder.join(&name))?);
        }
    }
    Ok(Tables {
        families,
        headers: parse(&folder.join(HEADERS_FILE))?,
        rules: parse(&folder.join(RULES_FILE))?,
    })
}

/// Checks the shape of every row; the message lists every fault, not the first.
fn validate(tables: &Tables) -> Result<(), String> {
    let mut faults = Vec::new();
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut used_rules = BTreeSet::new();
    for (stem, family) in &tables.families {
        if family.family.replace('/', "_") != *stem {
            faults.push(format!("{stem}.toml: family `{}` asks for another file", family.family));
        }
        if rust_side(&family.side).is_none() {
            faults.push(format!("{stem}.toml: no such side `{}`", family.side));
        }
        let mut used_reasons = BTreeSet::new();
        let mut count = 0usize;
        for (name, row) in family.sections().into_iter().flat_map(|(_, _, rows)| rows) {
            count += 1;
            let mut fault = |what: String| faults.push(format!("{stem}.toml: {name}: {what}"));
            if let Some(other) = seen.insert(name, stem) {
                fault(format!("has a row in {other}.toml too"));
            }
            if row.side.as_deref().is_some_and(|side| rust_side(side).is_none()) {
                fault("no such side".into());
            }
            let hip = &row.hip;
            let statuses = usize::from(hip.same)
                + [&hip.renamed, &hip.compat, &hip.semantic, &hip.unsupported]
                    .into_iter()
                    .flatten()
                    .count();
            if statuses != 1 {
                fault("needs exactly one of same, renamed, compat, semantic, unsupported".into());
            }
            if hip.since.as_deref().is_some_and(|since| rust_release(since).is_none()) {
                fault("no such release in `since`".into());
            }
            if (hip.same || hip.renamed.is_some()) && hip.since.is_none() {
                fault("a native form needs `since`".into());
            }
            if hip.name.is_some() && hip.semantic.is_none() {
                fault("`name` goes with `semantic`".into());
            }
            if let Some(lack) = row.lacks.iter().find(|lack| !row.signatures.contains(lack)) {
                fault(format!("lacks `{lack}`, which is none of its signatures"));
            }
            if hip.renamed.as_deref() == Some(name) {
                fault("is renamed to itself".into());
            }
            if let Some(rule) = &hip.semantic {
                used_rules.insert(rule.as_str());
                if !tables.rules.rule.contains_key(rule) {
                    fault(format!("no rule `{rule}` in {RULES_FILE}"));
                }
            }
            if hip.compat.is_some() != hip.because.is_some() {
                fault("`compat` and `because` go together".into());
            }
            if let Some(reason) = hip.unsupported.as_ref().or(hip.because.as_ref()) {
                used_reasons.insert(reason.as_str());
                if !family.reasons.contains_key(reason) {
                    fault(format!("no reason `{reason}` in this table"));
                }
            }
        }
        if count == 0 {
            faults.push(format!("{stem}.toml: holds no row"));
        }
        for reason in family.reasons.keys() {
            if !used_reasons.contains(reason.as_str()) {
                faults.push(format!("{stem}.toml: reason `{reason}` is not used"));
            }
        }
    }
    for rule in tables.rules.rule.keys() {
        if !used_rules.contains(rule.as_str()) {
            faults.push(format!("{RULES_FILE}: rule `{rule}` is not used"));
        }
    }
    for (name, header) in &tables.headers.header {
        let statuses = usize::from(header.same)
            + usize::from(header.compat)
            + usize::from(!header.renamed.is_empty())
            + usize::from(header.removed.is_some())
            + usize::from(header.unsupported.is_some());
        if statuses != 1 {
            faults.push(format!(
                "{HEADERS_FILE}: {name}: needs exactly one of same, renamed, removed, compat, unsupported"
            ));
        }
        if header.since.as_deref().is_some_and(|since| rust_release(since).is_none()) {
            faults.push(format!("{HEADERS_FILE}: {name}: no such release in `since`"));
        }
        if !header.define.is_empty() && header.renamed.is_empty() {
            faults.push(format!("{HEADERS_FILE}: {name}: `define` is for renamed headers"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn rust_side(side: &str) -> Option<&'static str> {
    match side {
        "host" => Some("Host"),
        "device" => Some("Device"),
        "both" => Some("Both"),
        _ => None,
    }
}

fn rust_release(since: &str) -> Option<&'static str> {
    RELEASES.iter().find(|(text, _)| *text == since).map(|(_, rust)| *rust)
}

fn rust_option(value: Option<&str>) -> String {
    value.map_or("None".to_string(), |text| format!("Some({text:?})"))
}

fn rust_since(since: Option<&str>) -> String {
    since.and_then(rust_release).map_or("None".to_string(), |release| format!("Some({release})"))
}

fn rust_strings(items: &[String]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| format!("{item:?}")).collect();
    format!("&[{}]", quoted.join(", "))
}

fn family_module(stem: &str, family: &Family) -> String {
    let mut text = String::from(GENERATED_NOTICE);
    let _ = writeln!(text, "//! Rows of `{stem}.toml`: {}.\n", family.title);
    text.push_str("#[allow(unused_imports)]\n");
    text.push_str("use crate::row::{HipRelease::*, Kind::*, Mapping, Row, Side::*, Status};\n\n");
    let _ = writeln!(text, "const FAMILY: &str = {:?};", family.family);
    let _ = writeln!(text, "const SOURCE: &str = {:?};", family.source);
    for (key, reason) in &family.reasons {
        let _ = writeln!(text, "const {}: &str = {reason:?};", reason_constant(key));
    }
    text.push_str("\npub(crate) static ROWS: &[Row] = &[\n");
    for (kind, _, rows) in family.sections() {
        for (name, row) in rows {
            let side = rust_side(row.side.as_deref().unwrap_or(&family.side)).unwrap_or("Both");
            let hip = &row.hip;
            let (status, native) = if let Some(target) = &hip.renamed {
                (format!("Status::Renamed({target:?})"), true)
            } else if let Some(target) = &hip.compat {
                (format!("Status::Compat({target:?})"), hip.since.is_some())
            } else if let Some(rule) = &hip.semantic {
                let name = rust_option(hip.name.as_deref());
                (format!("Status::Semantic {{ rule: {rule:?}, name: {name} }}"), true)
            } else if let Some(reason) = &hip.unsupported {
                (format!("Status::Unsupported({})", reason_constant(reason)), false)
            } else {
                ("Status::Same".to_string(), true)
            };
            let header = hip.header.as_deref().or(family.header.as_deref().filter(|_| native));
            let source =
                row.source.as_ref().map_or("SOURCE".to_string(), |source| format!("{source:?}"));
            let _ = writeln!(
                text,
                "    Row::new({name:?}, {kind}, {side}, FAMILY, {}, Mapping::new({status}, {}, {}, {}, {}, {}), {source}),",
                rust_strings(&row.signatures),
                rust_since(hip.since.as_deref()),
                rust_option(header),
                hip.because.as_ref().map_or("None".to_string(), |key| {
                    format!("Some({})", reason_constant(key))
                }),
                rust_option(hip.note.as_deref()),
                rust_strings(&row.lacks),
            );
        }
    }
    text.push_str("];\n");
    text
}

fn reason_constant(key: &str) -> String {
    format!("REASON_{}", key.to_uppercase().replace('-', "_"))
}

/// The rows of all families sorted by name, as references into the family modules.
fn index_module(tables: &Tables) -> String {
    let mut entries = BTreeMap::new();
    for (stem, family) in &tables.families {
        let names = family.sections().into_iter().flat_map(|(_, _, rows)| rows.keys());
        for (position, name) in names.enumerate() {
            entries.insert(name.as_str(), (stem.as_str(), position));
        }
    }
    let mut text = String::from(GENERATED_NOTICE);
    text.push_str("//! Every row, sorted by name.\n\nuse super::*;\nuse crate::row::Row;\n\n");
    text.push_str("pub(crate) static ROWS: &[&Row] = &[\n");
    for (name, (stem, position)) in entries {
        let _ = writeln!(text, "    &{stem}::ROWS[{position}], // {name}");
    }
    text.push_str("];\n");
    text
}

fn headers_module(headers: &HeadersFile) -> String {
    let mut text = String::from(GENERATED_NOTICE);
    text.push_str("//! Every known header, sorted by name.\n\n");
    text.push_str("use crate::row::{Header, HeaderStatus, HipRelease::*};\n\n");
    let _ = writeln!(text, "const SOURCE: &str = {:?};\n", headers.source);
    text.push_str("pub(crate) static HEADERS: &[Header] = &[\n");
    for (name, header) in &headers.header {
        let status = if let Some(reason) = &header.removed {
            format!("Removed({reason:?})")
        } else if let Some(reason) = &header.unsupported {
            format!("Unsupported({reason:?})")
        } else if header.compat {
            "Compat".to_string()
        } else if header.same {
            "Same".to_string()
        } else {
            format!("Renamed({})", rust_strings(&header.renamed))
        };
        let source =
            header.source.as_ref().map_or("SOURCE".to_string(), |source| format!("{source:?}"));
        let _ = writeln!(
            text,
            "    Header {{ name: {name:?}, hip: HeaderStatus::{status}, since: {}, define: {}, note: {}, source: {source} }},",
            rust_since(header.since.as_deref()),
            rust_strings(&header.define),
            rust_option(header.note.as_deref()),
        );
    }
    text.push_str("];\n");
    text
}

fn rules_module(rules: &RulesFile) -> String {
    let mut text = String::from(GENERATED_NOTICE);
    text.push_str("//! The rewrite rules that rows name, sorted.\n\nuse crate::row::Rule;\n\n");
    text.push_str("/// Every rewrite rule that a row may name, sorted by name.\n");
    text.push_str("pub static RULES: &[Rule] = &[\n");
    for (id, rule) in &rules.rule {
        let _ = writeln!(text, "    Rule {{ id: {id:?}, summary: {:?} }},", rule.summary);
    }
    text.push_str("];\n");
    text
}

/// A cell of a Markdown table: a bar would end it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn code(text: &str) -> String {
    format!("`{}`", cell(text))
}

/// Status, HIP form and remark of a row, as cells.
fn row_cells(name: &str, row: &RowSource, family: &Family, rules: &RulesFile) -> [String; 3] {
    let hip = &row.hip;
    let reason = |key: &String| family.reasons.get(key).cloned().unwrap_or_default();
    let (status, form, mut remark) = if let Some(target) = &hip.renamed {
        ("renamed", code(target), String::new())
    } else if let Some(target) = &hip.compat {
        ("compat", code(target), hip.because.as_ref().map(reason).unwrap_or_default())
    } else if let Some(rule) = &hip.semantic {
        let summary = rules.rule.get(rule).map_or("", |rule| rule.summary.as_str());
        ("semantic", code(hip.name.as_deref().unwrap_or(name)), summary.to_string())
    } else if let Some(key) = &hip.unsupported {
        ("unsupported", String::new(), reason(key))
    } else {
        ("same", code(name), String::new())
    };
    if let Some(note) = &hip.note {
        if !remark.is_empty() {
            remark.push(' ');
        }
        remark.push_str(note);
    }
    for lack in &row.lacks {
        if !remark.is_empty() {
            remark.push(' ');
        }
        remark.push_str(&format!("HIP lacks `{lack}`."));
    }
    [status.to_string(), form, cell(&remark)]
}

fn family_page(family: &Family, rules: &RulesFile) -> String {
    let mut text = String::from(PAGE_NOTICE);
    let _ = writeln!(text, "# {}\n", family.title);
    let _ = writeln!(text, "Family `{}`. Source: {}.\n", family.family, family.source);
    let _ = writeln!(text, "{}\n", counts_sentence(&counts(family)));
    for (_, heading, rows) in family.sections() {
        if rows.is_empty() {
            continue;
        }
        let _ = writeln!(text, "## {heading}\n");
        text.push_str("| CUDA | status | HIP | since | remark |\n|---|---|---|---|---|\n");
        for (name, row) in rows {
            let [status, form, remark] = row_cells(name, row, family, rules);
            let since = row.hip.since.as_deref().unwrap_or("");
            let _ = writeln!(text, "| {} | {status} | {form} | {since} | {remark} |", code(name));
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

const STATUSES: [&str; 5] = ["same", "renamed", "compat", "semantic", "unsupported"];

/// How many rows have each status, in the order of [`STATUSES`].
fn counts(family: &Family) -> [usize; 5] {
    let mut counts = [0; 5];
    for row in family.sections().into_iter().flat_map(|(_, _, rows)| rows.values()) {
        let hip = &row.hip;
        let status = [
            hip.same,
            hip.renamed.is_some(),
            hip.compat.is_some(),
            hip.semantic.is_some(),
            hip.unsupported.is_some(),
        ];
        for (count, matches) in counts.iter_mut().zip(status) {
            *count += usize::from(matches);
        }
    }
    counts
}

fn counts_sentence(counts: &[usize; 5]) -> String {
    let parts: Vec<String> = STATUSES
        .iter()
        .zip(counts)
        .filter(|(_, count)| **count > 0)
        .map(|(status, count)| format!("{count} {status}"))
        .collect();
    format!("{} names: {}.", counts.iter().sum::<usize>(), parts.join(", "))
}

fn headers_page(headers: &HeadersFile) -> String {
    let mut text = String::from(PAGE_NOTICE);
    let _ = writeln!(text, "# Headers\n\nSource: {}.\n", headers.source);
    text.push_str("| CUDA | status | HIP | since | remark |\n|---|---|---|---|---|\n");
    for (name, header) in &headers.header {
        let (status, form, remark) = if let Some(reason) = &header.removed {
            ("removed", String::new(), reason.as_str())
        } else if let Some(reason) = &header.unsupported {
            ("unsupported", String::new(), reason.as_str())
        } else if header.compat {
            ("compat", code("port_hip_compat.h"), "")
        } else if header.same {
            ("same", code(name), "")
        } else {
            let forms: Vec<String> = header.renamed.iter().map(|form| code(form)).collect();
            ("renamed", forms.join(", "), "")
        };
        let note = header.note.as_deref().unwrap_or("");
        let defines: Vec<String> = header.define.iter().map(|name| code(name)).collect();
        let defines = match defines.is_empty() {
            true => String::new(),
            false => format!("With {} defined.", defines.join(" and ")),
        };
        let remark = [remark, defines.as_str(), note].join(" ");
        let _ = writeln!(
            text,
            "| {} | {status} | {form} | {} | {} |",
            code(name),
            header.since.as_deref().unwrap_or(""),
            cell(remark.trim())
        );
    }
    text
}

fn index_page(tables: &Tables) -> String {
    let mut text = String::from(PAGE_NOTICE);
    text.push_str(INDEX_INTRODUCTION);
    text.push_str("| family | names | same | renamed | compat | semantic | unsupported |\n");
    text.push_str("|---|---|---|---|---|---|---|\n");
    let mut total = [0usize; 5];
    for (stem, family) in &tables.families {
        let counts = counts(family);
        for (sum, count) in total.iter_mut().zip(counts) {
            *sum += count;
        }
        let label = format!("[{}]({stem}.md)", family.family);
        let _ = writeln!(text, "{}", index_line(&label, &counts));
    }
    let _ = writeln!(text, "{}", index_line("all", &total));
    let _ = writeln!(
        text,
        "\n[Headers](headers.md): {} of them have a row.\n",
        tables.headers.header.len()
    );
    text.push_str("## Rewrite rules\n\n| rule | what it does |\n|---|---|\n");
    for (id, rule) in &tables.rules.rule {
        let _ = writeln!(text, "| {} | {} |", code(id), cell(&rule.summary));
    }
    text
}

fn index_line(label: &str, counts: &[usize; 5]) -> String {
    let columns: Vec<String> = counts.iter().map(usize::to_string).collect();
    format!("| {label} | {} | {} |", counts.iter().sum::<usize>(), columns.join(" | "))
}

const INDEX_INTRODUCTION: &str = "\
# What a port does with each CUDA name

One page a family. The status of a name on HIP:

- **same**: the text stays, HIP has the name with the same meaning.
- **renamed**: another name, nothing else.
- **compat**: `port_hip_compat.h` defines it, so that it is right on every ROCm release from 5 on.
- **semantic**: a rule edits the use, not only the name.
- **unsupported**: no form; the remark says why, and the port reports each use.

*since* is the first of the HIP releases 5.2, 5.7, 6.4 and 7.1 whose headers have a native form that
means the same.

";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_files_are_current() {
        run(true).unwrap();
    }

    fn tables(family: &str) -> Result<Tables, String> {
        let family: Family = toml::from_str(family).map_err(|error| error.to_string())?;
        Ok(Tables {
            families: BTreeMap::from([("math_test".to_string(), family)]),
            headers: HeadersFile { source: "none".into(), header: BTreeMap::new() },
            rules: RulesFile { rule: BTreeMap::new() },
        })
    }

    const HEAD: &str = "family = \"math/test\"\ntitle = \"Test\"\nside = \"device\"\nheader = \"hip/x.h\"\nsource = \"none\"\n";

    fn fault_of(rows: &str) -> String {
        tables(&format!("{HEAD}{rows}")).and_then(|tables| validate(&tables)).unwrap_err()
    }

    #[test]
    fn faults_of_rows_are_reported_by_name() {
        assert!(fault_of("[function]\nf = { hip = { same = true } }").contains("f: a native form"));
        let both =
            "[function]\nf = { hip = { same = true, since = \"5.2\", compat = \"port_f\" } }";
        assert!(fault_of(both).contains("f: needs exactly one"));
        let reason = "[function]\nf = { hip = { unsupported = \"why\" } }";
        assert!(fault_of(reason).contains("f: no reason `why`"));
        let rule = "[function]\nf = { hip = { semantic = \"r\" } }";
        assert!(fault_of(rule).contains("f: no rule `r`"));
        let release = "[function]\nf = { hip = { same = true, since = \"5.3\" } }";
        assert!(fault_of(release).contains("f: no such release"));
        let twice = "[function]\nf = { hip = { same = true, since = \"5.2\" } }\n[type]\nf = { hip = { same = true, since = \"5.2\" } }";
        assert!(fault_of(twice).contains("f: has a row in math_test.toml too"));
        assert!(fault_of("[function]\nf = { hip = { sme = true } }").contains("sme"));
    }

    #[test]
    fn a_row_becomes_rust_and_a_line_of_its_page() {
        let rows = "[function]\nf = { hip = { renamed = \"g\", since = \"6.4\", note = \"A | B.\" }, signatures = [\"int f(int x)\"] }";
        let tables = tables(&format!("{HEAD}{rows}")).unwrap();
        validate(&tables).unwrap();
        let family = &tables.families["math_test"];
        let rust = family_module("math_test", family);
        assert!(rust.contains(
            r#"Row::new("f", Function, Device, FAMILY, &["int f(int x)"], Mapping::new(Status::Renamed("g"), Some(V6_4), Some("hip/x.h"), None, Some("A | B."), &[]), SOURCE),"#
        ));
        let page = family_page(family, &tables.rules);
        assert!(page.contains("| `f` | renamed | `g` | 6.4 | A \\| B. |"), "{page}");
        assert!(page.contains("1 names: 1 renamed."));
    }
}
