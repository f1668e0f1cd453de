//! Which instances of kernels a translation unit needs: from launches in view (followed through the
//! host's own templates, lambdas and dispatch macros), explicit instantiations, what the user asks
//! for, and defaults for the rest.

use std::collections::{BTreeMap, HashMap, HashSet};

use port_diag::Origin;
use port_hir::{
    Builtin, ExprId, FunctionId, LaunchId, Module, Name, Parent, StmtId, TemplateParameterKind,
};
use port_ir::Range;

use crate::check::Checker;
use crate::context::{ClassId, ClassSource, Context, FunctionInstanceId, FunctionSource, Unit};
use crate::findings::{BadInstance, DefaultInstance, InstancesLeftOut, LimitExceeded, NoInstance};
use crate::lookup::Entity;
use crate::overload::{CallArgument, Candidate, OverloadSet};
use crate::ty::{Kind, Type};
use crate::typed::{Expr, ExprKind, StmtKind};
use crate::value::{Argument, Environment, Value};
use crate::{InstanceSource, Options};

/// A kernel instance that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) kernel: FunctionInstanceId,
    pub(crate) source: InstanceSource,
    /// The texts of `Options::instantiate` that name it.
    pub(crate) asked_as: Vec<String>,
    pub(crate) launches: Vec<LaunchFound>,
}

/// A launch of an instance.
#[derive(Clone, Debug)]
pub(crate) struct LaunchFound {
    pub(crate) launch: LaunchId,
    pub(crate) grid: [Option<Range>; 3],
    pub(crate) block: [Option<Range>; 3],
    pub(crate) shared: Option<Range>,
    /// Of the arguments in order, those that are integers of known values.
    pub(crate) arguments: Vec<Option<Range>>,
    pub(crate) origin: Origin,
}

/// What host code is seen to do.
#[derive(Default)]
pub(crate) struct Recorder {
    /// Launches, in order, with their configuration if it could be typed.
    launches: Vec<Recorded>,
    /// Kernels that are named without being launched.
    named: Vec<FunctionInstanceId>,
    /// Host functions that are called.
    called: Vec<FunctionInstanceId>,
    /// Closures that are made.
    closures: Vec<ClassId>,
}

struct Recorded {
    kernel: FunctionInstanceId,
    launch: LaunchId,
    grid: Option<Expr>,
    block: Option<Expr>,
    shared: Shared,
    arguments: Vec<Option<Expr>>,
    origin: Origin,
}

/// The third value of a launch's configuration.
enum Shared {
    /// It is left out: no dynamic shared memory.
    None,
    Bytes(Box<Expr>),
    Unknown,
}

impl Recorder {
    /// A function is called.
    pub(crate) fn called(&mut self, function: FunctionInstanceId) {
        self.called.push(function);
    }
}

/// More instances of one kernel than this are not looked for.
const PER_KERNEL: usize = 128;
/// More kernels than this are not looked at.
const KERNELS: usize = 30_000;
/// More host functions than this are not followed.
const HOST_FUNCTIONS: usize = 20_000;
/// Host templates that call each other deeper than this have no end; GCC's limit.
const HOST_DEPTH: u32 = 900;

/// Finds all instances, in the order of the kernels.
pub(crate) fn find(cx: &mut Context<'_>, options: &Options) -> Vec<Found> {
    let module = cx.units[0];
    let mut search = Search {
        cx,
        found: Vec::new(),
        places: HashMap::new(),
        counts: HashMap::new(),
        walked: HashSet::new(),
        left_out: HashSet::new(),
    };
    search.cx.host = true;
    search.plain_kernels(module);
    search.explicit_instantiations(module);
    search.host_functions(module);
    search.cx.host = false;
    search.cx.recorder = None;
    search.forget_bodies();
    search.asked(module, options);
    search.defaults(module, options);
    search.report_left_out(module);
    let mut found = search.found;
    if !options.kernels.is_empty() {
        found.retain(|found| {
            let instance = search.cx.function(found.kernel);
            let FunctionSource::Function(id) = instance.source else { return false };
            let name = module.function_name(id);
            options.kernels.iter().any(|wanted| {
                *wanted == instance.name
                    || *wanted == name
                    || name.rsplit("::").next() == Some(wanted.as_str())
            })
        });
    }
    found.sort_by_key(|found| kernel_id(search.cx, found.kernel).map(|id| id.index()));
    found
}

