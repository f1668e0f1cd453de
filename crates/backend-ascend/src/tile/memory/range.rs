//! What is known of how small and large a number may be, whatever the kernel is given.

use port_ir::{Axis, Builtin, Conversion, Expression, IntegerOp, Scalar, Type, Value};

use crate::tile::engine::Engine;

/// The threads of a block at most.
const THREADS: i128 = 1024;

/// From a number to a number, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tile) struct Range {
    least: i128,
    most: i128,
}

impl Range {
    pub(super) fn point(number: i128) -> Range {
        Range { least: number, most: number }
    }

    fn below(end: i128) -> Range {
        Range { least: 0, most: end - 1 }
    }

    /// What an integer type holds.
    pub(in crate::tile) fn of(scalar: Scalar) -> Range {
        let bits = scalar.bits();
        match scalar.is_signed() {
            true => Range { least: -(1 << (bits - 1)), most: (1 << (bits - 1)) - 1 },
            false => Range::below(1 << bits),
        }
    }

    pub(super) fn of_builtin(builtin: Builtin) -> Range {
        match builtin {
            Builtin::ThreadIndex(_) => Range::below(THREADS),
            Builtin::LaneId => Range::below(32),
            Builtin::WarpId => Range::below(THREADS / 32),
            Builtin::BlockDim(_) => Range { least: 1, most: THREADS },
            Builtin::BlockIndex(Axis::X) | Builtin::GridDim(Axis::X) => Range::below(1 << 31),
            _ => Range::of(Scalar::U32),
        }
    }

    pub(super) fn plus(self, other: Range) -> Option<Range> {
        Some(Range {
            least: self.least.checked_add(other.least)?,
            most: self.most.checked_add(other.most)?,
        })
    }

    fn minus(self, other: Range) -> Option<Range> {
        self.plus(Range { least: other.most.checked_neg()?, most: other.least.checked_neg()? })
    }

    pub(super) fn times(self, other: Range) -> Option<Range> {
        let mut ends = Vec::new();
        for a in [self.least, self.most] {
            for b in [other.least, other.most] {
                ends.push(a.checked_mul(b)?);
            }
        }
        Some(Range { least: ends.iter().copied().min()?, most: ends.iter().copied().max()? })
    }

    fn around(self, other: Range) -> Range {
        Range { least: self.least.min(other.least), most: self.most.max(other.most) }
    }

    pub(in crate::tile) fn is_within(self, other: Range) -> bool {
        other.least <= self.least && self.most <= other.most
    }

    /// The number, if it is only one.
    fn number(self) -> Option<i128> {
        (self.least == self.most).then_some(self.least)
    }
}

impl Engine<'_, '_> {
    /// The range of an integer: that of its type, or what is known besides.
    pub fn bounds(&self, value: Value, depth: u32) -> Option<Range> {
        let Type::Scalar(scalar) = self.type_of(value) else { return None };
        if !scalar.is_integer() {
            return None;
        }
        let whole = Range::of(scalar);
        if depth > 8 {
            return Some(whole);
        }
        let of = |value: Value| self.bounds(value, depth + 1);
        let known = match *self.expression(value) {
            Expression::Constant(constant) => constant.as_integer().map(Range::point),
            Expression::Builtin(builtin) => Some(Range::of_builtin(builtin)),
            Expression::Integer { op, left, right } => {
                of(left).zip(of(right)).and_then(|(a, b)| of_operation(op, a, b))
            }
            Expression::Select { accept, reject, .. } => {
                of(accept).zip(of(reject)).map(|(a, b)| a.around(b))
            }
            Expression::Convert { kind, value: inner, .. } => {
                of(inner).filter(|own| keeps_numbers(kind, self.type_of(inner), *own))
            }
            _ => None,
        };
        // What does not fit its type has wrapped.
        Some(known.filter(|known| known.is_within(whole)).unwrap_or(whole))
    }
}

