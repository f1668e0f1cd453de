//! The checks while a kernel runs: planted faults are found with the right statements on both sides,
//! and what is right stays without a finding. A comment `; A` marks a line of a kernel.

#![allow(clippy::result_large_err, reason = "the machine's own result")]

use port_diag::FileId;
use port_float::Profile;
use port_ir::Location;
use port_simt::{
    Argument, Checks, Fault, FaultKind, Finding, FindingKind, Launch, Memory, Options, Outcome,
    Program, Schedule,
};

const VARIABLES: &str = "variable @s: shared [256 x u32]
variable @t: shared [16 x [17 x u32]]
variable @bytes: shared [256 x u8]
variable @dynamic: shared dynamic u32
variable @counter: global u32
variable @flag: global u32
variable @table: constant [4 x u32]
";

fn program(text: &str) -> Program {
    let module = match port_ir::parse(text, FileId(0)) {
        Ok(module) => module,
        Err(error) => panic!("{error:?}\n{text}"),
    };
    let info = port_ir::validate(&module).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let flat = port_ir::passes::flatten(&module, &info);
    let profile = Profile::named("cpu").expect("the profile is known");
    let module = port_float::resolve(&flat, &profile);
    let kernel = module.kernels().next().expect("there is a kernel").0;
    Program::new(&module, kernel, &profile).expect("the kernel is supported")
}

fn source(body: &str) -> String {
    let parameters = "%out: ptr global of u32, %in: ptr global of u32, %fresh: ptr global of u32";
    format!("{VARIABLES}\nkernel @k({parameters}) {{\n{body}\n}}\n")
}

fn options() -> Options {
    Options { checks: Checks::ALL, fuel: 1_000_000, ..Options::default() }
}

/// Runs a body over the buffers `out`, `in` (the numbers from 0) and `fresh`, which nobody wrote, of
/// 1024 words each.
fn run(text: &str, grid: u32, block: [u32; 3], options: &Options) -> Result<Outcome, Fault> {
    let program = program(text);
    let mut memory = Memory::new();
    let numbers: Vec<u8> = (0..1024u32).flat_map(u32::to_le_bytes).collect();
    let out = memory.add("out", vec![0; 4096]);
    let input = memory.add("in", numbers);
    let fresh = memory.add_uninitialised("fresh", 4096);
    let mut launch = Launch::new([grid, 1, 1], block);
    launch.dynamic_shared = 256;
    launch.arguments =
        [out, input, fresh].into_iter().map(|id| Argument::Buffer { id, offset: 0 }).collect();
    program.run(&mut memory, &launch, options)
}

/// The mark of a statement's line, or its number.
fn mark(text: &str, location: Location) -> String {
    let start = location.origin.span.start as usize;
    let line = text[..start].matches('\n').count();
    let content = text.lines().nth(line).unwrap_or("");
    content.split_once("; ").map_or(format!("line {line}: {content}"), |(_, mark)| mark.to_owned())
}

fn name(finding: &Finding) -> &'static str {
    match finding.kind {
        FindingKind::OutOfBounds(_) => "outside",
        FindingKind::Misaligned(..) => "misaligned",
        FindingKind::Uninitialised(_) => "unwritten",
        FindingKind::Race(_) => "race",
        FindingKind::DivergentBarrier { .. } => "divergent",
        FindingKind::MissingLanes { .. } => "missing lanes",
        FindingKind::InactiveLane { .. } => "inactive lane",
        FindingKind::DivisionByZero => "zero",
    }
}

fn findings(body: &str, grid: u32, block: [u32; 3], options: &Options) -> Vec<(String, Finding)> {
    let text = source(body);
    let outcome = match run(&text, grid, block, options) {
        Ok(outcome) => outcome,
        Err(fault) => panic!("{:?} at {:?}", fault.kind, fault.location.map(|l| mark(&text, l))),
    };
    let describe = |finding: &Finding| {
        let access = |writes: bool| if writes { "write" } else { "read" };
        let here = mark(&text, finding.who.location);
        match &finding.other {
            Some(other) if name(finding) == "race" => {
                let (own, its) = (access(finding.who.writes), access(other.writes));
                format!("race: {own} {here}, {its} {}", mark(&text, other.location))
            }
            Some(other) => format!("{} {here}, {}", name(finding), mark(&text, other.location)),
            None => format!("{} {here}", name(finding)),
        }
    };
    outcome.findings.iter().map(|finding| (describe(finding), finding.clone())).collect()
}

