//! Variables of threads: in lanes, or in memory of the block.

use super::*;

impl Engine<'_, '_> {
    /// Whether anybody loads a local in a way that needs its memory.
    pub(super) fn is_needed(&mut self, local: Handle<Local>) -> bool {
        let flow = self.flow;
        let scalar = self.function.locals[local].ty;
        if !matches!(scalar, Type::Scalar(s) if s.is_integer()) {
            return true;
        }
        if !self.shape.local_varies(local) {
            return flow.escapes(local)
                || flow.statements().any(|(_, entry)| match &entry.statement.kind {
                    port_ir::StatementKind::Load { result, pointer, .. }
                        if flow.root(*pointer) == Root::Local(local) =>
                    {
                        !self.is_counter(*result)
                    }
                    port_ir::StatementKind::Copy { destination, source, .. } => {
                        [*destination, *source].iter().any(|p| flow.root(*p) == Root::Local(local))
                    }
                    port_ir::StatementKind::Atomic { pointer, .. }
                    | port_ir::StatementKind::Fill { destination: pointer, .. } => {
                        flow.root(*pointer) == Root::Local(local)
                    }
                    _ => false,
                });
        }
        for (_, entry) in flow.statements() {
            if let port_ir::StatementKind::Load { result, pointer, .. } = &entry.statement.kind
                && flow.root(*pointer) == Root::Local(local)
            {
                let polynomial = self.affine.integer(*result);
                let opaque = polynomial
                    .any_symbol(|s| matches!(s, Symbol::Value(v) if self.shape.varies(v)));
                let places = polynomial.any_symbol(|s| {
                    matches!(
                        s,
                        Symbol::Builtin(port_ir::Builtin::ThreadIndex(_)) | Symbol::Passes(_)
                    ) || s == Symbol::Builtin(port_ir::Builtin::BlockIndex(port_ir::Axis::X))
                });
                if opaque || !places || !self.is_tame(*result, &polynomial, 0) {
                    return true;
                }
            }
        }
        false
    }

    /// Whether a value is a number that all lanes count passes of loops with.
    pub(super) fn is_counter(&mut self, value: Value) -> bool {
        let polynomial = self.affine.integer(value);
        let counts = |s: Symbol| matches!(s, Symbol::Passes(id) if !self.shape.loop_parts(id));
        polynomial.any_symbol(counts)
            && !polynomial.any_symbol(|s| !counts(s))
            && !self.shape.varies(value)
            && self.is_tame(value, &polynomial, 0)
    }

    /// Whether a load of a local may see what an earlier pass of a loop has left there, as far as the
    /// text of the pass shows.
    pub(in crate::tile) fn is_carried(&mut self, local: Handle<Local>, leaves: &[Leaf]) -> bool {
        let flow = self.flow;
        if flow.escapes(local) {
            return true;
        }
        let Some(size) = leaves.last().map(|l| l.offset + l.scalar.size()) else { return true };
        let mut stores = Vec::new();
        let mut loads = Vec::new();
        for (id, entry) in flow.statements() {
            match &entry.statement.kind {
                port_ir::StatementKind::Load { result, pointer, .. }
                    if flow.root(*pointer) == Root::Local(local) =>
                {
                    loads.push((id, *result));
                }
                port_ir::StatementKind::Store { pointer, value, .. }
                    if flow.root(*pointer) == Root::Local(local) =>
                {
                    stores.push((id, *pointer, *value));
                }
                _ => {}
            }
        }
        loads.iter().any(|(load, _)| {
            !stores.iter().any(|(store, pointer, value)| {
                let whole = self
                    .module
                    .types
                    .layout(self.flow.types.get(*value))
                    .is_some_and(|l| l.size >= size);
                if whole && flow.holds(*store, *load) {
                    return true;
                }
                // A loop that stores to each part in turn.
                let is_block = |id: StatementId| {
                    matches!(flow.entry(id).statement.kind, port_ir::StatementKind::Block(_))
                };
                let mut around = flow.parents(*store).skip_while(|(id, _)| is_block(*id));
                let Some((around, port_ir::analysis::flow::Arm::Body)) = around.next() else {
                    return false;
                };
                let port_ir::StatementKind::Loop(looping) = &flow.entry(around).statement.kind
                else {
                    return false;
                };
                let part =
                    self.module.types.layout(self.flow.types.get(*value)).map_or(0, |l| l.size);
                let Some(address) = self.affine.address(*pointer) else { return false };
                let stride = address.offset.coefficient(&[Symbol::Passes(around)]);
                let plain =
                    address.offset.terms().count() == 1 && stride == i128::from(part) && part > 0;
                let trips = looping.test.and_then(|test| match &self.function.expressions[test] {
                    Expression::Compare { op: port_ir::CompareOp::Less, left, right } => {
                        let counts = self.affine.integer(*left).as_constant().is_none();
                        let leaves = &mut Vec::new();
                        flow.constant(*right, leaves).filter(|_| counts)
                    }
                    _ => None,
                });
                plain
                    && flow.holds(around, *load)
                    && trips.is_some_and(|n| n * i128::from(part) >= i128::from(size))
            })
        })
    }

