//! Index arithmetic that stays a progression in each chunk of lanes, against the same arithmetic done
//! thread by thread: comparisons near wraps, addresses of elements, blocks of any size.

use port_diag::FileId;
use port_float::Profile;
use port_simt::{Argument, Launch, Memory, Options, Program};

/// Gives values their numbers: `%name = …` becomes `%3.name = …`, and so wherever it is used.
fn numbered(body: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for line in body.lines() {
        if let Some((name, _)) = line.trim().strip_prefix('%').and_then(|it| it.split_once(" =")) {
            names.push(name.split(':').next().unwrap_or(name));
        }
    }
    let mut pieces = body.split('%');
    let mut text = pieces.next().unwrap_or("").to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_alphanumeric()).unwrap_or(piece.len());
        let (name, rest) = piece.split_at(end);
        match names.iter().position(|known| *known == name) {
            Some(number) => text += &format!("%{number}.{name}{rest}"),
            None => text += &format!("%{name}{rest}"),
        }
    }
    text
}

/// Runs a kernel over a buffer of words of the block's size and one of data.
fn run(body: &str, block: u32, data: &[u32]) -> Vec<u32> {
    let body = numbered(&format!("  %place = element u32 %out, thread.x\n{body}"));
    let text =
        format!("kernel @k(%out: ptr global of u32, %data: ptr global of u32) {{\n{body}}}\n");
    let module = port_ir::parse(&text, FileId(0)).expect("the text is IR");
    let info = port_ir::validate(&module).unwrap_or_else(|errors| panic!("{errors:?}"));
    let flat = port_ir::passes::flatten(&module, &info);
    let profile = Profile::named("cpu").expect("the profile is known");
    let module = port_float::resolve(&flat, &profile);
    let kernel = module.kernels().next().expect("there is a kernel").0;
    let program = Program::new(&module, kernel, &profile).expect("the kernel is supported");
    let mut memory = Memory::new();
    // Words on both sides, which nobody may touch.
    let out = memory.add("out", vec![0xee; 4 * (block as usize + 32)]);
    let data = memory.add("data", data.iter().flat_map(|word| word.to_le_bytes()).collect());
    let mut launch = Launch::new([1, 1, 1], [block, 1, 1]);
    launch.arguments =
        vec![Argument::Buffer { id: out, offset: 64 }, Argument::Buffer { id: data, offset: 0 }];
    program.run(&mut memory, &launch, &Options::default()).unwrap_or_else(|it| panic!("{it:?}"));
    let bytes = memory.bytes(out).chunks_exact(4);
    let words: Vec<u32> = bytes.map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let (before, rest) = words.split_at(16);
    let (there, after) = rest.split_at(block as usize);
    assert!(before.iter().chain(after).all(|word| *word == 0xeeee_eeee), "{block} threads");
    there.to_vec()
}

const BLOCKS: [u32; 7] = [1, 15, 16, 33, 256, 300, 1024];

#[test]
fn comparisons_of_progressions_are_those_of_their_values() {
    let bases = [0u32, 5, 0x7fff_fff0, 0x7fff_fc00, 0x8000_0000, 0xffff_fff5, 0xffff_fc10];
    for block in BLOCKS {
        for base in bases {
            for (stride, bound) in [(1u32, 100u32), (1, 0x7fff_ffff), (3, 0x8000_0010)] {
                for stride in [stride, stride.wrapping_neg()] {
                    let got = run(
                        &format!(
                            "  %a = imul thread.x, {stride}u32
  %u = iadd %a, {base}u32
  %s = bits %u to i32
  %t = bits {bound}u32 to i32
  %c1 = lt %u, {bound}u32
  %c2 = le %u, {bound}u32
  %c3 = lt %s, %t
  %c4 = le %s, %t
  %w1 = select %c1, 1u32, 0u32
  %w2 = select %c2, 2u32, 0u32
  %w3 = select %c3, 4u32, 0u32
  %w4 = select %c4, 8u32, 0u32
  %o1 = or %w1, %w2
  %o2 = or %w3, %w4
  %o = or %o1, %o2
  store %place, %o
"
                        ),
                        block,
                        &[0],
                    );
                    for (thread, got) in got.into_iter().enumerate() {
                        let u = stride.wrapping_mul(thread as u32).wrapping_add(base);
                        let (s, t) = (u as i32, bound as i32);
                        let expected = u32::from(u < bound)
                            | u32::from(u <= bound) << 1
                            | u32::from(s < t) << 2
                            | u32::from(s <= t) << 3;
                        assert_eq!(got, expected, "{block} {base:x} {stride:x} {bound:x} {thread}");
                    }
                }
            }
        }
    }
}

#[test]
fn addresses_of_elements_are_sums_of_any_shapes() {
    let data: Vec<u32> = (0..5000).map(|i: u32| i.wrapping_mul(0x9e37_79b9)).collect();
    for block in BLOCKS {
        // One value and a progression, progressions of every stride, any values; backwards too.
        let got = run(
            "  %half = shr thread.x, 1u32
  %x = xor thread.x, 5u32
  %one = bits thread.x to i32
  %back = isub 2000i32, %one
  %p1 = element u32 %data, %half
  %p2 = element u32 %p1, %x
  %p3 = element u32 %p2, 3u32
  %p4 = element u32 %data, %back
  %p5 = element [2 x u32] %data, thread.x
  %p6 = element u32 %p5, 1u32
  %v3: u32 = load %p3
  %v4: u32 = load %p4
  %v6: u32 = load %p6
  %a = iadd %v3, %v4
  %b = xor %a, %v6
  store %place, %b
",
            block,
            &data,
        );
        for (thread, got) in got.into_iter().enumerate() {
            let third = data[thread / 2 + (thread ^ 5) + 3];
            let expected = third.wrapping_add(data[2000 - thread]) ^ data[2 * thread + 1];
            assert_eq!(got, expected, "{block} {thread}");
        }
    }
}

#[test]
fn stores_under_a_condition_leave_the_others_alone() {
    for block in BLOCKS {
        for first in [0, 1, 16, 31] {
            let got = run(
                &format!(
                    "  store %place, 7u32
  %c = le {first}u32, thread.x
  if %c {{
    %p = element u32 %data, thread.x
    %v: u32 = load %p
    store %place, %v
  }}
"
                ),
                block,
                &(0..block.max(1)).map(|i| i + 100).collect::<Vec<_>>(),
            );
            for (thread, got) in got.into_iter().enumerate() {
                let expected = if thread >= first { thread as u32 + 100 } else { 7 };
                assert_eq!(got, expected, "{block} {first} {thread}");
            }
        }
    }
}
