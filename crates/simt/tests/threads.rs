//! Blocks on several threads of the host: whatever their number, the result is that of one.

use port_diag::FileId;
use port_float::Profile;
use port_simt::{Argument, Fault, Launch, Memory, Options, Outcome, Program, Schedule};

const BLOCKS: u32 = 48;
const THREADS: u32 = 64;
const WORDS: usize = 1 << 14;

/// A program that does so much beside its body that threads are worth it.
fn program(body: &str) -> Program {
    let text = format!(
        "variable @s: shared [64 x f32]
variable @counter: global u32

kernel @k(%out: ptr global of u32) {{
  local $wait: u32
  local $x: u32

  store $wait, 0u32
  loop while {{
    %100: u32 = load $wait
    %101 = lt %100, 1000u32
    test %101
  }} do {{
    %102 = iadd %100, 1u32
    store $wait, %102
  }}
  %103 = imul block.x, block_dim.x
  %i = iadd %103, thread.x
{body}
}}
"
    )
    .replace("%i ", "%104 ")
    .replace("%i\n", "%104\n")
    .replace("%i,", "%104,");
    let module = port_ir::parse(&text, FileId(0)).expect("the text is IR");
    let info = port_ir::validate(&module).unwrap_or_else(|errors| panic!("{errors:?}"));
    let flat = port_ir::passes::flatten(&module, &info);
    let profile = Profile::named("cpu").expect("the profile is known");
    let module = port_float::resolve(&flat, &profile);
    let kernel = module.kernels().next().expect("there is a kernel").0;
    Program::new(&module, kernel, &profile).expect("the kernel is supported")
}

/// The outcome, and all memory.
fn run(program: &Program, options: &Options) -> (Result<Outcome, Fault>, Vec<Vec<u8>>) {
    let mut memory = Memory::new();
    let bytes = (0..WORDS as u32).flat_map(|word| (word.wrapping_mul(2654435761)).to_le_bytes());
    let out = memory.add("out", bytes.collect());
    let mut launch = Launch::new([BLOCKS, 1, 1], [THREADS, 1, 1]);
    launch.arguments = vec![Argument::Buffer { id: out, offset: 0 }];
    let outcome = program.run(&mut memory, &launch, options);
    let counter = memory.symbol("counter");
    let counter = counter.map_or(Vec::new(), |id| memory.bytes(id).to_vec());
    (outcome, vec![memory.bytes(out).to_vec(), counter])
}

/// Runs a body with several numbers of threads; gives how many were used.
fn same(body: &str, options: &Options) -> usize {
    let program = program(body);
    let (expected, memory) = run(&program, options);
    let mut used = 0;
    for threads in [2, 3, 5, 100] {
        let (mut outcome, got) = run(&program, &Options { threads, ..options.clone() });
        let count = match &mut outcome {
            Ok(outcome) => &mut outcome.threads,
            Err(fault) => &mut fault.outcome.threads,
        };
        used = used.max(std::mem::replace(count, 1));
        assert!(got == memory, "other bytes on {threads} threads: {body}");
        assert_eq!(outcome, expected, "on {threads} threads: {body}");
    }
    used
}

/// Whether several threads get to run blocks. One may have run all of them before the system starts
/// another, so that this is tried more than once.
fn run_together(body: &str, options: &Options) -> bool {
    (0..100).any(|_| same(body, options) > 1)
}

const OWN: &str = "  %0 = element u32 %out, %i
  %1: u32 = load %0
  %2 = iadd %1, %i
  store %0, %2
";

