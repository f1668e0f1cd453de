//! Operations of a wave under HIP's names.

use port_check::oracle::{Order, RunOptions};

use crate::common::Suite;

const SPEC: &str = r#"
ints = [["width", "32"], ["wave", "64"]]
[buffers]
floats = { dtype = "f32", shape = [64], init = "normal(0, 1)", seed = 1 }
shuffles = { dtype = "f32", shape = [4, 64, 64], init = "zeros", out = true }
branches = { dtype = "u64", shape = [5, 64], init = "zeros", out = true }
logical = { dtype = "i32", shape = [160], init = "zeros", out = true }
builtins = { dtype = "u32", shape = [5, 64], init = "zeros", out = true }
missing = { dtype = "i32", shape = [64], init = "zeros", out = true }
[[launch]]
kernel = "shuffles"
grid = [1]
block = ["wave"]
args = ["shuffles", "floats", "width"]
[[launch]]
kernel = "branches"
grid = [1]
block = [64]
args = ["branches"]
[[launch]]
kernel = "logical"
grid = [1]
block = [160]
args = ["logical"]
[[launch]]
kernel = "builtins"
grid = [1]
block = [64]
args = ["builtins"]
[[launch]]
kernel = "members_missing"
grid = [1]
block = [64]
args = ["missing"]
[[launch]]
kernel = "sources_missing"
grid = [1]
block = [64]
args = ["missing"]
"#;

fn suite() -> Suite {
    Suite::new("wave.hip", SPEC)
}

fn options(warp: u32) -> Vec<RunOptions> {
    [Order::Ascending, Order::Descending, Order::Shuffled(9)]
        .into_iter()
        .map(|order| RunOptions { warp, order, ..RunOptions::default() })
        .collect()
}

