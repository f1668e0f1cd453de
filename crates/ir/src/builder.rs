//! Builds a function: appends values, keeps their types, and opens and closes blocks.
//!
//! The builder never refuses: what it is given wrong, the validator reports. Each method takes the
//! [`Location`] (or a plain `Origin`) of the user's text that asks for the node.
//!
//! ```
//! use port_diag::{FileId, Origin, Span};
//! use port_ir::{
//!     Access, Axis, Builtin, FloatFlags, FloatOp, Function, FunctionBuilder, FunctionKind,
//!     LaunchBounds, Module, ParameterAttributes, Space, Type,
//! };
//!
//! let at = Origin::plain(Span::new(FileId(0), 0, 0));
//! let mut module = Module::new();
//! // __global__ void twice(float* x) { x[threadIdx.x] *= 2.0f; }
//! let kind = FunctionKind::Kernel(LaunchBounds::default());
//! let mut build = FunctionBuilder::new("twice", kind);
//! let x = build.parameter("x", Type::Pointer(Space::Global), ParameterAttributes::default(), at);
//! let x = build.argument(x, at);
//! let lane = build.builtin(Builtin::ThreadIndex(Axis::X), at);
//! let address = build.element(x, Type::F32, lane, at);
//! let old = build.load(Type::F32, address, Access::PLAIN, at);
//! let two = build.constant(port_ir::Constant::f32(2.0), at);
//! let new = build.float(FloatOp::Multiply, old, two, FloatFlags::SOURCE, at);
//! build.store(address, new, Access::PLAIN, at);
//! let function: Function = build.finish();
//! module.functions.append(function, at);
//! ```

use crate::arena::{Handle, Location};
use crate::expression::Expression;
use crate::function::{Function, FunctionKind, Local, Parameter, ParameterAttributes};
use crate::module::{Module, Variable};
use crate::operation::{
    Builtin, CompareOp, Constant, Conversion, FloatFlags, FloatOp, IntegerOp, MathFunction, UnaryOp,
};
use crate::statement::{Access, Block, Loop, Statement, StatementKind, SwitchCase, Value};
use crate::types::{Fragment, Struct, Type, Types};
use crate::typing::ExpressionTypes;

/// Builds one [`Function`].
#[derive(Clone, Debug)]
pub struct FunctionBuilder {
    function: Function,
    types: ExpressionTypes,
    /// The open blocks, outermost first; never empty.
    blocks: Vec<Block>,
}

impl FunctionBuilder {
    /// Begins a function; its body is open.
    pub fn new(name: impl Into<String>, kind: FunctionKind) -> Self {
        FunctionBuilder {
            function: Function::new(name, kind),
            types: ExpressionTypes::default(),
            blocks: vec![Block::new()],
        }
    }

    /// Closes all open blocks and gives the function.
    pub fn finish(mut self) -> Function {
        // Blocks that were left open join the block around them.
        while self.blocks.len() > 1 {
            let inner = self.close_block();
            if let Some(block) = self.blocks.last_mut() {
                block.statements.extend(inner.statements);
            }
        }
        self.function.body = self.blocks.pop();
        self.function
    }

    /// Gives the function as one that is declared but not defined here.
    pub fn finish_declaration(mut self) -> Function {
        self.function.body = None;
        self.function
    }

    /// What was built so far; the open blocks are not in it.
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// The type of a value.
    pub fn type_of(&self, value: Value) -> Type {
        self.types.get(value)
    }

    /// The expression of a value.
    pub fn expression(&self, value: Value) -> Option<&Expression> {
        self.function.expressions.get(value)
    }

    /// The constant that a value is, if it is one.
    pub fn as_constant(&self, value: Value) -> Option<Constant> {
        match self.function.expressions.get(value) {
            Some(Expression::Constant(constant)) => Some(*constant),
            _ => None,
        }
    }

    /// Remembers the user's name of a value.
    pub fn name(&mut self, value: Value, name: impl Into<String>) {
        self.function.names.insert(value, name.into());
    }

    /// Sets what the function returns.
    pub fn set_result(&mut self, result: Option<Type>) {
        self.function.result = result;
    }

    /// Adds a parameter; gives its position.
    pub fn parameter(
        &mut self,
        name: impl Into<String>,
        ty: Type,
        attributes: ParameterAttributes,
        location: impl Into<Location>,
    ) -> u32 {
        let location = location.into();
        let parameter = Parameter { name: name.into(), ty, pointee: None, attributes, location };
        self.function.parameters.push(parameter);
        self.function.parameters.len() as u32 - 1
    }

    /// Says what a pointer parameter points at.
    pub fn set_pointee(&mut self, parameter: u32, pointee: Type) {
        if let Some(parameter) = self.function.parameters.get_mut(parameter as usize) {
            parameter.pointee = Some(pointee);
        }
    }

    /// Adds a local variable. Its address is [`FunctionBuilder::local`].
    pub fn add_local(
        &mut self,
        name: impl Into<String>,
        ty: Type,
        location: impl Into<Location>,
    ) -> Handle<Local> {
        self.function.locals.append(Local { name: name.into(), ty, align: None }, location)
    }