/// Whether a conversion gives the numbers that it is given, where its result's type holds them.
pub(super) fn keeps_numbers(kind: Conversion, from: Type, range: Range) -> bool {
    match kind {
        Conversion::Truncate | Conversion::Bits => true,
        // The new bits are zeros, also those of a negative number.
        Conversion::ZeroExtend => range.least >= 0,
        // The new bits are the highest of what is given, also where that is no sign.
        Conversion::SignExtend => {
            from.scalar().is_some_and(|scalar| range.most < 1 << (scalar.bits() - 1))
        }
        _ => false,
    }
}

fn of_operation(op: IntegerOp, a: Range, b: Range) -> Option<Range> {
    match op {
        IntegerOp::Add => a.plus(b),
        IntegerOp::Subtract => a.minus(b),
        IntegerOp::Multiply => a.times(b),
        IntegerOp::And if a.least >= 0 || b.least >= 0 => {
            let most = [a, b].into_iter().filter(|own| own.least >= 0).map(|own| own.most).min()?;
            Some(Range { least: 0, most })
        }
        // It is smaller than the divisor, whatever the sign of that; its own is that of what is divided.
        IntegerOp::Remainder => {
            let most = b.least.checked_neg()?.max(b.most).checked_sub(1)?.max(0);
            Some(Range { least: a.least.min(0).max(-most), most: a.most.max(0).min(most) })
        }
        IntegerOp::Divide if b.least > 0 => {
            let own = Range { least: a.least.min(0), most: a.most.max(0) };
            b.number()
                .map_or(Some(own), |by| Some(Range { least: own.least / by, most: own.most / by }))
        }
        IntegerOp::ShiftRight => {
            let by = b.number().filter(|by| (0..64).contains(by))?;
            Some(Range { least: a.least >> by, most: a.most >> by })
        }
        IntegerOp::ShiftLeft => {
            let by = b.number().filter(|by| (0..64).contains(by))?;
            a.times(Range::point(1 << by))
        }
        IntegerOp::Minimum => Some(Range { least: a.least.min(b.least), most: a.most.min(b.most) }),
        IntegerOp::Maximum => Some(Range { least: a.least.max(b.least), most: a.most.max(b.most) }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_of_ranges() {
        let (a, b) = (Range { least: -3, most: 5 }, Range { least: 2, most: 4 });
        let of = |op| of_operation(op, a, b).map(|range| (range.least, range.most));
        assert_eq!(of(IntegerOp::Add), Some((-1, 9)));
        assert_eq!(of(IntegerOp::Subtract), Some((-7, 3)));
        assert_eq!(of(IntegerOp::Multiply), Some((-12, 20)));
        assert_eq!(of(IntegerOp::Divide), Some((-3, 5)));
        assert_eq!(of(IntegerOp::Remainder), Some((-3, 3)));
        assert_eq!(of(IntegerOp::And), Some((0, 4)));
        let by =
            |b| of_operation(IntegerOp::Remainder, a, b).map(|range| (range.least, range.most));
        assert_eq!(by(Range { least: -3, most: 2 }), Some((-2, 2)));
        assert_eq!(by(Range::of(Scalar::I32)), Some((-3, 5)));
        assert_eq!(of(IntegerOp::ShiftRight), None);
        let keeps = |kind, scalar, range| keeps_numbers(kind, Type::Scalar(scalar), range);
        assert!(keeps(Conversion::SignExtend, Scalar::I32, a));
        assert!(!keeps(Conversion::ZeroExtend, Scalar::I32, a));
        assert!(keeps(Conversion::ZeroExtend, Scalar::U32, Range::of(Scalar::U32)));
        assert!(!keeps(Conversion::SignExtend, Scalar::U32, Range::of(Scalar::U32)));
        assert!(!keeps(Conversion::PointerToInteger, Scalar::U64, b));
        let word = Range::of(Scalar::I32);
        assert!(word.is_within(Range::of(Scalar::I64)) && !Range::of(Scalar::U32).is_within(word));
        assert_eq!(Range::point(i128::MAX).times(b), None);
    }
}
