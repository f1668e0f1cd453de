//! Twins of floats: what a kernel would give if nothing were rounded. Expected values are sums and
//! products that are exact in integers, and constants to many digits.

use port_diag::FileId;
use port_float::Profile;
use port_ir::Scalar;
use port_simt::{Argument, BufferId, Launch, Memory, Options, Outcome, Program};

/// A kernel without twins, with twins by statement, and with twins.
fn programs(text: &str, profile: &str) -> [Program; 3] {
    let module = port_ir::parse(text, FileId(0)).expect("the text is IR");
    let info = port_ir::validate(&module).unwrap_or_else(|errors| panic!("{errors:?}"));
    let flat = port_ir::passes::flatten(&module, &info);
    let profile = Profile::named(profile).expect("the profile is known");
    let module = port_float::resolve(&flat, &profile);
    let kernel = module.kernels().next().expect("there is a kernel").0;
    [Program::new, Program::twinned_by_statement, Program::twinned]
        .map(|new| new(&module, kernel, &profile).expect("the kernel is supported"))
}

/// Whether twins are the same to more digits than any test asks for.
fn same_twins(one: &[(f64, f64)], other: &[(f64, f64)]) -> bool {
    let largest = one.iter().fold(0f64, |largest, (hi, _)| largest.max(hi.abs()));
    let close = |(a, b): (&(f64, f64), &(f64, f64))| {
        a == b || ((a.0 - b.0) + (a.1 - b.1)).abs() <= largest * 2f64.powi(-96)
    };
    one.len() == other.len() && one.iter().zip(other).all(close)
}

/// Runs a kernel over buffers without twins, with them by statement, and with them: the bytes are the
/// same, and the twins. Gives the memory of the last run and what the second one says.
fn run(text: &str, grid: u32, block: u32, buffers: &[Vec<u8>]) -> (Memory, Vec<BufferId>, Outcome) {
    let mut runs: Vec<(Memory, Vec<BufferId>, Outcome)> = Vec::new();
    for (number, program) in programs(text, "cpu").iter().enumerate() {
        let mut memory = Memory::new();
        let ids: Vec<BufferId> =
            buffers.iter().map(|bytes| memory.add("buffer", bytes.clone())).collect();
        let mut launch = Launch::new([grid, 1, 1], [block, 1, 1]);
        launch.arguments = ids.iter().map(|id| Argument::Buffer { id: *id, offset: 0 }).collect();
        let options = Options { errors: number == 1, ..Options::default() };
        let outcome = program.run(&mut memory, &launch, &options).expect("it runs");
        if let Some((plain, ..)) = runs.first() {
            assert!(memory == *plain, "other bytes with twins");
        }
        runs.push((memory, ids, outcome));
    }
    let last = runs.pop().expect("three runs");
    let (by_statement, _, outcome) = runs.pop().expect("three runs");
    for (id, scalar) in last.1.iter().flat_map(|id| [(*id, Scalar::F32), (*id, Scalar::F64)]) {
        let [one, other] =
            [&by_statement, &last.0].map(|memory| memory.twins(id, scalar).expect("a float type"));
        assert!(same_twins(&one, &other), "other twins: {one:?} {other:?}");
    }
    (last.0, last.1, outcome)
}

fn singles(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

fn doubles(values: impl IntoIterator<Item = f64>) -> Vec<u8> {
    values.into_iter().flat_map(f64::to_le_bytes).collect()
}

/// The twins of the last buffer.
fn twins(run: &(Memory, Vec<BufferId>, Outcome), scalar: Scalar) -> Vec<(f64, f64)> {
    let last = run.1.last().copied().expect("a buffer");
    run.0.twins(last, scalar).expect("a float type")
}

#[test]
fn what_cancels_comes_back() {
    // (a + b) - a, of a large a and a small b.
    let text = "kernel @k(%a: ptr global of f32, %b: ptr global of f32, %out: ptr global of f32) {
  %0 = element f32 %a, thread.x
  %1: f32 = load %0
  %2 = element f32 %b, thread.x
  %3: f32 = load %2
  %4 = fadd %1, %3
  %5 = fsub %4, %1
  %6 = element f32 %out, thread.x
  store %6, %5
}
";
    let a: Vec<f32> = (0..40).map(|i| 1e8 * (i as f32 - 20.5)).collect();
    let b: Vec<f32> = (0..40).map(|i| 0.1 + i as f32 * 1e-3).collect();
    let ran = run(text, 1, 40, &[singles(a), singles(b.clone()), singles([0.0; 40])]);
    let expected: Vec<(f64, f64)> = b.iter().map(|b| (f64::from(*b), 0.0)).collect();
    assert_eq!(twins(&ran, Scalar::F32), expected);
    // The sum rounds by at most half a unit, the difference by all of its operand's error.
    let errors = &ran.2.errors;
    assert_eq!(errors.len(), 2);
    assert!(errors.iter().all(|error| error.own <= 2f64.powi(-24)), "{errors:?}");
    assert!(errors[1].total > 0.5 && errors[0].total <= 2f64.powi(-24), "{errors:?}");
}

