//! Atomic operations: by the transfer unit where it has them; by each core for itself, put together at
//! the end, where all update one number that nobody reads; lane by lane in the block's own memory, and
//! on one core where all cores would meet.

use super::*;
use crate::tile::engine::Merged;

/// Why a lock has no vector form.
const LOCK: &str = "threads wait for each other at a lock";

/// An atomic operation on a number.
struct Update {
    op: AtomicOp,
    scalar: Scalar,
    /// The operand, for places in messages.
    value: Value,
    result: Option<Value>,
    /// Bytes from the address.
    plus: u64,
}

impl Engine<'_, '_> {
    pub fn atomic(
        &mut self,
        result: Option<Value>,
        op: AtomicOp,
        pointer: Value,
        value: Value,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        let (place, address) = self.address(pointer, location)?;
        if matches!(place, Place::Local(_) | Place::Parameter(_)) {
            return self
                .refuse("an atomic operation on a variable of one thread has no form", location);
        }
        // Two halves, four floats: each part by itself, as the GPU does it.
        if let (Type::Vector(scalar, _), None) = (self.type_of(value), result) {
            let mut leaves = Vec::new();
            Self::disassemble(self.eval(value)?, &mut leaves);
            for (index, leaf) in leaves.into_iter().enumerate() {
                let plus = index as u64 * scalar.size();
                let part = Update { op, scalar, value, result: None, plus };
                self.update(&part, leaf, &place, &address, active, location)?;
            }
            return Ok(());
        }
        let scalar = self.scalar_of(value)?;
        let val = self.eval(value)?;
        let whole = Update { op, scalar, value, result, plus: 0 };
        self.update(&whole, val, &place, &address, active, location)
    }

