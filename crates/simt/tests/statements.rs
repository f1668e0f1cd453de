//! Every kind of statement and operation, executed; expected values are worked out by hand from the
//! documentation of the IR.

use port_diag::FileId;
use port_float::Profile;
use port_simt::{
    Argument, Checks, Fault, FaultKind, FindingKind, Launch, Memory, Options, Outcome, Program,
    Schedule,
};

fn compiled(text: &str) -> Program {
    let module = port_ir::parse(text, FileId(0)).expect("the text is IR");
    let info = port_ir::validate(&module).unwrap_or_else(|errors| panic!("{errors:?}"));
    let flat = port_ir::passes::flatten(&module, &info);
    let profile = Profile::named("cpu").expect("the profile is known");
    let module = port_float::resolve(&flat, &profile);
    let kernel = module.kernels().next().expect("there is a kernel").0;
    Program::new(&module, kernel, &profile).expect("the kernel is supported")
}

/// Runs a kernel whose only parameter is a buffer of words.
fn run(
    text: &str,
    words: usize,
    block: u32,
    options: &Options,
) -> (Result<Outcome, Fault>, Vec<u32>) {
    let program = compiled(text);
    let mut memory = Memory::new();
    let out = memory.add("out", vec![0; 4 * words]);
    let mut launch = Launch::new([1, 1, 1], [block, 1, 1]);
    launch.arguments = vec![Argument::Buffer { id: out, offset: 0 }];
    launch.dynamic_shared = 64;
    let outcome = program.run(&mut memory, &launch, options);
    let bytes = memory.bytes(out).chunks_exact(4);
    (outcome, bytes.map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
}

/// A body over `%out`, `%i` (the thread) and `%p` (its word), run by `block` threads.
fn words(body: &str, block: u32) -> Vec<u32> {
    let text = format!(
        "variable @shared: shared [64 x u32]
variable @extra: shared dynamic u32
variable @table: constant [4 x u8] = \"01020304\"
variable @counter: global u32

kernel @k(%out: ptr global of u32) {{
{body}
}}
"
    );
    let (outcome, words) = run(&text, block as usize, block, &Options::default());
    outcome.unwrap_or_else(|fault| panic!("{fault:?}"));
    words
}

fn each(block: u32, value: impl Fn(u32) -> u32) -> Vec<u32> {
    (0..block).map(value).collect()
}

#[test]
fn integers_wrap_and_shift_as_documented() {
    let got = words(
        "  %0 = element u32 %out, thread.x
  %1 = imul thread.x, 0x80000001u32
  %2 = bits %1 to i32
  %3 = shr %2, 40u32
  %4 = shl %1, 33u32
  %5 = shr %1, 31u32
  %6 = idiv %2, 0i32
  %7 = bits %3 to u32
  %8 = iadd %7, %4
  %9 = iadd %8, %5
  store %0, %9
",
        40,
    );
    // Odd threads are negative: all ones, 0, and the sign as a 1, whose sum is 0; for even ones all
    // three are 0.
    assert_eq!(got, each(40, |_| 0));
}

#[test]
fn narrow_integers_keep_their_range() {
    let got = words(
        "  %0 = element u32 %out, thread.x
  %1 = truncate thread.x to u8
  %2 = imul %1, 100u8
  %3 = bits %2 to i8
  %4 = sext %3 to i32
  %5 = bits %4 to u32
  store %0, %5
",
        20,
    );
    assert_eq!(got, each(20, |i| (i * 100) as u8 as i8 as i32 as u32));
}

#[test]
fn lanes_part_and_meet_again() {
    let got = words(
        "  local $sum: u32
  local $i: u32
  %0 = element u32 %out, thread.x
  store $sum, 0u32
  store $i, 0u32
  loop while {
    %1: u32 = load $i
    %2 = lt %1, thread.x
    test %2
  } do {
    %3 = and %1, 1u32
    %4 = eq %3, 0u32
    if %4 {
      continue
    }
    %5 = gt %1, 20u32
    if %5 {
      break
    }
    %6: u32 = load $sum
    %7 = iadd %6, %1
    store $sum, %7
  } step {
    %8 = iadd %1, 1u32
    store $i, %8
  }
  %9: u32 = load $sum
  %10: u32 = load $i
  %11 = imul %10, 1000u32
  %12 = iadd %9, %11
  store %0, %12
",
        40,
    );
    let expected = each(40, |n| {
        let (mut sum, mut i) = (0, 0);
        while i < n {
            if i % 2 == 1 {
                if i > 20 {
                    break;
                }
                sum += i;
            }
            i += 1;
        }
        sum + 1000 * i
    });
    assert_eq!(got, expected);
}

#[test]
fn switches_fall_through() {
    let got = words(
        "  local $x: u32
  %0 = element u32 %out, thread.x
  store $x, 0u32
  %1 = irem thread.x, 6u32
  switch %1 {
    case 0u32, 4u32 {
      store $x, 10u32
    } fallthrough
    case 1u32 {
      %2: u32 = load $x
      %3 = iadd %2, 1u32
      store $x, %3
    }
    case 2u32 {
      %4 = lt thread.x, 6u32
      if %4 {
        break
      }
      store $x, 7u32
    }
    case default {
      store $x, 99u32
    }
  }
  %5: u32 = load $x
  store %0, %5
",
        24,
    );
    let expected = each(24, |i| match i % 6 {
        0 | 4 => 11,
        1 => 1,
        2 if i < 6 => 0,
        2 => 7,
        _ => 99,
    });
    assert_eq!(got, expected);
}

#[test]
fn a_default_that_shares_its_arm() {
    let got = words(
        "  local $x: u32
  %0 = element u32 %out, thread.x
  store $x, 0u32
  switch thread.x {
    case 1u32 {
      store $x, 5u32
    }
    case 2u32, default {
      store $x, 6u32
    }
    case 3u32 {
      store $x, 7u32
    }
  }
  %1: u32 = load $x
  store %0, %1
",
        20,
    );
    assert_eq!(
        got,
        each(20, |i| if i == 1 {
            5
        } else if i == 3 {
            7
        } else {
            6
        })
    );
}

#[test]
fn lanes_take_a_lock_from_each_other() {
    // Each lane spins until the lock is free, adds, and frees it: lanes that advance together would
    // wait for ever.
    let text = "variable @lock: shared u32
variable @sum: shared u32

kernel @k(%out: ptr global of u32) {
  %0 = eq thread.x, 0u32
  if %0 {
    store @lock, 0u32
    store @sum, 0u32
  }
  barrier.block
  loop do {
  } while {
    %1: u32 = atomic.compare_exchange.relaxed.device @lock, 0u32, 1u32
    %2 = ne %1, 0u32
    test %2
  }
  %3: u32 = load.volatile @sum
  %4 = iadd %3, 1u32
  store.volatile @sum, %4
  fence.sequential.device
  %5: u32 = atomic.exchange.relaxed.device @lock, 0u32
  barrier.block
  %6 = element u32 %out, thread.x
  %7: u32 = load.volatile @sum
  store %6, %7
}
";
    let options = Options { fuel: 10_000_000, ..Options::default() };
    let (outcome, got) = run(text, 40, 40, &options);
    outcome.expect("it ends");
    assert_eq!(got, each(40, |_| 40));
}

#[test]
fn do_while_tests_after_each_pass() {
    let got = words(
        "  local $i: u32
  %0 = element u32 %out, thread.x
  store $i, 0u32
  loop do {
    %1: u32 = load $i
    %2 = iadd %1, 3u32
    store $i, %2
  } while {
    %3: u32 = load $i
    %4 = lt %3, thread.x
    test %4
  }
  %5: u32 = load $i
  store %0, %5
",
        20,
    );
    assert_eq!(got, each(20, |n| 3 * n.div_ceil(3).max(1)));
}

#[test]
fn local_arrays_are_each_threads_own() {
    let got = words(
        "  local $a: [8 x u32]
  local $i: u32
  %0 = element u32 %out, thread.x
  store $i, 0u32
  loop while {
    %1: u32 = load $i
    %2 = lt %1, 8u32
    test %2
  } do {
    %3 = element u32 $a, %1
    %4 = imul thread.x, %1
    store %3, %4
  } step {
    %5 = iadd %1, 1u32
    store $i, %5
  }
  %6 = and thread.x, 7u32
  %7 = element u32 $a, %6
  %8: u32 = load %7
  store %0, %8
",
        33,
    );
    assert_eq!(got, each(33, |i| i * (i & 7)));
}

#[test]
fn shared_memory_and_barriers() {
    let got = words(
        "  %0 = element u32 %out, thread.x
  %1 = element u32 @shared, thread.x
  store %1, thread.x
  barrier.block
  %2 = isub 63u32, thread.x
  %3 = element u32 @shared, %2
  %4: u32 = load %3
  %5 = lt %4, 10u32
  %6: i32 = barrier.block count %5
  %7: bool = barrier.block or %5
  %8: bool = barrier.block and %5
  %9 = zext %7 to u32
  %10 = zext %8 to u32
  %11 = bits %6 to u32
  %12 = imul %11, 100u32
  %13 = iadd %4, %12
  %14 = imul %9, 10000u32
  %15 = iadd %13, %14
  %16 = imul %10, 100000u32
  %17 = iadd %15, %16
  store %0, %17
",
        64,
    );
    assert_eq!(got, each(64, |i| 63 - i + 1000 + 10000));
}

#[test]
fn dynamic_shared_memory_and_constants() {
    let got = words(
        "  %0 = element u32 %out, thread.x
  %1 = element u32 @extra, thread.x
  %2 = and thread.x, 3u32
  %3 = element u8 @table, %2
  %4: u8 = load %3
  %5 = zext %4 to u32
  store %1, %5
  barrier.block
  %6 = xor thread.x, 1u32
  %7 = element u32 @extra, %6
  %8: u32 = load %7
  store %0, %8
",
        16,
    );
    assert_eq!(got, each(16, |i| ((i ^ 1) & 3) + 1));
}

#[test]
fn shuffles_of_all_modes() {
    let got = words(
        "  %0 = element u32 %out, thread.x
  %1: u32 = shuffle.up thread.x, 3u32 mask 0xffffffffu32
  %2: u32, %3: bool = shuffle.down thread.x, 2u32 mask 0xffffffffu32 width 8i32
  %4: u32 = shuffle.xor thread.x, 5u32 mask 0xffffffffu32
  %5: u32 = shuffle.index thread.x, 9u32 mask 0xffffffffu32 width 8i32
  %6 = imul %2, 100u32
  %7 = imul %4, 10000u32
  %8 = imul %5, 1000000u32
  %9 = zext %3 to u32
  %10 = imul %9, 100000000u32
  %11 = iadd %1, %6
  %12 = iadd %11, %7
  %13 = iadd %12, %8
  %14 = iadd %13, %10
  store %0, %14
",
        32,
    );
    let expected = each(32, |i| {
        let up = if i >= 3 { i - 3 } else { i };
        let in_range = i % 8 + 2 <= 7;
        let down = if in_range { i + 2 } else { i };
        let index = i / 8 * 8 + 1;
        up + 100 * down + 10000 * (i ^ 5) + 1_000_000 * index + u32::from(in_range) * 100_000_000
    });
    assert_eq!(got, expected);
}

#[test]
fn shuffles_by_any_distance_in_groups_of_any_width() {
    // A value that is no progression of the thread's number, so that lanes are moved one by one.
    let value = |i: u32| i.wrapping_mul(i).wrapping_add(7);
    for mode in ["up", "down", "xor", "index"] {
        for width in [4, 8, 16, 32] {
            for by in [0u32, 1, 2, 3, 4, 7, 8, 12, 15, 16, 17, 24, 31] {
                let got = words(
                    &format!(
                        "  %0 = element u32 %out, thread.x
  %1 = imul thread.x, thread.x
  %2 = iadd %1, 7u32
  %3: u32 = shuffle.{mode} %2, {by}u32 mask 0xffffffffu32 width {width}i32
  store %0, %3
"
                    ),
                    96,
                );
                let expected = each(96, |i| {
                    let (first, place) = (i - i % width, i % width);
                    let (warp, last) = (i - i % 32, i % 32 - place + width - 1);
                    value(match mode {
                        "up" if place >= by => i - by,
                        "down" if place + by < width => i + by,
                        // As documented for the device: a lower group may be read, a higher not.
                        "xor" if (i % 32) ^ by <= last => warp + ((i % 32) ^ by),
                        "index" => first + by % width,
                        _ => i,
                    })
                });
                assert_eq!(got, expected, "{mode} by {by} in {width}");
            }
        }
    }
}

#[test]
fn votes_matches_and_reductions() {
    let got = words(
        "  local $x: u32
  %0 = element u32 %out, thread.x
  %1 = irem thread.x, 3u32
  %2 = eq %1, 0u32
  %3: u32 = vote.ballot %2 mask 0xffffffffu32
  %4: u32 = match.any %1 mask 0xffffffffu32
  %5: u32 = reduce.max thread.x mask 0xffffffffu32
  %6 = lt lane, 5u32
  store $x, 0u32
  if %6 {
    %7: u32 = active_mask
    %8: bool = elect
    %9 = zext %8 to u32
    %10 = iadd %7, %9
    store $x, %10
  }
  %11: u32 = load $x
  %12 = xor %3, %4
  %13 = xor %12, %5
  %14 = xor %13, %11
  store %0, %14
",
        64,
    );
    let expected = each(64, |i| {
        let warp = i / 32 * 32;
        let mask = |wanted: u32| {
            (0..32).filter(|l| (warp + l) % 3 == wanted).fold(0u32, |m, l| m | 1 << l)
        };
        let lane = i % 32;
        let own = if lane < 5 { 31 + u32::from(lane == 0) } else { 0 };
        mask(0) ^ mask(i % 3) ^ (warp + 31) ^ own
    });
    assert_eq!(got, expected);
}

#[test]
fn atomics_count_and_give_what_was_there() {
    let text = "variable @counter: global u32

kernel @k(%out: ptr global of u32) {
  %0 = element u32 %out, thread.x
  %1: u32 = atomic.add.relaxed.device @counter, 2u32
  store %0, %1
}
";
    let (outcome, got) = run(text, 32, 32, &Options::default());
    outcome.expect("it runs");
    assert_eq!(got, each(32, |i| 2 * i));
    let reversed = Options { schedule: Schedule::Reversed, ..Options::default() };
    let (outcome, got) = run(text, 32, 32, &reversed);
    outcome.expect("it runs");
    assert_eq!(got, each(32, |i| 2 * (31 - i)));
    let seeded = Options { schedule: Schedule::Seeded(3), ..Options::default() };
    let (outcome, mut got) = run(text, 32, 32, &seeded);
    outcome.expect("it runs");
    assert_ne!(got, each(32, |i| 2 * i));
    got.sort_unstable();
    assert_eq!(got, each(32, |i| 2 * i));
}

#[test]
fn atomics_of_other_kinds() {
    let got = words(
        "  %0 = element u32 %out, thread.x
  store %0, 7u32
  atomic.max.relaxed.device %0, thread.x
  %1: u32 = atomic.increment_wrap.relaxed.device %0, 20u32
  %2: u32 = atomic.compare_exchange.relaxed.device %0, 8u32, 100u32
  %3: u32 = load %0
  %4 = imul %2, 1000u32
  %5 = iadd %4, %3
  store %0, %5
",
        32,
    );
    let expected = each(32, |i| {
        let value = i.max(7);
        let value = if value >= 20 { 0 } else { value + 1 };
        1000 * value + if value == 8 { 100 } else { value }
    });
    assert_eq!(got, expected);
}

#[test]
fn pointers_go_through_memory_and_integers() {
    let got = words(
        "  local $p: ptr generic
  local $q: [2 x ptr generic]
  %0 = element u32 %out, thread.x
  %1 = space %0 to ptr generic
  %2 = and thread.x, 1u32
  %3 = element ptr generic $q, %2
  store %3, %1
  %4: ptr generic = load %3
  %5 = ptrtoint %4 to u64
  %6 = iadd %5, 4u64
  %7 = isub %6, 4u64
  %8 = inttoptr %7 to ptr global
  %9 = eq %8, %0
  %10 = zext %9 to u32
  store %8, %10
",
        20,
    );
    assert_eq!(got, each(20, |_| 1));
}

#[test]
fn structs_vectors_and_unions() {
    let text = "struct #Pair size 8 align 4 {
  a: u32 at 0
  b: f32 at 4
}

struct #Bits size 4 align 4 {
  f: f32 at 0
  u: u32 at 0
}

