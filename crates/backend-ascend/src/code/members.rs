//! Structs that hold pointers and live in a variable: a variable for each member.
//!
//! Iterators, views and closures are such structs once calls are inlined. What a pointer points into
//! is only known where the pointer is a value of its own.

use std::collections::{BTreeMap, BTreeSet};

use port_ir::analysis::flow::{Flow, StatementId};
use port_ir::passes::forward::forward;
use port_ir::typing::ExpressionTypes;
use port_ir::{
    Access, Block, Conversion, Expression, Function, Handle, Local, Location, Module, Statement,
    StatementKind, Type, Value, validate,
};

/// Structs in structs: each round takes one level away.
const ROUNDS: usize = 6;
/// Members of a struct that is taken apart.
const MOST_MEMBERS: u64 = 64;

/// The module with such variables taken apart; the same where the result would not be valid.
pub(crate) fn split(module: Module) -> Module {
    let mut split = module.clone();
    for handle in split.functions.handles().collect::<Vec<_>>() {
        let mut changed = false;
        if let Some(simpler) = fold(&split, &split.functions[handle]) {
            split.functions[handle] = simpler;
            changed = true;
        }
        for _ in 0..ROUNDS {
            let Some(simpler) = round(&split, &split.functions[handle]) else { break };
            split.functions[handle] = simpler;
            changed = true;
            for _ in 0..ROUNDS {
                let Some(simpler) = forward(&split, &split.functions[handle]) else { break };
                split.functions[handle] = simpler;
            }
        }
        if changed && validate(&split).is_err() {
            split.functions[handle] = module.functions[handle].clone();
        }
    }
    split
}

/// Pointers that are taken out of a struct which was just made of them.
fn fold(module: &Module, function: &Function) -> Option<Function> {
    let types = ExpressionTypes::of(module, function);
    let mut folded: Option<Function> = None;
    for (value, expression) in function.expressions.iter() {
        let Expression::Extract { value: whole, index } = expression else { continue };
        let ty @ Type::Pointer(_) = types.get(value) else { continue };
        let mut path = vec![*index];
        let mut at = *whole;
        // Operands are older than their users, so this ends.
        let part = loop {
            match &function.expressions[at] {
                Expression::Extract { value, index } => {
                    path.push(*index);
                    at = *value;
                }
                Expression::Compose { parts, .. } => {
                    let Some(part) = path.pop().and_then(|i| parts.get(i as usize).copied()) else {
                        break None;
                    };
                    if path.is_empty() {
                        break Some(part);
                    }
                    at = part;
                }
                Expression::Insert { value, index, part } => {
                    if path.last() == Some(index) {
                        path.pop();
                        if path.is_empty() {
                            break Some(*part);
                        }
                        at = *part;
                    } else {
                        at = *value;
                    }
                }
                _ => break None,
            }
        };
        if let Some(part) = part.filter(|part| matches!(types.get(*part), Type::Pointer(_))) {
            // A pointer that is generic already is not converted once more.
            let part = match &function.expressions[part] {
                Expression::Convert { kind: Conversion::Space, value, .. } => *value,
                _ => part,
            };
            if types.get(part) != ty {
                let target = folded.get_or_insert_with(|| function.clone());
                let kind = Conversion::Space;
                target.expressions[value] = Expression::Convert { kind, value: part, to: ty };
            }
        }
    }
    folded
}

fn holds_pointer(module: &Module, ty: Type) -> bool {
    match ty {
        Type::Pointer(_) => true,
        Type::Struct(handle) => module
            .types
            .structs()
            .get(handle)
            .is_some_and(|s| s.members.iter().any(|member| holds_pointer(module, member.ty))),
        Type::Array(handle) => module
            .types
            .arrays()
            .get(handle)
            .is_some_and(|array| holds_pointer(module, array.element)),
        _ => false,
    }
}

/// Whether members of a struct lie over each other.
fn is_union(module: &Module, ty: Type) -> bool {
    let Type::Struct(handle) = ty else { return false };
    let Some(structure) = module.types.structs().get(handle) else { return true };
    structure.members.windows(2).any(|pair| {
        let size = module.types.layout(pair[0].ty).map_or(u64::MAX, |layout| layout.size);
        pair[0].offset.saturating_add(size) > pair[1].offset
    })
}

/// The variables that are taken apart: only their members and wholes are accessed.
struct Candidates {
    locals: BTreeSet<Handle<Local>>,
    /// The values that are a variable's address.
    addresses: BTreeMap<Value, Handle<Local>>,
    /// The loads of whole variables.
    wholes: BTreeMap<Value, Handle<Local>>,
}

