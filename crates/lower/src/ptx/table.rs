//! What each instruction does, as C++.
//!
//! Cache hints and eviction priorities say nothing about values and are passed over. Approximate
//! functions become the function that CUDA's headers make of them. `.ftz` flushes operands and result,
//! as the instruction does.

use super::parse::{Instruction, Operand};
use super::registers::{Registers, Space, Type};

/// An opcode in parts.
struct Op<'t> {
    base: &'t str,
    modifiers: Vec<&'t str>,
    /// The types among the modifiers, in order.
    types: Vec<Type>,
}

impl<'t> Op<'t> {
    fn new(opcode: &'t str) -> Option<Self> {
        let mut parts = opcode.split('.');
        let base = parts.next()?;
        let modifiers: Vec<&str> = parts.collect();
        let types = modifiers.iter().filter_map(|part| Type::of(part)).collect();
        Some(Op { base, modifiers, types })
    }

    fn has(&self, modifier: &str) -> bool {
        self.modifiers.contains(&modifier)
    }

    /// One of the modifiers of a list.
    fn any<'m>(&self, list: &[&'m str]) -> Option<&'m str> {
        list.iter().copied().find(|modifier| self.has(modifier))
    }

    fn last_type(&self) -> Option<Type> {
        self.types.last().copied()
    }

    /// The suffix that CUDA's intrinsics have for the rounding.
    fn rounding(&self) -> Option<&'static str> {
        let map = [("rn", "rn"), ("rz", "rz"), ("rm", "rd"), ("rp", "ru"), ("rna", "rna")];
        map.iter().find(|(modifier, _)| self.has(modifier)).map(|(_, suffix)| *suffix)
    }

    /// The suffix for rounding to an integer.
    fn integer_rounding(&self) -> Option<&'static str> {
        let map = [("rni", "rn"), ("rzi", "rz"), ("rmi", "rd"), ("rpi", "ru")];
        map.iter().find(|(modifier, _)| self.has(modifier)).map(|(_, suffix)| *suffix)
    }

    fn space(&self) -> Option<Space> {
        let shared = self.modifiers.iter().any(|part| *part == "shared" || *part == "shared::cta");
        // Another block's shared memory, and the parameters of a call, have no address here.
        if self.has("shared::cluster") || self.modifiers.iter().any(|m| m.starts_with("param")) {
            return None;
        }
        Some(if shared { Space::Shared } else { Space::Generic })
    }

    /// How many elements a vector access moves.
    fn elements(&self) -> usize {
        match self.any(&["v2", "v4", "v8"]) {
            Some("v2") => 2,
            Some("v4") => 4,
            Some(_) => 8,
            None => 1,
        }
    }
}

/// The code of an instruction; `None` if it is not in the table.
pub(super) fn instruction(r: &mut Registers<'_>, i: &Instruction) -> Option<String> {
    let op = Op::new(&i.opcode)?;
    let operands = &i.operands[..];
    match op.base {
        "mov" | "ld" | "ldu" | "st" | "cvta" | "atom" | "red" | "cp" | "prefetch" | "prefetchu"
        | "createpolicy" | "applypriority" => memory(r, &op, operands),
        "ldmatrix" | "stmatrix" | "mma" => matrix(r, &op, operands),
        "shfl" | "vote" | "match" | "redux" | "activemask" | "bar" | "barrier" | "membar"
        | "fence" | "nanosleep" | "trap" | "griddepcontrol" => threads(r, &op, operands),
        "cvt" => convert(r, &op, operands),
        "setp" | "set" | "selp" | "slct" => compare(r, &op, operands),
        _ => arithmetic(r, &op, operands),
    }
}

// Numbers.

fn arithmetic(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
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
            _ => ty,
        };
        values.push(r.read(source, read)?);
    }
    let t = ty.spelling();
    let bits = ty.bits();
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
        ("abs", [a]) => (ty, format!("({a} < 0 ? ({t})(0 - {a}) : {a})")),
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
        ("bmsk", [a, b]) => (ty, format!("__ptx_bmsk({a}, {b})")),
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
        ("dp4a", [a, b, c]) => (dot_type(op), format!("__ptx_dp4a({a}, {b}, {c})")),
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

