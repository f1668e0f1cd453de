//! What one lowering knows: the units of source, and the classes, enumerations, functions and
//! variables that have been instantiated from them. Holds and hands out; decides nothing.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use port_diag::{Diagnostic, Expansions, Finding, Origin, Span};
use port_hir::{AliasId, EnumId, FunctionId, LambdaId, LocalId, Module, RecordId, VariableId};
use port_syntax::Symbol;

use crate::findings::EndlessTemplates;
use crate::ty::{Type, Types};
use crate::typed::Body;
use crate::value::{Argument, Environment, List, Value};

/// A source of declarations: the user's module, or one of the library that models what CUDA's and
/// C++'s headers declare. Handles of a HIR module are only good with their unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Unit(pub(crate) u32);

impl Unit {
    /// The module that is lowered.
    pub(crate) const USER: Unit = Unit(0);

    pub(crate) fn is_user(self) -> bool {
        self == Unit::USER
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) struct $name(pub(crate) u32);

        impl $name {
            pub(crate) fn index(self) -> usize {
                self.0 as usize
            }
        }
    )* };
}

ids! {
    /// A [`Class`].
    ClassId,
    /// An [`Enumeration`].
    EnumerationId,
    /// A [`FunctionInstance`].
    FunctionInstanceId,
    /// A [`Global`].
    GlobalId,
}

/// What a class is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ClassSource {
    /// The record whose members it has: for a template the specialisation that was chosen.
    Record(RecordId),
    /// A lambda's closure.
    Closure(LambdaId),
}

/// How far a class is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completion {
    Declared,
    InProgress,
    Complete,
    /// Its parts cannot be known; reported under this code.
    Failed(&'static str),
}

/// A class, struct, union or closure type with known template arguments.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    pub(crate) source: ClassSource,
    /// The template, for a specialisation; else the record itself.
    pub(crate) primary: Option<RecordId>,
    /// Arguments of the template, in the template's order. Empty for other records.
    pub(crate) arguments: List,
    /// For the members.
    pub(crate) environment: Environment,
    /// The class around the place where it is declared.
    pub(crate) outer: Option<ClassId>,
    /// With its template arguments, as a person writes it.
    pub(crate) name: String,
    pub(crate) completion: Completion,
    pub(crate) union: bool,
    pub(crate) bases: Vec<BasePart>,
    pub(crate) fields: Vec<FieldPart>,
    /// Bytes, once complete.
    pub(crate) size: u64,
    /// Bytes, once complete.
    pub(crate) align: u64,
    /// Of a closure, in the order of its fields.
    pub(crate) captures: Vec<CaptureField>,
    /// Of a closure: what the names of the enclosing function mean without a capture.
    pub(crate) visible: Rc<HashMap<LocalId, crate::check::Binding>>,
}

/// A base class's part of a class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BasePart {
    pub(crate) class: ClassId,
    /// Bytes from the start.
    pub(crate) offset: u64,
}

/// A data member.
#[derive(Clone, Debug)]
pub(crate) struct FieldPart {
    /// Empty for an anonymous struct or union.
    pub(crate) name: Symbol,
    pub(crate) ty: Type,
    /// Bytes from the start.
    pub(crate) offset: u64,
    /// Position in the record's fields; for a closure in its captures.
    pub(crate) source: u32,
    /// Width in bits, of a bit-field.
    pub(crate) bits: Option<u32>,
    /// Of a bit-field, its first bit in the unit at `offset`.
    pub(crate) shift: u32,
}

/// What a closure holds.
#[derive(Clone, Debug)]
pub(crate) struct CaptureField {
    /// The captured variable; `None` for `this` or `*this`.
    pub(crate) local: Option<LocalId>,
    /// Which element, for a captured pack.
    pub(crate) element: Option<usize>,
    /// Held as a pointer to the variable.
    pub(crate) reference: bool,
}

/// An enumeration with known values.
#[derive(Clone, Debug)]
pub(crate) struct Enumeration {
    pub(crate) id: EnumId,
    pub(crate) name: String,
    pub(crate) scoped: bool,
    /// Whether the source says what the underlying type is (`enum class` without one counts).
    pub(crate) fixed: bool,
    /// An integer type.
    pub(crate) underlying: Type,
    /// One for each enumerator; `None` if it could not be evaluated.
    pub(crate) values: Vec<Option<i128>>,
    pub(crate) environment: Environment,
}

/// What a function instance is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FunctionSource {
    Function(FunctionId),
    /// The call operator of a closure.
    Lambda(ClassId),
}

/// A function's type, with what is needed to call it.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    /// The class of the object, with the qualifiers of the member function; `None` for static and
    /// free functions.
    pub(crate) this: Option<Type>,
    /// Arrays and functions are pointers; top-level qualifiers are dropped.
    pub(crate) parameters: Vec<Type>,
    /// Holds [`Type::AUTO`] until the body was checked.
    pub(crate) result: Type,
    pub(crate) variadic: bool,
}