/// The body has exactly these findings, in every schedule.
#[track_caller]
fn expect(body: &str, grid: u32, block: u32, expected: &[&str]) {
    for schedule in [Schedule::InOrder, Schedule::Reversed, Schedule::Seeded(3)] {
        let options = Options { schedule, ..options() };
        let found = findings(body, grid, [block, 1, 1], &options);
        let mut texts: Vec<&str> = found.iter().map(|(text, _)| text.as_str()).collect();
        texts.dedup();
        assert_eq!(texts, expected, "{schedule:?} {found:#?}");
    }
}

#[track_caller]
fn clean(body: &str, grid: u32, block: u32) {
    expect(body, grid, block, &[]);
}

/// `%1` is the thread's word of `@s`, `%2` that of the thread beside it.
const NEIGHBOUR: &str = "  %1 = element u32 @s, thread.x
  %10 = xor thread.x, 1u32
  %2 = element u32 @s, %10
  %3 = element u32 %out, thread.x
";

#[test]
fn a_missing_barrier_is_a_race() {
    let body = format!(
        "{NEIGHBOUR}  store %1, thread.x ; A
  %4: u32 = load %2 ; B
  store %3, %4"
    );
    expect(&body, 1, 64, &["race: read B, write A"]);
    let found = findings(&body, 1, [64, 1, 1], &options());
    let (who, other) = (found[0].1.who, found[0].1.other.expect("a race has two sides"));
    assert_eq!((who.thread, other.thread), ([0, 0, 0], [1, 0, 0]));
    let FindingKind::Race(access) = &found[0].1.kind else { panic!("{found:?}") };
    assert_eq!((access.object.as_str(), access.offset, access.bytes), ("s", 4, 4));
    assert_eq!((access.space, access.size), ("shared", 1024));
}

#[test]
fn barriers_order_blocks_and_warp_barriers_order_warps() {
    let with = |between: &str| {
        format!(
            "{NEIGHBOUR}  store %1, thread.x ; A
  {between}
  %4: u32 = load %2 ; B
  store %3, %4"
        )
    };
    clean(&with("barrier.block"), 4, 96);
    clean(&with("barrier.warp mask 0xffffffffu32"), 4, 96);
    // Pairs meet.
    let pairs = "%5 = and lane, 30u32
  %6 = shl 3u32, %5
  barrier.warp mask %6";
    clean(&with(pairs), 2, 64);
    // Lanes that exchange are in different groups.
    let shifted = "%5 = iadd lane, 1u32
  %6 = and %5, 30u32
  %7 = shl 1u32, lane
  barrier.warp mask %7";
    expect(&with(shifted), 1, 32, &["race: read B, write A"]);
    // Shuffles order no memory.
    let shuffle = "%5: u32 = shuffle.xor thread.x, 1u32 mask 0xffffffffu32";
    expect(&with(shuffle), 1, 32, &["race: read B, write A"]);
    // Other warps do not take part.
    let far = "  %1 = element u32 @s, thread.x
  %10 = xor thread.x, 32u32
  %2 = element u32 @s, %10
  store %1, thread.x ; A
  barrier.warp mask 0xffffffffu32
  %4: u32 = load %2 ; B
  %3 = element u32 %out, thread.x
  store %3, %4";
    expect(far, 1, 64, &["race: read B, write A"]);
}

#[test]
fn shared_memory_that_is_used_again_needs_a_second_barrier() {
    let body = |second: &str| {
        format!(
            "{NEIGHBOUR}  local $i: u32
  store $i, 0u32
  loop while {{
    %20: u32 = load $i
    %21 = lt %20, 4u32
    test %21
  }} do {{
    %22: u32 = load $i
    %23 = iadd %22, thread.x
    store %1, %23 ; A
    barrier.block
    %4: u32 = load %2 ; B
    store %3, %4
    {second}
  }} step {{
    %24: u32 = load $i
    %25 = iadd %24, 1u32
    store $i, %25
  }}"
        )
        .replacen("  local $i: u32\n", "", 1)
    };
    let text = |second: &str| format!("  local $i: u32\n{}", body(second));
    clean(&text("barrier.block"), 1, 128);
    expect(&text(""), 1, 128, &["race: write A, read B"]);
}

