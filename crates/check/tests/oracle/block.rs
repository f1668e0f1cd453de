//! Blocks under CUDA's names: barriers, shared memory, atomics, arguments, the grid.

use port_check::oracle::{Order, RunOptions};

use crate::common::Suite;

const SPEC: &str = r#"
ints = [["n", "70"]]
[buffers]
early = { dtype = "i32", shape = [128], init = "full(-1)", out = true }
small = { dtype = "i32", shape = [300], init = "ints(-100, 100)", seed = 1 }
sums = { dtype = "i32", shape = [3], init = "zeros", out = true }
predicates = { dtype = "i32", shape = [4], init = "full(-1)", out = true }
bytes = { dtype = "u32", shape = [16], init = "zeros", out = true }
rotated = { dtype = "f64", shape = [9], init = "zeros", out = true }
x = { dtype = "f32", shape = [24], init = "ints(-8, 8)", seed = 2 }
data = { dtype = "f32", shape = [30], init = "iota" }
y = { dtype = "f32", shape = [24], init = "zeros", out = true }
atomics = { dtype = "i32", values = [0, 0, 0, 0, -1, 0, 0, 0, 0], out = true }
wrapped = { dtype = "u32", values = [3, 3], out = true }
wide = { dtype = "u64", values = [7, 0], out = true }
sum = { dtype = "f32", shape = [1], init = "zeros", out = true }
grid = { dtype = "i32", shape = [20], init = "zeros", out = true }
scratch = { dtype = "i32", shape = [20], init = "zeros" }
chain = { dtype = "i32", shape = [9], init = "zeros", out = true }
flags = { dtype = "i32", shape = [9], init = "zeros" }
indices = { dtype = "i32", shape = [720], init = "zeros", out = true }
tickets = { dtype = "i32", shape = [160], init = "zeros", out = true }
next = { dtype = "i32", shape = [1], init = "zeros" }
[symbols]
taps = { dtype = "f32", values = [0.5, 0.25, 0.125] }
calls = { dtype = "i32", init = "full(40)", out = true }
[[launch]]
kernel = "early_return"
grid = [1]
block = [128]
shared = "n * 4"
args = ["early", "n"]
[[launch]]
kernel = "tree_sum"
grid = [3]
block = [100]
shared = 400
args = ["sums", "small"]
[[launch]]
kernel = "predicates"
grid = [1]
block = [100]
args = ["predicates"]
[[launch]]
kernel = "inner::two_views"
grid = [1]
block = [16]
shared = 16
args = ["bytes"]
[[launch]]
kernel = "static_shared"
grid = [2]
block = [8]
args = ["rotated"]
[[launch]]
kernel = "arguments"
grid = [1]
block = [24]
args = ["y", "x", { factor = 0.5, shift = "n / 10", data = "&data[n / 14]", inner = { negate = true, bias = 2.5 } }, 1, "null", 300, 1e-3, true]
[[launch]]
kernel = "atomics"
grid = [2]
block = [40]
args = ["atomics", "wrapped", "wide", "sum"]
[[launch]]
kernel = "prints"
grid = [2]
block = [3]
args = []
[[launch]]
kernel = "whole_grid"
grid = [5]
block = [4]
args = ["grid", "scratch"]
[[launch]]
kernel = "chained"
grid = [9]
block = [2]
args = ["chain", "flags"]
[[launch]]
kernel = "indices"
grid = [3, 2, 5]
block = [2, 3, 4]
args = ["indices"]
[[launch]]
kernel = "tickets"
grid = [2]
block = [80]
args = ["tickets", "next"]
"#;

fn suite() -> Suite {
    Suite::new("block.cu", SPEC)
}

fn orders() -> Vec<RunOptions> {
    [Order::Ascending, Order::Descending, Order::Shuffled(5)]
        .into_iter()
        .map(|order| RunOptions { order, blocks: order, ..RunOptions::default() })
        .collect()
}

#[test]
fn threads_that_have_left_do_not_count_at_barriers() {
    let suite = suite();
    for options in orders() {
        let out = suite.run_with("early_return", &options).output("early").unwrap().to_i64();
        let expected: Vec<i64> = (0..128).map(|i| if i < 70 { 69 - i } else { -1 }).collect();
        assert_eq!(out, expected, "{options:?}");
    }
}

#[test]
fn barriers_in_loops_separate_the_rounds() {
    let suite = suite();
    let input = suite.case.buffer("small").unwrap().to_i64();
    for options in orders() {
        let out = suite.run_with("tree_sum", &options).output("sums").unwrap().to_i64();
        let expected: Vec<i64> = input.chunks(100).map(|chunk| chunk.iter().sum()).collect();
        assert_eq!(out, expected, "{options:?}");
    }
}

#[test]
fn barriers_combine_predicates() {
    let out = suite().run("predicates").output("predicates").unwrap().to_i64();
    assert_eq!(out, [34, 1, 1, 0]);
}

#[test]
fn dynamic_shared_arrays_are_one_memory_and_begin_poisoned() {
    let out = suite().run("inner::two_views").output("bytes").unwrap().to_i64();
    let mut expected = [0xff; 16];
    expected[4..8].copy_from_slice(&1.5f32.to_le_bytes().map(i64::from));
    assert_eq!(out, expected);
}

