//! Inline PTX: what is translated, what is not, and what the helpers compute.

mod common;

use common::{ir, lowered};

/// An `asm` statement with operands of each kind at hand.
fn kernel(statement: &str) -> String {
    format!(
        "__global__ void k(unsigned *u, int *i, float *f, double *d, unsigned long long *l,
                           unsigned short *h, const float4 *g) {{
           __shared__ float4 tile[32];
           unsigned at = (unsigned)__cvta_generic_to_shared(tile);
           {statement}
         }}
         __global__ void clean(int *x) {{ x[0] = 1; }}"
    )
}

/// Each is straight-line code of common instructions.
const TRANSLATED: &[&str] = &[
    r#"asm("" ::: "memory");"#,
    r#"asm volatile("mov.u32 %0, %laneid;" : "=r"(u[0]));"#,
    r#"asm volatile("mov.u32 %0, %%smid;" : "=r"(u[0]));"#,
    r#"asm volatile("mov.u64 %0, %globaltimer;" : "=l"(l[0]));"#,
    r#"asm("mov.u32 %0, %lanemask_le;" : "=r"(u[0]));"#,
    r#"asm("{ .reg .b16 lo, hi; mov.b32 {lo, hi}, %1; mov.b32 %0, {hi, lo}; }" : "=r"(u[0]) : "r"(u[1]));"#,
    r#"asm("mov.b64 %0, {%1, %2};" : "=l"(l[0]) : "r"(u[0]), "r"(u[1]));"#,
    r#"asm("add.s32 %0, %1, %2;" : "=r"(i[0]) : "r"(i[1]), "r"(i[2]));"#,
    r#"asm("mul.hi.u32 %0, %1, %2;" : "=r"(u[0]) : "r"(u[1]), "r"(u[2]));"#,
    r#"asm("mad.wide.s32 %0, %1, %2, %3;" : "=l"(l[0]) : "r"(i[1]), "r"(i[2]), "l"(l[3]));"#,
    r#"asm("add.cc.u32 %0, %2, %4; addc.u32 %1, %3, %5;"
           : "=r"(u[0]), "=r"(u[1]) : "r"(u[2]), "r"(u[3]), "r"(u[4]), "r"(u[5]));"#,
    r#"asm("lop3.b32 %0, %1, %2, %3, 0x96;" : "=r"(u[0]) : "r"(u[1]), "r"(u[2]), "r"(u[3]));"#,
    r#"asm("prmt.b32 %0, %1, %2, %3;" : "=r"(u[0]) : "r"(u[1]), "r"(u[2]), "n"(0x5410));"#,
    r#"asm("bfe.s32 %0, %1, 4, 8;" : "=r"(i[0]) : "r"(i[1]));"#,
    r#"asm("bfi.b32 %0, %1, %2, 4, 8;" : "=r"(u[0]) : "r"(u[1]), "r"(u[2]));"#,
    r#"asm("shf.r.wrap.b32 %0, %1, %2, %3;" : "=r"(u[0]) : "r"(u[1]), "r"(u[2]), "r"(u[3]));"#,
    r#"asm("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(i[0]) : "r"(i[1]), "r"(i[2]), "r"(i[3]));"#,
    r#"asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(f[0]) : "f"(f[1]));"#,
    r#"asm("tanh.approx.f32 %0, %1;" : "=f"(f[0]) : "f"(f[1]));"#,
    r#"asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(u[0]) : "r"(u[1]), "r"(u[2]), "r"(u[3]));"#,
    r#"asm("add.rz.f64 %0, %1, %2;" : "=d"(d[0]) : "d"(d[1]), "d"(d[2]));"#,
    r#"asm("cvt.rni.sat.s8.f32 %0, %1;" : "=r"(i[0]) : "f"(f[1]));"#,
    r#"asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(u[0]) : "f"(f[1]), "f"(f[2]));"#,
    r#"asm("cvt.f32.f16 %0, %1;" : "=f"(f[0]) : "h"(h[0]));"#,
    r#"asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(u[0]) : "f"(f[1]));"#,
    r#"asm("{ .reg .pred p; setp.ge.and.f32 p, %1, 0f3f800000, 1; selp.b32 %0, 1, 0, p; }"
           : "=r"(u[0]) : "f"(f[1]));"#,
    r#"asm("{ .reg .pred p; setp.ne.b32 p, %1, 0; @p mov.b32 %0, 5; @!p mov.b32 %0, 6; }"
           : "=r"(u[0]) : "r"(u[1]));"#,
    r#"asm volatile("ld.global.nc.L1::no_allocate.L2::128B.v4.f32 {%0,%1,%2,%3}, [%4+16];"
           : "=f"(f[0]), "=f"(f[1]), "=f"(f[2]), "=f"(f[3]) : "l"(g));"#,
    r#"asm volatile("st.global.cs.v2.f32 [%0], {%1, %2};" :: "l"(f), "f"(f[8]), "f"(f[9]) : "memory");"#,
    r#"asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(u[0]) : "l"(u + 1) : "memory");"#,
    r#"asm volatile("st.release.gpu.global.u32 [%0], %1;" :: "l"(u), "r"(u[1]) : "memory");"#,
    r#"asm volatile("red.global.add.f32 [%0], %1;" :: "l"(f), "f"(f[1]) : "memory");"#,
    r#"asm volatile("atom.global.cas.b32 %0, [%1], %2, %3;" : "=r"(u[0]) : "l"(u), "r"(1), "r"(2));"#,
    r#"asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 0x1f, 0xffffffff;" : "=r"(u[0]) : "r"(u[1]), "r"(16));"#,
    r#"asm volatile("{ .reg .pred p; shfl.sync.up.b32 %0|p, %1, 1, 0, -1; @p add.u32 %0, %0, %1; }"
           : "=r"(u[0]) : "r"(u[1]));"#,
    r#"asm volatile("{ .reg .pred p; setp.eq.u32 p, %1, 3; vote.sync.ballot.b32 %0, p, 0xffffffff; }"
           : "=r"(u[0]) : "r"(u[1]));"#,
    r#"asm volatile("redux.sync.add.s32 %0, %1, 0xffffffff;" : "=r"(i[0]) : "r"(i[1]));"#,
    r#"asm volatile("bar.sync %0, %1;" :: "r"(1), "r"(64) : "memory");"#,
    r#"asm volatile("barrier.sync 0; membar.gl; fence.acq_rel.gpu; griddepcontrol.wait;");"#,
    r#"asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" :: "r"(at), "l"(g), "r"(8));
       asm volatile("cp.async.commit_group;"); asm volatile("cp.async.wait_group %0;" :: "n"(1));"#,
    r#"asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
           : "=r"(u[0]), "=r"(u[1]), "=r"(u[2]), "=r"(u[3]) : "r"(at));"#,
    r#"asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16{%0}, [%1];" : "=r"(u[0]) : "r"(at));"#,
    r#"asm volatile("ldmatrix.sync.aligned.m8n8.x2.b16 {%0, %1}, [%2];"
           : "=r"(u[0]), "=r"(u[1]) : "l"(tile + threadIdx.x));"#,
    r#"asm volatile("stmatrix.sync.aligned.m8n8.x2.shared.b16 [%0], {%1, %2};"
           :: "r"(at), "r"(u[0]), "r"(u[1]));"#,
    r#"asm volatile("{.reg .pred p; setp.ne.b32 p, %2, 0; @p ld.global.cg.L2::128B.b16 {%0}, [%1];}"
           : "=h"(h[0]) : "l"(h + 1), "r"(u[0]));"#,
    r#"asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32"
           "{%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
           : "+f"(f[0]), "+f"(f[1]), "+f"(f[2]), "+f"(f[3]) : "r"(u[0]), "r"(u[1]), "r"(u[2]));"#,
    r#"asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
           "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
           : "+f"(f[0]), "+f"(f[1]), "+f"(f[2]), "+f"(f[3])
           : "r"(u[0]), "r"(u[1]), "r"(u[2]), "r"(u[3]), "r"(u[4]), "r"(u[5]));"#,
];

