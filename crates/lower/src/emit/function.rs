//! Functions: parameters, and a body for each combination of spaces.

use std::rc::Rc;

use port_diag::Origin;
use port_ir::{
    Access, Function, FunctionBuilder, FunctionKind, Handle, LaunchBounds, ParameterAttributes,
    Space, StatementKind, Type as Ir, Value,
};

use super::space::Spaces;
use super::usage::Usage;
use super::{FunctionKey, FunctionReport, Lowerer};
use crate::check::Checker;
use crate::context::{ChainLink, FunctionInstanceId, FunctionSource, Unit, limits};
use crate::findings::{LimitExceeded, NoDefinition, UnsupportedConstruct};
use crate::ty::{Kind, Type};
use crate::typed::Body;

/// Where a variable is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slot {
    /// Not declared yet.
    Unset,
    /// It is this value.
    Value(Value),
    /// It lies at this address, with pointers in it of this space.
    Memory(Value),
    /// What would give its value was reported.
    Poison(&'static str),
}

/// Emits one function.
pub(crate) struct Emitter<'l, 'h> {
    pub(crate) lower: &'l mut Lowerer<'h>,
    pub(crate) build: FunctionBuilder,
    pub(crate) body: Rc<Body>,
    /// The unit of the source.
    pub(crate) unit: Unit,
    /// What stands for all places of a function of the library: where it was called first.
    pub(crate) call: Origin,
    pub(crate) slots: Vec<Slot>,
    pub(crate) usage: Vec<Usage>,
    pub(crate) spaces: Spaces,
    pub(crate) result: Option<Ir>,
    /// Whether the open block has ended with a jump.
    pub(crate) dead: bool,
    pub(crate) report: FunctionReport,
    pub(crate) temporaries: u32,
}

/// More variants than this share one with generic pointers.
const VARIANTS: u32 = 8;

impl<'h> Lowerer<'h> {
    /// A kernel instance as an IR function. `None` if it has no body.
    pub(crate) fn kernel(&mut self, id: FunctionInstanceId) -> Option<Handle<Function>> {
        let origin = self.checker().origin_of(id);
        let name = self.cx.function(id).name.clone();
        self.cx.chain = vec![ChainLink { name, at: origin }];
        let signature = self.cx.function(id).signature.clone();
        let mut spaces: Vec<_> = signature
            .parameters
            .iter()
            .map(|ty| self.is_pointer_like(*ty).then_some(Space::Global))
            .collect();
        if signature.this.is_some() {
            // No compiler of CUDA takes it; there is nothing that `this` could point to.
            let what = "a kernel that is a member function and not static";
            self.cx.report(Unit::USER, origin, UnsupportedConstruct::new(what.to_owned()));
            spaces.insert(0, None);
        }
        let bounds = self.launch_bounds(id);
        let handle = self.emit((id, spaces), FunctionKind::Kernel(bounds), origin);
        self.cx.chain.clear();
        handle
    }

    fn is_pointer_like(&self, ty: Type) -> bool {
        matches!(
            self.cx.types.kind(ty),
            Kind::Pointer(_) | Kind::LValueReference(_) | Kind::RValueReference(_)
        )
    }

    fn launch_bounds(&mut self, id: FunctionInstanceId) -> LaunchBounds {
        let instance = self.cx.function(id);
        let FunctionSource::Function(function) = instance.source else {
            return LaunchBounds::default();
        };
        let environment = instance.environment.clone();
        let hir = self.cx.hir(environment.unit);
        let qualifiers = &hir.functions[function].qualifiers;
        let mut checker = Checker::new(&mut self.cx, environment);
        let mut number = |expr| {
            checker
                .constant_integer(expr, "a launch bound")
                .and_then(|value| u32::try_from(value).ok())
                .filter(|value| *value > 0)
        };
        let mut bounds = qualifiers.launch_bounds.iter().map(|expr| number(*expr));
        let max_threads = bounds.next().flatten();
        let min_blocks = bounds.next().flatten();
        let max_cluster_blocks = bounds.next().flatten();
        let dims: Vec<u32> =
            qualifiers.cluster_dims.iter().map(|expr| number(*expr).unwrap_or(1)).collect();
        let dim = |index: usize| dims.get(index).copied().unwrap_or(1);
        let cluster = (!dims.is_empty()).then(|| [dim(0), dim(1), dim(2)]);
        LaunchBounds { max_threads, min_blocks, max_cluster_blocks, cluster }
    }