kernel @k(%out: ptr global of u32) {
  local $pair: #Pair
  local $v: u32x4
  %0 = element u32 %out, thread.x
  %1 = itof thread.x to f32
  %2 = compose #Pair (thread.x, %1)
  store $pair, %2
  %3 = insert zero(#Bits)[0], %1
  %4 = extract %3[1]
  %5 = splat u32x4 thread.x
  %6 = compose u32x4 (1u32, 2u32, 3u32, 4u32)
  %7 = imul %5, %6
  store $v, %7
  %8 = element u32 $v, 2i32
  %9: u32 = load %8
  %10 = member #Pair[1] $pair
  %11: f32 = load %10
  %12 = ftoi %11 to u32
  %13 = iadd %9, %12
  %14 = xor %13, %4
  store %0, %14
}
";
    let (outcome, got) = run(text, 17, 17, &Options::default());
    outcome.expect("it runs");
    assert_eq!(got, each(17, |i| (4 * i) ^ (i as f32).to_bits()));
}

#[test]
fn calls_that_return_from_loops() {
    let text = "function @find(%n: u32) -> u32 {
  local $i: u32
  store $i, 0u32
  loop while {
    %0: u32 = load $i
    %1 = lt %0, 10u32
    test %1
  } do {
    %2 = imul %0, %0
    %3 = ge %2, %n
    if %3 {
      return %0
    }
  } step {
    %4 = iadd %0, 1u32
    store $i, %4
  }
  return 77u32
}

