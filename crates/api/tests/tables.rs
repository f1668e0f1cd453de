//! Properties of the tables: what must hold for every row, whatever it says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use port_api::{HeaderStatus, HipRelease, Kind, Row, Status, find, header, headers, rows, rule};

/// Fails with all the rows that break a property, not only with the first.
#[track_caller]
fn no_faults(faults: Vec<String>) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

fn faults_of(check: impl Fn(&Row) -> Option<String>) -> Vec<String> {
    rows().filter_map(|row| check(row).map(|fault| format!("{}: {fault}", row.name))).collect()
}

#[test]
fn rows_are_sorted_and_unique() {
    let names: Vec<&str> = rows().map(|row| row.name).collect();
    assert!(names.is_sorted());
    let unique: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(unique.len(), names.len());
}

#[test]
fn find_finds_every_row_and_nothing_else() {
    let names: BTreeSet<&str> = rows().map(|row| row.name).collect();
    for row in rows() {
        assert_eq!(find(row.name), Some(row));
        let longer = format!("{}_", row.name);
        let shorter = &row.name[..row.name.len() - 1];
        for other in [longer.as_str(), shorter, &row.name.to_uppercase(), &row.name.to_lowercase()]
        {
            assert_eq!(find(other).is_some(), names.contains(other), "{other}");
        }
    }
    for other in ["", " ", "cuda", "~", "\u{10ffff}", "hipMalloc"] {
        assert_eq!(find(other).is_some(), names.contains(other), "{other:?}");
    }
}

#[test]
fn every_fact_is_complete() {
    no_faults(faults_of(|row| {
        if row.source.is_empty() || row.family.is_empty() {
            return Some("has no source or no family".into());
        }
        let sentence = |text: &str| text.len() > 10 && text.ends_with('.') && !text.contains('\n');
        if row.unsupported_reason().is_some_and(|reason| !sentence(reason)) {
            return Some("its reason is no sentence".into());
        }
        if row.hip.note.is_some_and(|note| !sentence(note)) {
            return Some("its note is no sentence".into());
        }
        if matches!(row.hip.status, Status::Compat(_)) != row.hip.because.is_some_and(sentence) {
            return Some("compat goes with a sentence why".into());
        }
        let native = matches!(row.hip.status, Status::Same | Status::Renamed(_));
        if native && row.hip.since.is_none() {
            return Some("a native form has no release".into());
        }
        if matches!(row.hip.status, Status::Unsupported(_)) && row.hip.since.is_some() {
            return Some("is unsupported, yet since some release".into());
        }
        None
    }));
}

#[test]
fn target_names_are_names_of_the_target() {
    let identifier = |name: &str| {
        name.split("::").all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
    };
    no_faults(faults_of(|row| {
        if row.hip_name().is_some_and(|name| !identifier(name)) {
            return Some("its HIP name is no name".into());
        }
        match row.hip.status {
            Status::Renamed(name) if name == row.name => Some("is renamed to itself".into()),
            Status::Renamed(name) => {
                let host = row.family.starts_with("runtime/") || row.family.starts_with("driver/");
                let hip = ["hip", "HIP", "make_hip"].iter().any(|prefix| name.starts_with(prefix));
                (host && !hip).then(|| format!("`{name}` is no name of the HIP runtime"))
            }
            Status::Compat(name) => {
                let ours = name.starts_with("port_") || name.starts_with("PORT_");
                (!ours).then(|| format!("`{name}` is no name of the compatibility header"))
            }
            Status::Semantic { rule: id, .. } => {
                rule(id).is_none().then(|| format!("there is no rule `{id}`"))
            }
            Status::Same | Status::Unsupported(_) => None,
        }
    }));
}

#[test]
fn compatibility_names_are_not_shared_by_functions() {
    // Types may be aliases of each other (`nv_bfloat16`), functions are not.
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    let mut faults = Vec::new();
    for row in rows().filter(|row| row.kind == Kind::Function) {
        if let Status::Compat(name) = row.hip.status
            && let Some(other) = owners.insert(name, row.name)
        {
            faults.push(format!("{} and {other} are both {name}", row.name));
        }
    }
    no_faults(faults);
}

#[test]
fn every_rule_is_used_and_described() {
    for rule in port_api::RULES {
        assert!(rule.summary.ends_with('.'), "{}", rule.id);
        let used = rows().any(
            |row| matches!(row.hip.status, Status::Semantic { rule: id, .. } if id == rule.id),
        );
        assert!(used, "no row names the rule {}", rule.id);
    }
}