    fn update(
        &mut self,
        update: &Update,
        val: Val,
        place: &Place,
        address: &Address,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        let Update { mut op, scalar, value, result, plus } = *update;
        let is_integer = scalar.is_integer() && scalar != Scalar::Bool;
        if is_integer && self.merge(update, &val, place, address, active)? {
            return Ok(());
        }
        let is_conditional = matches!(
            op,
            AtomicOp::CompareExchange { .. } | AtomicOp::IncrementWrap | AtomicOp::DecrementWrap
        );
        if is_integer && (scalar.size() == 8 || scalar.size() == 4 && is_conditional) {
            return self.update_each(update, val, place, address, active, location);
        }
        let mut val = val;
        if op == AtomicOp::Subtract && result.is_none() && !matches!(place, Place::Shared(_)) {
            // The transfer unit only adds.
            op = AtomicOp::Add;
            val = if kind(scalar) == Some(Kind::Float) {
                let (from, slot) = (self.float_of(val, value)?, self.float_slot("negative"));
                self.line(format!("Muls({slot}, {from}, -1.0f, lanes.padded);"));
                Val::Float(slot)
            } else {
                let (from, slot) = (self.int_of(val, value)?, self.int_slot("negative"));
                self.line(format!("Muls({slot}, {from}, -1, lanes.padded);"));
                Val::Int(slot)
            };
        }
        let name = match op {
            AtomicOp::Add => "Add",
            AtomicOp::Subtract => "Subtract",
            AtomicOp::Minimum => "Minimum",
            AtomicOp::Maximum => "Maximum",
            AtomicOp::And => "And",
            AtomicOp::Or => "Or",
            AtomicOp::Xor => "Xor",
            AtomicOp::Exchange => "Exchange",
            _ => {
                return self
                    .refuse("an atomic operation of this kind has no vector form", location);
            }
        };
        if op == AtomicOp::Exchange && self.is_lock(result, &[value]) {
            return self.refuse(LOCK, location);
        }
        let is_half = matches!(scalar, Scalar::F16 | Scalar::Bf16)
            && name == "Add"
            && result.is_none()
            && !matches!(place, Place::Shared(_));
        let Some(memory) = memory_type(scalar).filter(|_| scalar.size() == 4 || is_half) else {
            return self.refuse("an atomic operation on this type has no vector form", location);
        };
        let slot = self.join(vec![Part::Known(val)], scalar, value)?;
        let result_slot = match result {
            Some(_) if kind(scalar) == Some(Kind::Float) => Some(self.float_slot("old")),
            Some(_) => Some(self.int_slot("old")),
            None => None,
        };
        if let Place::Shared(start) = place {
            let at = self.place_of(address, start + plus, 4, location)?;
            let offsets = self.byte_offsets(at, 4);
            let mask = self.active_mask(active);
            let old = result_slot.clone().unwrap_or_else(|| slot.clone());
            self.line(format!(
                "lanes.UpdateShared<{memory}, lanes::Update::{name}, {}>(shared_, {offsets}, {slot}, {mask}, {old});",
                result.is_some()
            ));
            self.scalar_note("atomic operations on shared memory go lane by lane", location);
        } else {
            let hardware = result.is_none()
                && (name == "Add"
                    || matches!(name, "Minimum" | "Maximum") && scalar != Scalar::U32);
            let at = self.place_of(address, plus, scalar.size(), location)?;
            let view = self.view(place, memory);
            if hardware {
                let ty = if scalar == Scalar::U32 { "int32_t" } else { memory };
                let view = if scalar == Scalar::U32 { self.view(place, "int32_t") } else { view };
                match at {
                    Where::Form(form) => {
                        self.line(format!(
                            "lanes.Accumulate<{ty}, lanes::Update::{name}>({view}, {}, {slot}, {});",
                            form.text(),
                            active.name()
                        ));
                    }
                    other => {
                        let (base, offsets) = self.base_and_offsets(other, address);
                        let mask = self.active_mask(active);
                        self.line(format!(
                            "lanes.AccumulateAt<{ty}, lanes::Update::{name}>({view}, {base}, {offsets}, {slot}, {mask});"
                        ));
                    }
                }
                self.need_output(4, false);
            } else {
                self.state.one_core = true;
                let (base, offsets) = self.base_and_offsets(at, address);
                let mask = self.active_mask(active);
                let old = result_slot.clone().unwrap_or_else(|| slot.clone());
                self.line("lanes::Wait<HardEvent::MTE3_MTE2>();");
                self.line(format!(
                    "lanes.UpdateGlobal<{memory}, lanes::Update::{name}, {}>({view}, {base}, {offsets}, {slot}, {mask}, {old});",
                    result.is_some()
                ));
                self.need_input(4, false);
                self.need_output(4, false);
                self.scalar_note("an atomic operation gives the value from before, so that one core does it lane by lane", location);
            }
            self.note_store(place);
        }
        if let (Some(result), Some(slot)) = (result, result_slot) {
            let val =
                if kind(scalar) == Some(Kind::Float) { Val::Float(slot) } else { Val::Int(slot) };
            self.remember(result, &val);
        }
        Ok(())
    }