kernel @k(%out: ptr global of u32) {
  %0 = element u32 %out, thread.x
  %1: u32 = call @find(thread.x)
  %2 = iadd thread.x, 90u32
  %3: u32 = call @find(%2)
  %4 = imul %3, 100u32
  %5 = iadd %1, %4
  store %0, %5
}
";
    let (outcome, got) = run(text, 40, 40, &Options::default());
    outcome.expect("it runs");
    let find = |n: u32| (0..10).find(|i| i * i >= n).unwrap_or(77);
    assert_eq!(got, each(40, |i| find(i) + 100 * find(i + 90)));
}

#[test]
fn copies_fills_and_async_copies() {
    let got = words(
        "  local $a: [4 x u32]
  %0 = element u32 %out, thread.x
  fill $a, 0x11i32, 16u64
  %1 = element u32 $a, 1u32
  store %1, thread.x
  %2 = imul thread.x, 16u32
  %3 = element u8 @shared, %2
  copy %3, $a, 16u64
  %4 = element u8 %3, 4u32
  %5 = element u8 @extra, 0u32
  async_copy @extra, %out bytes 8 of 4i32
  async_commit
  async_wait
  barrier.block
  %6: u32 = load %4
  %7: u32 = load %3
  %8 = iadd %6, %7
  store %0, %8
",
        8,
    );
    assert_eq!(got, each(8, |i| i + 0x1111_1111));
}

