//! Passes: what they make of small modules, and that what they make is valid.

mod common;

use port_diag::FileId;
use port_ir::passes::{flatten, inline};
use port_ir::{Module, PrintOptions, parse, print, print_function, validate};

fn read(text: &str) -> Module {
    parse(text, FileId(0)).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The kernel `k` after a pass.
fn kernel_after(text: &str, pass: impl Fn(&Module, &port_ir::ModuleInfo) -> Module) -> String {
    let module = read(text);
    let info = validate(&module).unwrap_or_else(|errors| panic!("{errors:?}"));
    let after = pass(&module, &info);
    if let Err(errors) = validate(&after) {
        panic!("{errors:?}\n{}", print(&after, &PrintOptions::default()));
    }
    print_function(&after, after.function_named("k").unwrap(), &PrintOptions::default())
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(kernel_after(text, flatten), expected);
}

fn only_inlined(module: &Module, info: &port_ir::ModuleInfo) -> Module {
    inline::inline(module, info, inline::Limits::default())
}

#[test]
fn a_call_becomes_its_body() {
    check(
        "function @add(%a: i32, %b: i32) -> i32 {
  %0 = iadd %a, %b
  return %0
}
kernel @k(%n: i32, %p: ptr global) {
  %0: i32 = call @add(%n, 3i32)
  store %p, %0
}
",
        "kernel @k(%n: i32, %p: ptr global) {
  %0 = iadd %n, 3i32
  store %p, %0
}
",
    );
}

#[test]
fn references_closures_and_this_pointers_disappear() {
    // A closure that holds a reference to `sum` and a copy of `n`, and a method that is called
    // through its address.
    check(
        "struct #Closure size 16 align 8 {
  sum: ptr generic at 0
  n: i32 at 8
}
function @call(%this: ptr generic, %x: i32) {
  %0 = member #Closure[0] %this
  %1: ptr generic = load %0
  %2 = member #Closure[1] %this
  %3: i32 = load %2
  %4: i32 = load %1
  %5 = imul %x, %3
  %6 = iadd %4, %5
  store %1, %6
}
kernel @k(%n: i32, %p: ptr global) {
  local $sum: i32
  local $f: #Closure

  store $sum, 0i32
  %0 = space $sum to ptr generic
  %1 = member #Closure[0] $f
  store %1, %0
  %2 = member #Closure[1] $f
  store %2, %n
  %3 = space $f to ptr generic
  call @call(%3, 7i32)
  call @call(%3, 8i32)
  %4: i32 = load $sum
  store %p, %4
}
",
        "kernel @k(%n: i32, %p: ptr global) {
  %0 = imul 7i32, %n
  %1 = iadd 0i32, %0
  %2 = imul 8i32, %n
  %3 = iadd %1, %2
  store %p, %3
}
",
    );
}

#[test]
fn the_smaller_of_two_references_is_a_choice_of_values() {
    check(
        "function @min(%a: ptr generic, %b: ptr generic) -> ptr generic {
  %0: i32 = load %b
  %1: i32 = load %a
  %2 = lt %0, %1
  %3 = select %2, %b, %a
  return %3
}
kernel @k(%n: i32, %m: i32, %p: ptr global) {
  local $n: i32
  local $m: i32

  store $n, %n
  store $m, %m
  %0 = space $n to ptr generic
  %1 = space $m to ptr generic
  %2: ptr generic = call @min(%0, %1)
  %3: i32 = load %2
  store %p, %3
}
",
        "kernel @k(%n: i32, %m: i32, %p: ptr global) {
  %0 = lt %m, %n
  %1 = select %0, %m, %n
  store %p, %1
}
",
    );
}