    /// A device function for pointers of these spaces, made if it is not there.
    pub(crate) fn function(
        &mut self,
        key: FunctionKey,
        call: Origin,
    ) -> Result<Handle<Function>, &'static str> {
        if let Some(handle) = self.functions.get(&key) {
            return Ok(*handle);
        }
        let variants = self.variants.entry(key.0).or_default();
        let mut key = key;
        if *variants >= VARIANTS {
            for space in &mut key.1 {
                *space = space.map(|_| Space::Generic);
            }
            if let Some(handle) = self.functions.get(&key) {
                return Ok(*handle);
            }
        }
        *variants += 1;
        if self.cx.chain.len() as u32 >= limits::DEPTH {
            if !self.cx.function(key.0).environment.lists.is_empty() {
                return Err(self.cx.endless(Unit::USER, call, u64::from(limits::DEPTH)));
            }
            let what = "nested calls".to_string();
            let finding = LimitExceeded { what, limit: u64::from(limits::DEPTH) };
            return Err(self.cx.report(Unit::USER, call, finding));
        }
        let name = self.cx.function(key.0).name.clone();
        self.cx.chain.push(ChainLink { name, at: call });
        let handle = self.emit(key.clone(), FunctionKind::Device, call);
        self.cx.chain.pop();
        handle.ok_or_else(|| {
            let name = self.cx.function(key.0).name.clone();
            self.cx.report(Unit::USER, call, NoDefinition { name })
        })
    }

    /// Emits a function. Its handle is known before its body is made, so that it may call itself.
    fn emit(
        &mut self,
        key: FunctionKey,
        kind: FunctionKind,
        call: Origin,
    ) -> Option<Handle<Function>> {
        let body = self.checker().body_of(key.0)?;
        let instance = self.cx.function(key.0);
        let unit = instance.environment.unit;
        let origin = self.checker().origin_of(key.0);
        let origin = if unit.is_user() { origin } else { call };
        let name = self.function_name(&key, &body);
        let name = self.unique_name(&name);
        let kernel = matches!(kind, FunctionKind::Kernel(_));
        let handle = self.module.functions.append(Function::new(name.clone(), kind), origin);
        self.functions.insert(key.clone(), handle);
        let usage = super::usage::usage(&body);
        let spaces = self.spaces(&body, &usage, &key.1, kernel);
        let mut emitter = Emitter {
            build: FunctionBuilder::new(name, kind),
            unit,
            call,
            slots: vec![Slot::Unset; body.variables.len()],
            usage,
            spaces,
            result: None,
            dead: false,
            report: FunctionReport::default(),
            temporaries: 0,
            body: body.clone(),
            lower: self,
        };
        emitter.signature(&key, kernel);
        // What calls need to know of it while its body is made.
        let declared = emitter.build.clone().finish_declaration();
        emitter.lower.module.functions[handle] = declared;
        emitter.parameters(kernel);
        emitter.statements(&body.statements);
        let report = std::mem::take(&mut emitter.report);
        let function = emitter.build.finish();
        self.module.functions[handle] = function;
        self.reports.insert(handle, report);
        Some(handle)
    }

    /// The name of a function, told apart from its overloads and from its other variants.
    fn function_name(&mut self, key: &FunctionKey, body: &Body) -> String {
        let instance = self.cx.function(key.0);
        let mut name = instance.name.clone();
        let hir = self.cx.hir(instance.environment.unit);
        if let FunctionSource::Function(id) = instance.source {
            let function = &hir.functions[id];
            let overloaded = hir
                .functions_named(function.name.as_str())
                .iter()
                .filter(|other| {
                    let other = &hir.functions[**other];
                    other.parent == function.parent && other.specialisation.is_none()
                })
                .count()
                > 1;
            if overloaded && !function.is_kernel() {
                let types: Vec<String> =
                    instance.signature.parameters.iter().map(|ty| self.cx.type_name(*ty)).collect();
                name = format!("{name}({})", types.join(", "));
            }
        }
        if self.variants.get(&key.0).copied().unwrap_or(0) > 1 {
            let spaces: Vec<String> = body
                .parameters
                .iter()
                .zip(&key.1)
                .filter_map(|(parameter, space)| {
                    space.map(|space| format!("{}: {}", parameter.name, space.name()))
                })
                .collect();
            name = format!("{name} [{}]", spaces.join(", "));
        }
        name
    }
}

impl Emitter<'_, '_> {
    /// Where a node comes from.
    pub(crate) fn at(&self, origin: Origin) -> Origin {
        if self.unit.is_user() { origin } else { self.call }
    }