fn convert(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let (d, sources) = operands.split_first()?;
    if op.has("tf32") {
        let a = r.read(sources.first()?, Type::F32)?;
        return r.write(d, Type::F32, &format!("__ptx_round_tf32({a})"));
    }
    let [to, from] = op.types[..] else { return None };
    // A pair from two floats, the first operand above.
    if to.is_pair() {
        let [high, low] = sources else { return None };
        if from != Type::F32 || op.rounding() != Some("rn") {
            return None;
        }
        let (mut high, mut low) = (r.read(high, from)?, r.read(low, from)?);
        if op.has("relu") {
            (high, low) = (format!("__ptx_relu({high})"), format!("__ptx_relu({low})"));
        }
        let function =
            if to == Type::F16x2 { "__floats2half2_rn" } else { "__floats2bfloat162_rn" };
        return r.write(d, to, &format!("{function}({low}, {high})"));
    }
    let [a] = sources else { return None };
    let mut a = r.read(a, from)?;
    if op.has("ftz") && from == Type::F32 {
        a = format!("__ptx_flush({a})");
    }
    let value = if from.is_integer() && to.is_integer() {
        integer_from_integer(op, &a, to)
    } else if to.is_integer() {
        integer_from_float(op, &a, to, from)?
    } else if from.is_integer() {
        float_from_integer(op, &a, to, from)?
    } else {
        float_from_float(op, &a, to, from)?
    };
    r.write(d, to, &value)
}

/// The least and largest number of an integer type, as C++ writes them.
fn bounds(ty: Type) -> (&'static str, &'static str) {
    match ty {
        Type::Signed(8) => ("-128", "127"),
        Type::Signed(16) => ("-32768", "32767"),
        Type::Signed(32) => ("(-2147483647 - 1)", "2147483647"),
        Type::Unsigned(8) => ("0", "255"),
        Type::Unsigned(16) => ("0", "65535"),
        Type::Unsigned(32) => ("0", "4294967295ll"),
        _ => ("(-9223372036854775807ll - 1)", "9223372036854775807ll"),
    }
}

fn integer_from_integer(op: &Op<'_>, a: &str, to: Type) -> String {
    let t = to.spelling();
    if op.has("sat") && to.bits() < 64 {
        let (least, largest) = bounds(to);
        return format!("({t})__ptx_clamp({a}, {least}, {largest})");
    }
    format!("({t})({a})")
}

fn integer_from_float(op: &Op<'_>, a: &str, to: Type, from: Type) -> Option<String> {
    let rounding = op.integer_rounding()?;
    let (source, a) = match from {
        Type::F64 => ("double", a.to_string()),
        Type::F32 => ("float", a.to_string()),
        Type::F16 => ("float", format!("__half2float({a})")),
        Type::Bf16 => ("float", format!("__bfloat162float({a})")),
        _ => return None,
    };
    let name = match to {
        Type::Signed(64) => "ll",
        Type::Unsigned(64) => "ull",
        Type::Unsigned(32) => "uint",
        Type::Signed(32) => "int",
        Type::Signed(8 | 16) | Type::Unsigned(8 | 16) => {
            let (least, largest) = bounds(to);
            let whole = format!("__{source}2int_{rounding}({a})");
            return Some(format!("({})__ptx_clamp({whole}, {least}, {largest})", to.spelling()));
        }
        _ => return None,
    };
    Some(format!("__{source}2{name}_{rounding}({a})"))
}

fn float_from_integer(op: &Op<'_>, a: &str, to: Type, from: Type) -> Option<String> {
    let rounding = op.rounding()?;
    let source = match from {
        Type::Signed(64) => "ll",
        Type::Unsigned(64) | Type::Bits(64) => "ull",
        Type::Unsigned(32) | Type::Bits(32) => "uint",
        _ => "int",
    };
    Some(match to {
        Type::F32 => format!("__{source}2float_{rounding}({a})"),
        Type::F64 if from.bits() <= 32 => format!("(double)({a})"),
        Type::F64 => format!("__{source}2double_{rounding}({a})"),
        Type::F16 => format!("__{source}2half_{rounding}({a})"),
        Type::Bf16 => format!("__{source}2bfloat16_{rounding}({a})"),
        _ => return None,
    })
}