    /// One number of global memory that all threads update and nobody reads, by an operation that the
    /// transfer unit lacks: each core keeps its own, and the first core puts them together at the end.
    fn merge(
        &mut self,
        update: &Update,
        val: &Val,
        place: &Place,
        address: &Address,
        active: &Active,
    ) -> Result<bool> {
        let Update { op, scalar, value, result, plus } = *update;
        let (Place::Global(root), Some(offset), None) = (place, address.constant(), result) else {
            return Ok(false);
        };
        let is_long = scalar.size() == 8;
        let (step, start) = match (op, is_long, scalar.is_signed()) {
            (AtomicOp::Add, true, _) => ("Add", "0"),
            (AtomicOp::Subtract, true, _) => ("Subtract", "0"),
            (AtomicOp::Minimum, true, true) => ("Minimum", "INT64_MAX"),
            (AtomicOp::Maximum, true, true) => ("Maximum", "INT64_MIN"),
            (AtomicOp::Minimum, true, false) => ("Minimum", "UINT64_MAX"),
            (AtomicOp::Minimum, false, false) => ("Minimum", "UINT32_MAX"),
            (AtomicOp::Maximum, _, false) => ("Maximum", "0"),
            _ => return Ok(false),
        };
        let size = i128::from(scalar.size());
        let bytes = offset + i128::from(plus);
        let Some(at) = u64::try_from(bytes / size).ok().filter(|_| bytes % size == 0) else {
            return Ok(false);
        };
        if scalar.size() < 4 || !self.is_only_updated(*root, op, scalar) {
            return Ok(false);
        }
        let ty = match (is_long, scalar.is_signed()) {
            (true, true) => "int64_t",
            (true, false) => "uint64_t",
            _ => "uint32_t",
        };
        let (low, high) = if is_long {
            self.long_of(val.clone(), value)?
        } else {
            let text = self.int_of(val.clone(), value)?;
            (text.clone(), text)
        };
        let mask = self.active_mask(active);
        let view = self.view(place, ty);
        let same = |known: &&Merged| known.view == view && known.at == at;
        let name = match self.state.merged.iter().find(same) {
            Some(known) => known.name.clone(),
            None => {
                let wish = format!("{}Of{}", view.trim_end_matches("Gm_"), "Core");
                let name = self.state.names.fresh(&wish);
                let name = format!("{}_", name.trim_end_matches('_'));
                self.state.names.take(&name);
                let own = Merged { name: name.clone(), ty, step, start, view, at };
                self.state.merged.push(own);
                name
            }
        };
        self.line(format!(
            "lanes::Fold<{ty}, lanes::Step::{step}>(lanes, {name}, lanes::Numbers<{ty}>{{{low}, {high}}}, {mask});"
        ));
        self.state.uses_steps = true;
        self.need_input(8, false);
        self.need_output(8, false);
        Ok(true)
    }