#[test]
fn printf_prints_lane_by_lane() {
    let text = "kernel @k(%out: ptr global of u32) {
  %0 = bits thread.x to i32
  %1 = isub %0, 1i32
  %2 = itof %1 to f64
  %3 = fdiv %2, 3.0f64
  print \"%d|%5.2f|%-4u|%x|%e|%g%%\\n\", %1, %3, thread.x, 0xabcu32, %3, 0.5f64
}
";
    let (outcome, _) = run(text, 1, 2, &Options::default());
    let printed = String::from_utf8(outcome.expect("it runs").printed).expect("text");
    let expected = "-1|-0.33|0   |abc|-3.333333e-01|0.5%\n0| 0.00|1   |abc|0.000000e+00|0.5%\n";
    assert_eq!(printed, expected);
}

#[test]
fn faults_name_object_place_and_thread() {
    let text = "kernel @k(%out: ptr global of u32) {
  %0 = iadd thread.x, 3u32
  %1 = element u32 %out, %0
  store %1, 1u32
}
";
    let (outcome, got) = run(text, 20, 20, &Options::default());
    let fault = outcome.expect_err("thread 17 stores past the end");
    let FaultKind::OutOfBounds(access) = &fault.kind else { panic!("{fault:?}") };
    assert_eq!((access.space, access.object.as_str()), ("global", "out"));
    assert_eq!((access.offset, access.bytes, access.size, access.writes), (80, 4, 80, true));
    assert_eq!((fault.block, fault.thread), (Some([0; 3]), Some([17, 0, 0])));
    assert_eq!(got[3], 1);

    let checks = Options { checks: Checks::ALL, ..Options::default() };
    let (outcome, _) = run(text, 20, 20, &checks);
    let findings = outcome.expect("it goes on").findings;
    assert_eq!(findings.len(), 3);
    assert!(matches!(findings[0].kind, FindingKind::OutOfBounds(_)));
    assert_eq!(findings[2].who.thread, [19, 0, 0]);
}