#[test]
fn doubles_have_twins_of_more_digits() {
    // (1 + x) - 1 of an x that f64 cannot hold beside 1; and its square, less the leading terms.
    let text = "kernel @k(%x: ptr global of f64, %out: ptr global of f64) {
  %0 = element f64 %x, thread.x
  %1: f64 = load %0
  %2 = fadd 1.0f64, %1
  %3 = fmul %2, %2
  %4 = fsub %3, 1.0f64
  %5 = element f64 %out, thread.x
  store %5, %4
}
";
    let x: Vec<f64> = (0..32).map(|i| 2f64.powi(-60 - i / 8)).collect();
    let ran = run(text, 1, 32, &[doubles(x.clone()), doubles([0.0; 32])]);
    for ((hi, lo), x) in twins(&ran, Scalar::F64).into_iter().zip(x) {
        assert!((hi + lo - 2.0 * x).abs() <= 2f64.powi(-104), "{hi} {lo} {x}");
    }
}

/// The sum of many floats, exactly: they are whole numbers of 2^-40.
fn exact_sum(values: &[f32]) -> f64 {
    let scale = 2f64.powi(40);
    let sum: i128 = values.iter().map(|value| (f64::from(*value) * scale) as i128).sum();
    sum as f64 / scale
}

fn inputs(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| (1.0 + (i * 7919 % 1000) as f32 * 0.001) * 2f32.powi((i % 17) as i32 - 8))
        .collect()
}

#[test]
fn sums_in_locals_shared_memory_shuffles_and_atomics() {
    // Each thread adds four in a local; a block its warps' sums by shuffles and shared memory; blocks
    // meet in an atomic operation.
    let text = "variable @s: shared [64 x f32]

kernel @k(%x: ptr global of f32, %out: ptr global of f32) {
  local $sum: f32
  local $i: u32

  store $sum, 0.0f32
  store $i, 0u32
  %0 = imul block.x, 256u32
  %1 = iadd %0, thread.x
  loop while {
    %2: u32 = load $i
    %3 = lt %2, 256u32
    test %3
  } do {
    %4 = iadd %1, %2
    %5 = element f32 %x, %4
    %6: f32 = load %5
    %7: f32 = load $sum
    %8 = fadd %7, %6
    store $sum, %8
  } step {
    %9 = iadd %2, 64u32
    store $i, %9
  }
  %10: f32 = load $sum
  %11: f32 = shuffle.xor %10, 16i32 mask 0xffffffffu32
  %12 = fadd %10, %11
  %13: f32 = shuffle.down %12, 8u32 mask 0xffffffffu32
  %14 = fadd %12, %13
  %15 = element f32 @s, thread.x
  store %15, %14
  barrier.block
  %16 = lt thread.x, 8u32
  if %16 {
    %17: f32 = load %15
    %18 = iadd thread.x, 32u32
    %19 = element f32 @s, %18
    %20: f32 = load %19
    %21 = fadd %17, %20
    atomic.add.relaxed.device %out, %21
  }
}
";
    let x = inputs(256 * 5);
    let ran = run(text, 5, 64, &[singles(x.clone()), singles([0.0])]);
    let [(hi, lo)] = twins(&ran, Scalar::F32)[..] else { panic!("one sum") };
    let expected = exact_sum(&x);
    assert!((hi - expected).abs() <= expected.abs() * 2f64.powi(-52), "{hi} {expected}");
    assert!(lo.abs() <= hi.abs() * 2f64.powi(-53));
    let bytes = ran.0.bytes(ran.1[1]);
    let rounded = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    assert_ne!(f64::from(rounded), expected, "the sum of floats is rounded");
}

