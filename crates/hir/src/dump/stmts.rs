//! The text form of statements.

use super::Writer;
use crate::*;

impl Writer<'_> {
    /// The statements of a block without its braces; any other statement as it is.
    pub(super) fn contents(&mut self, id: StmtId) {
        match &self.module.stmts[id].kind {
            StmtKind::Block(stmts) => {
                for stmt in stmts {
                    self.stmt(*stmt);
                }
            }
            _ => self.stmt(id),
        }
    }

    pub(super) fn body(&mut self, head: &str, id: StmtId) {
        self.line(head);
        self.indent += 1;
        self.contents(id);
        self.indent -= 1;
    }

    pub(super) fn unroll(&mut self, unroll: Option<Unroll>) {
        if let Some(unroll) = unroll {
            let count = unroll.count.map_or(String::new(), |e| format!(" {}", self.expr(e)));
            self.line(&format!("unroll{count}"));
        }
    }

    pub(super) fn condition(&self, condition: Condition) -> String {
        match condition {
            Condition::Expr(value) => self.expr(value),
            Condition::Local(local) => format!("let {}", self.local(local)),
        }
    }

    pub(super) fn stmt(&mut self, id: StmtId) {
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
}
