//! The validator: says whether a module keeps the rules of the IR, and what follows from them.
//!
//! [`Rule`] lists every invariant. All violations are reported, each with its place. The
//! validator runs after lowering and after every pass; whatever comes after it may rely on the
//! rules, and need not check them again.

mod calls;
mod expression;
mod module;
mod statement;

use std::fmt;

use crate::arena::{Handle, Location};
use crate::function::Function;
use crate::module::Module;
use crate::typing::ExpressionTypes;

pub use calls::{ConvergentUse, PoisonUse};

macro_rules! rules {
    ($( $(#[$doc:meta])* $name:ident = $spelling:literal; )*) => {
        /// The invariants of the IR.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule { $( $(#[$doc])* $name, )* }

        impl Rule {
            /// Every rule, in declaration order.
            pub const ALL: &[Rule] = &[ $(Rule::$name,)* ];

            /// The rule's name in messages and tests.
            pub fn name(self) -> &'static str {
                match self { $(Rule::$name => $spelling,)* }
            }
        }
    };
}

rules! {
    /// Every handle points at an item that is there, and every parameter position at a parameter.
    Handle = "handle";
    /// Array elements and struct members have types that are older than the array or struct; sizes
    /// are below 2^63; a struct's alignment is a power of two that divides its size, and its
    /// members lie inside it. Only locals (and arrays in them) are fragments.
    TypeLayout = "type-layout";
    /// A fragment's dimensions are not zero.
    FragmentShape = "fragment-shape";
    /// Functions have distinct names, and so have variables; no name is empty.
    DistinctNames = "distinct-names";
    /// A module's variable lies in the global, shared or constant space; only shared ones are
    /// dynamic; its first bytes are not more than its size, and a shared variable has none; its
    /// alignment is a power of two and at least its type's.
    Variable = "variable";
    /// A kernel returns nothing, and has a body; pointers are the only parameters with a pointee,
    /// `restrict` or `read_only`, and kernels the only functions with `grid_constant`.
    Signature = "signature";
    /// A local's alignment is a power of two and at least its type's.
    Local = "local";

    /// An expression's operands are older than it.
    OperandOrder = "operand-order";
    /// A constant has no bits above its type's width.
    ConstantBits = "constant-bits";
    /// An operation's operands have the types that it takes: see the documentation of each
    /// operation.
    OperandType = "operand-type";
    /// Flags and roundings stand only on operations that they mean something for: integers take
    /// none, only `fadd`, `fsub`, `fmul` and `fma` may be marked for contraction.
    Flags = "flags";
    /// A conversion goes between types that it can: widths grow or shrink as it says, bits keep
    /// their size, one of the two pointer spaces is generic.
    Conversion = "conversion";
    /// Parts of aggregates are as many, and of the types, that the aggregate has; the index of a
    /// part is one of theirs; members of a struct that is composed do not overlap.
    Parts = "parts";
    /// Only kernels take the address of a parameter.
    ArgumentAddress = "argument-address";

    /// Each result is defined by exactly one statement, if it is used at all.
    ResultDefinition = "result-definition";
    /// A result is used only after its statement, in its block and the blocks inside; a loop that
    /// tests first shows what its condition computed to its body and step.
    ResultScope = "result-scope";
    /// A result has the type that its statement gives.
    ResultType = "result-type";
    /// A pointer points into a space that the statement can access; stores, atomics and fills go
    /// to writable spaces.
    PointerSpace = "pointer-space";
    /// An access has an order and a hint that it can have: a load does not release, a store does
    /// not acquire; atomic accesses are of 1, 2, 4, 8 or 16 bytes.
    AccessKind = "access-kind";
    /// An atomic operation exists for its type.
    AtomicType = "atomic-type";
    /// A fence orders something: it is not relaxed.
    FenceOrder = "fence-order";
    /// An async copy moves 4, 8 or 16 bytes.
    AsyncCopySize = "async-copy-size";
    /// A call names a device function and passes what it takes.
    Call = "call";
    /// A return gives what the function returns.
    ReturnType = "return-type";
    /// Only warp barriers have a mask; only block barriers are named or reduce; who does not wait
    /// gets no reduction.
    BarrierForm = "barrier-form";
    /// Fragments meet in the positions, shapes and layouts that they have.
    MatrixShape = "matrix-shape";

    /// A condition, test or assertion is a truth value; a selector an integer; a loop that computes
    /// a condition tests it.
    Condition = "condition";
    /// A switch's arms have distinct values that fit the selector, and at most one is the default;
    /// the last one falls nowhere.
    SwitchArms = "switch-arms";
    /// `break` stands in a loop or switch, `continue` in a loop; neither leaves a loop's condition
    /// or step, and nothing returns from there.
    JumpTarget = "jump-target";
    /// A jump (or trap) is the last statement of its block.
    JumpLast = "jump-last";
    /// Blocks are not nested deeper than [`MAX_BLOCK_DEPTH`](crate::MAX_BLOCK_DEPTH).
    Depth = "depth";

    /// Launch facts are about kernels and their parameters; ranges are not empty.
    LaunchFacts = "launch-facts";
}

/// A violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationError {
    /// The rule that is broken.
    pub rule: Rule,
    /// The function, if it is about one.
    pub function: Option<Handle<Function>>,
    /// The place.
    pub location: Option<Location>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule.name(), self.message)
    }
}

