//! Loads and stores of threads: what lies in locals and shared memory is known, global memory is a
//! symbol.

use std::collections::BTreeMap;

use port_ir::{Location, Scalar, Space, Type};

use super::super::graph::{Base, Id, Op};
use super::{Executor, Item, Lanes, Result, Shared, Store};
use crate::code::refuse;

impl Executor<'_, '_> {
    // Memory.

    pub(super) fn load(
        &mut self,
        pointer: &Lanes,
        ty: Type,
        mask: &[bool],
        depth: u32,
    ) -> Result<Lanes> {
        if let Type::Pointer(_) = ty {
            return self.load_scalar(pointer, Scalar::U64, mask);
        }
        let Type::Scalar(scalar) = ty else {
            if depth > 8 {
                return Err(refuse("a type is nested too deeply"));
            }
            let mut parts = Vec::new();
            for (offset, part) in self.part_offsets(ty)? {
                let at = self.map(std::slice::from_ref(pointer), true, &mut |own, ids| {
                    let by = own.graph.integer(offset);
                    own.moved(ids[0], by, 1)
                })?;
                parts.push(self.load(&at, part, mask, depth + 1)?);
            }
            return Ok(Lanes::Parts(parts));
        };
        self.load_scalar(pointer, scalar, mask)
    }

    pub(super) fn part_offsets(&self, ty: Type) -> Result<Vec<(i64, Type)>> {
        let kinds = self.part_types(ty)?;
        let mut parts = Vec::new();
        for (index, part) in kinds.into_iter().enumerate() {
            let offset = match ty {
                Type::Struct(handle) => self
                    .module
                    .types
                    .structs()
                    .get(handle)
                    .and_then(|s| s.members.get(index))
                    .map(|m| m.offset as i64),
                _ => self.module.types.layout(part).map(|l| l.size as i64 * index as i64),
            };
            let Some(offset) = offset else { return Err(refuse("a type has no layout")) };
            parts.push((offset, part));
        }
        Ok(parts)
    }

    pub(super) fn address(&self, pointer: Id) -> Result<(Base, Id)> {
        match self.graph.op(pointer) {
            Op::Pointer(base) => Ok((*base, self.graph.node(pointer).args[0])),
            _ => Err(refuse("an address is not understood")),
        }
    }

    pub(super) fn is_shared(&self, base: Base) -> bool {
        matches!(base, Base::Variable(v) if self.module.variables[v].space == Space::Shared)
    }

    pub(super) fn shared_key(&mut self, base: Base, offset: Id) -> Option<Shared> {
        let Base::Variable(variable) = base else { return None };
        let (symbolic, constant) = self.graph.split(offset);
        Some((variable.index() as u32, symbolic, constant))
    }

    pub(super) fn load_scalar(
        &mut self,
        pointer: &Lanes,
        scalar: Scalar,
        mask: &[bool],
    ) -> Result<Lanes> {
        let node_type = if scalar.is_integer() { Scalar::I64 } else { scalar };
        // What all threads that load have in common.
        let mut active = mask.iter().enumerate().filter(|(_, active)| **active);
        let common = match (pointer, active.next()) {
            (Lanes::Each(ids), Some((first, _))) => ids
                .get(first)
                .copied()
                .filter(|own| active.all(|(thread, _)| ids.get(thread) == Some(own))),
            _ => None,
        };
        let common = common.map(Lanes::Same);
        let pointer = common.as_ref().unwrap_or(pointer);
        if let Lanes::Same(pointer) = pointer {
            let (base, offset) = self.address(*pointer)?;
            match base {
                Base::Local(local) => {
                    let at = self.constant_offset(offset)?;
                    return match self.locals.get(&(local, at)) {
                        Some((lanes, ty)) if *ty == scalar => Ok(lanes.clone()),
                        Some(_) => Err(refuse("a local is read as another type")),
                        None => Ok(Lanes::Same(self.graph.undefined())),
                    };
                }
                Base::Parameter(index) => {
                    let at = self.constant_offset(offset)?;
                    let parameter = self.function.parameters.get(index as usize);
                    let ty = parameter.map(|p| p.ty);
                    let mut path = Vec::new();
                    if !ty.is_some_and(|ty| self.find_path(ty, at, scalar, &mut path)) {
                        return Err(refuse("a parameter is read as another type"));
                    }
                    return Ok(Lanes::Same(self.graph.leaf(Op::Parameter(index, path), node_type)));
                }
                _ => {}
            }
        }
        let mut made = Vec::new();
        let threads = match pointer {
            Lanes::Same(_) => 1,
            _ => self.threads(),
        };
        for (thread, active) in mask.iter().enumerate().take(threads) {
            if !active && threads > 1 {
                made.push(self.graph.undefined());
                continue;
            }
            let own = self.lane(pointer, thread)?;
            let (base, offset) = self.address(own)?;
            made.push(match base {
                Base::Local(local) => {
                    let at = self.constant_offset(offset)?;
                    match self.locals.get(&(local, at)) {
                        Some((lanes, ty)) if *ty == scalar => self.lane(lanes, thread)?,
                        Some(_) => return Err(refuse("a local is read as another type")),
                        None => self.graph.undefined(),
                    }
                }
                Base::Parameter(_) => return Err(refuse("a parameter is indexed")),
                Base::Variable(_) if self.is_shared(base) => {
                    let in_body = self.body.is_some()
                        && self.graph.any(offset, &|op| matches!(op, Op::Carried(_)));
                    if in_body {
                        let version = self.versions.get(&base).copied().unwrap_or(0);
                        self.graph.add(Op::Load(base, version), [offset], scalar)
                    } else {
                        let key = self.shared_key(base, offset);
                        match key.and_then(|key| self.shared.get(&key)) {
                            Some((id, ty)) if *ty == scalar => *id,
                            Some(_) => {
                                return Err(refuse("shared memory is read as another type"));
                            }
                            None => self.graph.undefined(),
                        }
                    }
                }
                _ => {
                    if scalar == Scalar::U64 && node_type == Scalar::U64 {
                        return Err(refuse("it loads pointers"));
                    }
                    let version = self.versions.get(&base).copied().unwrap_or(0);
                    let mut operands = vec![offset];
                    if threads > 1 {
                        self.load_own()?;
                    } else if self.body.is_none() {
                        // A row loads it whatever its threads do, and there may be nothing at the place.
                        if self.path.iter().any(|id| *self.graph.op(*id) == Op::Undefined) {
                            return Err(refuse("memory is read under a condition of some threads"));
                        }
                        operands.extend_from_slice(&self.path);
                    }
                    self.graph.add(Op::Load(base, version), operands, scalar)
                }
            });
        }
        Ok(match made.as_slice() {
            [only] if threads == 1 => Lanes::Same(*only),
            _ => self.each(made),
        })
    }