#[test]
fn static_shared_memory_is_the_blocks_own() {
    let suite = suite();
    for options in orders() {
        let out = suite.run_with("static_shared", &options).output("rotated").unwrap().to_f64();
        for (thread, value) in out[..8].iter().enumerate() {
            assert_eq!(*value, ((thread + 1) % 8) as f64 * 1.5, "{options:?}");
        }
        // The second block finds poison, not what the first one wrote.
        assert_eq!(out[8], 1.0, "{options:?}");
    }
}

#[test]
fn arguments_and_symbols_arrive_as_the_spec_says() {
    let suite = suite();
    let run = suite.run("arguments");
    let input = suite.case.buffer("x").unwrap().to_f32();
    let out = run.output("y").unwrap().to_f32();
    for i in 0..24 {
        let v = -(input[i] * 0.5 + 7.0 + (i + 5) as f32 + 2.5);
        let table = [1.0, 10.0, 100.0, 1000.0][i % 4];
        let taps = [0.5, 0.25, 0.125][i % 3];
        // 300 as an unsigned char is 44; the pointer is null; the flag is true.
        let expected = v * v + taps + table + 1.0 + 44.0 + 1e-3f64 as f32 + 1.0;
        assert_eq!(out[i], expected, "{i}");
    }
    assert_eq!(run.output("calls").unwrap().to_i64(), [64]);
}

#[test]
fn atomics_do_what_their_names_say() {
    let suite = suite();
    for options in orders() {
        let run = suite.run_with("atomics", &options);
        let out = run.output("atomics").unwrap().to_i64();
        let total: i64 = (0..80).sum();
        assert_eq!(out[..3], [total, -total, 50 - 79]);
        assert_eq!(out[3], (0..80).map(|i| i * i % 101).max().unwrap());
        assert_eq!(out[4], -1 ^ 0xfffff);
        assert_eq!(out[5], 0x7f);
        assert_eq!(out[6], (0..80).fold(0, |bits, i| bits ^ i));
        assert_eq!(out[7], 9);
        let first = out[8] - 1;
        assert!((0..80).contains(&first), "{first}");
        if options.order == Order::Ascending {
            assert_eq!(first, 0);
        }
        // 3 → … → 10 → 0 takes 8 steps, then 11 a round; downwards 3 → 0 → 10 takes 4.
        assert_eq!(run.output("wrapped").unwrap().to_i64(), [(80 - 8) % 11, 10 - (80 - 4) % 11]);
        assert_eq!(run.output("wide").unwrap().to_i64(), [7 + (80 << 32), 79 << 33]);
        assert_eq!(run.output("sum").unwrap().to_f32(), [40.0]);
    }
}

#[test]
fn printf_goes_to_standard_output() {
    assert_eq!(suite().run("prints").stdout, "block 0: text 1.25\nblock 1: text 1.25\n");
}

#[test]
fn the_grids_barrier_waits_for_every_block() {
    let suite = suite();
    for options in orders() {
        let out = suite.run_with("whole_grid", &options).output("grid").unwrap().to_i64();
        let sum: i64 = (0..5).map(|block| (0..4).map(|thread| block + thread).sum::<i64>()).sum();
        for (i, value) in out.iter().enumerate() {
            assert_eq!(*value, sum * 100 + i as i64 / 4 * 7, "{options:?}");
        }
    }
}

#[test]
fn blocks_that_wait_for_each_other_take_turns() {
    let suite = suite();
    for options in orders() {
        let out = suite.run_with("chained", &options).output("chain").unwrap().to_i64();
        let expected: Vec<i64> = (0..9).map(|block| (0..=block).sum()).collect();
        assert_eq!(out, expected, "{options:?}");
    }
}

#[test]
fn indices_run_over_the_grid() {
    let suite = suite();
    for options in orders() {
        let out = suite.run_with("indices", &options).output("indices").unwrap().to_i64();
        for (at, value) in out.iter().enumerate() {
            let (block, thread) = (at / 24, at % 24);
            let expected = thread % 2
                + 10 * (thread / 2 % 3)
                + 100 * (thread / 6)
                + 1000 * (block % 3)
                + 10_000 * (block / 3 % 2)
                + 100_000 * (block / 6);
            assert_eq!(*value as usize, expected, "{options:?}");
        }
    }
}

#[test]
fn threads_run_in_the_order_asked_for() {
    let suite = suite();
    let run = |order, blocks| {
        let options = RunOptions { order, blocks, ..RunOptions::default() };
        suite.run_with("tickets", &options).output("tickets").unwrap().to_i64()
    };
    let upwards: Vec<i64> = (0..160).collect();
    let downwards: Vec<i64> = (0..160).rev().collect();
    assert_eq!(run(Order::Ascending, Order::Ascending), upwards);
    assert_eq!(run(Order::Descending, Order::Descending), downwards);
    let shuffled = run(Order::Shuffled(3), Order::Shuffled(3));
    assert_eq!(shuffled, run(Order::Shuffled(3), Order::Shuffled(3)));
    assert_ne!(shuffled, upwards);
    assert_ne!(shuffled, run(Order::Shuffled(4), Order::Shuffled(3)));
    let mut sorted = shuffled;
    sorted.sort_unstable();
    assert_eq!(sorted, upwards);
}
