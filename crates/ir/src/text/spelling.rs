//! The words of the text form: one table for each enumeration, read in both directions by the
//! printer and the parser. Knows nothing of the grammar.

use crate::operation::{
    Axis, Builtin, CompareOp, Constant, FloatFlags, FloatOp, IntegerOp, Rounding, UnaryOp,
};
use crate::statement::{
    Access, BarrierReduction, BarrierScope, CacheHint, ClockKind, MemoryOrder, MemoryScope,
    Ordering, ReduceOp, ShuffleMode, VoteKind,
};
use crate::types::{FragmentElement, FragmentUse, MatrixLayout, Scalar, Space, VectorSize};

/// Values and their words.
pub(super) type Table<T> = &'static [(T, &'static str)];

/// The word of a value; `?` if the table lacks it, which the tests exclude.
pub(super) fn word<T: PartialEq>(table: Table<T>, value: &T) -> &'static str {
    table.iter().find(|(known, _)| known == value).map_or("?", |(_, word)| word)
}

/// The value of a word.
pub(super) fn value<T: Copy>(table: Table<T>, word: &str) -> Option<T> {
    table.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
}

pub(super) const UNARY: Table<UnaryOp> =
    &[(UnaryOp::Negate, "neg"), (UnaryOp::Not, "not"), (UnaryOp::Absolute, "abs")];

pub(super) const INTEGER: Table<IntegerOp> = &[
    (IntegerOp::Add, "iadd"),
    (IntegerOp::Subtract, "isub"),
    (IntegerOp::Multiply, "imul"),
    (IntegerOp::MultiplyHigh, "imulhi"),
    (IntegerOp::Divide, "idiv"),
    (IntegerOp::Remainder, "irem"),
    (IntegerOp::Minimum, "imin"),
    (IntegerOp::Maximum, "imax"),
    (IntegerOp::And, "and"),
    (IntegerOp::Or, "or"),
    (IntegerOp::Xor, "xor"),
    (IntegerOp::ShiftLeft, "shl"),
    (IntegerOp::ShiftRight, "shr"),
];

pub(super) const FLOAT: Table<FloatOp> = &[
    (FloatOp::Add, "fadd"),
    (FloatOp::Subtract, "fsub"),
    (FloatOp::Multiply, "fmul"),
    (FloatOp::Divide, "fdiv"),
    (FloatOp::Minimum, "fmin"),
    (FloatOp::Maximum, "fmax"),
    (FloatOp::MinimumNan, "fmin_nan"),
    (FloatOp::MaximumNan, "fmax_nan"),
];

pub(super) const COMPARE: Table<CompareOp> = &[
    (CompareOp::Equal, "eq"),
    (CompareOp::NotEqual, "ne"),
    (CompareOp::Less, "lt"),
    (CompareOp::LessEqual, "le"),
    (CompareOp::Greater, "gt"),
    (CompareOp::GreaterEqual, "ge"),
];

pub(super) const ROUNDING: Table<Rounding> = &[
    (Rounding::NearestEven, "rn"),
    (Rounding::TowardZero, "rz"),
    (Rounding::Up, "ru"),
    (Rounding::Down, "rd"),
    (Rounding::NearestAway, "ra"),
];

pub(super) const SPACES: Table<Space> = &[
    (Space::Global, "global"),
    (Space::Shared, "shared"),
    (Space::Constant, "constant"),
    (Space::Local, "local"),
    (Space::Parameter, "parameter"),
    (Space::Generic, "generic"),
];

pub(super) const ORDERS: Table<MemoryOrder> = &[
    (MemoryOrder::Relaxed, "relaxed"),
    (MemoryOrder::Acquire, "acquire"),
    (MemoryOrder::Release, "release"),
    (MemoryOrder::AcquireRelease, "acquire_release"),
    (MemoryOrder::SequentiallyConsistent, "sequential"),
];

pub(super) const MEMORY_SCOPES: Table<MemoryScope> = &[
    (MemoryScope::Block, "block"),
    (MemoryScope::Cluster, "cluster"),
    (MemoryScope::Device, "device"),
    (MemoryScope::System, "system"),
];

