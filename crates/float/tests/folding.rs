//! What nvcc computes while it compiles. Each expectation is what CUDA 13.5 leaves of a kernel of
//! one line (`nvcc -ptx -arch=sm_75`, with and without `-use_fast_math`).

use port_diag::{FileId, Origin, Span};
use port_float::{Profile, resolve};
use port_ir::{
    Access, Constant, Expression, FloatFlags, FloatOp, FunctionBuilder, FunctionKind, LaunchBounds,
    MathFunction, Module, ParameterAttributes, Space, StatementKind, Type, UnaryOp, Value,
};

/// A kernel `*o = …` of a parameter `x`; the expression takes the text from 100 to 200.
struct Line {
    build: FunctionBuilder,
    output: Value,
    x: Value,
}

/// The text of an operation around its operands.
fn outer() -> Origin {
    Origin::plain(Span::new(FileId(0), 100, 200))
}

impl Line {
    fn new() -> Self {
        let kind = FunctionKind::Kernel(LaunchBounds::default());
        let mut build = FunctionBuilder::new("kernel", kind);
        let at = Origin::plain(Span::new(FileId(0), 0, 10));
        let attributes = ParameterAttributes::default();
        let output = build.parameter("o", Type::Pointer(Space::Global), attributes, at);
        let x = build.parameter("x", Type::F32, attributes, at);
        let output = build.argument(output, at);
        let x = build.argument(x, at);
        Line { build, output, x }
    }

    /// A literal in the expression's own text.
    fn literal(&mut self, value: f32) -> Value {
        let at = Origin::plain(Span::new(FileId(0), 110, 115));
        self.build.constant(Constant::f32(value), at)
    }

    /// What a variable was given before.
    fn variable(&mut self, value: f32) -> Value {
        let at = Origin::plain(Span::new(FileId(0), 20, 25));
        self.build.constant(Constant::f32(value), at)
    }

    fn float(&mut self, op: FloatOp, left: Value, right: Value) -> Value {
        let flags = match op {
            FloatOp::Divide => FloatFlags::STRICT,
            _ => FloatFlags::SOURCE,
        };
        self.build.float(op, left, right, flags, outer())
    }

    fn math(&mut self, function: MathFunction, operands: &[Value]) -> Value {
        self.build.math(function, operands.to_vec(), FloatFlags::STRICT, outer())
    }

    /// What is stored, under a profile.
    fn left_of(mut self, value: Value, profile: &str) -> Expression {
        self.build.store(self.output, value, Access::PLAIN, outer());
        let mut module = Module::new();
        module.functions.append(self.build.finish(), outer());
        let resolved = resolve(&module, &Profile::named(profile).unwrap());
        port_ir::validate(&resolved).unwrap();
        let handle = resolved.functions.handles().next().unwrap();
        let function = &resolved.functions[handle];
        for statement in &function.body.as_ref().unwrap().statements {
            if let StatementKind::Store { value, .. } = &statement.kind {
                return function.expressions[*value].clone();
            }
        }
        panic!("nothing is stored");
    }
}

fn constant(expression: &Expression) -> Option<u32> {
    match expression {
        Expression::Constant(constant) => Some(constant.bits as u32),
        _ => None,
    }
}

const EXACT: &str = "cuda:sm_75";
const FAST: &str = "cuda:sm_75+fast-math";

#[test]
fn arithmetic_between_literals_keeps_subnormals_and_divides_exactly() {
    let rows: [(f32, FloatOp, f32, u32); 6] = [
        (1.2e-38, FloatOp::Multiply, 0.5, 4_281_743),
        (1e-39, FloatOp::Add, 1.17e-38, 9_063_023),
        (1e-39, FloatOp::Multiply, 1e30, 814_313_569),
        (1e-30, FloatOp::Divide, 1e10, 71_362),
        (3.0, FloatOp::Divide, 7.0, 1_054_567_863),
        (1e-3, FloatOp::Divide, 1e-40, 2_096_152_088),
    ];
    for (left, op, right, expected) in rows {
        for profile in [EXACT, FAST] {
            let mut line = Line::new();
            let (a, b) = (line.literal(left), line.literal(right));
            let value = line.float(op, a, b);
            let left_over = line.left_of(value, profile);
            assert_eq!(constant(&left_over), Some(expected), "{left:e} {op:?} {right:e}");
        }
    }
}