fn kernel_id(cx: &Context<'_>, instance: FunctionInstanceId) -> Option<FunctionId> {
    match cx.function(instance).source {
        FunctionSource::Function(id) => Some(id),
        FunctionSource::Lambda(_) => None,
    }
}

struct Search<'c, 'h> {
    cx: &'c mut Context<'h>,
    found: Vec<Found>,
    /// Where each instance stands in `found`.
    places: HashMap<FunctionInstanceId, usize>,
    /// How many instances of each kernel were found.
    counts: HashMap<FunctionId, usize>,
    walked: HashSet<FunctionInstanceId>,
    /// Instances beyond the bound.
    left_out: HashSet<FunctionInstanceId>,
}

impl<'h> Search<'_, 'h> {
    fn checker(&mut self) -> Checker<'_, 'h> {
        Checker::new(self.cx, Environment::top(Unit::USER))
    }

    fn add(
        &mut self,
        kernel: FunctionInstanceId,
        source: InstanceSource,
        launch: Option<LaunchFound>,
    ) {
        let Some(id) = kernel_id(self.cx, kernel) else { return };
        if !self.cx.function(kernel).environment.unit.is_user()
            || !self.cx.units[0].functions[id].is_kernel()
        {
            return;
        }
        let place = self.places.get(&kernel);
        if let Some(found) = place.and_then(|place| self.found.get_mut(*place)) {
            found.launches.extend(launch);
            // What is launched is launched, however it was found first.
            if source == InstanceSource::Launch && found.source == InstanceSource::Plain {
                found.source = source;
            }
            return;
        }
        let count = self.counts.entry(id).or_default();
        if *count >= PER_KERNEL && source != InstanceSource::Asked {
            self.left_out.insert(kernel);
        } else {
            *count += 1;
            self.places.insert(kernel, self.found.len());
            let launches = launch.into_iter().collect();
            self.found.push(Found { kernel, source, asked_as: Vec::new(), launches });
        }
    }

    /// In host code both branches of what is not known are looked at: nothing that device code
    /// calls may keep such a body.
    fn forget_bodies(&mut self) {
        for function in &mut self.cx.functions {
            if let crate::context::BodyState::Checked(_) = function.body {
                function.body = crate::context::BodyState::Unchecked;
            }
        }
    }

    /// Kernels with more instances than are lowered.
    fn report_left_out(&mut self, module: &'h Module) {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for kernel in &self.left_out {
            if let Some(id) = kernel_id(self.cx, *kernel)
                && !self.places.contains_key(kernel)
            {
                *counts.entry(id.index() as u32).or_default() += 1;
            }
        }
        for (id, function) in module.kernels() {
            if let Some(left) = counts.get(&(id.index() as u32)) {
                let kernel = module.function_name(id).to_string();
                let (limit, left) = (PER_KERNEL as u64, *left as u64);
                self.cx.note(Unit::USER, function.origin, InstancesLeftOut { kernel, limit, left });
            }
        }
    }

    /// Kernels that are no templates.
    fn plain_kernels(&mut self, module: &'h Module) {
        for (id, function) in module.kernels() {
            let defined = matches!(function.body, port_hir::Body::Block(_));
            if !defined || function.template_depth > 0 {
                continue;
            }
            if self.found.len() >= KERNELS {
                let what = "kernels of one file".to_string();
                let finding = LimitExceeded { what, limit: KERNELS as u64 };
                self.cx.host = false;
                self.cx.report(Unit::USER, function.origin, finding);
                self.cx.host = true;
                return;
            }
            // A specialisation is an instance of its template.
            let mut checker = self.checker();
            let candidate = checker.candidate(id);
            if let Some(instance) = checker.function_instance(&candidate, None) {
                self.add(instance, InstanceSource::Plain, None);
            }
        }
    }

    fn explicit_instantiations(&mut self, module: &'h Module) {
        for instantiation in &module.instantiations {
            let origin = instantiation.origin;
            self.cx.recorder = Some(Recorder::default());
            let entity = self.checker().resolve(&instantiation.name, origin);
            match entity {
                Entity::Functions(set) => {
                    let instance = match &instantiation.parameters {
                        Some(parameters) if set.arguments.is_none() => {
                            let types = self.checker().types_expanded(parameters);
                            self.instance_for_types(&set, &types, origin)
                        }
                        _ => {
                            let only = self.checker().only_function(&set);
                            only.or_else(|| {
                                let parameters = instantiation.parameters.as_deref()?;
                                let types = self.checker().types_expanded(parameters);
                                self.instance_for_types(&set, &types, origin)
                            })
                        }
                    };
                    if let Some(instance) = instance {
                        self.add(instance, InstanceSource::ExplicitInstantiation, None);
                        self.walk(instance);
                    }
                }
                Entity::Type(ty) => {
                    if let Some(class) = self.cx.types.class(ty) {
                        self.methods_of(class);
                    }
                }
                _ => {}
            }
        }
    }

    fn instance_for_types(
        &mut self,
        set: &OverloadSet,
        types: &[Type],
        origin: Origin,
    ) -> Option<FunctionInstanceId> {
        let arguments: Vec<CallArgument> = types
            .iter()
            .map(|ty| {
                let ty = self.cx.types.strip_reference(*ty);
                CallArgument::Expr(Expr::place(ExprKind::Undefined, ty, origin))
            })
            .collect();
        self.checker().choose(set, &arguments, origin).ok()
    }

    fn methods_of(&mut self, class: ClassId) {
        let entry = self.cx.class(class);
        let environment = entry.environment.clone();
        let ClassSource::Record(record) = entry.source else { return };
        let methods = self.cx.hir(environment.unit).records[record].methods.clone();
        for id in methods {
            if self.cx.hir(environment.unit).functions[id].template_parameters.is_some() {
                continue;
            }
            let environment = environment.clone();
            let candidate = Candidate { function: id, environment, class: Some(class) };
            if let Some(instance) = self.checker().function_instance(&candidate, None) {
                self.walk(instance);
            }
        }
    }

    /// Walks all host functions that are no templates, and what they call.
    fn host_functions(&mut self, module: &'h Module) {
        for (id, function) in module.functions.iter() {
            let defined = matches!(function.body, port_hir::Body::Block(_));
            let device = function.qualifiers.global
                || function.qualifiers.device && !function.qualifiers.host;
            if !defined || device || function.template_depth > 0 {
                continue;
            }
            let mut checker = self.checker();
            let candidate = checker.candidate(id);
            if let Some(instance) = checker.function_instance(&candidate, None) {
                self.walk(instance);
            }
        }
        // Launches at namespace scope: arguments of macros that are not in view.
        for other in &module.others {
            self.cx.recorder = Some(Recorder::default());
            let mut checker = self.checker();
            let mut out = Vec::new();
            checker.statement(other.stmt, &mut out);
            self.collect(&[], None);
        }
    }

    /// Looks at a host function's body and at what it calls.
    fn walk(&mut self, start: FunctionInstanceId) {
        let mut queue = vec![(start, 0)];
        while let Some((function, depth)) = queue.pop() {
            if self.walked.len() >= HOST_FUNCTIONS || !self.walked.insert(function) {
                continue;
            }
            if depth >= HOST_DEPTH {
                let origin = self.checker().origin_of(function);
                self.cx.endless(Unit::USER, origin, u64::from(HOST_DEPTH));
                return;
            }
            if let Some(id) = kernel_id(self.cx, function) {
                let unit = self.cx.function(function).environment.unit;
                let qualifiers = &self.cx.hir(unit).functions[id].qualifiers;
                // Device code launches nothing that is followed.
                if !unit.is_user() || qualifiers.global || qualifiers.device && !qualifiers.host {
                    continue;
                }
            }
            self.cx.recorder = Some(Recorder::default());
            self.cx.functions[function.index()].body = crate::context::BodyState::Unchecked;
            let body = self.checker().body_of(function);
            let (statements, variables) = match &body {
                Some(body) => (&body.statements[..], Some(&body.variables[..])),
                None => (&[][..], None),
            };
            let next = self.collect(statements, variables.map(<[_]>::to_vec));
            // Functions that are no templates may call each other as they like.
            let of = |cx: &Context<'_>, id| match cx.function(id).environment.lists.is_empty() {
                true => 0,
                false => depth + 1,
            };
            queue.extend(next.into_iter().rev().map(|next| (next, of(self.cx, next))));
        }
    }

    /// Takes what the recorder holds; gives what is called.
    fn collect(
        &mut self,
        statements: &[crate::typed::Stmt],
        variables: Option<Vec<crate::typed::Variable>>,
    ) -> Vec<FunctionInstanceId> {
        let Some(recorder) = self.cx.recorder.take() else { return Vec::new() };
        let mut called = recorder.called;
        for closure in recorder.closures {
            if let Some(instance) = self.closure_body(closure) {
                called.push(instance);
            }
        }
        let mut checker = Checker::new(self.cx, Environment::top(Unit::USER));
        checker.body.variables = variables.unwrap_or_default();
        checker.learn_values(statements);
        let mut launches = Vec::new();
        for launch in &recorder.launches {
            let block = checker.extents(launch.block.as_ref());
            let grid = checker.extents(launch.grid.as_ref());
            let shared = match &launch.shared {
                Shared::None => Some(Range::exactly(0)),
                Shared::Bytes(bytes) => checker.number(bytes),
                Shared::Unknown => None,
            };
            let number = |argument: &Option<Expr>| checker.number(argument.as_ref()?);
            let arguments = launch.arguments.iter().map(number).collect();
            let (launch, kernel, origin) = (launch.launch, launch.kernel, launch.origin);
            launches.push((kernel, LaunchFound { launch, grid, block, shared, arguments, origin }));
        }
        for (kernel, launch) in launches {
            self.add(kernel, InstanceSource::Launch, Some(launch));
        }
        for kernel in recorder.named {
            self.add(kernel, InstanceSource::Launch, None);
        }
        called
    }

    /// The body of a closure that is no template: it may be called where nobody sees.
    fn closure_body(&mut self, closure: ClassId) -> Option<FunctionInstanceId> {
        let mut checker = self.checker();
        checker.closure_without_arguments(closure)
    }

    // What the user asks for.

    fn asked(&mut self, module: &'h Module, options: &Options) {
        for text in &options.instantiate {
            match crate::reader::read(self.cx, module, text) {
                Ok(instance) => {
                    self.add(instance, InstanceSource::Asked, None);
                    let place = self.places.get(&instance);
                    if let Some(found) = place.and_then(|place| self.found.get_mut(*place)) {
                        found.asked_as.push(text.clone());
                    }
                }
                Err(why) => {
                    let finding = BadInstance { text: text.clone(), why };
                    let diagnostic = port_diag::Finding::nowhere(&finding);
                    self.cx.diagnostics.push(diagnostic);
                }
            }
        }
    }

    // Defaults.

    fn defaults(&mut self, module: &'h Module, options: &Options) {
        if !options.defaults {
            return;
        }
        let mut known: HashSet<String> = HashSet::new();
        for found in &self.found {
            known.extend(kernel_id(self.cx, found.kernel).map(|id| module.function_name(id)));
        }
        for (id, function) in module.kernels() {
            let defined = matches!(function.body, port_hir::Body::Block(_));
            let template = function.template_depth > 0 && function.specialisation.is_none();
            if !defined || !template {
                continue;
            }
            let origin = function.origin;
            let kernel = module.function_name(id);
            // An overload that is used speaks for the others of its name (they exclude each other by
            // `enable_if`, as a rule).
            if known.contains(&kernel) {
                continue;
            }
            match self.default_instance(id) {
                Some(instance) => {
                    self.add(instance, InstanceSource::Default, None);
                    known.insert(kernel.clone());
                    let instance = self.cx.function(instance).name.clone();
                    self.cx.note(Unit::USER, origin, DefaultInstance { kernel, instance });
                }
                None => self.cx.note(Unit::USER, origin, NoInstance { kernel }),
            }
        }
    }

    fn default_instance(&mut self, id: FunctionId) -> Option<FunctionInstanceId> {
        let module = self.cx.units[0];
        let function = &module.functions[id];
        let parameters = function.template_parameters.as_ref()?;
        // A member of a class template would need the class's arguments, too.
        if let Parent::Record(_) = function.parent {
            return None;
        }
        // Values by their names fit most kernels; sizes may have to divide each other.
        let sizes = [None, Some(16), Some(64), Some(8)];
        let types = [Type::FLOAT, Type::HALF, Type::INT, Type::DOUBLE];
        for (size, ty) in sizes.iter().flat_map(|size| types.iter().map(move |ty| (*size, *ty))) {
            let mut given: Vec<Argument> = Vec::new();
            let mut possible = true;
            for parameter in &parameters.parameters {
                let default = match &parameter.kind {
                    TemplateParameterKind::Type { default }
                    | TemplateParameterKind::Template { default, .. } => default.is_some(),
                    TemplateParameterKind::Value { default, .. } => default.is_some(),
                    TemplateParameterKind::Abbreviated => false,
                };
                if default || parameter.pack {
                    break;
                }
                given.push(match &parameter.kind {
                    TemplateParameterKind::Type { .. } => Argument::Type(ty),
                    TemplateParameterKind::Value { ty: value_type, .. } => {
                        let list = given.clone();
                        let env = Environment::top(Unit::USER).with(list.into());
                        self.cx.host = true;
                        let value_type = Checker::new(self.cx, env).ty(*value_type);
                        self.cx.host = false;
                        let value = default_value(self.cx, value_type, parameter.name);
                        let value = size.filter(|_| value > 1).unwrap_or(value);
                        Argument::Value(Value::Integer(value), value_type)
                    }
                    _ => {
                        possible = false;
                        break;
                    }
                });
            }
            if !possible {
                return None;
            }
            self.cx.host = true;
            let mut checker = self.checker();
            let candidate = checker.candidate(id);
            let environment = candidate.environment.clone();
            let list = checker.complete_arguments(parameters, given, &environment);
            let failures = checker.cx.failures;
            let instance = match list {
                Ok(list) => checker.function_instance(&candidate, Some(list)),
                Err(_) => None,
            };
            let whole = instance.is_some_and(|instance| {
                let unsound = checker.cx.failures != failures;
                checker.body_of(instance);
                !unsound && checker.cx.failures == failures
            });
            self.cx.host = false;
            if whole {
                return instance;
            }
        }
        None
    }
}

