//! Stores, copies and atomics.

use super::*;

impl Engine<'_, '_> {
    pub fn store(
        &mut self,
        pointer: Value,
        value: Value,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        if let Type::Pointer(_) = self.type_of(value) {
            return self.store_pointer(pointer, value, active, location);
        }
        if let Root::Local(local) = self.flow.root(pointer)
            && !self.is_needed(local)
        {
            return Ok(());
        }
        let ty = self.type_of(value);
        let (place, address) = self.address(pointer, location)?;
        let mut leaves = Vec::new();
        if let Place::Local(local) = place {
            let val = self.eval(value)?;
            let mut leaves = Vec::new();
            Self::disassemble(val, &mut leaves);
            return self.store_local(local, ty, &address, leaves, value, active, location);
        }
        self.parts(value, &mut leaves)?;
        match place {
            Place::Local(local) => {
                let leaves = Vec::new();
                self.store_local(local, ty, &address, leaves, value, active, location)
            }
            Place::Parameter(_) => self.refuse("a parameter is stored to", location),
            Place::Shared(start) => {
                let (_, runs) = self.runs(ty, location)?;
                let mut rest = leaves.into_iter();
                let mask = self.active_mask(active);
                for run in runs {
                    let place =
                        self.place_of(&address, start + run.offset, run.scalar.size(), location)?;
                    let offsets = self.byte_offsets(place, run.scalar.size());
                    let own: Vec<Part> = rest.by_ref().take(run.count as usize).collect();
                    let slot = self.join(own, run.scalar, value)?;
                    let (ty, parts) = self.memory_parts(run.scalar, run.count);
                    self.line(format!(
                        "lanes.StoreShared<{ty}, {parts}>(shared_, {offsets}, {slot}, {mask});"
                    ));
                }
                Ok(())
            }
            global => {
                let (_, runs) = self.runs(ty, location)?;
                let mut rest = leaves.into_iter();
                for run in runs {
                    let at = self.place_of(&address, run.offset, run.scalar.size(), location)?;
                    let own: Vec<Part> = rest.by_ref().take(run.count as usize).collect();
                    self.store_run(&global, at, own, &run, value, active)?;
                }
                self.note_store(&global);
                Ok(())
            }
        }
    }

    /// Bytes that become a local variable, or of which one is the source.
    pub fn copy(
        &mut self,
        destination: Value,
        source: Value,
        bytes: Value,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        let size = self.affine.integer(bytes).as_constant();
        let local_type = |engine: &Self, pointer: Value| match engine.flow.root(pointer) {
            Root::Local(local) => {
                let ty = engine.function.locals[local].ty;
                let whole = engine.module.types.layout(ty).map(|l| i128::from(l.size)) == size;
                whole.then_some((local, ty))
            }
            _ => None,
        };
        let (to, from) = (local_type(self, destination), local_type(self, source));
        let Some((_, ty)) = to.or(from) else {
            return self.refuse("bytes are copied that are no whole variable", location);
        };
        let (from_place, from_address) = self.address(source, location)?;
        let val = match from_place {
            Place::Local(local) => {
                let storage = self.storage(local, location)?;
                if from_address.offset.as_constant() != Some(0)
                    || storage.kind != StorageKind::Vectors
                {
                    return self.refuse("bytes are copied that are no whole variable", location);
                }
                let mut vals = Vec::new();
                for (index, leaf) in storage.leaves.clone().iter().enumerate() {
                    let text = self.part(&storage, index);
                    let text = self.typed(&storage, text, leaf.scalar);
                    let second = format!("{text}[lanes.padded]");
                    vals.push(self.vector_val(text, second, leaf.scalar, false));
                }
                self.assemble(ty, &mut vals.into_iter())
            }
            Place::Parameter(_) => return self.refuse("bytes of a parameter are copied", location),
            Place::Shared(start) => self.load_shared(ty, start, &from_address, active, location)?,
            global => self.load_global(ty, &global, &from_address, active, location)?,
        };
        let mut leaves = Vec::new();
        Self::disassemble(val, &mut leaves);
        let (to_place, to_address) = self.address(destination, location)?;
        match to_place {
            Place::Local(local) => {
                self.store_local(local, ty, &to_address, leaves, destination, active, location)
            }
            place @ (Place::Global(_) | Place::Pointer(_)) => {
                let (_, runs) = self.runs(ty, location)?;
                let mut rest = leaves.into_iter().map(Part::Known);
                for run in runs {
                    let at = self.place_of(&to_address, run.offset, run.scalar.size(), location)?;
                    let own: Vec<Part> = rest.by_ref().take(run.count as usize).collect();
                    self.store_run(&place, at, own, &run, destination, active)?;
                }
                self.note_store(&place);
                Ok(())
            }
            _ => self.refuse("bytes are copied to shared memory", location),
        }
    }

