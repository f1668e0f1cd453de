//! Which local variables live in registers, and when their values are stored and read.

use std::collections::BTreeMap;

use port_ir::{
    Block, Constant, Conversion, Expression, ExpressionTypes, Function, Handle, Local, LoopTest,
    Module, Statement, StatementKind, Type, Value,
};

use super::Class;
use super::layout::{self, Part};

/// What is known of a function's locals and values before it is compiled. Positions count
/// statements in the order of the text, as the compiler meets them.
pub(crate) struct Prepass {
    /// For each local that lives in registers, its parts by offset.
    pub(crate) promoted: Vec<Option<BTreeMap<u64, Part>>>,
    /// For each expression, the last position that needs it.
    pub(crate) last_use: Vec<u32>,
    /// First and last position of each loop, outermost first.
    pub(crate) loops: Vec<(u32, u32)>,
    /// For each local, the positions of stores to it.
    pub(crate) stores: Vec<Vec<u32>>,
    /// For each local, the positions of its first load and store; the last number if there is none.
    pub(crate) first: Vec<(u32, u32)>,
    /// For each local, whether lanes that are not active never need what it held.
    pub(crate) unmasked: Vec<bool>,
}

/// Where a pointer points in a local.
#[derive(Clone, Copy)]
struct Root {
    local: Handle<Local>,
    /// `None` if that varies.
    offset: Option<u64>,
}

struct Facts<'f> {
    module: &'f Module,
    function: &'f Function,
    types: &'f ExpressionTypes,
    lanes: usize,
    roots: Vec<Option<Root>>,
    escaped: Vec<bool>,
    accesses: Vec<Vec<Part>>,
    position: u32,
    last_use: Vec<u32>,
    loops: Vec<(u32, u32)>,
    stores: Vec<Vec<Site>>,
    loads: Vec<Vec<Site>>,
    /// The constructs around the statement being looked at.
    path: Vec<Around>,
    /// Loops that are continued, by first position.
    continued: Vec<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Around {
    Branch(u32),
    Condition(u32),
    Body(u32),
    Step(u32),
}

struct Site {
    position: u32,
    path: Vec<Around>,
}

/// The constant that an expression is.
pub(crate) fn constant(function: &Function, value: Value) -> Option<Constant> {
    match function.expressions.get(value)? {
        Expression::Constant(constant) => Some(*constant),
        Expression::Zero(Type::Scalar(scalar)) => Some(Constant::from_bits(*scalar, 0)),
        _ => None,
    }
}

impl Prepass {
    pub(crate) fn of(
        module: &Module,
        function: &Function,
        types: &ExpressionTypes,
        lanes: usize,
    ) -> Self {
        let locals = function.locals.len();
        let mut facts = Facts {
            module,
            function,
            types,
            lanes,
            roots: Vec::new(),
            escaped: vec![false; locals],
            accesses: vec![Vec::new(); locals],
            position: 0,
            last_use: vec![0; function.expressions.len()],
            loops: Vec::new(),
            stores: (0..locals).map(|_| Vec::new()).collect(),
            loads: (0..locals).map(|_| Vec::new()).collect(),
            path: Vec::new(),
            continued: Vec::new(),
        };
        facts.find_roots();
        if let Some(body) = &function.body {
            facts.block(body);
        }
        for (handle, expression) in function.expressions.iter().rev() {
            let last = facts.last_use[handle.index()];
            expression.for_each_operand(|operand| {
                let known = &mut facts.last_use[operand.index()];
                *known = (*known).max(last);
            });
        }
        let unmasked = function.locals.handles().map(|local| facts.is_unmasked(local)).collect();
        let promoted =
            function.locals.handles().map(|local| facts.promote(local.index())).collect();
        let first =
            |sites: &[Site]| sites.iter().map(|site| site.position).min().unwrap_or(u32::MAX);
        let first =
            facts.loads.iter().zip(&facts.stores).map(|(l, s)| (first(l), first(s))).collect();
        Prepass {
            promoted,
            first,
            last_use: facts.last_use,
            loops: facts.loops,
            stores: facts
                .stores
                .iter()
                .map(|sites| sites.iter().map(|site| site.position).collect())
                .collect(),
            unmasked,
        }
    }