#[test]
fn double_buffers_need_one_barrier() {
    let body = "  local $i: u32
  store $i, 0u32
  loop while {
    %1: u32 = load $i
    %2 = lt %1, 6u32
    test %2
  } do {
    %3: u32 = load $i
    %4 = and %3, 1u32
    %5 = imul %4, 64u32
    %6 = iadd %5, thread.x
    %7 = element u32 @s, %6
    store %7, %3
    barrier.block
    %8 = xor thread.x, 33u32
    %9 = iadd %5, %8
    %10 = element u32 @s, %9
    %11: u32 = load %10
    %12 = element u32 %out, thread.x
    store %12, %11
  } step {
    %13: u32 = load $i
    %14 = iadd %13, 1u32
    store $i, %14
  }";
    clean(body, 1, 64);
}

#[test]
fn columns_of_padded_tiles() {
    let body = |barrier: &str| {
        format!(
            "  %0 = element [17 x u32] @t, thread.y
  %1 = element u32 %0, thread.x
  %2 = element [17 x u32] @t, thread.x
  %3 = element u32 %2, thread.y
  store %1, thread.x ; A
  {barrier}
  %4: u32 = load %3 ; B
  %5 = imul thread.y, 16u32
  %6 = iadd %5, thread.x
  %7 = element u32 %out, %6
  store %7, %4"
        )
    };
    let found = findings(&body("barrier.block"), 1, [16, 16, 1], &options());
    assert_eq!(found, []);
    let found = findings(&body(""), 1, [16, 16, 1], &options());
    assert_eq!(found.iter().map(|f| f.0.as_str()).collect::<Vec<_>>(), ["race: read B, write A"]);
}

#[test]
fn neighbouring_bytes_are_different_places() {
    let body = "  %0 = element u8 @bytes, thread.x
  %1 = truncate thread.x to u8
  store %0, %1
  %2: u8 = load %0
  %3 = zext %2 to u32
  %4 = element u32 %out, thread.x
  store %4, %3
  barrier.block
  %5 = element u32 @bytes, thread.x
  %6 = lt thread.x, 16u32
  if %6 {
    %7: u32 = load %5
    store %4, %7
  }";
    clean(body, 1, 64);
}

#[test]
fn words_that_are_read_as_bytes() {
    // Thread 17 writes bytes 68 to 71, which threads 68 to 71 read.
    let body = |barrier: &str, width: &str, step: u32| {
        format!(
            "  %0 = element u32 @s, thread.x
  store %0, thread.x ; A
  {barrier}
  %1 = imul thread.x, {step}u32
  %2 = element u8 @s, %1
  %3: {width} = load %2 ; B
  %4 = zext %3 to u32
  %5 = element u32 %out, thread.x
  store %5, %4"
        )
    };
    for (width, step) in [("u8", 1), ("u16", 2)] {
        clean(&body("barrier.block", width, step), 2, 128);
        expect(&body("", width, step), 1, 128, &["race: read B, write A"]);
        let found = findings(&body("", width, step), 1, [128, 1, 1], &options());
        let (who, other) = (found[0].1.who, found[0].1.other.expect("a race has two sides"));
        // The first lane that reads another's word.
        assert_eq!((who.thread, other.thread), ([1, 0, 0], [0, 0, 0]));
        let FindingKind::Race(access) = &found[0].1.kind else { panic!("{found:?}") };
        assert_eq!(access.offset, i64::from(step));
    }
    // Threads that wrote by columns, in cells.
    let cells = "  %0 = imul thread.x, 9u32
  %1 = and %0, 63u32
  %2 = element u32 @s, %1
  store %2, 1u32 ; A
  %3 = imul thread.x, 4u32
  %4 = element u8 @s, %3
  %5: u8 = load %4 ; B
  %6 = zext %5 to u32
  %7 = element u32 %out, thread.x
  store %7, %6";
    expect(cells, 1, 64, &["race: read B, write A"]);
}

