//! Whole modules: what is resolved stays valid, keeps its places, and leaves nothing open.

mod support;

use port_diag::FileId;
use port_float::{Profile, resolve};
use port_ir::{Expression, Module, Scalar, validate};

fn nothing_is_open(module: &Module) -> bool {
    module.functions.iter().all(|(_, function)| {
        function.expressions.iter().all(|(_, expression)| match expression {
            Expression::Float { flags, .. }
            | Expression::FusedMultiplyAdd { flags, .. }
            | Expression::Math { flags, .. } => !flags.contract,
            _ => true,
        })
    })
}

#[test]
fn every_construct_of_the_ir_is_resolved_by_every_profile() {
    let module = port_ir::parse(include_str!("../../ir/tests/text/everything.ir"), FileId(0));
    let module = module.unwrap();
    validate(&module).unwrap();
    for name in Profile::names() {
        let resolved = resolve(&module, &Profile::named(&name).unwrap());
        validate(&resolved).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        assert!(nothing_is_open(&resolved), "{name}");
        // For mathematics arrays of f64 are added.
        assert!(name == "exact" || resolved.types == module.types, "{name}");
        assert_eq!(resolved.variables, module.variables);
        for (handle, function) in module.functions.iter() {
            let new = &resolved.functions[handle];
            assert_eq!((&function.name, &function.parameters), (&new.name, &new.parameters));
            // Every name still names a value.
            assert_eq!(function.names.len(), new.names.len());
            assert!(new.names.keys().all(|value| new.expressions.contains(*value)));
        }
        // What was resolved once is not changed by resolving it again.
        let again = resolve(&resolved, &Profile::named(&name).unwrap());
        if !name.contains('+') {
            assert_eq!(
                port_ir::print(&again, &Default::default()),
                port_ir::print(&resolved, &Default::default()),
                "{name}"
            );
        }
    }
}

#[test]
fn cpu_changes_nothing_but_permissions() {
    let mut module =
        port_ir::parse(include_str!("../../ir/tests/text/everything.ir"), FileId(0)).unwrap();
    let resolved = resolve(&module, &Profile::named("cpu").unwrap());
    for handle in module.functions.handles() {
        let function = &mut module.functions[handle];
        for value in function.expressions.handles() {
            if let Expression::Float { flags, .. } | Expression::FusedMultiplyAdd { flags, .. } =
                &mut function.expressions[value]
            {
                flags.contract = false;
            }
        }
    }
    let text = |module: &Module| port_ir::print(module, &Default::default());
    assert_eq!(text(&resolved), text(&module));
}

/// Many sums that could each take one of two products in: as fast as their number, not its square.
#[test]
fn long_functions_are_resolved_in_little_time() {
    let mut text = String::new();
    for index in 0..1000 {
        text.push_str(&format!("T x{index}=a*b-c*d+e*f; o[{index}]=x{index}*g-x{index};"));
    }
    let module = support::module(&text, Scalar::F32);
    for name in ["cuda:sm_80+fast-math", "hip:gfx90a", "cpu"] {
        assert!(nothing_is_open(&resolve(&module, &Profile::named(name).unwrap())));
    }
}

/// Under fast math a comparison sees zeros for subnormal numbers, by an addition that flushes; what
/// is flushed already is compared as it is.
#[test]
fn flushing_is_written_out() {
    let text = "
kernel @k(%x: ptr global, %y: ptr global) {
  %0: f32 = load %x
  %1 = fmul.contract %0, %0
  %2 = lt %0, %1
  if %2 {
    store %x, %1
  }
  %3 = neg %0
  store %y, %3
  %4 = ftoi.rz %0 to i32
  store %y, %4
  %5 = abs %1
  store %y, %5
}
";
    let module = port_ir::parse(text, FileId(0)).unwrap_or_else(|error| panic!("{error:?}"));
    let printed = |name: &str| {
        let resolved = resolve(&module, &Profile::named(name).unwrap());
        port_ir::print(&resolved, &Default::default())
    };
    let fast = printed("cuda:sm_80+fast-math");
    // The product, and additions of −0 to what is compared, negated and converted as loaded; the
    // absolute value is one of the product, which is flushed.
    assert_eq!(fast.matches("fmul.flush").count(), 1, "{fast}");
    assert_eq!(fast.matches("fadd.flush").count(), 3, "{fast}");
    assert_eq!(printed("cuda:sm_80").matches("flush").count(), 0);
}

/// Under `exact` f32 is computed in f64 and rounded where others see it, in variables, arrays and
/// shuffles too.
#[test]
fn mathematics_has_more_precision() {
    let text = "
kernel @k(%x: ptr global, %n: i32) {
  local $sum: f32
  local $parts: [4 x [2 x f32]] align 4
  local $seen: [2 x f32]
  %0: f32 = load %x
  store $sum, %0
  %1 = element [2 x f32] $parts, %n
  %2 = element f32 %1, 1i32
  store %2, %0
  %3: f32 = load $sum
  %4: f32 = load %2
  %5 = fma %3, %4, 0.1f32
  %6: f32 = shuffle.down %5, 1i32 mask 0xffffffffu32
  %7 = fadd.contract %5, %6
  store $sum, %7
  %8 = exp %7
  %9 = floor %8
  store %x, %9
  %10: f32 = load $sum
  %11 = ftof %10 to f16
  store %x, %11
  %12 = element f32 $seen, 0i32
  store %12, %10
  %13: u32 = load %12
  store %x, %13
  %14 = fadd.rz %10, %8
  store %x, %14
}
";
    let module = port_ir::parse(text, FileId(0)).unwrap_or_else(|error| panic!("{error:?}"));
    validate(&module).unwrap_or_else(|errors| panic!("{errors:?}"));
    let resolved = resolve(&module, &Profile::named("exact").unwrap());
    validate(&resolved).unwrap_or_else(|errors| panic!("{errors:?}"));
    let printed = port_ir::print(&resolved, &Default::default());
    let has = |line: &str| assert!(printed.contains(line), "{line} is not in\n{printed}");
    has("$sum: f64");
    has("$parts: [4 x [2 x f64]] align 8");
    has("$seen: [2 x f32]");
    has(": f64 = shuffle.down");
    has("0.10000000149011612f64");
    has("fadd.rz");
    // One rounding from f64 to f16.
    assert!(printed.lines().any(|line| line.contains("to f16")), "{printed}");
    assert_eq!(printed.matches("floor").count(), 1);
}
