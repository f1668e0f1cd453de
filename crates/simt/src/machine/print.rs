//! `printf` as CUDA has it.

use super::access::U8;
use super::lanes::Kernel;
use super::{Inst, Machine};
use crate::outcome::FaultKind;
use port_ir::Scalar;

/// A `printf` in the program.
#[derive(Clone, Debug)]
pub(crate) struct PrintInst {
    pub(crate) format: String,
    /// Register and scalar of each argument; a pointer is a `u64`.
    pub(crate) arguments: Vec<(u32, Scalar)>,
}

/// An argument of one lane.
#[derive(Clone, Copy, Debug)]
enum Printed {
    Signed(i64),
    Unsigned(u64),
    Float(f64),
}

/// Instructions in whose time a lane prints a line: one that prints without end would take minutes to use
/// up its fuel.
const LINE: u64 = 256;

/// Prints for each active lane, lowest first.
pub(crate) struct Print;
impl Kernel for Print {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        print(m, i);
    }
}

fn print(m: &mut Machine<'_>, i: &Inst) {
    let code = m.code;
    let Some(inst) = code.prints.get(i.imm as usize) else { return };
    let lanes: Vec<usize> = m.unit.mask.lanes(m.unit.chunks).collect();
    for lane in lanes {
        let arguments: Vec<Printed> = inst
            .arguments
            .iter()
            .map(|(register, scalar)| match scalar {
                Scalar::Bool => Printed::Unsigned(m.unit.b.get(*register, lane).into()),
                Scalar::F64 => Printed::Float(f64::from_bits(m.unit.d.get(*register, lane))),
                Scalar::I64 => Printed::Signed(m.unit.d.get(*register, lane) as i64),
                Scalar::U64 => Printed::Unsigned(m.unit.d.get(*register, lane)),
                Scalar::F32 => Printed::Float(f32::from_bits(m.unit.w.get(*register, lane)).into()),
                scalar if scalar.is_signed() => {
                    Printed::Signed((m.unit.w.get(*register, lane) as i32).into())
                }
                Scalar::F16 => {
                    Printed::Float(super::float::half(m.unit.w.get(*register, lane)).into())
                }
                Scalar::Bf16 => {
                    Printed::Float(super::float::brain(m.unit.w.get(*register, lane)).into())
                }
                _ => Printed::Unsigned(m.unit.w.get(*register, lane).into()),
            })
            .collect();
        if m.fuel < LINE {
            return m.raise(FaultKind::Fuel, i.site, Some(lane), 1);
        }
        m.fuel -= LINE;
        let text = format(m, &inst.format, &arguments, i, lane);
        let room = m.options.print_limit.saturating_sub(m.outcome.printed.len());
        m.outcome.printed.extend(text.into_iter().take(room));
        if m.fault.is_some() {
            return;
        }
    }
    if i.d != super::warp::NONE {
        m.unit.w.set_uniform(i.d, inst.arguments.len() as u32);
    }
}

/// A conversion specification.
#[derive(Clone, Copy, Debug, Default)]
struct Specification {
    left: bool,
    plus: bool,
    space: bool,
    alternative: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    /// Bits that a length modifier leaves; 0 for none given.
    bits: u32,
}

/// The most digits and columns that are printed for one conversion.
const WIDEST: usize = 4096;

