//! The tree: CUDA's forms parse, nodes lead back to tokens, and broken text is found.

#![allow(clippy::disallowed_methods, reason = "a test of limits measures time")]

use port_diag::{FileId, SourceMap};
use port_syntax::ast::{AstNode, CallExpression, FunctionDefinition, SyntaxKind};
use port_syntax::{Configuration, ErrorKind, Hidden, HiddenKind, Parsed, TokenKind, read};
use tree_sitter::Node;

fn parse(text: &str) -> (SourceMap, Parsed) {
    let mut sources = SourceMap::new();
    let root = sources.add("a.cu", text);
    let parsed = read(&sources, root, &Configuration::cuda(80));
    (sources, parsed)
}

/// Every node, parents first.
fn nodes(parsed: &Parsed) -> Vec<Node<'_>> {
    let mut cursor = parsed.tree().walk();
    let mut found = Vec::new();
    loop {
        found.push(cursor.node());
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return found;
            }
        }
    }
}

fn find<'t>(parsed: &'t Parsed, kind: SyntaxKind) -> Vec<Node<'t>> {
    nodes(parsed).into_iter().filter(|node| SyntaxKind::of(*node) == kind).collect()
}

fn words(parsed: &Parsed, tokens: std::ops::Range<usize>) -> String {
    let words: Vec<_> = parsed.tokens()[tokens].iter().map(|token| token.text.as_str()).collect();
    words.join(" ")
}

fn hidden_words(parsed: &Parsed, hidden: &[Hidden]) -> Vec<(HiddenKind, String)> {
    hidden.iter().map(|run| (run.kind, words(parsed, run.tokens.clone()))).collect()
}

fn assert_clean(text: &str) -> Parsed {
    let (_, parsed) = parse(text);
    assert_eq!(parsed.unit.diagnostics, [], "{text}");
    assert_eq!(*parsed.errors(), [], "{text}\n{}", parsed.buffer);
    parsed
}

/// Texts that must parse without an error: the forms that keep a C++ grammar from reading CUDA.
const CLEAN: &[&str] = &[
    "void f() { k<<<g,b>>>(x); k<T, (a>b)><<<g,b,s,st>>>(x); n::k<A<B<int>>><<<g, b>>>(); }",
    "void f() { auto kernel = &k<int>; kernel<<<1, 2>>>(a); (*kernel)<<<1, 2>>>(a); t[3]<<<1,1>>>(); }",
    "void __launch_bounds__(256, 2) name(float *x) {}",
    "template <int N> __global__ void __launch_bounds__(N) k(T * __restrict__ x) {}",
    "__launch_bounds__(256) __global__ static void k() {}",
    "extern __shared__ __align__(16) unsigned char smem[];",
    "__global__ void k() { extern __shared__ float s[]; __shared__ __align__(8) float t[4][5]; }",
    "std::vector<std::vector<A<B<C<int>>>>> v;",
    "struct __align__(16) V { float x; __device__ __forceinline__ V operator+(V o) const; };",
    "__device__ __constant__ float table[] = {1.f, 2.f}; __managed__ int m;",
    "auto f = [=] __device__ (int i) { return i; }; auto g = [] __host__ __device__ (int i) mutable { };",
    "__global__ void k(const __grid_constant__ P p, float4 *__restrict__ const y);",
    "void f() { asm volatile(\"mov.u32 %0, %%laneid;\" : \"=r\"(x) :: \"memory\"); __asm__ __volatile__ (\"a\"); }",
    "template class X<float>; template struct n::Y<int, 3>; extern template class Z<half>;",
    "template __global__ void k<float, 128>(float*, const float*); extern template void f<3>(int);",
    "template <class T> void f(T x = {}, int y = 3, const A &a = {}) { g(typename T::X{}.y, typename T::Y(3)); }",
    "void f() { p = new float*[n]; q = new const T**[n * 2]; bool b = typeid(T) == typeid(unsigned int); }",
    "void f(va_list ap) { char *p = va_arg(ap, char *); int i = va_arg(ap, int); }",
    "UNSEEN_API void f(); UNSEEN_INLINE T g(int x) { return x; } void UNSEEN_CALL h(int x); struct UNSEEN_EXPORT S { explicit UNSEEN_FN S(int); };",
    "template <class T> UNSEEN_BOUNDS(256) __global__ void k(T *x) {}",
    "void f() {\n  UNSEEN_CHECK(a == b)\n  UNSEEN_CHECK(c)\n  int x = 3;\n  if (x) UNSEEN_CHECK(d)\n}",
    "void f() { printf(\"%\" PRIu64 \" and %\" PRId64, a, b); }",
    "namespace { template <typename T, typename = std::enable_if_t<(N > 3)>> __device__ T f(T a) { return a < T(3) ? a : T(2); } }",
    "void f() { for (int i = 0; i < n; i++)\n#pragma unroll\n for (int j = 0; j < 4; j++) x[j] = i; }",
    "void f() { if (a)\n#pragma unroll 2\n while (b) c(); }",
    "int a<:3:> = <%1, 2, 3%>;",
    "const volatile unsigned x = 1; __const int y = 2; __signed__ char z; __typeof__(x) w;",
    "A &operator<<(A &a, B<C<int>> b); bool operator>>=(A a, int b); void operator()(int x) const;",
];

