//! Address spaces of pointers, found from where they come: a fixed point over a body's variables.

use std::rc::Rc;

use port_ir::Space;

use super::Lowerer;
use super::usage::{Usage, root};
use crate::context::{FunctionInstanceId, GlobalSpace};
use crate::ty::Kind;
use crate::typed::{Body, Expr, ExprKind, Stmt, StmtKind, VariableId};

/// `None`: nothing is known to be pointed at yet. Generic: it varies.
type Known = Option<Space>;

fn join(a: Known, b: Known) -> Known {
    match (a, b) {
        (None, other) | (other, None) => other,
        (Some(a), Some(b)) if a == b => Some(a),
        _ => Some(Space::Generic),
    }
}

/// The spaces that pointer variables of a body point into.
pub(crate) struct Spaces {
    of_variable: Vec<Known>,
    /// By position of the parameter.
    of_argument: Vec<Known>,
    /// Parameters of a kernel: what pointers inside them point at is global.
    kernel_parameters: Vec<VariableId>,
    /// The space of returned pointers.
    pub(crate) result: Known,
}

impl Spaces {
    /// The space of a variable's pointers.
    pub(crate) fn variable(&self, id: VariableId) -> Space {
        self.of_variable.get(id.index()).copied().flatten().unwrap_or(Space::Generic)
    }
}

