//! Statements and the expressions that only occur in them.

mod common;

use common::{body, dump, only};

const NAMES: &str = "
    __device__ int g(int);
    __device__ int a, b, n;
    __device__ int *p;
    struct S { int u, v; __device__ int f(int) const; };
";

#[test]
fn control_flow() {
    assert_eq!(
        body(
            NAMES,
            "if (int r = g(1); r > 2) a = r; else if (S *s = 0) b = s->u; else { a = b; }
             while (int r = g(2)) --r;
             do { a--; } while (a > 0);"
        ),
        [
            "let r: int = call(fn g; 1)",
            "if (local r > 2)",
            "  (var a = local r)",
            "else",
            "  if let s: ptr(S) = 0",
            "    (var b = local s->u)",
            "  else",
            "    (var a = var b)",
            "while let r: int = call(fn g; 2)",
            "  (-- local r)",
            "do",
            "  (var a --)",
            "while (var a > 0)",
        ]
    );
}

#[test]
fn switches_and_labels() {
    assert_eq!(
        body(
            NAMES,
            "switch (a) { case 1: case 2 ... 4: b = 1; break; default: { b = 2; } }
             for (;;) { if (a) goto out; continue; }
             out: return;"
        ),
        [
            "switch var a",
            "  case 1:",
            "  case 2 ... 4:",
            "  (var b = 1)",
            "  break",
            "  default:",
            "  block",
            "    (var b = 2)",
            "for",
            "  while ",
            "  step ",
            "  do",
            "    if var a",
            "      goto out",
            "    continue",
            "label out:",
            "return",
        ]
    );
}

#[test]
fn loops_with_pragmas() {
    assert_eq!(
        body(
            NAMES,
            "\n#pragma unroll\nfor (int i = 0, j = n; i < j; ++i, --j) a += i;
             \n#pragma unroll (n + 2)\nfor (auto x : {1, 2}) a += x;
             \n#pragma unroll 4\nwhile (a) a--;
             \n#pragma nounroll\ndo a--; while (a);"
        ),
        [
            "unroll",
            "for",
            "  let i: int = 0",
            "  let j: int = var n",
            "  while (local i < local j)",
            "  step ((++ local i) , (-- local j))",
            "  do",
            "    (var a += local i)",
            "unroll (var n + 2)",
            "for each",
            "  let x: auto",
            "  in {1, 2}",
            "  do",
            "    (var a += local x)",
            "unroll 4",
            "while var a",
            "  (var a --)",
            "unroll 1",
            "do",
            "  (var a --)",
            "while var a",
        ]
    );
}

