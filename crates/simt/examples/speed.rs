//! How fast the SIMT machine runs seven kernels, in nanoseconds of one thread of the host for each
//! thread of the kernel and pass of its loops.
//!
//! `speed [profile] [kernel]`; with `threads` instead of a kernel, lines of `name`, milliseconds of
//! processors and of the clock for a run on one thread and on all; a third word names the only kernel; with `plain`
//! instead of a kernel, lines of `name`, milliseconds without checks and with all of them, at best,
//! microseconds to load, milliseconds with twins, the number of the host's threads, and how much
//! faster the launch and one of eight times the elements are on all of them.

#![allow(clippy::disallowed_methods, reason = "it measures time")]

use port_diag::FileId;
use port_float::Profile;
use port_simt::{Argument, Checks, Launch, Memory, Options, Program};

/// The kernels as the front end gives them: saxpy, block reduction, softmax, tiled product, stencil,
/// histogram, layer norm.
const SOURCE: &str = include_str!("speed.ir");

/// How much larger a launch is of which threads of the host share the blocks.
const LARGE: usize = 8;

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

/// The memory and launch of a kernel, and the passes that it makes, for `factor` times 2^20 elements.
fn launch(kernel: &str, factor: usize) -> (Memory, Launch, usize) {
    let n = factor << 20;
    let rows = 256 * factor as u32;
    let data: Vec<u8> = (0..n).flat_map(|i| ((i % 1000) as f32 * 0.001).to_le_bytes()).collect();
    let mut memory = Memory::new();
    let ids = ["a", "b", "c", "d"].map(|name| memory.add(name, data.clone()));
    let buffer = |index: usize| Argument::Buffer { id: ids[index], offset: 0 };
    let int = |value: usize| Argument::Bytes((value as i32).to_le_bytes().to_vec());
    let (grid, block, arguments, passes) = match kernel {
        "saxpy" => {
            let a = Argument::Bytes(2f32.to_le_bytes().to_vec());
            ([(n / 256) as u32, 1, 1], [256, 1, 1], vec![buffer(0), buffer(1), a, int(n)], n)
        }
        "block_sum" | "histogram" => {
            ([64, 1, 1], [256, 1, 1], vec![buffer(0), buffer(1), int(n)], n)
        }
        "softmax" => ([rows, 1, 1], [256, 1, 1], vec![buffer(0), buffer(1), int(4096)], n),
        "sgemm" => {
            let size = 256 * (factor as f64).cbrt() as usize;
            let blocks = (size / 16) as u32;
            let arguments = vec![buffer(0), buffer(1), buffer(2), int(size)];
            ([blocks, blocks, 1], [16, 16, 1], arguments, size * size * size)
        }
        "stencil" => {
            let arguments = vec![buffer(0), buffer(1), int(1024), int(1024 * factor)];
            ([32, 128 * factor as u32, 1], [32, 8, 1], arguments, n)
        }
        _ => {
            let arguments = vec![buffer(0), buffer(1), buffer(2), buffer(3), int(4096)];
            ([rows, 1, 1], [256, 1, 1], arguments, n)
        }
    };
    let mut launch = Launch::new(grid, block);
    launch.arguments = arguments;
    (memory, launch, passes)
}

fn main() {
    let module = port_ir::parse(SOURCE, FileId(0)).expect("the text is IR");
    let profile =
        Profile::named(&std::env::args().nth(1).unwrap_or("cpu".into())).expect("profile");
    let module = port_float::resolve(&module, &profile);
    let only = std::env::args().nth(2);
    let plain = only.as_deref() == Some("plain");
    let on_threads = only.as_deref() == Some("threads");
    let only = only.filter(|_| !plain && !on_threads).or(std::env::args().nth(3));
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
        let (mut memory, launch, passes) = launch(&kernel.name, 1);
        if on_threads {
            let (mut memory, launch, _) = self::launch(&kernel.name, LARGE);
            let many = std::thread::available_parallelism().map_or(1, usize::from);
            let [one, all] = [1, many].map(|threads| {
                let options = Options { threads, ..Options::default() };
                let (start, mut runs, mut best) = (all_threads(), 0, f64::MAX);
                while runs < 3 || all_threads() - start < 1.0 {
                    let begin = std::time::Instant::now();
                    program.run(&mut memory, &launch, &options).expect("it runs");
                    best = best.min(begin.elapsed().as_secs_f64());
                    runs += 1;
                }
                ((all_threads() - start) * 1e3 / f64::from(runs), best * 1e3)
            });
            println!(
                "{} {:.4} {:.4} of processors, {:.4} {:.4} of the clock, {:.2}",
                kernel.name,
                one.0,
                all.0,
                one.1,
                all.1,
                one.1 / all.1
            );
            continue;
        }
        if plain {
            let twinned = Program::twinned(&module, handle, &profile).expect("it is supported");
            let best = |program: &Program, checks: Checks, threads: usize, factor: usize| {
                let (mut memory, launch, _) = self::launch(&kernel.name, factor);
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
            let without = best(&program, Checks::NONE, 1, 1);
            let with = best(&program, Checks::ALL, 1, 1);
            let twins = best(&twinned, Checks::NONE, 1, 1);
            let many = std::thread::available_parallelism().map_or(1, usize::from);
            let small = without / best(&program, Checks::NONE, many, 1);
            let large =
                best(&program, Checks::NONE, 1, LARGE) / best(&program, Checks::NONE, many, LARGE);
            let (name, load) = (&kernel.name, load * 1e6);
            println!(
                "{name} {without:.4} {with:.4} {load:.1} {twins:.4} {many} {small:.2} {large:.2}"
            );
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
