//! Loads and stores: global memory, the block's shared memory, local variables, parameters.

mod atomics;
mod load;
mod neighbours;
pub(super) mod range;
mod split;
mod store;
mod variables;
mod words;

use port_diag::Origin;
use port_ir::analysis::affine::{Polynomial, Symbol};
use port_ir::analysis::flow::{Arm, Root, StatementId};
use port_ir::{
    AtomicOp, Expression, Handle, Local, Location, Scalar, Space, Type, Value, Variable,
};

use super::engine::{
    Active, Engine, GlobalRoot, Leaf, Linear, Pointee, Result, Storage, StorageKind, Val,
    divide_terms, memory_type, scalar_type,
};
use range::Range;

use super::ir::Slot;
use super::value::{Kind, camel, kind};

/// What is loaded where neither it nor its memory has a name.
const LOADED: &str = "loaded";

/// Where the lanes' elements lie, in elements.
enum Where {
    Same(String),
    Form(Linear),
    /// A scalar base, and a vector of offsets.
    Each(String, Offsets),
}

/// Offsets of lanes.
#[derive(Clone)]
struct Offsets {
    /// Their low 32 bits.
    low: String,
    /// Where they may need more: floats of about their size, from which the other bits follow.
    estimate: Option<String>,
}

impl Offsets {
    /// As the support code takes them.
    fn text(&self) -> String {
        match &self.estimate {
            Some(estimate) => format!("lanes::Far{{{}, {estimate}}}", self.low),
            None => self.low.clone(),
        }
    }
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
    /// Bytes that a pointer variable of all lanes adds, as C++.
    start: Option<String>,
    /// Whether the memory is so small that 32 bits hold any offset.
    is_small: bool,
}

impl Address {
    /// The offset, if it is a constant.
    fn constant(&self) -> Option<i128> {
        let is_still = self.moving.is_none() && self.start.is_none();
        self.offset.as_constant().filter(|_| is_still)
    }
}

/// Neighbours of one type that are accessed together.
struct Run {
    offset: u64,
    scalar: Scalar,
    count: u32,
}

impl Engine<'_, '_> {
    fn address(&mut self, pointer: Value, location: Location) -> Result<(Place, Address)> {
        let (place, mut address) = self.address_of(pointer, location)?;
        address.is_small = !matches!(place, Place::Global(_) | Place::Pointer(_));
        Ok((place, address))
    }