#[test]
fn declarations_of_a_block() {
    assert_eq!(
        body(
            NAMES,
            "struct L { int x; __device__ int get() { return x + n; } } one, *two = &one;
             enum { A, B }; using T = float; typedef int Row[4]; const T c = A;
             auto [x, y] = S{1, 2}; auto &&[z] = one; static_assert(sizeof(T) == 4, \"T\");
             using namespace std; int m[2][B + 1] = {{1}, {2}}, (*q)[2] = m, &r = m[0][0];"
        ),
        [
            "record L",
            "let one: L",
            "let two: ptr(L) = (& local one)",
            "enum ",
            "alias T",
            "alias Row",
            "let c: const T = enum A",
            "bind [x, y]: auto = construct<S>{1, 2}",
            "bind [z]: rref(auto) = local one",
            "static_assert (sizeof<T> == 4)",
            "using lib std",
            "let m: array(array(int, [(enum B + 1)]), [2]) = {{1}, {2}}",
            "let q: ptr(array(int, [2])) = local m",
            "let r: ref(int) = local m[0][0]",
        ]
    );
}

#[test]
fn inline_assembly() {
    assert_eq!(
        body(
            NAMES,
            r#"asm volatile("ld.global.u32 %0, [%1];" "\n" : "=r"(a), [y] "+f"(b) : "l"(p) : "memory", "cc");
               asm("bar.sync 0;"); asm volatile("membar.gl;" ::: "memory"); asm("mov.u32 %0, 1;" : "=r"(a));
               asm("cp.async %0, %1;" :: "r"(a), "n"(16));"#
        ),
        [
            r#"asm volatile "ld.global.u32 %0, [%1];" "\n" : =r(var a), [y] +f(var b) : l(var p) : memory, cc"#,
            r#"asm "bar.sync 0;" :  :  : "#,
            r#"asm volatile "membar.gl;" :  :  : memory"#,
            r#"asm "mov.u32 %0, 1;" : =r(var a) :  : "#,
            r#"asm "cp.async %0, %1;" :  : r(var a), n(16) : "#,
        ]
    );
}

#[test]
fn expressions_of_all_kinds() {
    for (text, expected) in [
        ("a = b = n, g(a);", "((var a = (var b = var n)) , call(fn g; var a))"),
        ("a = b ? n ? 1 : 2 : 3;", "(var a = (var b ? (var n ? 1 : 2) : 3))"),
        (
            "a = 1 + 2 * 3 - 4 / 5 % 6 << 7 & 8 | 9 ^ 10;",
            "(var a = (((((1 + (2 * 3)) - ((4 / 5) % 6)) << 7) & 8) | (9 ^ 10)))",
        ),
        ("a = n && b || !a && ~n;", "(var a = ((var n && var b) || ((! var a) && (~ var n))))"),
        ("a = not n and b or compl a;", "(var a = (((! var n) && var b) || (~ var a)))"),
        ("*p++ = -+-a--;", "((* (var p ++)) = (- (+ (- (var a --)))))"),
        ("p[a][b].u->v(1)(2);", "call(call(var p[var a][var b].u->v; 1); 2)"),
        ("a = S{1, .v = 2}.f(3);", "(var a = call(construct<S>{1, .v = 2}.f; 3))"),
        ("a = (S){1}.u;", "(var a = construct<S>{1}.u)"),
        ("p = new int[n]{1, 2};", "(var p = new() array(int, [var n]) {1, 2})"),
        ("p = new (p) int(3);", "(var p = new(var p) int (3))"),
        ("delete[] p;", "delete[] var p"),
        ("a = static_cast<int>(1.5) >> 1;", "(var a = (static_cast<int>(1.5) >> 1))"),
        (
            "a = *reinterpret_cast<const int *>(&b);",
            "(var a = (* reinterpret_cast<ptr(const int)>((& var b))))",
        ),
        (
            "a = unsigned(b) + int{n};",
            "(var a = (make<unsigned int>(var b) + construct<int>{var n}))",
        ),
        ("a = (int S::*)0 != 0;", "(var a = (cast<member_ptr(S, int)>(0) != 0))"),
        ("a = noexcept(g(1));", "(var a = noexcept(call(fn g; 1)))"),
        ("a = ({ int t = n; t + 1; });", "(var a = ({let t: int = var n; (local t + 1)}))"),
        ("a = true ? 'a' : L'b';", "(var a = (true ? 'a' : L'b'))"),
        ("a = __builtin_offsetof(S, v);", "(var a = offsetof<S>(dependent v))"),
        ("a = g((a, b));", "(var a = call(fn g; (var a , var b)))"),
        ("a = [] { return 1; }();", "(var a = call(lambda[]() { return 1 }; ))"),
        ("throw;", "throw "),
    ] {
        assert_eq!(only(NAMES, text), expected, "{text}");
    }
}

#[test]
fn macros_that_are_not_in_view() {
    let text = dump(
        "void host(int n) {
           AT_DISPATCH_FLOATING_TYPES(t.scalar_type(), \"k\", [&] { k<scalar_t><<<1, n>>>(p); });
           DISPATCH(float, { int y = n; run<T>(y); });
           SWITCH(n, CASE(1, foo(); bar();))
           TORCH_CHECK(n > 0, \"n \", n)
           CHECK(cudaMalloc(&p, n));
           OPERATOR(+, n);
         }
         TORCH_LIBRARY(name, m) { m.def(\"f\", &host); }",
    );
    for line in [
        "  call(unknown AT_DISPATCH_FLOATING_TYPES; call(unknown t.scalar_type; ), \"k\", \
         lambda[&]() { launch(unknown k<unknown scalar_t>; 1, local n; unknown p) })",
        "  call(unknown DISPATCH; type<float>, ({let y: int = local n; call(unknown run<unknown T>; local y)}))",
        "  call(unknown TORCH_CHECK; (local n > 0), \"n \", local n)",
        "  call(unknown CHECK; call(api cudaMalloc; (& unknown p), local n))",
        "  call(unknown OPERATOR; unsupported<macro argument>)",
        "macro TORCH_LIBRARY",
        "    call(unknown m.def; \"f\", (& fn host))",
    ] {
        assert!(text.lines().any(|found| found == line), "no `{line}` in:\n{text}");
    }
    assert!(text.contains("call(unknown foo; )") && text.contains("call(unknown bar; )"), "{text}");
}

#[test]
fn lambdas() {
    assert_eq!(
        only(
            NAMES,
            "auto f = [this_one = a, &n2 = b](S s, ...) __device__ -> int { return s.u + this_one; };"
        ),
        "let f: auto = lambda[this_one: auto = var a, &n2: auto = var b](s: S) device -> int \
         { return (local s.u + local this_one) }"
    );
    assert_eq!(
        only(NAMES, "g([&]<typename T, int N>(T t) { return t + N; }(3));"),
        "call(fn g; call(lambda[&]template@0<type T, int N> (t: param0.0 T) \
         { return (local t + param0.1 N) }; 3))"
    );
}