    /// Asks for more alignment of a local variable than its type has: bytes, a power of two.
    pub fn set_local_align(&mut self, local: Handle<Local>, align: u64) {
        if let Some(local) = self.function.locals.get_mut(local) {
            local.align = Some(align);
        }
    }

    // Blocks.

    /// Opens a block inside the current one. What follows goes there, until it is closed.
    pub fn open_block(&mut self) {
        self.blocks.push(Block::new());
    }

    /// Closes the innermost open block and gives it. The function's body stays open: for it, this
    /// gives what it held and leaves it empty.
    pub fn close_block(&mut self) -> Block {
        if self.blocks.len() > 1 {
            return self.blocks.pop().unwrap_or_default();
        }
        self.blocks.last_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Adds a statement to the innermost open block. After a jump nothing can be reached, and what
    /// is added is dropped.
    pub fn push(&mut self, kind: StatementKind, location: impl Into<Location>) {
        let statement = Statement { kind, location: location.into() };
        if let Some(block) = self.blocks.last_mut()
            && !block.statements.last().is_some_and(|last| last.kind.is_jump())
        {
            block.statements.push(statement);
        }
    }

    /// Whether the innermost open block has ended with a jump, so that nothing more is reached.
    pub fn is_unreachable(&self) -> bool {
        self.blocks
            .last()
            .and_then(|block| block.statements.last())
            .is_some_and(|last| last.kind.is_jump())
    }

    /// Adds an if.
    pub fn push_if(
        &mut self,
        condition: Value,
        accept: Block,
        reject: Block,
        location: impl Into<Location>,
    ) {
        self.push(StatementKind::If { condition, accept, reject }, location);
    }

    /// Adds a switch.
    pub fn push_switch(
        &mut self,
        selector: Value,
        cases: Vec<SwitchCase>,
        location: impl Into<Location>,
    ) {
        self.push(StatementKind::Switch { selector, cases }, location);
    }

    /// Adds a loop.
    pub fn push_loop(&mut self, looping: Loop, location: impl Into<Location>) {
        self.push(StatementKind::Loop(Box::new(looping)), location);
    }

    /// Adds a statement with one result of the given type, which `make` puts in its place.
    pub fn push_with_result(
        &mut self,
        ty: Type,
        make: impl FnOnce(Value) -> StatementKind,
        location: impl Into<Location>,
    ) -> Value {
        let location = location.into();
        let result = self.result(ty, location);
        self.push(make(result), location);
        result
    }

    /// A value that a statement, added later with [`FunctionBuilder::push`], must define.
    pub fn result(&mut self, ty: Type, location: impl Into<Location>) -> Value {
        self.append(Expression::Result(ty), location)
    }

    /// Adds a load of a value of type `ty`.
    pub fn load(
        &mut self,
        ty: Type,
        pointer: Value,
        access: Access,
        location: impl Into<Location>,
    ) -> Value {
        self.push_with_result(
            ty,
            |result| StatementKind::Load { result, pointer, access },
            location,
        )
    }

    /// Adds a store.
    pub fn store(
        &mut self,
        pointer: Value,
        value: Value,
        access: Access,
        location: impl Into<Location>,
    ) {
        self.push(StatementKind::Store { pointer, value, access }, location);
    }

    /// Adds a call; gives its result if `result` says that there is one.
    pub fn call(
        &mut self,
        function: Handle<Function>,
        arguments: Vec<Value>,
        result: Option<Type>,
        location: impl Into<Location>,
    ) -> Option<Value> {
        let location = location.into();
        let result = result.map(|ty| self.result(ty, location));
        self.push(StatementKind::Call { result, function, arguments }, location);
        result
    }

    // Values.

    /// Appends an expression that is neither [`Expression::Variable`] nor [`Expression::Extract`],
    /// whose types need the module: see [`FunctionBuilder::variable`] and
    /// [`FunctionBuilder::extract`].
    pub fn append(&mut self, expression: Expression, location: impl Into<Location>) -> Value {
        let ty = self.types.infer(&self.function, &expression);
        self.append_as(expression, ty, location)
    }

    fn append_as(
        &mut self,
        expression: Expression,
        ty: Type,
        location: impl Into<Location>,
    ) -> Value {
        self.types.push_known(ty);
        self.function.expressions.append(expression, location)
    }

    /// A number or truth value.
    pub fn constant(&mut self, constant: Constant, location: impl Into<Location>) -> Value {
        self.append(Expression::Constant(constant), location)
    }

    /// The all-zero value of a type.
    pub fn zero(&mut self, ty: Type, location: impl Into<Location>) -> Value {
        self.append(Expression::Zero(ty), location)
    }

    /// A value nobody has set.
    pub fn undefined(&mut self, ty: Type, location: impl Into<Location>) -> Value {
        self.append(Expression::Undefined(ty), location)
    }

    /// A value that could not be translated.
    pub fn poison(&mut self, ty: Type, code: &str, location: impl Into<Location>) -> Value {
        self.append(Expression::Poison { ty, code: code.to_string() }, location)
    }

    /// The value of a parameter.
    pub fn argument(&mut self, parameter: u32, location: impl Into<Location>) -> Value {
        self.append(Expression::Argument(parameter), location)
    }

    /// The address of a kernel's parameter.
    pub fn argument_address(&mut self, parameter: u32, location: impl Into<Location>) -> Value {
        self.append(Expression::ArgumentAddress(parameter), location)
    }

    /// The address of a local variable.
    pub fn local(&mut self, local: Handle<Local>, location: impl Into<Location>) -> Value {
        self.append(Expression::Local(local), location)
    }

    /// The address of a module's variable.
    pub fn variable(
        &mut self,
        module: &Module,
        variable: Handle<Variable>,
        location: impl Into<Location>,
    ) -> Value {
        let space = module.variables.get(variable).map(|variable| variable.space);
        let ty = Type::Pointer(space.unwrap_or(crate::types::Space::Generic));
        self.append_as(Expression::Variable(variable), ty, location)
    }

    /// What the machine gives each thread, a `u32`.
    pub fn builtin(&mut self, builtin: Builtin, location: impl Into<Location>) -> Value {
        self.append(Expression::Builtin(builtin), location)
    }

    /// One operand.
    pub fn unary(&mut self, op: UnaryOp, value: Value, location: impl Into<Location>) -> Value {
        self.append(Expression::Unary { op, value }, location)
    }

    /// Two integers.
    pub fn integer(
        &mut self,
        op: IntegerOp,
        left: Value,
        right: Value,
        location: impl Into<Location>,
    ) -> Value {
        self.append(Expression::Integer { op, left, right }, location)
    }

    /// Two floats.
    pub fn float(
        &mut self,
        op: FloatOp,
        left: Value,
        right: Value,
        flags: FloatFlags,
        location: impl Into<Location>,
    ) -> Value {
        self.append(Expression::Float { op, left, right, flags }, location)
    }

    /// `a * b + c`, rounded once.
    pub fn fused_multiply_add(
        &mut self,
        [a, b, c]: [Value; 3],
        flags: FloatFlags,
        location: impl Into<Location>,
    ) -> Value {
        self.append(Expression::FusedMultiplyAdd { a, b, c, flags }, location)
    }

    /// A comparison.
    pub fn compare(
        &mut self,
        op: CompareOp,
        left: Value,
        right: Value,
        location: impl Into<Location>,
    ) -> Value {
        self.append(Expression::Compare { op, left, right }, location)
    }

    /// `condition ? accept : reject`, both already evaluated.
    pub fn select(
        &mut self,
        condition: Value,
        accept: Value,
        reject: Value,
        location: impl Into<Location>,
    ) -> Value {
        self.append(Expression::Select { condition, accept, reject }, location)
    }

    /// A value as another type.
    pub fn convert(
        &mut self,
        kind: Conversion,
        value: Value,
        to: Type,
        location: impl Into<Location>,
    ) -> Value {
        self.append(Expression::Convert { kind, value, to }, location)
    }

    /// A named function.
    pub fn math(
        &mut self,
        function: MathFunction,
        arguments: Vec<Value>,
        flags: FloatFlags,
        location: impl Into<Location>,
    ) -> Value {
        self.append(Expression::Math { function, arguments, flags }, location)
    }

    /// One value in every place.
    pub fn splat(&mut self, ty: Type, value: Value, location: impl Into<Location>) -> Value {
        self.append(Expression::Splat { ty, value }, location)
    }

    /// An aggregate from its parts.
    pub fn compose(&mut self, ty: Type, parts: Vec<Value>, location: impl Into<Location>) -> Value {
        self.append(Expression::Compose { ty, parts }, location)
    }

    /// A part of an aggregate.
    pub fn extract(
        &mut self,
        types: &Types,
        value: Value,
        index: u32,
        location: impl Into<Location>,
    ) -> Value {
        let whole = self.type_of(value);
        let ty = types.component(whole, index).unwrap_or(whole);
        self.append_as(Expression::Extract { value, index }, ty, location)
    }

    /// An aggregate with one part replaced.
    pub fn insert(
        &mut self,
        value: Value,
        index: u32,
        part: Value,
        location: impl Into<Location>,
    ) -> Value {
        self.append(Expression::Insert { value, index, part }, location)
    }

    /// The address of `base[index]`.
    pub fn element(
        &mut self,
        base: Value,
        element: Type,
        index: Value,
        location: impl Into<Location>,
    ) -> Value {
        self.append(Expression::Element { base, element, index }, location)
    }

    /// The address of a struct's member.
    pub fn member(
        &mut self,
        base: Value,
        structure: Handle<Struct>,
        index: u32,
        location: impl Into<Location>,
    ) -> Value {
        self.append(Expression::Member { base, structure, index }, location)
    }

    /// The address of a fragment's element.
    pub fn fragment_element(
        &mut self,
        base: Value,
        fragment: Fragment,
        index: Value,
        location: impl Into<Location>,
    ) -> Value {
        self.append(Expression::FragmentElement { base, fragment, index }, location)
    }
}