/// What a value parameter most likely is, by its type and name.
fn default_value(cx: &Context<'_>, ty: Type, name: Name) -> i128 {
    let lower = name.as_str().to_ascii_lowercase();
    let mentions = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    match *cx.types.kind(ty) {
        Kind::Builtin(Builtin::Bool) => 0,
        Kind::Enum(id) => cx.enumeration(id).values.iter().flatten().next().copied().unwrap_or(0),
        _ if mentions(&["warp_size", "warpsize", "kwarp"]) => 32,
        _ if mentions(&["block", "thread", "ntx", "tpb", "cta"]) => 256,
        _ if mentions(&["vec", "width", "pack", "unroll", "ilp"]) => 4,
        _ if mentions(&["tile"]) => 16,
        _ if mentions(&["head_size", "headsize", "head_dim", "hdim", "hidden"]) => 128,
        _ => 1,
    }
}

impl<'h> Checker<'_, 'h> {
    /// Notes a launch in host code.
    pub(crate) fn record_launch(&mut self, id: LaunchId, origin: Origin) -> Expr {
        let launch = &self.hir().launches[id];
        let arguments = self.call_arguments(&launch.arguments);
        let dim3 = self.cx.types.dim3();
        let mut part = |part: Option<ExprId>, ty: Type| {
            let part = part?;
            let expr = self.expr(part);
            let expr = self.convert(expr, ty);
            expr.poison_code().is_none().then_some(expr)
        };
        let grid = part(launch.grid, dim3);
        let block = part(launch.block, dim3);
        let shared = match (launch.shared, part(launch.shared, Type::ULONG)) {
            (None, _) => Shared::None,
            (Some(_), Some(bytes)) => Shared::Bytes(Box::new(bytes)),
            (Some(_), None) => Shared::Unknown,
        };
        let callee = self.launched(launch.callee);
        let nothing = Expr::value(ExprKind::Zero, Type::VOID, origin);
        let Some(set) = callee else { return nothing };
        let chosen = self.attempt(|checker| checker.choose(&set, &arguments, origin));
        let kernel = match chosen {
            Some(Ok(kernel)) => Some(kernel),
            // Arguments of unknown types decide nothing; all template arguments may be explicit.
            _ => self.only_function(&set),
        };
        let plain = |argument| match argument {
            CallArgument::Expr(expr) => Some(expr),
            CallArgument::Braced(_) => None,
        };
        let arguments = arguments.into_iter().map(plain).collect();
        if let (Some(kernel), Some(recorder)) = (kernel, &mut self.cx.recorder) {
            let launch = Recorded { kernel, launch: id, grid, block, shared, arguments, origin };
            recorder.launches.push(launch);
        }
        nothing
    }

    /// The kernels that the callee of a launch may mean.
    fn launched(&mut self, callee: ExprId) -> Option<OverloadSet> {
        let named = self.cx.recorder.as_ref().map_or(0, |recorder| recorder.named.len());
        let expr = self.expr(callee);
        if let ExprKind::Overload(set) = &expr.kind {
            // It is launched, not only named.
            if let Some(recorder) = &mut self.cx.recorder {
                recorder.named.truncate(named);
            }
            return Some((**set).clone());
        }
        None
    }

    /// Notes a kernel that host code names, or a template of host functions that it may call where
    /// nobody sees.
    pub(crate) fn record_name(&mut self, set: &OverloadSet) {
        let any = |is: fn(&port_hir::Function) -> bool| {
            set.candidates.iter().any(|candidate| {
                let hir = self.cx.hir(candidate.environment.unit);
                candidate.environment.unit.is_user() && is(&hir.functions[candidate.function])
            })
        };
        let kernel = any(|function| function.is_kernel());
        if !kernel && (set.arguments.is_none() || !any(|function| function.template_depth > 0)) {
            return;
        }
        if let Some(instance) = self.attempt(|checker| checker.only_function(set)).flatten()
            && let Some(recorder) = &mut self.cx.recorder
        {
            match kernel {
                true => recorder.named.push(instance),
                false => recorder.called.push(instance),
            }
        }
    }

    /// Notes a function that host code calls: a constructor, a destructor.
    pub(crate) fn record_call(&mut self, function: FunctionInstanceId) {
        if let Some(recorder) = &mut self.cx.recorder {
            recorder.called(function);
        }
    }

    /// `new` in host code: the pointer's type, and what the constructor leads to.
    pub(crate) fn allocation(
        &mut self,
        ty: port_hir::TyId,
        initializer: Option<&'h port_hir::Initializer>,
        origin: Origin,
    ) -> Expr {
        let (ty, _) = self.declared(ty, initializer, origin);
        let element = match self.cx.types.kind(ty) {
            Kind::Array(element, _) => *element,
            _ => ty,
        };
        let pointer = self.cx.types.pointer(element);
        Expr::value(ExprKind::Undefined, pointer, origin)
    }

    /// Notes a closure in host code.
    pub(crate) fn record_closure(&mut self, class: ClassId) {
        if let Some(recorder) = &mut self.cx.recorder {
            recorder.closures.push(class);
        }
    }

    /// A macro that is not in view and holds statements: a dispatch over types, most likely.
    pub(crate) fn dispatch(
        &mut self,
        name: Name,
        parts: &'h [StmtId],
        out: &mut Vec<crate::typed::Stmt>,
    ) {
        for ty in dispatched_types(name.as_str()) {
            let outer = self.cx.dispatch.replace(ty);
            let classes = self.cx.classes.len();
            for part in parts {
                self.statement(*part, out);
            }
            self.forget_closures(classes);
            self.cx.dispatch = outer;
        }
    }

    /// Closures made under one dispatched type are other classes under the next.
    fn forget_closures(&mut self, from: usize) {
        // Their bodies are looked at before they are forgotten.
        let closures: Vec<ClassId> = match &mut self.cx.recorder {
            Some(recorder) => std::mem::take(&mut recorder.closures),
            None => Vec::new(),
        };
        for closure in closures {
            if let Some(instance) = self.closure_without_arguments(closure) {
                self.body_of(instance);
            }
        }
        self.cx.class_ids.retain(|(_, source, _, _), class| {
            class.index() < from || !matches!(source, ClassSource::Closure(_))
        });
    }

    /// The type that a name stands for which a dispatch macro out of view declares.
    pub(crate) fn dispatched_type(&mut self, name: &port_hir::NameRef) -> Option<Type> {
        if name.unqualified().is_none() || name.resolution != port_hir::Res::Unresolved {
            return None;
        }
        self.cx.dispatch
    }

    /// The call operator of a closure that takes no template arguments.
    pub(crate) fn closure_without_arguments(
        &mut self,
        class: ClassId,
    ) -> Option<FunctionInstanceId> {
        let ClassSource::Closure(id) = self.cx.class(class).source else { return None };
        let hir = self.cx.hir(self.cx.class(class).environment.unit);
        let lambda = &hir.lambdas[id];
        if lambda.template_parameters.is_some() {
            return None;
        }
        self.closure_instance(class, &[], lambda.origin).ok()
    }

    /// Takes the values of variables that never change after their declaration.
    fn learn_values(&mut self, statements: &[crate::typed::Stmt]) {
        let body = crate::typed::Body {
            parameters: Vec::new(),
            variables: self.body.variables.clone(),
            result: Type::VOID,
            statements: statements.to_vec(),
            class: None,
        };
        let usage = crate::emit::usage(&body);
        self.learn(statements, &usage);
    }

    fn learn(&mut self, statements: &[crate::typed::Stmt], usage: &[crate::emit::Usage]) {
        for statement in statements {
            if let StmtKind::Declare { variable, initial: Some(initial) } = &statement.kind
                && usage.get(variable.index()).is_some_and(|usage| !usage.written && !usage.exposed)
                && self.body.variables.get(variable.index()).is_some_and(|v| v.constant.is_none())
                && let Some(value) = self.evaluate(initial)
            {
                self.set_constant(*variable, value);
            }
            statement.for_each_block(&mut |block| self.learn(block, usage));
        }
    }

    /// What is known of a `dim3`.
    fn extents(&mut self, expr: Option<&Expr>) -> [Option<Range>; 3] {
        let mut extents = [None; 3];
        let Some(expr) = expr else { return extents };
        if let ExprKind::Aggregate(parts) = &expr.kind {
            for (extent, part) in extents.iter_mut().zip(parts) {
                *extent = part.as_ref().and_then(|part| self.number(part));
            }
            return extents;
        }
        if let Some(Value::Aggregate(parts)) = self.evaluate(expr) {
            for (extent, part) in extents.iter_mut().zip(parts) {
                *extent = part
                    .as_integer()
                    .and_then(|value| i64::try_from(value).ok())
                    .map(Range::exactly);
            }
        }
        extents
    }

    fn number(&mut self, expr: &Expr) -> Option<Range> {
        let value = self.evaluate(expr)?.as_integer()?;
        i64::try_from(value).ok().map(Range::exactly)
    }
}

/// The types over which a dispatch macro most likely goes, by its name.
fn dispatched_types(name: &str) -> Vec<Type> {
    let upper = name.to_ascii_uppercase();
    let mut types = vec![Type::FLOAT];
    if upper.contains("HALF") || upper.contains("FP16") || upper.contains("FLOATING") {
        types.push(Type::HALF);
    }
    if upper.contains("BFLOAT") || upper.contains("BF16") || upper.contains("FLOATING") {
        types.push(Type::BFLOAT16);
    }
    types
}
