//! Loads and stores: global memory, the block's shared memory, local variables, parameters.

use port_ir::analysis::affine::{Polynomial, Symbol};
use port_ir::analysis::flow::{Arm, Root, StatementId};
use port_ir::{
    AtomicOp, Expression, Handle, Local, Location, Scalar, Space, Type, Value, Variable,
};

use super::engine::{
    Active, Engine, GlobalRoot, Leaf, Linear, Result, Storage, StorageKind, Val, divide_terms,
    memory_type, scalar_type,
};
use super::ir::Slot;
use super::value::{Kind, camel, kind};

/// Where the lanes' elements lie, in elements.
enum Where {
    Same(String),
    Form(Linear),
    /// A scalar base, and a vector of offsets.
    Each(String, String),
}

/// What is accessed.
enum Place {
    /// A pointer of the kernel.
    Global(GlobalRoot),
    /// A pointer that a variable holds.
    Pointer(String),
    /// So many bytes into the block's shared memory.
    Shared(u64),
    Local(Handle<Local>),
    Parameter(u32),
}

/// Bytes from where the memory begins.
struct Address {
    offset: Polynomial,
    /// The halves of a number of bytes that a pointer variable of each lane adds.
    moving: Option<(String, String)>,
}

/// Neighbours of one type that are accessed together.
struct Run {
    offset: u64,
    scalar: Scalar,
    count: u32,
}

impl Engine<'_, '_> {
    fn address(&mut self, pointer: Value, location: Location) -> Result<(Place, Address)> {
        let Some(address) = self.affine.address(pointer) else {
            return self.refuse("an address has no form", location);
        };
        let place = match address.root {
            Root::Argument(index) => Place::Global(GlobalRoot::Argument(index)),
            Root::Local(local) => Place::Local(local),
            Root::ArgumentAddress(index) => Place::Parameter(index),
            Root::Variable(variable) => match self.module.variables[variable].space {
                Space::Shared => {
                    self.state.uses_shared = true;
                    Place::Shared(self.shared.get(&variable).copied().unwrap_or(0))
                }
                _ => Place::Global(GlobalRoot::Symbol(variable)),
            },
            Root::Value(value) if self.shape.varies(value) => {
                let root = self.moving_root(value, 0);
                match (root, self.known(value)) {
                    (Some(root), Some(Val::Long(low, high))) => {
                        let address = Address { offset: address.offset, moving: Some((low, high)) };
                        return Ok((Place::Global(root), address));
                    }
                    _ => return self.refuse("pointers differ between threads", location),
                }
            }
            Root::Value(value) => {
                let outside = match self.type_of(value) {
                    Type::Pointer(Space::Global | Space::Constant) => true,
                    // What the host gives points into global memory.
                    Type::Pointer(Space::Generic) => self.is_given(value),
                    _ => false,
                };
                if !outside {
                    return self.refuse("a pointer may point into different memories", location);
                }
                Place::Pointer(self.uniform_pointer(value)?)
            }
            Root::Unknown => return self.refuse("a pointer comes from somewhere else", location),
        };
        Ok((place, Address { offset: address.offset, moving: None }))
    }

    /// What a pointer that differs between lanes moves through, if that is one thing.
    fn moving_root(&self, value: Value, depth: u32) -> Option<GlobalRoot> {
        if depth > 8 {
            return None;
        }
        match self.flow.root(value) {
            Root::Argument(index) => Some(GlobalRoot::Argument(index)),
            Root::Variable(variable) if self.module.variables[variable].space != Space::Shared => {
                Some(GlobalRoot::Symbol(variable))
            }
            Root::Value(loaded) => {
                let id = self.flow.definer(loaded)?;
                let port_ir::StatementKind::Load { pointer, .. } =
                    &self.flow.entry(id).statement.kind
                else {
                    return None;
                };
                let Root::Local(local) = self.flow.root(*pointer) else { return None };
                self.variable_root(local, depth + 1)
            }
            _ => None,
        }
    }

    fn variable_root(&self, local: Handle<Local>, depth: u32) -> Option<GlobalRoot> {
        let mut found = None;
        for (_, entry) in self.flow.statements() {
            let port_ir::StatementKind::Store { pointer, value, .. } = &entry.statement.kind else {
                continue;
            };
            if self.flow.root(*pointer) != Root::Local(local) {
                continue;
            }
            // What is made from the variable's own value says nothing new.
            if self.own_value(*value, local) {
                continue;
            }
            let root = self.moving_root(*value, depth)?;
            if found.is_some_and(|known| known != root) {
                return None;
            }
            found = Some(root);
        }
        found
    }

    fn own_value(&self, value: Value, local: Handle<Local>) -> bool {
        let Root::Value(loaded) = self.flow.root(value) else { return false };
        let Some(id) = self.flow.definer(loaded) else { return false };
        matches!(&self.flow.entry(id).statement.kind,
            port_ir::StatementKind::Load { pointer, .. } if self.flow.root(*pointer) == Root::Local(local))
    }