#[test]
fn blocks_that_share_nothing_run_together() {
    assert!(run_together(OWN, &Options::default()));
    let reversed = Options { schedule: Schedule::Reversed, ..Options::default() };
    assert!(run_together(OWN, &reversed));
    // Sums in shared memory, by lanes of one warp.
    let sums = "  %0 = element u32 %out, %i
  %1: u32 = load %0
  %2 = itof %1 to f32
  %3: f32 = shuffle.xor %2, 16i32 mask 0xffffffffu32
  %4 = fadd %2, %3
  %5 = element f32 @s, thread.x
  store %5, %4
  barrier.block
  %6 = xor thread.x, 63u32
  %7 = element f32 @s, %6
  %8: f32 = load %7
  %9 = bits %8 to u32
  store %0, %9
";
    assert!(run_together(sums, &Options::default()));
}

/// Pages are copied when they are first read: what was written there before stays, byte by byte, and the
/// rest is what it was.
#[test]
fn what_was_written_stays_where_the_rest_of_the_page_is_read() {
    let body = "  %0 = imul %i, 4u32
  %1 = element u32 %out, %0
  %2 = truncate %i to u8
  store %1, %2
  %3 = iadd %0, 1u32
  %4 = element u32 %out, %3
  store %4, %i
  %5: u32 = load %1
  %6 = iadd %0, 2u32
  %7 = element u32 %out, %6
  %8: u32 = load %7
  %9: u32 = load %4
  %10 = iadd %5, %8
  %11 = iadd %9, %10
  store %7, %11
";
    assert!(run_together(body, &Options::default()));
}

/// Parts of words, and of most words: what lies between is what it was.
const PARTS: &str = "  %0 = imul %i, 16u32
  %1 = truncate %i to u8
  %2 = irem %i, 5u32
  %3 = iadd %0, %2
  %4 = element u8 %out, %3
  store %4, %1
  %5 = iadd %0, 9u32
  %6 = element u8 %out, %5
  %7: u8 = load %6
  %8 = iadd %7, %1
  store %6, %8
";

/// Nearly all words, each at least once.
const MOST: &str = "  %0 = irem %i, 61u32
  %1 = ne %0, 0u32
  if %1 {
    %2 = imul %i, 4u32
    %3 = element u32 %out, %2
    store %3, %i
    %4 = iadd %2, 1u32
    %5 = element u32 %out, %4
    store %5, %0
    %6 = iadd %2, 2u32
    %7 = element u32 %out, %6
    store %7, %2
    %8 = iadd %2, 3u32
    %9 = element u32 %out, %8
    store %9, %4
  }
";

#[test]
fn parts_of_words_and_holes_between_them_stay_what_they_were() {
    assert!(run_together(PARTS, &Options::default()));
    assert!(run_together(MOST, &Options::default()));
}

/// Launches use the room of those before: what these left there must not be seen.
#[test]
fn nothing_of_a_launch_is_left_for_the_next() {
    let programs = [OWN, PARTS, MOST, OWN, MOST, PARTS].map(program);
    let run = |threads: usize| {
        let mut memory = Memory::new();
        // Where one thread's copy became the buffer, the next launch must not take it for room.
        let out = memory.add("out", vec![3; 4 * WORDS]);
        let other = memory.add("other", vec![5; 4 * WORDS]);
        let mut seen = Vec::new();
        let mut used = 0;
        for (number, program) in programs.iter().enumerate() {
            let mut launch = Launch::new([BLOCKS, 1, 1], [THREADS, 1, 1]);
            let id = if number % 3 == 2 { other } else { out };
            launch.arguments = vec![Argument::Buffer { id, offset: 0 }];
            let outcome =
                program.run(&mut memory, &launch, &Options { threads, ..Options::default() });
            used = used.max(outcome.expect("it runs").threads);
            for (place, byte) in memory.bytes_mut(out).iter_mut().enumerate().step_by(7) {
                *byte ^= (place * (number + 1)) as u8;
            }
            seen.push((memory.bytes(out).to_vec(), memory.bytes(other).to_vec()));
        }
        (seen, used)
    };
    let (expected, _) = run(1);
    let mut most = 0;
    for _ in 0..100 {
        for threads in [2, 3, 7] {
            let (seen, used) = run(threads);
            assert!(seen == expected, "other bytes on {threads} threads");
            most = most.max(used);
        }
        if most > 1 {
            return;
        }
    }
    panic!("one thread ran all blocks");
}