fn candidates(module: &Module, flow: &Flow<'_>) -> Option<Candidates> {
    let function = flow.function;
    let mut locals: BTreeSet<Handle<Local>> = function
        .locals
        .handles()
        .filter(|local| {
            let ty = function.locals[*local].ty;
            matches!(ty, Type::Struct(_))
                && holds_pointer(module, ty)
                && !is_union(module, ty)
                && module.types.component_count(ty).is_some_and(|count| count <= MOST_MEMBERS)
        })
        .collect();
    if locals.is_empty() {
        return None;
    }
    let mut addresses: BTreeMap<Value, Handle<Local>> = BTreeMap::new();
    for (value, expression) in function.expressions.iter() {
        match expression {
            Expression::Local(local) if locals.contains(local) => {
                addresses.insert(value, *local);
            }
            Expression::Convert { kind: Conversion::Space, value: inner, .. } => {
                if let Some(local) = addresses.get(inner).copied() {
                    addresses.insert(value, local);
                }
            }
            _ => {}
        }
    }
    let mut wholes: BTreeMap<Value, Handle<Local>> = BTreeMap::new();
    for (_, entry) in flow.statements() {
        if let StatementKind::Load { result, pointer, access } = &entry.statement.kind
            && let Some(local) = addresses.get(pointer)
            && !access.volatile
            && flow.types.get(*result) == function.locals[*local].ty
        {
            wholes.insert(*result, *local);
        }
    }
    loop {
        let mut refused = BTreeSet::new();
        for (value, expression) in function.expressions.iter() {
            if addresses.contains_key(&value) {
                continue;
            }
            expression.for_each_operand(|operand| {
                if let Some(local) = addresses.get(&operand)
                    && !matches!(expression, Expression::Member { .. })
                {
                    refused.insert(*local);
                }
                if let Some(local) = wholes.get(&operand)
                    && !matches!(expression, Expression::Extract { .. })
                {
                    refused.insert(*local);
                }
            });
        }
        for (_, entry) in flow.statements() {
            let kind = &entry.statement.kind;
            let target = match kind {
                StatementKind::Load { result, pointer, .. } if wholes.contains_key(result) => {
                    Some(*pointer)
                }
                StatementKind::Store { pointer, value, access } => {
                    let whole = addresses.get(pointer).filter(|local| {
                        flow.types.get(*value) == function.locals[**local].ty && !access.volatile
                    });
                    let stays = whole.is_some_and(|local| locals.contains(local));
                    if let Some(local) = wholes.get(value)
                        && !stays
                    {
                        refused.insert(*local);
                    }
                    if let Some(local) = addresses.get(value) {
                        refused.insert(*local);
                    }
                    if stays { Some(*pointer) } else { None }
                }
                _ => None,
            };
            for operand in kind.operands() {
                if let Some(local) = addresses.get(&operand)
                    && Some(operand) != target
                {
                    refused.insert(*local);
                }
                if let Some(local) = wholes.get(&operand)
                    && !matches!(kind, StatementKind::Store { .. } | StatementKind::Load { .. })
                {
                    refused.insert(*local);
                }
            }
        }
        let before = locals.len();
        locals.retain(|local| !refused.contains(local));
        addresses.retain(|_, local| locals.contains(local));
        wholes.retain(|_, local| locals.contains(local));
        if locals.len() == before {
            break;
        }
    }
    (!locals.is_empty()).then_some(Candidates { locals, addresses, wholes })
}

fn round(module: &Module, function: &Function) -> Option<Function> {
    let body = function.body.as_ref()?;
    let types = ExpressionTypes::of(module, function);
    let flow = Flow::of(&module.types, function, &types);
    let candidates = candidates(module, &flow)?;
    let mut splitter = Splitter {
        module,
        flow: &flow,
        candidates: &candidates,
        target: function.clone(),
        members: BTreeMap::new(),
        loads: BTreeMap::new(),
        stores: BTreeMap::new(),
        next: 0,
    };
    splitter.declare()?;
    splitter.expressions();
    splitter.values();
    let body = splitter.block(body);
    splitter.target.body = Some(body);
    Some(splitter.target)
}

struct Splitter<'s, 'a> {
    module: &'s Module,
    flow: &'s Flow<'a>,
    candidates: &'s Candidates,
    target: Function,
    /// The variables of the members, with their types.
    members: BTreeMap<Handle<Local>, Vec<(Handle<Local>, Type)>>,
    /// For each load of a whole, the members that are asked for and the values they become.
    loads: BTreeMap<Value, Vec<(u32, Value)>>,
    /// For each store of a whole, the members' values.
    stores: BTreeMap<StatementId, Vec<Value>>,
    next: u32,
}

