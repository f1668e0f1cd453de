//! Loads and stores of the threads: locals and shared memory hold what was stored, global memory is a
//! symbol.

use std::rc::Rc;

use port_ir::{Fragment, MatrixLayout, Scalar, Space, Type};

use super::graph::{Base, Cond, Num, NumNode, Val, ZERO};
use super::{Found, Lanes, Stored, Threads, WARP, extents};
use crate::code::refuse;

/// Bytes of the largest number.
const WIDEST: i64 = 8;

impl Threads<'_, '_> {
    fn part_offsets(&self, ty: Type) -> Found<Vec<(i64, Type)>> {
        let mut parts = Vec::new();
        for (index, part) in self.part_types(ty)?.into_iter().enumerate() {
            let offset = match ty {
                Type::Struct(handle) => {
                    let members = self.module.types.structs().get(handle);
                    let member = members.and_then(|s| s.members.get(index));
                    member.map(|m| m.offset as i64).ok_or_else(|| refuse("a type has no layout"))?
                }
                _ => self.size(part, 0)? * index as i64,
            };
            parts.push((offset, part));
        }
        Ok(parts)
    }

    pub(super) fn load(
        &mut self,
        pointer: &Lanes,
        ty: Type,
        mask: &[bool],
        depth: u32,
    ) -> Found<Lanes> {
        match ty {
            Type::Scalar(scalar) => self.load_number(pointer, Some(scalar), mask),
            Type::Pointer(_) | Type::Fragment(_) => self.load_number(pointer, None, mask),
            _ if depth > 8 => Err(refuse("a type is nested too deeply")),
            _ => {
                let mut parts = Vec::new();
                for (offset, part) in self.part_offsets(ty)? {
                    let at = self.map(std::slice::from_ref(pointer), &mut |own, vals| {
                        own.moved(vals[0], Val::Integer(0, offset), 1)
                    })?;
                    parts.push(self.load(&at, part, mask, depth + 1)?);
                }
                Ok(Lanes::Parts(parts))
            }
        }
    }

    fn load_number(
        &mut self,
        pointer: &Lanes,
        scalar: Option<Scalar>,
        mask: &[bool],
    ) -> Found<Lanes> {
        let threads = self.threads();
        self.work(threads)?;
        let mut made = vec![Val::Unknown; threads];
        for thread in (0..threads).filter(|thread| mask[*thread]) {
            let own = self.lane(pointer, thread);
            let path = self.paths[thread].clone();
            let own = self.graph.stripped(own, &path);
            let val = self.element(own, scalar, thread)?;
            made[thread] = self.graph.stripped(val, &path);
        }
        // What those give that take no part is nobody's business.
        let first = mask.iter().position(|active| *active).map_or(Val::Unknown, |t| made[t]);
        let same = mask.iter().zip(&made).all(|(active, val)| !active || *val == first);
        Ok(if same { Lanes::Same(first) } else { Self::each(made) })
    }

    fn is_shared(&self, base: Base) -> bool {
        matches!(base, Base::Variable(v) if self.module.variables[v].space == Space::Shared)
    }

    /// What a pointer of a thread points at.
    fn element(&mut self, pointer: Val, scalar: Option<Scalar>, thread: usize) -> Found<Val> {
        match (pointer, scalar) {
            (Val::Pointer(Base::Argument(argument), sym, at), Some(scalar)) => {
                let node = NumNode::Load { argument, scalar, sym, at };
                Ok(Val::Number(self.graph.num(node)))
            }
            (Val::Pointer(Base::Local(local), 0, at), _) => {
                Ok(self.local(local, at, scalar, thread))
            }
            (Val::Pointer(base @ Base::Variable(variable), 0, at), Some(scalar))
                if self.is_shared(base) =>
            {
                Ok(self.shared_element(variable.index() as u32, at, scalar))
            }
            (Val::Part(local, at, index), Some(_)) => {
                let tile = self.local(local, at, None, thread);
                let path = self.paths[thread].clone();
                let Val::Fragment(id) = self.graph.stripped(tile, &path) else {
                    return Ok(Val::Unknown);
                };
                let elements = self.graph.fragments.get(id);
                // Which element of a tile a lane holds is open; that all are held once is not.
                let held = elements.map_or(0, |elements| elements.len() / WARP);
                let place = thread % WARP * held + index as usize;
                let num = elements.and_then(|elements| elements.get(place));
                Ok(num
                    .filter(|_| (index as usize) < held)
                    .map_or(Val::Unknown, |n| Val::Number(*n)))
            }
            (Val::Unknown | Val::Choice(_), _) => Err(refuse("an address is not followed")),
            _ => Err(refuse("it reads memory that is not followed")),
        }
    }

