//! Arithmetic on integers, bits, floats and halves.

use super::parse::Operand;
use super::registers::{Registers, Type};
use super::table::Op;

pub(super) fn instruction(
    r: &mut Registers<'_>,
    op: &Op<'_>,
    operands: &[Operand],
) -> Option<String> {
    let ty = op.last_type()?;
    let (d, sources) = operands.split_first()?;
    if op.has("cc") || matches!(op.base, "addc" | "subc" | "madc") {
        return with_carry(r, op, ty, d, sources);
    }
    if op.has("wide") {
        return wide(r, op, ty, d, sources);
    }
    if !ty.is_integer() && ty != Type::Predicate {
        return float(r, op, ty, d, sources);
    }
    // Sums and products of signed words are those of unsigned ones, which wrap in C++ as they do here;
    // halves of words are computed in words.
    let wraps = ty.is_integer()
        && !op.has("sat")
        && !op.has("hi")
        && matches!(op.base, "add" | "sub" | "mul" | "mad" | "neg" | "shl");
    let word = Type::Unsigned(ty.bits().max(32));
    let mut values = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        // Positions and shift amounts are words whatever is shifted.
        let amount = matches!(
            (op.base, index),
            ("shl" | "shr", 1) | ("bfe", 1 | 2) | ("bfi", 2 | 3) | ("shf", 2)
        );
        let read = match (op.base, index) {
            ("dp4a" | "dp2a", 0) => op.types.first().copied()?,
            ("dp4a" | "dp2a", 1) => op.types.get(1).copied()?,
            ("dp4a" | "dp2a", _) => {
                let signed = op.types.iter().any(|ty| ty.is_signed());
                if signed { Type::Signed(32) } else { Type::Unsigned(32) }
            }
            _ if amount => Type::Unsigned(32),
            _ if wraps => word,
            _ => ty,
        };
        values.push(r.read(source, read)?);
    }
    let bits = ty.bits();
    let ty = if wraps { Type::Unsigned(bits) } else { ty };
    let t = ty.spelling();
    let unsigned = Type::Unsigned(bits).spelling();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let (result, value) = match (op.base, &values[..]) {
        ("add", [a, b]) if op.has("sat") => (ty, format!("__ptx_add_sat({a}, {b})")),
        ("sub", [a, b]) if op.has("sat") => (ty, format!("__ptx_sub_sat({a}, {b})")),
        ("add", [a, b]) => (ty, format!("({a} + {b})")),
        ("sub", [a, b]) => (ty, format!("({a} - {b})")),
        ("mul", [a, b]) if op.has("hi") => (ty, format!("__ptx_mul_hi({a}, {b})")),
        ("mul", [a, b]) => (ty, format!("({a} * {b})")),
        ("mad", [a, b, c]) if op.has("hi") => (ty, format!("(__ptx_mul_hi({a}, {b}) + {c})")),
        ("mad", [a, b, c]) => (ty, format!("({a} * {b} + {c})")),
        ("mul24", [a, b]) if op.has("lo") && ty.is_signed() => (ty, format!("__mul24({a}, {b})")),
        ("mul24", [a, b]) if op.has("lo") => (ty, format!("__umul24({a}, {b})")),
        ("mad24", [a, b, c]) if op.has("lo") && ty.is_signed() => {
            (ty, format!("(__mul24({a}, {b}) + {c})"))
        }
        ("mad24", [a, b, c]) if op.has("lo") => (ty, format!("(__umul24({a}, {b}) + {c})")),
        ("div", [a, b]) => (ty, format!("({a} / {b})")),
        ("rem", [a, b]) => (ty, format!("({a} % {b})")),
        ("abs", [a]) => (ty, format!("({a} < 0 ? ({t})(0 - ({unsigned})({a})) : {a})")),
        ("neg", [a]) => (ty, format!("({t})(0 - {a})")),
        ("min", [a, b]) => (ty, format!("({a} < {b} ? {a} : {b})")),
        ("max", [a, b]) => (ty, format!("({a} < {b} ? {b} : {a})")),
        ("sad", [a, b, c]) => (ty, format!("({c} + ({a} < {b} ? {b} - {a} : {a} - {b}))")),
        ("and", [a, b]) if ty == Type::Predicate => (ty, format!("({a} && {b})")),
        ("or", [a, b]) if ty == Type::Predicate => (ty, format!("({a} || {b})")),
        ("xor", [a, b]) if ty == Type::Predicate => (ty, format!("({a} != {b})")),
        ("not", [a]) if ty == Type::Predicate => (ty, format!("!({a})")),
        ("and", [a, b]) => (ty, format!("({a} & {b})")),
        ("or", [a, b]) => (ty, format!("({a} | {b})")),
        ("xor", [a, b]) => (ty, format!("({a} ^ {b})")),
        ("not", [a]) => (ty, format!("(~{a})")),
        ("cnot", [a]) => (ty, format!("({t})({a} == 0)")),
        ("shl", [a, b]) => (ty, format!("({b} > {}u ? ({t})0 : ({t})({a} << {b}))", bits - 1)),
        ("shr", [a, b]) => {
            let beyond = if ty.is_signed() {
                format!("({t})({a} >> {})", bits - 1)
            } else {
                format!("({t})0")
            };
            (ty, format!("({b} > {}u ? {beyond} : ({t})({a} >> {b}))", bits - 1))
        }
        ("popc", [a]) if bits == 64 => (Type::Unsigned(32), format!("__popcll({a})")),
        ("popc", [a]) => (Type::Unsigned(32), format!("__popc({a})")),
        ("clz", [a]) if bits == 64 => (Type::Unsigned(32), format!("__clzll({a})")),
        ("clz", [a]) => (Type::Unsigned(32), format!("__clz({a})")),
        ("brev", [a]) if bits == 64 => (ty, format!("__brevll({a})")),
        ("brev", [a]) => (ty, format!("__brev({a})")),
        ("bfind", [a]) => {
            let shift = if op.has("shiftamt") { "true" } else { "false" };
            (Type::Unsigned(32), format!("__ptx_bfind({a}, {shift})"))
        }
        ("bfe", [a, b, c]) => (ty, format!("__ptx_bfe({a}, {b}, {c})")),
        ("bfi", [a, b, c, e]) => {
            (ty, format!("__ptx_bfi(({unsigned})({a}), ({unsigned})({b}), {c}, {e})"))
        }
        ("bmsk", [a, b]) if op.has("clamp") => (ty, format!("__ptx_bmsk({a}, {b})")),
        ("lop3", [a, b, c, _]) => {
            let table = r.number(sources.get(3)?)?;
            (ty, lop3(a, b, c, u8::try_from(table).ok()?))
        }
        ("prmt", [a, b, c]) => {
            let mode = op.any(&["f4e", "b4e", "rc8", "ecl", "ecr", "rc16"]);
            match mode {
                None => (ty, format!("__ptx_prmt({a}, {b}, {c})")),
                Some(_) => return None,
            }
        }
        ("shf", [a, b, c]) => {
            let direction = op.any(&["l", "r"])?;
            let clamp = if op.has("clamp") { "c" } else { "" };
            (ty, format!("__funnelshift_{direction}{clamp}({a}, {b}, {c})"))
        }
        ("dp4a", [a, b, c]) if op.types.first() == op.types.get(1) => {
            (dot_type(op), format!("__ptx_dp4a({a}, {b}, {c})"))
        }
        ("fns", [a, b, c]) => (ty, format!("__fns({a}, {b}, (int)({c}))")),
        _ => return None,
    };
    r.write(d, result, &value)
}

