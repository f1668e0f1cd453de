//! Loads, or stores, that follow each other and together touch all that lies between one lane's elements and the
//! next one's: `x[2 * i]` and `x[2 * i + 1]`. They are one access of several parts.

use super::*;
use port_ir::{Access, Axis, Builtin, IntegerOp, Statement, StatementKind};

/// How many statements are looked at.
const REACH: usize = 16;

/// An access of global memory by a number.
struct Neighbour {
    /// Which statement after the first one.
    after: usize,
    /// Elements from the first one's.
    distance: i128,
    pointer: Value,
    value: Value,
}

impl Engine<'_, '_> {
    /// Loads the first of these statements loads together with those after it that load its neighbours; whether there
    /// are any.
    pub(in crate::tile) fn load_neighbours(
        &mut self,
        statements: &[Statement],
        id: StatementId,
        active: &Active,
    ) -> Result<bool> {
        let Some((scalar, found)) = self.neighbours(statements, true) else { return Ok(false) };
        let (Some(first), Some(own)) = (found.first(), statements.first()) else {
            return Ok(false);
        };
        let location = own.location;
        self.source(location);
        let (place, address) = self.address(first.pointer, location)?;
        self.state.subject = self.subject(first.value, first.pointer);
        let runs = vec![Run { offset: 0, scalar, count: found.len() as u32 }];
        let vals = self.load_global_runs(runs, &place, &address, active, location)?;
        for (neighbour, val) in found.iter().zip(&vals) {
            self.remember(neighbour.value, val);
        }
        self.take_care_of(id, &found);
        Ok(true)
    }

    /// The same for stores.
    pub(in crate::tile) fn store_neighbours(
        &mut self,
        statements: &[Statement],
        id: StatementId,
        active: &Active,
    ) -> Result<bool> {
        let Some((scalar, found)) = self.neighbours(statements, false) else { return Ok(false) };
        let (Some(first), Some(own)) = (found.first(), statements.first()) else {
            return Ok(false);
        };
        let location = own.location;
        self.source(location);
        let (place, address) = self.address(first.pointer, location)?;
        let mut parts = Vec::new();
        for neighbour in &found {
            self.parts(neighbour.value, &mut parts)?;
        }
        let runs = vec![Run { offset: 0, scalar, count: found.len() as u32 }];
        self.store_runs(runs, &place, &address, parts, first.value, active, location)?;
        self.take_care_of(id, &found);
        Ok(true)
    }

    fn take_care_of(&mut self, id: StatementId, found: &[Neighbour]) {
        let others = found.iter().filter(|neighbour| neighbour.after > 0);
        self.state.done.extend(others.map(|neighbour| id.0 + neighbour.after as u32));
    }

    /// The accesses, by their places, that make one with the first of these statements.
    fn neighbours(
        &mut self,
        statements: &[Statement],
        are_loads: bool,
    ) -> Option<(Scalar, Vec<Neighbour>)> {
        let plain = |access: &Access| !access.volatile && access.atomic.is_none();
        let mut first: Option<(Root, Polynomial, Scalar)> = None;
        let mut found: Vec<Neighbour> = Vec::new();
        for (after, statement) in statements.iter().enumerate().take(REACH) {
            let (pointer, value) = match &statement.kind {
                StatementKind::Load { result, pointer, access } if are_loads && plain(access) => {
                    (*pointer, *result)
                }
                StatementKind::Store { pointer, value, access } if !are_loads && plain(access) => {
                    (*pointer, *value)
                }
                // What is stored to a variable of the thread changes nothing that is loaded.
                StatementKind::Store { pointer, .. }
                    if matches!(self.flow.root(*pointer), Root::Local(_)) =>
                {
                    continue;
                }
                _ => break,
            };
            let (ty, own) = (self.type_of(value), self.affine.address(pointer));
            let Some((root, offset, scalar)) = &first else {
                let (address, scalar) = own.zip(ty.scalar())?;
                let is_global = match address.root {
                    Root::Argument(_) => true,
                    Root::Variable(variable) => {
                        self.module.variables[variable].space != Space::Shared
                    }
                    _ => false,
                };
                let is_plain = matches!(ty, Type::Scalar(_)) && scalar.size() < 8;
                if !is_global || !is_plain || memory_type(scalar).is_none() {
                    return None;
                }
                found.push(Neighbour { after, distance: 0, pointer, value });
                first = Some((address.root, address.offset, scalar));
                continue;
            };
            let own = own.filter(|own| own.root == *root && ty == Type::Scalar(*scalar));
            let size = i128::from(scalar.size());
            let bytes = own.and_then(|own| distance(&own.offset, offset));
            match bytes.filter(|bytes| bytes % size == 0) {
                Some(bytes) => {
                    found.push(Neighbour { after, distance: bytes / size, pointer, value });
                }
                // Stores keep their order.
                None if !are_loads => break,
                None => {}
            }
        }
        let (_, offset, scalar) = first?;
        let step = self.lane_step(&offset)? / i128::from(scalar.size());
        found.sort_by_key(|neighbour| neighbour.distance);
        let is_run = found.windows(2).all(|pair| pair[1].distance == pair[0].distance + 1);
        (is_run && (2..=16).contains(&step) && found.len() as i128 == step)
            .then_some((scalar, found))
    }

    /// How many bytes lie between the elements of neighbouring lanes, if that is a constant: in a form, or in a row of
    /// a division.
    fn lane_step(&mut self, offset: &Polynomial) -> Option<i128> {
        let lane = Symbol::Builtin(Builtin::ThreadIndex(Axis::X));
        let mut rests = Vec::new();
        for (factors, coefficient) in offset.terms() {
            for factor in factors {
                let Symbol::Value(value) = factor else { continue };
                if !self.shape.varies(*value) {
                    continue;
                }
                let (op, left, _) = self.division_of(*value)?;
                if op == IntegerOp::Remainder {
                    rests.push((factors.len(), coefficient, left));
                }
            }
        }
        let step = offset.stride(lane)?.as_constant()?;
        match rests.as_slice() {
            [] => Some(step),
            [(1, coefficient, left)] if step == 0 => {
                let own = self.affine.integer(*left).stride(lane)?.as_constant()?;
                own.checked_mul(*coefficient)
            }
            _ => None,
        }
    }
}

/// How far an offset lies behind another one, if that is a constant.
fn distance(offset: &Polynomial, from: &Polynomial) -> Option<i128> {
    let of = |polynomial: &Polynomial| {
        let (constants, others): (Vec<_>, Vec<_>) = polynomial
            .terms()
            .map(|(factors, c)| (factors.to_vec(), c))
            .partition(|(factors, _)| factors.is_empty());
        (constants.first().map_or(0, |(_, c)| *c), others)
    };
    let ((a, own), (b, other)) = (of(offset), of(from));
    (own == other).then_some(a - b)
}
