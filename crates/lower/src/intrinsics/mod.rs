//! Functions of CUDA's headers that are operations of the IR: a table by name, one file a family.
//!
//! How a call is typed follows from the function's declaration (see [`crate::library`]); here stands
//! what it does. [`crate::emit`] makes the IR.

mod atomic;
mod convert;
mod half;
mod integer;
mod math;
mod memory;
mod warp;

use std::collections::HashMap;
use std::sync::OnceLock;

use port_diag::Origin;
use port_hir::{Builtin as CBuiltin, FunctionId};
use port_ir::{
    Axis, BarrierReduction, Builtin, CacheHint, ClockKind, CompareOp, FloatFlags, FloatOp,
    Fragment, IntegerOp, MathFunction, MemoryOrder, MemoryScope, ReduceOp, Rounding, ShuffleMode,
    VoteKind,
};

use crate::check::Checker;
use crate::context::{Context, FunctionInstanceId, FunctionSource};
use crate::ty::{Kind, Type};
use crate::typed::{Expr, ExprKind};
use crate::value::Value;

/// What a function does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Intrinsic {
    // Numbers. Operands are converted to the result's type where that is a float.
    /// A named function.
    Math(MathFunction, FloatFlags),
    /// A named function of operands of their own type.
    MathOfOperand(MathFunction, FloatFlags),
    /// An operation of two floats, then perhaps clamped to [0, 1] or to at least 0.
    Float(FloatOp, FloatFlags, Clamp),
    Fma(FloatFlags, Clamp),
    Integer(IntegerOp),
    /// The smaller or larger, of integers or floats.
    Minimum,
    Maximum,
    /// `b < a ? b : a`
    StdMinimum,
    /// `a < b ? b : a`
    StdMaximum,
    Negate,
    Absolute,
    /// The function's result is an integer: rounded by the first function, then converted.
    RoundToInteger(MathFunction),
    /// Whether the operand is normal.
    IsNormal,
    /// `sincos(x, &s, &c)`: the factor is 1, or π.
    SinCos {
        pi: bool,
        approximate: bool,
    },
    Frexp,
    Modf,
    /// `norm(n, p)` and the like are loops; not here.
    /// `x / y`, or `1 / x`, approximately.
    // Comparisons of narrow floats.
    Compare {
        op: CompareOp,
        unordered: bool,
        gives: Comparison,
    },
    /// 1, −1 or 0.
    HalfIsInfinite,
    // Conversions.
    /// To the result's number type with this rounding.
    Convert(Rounding),
    /// The same bits.
    Bits,
    /// A half of a `double`.
    DoubleHalf {
        high: bool,
    },
    DoubleFromHalves,
    // Vectors.
    /// A vector from its components, each converted.
    Compose,
    /// A vector with one value in every place, converted.
    Splat,
    /// A component, converted to the result.
    Component(u32),
    /// Both components of the result from these components of the operands.
    Shuffle2([(u8, u8); 2]),
    /// Each component converted.
    ConvertComponents,
    // Warps. `sync` functions take a mask first.
    Shuffle {
        mode: ShuffleMode,
        sync: bool,
    },
    Vote {
        kind: VoteKind,
        sync: bool,
    },
    Match {
        all: bool,
    },
    ActiveMask,
    WarpReduce(ReduceOp),
    SyncWarp,
    FindNthSet,
    Builtin(Builtin),
    // Blocks and grids.
    BlockBarrier,
    BlockBarrierReduce(BarrierReduction),
    NamedBarrier,
    NamedBarrierArrive,
    GridBarrier,
    ClusterBarrier,
    Fence(MemoryScope),
    // Memory.
    Atomic {
        op: AtomicKind,
        scope: MemoryScope,
    },
    Load(CacheHint),
    Store(CacheHint),
    /// Atomic, of device scope.
    LoadOrdered(MemoryOrder),
    StoreOrdered(MemoryOrder),
    /// A pointer's address, and the pointer that an address is.
    PointerAddress,
    AddressPointer,
    /// A pointer's offset in the block's shared window, and the pointer that one is.
    SharedOffset,
    SharedPointer,
    CopyBytes,
    FillBytes,
    AsyncCopy,
    AsyncCommit,
    AsyncWait,
    // Others.
    Clock(ClockKind),
    Sleep,
    Trap,
    Assert,
    Print,
    ByteSwap,
    /// A value that is only looked at for its type.
    Declval,
    FragmentLength(Fragment),
    FragmentFill,
    FragmentLoad,
    FragmentStore,
    FragmentMultiply,
}