#[test]
fn sums_by_compare_exchange_of_bits() {
    // The usual loop: old is read as an integer, the sum stored as one, until nobody came between.
    let text = "kernel @k(%x: ptr global of f64, %out: ptr global of u64) {
  local $old: u64
  local $assumed: u64
  local $done: bool

  %0 = element f64 %x, thread.x
  %1: f64 = load %0
  %2: u64 = load %out
  store $old, %2
  store $done, false
  loop while {
    %3: bool = load $done
    %4 = not %3
    test %4
  } do {
    %5: u64 = load $old
    store $assumed, %5
    %6 = bits %5 to f64
    %7 = fadd %1, %6
    %8 = bits %7 to u64
    %9: u64 = atomic.compare_exchange.relaxed.device %out, %5, %8
    store $old, %9
    %10: u64 = load $assumed
    %11 = eq %10, %9
    store $done, %11
  }
}
";
    // Whole numbers of 2^-60, whose sum takes more bits than f64 has.
    let x: Vec<f64> = (1..=64).map(|i| 0.1 * f64::from(i)).collect();
    let ran = run(text, 1, 64, &[doubles(x.clone()), doubles([0.0])]);
    let (hi, lo) = twins(&ran, Scalar::F64)[0];
    let whole = |x: f64| (x * 2f64.powi(60)) as i128;
    let sum: i128 = x.iter().map(|x| whole(*x)).sum();
    assert_eq!(whole(hi) + whole(lo), sum);
    assert_ne!(whole(hi), sum, "f64 does not hold it");
}

#[test]
fn copies_as_integers_keep_twins() {
    let text = "variable @s: shared [64 x u32]

kernel @k(%x: ptr global of f32, %out: ptr global of u32) {
  %0 = element f32 %x, thread.x
  %1: f32 = load %0
  %2 = fmul %1, 1.1f32
  %3 = bits %2 to u32
  %4 = element u32 @s, thread.x
  store %4, %3
  barrier.block
  %5 = xor thread.x, 63u32
  %6 = element u32 @s, %5
  %7: u32 = load %6
  %8 = element u32 %out, thread.x
  store %8, %7
}
";
    let x: Vec<f32> = (0..64).map(|i| 1.0 + i as f32 * 0.01).collect();
    let ran = run(text, 1, 64, &[singles(x.clone()), singles([0.0; 64])]);
    let expected = |i: usize| f64::from(x[63 - i]) * f64::from(1.1f32);
    for (i, twin) in twins(&ran, Scalar::F32).into_iter().enumerate() {
        assert_eq!(twin, (expected(i), 0.0), "{i}");
    }
}

#[test]
fn compensated_sums_need_no_compensation() {
    // Kahan's sum: the twin of the compensation is zero, and the twin of the sum exact.
    let text = "kernel @k(%x: ptr global of f32, %out: ptr global of f32) {
  local $sum: f32
  local $c: f32
  local $i: u32

  store $sum, 0.0f32
  store $c, 0.0f32
  store $i, 0u32
  loop while {
    %0: u32 = load $i
    %1 = lt %0, 500u32
    test %1
  } do {
    %2 = element f32 %x, %0
    %3: f32 = load %2
    %4: f32 = load $c
    %5 = fsub %3, %4
    %6: f32 = load $sum
    %7 = fadd %6, %5
    %8 = fsub %7, %6
    %9 = fsub %8, %5
    store $c, %9
    store $sum, %7
  } step {
    %10 = iadd %0, 1u32
    store $i, %10
  }
  %11: f32 = load $sum
  %12: f32 = load $c
  store %out, %11
  %13 = element f32 %out, 1u32
  store %13, %12
}
";
    let x = inputs(500);
    let ran = run(text, 1, 1, &[singles(x.clone()), singles([0.0; 2])]);
    let [sum, c] = twins(&ran, Scalar::F32)[..] else { panic!("two numbers") };
    let expected = exact_sum(&x);
    assert!((sum.0 - expected).abs() <= expected * 2f64.powi(-52), "{sum:?} {expected}");
    assert!(c.0.abs() <= expected * 2f64.powi(-95), "{c:?}");
}

#[test]
fn halves_conversions_choices_and_masks() {
    let text = "kernel @k(%x: ptr global of f32, %out: ptr global of f32) {
  local $v: f32

  %0 = element f32 %x, thread.x
  %1: f32 = load %0
  %2 = fmul %1, 3.0f32
  %3 = ftof %2 to f16
  %4 = ftof %3 to f32
  store $v, %4
  %5 = and thread.x, 1u32
  %6 = eq %5, 1u32
  if %6 {
    %7 = fadd %4, 0.25f32
    store $v, %7
  }
  %8: f32 = load $v
  %9 = fmax %8, 1.0f32
  %10 = lt thread.x, 20u32
  %11 = select %10, %9, %8
  %12 = element f32 %out, thread.x
  store %12, %11
}
";
    let x: Vec<f32> = (0..40).map(|i| 0.1 + i as f32 * 0.1).collect();
    let ran = run(text, 1, 40, &[singles(x.clone()), singles([0.0; 40])]);
    let bytes: Vec<f32> = (ran.0.bytes(ran.1[1]).chunks_exact(4))
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    for (i, (hi, lo)) in twins(&ran, Scalar::F32).into_iter().enumerate() {
        let exact = 3.0 * f64::from(x[i]) + if i % 2 == 1 { 0.25 } else { 0.0 };
        // The choice is that of the values.
        let expected = if i < 20 && bytes[i] == 1.0 { 1.0 } else { exact };
        assert_eq!((hi, lo), (expected, 0.0), "{i}");
    }
}