#[test]
fn endless_loops_end() {
    let text = "kernel @k(%out: ptr global of u32) {
  loop do {
    store %out, 1u32
  } while {
  }
}
";
    let options = Options { fuel: 10_000, ..Options::default() };
    let (outcome, _) = run(text, 1, 32, &options);
    assert_eq!(outcome.expect_err("it never ends").kind, FaultKind::Fuel);
}

#[test]
fn printing_takes_its_time() {
    let text = "kernel @k(%out: ptr global of u32) {
  print \"a line\\n\"
}
";
    // A line of each thread takes longer than the few instructions around it.
    let options = Options { fuel: 4_000, ..Options::default() };
    let (outcome, _) = run(text, 1, 32, &options);
    assert_eq!(outcome.expect_err("32 lines take longer").kind, FaultKind::Fuel);
    let (outcome, _) = run(text, 1, 32, &Options::default());
    assert_eq!(outcome.expect("it ends").printed.len(), 32 * "a line\n".len());
}

#[test]
fn warps_wait_for_each_other() {
    // Warp 1 sets what warp 0 polls.
    let text = "variable @flag: shared u32

kernel @k(%out: ptr global of u32) {
  %0 = eq thread.x, 0u32
  if %0 {
    store @flag, 0u32
  }
  barrier.block
  %1 = idiv thread.x, 32u32
  %2 = eq %1, 0u32
  if %2 {
    loop while {
      %3: u32 = load.volatile @flag
      %4 = eq %3, 0u32
      test %4
    } do {
    }
  } else {
    store.volatile @flag, 5u32
  }
  %5 = element u32 %out, thread.x
  %6: u32 = load.volatile @flag
  store %5, %6
}
";
    let options = Options { fuel: 10_000_000, ..Options::default() };
    let (outcome, got) = run(text, 64, 64, &options);
    outcome.expect("it ends");
    assert_eq!(got, each(64, |_| 5));
}