    fn local(&mut self, local: u32, at: i64, scalar: Option<Scalar>, thread: usize) -> Val {
        let of = |vals: &Rc<Vec<Val>>| vals.get(thread).copied().unwrap_or(Val::Unknown);
        let bytes = scalar.map_or(0, Scalar::size);
        if let Some((size, vals)) = self.locals.get(&(local, at)) {
            let val = of(vals);
            if scalar.is_none() || *size == bytes {
                return val;
            }
            return self.narrowed(val, 0, scalar);
        }
        let from = (local, at - WIDEST + 1);
        let around = self.locals.range(from..(local, at)).next_back();
        match around.map(|((_, start), (size, vals))| (*start, *size, of(vals))) {
            Some((start, size, val)) if start + size as i64 >= at + bytes as i64 => {
                self.narrowed(val, at - start, scalar)
            }
            _ => Val::Unknown,
        }
    }

    fn shared_element(&mut self, variable: u32, at: i64, scalar: Scalar) -> Val {
        for wide in [1, 2, 4, 8] {
            let start = at - at.rem_euclid(wide);
            if let Some((val, size)) = self.shared.get(&(variable, start)).copied()
                && start + size as i64 >= at + scalar.size() as i64
                && (start == at || size as i64 == wide)
            {
                return match size == scalar.size() {
                    true => val,
                    false => self.narrowed(val, at - start, Some(scalar)),
                };
            }
        }
        Val::Unknown
    }

    /// A part of a word that was moved as a whole.
    fn narrowed(&mut self, val: Val, from: i64, scalar: Option<Scalar>) -> Val {
        let (Some(scalar), Some(num)) = (scalar, self.graph.as_num(val)) else {
            return Val::Unknown;
        };
        match self.narrowed_number(num, from, scalar, 0) {
            Some(num) => Val::Number(num),
            None => Val::Unknown,
        }
    }

    fn narrowed_number(&mut self, num: Num, from: i64, to: Scalar, depth: u32) -> Option<Num> {
        match self.graph.num_node(num) {
            NumNode::Load { argument, scalar, sym, at } if scalar.size() > to.size() => {
                let at = at.checked_add(from)?;
                Some(self.graph.num(NumNode::Load { argument, scalar: to, sym, at }))
            }
            NumNode::Choice(cond, yes, no) if depth < 8 => {
                let yes = self.narrowed_number(yes, from, to, depth + 1)?;
                let no = self.narrowed_number(no, from, to, depth + 1)?;
                Some(self.graph.num(NumNode::Choice(cond, yes, no)))
            }
            _ => (num == ZERO).then_some(ZERO),
        }
    }

    pub(super) fn store(
        &mut self,
        pointer: &Lanes,
        value: &Lanes,
        ty: Type,
        mask: &[bool],
        depth: u32,
    ) -> Found<()> {
        let scalar = match ty {
            Type::Scalar(scalar) => Some(scalar),
            Type::Pointer(_) | Type::Fragment(_) => None,
            _ => {
                if depth > 8 {
                    return Err(refuse("a type is nested too deeply"));
                }
                for (index, (offset, part)) in self.part_offsets(ty)?.into_iter().enumerate() {
                    let at = self.map(std::slice::from_ref(pointer), &mut |own, vals| {
                        own.moved(vals[0], Val::Integer(0, offset), 1)
                    })?;
                    let own = match value {
                        Lanes::Parts(parts) => parts.get(index).cloned(),
                        Lanes::Same(Val::Unknown) => Some(Lanes::Same(Val::Unknown)),
                        _ => None,
                    };
                    let own = own.ok_or_else(|| refuse("a part of a value is missing"))?;
                    self.store(&at, &own, part, mask, depth + 1)?;
                }
                return Ok(());
            }
        };
        let threads = self.threads();
        self.work(threads)?;
        let size = match ty {
            Type::Fragment(_) => 4096,
            _ => scalar.map_or(8, Scalar::size),
        };
        self.cache.clear();
        // All threads write the same variable of their own.
        if let Lanes::Same(Val::Pointer(Base::Local(local), 0, at)) = pointer {
            let old = self.room(*local, *at, size);
            let mut vals = (*old).clone();
            for thread in (0..threads).filter(|thread| mask[*thread]) {
                let val = self.lane(value, thread);
                vals[thread] = self.on_path(thread, val, vals[thread]);
            }
            self.locals.insert((*local, *at), (size, Rc::new(vals)));
            return Ok(());
        }
        let parts = (0..threads)
            .filter(|t| mask[*t])
            .all(|t| matches!(self.lane(pointer, t), Val::Part(..)));
        if parts {
            return self.store_parts(pointer, value, mask);
        }
        for thread in (0..threads).filter(|thread| mask[*thread]) {
            let path = self.paths[thread].clone();
            let (own, val) = (self.lane(pointer, thread), self.lane(value, thread));
            let (own, val) = (self.graph.stripped(own, &path), self.graph.stripped(val, &path));
            self.store_element(own, val, (scalar, size), thread, &path)?;
        }
        Ok(())
    }