#[test]
fn writes_of_one_value_are_none_but_others_are() {
    let store = |value: &str| format!("  store %out, {value} ; A");
    clean(&store("7u32"), 4, 64);
    clean(&store("block_dim.x"), 4, 64);
    expect(&store("thread.x"), 1, 64, &["race: write A, write A"]);
    // Each thread reads what it wrote itself, or another the same.
    let own = "  store @s, 3u32 ; A
  %0: u32 = load @s
  %1 = element u32 %out, thread.x
  store %1, %0
  %2 = lt thread.x, 5u32
  if %2 {
    store @flag, 1u32 ; C
  }
  %3: u32 = load @flag ; B
  store %1, %3";
    expect(own, 1, 64, &["race: read B, write C"]);
    // Lanes of one instruction that meet in one place.
    let scatter = |value: &str| {
        format!(
            "  %0 = shr thread.x, 1u32
  %1 = element u32 %out, %0
  store %1, {value} ; A"
        )
    };
    expect(&scatter("thread.x"), 1, 32, &["race: write A, write A"]);
    clean(&scatter("%0"), 1, 32);
}

#[test]
fn blocks_are_ordered_by_nothing() {
    let overlap = "  %0 = imul block.x, 60u32
  %1 = iadd %0, thread.x
  %2 = element u32 %out, %1
  %3 = iadd %1, block.x
  store %2, %3 ; A";
    expect(overlap, 2, 64, &["race: write A, write A"]);
    // Each block reads the first word of the next, which that one overwrites.
    let halo = "  %0 = imul block.x, 64u32
  %1 = iadd %0, thread.x
  %2 = element u32 %in, %1
  %3 = iadd %1, 1u32
  %4 = element u32 %in, %3
  %5: u32 = load %4 ; A
  barrier.block
  store %2, %5 ; B";
    let found = findings(halo, 3, [64, 1, 1], &options());
    assert_eq!(found.iter().map(|f| f.0.as_str()).collect::<Vec<_>>(), ["race: write B, read A"]);
    let race = &found[0].1;
    let other = race.other.expect("a race has two sides");
    assert_eq!((race.who.block, race.who.thread), ([1, 0, 0], [0, 0, 0]));
    assert_eq!((other.block, other.thread), ([0, 0, 0], [63, 0, 0]));
    let strided = "  local $i: u32
  %0 = imul block.x, block_dim.x
  %1 = iadd %0, thread.x
  store $i, %1
  loop while {
    %2: u32 = load $i
    %3 = lt %2, 1000u32
    test %3
  } do {
    %4 = element u32 %in, %2
    %5: u32 = load %4
    store %4, %5
  } step {
    %6 = imul grid_dim.x, block_dim.x
    %7 = iadd %2, %6
    store $i, %7
  }";
    clean(strided, 3, 50);
}

#[test]
fn vectors_of_lanes_that_touch_are_apart() {
    let body = "  %0 = imul thread.x, 4u32
  %1 = element u32 %in, %0
  %2: u32x4 = load %1
  %3 = element u32 %out, %0
  store %3, %2
  %4: u32x4 = load %3
  store %3, %4";
    clean(body, 1, 256);
    let odd = "  %0 = imul thread.x, 3u32
  %1 = element u32 %out, %0
  store %1, thread.x ; A
  %2 = imul thread.x, 4u32
  %3 = element u32 %out, %2
  store %3, thread.x ; B";
    expect(odd, 1, 64, &["race: write B, write A"]);
}

#[test]
fn atomics_exclude_each_other_but_not_plain_accesses() {
    let histogram = "  %0 = and thread.x, 7u32
  %1 = element u32 @s, thread.x
  store %1, 0u32
  barrier.block
  %2 = element u32 @s, %0
  atomic.add.relaxed.device %2, 1u32
  barrier.block
  %3: u32 = load %1
  %4 = element u32 %out, thread.x
  atomic.add.relaxed.device %4, %3";
    clean(histogram, 4, 64);
    let mixed = "  %0 = eq thread.x, 40u32
  atomic.add.relaxed.device %out, 1u32 ; A
  if %0 {
    %1: u32 = load %out ; B
    store @s, %1
  }";
    expect(mixed, 1, 64, &["race: read B, write A"]);
}

