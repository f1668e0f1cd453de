//! How fast the SIMT machine runs seven kernels, in nanoseconds of one thread of the host for each
//! thread of the kernel and pass of its loops.
//!
//! `speed [profile] [kernel]`; with `threads` instead of a kernel, lines of `name`, milliseconds of
//! processors for a run on one thread and on all; a third word names the only kernel; with `plain` instead of a kernel, lines of `name`, milliseconds without
//! checks and with all of them, at best, microseconds to load, the number of the host's threads and
//! milliseconds on all of them, milliseconds with twins.

#![allow(clippy::disallowed_methods, reason = "it measures time")]

use port_diag::FileId;
use port_float::Profile;
use port_simt::{Argument, Checks, Launch, Memory, Options, Program};

/// The kernels as the front end gives them: saxpy, block reduction, softmax, tiled product, stencil,
/// histogram, layer norm.
const SOURCE: &str = include_str!("speed.ir");

/// Seconds that this thread has run on a processor, so that other load counts little.
fn now() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse::<f64>().ok()).unwrap_or(0.0) * 1e-9
}

/// Seconds that all threads have run on processors, in steps of a hundredth.
fn all_threads() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split(' ');
    fields.skip(12).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() * 0.01
}

fn main() {
    let module = port_ir::parse(SOURCE, FileId(0)).expect("the text is IR");
    let profile =
        Profile::named(&std::env::args().nth(1).unwrap_or("cpu".into())).expect("profile");
    let module = port_float::resolve(&module, &profile);
    let n = 1usize << 20;
    let floats = |count: usize| -> Vec<u8> {
        (0..count).flat_map(|i| ((i % 1000) as f32 * 0.001).to_le_bytes()).collect()
    };
    let int = |value: i32| Argument::Bytes(value.to_le_bytes().to_vec());
    let only = std::env::args().nth(2);
    let plain = only.as_deref() == Some("plain");
    let on_threads = only.as_deref() == Some("threads");
    let only = only.filter(|_| !plain && !on_threads).or(std::env::args().nth(3));
    let data = floats(n);
    for (handle, kernel) in module.kernels() {
        if only.as_ref().is_some_and(|only| *only != kernel.name) {
            continue;
        }
        let program = Program::new(&module, handle, &profile).expect("it is supported");
        let (start, mut runs) = (now(), 0);
        while runs < 3 || now() - start < 0.05 {
            let again = Program::new(&module, handle, &profile);
            runs += usize::from(again.is_ok());
        }
        let load = (now() - start) / runs as f64;
        let mut memory = Memory::new();
        let ids: Vec<_> =
            ["a", "b", "c", "d"].iter().map(|name| memory.add(*name, data.clone())).collect();
        let buffer = |index: usize| Argument::Buffer { id: ids[index], offset: 0 };
        let (mut launch, passes) = match kernel.name.as_str() {
            "saxpy" => {
                let mut launch = Launch::new([(n / 256) as u32, 1, 1], [256, 1, 1]);
                let a = Argument::Bytes(2f32.to_le_bytes().to_vec());
                launch.arguments = vec![buffer(0), buffer(1), a, int(n as i32)];
                (launch, n)
            }
            "block_sum" => {
                let mut launch = Launch::new([64, 1, 1], [256, 1, 1]);
                launch.arguments = vec![buffer(0), buffer(1), int(n as i32)];
                (launch, n)
            }
            "softmax" => {
                let mut launch = Launch::new([256, 1, 1], [256, 1, 1]);
                launch.arguments = vec![buffer(0), buffer(1), int(4096)];
                (launch, n)
            }
            "sgemm" => {
                let mut launch = Launch::new([16, 16, 1], [16, 16, 1]);
                launch.arguments = vec![buffer(0), buffer(1), buffer(2), int(256)];
                (launch, 256 * 256 * 256)
            }
            "stencil" => {
                let mut launch = Launch::new([32, 128, 1], [32, 8, 1]);
                launch.arguments = vec![buffer(0), buffer(1), int(1024), int(1024)];
                (launch, n)
            }
            "histogram" => {
                let mut launch = Launch::new([64, 1, 1], [256, 1, 1]);
                launch.arguments = vec![buffer(0), buffer(1), int(n as i32)];
                (launch, n)
            }
            _ => {
                let mut launch = Launch::new([256, 1, 1], [256, 1, 1]);
                launch.arguments = vec![buffer(0), buffer(1), buffer(2), buffer(3), int(4096)];
                (launch, n)
            }
        };
        launch.cluster = None;
        if on_threads {
            let many = std::thread::available_parallelism().map_or(1, usize::from);
            let [one, all] = [1, many].map(|threads| {
                let options = Options { threads, ..Options::default() };
                let (start, mut runs) = (all_threads(), 0);
                while runs < 3 || all_threads() - start < 0.5 {
                    program.run(&mut memory, &launch, &options).expect("it runs");
                    runs += 1;
                }
                (all_threads() - start) * 1e3 / f64::from(runs)
            });
            println!("{} {one:.4} {all:.4}", kernel.name);
            continue;
        }
        if plain {
            let twinned = Program::twinned(&module, handle, &profile).expect("it is supported");
            let mut best = |program: &Program, checks: Checks, threads: usize| {
                let options = Options { checks, threads, ..Options::default() };
                let (begin, mut best, mut runs) = (now(), f64::MAX, 0);
                while runs < 10 || now() - begin < 0.2 {
                    // Of one run the scheduler's figure is too coarse; the best has seen no other load.
                    let start = std::time::Instant::now();
                    program.run(&mut memory, &launch, &options).expect("it runs");
                    best = best.min(start.elapsed().as_secs_f64());
                    runs += 1;
                }
                // Long runs have all seen other load: then it is what they took of the processor.
                let mean = if threads == 1 { (now() - begin) / f64::from(runs) } else { best };
                best.min(mean) * 1e3
            };
            let without = best(&program, Checks::NONE, 1);
            let with = best(&program, Checks::ALL, 1);
            let many = std::thread::available_parallelism().map_or(1, usize::from);
            let together = best(&program, Checks::NONE, many);
            let twins = best(&twinned, Checks::NONE, 1);
            let (name, load) = (&kernel.name, load * 1e6);
            println!("{name} {without:.4} {with:.4} {load:.1} {many} {together:.4} {twins:.4}");
            continue;
        }
        let mut instructions = 0;
        let (start, mut runs) = (now(), 0);
        while runs < 3 || now() - start < 0.15 {
            let outcome = program.run(&mut memory, &launch, &Options::default()).expect("it runs");
            instructions = outcome.counters.instructions;
            runs += 1;
        }
        let best = (now() - start) / f64::from(runs);
        println!(
            "{:12} load {:6.0} us  run {:8.2} ms  {:6.3} ns a pass  {} instructions",
            kernel.name,
            load * 1e6,
            best * 1e3,
            best * 1e9 / passes as f64,
            instructions,
        );
    }
}