fn format(
    m: &mut Machine<'_>,
    format: &str,
    arguments: &[Printed],
    i: &Inst,
    lane: usize,
) -> Vec<u8> {
    let bytes = format.as_bytes();
    let mut out = Vec::new();
    let mut next = arguments.iter().copied();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let start = at - 1;
        let mut spec = Specification::default();
        while let Some(flag) = bytes.get(at) {
            match flag {
                b'-' => spec.left = true,
                b'+' => spec.plus = true,
                b' ' => spec.space = true,
                b'#' => spec.alternative = true,
                b'0' => spec.zero = true,
                _ => break,
            }
            at += 1;
        }
        let number = |at: &mut usize, next: &mut dyn Iterator<Item = Printed>| {
            if bytes.get(*at) == Some(&b'*') {
                *at += 1;
                return match next.next() {
                    Some(Printed::Signed(value)) => Some(value),
                    Some(Printed::Unsigned(value)) => Some(value as i64),
                    _ => None,
                };
            }
            let digits = bytes[*at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let text = std::str::from_utf8(&bytes[*at..*at + digits]).unwrap_or("");
            *at += digits;
            text.parse().ok()
        };
        if let Some(width) = number(&mut at, &mut next) {
            spec.left |= width < 0;
            spec.width = (width.unsigned_abs() as usize).min(WIDEST);
        }
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            let precision = number(&mut at, &mut next).unwrap_or(0);
            spec.precision = usize::try_from(precision).ok().map(|digits| digits.min(WIDEST));
        }
        while let Some(length) = bytes.get(at) {
            spec.bits = match (length, spec.bits) {
                (b'h', 16) => 8,
                (b'h', _) => 16,
                (b'l' | b'j' | b'z' | b't' | b'L' | b'q', _) => 64,
                _ => break,
            };
            at += 1;
        }
        let Some(&kind) = bytes.get(at) else {
            out.extend_from_slice(&bytes[start..]);
            break;
        };
        at += 1;
        let text = match kind {
            b'%' => {
                out.push(b'%');
                continue;
            }
            b'd' | b'i' => next.next().map(|value| signed(spec, value)),
            b'u' | b'x' | b'X' | b'o' => next.next().map(|value| unsigned(spec, kind, value)),
            b'c' => next.next().map(|value| (String::new(), vec![integer(value) as u8])),
            b'p' => next
                .next()
                .map(|value| (String::new(), format!("{:#x}", integer(value)).into_bytes())),
            b's' => next
                .next()
                .map(|value| (String::new(), text(m, integer(value), spec.precision, i, lane))),
            b'f' | b'F' | b'e' | b'E' | b'g' | b'G' | b'a' | b'A' => {
                next.next().map(|value| float(spec, kind, value))
            }
            _ => None,
        };
        // What cannot be converted is printed as it stands.
        let Some((sign, digits)) = text else {
            out.extend_from_slice(&bytes[start..at]);
            continue;
        };
        let numeric = !matches!(kind, b'c' | b's' | b'p');
        let is_integer = matches!(kind, b'd' | b'i' | b'u' | b'x' | b'X' | b'o');
        let finite = digits.first().is_some_and(|digit| digit.is_ascii_hexdigit())
            && !digits.starts_with(b"inf")
            && !digits.starts_with(b"nan");
        let zeros = spec.zero
            && !spec.left
            && numeric
            && finite
            && !(is_integer && spec.precision.is_some());
        let padding = spec.width.saturating_sub(sign.len() + digits.len());
        if !spec.left && !zeros {
            out.extend(std::iter::repeat_n(b' ', padding));
        }
        out.extend_from_slice(sign.as_bytes());
        if zeros {
            out.extend(std::iter::repeat_n(b'0', padding));
        }
        out.extend_from_slice(&digits);
        if spec.left {
            out.extend(std::iter::repeat_n(b' ', padding));
        }
    }
    out
}

fn integer(value: Printed) -> u64 {
    match value {
        Printed::Signed(value) => value as u64,
        Printed::Unsigned(value) => value,
        Printed::Float(value) => value.to_bits(),
    }
}

fn signs(spec: Specification, negative: bool) -> String {
    match (negative, spec.plus, spec.space) {
        (true, ..) => "-".into(),
        (_, true, _) => "+".into(),
        (_, _, true) => " ".into(),
        _ => String::new(),
    }
}

/// At least `precision` digits; none for zero with a precision of zero.
fn digits(text: String, precision: Option<usize>) -> Vec<u8> {
    match precision {
        Some(0) if text == "0" => Vec::new(),
        Some(least) => {
            let mut padded = vec![b'0'; least.saturating_sub(text.len())];
            padded.extend_from_slice(text.as_bytes());
            padded
        }
        None => text.into_bytes(),
    }
}

fn signed(spec: Specification, value: Printed) -> (String, Vec<u8>) {
    let value = integer(value) as i64;
    let value = match spec.bits {
        8 => i64::from(value as i8),
        16 => i64::from(value as i16),
        64 => value,
        _ => i64::from(value as i32),
    };
    (signs(spec, value < 0), digits(value.unsigned_abs().to_string(), spec.precision))
}

fn unsigned(spec: Specification, kind: u8, value: Printed) -> (String, Vec<u8>) {
    let value = integer(value);
    let value = match spec.bits {
        8 => value & 0xff,
        16 => value & 0xffff,
        64 => value,
        _ => value & 0xffff_ffff,
    };
    let (text, prefix) = match kind {
        b'x' => (format!("{value:x}"), "0x"),
        b'X' => (format!("{value:X}"), "0X"),
        b'o' => (format!("{value:o}"), "0"),
        _ => (value.to_string(), ""),
    };
    let prefix = if spec.alternative && value != 0 { prefix } else { "" };
    (prefix.into(), digits(text, spec.precision))
}

/// The bytes of a string in memory, up to its zero.
fn text(m: &mut Machine<'_>, address: u64, most: Option<usize>, i: &Inst, lane: usize) -> Vec<u8> {
    if address == 0 {
        return b"(null)".to_vec();
    }
    let mut text = Vec::new();
    while text.len() < most.unwrap_or(WIDEST).min(WIDEST) {
        let found = m.outcome.findings.len();
        super::parallel::track_one(m, address.wrapping_add(text.len() as u64), 1, false);
        match m.read_one::<U8>(address.wrapping_add(text.len() as u64), i, lane) {
            0 => break,
            byte => text.push(byte as u8),
        }
        if m.fault.is_some() || m.outcome.findings.len() != found {
            break;
        }
    }
    text
}

