//! What stands around a kernel's text: how parameters and symbols reach it from the host.

use std::collections::BTreeSet;

use port_ir::{Handle, Scalar, Type, Variable};

use super::printer::{Printer, has_word};
use super::types::scalar_name;
use crate::kernel::{NotTranslated, TilingField};

/// How a kernel's body, a function of the device, gets what it uses.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    /// Its parameters: `__gm__ float* x`.
    pub(crate) parameters: Vec<String>,
    /// What the kernel gives for them.
    pub(crate) arguments: Vec<String>,
    /// What the host computes.
    pub(crate) tiling: Vec<TilingField>,
    /// The kernel's own parameters that are pointers.
    pub(crate) pointers: Vec<u32>,
    /// Global and constant variables.
    pub(crate) symbols: Vec<Handle<Variable>>,
    /// Statements before the call, of the kernel.
    pub(crate) before: Vec<String>,
    names: BTreeSet<String>,
}

impl Frame {
    /// A field of the tiling, under a name of its own.
    pub(crate) fn field(&mut self, ty: &str, name: &str, value: &str, comment: &str) -> String {
        let mut own = name.to_owned();
        while !self.names.insert(own.clone()) {
            own.push('_');
        }
        self.tiling.push(TilingField {
            ty: ty.to_owned(),
            name: own.clone(),
            value: value.to_owned(),
            comment: comment.to_owned(),
        });
        own
    }

    /// A parameter of the body that is a number of the tiling.
    pub(crate) fn number(&mut self, name: &str, value: &str, comment: &str) {
        let field = self.field("uint32_t", name, value, comment);
        self.parameters.push(format!("uint32_t {name}"));
        self.arguments.push(format!("tiling.{field}"));
    }

    /// Which block of the user's grid it is, and what the body asks of the grid: `blockX` from the
    /// number of the block, `gridDimX` from the launch. `uses` tells whether the body has a word.
    pub(crate) fn place_of_block(&mut self, uses: &dyn Fn(&str) -> bool) {
        let mut extents = Vec::new();
        for (axis, value) in [("X", "grid.x"), ("Y", "grid.y"), ("Z", "grid.z")] {
            let indexed = match axis {
                "X" => uses("blockX") || uses("blockY") || uses("blockZ"),
                "Y" => uses("blockY") || uses("blockZ"),
                _ => false,
            };
            let name = format!("gridDim{axis}");
            let comment = format!("blocks of the grid in {}", axis.to_lowercase());
            if uses(&name) {
                self.number(&name, value, &comment);
            } else if indexed {
                self.field("uint32_t", &name, value, &comment);
            }
            extents.push(name);
        }
        let at = [
            ("blockX", format!("block % tiling.{}", extents[0])),
            ("blockY", format!("block / tiling.{} % tiling.{}", extents[0], extents[1])),
            ("blockZ", format!("block / tiling.{} / tiling.{}", extents[0], extents[1])),
        ];
        for (name, value) in at {
            if uses(name) {
                self.parameters.push(format!("uint32_t {name}"));
                self.arguments.push(value);
            }
        }
    }
}

impl Printer<'_, '_, '_> {
    /// How the kernel's parameters and the symbols that `body` uses reach it.
    pub(crate) fn frame(&mut self, body: &str) -> Result<Frame, NotTranslated> {
        let mut frame = Frame::default();
        let facts = self.facts;
        for parameter in &facts.function.parameters {
            frame.names.insert(parameter.name.clone());
        }
        for (index, parameter) in facts.function.parameters.iter().enumerate() {
            let name = self.arguments[&(index as u32)].clone();
            if !has_word(body, &name) {
                continue;
            }
            let own = &parameter.name;
            match parameter.ty {
                Type::Pointer(space) => {
                    let pointee = parameter.pointee.and_then(|ty| self.usable(ty));
                    let spelled = self.spelling.pointer(space, pointee)?;
                    frame.pointers.push(index as u32);
                    frame.parameters.push(format!("{spelled} {name}"));
                    frame.arguments.push(format!("reinterpret_cast<{spelled}>({own})"));
                }
                Type::Scalar(scalar @ (Scalar::F16 | Scalar::Bf16)) => {
                    let spelled = scalar_name(scalar)?;
                    let field = frame.words(own, 0, 2, &format!("`{own}`"))?;
                    let cast = self.bit_cast(spelled);
                    frame.parameters.push(format!("{spelled} {name}"));
                    frame.arguments.push(format!("{cast}({field})"));
                }
                Type::Scalar(scalar) if scalar != Scalar::F64 => {
                    let spelled = scalar_name(scalar)?;
                    frame.names.remove(own);
                    let value = format!("static_cast<{spelled}>({own})");
                    let field = frame.field(spelled, own, &value, &format!("`{own}`"));
                    frame.parameters.push(format!("{spelled} {name}"));
                    frame.arguments.push(format!("tiling.{field}"));
                }
                ty => {
                    // A struct or vector: its words, whatever its members are.
                    let spelled = self.spelling.value(ty)?;
                    let size = facts.module.types.layout(ty).map_or(0, |layout| layout.size);
                    if size == 0 || size > 1024 {
                        return Err(super::refuse("a parameter is too large for the tiling data"));
                    }
                    let mut words = Vec::new();
                    for at in (0..size).step_by(4) {
                        let bytes = (size - at).min(4);
                        words.push(frame.words(
                            own,
                            at,
                            bytes,
                            &format!("bytes {at} to {} of `{own}`", at + bytes - 1),
                        )?);
                    }
                    let held = self.names.fresh(&format!("{own}Words"));
                    let value = self.names.fresh(&format!("{own}Value"));
                    frame
                        .before
                        .push(format!("const uint32_t {held}[] = {{{}}};", words.join(", ")));
                    frame.before.push(format!("{spelled} {value};"));
                    frame
                        .before
                        .push(format!("__builtin_memcpy(&{value}, {held}, sizeof({value}));"));
                    frame.parameters.push(format!("{spelled} {name}"));
                    frame.arguments.push(value);
                }
            }
        }
        for symbol in self.symbols()? {
            let name = self.variables[&symbol].clone();
            if !has_word(body, &name) {
                continue;
            }
            let pointee = self.variable_pointee(symbol);
            let space = facts.module.variables[symbol].space;
            let spelled = self.spelling.pointer(space, Some(pointee))?;
            let own = facts.module.variables[symbol].name.replace("::", "_");
            frame.symbols.push(symbol);
            frame.parameters.push(format!("{spelled} {name}"));
            frame.arguments.push(format!("reinterpret_cast<{spelled}>({own})"));
        }
        for argument in frame.arguments.iter_mut().chain(&mut frame.before) {
            *argument = self.spelling.qualified(argument);
        }
        Ok(frame)
    }
}

impl Frame {
    /// A field with up to four bytes of a parameter; how the kernel reads it.
    fn words(
        &mut self,
        parameter: &str,
        at: u64,
        bytes: u64,
        comment: &str,
    ) -> Result<String, NotTranslated> {
        let ty = if bytes == 2 { "uint16_t" } else { "uint32_t" };
        let value = format!(
            "[&] {{ {ty} word = 0; __builtin_memcpy(&word, reinterpret_cast<const char*>(&{parameter}) + {at}, {bytes}); return word; }}()"
        );
        let field = self.field(ty, &format!("{parameter}{}", at / 4), &value, comment);
        Ok(format!("tiling.{field}"))
    }
}
