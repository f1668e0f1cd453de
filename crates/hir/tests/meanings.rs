//! What the identifiers of a text mean, token by token.

mod common;

use port_diag::{FileId, Span};
use port_hir::{Entity, Meaning, Module};

/// The meaning of the `count`th (from 0) occurrence of a word.
#[track_caller]
fn meaning<'m>(module: &'m Module, text: &str, word: &str, count: usize) -> Option<&'m Meaning> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let found: Vec<usize> = text
        .match_indices(word)
        .map(|(start, _)| start)
        .filter(|start| {
            !text[..*start].ends_with(is_part) && !text[start + word.len()..].starts_with(is_part)
        })
        .collect();
    let start = found[count] as u32;
    module.meanings.get(Span::new(FileId(0), start, start + word.len() as u32))
}

fn api(name: &str) -> Meaning {
    Meaning::Api(name.into())
}

fn is_user(meaning: Option<&Meaning>) -> bool {
    matches!(meaning, Some(Meaning::User(_)))
}

#[test]
fn api_names_in_code_macros_and_arguments() {
    let text = "
        #define CHECK(call) if ((call) != cudaSuccess) fail(cudaGetErrorString(call))
        #define LANE (threadIdx.x % warpSize)
        void fail(const char *);
        void host(void **p) { CHECK(cudaMalloc(p, 4)); }
        __global__ void k(int *x) { x[LANE] = __shfl_sync(0xffffffff, x[0], 0); }";
    let module = common::module(text);
    assert_eq!(meaning(&module, text, "cudaSuccess", 0), Some(&api("cudaSuccess")));
    assert_eq!(meaning(&module, text, "cudaGetErrorString", 0), Some(&api("cudaGetErrorString")));
    assert_eq!(meaning(&module, text, "cudaMalloc", 0), Some(&api("cudaMalloc")));
    assert_eq!(meaning(&module, text, "warpSize", 0), Some(&api("warpSize")));
    assert_eq!(meaning(&module, text, "threadIdx", 0), Some(&api("threadIdx")));
    assert_eq!(meaning(&module, text, "__shfl_sync", 0), Some(&api("__shfl_sync")));
    assert!(is_user(meaning(&module, text, "fail", 0)));
    assert!(is_user(meaning(&module, text, "fail", 1)));
    let check = Some(Meaning::Macro("CHECK".into()));
    assert_eq!(meaning(&module, text, "CHECK", 0).cloned(), check);
    assert_eq!(meaning(&module, text, "CHECK", 1).cloned(), check);
    assert_eq!(meaning(&module, text, "LANE", 1), Some(&Meaning::Macro("LANE".into())));
}

#[test]
fn a_users_own_names_are_the_users() {
    let text = "
        struct S { int warpSize; int cudaFoo() { return warpSize; } };
        __device__ float min(float, float);
        namespace mine { int cudaMalloc(int); enum { cudaSuccess }; }
        __device__ int f(int threadIdx) { S s; s.warpSize = 1; float m = min(1.f, 2.f); return threadIdx; }
        int g() { return mine::cudaMalloc(mine::cudaSuccess) + cudaSuccess; }";
    let module = common::module(text);
    for count in 0..2 {
        assert!(is_user(meaning(&module, text, "warpSize", count)), "{count}");
        assert!(is_user(meaning(&module, text, "min", count)), "{count}");
        assert!(is_user(meaning(&module, text, "threadIdx", count)), "{count}");
        assert!(is_user(meaning(&module, text, "cudaMalloc", count)), "{count}");
        assert!(is_user(meaning(&module, text, "cudaSuccess", count)), "{count}");
    }
    assert_eq!(meaning(&module, text, "warpSize", 2), Some(&Meaning::Member));
    assert_eq!(meaning(&module, text, "cudaSuccess", 2), Some(&api("cudaSuccess")));
    for name in ["warpSize", "min", "cudaMalloc", "threadIdx", "S", "mine", "s", "m"] {
        assert!(module.declares(name), "{name}");
    }
    assert!(!module.declares("cudaMemcpy"));
}