    fn address_of(&mut self, pointer: Value, location: Location) -> Result<(Place, Address)> {
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
                        let moving = Some((low, high));
                        let address = Address {
                            offset: address.offset,
                            moving,
                            start: None,
                            is_small: false,
                        };
                        return Ok((self.pointee_place(root), address));
                    }
                    _ => return self.refuse("pointers differ between threads", location),
                }
            }
            Root::Value(value)
                if matches!(
                    self.moving_root(value, 0),
                    Some(Pointee::Shared | Pointee::Local(_))
                ) =>
            {
                match (self.moving_root(value, 0), self.known(value)) {
                    (Some(root), Some(Val::Uniform(text))) => {
                        let start = Some(text);
                        let address = Address {
                            offset: address.offset,
                            moving: None,
                            start,
                            is_small: false,
                        };
                        return Ok((self.pointee_place(root), address));
                    }
                    _ => return self.refuse("a pointer lies in memory", location),
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
        let offset = address.offset;
        Ok((place, Address { offset, moving: None, start: None, is_small: false }))
    }

    fn pointee_place(&mut self, pointee: Pointee) -> Place {
        match pointee {
            Pointee::Global(root) => Place::Global(root),
            Pointee::Local(local) => Place::Local(local),
            Pointee::Shared => {
                self.state.uses_shared = true;
                Place::Shared(0)
            }
        }
    }

    /// What a pointer points into, if that is one thing.
    fn moving_root(&self, value: Value, _depth: u32) -> Option<Pointee> {
        self.pointee(value, &mut Vec::new()).ok().flatten()
    }

    fn variable_root(&self, local: Handle<Local>, _depth: u32) -> Option<Pointee> {
        self.variable_pointee(local, &mut Vec::new()).ok().flatten()
    }

    /// The same; `Ok(None)` where a pointer only comes from variables that are being looked at.
    fn pointee(
        &self,
        value: Value,
        seen: &mut Vec<Handle<Local>>,
    ) -> std::result::Result<Option<Pointee>, ()> {
        match self.flow.root(value) {
            Root::Argument(index) => Ok(Some(Pointee::Global(GlobalRoot::Argument(index)))),
            Root::Variable(variable) => {
                Ok(Some(if self.module.variables[variable].space == Space::Shared {
                    Pointee::Shared
                } else {
                    Pointee::Global(GlobalRoot::Symbol(variable))
                }))
            }
            Root::Local(local) => Ok(Some(Pointee::Local(local))),
            Root::Value(loaded) => {
                let id = self.flow.definer(loaded).ok_or(())?;
                let port_ir::StatementKind::Load { pointer, .. } =
                    &self.flow.entry(id).statement.kind
                else {
                    return Err(());
                };
                let Root::Local(local) = self.flow.root(*pointer) else { return Err(()) };
                self.variable_pointee(local, seen)
            }
            _ => Err(()),
        }
    }

    fn variable_pointee(
        &self,
        local: Handle<Local>,
        seen: &mut Vec<Handle<Local>>,
    ) -> std::result::Result<Option<Pointee>, ()> {
        if seen.contains(&local) {
            return Ok(None);
        }
        if seen.len() > 8 || !matches!(self.function.locals[local].ty, Type::Pointer(_)) {
            return Err(());
        }
        seen.push(local);
        let mut found = None;
        for (_, entry) in self.flow.statements() {
            let port_ir::StatementKind::Store { pointer, value, .. } = &entry.statement.kind else {
                continue;
            };
            if self.flow.root(*pointer) != Root::Local(local) {
                continue;
            }
            let own = self.pointee(*value, seen)?;
            if own.is_some() && found.is_some() && found != own {
                return Err(());
            }
            found = found.or(own);
        }
        seen.pop();
        Ok(found)
    }

    fn own_value(&self, value: Value, local: Handle<Local>) -> bool {
        let Root::Value(loaded) = self.flow.root(value) else { return false };
        let Some(id) = self.flow.definer(loaded) else { return false };
        matches!(&self.flow.entry(id).statement.kind,
            port_ir::StatementKind::Load { pointer, .. } if self.flow.root(*pointer) == Root::Local(local))
    }

    /// Where a pointer of each lane points, in bytes from where its memory begins.
    fn bytes_of(&mut self, value: Value, location: Location) -> Result<(String, String)> {
        let (place, address) = self.address(value, location)?;
        let moving = address.moving.clone();
        let still = Address { moving: None, ..address };
        let (low, high) = match self.place_of(&still, beginning(&place), 1, location)? {
            Where::Same(base) => self.long_of(Val::Uniform(base), value)?,
            Where::Form(form) => self.long_of(Val::Linear(form), value)?,
            Where::Each(base, Offsets { low: offsets, estimate }) => {
                let high = self.int_slot("high");
                self.line(match estimate {
                    Some(estimate) => format!("lanes.HighOf({high}, {offsets}, {estimate});"),
                    None => format!("lanes.ShiftDownSigned({high}, {offsets}, 31);"),
                });
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

    /// Whether a pointer points into global memory, as far as can be seen.
    pub fn is_global_pointer(&self, value: Value) -> bool {
        match self.flow.root(value) {
            Root::Argument(_) => true,
            Root::Variable(variable) => self.module.variables[variable].space != Space::Shared,
            Root::Value(inner) => {
                matches!(self.moving_root(inner, 0), Some(Pointee::Global(_)))
                    || self.is_given(inner)
            }
            _ => false,
        }
    }

    /// A pointer into shared memory or a variable that all lanes share, as bytes from its beginning.
    pub fn uniform_offset(&mut self, value: Value) -> Result<Option<(Pointee, String)>> {
        let Some(pointee @ (Pointee::Shared | Pointee::Local(_))) = self.moving_root(value, 0)
        else {
            return Ok(None);
        };
        let nowhere = Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0));
        let location = self.function.expressions.location(value).unwrap_or(nowhere.into());
        let (place, address) = self.address(value, location)?;
        match self.place_of(&address, beginning(&place), 1, location)? {
            Where::Same(text) => Ok(Some((pointee, text))),
            _ => self.refuse("pointers differ between threads", location),
        }
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
            let offset = address.offset.clone();
            let still = Address { offset, moving: None, start: None, is_small: address.is_small };
            let (el, eh) = (self.int_slot("element"), self.int_slot("high"));
            let carried = self.int_slot("carried");
            let shift = size.trailing_zeros();
            self.line(format!(
                "lanes.ShiftLong({el}, {eh}, {low}, {high}, {shift}u, 2, {carried});"
            ));
            let estimate = (!address.is_small).then(|| self.float_slot("estimate"));
            if let Some(estimate) = &estimate {
                self.line(format!("lanes.EstimateOf({estimate}, {el}, {eh});"));
            }
            let moving = Offsets { low: el, estimate };
            return Ok(match self.place_of(&still, plus, size, location)? {
                Where::Same(base) => Where::Each(base, moving),
                Where::Form(form) => {
                    let steps = Linear { base: "0".to_owned(), steps: form.steps.clone() };
                    let own = self.spread(&steps, !address.is_small);
                    Where::Each(form.base, self.plus(&own, &moving))
                }
                Where::Each(base, own) => {
                    let sum = self.plus(&own, &moving);
                    Where::Each(base, sum)
                }
            });
        }
        if let Some(start) = address.start.clone() {
            let divisible = address.offset.terms().all(|(factors, c)| {
                let plus = if factors.is_empty() { i128::from(plus) } else { 0 };
                (c + plus) % i128::from(size) == 0
            });
            if !divisible {
                return self.refuse("an address has no form", location);
            }
            let offset = address.offset.clone();
            let still = Address { offset, moving: None, start: None, is_small: address.is_small };
            let moved = |base: &str| format!("{base} + ({start}) / {size}");
            return Ok(match self.place_of(&still, plus, size, location)? {
                Where::Same(base) => Where::Same(moved(&base)),
                Where::Form(form) => {
                    Where::Form(Linear { base: moved(&form.base), steps: form.steps })
                }
                Where::Each(base, own) => Where::Each(moved(&base), own),
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
        let is_vector = |engine: &Self, s: Symbol| {
            varies(engine, s)
                || matches!(s, Symbol::Builtin(port_ir::Builtin::LaneId | port_ir::Builtin::WarpId))
                || s == Symbol::Builtin(port_ir::Builtin::ThreadIndex(port_ir::Axis::X))
                || matches!(s, Symbol::Builtin(port_ir::Builtin::ThreadIndex(_)))
                    && engine.lanes == super::shape::Lanes::Block
                || s == Symbol::Builtin(port_ir::Builtin::BlockIndex(port_ir::Axis::X))
                    && self_is_grid(engine)
        };
        let (lanes, base): (Vec<_>, Vec<_>) =
            terms.into_iter().partition(|(f, _)| f.iter().any(|s| is_vector(self, *s)));
        let is_far = !address.is_small && !self.fits_word(&lanes);
        let mut sum: Option<Offsets> = None;
        for (factors, coefficient) in lanes {
            let (vectors, scalars): (Vec<_>, Vec<_>) =
                factors.into_iter().partition(|s| is_vector(self, *s));
            let mut product: Option<Offsets> = None;
            for factor in vectors {
                let vector = match factor {
                    Symbol::Value(value) => {
                        let low = self.int(value)?;
                        let estimate = match is_far {
                            true => Some(self.estimate(value, &low)?),
                            false => None,
                        };
                        Offsets { low, estimate }
                    }
                    Symbol::Builtin(builtin) => {
                        let low = self.coordinate(builtin, location)?;
                        let estimate = is_far.then(|| self.float_of_int(&low));
                        Offsets { low, estimate }
                    }
                    Symbol::Passes(_) => return self.refuse("an address has no form", location),
                };
                product = Some(match product {
                    None => vector,
                    Some(other) => self.together("Mul", "product", &other, &vector),
                });
            }
            let Some(mut product) = product else { continue };
            if coefficient != 1 || !scalars.is_empty() {
                let Some(factor) = self.polynomial_of(&[(scalars, coefficient)])? else {
                    return self.refuse("an address has no form", location);
                };
                let low = self.int_slot("scaled");
                self.line(format!(
                    "Muls({low}, {}, static_cast<int32_t>({factor}), lanes.padded);",
                    product.low
                ));
                let as_float = match factor.parse::<i32>() {
                    Ok(number) => format!("{number}.0f"),
                    Err(_) => format!("static_cast<float>({factor})"),
                };
                let estimate = product.estimate.map(|own| {
                    let estimate = self.float_slot("estimate");
                    self.line(format!("Muls({estimate}, {own}, {as_float}, lanes.padded);"));
                    estimate
                });
                product = Offsets { low, estimate };
            }
            sum = Some(match sum {
                None => product,
                Some(other) => self.plus(&other, &product),
            });
        }
        let Some(base) = self.polynomial_of(&base)? else {
            return self.refuse("an address has no form", location);
        };
        let base = self.scalar("base", "int64_t", &base);
        Ok(match sum {
            Some(offsets) if divide => {
                // Both parts may be no whole number; only their sum is.
                let low = self.int_slot("offset");
                let shift = size.trailing_zeros();
                self.line(format!(
                    "Adds({low}, {}, static_cast<int32_t>(({base}) % {size}), lanes.padded);",
                    offsets.low
                ));
                let estimate = offsets.estimate.map(|own| {
                    let estimate = self.float_slot("estimate");
                    self.line(format!("lanes.ShiftFar({low}, {estimate}, {own}, {shift});"));
                    estimate
                });
                if estimate.is_none() {
                    self.line(format!("lanes.ShiftDownSigned({low}, {low}, {shift});"));
                }
                Where::Each(
                    format!("({base} - ({base}) % {size}) / {size}"),
                    Offsets { low, estimate },
                )
            }
            None if divide => Where::Same(format!("({base}) / {size}")),
            Some(offsets) => Where::Each(base, offsets),
            None => Where::Same(base),
        })
    }

    /// The sum of two vectors of offsets.
    fn plus(&mut self, a: &Offsets, b: &Offsets) -> Offsets {
        self.together("Add", "offset", a, b)
    }

    fn together(&mut self, name: &str, wish: &str, a: &Offsets, b: &Offsets) -> Offsets {
        let low = self.int_slot(wish);
        self.line(format!("{name}({low}, {}, {}, lanes.padded);", a.low, b.low));
        let estimate = match (&a.estimate, &b.estimate) {
            (None, None) => None,
            (x, y) => {
                let x = x.clone().unwrap_or_else(|| self.float_of_int(&a.low));
                let y = y.clone().unwrap_or_else(|| self.float_of_int(&b.low));
                let estimate = self.float_slot("estimate");
                self.line(format!("{name}({estimate}, {x}, {y}, lanes.padded);"));
                Some(estimate)
            }
        };
        Offsets { low, estimate }
    }

    /// A place for what takes a base and a vector of offsets only.
    fn base_and_offsets(&mut self, at: Where, address: &Address) -> (String, String) {
        match at {
            Where::Each(base, offsets) => (base, offsets.text()),
            Where::Same(at) => {
                let zero = self.int_slot("offset");
                self.line(format!("Duplicate({zero}, 0, lanes.padded);"));
                (at, zero)
            }
            Where::Form(form) => {
                let still = Linear { base: "0".to_owned(), steps: form.steps.clone() };
                let is_far = !address.is_small && !form.has_known_steps();
                (form.base, self.spread(&still, is_far).text())
            }
        }
    }

    /// A form as a vector of offsets.
    fn spread(&mut self, form: &Linear, is_far: bool) -> Offsets {
        let low = self.int_slot("offset");
        self.line(format!("lanes.Spread({low}, {});", form.text()));
        let estimate = is_far.then(|| {
            let estimate = self.float_slot("estimate");
            self.line(format!("lanes.SpreadEstimate({estimate}, {});", form.text()));
            estimate
        });
        Offsets { low, estimate }
    }

    fn float_of_int(&mut self, low: &str) -> String {
        let estimate = self.float_slot("estimate");
        self.line(format!("Cast({estimate}, {low}, RoundMode::CAST_RINT, lanes.padded);"));
        estimate
    }

    /// About how large an integer is, whose low half is given.
    fn estimate(&mut self, value: Value, low: &str) -> Result<String> {
        let key = format!("estimate of {value:?}");
        if let Some((Val::Float(known), _)) = self.known_pair(&key) {
            return Ok(known);
        }
        let is_word = matches!(self.type_of(value), Type::Scalar(Scalar::U32));
        let text = match self.eval(value)? {
            Val::Long(low, high) => Some(format!("EstimateOf({{}}, {low}, {high})")),
            Val::Linear(form) if !is_word => Some(format!("SpreadEstimate({{}}, {})", form.text())),
            _ if is_word => Some(format!("FloatOfUnsigned({{}}, {low})")),
            _ => None,
        };
        let estimate = match text {
            Some(text) => {
                let estimate = self.float_slot("estimate");
                self.line(format!("lanes.{};", text.replace("{}", &estimate)));
                estimate
            }
            None => self.float_of_int(low),
        };
        let val = Val::Float(estimate.clone());
        self.remember_pair(key, &(val.clone(), val));
        Ok(estimate)
    }

    /// Whether 32 bits are known to hold a sum of products.
    fn fits_word(&self, terms: &[(Vec<Symbol>, i128)]) -> bool {
        let mut sum = Some(Range::point(0));
        for (factors, coefficient) in terms {
            let mut product = Some(Range::point(*coefficient));
            for factor in factors {
                product = match (product, self.bounds_of(*factor)) {
                    (Some(product), Some(own)) => product.times(own),
                    _ => None,
                };
            }
            sum = match (sum, product) {
                (Some(sum), Some(product)) => sum.plus(product),
                _ => None,
            };
        }
        sum.is_some_and(|sum| sum.is_within(Range::of(Scalar::I32)))
    }

    fn bounds_of(&self, symbol: Symbol) -> Option<Range> {
        match symbol {
            Symbol::Value(value) => self.bounds(value, 0),
            Symbol::Builtin(builtin) => Some(Range::of_builtin(builtin)),
            Symbol::Passes(_) => None,
        }
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
        let runs = self.grouped(&leaves, location)?;
        Ok((leaves, runs))
    }

    fn grouped(&self, leaves: &[Leaf], location: Location) -> Result<Vec<Run>> {
        let mut runs: Vec<Run> = Vec::new();
        for leaf in leaves {
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
        Ok(runs)
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

    /// Waits for stores that may be to what is loaded; whether there may be such.
    fn after_stores(&mut self, place: &Place) -> bool {
        // In another pass, or by another block, all that is stored anywhere comes before.
        let earlier = match self.state.one_core || self.may_repeat() {
            true => &self.written,
            false => &self.state.stored,
        };
        let meets = match place {
            Place::Global(root) => earlier.iter().any(|stored| self.may_be_same(*stored, *root)),
            Place::Pointer(_) => !earlier.is_empty(),
            _ => false,
        };
        if meets {
            self.line("lanes::Wait<HardEvent::MTE3_MTE2>();");
        }
        meets
    }

    /// Whether what one pointer reaches another may reach too.
    fn may_be_same(&self, a: GlobalRoot, b: GlobalRoot) -> bool {
        let is_promised = |root: GlobalRoot| match root {
            GlobalRoot::Argument(index) => {
                let parameter = self.function.parameters.get(index as usize);
                parameter.is_some_and(|parameter| parameter.attributes.restrict)
            }
            GlobalRoot::Symbol(_) => true,
        };
        a == b || !(is_promised(a) || is_promised(b))
    }

    fn note_store(&mut self, place: &Place) {
        if let Place::Global(root) = place {
            self.state.stored.insert(*root);
        } else if matches!(place, Place::Pointer(_)) {
            let all: Vec<GlobalRoot> = self.written.iter().copied().collect();
            self.state.stored.extend(all);
        }
    }

    fn double_offsets(
        &mut self,
        scalar: Scalar,
        base: String,
        offsets: Offsets,
    ) -> (String, String) {
        if scalar.size() != 8 {
            return (base, offsets.text());
        }
        let words = self.plus(&offsets, &offsets);
        (format!("({base}) * 2"), words.text())
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
        let wish = self.state.subject.clone();
        if wish == LOADED {
            return self.slot(&wish, element, 4 * parts);
        }
        let name = self.fresh(&wish);
        self.state
            .tile
            .slots
            .insert(name.clone(), Slot { element, bytes: 4 * parts, variable: false });
        self.state.tile.named.insert(name.clone());
        name
    }

    /// A name for what a load gives: the user's own, or that of the memory.
    fn subject(&self, result: Value, pointer: Value) -> String {
        let root = match self.flow.root(pointer) {
            Root::Argument(index) => Some(self.root_name(GlobalRoot::Argument(index))),
            Root::Variable(variable) => {
                // Of what a function declares, the name that it has there.
                let name = &self.module.variables[variable].name;
                let own = name.rsplit("::").next().unwrap_or(name);
                Some(camel(&port_backend::text::names::identifier(own)))
            }
            _ => None,
        };
        self.function.names.get(&result).cloned().or(root).unwrap_or_else(|| LOADED.to_owned())
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
        let wish = self.state.subject.clone();
        let name = self.fresh(&wish);
        let text = match scalar {
            Scalar::F16 => format!("static_cast<float>({read})"),
            Scalar::Bf16 => format!("ToFloat({read})"),
            Scalar::Bool => format!("({read}) != 0"),
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
        let vals = self.load_shared_runs(runs, start, address, active, location)?;
        Ok(self.assemble(ty, &mut vals.into_iter()))
    }

    fn load_shared_runs(
        &mut self,
        runs: Vec<Run>,
        start: u64,
        address: &Address,
        active: &Active,
        location: Location,
    ) -> Result<Vec<Val>> {
        let mut vals = Vec::new();
        let mut mask = None;
        for run in runs {
            let size = run.scalar.size();
            match self.place_of(address, start + run.offset, size, location)? {
                Where::Same(at) => {
                    self.line("lanes::Wait<HardEvent::V_S>();");
                    let element = match run.scalar {
                        Scalar::I64 => "int64_t",
                        Scalar::U64 | Scalar::F64 => "uint64_t",
                        other => memory_type(other).unwrap_or("float"),
                    };
                    for part in 0..run.count {
                        let at = if part == 0 { at.clone() } else { format!("{at} + {part}") };
                        let read = format!("shared_.ReinterpretCast<{element}>().GetValue({at})");
                        let read = match self.may_be_empty(active) {
                            Some(any) => format!("{any} ? {read} : static_cast<{element}>(0)"),
                            None => read,
                        };
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
        Ok(vals)
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
                    "Adds({slot}, {}, static_cast<int32_t>({base}), lanes.padded);",
                    offsets.low
                ));
                self.line(format!("Muls({slot}, {slot}, {size}, lanes.padded);"));
                slot
            }
        }
    }

    fn load_parameter(
        &mut self,
        ty: Type,
        index: u32,
        address: &Address,
        value: Value,
        location: Location,
    ) -> Result<Val> {
        let Some(offset) = address.constant().and_then(|o| u64::try_from(o).ok()) else {
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
    let index = match (leaf, words) {
        (0, _) if at.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => at.to_owned(),
        (0, _) => format!("({at})"),
        _ => format!("({at} + {leaf})"),
    };
    format!("{}[{index}{words} * lanes.padded]", storage.names[0])
}

/// Where a variable begins in the block's shared memory.
fn beginning(place: &Place) -> u64 {
    match place {
        Place::Shared(start) => *start,
        _ => 0,
    }
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