#[test]
fn functions_have_more_digits_than_f64() {
    let text = "kernel @k(%x: ptr global of f64, %out: ptr global of f64) {
  %0 = element f64 %x, thread.x
  %1: f64 = load %0
  %2 = exp %1
  %3 = log %2
  %4 = fsub %3, %1
  %5 = element f64 %out, thread.x
  store %5, %4
  %6 = iadd thread.x, 32u32
  %7 = element f64 %out, %6
  %8 = sqrt %1
  %9 = fma %8, %8, 0.0f64
  %10 = fsub %9, %1
  store %7, %10
}
";
    let x: Vec<f64> = (0..32).map(|i| 0.37 + f64::from(i) * 0.61).collect();
    let ran = run(text, 1, 32, &[doubles(x.clone()), doubles([0.0; 64])]);
    for (i, (hi, _)) in twins(&ran, Scalar::F64).into_iter().enumerate() {
        assert!(hi.abs() < 2f64.powi(-88), "{i}: {hi}");
    }
}

#[test]
fn blocks_together_partial_masks_and_variables_in_place() {
    // Blocks may share a unit: each has its copy of the shared memory, which is read by neighbours, by one
    // place of each chunk, and by any; and written by some of the lanes, beside each other and apart.
    let text = "variable @s: shared [96 x f32]
variable @t: shared [128 x f32]

kernel @k(%x: ptr global of f32, %out: ptr global of f32) {
  local $most: f32
  local $sum: f32
  local $i: u32

  %0 = imul block.x, 48u32
  %1 = iadd %0, thread.x
  %2 = element f32 %x, %1
  %3: f32 = load %2
  %4 = fmul %3, 1.1f32
  %5 = element f32 @s, thread.x
  store %5, %4
  %6 = lt thread.x, 40u32
  if %6 {
    %7 = fmul %4, %4
    %8 = iadd thread.x, 48u32
    %9 = element f32 @s, %8
    store %9, %7
    %10 = imul thread.x, 2u32
    %11 = element f32 @t, %10
    %12 = fadd %7, 0.1f32
    store %11, %12
  }
  barrier.block
  store $most, 0.0f32
  store $sum, %4
  store $i, 0u32
  loop while {
    %13: u32 = load $i
    %14 = lt %13, 5u32
    test %14
  } do {
    %15 = and thread.x, 16u32
    %16 = iadd %15, %13
    %17 = element f32 @s, %16
    %18: f32 = load %17
    %19 = iadd thread.x, %13
    %20 = element f32 @s, %19
    %21: f32 = load %20
    %22 = imul thread.x, 7u32
    %23 = iadd %22, %13
    %24 = and %23, 31u32
    %25 = imul %24, 2u32
    %26 = element f32 @t, %25
    %27: f32 = load %26
    %28 = fmul %18, %21
    %29: f32 = load $most
    %30 = fmax %29, %28
    store $most, %30
    %31: f32 = load $sum
    %32 = fmul %31, %31
    %33 = fmul %32, 0.01f32
    %34 = fadd %33, %27
    store $sum, %34
    %35: f32 = load $sum
    %36 = fmul %35, -0.1f32
    %37 = exp %36
    %38 = fadd %35, %37
    store $sum, %38
  } step {
    %39 = iadd %13, 1u32
    store $i, %39
  }
  %40: f32 = load $most
  %41: f32 = load $sum
  %42 = fdiv %40, %41
  %43 = element f32 %out, %1
  store %43, %42
}
";
    let x: Vec<f32> = (0..48 * 7).map(|i| 0.2 + (i * 37 % 101) as f32 * 0.013).collect();
    let ran = run(text, 7, 48, &[singles(x.clone()), singles(vec![0.0; x.len()])]);
    let twins = twins(&ran, Scalar::F32);
    let by = f64::from(1.1f32);
    for (number, (hi, _)) in twins.into_iter().enumerate() {
        let (block, thread) = (number / 48, number % 48);
        let v = |at: usize| match at {
            0..48 => f64::from(x[block * 48 + at]) * by,
            48..88 => (f64::from(x[block * 48 + at - 48]) * by).powi(2),
            _ => 0.0,
        };
        let (mut most, mut sum) = (0f64, v(thread));
        for i in 0..5 {
            most = most.max(v((thread & 16) + i) * v(thread + i));
            let place = (thread * 7 + i) & 31;
            sum = sum * sum * f64::from(0.01f32) + (v(48 + place) + f64::from(0.1f32));
            sum += (sum * f64::from(-0.1f32)).exp();
        }
        let expected = most / sum;
        assert!((hi - expected).abs() <= expected.abs() * 1e-13, "{number}: {hi} {expected}");
    }
}