    pub(super) fn constant_offset(&self, offset: Id) -> Result<u64> {
        self.graph
            .as_integer(offset)
            .and_then(|at| u64::try_from(at).ok())
            .ok_or_else(|| refuse("a local array is indexed by what is not known"))
    }

    pub(super) fn find_path(
        &self,
        ty: Type,
        offset: u64,
        scalar: Scalar,
        path: &mut Vec<u32>,
    ) -> bool {
        if let Type::Scalar(own) = ty {
            return offset == 0 && own == scalar;
        }
        if path.len() > 8 {
            return false;
        }
        let Ok(parts) = self.part_offsets(ty) else { return false };
        for (index, (start, part)) in parts.into_iter().enumerate() {
            let Some(size) = self.module.types.layout(part).map(|l| l.size) else { return false };
            let start = start as u64;
            if start <= offset && offset < start + size {
                path.push(index as u32);
                if self.find_path(part, offset - start, scalar, path) {
                    return true;
                }
                path.pop();
            }
        }
        false
    }

    pub(super) fn store(
        &mut self,
        pointer: &Lanes,
        value: &Lanes,
        ty: Type,
        mask: &[bool],
        location: Location,
        depth: u32,
    ) -> Result<()> {
        let scalar = match ty {
            Type::Scalar(scalar) => scalar,
            Type::Pointer(_) => Scalar::U64,
            _ => {
                let undefined = Lanes::Same(self.graph.undefined());
                if depth > 8 {
                    return Err(refuse("a type is nested too deeply"));
                }
                for (index, (offset, part)) in self.part_offsets(ty)?.into_iter().enumerate() {
                    let at = self.map(std::slice::from_ref(pointer), true, &mut |own, ids| {
                        let by = own.graph.integer(offset);
                        own.moved(ids[0], by, 1)
                    })?;
                    let own = match value {
                        Lanes::Parts(parts) => parts.get(index).unwrap_or(&undefined),
                        _ => &undefined,
                    };
                    self.store(&at, own, part, mask, location, depth + 1)?;
                }
                return Ok(());
            }
        };
        let first = mask.iter().position(|active| *active).unwrap_or(0);
        let (base, offset) = {
            let own = self.lane(pointer, first)?;
            self.address(own)?
        };
        match base {
            Base::Local(local) => {
                if let Lanes::Same(_) = pointer {
                    let at = self.constant_offset(offset)?;
                    self.store_local(local, at, value, scalar, mask)?;
                } else {
                    for (thread, active) in mask.iter().enumerate() {
                        if *active {
                            let own = self.lane(pointer, thread)?;
                            let (base, offset) = self.address(own)?;
                            let Base::Local(local) = base else {
                                return Err(refuse("an address is not understood"));
                            };
                            let at = self.constant_offset(offset)?;
                            let mut only = vec![false; mask.len()];
                            only[thread] = true;
                            self.store_local(local, at, value, scalar, &only)?;
                        }
                    }
                }
                Ok(())
            }
            Base::Parameter(_) => Err(refuse("a parameter is written")),
            _ => {
                let in_body = self.body.is_some()
                    && self.graph.any(offset, &|op| matches!(op, Op::Carried(_)));
                if in_body {
                    let (Lanes::Same(_), Lanes::Same(id)) = (pointer, value) else {
                        return Err(refuse("threads store differently in a loop over a row"));
                    };
                    if mask.iter().any(|active| !active) {
                        return Err(refuse("some threads store in a loop over a row"));
                    }
                    let guards = self.path_in_body();
                    let store = Store { base, offset, ty: scalar, value: *id, guards, location };
                    if let Some(body) = &mut self.body {
                        body.stores.push(store);
                    }
                    return Ok(());
                }
                if self.is_shared(base) {
                    let value = self.gathered(value, mask, location)?;
                    return self.store_shared(pointer, &value, scalar, mask);
                }
                if self.body.is_some() {
                    return Err(refuse("a loop over a row stores the same element again"));
                }
                self.store_one(pointer, value, scalar, mask, location)
            }
        }
    }