#[test]
fn cuda_forms_parse() {
    for text in CLEAN {
        assert_clean(text);
    }
}

#[test]
fn a_launch_is_one_call_and_keeps_its_configuration() {
    let parsed = assert_clean("void f() { k<T, (a > b)><<<g, dim3(b, 1), s, st>>>(x, y); }");
    let call = find(&parsed, SyntaxKind::CallExpression)[0];
    let call = CallExpression::cast(call).unwrap();
    let callee = parsed.tokens_in(call.function().unwrap().node());
    assert_eq!(words(&parsed, callee.clone()), "k < T , ( a > b ) >");
    let arguments = parsed.tokens_in(call.arguments().unwrap().node());
    assert_eq!(words(&parsed, arguments.clone()), "( x , y )");
    let launch = parsed.launches_in(parsed.tokens_in(call.node()))[0];
    assert_eq!((launch.open, launch.close + 1), (callee.end, arguments.start));
    assert_eq!(words(&parsed, launch.open + 1..launch.close), "g , dim3 ( b , 1 ) , s , st");
    assert_eq!(parsed.launch_at(launch.open), Some(launch));
    assert_eq!(parsed.hidden_at(launch.open + 3).map(|run| run.kind), Some(HiddenKind::Launch));
}

#[test]
fn a_launch_that_macros_make_is_one_too() {
    let text = "#define OPEN <<<\n#define GT >\n#define L(k, g, b, ...) k<<<g, b>>>(__VA_ARGS__)\n\
                void f() { L((k<A<B<int>>>), 1, 2, x); k OPEN 1, 2>>>(x); a < b GT > (c); }";
    let (_, parsed) = parse(text);
    assert_eq!(parsed.launches.len(), 2);
    for launch in &parsed.launches {
        assert_eq!(parsed.tokens()[launch.close].kind, TokenKind::LaunchClose);
    }
}