fn float_from_float(op: &Op<'_>, a: &str, to: Type, from: Type) -> Option<String> {
    let rounding = op.rounding().unwrap_or("rn");
    let value = match (to, from) {
        (Type::F32, Type::F32) | (Type::F64, Type::F64) => {
            let f = if to == Type::F32 { "f" } else { "" };
            match op.integer_rounding() {
                Some("rn") => format!("rint{f}({a})"),
                Some("rz") => format!("trunc{f}({a})"),
                Some("rd") => format!("floor{f}({a})"),
                Some(_) => format!("ceil{f}({a})"),
                None => a.to_string(),
            }
        }
        (Type::F32, Type::F64) => format!("__double2float_{rounding}({a})"),
        (Type::F64, Type::F32) => format!("(double)({a})"),
        (Type::F32, Type::F16) => format!("__half2float({a})"),
        (Type::F32, Type::Bf16) => format!("__bfloat162float({a})"),
        (Type::F64, Type::F16) => format!("(double)__half2float({a})"),
        (Type::F16, Type::F64) if rounding == "rn" => format!("__double2half({a})"),
        (Type::F16 | Type::Bf16, Type::F32) => {
            let a = if op.has("relu") { format!("__ptx_relu({a})") } else { a.to_string() };
            let name = if to == Type::F16 { "half" } else { "bfloat16" };
            format!("__float2{name}_{rounding}({a})")
        }
        _ => return None,
    };
    Some(match to {
        Type::F32 if op.has("sat") => format!("__saturatef({value})"),
        Type::F32 if op.has("ftz") => format!("__ptx_flush({value})"),
        _ if op.has("sat") => return None,
        _ => value,
    })
}

// Comparisons.

fn comparison(
    r: &Registers<'_>,
    op: &Op<'_>,
    ty: Type,
    a: &Operand,
    b: &Operand,
) -> Option<String> {
    let list = [
        "eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu",
        "gtu", "geu", "num", "nan",
    ];
    let name = op.any(&list)?;
    let (mut a, mut b) = (r.read(a, ty)?, r.read(b, ty)?);
    if op.has("ftz") && ty == Type::F32 {
        (a, b) = (format!("__ptx_flush({a})"), format!("__ptx_flush({b})"));
    }
    match ty {
        Type::F16 => (a, b) = (format!("__half2float({a})"), format!("__half2float({b})")),
        Type::Bf16 => (a, b) = (format!("__bfloat162float({a})"), format!("__bfloat162float({b})")),
        Type::F16x2 | Type::Bf16x2 => return None,
        _ => {}
    }
    let float = !ty.is_integer();
    Some(match name {
        "eq" => format!("({a} == {b})"),
        // With a NaN the plain comparison does not hold.
        "ne" if float => format!("({a} < {b} || {a} > {b})"),
        "ne" => format!("({a} != {b})"),
        "lt" | "lo" => format!("({a} < {b})"),
        "le" | "ls" => format!("({a} <= {b})"),
        "gt" | "hi" => format!("({a} > {b})"),
        "ge" | "hs" => format!("({a} >= {b})"),
        "equ" => format!("!({a} < {b} || {a} > {b})"),
        "neu" => format!("({a} != {b})"),
        "ltu" => format!("!({a} >= {b})"),
        "leu" => format!("!({a} > {b})"),
        "gtu" => format!("!({a} <= {b})"),
        "geu" => format!("!({a} < {b})"),
        "num" => format!("({a} == {a} && {b} == {b})"),
        _ => format!("!({a} == {a} && {b} == {b})"),
    })
}

