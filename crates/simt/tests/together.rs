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

/// What a kernel leaves and how it ends, as it is compiled and, with points, instruction by
/// instruction: nothing is joined, unrolled or computed once for several there.
fn same_as_one_by_one(parameters: &str, body: &str) {
    let text = format!(
        "variable @s: shared [256 x f32]

kernel @k({parameters}) {{
  local $s: f32
  local $k: i32
  local $m: i32

  %0 = imul block.x, block_dim.x
  %1 = iadd %0, thread.x
  %2 = bits %1 to i32
  store $s, 0.5f32
{body}
}}
"
    );
    let module =
        port_ir::parse(&text, FileId(0)).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    if let Err(errors) = port_ir::validate(&module) {
        panic!("{errors:?}\n{text}");
    }
    for profile in ["cpu", "cuda:sm_80", "cuda:sm_80+fast-math"] {
        let profile = Profile::named(profile).expect("the profile is known");
        let module = port_float::resolve(&module, &profile);
        let kernel = module.kernels().next().expect("there is a kernel").0;
        let programs = [
            Program::new(&module, kernel, &profile).expect("it is supported"),
            Program::traced(&module, kernel, &profile).expect("it is supported"),
        ];
        for (grid, block) in [(7, 256), (5, 100), (3, 16)] {
            let [fast, slow] = programs.each_ref().map(|program| {
                let mut memory = Memory::new();
                let word = |i: u32| i.wrapping_mul(2_654_435_761) >> 9;
                let value = |i| (word(i) as f32 / (1 << 22) as f32 - 1.0).to_le_bytes();
                let x = memory.add("x", (0..4096).flat_map(value).collect());
                let out = memory.add("out", (9..4105).flat_map(value).collect());
                let mut launch = Launch::new([grid, 1, 1], [block, 1, 1]);
                let buffer = |id| Argument::Buffer { id, offset: 0 };
                launch.arguments = vec![buffer(out), buffer(x)];
                let end = program.run(&mut memory, &launch, &Options::default());
                let end = end
                    .map(|outcome| outcome.printed)
                    .map_err(|fault| (fault.kind, fault.location, fault.block, fault.thread));
                (end, memory.bytes(out).to_vec(), memory.bytes(x).to_vec())
            });
            assert_eq!(fast.0, slow.0, "{text}");
            assert!(fast == slow, "other bytes with {block} threads:\n{text}");
        }
    }
}

const BUFFERS: &str = "%out: ptr global of f32, %x: ptr global of f32";

#[test]
fn loops_pass_by_pass() {
    for (first, compare, last, step) in [
        ("0", "lt", "7", "iadd %50, 1i32"),
        ("10", "gt", "-2", "isub %50, 3i32"),
        ("1", "le", "9", "imul %50, 2i32"),
        ("0", "ne", "12", "iadd %50, 4i32"),
        ("64", "ge", "1", "shr %50, 1i32"),
        ("5", "lt", "5", "iadd %50, 1i32"),
        ("0", "lt", "200", "iadd %50, 1i32"),
        ("2147483646", "gt", "0", "iadd %50, 1i32"),
    ] {
        for inner in ["", "  barrier.block\n"] {
            same_as_one_by_one(
                BUFFERS,
                &format!(
                    "  store $k, {first}i32
  loop while {{
    %10: i32 = load $k
    %11 = {compare} %10, {last}i32
    test %11
  }} do {{
{inner}    %12: i32 = load $k
    %13 = imul %12, 5i32
    %14 = iadd %13, %2
    %15 = and %14, 1023i32
    %16 = element f32 %x, %15
    %17: f32 = load %16
    store $m, 0i32
    loop while {{
      %20: i32 = load $m
      %21 = lt %20, 3i32
      test %21
    }} do {{
      %22 = iadd %20, %10
      %23 = and %22, 4095i32
      %24 = element f32 %x, %23
      %25: f32 = load %24
      %26: f32 = load $s
      %27 = fmul.contract %25, %17
      %28 = fadd.contract %26, %27
      store $s, %28
    }} step {{
      %29: i32 = load $m
      %30 = iadd %29, 1i32
      store $m, %30
    }}
  }} step {{
    %50: i32 = load $k
    %51 = {step}
    store $k, %51
  }}
  %60: i32 = load $k
  %61 = itof %60 to f32
  %62: f32 = load $s
  %63 = fadd.contract %61, %62
  %64 = element f32 %out, %2
  store %64, %63"
                ),
            );
        }
    }
}

