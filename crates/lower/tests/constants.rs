//! Constant evaluation and the types of operators against g++: random expressions over integers of
//! all types, and over floats, evaluated by both.

mod common;

use common::{ir, run_cpp};

/// A small deterministic generator (the constants are Knuth's MMIX ones).
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % below
    }

    fn pick<'t>(&mut self, list: &[&'t str]) -> &'t str {
        list[self.next(list.len() as u64) as usize]
    }
}

const INTEGERS: &[&str] = &[
    "bool",
    "char",
    "signed char",
    "unsigned char",
    "short",
    "unsigned short",
    "int",
    "unsigned int",
    "long",
    "unsigned long",
    "long long",
    "unsigned long long",
];

/// An integer expression. Signed overflow wraps, in the reference by `-fwrapv -fpermissive`.
fn integer(random: &mut Random, depth: u32) -> String {
    if depth == 0 || random.next(6) == 0 {
        let value = match random.next(4) {
            0 => random.next(4),
            1 => random.next(300),
            2 => random.next(1 << 20),
            _ => random.next(1 << 31),
        };
        let suffix = random.pick(&["", "u", "l", "ul", "ll", "ull"]);
        return format!("{value}{suffix}");
    }
    let a = integer(random, depth - 1);
    let b = integer(random, depth - 1);
    match random.next(12) {
        0 => format!("({a} + {b})"),
        1 => format!("({a} - {b})"),
        2 => format!("({a} * {b})"),
        3 => format!("({a} / (({b}) | 1))"),
        4 => format!("({a} % (({b}) | 1))"),
        5 => format!("({a} & {b})"),
        6 => format!("({a} ^ {b})"),
        7 => format!("({a} << (({b}) & 7))"),
        8 => format!("({a} >> (({b}) & 7))"),
        9 => format!("({a} {} {b})", random.pick(&["<", ">", "<=", ">=", "==", "!="])),
        10 => format!("({}){a}", random.pick(INTEGERS)),
        _ => format!(
            "({a} > {b} ? ({}){a} : {}{b})",
            random.pick(INTEGERS),
            random.pick(&["-", "~", "+", "!"])
        ),
    }
}

/// The constants that the kernel stores, in order.
fn stored(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            Some(line.trim().strip_prefix("store ")?.rsplit_once(", ")?.1.to_string())
        })
        .collect()
}

#[test]
fn integer_expressions_have_the_values_and_types_that_gcc_gives() {
    let mut random = Random(2026);
    let mut program = String::from("#include <cstdio>\nint main() {\n");
    let mut kernel = String::from("__global__ void k(long long *out) {\n");
    let count = 400;
    for index in 0..count {
        let expression = integer(&mut random, 4);
        // The size and signedness of the type, and the value.
        let probe = format!(
            "constexpr auto v{index} = {expression};\n\
             constexpr long long p{index} = (long long)v{index} * 16 + sizeof(v{index}) * 2 \
             + ((decltype(v{index}))-1 < (decltype(v{index}))0);\n"
        );
        program.push_str(&format!("{{ {probe} printf(\"%lld\\n\", p{index}); }}\n"));
        kernel.push_str(&format!("{{ {probe} out[{index}] = p{index}; }}\n"));
    }
    let Some(expected) = run_cpp("integer_constants", &(program + "}\n")) else { return };
    let found = stored(&ir(&(kernel + "}\n")));
    let expected: Vec<String> = expected.lines().map(|line| format!("{line}i64")).collect();
    assert_eq!(found.len(), count);
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found, expected, "constant {index}");
    }
}

#[test]
fn float_expressions_round_as_gcc_does() {
    let mut random = Random(7);
    let mut program = String::from("#include <cstdio>\n#include <cstring>\nint main() {\n");
    let mut kernel = String::from("__global__ void k(float *f, double *d) {\n");
    let count = 200;
    for index in 0..count {
        let literal = |random: &mut Random| {
            let suffix = random.pick(&["f", "", "f"]);
            format!("{}.{}e{}{suffix}", random.next(50), random.next(1000), random.next(9))
        };
        let mut expression = literal(&mut random);
        for _ in 0..4 {
            let operator = random.pick(&["+", "-", "*", "/"]);
            let right = match random.next(3) {
                0 => format!("{}", 1 + random.next(1000)),
                _ => format!("({} + 1)", literal(&mut random)),
            };
            expression = format!("({expression} {operator} {right})");
        }
        let probe = format!("constexpr auto v{index} = {expression};\n");
        program.push_str(&format!(
            "{{ {probe} double d = v{index}; unsigned long b; memcpy(&b, &d, 8); \
             printf(\"%zu %016lx\\n\", sizeof(v{index}), b); }}\n"
        ));
        kernel.push_str(&format!(
            "{{ {probe} d[{index}] = v{index}; f[{index}] = sizeof(v{index}); }}\n"
        ));
    }
    let Some(expected) = run_cpp("float_constants", &(program + "}\n")) else { return };
    let lowered = common::lowered(&(kernel + "}\n"));
    assert!(lowered.diagnostics.is_empty(), "{:?}", lowered.diagnostics);
    let function = &lowered.module.functions.iter().next().expect("the kernel").1;
    let mut found = Vec::new();
    for statement in &function.body.as_ref().expect("its body").statements {
        if let port_ir::StatementKind::Store { value, .. } = statement.kind {
            found.push(constant(function, value));
        }
    }
    assert_eq!(found.len(), 2 * count);
    for (pair, expected) in found.chunks(2).zip(expected.lines()) {
        let bits = pair[0].to_bits();
        assert_eq!(format!("{} {bits:016x}", pair[1]), expected);
    }
}

/// The value of a constant, perhaps converted from float to double or from an integer.
fn constant(function: &port_ir::Function, value: port_ir::Value) -> f64 {
    match &function.expressions[value] {
        port_ir::Expression::Constant(constant) => match constant.scalar {
            port_ir::Scalar::F64 => f64::from_bits(constant.bits),
            port_ir::Scalar::F32 => f64::from(f32::from_bits(constant.bits as u32)),
            _ => constant.as_integer().unwrap_or(0) as f64,
        },
        port_ir::Expression::Convert { value, .. } => constant(function, *value),
        other => panic!("{other:?} is no constant"),
    }
}