fn dot_type(op: &Op<'_>) -> Type {
    let signed = op.types.iter().any(|ty| ty.is_signed());
    if signed { Type::Signed(32) } else { Type::Unsigned(32) }
}

/// The truth table of three bits as an expression: the minterms that hold.
fn lop3(a: &str, b: &str, c: &str, table: u8) -> String {
    // The tables that code writes by hand.
    match table {
        0x00 => return "0u".to_string(),
        0xff => return "~0u".to_string(),
        0x80 => return format!("({a} & {b} & {c})"),
        0xfe => return format!("({a} | {b} | {c})"),
        0x96 => return format!("({a} ^ {b} ^ {c})"),
        0xea => return format!("(({a} & {b}) | {c})"),
        0xf8 => return format!("({a} | ({b} & {c}))"),
        0x6a => return format!("(({a} & {b}) ^ {c})"),
        0xca => return format!("(({a} & {b}) | (~{a} & {c}))"),
        _ => {}
    }
    let terms: Vec<String> = (0..8u8)
        .filter(|term| table >> term & 1 == 1)
        .map(|term| {
            let part = |name: &str, bit: u8| {
                let not = if term >> bit & 1 == 1 { "" } else { "~" };
                format!("{not}{name}")
            };
            // Bit 2 of the index is a, bit 0 is c.
            format!("({} & {} & {})", part(a, 2), part(b, 1), part(c, 0))
        })
        .collect();
    format!("({})", terms.join(" | "))
}

