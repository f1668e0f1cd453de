//! Warp operations under CUDA's names.

use port_check::oracle::{Order, RunOptions};

use crate::common::Suite;

const SPEC: &str = r#"
ints = [["width", "32"], ["partial", "21"]]
[buffers]
floats = { dtype = "f32", shape = [32], init = "normal(0, 1)", seed = 1 }
longs = { dtype = "i64", shape = [32], init = "ints(-1000000000000, 1000000000000)", seed = 2 }
float_shuffles = { dtype = "f32", shape = [4, 40, 32], init = "zeros", out = true }
long_shuffles = { dtype = "i64", shape = [4, 40, 32], init = "zeros", out = true }
small = { dtype = "i32", shape = [32], init = "ints(0, 9)", seed = 3 }
votes = { dtype = "u32", shape = [12, 32], init = "zeros", out = true }
active = { dtype = "u32", shape = [4, 32], init = "zeros", out = true }
exchanged = { dtype = "i32", shape = [64], init = "zeros", out = true }
sum = { dtype = "f32", shape = [2], init = "zeros", out = true }
wide = { dtype = "f32", shape = [64], init = "normal(0, 1)", seed = 4 }
groups = { dtype = "f32", shape = [12, 64], init = "zeros", out = true }
counter = { dtype = "i32", shape = [1], init = "zeros", out = true }
lock = { dtype = "i32", shape = [1], init = "zeros" }
[[launch]]
kernel = "shuffles<float>"
grid = [1]
block = [32]
args = ["float_shuffles", "floats", "width"]
[[launch]]
kernel = "shuffles<long long>"
grid = [1]
block = [32]
args = ["long_shuffles", "longs", "width"]
[[launch]]
kernel = "votes"
grid = [1]
block = [32]
args = ["votes", "small"]
[[launch]]
kernel = "active"
grid = [1]
block = [32]
args = ["active"]
[[launch]]
kernel = "exchange"
grid = [1]
block = [64]
args = ["exchanged"]
[[launch]]
kernel = "partial_warp"
grid = [1]
block = ["partial"]
args = ["sum", "floats"]
[[launch]]
kernel = "groups"
grid = [1]
block = [64]
args = ["groups", "wide"]
[[launch]]
kernel = "locked"
grid = [2]
block = [64]
args = ["counter", "lock"]
"#;

fn suite() -> Suite {
    Suite::new("warp.cu", SPEC)
}

fn orders() -> Vec<RunOptions> {
    [Order::Ascending, Order::Descending, Order::Shuffled(1), Order::Shuffled(2)]
        .into_iter()
        .map(|order| RunOptions { order, blocks: order, ..RunOptions::default() })
        .collect()
}

/// The lane that `shfl` reads, by the pseudo-code of the PTX manual.
fn ptx_source(kind: usize, lane: i64, argument: i64, width: i64) -> i64 {
    let b = argument & 31;
    let clamp = if kind == 1 { 0 } else { 31 };
    let segment_mask = 32 - width;
    let max_lane = (lane & segment_mask) | (clamp & !segment_mask);
    let min_lane = lane & segment_mask;
    let (source, valid) = match kind {
        0 => {
            let source = min_lane | (b & !segment_mask & 31);
            (source, source <= max_lane)
        }
        1 => (lane - b, lane - b >= max_lane),
        2 => (lane + b, lane + b <= max_lane),
        _ => (lane ^ b, lane ^ b <= max_lane),
    };
    if valid { source } else { lane }
}