#[test]
fn qualifiers_are_found_beside_what_they_qualify() {
    let parsed = assert_clean(
        "template <int N>\n__global__ void __launch_bounds__(N, 2) k(const float *__restrict__ x) {\n\
         __shared__ __align__(16) float s[N]; }",
    );
    let function = FunctionDefinition::cast(find(&parsed, SyntaxKind::FunctionDefinition)[0]);
    let function = function.unwrap();
    let tokens = parsed.tokens_in(function.node());
    // Leading qualifiers stand before the node's first token, the others inside it.
    assert_eq!(
        hidden_words(&parsed, parsed.hidden_before(tokens.start)),
        [(HiddenKind::Global, "__global__".to_owned())]
    );
    let declarator = parsed.tokens_in(function.declarator().unwrap().node());
    assert_eq!(
        hidden_words(&parsed, parsed.hidden_before(declarator.start)),
        [(HiddenKind::LaunchBounds, "__launch_bounds__ ( N , 2 )".to_owned())]
    );
    assert_eq!(
        hidden_words(&parsed, parsed.hidden_in(declarator)),
        [(HiddenKind::Restrict, "__restrict__".to_owned())]
    );
    let body = parsed.tokens_in(function.body().unwrap().node());
    assert_eq!(
        hidden_words(&parsed, parsed.hidden_in(body)),
        [
            (HiddenKind::Shared, "__shared__".to_owned()),
            (HiddenKind::Align, "__align__ ( 16 )".to_owned())
        ]
    );
}

#[test]
fn instantiations_and_unseen_macros_are_hidden_whole() {
    let parsed = assert_clean(
        "extern template __global__ void k<float>(float *__restrict__);\n\
         template <class T> UNSEEN(3) __global__ void j(T x) {}",
    );
    assert_eq!(
        hidden_words(&parsed, &parsed.hidden),
        [
            (
                HiddenKind::ExplicitInstantiation,
                "extern template __global__ void k < float > ( float * __restrict__ ) ;".to_owned()
            ),
            (HiddenKind::UnknownMacro, "UNSEEN ( 3 )".to_owned()),
            (HiddenKind::Global, "__global__".to_owned()),
        ]
    );
}

/// Names in capitals that are types, values and functions are not taken for macros.
#[test]
fn names_in_capitals_stay() {
    for text in [
        "FILE *f; DWORD x = MAX(a, b); GLuint y; VEC4 g(VEC4 a); static REAL h(REAL x) { return x; }",
        "REAL Vec::dot(REAL x) { return REAL(x) * FACTOR; } enum { ONE, TWO };",
        "void f() { int n = SIZE\n + OTHER; g(SIZE(3)\n, OTHER(x)); return MAKE(x); }",
        "struct P { REAL x; P(REAL x) : x(x) {} REAL operator()(REAL y) const; };",
        "int a[] = { SIZE(3)\n}; T b{ SIZE(x)\n};",
    ] {
        let parsed = assert_clean(text);
        assert_eq!(parsed.hidden, [], "{text}");
        assert!(!parsed.buffer.contains(");\n}"), "{}", parsed.buffer);
    }
}

#[test]
fn pragmas_stand_before_their_loop() {
    let parsed = assert_clean("void f() {\n#pragma unroll 4\n  for (;;) {}\n}");
    let statement = find(&parsed, SyntaxKind::ForStatement)[0];
    let pragmas = parsed.pragmas_before(parsed.tokens_in(statement).start);
    assert_eq!(pragmas.len(), 1);
    let words: Vec<_> = pragmas[0].tokens.iter().map(|token| token.text.as_str()).collect();
    assert_eq!(words, ["unroll", "4"]);
    assert_eq!(parsed.pragmas_before(parsed.tokens_in(statement).start + 1), []);
}

#[test]
fn nodes_lead_to_the_text() {
    let text = "#define SQ(x) ((x) * (x))\nvoid f(int a) { int b = SQ(a + 1); int c = a + SQ(2); }";
    let (sources, parsed) = parse(text);
    let texts: Vec<_> = find(&parsed, SyntaxKind::BinaryExpression)
        .into_iter()
        .map(|node| {
            let origin = parsed.origin(node);
            let outer = parsed.expansions().outermost(origin);
            (sources.text(origin.span), sources.text(outer))
        })
        .collect();
    assert_eq!(
        texts,
        [
            // `(x) * (x)` lies in the body of the macro, `a + 1` in its argument, twice.
            ("(x) * (x)", "SQ(a + 1)"),
            ("a + 1", "SQ(a + 1)"),
            ("a + 1", "SQ(a + 1)"),
            // From plain text into a macro: the common context is the plain text.
            ("a + SQ(2)", "a + SQ(2)"),
            ("(x) * (x)", "SQ(2)"),
        ]
    );
}

