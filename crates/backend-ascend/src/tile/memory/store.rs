//! Stores and copies.

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
            place => {
                let (_, runs) = self.runs(ty, location)?;
                self.own_elements = matches!(active, Active::Mask(_)) && self.owns(pointer);
                let stored =
                    self.store_runs(runs, &place, &address, leaves, value, active, location);
                self.own_elements = false;
                stored
            }
        }
    }

    /// Stores the scalar parts of a value to global or shared memory.
    #[allow(clippy::too_many_arguments, reason = "what a store is")]
    pub(super) fn store_runs(
        &mut self,
        runs: Vec<Run>,
        place: &Place,
        address: &Address,
        parts: Vec<Part>,
        value: Value,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        let mut rest = parts.into_iter();
        if let Place::Shared(start) = place {
            let mask = self.active_mask(active);
            for run in runs {
                let at = self.place_of(address, start + run.offset, run.scalar.size(), location)?;
                let offsets = self.byte_offsets(at, run.scalar.size());
                let own: Vec<Part> = rest.by_ref().take(run.count as usize).collect();
                let slot = self.join(own, run.scalar, value)?;
                let (ty, parts) = self.memory_parts(run.scalar, run.count);
                self.line(format!(
                    "lanes.StoreShared<{ty}, {parts}>(shared_, {offsets}, {slot}, {mask});"
                ));
            }
            return Ok(());
        }
        for run in runs {
            let own: Vec<Part> = rest.by_ref().take(run.count as usize).collect();
            if let Active::Box(active) = active
                && let Some((split, _)) = self.split(address, run.offset, run.scalar.size())?
            {
                let slot = self.join(own, run.scalar, value)?;
                let (ty, parts) = self.memory_parts(run.scalar, run.count);
                let view = self.view(place, ty);
                self.line(format!(
                    "lanes.Store<{ty}, {parts}>({view}, {split}, {slot}, {active});"
                ));
                self.need_output(run.scalar.size() as u32 * run.count, false);
                continue;
            }
            let at = self.place_of(address, run.offset, run.scalar.size(), location)?;
            self.store_run(place, at, own, &run, value, active)?;
        }
        self.note_store(place);
        Ok(())
    }

    /// Bytes from one place to another.
    pub fn copy(
        &mut self,
        destination: Value,
        source: Value,
        bytes: Value,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        let size = self.affine.integer(bytes).as_constant().and_then(|s| u64::try_from(s).ok());
        let Some(size) = size.filter(|size| *size <= 1024) else {
            return self.refuse("so many bytes are copied as only the launch knows", location);
        };
        let local_type = |engine: &Self, pointer: Value| match engine.flow.root(pointer) {
            Root::Local(local) => Some(engine.function.locals[local].ty),
            _ => None,
        };
        let (to, from) = (local_type(self, destination), local_type(self, source));
        let is_whole = |engine: &Self, ty: Type| {
            engine.module.types.layout(ty).is_some_and(|l| l.size == size)
        };
        let leaves = match (to, from) {
            (Some(a), Some(b)) if a != b => None,
            (Some(ty), _) | (_, Some(ty)) => self.leaves(ty).filter(|_| is_whole(self, ty)),
            (None, None) => None,
        };
        let leaves = match leaves {
            Some(leaves) => leaves,
            None => {
                // What is known of the alignment is what the variables have.
                let unit = |ty: Type| {
                    self.leaves(ty).and_then(|l| l.iter().map(|l| l.scalar.size()).min())
                };
                let units = [to, from].into_iter().flatten().map(unit);
                let Some(unit) = units.min().flatten().map(|unit| unit.min(4)) else {
                    return self.refuse("bytes are copied that are no variable", location);
                };
                let unit = if size.is_multiple_of(unit) { unit } else { 1 };
                raw_leaves(size, unit)
            }
        };
        self.move_leaves(destination, source, &leaves, None, active, location)
    }

    /// An asynchronous copy to shared memory, at once: whoever waits for it sees it.
    pub fn async_copy(
        &mut self,
        copy: &port_ir::AsyncCopy,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        let size = u64::from(copy.bytes);
        let leaves = raw_leaves(size, if size.is_multiple_of(4) { 4 } else { 1 });
        self.move_leaves(
            copy.destination,
            copy.source,
            &leaves,
            copy.source_bytes,
            active,
            location,
        )
    }

    /// Moves numbers; beyond `limit` bytes zeros.
    fn move_leaves(
        &mut self,
        destination: Value,
        source: Value,
        leaves: &[Leaf],
        limit: Option<Value>,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        let runs = self.grouped(leaves, location)?;
        let mut reading = active.clone();
        let limit = match limit {
            Some(limit) if self.affine.integer(limit).as_constant().is_none() => Some(limit),
            Some(limit) => {
                let whole = leaves.last().map_or(0, |l| l.offset + l.scalar.size());
                let constant = self.affine.integer(limit).as_constant();
                if constant != Some(i128::from(whole)) {
                    return self.refuse("a part of a copy is filled with zeros", location);
                }
                None
            }
            None => None,
        };
        if let Some(limit) = limit {
            if !self.all_or_nothing(limit, leaves) {
                return self.refuse("a part of a copy is filled with zeros", location);
            }
            // Who copies nothing reads nothing: the address may be anywhere.
            let some = self.some_bytes(limit)?;
            let own = self.active_mask(active);
            let slot = self.mask_slot("reading");
            self.line(format!("lanes.MaskAnd({slot}, {own}, {some});"));
            reading = Active::Mask(slot);
        }
        let (place, address) = self.address(source, location)?;
        let vals = match place {
            Place::Local(local) => {
                let storage = self.storage(local, location)?;
                if storage.kind == StorageKind::Words {
                    self.load_words(&storage, leaves, &address, false, active, location)?
                } else if storage.kind == StorageKind::Vectors
                    && address.constant() == Some(0)
                    && storage.leaves == leaves
                {
                    let mut vals = Vec::new();
                    for (index, leaf) in leaves.iter().enumerate() {
                        let text = self.part(&storage, index);
                        let text = self.typed(&storage, text, leaf.scalar);
                        let second = format!("{text}[lanes.padded]");
                        vals.push(self.vector_val(text, second, leaf.scalar, false));
                    }
                    vals
                } else {
                    return self.refuse("bytes are copied that are no whole variable", location);
                }
            }
            Place::Parameter(_) => return self.refuse("bytes of a parameter are copied", location),
            Place::Shared(start) => {
                self.load_shared_runs(runs, start, &address, &reading, location)?
            }
            global => self.load_global_runs(runs, &global, &address, &reading, location)?,
        };
        let vals = match &reading {
            Active::Mask(mask) if limit.is_some() => {
                let mask = mask.clone();
                let mut chosen = Vec::new();
                for val in vals {
                    let text = self.int_of(val, source)?;
                    let (zero, slot) = (self.int_slot("zero"), self.int_slot("filled"));
                    self.line(format!("Duplicate({zero}, 0, lanes.padded);"));
                    self.line(format!("lanes.Choose({slot}, {mask}, {text}, {zero});"));
                    chosen.push(Val::Int(slot));
                }
                chosen
            }
            _ => vals,
        };
        let (place, address) = self.address(destination, location)?;
        match place {
            Place::Local(local) => {
                let storage = self.storage(local, location)?;
                if storage.kind == StorageKind::Words {
                    return self.store_words(
                        &storage,
                        leaves,
                        &address,
                        vals,
                        destination,
                        active,
                        location,
                    );
                }
                let ty = self.function.locals[local].ty;
                if storage.leaves != leaves {
                    return self.refuse("bytes are copied that are no whole variable", location);
                }
                self.store_local(local, ty, &address, vals, destination, active, location)
            }
            Place::Parameter(_) => self.refuse("a parameter is stored to", location),
            place => {
                let runs = self.grouped(leaves, location)?;
                let parts = vals.into_iter().map(Part::Known).collect();
                self.store_runs(runs, &place, &address, parts, destination, active, location)
            }
        }
    }

    /// Whether a number of bytes is that of all leaves or nothing, as `valid ? 16 : 0` says it.
    fn all_or_nothing(&mut self, limit: Value, leaves: &[Leaf]) -> bool {
        let whole = leaves.last().map_or(0, |l| l.offset + l.scalar.size());
        let mut value = limit;
        for _ in 0..8 {
            match self.expression(value).clone() {
                Expression::Convert { value: inner, .. } => value = inner,
                Expression::Select { accept, reject, .. } => {
                    return [accept, reject].into_iter().all(|arm| {
                        let constant = self.affine.integer(arm).as_constant();
                        constant == Some(0) || constant == Some(i128::from(whole))
                    });
                }
                _ => return false,
            }
        }
        false
    }

    /// The lanes whose number is not zero.
    fn some_bytes(&mut self, limit: Value) -> Result<String> {
        let number = match self.eval(limit)? {
            Val::Uniform(text) => {
                return self.mask_of(Val::Uniform(format!("({text}) != 0")), limit);
            }
            Val::Long(low, _) => low,
            other => self.int_of(other, limit)?,
        };
        let (zero, slot) = (self.int_slot("zero"), self.mask_slot("some"));
        self.line(format!("Duplicate({zero}, 0, lanes.padded);"));
        self.line(format!("Compare({slot}, {number}, {zero}, CMPMODE::EQ, lanes.padded);"));
        self.line(format!("lanes.MaskNot({slot}, {slot});"));
        Ok(slot)
    }

    /// Whether each element that a store may touch belongs to one thread, by the thread's number in the grid: all
    /// that the kernel writes there goes by that number alone.
    fn owns(&mut self, pointer: Value) -> bool {
        use port_ir::{Axis, Builtin, StatementKind as S};
        let Some(own) = self.affine.address(pointer) else { return false };
        let is_number = |symbol: Symbol| {
            matches!(
                symbol,
                Symbol::Passes(_)
                    | Symbol::Builtin(
                        Builtin::ThreadIndex(Axis::X)
                            | Builtin::BlockIndex(Axis::X)
                            | Builtin::BlockDim(Axis::X)
                            | Builtin::GridDim(Axis::X)
                    )
            )
        };
        let asks = |builtin| own.offset.any_symbol(|symbol| symbol == Symbol::Builtin(builtin));
        let [y, z] = [Axis::Y, Axis::Z].map(|axis| {
            self.function.expressions.iter().any(|(_, e)| {
                *e == Expression::Builtin(Builtin::BlockIndex(axis))
                    || *e == Expression::Builtin(Builtin::ThreadIndex(axis))
            })
        });
        if !self_is_grid(self)
            || self.state.one_core
            || self.written.len() > 1
            || y
            || z
            || !asks(Builtin::ThreadIndex(Axis::X))
            || own.offset.any_symbol(|symbol| !is_number(symbol))
        {
            return false;
        }
        let flow = self.flow;
        flow.statements().all(|(_, entry)| match &entry.statement.kind {
            S::Store { pointer, .. } if !matches!(flow.root(*pointer), Root::Local(_)) => {
                self.affine.address(*pointer).as_ref() == Some(&own)
            }
            S::Atomic { .. } | S::Fill { .. } | S::Copy { .. } | S::AsyncCopy(_) => false,
            _ => true,
        })
    }

    /// The parts of a number or of a short vector of numbers, one after the other in one slot.
    pub fn whole(&mut self, value: Value) -> Result<String> {
        let Some(scalar) = self.type_of(value).scalar() else {
            return self.refuse_value("a value of this type is not moved as numbers", value);
        };
        let mut parts = Vec::new();
        self.parts(value, &mut parts)?;
        self.join(parts, scalar, value)
    }

    /// Stores of two values the one that each lane takes.
    pub fn store_chosen(
        &mut self,
        pointer: Value,
        value: Value,
        mask: &str,
        [accept, reject]: [&String; 2],
        active: &Active,
        location: Location,
    ) -> Result<()> {
        let (place, address) = self.address(pointer, location)?;
        let (_, runs) = self.runs(self.type_of(value), location)?;
        let [run] = runs.as_slice() else {
            return self.refuse("a value of this type is not moved as numbers", location);
        };
        let is_float = kind(run.scalar) == Some(Kind::Float);
        let element = if is_float { "float" } else { "int32_t" };
        let chosen = self.slot("chosen", element, 4 * run.count);
        let mut parts = Vec::new();
        for part in 0..run.count {
            let to = part_of(&chosen, part);
            let (a, b) = (part_of(accept, part), part_of(reject, part));
            self.line(format!("lanes.Choose({to}, {mask}, {a}, {b});"));
            parts.push(Part::Known(if is_float { Val::Float(to) } else { Val::Int(to) }));
        }
        self.store_runs(runs, &place, &address, parts, value, active, location)
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
            Where::Form(form)
                if self.own_elements && run.scalar.size() <= 4 && form.is_row(parts) =>
            {
                // What lies between the elements that are stored is the lanes' own too: it goes out as it was.
                let Active::Mask(mask) = active else { return Ok(()) };
                self.after_stores(place);
                self.state.subject = "kept".to_owned();
                let kept = self.run_slot(run.scalar, run.count);
                let form = form.text();
                self.line(format!("lanes.Load<{ty}, {parts}>({kept}, {view}, {form}, {mask});"));
                self.need_input(bytes, true);
                for part in 0..parts {
                    let (old, new) = (part_of(&kept, part), part_of(&slot, part));
                    self.line(format!("lanes.Choose({old}, {mask}, {new}, {old});"));
                }
                self.line(format!(
                    "lanes.StoreRange<{ty}, {parts}>({view}, {form}, {kept}, {mask});"
                ));
                self.need_output(bytes, true);
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
}

/// Bytes as numbers of a size.
fn raw_leaves(size: u64, unit: u64) -> Vec<Leaf> {
    let scalar = match unit {
        4 => Scalar::U32,
        2 => Scalar::U16,
        _ => Scalar::U8,
    };
    (0..size / scalar.size()).map(|i| Leaf { offset: i * scalar.size(), scalar }).collect()
}