#[test]
fn signatures_are_declarations() {
    no_faults(faults_of(|row| {
        if row.hip.lacks.iter().any(|lack| !row.signatures.contains(lack)) {
            return Some("lacks what is none of its signatures".into());
        }
        let unique: BTreeSet<&&str> = row.signatures.iter().collect();
        if unique.len() != row.signatures.len() {
            return Some("has a signature twice".into());
        }
        row.signatures.iter().find_map(|signature| {
            let fault = match row.kind {
                Kind::Function => function_fault(row, signature),
                _ => balance_fault(signature),
            };
            fault.map(|fault| format!("`{signature}` {fault}"))
        })
    }));
}

/// Whether brackets close in order. Angle brackets only count where they can be nothing else.
fn balance_fault(text: &str) -> Option<String> {
    let mut open = Vec::new();
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => open.push(c),
            ')' | ']' | '}' => {
                let expected = match c {
                    ')' => '(',
                    ']' => '[',
                    _ => '{',
                };
                if open.pop() != Some(expected) {
                    return Some(format!("has a stray `{c}`"));
                }
            }
            _ => {}
        }
    }
    (!open.is_empty()).then(|| "does not close a bracket".to_string())
}

/// A small reader of `[template <…>] type name(parameters) [const]`.
fn function_fault(row: &Row, signature: &str) -> Option<String> {
    if let Some(fault) = balance_fault(signature) {
        return Some(fault);
    }
    let words: Vec<&str> =
        signature.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    for word in ["enum", "struct", "class", "unnamed", "anonymous", "__device__", "extern"] {
        if words.contains(&word) {
            return Some(format!("holds `{word}`"));
        }
    }
    let own_name = row.name.rsplit("::").next().unwrap_or(row.name);
    let declaration = match signature.strip_prefix("template <") {
        Some(rest) => {
            let mut depth = 1;
            let end = rest.char_indices().find(|(_, c)| {
                depth += i32::from(*c == '<') - i32::from(*c == '>');
                depth == 0
            });
            let Some((end, _)) = end else { return Some("does not close its template".into()) };
            rest[end + 1..].trim_start()
        }
        None => signature,
    };
    let declaration = declaration.strip_suffix(" const").unwrap_or(declaration);
    let Some(inside) = declaration.strip_suffix(')') else {
        return Some("does not end with its parameters".into());
    };
    let call = format!("{own_name}(");
    let Some(at) = inside.find(&call) else { return Some("does not name the function".into()) };
    let result = inside[..at].trim_end();
    if result.is_empty() || !inside[..at].ends_with([' ', '*', '&']) {
        return Some("has no result type".into());
    }
    let parameters = &inside[at + call.len()..];
    if parameters.is_empty() {
        return None;
    }
    let mut depth = 0;
    let mut start = 0;
    let mut pieces = Vec::new();
    for (position, c) in parameters.char_indices() {
        match c {
            '(' | '<' | '[' | '{' => depth += 1,
            ')' | '>' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                pieces.push(&parameters[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    pieces.push(&parameters[start..]);
    pieces
        .iter()
        .any(|piece| piece.trim().is_empty() || piece.trim().ends_with('='))
        .then(|| "has an empty parameter or default".to_string())
}

#[test]
fn device_functions_have_signatures() {
    // A function that a kernel may call must have a type, or lowering cannot call it.
    no_faults(faults_of(|row| {
        let library = row.family.starts_with("library/") || row.family == "libcudacxx";
        let needed = row.kind == Kind::Function
            && row.side != port_api::Side::Host
            && !library
            && !matches!(row.hip.status, Status::Unsupported(_));
        (needed && row.signatures.is_empty()).then(|| "has no signature".to_string())
    }));
}

#[test]
fn headers_are_sorted_and_found() {
    let names: Vec<&str> = headers().map(|header| header.name).collect();
    assert!(names.is_sorted_by(|a, b| a < b));
    let mut faults = Vec::new();
    for entry in headers() {
        assert_eq!(header(entry.name), Some(entry));
        let good = match entry.hip {
            HeaderStatus::Renamed(names) => {
                !names.is_empty() && !names.contains(&entry.name) && entry.since.is_some()
            }
            HeaderStatus::Removed(reason) | HeaderStatus::Unsupported(reason) => {
                reason.ends_with('.')
            }
            HeaderStatus::Same | HeaderStatus::Compat => true,
        };
        if !good || entry.source.is_empty() {
            faults.push(entry.name.to_string());
        }
    }
    no_faults(faults);
    for other in ["", "cuda_runtime", "stdio.h", "hip/hip_runtime.h"] {
        assert!(header(other).is_none(), "{other}");
    }
}

/// The generated Rust says what the tables say, read here without the generator.
#[test]
#[allow(clippy::disallowed_methods)] // A test reads the tables that the crate itself never does.
fn generated_rows_agree_with_the_tables() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables");
    let mut in_tables = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).expect("the folder of tables") {
        let path = entry.expect("an entry").path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if file == "rules.toml" || file == "headers.toml" {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a table");
        let table: toml::Table = text.parse().expect("a table in TOML");
        let family = table["family"].as_str().expect("a family");
        let sections = ["function", "type", "field", "constant", "macro", "variable", "namespace"];
        let before = in_tables.len();
        for section in sections {
            let Some(rows) = table.get(section).and_then(toml::Value::as_table) else { continue };
            for (name, facts) in rows {
                let row = find(name).unwrap_or_else(|| panic!("{name} of {file} is not generated"));
                assert_eq!(row.family, family, "{name}");
                assert_eq!(format!("{:?}", row.kind).to_lowercase(), section, "{name}");
                let hip = &facts["hip"];
                assert!(hip.get(row.hip.status.as_str()).is_some(), "{name}: {:?}", row.hip.status);
                let text = |key: &str| hip.get(key).and_then(toml::Value::as_str);
                assert_eq!(row.hip.since.map(HipRelease::as_str), text("since"), "{name}");
                assert_eq!(row.hip.note, text("note"), "{name}");
                in_tables.insert(name.clone());
            }
        }
        assert!(in_tables.len() > before, "{file} holds no row");
    }
    assert_eq!(in_tables.len(), rows().len());
}

/// Facts with a reason outside the tables: the documents that both vendors publish, and arithmetic.
#[test]
fn known_facts() {
    let hip_name = |name: &str| find(name).and_then(Row::hip_name);
    assert_eq!(hip_name("cudaMalloc"), Some("hipMalloc"));
    assert_eq!(hip_name("cudaMallocHost"), Some("hipHostMalloc"));
    assert_eq!(hip_name("cudaThreadSynchronize"), Some("hipDeviceSynchronize"));
    assert_eq!(hip_name("cudaErrorMemoryAllocation"), Some("hipErrorOutOfMemory"));
    assert_eq!(hip_name("cuMemAlloc"), Some("hipMalloc"));
    assert_eq!(hip_name("cub::BlockReduce"), Some("hipcub::BlockReduce"));
    assert_eq!(hip_name("cublasSgemm_v2"), Some("hipblasSgemm"));
    assert_eq!(hip_name("__shfl_sync"), Some("port_shfl_sync"));
    assert_eq!(hip_name("__nv_bfloat16"), Some("port_bfloat16"));
    assert_eq!(hip_name("__syncthreads"), Some("__syncthreads"));
    // A driver's copy has three parameters, hipMemcpy four.
    assert_eq!(hip_name("cuMemcpy"), None);
    // HIP's own conversion truncates; 1.75 to nearest is 2.
    assert!(matches!(find("__half2int_rn").unwrap().hip.status, Status::Compat(_)));
    // HIP allows contraction of the sum with a product; CUDA promises one rounding each.
    assert!(matches!(find("__fadd_rn").unwrap().hip.status, Status::Compat(_)));
    let cast = find("cudaFuncSetAttribute").unwrap().hip.status;
    assert!(matches!(cast, Status::Semantic { rule: "kernel-pointer-cast", .. }));
    assert_eq!(hip_name("cooperative_groups::thread_block_tile::shfl_down"), Some("shfl_down"));
    assert_eq!(hip_name("cudaDeviceProp::major"), Some("major"));
    // Half of a half2 is an integer in HIP 5: its bits.
    assert_eq!(hip_name("__half2::x"), Some("port_half2_x"));
    assert!(find("cudaDeviceProp::major").unwrap().is_member());
    assert!(!find("cooperative_groups::tiled_partition").unwrap().is_member());
    for name in ["saturate", "any", "mulhi", "ballot"] {
        assert!(find(name).is_none(), "{name} would shadow the users' own names");
    }
}