    fn signature(&mut self, key: &FunctionKey, kernel: bool) {
        let body = self.body.clone();
        for (index, parameter) in body.parameters.iter().enumerate() {
            let at = self.at(parameter.origin);
            let space = key.1.get(index).copied().flatten();
            let ty = match space {
                Some(space) => Ok(Ir::Pointer(space)),
                None => self.lower.ir_type(parameter.ty, at),
            };
            let ty = match ty {
                Ok(ty) => ty,
                Err(code) => {
                    self.report.codes.push(code);
                    if let Some(variable) = parameter.variable {
                        self.slots[variable.index()] = Slot::Poison(code);
                    }
                    Ir::U64
                }
            };
            let pointee = self.pointee(parameter.ty);
            let read_only = space.is_some() && pointee.is_some_and(|pointee| pointee.constant);
            let attributes = ParameterAttributes {
                restrict: parameter.restrict && space.is_some(),
                read_only,
                grid_constant: parameter.grid_constant && kernel,
            };
            let position = self.build.parameter(parameter.name.clone(), ty, attributes, at);
            if let (Some(pointee), Some(_)) = (pointee, space)
                && let Some(pointee) = self.known_ir_type(pointee, at)
            {
                self.build.set_pointee(position, pointee);
            }
        }
        let at = self.at(body.parameters.first().map_or(self.call, |p| p.origin));
        self.result = if kernel || self.lower.cx.types.is_void(body.result) {
            None
        } else if self.lower.is_pointer_like(body.result) {
            Some(Ir::Pointer(self.spaces.result.unwrap_or(Space::Generic)))
        } else {
            match self.lower.ir_type(body.result, at) {
                Ok(ty) => Some(ty),
                Err(code) => {
                    self.report.codes.push(code);
                    Some(Ir::U64)
                }
            }
        };
        self.build.set_result(self.result);
    }

    fn pointee(&self, ty: Type) -> Option<Type> {
        match *self.lower.cx.types.kind(ty) {
            Kind::Pointer(pointee) => Some(pointee),
            Kind::LValueReference(referee) | Kind::RValueReference(referee) => Some(referee),
            _ => None,
        }
    }

    /// The IR type of what a pointer points at, if it has one; nothing is reported.
    fn known_ir_type(&mut self, ty: Type, at: Origin) -> Option<Ir> {
        if self.lower.cx.types.is_void(ty) {
            return None;
        }
        self.lower.cx.quiet += 1;
        let failures = self.lower.cx.failures;
        let found = self.lower.checker().layout_of(ty).is_some();
        let fragment = matches!(self.lower.cx.types.kind(ty), Kind::Fragment(_));
        let ir = if found && !fragment { self.lower.ir_type(ty, at).ok() } else { None };
        self.lower.cx.failures = failures;
        self.lower.cx.quiet -= 1;
        ir
    }

    /// Puts parameters where the body finds them.
    fn parameters(&mut self, kernel: bool) {
        let body = self.body.clone();
        for (index, parameter) in body.parameters.iter().enumerate() {
            let Some(variable) = parameter.variable else { continue };
            if let Slot::Poison(_) = self.slots[variable.index()] {
                continue;
            }
            let at = self.at(parameter.origin);
            let usage = self.usage[variable.index()];
            if usage.is_value() {
                let value = self.build.argument(index as u32, at);
                self.slots[variable.index()] = Slot::Value(value);
                continue;
            }
            let class = self.lower.cx.types.class(parameter.ty).is_some();
            if kernel && class && !usage.written && !usage.exposed {
                // It is read where the launch put it.
                let address = self.build.argument_address(index as u32, at);
                self.slots[variable.index()] = Slot::Memory(address);
                continue;
            }
            let value = self.build.argument(index as u32, at);
            let ty = self.build.type_of(value);
            let ty = match ty {
                Ir::Pointer(_) => Ir::Pointer(self.spaces.variable(variable)),
                ty => ty,
            };
            let local = self.build.add_local(parameter.name.clone(), ty, at);
            let address = self.build.local(local, at);
            let value = self.as_type(value, ty, at);
            self.build.store(address, value, Access::PLAIN, at);
            self.slots[variable.index()] = Slot::Memory(address);
        }
    }

    /// Adds what could not be translated.
    pub(crate) fn unsupported(&mut self, code: &'static str, what: String, at: Origin) {
        if !self.report.codes.contains(&code) {
            self.report.codes.push(code);
        }
        let code = code.to_string();
        self.build.push(StatementKind::Unsupported { code, what }, at);
    }

    /// A pointer as one of another space; other values stay.
    pub(crate) fn as_type(&mut self, value: Value, ty: Ir, at: Origin) -> Value {
        let from = self.build.type_of(value);
        match (from, ty) {
            (Ir::Pointer(a), Ir::Pointer(b)) if a != b => {
                if a != Space::Generic && b != Space::Generic {
                    let generic = Ir::Pointer(Space::Generic);
                    let value = self.build.convert(port_ir::Conversion::Space, value, generic, at);
                    return self.build.convert(port_ir::Conversion::Space, value, ty, at);
                }
                self.build.convert(port_ir::Conversion::Space, value, ty, at)
            }
            _ => value,
        }
    }
}