fn compare(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let (d, sources) = operands.split_first()?;
    match op.base {
        "selp" => {
            let ty = op.last_type()?;
            let [a, b, p] = sources else { return None };
            let (a, b, p) = (r.read(a, ty)?, r.read(b, ty)?, r.predicate(p)?);
            r.write(d, ty, &format!("({p} ? {a} : {b})"))
        }
        "slct" => {
            let [to, by] = op.types[..] else { return None };
            let [a, b, c] = sources else { return None };
            let (a, b, c) = (r.read(a, to)?, r.read(b, to)?, r.read(c, by)?);
            r.write(d, to, &format!("({c} >= 0 ? {a} : {b})"))
        }
        "set" => {
            let [to, by] = op.types[..] else { return None };
            let [a, b] = sources else { return None };
            let holds = comparison(r, op, by, a, b)?;
            let value = match to {
                Type::F32 => format!("({holds} ? 1.0f : 0.0f)"),
                ty => format!("({holds} ? ({0})~({0})0 : ({0})0)", ty.spelling()),
            };
            r.write(d, to, &value)
        }
        _ => {
            let ty = op.last_type()?;
            let (a, b) = (sources.first()?, sources.get(1)?);
            let holds = comparison(r, op, ty, a, b)?;
            let (holds, opposite) = match (op.any(&["and", "or", "xor"]), sources.get(2)) {
                (Some(combine), Some(c)) => {
                    let c = r.predicate(c)?;
                    let operator = match combine {
                        "and" => "&&",
                        "or" => "||",
                        _ => "!=",
                    };
                    (format!("({holds} {operator} {c})"), format!("(!{holds} {operator} {c})"))
                }
                (None, None) => (holds.clone(), format!("!{holds}")),
                _ => return None,
            };
            match d {
                Operand::Pair(p, q) => {
                    let mut code = format!("bool first = {holds}, second = {opposite}; ");
                    code.push_str(&r.write(p, Type::Predicate, "first")?);
                    code.push_str(&r.write(q, Type::Predicate, "second")?);
                    Some(code)
                }
                d => r.write(d, Type::Predicate, &holds),
            }
        }
    }
}

// Memory.

fn memory(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    match op.base {
        "mov" => {
            let [d, a] = operands else { return None };
            let ty = op.last_type()?;
            let value = r.read(a, ty)?;
            r.write(d, ty, &value)
        }
        "prefetch" | "prefetchu" | "applypriority" => Some(String::new()),
        "createpolicy" => r.write(operands.first()?, Type::Bits(64), "0ull"),
        "cvta" => {
            let [d, a] = operands else { return None };
            let a = r.read(a, Type::Unsigned(64))?;
            let shared = op.modifiers.iter().any(|part| part.starts_with("shared"));
            let value = match (shared, op.has("to")) {
                (true, true) => {
                    format!("(unsigned long long)__cvta_generic_to_shared((const void *)({a}))")
                }
                (true, false) => format!("(unsigned long long)__cvta_shared_to_generic({a})"),
                (false, _) => a,
            };
            r.write(d, Type::Unsigned(64), &value)
        }
        "ld" | "ldu" => load(r, op, operands),
        "st" => store(r, op, operands),
        "atom" | "red" => atomic(r, op, operands),
        _ => async_copy(r, op, operands),
    }
}

fn load(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let (d, address) = (operands.first()?, operands.get(1)?);
    let ty = op.last_type()?;
    let t = ty.spelling();
    let pointer = r.pointer(address, op.space()?, &format!("const {t}"))?;
    let single = [d.clone()];
    let parts = match d {
        Operand::Vector(parts) if op.elements() > 1 => &parts[..],
        _ => &single[..],
    };
    if parts.len() != op.elements() {
        return None;
    }
    let mut code = format!("const {t} *from = {pointer};");
    let mut writes = String::new();
    for (index, part) in parts.iter().enumerate() {
        let value = if op.has("acquire") {
            format!("__port_load_acquire(from + {index})")
        } else if op.has("relaxed") || op.has("mmio") {
            format!("__port_load_relaxed(from + {index})")
        } else if op.has("volatile") {
            format!("((const volatile {t} *)from)[{index}]")
        } else if op.has("nc") && ty.bits() >= 32 {
            format!("__ldg(from + {index})")
        } else {
            format!("from[{index}]")
        };
        // The registers of the address may be among those written.
        code.push_str(&format!(" {t} value{index} = {value};"));
        writes.push(' ');
        writes.push_str(&r.write(part, ty, &format!("value{index}"))?);
    }
    Some(code + &writes)
}