impl Lowerer<'_> {
    /// The spaces in a body that is called with arguments in these spaces.
    pub(crate) fn spaces(
        &mut self,
        body: &Rc<Body>,
        usage: &[Usage],
        arguments: &[Option<Space>],
        kernel: bool,
    ) -> Spaces {
        let mut spaces = Spaces {
            of_variable: vec![None; body.variables.len()],
            of_argument: arguments.to_vec(),
            kernel_parameters: Vec::new(),
            result: None,
        };
        for (parameter, space) in body.parameters.iter().zip(arguments) {
            if let Some(variable) = parameter.variable {
                spaces.of_variable[variable.index()] = *space;
                if kernel && !usage[variable.index()].written && !usage[variable.index()].exposed {
                    spaces.kernel_parameters.push(variable);
                }
            }
        }
        for (index, usage) in usage.iter().enumerate() {
            // Who has its address may store any pointer there.
            if usage.exposed {
                spaces.of_variable[index] = Some(Space::Generic);
            }
        }
        // Each pass can only raise a variable in a lattice of height two.
        loop {
            let before = (spaces.of_variable.clone(), spaces.result);
            self.flow(&body.statements, &mut spaces);
            if before == (spaces.of_variable.clone(), spaces.result) {
                break;
            }
        }
        spaces
    }

    fn flow(&mut self, statements: &[Stmt], spaces: &mut Spaces) {
        for statement in statements {
            match &statement.kind {
                StmtKind::Declare { variable, initial: Some(initial) } => {
                    self.flow_into(*variable, initial, spaces);
                }
                StmtKind::Return(Some(value)) if self.cx.types.is_pointer(value.ty) => {
                    let space = self.space_of(value, spaces);
                    spaces.result = join(spaces.result, space);
                }
                _ => {}
            }
            statement.for_each_expr(&mut |expr| self.flow_expr(expr, spaces));
            statement.for_each_block(&mut |block| self.flow(block, spaces));
        }
    }

    fn flow_expr(&mut self, expr: &Expr, spaces: &mut Spaces) {
        if let ExprKind::Assign { target, value } | ExprKind::Initialise { target, value } =
            &expr.kind
            && let ExprKind::Variable(id) = target.kind
        {
            self.flow_into(id, value, spaces);
        }
        if let ExprKind::Statements(list, _) = &expr.kind {
            self.flow(list, spaces);
        }
        expr.for_each_part(&mut |part| self.flow_expr(part, spaces));
    }

    fn flow_into(&mut self, variable: VariableId, value: &Expr, spaces: &mut Spaces) {
        if !self.cx.types.is_pointer(value.ty) {
            return;
        }
        let space = self.space_of(value, spaces);
        if let Some(known) = spaces.of_variable.get_mut(variable.index()) {
            *known = join(*known, space);
        }
    }

    /// The space that a pointer value points into.
    fn space_of(&mut self, expr: &Expr, spaces: &Spaces) -> Known {
        match &expr.kind {
            ExprKind::Argument(index) => {
                spaces.of_argument.get(*index as usize).copied().flatten().or(Some(Space::Generic))
            }
            ExprKind::Load(place) => match &place.kind {
                ExprKind::Variable(id) => spaces.of_variable.get(id.index()).copied().flatten(),
                _ => match root(place) {
                    Some(id) if spaces.kernel_parameters.contains(&id) => Some(Space::Global),
                    _ => Some(Space::Generic),
                },
            },
            ExprKind::AddressOf(place) | ExprKind::Decay(place) => {
                self.space_of_place(place, spaces)
            }
            ExprKind::PointerAdd { pointer, .. } => self.space_of(pointer, spaces),
            ExprKind::PointerCast(inner) if self.cx.types.is_pointer(inner.ty) => {
                self.space_of(inner, spaces)
            }
            ExprKind::PointerToBase(inner, _) => self.space_of(inner, spaces),
            ExprKind::Conditional { then, otherwise, .. } => {
                let (a, b) = (self.space_of(then, spaces), self.space_of(otherwise, spaces));
                join(a, b)
            }
            ExprKind::Comma(_, right) => self.space_of(right, spaces),
            ExprKind::Constant(_) | ExprKind::Zero | ExprKind::Undefined => None,
            ExprKind::Call { function, arguments } => {
                let arguments = arguments
                    .iter()
                    .map(|argument| {
                        let pointer = self.cx.types.is_pointer(argument.ty);
                        pointer.then(|| self.space_of(argument, spaces).unwrap_or(Space::Generic))
                    })
                    .collect();
                self.result_space(*function, arguments)
            }
            _ => Some(Space::Generic),
        }
    }

    fn space_of_place(&mut self, place: &Expr, spaces: &Spaces) -> Known {
        match &place.kind {
            ExprKind::Variable(_) | ExprKind::Materialise(_) | ExprKind::FragmentElement { .. } => {
                Some(Space::Local)
            }
            ExprKind::Global(id) => Some(space_of_global(self.cx.global(*id).space)),
            ExprKind::String(_) => Some(Space::Constant),
            ExprKind::Deref(pointer) => self.space_of(pointer, spaces),
            ExprKind::Member { object, .. }
            | ExprKind::Base { object, .. }
            | ExprKind::Component { object, .. } => {
                if object.is_place() {
                    self.space_of_place(object, spaces)
                } else {
                    Some(Space::Local)
                }
            }
            ExprKind::Conditional { then, otherwise, .. } => {
                let (a, b) =
                    (self.space_of_place(then, spaces), self.space_of_place(otherwise, spaces));
                join(a, b)
            }
            ExprKind::Comma(_, right) => self.space_of_place(right, spaces),
            ExprKind::Assign { target, .. }
            | ExprKind::CompoundAssign { target, .. }
            | ExprKind::Increment { target, .. } => self.space_of_place(target, spaces),
            _ => Some(Space::Generic),
        }
    }

    /// The space of the pointer that a function returns.
    pub(crate) fn result_space(
        &mut self,
        function: FunctionInstanceId,
        arguments: Vec<Option<Space>>,
    ) -> Known {
        let result = self.cx.function(function).signature.result;
        let pointer = matches!(
            self.cx.types.kind(result),
            Kind::Pointer(_) | Kind::LValueReference(_) | Kind::RValueReference(_) | Kind::Auto
        );
        if !pointer {
            return None;
        }
        let key = (function, arguments);
        if let Some(space) = self.result_spaces.get(&key) {
            return *space;
        }
        // A recursive call learns nothing from itself.
        self.result_spaces.insert(key.clone(), Some(Space::Generic));
        let Some(body) = self.checker().body_of(function) else { return Some(Space::Generic) };
        let usage = super::usage::usage(&body);
        let spaces = self.spaces(&body, &usage, &key.1, false);
        let space = spaces.result.or(Some(Space::Generic));
        self.result_spaces.insert(key, space);
        space
    }
}

/// The IR's space of a global.
pub(crate) fn space_of_global(space: GlobalSpace) -> Space {
    match space {
        GlobalSpace::Global => Space::Global,
        GlobalSpace::Shared => Space::Shared,
        // What the host keeps is only reached if it is constant.
        GlobalSpace::Constant | GlobalSpace::Host => Space::Constant,
    }
}