    pub(super) fn path_in_body(&self) -> Vec<Id> {
        let outside = self.body.as_ref().map_or(0, |body| body.path);
        self.path.get(outside..).unwrap_or_default().to_vec()
    }

    pub(super) fn store_local(
        &mut self,
        local: u32,
        at: u64,
        value: &Lanes,
        scalar: Scalar,
        mask: &[bool],
    ) -> Result<()> {
        if matches!(value, Lanes::Parts(_)) {
            return Err(refuse("a value of several parts is stored as one"));
        }
        let value = &self.settle(value, mask);
        let before = match self.locals.get(&(local, at)) {
            Some((lanes, ty)) if *ty == scalar => lanes.clone(),
            _ => Lanes::Same(self.graph.undefined()),
        };
        // What overlaps is no longer what it was.
        let end = at + scalar.size();
        let from = at.saturating_sub(7);
        let stale: Vec<(u32, u64)> = self
            .locals
            .range((local, from)..(local, end))
            .filter(|((_, start), (_, ty))| {
                start + ty.size() > at && (*start != at || *ty != scalar)
            })
            .map(|(key, _)| *key)
            .collect();
        for key in stale {
            self.locals.remove(&key);
        }
        let after = self.choose(mask, value, &before)?;
        if let Lanes::Same(id) = &after {
            let name = self
                .function
                .locals
                .get(port_ir::Handle::from_index(local as usize))
                .map(|l| l.name.clone());
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                self.names.entry(*id).or_insert(name);
            }
        }
        self.locals.insert((local, at), (after, scalar));
        Ok(())
    }

    pub(super) fn store_shared(
        &mut self,
        pointer: &Lanes,
        value: &Lanes,
        scalar: Scalar,
        mask: &[bool],
    ) -> Result<()> {
        let mut written: BTreeMap<Shared, Id> = BTreeMap::new();
        for (thread, active) in mask.iter().enumerate() {
            if !active {
                continue;
            }
            let own = self.lane(pointer, thread)?;
            let (base, offset) = self.address(own)?;
            let id = self.lane(value, thread)?;
            let id = self.settle_one(id);
            // Elements of a row that lie where this is written are lost.
            let (terms, _) = self.graph.terms(offset);
            let symbolic = self.graph.linear(terms, 0);
            let staged: Vec<(Base, Id)> =
                self.staged.keys().filter(|(other, _)| *other == base).copied().collect();
            for key in staged {
                let (terms, _) = self.graph.terms(key.1);
                if self.graph.linear(terms, 0) == symbolic {
                    self.staged.remove(&key);
                }
            }
            let Some(key) = self.shared_key(base, offset) else {
                return Err(refuse("an address is not understood"));
            };
            let undefined = self.graph.undefined();
            // Two threads that write different values there: nobody knows which stays.
            let entry = written.entry(key).or_insert(id);
            if *entry != id {
                *entry = undefined;
            }
        }
        for (key, id) in written {
            self.shared.insert(key, (id, scalar));
        }
        Ok(())
    }

    /// One element of global memory, the same from all threads that write it.
    pub(super) fn store_one(
        &mut self,
        pointer: &Lanes,
        value: &Lanes,
        scalar: Scalar,
        mask: &[bool],
        location: Location,
    ) -> Result<()> {
        let mut only = None;
        for (thread, active) in mask.iter().enumerate() {
            if !active {
                continue;
            }
            let own = (self.lane(pointer, thread)?, self.lane(value, thread)?);
            let own = (own.0, self.settle_one(own.1));
            if *only.get_or_insert(own) != own {
                return self.scatter(pointer, value, scalar, mask, location);
            }
        }
        let Some((pointer, value)) = only else { return Ok(()) };
        let (base, offset) = self.address(pointer)?;
        self.goes_on()?;
        self.flush_scattered()?;
        let guards = self.path.clone();
        self.items.push(Item::Store(Store { base, offset, ty: scalar, value, guards, location }));
        *self.versions.entry(base).or_insert(0) += 1;
        Ok(())
    }
}