    /// Where a pointer of each lane points, in bytes from where its memory begins.
    fn bytes_of(&mut self, value: Value, location: Location) -> Result<(String, String)> {
        let (_, address) = self.address(value, location)?;
        let moving = address.moving.clone();
        let still = Address { offset: address.offset, moving: None };
        let (low, high) = match self.place_of(&still, 0, 1, location)? {
            Where::Same(base) => self.long_of(Val::Uniform(base), value)?,
            Where::Form(form) => self.long_of(Val::Linear(form), value)?,
            Where::Each(base, offsets) => {
                let high = self.int_slot("high");
                self.line(format!("lanes.ShiftDownSigned({high}, {offsets}, 31);"));
                let (bl, bh) = self.long_of(Val::Uniform(base), value)?;
                let (low, sum) = (self.int_slot("low"), self.int_slot("high"));
                self.line(format!("lanes.AddLong({low}, {sum}, {offsets}, {high}, {bl}, {bh});"));
                (low, sum)
            }
        };
        let Some((ml, mh)) = moving else { return Ok((low, high)) };
        let (sl, sh) = (self.int_slot("low"), self.int_slot("high"));
        self.line(format!("lanes.AddLong({sl}, {sh}, {low}, {high}, {ml}, {mh});"));
        Ok((sl, sh))
    }

    /// A pointer into global memory that all lanes share.
    pub fn uniform_pointer(&mut self, value: Value) -> Result<String> {
        if let Some(Val::Uniform(known)) = self.known(value) {
            return Ok(known);
        }
        let text = match self.expression(value).clone() {
            Expression::Zero(_) => return Ok("nullptr".to_owned()),
            Expression::Argument(index) => {
                return Ok(self.global_address(GlobalRoot::Argument(index)));
            }
            Expression::Variable(variable)
                if self.module.variables[variable].space != Space::Shared =>
            {
                return Ok(self.global_address(GlobalRoot::Symbol(variable)));
            }
            Expression::Convert { value: inner, .. }
                if matches!(self.type_of(inner), Type::Pointer(_)) =>
            {
                return self.uniform_pointer(inner);
            }
            Expression::Element { base, element, index } => {
                let base = self.uniform_pointer(base)?;
                let index = self.uniform(index)?;
                let size = self.module.types.layout(element).map_or(1, |l| l.size);
                format!("{base} + static_cast<int64_t>({index}) * {size}")
            }
            Expression::Select { condition, accept, reject } => {
                let condition = self.uniform(condition)?;
                let (a, b) = (self.uniform_pointer(accept)?, self.uniform_pointer(reject)?);
                format!("({condition}) ? {a} : {b}")
            }
            Expression::Extract { value: whole, index } => {
                let Some((argument, mut path)) = self.argument_path(whole) else {
                    return self.refuse_value("a pointer of this kind has no form", value);
                };
                path.push(index);
                return self.pointer_parameter(argument, &path, value);
            }
            _ => return self.refuse_value("a pointer of this kind has no form", value),
        };
        let wish = self.wish(value, "pointer");
        let name = self.scalar(&camel(&wish), "GM_ADDR", &text);
        self.remember(value, &Val::Uniform(name.clone()));
        Ok(name)
    }