    pub(super) fn storage(&mut self, local: Handle<Local>, location: Location) -> Result<Storage> {
        if let Some(known) = self.state.storage.get(&local) {
            return Ok(known.clone());
        }
        let declared = &self.function.locals[local];
        let wish = camel(&port_backend::text::names::identifier(&declared.name));
        let ty = declared.ty;
        let storage = if let Type::Pointer(_) = ty {
            let name = self.fresh(&wish);
            let kind = match self.variable_root(local, 0) {
                Some(Pointee::Shared | Pointee::Local(_)) => StorageKind::Offset,
                _ => StorageKind::Pointer,
            };
            Storage { leaves: Vec::new(), names: vec![name], kind }
        } else {
            let Some(leaves) = self.leaves(ty) else {
                return self.refuse("a variable of this type has no vector form", location);
            };
            let uniform_type = leaves.windows(2).all(|w| w[0].scalar == w[1].scalar);
            if leaves.iter().any(|leaf| kind(leaf.scalar).is_none()) {
                return self.refuse("a variable of this type has no vector form", location);
            }
            if self.shape.local_varies(local) && self.is_punned(local, &leaves) {
                self.words_storage(local, leaves)
            } else if self.shape.local_varies(local) {
                let units: u32 =
                    leaves.iter().map(|l| if l.scalar.size() == 8 { 2 } else { 1 }).sum();
                let float = leaves.iter().all(|l| kind(l.scalar) == Some(Kind::Float));
                let carried = self.is_carried(local, &leaves);
                let name = self.state.names.fresh(&wish);
                self.state.tile.named.insert(name.clone());
                let element = if float { "float" } else { "int32_t" };
                self.state
                    .tile
                    .slots
                    .insert(name.clone(), Slot { element, bytes: 4 * units, variable: carried });
                Storage { leaves, names: vec![name], kind: StorageKind::Vectors }
            } else if leaves.len() > 1 && uniform_type {
                let name = self.fresh(&wish);
                Storage { leaves, names: vec![name], kind: StorageKind::Array }
            } else {
                let names = leaves.iter().map(|_| self.state.names.fresh(&wish)).collect();
                Storage { leaves, names, kind: StorageKind::Scalars }
            }
        };
        self.state.storage.insert(local, storage.clone());
        Ok(storage)
    }

    /// A part of a variable's vectors as its type's vector.
    pub(super) fn part(&self, storage: &Storage, leaf: usize) -> String {
        let unit: u32 =
            storage.leaves[..leaf].iter().map(|l| if l.scalar.size() == 8 { 2 } else { 1 }).sum();
        part_of(&storage.names[0], unit)
    }

    pub(super) fn typed(&self, storage: &Storage, text: String, scalar: Scalar) -> String {
        let float = storage.leaves.iter().all(|l| kind(l.scalar) == Some(Kind::Float));
        if !float && kind(scalar) == Some(Kind::Float) {
            format!("{text}.ReinterpretCast<float>()")
        } else {
            text
        }
    }