impl std::error::Error for ValidationError {}

/// What is known of a valid module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleInfo {
    /// For each function, by handle.
    functions: Vec<FunctionInfo>,
}

impl ModuleInfo {
    /// What is known of a function.
    ///
    /// # Panics
    /// If the handle is not of the module that this was made for.
    pub fn function(&self, handle: Handle<Function>) -> &FunctionInfo {
        &self.functions[handle.index()]
    }
}

/// What is known of a function of a valid module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionInfo {
    /// The types of its expressions.
    pub types: ExpressionTypes,
    /// For each expression, how many statements, and expressions that are used, use it.
    pub uses: Vec<u32>,
    /// The functions that it calls itself, each once, oldest first.
    pub callees: Vec<Handle<Function>>,
    /// Whether it can call itself, directly or through others.
    pub recursive: bool,
    /// Which kinds of convergent statement it executes, in its callees too.
    pub convergent: ConvergentUse,
    /// The module's variables that it reaches, in its callees too, oldest first.
    pub variables: Vec<Handle<crate::module::Variable>>,
    /// Bytes of static shared memory that these need, each aligned after the other in order.
    pub static_shared: u64,
    /// What in it, and in its callees, could not be translated.
    pub poison: Vec<PoisonUse>,
}

/// Collects violations.
pub(crate) struct Errors {
    list: Vec<ValidationError>,
    function: Option<Handle<Function>>,
}

impl Errors {
    pub(crate) fn report(
        &mut self,
        rule: Rule,
        location: Option<Location>,
        message: impl Into<String>,
    ) {
        let function = self.function;
        self.list.push(ValidationError { rule, function, location, message: message.into() });
    }
}

/// Checks every rule. `Err` holds all violations, in the order of the module: never empty.
pub fn validate(module: &Module) -> Result<ModuleInfo, Vec<ValidationError>> {
    let mut errors = Errors { list: Vec::new(), function: None };
    module::check(module, &mut errors);
    let mut functions = Vec::new();
    for (handle, function) in module.functions.iter() {
        errors.function = Some(handle);
        let mut info = FunctionInfo {
            types: ExpressionTypes::of(module, function),
            uses: vec![0; function.expressions.len()],
            ..FunctionInfo::default()
        };
        module::check_function(module, handle, function, &mut errors);
        expression::check(module, function, &info, &mut errors);
        statement::check(module, function, &mut info, &mut errors);
        functions.push(info);
    }
    if !errors.list.is_empty() {
        return Err(errors.list);
    }
    calls::complete(module, &mut functions);
    Ok(ModuleInfo { functions })
}