pub(super) const BARRIER_SCOPES: Table<BarrierScope> = &[
    (BarrierScope::Warp, "warp"),
    (BarrierScope::Block, "block"),
    (BarrierScope::Cluster, "cluster"),
    (BarrierScope::Grid, "grid"),
];

/// [`CacheHint::None`] has no word.
pub(super) const CACHE_HINTS: Table<CacheHint> = &[
    (CacheHint::ReadOnly, "read_only"),
    (CacheHint::All, "cache_all"),
    (CacheHint::DeviceLevel, "cache_device"),
    (CacheHint::Streaming, "streaming"),
    (CacheHint::LastUse, "last_use"),
    (CacheHint::Through, "through"),
];

/// `CompareExchange` carries an operand and is spelled by printer and parser themselves.
pub(super) const COMPARE_EXCHANGE: &str = "compare_exchange";

pub(super) const ATOMICS: Table<crate::statement::AtomicOp> = {
    use crate::statement::AtomicOp;
    &[
        (AtomicOp::Add, "add"),
        (AtomicOp::Subtract, "sub"),
        (AtomicOp::Minimum, "min"),
        (AtomicOp::Maximum, "max"),
        (AtomicOp::And, "and"),
        (AtomicOp::Or, "or"),
        (AtomicOp::Xor, "xor"),
        (AtomicOp::Exchange, "exchange"),
        (AtomicOp::IncrementWrap, "increment_wrap"),
        (AtomicOp::DecrementWrap, "decrement_wrap"),
    ]
};

pub(super) const SHUFFLES: Table<ShuffleMode> = &[
    (ShuffleMode::Index, "index"),
    (ShuffleMode::Up, "up"),
    (ShuffleMode::Down, "down"),
    (ShuffleMode::Xor, "xor"),
];

pub(super) const VOTES: Table<VoteKind> = &[
    (VoteKind::Any, "any"),
    (VoteKind::All, "all"),
    (VoteKind::Uniform, "uniform"),
    (VoteKind::Ballot, "ballot"),
];

pub(super) const REDUCTIONS: Table<ReduceOp> = &[
    (ReduceOp::Add, "add"),
    (ReduceOp::Minimum, "min"),
    (ReduceOp::Maximum, "max"),
    (ReduceOp::And, "and"),
    (ReduceOp::Or, "or"),
    (ReduceOp::Xor, "xor"),
];

pub(super) const BARRIER_REDUCTIONS: Table<BarrierReduction> = &[
    (BarrierReduction::Count, "count"),
    (BarrierReduction::And, "and"),
    (BarrierReduction::Or, "or"),
];

pub(super) const CLOCKS: Table<ClockKind> = &[
    (ClockKind::Cycles32, "cycles32"),
    (ClockKind::Cycles64, "cycles64"),
    (ClockKind::Nanoseconds, "nanoseconds"),
];

pub(super) const MATRIX_LAYOUTS: Table<MatrixLayout> =
    &[(MatrixLayout::RowMajor, "row"), (MatrixLayout::ColumnMajor, "column")];

pub(super) const FRAGMENT_USES: Table<FragmentUse> =
    &[(FragmentUse::A, "a"), (FragmentUse::B, "b"), (FragmentUse::Accumulator, "accumulator")];

/// The elements that are not scalars.
pub(super) const FRAGMENT_ELEMENTS: Table<FragmentElement> = &[
    (FragmentElement::Tf32, "tf32"),
    (FragmentElement::I4, "i4"),
    (FragmentElement::U4, "u4"),
    (FragmentElement::B1, "b1"),
];

pub(super) const AXES: Table<Axis> = &[(Axis::X, "x"), (Axis::Y, "y"), (Axis::Z, "z")];

/// The scalar of a word.
pub(super) fn scalar(word: &str) -> Option<Scalar> {
    Scalar::ALL.into_iter().find(|scalar| scalar.name() == word)
}

