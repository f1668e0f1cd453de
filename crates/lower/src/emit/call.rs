//! Calls of functions that have a body.

use port_diag::Origin;
use port_ir::{Space, Type as Ir, Value as IrValue};

use super::function::Emitter;
use crate::context::FunctionInstanceId;
use crate::typed::Expr;

impl Emitter<'_, '_> {
    /// Calls a function; gives its result if it has one.
    pub(crate) fn call(
        &mut self,
        function: FunctionInstanceId,
        arguments: &[Expr],
        at: Origin,
    ) -> Option<IrValue> {
        let values: Vec<IrValue> = arguments.iter().map(|argument| self.value(argument)).collect();
        self.call_values(function, values, at)
    }

    /// Makes an object at an address.
    pub(crate) fn call_constructor(
        &mut self,
        constructor: FunctionInstanceId,
        address: IrValue,
        arguments: &[Expr],
        at: Origin,
    ) {
        let mut values = vec![address];
        for argument in arguments {
            values.push(self.value(argument));
        }
        self.call_values(constructor, values, at);
    }

    fn call_values(
        &mut self,
        function: FunctionInstanceId,
        mut values: Vec<IrValue>,
        at: Origin,
    ) -> Option<IrValue> {
        let signature = self.lower.cx.function(function).signature.clone();
        if signature.variadic {
            let what = "a call with variable arguments".to_string();
            let finding = crate::findings::UnsupportedConstruct::new(what.clone());
            let code = self.lower.cx.report(self.unit, at, finding);
            self.unsupported(code, what, at);
            return Some(self.poison(code, Ir::U64, at));
        }
        let key: Vec<Option<Space>> = values
            .iter()
            .map(|value| match self.build.type_of(*value) {
                Ir::Pointer(space) => Some(space),
                _ => None,
            })
            .collect();
        let handle = match self.lower.function((function, key), at) {
            Ok(handle) => handle,
            Err(code) => {
                let name = self.lower.cx.function(function).name.clone();
                self.unsupported(code, format!("a call of {name}"), at);
                let result = self.lower.cx.function(function).signature.result;
                let ty = match self.lower.cx.types.is_void(result) {
                    true => Ir::BOOL,
                    false => self.type_of(result, at),
                };
                return Some(self.poison(code, ty, at));
            }
        };
        self.report.callees.push(handle);
        let callee = &self.lower.module.functions[handle];
        let result = callee.result;
        let types: Vec<Ir> = callee.parameters.iter().map(|parameter| parameter.ty).collect();
        for (value, ty) in values.iter_mut().zip(types) {
            *value = self.as_type(*value, ty, at);
        }
        self.build.call(handle, values, result, at)
    }
}