impl Splitter<'_, '_> {
    fn declare(&mut self) -> Option<()> {
        for local in &self.candidates.locals {
            let declared = self.flow.function.locals[*local].clone();
            let location = self.flow.function.locals.location(*local)?;
            let Type::Struct(handle) = declared.ty else { return None };
            let structure = self.module.types.structs().get(handle)?;
            let mut members = Vec::new();
            for member in &structure.members {
                let name = format!("{}_{}", declared.name, member.name);
                let local = Local { name, ty: member.ty, align: None };
                members.push((self.target.locals.append(local, location), member.ty));
            }
            self.members.insert(*local, members);
        }
        Some(())
    }

    /// Addresses of members become addresses of variables, parts of wholes loads of their own.
    fn expressions(&mut self) {
        for (value, expression) in self.flow.function.expressions.iter() {
            match expression {
                Expression::Member { base, index, .. } => {
                    let member = self
                        .candidates
                        .addresses
                        .get(base)
                        .and_then(|local| self.members.get(local)?.get(*index as usize));
                    if let Some((member, _)) = member {
                        self.target.expressions[value] = Expression::Local(*member);
                    }
                }
                Expression::Extract { value: whole, index } => {
                    let member = self
                        .candidates
                        .wholes
                        .get(whole)
                        .and_then(|local| self.members.get(local)?.get(*index as usize));
                    if let Some((_, ty)) = member {
                        self.target.expressions[value] = Expression::Result(*ty);
                        self.loads.entry(*whole).or_default().push((*index, value));
                    }
                }
                _ => {}
            }
        }
    }

    /// What is stored as a whole, member by member.
    fn values(&mut self) {
        for (id, entry) in self.flow.statements() {
            let StatementKind::Store { pointer, value, .. } = &entry.statement.kind else {
                continue;
            };
            let Some(local) = self.candidates.addresses.get(pointer) else { continue };
            let members = self.members.get(local).cloned().unwrap_or_default();
            let location = entry.statement.location;
            let parts = members
                .iter()
                .enumerate()
                .map(|(index, (_, ty))| self.part(*value, index as u32, *ty, location))
                .collect();
            self.stores.insert(id, parts);
        }
    }

    fn part(&mut self, whole: Value, index: u32, ty: Type, location: Location) -> Value {
        if self.candidates.wholes.contains_key(&whole) {
            let value = self.target.expressions.append(Expression::Result(ty), location);
            self.loads.entry(whole).or_default().push((index, value));
            return value;
        }
        let mut whole = whole;
        // Operands are older than their users, so this ends.
        loop {
            match &self.flow.function.expressions[whole] {
                Expression::Compose { parts, .. } => {
                    if let Some(part) = parts.get(index as usize) {
                        return *part;
                    }
                    break;
                }
                Expression::Insert { value, index: own, part } => {
                    if *own == index {
                        return *part;
                    }
                    whole = *value;
                }
                _ => break,
            }
        }
        if self.candidates.wholes.contains_key(&whole) {
            return self.part(whole, index, ty, location);
        }
        self.target.expressions.append(Expression::Extract { value: whole, index }, location)
    }

    fn block(&mut self, block: &Block) -> Block {
        let mut copied = Block::new();
        for statement in &block.statements {
            let id = StatementId(self.next);
            self.next += 1;
            self.statement(id, statement, &mut copied.statements);
        }
        copied
    }

    fn statement(&mut self, id: StatementId, statement: &Statement, out: &mut Vec<Statement>) {
        let location = statement.location;
        let mut kind = statement.kind.clone();
        match &kind {
            StatementKind::Load { result, .. } => {
                if let Some(local) = self.candidates.wholes.get(result) {
                    let members = self.members.get(local).cloned().unwrap_or_default();
                    for (index, value) in self.loads.remove(result).unwrap_or_default() {
                        let Some((member, _)) = members.get(index as usize) else { continue };
                        let place = Expression::Local(*member);
                        let pointer = self.target.expressions.append(place, location);
                        let access = Access::PLAIN;
                        let kind = StatementKind::Load { result: value, pointer, access };
                        out.push(Statement { kind, location });
                    }
                    return;
                }
            }
            StatementKind::Store { pointer, .. } => {
                if let (Some(parts), Some(local)) =
                    (self.stores.remove(&id), self.candidates.addresses.get(pointer))
                {
                    let members = self.members.get(local).cloned().unwrap_or_default();
                    for ((member, _), value) in members.into_iter().zip(parts) {
                        let place = Expression::Local(member);
                        let pointer = self.target.expressions.append(place, location);
                        let access = Access::PLAIN;
                        let kind = StatementKind::Store { pointer, value, access };
                        out.push(Statement { kind, location });
                    }
                    return;
                }
            }
            _ => {}
        }
        for block in kind.blocks_mut() {
            *block = self.block(block);
        }
        out.push(Statement { kind, location });
    }
}