#[test]
fn parts_of_stored_values_are_taken_out_of_them() {
    check(
        "struct #P size 24 align 8 {
  v: [2 x f32x2] at 0
  n: i32 at 16
}
kernel @k(%whole: #P, %x: f32, %p: ptr global) {
  local $a: #P
  local $b: #P

  store $a, %whole
  %0 = member #P[0] $a
  %1 = element f32x2 %0, 1i32
  %2 = element f32 %1, 1i32
  %3: f32 = load %2
  store %p, %3
  %4 = compose f32x2 (%x, 2.0f32)
  %5 = compose [2 x f32x2] (%4, %4)
  %6 = compose #P (%5, 3i32)
  store $b, %6
  %7 = member #P[0] $b
  %8 = element f32 %7, 2i32
  %9: f32 = load %8
  store %p, %9
  %10 = member #P[1] $b
  %11: i32 = load %10
  store %p, %11
}
",
        "kernel @k(%whole: #P, %x: f32, %p: ptr global) {
  %0 = extract %whole[0]
  %1 = extract %0[1]
  %2 = extract %1[1]
  store %p, %2
  store %p, %x
  store %p, 3i32
}
",
    );
}

#[test]
fn returns_at_the_ends_of_paths_are_structured() {
    check(
        "function @clamp(%x: i32, %low: i32, %high: i32) -> i32 {
  %0 = lt %x, %low
  if %0 {
    return %low
  }
  %1 = gt %x, %high
  if %1 {
    return %high
  }
  return %x
}
kernel @k(%n: i32, %p: ptr global) {
  %0: i32 = call @clamp(%n, 0i32, 9i32)
  store %p, %0
}
",
        "kernel @k(%n: i32, %p: ptr global) {
  local $returned: i32

  %0 = lt %n, 0i32
  if %0 {
    store $returned, 0i32
  } else {
    %1 = gt %n, 9i32
    if %1 {
      store $returned, 9i32
    } else {
      store $returned, %n
    }
  }
  %2: i32 = load $returned
  store %p, %2
}
",
    );
}

#[test]
fn switches_that_return_are_structured() {
    check(
        "function @pick(%x: i32) -> i32 {
  switch %x {
    case 0i32 {
      return 5i32
    }
    case default {
      return 6i32
    }
  }
  return 7i32
}
kernel @k(%n: i32, %p: ptr global) {
  %0: i32 = call @pick(%n)
  store %p, %0
}
",
        "kernel @k(%n: i32, %p: ptr global) {
  local $returned: i32

  switch %n {
    case 0i32 {
      store $returned, 5i32
    }
    case default {
      store $returned, 6i32
    }
  }
  %0: i32 = load $returned
  store %p, %0
}
",
    );
}

/// What cannot be moved to the end of a path stays a call.
#[test]
fn other_returns_and_recursion_stay_calls() {
    let text = "function @from_a_loop(%n: i32) -> i32 {
  loop do {
    %0 = gt %n, 3i32
    if %0 {
      return 1i32
    }
  }
}
function @from_the_middle(%n: i32) -> i32 {
  %0 = gt %n, 3i32
  if %0 {
    %1 = gt %n, 5i32
    if %1 {
      return 1i32
    }
  }
  return 2i32
}
function @itself(%n: i32) -> i32 {
  %0: i32 = call @itself(%n)
  return %0
}
kernel @k(%n: i32, %p: ptr global) {
  %0: i32 = call @from_a_loop(%n)
  %1: i32 = call @from_the_middle(%n)
  %2: i32 = call @itself(%n)
  %3 = iadd %0, %1
  %4 = iadd %3, %2
  store %p, %4
}
";
    let after = kernel_after(text, flatten);
    for name in ["from_a_loop", "from_the_middle", "itself"] {
        assert!(after.contains(&format!("call @{name}(")), "{after}");
    }
}

/// Threads that meet in a callee must be seen by the kernel: there it is noted who has returned.
#[test]
fn callees_in_which_threads_meet_note_their_returns() {
    let text = "function @meets(%n: i32) -> i32 {
  loop do {
    %0 = gt %n, 3i32
    if %0 {
      return 1i32
    }
    barrier.block
  }
  return 2i32
}
kernel @k(%n: i32, %p: ptr global) {
  %0: i32 = call @meets(%n)
  store %p, %0
}
";
    check(
        text,
        "kernel @k(%n: i32, %p: ptr global) {
  local $returned: i32
  local $has_returned: bool

  loop do {
    %0 = gt %n, 3i32
    if %0 {
      store $returned, 1i32
      store $has_returned, true
      break
    }
    barrier.block
  }
  %1: bool = load $has_returned
  if %1 {
  } else {
    store $returned, 2i32
  }
  %2: i32 = load $returned
  store %p, %2
}
",
    );
}