/// `f32x4` and the like.
pub(super) fn vector(word: &str) -> Option<(Scalar, VectorSize)> {
    let (name, count) = word.rsplit_once('x')?;
    let size = match count {
        "2" => VectorSize::Two,
        "3" => VectorSize::Three,
        "4" => VectorSize::Four,
        _ => return None,
    };
    Some((scalar(name)?, size))
}

/// The word of a built-in value.
pub(crate) fn builtin_word(builtin: Builtin) -> String {
    let of_axis = |name: &str, axis: Axis| format!("{name}.{}", axis.name());
    match builtin {
        Builtin::ThreadIndex(axis) => of_axis("thread", axis),
        Builtin::BlockIndex(axis) => of_axis("block", axis),
        Builtin::BlockDim(axis) => of_axis("block_dim", axis),
        Builtin::GridDim(axis) => of_axis("grid_dim", axis),
        Builtin::ClusterIndex(axis) => of_axis("cluster", axis),
        Builtin::ClusterDim(axis) => of_axis("cluster_dim", axis),
        Builtin::ClusterGridDim(axis) => of_axis("cluster_grid_dim", axis),
        Builtin::ClusterBlockIndex(axis) => of_axis("cluster_block", axis),
        Builtin::ClusterRank => "cluster_rank".into(),
        Builtin::ClusterSize => "cluster_size".into(),
        Builtin::LaneId => "lane".into(),
        Builtin::WarpId => "warp".into(),
        Builtin::WarpSize => "warp_size".into(),
        Builtin::LaneMask(op) => format!("lane_mask.{}", word(COMPARE, &op)),
        Builtin::DynamicSharedSize => "dynamic_shared_size".into(),
    }
}

/// The built-in value of a word.
pub(super) fn builtin(text: &str) -> Option<Builtin> {
    match text {
        "cluster_rank" => return Some(Builtin::ClusterRank),
        "cluster_size" => return Some(Builtin::ClusterSize),
        "lane" => return Some(Builtin::LaneId),
        "warp" => return Some(Builtin::WarpId),
        "warp_size" => return Some(Builtin::WarpSize),
        "dynamic_shared_size" => return Some(Builtin::DynamicSharedSize),
        _ => {}
    }
    let (name, detail) = text.split_once('.')?;
    if name == "lane_mask" {
        return value(COMPARE, detail)
            .filter(|op| *op != CompareOp::NotEqual)
            .map(Builtin::LaneMask);
    }
    let axis = value(AXES, detail)?;
    Some(match name {
        "thread" => Builtin::ThreadIndex(axis),
        "block" => Builtin::BlockIndex(axis),
        "block_dim" => Builtin::BlockDim(axis),
        "grid_dim" => Builtin::GridDim(axis),
        "cluster" => Builtin::ClusterIndex(axis),
        "cluster_dim" => Builtin::ClusterDim(axis),
        "cluster_grid_dim" => Builtin::ClusterGridDim(axis),
        "cluster_block" => Builtin::ClusterBlockIndex(axis),
        _ => return None,
    })
}

/// Flags as suffixes of an operation: `.contract.approximate.flush.rz`, each only if it is set.
pub(super) fn flags_suffix(flags: FloatFlags) -> String {
    let mut text = String::new();
    for (set, name) in [
        (flags.contract, ".contract"),
        (flags.approximate, ".approximate"),
        (flags.flush, ".flush"),
    ] {
        if set {
            text.push_str(name);
        }
    }
    if flags.rounding != Rounding::NearestEven {
        text.push('.');
        text.push_str(word(ROUNDING, &flags.rounding));
    }
    text
}

/// The flags of suffixes; the suffix that is none is the error.
pub(super) fn flags<'a>(suffixes: &[&'a str]) -> Result<FloatFlags, &'a str> {
    let mut flags = FloatFlags::STRICT;
    for suffix in suffixes {
        match *suffix {
            "contract" => flags.contract = true,
            "approximate" => flags.approximate = true,
            "flush" => flags.flush = true,
            other => flags.rounding = value(ROUNDING, other).ok_or(other)?,
        }
    }
    Ok(flags)
}

