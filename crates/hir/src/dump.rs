//! A text form of a module, for tests and for people. It is not read back.
//!
//! Expressions are written with all parentheses, and every name says what it means: `local x`,
//! `param T`, `fn f` (with the number of overloads if there are several), `method f`, `field x`,
//! `var x`, `enum A`, `type S`, `api threadIdx`, `lib std::x`, `member a::b` (looked up after
//! substitution), `dependent x`, `unknown x`.

use std::fmt::Write;

use crate::*;

/// The text form of a module.
pub fn dump(module: &Module) -> String {
    let mut writer = Writer { module, text: String::new(), indent: 0 };
    writer.module();
    writer.text
}

/// The text form of an expression.
pub fn expression(module: &Module, id: ExprId) -> String {
    Writer { module, text: String::new(), indent: 0 }.expr(id)
}

/// The text form of a type.
pub fn ty(module: &Module, id: TyId) -> String {
    Writer { module, text: String::new(), indent: 0 }.ty(id)
}

struct Writer<'m> {
    module: &'m Module,
    text: String,
    indent: usize,
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        for _ in 0..self.indent {
            self.text.push_str("  ");
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn module(&mut self) {
        let module = self.module;
        for (id, _) in module.enums.iter() {
            self.enumeration(id);
        }
        for (id, _) in module.aliases.iter() {
            let alias = &module.aliases[id];
            let name = module.qualified_name(alias.parent, alias.name.as_str());
            let template = self.template(alias.template_parameters.as_ref());
            let ty = self.ty(alias.ty);
            self.line(&format!("{template}alias {name} = {ty}"));
        }
        for (id, _) in module.records.iter() {
            self.record(id);
        }
        for (_, variable) in module.variables.iter() {
            let name = module.qualified_name(variable.parent, variable.name.as_str());
            let template = self.template(variable.template_parameters.as_ref());
            let special = self.specialisation(variable.specialisation.as_ref());
            let storage = self.storage(&variable.storage);
            let ty = self.ty(variable.ty);
            let initializer = self.initializer(variable.initializer.as_ref());
            self.line(&format!("{template}{storage}var {name}{special}: {ty}{initializer}"));
        }
        for (id, _) in module.functions.iter() {
            self.function(id);
        }
        for instantiation in &module.instantiations {
            let name = self.name(&instantiation.name);
            let parameters = match &instantiation.parameters {
                Some(list) => {
                    let list: Vec<String> = list.iter().map(|ty| self.ty(*ty)).collect();
                    format!("({})", list.join(", "))
                }
                None => String::new(),
            };
            let which = if instantiation.is_extern { "extern " } else { "" };
            self.line(&format!("{which}instantiate {name}{parameters}"));
        }
        for kernel in &module.kernel_uses {
            let name = self.expr(kernel.name);
            let call = kernel.call.map_or(String::new(), |call| format!(" by {call}"));
            self.line(&format!("kernel use {name}{call}"));
        }
        for other in &module.others {
            self.stmt(other.stmt);
        }
        for diagnostic in &module.diagnostics {
            let kernel =
                diagnostic.kernel.as_ref().map_or(String::new(), |name| format!(" in {name}"));
            self.line(&format!("{}: {}{kernel}", diagnostic.code, diagnostic.message));
        }
    }

    fn enumeration(&mut self, id: EnumId) {
        let module = self.module;
        let data = &module.enums[id];
        let name = module.qualified_name(data.parent, data.name.as_str());
        let scoped = if data.scoped { "class " } else { "" };
        let underlying = data.underlying.map_or(String::new(), |ty| format!(": {}", self.ty(ty)));
        let constants: Vec<String> = data
            .constants
            .iter()
            .map(|constant| match constant.value {
                Some(value) => format!("{} = {}", constant.name, self.expr(value)),
                None => constant.name.to_string(),
            })
            .collect();
        self.line(&format!("enum {scoped}{name}{underlying} {{ {} }}", constants.join(", ")));
    }

    fn template(&self, list: Option<&TemplateParameterList>) -> String {
        let Some(list) = list else { return String::new() };
        let parameters: Vec<String> = list
            .parameters
            .iter()
            .map(|parameter| {
                let pack = if parameter.pack { "..." } else { "" };
                let name = parameter.name;
                match &parameter.kind {
                    TemplateParameterKind::Type { default } => {
                        let default =
                            default.map_or(String::new(), |ty| format!(" = {}", self.ty(ty)));
                        format!("type{pack} {name}{default}")
                    }
                    TemplateParameterKind::Value { ty, default } => {
                        let default =
                            default.map_or(String::new(), |e| format!(" = {}", self.expr(e)));
                        format!("{}{pack} {name}{default}", self.ty(*ty))
                    }
                    TemplateParameterKind::Template { .. } => format!("template{pack} {name}"),
                    TemplateParameterKind::Abbreviated => String::from("auto"),
                }
            })
            .collect();
        format!("template@{}<{}> ", list.depth, parameters.join(", "))
    }

    fn specialisation(&self, specialisation: Option<&Specialisation>) -> String {
        let Some(specialisation) = specialisation else { return String::new() };
        let mut text = format!(" for <{}>", self.arguments(&specialisation.arguments));
        if !specialisation.record_arguments.is_empty() {
            let _ = write!(text, " of <{}>", self.arguments(&specialisation.record_arguments));
        }
        text
    }

    fn record(&mut self, id: RecordId) {
        let module = self.module;
        let record = &module.records[id];
        let kind = match record.kind {
            RecordKind::Struct => "struct",
            RecordKind::Class => "class",
            RecordKind::Union => "union",
        };
        let name = module.qualified_name(record.parent, record.name.as_str());
        let name = if record.name.as_str().is_empty() { format!("{name}{{{id:?}}}") } else { name };
        let template = self.template(record.template_parameters.as_ref());
        let special = self.specialisation(record.specialisation.as_ref());
        let bases: Vec<String> = record
            .bases
            .iter()
            .map(|base| format!("{}{}", self.ty(base.ty), if base.pack { "..." } else { "" }))
            .collect();
        let bases =
            if bases.is_empty() { String::new() } else { format!(": {}", bases.join(", ")) };
        let align = self.alignments(&record.alignments);
        let packed = if record.packed { "packed " } else { "" };
        let declared = if record.defined { "" } else { ";" };
        let poison = poison(record.poison.as_ref());
        self.line(&format!(
            "{template}{packed}{align}{kind} {name}{special}{bases}{declared}{poison}"
        ));
        self.indent += 1;
        for field in &record.fields {
            let storage = self.storage(&field.storage);
            let ty = self.ty(field.ty);
            let width =
                field.width.map_or(String::new(), |width| format!(" : {}", self.expr(width)));
            let initializer = self.initializer(field.initializer.as_ref());
            self.line(&format!("{storage}field {}: {ty}{width}{initializer}", field.name));
        }
        self.indent -= 1;
    }

    fn alignments(&self, alignments: &[Alignment]) -> String {
        let mut text = String::new();
        for alignment in alignments {
            let value = match alignment {
                Alignment::Value(value) => self.expr(*value),
                Alignment::Type(ty) => self.ty(*ty),
            };
            let _ = write!(text, "align({value}) ");
        }
        text
    }

    fn storage(&self, storage: &Storage) -> String {
        let mut text = String::new();
        for (set, word) in [
            (storage.is_static, "static "),
            (storage.is_extern, "extern "),
            (storage.constexpr, "constexpr "),
            (storage.inline, "inline "),
            (storage.thread_local, "thread_local "),
            (storage.register, "register "),
            (storage.mutable, "mutable "),
            (storage.shared, "shared "),
            (storage.constant, "constant "),
            (storage.device, "device "),
            (storage.managed, "managed "),
            (storage.grid_constant, "grid_constant "),
        ] {
            if set {
                text.push_str(word);
            }
        }
        text.push_str(&self.alignments(&storage.alignments));
        text
    }

    fn initializer(&self, initializer: Option<&Initializer>) -> String {
        match initializer {
            None => String::new(),
            Some(Initializer::Copy(value)) => format!(" = {}", self.expr(*value)),
            Some(Initializer::Direct(values)) => format!(" ({})", self.exprs(values)),
            Some(Initializer::Brace(value)) => format!(" {}", self.expr(*value)),
        }
    }

    fn function(&mut self, id: FunctionId) {
        let module = self.module;
        let function = &module.functions[id];
        let q = &function.qualifiers;
        let mut words = self.template(function.template_parameters.as_ref());
        for (set, word) in [
            (q.friend, "friend "),
            (q.is_static, "static "),
            (q.is_extern, "extern "),
            (q.c_linkage, "\"C\" "),
            (q.is_virtual, "virtual "),
            (q.explicit, "explicit "),
            (q.constexpr, "constexpr "),
            (q.force_inline, "forceinline "),
            (q.inline && !q.force_inline, "inline "),
            (q.no_inline, "noinline "),
            (q.host, "host "),
            (q.device, "device "),
            (q.global, "kernel "),
        ] {
            if set {
                words.push_str(word);
            }
        }
        if !q.launch_bounds.is_empty() {
            let _ = write!(words, "launch_bounds({}) ", self.exprs(&q.launch_bounds));
        }
        let kind = match &function.kind {
            FunctionKind::Ordinary | FunctionKind::Operator(_) | FunctionKind::Literal(_) => "fn",
            FunctionKind::Conversion(_) => "conversion",
            FunctionKind::Constructor => "constructor",
            FunctionKind::Destructor => "destructor",
            FunctionKind::DeductionGuide => "guide",
        };
        let name = module.function_name(id);
        let special = self.specialisation(function.specialisation.as_ref());
        let mut parameters: Vec<String> =
            function.parameters.iter().map(|local| self.local(*local)).collect();
        if function.variadic {
            parameters.push(String::from("..."));
        }
        let result = match module.types[function.return_type].kind {
            TyKind::None => String::new(),
            _ => format!(" -> {}", self.ty(function.return_type)),
        };
        let constant = if q.const_this { " const" } else { "" };
        let body = match function.body {
            Body::None => ";",
            Body::Block(_) => "",
            Body::Defaulted => " = default",
            Body::Deleted => " = delete",
            Body::Pure => " = 0",
        };
        let poison = poison(function.poison.as_ref());
        self.line(&format!(
            "{words}{kind} {name}{special}({}){constant}{result}{body}{poison}",
            parameters.join(", ")
        ));
        self.indent += 1;
        for initializer in &function.initializers {
            let target = match &initializer.target {
                InitializerTarget::Field(index) => match function.parent {
                    Parent::Record(record) => module.records[record]
                        .fields
                        .get(*index as usize)
                        .map_or(String::new(), |field| format!("field {}", field.name)),
                    _ => String::new(),
                },
                InitializerTarget::Type(ty) => self.ty(*ty),
                InitializerTarget::Unresolved(name) => format!("unknown {name}"),
            };
            let value = self.initializer(Some(&initializer.value));
            self.line(&format!("init {target}{value}"));
        }
        if let Body::Block(block) = function.body {
            self.contents(block);
        }
        self.indent -= 1;
    }

    fn local(&self, id: LocalId) -> String {
        let local = &self.module.locals[id];
        let storage = self.storage(&local.storage);
        let ty = self.ty(local.ty);
        let initializer = self.initializer(local.initializer.as_ref());
        format!("{storage}{}: {ty}{initializer}", local.name)
    }

    /// The statements of a block without its braces; any other statement as it is.
    fn contents(&mut self, id: StmtId) {
        match &self.module.stmts[id].kind {
            StmtKind::Block(stmts) => {
                for stmt in stmts {
                    self.stmt(*stmt);
                }
            }
            _ => self.stmt(id),
        }
    }

    fn body(&mut self, head: &str, id: StmtId) {
        self.line(head);
        self.indent += 1;
        self.contents(id);
        self.indent -= 1;
    }

    fn unroll(&mut self, unroll: Option<Unroll>) {
        if let Some(unroll) = unroll {
            let count = unroll.count.map_or(String::new(), |e| format!(" {}", self.expr(e)));
            self.line(&format!("unroll{count}"));
        }
    }

    fn condition(&self, condition: Condition) -> String {
        match condition {
            Condition::Expr(value) => self.expr(value),
            Condition::Local(local) => format!("let {}", self.local(local)),
        }
    }

    fn stmt(&mut self, id: StmtId) {
        let module = self.module;
        match &module.stmts[id].kind {
            StmtKind::Empty => self.line(";"),
            StmtKind::Block(_) => self.body("block", id),
            StmtKind::Expr(value) => {
                let value = self.expr(*value);
                self.line(&value);
            }
            StmtKind::Locals(locals) => {
                for local in locals {
                    let local = self.local(*local);
                    self.line(&format!("let {local}"));
                }
            }
            StmtKind::Bindings { whole, names } => {
                let names: Vec<&str> =
                    names.iter().map(|name| module.locals[*name].name.as_str()).collect();
                let whole = self.local(*whole);
                self.line(&format!("bind [{}]{whole}", names.join(", ")));
            }
            StmtKind::Record(record) => {
                self.line(&format!("record {}", module.records[*record].name));
            }
            StmtKind::Enum(id) => self.line(&format!("enum {}", module.enums[*id].name)),
            StmtKind::Alias(id) => self.line(&format!("alias {}", module.aliases[*id].name)),
            StmtKind::Function(id) => {
                self.line(&format!("declare {}", module.functions[*id].name));
            }
            StmtKind::Using(name) => {
                let name = self.name(name);
                self.line(&format!("using {name}"));
            }
            StmtKind::If { constexpr, init, condition, then, otherwise } => {
                if let Some(init) = init {
                    self.stmt(*init);
                }
                let word = if *constexpr { "if constexpr" } else { "if" };
                let head = format!("{word} {}", self.condition(*condition));
                self.body(&head, *then);
                if let Some(otherwise) = otherwise {
                    self.body("else", *otherwise);
                }
            }
            StmtKind::For { init, condition, step, body, unroll } => {
                self.unroll(*unroll);
                self.line("for");
                self.indent += 1;
                if let Some(init) = init {
                    self.stmt(*init);
                }
                let condition = condition.map_or(String::new(), |c| self.condition(c));
                let step = step.map_or(String::new(), |e| self.expr(e));
                self.line(&format!("while {condition}"));
                self.line(&format!("step {step}"));
                self.body("do", *body);
                self.indent -= 1;
            }
            StmtKind::RangeFor { init, variable, range, body, unroll } => {
                self.unroll(*unroll);
                self.line("for each");
                self.indent += 1;
                if let Some(init) = init {
                    self.stmt(*init);
                }
                self.stmt(*variable);
                let range = self.expr(*range);
                self.line(&format!("in {range}"));
                self.body("do", *body);
                self.indent -= 1;
            }
            StmtKind::While { condition, body, unroll } => {
                self.unroll(*unroll);
                let head = format!("while {}", self.condition(*condition));
                self.body(&head, *body);
            }
            StmtKind::DoWhile { body, condition, unroll } => {
                self.unroll(*unroll);
                self.body("do", *body);
                let condition = self.expr(*condition);
                self.line(&format!("while {condition}"));
            }
            StmtKind::Switch { init, condition, body } => {
                if let Some(init) = init {
                    self.stmt(*init);
                }
                let head = format!("switch {}", self.condition(*condition));
                self.body(&head, *body);
            }
            StmtKind::Case { value, upper } => {
                let upper = upper.map_or(String::new(), |e| format!(" ... {}", self.expr(e)));
                let value = self.expr(*value);
                self.line(&format!("case {value}{upper}:"));
            }
            StmtKind::Default => self.line("default:"),
            StmtKind::Break => self.line("break"),
            StmtKind::Continue => self.line("continue"),
            StmtKind::Return(value) => {
                let value = value.map_or(String::new(), |e| format!(" {}", self.expr(e)));
                self.line(&format!("return{value}"));
            }
            StmtKind::Goto(label) => self.line(&format!("goto {label}")),
            StmtKind::Label(label) => self.line(&format!("label {label}:")),
            StmtKind::Asm(assembly) => {
                let volatile = if assembly.volatile { " volatile" } else { "" };
                let template = self.expr(assembly.template);
                let operands = |list: &[AsmOperand]| {
                    list.iter()
                        .map(|operand| {
                            let name = operand.name.map_or(String::new(), |n| format!("[{n}] "));
                            format!("{name}{}({})", operand.constraint, self.expr(operand.value))
                        })
                        .collect::<Vec<_>>()
                        .join(", ")
                };
                let clobbers: Vec<&str> = assembly.clobbers.iter().map(|c| c.as_str()).collect();
                let text = format!(
                    "asm{volatile} {template} : {} : {} : {}",
                    operands(&assembly.outputs),
                    operands(&assembly.inputs),
                    clobbers.join(", ")
                );
                self.line(&text);
            }
            StmtKind::StaticAssert { condition, .. } => {
                let condition = self.expr(*condition);
                self.line(&format!("static_assert {condition}"));
            }
            StmtKind::Try { body, handlers } => {
                self.body("try", *body);
                for handler in handlers {
                    let exception =
                        handler.exception.map_or(String::from("..."), |local| self.local(local));
                    self.body(&format!("catch {exception}"), handler.body);
                }
            }
            StmtKind::MacroCall { name, parts } => {
                self.line(&format!("macro {name}"));
                self.indent += 1;
                for part in parts {
                    self.stmt(*part);
                }
                self.indent -= 1;
            }
            StmtKind::Unsupported(what) => self.line(&format!("unsupported {what}")),
            StmtKind::Error => self.line("error"),
        }
    }

    fn exprs(&self, list: &[ExprId]) -> String {
        list.iter().map(|id| self.expr(*id)).collect::<Vec<_>>().join(", ")
    }

    fn expr(&self, id: ExprId) -> String {
        let module = self.module;
        match &module.exprs[id].kind {
            ExprKind::Literal(literal) => literal.spelling.to_string(),
            ExprKind::Name(name) => self.name(name),
            ExprKind::This => String::from("this"),
            ExprKind::Unary { operator, operand } => {
                format!("({} {})", operator.spelling(), self.expr(*operand))
            }
            ExprKind::Postfix { operator, operand } => {
                let operator = match operator {
                    PostfixOperator::Increment => "++",
                    PostfixOperator::Decrement => "--",
                };
                format!("({} {operator})", self.expr(*operand))
            }
            ExprKind::Binary { operator, left, right } => {
                format!("({} {} {})", self.expr(*left), operator.spelling(), self.expr(*right))
            }
            ExprKind::Assign { operator, target, value } => format!(
                "({} {}= {})",
                self.expr(*target),
                operator.map_or("", BinaryOperator::spelling),
                self.expr(*value)
            ),
            ExprKind::Conditional { condition, then, otherwise } => format!(
                "({} ? {} : {})",
                self.expr(*condition),
                then.map_or(String::new(), |e| self.expr(e)),
                self.expr(*otherwise)
            ),
            ExprKind::Call { callee, arguments } => {
                format!("call({}; {})", self.expr(*callee), self.exprs(arguments))
            }
            ExprKind::Launch(id) => {
                let launch = &module.launches[*id];
                let configuration: Vec<String> =
                    [launch.grid, launch.block, launch.shared, launch.stream]
                        .into_iter()
                        .flatten()
                        .map(|value| self.expr(value))
                        .collect();
                format!(
                    "launch({}; {}; {})",
                    self.expr(launch.callee),
                    configuration.join(", "),
                    self.exprs(&launch.arguments)
                )
            }
            ExprKind::Member { object, arrow, member } => {
                let operator = if *arrow { "->" } else { "." };
                format!("{}{operator}{}", self.expr(*object), self.path(member))
            }
            ExprKind::MemberPointer { object, arrow, pointer } => {
                let operator = if *arrow { "->*" } else { ".*" };
                format!("({}{operator}{})", self.expr(*object), self.expr(*pointer))
            }
            ExprKind::Index { object, indices } => {
                format!("{}[{}]", self.expr(*object), self.exprs(indices))
            }
            ExprKind::Cast { kind, ty, operand } => {
                let kind = match kind {
                    CastKind::C => "cast",
                    CastKind::Functional => "make",
                    CastKind::Static => "static_cast",
                    CastKind::Reinterpret => "reinterpret_cast",
                    CastKind::Const => "const_cast",
                    CastKind::Dynamic => "dynamic_cast",
                    CastKind::Bit => "bit_cast",
                };
                format!("{kind}<{}>({})", self.ty(*ty), self.expr(*operand))
            }
            ExprKind::Construct { ty, arguments, braced } => {
                if *braced {
                    format!("construct<{}>{}", self.ty(*ty), self.exprs(arguments))
                } else {
                    format!("construct<{}>({})", self.ty(*ty), self.exprs(arguments))
                }
            }
            ExprKind::InitList(items) => {
                let items: Vec<String> = items.iter().map(|item| self.item(item)).collect();
                format!("{{{}}}", items.join(", "))
            }
            ExprKind::TypeTrait { kind, ty } => format!("{}<{}>", of(*kind), self.ty(*ty)),
            ExprKind::ExprTrait { kind, operand } => {
                format!("{}({})", of(*kind), self.expr(*operand))
            }
            ExprKind::SizeofPack(name) => format!("sizeof...({})", self.name(name)),
            ExprKind::BuiltinTrait { name, arguments } => {
                format!("{name}<{}>", self.arguments(arguments))
            }
            ExprKind::Lambda(id) => self.lambda(*id),
            ExprKind::Fold { operator, assign, pattern, initial, left } => {
                let assign = if *assign { "=" } else { "" };
                let side = if *left { "left" } else { "right" };
                let initial = initial.map_or(String::new(), |e| format!("; {}", self.expr(e)));
                format!(
                    "fold_{side}({}{assign} {}{initial})",
                    operator.spelling(),
                    self.expr(*pattern)
                )
            }
            ExprKind::PackExpansion(value) => format!("{}...", self.expr(*value)),
            ExprKind::New { placement, ty, initializer } => format!(
                "new({}) {}{}",
                self.exprs(placement),
                self.ty(*ty),
                self.initializer(initializer.as_ref())
            ),
            ExprKind::Delete { array, operand } => {
                let array = if *array { "[]" } else { "" };
                format!("delete{array} {}", self.expr(*operand))
            }
            ExprKind::Throw(value) => {
                format!("throw {}", value.map_or(String::new(), |e| self.expr(e)))
            }
            ExprKind::Typeid(argument) => format!("typeid<{}>", self.arguments(&[*argument])),
            ExprKind::Noexcept(value) => format!("noexcept({})", self.expr(*value)),
            ExprKind::VaArg { list, ty } => {
                format!("va_arg<{}>({})", self.ty(*ty), self.expr(*list))
            }
            ExprKind::Offsetof { ty, member } => {
                format!("offsetof<{}>({})", self.ty(*ty), self.expr(*member))
            }
            ExprKind::StatementExpression(stmt) => format!("({{{}}})", self.inline(*stmt)),
            ExprKind::TypeArgument(ty) => format!("type<{}>", self.ty(*ty)),
            ExprKind::Unsupported(what) => format!("unsupported<{what}>"),
            ExprKind::Error => String::from("error"),
        }
    }

    fn item(&self, item: &InitItem) -> String {
        let mut text = String::new();
        for designator in &item.designators {
            match designator {
                Designator::Field(name, _) => {
                    let _ = write!(text, ".{name}");
                }
                Designator::Index(index) => {
                    let _ = write!(text, "[{}]", self.expr(*index));
                }
            }
        }
        if !text.is_empty() {
            text.push_str(" = ");
        }
        text.push_str(&self.expr(item.value));
        text
    }

    /// A statement on one line.
    fn inline(&self, stmt: StmtId) -> String {
        let mut writer = Writer { module: self.module, text: String::new(), indent: 0 };
        writer.contents(stmt);
        writer.text.trim().lines().map(str::trim).collect::<Vec<_>>().join("; ")
    }

    fn lambda(&self, id: LambdaId) -> String {
        let lambda = &self.module.lambdas[id];
        let mut captures: Vec<String> = Vec::new();
        match lambda.default_capture {
            Some(CaptureDefault::Copy) => captures.push(String::from("=")),
            Some(CaptureDefault::Reference) => captures.push(String::from("&")),
            None => {}
        }
        for capture in &lambda.captures {
            captures.push(match capture {
                Capture::Copy(local) => self.module.locals[*local].name.to_string(),
                Capture::Reference(local) => format!("&{}", self.module.locals[*local].name),
                Capture::Init { local, reference } => {
                    format!("{}{}", if *reference { "&" } else { "" }, self.local(*local))
                }
                Capture::This => String::from("this"),
                Capture::StarThis => String::from("*this"),
                Capture::Unresolved(name, _) => format!("unknown {name}"),
            });
        }
        let parameters: Vec<String> =
            lambda.parameters.iter().map(|local| self.local(*local)).collect();
        let template = self.template(lambda.template_parameters.as_ref());
        let result = lambda.return_type.map_or(String::new(), |ty| format!(" -> {}", self.ty(ty)));
        let mut words = String::new();
        for (set, word) in
            [(lambda.mutable, " mutable"), (lambda.host, " host"), (lambda.device, " device")]
        {
            if set {
                words.push_str(word);
            }
        }
        format!(
            "lambda[{}]{template}({}){words}{result} {{ {} }}",
            captures.join(", "),
            parameters.join(", "),
            self.inline(lambda.body)
        )
    }

    fn arguments(&self, list: &[TemplateArgument]) -> String {
        list.iter()
            .map(|argument| match argument {
                TemplateArgument::Type(ty) => self.ty(*ty),
                TemplateArgument::Value(value) => self.expr(*value),
            })
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn path(&self, name: &NameRef) -> String {
        let mut text = String::new();
        for (index, segment) in name.segments.iter().enumerate() {
            if index > 0 || name.global {
                text.push_str("::");
            }
            text.push_str(segment.name.as_str());
            if let Some(arguments) = &segment.arguments {
                let _ = write!(text, "<{}>", self.arguments(arguments));
            }
        }
        text
    }

    fn name(&self, name: &NameRef) -> String {
        let what = match &name.resolution {
            Res::Local(_) => String::from("local"),
            Res::TemplateParameter(parameter) => {
                format!("param{}.{}", parameter.depth, parameter.index)
            }
            Res::Functions(list) => several("fn", list.len()),
            Res::Methods { functions, .. } => several("method", functions.len()),
            Res::Field { .. } => String::from("field"),
            Res::Variable(_) => String::from("var"),
            Res::EnumConstant { .. } => String::from("enum"),
            Res::Record(_) | Res::Enum(_) | Res::Alias(_) => String::from("type"),
            Res::Namespace(_) => String::from("namespace"),
            Res::Api(_) => String::from("api"),
            Res::Library(_) => String::from("lib"),
            Res::Member { resolved, prefix } => {
                let prefix = match &**prefix {
                    Res::TemplateParameter(p) => format!("param{}.{}", p.depth, p.index),
                    Res::Record(_) => String::from("type"),
                    Res::Alias(_) => String::from("alias"),
                    Res::Api(_) => String::from("api"),
                    _ => String::from("other"),
                };
                format!("member({prefix}/{resolved})")
            }
            Res::Dependent => String::from("dependent"),
            Res::Unresolved => String::from("unknown"),
        };
        format!("{what} {}", self.path(name))
    }

    fn ty(&self, id: TyId) -> String {
        let ty = &self.module.types[id];
        let mut text = String::new();
        if ty.qualifiers.constant {
            text.push_str("const ");
        }
        if ty.qualifiers.volatile {
            text.push_str("volatile ");
        }
        if ty.qualifiers.restrict {
            text.push_str("restrict ");
        }
        let kind = match &ty.kind {
            TyKind::Builtin(builtin) => String::from(builtin.spelling()),
            TyKind::Auto => String::from("auto"),
            TyKind::DecltypeAuto => String::from("decltype(auto)"),
            TyKind::Decltype(value) => format!("decltype({})", self.expr(*value)),
            TyKind::AbbreviatedParameter(parameter) => {
                format!("auto{}.{}", parameter.depth, parameter.index)
            }
            TyKind::Named(name) => match &name.resolution {
                Res::Record(id) if name.path().is_empty() => format!("{{{id:?}}}"),
                Res::Record(_) | Res::Enum(_) | Res::Alias(_) => self.path(name),
                _ => self.name(name),
            },
            TyKind::Pointer(to) => format!("ptr({})", self.ty(*to)),
            TyKind::LValueReference(to) => format!("ref({})", self.ty(*to)),
            TyKind::RValueReference(to) => format!("rref({})", self.ty(*to)),
            TyKind::MemberPointer { class, pointee } => {
                format!("member_ptr({}, {})", self.path(class), self.ty(*pointee))
            }
            TyKind::Array { element, extent } => {
                let extent = extent.map_or(String::new(), |e| self.expr(e));
                format!("array({}, [{extent}])", self.ty(*element))
            }
            TyKind::Function { parameters, variadic, result } => {
                let mut list: Vec<String> = parameters.iter().map(|ty| self.ty(*ty)).collect();
                if *variadic {
                    list.push(String::from("..."));
                }
                format!("fn({}) -> {}", list.join(", "), self.ty(*result))
            }
            TyKind::PackExpansion(of) => format!("{}...", self.ty(*of)),
            TyKind::None => String::from("none"),
            TyKind::Unsupported(what) => format!("unsupported({what})"),
            TyKind::Error => String::from("error"),
        };
        text + &kind
    }
}

fn of(kind: TypeTraitKind) -> &'static str {
    match kind {
        TypeTraitKind::Sizeof => "sizeof",
        TypeTraitKind::Alignof => "alignof",
    }
}

fn several(word: &str, count: usize) -> String {
    if count == 1 { String::from(word) } else { format!("{word}/{count}") }
}

fn poison(poison: Option<&Poison>) -> String {
    poison.map_or(String::new(), |poison| format!(" poisoned({})", poison.code))
}