/// `mul.wide`, `mad.wide`: a product of twice the width.
fn wide(
    r: &mut Registers<'_>,
    op: &Op<'_>,
    ty: Type,
    d: &Operand,
    sources: &[Operand],
) -> Option<String> {
    let twice = match ty {
        Type::Signed(bits @ (16 | 32)) => Type::Signed(2 * bits),
        Type::Unsigned(bits @ (16 | 32)) => Type::Unsigned(2 * bits),
        _ => return None,
    };
    let t = twice.spelling();
    let (a, b) = (r.read(sources.first()?, ty)?, r.read(sources.get(1)?, ty)?);
    let product = format!("(({t})({a}) * ({t})({b}))");
    let value = match (op.base, sources.get(2)) {
        ("mul", None) => product,
        ("mad", Some(c)) => format!("({product} + {})", r.read(c, twice)?),
        _ => return None,
    };
    r.write(d, twice, &value)
}

/// Additions that read or write the carry flag.
fn with_carry(
    r: &mut Registers<'_>,
    op: &Op<'_>,
    ty: Type,
    d: &Operand,
    sources: &[Operand],
) -> Option<String> {
    let bits = ty.bits();
    let word = Type::Unsigned(bits);
    let t = word.spelling();
    let mut values = Vec::new();
    for source in sources {
        values.push(r.read(source, word)?);
    }
    let carry = r.carry();
    let carry_in = if op.base.ends_with('c') { carry } else { "0u" };
    let out = op.has("cc");
    let (a, b) = match (op.base, &values[..]) {
        ("add" | "addc" | "sub" | "subc", [a, b]) => (a.clone(), b.clone()),
        ("mad" | "madc", [a, b, c]) => {
            let product = match op.any(&["lo", "hi"])? {
                "lo" => format!("({t})({a} * {b})"),
                _ => format!("__ptx_mul_hi({a}, {b})"),
            };
            (product, c.clone())
        }
        _ => return None,
    };
    let subtract = op.base.starts_with("sub");
    let operator = if subtract { "-" } else { "+" };
    let mut code =
        format!("{t} x = {a}, y = {b}, z = ({t})(x {operator} y {operator} {carry_in});");
    if out {
        // The flag holds the carry, or the borrow.
        let flag = if subtract {
            format!("(x < y || (x == y && {carry_in} != 0u)) ? 1u : 0u")
        } else {
            format!("(z < x || (z == x && {carry_in} != 0u && y != 0)) ? 1u : 0u")
        };
        code.push_str(&format!(" {carry} = {flag};"));
    }
    code.push(' ');
    code.push_str(&r.write(d, word, "z")?);
    Some(code)
}