#[test]
fn a_macros_token_may_mean_two_things() {
    let text = "
        #define LAST (warpSize - 1)
        #define TWICE(x) ((x) + (x))
        __device__ int a() { return LAST; }
        __device__ int b(int warpSize) { return LAST; }
        __device__ int c(int i) { return TWICE(i) + TWICE(threadIdx.x); }
        #define LOCAL int i = 0; i++
        __device__ void d() { LOCAL; }
        __device__ void e() { LOCAL; }";
    let module = common::module(text);
    assert_eq!(meaning(&module, text, "warpSize", 0), Some(&Meaning::Conflicting));
    // An argument's spelling is at the use: one meaning each.
    assert!(is_user(meaning(&module, text, "i", 1)));
    assert_eq!(meaning(&module, text, "threadIdx", 0), Some(&api("threadIdx")));
    // Another local in each expansion, and the user's in both.
    assert!(is_user(meaning(&module, text, "i", 3)));
}

#[test]
fn namespaces_of_libraries() {
    let text = "
        namespace cg = cooperative_groups;
        using namespace nvcuda;
        __global__ void k() {
          cg::thread_block b = cg::this_thread_block();
          auto tile = cg::tiled_partition<32>(b);
          b.sync(); int r = tile.thread_rank(); tile.sync();
          wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> f;
        }";
    let module = common::module(text);
    for count in 0..4 {
        assert_eq!(
            meaning(&module, text, "cg", count),
            Some(&Meaning::User(Entity::LibraryAlias)),
            "{count}"
        );
    }
    let block = "cooperative_groups::thread_block";
    assert_eq!(meaning(&module, text, "thread_block", 0), Some(&api(block)));
    assert_eq!(
        meaning(&module, text, "this_thread_block", 0),
        Some(&api("cooperative_groups::this_thread_block"))
    );
    assert_eq!(meaning(&module, text, "sync", 0), Some(&api(&format!("{block}::sync"))));
    assert_eq!(
        meaning(&module, text, "thread_rank", 0),
        Some(&api("cooperative_groups::thread_block_tile::thread_rank"))
    );
    assert_eq!(meaning(&module, text, "fragment", 0), Some(&api("nvcuda::wmma::fragment")));
    assert_eq!(meaning(&module, text, "matrix_a", 0), Some(&api("nvcuda::wmma::matrix_a")));
}

#[test]
fn fields_of_library_types() {
    let text = "
        struct Context { cudaDeviceProp prop; };
        int f(Context *c) {
          cudaDeviceProp p, *q = &p;
          cudaGetDeviceProperties(&p, 0);
          return p.warpSize + q->warpSize + c->prop.warpSize + unknown.warpSize;
        }";
    let module = common::module(text);
    for count in 0..3 {
        let expected = api("cudaDeviceProp::warpSize");
        assert_eq!(meaning(&module, text, "warpSize", count), Some(&expected), "{count}");
    }
    assert_eq!(meaning(&module, text, "warpSize", 3), Some(&Meaning::Member));
}

#[test]
fn conditions_and_unseen_text() {
    let text = "
        #define FAST 1
        #if FAST && defined(OTHER)
        int a = cudaUnseen;
        #endif
        #define NEVER_USED cudaFree
        #define JOIN(a, b) a##b
        int x = JOIN(cuda, Success);";
    let module = common::module(text);
    assert_eq!(meaning(&module, text, "FAST", 1), Some(&Meaning::Macro("FAST".into())));
    assert_eq!(meaning(&module, text, "cudaUnseen", 0), None);
    assert_eq!(meaning(&module, text, "cudaFree", 0), None);
    // The pasted name is spelled nowhere.
    assert_eq!(meaning(&module, text, "cuda", 0), None);
    assert_eq!(meaning(&module, text, "Success", 0), None);
}

#[test]
fn declarations_labels_and_pragmas() {
    let text = "
        template <typename Scalar, int Width> struct Pack { Scalar value; };
        typedef Pack<float, 4> Quad; using Alias = Quad; enum E { One };
        __device__ int kCount = 4;
        __global__ void k(Quad q) {
          Alias a = q;
        #pragma unroll kCount
          for (int i = 0; i < 4; ++i) goto done;
        done:
          a.value = One;
        }";
    let module = common::module(text);
    for (word, count) in [
        ("Scalar", 1),
        ("Width", 0),
        ("Pack", 1),
        ("Quad", 2),
        ("Alias", 1),
        ("E", 0),
        ("One", 1),
        ("kCount", 1),
        ("done", 0),
        ("done", 1),
        ("q", 1),
        ("i", 2),
    ] {
        assert!(is_user(meaning(&module, text, word, count)), "{word}");
    }
}