    /// Which leaves an access of a type at an offset touches: a range, or a scalar index of one.
    pub(super) fn reach(
        &mut self,
        storage: &Storage,
        ty: Type,
        address: &Address,
        location: Location,
    ) -> Result<Reach> {
        let Some(size) = self.module.types.layout(ty).map(|l| l.size) else {
            return self.refuse("a variable is accessed as another type", location);
        };
        let Some(own) = self.leaves(ty) else {
            return self.refuse("a variable is accessed as another type", location);
        };
        if let Some(offset) = address.constant() {
            let offset = u64::try_from(offset).unwrap_or(u64::MAX);
            let first = storage.leaves.iter().position(|l| l.offset == offset);
            let Some(first) = first else { return Ok(Reach::Bytes(offset, own)) };
            let same = own.iter().enumerate().all(|(i, leaf)| {
                storage
                    .leaves
                    .get(first + i)
                    .is_some_and(|l| l.scalar == leaf.scalar && l.offset == offset + leaf.offset)
            });
            if !same {
                return Ok(Reach::Bytes(offset, own));
            }
            return Ok(Reach::Range(first, own.len()));
        }
        let first = storage.leaves.first().map(|l| l.scalar);
        let homogeneous = storage
            .leaves
            .iter()
            .enumerate()
            .all(|(i, l)| Some(l.scalar) == first && l.offset == i as u64 * l.scalar.size());
        let scalar = own.first().map(|l| l.scalar);
        if !homogeneous
            || scalar != first
            || own.iter().any(|l| Some(l.scalar) != first)
            || size == 0
        {
            let words = own.iter().all(|l| matches!(l.scalar, Scalar::U32 | Scalar::I32));
            let holds = match first {
                Some(Scalar::F32) => 1,
                Some(Scalar::F16 | Scalar::Bf16) => 2,
                _ => 0,
            };
            if homogeneous
                && words
                && holds > 0
                && let Where::Same(at) = self.place_of(address, 0, 4, location)?
            {
                return Ok(Reach::Words(at, own.len(), holds));
            }
            return self.refuse("a variable of mixed parts is indexed", location);
        }
        let leaf_size = first.map_or(4, |s| s.size());
        Ok(match self.place_of(address, 0, leaf_size, location)? {
            Where::Same(at) => match at.parse::<usize>() {
                Ok(first) if first + own.len() <= storage.leaves.len() => {
                    Reach::Range(first, own.len())
                }
                _ => Reach::Index(at, own.len()),
            },
            place => Reach::Each(self.byte_offsets(place, 1), own.len()),
        })
    }