/// Each block writes its part; the last one that comes reads all.
fn last_block(fence: &str, write: &str) -> String {
    format!(
        "  local $last: bool
  %0 = eq thread.x, 0u32
  %1 = element u32 %out, block.x
  {write}
  if %0 {{
    {fence}
    %2: u32 = atomic.increment_wrap.relaxed.device @counter, 0xffffu32
    %3 = isub grid_dim.x, 1u32
    %4 = eq %2, %3
    %5 = zext %4 to u32
    store @s, %5
  }}
  barrier.block
  %6: u32 = load @s
  %7 = ne %6, 0u32
  if %7 {{
    %8 = element u32 %out, thread.x
    %9: u32 = load %8 ; B
    %10 = iadd thread.x, 100u32
    %11 = element u32 %out, %10
    store %11, %9
    if %0 {{
      store @counter, 0u32
    }}
  }}"
    )
    .replacen("  local $last: bool\n", "", 1)
}

#[test]
fn the_last_block_sees_what_was_published() {
    let by_one = "if %0 {
    store %1, block.x ; A
  }";
    let fence = "fence.sequential.device";
    clean(&last_block(fence, by_one), 8, 8);
    let races = ["race: read B, write A"];
    expect(&last_block("", by_one), 8, 8, &races);
    expect(&last_block("fence.sequential.block", by_one), 8, 8, &races);
    // Others wrote before a barrier; or each has its own fence before it.
    let by_another = "%20 = eq thread.x, 5u32
  if %20 {
    store %1, block.x ; A
  }
  barrier.block";
    clean(&last_block(fence, by_another), 8, 8);
    expect(&last_block("", by_another), 8, 8, &races);
    let each = "%20 = eq thread.x, 5u32
  if %20 {
    store %1, block.x ; A
  }
  fence.sequential.device
  barrier.block";
    clean(&last_block("", each), 8, 64);
    // No barrier between the writer and the fence.
    let unordered = "%20 = eq thread.x, 5u32
  if %20 {
    store %1, block.x ; A
  }";
    expect(&last_block(fence, unordered), 8, 8, &races);
}

/// The warps of a block take turns at a lock.
fn lock(release: &str) -> String {
    format!(
        "  local $done: bool
  %0 = eq lane, 0u32
  store $done, false
  if %0 {{
    loop while {{
      %1: bool = load $done
      %2 = not %1
      test %2
    }} do {{
      %3: u32 = atomic.compare_exchange.relaxed.device @flag, 0u32, 1u32
      %4 = eq %3, 0u32
      if %4 {{
        %5: u32 = load %out ; A
        %6 = iadd %5, 1u32
        store %out, %6 ; B
        {release}
        store $done, true
      }}
    }}
  }}"
    )
}

#[test]
fn locks_order_what_they_protect() {
    let exchange = "%7: u32 = atomic.exchange.relaxed.device @flag, 0u32";
    clean(&lock(&format!("fence.sequential.device\n        {exchange}")), 4, 128);
    clean(&lock("fence.sequential.device\n        store.volatile @flag, 0u32"), 4, 128);
    clean(&lock("%7: u32 = atomic.exchange.release.device @flag, 0u32"), 4, 128);
    let found = findings(&lock(exchange), 2, [64, 1, 1], &options());
    let texts: Vec<&str> = found.iter().map(|f| f.0.as_str()).collect();
    assert!(texts.contains(&"race: read A, write B"), "{texts:?}");
}

#[test]
fn flags_between_warps() {
    // One warp writes and raises a flag, another polls it.
    let body = |fence: &str| {
        format!(
            "  local $seen: u32
  %0 = lt thread.x, 32u32
  if %0 {{
    %1 = element u32 @s, thread.x
    store %1, thread.x ; A
    barrier.warp mask 0xffffffffu32
    %2 = eq thread.x, 0u32
    if %2 {{
      {fence}
      store.volatile @flag, 1u32
    }}
  }} else {{
    store $seen, 0u32
    loop while {{
      %3: u32 = load $seen
      %4 = eq %3, 0u32
      test %4
    }} do {{
      %5: u32 = load.volatile @flag
      store $seen, %5
    }}
    fence.sequential.block
    %6 = isub 63u32, thread.x
    %7 = element u32 @s, %6
    %8: u32 = load %7 ; B
    %9 = element u32 %out, thread.x
    store %9, %8
  }}"
        )
    };
    clean(&body("fence.sequential.device"), 1, 64);
    expect(&body(""), 1, 64, &["race: read B, write A"]);
}

