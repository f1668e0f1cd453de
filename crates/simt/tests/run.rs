//! Programs in the IR's text form, executed; expected values are worked out by hand.

use port_diag::FileId;
use port_float::Profile;
use port_simt::{Argument, Launch, Memory, Options, Program};

fn program(text: &str) -> Program {
    let module = port_ir::parse(text, FileId(0)).expect("the text is IR");
    let info = port_ir::validate(&module).expect("the IR is valid");
    let flat = port_ir::passes::flatten(&module, &info);
    let profile = Profile::named("cpu").expect("the profile is known");
    let module = port_float::resolve(&flat, &profile);
    let kernel = module.kernels().next().expect("there is a kernel").0;
    Program::new(&module, kernel, &profile).expect("the kernel is supported")
}

fn floats(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

fn as_floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

#[test]
fn saxpy_with_a_guard() {
    let program = program(
        "kernel @saxpy(%y: ptr global of f32, %x: ptr global of f32, %a: f32, %n: i32) {
  %0 = imul block.x, block_dim.x
  %1 = iadd %0, thread.x
  %2 = bits %1 to i32
  %3 = lt %2, %n
  if %3 {
    %4 = element f32 %x, %2
    %5: f32 = load %4
    %6 = element f32 %y, %2
    %7: f32 = load %6
    %8 = fma %a, %5, %7
    store %6, %8
  }
}
",
    );
    let n = 1000;
    let mut memory = Memory::new();
    let x = memory.add("x", floats((0..n).map(|i| i as f32)));
    let y = memory.add("y", floats((0..n).map(|i| 0.5 * i as f32)));
    let mut launch = Launch::new([4, 1, 1], [256, 1, 1]);
    launch.arguments = vec![
        Argument::Buffer { id: y, offset: 0 },
        Argument::Buffer { id: x, offset: 0 },
        Argument::Bytes(2f32.to_le_bytes().to_vec()),
        Argument::Bytes(i32::to_le_bytes(n).to_vec()),
    ];
    let outcome = program.run(&mut memory, &launch, &Options::default()).expect("it runs");
    assert_eq!(outcome.counters.blocks, 4);
    let expected: Vec<f32> = (0..n).map(|i| 2.5 * i as f32).collect();
    assert_eq!(as_floats(memory.bytes(y)), expected);
}

#[test]
fn a_block_sums_through_shuffles_and_shared_memory() {
    let program = program(
        "variable @partial: shared [32 x f32]

kernel @sum(%out: ptr global of f32, %x: ptr global of f32, %n: i32) {
  local $sum: f32
  local $i: i32

  store $sum, 0.0f32
  %0 = bits thread.x to i32
  store $i, %0
  loop while {
    %1: i32 = load $i
    %2 = lt %1, %n
    test %2
  } do {
    %3 = element f32 %x, %1
    %4: f32 = load %3
    %5: f32 = load $sum
    %6 = fadd %5, %4
    store $sum, %6
  } step {
    %7 = bits block_dim.x to i32
    %8 = iadd %1, %7
    store $i, %8
  }
  %9: f32 = load $sum
  %10: f32 = shuffle.xor %9, 16i32 mask 0xffffffffu32
  %11 = fadd %9, %10
  %12: f32 = shuffle.xor %11, 8i32 mask 0xffffffffu32
  %13 = fadd %11, %12
  %14: f32 = shuffle.down %13, 4u32 mask 0xffffffffu32
  %15 = fadd %13, %14
  %16: f32 = shuffle.down %15, 2u32 mask 0xffffffffu32
  %17 = fadd %15, %16
  %18: f32 = shuffle.down %17, 1u32 mask 0xffffffffu32
  %19 = fadd %17, %18
  %20 = idiv thread.x, 32u32
  %21 = irem thread.x, 32u32
  %22 = eq %21, 0u32
  if %22 {
    %23 = element f32 @partial, %20
    store %23, %19
  }
  barrier.block
  %24 = eq thread.x, 0u32
  if %24 {
    store $sum, 0.0f32
    store $i, 0i32
    loop while {
      %25: i32 = load $i
      %26 = lt %25, 4i32
      test %26
    } do {
      %27 = element f32 @partial, %25
      %28: f32 = load %27
      %29: f32 = load $sum
      %30 = fadd %29, %28
      store $sum, %30
    } step {
      %31 = iadd %25, 1i32
      store $i, %31
    }
    %32: f32 = load $sum
    store %out, %32
  }
}
",
    );
    let n = 1000;
    let mut memory = Memory::new();
    let x = memory.add("x", floats((0..n).map(|i| i as f32)));
    let out = memory.add("out", vec![0; 4]);
    let mut launch = Launch::new([1, 1, 1], [128, 1, 1]);
    launch.arguments = vec![
        Argument::Buffer { id: out, offset: 0 },
        Argument::Buffer { id: x, offset: 0 },
        Argument::Bytes(i32::to_le_bytes(n).to_vec()),
    ];
    program.run(&mut memory, &launch, &Options::default()).expect("it runs");
    // All partial sums are integers below 2^24.
    assert_eq!(as_floats(memory.bytes(out)), [499_500.0]);
}