    pub(super) fn load_local(
        &mut self,
        result: Value,
        ty: Type,
        local: Handle<Local>,
        address: &Address,
        active: &Active,
        location: Location,
    ) -> Result<Val> {
        let storage = self.storage(local, location)?;
        let snapshot = self.changes_before_last_use(local, result);
        if storage.kind == StorageKind::Words {
            let Some(own) = self.leaves(ty) else {
                return self.refuse("a variable is accessed as another type", location);
            };
            let vals = self.load_words(&storage, &own, address, snapshot, active, location)?;
            return Ok(self.assemble(ty, &mut vals.into_iter()));
        }
        let reach = self.reach(&storage, ty, address, location)?;
        let mut vals = Vec::new();
        match (&reach, storage.kind) {
            (Reach::Words(at, count, holds), StorageKind::Vectors) => {
                let at = self.scalar("part", "int64_t", at);
                let scalar = storage.leaves[0].scalar;
                for word in 0..*count {
                    let slot = self.int_slot("bits");
                    if *holds == 1 {
                        let text = indexed(&storage, &at, word, scalar);
                        self.line(format!(
                            "lanes.Move({slot}, {text}.ReinterpretCast<int32_t>());"
                        ));
                    } else {
                        let ty = memory_type(scalar).unwrap_or("half");
                        let (name, high) = (storage.names[0].clone(), self.int_slot("high"));
                        let part = |i: usize| {
                            format!("{name}[(({at} + {word}) * 2 + {i}) * lanes.padded]")
                        };
                        self.line(format!("lanes.BitsOf<{ty}>({slot}, {});", part(0)));
                        self.line(format!("lanes.BitsOf<{ty}>({high}, {});", part(1)));
                        self.line(format!("lanes.ShiftUp({high}, {high}, 16);"));
                        self.line(format!("Add({slot}, {slot}, {high}, lanes.padded);"));
                    }
                    vals.push(Val::Int(slot));
                }
            }
            (Reach::Words(..), _) => {
                return self.refuse("a variable is accessed as another type", location);
            }
            (Reach::Bytes(offset, own), StorageKind::Vectors) => {
                for leaf in own {
                    vals.push(self.punned(
                        &storage,
                        offset + leaf.offset,
                        leaf.scalar,
                        location,
                    )?);
                }
            }
            (Reach::Bytes(..), _) => {
                return self.refuse("a variable is accessed as another type", location);
            }
            (Reach::Range(first, count), StorageKind::Vectors) => {
                for leaf in *first..first + count {
                    let scalar = storage.leaves[leaf].scalar;
                    let text = self.part(&storage, leaf);
                    let text = self.typed(&storage, text, scalar);
                    let second = format!("{}[lanes.padded]", text);
                    vals.push(self.vector_val(text, second, scalar, snapshot));
                }
            }
            (Reach::Index(at, count), StorageKind::Vectors) => {
                let at = self.scalar("part", "int64_t", at);
                for leaf in 0..*count {
                    let scalar = storage.leaves[0].scalar;
                    let text = indexed(&storage, &at, leaf, scalar);
                    let text = self.typed(&storage, text, scalar);
                    let second = format!("{text}[lanes.padded]");
                    vals.push(self.vector_val(text, second, scalar, snapshot));
                }
            }
            (Reach::Each(index, count), StorageKind::Vectors) => {
                let scalar = storage.leaves[0].scalar;
                if scalar.size() == 8 || *count != 1 {
                    return self.refuse("an array is indexed by each thread", location);
                }
                let offsets = self.variable_offsets(index);
                let mask = self.active_mask(active);
                let is_float = kind(scalar) == Some(Kind::Float);
                let slot =
                    if is_float { self.float_slot("element") } else { self.int_slot("element") };
                let element = if is_float { "float" } else { "int32_t" };
                self.line(format!(
                    "lanes.LoadShared<{element}, 1>({slot}, {}.ReinterpretCast<uint8_t>(), {offsets}, {mask});",
                    storage.names[0]
                ));
                vals.push(if is_float { Val::Float(slot) } else { Val::Int(slot) });
            }
            (Reach::Range(first, count), _) => {
                for leaf in *first..first + count {
                    let scalar = storage.leaves[leaf].scalar;
                    let text = match storage.kind {
                        StorageKind::Array => format!("{}[{leaf}]", storage.names[0]),
                        _ => storage.names[leaf].clone(),
                    };
                    let name = self.fresh("value");
                    self.line(format!(
                        "const {} {name} = {text};",
                        scalar_type(scalar).unwrap_or("float")
                    ));
                    vals.push(Val::Uniform(name));
                }
            }
            (Reach::Index(at, count), _) => {
                for leaf in 0..*count {
                    let scalar = storage.leaves[0].scalar;
                    let name = self.fresh("value");
                    self.line(format!(
                        "const {} {name} = {}[{}];",
                        scalar_type(scalar).unwrap_or("float"),
                        storage.names[0],
                        element(at, leaf)
                    ));
                    vals.push(Val::Uniform(name));
                }
            }
            (Reach::Each(index, count), _) => {
                // A table that all lanes share.
                let _ = (index, count);
                return self.refuse("a table is indexed by each thread", location);
            }
        }
        Ok(self.assemble(ty, &mut vals.into_iter()))
    }