/// How far a function's body is known.
#[derive(Clone, Debug)]
pub(crate) enum BodyState {
    Unchecked,
    Checking,
    Checked(Rc<Body>),
    /// There is none in view.
    Absent,
}

/// A function with known template arguments.
#[derive(Clone, Debug)]
pub(crate) struct FunctionInstance {
    pub(crate) source: FunctionSource,
    pub(crate) environment: Environment,
    /// The class it is a member of.
    pub(crate) class: Option<ClassId>,
    pub(crate) signature: Rc<Signature>,
    pub(crate) body: BodyState,
    /// With its template arguments, as a person writes it.
    pub(crate) name: String,
    /// Parameters that are pointers to functions and hold these in every call, by position.
    pub(crate) known: KnownFunctions,
}

/// Parameters by position, and the functions that they hold.
pub(crate) type KnownFunctions = Rc<[(usize, FunctionInstanceId)]>;

/// Which memory a [`Global`] lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GlobalSpace {
    Global,
    Constant,
    Shared,
    /// The host's: no device code can reach it, but its constant value may be used.
    Host,
}

/// A variable outside functions, or a static or shared one in them.
#[derive(Clone, Debug)]
pub(crate) struct Global {
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) space: GlobalSpace,
    /// `extern __shared__ T x[]`
    pub(crate) dynamic: bool,
    pub(crate) align: Option<u64>,
    /// Its first value, if that is a constant.
    pub(crate) value: Option<Value>,
    /// Whether it always has that value.
    pub(crate) fixed: bool,
    pub(crate) origin: Origin,
}

/// Where a global comes from: equal keys are one variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum GlobalSource {
    Variable(VariableId, Environment),
    /// A static or shared local of a function instance.
    Local(LocalId, FunctionInstanceId),
}

/// A call on the way from a kernel to the place that is being looked at.
#[derive(Clone, Debug)]
pub(crate) struct ChainLink {
    /// The function's name.
    pub(crate) name: String,
    /// Where it is called; its own name for the kernel.
    pub(crate) at: Origin,
}

/// Bounds that keep time and memory finite whatever the input.
pub(crate) mod limits {
    /// Nested instantiations and calls.
    pub(crate) const DEPTH: u32 = 200;
    /// Classes, functions and enumerations together.
    pub(crate) const INSTANCES: usize = 50_000;
    /// Steps of one constant evaluation.
    pub(crate) const STEPS: u64 = 2_000_000;
    /// Elements of a pack or of an aggregate that is evaluated part by part.
    pub(crate) const ELEMENTS: u64 = 65_536;
    /// Values of a `case a ... b` range.
    pub(crate) const CASE_RANGE: i128 = 4096;
}

/// See the module.
pub(crate) struct Context<'h> {
    pub(crate) units: Vec<&'h Module>,
    pub(crate) types: Types,
    pub(crate) classes: Vec<Class>,
    pub(crate) class_ids: HashMap<(Unit, ClassSource, List, Environment), ClassId>,
    pub(crate) enumerations: Vec<Enumeration>,
    pub(crate) enumeration_ids: HashMap<(EnumId, Environment), EnumerationId>,
    pub(crate) functions: Vec<FunctionInstance>,
    pub(crate) function_ids: HashMap<(FunctionSource, Environment), FunctionInstanceId>,
    /// What member aliases and alias templates stand for.
    pub(crate) alias_types: HashMap<(AliasId, Environment), Type>,
    /// Functions for calls that pass them known functions.
    pub(crate) specialised: HashMap<(FunctionInstanceId, KnownFunctions), FunctionInstanceId>,
    pub(crate) globals: Vec<Global>,
    pub(crate) global_ids: HashMap<GlobalSource, GlobalId>,
    /// Variables whose values are being evaluated, so that a cycle ends.
    pub(crate) evaluating: HashSet<GlobalSource>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    reported: HashSet<(&'static str, Option<Span>, String)>,
    /// How many substitutions that may fail silently are open.
    pub(crate) quiet: u32,
    /// Nothing is reported: host code is looked at for its launches only.
    pub(crate) host: bool,
    /// Counts findings, reported or not: a substitution failed if it made the number grow.
    pub(crate) failures: u64,
    /// Nested instantiations and calls that are open.
    pub(crate) depth: u32,
    /// The way from a kernel to what is being lowered.
    pub(crate) chain: Vec<ChainLink>,
    /// Makes each lambda's and placeholder's number unique.
    pub(crate) counter: u32,
    /// The kernel in which templates without end were found last.
    endless_in: Option<String>,
    pub(crate) library: crate::library::Library,
    /// A user conversion is being looked for: none inside it.
    pub(crate) in_user_conversion: bool,
    /// The type that a dispatch macro out of view passes to its body under a name nobody declares.
    pub(crate) dispatch: Option<Type>,
    /// Launches and calls of host templates seen while host code is looked at.
    pub(crate) recorder: Option<crate::instances::Recorder>,
}