/// An access as suffixes: `.volatile.acquire.device.read_only`.
pub(super) fn access_suffix(access: Access) -> String {
    let mut text = String::new();
    if access.volatile {
        text.push_str(".volatile");
    }
    if let Some(ordering) = access.atomic {
        text.push_str(&ordering_suffix(ordering));
    }
    if access.cache != CacheHint::None {
        text.push('.');
        text.push_str(word(CACHE_HINTS, &access.cache));
    }
    text
}

/// Order and scope as suffixes.
pub(super) fn ordering_suffix(ordering: Ordering) -> String {
    format!(".{}.{}", word(ORDERS, &ordering.order), word(MEMORY_SCOPES, &ordering.scope))
}

/// Order and scope from two suffixes.
pub(super) fn ordering(order: &str, scope: &str) -> Option<Ordering> {
    Some(Ordering { order: value(ORDERS, order)?, scope: value(MEMORY_SCOPES, scope)? })
}

/// The access of suffixes; the suffix that is none is the error.
pub(super) fn access<'a>(suffixes: &[&'a str]) -> Result<Access, &'a str> {
    let mut access = Access::PLAIN;
    let mut rest = suffixes.iter();
    while let Some(suffix) = rest.next() {
        if *suffix == "volatile" {
            access.volatile = true;
        } else if let Some(hint) = value(CACHE_HINTS, suffix) {
            access.cache = hint;
        } else if let Some(order) = value(ORDERS, suffix) {
            let scope = rest.next().and_then(|scope| value(MEMORY_SCOPES, scope));
            access.atomic = Some(Ordering { order, scope: scope.ok_or(*suffix)? });
        } else {
            return Err(suffix);
        }
    }
    Ok(access)
}

/// A constant: `true`, `-3i32`, `0xffffffffu32`, `1.5f32`, and by bits what has no decimal form,
/// `f32(0x7f800000)`.
pub(super) fn constant_text(constant: Constant) -> String {
    let name = constant.scalar.name();
    match constant.scalar {
        Scalar::Bool => return if constant.bits == 0 { "false".into() } else { "true".into() },
        Scalar::F32 => {
            let value = f32::from_bits(constant.bits as u32);
            if value.is_finite() {
                return format!("{value:?}{name}");
            }
        }
        scalar if scalar.is_float() => {
            if let Some(value) = constant.as_float().filter(|value| value.is_finite()) {
                return format!("{value:?}{name}");
            }
        }
        scalar => {
            if let Some(value) = constant.as_integer() {
                // Large unsigned numbers are mostly masks.
                if scalar.is_unsigned() && value > 0xffff {
                    return format!("{value:#x}{name}");
                }
                return format!("{value}{name}");
            }
        }
    }
    format!("{name}({:#x})", constant.bits)
}

