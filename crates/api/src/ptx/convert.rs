//! Conversions between numbers, comparisons and selections.

use super::parse::Operand;
use super::registers::{Registers, Type};
use super::table::Op;

pub(super) fn instruction(
    r: &mut Registers<'_>,
    op: &Op<'_>,
    operands: &[Operand],
) -> Option<String> {
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

pub(super) fn compare(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
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