#[test]
fn what_others_write_is_its_own_twin() {
    let text = "kernel @k(%x: ptr global of f32) {
  %0 = element f32 %x, thread.x
  %1: f32 = load %0
  %2 = fmul %1, 1.1f32
  store %0, %2
}
";
    let [.., program] = programs(text, "cpu");
    let mut memory = Memory::new();
    let x: Vec<f32> = (0..64).map(|i| 1.0 + i as f32).collect();
    let id = memory.add("x", singles(x.clone()));
    let mut launch = Launch::new([1, 1, 1], [64, 1, 1]);
    launch.arguments = vec![Argument::Buffer { id, offset: 0 }];
    for _ in 0..2 {
        program.run(&mut memory, &launch, &Options::default()).expect("it runs");
    }
    let by = f64::from(1.1f32);
    // Twice in one memory: the second launch goes on from the first one's twins.
    for (x, (hi, lo)) in x.iter().zip(memory.twins(id, Scalar::F32).expect("floats")) {
        let product = by * by;
        let rest = by.mul_add(by, -product);
        let exact = f64::from(*x) * product;
        assert!((hi - exact).abs() <= exact * 2f64.powi(-52), "{hi} {lo} {exact} {rest}");
    }
    memory.bytes_mut(id)[..4].copy_from_slice(&5f32.to_le_bytes());
    let twins = memory.twins(id, Scalar::F32).expect("floats");
    assert_eq!(twins[0], (5.0, 0.0));
    assert_ne!(twins[1].0, f64::from(1.1f32 * 2.0 * 1.1));
}

#[test]
fn all_kernels_give_the_bytes_that_they_give_without_twins() {
    let module = port_ir::parse(include_str!("../examples/speed.ir"), FileId(0)).expect("IR");
    for profile in ["cpu", "cuda:sm_80"] {
        let profile = Profile::named(profile).expect("profile");
        let module = port_float::resolve(&module, &profile);
        for (handle, kernel) in module.kernels() {
            let news = [Program::new, Program::twinned_by_statement, Program::twinned];
            let results = news.map(|new| {
                let program = new(&module, handle, &profile).expect("it is supported");
                let mut memory = Memory::new();
                let data = singles((0..1 << 14).map(|i| (i % 1000) as f32 * 0.001));
                let ids = ["a", "b", "c", "d"].map(|name| memory.add(name, data.clone()));
                let block = if kernel.name == "sgemm" { [16, 16, 1] } else { [64, 1, 1] };
                let grid = if kernel.name == "sgemm" { [2, 2, 1] } else { [4, 1, 1] };
                let mut launch = Launch::new(grid, block);
                let mut next = ids.into_iter();
                launch.arguments = program
                    .parameters()
                    .iter()
                    .map(|parameter| match (parameter.size, parameter.name.as_str()) {
                        (8, _) => {
                            Argument::Buffer { id: next.next().expect("a buffer"), offset: 0 }
                        }
                        (_, "a" | "alpha") => Argument::Bytes(2f32.to_le_bytes().to_vec()),
                        _ => Argument::Bytes(32i32.to_le_bytes().to_vec()),
                    })
                    .collect();
                program.run(&mut memory, &launch, &Options::default()).expect("it runs");
                ids.map(|id| {
                    let twins = memory.twins(id, Scalar::F32).expect("floats");
                    (memory.bytes(id).to_vec(), twins)
                })
            });
            let [plain, by_statement, fast] = results;
            for ((plain, one), other) in plain.iter().zip(&by_statement).zip(&fast) {
                let what = format!("{} under {}", kernel.name, profile.name());
                assert!(plain.0 == one.0 && plain.0 == other.0, "bytes of {what}");
                assert!(same_twins(&one.1, &other.1), "twins of {what}");
            }
        }
    }
}