    /// A number that lies inside a part of another type.
    pub(super) fn punned(
        &mut self,
        storage: &Storage,
        offset: u64,
        scalar: Scalar,
        location: Location,
    ) -> Result<Val> {
        let holder = storage.leaves.iter().position(|l| {
            l.offset <= offset && offset + scalar.size() <= l.offset + l.scalar.size()
        });
        let Some(holder) = holder else {
            return self.refuse("a variable is accessed as another type", location);
        };
        let leaf = storage.leaves[holder];
        let within = offset - leaf.offset;
        let whole_bits = kind(leaf.scalar) == Some(Kind::Int) || leaf.scalar == Scalar::F32;
        if !whole_bits || scalar.size() == 8 || scalar == Scalar::Bool {
            return self.refuse("a variable is accessed as another type", location);
        }
        let text = self.part(storage, holder);
        let float = storage.leaves.iter().all(|l| kind(l.scalar) == Some(Kind::Float));
        let text = if float { format!("{text}.ReinterpretCast<int32_t>()") } else { text };
        let slot = self.int_slot("bits");
        self.line(format!("lanes.ShiftDown({slot}, {text}, {});", within * 8));
        if scalar.size() < 4 {
            let signed = scalar.is_signed();
            self.line(format!("lanes.Narrow({slot}, {slot}, {}, {signed});", scalar.bits()));
        }
        Ok(match scalar {
            Scalar::F32 => Val::Float(format!("{slot}.ReinterpretCast<float>()")),
            Scalar::F16 | Scalar::Bf16 => {
                let result = self.float_slot("half");
                let ty = memory_type(scalar).unwrap_or("half");
                self.line(format!("lanes.OfBits<{ty}>({result}, {slot});"));
                Val::Float(result)
            }
            _ => Val::Int(slot),
        })
    }

    pub(super) fn variable_offsets(&mut self, index: &str) -> String {
        let slot = self.int_slot("element");
        let own = self.int_slot("own");
        self.line(format!(
            "Muls({slot}, {index}, static_cast<int32_t>(lanes.padded), lanes.padded);"
        ));
        self.line(format!("Add({own}, {slot}, lanes.number, lanes.padded);"));
        self.line(format!("Muls({own}, {own}, 4, lanes.padded);"));
        own
    }

    pub(super) fn vector_val(
        &mut self,
        text: String,
        second: String,
        scalar: Scalar,
        snapshot: bool,
    ) -> Val {
        let copy = |engine: &mut Self, text: String, is_float: bool| {
            if !snapshot {
                return text;
            }
            let slot = if is_float { engine.float_slot("copy") } else { engine.int_slot("copy") };
            engine.line(format!("lanes.Move({slot}, {text});"));
            slot
        };
        match kind(scalar) {
            Some(Kind::Float) => Val::Float(copy(self, text, true)),
            Some(Kind::Long) => Val::Long(copy(self, text, false), copy(self, second, false)),
            _ => Val::Int(copy(self, text, false)),
        }
    }

    /// Whether a local is written between a load and the last use of what it gave.
    pub(super) fn changes_before_last_use(&self, local: Handle<Local>, result: Value) -> bool {
        let Some(load) = self.flow.definer(result) else { return true };
        let last = self.last_use.get(result.index()).copied().unwrap_or(u32::MAX);
        self.writes
            .get(&local)
            .is_some_and(|writes| writes.iter().any(|w| load.0 < *w && *w < last))
    }