#[test]
fn every_node_has_its_tokens() {
    for text in CLEAN {
        let (_, parsed) = parse(text);
        for node in nodes(&parsed) {
            let tokens = parsed.tokens_in(node);
            let bytes = node.byte_range();
            if bytes.is_empty() {
                assert!(tokens.is_empty());
                continue;
            }
            // A `;` or a type's name that is shown to the grammar and stands nowhere.
            let shown = matches!(parsed.node_text(node), ";" | "T");
            assert!(!tokens.is_empty() || shown, "{text} {node}");
            if node.child_count() == 0 && !tokens.is_empty() {
                assert_eq!(parsed.token_at(bytes.start), tokens.start, "{text} {node}");
            }
        }
        let all = parsed.tokens_in(parsed.root());
        assert!(all.end <= parsed.tokens().len());
    }
}

#[test]
fn broken_text_is_found_where_it_is() {
    let (sources, parsed) = parse(
        "__global__ void good(float *x) { x[0] = 1; }\n\
         __global__ void bad(float *x) { x[0] = 2 + ; }\n\
         __global__ void fine(float *x) { int y = 1; x[0] = 2 }\n\
         __global__ void last(float *x) { x[0] = 3; }\n",
    );
    let functions = find(&parsed, SyntaxKind::FunctionDefinition);
    let broken: Vec<_> = functions
        .iter()
        .map(|node| !parsed.errors_in(parsed.tokens_in(*node)).is_empty())
        .collect();
    assert_eq!(broken, [false, true, true, false]);
    let missing = parsed.errors().iter().find(|region| region.kind == ErrorKind::Missing(";"));
    let place = parsed.origin_of(missing.unwrap().tokens.clone()).span;
    assert_eq!(sources.text(place), "2");
    assert_eq!(sources.file(FileId(0)).line_column(place.start).line, 3);
    assert!(parsed.errors().windows(2).all(|pair| pair[0].tokens.end <= pair[1].tokens.start));
}

#[test]
fn an_empty_unit_is_a_tree() {
    for text in ["", "\n", "// nothing\n", "__global__", "#if 0\nx\n#endif"] {
        let (_, parsed) = parse(text);
        assert_eq!(parsed.tokens_in(parsed.root()), parsed.tokens().len()..parsed.tokens().len());
        let _ = parsed.origin(parsed.root());
        assert_eq!(parsed.token_at(0), parsed.tokens().len());
    }
}

/// Each of these takes forever, or the whole stack, if something recurses or backtracks.
#[test]
fn deep_and_long_texts_are_read() {
    let texts = [
        "int x = ".to_owned() + &"(".repeat(20_000) + "1" + &")".repeat(20_000) + ";",
        "void f() ".to_owned() + &"{".repeat(20_000) + &"}".repeat(20_000),
        "(".repeat(20_000),
        "}".repeat(20_000),
        "A<".repeat(10_000),
        "a < b > c ".repeat(5_000),
        "__launch_bounds__(".repeat(20_000),
        "typename T::".repeat(20_000),
        "X(".repeat(20_000),
        "template class A".repeat(10_000),
        "int x = 1 ".to_owned() + &"+ 1 ".repeat(20_000) + ";",
        "void f() { ".to_owned() + &"if (a) b; else ".repeat(5_000) + "c; }",
    ];
    for text in texts {
        let about = &text[..text.len().min(40)];
        let start = std::time::Instant::now();
        let (_, parsed) = parse(&text);
        let _ = nodes(&parsed).len();
        // Generous: a debug build on a loaded machine.
        assert!(start.elapsed().as_secs() < 60, "{about}");
    }
}
