//! Each finding's fixtures: `bad.cu` makes it and nothing else, `ok.cu` makes none.

#![allow(clippy::disallowed_methods, reason = "the test reads the fixtures")]

use std::collections::BTreeSet;
use std::path::Path;

use port_diag::SourceMap;
use port_syntax::findings::FINDINGS;
use port_syntax::{Configuration, read};

fn codes_of(path: &Path) -> BTreeSet<&'static str> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut sources = SourceMap::new();
    let name = path.file_name().unwrap().to_str().unwrap();
    let root = sources.add(name, &text);
    let parsed = read(&sources, root, &Configuration::cuda(80));
    assert_eq!(*parsed.errors(), [], "{} does not parse", path.display());
    parsed.unit.diagnostics.iter().map(|finding| finding.code).collect()
}

#[test]
fn bad_fixtures_make_their_finding_and_ok_fixtures_none() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/diag");
    for finding in FINDINGS {
        let folder = fixtures.join(finding.code);
        let bad = codes_of(&folder.join("bad.cu"));
        assert_eq!(bad, BTreeSet::from([finding.code]), "{}/bad.cu", finding.code);
        let ok = codes_of(&folder.join("ok.cu"));
        assert_eq!(ok, BTreeSet::new(), "{}/ok.cu", finding.code);
    }
}

#[test]
fn codes_are_ordered_unique_and_in_range() {
    let codes: Vec<_> = FINDINGS.iter().map(|finding| finding.code).collect();
    assert!(codes.is_sorted());
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    assert!(codes.iter().all(|code| ("P0100".."P0200").contains(code)));
}