fn store(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let (address, value) = (operands.first()?, operands.get(1)?);
    let ty = op.last_type()?;
    let t = ty.spelling();
    let pointer = r.pointer(address, op.space()?, t)?;
    let single = [value.clone()];
    let parts = match value {
        Operand::Vector(parts) if op.elements() > 1 => &parts[..],
        _ => &single[..],
    };
    if parts.len() != op.elements() {
        return None;
    }
    let mut code = format!("{t} *to = {pointer};");
    for (index, part) in parts.iter().enumerate() {
        let value = r.read(part, ty)?;
        code.push_str(&if op.has("release") {
            format!(" __port_store_release(to + {index}, {value});")
        } else if op.has("relaxed") || op.has("mmio") {
            format!(" __port_store_relaxed(to + {index}, {value});")
        } else if op.has("volatile") {
            format!(" ((volatile {t} *)to)[{index}] = {value};")
        } else {
            format!(" to[{index}] = {value};")
        });
    }
    Some(code)
}

fn atomic(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let (d, rest) = match op.base {
        "atom" => (operands.first(), operands.get(1..)?),
        _ => (None, operands),
    };
    let (address, values) = rest.split_first()?;
    // Bits are words for the functions; `add` of signed words is that of unsigned ones.
    let ty = match (op.last_type()?, op.has("add")) {
        (Type::Bits(bits), _) => Type::Unsigned(bits),
        (Type::Signed(64), true) => Type::Unsigned(64),
        (ty, _) => ty,
    };
    let name =
        match op.any(&["add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"])? {
            "add" => "Add",
            "min" => "Min",
            "max" => "Max",
            "and" => "And",
            "or" => "Or",
            "xor" => "Xor",
            "exch" => "Exch",
            "cas" => "CAS",
            "inc" => "Inc",
            _ => "Dec",
        };
    let scope = match op.any(&["cta", "sys"]) {
        Some("cta") => "_block",
        Some(_) => "_system",
        None => "",
    };
    let fence = match scope {
        "_block" => "__threadfence_block();",
        "_system" => "__threadfence_system();",
        _ => "__threadfence();",
    };
    let t = ty.spelling();
    let pointer = r.pointer(address, op.space()?, t)?;
    let mut code = format!("{t} *at = {pointer};");
    if op.has("release") || op.has("acq_rel") {
        code.push(' ');
        code.push_str(fence);
    }
    if let (None, [Operand::Vector(parts)], true) = (d, values, op.elements() > 1) {
        for (index, part) in parts.iter().enumerate() {
            let value = r.read(part, ty)?;
            code.push_str(&format!(" atomic{name}{scope}(at + {index}, {value});"));
        }
    } else {
        let mut list = Vec::new();
        for value in values {
            list.push(r.read(value, ty)?);
        }
        let expected = if name == "CAS" { 2 } else { 1 };
        if list.len() < expected {
            return None;
        }
        list.truncate(expected);
        let call = format!("atomic{name}{scope}(at, {})", list.join(", "));
        match d {
            Some(d) => {
                code.push_str(&format!(" {t} old = {call}; "));
                code.push_str(&r.write(d, ty, "old")?);
            }
            None => code.push_str(&format!(" {call};")),
        }
    }
    if op.has("acquire") || op.has("acq_rel") {
        code.push(' ');
        code.push_str(fence);
    }
    Some(code)
}

