//! The validator: each rule is broken in a file that says where, and what may look wrong but is
//! not is accepted.

mod common;

use port_diag::{FileId, Origin, Span};
use port_ir::{
    Access, Block, Constant, Expression, FunctionBuilder, FunctionKind, Handle, IntegerOp, Module,
    Rule, Scalar, StatementKind, Type, validate,
};

fn at() -> Origin {
    Origin::plain(Span::new(FileId(0), 0, 0))
}

#[test]
fn files() {
    for case in common::cases("validate") {
        let errors = validate(&case.module).err().unwrap_or_default();
        let answers =
            errors.iter().map(|error| (case.line(error.location), error.rule.name().to_string()));
        case.check(answers.collect());
    }
}

/// The rules that a module with one function breaks.
fn broken(build: FunctionBuilder) -> Vec<Rule> {
    let mut module = Module::new();
    module.functions.append(build.finish(), at());
    let errors = validate(&module).expect_err("accepted");
    errors.iter().map(|error| error.rule).collect()
}

#[test]
fn what_the_text_form_cannot_say_is_refused_too() {
    let new = || FunctionBuilder::new("f", FunctionKind::Device);

    let mut build = new();
    build.append(Expression::Local(Handle::from_index(7)), at());
    assert_eq!(broken(build), [Rule::Handle]);

    let mut build = new();
    build.append(Expression::Argument(3), at());
    assert_eq!(broken(build), [Rule::Handle]);

    let mut build = new();
    let own = Handle::from_index(0);
    build.append(Expression::Integer { op: IntegerOp::Add, left: own, right: own }, at());
    assert_eq!(broken(build), [Rule::OperandOrder]);

    let mut build = new();
    build.constant(Constant { scalar: Scalar::I8, bits: 0x100 }, at());
    assert_eq!(broken(build), [Rule::ConstantBits]);

    // Two statements with one result.
    let mut build = new();
    let pointer = build.zero(Type::Pointer(port_ir::Space::Global), at());
    let result = build.load(Type::I32, pointer, Access::PLAIN, at());
    build.push(StatementKind::Load { result, pointer, access: Access::PLAIN }, at());
    assert_eq!(broken(build), [Rule::ResultDefinition]);

    // A result that no statement defines.
    let mut build = new();
    let result = build.result(Type::I32, at());
    let pointer = build.zero(Type::Pointer(port_ir::Space::Global), at());
    build.store(pointer, result, Access::PLAIN, at());
    assert_eq!(broken(build), [Rule::ResultScope]);

    // A value that is not there.
    let mut build = new();
    build.push(StatementKind::Return { value: Some(Handle::from_index(9)) }, at());
    assert_eq!(broken(build), [Rule::Handle]);
}

#[test]
fn deep_nesting_is_refused_and_not_descended() {
    let mut build = FunctionBuilder::new("f", FunctionKind::Device);
    let mut block = Block::new();
    for _ in 0..port_ir::MAX_BLOCK_DEPTH {
        build.open_block();
        build.push(StatementKind::Block(block), at());
        block = build.close_block();
    }
    build.push(StatementKind::Block(block), at());
    assert_eq!(broken(build), [Rule::Depth]);
}

/// Every rule has a place where it is broken.
#[test]
fn no_rule_is_untested() {
    let by_hand =
        [Rule::Handle, Rule::OperandOrder, Rule::ConstantBits, Rule::ResultDefinition, Rule::Depth];
    let mut tested: Vec<String> = by_hand.iter().map(|rule| rule.name().to_string()).collect();
    for case in common::cases("validate") {
        tested.extend(case.expected.into_iter().map(|(_, rule)| rule));
    }
    for rule in Rule::ALL {
        assert!(tested.iter().any(|name| name == rule.name()), "{} is never broken", rule.name());
    }
}

#[test]
fn a_valid_module_tells_what_its_functions_reach() {
    let text = "variable @a: shared [3 x u8]
variable @b: shared f64
variable @c: shared dynamic i32
kernel @k() {
  call @f()
  store @a, 1u8
}
function @f() {
  barrier.block
  call @g()
}
function @g() {
  store @b, poison(f64, \"P0301\")
  store @c, 1i32
  call @f()
}
function @unused() {
  %0 = iadd poison(i32, \"P0302\"), 1i32
}
";
    let module = port_ir::parse(text, FileId(0)).unwrap();
    let info = validate(&module).unwrap();
    let named = |name| module.function_named(name).unwrap();
    let kernel = info.function(named("k"));
    assert_eq!(kernel.callees, [named("f")]);
    assert!(!kernel.recursive);
    assert!(info.function(named("f")).recursive && info.function(named("g")).recursive);
    assert!(kernel.convergent.block_barriers && !kernel.convergent.warp_operations);
    assert!(info.function(named("g")).convergent.block_barriers, "through the recursion");
    // Three bytes, then eight at the next multiple of eight; the dynamic one does not count.
    assert_eq!(kernel.static_shared, 16);
    assert_eq!(kernel.variables.len(), 3);
    assert_eq!(kernel.poison.len(), 1);
    assert_eq!(kernel.poison[0].code, "P0301");
    assert_eq!(kernel.poison[0].chain, [named("f"), named("g")]);
    assert!(info.function(named("unused")).poison.is_empty(), "nobody uses the poison");
}
