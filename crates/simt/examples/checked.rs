//! What the checks and twins cost: time of each kernel with all checks, with some, and with twins, over
//! time without. `checked [kernel]`.

#![allow(clippy::disallowed_methods, reason = "it measures time")]

use port_diag::FileId;
use port_float::Profile;
use port_simt::{Argument, Checks, Launch, Memory, Options, Program};

const SOURCE: &str = include_str!("speed.ir");

/// Seconds that this thread has run on a processor, so that other load counts little.
fn now() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse::<f64>().ok()).unwrap_or(0.0) * 1e-9
}

fn main() {
    let module = port_ir::parse(SOURCE, FileId(0)).expect("the text is IR");
    let profile = Profile::named("cpu").expect("profile");
    let module = port_float::resolve(&module, &profile);
    let n = 1usize << 20;
    let int = |value: i32| Argument::Bytes(value.to_le_bytes().to_vec());
    let data: Vec<u8> = (0..n).flat_map(|i| ((i % 1000) as f32 * 0.001).to_le_bytes()).collect();
    let (mut product, mut twins_product, mut count) = (1.0, 1.0, 0);
    let only = std::env::args().nth(1);
    for (handle, kernel) in module.kernels() {
        if only.as_ref().is_some_and(|only| *only != kernel.name) {
            continue;
        }
        let program = Program::new(&module, handle, &profile).expect("it is supported");
        let mut memory = Memory::new();
        let ids: Vec<_> =
            ["a", "b", "c", "d"].iter().map(|name| memory.add(*name, data.clone())).collect();
        let buffer = |index: usize| Argument::Buffer { id: ids[index], offset: 0 };
        let (grid, block, arguments) = match kernel.name.as_str() {
            "saxpy" => {
                let a = Argument::Bytes(2f32.to_le_bytes().to_vec());
                let arguments = vec![buffer(0), buffer(1), a, int(n as i32)];
                ([(n / 256) as u32, 1, 1], [256, 1, 1], arguments)
            }
            "softmax" => ([256, 1, 1], [256, 1, 1], vec![buffer(0), buffer(1), int(4096)]),
            "sgemm" => {
                let arguments = vec![buffer(0), buffer(1), buffer(2), int(256)];
                ([16, 16, 1], [16, 16, 1], arguments)
            }
            "stencil" => {
                let arguments = vec![buffer(0), buffer(1), int(1024), int(1024)];
                ([32, 128, 1], [32, 8, 1], arguments)
            }
            "block_sum" | "histogram" => {
                ([64, 1, 1], [256, 1, 1], vec![buffer(0), buffer(1), int(n as i32)])
            }
            _ => {
                let buffers = (0..4).map(buffer);
                ([256, 1, 1], [256, 1, 1], buffers.chain([int(4096)]).collect())
            }
        };
        let mut launch = Launch::new(grid, block);
        launch.arguments = arguments;
        let mut time = |program: &Program, checks: Checks| {
            let options = Options { checks, ..Options::default() };
            let start = now();
            let mut runs = 0;
            while runs < 3 || now() - start < 0.3 {
                let outcome = program.run(&mut memory, &launch, &options).expect("it runs");
                assert!(outcome.findings.is_empty(), "{:?}", outcome.findings);
                runs += 1;
            }
            (now() - start) / f64::from(runs)
        };
        let plain = time(&program, Checks::NONE);
        let ratio = |time: f64| time / plain;
        let memory_only = ratio(time(&program, Checks { memory: true, ..Checks::NONE }));
        let initialised = ratio(time(&program, Checks { initialised: true, ..Checks::NONE }));
        let races = ratio(time(&program, Checks { races: true, ..Checks::NONE }));
        let all = ratio(time(&program, Checks::ALL));
        let twinned = Program::twinned(&module, handle, &profile).expect("it is supported");
        let twins = ratio(time(&twinned, Checks::NONE));
        println!(
            "{:12} plain {:7.2} ms  memory {memory_only:.2}  initialised {initialised:.2}  races \
             {races:.2}  all {all:.2}  twins {twins:.2}",
            kernel.name,
            plain * 1e3,
        );
        product *= all;
        twins_product *= twins;
        count += 1;
    }
    let mean = |product: f64| f64::powf(product, 1.0 / f64::from(count));
    println!("geometric mean {:.2}, of twins {:.2}", mean(product), mean(twins_product));
}