#[test]
fn common_instructions_are_translated() {
    for statement in TRANSLATED {
        let lowered = lowered(&kernel(statement));
        let messages: Vec<&str> = lowered.diagnostics.iter().map(|d| d.message.as_str()).collect();
        assert!(messages.is_empty(), "{statement}: {messages:?}");
        assert!(lowered.instances.iter().all(|instance| instance.is_whole()), "{statement}");
    }
}

/// One finding at the statement, which names the instruction; the other kernel is whole.
#[test]
fn others_are_reported() {
    let cases = [
        (r#"asm volatile("LOOP: bra LOOP;");"#, "LOOP:"),
        (
            r#"asm volatile("mov.b32 %0, %1; wgmma.fence.sync.aligned;" : "=r"(u[0]) : "r"(u[1]));"#,
            "wgmma.fence.sync.aligned",
        ),
        (r#"asm volatile("cp.async.bulk.commit_group;");"#, "cp.async.bulk.commit_group"),
        (
            r#"asm volatile("mbarrier.init.shared.b64 [%0], %1;" :: "r"(at), "r"(1));"#,
            "mbarrier.init.shared.b64",
        ),
        (r#"asm volatile("add.u32 %0, undeclared, 1;" : "=r"(u[0]));"#, "add.u32"),
        (r#"asm volatile("add.u32 %0, %9, 1;" : "=r"(u[0]));"#, "add.u32"),
        (r#"asm volatile("exit;");"#, "exit"),
    ];
    for (statement, opcode) in cases {
        let lowered = lowered(&kernel(statement));
        let codes: Vec<&str> = lowered.diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(codes, ["P0301"], "{statement}");
        let message = &lowered.diagnostics[0].message;
        assert!(message.contains(&format!("`{opcode}`")), "{statement}: {message}");
        assert!(!lowered.instances[0].is_whole() && lowered.instances[1].is_whole());
    }
}

/// Read line by line.
#[test]
fn functions_of_the_text() {
    insta::assert_snapshot!(ir(r#"__global__ void k(unsigned *u, float *f, const float *g) {
             float v;
             asm volatile("ld.global.nc.f32 %0, [%1+4];" : "=f"(v) : "l"(g));
             asm("{ .reg .pred p; setp.gt.f32 p, %1, 0f00000000; @p ex2.approx.f32 %0, %1; }"
                 : "+f"(v) : "f"(f[1]));
             f[0] = v;
             asm("lop3.b32 %0, %1, %2, %1, 0xf8;" : "=r"(u[0]) : "r"(u[1]), "r"(u[2]));
           }"#));
}

/// The helpers of bit fields and bytes, compiled by the system's compiler, against their definitions
/// in the PTX manual written down independently.
#[test]
fn bit_helpers_compute_what_ptx_says() {
    let helpers = port_api::ptx::FUNCTIONS;
    let start = helpers.find("// The field of c bits").expect("the helpers begin there");
    let end = helpers.find("__device__ inline int __ptx_dp4a").expect("and end there");
    let shims = "#include <cstdio>\n#define __device__\n\
        static int __clz(unsigned a) { return a ? __builtin_clz(a) : 32; }\n\
        static int __clzll(unsigned long long a) { return a ? __builtin_clzll(a) : 64; }\n\
        static unsigned __byte_perm(unsigned a, unsigned b, unsigned s) {\n\
          unsigned long long w = (unsigned long long)b << 32 | a; unsigned r = 0;\n\
          for (int i = 0; i < 4; i++) r |= (unsigned)(w >> (8 * (s >> 4 * i & 7)) & 255) << 8 * i;\n\
          return r; }\n";
    let values: [u32; 6] = [0, 1, 0x8000_0001, 0xdead_beef, 0x7fff_ffff, u32::MAX];
    let amounts: [u32; 7] = [0, 1, 7, 31, 32, 40, 255];
    let mut calls = String::new();
    let mut expected = String::new();
    for a in values {
        calls += &format!(
            "printf(\"%u %u %u\\n\", __ptx_bfind({a}u, false), __ptx_bfind((int){a}u, false), \
             __ptx_bfind({a}u, true));\n"
        );
        // The highest bit, or the highest that differs from the sign.
        let highest = |x: u32| x.checked_ilog2().map_or(u32::MAX, |position| position);
        let signed = if a >> 31 == 1 { !a } else { a };
        let shift = highest(a);
        let shift = if shift == u32::MAX { shift } else { 31 - shift };
        expected += &format!("{} {} {shift}\n", highest(a), highest(signed));
        for position in amounts {
            for length in amounts {
                calls += &format!(
                    "printf(\"%u %u %u\\n\", __ptx_bfe({a}u, {position}u, {length}u), \
                     (unsigned)__ptx_bfe((int){a}u, {position}u, {length}u), \
                     __ptx_bfi(0x12345678u, {a}u, {position}u, {length}u));\n"
                );
                // Bit by bit, as the manual writes it.
                let (mut unsigned, mut signed, mut inserted) = (0u32, 0u32, a);
                let top = (position + length).saturating_sub(1).min(31);
                let sign = if length == 0 { 0 } else { a >> top & 1 };
                for bit in 0..32u32 {
                    let inside = bit < length && position + bit <= 31;
                    let value = if inside { a >> (position + bit) & 1 } else { 0 };
                    unsigned |= value << bit;
                    signed |= if inside { value } else { sign } << bit;
                    if inside {
                        let at = position + bit;
                        inserted = inserted & !(1 << at) | (0x1234_5678u32 >> bit & 1) << at;
                    }
                }
                expected += &format!("{unsigned} {signed} {inserted}\n");
            }
        }
        for selector in [0x3210u32, 0x7654, 0x0123, 0x8888, 0xfedc, 0x5410] {
            calls += &format!("printf(\"%u\\n\", __ptx_prmt({a}u, 0x80ff7f01u, {selector}u));\n");
            let bytes: Vec<u8> =
                a.to_le_bytes().into_iter().chain(0x80ff_7f01u32.to_le_bytes()).collect();
            let mut word = 0u32;
            for index in 0..4 {
                let nibble = selector >> (4 * index) & 15;
                let byte = bytes[(nibble & 7) as usize];
                let byte = if nibble & 8 == 0 { byte } else { ((byte as i8) >> 7) as u8 };
                word |= u32::from(byte) << (8 * index);
            }
            expected += &format!("{word}\n");
        }
    }
    let program = format!("{shims}{}int main() {{\n{calls}}}\n", &helpers[start..end]);
    if let Some(output) = common::run_cpp("ptx_helpers", &program) {
        assert_eq!(output, expected);
    }
}