#[test]
fn warp_synchronous_code() {
    let body = |meet: &str| {
        format!(
            "  %0 = element u32 @s, thread.x
  %1 = iadd thread.x, 16u32
  %2 = and %1, 31u32
  %3 = element u32 @s, %2
  store.volatile %0, thread.x ; A
  {meet}
  %4: u32 = load.volatile %3 ; B
  {meet}
  store.volatile %0, %4 ; C"
        )
    };
    clean(&body("barrier.warp mask 0xffffffffu32"), 2, 32);
    let races = ["race: read B, write A", "race: write C, read B"];
    expect(&body(""), 1, 32, &races);
}

#[test]
fn what_nobody_wrote() {
    let shared = "  %0 = lt thread.x, 20u32
  %1 = element u32 @s, thread.x
  if %0 {
    store %1, 1u32
  }
  %2: u32 = load %1 ; A
  %3 = element u32 %out, thread.x
  store %3, %2";
    expect(shared, 1, 32, &["unwritten A"]);
    let found = findings(shared, 1, [32, 1, 1], &options());
    assert_eq!(found[0].1.who.thread, [20, 0, 0]);
    clean(shared, 1, 20);
    let dynamic = "  %0 = element u32 @dynamic, thread.x
  %1: u32 = load %0 ; A
  store %out, 1u32";
    expect(dynamic, 1, 32, &["unwritten A"]);
    let buffer = "  %0 = element u32 %fresh, thread.x
  %1 = lt thread.x, 10u32
  if %1 {
    store %0, 1u32
  }
  barrier.block
  %2 = element u32 %fresh, 10u32
  %3: u32 = load %2 ; A
  store %out, 1u32";
    expect(buffer, 1, 32, &["unwritten A"]);
    let partly = "  %0 = element u8 @bytes, 1u32
  %1 = eq thread.x, 0u32
  if %1 {
    store %0, 1u8
    %2: u16 = load @bytes ; A
  }";
    expect(partly, 1, 32, &["unwritten A"]);
    let local = "  local $a: [8 x u32]
  %0 = and thread.x, 7u32
  %1 = element u32 $a, %0
  store %1, 5u32
  %2 = xor %0, 4u32
  %3 = element u32 $a, %2
  %4: u32 = load %3 ; A
  %5: u32 = load %1
  %6 = element u32 %out, thread.x
  %7 = iadd %4, %5
  store %6, %7";
    expect(local, 1, 32, &["unwritten A"]);
    // The next block begins anew.
    let again = "  %0 = eq block.x, 0u32
  %1 = element u32 @s, thread.x
  if %0 {
    store %1, 1u32
  }
  %2: u32 = load %1 ; A";
    let found = findings(again, 2, [32, 1, 1], &options());
    assert_eq!(found[0].1.who.block, [1, 0, 0]);
}

#[test]
fn copies_pass_on_what_was_not_written() {
    let body = "  %0 = element u32 %fresh, thread.x
  %1 = element u32 @s, thread.x
  %2 = and thread.x, 1u32
  %3 = eq %2, 0u32
  if %3 {
    store %0, 4u32
  }
  copy %1, %0, 4u64
  if %3 {
    %4: u32 = load %1
    store %0, %4
  } else {
    %5: u32 = load %1 ; A
    store %0, %5
  }";
    expect(body, 1, 32, &["unwritten A"]);
    let found = findings(body, 1, [32, 1, 1], &options());
    assert_eq!(found[0].1.who.thread, [1, 0, 0]);
}

