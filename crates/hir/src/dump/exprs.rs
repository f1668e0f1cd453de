//! The text form of expressions, names and types.

use std::fmt::Write;

use super::Writer;
use crate::*;

impl Writer<'_> {
    pub(super) fn exprs(&self, list: &[ExprId]) -> String {
        list.iter().map(|id| self.expr(*id)).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn expr(&self, id: ExprId) -> String {
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

    pub(super) fn item(&self, item: &InitItem) -> String {
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
    pub(super) fn inline(&self, stmt: StmtId) -> String {
        let mut writer = Writer { module: self.module, text: String::new(), indent: 0 };
        writer.contents(stmt);
        writer.text.trim().lines().map(str::trim).collect::<Vec<_>>().join("; ")
    }

    pub(super) fn lambda(&self, id: LambdaId) -> String {
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

    pub(super) fn arguments(&self, list: &[TemplateArgument]) -> String {
        list.iter()
            .map(|argument| match argument {
                TemplateArgument::Type(ty) => self.ty(*ty),
                TemplateArgument::Value(value) => self.expr(*value),
            })
            .collect::<Vec<_>>()
            .join(", ")
    }

    pub(super) fn path(&self, name: &NameRef) -> String {
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

    pub(super) fn name(&self, name: &NameRef) -> String {
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

    pub(super) fn ty(&self, id: TyId) -> String {
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