fn float(
    r: &mut Registers<'_>,
    op: &Op<'_>,
    ty: Type,
    d: &Operand,
    sources: &[Operand],
) -> Option<String> {
    let flush = op.has("ftz") && ty == Type::F32;
    let mut values = Vec::new();
    for source in sources {
        let value = r.read(source, ty)?;
        values.push(if flush { format!("__ptx_flush({value})") } else { value });
    }
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let nan = if op.has("NaN") { "_nan" } else { "" };
    let rounding = op.rounding();
    let value = match (ty, op.base, &values[..]) {
        (Type::F32, "add", [a, b]) => match rounding {
            Some(rounding) => format!("__fadd_{rounding}({a}, {b})"),
            None => format!("({a} + {b})"),
        },
        (Type::F32, "sub", [a, b]) => match rounding {
            Some(rounding) => format!("__fsub_{rounding}({a}, {b})"),
            None => format!("({a} - {b})"),
        },
        (Type::F32, "mul", [a, b]) => match rounding {
            Some(rounding) => format!("__fmul_{rounding}({a}, {b})"),
            None => format!("({a} * {b})"),
        },
        (Type::F32, "fma" | "mad", [a, b, c]) => {
            format!("__fmaf_{}({a}, {b}, {c})", rounding.unwrap_or("rn"))
        }
        (Type::F32, "div", [a, b]) if op.has("approx") || op.has("full") => {
            format!("__fdividef({a}, {b})")
        }
        (Type::F32, "div", [a, b]) => format!("__fdiv_{}({a}, {b})", rounding?),
        (Type::F32, "rcp", [a]) => format!("__frcp_{}({a})", rounding.unwrap_or("rn")),
        (Type::F32, "sqrt", [a]) => format!("__fsqrt_{}({a})", rounding.unwrap_or("rn")),
        (Type::F32, "rsqrt", [a]) => format!("rsqrtf({a})"),
        (Type::F32, "sin", [a]) => format!("__sinf({a})"),
        (Type::F32, "cos", [a]) => format!("__cosf({a})"),
        (Type::F32, "lg2", [a]) => format!("__log2f({a})"),
        (Type::F32, "ex2", [a]) => format!("exp2f({a})"),
        (Type::F32, "tanh", [a]) => format!("tanhf({a})"),
        (Type::F32, "neg", [a]) => format!("(-{a})"),
        (Type::F32, "abs", [a]) => format!("fabsf({a})"),
        (Type::F32, "min", [a, b]) if !op.has("xorsign") => format!("__ptx_fmin{nan}({a}, {b})"),
        (Type::F32, "max", [a, b]) if !op.has("xorsign") => format!("__ptx_fmax{nan}({a}, {b})"),
        (Type::F32, "copysign", [a, b]) => format!("copysignf({b}, {a})"),
        (Type::F64, "copysign", [a, b]) => format!("copysign({b}, {a})"),
        (Type::F64, "add", [a, b]) => format!("__dadd_{}({a}, {b})", rounding.unwrap_or("rn")),
        (Type::F64, "sub", [a, b]) => format!("__dsub_{}({a}, {b})", rounding.unwrap_or("rn")),
        (Type::F64, "mul", [a, b]) => format!("__dmul_{}({a}, {b})", rounding.unwrap_or("rn")),
        (Type::F64, "fma" | "mad", [a, b, c]) => {
            format!("__fma_{}({a}, {b}, {c})", rounding.unwrap_or("rn"))
        }
        (Type::F64, "div", [a, b]) => format!("__ddiv_{}({a}, {b})", rounding?),
        (Type::F64, "rcp", [a]) => format!("__drcp_{}({a})", rounding.unwrap_or("rn")),
        (Type::F64, "sqrt", [a]) => format!("__dsqrt_{}({a})", rounding.unwrap_or("rn")),
        (Type::F64, "rsqrt", [a]) => format!("rsqrt({a})"),
        (Type::F64, "neg", [a]) => format!("(-{a})"),
        (Type::F64, "abs", [a]) => format!("fabs({a})"),
        (Type::F64, "min", [a, b]) => format!("fmin({a}, {b})"),
        (Type::F64, "max", [a, b]) => format!("fmax({a}, {b})"),
        (_, "testp", _) => return None,
        (half, base, values) if half.is_half() || half.is_pair() => {
            half_operation(op, half, base, values)?
        }
        _ => return None,
    };
    let value =
        if op.has("sat") && ty == Type::F32 { format!("__saturatef({value})") } else { value };
    let value = if flush { format!("__ptx_flush({value})") } else { value };
    r.write(d, ty, &value)
}