    #[allow(clippy::too_many_arguments, reason = "what a store is")]
    pub(super) fn store_local(
        &mut self,
        local: Handle<Local>,
        ty: Type,
        address: &Address,
        leaves: Vec<Val>,
        value: Value,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        let storage = self.storage(local, location)?;
        if storage.kind == StorageKind::Words {
            let Some(own) = self.leaves(ty) else {
                return self.refuse("a variable is accessed as another type", location);
            };
            return self.store_words(&storage, &own, address, leaves, value, active, location);
        }
        let reach = self.reach(&storage, ty, address, location)?;
        let mut targets: Vec<(String, Scalar)> = Vec::new();
        match (&reach, storage.kind) {
            (Reach::Range(first, count), StorageKind::Vectors) => {
                for leaf in *first..first + count {
                    let scalar = storage.leaves[leaf].scalar;
                    let text = self.part(&storage, leaf);
                    targets.push((self.typed(&storage, text, scalar), scalar));
                }
            }
            (Reach::Index(at, count), StorageKind::Vectors) => {
                let at = self.scalar("part", "int64_t", at);
                for leaf in 0..*count {
                    let scalar = storage.leaves[0].scalar;
                    let text = indexed(&storage, &at, leaf, scalar);
                    targets.push((self.typed(&storage, text, scalar), scalar));
                }
            }
            (Reach::Each(index, 1), StorageKind::Vectors) => {
                let scalar = storage.leaves[0].scalar;
                let offsets = self.variable_offsets(index);
                let mask = self.active_mask(active);
                let slot =
                    self.join(leaves.into_iter().map(Part::Known).collect(), scalar, value)?;
                let element = if kind(scalar) == Some(Kind::Float) { "float" } else { "int32_t" };
                self.line(format!(
                    "lanes.StoreShared<{element}, 1>({}.ReinterpretCast<uint8_t>(), {offsets}, {slot}, {mask});",
                    storage.names[0]
                ));
                return Ok(());
            }
            (Reach::Range(first, count), _) => {
                for leaf in *first..first + count {
                    let text = match storage.kind {
                        StorageKind::Array => format!("{}[{leaf}]", storage.names[0]),
                        _ => storage.names[leaf].clone(),
                    };
                    targets.push((text, storage.leaves[leaf].scalar));
                }
            }
            (Reach::Index(at, count), _) => {
                for leaf in 0..*count {
                    targets.push((
                        format!("{}[{}]", storage.names[0], element(at, leaf)),
                        storage.leaves[0].scalar,
                    ));
                }
            }
            (Reach::Each(..), _) => {
                return self.refuse("a table is indexed by each thread", location);
            }
            (Reach::Words(..) | Reach::Bytes(..), _) => {
                return self.refuse("a variable is accessed as another type", location);
            }
        }
        for ((target, scalar), val) in targets.into_iter().zip(leaves) {
            if storage.kind != StorageKind::Vectors {
                let Val::Uniform(text) = val else {
                    return self.refuse(
                        "a value that all threads share is not known as a scalar",
                        location,
                    );
                };
                self.line(format!("{target} = {text};"));
                continue;
            }
            match kind(scalar) {
                Some(Kind::Float) => {
                    let slot = self.float_of(val, value)?;
                    self.assign(&target, &slot, active);
                }
                Some(Kind::Long) => {
                    let (low, high) = self.long_of(val, value)?;
                    self.assign(&target, &low, active);
                    self.assign(&format!("{target}[lanes.padded]"), &high, active);
                }
                _ => {
                    let slot = self.int_of(val, value)?;
                    self.assign(&target, &slot, active);
                }
            }
        }
        Ok(())
    }

    /// Whether whatever sees what this statement stores is executed after it by no other lanes: what
    /// the variable holds for the other lanes does not matter.
    pub(super) fn is_private(&self) -> bool {
        let store = StatementId(self.state.next.saturating_sub(1));
        let flow = self.flow;
        // Who reads through a pointer is not known.
        if let port_ir::StatementKind::Store { pointer, .. } = &flow.entry(store).statement.kind {
            match flow.root(*pointer) {
                Root::Local(local) if !flow.escapes(local) => {}
                Root::Argument(_) | Root::Variable(_) | Root::ArgumentAddress(_) => {}
                _ => return false,
            }
        }
        // The statement that is held: the loop, for one that stores to each part in turn.
        let mut holder = store;
        if let Some((around, Arm::Body)) = flow.entry(store).parent
            && matches!(flow.entry(around).statement.kind, port_ir::StatementKind::Loop(_))
            && !self.shape.loop_parts(around)
        {
            holder = around;
        }
        flow.statements().all(|(id, entry)| {
            let port_ir::StatementKind::Load { result, .. } = &entry.statement.kind else {
                return true;
            };
            let Some(definitions) = flow.definitions(*result) else { return true };
            let sees = definitions.iter().any(|d| d.statement() == Some(store));
            !sees || flow.holds(holder, id) || flow.holds(store, id)
        })
    }

    pub(super) fn assign(&mut self, target: &str, slot: &str, active: &Active) {
        if target == slot {
            return;
        }
        if self.state.depth == 0 || self.is_private() {
            // Lanes that are missing have returned.
            self.line(format!("lanes.Move({target}, {slot});"));
        } else {
            self.line(format!("lanes.Assign({target}, {slot}, {});", active.name()));
        }
    }