    /// Whether all that the kernel does with memory is to update numbers of one type at fixed places by one
    /// operation, without asking for what they were.
    fn is_only_updated(&mut self, root: GlobalRoot, op: AtomicOp, scalar: Scalar) -> bool {
        let own = match root {
            GlobalRoot::Argument(index) => Root::Argument(index),
            GlobalRoot::Symbol(variable) => Root::Variable(variable),
        };
        let mut pointers = Vec::new();
        for (_, entry) in self.flow.statements() {
            use port_ir::StatementKind as S;
            match &entry.statement.kind {
                S::Atomic { result, op: other, pointer, value, .. }
                    if self.flow.root(*pointer) == own =>
                {
                    if result.is_some()
                        || *other != op
                        || self.type_of(*value) != Type::Scalar(scalar)
                    {
                        return false;
                    }
                    pointers.push(*pointer);
                }
                S::Load { pointer, .. } | S::Store { pointer, .. } | S::Atomic { pointer, .. } => {
                    match self.flow.root(*pointer) {
                        other if other == own => return false,
                        Root::Value(_) | Root::Unknown => return false,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        let mut fixed = |pointer: &Value| {
            let address = self.affine.address(*pointer);
            address.is_some_and(|address| address.offset.as_constant().is_some())
        };
        pointers.iter().all(&mut fixed)
    }

    /// An operation that no unit has, lane after lane: on 64 bits, or with a condition.
    fn update_each(
        &mut self,
        update: &Update,
        val: Val,
        place: &Place,
        address: &Address,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        let Update { op, scalar, value, result, plus } = *update;
        let (step, expected) = match op {
            AtomicOp::Add => ("Add", None),
            AtomicOp::Subtract => ("Subtract", None),
            AtomicOp::Minimum => ("Minimum", None),
            AtomicOp::Maximum => ("Maximum", None),
            AtomicOp::And => ("And", None),
            AtomicOp::Or => ("Or", None),
            AtomicOp::Xor => ("Xor", None),
            AtomicOp::Exchange => ("Exchange", None),
            AtomicOp::CompareExchange { expected } => ("CompareExchange", Some(expected)),
            AtomicOp::IncrementWrap => ("Increment", None),
            AtomicOp::DecrementWrap => ("Decrement", None),
        };
        let constants: &[Value] = match &expected {
            Some(expected) => &[*expected, value],
            None => &[value],
        };
        let waits = matches!(op, AtomicOp::Exchange | AtomicOp::CompareExchange { .. });
        if waits && self.is_lock(result, constants) {
            return self.refuse(LOCK, location);
        }
        let is_long = scalar.size() == 8;
        let ty = match (is_long, scalar.is_signed()) {
            (true, true) => "int64_t",
            (true, false) => "uint64_t",
            (false, true) => "int32_t",
            (false, false) => "uint32_t",
        };
        let halves = |engine: &mut Self, val: Val, value: Value| -> Result<(String, String)> {
            if is_long {
                return engine.long_of(val, value);
            }
            let text = engine.int_of(val, value)?;
            Ok((text.clone(), text))
        };
        let operand = halves(self, val, value)?;
        let other = match expected {
            Some(expected) => {
                let val = self.eval(expected)?;
                halves(self, val, expected)?
            }
            None => operand.clone(),
        };
        let before = match result {
            Some(result) => {
                let low = self.int_slot("old");
                let high = if is_long { self.int_slot("old") } else { low.clone() };
                let val = if is_long {
                    Val::Long(low.clone(), high.clone())
                } else {
                    Val::Int(low.clone())
                };
                self.remember(result, &val);
                (low, high)
            }
            None => operand.clone(),
        };
        let start = match place {
            Place::Shared(start) => *start,
            _ => 0,
        };
        let at = self.place_of(address, start + plus, scalar.size(), location)?;
        let (base, offsets) = self.base_and_offsets(at, address);
        let mask = self.active_mask(active);
        let elements = match place {
            Place::Shared(_) => format!("lanes::SharedElements<{ty}>{{shared_}}"),
            _ => {
                let view = self.view(place, ty);
                self.state.one_core = true;
                self.need_input(8, false);
                self.need_output(8, false);
                self.line("lanes::Wait<HardEvent::MTE3_MTE2>();");
                format!("lanes::GlobalElements<{ty}>{{{view}}}")
            }
        };
        let numbers =
            |(low, high): &(String, String)| format!("lanes::Numbers<{ty}>{{{low}, {high}}}");
        self.line(format!(
            "lanes::UpdateEach<{ty}, lanes::Step::{step}, {}>(lanes, {elements}, {base}, {offsets}, {}, {}, {mask}, {});",
            result.is_some(),
            numbers(&operand),
            numbers(&other),
            numbers(&before),
        ));
        self.state.uses_steps = true;
        let reason = match place {
            Place::Shared(_) => "atomic operations on shared memory go lane by lane",
            _ => {
                "the chip has no atomic operation of this kind on global memory, so that one core does it lane by lane"
            }
        };
        self.scalar_note(reason, location);
        if !matches!(place, Place::Shared(_)) {
            self.note_store(place);
        }
        Ok(())
    }

    /// Whether threads may wait in a loop until one of them gives something free: lanes go on
    /// together, so that it never would.
    fn is_lock(&self, result: Option<Value>, operands: &[Value]) -> bool {
        let in_loop = self.state.loops.iter().any(|around| !around.is_switch);
        result.is_some()
            && in_loop
            && operands.iter().all(|v| self.flow.constant(*v, &mut Vec::new()).is_some())
    }

    pub fn scalar_note(&mut self, reason: &str, location: Location) {
        if self.state.scalar_work.len() < 8 {
            self.state.scalar_work.push((reason.to_owned(), location.origin));
        }
    }
}
