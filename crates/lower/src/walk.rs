//! Visits what is inside a node of the tree as written. Knows no meaning.

use port_hir::{
    Capture, Condition, ExprId, ExprKind, Initializer, LambdaId, LocalId, Module, NameRef, StmtId,
    StmtKind, TemplateArgument, TyId, TyKind,
};

/// A node that a walk passes.
#[derive(Clone, Copy)]
pub(crate) enum Node<'h> {
    Expr(ExprId),
    Ty(TyId),
    Stmt,
    Name(&'h NameRef),
    Lambda,
    /// A declaration of a local.
    Local,
}

/// Walks in the order of the text. `visit` says whether to go inside.
pub(crate) struct Walk<'h, 'v> {
    hir: &'h Module,
    visit: &'v mut dyn FnMut(Node<'h>) -> bool,
    depth: u32,
}

/// Deeper nodes are not visited.
const DEPTH: u32 = 1000;

impl<'h, 'v> Walk<'h, 'v> {
    pub(crate) fn new(hir: &'h Module, visit: &'v mut dyn FnMut(Node<'h>) -> bool) -> Self {
        Walk { hir, visit, depth: 0 }
    }

    pub(crate) fn name(&mut self, name: &'h NameRef) {
        if !(self.visit)(Node::Name(name)) {
            return;
        }
        for segment in &name.segments {
            self.arguments(segment.arguments.as_deref().unwrap_or(&[]));
        }
    }

    fn arguments(&mut self, arguments: &[TemplateArgument]) {
        for argument in arguments {
            match argument {
                TemplateArgument::Type(ty) => self.ty(*ty),
                TemplateArgument::Value(expr) => self.expr(*expr),
            }
        }
    }

    pub(crate) fn ty(&mut self, id: TyId) {
        if self.depth > DEPTH || !(self.visit)(Node::Ty(id)) {
            return;
        }
        self.depth += 1;
        match &self.hir.types[id].kind {
            TyKind::Decltype(expr) => self.expr(*expr),
            TyKind::Named(name) => self.name(name),
            TyKind::Pointer(inner)
            | TyKind::LValueReference(inner)
            | TyKind::RValueReference(inner)
            | TyKind::PackExpansion(inner) => self.ty(*inner),
            TyKind::MemberPointer { class, pointee } => {
                self.name(class);
                self.ty(*pointee);
            }
            TyKind::Array { element, extent } => {
                self.ty(*element);
                extent.iter().for_each(|extent| self.expr(*extent));
            }
            TyKind::Function { parameters, result, .. } => {
                parameters.iter().for_each(|parameter| self.ty(*parameter));
                self.ty(*result);
            }
            TyKind::Builtin(_)
            | TyKind::Auto
            | TyKind::DecltypeAuto
            | TyKind::AbbreviatedParameter(_)
            | TyKind::None
            | TyKind::Unsupported(_)
            | TyKind::Error => {}
        }
        self.depth -= 1;
    }

    fn exprs(&mut self, ids: &[ExprId]) {
        ids.iter().for_each(|id| self.expr(*id));
    }

    fn initializer(&mut self, initializer: &Initializer) {
        match initializer {
            Initializer::Copy(expr) | Initializer::Brace(expr) => self.expr(*expr),
            Initializer::Direct(exprs) => self.exprs(exprs),
        }
    }

    pub(crate) fn expr(&mut self, id: ExprId) {
        if self.depth > DEPTH || !(self.visit)(Node::Expr(id)) {
            return;
        }
        self.depth += 1;
        self.expr_parts(id);
        self.depth -= 1;
    }

    fn expr_parts(&mut self, id: ExprId) {
        match &self.hir.exprs[id].kind {
            ExprKind::Literal(_) | ExprKind::This | ExprKind::Unsupported(_) | ExprKind::Error => {}
            ExprKind::Name(name) | ExprKind::SizeofPack(name) => self.name(name),
            ExprKind::Unary { operand, .. }
            | ExprKind::Postfix { operand, .. }
            | ExprKind::ExprTrait { operand, .. }
            | ExprKind::Delete { operand, .. }
            | ExprKind::PackExpansion(operand)
            | ExprKind::Noexcept(operand) => self.expr(*operand),
            ExprKind::Binary { left, right, .. } => self.exprs(&[*left, *right]),
            ExprKind::Assign { target, value, .. } => self.exprs(&[*target, *value]),
            ExprKind::Conditional { condition, then, otherwise } => {
                self.expr(*condition);
                then.iter().for_each(|then| self.expr(*then));
                self.expr(*otherwise);
            }
            ExprKind::Call { callee, arguments } => {
                self.expr(*callee);
                self.exprs(arguments);
            }
            ExprKind::Launch(launch) => {
                let launch = &self.hir.launches[*launch];
                self.expr(launch.callee);
                for part in [launch.grid, launch.block, launch.shared, launch.stream] {
                    part.iter().for_each(|part| self.expr(*part));
                }
                self.exprs(&launch.arguments);
            }
            ExprKind::Member { object, member, .. } => {
                self.expr(*object);
                self.name(member);
            }
            ExprKind::MemberPointer { object, pointer, .. } => self.exprs(&[*object, *pointer]),
            ExprKind::Index { object, indices } => {
                self.expr(*object);
                self.exprs(indices);
            }
            ExprKind::Cast { ty, operand, .. } => {
                self.ty(*ty);
                self.expr(*operand);
            }
            ExprKind::Construct { ty, arguments, .. } => {
                self.ty(*ty);
                self.exprs(arguments);
            }
            ExprKind::InitList(items) => items.iter().for_each(|item| self.expr(item.value)),
            ExprKind::TypeTrait { ty, .. } | ExprKind::TypeArgument(ty) => self.ty(*ty),
            ExprKind::BuiltinTrait { arguments, .. } => self.arguments(arguments),
            ExprKind::Lambda(lambda) => self.lambda(*lambda),
            ExprKind::Fold { pattern, initial, .. } => {
                initial.iter().for_each(|initial| self.expr(*initial));
                self.expr(*pattern);
            }
            ExprKind::New { placement, ty, initializer } => {
                self.exprs(placement);
                self.ty(*ty);
                initializer.iter().for_each(|initializer| self.initializer(initializer));
            }
            ExprKind::Throw(operand) => operand.iter().for_each(|operand| self.expr(*operand)),
            ExprKind::Typeid(argument) => self.arguments(&[*argument]),
            ExprKind::VaArg { list, ty } => {
                self.expr(*list);
                self.ty(*ty);
            }
            ExprKind::Offsetof { ty, .. } => self.ty(*ty),
            ExprKind::StatementExpression(stmt) => self.stmt(*stmt),
        }
    }

    fn lambda(&mut self, id: LambdaId) {
        if !(self.visit)(Node::Lambda) {
            return;
        }
        let lambda = &self.hir.lambdas[id];
        for capture in &lambda.captures {
            if let Capture::Init { local, .. } = capture {
                self.local(*local);
            }
        }
        lambda.parameters.iter().for_each(|parameter| self.local(*parameter));
        lambda.return_type.iter().for_each(|ty| self.ty(*ty));
        self.stmt(lambda.body);
    }

    pub(crate) fn local(&mut self, id: LocalId) {
        if !(self.visit)(Node::Local) {
            return;
        }
        let local = &self.hir.locals[id];
        self.ty(local.ty);
        local.initializer.iter().for_each(|initializer| self.initializer(initializer));
    }

    fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Expr(expr) => self.expr(*expr),
            Condition::Local(local) => self.local(*local),
        }
    }

    pub(crate) fn stmt(&mut self, id: StmtId) {
        if self.depth > DEPTH || !(self.visit)(Node::Stmt) {
            return;
        }
        self.depth += 1;
        self.stmt_parts(id);
        self.depth -= 1;
    }

    fn stmts(&mut self, ids: &[StmtId]) {
        ids.iter().for_each(|id| self.stmt(*id));
    }

    fn stmt_parts(&mut self, id: StmtId) {
        match &self.hir.stmts[id].kind {
            StmtKind::Block(body) | StmtKind::MacroCall { parts: body, .. } => self.stmts(body),
            StmtKind::Expr(expr) => self.expr(*expr),
            StmtKind::Locals(locals) => locals.iter().for_each(|local| self.local(*local)),
            StmtKind::Bindings { whole, names } => {
                self.local(*whole);
                names.iter().for_each(|name| self.local(*name));
            }
            StmtKind::If { init, condition, then, otherwise, .. } => {
                init.iter().for_each(|init| self.stmt(*init));
                self.condition(condition);
                self.stmt(*then);
                otherwise.iter().for_each(|otherwise| self.stmt(*otherwise));
            }
            StmtKind::For { init, condition, step, body, unroll } => {
                init.iter().for_each(|init| self.stmt(*init));
                condition.iter().for_each(|condition| self.condition(condition));
                step.iter().for_each(|step| self.expr(*step));
                self.stmt(*body);
                unroll.iter().filter_map(|u| u.count).for_each(|count| self.expr(count));
            }
            StmtKind::RangeFor { init, variable, range, body, .. } => {
                init.iter().for_each(|init| self.stmt(*init));
                self.stmt(*variable);
                self.expr(*range);
                self.stmt(*body);
            }
            StmtKind::While { condition, body, .. } => {
                self.condition(condition);
                self.stmt(*body);
            }
            StmtKind::DoWhile { body, condition, .. } => {
                self.stmt(*body);
                self.expr(*condition);
            }
            StmtKind::Switch { init, condition, body } => {
                init.iter().for_each(|init| self.stmt(*init));
                self.condition(condition);
                self.stmt(*body);
            }
            StmtKind::Case { value, upper } => {
                self.expr(*value);
                upper.iter().for_each(|upper| self.expr(*upper));
            }
            StmtKind::Return(Some(value)) => self.expr(*value),
            StmtKind::Asm(assembly) => {
                for operand in assembly.outputs.iter().chain(&assembly.inputs) {
                    self.expr(operand.value);
                }
            }
            StmtKind::StaticAssert { condition, .. } => self.expr(*condition),
            StmtKind::Try { body, handlers } => {
                self.stmt(*body);
                handlers.iter().for_each(|handler| self.stmt(handler.body));
            }
            StmtKind::Empty
            | StmtKind::Record(_)
            | StmtKind::Enum(_)
            | StmtKind::Alias(_)
            | StmtKind::Function(_)
            | StmtKind::Using(_)
            | StmtKind::Default
            | StmtKind::Break
            | StmtKind::Continue
            | StmtKind::Return(None)
            | StmtKind::Goto(_)
            | StmtKind::Label(_)
            | StmtKind::Unsupported(_)
            | StmtKind::Error => {}
        }
    }
}
