//! Places made of quotient and rest of one number by another, as `x[i / n * pitch + i % n]` has them: the lanes
//! of a tile go over rows of a matrix.

use super::*;
use port_ir::IntegerOp;

use crate::tile::shape::Lanes;

/// How many conversions stand around a division, at most.
const CONVERSIONS: usize = 4;

/// Terms of an address: the factors of each, and its coefficient.
type Terms = Vec<(Vec<Symbol>, i128)>;

impl Engine<'_, '_> {
    /// Where the lanes' elements of a size lie, as an object of the support code, if that asks for nothing of the lanes
    /// but quotient and rest of one division. The flag says whether all rows are the same one.
    pub(super) fn split(
        &mut self,
        address: &Address,
        plus: u64,
        size: u64,
    ) -> Result<Option<(String, bool)>> {
        // Numbers of 64 bits are moved as two.
        if self.lanes == Lanes::Block
            || address.moving.is_some()
            || address.start.is_some()
            || size == 8
        {
            return Ok(None);
        }
        let mut terms: Terms = address.offset.terms().map(|(f, c)| (f.to_vec(), c)).collect();
        terms.push((Vec::new(), i128::from(plus)));
        let Some(terms) = divide_terms(&terms, i128::from(size)) else { return Ok(None) };
        let (mut base, mut quotient, mut rest): (Terms, Terms, Terms) = Default::default();
        let mut division: Option<(Value, Value)> = None;
        for (mut factors, coefficient) in terms {
            let Some(at) = factors.iter().position(|factor| self.differs(*factor)) else {
                base.push((factors, coefficient));
                continue;
            };
            let Symbol::Value(value) = factors.remove(at) else { return Ok(None) };
            if factors.iter().any(|factor| self.differs(*factor)) {
                return Ok(None);
            }
            let Some((op, left, right)) = self.division_of(value) else { return Ok(None) };
            let own = (left, right);
            let same = match division {
                None => true,
                Some((left, right)) => {
                    let number = |engine: &mut Self, value| engine.affine.integer(value);
                    number(self, own.0) == number(self, left)
                        && number(self, own.1) == number(self, right)
                }
            };
            if !same {
                return Ok(None);
            }
            division = Some(own);
            let part = if op == IntegerOp::Divide { &mut quotient } else { &mut rest };
            part.push((factors, coefficient));
        }
        let Some((left, right)) = division else { return Ok(None) };
        let Some(number) = self.as_linear(left)? else { return Ok(None) };
        let divisor = self.uniform(right)?;
        base.retain(|(_, coefficient)| *coefficient != 0);
        let mut texts = Vec::new();
        for (wish, terms) in [("base", &base), ("pitch", &quotient), ("step", &rest)] {
            let Some(text) = self.polynomial_of(terms)? else { return Ok(None) };
            texts.push(self.given(wish, &text));
        }
        let divisor = match divisor.starts_with("static_cast<int64_t>(") {
            true => divisor,
            false => format!("static_cast<int64_t>({divisor})"),
        };
        let divisor = self.given("length", &divisor);
        let split = format!("lanes::Split{{{}, {divisor}, {}}}", number.text(), texts.join(", "));
        Ok(Some((split, quotient.is_empty())))
    }

    /// A number of 64 bits where an object is made: a name or a number as it is, anything else as a constant before.
    fn given(&mut self, wish: &str, text: &str) -> String {
        let inner =
            text.strip_prefix("static_cast<int64_t>(").and_then(|rest| rest.strip_suffix(')'));
        let is_name =
            |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
        match inner.is_some_and(is_name) || text.parse::<i64>().is_ok() {
            true => text.to_owned(),
            false => self.scalar(wish, "int64_t", text),
        }
    }

    /// Whether lanes differ in a factor of an address.
    fn differs(&self, factor: Symbol) -> bool {
        use port_ir::{Axis, Builtin};
        match factor {
            Symbol::Value(value) => self.shape.varies(value),
            Symbol::Builtin(Builtin::ThreadIndex(Axis::X) | Builtin::LaneId | Builtin::WarpId) => {
                true
            }
            Symbol::Builtin(Builtin::BlockIndex(Axis::X)) => self_is_grid(self),
            Symbol::Builtin(_) | Symbol::Passes(_) => false,
        }
    }

    /// The division that a number is the quotient or the rest of, with a divisor that all lanes share and 63 bits hold.
    pub(super) fn division_of(&self, value: Value) -> Option<(IntegerOp, Value, Value)> {
        let mut value = value;
        for _ in 0..CONVERSIONS {
            match *self.expression(value) {
                Expression::Convert { kind, value: inner, .. } => {
                    let own = self.bounds(inner, 0)?;
                    let to = self.type_of(value).scalar().filter(|to| to.is_integer())?;
                    let keeps = range::keeps_numbers(kind, self.type_of(inner), own);
                    value = Some(inner).filter(|_| keeps && own.is_within(Range::of(to)))?;
                }
                Expression::Integer {
                    op: op @ (IntegerOp::Divide | IntegerOp::Remainder),
                    left,
                    right,
                } => {
                    let is_number = self.bounds(right, 0)?.is_within(Range::of(Scalar::I64));
                    return (is_number && !self.shape.varies(right)).then_some((op, left, right));
                }
                _ => return None,
            }
        }
        None
    }
}
