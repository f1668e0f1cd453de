//! Expressions: pure values, evaluated lane by lane.

use std::rc::Rc;

use port_float::chunk::ChunkFunction;
use port_float::{F32Function, Side};
use port_ir::{
    Block, Builtin, CompareOp, Constant, Conversion, Expression, FloatFlags, FloatOp, IntegerOp,
    MathClass, MathFunction, Rounding, Scalar, Type, UnaryOp, Value,
};

use super::layout::{self, Part, class_of};
use super::locals;
use super::prelude::*;
use crate::machine::convert::{self, General};
use crate::machine::{Exec, float, integer};
use crate::program::{Code, Preset};

impl Compiler<'_> {
    /// The registers of a value, which is evaluated here if it is not known.
    pub(super) fn eval(&mut self, value: Value) -> Result<Parts> {
        if let Some(Some(parts)) = self.frame.known.get(value.index()) {
            return Ok(parts.clone());
        }
        // Operands are older than their users, so the order of handles is an order of evaluation.
        let function = self.frame.function;
        let mut needed = vec![value];
        let mut seen = std::collections::HashSet::from([value]);
        let mut at = 0;
        while let Some(next) = needed.get(at).copied() {
            at += 1;
            let Some(expression) = function.expressions.get(next) else {
                return self.unsupported("a value that is not there");
            };
            expression.for_each_operand(|operand| {
                if self.frame.known[operand.index()].is_none() && seen.insert(operand) {
                    needed.push(operand);
                }
            });
        }
        needed.sort_unstable();
        for next in needed {
            if self.frame.known[next.index()].is_none() {
                let parts = self.evaluate(next)?;
                self.know(next, parts);
            }
        }
        match &self.frame.known[value.index()] {
            Some(parts) => Ok(parts.clone()),
            None => self.unsupported("a value that is not there"),
        }
    }

    /// The register of a value of one part.
    pub(super) fn one(&mut self, value: Value) -> Result<V> {
        match &self.eval(value)?[..] {
            [register] => Ok(*register),
            _ => self.unsupported("an aggregate where one number is expected"),
        }
    }

    /// An integer as a double word, extended as its type says.
    pub(super) fn double(&mut self, value: Value) -> Result<V> {
        let register = self.one(value)?;
        let signed = self.ty(value).scalar().is_some_and(Scalar::is_signed);
        Ok(self.widened(register, signed))
    }

    pub(super) fn widened(&mut self, register: V, signed: bool) -> V {
        match (self.class(register), signed) {
            (Class::D, _) => register,
            (Class::W, true) => {
                self.emit(select::<convert::Extend<true>>(), Class::D, &[register], 0)
            }
            (Class::W, false) => {
                self.emit(select::<convert::Extend<false>>(), Class::D, &[register], 0)
            }
            (Class::B, _) => {
                let word = self.emit(select::<convert::BitsToWord>(), Class::W, &[register], 0);
                self.widened(word, false)
            }
        }
    }

    /// An integer as a word, high bits dropped.
    pub(super) fn word(&mut self, value: Value) -> Result<V> {
        let register = self.one(value)?;
        Ok(match self.class(register) {
            Class::W => register,
            Class::D => self.emit(select::<convert::Low32>(), Class::W, &[register], 0),
            Class::B => self.emit(select::<convert::BitsToWord>(), Class::W, &[register], 0),
        })
    }

    /// An address as a register and a number of bytes to add.
    pub(super) fn address(&mut self, pointer: Value) -> Result<(V, u64)> {
        let function = self.frame.function;
        let mut pointer = pointer;
        let mut offset = 0u64;
        // Elements of those that constants lead on from.
        let mut inner: Vec<(Value, u64)> = Vec::new();
        loop {
            if self.frame.known[pointer.index()].is_some() {
                break;
            }
            match function.expressions.get(pointer) {
                Some(Expression::Member { base, structure, index }) => {
                    let structs = self.module.types.structs();
                    let member =
                        structs.get(*structure).and_then(|s| s.members.get(*index as usize));
                    let Some(member) = member else { break };
                    offset = offset.wrapping_add(member.offset);
                    pointer = *base;
                }
                Some(Expression::Element { base, element, index }) => {
                    let size = layout::size_of(&self.module.types, *element, self.lanes());
                    let Some(size) = size else { break };
                    match self.constant_index(*index)? {
                        Some(index) => {
                            offset = offset.wrapping_add(size.wrapping_mul(index));
                        }
                        // Only where there are counters that are known does it pay to look on.
                        None if !self.frame.counters.is_empty() => inner.push((*index, size)),
                        None => break,
                    }
                    pointer = *base;
                }
                Some(Expression::Convert { kind: Conversion::Space, value, .. }) => {
                    pointer = *value
                }
                _ => break,
            }
        }
        let mut register = self.one(pointer)?;
        for (index, size) in inner.into_iter().rev() {
            register = self.element_of(register, index, size)?;
        }
        Ok((register, offset))
    }

    /// An index that is a constant, or that is one in this pass of a loop.
    fn constant_index(&mut self, index: Value) -> Result<Option<u64>> {
        let function = self.frame.function;
        if let Some(index) = locals::constant(function, index).and_then(Constant::as_integer) {
            return Ok(Some(index as u64));
        }
        if self.frame.counters.is_empty() {
            return Ok(None);
        }
        let Some(scalar) = self.ty(index).scalar() else { return Ok(None) };
        let register = self.one(index)?;
        let known = self.known_integer(register, scalar).and_then(Constant::as_integer);
        Ok(known.map(|index| index as u64))
    }

    /// Evaluates before a loop what is used in it and does not change there.
    pub(super) fn hoist(&mut self, blocks: &[&Block], test: Option<Value>) -> Result<()> {
        let function = self.frame.function;
        let mut roots: Vec<Value> = test.into_iter().collect();
        let mut stack: Vec<&Block> = blocks.to_vec();
        let mut inside = std::collections::HashSet::new();
        while let Some(block) = stack.pop() {
            for statement in &block.statements {
                roots.extend(statement.kind.operands());
                inside.extend(statement.kind.results());
                if let port_ir::StatementKind::Loop(looping) = &statement.kind {
                    roots.extend(looping.test);
                }
                stack.extend(statement.kind.blocks());
            }
        }
        // Everything that is reached, oldest first, with whether it stays the same in the loop.
        let mut reached: Vec<Value> = Vec::new();
        let mut seen: std::collections::HashSet<Value> = std::collections::HashSet::new();
        let mut pending = roots.clone();
        while let Some(next) = pending.pop() {
            if !seen.insert(next) {
                continue;
            }
            reached.push(next);
            if let Some(expression) = function.expressions.get(next)
                && self.frame.known[next.index()].is_none()
            {
                expression.for_each_operand(|operand| pending.push(operand));
            }
        }
        reached.sort_unstable();
        let mut fixed: std::collections::HashMap<Value, bool> = std::collections::HashMap::new();
        for value in &reached {
            let Some(expression) = function.expressions.get(*value) else { continue };
            let is_fixed = if inside.contains(value) {
                false
            } else if self.frame.known[value.index()].is_some() {
                true
            } else {
                let mut all =
                    !matches!(expression, Expression::Result(_) | Expression::Poison { .. });
                expression.for_each_operand(|operand| {
                    all &= fixed.get(&operand).copied().unwrap_or(false);
                });
                all && !may_trap(expression)
            };
            fixed.insert(*value, is_fixed);
        }
        // What is fixed and used by something that is not, or by a statement.
        let mut wanted: Vec<Value> = Vec::new();
        let is_fixed = |value: &Value| fixed.get(value).copied().unwrap_or(false);
        wanted.extend(roots.iter().filter(|value| is_fixed(value)));
        for value in reached.iter().filter(|value| !is_fixed(value)) {
            if let Some(expression) = function.expressions.get(*value) {
                expression.for_each_operand(|operand| {
                    if is_fixed(&operand) {
                        wanted.push(operand);
                    }
                });
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        for value in wanted {
            let Some(expression) = function.expressions.get(value) else { continue };
            // Addresses of members are folded into the accesses that use them.
            if matches!(expression, Expression::Member { .. }) || expression.is_leaf() {
                continue;
            }
            self.eval(value)?;
        }
        Ok(())
    }

    fn evaluate(&mut self, value: Value) -> Result<Parts> {
        let function = self.frame.function;
        if let Some(location) = function.expressions.location(value) {
            let (site, place) = (self.site, self.location);
            self.at(location);
            let parts = self.evaluate_here(value);
            if parts.is_ok() {
                (self.site, self.location) = (site, place);
            }
            return parts;
        }
        self.evaluate_here(value)
    }

    fn evaluate_here(&mut self, value: Value) -> Result<Parts> {
        let function = self.frame.function;
        let Some(expression) = function.expressions.get(value) else {
            return self.unsupported("a value that is not there");
        };
        let ty = self.ty(value);
        let single = |register: V| -> Result<Parts> { Ok(Rc::from([register])) };
        match expression {
            Expression::Constant(constant) => {
                let class = class_of(constant.scalar);
                single(self.constant(class, Self::bits_of(*constant)))
            }
            Expression::Zero(ty) | Expression::Undefined(ty) => {
                let parts = self.parts_of(*ty)?;
                Ok(parts.iter().map(|part| self.constant(part.class(), 0)).collect())
            }
            Expression::Argument(index) => {
                if self.frame.depth > 0 {
                    return match self.frame.arguments.get(*index as usize) {
                        Some(parts) => Ok(parts.clone()),
                        None => self.unsupported("an argument that is not there"),
                    };
                }
                let offset = self.code.parameters.get(*index as usize).map_or(0, |p| p.offset);
                let parts = self.parts_of(ty)?;
                let registers = parts.iter().map(|part| {
                    let preset =
                        Preset::Argument { offset: offset + part.offset, scalar: part.scalar };
                    self.preset(part.class(), preset)
                });
                Ok(registers.collect())
            }
            Expression::ArgumentAddress(index) => {
                let offset = self.code.parameters.get(*index as usize).map_or(0, |p| p.offset);
                let address = Self::object_address(Code::PARAMETERS).wrapping_add(offset);
                single(self.constant(Class::D, address))
            }
            Expression::Local(local) => single(self.local_address(*local)?),
            Expression::Variable(variable) => single(self.variable_address(*variable)?),
            Expression::Builtin(Builtin::WarpSize) => {
                let lanes = self.lanes() as u64;
                single(self.constant(Class::W, lanes))
            }
            Expression::Builtin(builtin) => {
                single(self.preset(Class::W, Preset::Builtin(*builtin)))
            }
            Expression::FragmentLength(fragment) => {
                let length = layout::fragment(*fragment, self.lanes()).length as u64;
                single(self.constant(Class::W, length))
            }
            Expression::Result(_) => self.unsupported("a result before its statement"),
            Expression::Poison { code, .. } => Err(crate::program::Unsupported {
                code: code.clone(),
                location: self.location,
                what: "what could not be translated".into(),
            }),
            Expression::Unary { op, value } => {
                let scalar = self.scalar_of(ty)?;
                let parts = self.eval(*value)?;
                let mut out = Vec::new();
                for part in parts.iter() {
                    let d = self.unary(*op, scalar, *part)?;
                    self.twin_unary(*op, scalar, d, *part);
                    out.push(d);
                }
                Ok(out.into())
            }
            Expression::Integer { op, left, right } => {
                let scalar = self.scalar_of(ty)?;
                let (left, right) = (self.eval(*left)?, self.eval(*right)?);
                if let ([a], [b]) = (&left[..], &right[..])
                    && let Some(a) = self.known_integer(*a, scalar)
                    && let Some(b) = self.known_integer(*b, scalar)
                    && let Some(known) = super::unroll::apply(*op, a, b)
                {
                    return single(self.constant(Class::W, Self::bits_of(known)));
                }
                let pairs = left.iter().zip(right.iter());
                pairs.map(|(a, b)| self.integer(*op, scalar, *a, *b)).collect()
            }
            Expression::Float { op, left, right, flags } => {
                let scalar = self.scalar_of(ty)?;
                let (left, right) = (self.eval(*left)?, self.eval(*right)?);
                let mut out = Vec::new();
                for (a, b) in left.iter().zip(right.iter()) {
                    let d = self.float(*op, scalar, *flags, *a, *b)?;
                    self.twin_binary(*op, scalar, d, *a, *b);
                    out.push(d);
                }
                Ok(out.into())
            }
            Expression::FusedMultiplyAdd { a, b, c, flags } => {
                let scalar = self.scalar_of(ty)?;
                let (a, b, c) = (self.eval(*a)?, self.eval(*b)?, self.eval(*c)?);
                let Some((run, imm)) = float::fused(scalar, *flags, self.canonical) else {
                    return self.unsupported("fused multiply-add of this type");
                };
                let mut out = Vec::new();
                for ((a, b), c) in a.iter().zip(b.iter()).zip(c.iter()) {
                    let is_plain = scalar == Scalar::F32 && flags.rounding == Rounding::NearestEven;
                    let mark = is_plain.then_some(Mark::Fused { flush: flags.flush });
                    let d = self.emit_marked(run, class_of(scalar), &[*a, *b, *c], imm, mark);
                    self.twin_fused(scalar, d, [*a, *b, *c]);
                    out.push(d);
                }
                Ok(out.into())
            }
            Expression::Compare { op, left, right } => {
                let scalar = match self.ty(*left) {
                    Type::Pointer(_) => Scalar::U64,
                    other => self.scalar_of(other)?,
                };
                let (left, right) = (self.eval(*left)?, self.eval(*right)?);
                let pairs = left.iter().zip(right.iter());
                pairs.map(|(a, b)| self.compare(*op, scalar, *a, *b)).collect()
            }
            Expression::Select { condition, accept, reject } => {
                let condition = self.eval(*condition)?;
                let (accept, reject) = (self.eval(*accept)?, self.eval(*reject)?);
                let mut out = Vec::new();
                for (index, (a, b)) in accept.iter().zip(reject.iter()).enumerate() {
                    let c = condition.get(if condition.len() == 1 { 0 } else { index });
                    let Some(c) = c else { return self.unsupported("a choice without condition") };
                    let (run, class) = match self.class(*a) {
                        Class::W => (select::<integer::Select32>(), Class::W),
                        Class::D => (select::<integer::Select64>(), Class::D),
                        Class::B => (select::<integer::SelectBits>(), Class::B),
                    };
                    let d = self.emit(run, class, &[*a, *b, *c], 0);
                    self.twin_select(d, [*a, *b, *c]);
                    out.push(d);
                }
                Ok(out.into())
            }
            Expression::Convert { kind, value, to } => self.convert(*kind, *value, *to),
            Expression::Math { function, arguments, flags } => {
                self.math(*function, arguments, *flags, ty)
            }
            Expression::Splat { ty, value } => {
                let inner = self.eval(*value)?;
                let count = self.parts_of(*ty)?.len();
                Ok((0..count).map(|index| inner[index % inner.len().max(1)]).collect())
            }
            Expression::Compose { ty, parts } => {
                let mut out = Vec::new();
                if layout::overlaps(&self.module.types, *ty, self.lanes()) {
                    let whole = self.parts_of(*ty)?;
                    out = whole.iter().map(|part| self.constant(part.class(), 0)).collect();
                    for (index, part) in parts.iter().enumerate() {
                        let part = self.eval(*part)?;
                        out = self.replaced(*ty, &out, index as u32, &part)?;
                    }
                    return Ok(out.into());
                }
                for part in parts {
                    out.extend(self.eval(*part)?.iter());
                }
                Ok(out.into())
            }
            Expression::Extract { value, index } => {
                let whole = self.eval(*value)?;
                let outer = self.ty(*value);
                self.extracted(outer, &whole, *index)
            }
            Expression::Insert { value, index, part } => {
                let (whole, part) = (self.eval(*value)?, self.eval(*part)?);
                let outer = self.ty(*value);
                Ok(self.replaced(outer, &whole, *index, &part)?.into())
            }
            Expression::Element { base, element, index } => {
                let Some(size) = layout::size_of(&self.module.types, *element, self.lanes()) else {
                    return self.unsupported("an element without size");
                };
                self.element(*base, *index, size)
            }
            Expression::FragmentElement { base, fragment, index } => {
                self.element(*base, *index, fragment.element.storage().size())
            }
            Expression::Member { base, structure, index } => {
                let structs = self.module.types.structs();
                let member = structs.get(*structure).and_then(|s| s.members.get(*index as usize));
                let offset = member.map_or(0, |member| member.offset);
                let base = self.one(*base)?;
                single(self.moved(base, offset))
            }
        }
    }

    fn scalar_of(&self, ty: Type) -> Result<Scalar> {
        match ty.scalar() {
            Some(scalar) => Ok(scalar),
            None => self.unsupported("arithmetic on this type"),
        }
    }

    /// An address `offset` bytes on.
    pub(super) fn moved(&mut self, base: V, offset: u64) -> V {
        if offset == 0 {
            return base;
        }
        let offset = self.constant(Class::D, offset);
        self.emit(select::<integer::Add<true>>(), Class::D, &[base, offset], 0)
    }

    fn element(&mut self, base: Value, index: Value, size: u64) -> Result<Parts> {
        let base = self.one(base)?;
        Ok(Rc::from([self.element_of(base, index, size)?]))
    }

    fn element_of(&mut self, base: V, index: Value, size: u64) -> Result<V> {
        let signed = self.ty(index).scalar().is_some_and(Scalar::is_signed);
        let index = self.one(index)?;
        let address = match (self.class(index), signed) {
            (Class::W, signed) => {
                let run = match signed {
                    true => select::<convert::Element<true>>(),
                    false => select::<convert::Element<false>>(),
                };
                let mark = Some(Mark::Element { signed });
                self.emit_marked(run, Class::D, &[base, index], size, mark)
            }
            _ => {
                let index = self.widened(index, signed);
                let size = self.constant(Class::D, size);
                let by =
                    self.emit(select::<integer::Multiply<true>>(), Class::D, &[index, size], 0);
                self.emit(select::<integer::Add<true>>(), Class::D, &[base, by], 0)
            }
        };
        Ok(address)
    }

    /// Which of a value's parts belong to a member.
    fn range(&self, ty: Type, index: u32) -> Result<std::ops::Range<usize>> {
        let types = &self.module.types;
        let mut start = 0;
        for earlier in 0..=index {
            let Some(component) = types.component(ty, earlier) else {
                return self.unsupported("a part that is not there");
            };
            let count = self.parts_of(component)?.len();
            if earlier == index {
                return Ok(start..start + count);
            }
            // All elements of an array are alike.
            if let Type::Array(_) = ty {
                let start = count * index as usize;
                return Ok(start..start + count);
            }
            start += count;
        }
        self.unsupported("a part that is not there")
    }

    fn extracted(&mut self, ty: Type, whole: &[V], index: u32) -> Result<Parts> {
        if layout::overlaps(&self.module.types, ty, self.lanes()) {
            let from = self.parts_of(ty)?;
            let to = self.member_parts(ty, index)?;
            return Ok(self.repacked(whole, &from, &to)?.into());
        }
        if let Type::Fragment(_) = ty {
            return self.unsupported("a part of a fragment");
        }
        let range = self.range(ty, index)?;
        match whole.get(range) {
            Some(parts) => Ok(Rc::from(parts)),
            None => self.unsupported("a part that is not there"),
        }
    }

    /// The parts of a union's member, where they lie in the union.
    fn member_parts(&self, ty: Type, index: u32) -> Result<Vec<Part>> {
        let Type::Struct(handle) = ty else { return self.unsupported("a part of this type") };
        let structs = self.module.types.structs();
        let member = structs.get(handle).and_then(|s| s.members.get(index as usize));
        let Some(member) = member else { return self.unsupported("a part that is not there") };
        let mut parts = self.parts_of(member.ty)?;
        for part in &mut parts {
            part.offset += member.offset;
        }
        Ok(parts)
    }

    fn replaced(&mut self, ty: Type, whole: &[V], index: u32, part: &[V]) -> Result<Vec<V>> {
        let mut out = whole.to_vec();
        if layout::overlaps(&self.module.types, ty, self.lanes()) {
            // Bytes of the union come from the member where it lies, else from what was there.
            let (raw, member) = (self.parts_of(ty)?, self.member_parts(ty, index)?);
            for (place, raw) in out.iter_mut().zip(&raw) {
                let inside = |part: &&Part| part.offset < raw.end() && raw.offset < part.end();
                if !member.iter().any(|part| inside(&part)) {
                    continue;
                }
                let covered: u64 = member
                    .iter()
                    .map(|part| {
                        part.end().min(raw.end()).saturating_sub(part.offset.max(raw.offset))
                    })
                    .sum();
                if covered < raw.scalar.size() {
                    return self.unsupported("a union whose member covers part of a word");
                }
                let new = self.repacked(part, &member, &[*raw])?;
                *place = new[0];
            }
            return Ok(out);
        }
        let range = self.range(ty, index)?;
        match out.get_mut(range) {
            Some(place) if place.len() == part.len() => place.copy_from_slice(part),
            _ => return self.unsupported("a part that is not there"),
        }
        Ok(out)
    }

    /// The same bytes as other parts.
    fn repacked(&mut self, values: &[V], from: &[Part], to: &[Part]) -> Result<Vec<V>> {
        let mut out = Vec::new();
        for target in to {
            let same = from.iter().position(|part| {
                part.offset == target.offset && part.scalar.size() == target.scalar.size()
            });
            if let Some(index) = same
                && let Some(value) = values.get(index)
            {
                out.push(self.same_bits(*value, from[index].scalar, target.scalar)?);
                continue;
            }
            // Each byte range of the target from the parts that hold it, as a double word.
            let mut sum: Option<V> = None;
            for (part, value) in from.iter().zip(values) {
                if part.end() <= target.offset || target.end() <= part.offset {
                    continue;
                }
                let mut bits = self.raw_double(*value, part.scalar)?;
                if part.offset < target.offset {
                    let by = self.constant(Class::D, 8 * (target.offset - part.offset));
                    bits = self.emit(select::<integer::ShrU64>(), Class::D, &[bits, by], 0);
                } else if part.offset > target.offset {
                    let by = self.constant(Class::D, 8 * (part.offset - target.offset));
                    bits = self.emit(select::<integer::Shl64>(), Class::D, &[bits, by], 0);
                }
                sum = Some(match sum {
                    Some(sum) => self.emit(select::<integer::Or64>(), Class::D, &[sum, bits], 0),
                    None => bits,
                });
            }
            let Some(sum) = sum else { return self.unsupported("bytes that nothing holds") };
            out.push(self.low_bytes(sum, target.scalar));
        }
        Ok(out)
    }

    /// The bytes of a scalar, zero extended.
    fn raw_double(&mut self, value: V, scalar: Scalar) -> Result<V> {
        let value = match (self.class(value), scalar) {
            (Class::W, Scalar::I8) => {
                self.emit(select::<integer::ZeroExtend8>(), Class::W, &[value], 0)
            }
            (Class::W, Scalar::I16) => {
                self.emit(select::<integer::ZeroExtend16>(), Class::W, &[value], 0)
            }
            _ => value,
        };
        Ok(self.widened(value, false))
    }

    /// A scalar from the low bytes of a double word.
    fn low_bytes(&mut self, value: V, scalar: Scalar) -> V {
        if class_of(scalar) == Class::D {
            return value;
        }
        let word = self.emit(select::<convert::Low32>(), Class::W, &[value], 0);
        match scalar {
            Scalar::Bool => {
                let byte = self.emit(select::<integer::ZeroExtend8>(), Class::W, &[word], 0);
                self.emit(select::<convert::WordToBits>(), Class::B, &[byte], 0)
            }
            _ => self.normal(scalar, word),
        }
    }

    fn normal(&mut self, scalar: Scalar, word: V) -> V {
        match normaliser(scalar) {
            Some(run) => self.emit(run, Class::W, &[word], 0),
            None => word,
        }
    }

    /// The same bits as another scalar of the same size.
    fn same_bits(&mut self, value: V, from: Scalar, to: Scalar) -> Result<V> {
        Ok(match (class_of(from), class_of(to)) {
            (Class::B, Class::B) | (Class::D, Class::D) => value,
            (Class::W, Class::W) if from.size() == 4 || from == to => value,
            (Class::W, Class::W) => self.normal(to, value),
            (Class::B, _) => self.emit(select::<convert::BitsToWord>(), Class::W, &[value], 0),
            (_, Class::B) => self.emit(select::<convert::WordToBits>(), Class::B, &[value], 0),
            _ => return self.unsupported("bits of another size"),
        })
    }

    fn unary(&mut self, op: UnaryOp, scalar: Scalar, a: V) -> Result<V> {
        use Scalar as S;
        use integer as n;
        let class = class_of(scalar);
        let run = match (op, scalar) {
            (UnaryOp::Not, S::Bool) => {
                return Ok(self.emit(select::<n::NotBits>(), Class::B, &[a, a], 0));
            }
            (UnaryOp::Negate, S::F32) => select::<float::NegateF32>(),
            (UnaryOp::Negate, S::F64) => select::<float::NegateF64>(),
            (UnaryOp::Negate, S::F16 | S::Bf16) => select::<float::NegateF16>(),
            (UnaryOp::Negate, S::F8E4M3 | S::F8E5M2) => select::<float::NegateF8>(),
            (UnaryOp::Absolute, S::F32) => select::<float::AbsoluteF32>(),
            (UnaryOp::Absolute, S::F64) => select::<float::AbsoluteF64>(),
            (UnaryOp::Absolute, S::F16 | S::Bf16) => select::<float::AbsoluteF16>(),
            (UnaryOp::Absolute, S::F8E4M3 | S::F8E5M2) => select::<float::AbsoluteF8>(),
            (UnaryOp::Absolute, scalar) if scalar.is_unsigned() => return Ok(a),
            (UnaryOp::Negate, _) if class == Class::D => select::<n::Negate64>(),
            (UnaryOp::Not, _) if class == Class::D => select::<n::Not64>(),
            (UnaryOp::Absolute, _) if class == Class::D => select::<n::Absolute64>(),
            (UnaryOp::Negate, _) => select::<n::Negate32>(),
            (UnaryOp::Not, _) => select::<n::Not32>(),
            (UnaryOp::Absolute, _) => select::<n::Absolute32>(),
        };
        let result = self.emit(run, class, &[a], 0);
        Ok(if scalar.is_integer() { self.normal(scalar, result) } else { result })
    }

    pub(super) fn integer(&mut self, op: IntegerOp, scalar: Scalar, a: V, b: V) -> Result<V> {
        use IntegerOp as I;
        use integer as n;
        if scalar == Scalar::Bool {
            let run = match op {
                I::And => select::<n::AndBits>(),
                I::Or => select::<n::OrBits>(),
                I::Xor => select::<n::XorBits>(),
                _ => return self.unsupported("arithmetic on truth values"),
            };
            return Ok(self.emit(run, Class::B, &[a, b], 0));
        }
        let (wide, signed) = (scalar.size() == 8, scalar.is_signed());
        let is_shift = matches!(op, I::ShiftLeft | I::ShiftRight);
        let b = match (is_shift, wide, self.class(b)) {
            (true, true, Class::W) => self.widened(b, false),
            (true, false, Class::D) => {
                let most = self.constant(Class::D, 255);
                let least = self.emit(select::<n::MinU64>(), Class::D, &[b, most], 0);
                self.emit(select::<convert::Low32>(), Class::W, &[least], 0)
            }
            _ => b,
        };
        macro_rules! form {
            ($s32:ty, $u32:ty, $s64:ty, $u64:ty) => {
                match (wide, signed) {
                    (false, true) => select::<$s32>(),
                    (false, false) => select::<$u32>(),
                    (true, true) => select::<$s64>(),
                    (true, false) => select::<$u64>(),
                }
            };
        }
        let run = match op {
            I::Add => form!(n::Add<false>, n::Add<false>, n::Add<true>, n::Add<true>),
            I::Subtract => {
                form!(n::Subtract<false>, n::Subtract<false>, n::Subtract<true>, n::Subtract<true>)
            }
            I::Multiply => {
                form!(n::Multiply<false>, n::Multiply<false>, n::Multiply<true>, n::Multiply<true>)
            }
            I::MultiplyHigh if scalar.size() < 4 => {
                let product = self.emit(select::<n::Multiply<false>>(), Class::W, &[a, b], 0);
                let by = self.constant(Class::W, u64::from(scalar.bits()));
                let shift = match signed {
                    true => select::<n::ShrS32>(),
                    false => select::<n::ShrU32>(),
                };
                let high = self.emit(shift, Class::W, &[product, by], 0);
                return Ok(self.normal(scalar, high));
            }
            I::MultiplyHigh => form!(
                n::MultiplyHighS32,
                n::MultiplyHighU32,
                n::MultiplyHighS64,
                n::MultiplyHighU64
            ),
            I::Divide => form!(n::DivideS32, n::DivideU32, n::DivideS64, n::DivideU64),
            I::Remainder => {
                form!(n::RemainderS32, n::RemainderU32, n::RemainderS64, n::RemainderU64)
            }
            I::Minimum => form!(n::MinS32, n::MinU32, n::MinS64, n::MinU64),
            I::Maximum => form!(n::MaxS32, n::MaxU32, n::MaxS64, n::MaxU64),
            I::And => form!(n::AndLow32, n::AndLow32, n::And64, n::And64),
            I::Or => form!(n::Or32, n::Or32, n::Or64, n::Or64),
            I::Xor => form!(n::Xor32, n::Xor32, n::Xor64, n::Xor64),
            I::ShiftLeft => form!(n::Shl32, n::Shl32, n::Shl64, n::Shl64),
            I::ShiftRight => form!(n::ShrS32, n::ShrU32, n::ShrS64, n::ShrU64),
        };
        let result = self.emit(run, class_of(scalar), &[a, b], 0);
        Ok(self.normal(scalar, result))
    }

    fn float(&mut self, op: FloatOp, scalar: Scalar, flags: FloatFlags, a: V, b: V) -> Result<V> {
        if op == FloatOp::Divide
            && scalar == Scalar::F32
            && let Some(divide) = self.profile.f32_division(flags)
        {
            let function = F32Function::Binary(divide);
            let imm = float::function(&mut self.code.functions32, function) | self.canonical_bit();
            return Ok(self.emit(
                select::<float::CallF32<float::Single>>(),
                Class::W,
                &[a, b],
                imm,
            ));
        }
        if self.profile.side() == Side::Cpu
            && let Some(run) = float::as_in_c(scalar, op)
        {
            return Ok(self.emit(run, class_of(scalar), &[a, b], 0));
        }
        match float::binary(scalar, op, flags, self.canonical) {
            Some((run, imm)) => {
                let is_plain = scalar == Scalar::F32 && flags.rounding == Rounding::NearestEven;
                let mark = match op {
                    FloatOp::Multiply if is_plain => Some(Mark::Multiply { flush: flags.flush }),
                    FloatOp::Add if is_plain => Some(Mark::Add { flush: flags.flush }),
                    _ => None,
                };
                Ok(self.emit_marked(run, class_of(scalar), &[a, b], imm, mark))
            }
            None => self.unsupported(format!("arithmetic on {}", scalar.name())),
        }
    }

    fn canonical_bit(&self) -> u64 {
        if self.canonical { float::CANONICAL } else { 0 }
    }

    pub(super) fn compare(&mut self, op: CompareOp, scalar: Scalar, a: V, b: V) -> Result<V> {
        use CompareOp as C;
        use Scalar as S;
        use integer as n;
        let (op, a, b) = match op {
            C::Greater => (C::Less, b, a),
            C::GreaterEqual => (C::LessEqual, b, a),
            op => (op, a, b),
        };
        macro_rules! form {
            ($equal:ty, $not:ty, $less:ty, $less_equal:ty) => {
                match op {
                    C::Equal => select::<$equal>(),
                    C::NotEqual => select::<$not>(),
                    C::Less => select::<$less>(),
                    _ => select::<$less_equal>(),
                }
            };
        }
        let (a, b, scalar) = match scalar {
            S::F8E4M3 | S::F8E5M2 => {
                let to = S::F32;
                (self.converted(a, scalar, to)?, self.converted(b, scalar, to)?, to)
            }
            _ => (a, b, scalar),
        };
        let run = match scalar {
            S::Bool => match op {
                C::Equal => select::<n::EqualBits>(),
                C::NotEqual => select::<n::XorBits>(),
                _ => return self.unsupported("an order of truth values"),
            },
            S::F32 => {
                form!(float::EqualF32, float::NotEqualF32, float::LessF32, float::LessEqualF32)
            }
            S::F64 => {
                form!(float::EqualF64, float::NotEqualF64, float::LessF64, float::LessEqualF64)
            }
            S::F16 => {
                form!(float::EqualF16, float::NotEqualF16, float::LessF16, float::LessEqualF16)
            }
            S::Bf16 => {
                form!(float::EqualBf16, float::NotEqualBf16, float::LessBf16, float::LessEqualBf16)
            }
            S::I64 => form!(n::Equal64, n::NotEqual64, n::LessS64, n::LessEqualS64),
            S::U64 => form!(n::Equal64, n::NotEqual64, n::LessU64, n::LessEqualU64),
            scalar if scalar.is_signed() => {
                form!(n::Equal32, n::NotEqual32, n::LessS32, n::LessEqualS32)
            }
            _ => form!(n::Equal32, n::NotEqual32, n::LessU32, n::LessEqualU32),
        };
        Ok(self.emit(run, Class::B, &[a, b], 0))
    }

    /// A number as one of another type, to the nearest; to integers toward zero.
    fn converted(&mut self, a: V, from: Scalar, to: Scalar) -> Result<V> {
        let rounding = if to.is_float() { Rounding::NearestEven } else { Rounding::TowardZero };
        self.general(a, from, to, rounding, false)
    }

    fn general(
        &mut self,
        a: V,
        from: Scalar,
        to: Scalar,
        rounding: Rounding,
        saturate: bool,
    ) -> Result<V> {
        let (a, from) = match from {
            Scalar::Bool => {
                (self.emit(select::<convert::BitsToWord>(), Class::W, &[a], 0), Scalar::U32)
            }
            _ => (a, from),
        };
        let nan = self.profile.nan_to_integer();
        let general = General { from, to, rounding, saturate, nan, canonical: self.canonical };
        if from == to && !saturate {
            return Ok(a);
        }
        if let Some(run) = convert::known(&general) {
            return Ok(self.emit(run, class_of(to), &[a], 0));
        }
        self.code.conversions.push(general);
        let imm = self.code.conversions.len() as u64 - 1;
        let run = match (class_of(from), class_of(to)) {
            (Class::D, Class::D) => select::<convert::GeneralDD>(),
            (Class::D, _) => select::<convert::GeneralDW>(),
            (_, Class::D) => select::<convert::GeneralWD>(),
            _ => select::<convert::GeneralWW>(),
        };
        Ok(self.emit(run, class_of(to), &[a], imm))
    }

    fn convert(&mut self, kind: Conversion, value: Value, to: Type) -> Result<Parts> {
        let source = self.ty(value);
        let parts = self.eval(value)?;
        match kind {
            Conversion::Space | Conversion::PointerToInteger | Conversion::IntegerToPointer => {
                return Ok(parts);
            }
            Conversion::SharedOffset => {
                let run = select::<convert::SharedOffset>();
                return Ok(parts
                    .iter()
                    .map(|part| self.emit(run, Class::W, &[*part], 0))
                    .collect());
            }
            Conversion::SharedPointer => {
                let run = select::<convert::SharedPointer>();
                return Ok(parts
                    .iter()
                    .map(|part| self.emit(run, Class::D, &[*part], 0))
                    .collect());
            }
            Conversion::Bits => {
                let (from, to) = (self.parts_of(source)?, self.parts_of(to)?);
                return Ok(self.repacked(&parts, &from, &to)?.into());
            }
            _ => {}
        }
        let (from, to) = (self.scalar_of(source)?, self.scalar_of(to)?);
        let convert = |compiler: &mut Self, part: V| -> Result<V> {
            match kind {
                Conversion::IntegerToFloat(rounding) => {
                    let d = compiler.general(part, from, to, rounding, false)?;
                    compiler.twin_convert(from, to, d, part);
                    Ok(d)
                }
                Conversion::FloatToInteger(rounding) => {
                    compiler.general(part, from, to, rounding, false)
                }
                Conversion::FloatToFloat { rounding, saturate } => {
                    let d = compiler.general(part, from, to, rounding, saturate)?;
                    if !saturate {
                        compiler.twin_convert(from, to, d, part);
                    }
                    Ok(d)
                }
                Conversion::Truncate => Ok(match compiler.class(part) {
                    Class::D => compiler.low_bytes(part, to),
                    _ => compiler.normal(to, part),
                }),
                Conversion::SignExtend | Conversion::ZeroExtend => {
                    let signed = kind == Conversion::SignExtend;
                    let part = match (from, signed) {
                        (Scalar::Bool, _) => {
                            compiler.emit(select::<convert::BitsToWord>(), Class::W, &[part], 0)
                        }
                        // Kept extended as its own type says; here the other way is asked for.
                        (Scalar::I8, false) | (Scalar::U8, true) => {
                            let scalar = if signed { Scalar::I8 } else { Scalar::U8 };
                            compiler.normal(scalar, part)
                        }
                        (Scalar::I16, false) | (Scalar::U16, true) => {
                            let scalar = if signed { Scalar::I16 } else { Scalar::U16 };
                            compiler.normal(scalar, part)
                        }
                        _ => part,
                    };
                    Ok(match class_of(to) {
                        Class::D => compiler.widened(part, signed),
                        _ => compiler.normal(to, part),
                    })
                }
                _ => compiler.unsupported("this conversion"),
            }
        };
        parts.iter().map(|part| convert(self, *part)).collect()
    }

    fn math(
        &mut self,
        function: MathFunction,
        arguments: &[Value],
        flags: FloatFlags,
        ty: Type,
    ) -> Result<Parts> {
        let mut operands = Vec::new();
        let mut scalars = Vec::new();
        for argument in arguments {
            operands.push(self.eval(*argument)?);
            scalars.push(self.scalar_of(self.ty(*argument))?);
        }
        let count = operands.iter().map(|parts| parts.len()).max().unwrap_or(0);
        let result = ty.scalar().unwrap_or(Scalar::Bool);
        let mut out = Vec::new();
        for index in 0..count {
            let parts: Option<Vec<V>> = operands
                .iter()
                .map(|parts| parts.get(if parts.len() == 1 { 0 } else { index }).copied())
                .collect();
            let Some(parts) = parts else { return self.unsupported("operands of other shapes") };
            out.push(match function.class() {
                MathClass::Float
                | MathClass::FloatPredicate
                | MathClass::FloatToI32
                | MathClass::FloatWithI32
                | MathClass::I32WithFloat => {
                    let scalar = match function.class() {
                        MathClass::I32WithFloat => scalars.get(1),
                        _ => scalars.first(),
                    };
                    let scalar = scalar.copied().unwrap_or(Scalar::F32);
                    let d = self.float_function(function, scalar, flags, &parts, result)?;
                    self.twin_function(function, scalar, d, &parts);
                    d
                }
                _ => self.integer_function(function, &scalars, &parts, result)?,
            });
        }
        Ok(out.into())
    }

    fn float_function(
        &mut self,
        function: MathFunction,
        scalar: Scalar,
        flags: FloatFlags,
        parts: &[V],
        result: Scalar,
    ) -> Result<V> {
        use Scalar as S;
        let missing = |compiler: &Self| {
            compiler.unsupported(format!("{} of {}", function.name(), scalar.name()))
        };
        let canonical = self.canonical_bit();
        let strict = FloatFlags { contract: false, ..flags } == FloatFlags::STRICT;
        if strict && !self.canonical && scalar == S::F32 {
            let known: Option<Exec> = match function {
                MathFunction::SquareRoot => Some(select::<float::SqrtF32>()),
                MathFunction::Floor => Some(select::<float::FloorF32>()),
                MathFunction::Ceil => Some(select::<float::CeilF32>()),
                MathFunction::Trunc => Some(select::<float::TruncF32>()),
                MathFunction::RoundEven => Some(select::<float::RoundEvenF32>()),
                _ => None,
            };
            if let Some(run) = known {
                return Ok(self.emit(run, Class::W, parts, 0));
            }
        }
        let (run, imm): (Exec, u64) = match scalar {
            S::F32 => {
                let Some(it) = self.profile.f32_function(function, flags) else {
                    return missing(self);
                };
                let imm = float::function(&mut self.code.functions32, it);
                match self.profile.f32_chunk_function(function, flags) {
                    Some(ChunkFunction::Exp) if !self.canonical => (float::exp(), imm),
                    Some(ChunkFunction::ReciprocalSquareRoot) if !self.canonical => {
                        (select::<float::ReciprocalSquareRootF32>(), 0)
                    }
                    _ => (select::<float::CallF32<float::Single>>(), imm | canonical),
                }
            }
            S::F16 | S::Bf16 => {
                let Some(it) = self.profile.narrow_function(scalar, function, flags) else {
                    return missing(self);
                };
                let imm = float::function(&mut self.code.functions32, it);
                let run = match scalar {
                    S::F16 => select::<float::CallF32<float::Half>>(),
                    _ => select::<float::CallF32<float::Brain>>(),
                };
                (run, imm | canonical)
            }
            S::F64 => {
                let Some(it) = self.profile.f64_function(function, flags) else {
                    return missing(self);
                };
                self.code.functions64.push(it);
                (select::<float::CallF64>(), self.code.functions64.len() as u64 - 1)
            }
            _ => return missing(self),
        };
        Ok(self.emit(run, class_of(result), parts, imm))
    }

    fn integer_function(
        &mut self,
        function: MathFunction,
        scalars: &[Scalar],
        parts: &[V],
        result: Scalar,
    ) -> Result<V> {
        use MathFunction as M;
        use integer as n;
        let first = scalars.first().copied().unwrap_or(Scalar::U32);
        let (wide, signed, narrow) = (first.size() == 8, first.is_signed(), first.size() < 4);
        let second_signed = scalars.get(1).is_some_and(|scalar| scalar.is_signed());
        macro_rules! form {
            ($s32:ty, $u32:ty, $s64:ty, $u64:ty) => {
                match (wide, signed) {
                    (false, true) => select::<$s32>(),
                    (false, false) => select::<$u32>(),
                    (true, true) => select::<$s64>(),
                    (true, false) => select::<$u64>(),
                }
            };
        }
        macro_rules! signs {
            ($uu:ty, $us:ty, $su:ty, $ss:ty) => {
                match (signed, second_signed) {
                    (false, false) => select::<$uu>(),
                    (false, true) => select::<$us>(),
                    (true, false) => select::<$su>(),
                    (true, true) => select::<$ss>(),
                }
            };
        }
        if narrow && !matches!(function, M::PopulationCount | M::FindFirstSet) {
            return self.unsupported(format!("{} of {}", function.name(), first.name()));
        }
        let run = match function {
            M::PopulationCount | M::FindFirstSet if narrow && signed => {
                let unsigned = if first.size() == 1 { Scalar::U8 } else { Scalar::U16 };
                let word = self.normal(unsigned, parts[0]);
                let run = match function {
                    M::PopulationCount => select::<n::Popc32>(),
                    _ => select::<n::Ffs32>(),
                };
                return Ok(self.emit(run, Class::W, &[word], 0));
            }
            M::PopulationCount if wide => select::<n::Popc64>(),
            M::PopulationCount => select::<n::Popc32>(),
            M::CountLeadingZeros if wide => select::<n::Clz64>(),
            M::CountLeadingZeros => select::<n::Clz32>(),
            M::FindFirstSet if wide => select::<n::Ffs64>(),
            M::FindFirstSet => select::<n::Ffs32>(),
            M::ReverseBits if wide => select::<n::Brev64>(),
            M::ReverseBits => select::<n::Brev32>(),
            M::AddSaturate => {
                form!(n::AddSaturateS32, n::AddSaturateU32, n::AddSaturateS64, n::AddSaturateU64)
            }
            M::SubtractSaturate => form!(
                n::SubtractSaturateS32,
                n::SubtractSaturateU32,
                n::SubtractSaturateS64,
                n::SubtractSaturateU64
            ),
            M::AverageDown => {
                form!(n::AverageDownS32, n::AverageDownU32, n::AverageDownS64, n::AverageDownU64)
            }
            M::AverageUp => {
                form!(n::AverageUpS32, n::AverageUpU32, n::AverageUpS64, n::AverageUpU64)
            }
            M::Multiply24 if !wide && signed => select::<n::Multiply24S>(),
            M::Multiply24 if !wide => select::<n::Multiply24U>(),
            M::SumOfAbsoluteDifference if !wide && signed => select::<n::SadS32>(),
            M::SumOfAbsoluteDifference if !wide => select::<n::SadU32>(),
            M::BytePermute => select::<n::BytePermute>(),
            M::FunnelShiftLeft => select::<n::FunnelLeft>(),
            M::FunnelShiftRight => select::<n::FunnelRight>(),
            M::FunnelShiftLeftClamp => select::<n::FunnelLeftClamp>(),
            M::FunnelShiftRightClamp => select::<n::FunnelRightClamp>(),
            M::DotFourBytes => {
                signs!(n::DotBytesUU, n::DotBytesUS, n::DotBytesSU, n::DotBytesSS)
            }
            M::DotTwoLow => signs!(n::DotLowUU, n::DotLowUS, n::DotLowSU, n::DotLowSS),
            M::DotTwoHigh => signs!(n::DotHighUU, n::DotHighUS, n::DotHighSU, n::DotHighSS),
            _ => return self.unsupported(format!("{} of {}", function.name(), first.name())),
        };
        Ok(self.emit(run, class_of(result), parts, 0))
    }
}

/// Whether evaluating it where the program would not could be seen: as a finding.
fn may_trap(expression: &Expression) -> bool {
    matches!(expression, Expression::Integer { op: IntegerOp::Divide | IntegerOp::Remainder, .. })
}