    /// Whether what is loaded from a local at `position` may be read from the local's register: it
    /// is not stored to before the last use.
    pub(crate) fn may_alias(&self, local: Handle<Local>, result: Value, position: u32) -> bool {
        let last = self.last_use.get(result.index()).copied().unwrap_or(0);
        // A use in a loop that begins after the load may come again after everything in the loop.
        let around = self
            .loops
            .iter()
            .find(|(first, end)| position < *first && *first <= last && last <= *end);
        let stores = &self.stores[local.index()];
        match around {
            Some((_, end)) => !stores.iter().any(|store| position < *store && store <= end),
            None => !stores.iter().any(|store| position < *store && *store < last),
        }
    }
}

impl Facts<'_> {
    fn find_roots(&mut self) {
        let function = self.function;
        for (_, expression) in function.expressions.iter() {
            let root_of = |value: &Value| self.roots.get(value.index()).copied().flatten();
            let moved = |root: Root, by: Option<u64>| Root {
                offset: root.offset.zip(by).map(|(offset, by)| offset.wrapping_add(by)),
                ..root
            };
            let mut escapes = true;
            let root = match expression {
                Expression::Local(local) => Some(Root { local: *local, offset: Some(0) }),
                Expression::Member { base, structure, index } => root_of(base).map(|root| {
                    escapes = false;
                    let types = &self.module.types;
                    let member = types.structs().get(*structure);
                    let member = member.and_then(|s| s.members.get(*index as usize));
                    moved(root, member.map(|member| member.offset))
                }),
                Expression::Element { base, element, index } => root_of(base).map(|root| {
                    escapes = false;
                    let size = layout::size_of(&self.module.types, *element, self.lanes);
                    let index = constant(function, *index).and_then(|c| c.as_integer());
                    let by = size.zip(index).map(|(size, index)| size.wrapping_mul(index as u64));
                    moved(root, by)
                }),
                Expression::FragmentElement { base, fragment, index } => {
                    root_of(base).map(|root| {
                        escapes = false;
                        let size = fragment.element.storage().size();
                        let index = constant(function, *index).and_then(|c| c.as_integer());
                        moved(root, index.map(|index| size.wrapping_mul(index as u64)))
                    })
                }
                Expression::Convert { kind: Conversion::Space, value, .. } => {
                    root_of(value).inspect(|_| escapes = false)
                }
                _ => None,
            };
            if escapes {
                let mut escaped = Vec::new();
                expression.for_each_operand(|operand| {
                    escaped.extend(root_of(&operand).map(|root| root.local));
                });
                for local in escaped {
                    self.escaped[local.index()] = true;
                }
            }
            self.roots.push(root);
        }
    }

    fn escape(&mut self, value: Value) {
        if let Some(Some(root)) = self.roots.get(value.index()) {
            self.escaped[root.local.index()] = true;
        }
    }

    fn access(&mut self, pointer: Value, ty: Type, is_store: bool) {
        let Some(Some(root)) = self.roots.get(pointer.index()).copied() else { return };
        let index = root.local.index();
        let site = Site { position: self.position, path: self.path.clone() };
        if is_store {
            self.stores[index].push(site);
        } else {
            self.loads[index].push(site);
        }
        let parts = layout::parts(&self.module.types, ty, self.lanes);
        match (root.offset, parts) {
            (Some(offset), Some(parts)) => {
                let moved = |part: Part| Part { offset: part.offset.wrapping_add(offset), ..part };
                self.accesses[index].extend(parts.into_iter().map(moved));
            }
            _ => self.escaped[index] = true,
        }
    }

    fn block(&mut self, block: &Block) {
        for statement in &block.statements {
            self.statement(statement);
        }
    }

    fn inside(&mut self, around: Around, block: &Block) {
        self.path.push(around);
        self.block(block);
        self.path.pop();
    }

    fn statement(&mut self, statement: &Statement) {
        self.position += 1;
        let position = self.position;
        for operand in statement.kind.operands() {
            let known = &mut self.last_use[operand.index()];
            *known = (*known).max(position);
        }
        match &statement.kind {
            StatementKind::Load { result, pointer, .. } => {
                self.access(*pointer, self.types.get(*result), false);
            }
            StatementKind::Store { pointer, value, .. } => {
                self.access(*pointer, self.types.get(*value), true);
                self.escape(*value);
            }
            StatementKind::Prefetch { .. } => {}
            StatementKind::Block(block) => self.block(block),
            StatementKind::If { accept, reject, .. } => {
                self.inside(Around::Branch(position), accept);
                self.inside(Around::Branch(position), reject);
            }
            StatementKind::Switch { cases, .. } => {
                for case in cases {
                    self.inside(Around::Branch(position), &case.body);
                }
            }
            StatementKind::Loop(looping) => {
                let index = self.loops.len();
                self.loops.push((position, position));
                let condition = |facts: &mut Self| {
                    facts.inside(Around::Condition(position), &looping.condition);
                    facts.position += 1;
                    if let Some(test) = looping.test {
                        let known = &mut facts.last_use[test.index()];
                        *known = (*known).max(facts.position);
                    }
                };
                if looping.when == LoopTest::Before {
                    condition(self);
                }
                self.inside(Around::Body(position), &looping.body);
                self.inside(Around::Step(position), &looping.step);
                if looping.when == LoopTest::After {
                    condition(self);
                }
                self.position += 1;
                self.loops[index].1 = self.position;
            }
            StatementKind::Continue => {
                let around = self.path.iter().rev().find_map(|around| match around {
                    Around::Body(position) => Some(*position),
                    _ => None,
                });
                self.continued.extend(around);
            }
            other => {
                for operand in other.operands() {
                    self.escape(operand);
                }
            }
        }
    }

    /// The counter of a loop: stored once before the loop in its block, then by all lanes that go
    /// on, and read in the loop alone. Lanes that are not active never read what they held.
    fn is_unmasked(&self, local: Handle<Local>) -> bool {
        let (stores, loads) = (&self.stores[local.index()], &self.loads[local.index()]);
        let Some(first) = stores.iter().min_by_key(|site| site.position) else { return false };
        let depth = first.path.len();
        let loop_of = |site: &Site| match site.path.get(depth) {
            Some(Around::Condition(at) | Around::Body(at) | Around::Step(at))
                if site.path[..depth] == first.path[..] && *at > first.position =>
            {
                Some(*at)
            }
            _ => None,
        };
        let Some(around) = loads.first().and_then(loop_of) else { return false };
        loads.iter().all(|site| loop_of(site) == Some(around))
            && stores.iter().all(|site| {
                site.position == first.position
                    || match site.path.get(depth..) {
                        Some([Around::Step(at)]) => *at == around,
                        Some([Around::Body(at)]) => {
                            *at == around && !self.continued.contains(&around)
                        }
                        _ => false,
                    } && site.path[..depth] == first.path[..]
            })
    }

    fn promote(&self, local: usize) -> Option<BTreeMap<u64, Part>> {
        if self.escaped[local] {
            return None;
        }
        let mut parts: BTreeMap<u64, Part> = BTreeMap::new();
        for access in &self.accesses[local] {
            let known = parts.entry(access.offset).or_insert(*access);
            let (a, b) = (known.scalar, access.scalar);
            let narrow = known.class() == Class::W && a.size() < 4;
            if a.size() != b.size() || known.class() != access.class() || narrow && a != b {
                return None;
            }
        }
        let mut end = 0;
        for part in parts.values() {
            if part.offset < end {
                return None;
            }
            end = part.end();
        }
        (parts.len() <= layout::MOST_PARTS).then_some(parts)
    }
}