/// Operations on halves and pairs of halves.
fn half_operation(op: &Op<'_>, ty: Type, base: &str, values: &[&str]) -> Option<String> {
    let two = if ty.is_pair() { "2" } else { "" };
    let suffix = match (op.has("sat"), op.has("relu")) {
        (true, _) => "_sat",
        (_, true) => "_relu",
        _ => "",
    };
    let nan = if op.has("NaN") { "_nan" } else { "" };
    Some(match (base, values) {
        ("add", [a, b]) => format!("__hadd{two}{suffix}({a}, {b})"),
        ("sub", [a, b]) => format!("__hsub{two}{suffix}({a}, {b})"),
        ("mul", [a, b]) => format!("__hmul{two}{suffix}({a}, {b})"),
        ("fma", [a, b, c]) => format!("__hfma{two}{suffix}({a}, {b}, {c})"),
        ("neg", [a]) => format!("__hneg{two}({a})"),
        ("abs", [a]) => format!("__habs{two}({a})"),
        ("min", [a, b]) => format!("__hmin{two}{nan}({a}, {b})"),
        ("max", [a, b]) => format!("__hmax{two}{nan}({a}, {b})"),
        ("ex2", [a]) => format!("__ptx_ex2({a})"),
        ("tanh", [a]) => format!("__ptx_tanh({a})"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_tables_hold_for_every_table() {
        // Each table against its definition, by evaluating the text's minterms.
        for table in 0..=255u8 {
            let text = lop3("a", "b", "c", table);
            for index in 0..8u8 {
                let bit = |shift: u8| u32::from(index >> shift & 1).wrapping_neg();
                let value = evaluate(&text, bit(2), bit(1), bit(0));
                assert_eq!(value & 1, u32::from(table >> index & 1), "{table:#x} {text}");
            }
        }
    }

    /// A small evaluator of `& | ^ ~ ( )`, independent of the writer.
    fn evaluate(text: &str, a: u32, b: u32, c: u32) -> u32 {
        let tokens: Vec<char> = text.chars().filter(|c| !c.is_whitespace() && *c != 'u').collect();
        let mut at = 0;
        let value = or(&tokens, &mut at, [a, b, c]);
        assert_eq!(at, tokens.len(), "{text}");
        value
    }

    fn or(tokens: &[char], at: &mut usize, values: [u32; 3]) -> u32 {
        let mut value = xor(tokens, at, values);
        while tokens.get(*at) == Some(&'|') {
            *at += 1;
            value |= xor(tokens, at, values);
        }
        value
    }

    fn xor(tokens: &[char], at: &mut usize, values: [u32; 3]) -> u32 {
        let mut value = and(tokens, at, values);
        while tokens.get(*at) == Some(&'^') {
            *at += 1;
            value ^= and(tokens, at, values);
        }
        value
    }

    fn and(tokens: &[char], at: &mut usize, values: [u32; 3]) -> u32 {
        let mut value = term(tokens, at, values);
        while tokens.get(*at) == Some(&'&') {
            *at += 1;
            value &= term(tokens, at, values);
        }
        value
    }

    fn term(tokens: &[char], at: &mut usize, values: [u32; 3]) -> u32 {
        let token = tokens[*at];
        *at += 1;
        match token {
            '~' => !term(tokens, at, values),
            '(' => {
                let value = or(tokens, at, values);
                *at += 1;
                value
            }
            'a' => values[0],
            'b' => values[1],
            'c' => values[2],
            _ => 0,
        }
    }
}