/// The constant that a number with a suffix means, `None` if it does not fit its type.
pub(super) fn constant(digits: &str, scalar: Scalar) -> Option<Constant> {
    match scalar {
        Scalar::Bool => None,
        Scalar::F32 => {
            let value: f32 = digits.parse().ok()?;
            value.is_finite().then(|| Constant::f32(value))
        }
        Scalar::F64 => {
            let value: f64 = digits.parse().ok()?;
            value.is_finite().then(|| Constant::f64(value))
        }
        scalar if scalar.is_float() => {
            // A narrow float is written exactly, so nothing may be lost.
            let value: f64 = digits.parse().ok()?;
            let constant = Constant::float(scalar, value)?;
            (constant.as_float().map(f64::to_bits) == Some(value.to_bits())).then_some(constant)
        }
        scalar => {
            let (negative, magnitude) = match digits.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, digits),
            };
            let magnitude = match magnitude.strip_prefix("0x") {
                Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16).ok()?,
                None => magnitude.parse().ok()?,
            };
            let value = if negative { -i128::from(magnitude) } else { i128::from(magnitude) };
            let constant = Constant::from_bits(scalar, value as u64);
            (constant.as_integer() == Some(value)).then_some(constant)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of operations that are not in one of the tables.
    const OPERATION_WORDS: &[&str] = &[
        "fma",
        "select",
        "zext",
        "sext",
        "truncate",
        "bits",
        "itof",
        "ftoi",
        "ftof",
        "space",
        "ptrtoint",
        "inttoptr",
        "splat",
        "compose",
        "extract",
        "insert",
        "element",
        "member",
        "fragment_element",
        // A leaf that has a name of its own.
        "value",
    ];

    /// Words of statements.
    const STATEMENT_WORDS: &[&str] = &[
        "load",
        "store",
        "copy",
        "fill",
        "atomic",
        "fence",
        "prefetch",
        "async_copy",
        "async_commit",
        "async_wait",
        "call",
        "barrier",
        "shuffle",
        "vote",
        "match",
        "active_mask",
        "reduce",
        "elect",
        "matrix_load",
        "matrix_store",
        "matrix_multiply",
        "print",
        "assert",
        "trap",
        "clock",
        "sleep",
        "block",
        "if",
        "else",
        "switch",
        "case",
        "loop",
        "break",
        "continue",
        "return",
        "unsupported",
    ];

    #[test]
    fn constants_read_back_bit_for_bit() {
        for scalar in Scalar::ALL {
            let width = scalar.bits();
            let patterns: Vec<u64> = if width <= 8 {
                (0..1 << width).collect()
            } else {
                // Ends of every binade and a few patterns between.
                (0..width)
                    .flat_map(|bit| {
                        [1u64 << bit, (1u64 << bit) - 1, !(1u64 << bit), 0x5555_5555_5555_5555]
                    })
                    .collect()
            };
            for bits in patterns {
                let constant = Constant::from_bits(scalar, bits);
                let text = constant_text(constant);
                if scalar == Scalar::Bool || text.contains('(') {
                    continue;
                }
                let digits = text.strip_suffix(scalar.name()).unwrap();
                assert_eq!(super::constant(digits, scalar), Some(constant), "{text}");
            }
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        assert_eq!(constant("256", Scalar::U8), None);
        assert_eq!(constant("-129", Scalar::I8), None);
        assert_eq!(constant("-1", Scalar::U32), None);
        assert_eq!(constant("0.1", Scalar::F16), None);
        assert_eq!(constant("1e999", Scalar::F64), None);
    }

    #[test]
    fn words_of_a_table_are_distinct() {
        fn check<T: PartialEq + Copy + std::fmt::Debug>(table: Table<T>) {
            for (known, name) in table {
                assert_eq!(value(table, name), Some(*known));
                assert_eq!(word(table, known), *name);
            }
        }
        check(UNARY);
        check(INTEGER);
        check(FLOAT);
        check(COMPARE);
        check(ROUNDING);
        check(SPACES);
        check(ORDERS);
        check(MEMORY_SCOPES);
        check(BARRIER_SCOPES);
        check(CACHE_HINTS);
        check(ATOMICS);
        check(SHUFFLES);
        check(VOTES);
        check(REDUCTIONS);
        check(BARRIER_REDUCTIONS);
        check(CLOCKS);
        check(MATRIX_LAYOUTS);
        check(FRAGMENT_USES);
        check(FRAGMENT_ELEMENTS);
        check(AXES);
    }

    #[test]
    fn operations_do_not_share_a_word() {
        let mut words: Vec<&str> = Vec::new();
        words.extend(UNARY.iter().map(|(_, word)| word));
        words.extend(INTEGER.iter().map(|(_, word)| word));
        words.extend(FLOAT.iter().map(|(_, word)| word));
        words.extend(COMPARE.iter().map(|(_, word)| word));
        words.extend(crate::operation::MathFunction::ALL.iter().map(|function| function.name()));
        words.extend(OPERATION_WORDS);
        words.extend(STATEMENT_WORDS);
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
    }
}