fn async_copy(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    if op.modifiers.first() != Some(&"async") || op.has("bulk") || op.has("mbarrier") {
        return None;
    }
    if op.has("commit_group") {
        return Some("__pipeline_commit();".to_string());
    }
    if op.has("wait_all") {
        return Some("__pipeline_commit(); __pipeline_wait_prior(0);".to_string());
    }
    if op.has("wait_group") {
        let count = r.number(operands.first()?)?;
        return (0..=64).contains(&count).then(|| format!("__pipeline_wait_prior({count});"));
    }
    let operands = match op.has("L2::cache_hint") {
        true => operands.split_last()?.1,
        false => operands,
    };
    let [to, from, bytes, rest @ ..] = operands else { return None };
    let bytes = r.number(bytes)?;
    let to = r.pointer(to, Space::Shared, "void")?;
    let from = r.pointer(from, Space::Generic, "const void")?;
    Some(match rest {
        [] => format!("__pipeline_memcpy_async({to}, {from}, {bytes});"),
        [size] => match r.predicate(size) {
            // Whether the source is left out.
            Some(ignored) => {
                format!("__pipeline_memcpy_async({to}, {from}, {bytes}, {ignored} ? {bytes} : 0);")
            }
            None => {
                let size = r.read(size, Type::Unsigned(32))?;
                format!("__pipeline_memcpy_async({to}, {from}, {bytes}, {bytes} - {size});")
            }
        },
        _ => return None,
    })
}

// Threads together.

fn threads(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let word = Type::Unsigned(32);
    match op.base {
        "griddepcontrol" => Some(String::new()),
        "trap" => Some("__trap();".to_string()),
        "nanosleep" => Some(format!("__nanosleep({});", r.read(operands.first()?, word)?)),
        "activemask" => r.write(operands.first()?, word, "__activemask()"),
        "membar" | "fence" => {
            if op.modifiers.iter().any(|part| part.contains("proxy") || part.contains("mbarrier")) {
                return None;
            }
            let scope = match op.any(&["cta", "sys"]) {
                Some("cta") => "_block",
                Some(_) => "_system",
                None => "",
            };
            Some(format!("__threadfence{scope}();"))
        }
        "bar" | "barrier" => barrier(r, op, operands),
        "shfl" => shuffle(r, op, operands),
        "vote" => {
            let (d, a) = (operands.first()?, operands.get(1)?);
            let a = r.predicate(a)?;
            let mask = match operands.get(2) {
                Some(mask) => r.read(mask, word)?,
                None => "__activemask()".to_string(),
            };
            match op.any(&["ballot", "any", "all", "uni"])? {
                "ballot" => r.write(d, word, &format!("__ballot_sync({mask}, {a})")),
                kind => r.write(d, Type::Predicate, &format!("(__{kind}_sync({mask}, {a}) != 0)")),
            }
        }
        "match" => {
            let ty = match op.last_type()? {
                Type::Bits(bits) => Type::Unsigned(bits),
                _ => return None,
            };
            let [d, a, mask] = operands else { return None };
            let (a, mask) = (r.read(a, ty)?, r.read(mask, word)?);
            if op.has("any") {
                return r.write(d, word, &format!("__match_any_sync({mask}, {a})"));
            }
            let (d, p) = match d {
                Operand::Pair(d, p) => (&**d, Some(&**p)),
                d => (d, None),
            };
            let call = format!("__match_all_sync({mask}, {a}, &same)");
            let mut code = format!("int same; unsigned lanes = {call}; ");
            code.push_str(&r.write(d, word, "lanes")?);
            if let Some(p) = p {
                code.push_str(&r.write(p, Type::Predicate, "same != 0")?);
            }
            Some(code)
        }
        "redux" => {
            let ty = match op.last_type()? {
                Type::Bits(32) => word,
                ty if ty.is_integer() => ty,
                _ => return None,
            };
            let [d, a, mask] = operands else { return None };
            let (a, mask) = (r.read(a, ty)?, r.read(mask, word)?);
            let kind = op.any(&["add", "min", "max", "and", "or", "xor"])?;
            r.write(d, ty, &format!("__reduce_{kind}_sync({mask}, {a})"))
        }
        _ => None,
    }
}

