//! Points of a traced program: what is computed and written, each where it happens.

use port_ir::{Expression, Location, Scalar, Type, Value};

use super::prelude::*;
use crate::machine::Exec;
use crate::names;
use crate::trace::{DOUBLE, Note, Point, TRUTH, WORD};

impl Compiler<'_> {
    /// Notes a value that has just become known.
    pub(super) fn note_value(&mut self, value: Value, parts: &Parts) {
        let ty = self.ty(value);
        let expression = self.frame.function.expressions.get(value);
        // Pointers are noted where they are used: what they number differs between programs.
        let Some(what) = expression.and_then(|expression| match ty {
            Type::Pointer(_) => None,
            _ => names::of_expression(expression).or(match expression {
                Expression::Result(_) => Some(self.statement),
                _ => None,
            }),
        }) else {
            return;
        };
        let location = self.frame.function.expressions.location(value).or(self.location);
        let first = self.code.points.len();
        self.note(what, location, ty.scalar(), None, false, parts);
        if let Some(point) = self.code.points.get_mut(first).filter(|_| self.frame.depth == 0) {
            point.value = Some(value);
        }
    }

    /// Notes registers; with `address`, the first is one, and so many bytes are to be added to it.
    pub(super) fn note(
        &mut self,
        what: &'static str,
        location: Option<Location>,
        scalar: Option<Scalar>,
        address: Option<u64>,
        writes: bool,
        registers: &[V],
    ) {
        let Some(location) = location.filter(|_| self.traced) else { return };
        let run: Exec = select::<Note>();
        let mut rest = registers;
        let mut address = address;
        loop {
            let (now, later) = rest.split_at(rest.len().min(4));
            let address = address.take();
            let point =
                Point { location, what, scalar, value: None, pointer: None, address, writes };
            let mut imm = self.code.points.len() as u64;
            self.code.points.push(point);
            let mut operands = Vec::new();
            for (index, register) in now.iter().enumerate() {
                let file = match self.class(*register) {
                    Class::W => WORD,
                    Class::D => DOUBLE,
                    Class::B => TRUTH,
                };
                imm |= file << (32 + 2 * index);
                operands.push(*register);
            }
            let draft = self.draft(Op::Exec, run);
            draft.imm = imm;
            for (place, operand) in draft.operands.iter_mut().zip(operands) {
                *place = Some(operand);
            }
            rest = later;
            if rest.is_empty() {
                return;
            }
        }
    }

    /// Notes what is written to memory.
    pub(super) fn note_write(&mut self, what: &'static str, address: V, offset: u64, values: &[V]) {
        if self.traced {
            let mut registers = vec![address];
            registers.extend(values);
            self.note(what, self.location, None, Some(offset), true, &registers);
        }
    }

    /// Says which address the last point is about, and which value is written there.
    pub(super) fn noted(&mut self, pointer: Value, value: Option<Value>) {
        if self.traced
            && self.frame.depth == 0
            && let Some(point) = self.code.points.last_mut()
        {
            point.pointer = Some(pointer);
            point.value = value.or(point.value);
        }
    }

    /// Notes an effect without a value of its own.
    pub(super) fn note_effect(&mut self, what: &'static str, registers: &[V]) {
        if self.traced {
            self.note(what, self.location, None, None, false, registers);
        }
    }
}
