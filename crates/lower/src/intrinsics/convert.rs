//! Conversions between numbers. Their names say source, target and rounding
//! (`__float2int_rn`), so most are recognised by pattern; what they convert follows from the types of
//! the call.

use port_ir::Rounding;

use super::{Intrinsic, Table};

pub(super) const TABLE: Table = &[
    ("__float_as_int", Intrinsic::Bits),
    ("__float_as_uint", Intrinsic::Bits),
    ("__int_as_float", Intrinsic::Bits),
    ("__uint_as_float", Intrinsic::Bits),
    ("__double_as_longlong", Intrinsic::Bits),
    ("__longlong_as_double", Intrinsic::Bits),
    ("__half_as_short", Intrinsic::Bits),
    ("__half_as_ushort", Intrinsic::Bits),
    ("__short_as_half", Intrinsic::Bits),
    ("__ushort_as_half", Intrinsic::Bits),
    ("__bfloat16_as_short", Intrinsic::Bits),
    ("__bfloat16_as_ushort", Intrinsic::Bits),
    ("__short_as_bfloat16", Intrinsic::Bits),
    ("__ushort_as_bfloat16", Intrinsic::Bits),
    ("__double2hiint", Intrinsic::DoubleHalf { high: true }),
    ("__double2loint", Intrinsic::DoubleHalf { high: false }),
    ("__hiloint2double", Intrinsic::DoubleFromHalves),
    ("__float2half", Intrinsic::Convert(Rounding::NearestEven)),
    ("__half2float", Intrinsic::Convert(Rounding::NearestEven)),
    ("__double2half", Intrinsic::Convert(Rounding::NearestEven)),
    ("__float2bfloat16", Intrinsic::Convert(Rounding::NearestEven)),
    ("__bfloat162float", Intrinsic::Convert(Rounding::NearestEven)),
    ("__double2bfloat16", Intrinsic::Convert(Rounding::NearestEven)),
    // Pairs.
    ("__float2half2_rn", Intrinsic::Splat),
    ("__float2bfloat162_rn", Intrinsic::Splat),
    ("__floats2half2_rn", Intrinsic::Compose),
    ("__floats2bfloat162_rn", Intrinsic::Compose),
    ("__halves2half2", Intrinsic::Compose),
    ("__halves2bfloat162", Intrinsic::Compose),
    ("make_half2", Intrinsic::Compose),
    ("make_bfloat162", Intrinsic::Compose),
    ("__float22half2_rn", Intrinsic::ConvertComponents),
    ("__half22float2", Intrinsic::ConvertComponents),
    ("__float22bfloat162_rn", Intrinsic::ConvertComponents),
    ("__bfloat1622float2", Intrinsic::ConvertComponents),
    ("__half2half2", Intrinsic::Splat),
    ("__bfloat162bfloat162", Intrinsic::Splat),
    ("__low2float", Intrinsic::Component(0)),
    ("__high2float", Intrinsic::Component(1)),
    ("__low2half", Intrinsic::Component(0)),
    ("__high2half", Intrinsic::Component(1)),
    ("__low2bfloat16", Intrinsic::Component(0)),
    ("__high2bfloat16", Intrinsic::Component(1)),
    ("__low2half2", Intrinsic::Shuffle2([(0, 0), (0, 0)])),
    ("__high2half2", Intrinsic::Shuffle2([(0, 1), (0, 1)])),
    ("__lows2half2", Intrinsic::Shuffle2([(0, 0), (1, 0)])),
    ("__highs2half2", Intrinsic::Shuffle2([(0, 1), (1, 1)])),
    ("__lowhigh2highlow", Intrinsic::Shuffle2([(0, 1), (0, 0)])),
    ("__low2bfloat162", Intrinsic::Shuffle2([(0, 0), (0, 0)])),
    ("__high2bfloat162", Intrinsic::Shuffle2([(0, 1), (0, 1)])),
    ("__lows2bfloat162", Intrinsic::Shuffle2([(0, 0), (1, 0)])),
    ("__highs2bfloat162", Intrinsic::Shuffle2([(0, 1), (1, 1)])),
];

const NUMBERS: &[&str] = &[
    "float", "double", "half", "bfloat16", "int", "uint", "ll", "ull", "short", "ushort", "char",
    "uchar",
];

/// `__<from>2<to>_<rounding>`, and `make_<vector>`.
pub(super) fn by_pattern(name: &str) -> Option<Intrinsic> {
    if name.strip_prefix("make_").is_some_and(|vector| vector.ends_with(['1', '2', '3', '4'])) {
        return Some(Intrinsic::Compose);
    }
    let rest = name.strip_prefix("__")?;
    let (pair, rounding) = rest.rsplit_once('_')?;
    let rounding = match rounding {
        "rn" => Rounding::NearestEven,
        "rz" => Rounding::TowardZero,
        "ru" => Rounding::Up,
        "rd" => Rounding::Down,
        _ => return None,
    };
    // `bfloat162int`: the name of the source may itself end in a digit.
    NUMBERS
        .iter()
        .filter_map(|from| pair.strip_prefix(from)?.strip_prefix('2'))
        .any(|to| NUMBERS.contains(&to))
        .then_some(Intrinsic::Convert(rounding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_conversions_are_recognised() {
        assert_eq!(by_pattern("__float2int_rz"), Some(Intrinsic::Convert(Rounding::TowardZero)));
        assert_eq!(by_pattern("__bfloat162int_ru"), Some(Intrinsic::Convert(Rounding::Up)));
        assert_eq!(by_pattern("__ull2half_rd"), Some(Intrinsic::Convert(Rounding::Down)));
        assert_eq!(by_pattern("__float2half2_rn"), None);
        assert_eq!(by_pattern("__fmul_rn"), None);
        assert_eq!(by_pattern("make_float4"), Some(Intrinsic::Compose));
    }
}
