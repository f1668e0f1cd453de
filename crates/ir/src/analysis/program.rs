//! A module with the flow of each of its functions and the calls between them: what the analyses
//! of whole modules work on.

use super::flow::{Definition, Flow, StatementId};
use crate::arena::{Handle, Location};
use crate::expression::Expression;
use crate::function::Function;
use crate::module::Module;
use crate::statement::{StatementKind, Value};
use crate::validate::{FunctionInfo, ModuleInfo};

/// A value of a function of the module.
pub type Node = (Handle<Function>, Value);

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSite {
    /// The calling function.
    pub caller: Handle<Function>,
    /// The call in it.
    pub statement: StatementId,
}

/// A valid module, prepared for analysis.
pub struct Program<'a> {
    /// The module.
    pub module: &'a Module,
    /// What validating it gave.
    pub info: &'a ModuleInfo,
    flows: Vec<Flow<'a>>,
    callers: Vec<Vec<CallSite>>,
    /// For each function, the values that it returns.
    returned: Vec<Vec<Value>>,
}

impl<'a> Program<'a> {
    /// Prepares a module that has been validated.
    pub fn of(module: &'a Module, info: &'a ModuleInfo) -> Self {
        let flows: Vec<Flow<'a>> = module
            .functions
            .iter()
            .map(|(handle, function)| {
                Flow::of(&module.types, function, &info.function(handle).types)
            })
            .collect();
        let mut callers = vec![Vec::new(); flows.len()];
        let mut returned = vec![Vec::new(); flows.len()];
        for (index, flow) in flows.iter().enumerate() {
            let caller = Handle::from_index(index);
            for (statement, entry) in flow.statements() {
                match &entry.statement.kind {
                    StatementKind::Call { function, .. } => {
                        callers[function.index()].push(CallSite { caller, statement });
                    }
                    StatementKind::Return { value: Some(value) } => returned[index].push(*value),
                    _ => {}
                }
            }
        }
        Program { module, info, flows, callers, returned }
    }

    /// All functions.
    pub fn functions(&self) -> impl Iterator<Item = (Handle<Function>, &Flow<'a>)> {
        self.flows.iter().enumerate().map(|(index, flow)| (Handle::from_index(index), flow))
    }

    /// The flow of a function.
    pub fn flow(&self, function: Handle<Function>) -> &Flow<'a> {
        &self.flows[function.index()]
    }

    /// What validating a function gave.
    pub fn info(&self, function: Handle<Function>) -> &'a FunctionInfo {
        self.info.function(function)
    }

    /// The calls of a function.
    pub fn callers(&self, function: Handle<Function>) -> &[CallSite] {
        &self.callers[function.index()]
    }

    /// The expression of a node.
    pub fn expression(&self, (function, value): Node) -> &'a Expression {
        &self.module.functions[function].expressions[value]
    }

    /// Where a node comes from.
    pub fn location(&self, (function, value): Node) -> Option<Location> {
        self.module.functions[function].expressions.location(value)
    }

    /// The statement that defines a node.
    pub fn definer(&self, (function, value): Node) -> Option<(StatementId, &'a StatementKind)> {
        let flow = self.flow(function);
        let id = flow.definer(value)?;
        Some((id, &flow.entry(id).statement.kind))
    }

    /// Whether anybody uses a node.
    pub fn is_used(&self, (function, value): Node) -> bool {
        self.info(function).uses.get(value.index()).is_some_and(|uses| *uses > 0)
    }

    /// The values that a parameter receives from the calls in the module.
    pub fn passed(&self, function: Handle<Function>, parameter: u32) -> Vec<Node> {
        let mut nodes = Vec::new();
        for site in self.callers(function) {
            let kind = &self.flow(site.caller).entry(site.statement).statement.kind;
            if let StatementKind::Call { arguments, .. } = kind
                && let Some(argument) = arguments.get(parameter as usize)
            {
                nodes.push((site.caller, *argument));
            }
        }
        nodes
    }

    /// The values that may be what a load of a local gives; `None` if the node is no such load, or
    /// the local is also written otherwise.
    pub fn stored(&self, (function, value): Node) -> Option<Vec<Node>> {
        let definitions = self.flow(function).definitions(value)?;
        let mut nodes = Vec::new();
        for definition in definitions {
            match definition {
                Definition::Whole(_, value) | Definition::Part(_, value) => {
                    nodes.push((function, *value));
                }
                Definition::Bytes(_) => return None,
                Definition::Undefined => {}
            }
        }
        Some(nodes)
    }

    /// What a node is computed from directly: operands; for a load of a local what was stored, and
    /// the address; for an argument what calls pass; for a call what the callee returns; for
    /// another result the operands of its statement. Memory other than locals is not followed.
    pub fn dependencies(&self, node: Node) -> Vec<Node> {
        let (function, _) = node;
        match self.expression(node) {
            Expression::Argument(index) => self.passed(function, *index),
            Expression::Result(_) => {
                let Some((_, kind)) = self.definer(node) else { return Vec::new() };
                let mut nodes: Vec<Node> = match kind {
                    StatementKind::Call { function, .. } => {
                        let returned = self.returned[function.index()].iter();
                        return returned.map(|value| (*function, *value)).collect();
                    }
                    kind => kind.operands().into_iter().map(|value| (function, value)).collect(),
                };
                nodes.extend(self.stored(node).unwrap_or_default());
                nodes
            }
            other => other.operands().into_iter().map(|value| (function, value)).collect(),
        }
    }
}

/// A set of nodes.
pub struct NodeSet {
    members: Vec<Vec<bool>>,
}

impl NodeSet {
    /// The empty set over a program.
    pub fn new(program: &Program<'_>) -> Self {
        let count = |function: &Function| vec![false; function.expressions.len()];
        NodeSet { members: program.module.functions.iter().map(|(_, f)| count(f)).collect() }
    }

    /// Whether a node is in it.
    pub fn contains(&self, (function, value): Node) -> bool {
        self.members[function.index()][value.index()]
    }

    /// Adds a node; gives whether it is new.
    pub fn insert(&mut self, (function, value): Node) -> bool {
        !std::mem::replace(&mut self.members[function.index()][value.index()], true)
    }

    /// Adds nodes and all that they are computed from.
    pub fn insert_slice(&mut self, program: &Program<'_>, start: impl IntoIterator<Item = Node>) {
        let mut work: Vec<Node> = start.into_iter().collect();
        while let Some(node) = work.pop() {
            if self.insert(node) {
                work.extend(program.dependencies(node));
            }
        }
    }
}