#[test]
fn shuffles_read_within_segments_of_the_wave() {
    let suite = suite();
    let input = suite.case.buffer("floats").unwrap().to_f32();
    for (wave, widths) in [(64, &[64, 32, 8][..]), (32, &[32, 4])] {
        for width in widths {
            let mut case = suite.only("shuffles");
            let launch = case.launches.iter_mut().find(|l| l.kernel == "shuffles").unwrap();
            launch.block = [wave, 1, 1];
            launch.arguments[2] = port_check::spec::Argument::Integer(i64::from(*width));
            let run = suite.run_case(&case, &options(wave)[0]).unwrap();
            let out = run.output("shuffles").unwrap().to_f32();
            let (wave, width) = (wave as usize, *width as usize);
            for lane in 0..wave {
                let start = lane / width * width;
                for i in 0..64 {
                    // HIP does not wrap the lane into its segment; hardware wraps it into the wave.
                    let up = if lane >= start + i { lane - i } else { lane };
                    let down = if lane + i < start + width { lane + i } else { lane };
                    let exclusive = if lane ^ i < start + width { lane ^ i } else { lane };
                    let sources = [(start + i) % wave, up, down, exclusive];
                    for (kind, source) in sources.into_iter().enumerate() {
                        let actual = out[(kind * 64 + i) * 64 + lane];
                        assert_eq!(
                            actual, input[source],
                            "kind {kind} {i} lane {lane} of {wave}/{width}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn lanes_that_execute_the_same_call_meet() {
    let suite = suite();
    for (wave, options) in [(64, options(64)), (32, options(32))] {
        for options in options {
            let run = suite.run_with("branches", &options);
            let out = run.output("branches").unwrap();
            let of_wave = |lane: usize| lane / wave * wave..lane / wave * wave + wave;
            // Bits count from the wave's first lane.
            let ballot = |lane: usize, holds: &dyn Fn(usize) -> bool| {
                let start = of_wave(lane).start;
                of_wave(lane).filter(|l| holds(*l)).map(|l| 1u64 << (l - start)).sum::<u64>()
            };
            for lane in 0..64 {
                let half = lane / 32;
                let in_branch = |l: usize| {
                    l / 32 == half && if half == 0 { l % 2 == 1 } else { l.is_multiple_of(3) }
                };
                assert_eq!(out.bits(lane), ballot(lane, &in_branch), "lane {lane} {options:?}");
                let rounds: u64 = (0..lane % 4)
                    .map(|i| (of_wave(lane).filter(|l| l % 4 > i).count() as u64) << (16 * i))
                    .sum();
                assert_eq!(out.bits(64 + lane), rounds, "lane {lane} {options:?}");
                assert_eq!(
                    out.bits(128 + lane),
                    ballot(lane, &|_| true),
                    "lane {lane} {options:?}"
                );
                let any = of_wave(lane).contains(&40);
                let all = of_wave(lane).end <= 50;
                let votes = u64::from(any) * 10 + u64::from(all);
                assert_eq!(out.bits(192 + lane), votes, "lane {lane} {options:?}");
                let left = if lane % 5 == 1 { 0 } else { ballot(lane, &|l| l % 5 != 1) };
                assert_eq!(out.bits(256 + lane), left, "lane {lane} {options:?}");
            }
        }
    }
}

#[test]
fn logical_warps_of_a_wide_wave_go_their_own_ways() {
    let suite = suite();
    let expected: Vec<i64> = (0..160)
        .map(|thread: i64| {
            let warp = thread / 32;
            // The first round sums the threads' numbers, later ones 32 times a uniform value.
            let mut value = warp * 32 * 32 + 496;
            for i in 1..=warp {
                value = value * 32 + i;
            }
            (value + 32 * (warp % 2)) as i32 as i64
        })
        .collect();
    for warp in [32, 64] {
        for options in options(warp) {
            let out = suite.run_with("logical", &options).output("logical").unwrap().to_i64();
            assert_eq!(out, expected, "{options:?}");
        }
    }
}

#[test]
fn builtins_know_the_wave() {
    let suite = suite();
    for wave in [32u64, 64] {
        let run = suite.run_with("builtins", &options(wave as u32)[0]);
        let out = run.output("builtins").unwrap();
        for thread in 0..64 {
            let lane = thread as u64 % wave;
            assert_eq!(out.bits(thread), lane);
            assert_eq!(out.bits(64 + thread), 5);
            assert_eq!(out.bits(128 + thread), (lane + 3) % wave * 2);
            assert_eq!(out.bits(192 + thread), wave);
            assert_eq!(out.bits(256 + thread), wave);
        }
    }
}

#[test]
fn a_mask_that_names_lanes_elsewhere_is_an_error() {
    let suite = suite();
    for warp in [32, 64] {
        let (kind, message) = suite.error("members_missing", &options(warp)[0]);
        assert_eq!(kind, "mask-violation", "{message}");
        assert!(message.contains("lanes 0-15") && message.contains("0-31 expected"), "{message}");
    }
}

#[test]
fn a_shuffle_does_without_lanes_that_nobody_reads() {
    let suite = suite();
    for warp in [32, 64] {
        let run = suite.run_with("sources_missing", &options(warp)[0]);
        let out = run.output("missing").unwrap().to_i64();
        assert_eq!(out[..16], [5; 16]);
        for lane in 0..16 {
            // Poison where the source is elsewhere.
            let expected = if lane + 8 < 16 { lane + 8 } else { -1 };
            assert_eq!(out[16 + lane as usize], expected);
        }
        let notes: Vec<_> = run.notes.iter().map(|note| (&note.kind[..], note.count)).collect();
        assert_eq!(notes, [("undefined-shuffle", 8)]);
    }
}

#[test]
fn the_width_may_be_a_constant() {
    let suite = Suite::new(
        "constant_wave.hip",
        "[buffers]\nout = { dtype = \"i32\", shape = [3], init = \"zeros\", out = true }\n\
         [[launch]]\nkernel = \"lanes\"\ngrid = [1]\nblock = [128]\nargs = [\"out\"]",
    );
    for (warp, expected) in [(32, [4, 32, 32]), (64, [2, 64, 64])] {
        let options = RunOptions { warp, ..RunOptions::default() };
        assert_eq!(suite.run_with("lanes", &options).output("out").unwrap().to_i64(), expected);
    }
}