#[test]
fn barriers_in_both_arms_restart_by_warps() {
    let text = "variable @shared: shared [64 x u32]

kernel @k(%out: ptr global of u32) {
  %0 = element u32 @shared, thread.x
  %1 = xor thread.x, 32u32
  %2 = element u32 @shared, %1
  %3 = element u32 %out, thread.x
  %4 = lt thread.x, 32u32
  if %4 {
    store %0, 1u32
    barrier.block
    %5: u32 = load %2
    store %3, %5
  } else {
    store %0, 2u32
    barrier.block
    %6: u32 = load %2
    store %3, %6
  }
}
";
    let (outcome, got) = run(text, 64, 64, &Options::default());
    outcome.expect("it ends");
    assert_eq!(got, each(64, |i| if i < 32 { 2 } else { 1 }));
}

#[test]
fn grids_wait_for_all_blocks() {
    let program = compiled(
        "kernel @k(%out: ptr global of u32) {
  %0 = element u32 %out, block.x
  store %0, block.x
  barrier.grid
  %1 = isub 3u32, block.x
  %2 = element u32 %out, %1
  %3: u32 = load %2
  barrier.grid
  %4 = imul %3, 10u32
  store %0, %4
}
",
    );
    let mut memory = Memory::new();
    let out = memory.add("out", vec![0; 16]);
    let mut launch = Launch::new([4, 1, 1], [1, 1, 1]);
    launch.arguments = vec![Argument::Buffer { id: out, offset: 0 }];
    program.run(&mut memory, &launch, &Options::default()).expect("it runs");
    let got: Vec<u8> = memory.bytes(out).iter().step_by(4).copied().collect();
    assert_eq!(got, [30, 20, 10, 0]);
}

#[test]
fn divisions_by_zero_are_found() {
    let text = "kernel @k(%out: ptr global of u32) {
  %0 = element u32 %out, thread.x
  %1 = irem thread.x, 5u32
  %2 = idiv 100u32, %1
  store %0, %2
}
";
    let options = Options { checks: Checks::ALL, ..Options::default() };
    let (outcome, _) = run(text, 16, 16, &options);
    let findings = outcome.expect("it goes on").findings;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].kind, FindingKind::DivisionByZero);
    assert_eq!((findings[0].who.thread, findings[0].threads), ([0, 0, 0], 4));
}
