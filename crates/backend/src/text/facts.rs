//! The tree of a function's blocks, where its values are used, and which of them get a name of
//! their own.

use std::collections::BTreeMap;

use port_ir::analysis::flow::{Flow, StatementId};
use port_ir::analysis::program::Program;
use port_ir::analysis::uniformity::{FunctionUniformity, ModuleUniformity, Uniformity};
use port_ir::{
    Block, Conversion, Expression, Function, Handle, Local, LoopTest, MathFunction, Module,
    Statement, StatementKind, Type, Value,
};

/// A block of statements, by number.
pub type BlockId = usize;

/// The end of a block: where the test of a loop is read.
pub const END: u32 = u32::MAX;

/// Before a statement of a block, or at its [`END`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The block.
    pub block: BlockId,
    /// The number of the statement, or [`END`].
    pub key: u32,
}

/// A block.
#[derive(Clone, Debug)]
pub struct BlockNode {
    /// Where it stands in the block whose names it sees.
    pub parent: Option<Position>,
    /// How many blocks are around it.
    pub depth: usize,
    /// Its statements, in order.
    pub statements: Vec<StatementId>,
}

/// What is known of a function before its text is made.
pub struct Facts<'c, 'a> {
    /// The module.
    pub module: &'a Module,
    /// The function.
    pub function: &'a Function,
    /// Its handle.
    pub handle: Handle<Function>,
    /// Its statements and where values come from.
    pub flow: &'c Flow<'a>,
    /// What its threads agree on.
    pub uniformity: &'c FunctionUniformity,
    /// The tree of blocks.
    pub blocks: Vec<BlockNode>,
    /// The block of each statement.
    pub block_of: Vec<BlockId>,
    /// The blocks inside each statement: of a loop its condition, body and step; else in order.
    pub children: Vec<Vec<BlockId>>,
    /// Where each value is read: by statements, and by expressions that have a name.
    pub uses: Vec<Vec<Position>>,
    /// Where the values that get a name are best declared.
    pub named: BTreeMap<Value, Position>,
    /// The same by place.
    pub named_at: BTreeMap<Position, Vec<Value>>,
    /// Locals that are only ever loaded and stored whole: variables.
    pub is_variable: Vec<bool>,
    /// The statements that load, store or otherwise reach each local.
    pub accesses: Vec<Vec<StatementId>>,
    /// The statements that write each variable.
    pub stores: Vec<Vec<StatementId>>,
    /// Loads of variables whose value is still in the variable wherever it is read.
    pub folded: Vec<bool>,
    /// Loads of memory that happen where their one reader stands.
    pub folded_memory: Vec<bool>,
}

impl<'c, 'a> Facts<'c, 'a> {
    /// The last position from which all of these are seen.
    pub fn common_position(&self, places: &[Position]) -> Option<Position> {
        let mut result = *places.first()?;
        for place in places {
            let (mut a, mut b) = (result, *place);
            while a.block != b.block {
                let (depth_a, depth_b) = (self.blocks[a.block].depth, self.blocks[b.block].depth);
                if depth_a >= depth_b {
                    a = self.blocks[a.block].parent?;
                }
                if depth_b >= depth_a && a.block != b.block {
                    b = self.blocks[b.block].parent?;
                }
            }
            result = Position { block: a.block, key: a.key.min(b.key) };
        }
        Some(result)
    }

    /// The loop or switch that a break or continue jumps to.
    pub fn jump_target(&self, id: StatementId) -> Option<StatementId> {
        let continues = matches!(self.kind(id), StatementKind::Continue);
        self.flow.parents(id).map(|(parent, _)| parent).find(|parent| match self.kind(*parent) {
            StatementKind::Loop(_) => true,
            StatementKind::Switch { .. } => !continues,
            _ => false,
        })
    }

