//! Whole programs with their own `main`.

use port_check::oracle::{Language, RunOptions, Source};

use crate::common::{kernel_text, oracle};

#[test]
fn a_program_runs_with_its_host_code() {
    let source = Source::new(Language::Cuda, "program.cu", &kernel_text("program.cu"));
    let program = oracle().build_program(&source).unwrap_or_else(|error| panic!("{error}"));
    let lines: Vec<usize> = program.replacements().iter().map(|r| r.line).collect();
    assert_eq!(lines.len(), 6, "{:?}", program.replacements());
    for n in [100i64, 1, 257] {
        let run = program.run(&[&n.to_string()], &RunOptions::default()).unwrap();
        // x·2 + x, then five times x·2; each element is counted six times.
        let sum: i64 = (0..n).map(|x| x * 3 * 32).sum();
        let rest = "3 31\n9 0\n32\n";
        assert_eq!(run.stdout, format!("{sum} {} 1\n{rest}", 6 * n));
        assert_eq!(run.status, Some(7));
    }
}