    /// The bytes from its memory's beginning that a pointer variable of each lane holds.
    pub(super) fn moving_storage(
        &mut self,
        local: Handle<Local>,
        location: Location,
    ) -> Result<Storage> {
        if let Some(known) = self.state.storage.get(&local) {
            return Ok(known.clone());
        }
        if !matches!(self.function.locals[local].ty, Type::Pointer(_))
            || self.variable_root(local, 0).is_none()
        {
            return self.refuse("pointers differ between threads", location);
        }
        let wish = camel(&port_backend::text::names::identifier(&self.function.locals[local].name));
        let name = self.state.names.fresh(&wish);
        let leaves = vec![Leaf { offset: 0, scalar: Scalar::I64 }];
        self.state
            .tile
            .slots
            .insert(name.clone(), Slot { element: "int32_t", bytes: 8, variable: true });
        let storage = Storage { leaves, names: vec![name], kind: StorageKind::Vectors };
        self.state.storage.insert(local, storage.clone());
        Ok(storage)
    }

    pub(super) fn load_pointer(
        &mut self,
        result: Value,
        pointer: Value,
        location: Location,
    ) -> Result<()> {
        if let Root::ArgumentAddress(index) = self.flow.root(pointer) {
            let offset = self.affine.address(pointer).and_then(|a| a.offset.as_constant());
            let parameter = self.function.parameters.get(index as usize).map(|p| p.ty);
            let mut path = Vec::new();
            let (Some(offset), Some(ty)) = (offset.and_then(|o| u64::try_from(o).ok()), parameter)
            else {
                return self.refuse("a pointer lies in memory", location);
            };
            if !self.find_path(ty, offset, None, &mut path) {
                return self.refuse("a parameter is read as another type", location);
            }
            self.pointer_parameter(index, &path, result)?;
            return Ok(());
        }
        let Root::Local(local) = self.flow.root(pointer) else {
            return self.refuse("a pointer lies in memory", location);
        };
        if self.shape.local_varies(local) {
            let storage = self.moving_storage(local, location)?;
            let second = format!("{}[lanes.padded]", storage.names[0]);
            let snapshot = self.changes_before_last_use(local, result);
            let val = self.vector_val(storage.names[0].clone(), second, Scalar::I64, snapshot);
            self.remember(result, &val);
            return Ok(());
        }
        let storage = self.storage(local, location)?;
        if storage.kind == StorageKind::Offset {
            let name = self.fresh("offset");
            self.line(format!("const int64_t {name} = {};", storage.names[0]));
            self.remember(result, &Val::Uniform(name));
            return Ok(());
        }
        if storage.kind != StorageKind::Pointer {
            return self.refuse("a pointer lies in a struct", location);
        }
        let name = self.fresh("pointer");
        self.line(format!("const GM_ADDR {name} = {};", storage.names[0]));
        self.remember(result, &Val::Uniform(name));
        Ok(())
    }

    pub(super) fn store_pointer(
        &mut self,
        pointer: Value,
        value: Value,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        let Root::Local(local) = self.flow.root(pointer) else {
            return self.refuse("a pointer is stored to memory", location);
        };
        if self.shape.local_varies(local) {
            let storage = self.moving_storage(local, location)?;
            if !self.own_value(value, local) && self.moving_root(value, 0).is_none() {
                return self.refuse("pointers differ between threads", location);
            }
            let (low, high) = self.bytes_of(value, location)?;
            let name = storage.names[0].clone();
            self.assign(&name, &low, active);
            self.assign(&format!("{name}[lanes.padded]"), &high, active);
            return Ok(());
        }
        let storage = self.storage(local, location)?;
        if storage.kind == StorageKind::Offset {
            let Some((_, text)) = self.uniform_offset(value)? else {
                return self.refuse("a pointer may point into different memories", location);
            };
            self.line(format!("{} = {text};", storage.names[0]));
            return Ok(());
        }
        if storage.kind != StorageKind::Pointer {
            return self.refuse("a pointer lies in a struct", location);
        }
        let text = self.uniform_pointer(value)?;
        self.line(format!("{} = {text};", storage.names[0]));
        Ok(())
    }
}

/// The index of a leaf.
fn element(at: &str, leaf: usize) -> String {
    if leaf == 0 { at.to_owned() } else { format!("{at} + {leaf}") }
}