    /// What is known of a function.
    pub fn of(
        program: &'c Program<'a>,
        uniformity: &'c ModuleUniformity,
        handle: Handle<Function>,
    ) -> Self {
        let flow = program.flow(handle);
        let function = flow.function;
        let statements = flow.statements().count();
        let values = function.expressions.len();
        let mut facts = Facts {
            module: program.module,
            function,
            handle,
            flow,
            uniformity: uniformity.function(handle),
            blocks: Vec::new(),
            block_of: vec![0; statements],
            children: vec![Vec::new(); statements],
            uses: vec![Vec::new(); values],
            named: BTreeMap::new(),
            named_at: BTreeMap::new(),
            is_variable: vec![true; function.locals.len()],
            accesses: vec![Vec::new(); function.locals.len()],
            stores: vec![Vec::new(); function.locals.len()],
            folded: vec![false; values],
            folded_memory: vec![false; values],
        };
        if let Some(body) = &function.body {
            let mut next = 0;
            facts.number(body, None, &mut next);
            facts.find_uses();
            facts.find_locals();
            facts.find_folded();
        }
        facts
    }

    fn number(&mut self, block: &'a Block, parent: Option<Position>, next: &mut u32) -> BlockId {
        let id = self.blocks.len();
        let depth = parent.map_or(0, |parent| self.blocks[parent.block].depth + 1);
        self.blocks.push(BlockNode { parent, depth, statements: Vec::new() });
        for statement in &block.statements {
            let number = StatementId(*next);
            *next += 1;
            self.block_of[number.index()] = id;
            self.blocks[id].statements.push(number);
            let here = Some(Position { block: id, key: number.0 });
            let children = match &statement.kind {
                StatementKind::Loop(looping) if looping.when == LoopTest::Before => {
                    let condition = self.number(&looping.condition, here, next);
                    let inside = Some(Position { block: condition, key: END });
                    let body = self.number(&looping.body, inside, next);
                    let step = self.number(&looping.step, inside, next);
                    vec![condition, body, step]
                }
                StatementKind::Loop(looping) => {
                    let body = self.number(&looping.body, here, next);
                    let step = self.number(&looping.step, here, next);
                    let condition = self.number(&looping.condition, here, next);
                    vec![condition, body, step]
                }
                other => {
                    let blocks = other.blocks();
                    blocks.into_iter().map(|inner| self.number(inner, here, next)).collect()
                }
            };
            self.children[number.index()] = children;
        }
        id
    }