/// What becomes of a float result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Clamp {
    None,
    /// To [0, 1], NaN to 0.
    Unit,
    /// At least 0; NaN stays.
    Positive,
}

/// What a comparison of narrow floats gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Comparison {
    /// A truth value.
    Bool,
    /// 1 or 0 in each component.
    Number,
    /// Whether it holds for all components.
    All,
    /// All bits or none in each component.
    Mask,
}

/// Which atomic operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum AtomicKind {
    Add,
    Subtract,
    Minimum,
    Maximum,
    And,
    Or,
    Xor,
    Exchange,
    CompareExchange,
    Increment,
    Decrement,
}

type Table = &'static [(&'static str, Intrinsic)];

const TABLES: &[Table] = &[
    math::TABLE,
    math::INTRINSICS,
    integer::TABLE,
    convert::TABLE,
    half::TABLE,
    warp::TABLE,
    atomic::TABLE,
    memory::TABLE,
];

/// What the function of a name does, if it is an operation.
pub(crate) fn find(name: &str) -> Option<Intrinsic> {
    static INDEX: OnceLock<HashMap<&'static str, Intrinsic>> = OnceLock::new();
    let index =
        INDEX.get_or_init(|| TABLES.iter().flat_map(|table| table.iter().copied()).collect());
    index.get(name).copied().or_else(|| convert::by_pattern(name))
}

/// A function that is this operation, for a message.
pub(crate) fn name_of(intrinsic: Intrinsic) -> &'static str {
    let mut known = TABLES.iter().flat_map(|table| table.iter());
    known.find(|(_, known)| *known == intrinsic).map_or("an operation", |(name, _)| name)
}

impl Checker<'_, '_> {
    /// What a function of the library does, if it is an operation.
    pub(crate) fn intrinsic_of(&self, function: FunctionInstanceId) -> Option<Intrinsic> {
        let instance = self.cx.function(function);
        let unit = instance.environment.unit;
        let FunctionSource::Function(id) = instance.source else { return None };
        let hir = self.cx.hir(unit);
        if !matches!(hir.functions[id].body, port_hir::Body::None) {
            return None;
        }
        // The user may repeat a declaration of the headers.
        if unit.is_user() && port_api::find(hir.functions[id].name.as_str()).is_none() {
            return None;
        }
        let found = find(&key(hir, id))?;
        // `__hadd` adds halves, and averages integers.
        if hir.functions[id].name.as_str() == "__hadd"
            && self
                .cx
                .types
                .scalar(instance.signature.result)
                .is_some_and(port_ir::Scalar::is_integer)
        {
            let average = MathFunction::AverageDown;
            return Some(Intrinsic::MathOfOperand(average, FloatFlags::STRICT));
        }
        Some(found)
    }

    /// A call of an operation.
    pub(crate) fn intrinsic(
        &mut self,
        intrinsic: Intrinsic,
        function: FunctionInstanceId,
        object: Option<Expr>,
        arguments: Vec<Expr>,
        origin: Origin,
    ) -> Expr {
        let _ = object;
        let result = self.cx.function(function).signature.result;
        if intrinsic == Intrinsic::Declval {
            let referee = self.cx.types.strip_reference(result);
            let lvalue = matches!(self.cx.types.kind(result), Kind::LValueReference(_));
            let mut expr = Expr::place(ExprKind::Undefined, referee, origin);
            if !lvalue {
                expr.category = crate::typed::Category::XValue;
            }
            return expr;
        }
        self.returned(ExprKind::Intrinsic { intrinsic, arguments }, result, origin)
    }

