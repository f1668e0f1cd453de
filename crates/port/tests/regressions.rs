//! Regressions of the pipeline as a whole.

/// A constructor that host code uses first keeps its member initialisers.
#[test]
fn a_constructor_seen_on_the_host_first_keeps_its_initialisers() {
    let mut sources = port::SourceMap::new();
    let text = "struct U { int v; __host__ __device__ U(int x) : v(x) {} };\n\
        __global__ void k(int* out) { U u(7); out[threadIdx.x] = u.v; }\n\
        void launch(int* out) { U host(3); k<<<1, host.v>>>(out); }\n";
    let root = sources.add("k.cu", text);
    let options = port::Options::default();
    let analysis = port::Analysis::new(&sources, root, &options);
    let ir = analysis.ir_text(&["k".to_owned()]);
    let constructor = ir.split("function @\"U::U").nth(1).expect("the constructor is lowered");
    let body = constructor.split("\n}").next().unwrap_or("");
    assert!(body.contains("store"), "{ir}");
}