    pub(super) fn store_run(
        &mut self,
        place: &Place,
        at: Where,
        own: Vec<Part>,
        run: &Run,
        value: Value,
        active: &Active,
    ) -> Result<()> {
        let bytes = run.scalar.size() as u32 * run.count;
        let slot = self.join(own, run.scalar, value)?;
        let (ty, parts) = self.memory_parts(run.scalar, run.count);
        let view = self.view(place, ty);
        match at {
            Where::Same(at) => {
                let at = if run.scalar.size() == 8 { format!("({at}) * 2") } else { at };
                self.line(format!(
                    "lanes.StoreSame<{ty}, {parts}>({view}, {at}, {slot}, {});",
                    active.name()
                ));
                self.need_output(32, true);
            }
            Where::Form(form) => {
                let form = if run.scalar.size() == 8 { doubled(&form) } else { form };
                self.line(format!(
                    "lanes.Store<{ty}, {parts}>({view}, {}, {slot}, {});",
                    form.text(),
                    active.name()
                ));
                let dense = form.is_row(parts) && matches!(active, Active::Box(_));
                self.need_output(bytes, dense);
            }
            Where::Each(base, offsets) => {
                let mask = self.active_mask(active);
                let (base, offsets) = self.double_offsets(run.scalar, base, offsets);
                self.line(format!(
                    "lanes.StoreAt<{ty}, {parts}>({view}, {base}, {offsets}, {slot}, {mask});"
                ));
                self.need_output(bytes, false);
            }
        }
        Ok(())
    }

    /// The parts of a run, one after the other in one slot.
    pub(super) fn join(&mut self, own: Vec<Part>, scalar: Scalar, value: Value) -> Result<String> {
        if own.len() > 1 && own.iter().any(|part| matches!(part, Part::Pending(_))) {
            // Each goes to its place as soon as it is computed, so that only one is alive besides.
            let element = if kind(scalar) == Some(Kind::Float) { "float" } else { "int32_t" };
            let words = if kind(scalar) == Some(Kind::Long) { 2 } else { 1 };
            let slot = self.slot("joined", element, 4 * words * own.len() as u32);
            for (index, part) in own.into_iter().enumerate() {
                let texts = self.part_texts(part, scalar, value)?;
                for (word, text) in texts.into_iter().enumerate() {
                    let place = part_of(&slot, index as u32 * words + word as u32);
                    self.line(format!("lanes.Move({place}, {text});"));
                }
            }
            return Ok(slot);
        }
        let mut parts = Vec::new();
        for part in own {
            parts.extend(self.part_texts(part, scalar, value)?);
        }
        if let [first, ..] = parts.as_slice()
            && (parts.len() == 1
                || !first.contains(['[', '.'])
                    && parts.iter().enumerate().all(|(i, p)| *p == part_of(first, i as u32)))
        {
            return Ok(first.clone());
        }
        let element = if kind(scalar) == Some(Kind::Float) { "float" } else { "int32_t" };
        let slot = self.slot("joined", element, 4 * parts.len() as u32);
        for (index, part) in parts.iter().enumerate() {
            self.line(format!("lanes.Move({}, {part});", part_of(&slot, index as u32)));
        }
        Ok(slot)
    }

    pub(super) fn part_texts(
        &mut self,
        part: Part,
        scalar: Scalar,
        value: Value,
    ) -> Result<Vec<String>> {
        let val = match part {
            Part::Known(val) => val,
            Part::Pending(value) => self.eval(value)?,
        };
        Ok(match kind(scalar) {
            Some(Kind::Float) => vec![self.float_of(val, value)?],
            Some(Kind::Long) => {
                let (low, high) = self.long_of(val, value)?;
                vec![low, high]
            }
            _ => vec![self.int_of(val, value)?],
        })
    }

