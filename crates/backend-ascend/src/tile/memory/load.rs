//! Loads of global memory, or of what lies elsewhere.

use super::*;

impl Engine<'_, '_> {
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
        if let Type::Scalar(scalar) = ty
            && scalar.is_integer()
            && matches!(self.flow.root(pointer), Root::Local(_))
            && self.is_counter(result)
        {
            let terms: Vec<(Vec<Symbol>, i128)> =
                self.affine.integer(result).terms().map(|(f, c)| (f.to_vec(), c)).collect();
            if let (Some(text), Some(ty)) = (self.polynomial_of(&terms)?, scalar_type(scalar)) {
                let wish = self.wish(result, "counter");
                let is_constant = text.bytes().all(|b| b.is_ascii_digit()) && ty == "int32_t";
                let text = match is_constant {
                    true => text,
                    false => self.scalar(&wish, ty, &format!("static_cast<{ty}>({text})")),
                };
                self.remember(result, &Val::Uniform(text));
                return Ok(());
            }
        }
        let (place, address) = self.address(pointer, location)?;
        self.state.subject = self.subject(result, pointer);
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

    pub(super) fn load_global(
        &mut self,
        ty: Type,
        place: &Place,
        address: &Address,
        active: &Active,
        location: Location,
    ) -> Result<Val> {
        let (_, runs) = self.runs(ty, location)?;
        let vals = self.load_global_runs(runs, place, address, active, location)?;
        Ok(self.assemble(ty, &mut vals.into_iter()))
    }

    pub(super) fn load_global_runs(
        &mut self,
        runs: Vec<Run>,
        place: &Place,
        address: &Address,
        active: &Active,
        location: Location,
    ) -> Result<Vec<Val>> {
        let mut vals = Vec::new();
        let is_late = self.after_stores(place);
        // Other cores may write what lies between the elements that are asked for.
        let written = match place {
            Place::Global(root) => self.written.contains(root),
            _ => !self.written.is_empty(),
        };
        let exact = if written { ", true" } else { "" };
        for run in runs {
            let size = run.scalar.size();
            if let Active::Box(active) = active
                && let Some((split, is_shared)) = self.split(address, run.offset, size)?
            {
                let (ty, parts) = self.memory_parts(run.scalar, run.count);
                let view = self.view(place, ty);
                let slot = self.run_slot(run.scalar, run.count);
                let is_still = match place {
                    Place::Global(root) => {
                        !self.written.iter().any(|other| self.may_be_same(*other, *root))
                    }
                    _ => self.written.is_empty(),
                };
                // Passes that go over whole rows ask for the same one again.
                if is_shared && is_still && self.may_repeat() {
                    let held = self.holder(&slot);
                    self.line(format!(
                        "lanes.LoadHeld<{ty}, {parts}>({slot}, {view}, {split}, {active}, {held});"
                    ));
                    self.state.kept.push(held);
                    self.state.tile.held.insert(slot.clone());
                } else {
                    self.line(format!(
                        "lanes.Load<{ty}, {parts}>({slot}, {view}, {split}, {active}{exact});"
                    ));
                }
                self.state.gathers |= is_shared;
                self.need_input(size as u32 * run.count, false);
                self.push_parts(&mut vals, &slot, run.scalar, run.count);
                continue;
            }
            match self.place_of(address, run.offset, size, location)? {
                Where::Same(at) => {
                    let element = match run.scalar {
                        Scalar::I64 => "int64_t",
                        Scalar::U64 | Scalar::F64 => "uint64_t",
                        other => memory_type(other).unwrap_or("float"),
                    };
                    let view = self.view(place, element);
                    self.state.input = self.state.input.max(1);
                    for part in 0..run.count {
                        let at = if part == 0 { at.clone() } else { format!("{at} + {part}") };
                        // The scalar unit's own way to memory does not see what was stored.
                        let read = if written || is_late {
                            format!("lanes.LoadOne({view}, {at})")
                        } else {
                            format!("{view}.GetValue({at})")
                        };
                        let read = match self.may_be_empty(active) {
                            Some(any) => format!("{any} ? {read} : static_cast<{element}>(0)"),
                            None => read,
                        };
                        vals.push(Val::Uniform(self.read_scalar(run.scalar, &read)));
                    }
                }
                Where::Form(form) => {
                    let (ty, parts) = self.memory_parts(run.scalar, run.count);
                    let view = self.view(place, ty);
                    let slot = self.run_slot(run.scalar, run.count);
                    let form = if run.scalar.size() == 8 { doubled(&form) } else { form };
                    if let (Active::Box(active), false) = (active, written)
                        && form.is_row(parts)
                        && self.is_of_all_rows(address)
                    {
                        let name = self.holder(&slot);
                        self.line(format!(
                            "lanes.LoadHeld<{ty}, {parts}>({slot}, {view}, {}, {active}, {name});",
                            form.text()
                        ));
                        self.state.held.push(name);
                        self.state.tile.held.insert(slot.clone());
                        self.need_input(run.scalar.size() as u32 * run.count, true);
                        self.push_parts(&mut vals, &slot, run.scalar, run.count);
                        continue;
                    }
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
                    self.state.gathers = true;
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
        Ok(vals)
    }

    /// A member that says what a vector holds.
    fn holder(&mut self, slot: &str) -> String {
        let name = self.state.names.fresh(&format!("held{}_", upper_first(slot)));
        let name = format!("{}_", name.trim_end_matches('_'));
        self.state.names.take(&name);
        name
    }

    /// Whether an address is the same in all rows, where there are several.
    fn is_of_all_rows(&self, address: &Address) -> bool {
        use port_ir::{Axis, Builtin};
        let is_row = |builtin: Builtin| match builtin {
            Builtin::BlockIndex(Axis::Y | Axis::Z) => true,
            Builtin::BlockIndex(Axis::X) | Builtin::ThreadIndex(Axis::Y | Axis::Z) => {
                self.lanes == crate::tile::shape::Lanes::Row
            }
            _ => false,
        };
        let goes_on = |symbol: Symbol| match symbol {
            Symbol::Builtin(builtin) => is_row(builtin),
            Symbol::Passes(_) => true,
            Symbol::Value(value) => self.argument_path(value).is_none(),
        };
        self.lanes != crate::tile::shape::Lanes::Block
            && !self.state.one_core
            && !self.may_repeat()
            && address.moving.is_none()
            && address.start.is_none()
            && !address.offset.any_symbol(goes_on)
            && self.function.expressions.iter().any(|(_, expression)| {
                matches!(expression, Expression::Builtin(builtin) if is_row(*builtin))
            })
    }
}
