//! Inline PTX: the text of an `asm` statement becomes a function in CUDA C++. Lowering reads it like
//! any other function of the library; a dialect port writes it with the names of its target.
//!
//! [`parse`] reads the instructions, [`registers`] knows what a register holds and how it is read and
//! written as a type of PTX, [`table`] and the files of its families say what each instruction does,
//! and `ptx.cuh` holds what takes more than an expression. What is not in the table is reported with its opcode: branches, texture
//! instructions, bulk copies, matrix shapes without a model.
//!
//! Registers that hold addresses of shared memory hold offsets into the block's shared window, as
//! `__cvta_generic_to_shared` gives them.

mod convert;
mod matrix;
mod memory;
mod number;
mod parse;
mod registers;
mod table;
mod threads;

use std::collections::HashMap;

use parse::Statement;
pub use registers::Kind as RegisterKind;
use registers::Registers;

/// The functions that translated texts call, in CUDA C++; its last section declares what is an
/// operation of the intermediate representation.
pub const FUNCTIONS: &str = include_str!("ptx.cuh");

/// What an operand of an `asm` statement is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsmOperand {
    /// Its symbolic name; may be empty.
    pub name: String,
    /// How it is bound.
    pub role: Role,
}

/// How an operand is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Written, perhaps read before.
    Output(RegisterKind),
    /// Read.
    Input(RegisterKind),
    /// `"n"`: a number in the text.
    Constant(i128),
}

impl Role {
    /// The role that a constraint gives, but for constants.
    pub fn of_constraint(constraint: &str) -> Option<Role> {
        let output = constraint.starts_with(['=', '+']);
        let letter = constraint.trim_start_matches(['=', '+', '&', '%']);
        let kind = match letter {
            "h" => RegisterKind::Word16,
            "r" => RegisterKind::Word32,
            "l" => RegisterKind::Word64,
            "f" => RegisterKind::Float,
            "d" => RegisterKind::Double,
            "b" => RegisterKind::Predicate,
            _ => return None,
        };
        Some(if output { Role::Output(kind) } else { Role::Input(kind) })
    }
}

/// A text as a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translated {
    /// Its name: `asm_` and the first opcode.
    pub name: String,
    /// The definition.
    pub text: String,
}

/// The first opcode of a text, for messages: declarations, guards and labels are passed over.
pub fn first_opcode(template: &str) -> String {
    template
        .split(|c: char| c.is_whitespace() || c == ';' || c == '{' || c == '}')
        .find(|word| {
            !word.is_empty()
                && !word.starts_with('.')
                && !word.starts_with("//")
                && !word.starts_with('@')
                && !word.starts_with('%')
        })
        .unwrap_or("asm")
        .to_string()
}

/// The text as a C++ function: outputs are references, in order, then inputs by value. The error is
/// the opcode (or the text) that has no translation.
pub fn translate(template: &str, operands: &[AsmOperand]) -> Result<Translated, String> {
    let whole = || first_opcode(template);
    let mut names = HashMap::new();
    for (index, operand) in operands.iter().enumerate() {
        if !operand.name.is_empty() {
            names.insert(operand.name.clone(), index);
        }
    }
    let statements = parse::parse(template, &names).ok_or_else(whole)?;
    let mut registers = Registers::new(operands);
    let mut body = String::new();
    let mut name = "asm".to_string();
    for statement in &statements {
        match statement {
            Statement::Registers { ty, names } => {
                for name in names {
                    body.push_str(&registers.declare(ty, name).ok_or_else(whole)?);
                }
            }
            Statement::Instruction(instruction) => {
                let opcode = || instruction.opcode.clone();
                if name == "asm" {
                    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
                    name = format!(
                        "asm_{}",
                        instruction.opcode.chars().map(plain).collect::<String>()
                    );
                }
                let code = table::instruction(&mut registers, instruction).ok_or_else(opcode)?;
                match &instruction.guard {
                    Some((negated, predicate)) => {
                        let predicate = registers.predicate(predicate).ok_or_else(opcode)?;
                        let not = if *negated { "!" } else { "" };
                        body.push_str(&format!("  if ({not}{predicate}) {{ {code} }}\n"));
                    }
                    None => body.push_str(&format!("  {{ {code} }}\n")),
                }
            }
        }
    }
    let mut parameters = Vec::new();
    for (index, operand) in operands.iter().enumerate() {
        match operand.role {
            Role::Output(kind) => parameters.push(format!("{} &o{index}", kind.spelling())),
            Role::Input(kind) => parameters.push(format!("{} o{index}", kind.spelling())),
            Role::Constant(_) => {}
        }
    }
    let carry = if registers.uses_carry() { "  unsigned carry = 0;\n" } else { "" };
    let parameters = parameters.join(", ");
    let text = format!("__device__ inline void {name}({parameters}) {{\n{carry}{body}}}\n");
    Ok(Translated { name, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operands(roles: &[Role]) -> Vec<AsmOperand> {
        roles.iter().map(|role| AsmOperand { name: String::new(), role: *role }).collect()
    }

    #[test]
    fn a_text_becomes_a_function() {
        use RegisterKind::{Float, Word32};
        let roles = [Role::Output(Word32), Role::Input(Float), Role::Constant(5)];
        let text = "{ .reg .b32 t; mov.b32 t, %1; add.s32 %0, t, %2; }";
        assert_eq!(
            translate(text, &operands(&roles)).unwrap().text,
            "__device__ inline void asm_mov_b32(unsigned &o0, float o1) {\n  unsigned r_t;\n  \
             { r_t = __builtin_bit_cast(unsigned, o1); }\n  \
             { o0 = (r_t + (unsigned)(5ll)); }\n}\n"
        );
    }

    #[test]
    fn what_has_no_translation_is_named() {
        let roles = [Role::Output(RegisterKind::Word32)];
        let error = translate("wgmma.fence.sync.aligned;", &operands(&roles));
        assert_eq!(error, Err("wgmma.fence.sync.aligned".to_string()));
        let error = translate("WAIT: bra WAIT;", &operands(&roles));
        assert!(error.is_err());
    }
}