    /// One number or tile of one thread.
    fn store_element(
        &mut self,
        pointer: Val,
        val: Val,
        (scalar, size): (Option<Scalar>, u64),
        thread: usize,
        path: &[Cond],
    ) -> Found<()> {
        match (pointer, scalar) {
            (Val::Pointer(Base::Local(local), 0, at), _) => {
                let old = self.room(local, at, size);
                let mut vals = (*old).clone();
                vals[thread] = self.on_path(thread, val, vals[thread]);
                self.locals.insert((local, at), (size, Rc::new(vals)));
                Ok(())
            }
            (Val::Pointer(base @ Base::Variable(variable), 0, at), Some(_))
                if self.is_shared(base) =>
            {
                let variable = variable.index() as u32;
                let old = self.shared.get(&(variable, at)).copied();
                let old = old.filter(|(_, own)| *own == size).map_or(Val::Unknown, |(val, _)| val);
                let val = self.conditional(path, val, old);
                for inner in 1..size as i64 {
                    self.shared.remove(&(variable, at + inner));
                }
                for wide in [2, 4, 8] {
                    let start = at - at.rem_euclid(wide);
                    if let Some((_, own)) = self.shared.get(&(variable, start))
                        && start < at
                        && start + *own as i64 > at
                    {
                        self.shared.remove(&(variable, start));
                    }
                }
                self.shared.insert((variable, at), (val, size));
                Ok(())
            }
            (Val::Pointer(Base::Argument(argument), sym, at), Some(scalar)) => {
                if self.in_passes {
                    return Err(refuse("its result is stored in a loop"));
                }
                let num = self.graph.as_num(val);
                let num =
                    num.ok_or_else(|| refuse("its result is not a number that is followed"))?;
                let path = path.to_vec();
                self.stored.push(Stored { argument, scalar, place: (sym, at), num, path });
                Ok(())
            }
            _ => Err(refuse("it stores where it is not followed")),
        }
    }

    /// A value on a path of a thread, where it had another before. Who has returned asks no more.
    fn on_path(&mut self, thread: usize, val: Val, old: Val) -> Val {
        let stays = &self.stays[thread];
        let path: Vec<Cond> =
            self.paths[thread].iter().copied().filter(|cond| !stays.contains(cond)).collect();
        self.conditional(&path, val, old)
    }

    fn conditional(&mut self, path: &[Cond], val: Val, old: Val) -> Val {
        let mut val = val;
        for (index, cond) in path.iter().enumerate().rev() {
            // What it was where the conditions before this one hold.
            let old = self.graph.stripped(old, &path[..index]);
            val = self.graph.choose(*cond, val, old);
        }
        val
    }

    /// The values of a variable before it is written; what overlaps it is lost.
    fn room(&mut self, local: u32, at: i64, size: u64) -> Rc<Vec<Val>> {
        let end = at.saturating_add(size as i64);
        let stale: Vec<(u32, i64)> = self
            .locals
            .range((local, at.saturating_sub(4096))..(local, end))
            .filter(|((_, start), (own, _))| {
                start + *own as i64 > at && (*start != at || *own != size)
            })
            .map(|(key, _)| *key)
            .collect();
        for key in stale {
            self.locals.remove(&key);
        }
        match self.locals.get(&(local, at)) {
            Some((_, vals)) => vals.clone(),
            None => Rc::new(vec![Val::Unknown; self.threads()]),
        }
    }

    /// Elements of tiles that the lanes of warps write together.
    fn store_parts(&mut self, pointer: &Lanes, value: &Lanes, mask: &[bool]) -> Found<()> {
        for start in (0..mask.len()).step_by(WARP) {
            let end = (start + WARP).min(mask.len());
            let Some(first) = (start..end).find(|t| mask[*t]) else { continue };
            let Val::Part(local, at, index) = self.lane(pointer, first) else { continue };
            let path = self.paths[first].clone();
            let is_one = (start..end).all(|t| {
                mask[t]
                    && self.lane(pointer, t) == Val::Part(local, at, index)
                    && self.paths[t] == path
            });
            if !is_one || end - start < WARP {
                return Err(refuse("some lanes of a warp change a tile"));
            }
            let old = self.local(local, at, None, first);
            let Val::Fragment(id) = self.graph.stripped(old, &path) else {
                return Err(refuse("a tile is not known"));
            };
            let mut elements = self.graph.fragments.get(id).cloned().unwrap_or_default();
            let held = elements.len() / WARP;
            for thread in start..end {
                let val = self.lane(value, thread);
                let val = self.graph.stripped(val, &path);
                let num = self.graph.as_num(val);
                let place = (thread - start) * held + index as usize;
                match (num, elements.get_mut(place)) {
                    (Some(num), Some(element)) if (index as usize) < held => *element = num,
                    _ => return Err(refuse("an element of a tile is not followed")),
                }
            }
            let made = self.graph.fragment(elements);
            let vals = self.room(local, at, 4096);
            let mut vals = (*vals).clone();
            for (thread, val) in vals.iter_mut().enumerate().take(end).skip(start) {
                *val = self.on_path(thread, made, old);
            }
            self.locals.insert((local, at), (4096, Rc::new(vals)));
        }
        Ok(())
    }