    /// `threadIdx` and the like.
    pub(crate) fn builtin_variable(&mut self, name: port_hir::Name, origin: Origin) -> Expr {
        let axes: fn(Axis) -> Builtin = match name.as_str() {
            "threadIdx" => Builtin::ThreadIndex,
            "blockIdx" => Builtin::BlockIndex,
            "blockDim" => Builtin::BlockDim,
            "gridDim" => Builtin::GridDim,
            "warpSize" => {
                let intrinsic = Intrinsic::Builtin(Builtin::WarpSize);
                let kind = ExprKind::Intrinsic { intrinsic, arguments: Vec::new() };
                return Expr::value(kind, Type::INT, origin);
            }
            other => {
                let name = other.to_string();
                return self.fail(origin, crate::findings::UnsupportedFunction::new(name));
            }
        };
        let parts = Axis::ALL
            .iter()
            .map(|axis| {
                let intrinsic = Intrinsic::Builtin(axes(*axis));
                let kind = ExprKind::Intrinsic { intrinsic, arguments: Vec::new() };
                Some(Expr::value(kind, Type::UINT, origin))
            })
            .collect();
        let dim3 = matches!(name.as_str(), "blockDim" | "gridDim");
        let ty = if dim3 { self.cx.types.dim3() } else { self.cx.types.vector(Type::UINT, 3) };
        Expr::value(ExprKind::Aggregate(parts), ty, origin)
    }
}

/// The name under which the table keeps a function: without `std::`.
fn key(hir: &port_hir::Module, id: FunctionId) -> String {
    let name = hir.function_name(id);
    match name.strip_prefix("std::") {
        // These differ from the functions of the same name without namespace.
        Some("max" | "min") => name,
        Some(rest) => rest.to_string(),
        None => name,
    }
}

/// The value of a call whose operands are constants.
pub(crate) fn evaluate(
    cx: &Context<'_>,
    intrinsic: &Intrinsic,
    arguments: &[Value],
    result: Type,
) -> Option<Value> {
    let scalar = cx.types.scalar(result);
    let round = |value: f64| -> Option<Value> {
        Some(Value::Float(crate::constant::round_float(value, scalar?)?))
    };
    match (intrinsic, arguments) {
        (Intrinsic::Minimum | Intrinsic::StdMinimum, [Value::Integer(a), Value::Integer(b)]) => {
            Some(Value::Integer(*a.min(b)))
        }
        (Intrinsic::Maximum | Intrinsic::StdMaximum, [Value::Integer(a), Value::Integer(b)]) => {
            Some(Value::Integer(*a.max(b)))
        }
        (Intrinsic::Minimum | Intrinsic::StdMinimum, [Value::Float(a), Value::Float(b)]) => {
            round(if b < a { *b } else { *a })
        }
        (Intrinsic::Maximum | Intrinsic::StdMaximum, [Value::Float(a), Value::Float(b)]) => {
            round(if a < b { *b } else { *a })
        }
        (Intrinsic::Absolute, [Value::Integer(a)]) => Some(Value::Integer(a.abs())),
        (Intrinsic::Absolute, [Value::Float(a)]) => round(a.abs()),
        (Intrinsic::MathOfOperand(MathFunction::PopulationCount, _), [Value::Integer(a)]) => {
            Some(Value::Integer(i128::from(a.count_ones())))
        }
        (Intrinsic::MathOfOperand(MathFunction::FindFirstSet, _), [Value::Integer(a)]) => {
            let place = if *a == 0 { 0 } else { a.trailing_zeros() + 1 };
            Some(Value::Integer(place.into()))
        }
        // These are exact, or correctly rounded, whoever computes them.
        (Intrinsic::Math(MathFunction::SquareRoot, flags), [Value::Float(a)])
            if !flags.approximate =>
        {
            round(a.sqrt())
        }
        (Intrinsic::Math(MathFunction::Ceil, _), [Value::Float(a)]) => round(a.ceil()),
        (Intrinsic::Math(MathFunction::Floor, _), [Value::Float(a)]) => round(a.floor()),
        (Intrinsic::Convert(Rounding::NearestEven), [Value::Float(a)]) => round(*a),
        (Intrinsic::Bits, [Value::Integer(bits)]) => match cx.types.kind(result) {
            Kind::Builtin(CBuiltin::Float) => {
                Some(Value::Float(f64::from(f32::from_bits(*bits as u32))))
            }
            Kind::Builtin(CBuiltin::Double) => Some(Value::Float(f64::from_bits(*bits as u64))),
            _ => None,
        },
        _ => None,
    }
}