fn float(spec: Specification, kind: u8, value: Printed) -> (String, Vec<u8>) {
    let value = match value {
        Printed::Float(value) => value,
        Printed::Signed(value) => f64::from_bits(value as u64),
        Printed::Unsigned(value) => f64::from_bits(value),
    };
    let sign = signs(spec, value.is_sign_negative());
    let upper = kind.is_ascii_uppercase();
    let magnitude = value.abs();
    let text = if value.is_nan() {
        "nan".to_owned()
    } else if value.is_infinite() {
        "inf".to_owned()
    } else {
        match kind.to_ascii_lowercase() {
            b'f' => fixed(magnitude, spec.precision.unwrap_or(6), spec.alternative),
            b'e' => exponential(magnitude, spec.precision.unwrap_or(6), spec.alternative),
            b'a' => hexadecimal(magnitude, spec.precision),
            _ => general(magnitude, spec.precision.unwrap_or(6), spec.alternative),
        }
    };
    let text = if upper { text.to_ascii_uppercase() } else { text };
    (sign, text.into_bytes())
}

fn fixed(value: f64, precision: usize, point: bool) -> String {
    let text = format!("{value:.precision$}");
    if precision == 0 && point { text + "." } else { text }
}

/// Digits and exponent, correctly rounded.
fn scientific(value: f64, precision: usize) -> (String, i32) {
    let text = format!("{value:.precision$e}");
    match text.split_once('e') {
        Some((digits, exponent)) => (digits.to_owned(), exponent.parse().unwrap_or(0)),
        None => (text, 0),
    }
}

fn with_exponent(digits: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn exponential(value: f64, precision: usize, point: bool) -> String {
    let (digits, exponent) = scientific(value, precision);
    let digits = if precision == 0 && point { digits + "." } else { digits };
    with_exponent(&digits, exponent)
}

fn general(value: f64, precision: usize, alternative: bool) -> String {
    let precision = precision.max(1);
    let (digits, exponent) = scientific(value, precision - 1);
    let trim = |text: &str| match text.contains('.') && !alternative {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if exponent < -4 || exponent >= precision as i32 {
        with_exponent(&trim(&digits), exponent)
    } else {
        let places = (precision as i32 - 1 - exponent).max(0) as usize;
        trim(&fixed(value, places, alternative))
    }
}

/// `%a` as the GNU library writes it: one digit before the point.
fn hexadecimal(value: f64, precision: Option<usize>) -> String {
    if value == 0.0 {
        let zeros = "0".repeat(precision.unwrap_or(0));
        return if zeros.is_empty() { "0x0p+0".into() } else { format!("0x0.{zeros}p+0") };
    }
    let bits = value.to_bits();
    let (mut fraction, field) = (bits & ((1 << 52) - 1), (bits >> 52 & 0x7ff) as i32);
    let mut leading = u64::from(field != 0);
    let exponent = if field == 0 { -1022 } else { field - 1023 };
    let mut digits = 13;
    if let Some(precision) = precision.filter(|precision| *precision < 13) {
        let dropped = 4 * (13 - precision) as u32;
        let whole = leading << 52 | fraction;
        let (kept, rest) = (whole >> dropped, whole & ((1 << dropped) - 1));
        let half = 1 << (dropped - 1);
        let up = rest > half || rest == half && kept & 1 == 1;
        let rounded = kept + u64::from(up);
        leading = rounded >> (4 * precision);
        fraction = rounded & ((1 << (4 * precision)) - 1);
        digits = precision;
    }
    let mut text = if digits == 0 { String::new() } else { format!("{fraction:0digits$x}") };
    match precision {
        None => text.truncate(text.trim_end_matches('0').len()),
        Some(precision) => text.extend(std::iter::repeat_n('0', precision - digits.min(precision))),
    }
    let point = if text.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("0x{leading}{point}{text}p{sign}{}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_in_c() {
        // Expected texts from the C standard's description of the conversions.
        assert_eq!(general(0.1, 17, false), "0.10000000000000001");
        assert_eq!(general(1e100, 6, false), "1e+100");
        assert_eq!(general(100000.0, 6, false), "100000");
        assert_eq!(general(1000000.0, 6, false), "1e+06");
        assert_eq!(general(0.0001, 6, false), "0.0001");
        assert_eq!(general(0.00001, 6, false), "1e-05");
        assert_eq!(exponential(12345.678, 3, false), "1.235e+04");
        assert_eq!(fixed(2.5, 0, false), "2");
        assert_eq!(hexadecimal(1.0, None), "0x1p+0");
        assert_eq!(hexadecimal(0.1, None), "0x1.999999999999ap-4");
        assert_eq!(hexadecimal(1.999, Some(1)), "0x2.0p+0");
    }
}