    /// Whether a pointer is part of what the kernel is given.
    fn is_given(&self, value: Value) -> bool {
        match self.expression(value) {
            Expression::Extract { .. } => self.argument_path(value).is_some(),
            Expression::Result(_) => {
                let Some(id) = self.flow.definer(value) else { return false };
                match &self.flow.entry(id).statement.kind {
                    port_ir::StatementKind::Load { pointer, .. } => {
                        matches!(self.flow.root(*pointer), Root::ArgumentAddress(_))
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// A pointer in a struct that the kernel is given.
    fn pointer_parameter(&mut self, argument: u32, path: &[u32], value: Value) -> Result<String> {
        let Some((host, wish, Type::Pointer(_))) = self.host_path(argument, path) else {
            return self.refuse_value("a pointer of this kind has no form", value);
        };
        let host = format!("reinterpret_cast<uint64_t>({host})");
        let field = self.field(&camel(&wish), "uint64_t", &host, "an address on the device");
        let name = self.fresh(&camel(&wish));
        self.line(format!("const GM_ADDR {name} = reinterpret_cast<GM_ADDR>({field});"));
        self.remember(value, &Val::Uniform(name.clone()));
        Ok(name)
    }

    /// The member that holds a pointer of the kernel.
    fn global_address(&mut self, root: GlobalRoot) -> String {
        let key = (root, "");
        if let Some(known) = self.state.views.get(&key) {
            return known.clone();
        }
        let wish = self.root_name(root);
        let name = self.state.names.fresh(&format!("{wish}Address_"));
        self.state.views.insert(key, name.clone());
        name
    }

    pub fn root_name(&self, root: GlobalRoot) -> String {
        let name = match root {
            GlobalRoot::Argument(index) => self
                .function
                .parameters
                .get(index as usize)
                .map_or(String::new(), |p| p.name.clone()),
            GlobalRoot::Symbol(variable) => self.module.variables[variable].name.replace("::", "_"),
        };
        camel(&port_backend::text::names::identifier(&name))
    }

    /// The view of global memory as elements of a type.
    fn view(&mut self, place: &Place, ty: &'static str) -> String {
        match place {
            Place::Global(root) => {
                let key = (*root, ty);
                if let Some(known) = self.state.views.get(&key) {
                    return known.clone();
                }
                let wish = self.root_name(*root);
                let first = !self.state.views.keys().any(|(r, t)| r == root && !t.is_empty());
                let wish = if first {
                    format!("{wish}Gm_")
                } else {
                    format!("{wish}Gm{}_", upper_first(ty.trim_end_matches("_t")))
                };
                let name = self.state.names.fresh(&wish);
                // An underscore at the end marks members; identifiers lose it.
                let name = format!("{}_", name.trim_end_matches('_'));
                self.state.names.take(&name);
                self.state.views.insert(key, name.clone());
                name
            }
            Place::Pointer(text) => {
                let name = self.fresh("view");
                self.line(format!("GlobalTensor<{ty}> {name};"));
                self.line(format!(
                    "{name}.SetGlobalBuffer(reinterpret_cast<__gm__ {ty}*>({text}));"
                ));
                name
            }
            _ => String::new(),
        }
    }

    /// Where lanes access, from bytes.
    fn place_of(
        &mut self,
        address: &Address,
        plus: u64,
        size: u64,
        location: Location,
    ) -> Result<Where> {
        if let Some((low, high)) = address.moving.clone() {
            let still = Address { offset: address.offset.clone(), moving: None };
            let (el, eh) = (self.int_slot("element"), self.int_slot("high"));
            let carried = self.int_slot("carried");
            let shift = size.trailing_zeros();
            self.line(format!(
                "lanes.ShiftLong({el}, {eh}, {low}, {high}, {shift}u, 2, {carried});"
            ));
            return Ok(match self.place_of(&still, plus, size, location)? {
                Where::Same(base) => Where::Each(base, el),
                Where::Form(form) => {
                    let (own, sum) = (self.int_slot("own"), self.int_slot("offset"));
                    let steps = Linear { base: "0".to_owned(), steps: form.steps.clone() };
                    self.line(format!("lanes.Spread({own}, {});", steps.text()));
                    self.line(format!("Add({sum}, {own}, {el}, lanes.padded);"));
                    Where::Each(form.base, sum)
                }
                Where::Each(base, own) => {
                    let sum = self.int_slot("offset");
                    self.line(format!("Add({sum}, {own}, {el}, lanes.padded);"));
                    Where::Each(base, sum)
                }
            });
        }
        let size = i128::from(size);
        let mut terms: Vec<(Vec<Symbol>, i128)> =
            address.offset.terms().map(|(f, c)| (f.to_vec(), c)).collect();
        match terms.iter_mut().find(|(f, _)| f.is_empty()) {
            Some((_, c)) => *c += i128::from(plus),
            None if plus != 0 => terms.push((Vec::new(), i128::from(plus))),
            None => {}
        }
        terms.retain(|(_, c)| *c != 0);
        let varies =
            |engine: &Self, s: Symbol| matches!(s, Symbol::Value(v) if engine.shape.varies(v));
        if !terms.iter().any(|(f, _)| f.iter().any(|s| varies(self, *s)))
            && let Some(linear) = self.linear(&address.offset, plus, size)?
        {
            if linear.steps.iter().all(|s| s == "0") {
                return Ok(Where::Same(linear.base));
            }
            return Ok(Where::Form(linear));
        }
        // What is not a whole number of elements term by term is so in all, since accesses are
        // aligned.
        let (terms, divide) = match divide_terms(&terms, size) {
            Some(terms) => (terms, false),
            None => (terms, true),
        };
        let mut base = Vec::new();
        let mut sum: Option<String> = None;
        for (factors, coefficient) in terms {
            let is_vector = |engine: &Self, s: Symbol| {
                varies(engine, s)
                    || matches!(
                        s,
                        Symbol::Builtin(port_ir::Builtin::LaneId | port_ir::Builtin::WarpId)
                    )
                    || s == Symbol::Builtin(port_ir::Builtin::ThreadIndex(port_ir::Axis::X))
                    || matches!(s, Symbol::Builtin(port_ir::Builtin::ThreadIndex(_)))
                        && engine.lanes == super::shape::Lanes::Block
                    || s == Symbol::Builtin(port_ir::Builtin::BlockIndex(port_ir::Axis::X))
                        && self_is_grid(engine)
            };
            if !factors.iter().any(|s| is_vector(self, *s)) {
                base.push((factors, coefficient));
                continue;
            }
            let mut product: Option<String> = None;
            let mut scalars = Vec::new();
            for factor in factors {
                if !is_vector(self, factor) {
                    scalars.push(factor);
                    continue;
                }
                let vector = match factor {
                    Symbol::Value(value) => self.int(value)?,
                    Symbol::Builtin(builtin) => self.coordinate(builtin, location)?,
                    Symbol::Passes(_) => return self.refuse("an address has no form", location),
                };
                product = Some(match product {
                    None => vector,
                    Some(other) => {
                        let slot = self.int_slot("product");
                        self.line(format!("Mul({slot}, {other}, {vector}, lanes.padded);"));
                        slot
                    }
                });
            }
            let Some(mut product) = product else { continue };
            if coefficient != 1 || !scalars.is_empty() {
                let Some(factor) = self.polynomial_of(&[(scalars, coefficient)])? else {
                    return self.refuse("an address has no form", location);
                };
                let slot = self.int_slot("scaled");
                self.line(format!(
                    "Muls({slot}, {product}, static_cast<int32_t>({factor}), lanes.padded);"
                ));
                product = slot;
            }
            sum = Some(match sum {
                None => product,
                Some(other) => {
                    let slot = self.int_slot("offset");
                    self.line(format!("Add({slot}, {other}, {product}, lanes.padded);"));
                    slot
                }
            });
        }
        let Some(base) = self.polynomial_of(&base)? else {
            return self.refuse("an address has no form", location);
        };
        let base = self.scalar("base", "int64_t", &base);
        Ok(match sum {
            Some(offsets) if divide => {
                // Both parts may be no whole number; only their sum is.
                let slot = self.int_slot("offset");
                self.line(format!("Adds({slot}, {offsets}, static_cast<int32_t>(({base}) % {size}), lanes.padded);"));
                self.line(format!(
                    "lanes.ShiftDownSigned({slot}, {slot}, {});",
                    size.trailing_zeros()
                ));
                Where::Each(format!("({base} - ({base}) % {size}) / {size}"), slot)
            }
            None if divide => Where::Same(format!("({base}) / {size}")),
            Some(offsets) => Where::Each(base, offsets),
            None => Where::Same(base),
        })
    }

    fn coordinate(&mut self, builtin: port_ir::Builtin, location: Location) -> Result<String> {
        use port_ir::{Axis, Builtin};
        if self_is_grid(self) {
            return self.refuse("a thread's own number is used where blocks are merged", location);
        }
        if self.lanes == super::shape::Lanes::Row {
            let Builtin::ThreadIndex(Axis::X) = builtin else {
                return self.refuse("a warp's number is asked for", location);
            };
            let slot = self.int_slot("thread");
            self.line(format!(
                "Adds({slot}, lanes.number, static_cast<int32_t>(tileStart), lanes.padded);"
            ));
            return Ok(slot);
        }
        Ok(match builtin {
            Builtin::ThreadIndex(axis) => {
                self.state.coordinates = true;
                let index = match axis {
                    Axis::X => 0,
                    Axis::Y => 1,
                    Axis::Z => 2,
                };
                format!("lanes.place[{index}]")
            }
            Builtin::LaneId => {
                let slot = self.int_slot("lane");
                self.line(format!("lanes.Narrow({slot}, lanes.number, 5, false);"));
                slot
            }
            _ => {
                let slot = self.int_slot("warp");
                self.line(format!("lanes.ShiftDown({slot}, lanes.number, 5);"));
                slot
            }
        })
    }

    /// The leaves of a type as runs of neighbours.
    fn runs(&self, ty: Type, location: Location) -> Result<(Vec<Leaf>, Vec<Run>)> {
        let Some(leaves) = self.leaves(ty) else {
            return self.refuse("a value of this type is not moved as numbers", location);
        };
        let mut runs: Vec<Run> = Vec::new();
        for leaf in &leaves {
            if memory_type(leaf.scalar).is_none() {
                return self
                    .refuse(format!("the vector unit has no {}", leaf.scalar.name()), location);
            }
            match runs.last_mut() {
                Some(run)
                    if run.scalar == leaf.scalar
                        && run.count < 16
                        && run.offset + u64::from(run.count) * leaf.scalar.size()
                            == leaf.offset =>
                {
                    run.count += 1;
                }
                _ => runs.push(Run { offset: leaf.offset, scalar: leaf.scalar, count: 1 }),
            }
        }
        Ok((leaves, runs))
    }

    /// Leaves in the shape of their type.
    fn assemble(&self, ty: Type, leaves: &mut std::vec::IntoIter<Val>) -> Val {
        let Some(count) = self.module.types.component_count(ty) else {
            return leaves.next().unwrap_or(Val::Parts(Vec::new()));
        };
        let parts = (0..count as u32)
            .filter_map(|i| self.module.types.component(ty, i))
            .map(|part| self.assemble(part, leaves))
            .collect();
        Val::Parts(parts)
    }

    fn disassemble(val: Val, leaves: &mut Vec<Val>) {
        match val {
            Val::Parts(parts) => parts.into_iter().for_each(|part| Self::disassemble(part, leaves)),
            other => leaves.push(other),
        }
    }

    fn after_stores(&mut self, place: &Place) {
        let restrict = |engine: &Self, root: GlobalRoot| match root {
            GlobalRoot::Argument(index) => engine
                .function
                .parameters
                .get(index as usize)
                .is_some_and(|p| p.attributes.restrict),
            GlobalRoot::Symbol(_) => true,
        };
        let meets = match place {
            Place::Global(root) => {
                self.state.stored.iter().any(|stored| {
                    stored == root || !(restrict(self, *stored) || restrict(self, *root))
                }) || self.written.contains(root) && !self.state.loops.is_empty()
            }
            Place::Pointer(_) => {
                !self.state.stored.is_empty()
                    || !self.state.loops.is_empty() && !self.written.is_empty()
            }
            _ => false,
        };
        if meets {
            self.line("lanes::Wait<HardEvent::MTE3_MTE2>();");
        }
    }

    fn note_store(&mut self, place: &Place) {
        if let Place::Global(root) = place {
            self.state.stored.insert(*root);
        } else if matches!(place, Place::Pointer(_)) {
            let all: Vec<GlobalRoot> = self.written.iter().copied().collect();
            self.state.stored.extend(all);
        }
    }

    pub fn load(
        &mut self,
        result: Value,
        pointer: Value,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        let ty = self.type_of(result);
        if let Type::Pointer(_) = ty {
            return self.load_pointer(result, pointer, location);
        }
        // A variable whose value has a form needs no load.
        if let Type::Scalar(scalar) = ty
            && scalar.is_integer()
            && self.shape.varies(result)
            && let Some(linear) = self.as_linear(result)?
        {
            self.remember(result, &Val::Linear(linear));
            return Ok(());
        }
        let (place, address) = self.address(pointer, location)?;
        let val = match place {
            Place::Local(local) => {
                self.load_local(result, ty, local, &address, active, location)?
            }
            Place::Parameter(index) => {
                self.load_parameter(ty, index, &address, result, location)?
            }
            Place::Shared(offset) => self.load_shared(ty, offset, &address, active, location)?,
            global => self.load_global(ty, &global, &address, active, location)?,
        };
        self.remember(result, &val);
        Ok(())
    }

    fn load_global(
        &mut self,
        ty: Type,
        place: &Place,
        address: &Address,
        active: &Active,
        location: Location,
    ) -> Result<Val> {
        let (_, runs) = self.runs(ty, location)?;
        let mut vals = Vec::new();
        self.after_stores(place);
        // Other cores may write what lies between the elements that are asked for.
        let written = match place {
            Place::Global(root) => self.written.contains(root),
            _ => !self.written.is_empty(),
        };
        let exact = if written { ", true" } else { "" };
        for run in runs {
            let size = run.scalar.size();
            match self.place_of(address, run.offset, size, location)? {
                Where::Same(at) => {
                    let element = match run.scalar {
                        Scalar::I64 => "int64_t",
                        Scalar::U64 => "uint64_t",
                        other => memory_type(other).unwrap_or("float"),
                    };
                    let view = self.view(place, element);
                    let written = match place {
                        Place::Global(root) => self.written.contains(root),
                        _ => !self.written.is_empty(),
                    };
                    self.state.input = self.state.input.max(1);
                    for part in 0..run.count {
                        let at = if part == 0 { at.clone() } else { format!("{at} + {part}") };
                        let read = if written {
                            format!("lanes.LoadOne({view}, {at})")
                        } else {
                            format!("{view}.GetValue({at})")
                        };
                        vals.push(Val::Uniform(self.read_scalar(run.scalar, &read)));
                    }
                }
                Where::Form(form) => {
                    let (ty, parts) = self.memory_parts(run.scalar, run.count);
                    let view = self.view(place, ty);
                    let slot = self.run_slot(run.scalar, run.count);
                    let form = if run.scalar.size() == 8 { doubled(&form) } else { form };
                    self.line(format!(
                        "lanes.Load<{ty}, {parts}>({slot}, {view}, {}, {}{});",
                        form.text(),
                        active.name(),
                        if matches!(active, Active::Mask(_)) { exact } else { "" }
                    ));
                    // A stride that is not the neighbours' puts each lane in a block of its own.
                    // So does a mask over memory that may not be read around the lanes.
                    let is_exact = matches!(active, Active::Mask(_)) && !exact.is_empty();
                    let dense = form.is_row(parts) && !is_exact;
                    self.need_input(run.scalar.size() as u32 * run.count, dense);
                    self.push_parts(&mut vals, &slot, run.scalar, run.count);
                }
                Where::Each(base, offsets) => {
                    let (ty, parts) = self.memory_parts(run.scalar, run.count);
                    let view = self.view(place, ty);
                    let slot = self.run_slot(run.scalar, run.count);
                    let mask = self.active_mask(active);
                    let (base, offsets) = self.double_offsets(run.scalar, base, offsets);
                    self.line(format!(
                        "lanes.LoadAt<{ty}, {parts}>({slot}, {view}, {base}, {offsets}, {mask}{exact});"
                    ));
                    self.need_input(run.scalar.size() as u32 * run.count, false);
                    self.push_parts(&mut vals, &slot, run.scalar, run.count);
                }
            }
        }
        Ok(self.assemble(ty, &mut vals.into_iter()))
    }

    fn double_offsets(
        &mut self,
        scalar: Scalar,
        base: String,
        offsets: String,
    ) -> (String, String) {
        if scalar.size() != 8 {
            return (base, offsets);
        }
        let slot = self.int_slot("words");
        self.line(format!("Muls({slot}, {offsets}, 2, lanes.padded);"));
        (format!("({base}) * 2"), slot)
    }

    fn need_input(&mut self, bytes: u32, dense: bool) {
        let bytes = if dense { bytes } else { bytes.div_ceil(32) * 32 };
        self.state.input = self.state.input.max(bytes);
    }

    fn need_output(&mut self, bytes: u32, dense: bool) {
        let bytes = if dense { bytes } else { bytes.div_ceil(32) * 32 };
        self.state.output = self.state.output.max(bytes);
    }

    /// The memory's type and the number of its elements: 64-bit numbers are two words.
    fn memory_parts(&self, scalar: Scalar, count: u32) -> (&'static str, u32) {
        let parts = if scalar.size() == 8 { count * 2 } else { count };
        (memory_type(scalar).unwrap_or("float"), parts)
    }

    fn run_slot(&mut self, scalar: Scalar, count: u32) -> String {
        let parts = if scalar.size() == 8 { count * 2 } else { count };
        let element = if kind(scalar) == Some(Kind::Float) { "float" } else { "int32_t" };
        self.state.vector_work += 1;
        self.slot("loaded", element, 4 * parts)
    }

    fn push_parts(&mut self, vals: &mut Vec<Val>, slot: &str, scalar: Scalar, count: u32) {
        for part in 0..count {
            vals.push(match kind(scalar) {
                Some(Kind::Float) => Val::Float(part_of(slot, part)),
                Some(Kind::Long) => Val::Long(part_of(slot, part * 2), part_of(slot, part * 2 + 1)),
                _ => Val::Int(part_of(slot, part)),
            });
        }
    }

    fn read_scalar(&mut self, scalar: Scalar, read: &str) -> String {
        let ty = scalar_type(scalar).unwrap_or("float");
        let name = self.fresh("loaded");
        let text = match scalar {
            Scalar::F16 => format!("static_cast<float>({read})"),
            Scalar::Bf16 => format!("ToFloat({read})"),
            Scalar::Bool => format!("{read} != 0"),
            _ => read.to_owned(),
        };
        self.line(format!("const {ty} {name} = {text};"));
        name
    }

    /// The active lanes as a mask.
    pub fn active_mask(&mut self, active: &Active) -> String {
        match active {
            Active::Mask(name) => name.clone(),
            Active::Box(name) => {
                let name = name.clone();
                let slot = self.mask_slot("active");
                self.line(format!("lanes.MaskOf({slot}, {name});"));
                slot
            }
        }
    }

    fn load_shared(
        &mut self,
        ty: Type,
        start: u64,
        address: &Address,
        active: &Active,
        location: Location,
    ) -> Result<Val> {
        let (_, runs) = self.runs(ty, location)?;
        let mut vals = Vec::new();
        let mut mask = None;
        for run in runs {
            let size = run.scalar.size();
            match self.place_of(address, start + run.offset, size, location)? {
                Where::Same(at) => {
                    self.line("lanes::Wait<HardEvent::V_S>();");
                    let element = match run.scalar {
                        Scalar::I64 => "int64_t",
                        Scalar::U64 => "uint64_t",
                        other => memory_type(other).unwrap_or("float"),
                    };
                    for part in 0..run.count {
                        let at = if part == 0 { at.clone() } else { format!("{at} + {part}") };
                        let read = format!("shared_.ReinterpretCast<{element}>().GetValue({at})");
                        vals.push(Val::Uniform(self.read_scalar(run.scalar, &read)));
                    }
                }
                place => {
                    let offsets = self.byte_offsets(place, size);
                    let mask = match &mask {
                        Some(known) => String::clone(known),
                        None => {
                            let made = self.active_mask(active);
                            mask = Some(made.clone());
                            made
                        }
                    };
                    let (ty, parts) = self.memory_parts(run.scalar, run.count);
                    let slot = self.run_slot(run.scalar, run.count);
                    self.line(format!(
                        "lanes.LoadShared<{ty}, {parts}>({slot}, shared_, {offsets}, {mask});"
                    ));
                    self.push_parts(&mut vals, &slot, run.scalar, run.count);
                }
            }
        }
        Ok(self.assemble(ty, &mut vals.into_iter()))
    }

    fn byte_offsets(&mut self, place: Where, size: u64) -> String {
        match place {
            Where::Same(at) => {
                let slot = self.int_slot("offset");
                self.line(format!(
                    "Duplicate({slot}, static_cast<int32_t>(({at}) * {size}), lanes.padded);"
                ));
                slot
            }
            Where::Form(form) => {
                let slot = self.int_slot("offset");
                self.line(format!("lanes.Spread({slot}, {});", form.text()));
                self.line(format!("Muls({slot}, {slot}, {size}, lanes.padded);"));
                slot
            }
            Where::Each(base, offsets) => {
                let slot = self.int_slot("offset");
                self.line(format!(
                    "Adds({slot}, {offsets}, static_cast<int32_t>({base}), lanes.padded);"
                ));
                self.line(format!("Muls({slot}, {slot}, {size}, lanes.padded);"));
                slot
            }
        }
    }

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

    fn store_run(
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
    fn join(&mut self, own: Vec<Part>, scalar: Scalar, value: Value) -> Result<String> {
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

    fn part_texts(&mut self, part: Part, scalar: Scalar, value: Value) -> Result<Vec<String>> {
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
    fn parts(&mut self, value: Value, parts: &mut Vec<Part>) -> Result<()> {
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

    /// Whether anybody loads a local in a way that needs its memory.
    fn is_needed(&mut self, local: Handle<Local>) -> bool {
        let flow = self.flow;
        let scalar = self.function.locals[local].ty;
        if !matches!(scalar, Type::Scalar(s) if s.is_integer()) || !self.shape.local_varies(local) {
            return true;
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

    /// Whether a load of a local may see what an earlier pass of a loop has left there, as far as the
    /// text of the pass shows.
    fn is_carried(&mut self, local: Handle<Local>, leaves: &[Leaf]) -> bool {
        let flow = self.flow;
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
                if whole {
                    return flow.holds(*store, *load);
                }
                // A loop that stores to each part in turn.
                let Some((around, port_ir::analysis::flow::Arm::Body)) = flow.entry(*store).parent
                else {
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

    fn storage(&mut self, local: Handle<Local>, location: Location) -> Result<Storage> {
        if let Some(known) = self.state.storage.get(&local) {
            return Ok(known.clone());
        }
        let declared = &self.function.locals[local];
        let wish = camel(&port_backend::text::names::identifier(&declared.name));
        let ty = declared.ty;
        let storage = if let Type::Pointer(_) = ty {
            let name = self.fresh(&wish);
            Storage { leaves: Vec::new(), names: vec![name], kind: StorageKind::Pointer }
        } else {
            let Some(leaves) = self.leaves(ty) else {
                return self.refuse("a variable of this type has no vector form", location);
            };
            let uniform_type = leaves.windows(2).all(|w| w[0].scalar == w[1].scalar);
            if leaves.iter().any(|leaf| kind(leaf.scalar).is_none()) {
                return self.refuse("a variable of this type has no vector form", location);
            }
            if self.shape.local_varies(local) {
                let units: u32 =
                    leaves.iter().map(|l| if l.scalar.size() == 8 { 2 } else { 1 }).sum();
                let float = leaves.iter().all(|l| kind(l.scalar) == Some(Kind::Float));
                let carried = self.is_carried(local, &leaves);
                let name = self.state.names.fresh(&format!("{wish}Variable"));
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
    fn part(&self, storage: &Storage, leaf: usize) -> String {
        let unit: u32 =
            storage.leaves[..leaf].iter().map(|l| if l.scalar.size() == 8 { 2 } else { 1 }).sum();
        part_of(&storage.names[0], unit)
    }

    fn typed(&self, storage: &Storage, text: String, scalar: Scalar) -> String {
        let float = storage.leaves.iter().all(|l| kind(l.scalar) == Some(Kind::Float));
        if !float && kind(scalar) == Some(Kind::Float) {
            format!("{text}.ReinterpretCast<float>()")
        } else {
            text
        }
    }

    /// Which leaves an access of a type at an offset touches: a range, or a scalar index of one.
    fn reach(
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
        if let Some(offset) = address.offset.as_constant() {
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
            Where::Same(at) => Reach::Index(at, own.len()),
            place => Reach::Each(self.byte_offsets(place, 1), own.len()),
        })
    }

    fn load_local(
        &mut self,
        result: Value,
        ty: Type,
        local: Handle<Local>,
        address: &Address,
        active: &Active,
        location: Location,
    ) -> Result<Val> {
        let storage = self.storage(local, location)?;
        let reach = self.reach(&storage, ty, address, location)?;
        let mut vals = Vec::new();
        let snapshot = self.changes_before_last_use(local, result);
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
                        "const {} {name} = {}[{at} + {leaf}];",
                        scalar_type(scalar).unwrap_or("float"),
                        storage.names[0]
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
    fn punned(
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

    fn variable_offsets(&mut self, index: &str) -> String {
        let slot = self.int_slot("element");
        let own = self.int_slot("own");
        self.line(format!(
            "Muls({slot}, {index}, static_cast<int32_t>(lanes.padded), lanes.padded);"
        ));
        self.line(format!("Add({own}, {slot}, lanes.number, lanes.padded);"));
        self.line(format!("Muls({own}, {own}, 4, lanes.padded);"));
        own
    }

    fn vector_val(&mut self, text: String, second: String, scalar: Scalar, snapshot: bool) -> Val {
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
    fn changes_before_last_use(&self, local: Handle<Local>, result: Value) -> bool {
        let Some(load) = self.flow.definer(result) else { return true };
        let last = self.last_use.get(result.index()).copied().unwrap_or(u32::MAX);
        self.writes
            .get(&local)
            .is_some_and(|writes| writes.iter().any(|w| load.0 < *w && *w < last))
    }

    #[allow(clippy::too_many_arguments, reason = "what a store is")]
    fn store_local(
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
                        format!("{}[{at} + {leaf}]", storage.names[0]),
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
    fn is_private(&self) -> bool {
        let store = StatementId(self.state.next.saturating_sub(1));
        let flow = self.flow;
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

    fn assign(&mut self, target: &str, slot: &str, active: &Active) {
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
    fn moving_storage(&mut self, local: Handle<Local>, location: Location) -> Result<Storage> {
        if let Some(known) = self.state.storage.get(&local) {
            return Ok(known.clone());
        }
        if !matches!(self.function.locals[local].ty, Type::Pointer(_))
            || self.variable_root(local, 0).is_none()
        {
            return self.refuse("pointers differ between threads", location);
        }
        let wish = camel(&port_backend::text::names::identifier(&self.function.locals[local].name));
        let name = self.state.names.fresh(&format!("{wish}Variable"));
        let leaves = vec![Leaf { offset: 0, scalar: Scalar::I64 }];
        self.state
            .tile
            .slots
            .insert(name.clone(), Slot { element: "int32_t", bytes: 8, variable: true });
        let storage = Storage { leaves, names: vec![name], kind: StorageKind::Vectors };
        self.state.storage.insert(local, storage.clone());
        Ok(storage)
    }

    fn load_pointer(&mut self, result: Value, pointer: Value, location: Location) -> Result<()> {
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
        if storage.kind != StorageKind::Pointer {
            return self.refuse("a pointer lies in a struct", location);
        }
        let name = self.fresh("pointer");
        self.line(format!("const GM_ADDR {name} = {};", storage.names[0]));
        self.remember(result, &Val::Uniform(name));
        Ok(())
    }

    fn store_pointer(
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
        if storage.kind != StorageKind::Pointer {
            return self.refuse("a pointer lies in a struct", location);
        }
        let text = self.uniform_pointer(value)?;
        self.line(format!("{} = {text};", storage.names[0]));
        Ok(())
    }

    fn load_parameter(
        &mut self,
        ty: Type,
        index: u32,
        address: &Address,
        value: Value,
        location: Location,
    ) -> Result<Val> {
        let Some(offset) = address.offset.as_constant().and_then(|o| u64::try_from(o).ok()) else {
            return self.refuse("a parameter is indexed", location);
        };
        let Some(parameter) = self.function.parameters.get(index as usize) else {
            return self.refuse("a parameter is not known", location);
        };
        let Some(own) = self.leaves(ty) else {
            return self.refuse("a parameter is not a number", location);
        };
        let mut vals = Vec::new();
        for leaf in own {
            let mut path = Vec::new();
            if !self.find_path(parameter.ty, offset + leaf.offset, Some(leaf.scalar), &mut path) {
                return self.refuse("a parameter is read as another type", location);
            }
            vals.push(Val::Uniform(self.parameter(index, &path, value)?));
        }
        Ok(self.assemble(ty, &mut vals.into_iter()))
    }

    /// The way to the scalar, or with `None` the pointer, at an offset of a type.
    fn find_path(
        &self,
        ty: Type,
        offset: u64,
        scalar: Option<Scalar>,
        path: &mut Vec<u32>,
    ) -> bool {
        if let Type::Scalar(own) = ty {
            return offset == 0 && Some(own) == scalar;
        }
        if let Type::Pointer(_) = ty {
            return offset == 0 && scalar.is_none();
        }
        let Some(count) = self.module.types.component_count(ty) else { return false };
        for index in 0..count.min(1024) as u32 {
            let Some(part) = self.module.types.component(ty, index) else { return false };
            let Some(size) = self.module.types.layout(part).map(|l| l.size) else { return false };
            let start = match ty {
                Type::Struct(handle) => self
                    .module
                    .types
                    .structs()
                    .get(handle)
                    .map_or(0, |s| s.members[index as usize].offset),
                _ => u64::from(index) * size,
            };
            if start <= offset && offset < start + size {
                path.push(index);
                if self.find_path(part, offset - start, scalar, path) {
                    return true;
                }
                path.pop();
            }
        }
        false
    }

    pub fn shared_layout(
        module: &port_ir::Module,
        variables: &[Handle<Variable>],
    ) -> Option<(std::collections::BTreeMap<Handle<Variable>, u64>, u64)> {
        let mut offsets = std::collections::BTreeMap::new();
        let mut end = 0u64;
        let shared = || variables.iter().filter(|v| module.variables[**v].space == Space::Shared);
        for variable in shared() {
            let declared = &module.variables[*variable];
            if declared.extent == port_ir::Extent::Fixed {
                let layout = module.types.layout(declared.ty)?;
                end = end.div_ceil(32) * 32;
                offsets.insert(*variable, end);
                end += layout.size;
            }
        }
        end = end.div_ceil(32) * 32;
        for variable in shared() {
            if module.variables[*variable].extent == port_ir::Extent::Dynamic {
                offsets.insert(*variable, end);
            }
        }
        Some((offsets, end))
    }
}

/// A part of an array's vectors, by a scalar index: 64-bit integers are two.
fn indexed(storage: &Storage, at: &str, leaf: usize, scalar: Scalar) -> String {
    let words = if scalar.size() == 8 { " * 2" } else { "" };
    format!("{}[({at} + {leaf}){words} * lanes.padded]", storage.names[0])
}

/// A scalar part of a value.
enum Part {
    Known(Val),
    Pending(Value),
}

enum Reach {
    /// Words at a scalar index, each the bits of so many floats.
    Words(String, usize, usize),
    /// Parts of other types, at an offset.
    Bytes(u64, Vec<Leaf>),
    Range(usize, usize),
    Index(String, usize),
    Each(String, usize),
}

fn self_is_grid(engine: &Engine<'_, '_>) -> bool {
    engine.lanes == super::shape::Lanes::Grid
}

fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_uppercase().collect::<String>() + chars.as_str())
}

fn part_of(slot: &str, part: u32) -> String {
    if part == 0 { slot.to_owned() } else { format!("{slot}[{part} * lanes.padded]") }
}

fn doubled(form: &Linear) -> Linear {
    let twice = |text: &String| if text == "0" { text.clone() } else { format!("({text}) * 2") };
    let mut steps: [String; 4] = Default::default();
    for (to, from) in steps.iter_mut().zip(&form.steps) {
        *to = match from.parse::<i64>() {
            Ok(number) => (number * 2).to_string(),
            Err(_) => twice(from),
        };
    }
    Linear { base: twice(&form.base), steps }
}
