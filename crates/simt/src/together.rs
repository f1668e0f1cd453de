//! Which kernels may run several blocks in lockstep.
//!
//! Blocks of one unit execute each instruction together, which pays: an instruction costs about as much
//! for 256 lanes as for 1024. What a block does must not depend on how far its neighbours are, or the
//! outcome would not be that of blocks one after the other. So nothing here may order blocks or tell
//! their order: operations on global memory that are atomic (but for sums and the like of integers whose
//! old values nobody asks for), volatile accesses, fences beyond the block, clocks, and output.

//!
//! Blocks of a program without races do not read what others write. One with races shows their order,
//! so what a kernel writes to global memory is looked at too: a buffer that it stores to is only loaded
//! from the same places, which are not the same for all blocks; one that it updates is updated in one
//! way and not loaded at all. Whether two of its pointers lead to one buffer, a launch knows.

use std::collections::{HashMap, HashSet};

use port_ir::{
    AtomicOp, BarrierScope, Block, Builtin, Conversion, Expression, ExpressionTypes, Function,
    Handle, Local, MemoryScope, Module, Space, StatementKind as S, Type, Value,
};

/// What was found of a kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Together {
    /// Whether blocks may advance together.
    pub(crate) possible: bool,
    /// Whether their threads must fill whole warps for that.
    pub(crate) whole_warps: bool,
    /// What is accessed, and whether it is written.
    pub(crate) roots: Vec<(Root, bool)>,
}

/// Where a pointer comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// A parameter, by its number.
    Argument(u32),
    /// A variable of the module, by its name.
    Variable(String),
}

/// Looks at a kernel with all that it calls: the functions of a module that have a body.
pub(crate) fn find(module: &Module) -> Together {
    let mut found = Together { possible: true, ..Together::default() };
    for (_, function) in module.functions.iter() {
        let Some(body) = &function.body else { continue };
        let types = ExpressionTypes::of(module, function);
        let mut look = Look {
            module,
            function,
            types: &types,
            kernel: function.is_kernel(),
            results: HashMap::new(),
            assigned: HashMap::new(),
            sites: Vec::new(),
        };
        found.possible &= function.expressions.iter().all(|(_, it)| is_free(it));
        let mut blocks: Vec<(&Block, bool)> = vec![(body, false)];
        while let Some((block, repeats)) = blocks.pop() {
            for statement in &block.statements {
                found.possible &= look.is_free(&statement.kind);
                found.whole_warps |= is_of_warps(&statement.kind);
                look.note(&statement.kind, repeats);
                let repeats = repeats || matches!(statement.kind, S::Loop(_));
                blocks.extend(statement.kind.blocks().into_iter().map(|block| (block, repeats)));
            }
        }
        found.possible = found.possible && look.keeps_apart(&mut found.roots);
    }
    found
}

/// Shared memory has an address of its own in each block of a unit, so none that fits in a word.
fn is_free(expression: &Expression) -> bool {
    !matches!(
        expression,
        Expression::Convert { kind: Conversion::SharedOffset | Conversion::SharedPointer, .. }
            | Expression::FragmentElement { .. }
            | Expression::FragmentLength(_)
    )
}

fn is_of_warps(kind: &S) -> bool {
    matches!(
        kind,
        S::Shuffle { .. }
            | S::Vote { .. }
            | S::Match { .. }
            | S::ActiveMask { .. }
            | S::WarpReduce { .. }
            | S::Elect { .. }
            | S::Barrier { scope: BarrierScope::Warp, .. }
    )
}

/// How an access changes memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Load,
    Store,
    Change(AtomicOp),
    /// Of many bytes, or in an order that is not looked at.
    Other,
}

/// An access to memory that blocks share.
struct Site {
    pointer: Value,
    root: Option<Root>,
    effect: Effect,
    repeats: bool,
}

struct Look<'f> {
    module: &'f Module,
    function: &'f Function,
    types: &'f ExpressionTypes,
    kernel: bool,
    /// What the results of statements are made from.
    results: HashMap<Value, Vec<Value>>,
    /// What is stored to local variables.
    assigned: HashMap<Handle<Local>, Vec<Value>>,
    sites: Vec<Site>,
}

/// How deep expressions are compared.
const DEEP: usize = 32;