#[test]
fn outside_misaligned_null_and_constant() {
    let body = "  %0 = iadd thread.x, 1000u32
  %1 = element u32 %out, %0
  store %1, 1u32 ; A";
    let found = findings(body, 1, [32, 1, 1], &options());
    assert_eq!(found[0].0, "outside A");
    assert_eq!(found[0].1.who.thread, [24, 0, 0]);
    let FindingKind::OutOfBounds(access) = &found[0].1.kind else { panic!("{found:?}") };
    assert_eq!((access.object.as_str(), access.offset, access.size), ("out", 4096, 4096));
    let vector = "  %0 = element u32 %in, thread.x
  %1 = eq thread.x, 1u32
  if %1 {
    %2: u32x4 = load %0 ; A
    store %out, %2
  }";
    expect(vector, 1, 32, &["misaligned A"]);
    let found = findings(vector, 1, [32, 1, 1], &options());
    assert_eq!(found[0].1.who.thread, [1, 0, 0]);
    assert!(matches!(found[0].1.kind, FindingKind::Misaligned(_, 16)), "{found:?}");
    let access = |body: &str| {
        let found = findings(body, 1, [1, 1, 1], &options());
        let FindingKind::OutOfBounds(access) = &found[0].1.kind else { panic!("{found:?}") };
        assert_eq!(found[0].0, "outside A");
        access.clone()
    };
    let constant = "  %0 = space @table to ptr generic
  store %0, 1u32 ; A
  %1 = element u32 @table, thread.x
  %2: u32 = load %1
  store %out, %2";
    assert_eq!((access(constant).space, access(constant).writes), ("constant", true));
    let null = "  %0 = inttoptr 0u64 to ptr global
  %1 = element u32 %0, thread.x
  store %1, 1u32 ; A";
    assert_eq!(access(null).space, "null");
}

#[test]
fn barriers_that_some_threads_miss() {
    let half = "  %0 = lt thread.x, 16u32
  if %0 {
    barrier.block ; A
  }";
    expect(half, 1, 64, &["divergent A"]);
    let found = findings(half, 1, [64, 1, 1], &options());
    assert!(matches!(
        found[0].1.kind,
        FindingKind::DivergentBarrier { arrived: 16, expected: 32 | 64 }
    ));
    let two = "  %0 = lt thread.x, 32u32
  if %0 {
    barrier.block ; A
  } else {
    barrier.block ; B
  }";
    expect(two, 1, 64, &["divergent A, B"]);
    let returned = "  %0 = ge thread.x, 48u32
  if %0 {
    return
  }
  barrier.block";
    clean(returned, 1, 64);
}

#[test]
fn shuffles_votes_and_divisions() {
    let body = "  %0 = lt thread.x, 16u32
  if %0 {
    %1: u32 = shuffle.index thread.x, 20u32 mask 0xffffu32 ; A
    store @s, 1u32
  }";
    let found = findings(body, 1, [32, 1, 1], &options());
    assert_eq!(found[0].0, "inactive lane A");
    let body = "  %0 = lt thread.x, 16u32
  if %0 {
    %1: u32 = vote.ballot %0 mask 0xffffffffu32 ; A
    store @s, 1u32
  }";
    expect(body, 1, 32, &["missing lanes A"]);
    let reduction = "  %0: u32 = shuffle.down thread.x, 16u32 mask 0xffffffffu32
  %1: u32 = shuffle.xor %0, 8u32 mask 0xffffffffu32
  %2 = element u32 %out, thread.x
  store %2, %1";
    clean(reduction, 1, 64);
    let zero = "  %0 = idiv 7u32, thread.x ; A
  %1 = element u32 %out, thread.x
  store %1, %0";
    expect(zero, 1, 32, &["zero A"]);
}

#[test]
fn endless_loops_name_the_loop() {
    let text = source(
        "  store @s, 1u32
  loop do { ; A
    store @s, 1u32
  } while {
  }",
    );
    let fault = run(&text, 1, [32, 1, 1], &options()).expect_err("it never ends");
    assert_eq!(fault.kind, FaultKind::Fuel);
    assert_eq!(mark(&text, fault.location.expect("a place")), "A");
}

#[test]
fn grids_that_meet() {
    let body = |barrier: &str| {
        format!(
            "  %0 = imul block.x, 32u32
  %1 = iadd %0, thread.x
  %2 = element u32 %out, %1
  %8 = element u32 @s, thread.x
  store %8, %1
  store %2, %1 ; A
  {barrier}
  %3 = isub 127u32, %1
  %4 = element u32 %out, %3
  %5: u32 = load %4 ; B
  %6: u32 = load %8
  %9 = iadd %5, %6
  %7 = element u32 %in, %1
  store %7, %9"
        )
    };
    clean(&body("barrier.grid"), 4, 32);
    // Blocks that come later write what earlier ones read, and the other way round.
    expect(&body(""), 4, 32, &["race: write A, read B", "race: read B, write A"]);
}