#[test]
fn shuffles_read_the_lane_that_ptx_says() {
    let suite = suite();
    for width in [1, 2, 4, 8, 16, 32] {
        let mut case = suite.case.clone();
        for launch in &mut case.launches {
            let shuffles = launch.kernel.starts_with("shuffles");
            launch.grid = [u32::from(shuffles), 1, 1];
            if let Some(last) = launch.arguments.last_mut().filter(|_| shuffles) {
                *last = port_check::spec::Argument::Integer(width);
            }
        }
        let run = suite.run_case(&case, &RunOptions::default()).unwrap();
        for (name, input) in [("float_shuffles", "floats"), ("long_shuffles", "longs")] {
            let (output, input) = (run.output(name).unwrap(), case.buffer(input).unwrap());
            for kind in 0..4 {
                for argument in 0..40 {
                    for lane in 0..32 {
                        let source = ptx_source(kind, lane as i64, argument as i64 - 2, width);
                        assert_eq!(
                            output.bits((kind * 40 + argument) * 32 + lane),
                            input.bits(source as usize),
                            "{name} kind {kind} argument {} lane {lane} width {width}",
                            argument as i64 - 2,
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn votes_matches_and_reductions_keep_to_their_mask() {
    let suite = suite();
    let values: Vec<u32> =
        suite.case.buffer("small").unwrap().to_i64().iter().map(|v| *v as u32).collect();
    let third: u32 = (0..32).filter(|lane| lane % 3 == 0).map(|lane| 1 << lane).sum();
    for options in orders() {
        let run = suite.run_with("votes", &options);
        let out = run.output("votes").unwrap();
        for lane in 0..32 {
            let mask = if lane % 3 == 0 { third } else { !third };
            let members: Vec<usize> = (0..32).filter(|l| mask >> l & 1 == 1).collect();
            let ballot = |predicate: &dyn Fn(u32) -> bool| {
                members.iter().filter(|l| predicate(values[**l])).map(|l| 1u32 << l).sum::<u32>()
            };
            let uniform = |bits: u32| u32::from(bits == 0 || bits == mask);
            let same_everywhere = lane % 3 != 0 || members.iter().all(|l| values[*l] == values[0]);
            let uni = if lane % 3 == 0 { ballot(&|v| v > 100) } else { ballot(&|v| v > 3) };
            let (mut all_and, mut all_or, mut all_xor) = (u32::MAX, 0, 0);
            for value in &values {
                all_and &= u32::MAX;
                all_or |= 1 << value;
                all_xor ^= 1 << value;
            }
            let expected = [
                ballot(&|v| v & 1 == 1),
                u32::from(ballot(&|v| v > 6) != 0),
                1,
                uniform(uni),
                ballot(&|v| v == values[lane]),
                if same_everywhere { mask } else { 0 },
                u32::from(same_everywhere),
                values.iter().fold(0, |sum: u32, v| sum.wrapping_add(v.wrapping_mul(1_000_003))),
                values.iter().map(|v| *v as i32 - 5).min().unwrap() as u32,
                values.iter().map(|v| v.wrapping_sub(5)).max().unwrap(),
                all_xor,
                all_or & all_and,
            ];
            for (operation, expected) in expected.into_iter().enumerate() {
                let actual = out.bits(operation * 32 + lane) as u32;
                assert_eq!(actual, expected, "operation {operation} lane {lane} {options:?}");
            }
        }
    }
}

#[test]
fn lanes_reconverge_after_branches_and_loops() {
    let suite = suite();
    for options in orders() {
        let out = suite.run_with("active", &options).output("active").unwrap().to_i64();
        for lane in 0..32 {
            let branch: i64 = if lane < 10 { 0x3ff } else { 0xffff_fc00 };
            assert_eq!(out[lane], branch, "lane {lane} {options:?}");
            // Lanes leave the loop after lane / 8 rounds: 24, then 16, then 8 lanes run it.
            let sizes = [0, 24, 24 * 64 + 16, (24 * 64 + 16) * 64 + 8][lane / 8];
            assert_eq!(out[32 + lane], sizes, "lane {lane} {options:?}");
            assert_eq!(out[64 + lane], 0xffff_ffff, "lane {lane} {options:?}");
            let left = if lane == 3 { 0 } else { 0xffff_fff7 };
            assert_eq!(out[96 + lane], left, "lane {lane} {options:?}");
        }
    }
}

#[test]
fn a_warp_barrier_orders_shared_memory() {
    let suite = suite();
    for options in orders() {
        let out = suite.run_with("exchange", &options).output("exchanged").unwrap().to_i64();
        for (thread, value) in out.iter().enumerate() {
            assert_eq!(*value as usize, (thread / 32 * 32 + (thread + 2) % 32) * 3, "{options:?}");
        }
    }
}

#[test]
fn lanes_that_never_existed_are_not_waited_for() {
    let suite = suite();
    let input = suite.case.buffer("floats").unwrap().to_f32();
    for partial in [1u32, 2, 13, 21, 31, 32] {
        let mut case = suite.only("partial_warp");
        let launch = case.launches.iter_mut().find(|l| l.kernel == "partial_warp").unwrap();
        launch.block = [partial, 1, 1];
        let run = suite.run_case(&case, &RunOptions::default()).unwrap();
        let mut values = input[..partial as usize].to_vec();
        for offset in [16, 8, 4, 2, 1] {
            let old = values.clone();
            for lane in 0..values.len().saturating_sub(offset) {
                values[lane] = old[lane] + old[lane + offset];
            }
        }
        assert_eq!(run.output("sum").unwrap().to_f32(), [values[0], partial as f32]);
        let reads_outside = run.notes.iter().any(|note| note.kind == "undefined-shuffle");
        assert_eq!(reads_outside, partial < 32, "{partial}: {:?}", run.notes);
    }
}

#[test]
fn cooperative_groups_partition_the_block() {
    let suite = suite();
    let input = suite.case.buffer("wide").unwrap().to_f32();
    for options in orders() {
        let out = suite.run_with("groups", &options).output("groups").unwrap().to_f32();
        for i in 0..64 {
            let (tile, rank) = (i / 8, i % 8);
            let of_tile = &input[tile * 8..tile * 8 + 8];
            let mut sums = of_tile.to_vec();
            for bit in [4, 2, 1] {
                let old = sums.clone();
                for lane in 0..8 {
                    sums[lane] = old[lane] + old[lane ^ bit];
                }
            }
            let ballot: u32 = (0..8).filter(|l| of_tile[*l] > 0.0).map(|l| 1 << l).sum();
            let branch = if i % 4 == 1 {
                // Eight of the lanes of a warp are in the branch; the second is lane 5.
                8.0 * 1000.0 + (i % 32 / 4) as f32 * 10.0 + (i / 32 * 32 + 5) as f32
            } else {
                -1.0
            };
            let alike: Vec<usize> = (tile * 8..tile * 8 + 8).filter(|l| l % 3 == i % 3).collect();
            let position = alike.iter().position(|l| *l == i).unwrap();
            let warp_start = (i / 32 * 32) as f32;
            let expected = [
                sums[rank],
                of_tile.iter().copied().fold(f32::MIN, f32::max),
                if rank + 3 < 8 { of_tile[rank + 3] } else { of_tile[rank] },
                of_tile[5],
                input[i ^ 1],
                (tile * 100 + rank) as f32,
                ballot as f32,
                (0..=rank).sum::<usize>() as f32,
                (0..rank).sum::<usize>() as f32,
                branch,
                (alike.len() * 10 + position) as f32,
                32.0 * warp_start + 496.0,
            ];
            for (row, expected) in expected.into_iter().enumerate() {
                assert_eq!(out[row * 64 + i], expected, "row {row} thread {i} {options:?}");
            }
        }
    }
}

#[test]
fn lanes_of_a_warp_progress_independently() {
    let suite = suite();
    for options in orders() {
        let out = suite.run_with("locked", &options).output("counter").unwrap().to_i64();
        assert_eq!(out, [2 * (64 * 65 / 2)], "{options:?}");
    }
}