fn barrier(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let word = Type::Unsigned(32);
    if op.has("warp") {
        let mask = r.read(operands.first()?, word)?;
        return Some(format!("__syncwarp({mask});"));
    }
    if op.has("cluster") {
        // What waits is the barrier; arriving alone lets nobody pass.
        return match op.any(&["arrive", "wait"])? {
            "wait" => Some("__port_cluster_barrier();".to_string()),
            _ => Some(String::new()),
        };
    }
    if op.has("red") {
        let kind = op.any(&["popc", "and", "or"])?;
        let (d, p) = (operands.first()?, operands.last()?);
        if r.number(operands.get(1)?) != Some(0) || operands.len() != 3 {
            return None;
        }
        let p = r.predicate(p)?;
        return match kind {
            "popc" => r.write(d, word, &format!("__syncthreads_count({p})")),
            kind => r.write(d, Type::Predicate, &format!("(__syncthreads_{kind}({p}) != 0)")),
        };
    }
    let name = op.any(&["sync", "arrive"])?;
    let index = operands.first()?;
    let number = r.number(index);
    let index = r.read(index, word)?;
    match (name, operands.get(1)) {
        ("sync", None) if number == Some(0) => Some("__syncthreads();".to_string()),
        ("sync", None) => Some(format!("__barrier_sync({index});")),
        ("sync", Some(count)) => {
            Some(format!("__barrier_sync_count({index}, {});", r.read(count, word)?))
        }
        (_, Some(count)) => {
            Some(format!("__port_barrier_arrive({index}, {});", r.read(count, word)?))
        }
        _ => None,
    }
}

fn shuffle(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let word = Type::Unsigned(32);
    let [d, a, b, c, rest @ ..] = operands else { return None };
    let (d, p) = match d {
        Operand::Pair(d, p) => (&**d, Some(&**p)),
        d => (d, None),
    };
    let (a, b) = (r.read(a, word)?, r.read(b, word)?);
    // The segment mask in bits 8 to 12 says which bits of a lane's number name its segment.
    let width = match r.number(c) {
        Some(c) => (32 - (c >> 8 & 31)).to_string(),
        None => format!("(32 - (int)({} >> 8 & 31u))", r.read(c, word)?),
    };
    let mask = match rest {
        [mask] => r.read(mask, word)?,
        [] => "__activemask()".to_string(),
        _ => return None,
    };
    let mode = op.any(&["up", "down", "bfly", "idx"])?;
    let function = match mode {
        "up" => "__shfl_up_sync",
        "down" => "__shfl_down_sync",
        "bfly" => "__shfl_xor_sync",
        _ => "__shfl_sync",
    };
    let mut code = format!("unsigned read = {function}({mask}, {a}, {b}, {width});");
    if let Some(p) = p {
        code.push_str(&format!(" bool inside = __ptx_in_range_{mode}({b}, {width}); "));
        code.push_str(&r.write(p, Type::Predicate, "inside")?);
    }
    code.push(' ');
    code.push_str(&r.write(d, word, "read")?);
    Some(code)
}

// Matrices.

fn matrix(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let word = Type::Unsigned(32);
    if op.base == "mma" {
        return multiply(r, op, operands);
    }
    let (address, tiles) = match op.base {
        "ldmatrix" => (operands.get(1)?, operands.first()?),
        _ => (operands.first()?, operands.get(1)?),
    };
    let count = match op.any(&["x1", "x2", "x4"])? {
        "x1" => 1,
        "x2" => 2,
        _ => 4,
    };
    let Operand::Address(base, offset) = address else { return None };
    let tiles = parts(tiles);
    if !op.has("m8n8") || !op.has("b16") || tiles.len() != count {
        return None;
    }
    // A generic address points into shared memory, too.
    let (row, width) = match op.space()? {
        Space::Shared => ("unsigned", word),
        Space::Generic => ("unsigned long long", Type::Unsigned(64)),
    };
    let base = r.read(base, width)?;
    let trans = if op.has("trans") { "_trans" } else { "" };
    let mut code = format!("{row} row = {base} + ({row})({offset}ll);");
    let mut writes = String::new();
    for (index, tile) in tiles.iter().enumerate() {
        match op.base {
            "ldmatrix" => {
                code.push_str(&format!(
                    " unsigned tile{index} = __ptx_ldmatrix{trans}(row, {index});"
                ));
                writes.push(' ');
                writes.push_str(&r.write(tile, word, &format!("tile{index}"))?);
            }
            _ => {
                let tile = r.read(tile, word)?;
                code.push_str(&format!(" __ptx_stmatrix{trans}(row, {index}, {tile});"));
            }
        }
    }
    Some(code + &writes)
}