/// `float c = 1e-40f; printf("%g", c);` prints 1e-40, with fast math too.
#[test]
fn a_constant_that_is_widened_keeps_its_subnormal() {
    for profile in [EXACT, FAST] {
        let mut line = Line::new();
        let number = line.variable(1e-40);
        let kind = port_ir::Conversion::FloatToFloat {
            rounding: port_ir::Rounding::NearestEven,
            saturate: false,
        };
        let value = line.build.convert(kind, number, Type::F64, outer());
        let left_over = line.left_of(value, profile);
        assert_eq!(left_over, Expression::Constant(Constant::f64(f64::from(1e-40f32))));
    }
}

#[test]
fn what_would_be_infinite_is_left_to_run() {
    for profile in [EXACT, FAST] {
        let mut line = Line::new();
        let (a, b) = (line.literal(0.0), line.literal(0.0));
        let value = line.float(FloatOp::Divide, a, b);
        let left_over = line.left_of(value, profile);
        match constant(&left_over) {
            None => {}
            // Where it is folded after all, it is what the code gives.
            Some(bits) => assert!(f32::from_bits(bits).is_nan() && profile == EXACT),
        }
    }
}

#[test]
fn constants_through_variables_flush_as_the_code_would() {
    let rows: [(f32, FloatOp, f32, u32, u32); 4] = [
        (1e-40, FloatOp::Multiply, 1e30, 786_163_377, 0),
        (1e-39, FloatOp::Add, 1.17e-38, 9_063_023, 0),
        (1.2e-38, FloatOp::Multiply, 0.5, 4_281_743, 0),
        (1e-30, FloatOp::Multiply, 1e-10, 71_362, 0),
    ];
    for (left, op, right, exact, fast) in rows {
        for (profile, expected) in [(EXACT, exact), (FAST, fast)] {
            let mut line = Line::new();
            let (a, b) = (line.variable(left), line.literal(right));
            let value = line.float(op, a, b);
            let left_over = line.left_of(value, profile);
            assert_eq!(constant(&left_over), Some(expected), "{left:e} {op:?} {right:e} {profile}");
        }
    }
    // An approximate quotient is left to run.
    let mut line = Line::new();
    let (a, b) = (line.variable(7.0), line.literal(3.0));
    let value = line.float(FloatOp::Divide, a, b);
    assert_eq!(constant(&line.left_of(value, FAST)), None);
}

#[test]
fn functions_by_name_are_the_hosts_with_fast_math_too() {
    let rows: [(MathFunction, f32, u32); 11] = [
        (MathFunction::Cos, 1.5, 1_032_904_362),
        (MathFunction::Exp, 1.5, 1_083_140_607),
        (MathFunction::Exp, -100.0, 27),
        (MathFunction::Exp, 100.0, 2_139_095_040),
        (MathFunction::SquareRoot, 1e-40, 507_307_239),
        (MathFunction::Sin, 1e-40, 71_362),
        (MathFunction::Sin, 1e30, 3_209_333_168),
        (MathFunction::Tanh, 0.5, 1_055_693_471),
        (MathFunction::Log10, 1000.0, 1_077_936_128),
        (MathFunction::Floor, -1e-40, 0xbf80_0000),
        (MathFunction::Ceil, 1e-40, 0x3f80_0000),
    ];
    for (function, operand, expected) in rows {
        for profile in [EXACT, FAST] {
            let mut line = Line::new();
            let operand_value = line.variable(operand);
            let value = line.math(function, &[operand_value]);
            let left_over = line.left_of(value, profile);
            assert_eq!(constant(&left_over), Some(expected), "{function:?}({operand:e}) {profile}");
        }
    }
    // Outside the domain, and functions that are not on the list.
    for (function, operand) in [
        (MathFunction::Asin, 2.0),
        (MathFunction::Log, 0.0),
        (MathFunction::Sinh, 1e30),
        (MathFunction::Exp, -1000.0),
        (MathFunction::SquareRoot, -1e36),
        (MathFunction::CubeRoot, 0.3),
        (MathFunction::Erf, 0.3),
        (MathFunction::ReciprocalSquareRoot, 0.3),
    ] {
        let mut line = Line::new();
        let operand_value = line.variable(operand);
        let value = line.math(function, &[operand_value]);
        assert_eq!(constant(&line.left_of(value, EXACT)), None, "{function:?}({operand:e})");
    }
    // An intrinsic has no name in the C library.
    let mut line = Line::new();
    let operand = line.variable(0.3);
    let value = line.build.math(MathFunction::Exp, vec![operand], FloatFlags::APPROXIMATE, outer());
    assert_eq!(constant(&line.left_of(value, EXACT)), None);
}

