//! Several blocks in one unit, and instructions that do the work of two: the memory is that of a run
//! with checks, which has neither.

use port_diag::FileId;
use port_float::Profile;
use port_simt::{Argument, Checks, Launch, Memory, Options, Program};

/// Saxpy, block reduction, softmax, tiled product, stencil, histogram, layer norm.
const SOURCE: &str = include_str!("../examples/speed.ir");

#[test]
fn blocks_together_write_what_blocks_in_turn_write() {
    for profile in ["cpu", "cuda:sm_80+fast-math"] {
        let profile = Profile::named(profile).expect("the profile is known");
        let module = port_ir::parse(SOURCE, FileId(0)).expect("the text is IR");
        let module = port_float::resolve(&module, &profile);
        for (handle, kernel) in module.kernels() {
            let program = Program::new(&module, handle, &profile).expect("it is supported");
            let run = |checks: Checks, in_place: bool| {
                let mut memory = Memory::new();
                let data = |salt: u32| -> Vec<u8> {
                    let word = |i: u32| i.wrapping_mul(2_654_435_761).rotate_left(salt) >> 9;
                    let value = |i| (word(i) as f32 / (1 << 22) as f32 - 1.0).to_le_bytes();
                    (0..1 << 14).flat_map(value).collect()
                };
                let ids: Vec<_> = (0..4).map(|n| memory.add(n.to_string(), data(n * 5))).collect();
                let buffer = |index: usize| Argument::Buffer {
                    id: ids[if in_place && index == 1 { 0 } else { index }],
                    offset: 0,
                };
                let int = |value: i32| Argument::Bytes(value.to_le_bytes().to_vec());
                let two = Argument::Bytes(2f32.to_le_bytes().to_vec());
                let (grid, block, arguments) = match kernel.name.as_str() {
                    "saxpy" => {
                        ([41, 1, 1], [256, 1, 1], vec![buffer(0), buffer(1), two, int(10_300)])
                    }
                    "block_sum" => ([7, 1, 1], [96, 1, 1], vec![buffer(0), buffer(1), int(16_000)]),
                    "softmax" => ([11, 1, 1], [128, 1, 1], vec![buffer(0), buffer(1), int(300)]),
                    "sgemm" => {
                        ([4, 4, 1], [16, 16, 1], vec![buffer(0), buffer(1), buffer(2), int(64)])
                    }
                    "stencil" => {
                        ([4, 16, 1], [32, 8, 1], vec![buffer(0), buffer(1), int(120), int(125)])
                    }
                    "histogram" => ([9, 1, 1], [256, 1, 1], vec![buffer(0), buffer(1), int(9_999)]),
                    _ => {
                        let all = (0..4).map(buffer).chain([int(500)]).collect();
                        ([13, 1, 1], [256, 1, 1], all)
                    }
                };
                let mut launch = Launch::new(grid, block);
                launch.arguments = arguments;
                let options = Options { checks, ..Options::default() };
                let outcome = program.run(&mut memory, &launch, &options).expect("it runs");
                let bytes: Vec<Vec<u8>> = ids.iter().map(|id| memory.bytes(*id).to_vec()).collect();
                (bytes, outcome.counters)
            };
            for in_place in [false, true] {
                let (fast, counted) = run(Checks::NONE, in_place);
                let (checked, expected) = run(Checks::ALL, in_place);
                assert!(fast == checked, "{} writes other bytes", kernel.name);
                assert_eq!(counted.instructions, expected.instructions, "{}", kernel.name);
                assert_eq!(counted.blocks, expected.blocks, "{}", kernel.name);
            }
        }
    }
}
