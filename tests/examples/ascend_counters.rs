//! Prints what the element-wise kernels and the kernels over rows of Ascend ports cost on the 910B, by the
//! counters of the model. Arguments: parts of kernels' names.

use port::{Options, Target};
use port_check::Spec;
use port_check::ascend::Model;
use port_check::oracle::{Language, Source};
use port_check::ports::{emitted, renames};
use port_check::toolchain::Toolchain;
use port_diag::FileId;
use port_tests::ascend_cost::{ALL, Measured};
use port_tests::{kernels, originals};

fn measure(name: &str, all: &[&Measured], model: &Model) -> Result<(), String> {
    let kernel = kernels::all().into_iter().find(|kernel| kernel.name == name);
    let kernel = kernel.ok_or("no such kernel")?;
    let (sources, root) = kernel.load();
    let spec: Spec = originals::spec(&kernel)?;
    let target: Target = "ascend:910b".parse().map_err(|error| format!("{error:?}"))?;
    let instantiate = originals::instances(&sources, &spec);
    let options = Options { instantiate, ..Options::default() };
    let translation = port::translate(&sources, root, &[target], &options).pop();
    let translation = translation.ok_or("no translation")?;
    let own: Vec<FileId> = sources.ids().collect();
    let mut files = emitted(&sources, &own, root, &translation, "asc").into_iter();
    let (path, text) = files.next().ok_or("the port has no root")?;
    let texts =
        translation.ported.files.iter().flat_map(|file| file.text.split("PIECE = ").skip(1));
    let pieces: Vec<i64> = texts.filter_map(|rest| rest.split(';').next()?.parse().ok()).collect();
    let source = Source::new(Language::Ascend, &path, &text);
    let source = files.fold(source, |source, (path, text)| source.with_file(&path, &text));
    let names = renames(&spec, port::ascend_name);
    let source = names.iter().fold(source, |source, (from, to)| source.with_rename(from, to));
    let program = model.build(&source, &spec).map_err(|error| error.to_string())?;
    for measured in all {
        let rows = measured.row(&pieces).ok().flatten();
        let times = rows.map_or(1, |(_, pieces)| if pieces > 1 { measured.loops } else { 1 });
        match measured.costs(&translation.ported.kernels, &spec, &program) {
            Ok(costs) => costs.iter().for_each(|cost| {
                let misses = measured.misses(cost, &pieces).unwrap_or_default();
                println!(
                    "{name} {misses:?} {:?} {}: bytes {:.2}, lanes {:.0} %, overlap {:.2}, scalar {} ({:.1} a row's piece), \
                     transfers {}; moved {} read {} by cores {} shared {} written {}",
                    measured.ints,
                    cost.launch,
                    cost.bytes(times),
                    100.0 * cost.lanes,
                    cost.overlap,
                    cost.scalars,
                    cost.scalars / rows.map_or(1, |(rows, pieces)| rows * pieces) as f64,
                    cost.transfers,
                    cost.moved,
                    cost.read,
                    cost.read_by_cores,
                    cost.shared,
                    cost.written,
                );
            }),
            Err(why) => println!("{name} {:?}: {why}", measured.ints),
        }
    }
    Ok(())
}

fn main() {
    let model = match Model::new(&Toolchain::discover()) {
        Ok(model) => model,
        Err(error) => return eprintln!("{error}"),
    };
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let mut names: Vec<&str> = ALL.iter().map(|measured| measured.kernel).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| wanted.is_empty() || wanted.iter().any(|part| name.contains(part)));
    for name in names {
        let all: Vec<&Measured> = ALL.iter().filter(|measured| measured.kernel == name).collect();
        if let Err(why) = measure(name, &all, &model) {
            println!("{name}: {why}");
        }
    }
}