/// A sum over the buffer `in`, which `set` sets before the loop, and `last` in it.
fn sum(set: &str, last: &str) -> String {
    format!(
        "  local $sum: u32
  local $i: u32
  local $before: u32
  {set}
  store $i, 0u32
  loop while {{
    %0: u32 = load $i
    %1 = lt %0, 8u32
    test %1
  }} do {{
    %2 = element u32 %in, %0
    %3: u32 = load %2
    {last}
    %4: u32 = load $sum ; A
    %5 = iadd %4, %3
    store $sum, %5
  }} step {{
    %6: u32 = load $i
    %7 = iadd %6, 1u32
    store $i, %7
  }}
  %8: u32 = load $sum
  %9 = element u32 %out, thread.x
  store %9, %8"
    )
}

#[test]
fn sums_that_nobody_set_to_zero() {
    expect(&sum("", ""), 1, 64, &["unwritten A"]);
    clean(&sum("store $sum, 0u32", ""), 1, 64);
    let half = "%10 = lt thread.x, 32u32
  if %10 {
    store $sum, 0u32
  }";
    // Some path sets it: not followed in registers.
    clean(&sum(half, ""), 1, 64);
    // A loop that remembers its last pass asks whether there was one.
    let remembers = "%10 = ne %0, 0u32
    if %10 {
      %11: u32 = load $before ; B
      %12 = iadd %11, %3
      store %2, %12
    }
    store $before, %3";
    clean(&sum("store $sum, 0u32", remembers), 1, 1);
    let forgets = remembers.replace("ne %0, 0u32", "ne %0, 3u32");
    expect(&sum("store $sum, 0u32", &forgets), 1, 1, &["unwritten B"]);
    let chosen = "%10 = ne %0, 0u32
    %11: u32 = load $before
    %12 = select %10, %11, 0u32
    store %2, %12
    store $before, %3";
    clean(&sum("store $sum, 0u32", chosen), 1, 1);
}

#[test]
fn a_launch_with_a_late_mistake_has_happened_once() {
    // Adding in place is seen if it happens twice. The last block has a race, or writes outside.
    let race = "  %4 = eq block.x, 7u32
  if %4 {
    store %in, thread.x ; A
  }";
    let outside = "  %4 = eq %1, 511u32
  %5 = select %4, 99999u32, 0u32
  %6 = element u32 %in, %5
  store %6, 5u32 ; A";
    for (tail, expected) in [(race, "race: write A, write A"), (outside, "outside A")] {
        let body = format!(
            "  %0 = imul block.x, block_dim.x
  %1 = iadd %0, thread.x
  %2 = element u32 %out, %1
  %3: u32 = load %2
  %9 = iadd %3, 3u32
  store %2, %9
{tail}"
        );
        let found = findings(&body, 8, [64, 1, 1], &options());
        let texts: Vec<&str> = found.iter().map(|(text, _)| text.as_str()).collect();
        assert!(texts.iter().all(|text| *text == expected) && !texts.is_empty(), "{texts:?}");
        let program = program(&source(&body));
        let mut memory = Memory::new();
        let numbers: Vec<u8> = (0..1024u32).flat_map(u32::to_le_bytes).collect();
        let [out, input, fresh] =
            ["out", "in", "fresh"].map(|name| memory.add(name, numbers.clone()));
        let mut launch = Launch::new([8, 1, 1], [64, 1, 1]);
        launch.dynamic_shared = 256;
        launch.arguments =
            [out, input, fresh].into_iter().map(|id| Argument::Buffer { id, offset: 0 }).collect();
        program.run(&mut memory, &launch, &options()).expect("findings do not end it");
        let words: Vec<u32> = memory
            .bytes(out)
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
            .collect();
        let value = |index: u32| if index < 512 { index + 3 } else { index };
        assert!(words.iter().zip(0..).all(|(word, index)| *word == value(index)), "{tail}");
    }
}