impl Look<'_> {
    /// Whether what a pointer names belongs to a block or a thread.
    fn is_own(&self, pointer: Value) -> bool {
        self.function.expressions.get(pointer).is_some()
            && matches!(self.types.get(pointer), Type::Pointer(Space::Shared | Space::Local))
    }

    fn is_free(&self, kind: &S) -> bool {
        match kind {
            S::Load { pointer, access, .. } | S::Store { pointer, access, .. } => {
                self.is_own(*pointer) || !access.volatile && access.atomic.is_none()
            }
            S::Atomic { result, op, pointer, value, .. } => {
                let integers = self.types.get(*value).scalar().is_some_and(|it| it.is_integer());
                let sums = matches!(
                    op,
                    AtomicOp::Add
                        | AtomicOp::Subtract
                        | AtomicOp::Minimum
                        | AtomicOp::Maximum
                        | AtomicOp::And
                        | AtomicOp::Or
                        | AtomicOp::Xor
                );
                self.is_own(*pointer) || integers && sums && result.is_none()
            }
            S::Fence { ordering } => ordering.scope == MemoryScope::Block,
            S::Barrier { scope, named, reduce, .. } => match scope {
                BarrierScope::Warp => true,
                BarrierScope::Block => named.is_none() && reduce.is_none(),
                _ => false,
            },
            S::MatrixLoad { .. }
            | S::MatrixStore { .. }
            | S::MatrixMultiply { .. }
            | S::Print { .. }
            | S::Assert { .. }
            | S::Trap
            | S::Clock { .. }
            | S::Sleep { .. }
            | S::Unsupported { .. } => false,
            _ => true,
        }
    }

    /// Notes what a statement computes, stores and accesses.
    fn note(&mut self, kind: &S, repeats: bool) {
        for result in kind.results() {
            self.results.insert(result, kind.operands());
        }
        match kind {
            S::Load { pointer, .. } => self.access(*pointer, Effect::Load, repeats),
            S::Store { pointer, value, .. } => {
                if let Some(local) = self.local(*pointer) {
                    self.assigned.entry(local).or_default().push(*value);
                }
                self.access(*pointer, Effect::Store, repeats);
            }
            S::Atomic { op, pointer, .. } => self.access(*pointer, Effect::Change(*op), repeats),
            S::Copy { destination, source, .. } => {
                self.access(*destination, Effect::Other, repeats);
                self.access(*source, Effect::Load, repeats);
            }
            S::Fill { destination, .. } => self.access(*destination, Effect::Other, repeats),
            S::AsyncCopy(copy) => {
                self.access(copy.destination, Effect::Other, repeats);
                self.access(copy.source, Effect::Load, repeats);
            }
            _ => {}
        }
    }

    fn access(&mut self, pointer: Value, effect: Effect, repeats: bool) {
        let constant = self.types.get(pointer) == Type::Pointer(Space::Constant);
        if !self.is_own(pointer) && !constant && self.local(pointer).is_none() {
            self.sites.push(Site { pointer, root: None, effect, repeats });
        }
    }

    /// The local variable that a pointer leads into.
    fn local(&self, pointer: Value) -> Option<Handle<Local>> {
        let mut pointer = pointer;
        loop {
            match self.function.expressions.get(pointer)? {
                Expression::Local(local) => return Some(*local),
                Expression::Element { base, .. } | Expression::Member { base, .. } => {
                    pointer = *base
                }
                Expression::Convert { kind: Conversion::Space, value, .. } => pointer = *value,
                _ => return None,
            }
        }
    }

    /// Whether blocks do not meet in what the kernel writes; adds what it accesses.
    fn keeps_apart(&mut self, roots: &mut Vec<(Root, bool)>) -> bool {
        let mut sites = std::mem::take(&mut self.sites);
        for site in &mut sites {
            site.root = self.root(site.pointer, &mut HashSet::new());
        }
        if sites.iter().all(|site| site.effect == Effect::Load) && self.kernel {
            return true;
        }
        for site in &sites {
            // Arguments of functions are not followed.
            let Some(root) = site.root.as_ref().filter(|_| self.kernel) else { return false };
            let writes = site.effect != Effect::Load;
            match roots.iter_mut().find(|(known, _)| known == root) {
                Some((_, known)) => *known |= writes,
                None => roots.push((root.clone(), writes)),
            }
            let others = || sites.iter().filter(|other| other.root == site.root);
            let fine = match site.effect {
                Effect::Load => true,
                Effect::Other => false,
                Effect::Change(_) => others().all(|other| other.effect == site.effect),
                Effect::Store => {
                    let once = !site.repeats && others().count() == 1;
                    others().all(|other| match other.effect {
                        Effect::Store => true,
                        Effect::Load => others().any(|store| {
                            store.effect == Effect::Store
                                && self.same(store.pointer, other.pointer, DEEP)
                        }),
                        _ => false,
                    }) && (once || self.is_of_block(site.pointer))
                }
            };
            if !fine {
                return false;
            }
        }
        true
    }

    /// Where a pointer comes from.
    fn root(&self, pointer: Value, seen: &mut HashSet<Value>) -> Option<Root> {
        if !seen.insert(pointer) {
            return None;
        }
        match self.function.expressions.get(pointer)? {
            Expression::Argument(index) => Some(Root::Argument(*index)),
            Expression::Variable(variable) => {
                Some(Root::Variable(self.module.variables.get(*variable)?.name.clone()))
            }
            Expression::Element { base, .. } | Expression::Member { base, .. } => {
                self.root(*base, seen)
            }
            Expression::Convert { kind: Conversion::Space, value, .. } => self.root(*value, seen),
            Expression::Result(_) => {
                let [from] = &self.results.get(&pointer)?[..] else { return None };
                let stored = self.assigned.get(&self.local(*from)?)?;
                // A pointer that moves is stored as itself with an offset.
                let new = stored.iter().filter(|value| !seen.contains(value));
                let mut roots = new.map(|value| self.root(*value, &mut seen.clone()));
                let first = roots.next()??;
                roots.all(|root| root.as_ref().is_none_or(|root| *root == first)).then_some(first)
            }
            _ => None,
        }
    }

    /// Whether two pointers are computed in the same way.
    fn same(&self, a: Value, b: Value, deep: usize) -> bool {
        let expressions = &self.function.expressions;
        let (Some(first), Some(second)) = (expressions.get(a), expressions.get(b)) else {
            return false;
        };
        if a == b {
            return true;
        }
        if deep == 0 {
            return false;
        }
        match (first, second) {
            (Expression::Result(_), Expression::Result(_)) => {
                match (self.results.get(&a).map(Vec::as_slice), self.results.get(&b)) {
                    (Some([a]), Some(other)) => {
                        self.local(*a).is_some()
                            && matches!(&other[..], [b] if self.same(*a, *b, deep - 1))
                    }
                    _ => false,
                }
            }
            (first, second) => {
                std::mem::discriminant(first) == std::mem::discriminant(second)
                    && same_but_operands(first, second)
                    && first.operands().len() == second.operands().len()
                    && first
                        .operands()
                        .into_iter()
                        .zip(second.operands())
                        .all(|(a, b)| self.same(a, b, deep - 1))
            }
        }
    }

    /// Whether a value may differ between blocks by their index.
    fn is_of_block(&self, value: Value) -> bool {
        let mut pending = vec![value];
        let mut seen = HashSet::new();
        while let Some(value) = pending.pop() {
            if !seen.insert(value) {
                continue;
            }
            match self.function.expressions.get(value) {
                Some(Expression::Builtin(Builtin::BlockIndex(_))) => return true,
                Some(Expression::Result(_)) => {
                    for operand in self.results.get(&value).into_iter().flatten() {
                        pending.push(*operand);
                        let stored = self.local(*operand).and_then(|it| self.assigned.get(&it));
                        pending.extend(stored.into_iter().flatten());
                    }
                }
                Some(expression) => expression.for_each_operand(|operand| pending.push(operand)),
                None => {}
            }
        }
        false
    }
}

/// Whether two expressions of one kind differ in nothing but their operands.
fn same_but_operands(a: &Expression, b: &Expression) -> bool {
    use Expression as E;
    match (a, b) {
        (E::Element { element: a, .. }, E::Element { element: b, .. }) => a == b,
        (E::Member { structure: a, index: i, .. }, E::Member { structure: b, index: j, .. }) => {
            a == b && i == j
        }
        (E::Integer { op: a, .. }, E::Integer { op: b, .. }) => a == b,
        (E::Convert { kind: a, to: s, .. }, E::Convert { kind: b, to: t, .. }) => a == b && s == t,
        _ => a == b,
    }
}