#[test]
fn operations_that_change_no_value_are_dropped() {
    let dropped: [(FloatOp, f32); 3] =
        [(FloatOp::Subtract, 0.0), (FloatOp::Add, -0.0), (FloatOp::Multiply, 1.0)];
    for (op, operand) in dropped {
        for profile in [EXACT, FAST] {
            let mut line = Line::new();
            let operand = line.literal(operand);
            let x = line.x;
            let value = line.float(op, x, operand);
            let left_over = line.left_of(value, profile);
            assert!(matches!(left_over, Expression::Argument(1)), "{op:?} {left_over:?}");
        }
    }
    let kept: [(FloatOp, f32); 4] = [
        (FloatOp::Add, 0.0),
        (FloatOp::Subtract, -0.0),
        (FloatOp::Multiply, 0.0),
        (FloatOp::Multiply, 2.0),
    ];
    for (op, operand) in kept {
        let mut line = Line::new();
        let operand = line.literal(operand);
        let x = line.x;
        let value = line.float(op, x, operand);
        assert!(matches!(line.left_of(value, EXACT), Expression::Float { .. }), "{op:?}");
    }
    let mut line = Line::new();
    let (minus_zero, x) = (line.literal(-0.0), line.x);
    let value = line.float(FloatOp::Subtract, minus_zero, x);
    let left_over = line.left_of(value, EXACT);
    assert!(matches!(left_over, Expression::Unary { op: UnaryOp::Negate, .. }), "{left_over:?}");
}

/// SASS: `FMUL.FTZ R, R, +INF`, `FMUL.FTZ R, RZ, R`, `FMUL.FTZ R, R, 0.3333333432674407959`.
#[test]
fn under_fast_math_a_constant_divisor_is_inverted_as_the_chip_would() {
    for (divisor, inverse) in [(1e-40, f32::INFINITY), (2.9e38, 0.0), (3.0, 1.0 / 3.0)] {
        let mut line = Line::new();
        let divisor = line.literal(divisor);
        let x = line.x;
        let value = line.float(FloatOp::Divide, x, divisor);
        line.build.store(line.output, value, Access::PLAIN, outer());
        let mut module = Module::new();
        module.functions.append(line.build.finish(), outer());
        let resolved = resolve(&module, &Profile::named(FAST).unwrap());
        let function = &resolved.functions[resolved.functions.handles().next().unwrap()];
        let product = function.expressions.iter().find_map(|(_, expression)| match expression {
            Expression::Float { op: FloatOp::Multiply, right, .. } => {
                constant(&function.expressions[*right])
            }
            _ => None,
        });
        assert_eq!(product.map(f32::from_bits), Some(inverse));
    }
}

#[test]
fn other_sides_are_left_as_they_are() {
    for profile in ["cpu", "exact", "hip:gfx90a"] {
        let mut line = Line::new();
        let operand = line.variable(1.5);
        let value = line.math(MathFunction::Cos, &[operand]);
        assert_eq!(constant(&line.left_of(value, profile)), None, "{profile}");
    }
}