#[test]
fn atomics_whose_order_does_not_matter_run_together() {
    let changes = ["add", "sub", "min", "max", "and", "or", "xor"];
    for (number, change) in changes.into_iter().enumerate() {
        let body = format!(
            "  %0 = irem %i, 97u32
  %1 = imul %i, 2246822519u32
  %2 = element u32 %out, %0
  atomic.{change}.relaxed.device %2, %1
  atomic.add.relaxed.device @counter, 3u32
"
        );
        assert!(run_together(&body, &Options::default()), "{number}");
    }
}

#[test]
fn what_depends_on_an_order_runs_in_turn() {
    let bodies = [
        // The old value is used.
        "  %0: u32 = atomic.add.relaxed.device @counter, 1u32
  %1 = element u32 %out, %i
  store %1, %0
",
        // Sums of floats.
        "  %0 = irem %i, 7u32
  %1 = element f32 %out, %0
  %2 = itof %i to f32
  %3 = fmul %2, 0.1f32
  atomic.add.relaxed.device %1, %3
",
        // The last block's value stays.
        "  %0 = element u32 %out, thread.x
  store %0, block.x
",
        // Each block reads what the one before wrote.
        "  %0 = iadd block.x, 1u32
  %1 = element u32 %out, block.x
  %2: u32 = load %1
  %3 = element u32 %out, %0
  %4 = imul %2, 31u32
  %5 = iadd %4, 7u32
  store %3, %5
",
        // Two kinds of changes to one word.
        "  %0 = and block.x, 1u32
  %1 = eq %0, 0u32
  if %1 {
    atomic.add.relaxed.device @counter, 5u32
  } else {
    atomic.xor.relaxed.device @counter, 0x55u32
  }
",
        // A change, and the value of a block that comes late.
        "  atomic.add.relaxed.device @counter, 5u32
  %0 = eq block.x, 31u32
  if %0 {
    %1: u32 = load @counter
    %2 = element u32 %out, thread.x
    store %2, %1
  }
",
    ];
    for body in bodies {
        assert_eq!(same(body, &Options::default()), 1, "{body}");
        let reversed = Options { schedule: Schedule::Reversed, ..Options::default() };
        assert_eq!(same(body, &reversed), 1, "{body}");
    }
    same(bodies[0], &Options { schedule: Schedule::Seeded(7), ..Options::default() });
}

#[test]
fn what_is_printed_comes_in_order() {
    let print = "  %0 = eq thread.x, 5u32
  if %0 {
    print \"block %u\\n\", block.x
  }
";
    assert!(run_together(print, &Options::default()));
    same(print, &Options { print_limit: 100, ..Options::default() });
}

#[test]
fn faults_and_fuel_are_those_of_one_thread() {
    // Block 40 writes outside.
    let outside = "  %0 = eq block.x, 40u32
  %1 = select %0, 100000u32, %i
  %2 = element u32 %out, %1
  store %2, block.x
";
    same(outside, &Options::default());
    for fuel in [1000, 10_000, 20_000] {
        same(OWN, &Options { fuel, ..Options::default() });
    }
}

#[test]
fn a_variable_that_nobody_set_is_no_reason_to_differ() {
    let unset = "  %0 = irem block.x, 3u32
  %1 = eq %0, 0u32
  if %1 {
    store $x, block.x
  }
  %2: u32 = load $x
  %3 = element u32 %out, %i
  store %3, %2
";
    assert_eq!(same(unset, &Options::default()), 1);
    // A lane that is not there.
    let shuffle = "  %0 = lt thread.x, 5u32
  if %0 {
    %1 = imul %i, 3u32
    %2: u32 = shuffle.down %1, 1u32 mask 0xffffffffu32
    %3 = element u32 %out, %i
    store %3, %2
  }
";
    same(shuffle, &Options::default());
}
