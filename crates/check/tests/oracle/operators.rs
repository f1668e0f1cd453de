//! The operators in `kernels/` run, and their results do not depend on the order of threads: they
//! have no race that the orders tried here would show.

use std::path::{Path, PathBuf};

use port_check::metrics::compare;
use port_check::oracle::{Language, Order, RunOptions, Source};
use port_check::spec::Spec;
use port_diag::SourceMap;

use crate::common::oracle;

/// Outputs that sum floats by atomics: their bits depend on the order of threads.
const ORDER_DEPENDENT: &[&str] = &["sum_f32", "sum_f16", "sum_half2"];

fn texts(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            texts(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "cu") {
            found.push(path);
        }
    }
}

#[test]
fn operators_run_alike_in_every_order_of_threads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernels");
    let mut found = Vec::new();
    texts(&root, &mut found);
    assert!(found.len() >= 12, "{found:?}");
    std::thread::scope(|scope| {
        let halves = found.chunks(found.len().div_ceil(2));
        for half in halves {
            scope.spawn(move || half.iter().for_each(|path| check(path)));
        }
    });
}

fn check(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut sources = SourceMap::new();
    let spec = Spec::load(&path.with_extension("toml"), &mut sources)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .unwrap_or_else(|diagnostics| panic!("{}: {}", path.display(), diagnostics[0].message));
    let name = path.file_name().unwrap().to_string_lossy();
    let source =
        Source::new(Language::Cuda, &name, &text).with_include_directory(path.parent().unwrap());
    let executable =
        oracle().build(&source, &spec).unwrap_or_else(|error| panic!("{name}: {error}"));
    let sets = spec.parameter_sets();
    // The default, the first of the sweep (an empty input, by custom) and the last.
    let sets: Vec<_> = sets.iter().take(2).chain(sets.iter().skip(2).next_back()).collect();
    for set in sets {
        let case =
            spec.case(set).unwrap_or_else(|diagnostics| panic!("{}", diagnostics[0].message));
        let run = |order| {
            let options = RunOptions { order, blocks: order, ..RunOptions::default() };
            executable
                .run(&case, &options)
                .unwrap_or_else(|error| panic!("{name} {} {order:?}: {error}", set.label()))
        };
        let upwards = run(Order::Ascending);
        for order in [Order::Descending, Order::Shuffled(1)] {
            let other = run(order);
            for ((output, a), (_, b)) in upwards.outputs.iter().zip(&other.outputs) {
                let comparison = compare(b, a).unwrap();
                let allowed = name == "scatter_add.cu" && ORDER_DEPENDENT.contains(&&output[..]);
                assert!(
                    comparison.is_equal() || allowed,
                    "{name} {} {output} {order:?}: {:?}",
                    set.label(),
                    comparison.first_mismatch
                );
            }
        }
    }
}