    /// The scalar parts of a value, those of a new composition not yet computed.
    pub(super) fn parts(&mut self, value: Value, parts: &mut Vec<Part>) -> Result<()> {
        if self.known(value).is_none()
            && let Expression::Compose { parts: own, .. } = self.expression(value).clone()
        {
            for part in own {
                self.parts(part, parts)?;
            }
            return Ok(());
        }
        if matches!(self.type_of(value), Type::Scalar(_)) && self.known(value).is_none() {
            parts.push(Part::Pending(value));
            return Ok(());
        }
        let val = self.eval(value)?;
        let mut leaves = Vec::new();
        Self::disassemble(val, &mut leaves);
        parts.extend(leaves.into_iter().map(Part::Known));
        Ok(())
    }

    // Atomic operations.

    pub fn atomic(
        &mut self,
        result: Option<Value>,
        op: AtomicOp,
        pointer: Value,
        value: Value,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        let scalar = self.scalar_of(value)?;
        let (place, address) = self.address(pointer, location)?;
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
        if matches!(place, Place::Local(_) | Place::Parameter(_)) {
            return self
                .refuse("an atomic operation on a variable of one thread has no form", location);
        }
        let Some(memory) = memory_type(scalar).filter(|_| scalar.size() == 4) else {
            return self.refuse("an atomic operation on this type has no vector form", location);
        };
        let val = self.eval(value)?;
        let slot = self.join(vec![Part::Known(val)], scalar, value)?;
        let result_slot = match result {
            Some(_) if kind(scalar) == Some(Kind::Float) => Some(self.float_slot("old")),
            Some(_) => Some(self.int_slot("old")),
            None => None,
        };
        if let Place::Shared(start) = place {
            let at = self.place_of(&address, start, 4, location)?;
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
            let at = self.place_of(&address, 0, 4, location)?;
            let view = self.view(&place, memory);
            if hardware {
                let ty = if scalar == Scalar::U32 { "int32_t" } else { memory };
                let view = if scalar == Scalar::U32 { self.view(&place, "int32_t") } else { view };
                match at {
                    Where::Form(form) => {
                        self.line(format!(
                            "lanes.Accumulate<{ty}, lanes::Update::{name}>({view}, {}, {slot}, {});",
                            form.text(),
                            active.name()
                        ));
                    }
                    other => {
                        let (base, offsets) = match other {
                            Where::Each(base, offsets) => (base, offsets),
                            Where::Same(at) => {
                                let zero = self.int_slot("offset");
                                self.line(format!("Duplicate({zero}, 0, lanes.padded);"));
                                (at, zero)
                            }
                            Where::Form(_) => return Ok(()),
                        };
                        let mask = self.active_mask(active);
                        self.line(format!(
                            "lanes.AccumulateAt<{ty}, lanes::Update::{name}>({view}, {base}, {offsets}, {slot}, {mask});"
                        ));
                    }
                }
                self.need_output(4, false);
            } else {
                self.state.one_core = true;
                let (base, offsets) = match at {
                    Where::Each(base, offsets) => (base, offsets),
                    Where::Same(at) => {
                        let zero = self.int_slot("offset");
                        self.line(format!("Duplicate({zero}, 0, lanes.padded);"));
                        (at, zero)
                    }
                    Where::Form(form) => {
                        let slot = self.int_slot("offset");
                        let (base, steps) = (form.base.clone(), form.steps.clone());
                        let form = Linear { base: "0".to_owned(), steps };
                        self.line(format!("lanes.Spread({slot}, {});", form.text()));
                        (base, slot)
                    }
                };
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
            self.note_store(&place);
        }
        if let (Some(result), Some(slot)) = (result, result_slot) {
            let val =
                if kind(scalar) == Some(Kind::Float) { Val::Float(slot) } else { Val::Int(slot) };
            self.remember(result, &val);
        }
        Ok(())
    }

    pub fn scalar_note(&mut self, reason: &str, location: Location) {
        if self.state.scalar_work.len() < 8 {
            self.state.scalar_work.push((reason.to_owned(), location.origin));
        }
    }

    // Local variables.
}