/// The parts of a vector; anything else is its only part.
fn parts(operand: &Operand) -> &[Operand] {
    match operand {
        Operand::Vector(parts) => parts,
        operand => std::slice::from_ref(operand),
    }
}

/// `mma.sync` of shapes whose fragments are made of 8 × 8 tiles (words across): rows of a quad hold
/// the rows of the tile.
fn multiply(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let [d, a, b, c] = operands else { return None };
    let (d, a, b, c) = (parts(d), parts(a), parts(b), parts(c));
    if !op.has("row") || !op.has("col") || op.has("sp") || op.has("satfinite") {
        return None;
    }
    let shape = op.modifiers.iter().find(|part| part.starts_with('m') && part.contains('n'))?;
    let kinds: Vec<&str> = op.modifiers.iter().rev().take(4).rev().copied().collect();
    let [to, left, right, from] = kinds[..] else { return None };
    let (steps, dot, integer) = match (*shape, left, right) {
        ("m16n8k16", "f16", "f16") => (2, "f16", false),
        ("m16n8k8", "f16", "f16") => (1, "f16", false),
        ("m16n8k16", "bf16", "bf16") => (2, "bf16", false),
        ("m16n8k8", "bf16", "bf16") => (1, "bf16", false),
        ("m16n8k8", "tf32", "tf32") => (2, "tf32", false),
        ("m16n8k4", "tf32", "tf32") => (1, "tf32", false),
        ("m16n8k32", "s8", "s8") => (2, "s8", true),
        ("m16n8k16", "s8", "s8") => (1, "s8", true),
        ("m16n8k32", "u8", "u8") => (2, "u8", true),
        ("m16n8k16", "u8", "u8") => (1, "u8", true),
        _ => return None,
    };
    if a.len() != 2 * steps || b.len() != steps {
        return None;
    }
    let word = Type::Unsigned(32);
    let (sum, sum_type) = if integer { ("int", Type::Signed(32)) } else { ("float", Type::F32) };
    let mut code = String::new();
    let packed = match (to, from, d.len(), c.len()) {
        ("f32", "f32", 4, 4) if !integer => false,
        ("s32", "s32", 4, 4) if integer => false,
        ("f16", "f16", 2, 2) if !integer => true,
        _ => return None,
    };
    for index in 0..4 {
        let value = match packed {
            false => r.read(c.get(index)?, sum_type)?,
            true => {
                let pair = r.read(c.get(index / 2)?, Type::F16x2)?;
                let half = if index % 2 == 0 { "__low2float" } else { "__high2float" };
                format!("{half}({pair})")
            }
        };
        code.push_str(&format!("{sum} c{index} = {value}; "));
    }
    for step in 0..steps {
        let low = r.read(a.get(2 * step)?, word)?;
        let high = r.read(a.get(2 * step + 1)?, word)?;
        let b = r.read(b.get(step)?, word)?;
        code.push_str(&format!("__ptx_mma_{dot}(c0, c1, c2, c3, {low}, {high}, {b}); "));
    }
    if packed {
        for (index, d) in d.iter().enumerate() {
            let (low, high) = (2 * index, 2 * index + 1);
            let value = format!("__floats2half2_rn(c{low}, c{high})");
            code.push_str(&r.write(d, Type::F16x2, &value)?);
        }
    } else {
        for (index, d) in d.iter().enumerate() {
            code.push_str(&r.write(d, sum_type, &format!("c{index}"))?);
            code.push(' ');
        }
    }
    Some(code)
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