impl<'h> Context<'h> {
    pub(crate) fn new(module: &'h Module) -> Self {
        Context {
            units: vec![module],
            types: Types::default(),
            classes: Vec::new(),
            class_ids: HashMap::new(),
            enumerations: Vec::new(),
            enumeration_ids: HashMap::new(),
            functions: Vec::new(),
            function_ids: HashMap::new(),
            alias_types: HashMap::new(),
            specialised: HashMap::new(),
            globals: Vec::new(),
            global_ids: HashMap::new(),
            evaluating: HashSet::new(),
            diagnostics: Vec::new(),
            reported: HashSet::new(),
            quiet: 0,
            host: false,
            failures: 0,
            depth: 0,
            chain: Vec::new(),
            counter: 0,
            endless_in: None,
            library: crate::library::Library::default(),
            in_user_conversion: false,
            dispatch: None,
            recorder: None,
        }
    }

    /// The module of a unit.
    pub(crate) fn hir(&self, unit: Unit) -> &'h Module {
        self.units.get(unit.0 as usize).copied().unwrap_or(self.units[0])
    }

    pub(crate) fn class(&self, id: ClassId) -> &Class {
        &self.classes[id.index()]
    }

    pub(crate) fn class_mut(&mut self, id: ClassId) -> &mut Class {
        &mut self.classes[id.index()]
    }

    pub(crate) fn function(&self, id: FunctionInstanceId) -> &FunctionInstance {
        &self.functions[id.index()]
    }

    pub(crate) fn enumeration(&self, id: EnumerationId) -> &Enumeration {
        &self.enumerations[id.index()]
    }

    pub(crate) fn global(&self, id: GlobalId) -> &Global {
        &self.globals[id.index()]
    }

    /// A number that no earlier call gave.
    pub(crate) fn fresh(&mut self) -> u32 {
        self.counter += 1;
        self.counter
    }

    /// Records a finding at a place of the user's; gives its code. In a unit of the library the
    /// place is where the user's code called into it.
    pub(crate) fn report<F: Finding>(
        &mut self,
        unit: Unit,
        origin: Origin,
        finding: F,
    ) -> &'static str {
        self.failures += 1;
        let code = F::METADATA.code;
        if self.quiet > 0 || self.host {
            return code;
        }
        // Whatever else is wrong with such a kernel follows from it.
        let follows = match (&self.endless_in, self.chain.first()) {
            (Some(endless), Some(kernel)) => *endless == kernel.name,
            _ => false,
        };
        if !follows {
            self.record(unit, origin, &finding);
        }
        code
    }

    /// Records that templates instantiate each other without end, in host code too: the file is
    /// wrong. Once: what else goes on without end starts at the same place.
    pub(crate) fn endless(&mut self, unit: Unit, origin: Origin, limit: u64) -> &'static str {
        self.failures += 1;
        let finding = EndlessTemplates { limit };
        if !self.diagnostics.iter().any(|known| known.code == EndlessTemplates::METADATA.code) {
            self.record(unit, origin, &finding);
        }
        self.endless_in = self.chain.first().map(|kernel| kernel.name.clone());
        EndlessTemplates::METADATA.code
    }

    /// Records a finding that fails nothing.
    pub(crate) fn note<F: Finding>(&mut self, unit: Unit, origin: Origin, finding: F) {
        if self.quiet == 0 && !self.host {
            self.record(unit, origin, &finding);
        }
    }

    fn record<F: Finding>(&mut self, unit: Unit, origin: Origin, finding: &F) {
        let origin = if unit.is_user() {
            Some(origin)
        } else {
            // The library has no text that a user could look at.
            self.chain.last().map(|link| link.at)
        };
        let expansions: &Expansions = &self.units[0].expansions;
        let mut diagnostic = match origin {
            Some(origin) => finding.at(origin, expansions),
            None => finding.nowhere(),
        };
        let key = (
            diagnostic.code,
            diagnostic.primary.as_ref().map(|label| label.span),
            diagnostic.message.clone(),
        );
        if !self.reported.insert(key) {
            return;
        }
        // The way from the kernel: each function of the chain, at the place of its call.
        for link in self.chain.iter().skip(1).rev().take(8) {
            let span = expansions.outermost(link.at);
            diagnostic =
                diagnostic.with_label(span, format!("through this call of `{}`", link.name));
        }
        if let Some(kernel) = self.chain.first() {
            diagnostic = diagnostic.in_kernel(kernel.name.clone());
        }
        self.diagnostics.push(diagnostic);
    }

    /// The name of a type as a person writes it.
    pub(crate) fn type_name(&self, ty: Type) -> String {
        crate::names::type_name(self, ty)
    }

    /// The text of template arguments, without the brackets.
    pub(crate) fn arguments_text(&self, arguments: &[Argument]) -> String {
        crate::names::arguments_text(self, arguments)
    }
}