#[test]
fn inlined_nodes_know_through_which_calls_they_came() {
    let text = "function @inner(%p: ptr global) {
  store %p, 1i32
}
function @outer(%p: ptr global) {
  call @inner(%p)
}
kernel @k(%p: ptr global) {
  call @outer(%p)
}
";
    let module = read(text);
    let after = only_inlined(&module, &validate(&module).unwrap());
    let kernel = &after.functions[after.function_named("k").unwrap()];
    let statement = &kernel.body.as_ref().unwrap().statements[0];
    let line = |location: port_ir::Location| {
        let before = &text[..location.origin.span.start as usize];
        before.matches('\n').count() + 1
    };
    assert_eq!(line(statement.location), 2, "the user's text stays");
    let inner = &kernel.inlined[statement.location.inlined.unwrap()];
    assert_eq!((inner.callee.as_str(), line(inner.call)), ("inner", 5));
    let outer = &kernel.inlined[inner.call.inlined.unwrap()];
    assert_eq!((outer.callee.as_str(), line(outer.call)), ("outer", 8));
    assert_eq!(outer.call.inlined, None);
    // Nobody calls them any more.
    assert!(after.functions[after.function_named("inner").unwrap()].body.is_none());
}

#[test]
fn growth_is_limited() {
    // Each function calls the one before twice: 2^40 copies without a limit.
    let mut text = "function @f0(%p: ptr global) {\n  store %p, 1i32\n}\n".to_string();
    for index in 1..40 {
        let callee = index - 1;
        text.push_str(&format!(
            "function @f{index}(%p: ptr global) {{\n  call @f{callee}(%p)\n  call @f{callee}(%p)\n}}\n"
        ));
    }
    text.push_str("kernel @k(%p: ptr global) {\n  call @f39(%p)\n}\n");
    let module = read(&text);
    let info = validate(&module).unwrap();
    let limits = inline::Limits { function: 1000, module: 10_000, ..inline::Limits::default() };
    let after = inline::inline(&module, &info, limits);
    let total: usize = after.functions.iter().map(|(_, function)| function.expressions.len()).sum();
    assert!(total < 20_000, "{total}");
    assert!(validate(&after).is_ok());
}

/// Loads are replaced only where the store is sure to be the last one, and in the same pass.
#[test]
fn what_may_be_another_value_is_still_loaded() {
    let text = "kernel @k(%n: i32, %c: bool, %p: ptr global) {
  local $x: i32
  local $y: i32
  local $v: i32

  store $x, %n
  if %c {
    store $x, 1i32
  }
  %0: i32 = load $x
  store %p, %0
  store $y, 0i32
  loop do {
    %1: i32 = load $y
    %2 = iadd %1, 1i32
    store $y, %2
    %3: i32 = load $y
    %4 = gt %3, %n
    if %4 {
      break
    }
  }
  %5: i32 = load $y
  store %p, %5
  store $v, %n
  %6: i32 = load.volatile $v
  store %p, %6
}
";
    // Only the load right after the store in the pass is known.
    let expected = text.replace("    %3: i32 = load $y\n    %4 = gt %3, %n", "    %4 = gt %2, %n");
    let renumbered = print(&read(&expected), &PrintOptions::default());
    assert_eq!(kernel_after(text, flatten), renumbered);
}

#[test]
fn passes_keep_modules_valid() {
    let folders = ["text", "uniformity", "divergence", "warp_size", "progress", "affine"];
    let mut count = 0;
    for case in folders.iter().flat_map(|folder| common::cases(folder)) {
        let Ok(info) = validate(&case.module) else { continue };
        count += 1;
        let after = flatten(&case.module, &info);
        if let Err(errors) = validate(&after) {
            panic!("{}: {errors:?}\n{}", case.name, print(&after, &PrintOptions::default()));
        }
        let text = print(&after, &PrintOptions::default());
        assert_eq!(print(&read(&text), &PrintOptions::default()), text, "{}", case.name);
    }
    assert!(count > 6, "{count} modules");
}