    /// A statement.
    pub fn statement(&self, id: StatementId) -> &'a Statement {
        self.flow.entry(id).statement
    }

    /// What a statement does.
    pub fn kind(&self, id: StatementId) -> &'a StatementKind {
        &self.statement(id).kind
    }

    /// An expression.
    pub fn expression(&self, value: Value) -> &'a Expression {
        &self.function.expressions[value]
    }

    /// The type of a value.
    pub fn ty(&self, value: Value) -> Type {
        self.flow.types.get(value)
    }

    /// One past the last statement inside.
    pub fn end(&self, id: StatementId) -> u32 {
        self.flow.entry(id).end.0
    }

    /// Where a statement stands.
    pub fn position(&self, id: StatementId) -> Position {
        Position { block: self.block_of[id.index()], key: id.0 }
    }

    /// Where the test of a loop is read.
    pub fn test_position(&self, id: StatementId) -> Option<Position> {
        let condition = *self.children[id.index()].first()?;
        Some(Position { block: condition, key: END })
    }

    /// The position in `block` that a position lies in or at; `None` if it lies elsewhere.
    pub fn within(&self, position: Position, block: BlockId) -> Option<u32> {
        let mut at = position;
        while at.block != block {
            at = self.blocks[at.block].parent?;
        }
        Some(at.key)
    }

    /// Whether all threads of a block that read a value get the same.
    pub fn is_uniform(&self, value: Value) -> bool {
        self.uniformity.value(value) <= Uniformity::Block
    }

    /// The variable that a value is the address of.
    pub fn variable(&self, pointer: Value) -> Option<Handle<Local>> {
        match self.expression(pointer) {
            Expression::Local(local) if self.is_variable[local.index()] => Some(*local),
            _ => None,
        }
    }

    /// Whether a statement loads a variable.
    pub fn folded_name(&self, id: StatementId) -> bool {
        match self.kind(id) {
            StatementKind::Load { pointer, .. } => self.variable(*pointer).is_some(),
            _ => false,
        }
    }

    // Uses.

    fn find_uses(&mut self) {
        for index in 0..self.block_of.len() {
            let id = StatementId(index as u32);
            let position = self.position(id);
            for operand in self.kind(id).operands() {
                self.uses[operand.index()].push(position);
            }
            if let StatementKind::Loop(looping) = self.kind(id)
                && let (Some(test), Some(position)) = (looping.test, self.test_position(id))
            {
                self.uses[test.index()].push(position);
            }
        }
        // Users are younger than what they use.
        for value in self.function.expressions.handles().rev() {
            let expression = self.expression(value);
            if self.uses[value.index()].is_empty() || matches!(expression, Expression::Result(_)) {
                continue;
            }
            let mut places = self.uses[value.index()].clone();
            if places.len() > 1 && self.deserves_name(value) {
                let place = self.common(&places);
                self.named.insert(value, place);
                self.named_at.entry(place).or_default().push(value);
                places = vec![place];
            }
            expression.for_each_operand(|operand| {
                self.uses[operand.index()].extend(&places);
            });
        }
        for values in self.named_at.values_mut() {
            values.sort_unstable();
        }
    }

    /// Whether a value that is read at several places is computed once.
    fn deserves_name(&self, value: Value) -> bool {
        let named = self.function.names.contains_key(&value);
        match self.expression(value) {
            expression if expression.is_leaf() => false,
            Expression::Convert { value: inner, kind, .. } => match kind {
                Conversion::Space => named && !self.points_at_local(value),
                Conversion::Bits | Conversion::ZeroExtend | Conversion::SignExtend => {
                    named || !self.expression(*inner).is_leaf()
                }
                _ => true,
            },
            // An address is a part of the access that uses it, unless the user named it.
            Expression::Element { .. } | Expression::Member { .. } => {
                named && !self.points_at_local(value)
            }
            Expression::FragmentElement { .. } => false,
            _ => true,
        }
    }

    fn points_at_local(&self, pointer: Value) -> bool {
        matches!(self.flow.root(pointer), port_ir::analysis::flow::Root::Local(_))
    }

    /// The innermost position that comes before all of some positions and is seen by them.
    fn common(&self, places: &[Position]) -> Position {
        let mut result = places[0];
        for place in &places[1..] {
            let (mut a, mut b) = (result, *place);
            while a.block != b.block {
                let (depth_a, depth_b) = (self.blocks[a.block].depth, self.blocks[b.block].depth);
                if depth_a >= depth_b {
                    a = self.blocks[a.block].parent.unwrap_or(a);
                }
                if depth_b >= depth_a && a.block != b.block {
                    b = self.blocks[b.block].parent.unwrap_or(b);
                }
            }
            result = Position { block: a.block, key: a.key.min(b.key) };
        }
        result
    }

    /// A rough cost of computing a value again, in additions.
    pub fn cost(&self, value: Value, depth: u32) -> u32 {
        if depth == 0 {
            return 100;
        }
        let own: u32 = match self.expression(value) {
            Expression::Math { function, .. } => match function {
                MathFunction::PopulationCount
                | MathFunction::CountLeadingZeros
                | MathFunction::FindFirstSet
                | MathFunction::Multiply24
                | MathFunction::IsNan => 1,
                _ => 20,
            },
            Expression::Float { op: port_ir::FloatOp::Divide, .. } => 8,
            Expression::Integer {
                op: port_ir::IntegerOp::Divide | port_ir::IntegerOp::Remainder,
                right,
                ..
            } => match self.expression(*right) {
                Expression::Constant(_) => 1,
                _ => 8,
            },
            Expression::FusedMultiplyAdd { .. } => 3,
            Expression::Result(_) => return 0,
            expression if expression.is_leaf() => 0,
            Expression::Convert { .. } => 0,
            _ => 1,
        };
        let mut cost = own;
        self.expression(value).for_each_operand(|operand| {
            cost = cost.saturating_add(self.cost(operand, depth - 1));
        });
        cost
    }

    /// Whether computing a value may stop the program: a division of integers by what may be zero.
    pub fn may_trap(&self, value: Value) -> bool {
        let mut work = vec![value];
        let mut seen = std::collections::BTreeSet::new();
        while let Some(value) = work.pop() {
            if !seen.insert(value) {
                continue;
            }
            if let Expression::Integer {
                op: port_ir::IntegerOp::Divide | port_ir::IntegerOp::Remainder,
                right,
                ..
            } = self.expression(value)
                && !matches!(self.expression(*right), Expression::Constant(_))
            {
                return true;
            }
            work.extend(self.expression(value).operands());
        }
        false
    }

    /// What a variable holds that was set to `a && b`: the operands, if so.
    pub fn conjunction(&self, value: Value) -> Option<(Value, Value)> {
        let definer = self.flow.definer(value)?;
        let StatementKind::Load { pointer, .. } = self.kind(definer) else { return None };
        let local = self.variable(*pointer)?;
        let [first, second] = self.stores[local.index()][..] else { return None };
        let arm = |store: StatementId| self.blocks[self.block_of[store.index()]].parent;
        let owner = StatementId(arm(first).filter(|place| Some(*place) == arm(second))?.key);
        let StatementKind::If { condition, .. } = self.kind(owner) else { return None };
        let [accept, reject] = self.children[owner.index()][..] else { return None };
        if self.block_of[first.index()] != accept || self.block_of[second.index()] != reject {
            return None;
        }
        // The load comes after the `if`, each time that it comes.
        let key = self.within(self.position(definer), self.block_of[owner.index()])?;
        let (StatementKind::Store { value: yes, .. }, StatementKind::Store { value: no, .. }) =
            (self.kind(first), self.kind(second))
        else {
            return None;
        };
        let Expression::Constant(no) = self.expression(*no) else { return None };
        (no.bits == 0 && self.ty(*yes) == Type::BOOL && key != END && key > owner.0)
            .then_some((*condition, *yes))
    }

    // Locals.

    fn find_locals(&mut self) {
        // Whoever reads an address otherwise than to load or store the whole variable.
        for (value, expression) in self.function.expressions.iter() {
            if self.uses[value.index()].is_empty() {
                continue;
            }
            expression.for_each_operand(|operand| {
                if let Expression::Local(local) = self.expression(operand) {
                    self.is_variable[local.index()] = false;
                }
            });
        }
        for index in 0..self.block_of.len() {
            let id = StatementId(index as u32);
            let direct = match self.kind(id) {
                StatementKind::Load { result, pointer, access } => {
                    Some((*pointer, self.ty(*result), access))
                }
                StatementKind::Store { pointer, value, access } => {
                    Some((*pointer, self.ty(*value), access))
                }
                _ => None,
            };
            for operand in self.kind(id).operands() {
                self.note_access(id, operand);
                let Expression::Local(local) = self.expression(operand) else { continue };
                let ty = self.function.locals[*local].ty;
                let whole = direct.is_some_and(|(pointer, accessed, access)| {
                    pointer == operand && accessed == ty && !access.volatile
                });
                // A variable's own address stored to it would be both operands.
                let twice = matches!(self.kind(id),
                    StatementKind::Store { pointer, value, .. } if pointer == value);
                if !whole || twice {
                    self.is_variable[local.index()] = false;
                }
            }
            if let StatementKind::Store { pointer, .. } = self.kind(id)
                && let Expression::Local(local) = self.expression(*pointer)
            {
                self.stores[local.index()].push(id);
            }
            if let StatementKind::Loop(looping) = self.kind(id)
                && let Some(test) = looping.test
            {
                self.note_access(id, test);
            }
        }
    }

    /// Notes that a statement reads something computed from the address of a local.
    fn note_access(&mut self, id: StatementId, value: Value) {
        let mut work = vec![value];
        let mut seen = std::collections::BTreeSet::new();
        while let Some(value) = work.pop() {
            if !seen.insert(value) {
                continue;
            }
            match self.expression(value) {
                Expression::Local(local) => {
                    let list = &mut self.accesses[local.index()];
                    if list.last() != Some(&id) {
                        list.push(id);
                    }
                }
                other => work.extend(other.operands()),
            }
        }
    }

    fn find_folded(&mut self) {
        for index in 0..self.block_of.len() {
            let id = StatementId(index as u32);
            let StatementKind::Load { result, pointer, access } = self.kind(id) else { continue };
            if access.volatile || access.atomic.is_some() {
                continue;
            }
            match self.variable(*pointer) {
                Some(local) => {
                    let uses = &self.uses[result.index()];
                    let fits = uses.iter().all(|place| !self.written_between(local, id, *place));
                    self.folded[result.index()] = fits;
                }
                None => self.folded_memory[result.index()] = self.folds_into_reader(id, *result),
            }
        }
    }

    /// Whether a variable may be written after `id` and before `place`.
    fn written_between(&self, local: Handle<Local>, id: StatementId, place: Position) -> bool {
        let block = self.block_of[id.index()];
        let Some(key) = self.within(place, block) else { return true };
        let nested = place.block != block;
        let stores = &self.stores[local.index()];
        if key == END {
            // Read in the body or the step of the loop whose condition this is, or in its test.
            let Some(owner) = self.blocks[block].parent else { return true };
            let end = if nested {
                self.end(StatementId(owner.key))
            } else {
                self.blocks[block].statements.last().map_or(id.0, |last| self.end(*last))
            };
            return stores.iter().any(|store| {
                let inside = nested && store.0 > owner.key && store.0 < end;
                inside || (store.0 > id.0 && store.0 < end)
            });
        }
        let end = if nested { self.end(StatementId(key)) } else { key };
        stores.iter().any(|store| store.0 > id.0 && store.0 < end)
    }

    /// Whether a load may happen where its value is read: there is one reader, in the same block,
    /// and nothing but loads and variables between.
    fn folds_into_reader(&self, id: StatementId, result: Value) -> bool {
        let [place] = &self.uses[result.index()][..] else { return false };
        let block = self.block_of[id.index()];
        if place.block != block || place.key == END || self.function.names.contains_key(&result) {
            return false;
        }
        let reader = StatementId(place.key);
        if matches!(self.kind(reader), StatementKind::Loop(_)) || self.kind(reader).is_convergent()
        {
            return false;
        }
        // A block's statements stand in their order.
        let statements = &self.blocks[block].statements;
        let after = statements.partition_point(|other| *other <= id);
        let between = statements[after..].iter().take_while(|other| **other < reader);
        let moves = between.map(|other| self.kind(*other)).all(|kind| match kind {
            StatementKind::Load { access, .. } => !access.volatile && access.atomic.is_none(),
            StatementKind::Store { pointer, .. } => self.variable(*pointer).is_some(),
            _ => false,
        });
        // What is named at the reader's place is computed before it.
        moves && !self.named_at.get(place).is_some_and(|named| self.may_read(named, result))
    }

    /// Whether some of the values are computed from another, or from so much that nobody looks.
    fn may_read(&self, values: &[Value], wanted: Value) -> bool {
        const MOST: usize = 4096;
        let mut work = values.to_vec();
        let mut seen = std::collections::BTreeSet::new();
        while let Some(value) = work.pop() {
            if value == wanted || seen.len() > MOST {
                return true;
            }
            // Operands are older than their users.
            if value > wanted && seen.insert(value) {
                work.extend(self.expression(value).operands());
            }
        }
        false
    }

    /// Whether a value is computed from another.
    pub fn reads(&self, value: Value, wanted: Value) -> bool {
        let mut work = vec![value];
        let mut seen = std::collections::BTreeSet::new();
        while let Some(value) = work.pop() {
            if value == wanted {
                return true;
            }
            // Operands are older than their users.
            if value > wanted && seen.insert(value) {
                work.extend(self.expression(value).operands());
            }
        }
        false
    }
}