#[test]
fn counters_of_another_type() {
    // Below zero, what is read as unsigned is large.
    for (store, load) in [("i32", "i32"), ("i32", "u32")] {
        same_as_one_by_one(
            BUFFERS,
            &format!(
                "  store $k, -3{store}
  loop while {{
    %10: {load} = load $k
    %11 = lt %10, 4{load}
    test %11
  }} do {{
    %12: f32 = load $s
    %13 = fadd %12, 1.0f32
    store $s, %13
  }} step {{
    %14: i32 = load $k
    %15 = iadd %14, 1i32
    store $k, %15
  }}
  %16: f32 = load $s
  %17 = element f32 %out, %2
  store %17, %16"
            ),
        );
    }
}

#[test]
fn operands_from_memory() {
    let end = "  %90 = element f32 %out, %2\n  store %90, %89";
    let pointers = "  %10 = element f32 %x, %2\n  %11 = iadd %2, 17i32\n  %12 = element f32 %x, %11
  %13 = imul %2, 2i32\n  %14 = element f32 %x, %13\n  %15 = element f32 %x, block.x
  %16 = element f32 %out, %2\n  %17 = iadd %2, 3000i32\n  %18 = element f32 %x, %17
  %19 = element f32 @s, thread.x\n  %20 = xor %2, 5i32\n  %21 = element f32 %x, %20\n";
    for body in [
        // Two neighbours; with one place for all; with places that are apart; a gather.
        "  %70: f32 = load %10\n  %71: f32 = load %12\n  %89 = fadd %70, %71",
        "  %70: f32 = load %15\n  %71: f32 = load %12\n  %72 = fmul.contract %70, %71
  %73: f32 = load $s\n  %89 = fadd.contract %73, %72",
        "  %70: f32 = load %14\n  %71: f32 = load %12\n  %72 = fmul.contract %70, %71
  %73: f32 = load %10\n  %89 = fadd.contract %72, %73",
        "  %70: f32 = load %21\n  %71: f32 = load %10\n  %89 = fadd %71, %70",
        // All one place.
        "  %70: f32 = load %15\n  %71: f32 = load %x\n  %89 = fadd %70, %71",
        // A chain; loads come before it.
        "  %70: f32 = load %10\n  %71: f32 = load %12\n  %72: f32 = load %15\n  %73: f32 = load %14
  %74 = fadd %70, %71\n  %75 = fadd %74, %72\n  %89 = fadd %75, %73",
        // What was loaded is not what is there later.
        "  %70: f32 = load %16\n  store %16, 5.0f32\n  %71: f32 = load %10\n  %89 = fadd %70, %71",
        "  %70: f32 = load %10\n  store %19, %70\n  barrier.block\n  %71: f32 = load %19
  %72 = xor thread.x, 3u32\n  %73 = element f32 @s, %72\n  %74: f32 = load %73
  barrier.block\n  store %19, 1.0f32\n  %89 = fadd %71, %74",
        // A chain that begins before the first element, and goes on behind the last.
        "  %61 = isub %2, 40i32\n  %62 = element f32 %x, %61\n  %70: f32 = load %62
  %71: f32 = load %10\n  %72: f32 = load %18\n  %73 = fadd %70, %71\n  %89 = fadd %73, %72",
        // Outside, for some of the threads: of the first load, of the second.
        "  %70: f32 = load %18\n  %71: f32 = load %10\n  %89 = fadd %70, %71",
        "  %70: f32 = load %10\n  %71: f32 = load %18\n  %89 = fadd %70, %71",
    ] {
        same_as_one_by_one(BUFFERS, &format!("{pointers}{body}\n{end}"));
        for some in [
            "  %80 = irem thread.x, 3u32\n  %81 = ne %80, 1u32\n",
            // Whole chunks are not active, some of them outside.
            "  %79 = isub %2, 40i32\n  %80 = bits %79 to u32\n  %81 = lt %80, 960u32\n",
        ] {
            if !body.contains("barrier") {
                let text = format!("{pointers}{some}  if %81 {{\n{body}\n{end}\n  }}");
                same_as_one_by_one(BUFFERS, &text);
            }
        }
    }
}
