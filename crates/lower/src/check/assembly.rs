//! `asm` statements: a call of the function that [`port_api::ptx`] makes of the text, its outputs in
//! temporaries that are then assigned to what the source names.

use port_api::ptx::{self, AsmOperand, RegisterKind, Role};
use port_diag::Origin;
use port_hir::InlineAssembly;

use super::Checker;
use crate::overload::CallArgument;
use crate::ty::{Kind, Type};
use crate::typed::{Expr, ExprKind, Stmt, StmtKind};

/// More operands than an `asm` statement has.
const OPERANDS: usize = 64;
/// Different texts that one unit may have; each is read like a file.
const TEXTS: usize = 2_000;

impl Checker<'_, '_> {
    /// The statements that an `asm` statement stands for; the error names the instruction that has no
    /// translation.
    pub(super) fn translated_assembly(
        &mut self,
        template: &str,
        assembly: &InlineAssembly,
        origin: Origin,
    ) -> Result<Vec<Stmt>, String> {
        let nameless = || ptx::first_opcode(template);
        // A compiler barrier, or nothing at all.
        if template.trim().is_empty() && assembly.outputs.is_empty() {
            return Ok(Vec::new());
        }
        if assembly.outputs.len() + assembly.inputs.len() > OPERANDS {
            return Err(nameless());
        }
        let mut statements = Vec::new();
        let mut operands = Vec::new();
        let mut arguments = Vec::new();
        let mut results = Vec::new();
        for output in &assembly.outputs {
            let constraint = output.constraint.as_str();
            let role = Role::of_constraint(constraint).ok_or_else(nameless)?;
            let Role::Output(kind) = role else { return Err(nameless()) };
            let name = output.name.map_or(String::new(), |name| name.as_str().to_string());
            operands.push(AsmOperand { name, role });
            let target = self.expr(output.value);
            if let Some(code) = target.poison_code() {
                // Reported where it was made.
                let what = "an operand of inline PTX".to_string();
                return Ok(vec![Stmt::new(StmtKind::Unsupported { code, what }, origin)]);
            }
            let ty = register_type(kind);
            let variable = self.add_variable("out", ty, output.origin);
            let initial = match constraint.starts_with('+') {
                true => Some(self.register_value(target.clone(), ty).ok_or_else(nameless)?),
                false => None,
            };
            statements.push(Stmt::new(StmtKind::Declare { variable, initial }, origin));
            let place = self.variable_place(variable, output.origin);
            arguments.push(CallArgument::Expr(place.clone()));
            results.push((target, place));
        }
        for input in &assembly.inputs {
            let name = input.name.map_or(String::new(), |name| name.as_str().to_string());
            let value = self.expr(input.value);
            if let Some(code) = value.poison_code() {
                let what = "an operand of inline PTX".to_string();
                return Ok(vec![Stmt::new(StmtKind::Unsupported { code, what }, origin)]);
            }
            let constraint = input.constraint.as_str();
            if constraint == "n" || constraint == "i" {
                let constant = self.evaluate(&value).and_then(|value| value.as_integer());
                let role = Role::Constant(constant.ok_or_else(nameless)?);
                operands.push(AsmOperand { name, role });
                continue;
            }
            let mut role = match constraint.parse::<usize>() {
                // The same register as an output: its value on the way in.
                Ok(_) => return Err(nameless()),
                Err(_) => Role::of_constraint(constraint).ok_or_else(nameless)?,
            };
            let value = self.rvalue(value);
            let pointer = matches!(self.cx.types.kind(value.ty), Kind::Pointer(_));
            let argument = match role {
                Role::Input(RegisterKind::Word64) if pointer => {
                    role = Role::Input(RegisterKind::Pointer);
                    let bytes = self.cx.types.pointer(Type::CHAR);
                    let origin = value.origin;
                    Expr::value(ExprKind::PointerCast(Box::new(value)), bytes, origin)
                }
                Role::Input(kind) => {
                    self.register_value(value, register_type(kind)).ok_or_else(nameless)?
                }
                _ => return Err(nameless()),
            };
            operands.push(AsmOperand { name, role });
            arguments.push(CallArgument::Expr(argument));
        }
        let made = ptx::translate(template, &operands)?;
        if self.cx.units.len() > TEXTS {
            return Err(nameless());
        }
        let candidate = self.assembly_unit(&made.text, &made.name).ok_or_else(nameless)?;
        let function = self.function_instance(&candidate, None).ok_or_else(nameless)?;
        let call = self.call_chosen(function, None, arguments, origin);
        statements.push(Stmt::new(StmtKind::Expr(call), origin));
        for (target, place) in results {
            let value = self.rvalue(place);
            let ty = target.ty.unqualified();
            let value = self.register_as(value, ty).ok_or_else(nameless)?;
            let assign = self.assign(target, value, origin);
            statements.push(Stmt::new(StmtKind::Expr(assign), origin));
        }
        Ok(statements)
    }

    /// A value as a register holds it.
    fn register_value(&mut self, value: Expr, ty: Type) -> Option<Expr> {
        let value = self.rvalue(value);
        let origin = value.origin;
        let from = value.ty;
        let float = |checker: &Self, ty: Type| {
            checker.cx.types.scalar(ty).is_some_and(port_ir::Scalar::is_float)
        };
        if matches!(self.cx.types.kind(from), Kind::Pointer(_)) {
            let value = Expr::value(ExprKind::PointerCast(Box::new(value)), Type::ULONG, origin);
            return Some(self.convert(value, ty));
        }
        let number = self.cx.types.scalar(from).is_some();
        if number && float(self, from) == float(self, ty) {
            return Some(self.convert(value, ty));
        }
        // What is no number of the register's kind is bits.
        let (size, to) = (self.layout_of(from)?.size, self.layout_of(ty)?.size);
        (size == to).then(|| Expr::value(ExprKind::Bits(Box::new(value)), ty, origin))
    }

    /// A register's value as one of a type.
    fn register_as(&mut self, value: Expr, ty: Type) -> Option<Expr> {
        let origin = value.origin;
        if matches!(self.cx.types.kind(ty), Kind::Pointer(_)) {
            return Some(Expr::value(ExprKind::PointerCast(Box::new(value)), ty, origin));
        }
        if matches!(self.cx.types.kind(ty), Kind::Enum(_)) {
            return Some(Expr::value(ExprKind::Convert(Box::new(value)), ty, origin));
        }
        self.register_value(value, ty)
    }
}

fn register_type(kind: RegisterKind) -> Type {
    match kind {
        RegisterKind::Word16 => Type::builtin(port_hir::Builtin::UnsignedShort),
        RegisterKind::Word32 => Type::UINT,
        RegisterKind::Word64 | RegisterKind::Pointer => {
            Type::builtin(port_hir::Builtin::UnsignedLongLong)
        }
        RegisterKind::Float => Type::FLOAT,
        RegisterKind::Double => Type::DOUBLE,
        RegisterKind::Predicate => Type::BOOL,
    }
}