    /// What all lanes of a warp say.
    fn of_warp(&mut self, lanes: &Lanes, start: usize, mask: &[bool]) -> Found<Val> {
        let end = (start + WARP).min(mask.len());
        let mut active = (start..end).filter(|t| mask[*t]);
        let first = active.next().unwrap_or(start);
        let val = self.lane(lanes, first);
        if active.any(|t| self.lane(lanes, t) != val || self.paths[t] != self.paths[first]) {
            return Err(refuse("the lanes of a warp disagree about a tile"));
        }
        let path = self.paths[first].clone();
        Ok(self.graph.stripped(val, &path))
    }

    /// The places of a tile's elements, by rows.
    fn places(
        &mut self,
        fragment: Fragment,
        pointer: Val,
        stride: Val,
        layout: MatrixLayout,
        size: i64,
    ) -> Found<Vec<Val>> {
        let Val::Integer(sym, count) = stride else { return Err(refuse("a stride is not known")) };
        let (rows, columns) = extents(fragment);
        self.work(rows * columns)?;
        let mut places = Vec::with_capacity(rows * columns);
        for i in 0..rows as i64 {
            for j in 0..columns as i64 {
                let (line, along) = match layout {
                    MatrixLayout::RowMajor => (i, j),
                    MatrixLayout::ColumnMajor => (j, i),
                };
                let index = self.graph.plus((0, along), (sym, count), line);
                let index = index.map_or(Val::Unknown, |(sym, at)| Val::Integer(sym, at));
                places.push(self.moved(pointer, index, size));
            }
        }
        Ok(places)
    }

    pub(super) fn load_tile(
        &mut self,
        fragment: Fragment,
        pointer: &Lanes,
        stride: &Lanes,
        layout: MatrixLayout,
        mask: &[bool],
    ) -> Found<Lanes> {
        let scalar = fragment.element.storage();
        if !matches!(scalar, Scalar::F16 | Scalar::Bf16 | Scalar::F32) {
            return Err(refuse("its matrices are of types that the cube does not multiply"));
        }
        let mut result = vec![Val::Unknown; mask.len()];
        for start in (0..mask.len()).step_by(WARP) {
            let end = (start + WARP).min(mask.len());
            let Some(first) = (start..end).find(|t| mask[*t]) else { continue };
            let (at, by) =
                (self.of_warp(pointer, start, mask)?, self.of_warp(stride, start, mask)?);
            let path = self.paths[first].clone();
            let mut elements = Vec::new();
            for place in self.places(fragment, at, by, layout, scalar.size() as i64)? {
                let val = self.element(place, Some(scalar), first)?;
                let val = self.graph.stripped(val, &path);
                let num = self.graph.as_num(val);
                elements.push(num.ok_or_else(|| refuse("an element of a tile is not followed"))?);
            }
            let tile = self.graph.fragment(elements);
            result[start..end].fill(tile);
        }
        Ok(Self::each(result))
    }

    pub(super) fn store_tile(
        &mut self,
        fragment: Fragment,
        pointer: &Lanes,
        stride: &Lanes,
        value: &Lanes,
        layout: MatrixLayout,
        mask: &[bool],
    ) -> Found<()> {
        let scalar = fragment.element.storage();
        self.cache.clear();
        for start in (0..mask.len()).step_by(WARP) {
            let end = (start + WARP).min(mask.len());
            let Some(first) = (start..end).find(|t| mask[*t]) else { continue };
            let (at, by) =
                (self.of_warp(pointer, start, mask)?, self.of_warp(stride, start, mask)?);
            let Val::Fragment(id) = self.of_warp(value, start, mask)? else {
                return Err(refuse("a tile is not known"));
            };
            let elements = self.graph.fragments.get(id).cloned().unwrap_or_default();
            let path = self.paths[first].clone();
            let places = self.places(fragment, at, by, layout, scalar.size() as i64)?;
            if places.len() != elements.len() {
                return Err(refuse("a tile is not known"));
            }
            for (place, num) in places.into_iter().zip(elements) {
                let what = (Some(scalar), scalar.size());
                self.store_element(place, Val::Number(num), what, first, &path)?;
            }
        }
        Ok(())
    }
}
