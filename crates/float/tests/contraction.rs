//! What compilers fuse: each row is what the compilers themselves made of the line, read off their
//! output (SASS of nvcc 12.9 and 13 for sm_70 to sm_100; GCN of clang 19).

mod support;

use port_float::{Profile, resolve};
use port_ir::Scalar;

fn resolved(text: &str, scalar: Scalar, profile: &str) -> String {
    let profile = Profile::named(profile).unwrap();
    let text = if text.contains(';') { text.to_string() } else { format!("o[0]={text};") };
    let module = support::module(&text, scalar);
    let resolved = resolve(&module, &profile);
    port_ir::validate(&resolved).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    support::stores(&resolved)
}

fn check(scalar: Scalar, profile: &str, rows: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (text, expected) in rows {
        let found = resolved(text, scalar, profile);
        if found != *expected {
            wrong.push(format!("{text}\n  found    {found}\n  expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{profile} {scalar:?}\n{}", wrong.join("\n"));
}

/// SASS: FFMA and DFMA alike.
const NVCC: &[(&str, &str)] = &[
    ("a*b+c", "fma(a,b,c)"),
    ("c+a*b", "fma(a,b,c)"),
    ("a*b-c", "fma(a,b,-c)"),
    ("c-a*b", "fma(-a,b,c)"),
    ("-(a*b)-c", "fma(-a,b,-c)"),
    ("-a*b+c", "fma(-a,b,c)"),
    ("-(a*b)+c*d", "fma(c,d,-(a*b))"),
    ("c+-(a*b)", "fma(-a,b,c)"),
    ("-(a*b+c)", "-fma(a,b,c)"),
    ("fabs(a*b)+c", "(|(a*b)|+c)"),
    ("a*b+c*d", "fma(a,b,(c*d))"),
    ("c*d+a*b", "fma(a,b,(c*d))"),
    ("c*d*e+a*b", "fma(a,b,((c*d)*e))"),
    ("f*a+c*d", "fma(c,d,(f*a))"),
    ("a*b-c*d", "fma(a,b,-(c*d))"),
    ("c*d-a*b", "fma(c,d,-(a*b))"),
    ("a*b+c*d+e*f", "fma(e,f,fma(a,b,(c*d)))"),
    ("a*b+(c*d+e*f)", "fma(a,b,fma(c,d,(e*f)))"),
    ("(a*b+c*d)-(e*f+g*h)", "(fma(a,b,(c*d))-fma(e,f,(g*h)))"),
    ("a*b-(c+d)*e", "fma(a,b,-((c+d)*e))"),
    ("((a*b)+c)*d+e", "fma(fma(a,b,c),d,e)"),
    ("a*a+2.0f*a*b+b*b", "fma(b,b,fma(a,a,((2*a)*b)))"),
    ("a*a-b*b", "fma(a,a,-(b*b))"),
    ("2.0f*a+c", "fma(2,a,c)"),
    ("a-b*2.0f", "(a-(b*2))"),
    ("a*4.0f-b*2.0f", "fma(a,4,-(b*2))"),
    ("c-0.5f*a", "fma(-0.5,a,c)"),
    ("a*(b+1.0f)", "(a*(b+1))"),
    ("a+(b-a)*c", "fma((b-a),c,a)"),
    ("1.0f-a*b", "fma(-a,b,1)"),
    ("a*b-1.5f", "fma(a,b,-1.5)"),
    ("a/4.0f+b", "fma(a,0.25,b)"),
    ("a/3.0f+b", "((a/3)+b)"),
    ("(((a*b+c)*b+d)*b+e)", "fma(fma(fma(a,b,c),b,d),b,e)"),
    ("__fadd_rn(a*b,c)", "((a*b)+c)"),
    ("__fmul_rn(a,b)+c", "((a*b)+c)"),
    ("__fmul_rn(a,b)+c*d", "fma(c,d,(a*b))"),
    ("fma(a,b,c)+d*e", "fma(d,e,fma(a,b,c))"),
    ("fma(a,b,c*d)+e", "(fma(a,b,(c*d))+e)"),
    ("max(a*b,0.0f)+c", "(((a*b)max0)+c)"),
    ("select(a*b,c)+d", "([(a*b):c]+d)"),
    ("a*1.0f+b", "(a+b)"),
    ("T t=a*b; o[0]=t+c;", "fma(a,b,c)"),
    ("T t=a*b; o[1]=t; o[0]=t+c;", "(a*b); ((a*b)+c)"),
    ("T t=a*b; o[0]=t+c; o[1]=t+d;", "fma(a,b,c); fma(a,b,d)"),
    ("T t=a*b; o[0]=(t+c)*(t+d);", "(fma(a,b,c)*fma(a,b,d))"),
    ("T t=a*b; o[0]=t+c; o[1]=t*d;", "((a*b)+c); ((a*b)*d)"),
    ("T t=a*b; o[0]=t+c; o[1]=t*d+e;", "((a*b)+c); fma((a*b),d,e)"),
    ("T t=a*b; o[0]=t+t;", "fma(a,b,(a*b))"),
    ("T t=a*b; o[0]=t+c*t;", "fma(c,(a*b),(a*b))"),
    ("T t=a*b; T u=c*d; o[0]=t+u; o[1]=t-u;", "fma(a,b,(c*d)); fma(a,b,-(c*d))"),
    ("T t=a*b; T u=c*d; o[0]=t+u; o[1]=t+e;", "fma(a,b,(c*d)); fma(a,b,e)"),
    ("T t=a*b; T u=c*d; o[0]=t+u; o[1]=u+e;", "fma(a,b,(c*d)); fma(c,d,e)"),
    ("T t=a*b; T u=c*d; o[0]=t+e; o[1]=u+t;", "fma(a,b,e); fma(a,b,(c*d))"),
    ("T t=a*b; T u=c*d; o[0]=t-e; o[1]=u-t;", "((a*b)-e); fma(c,d,-(a*b))"),
    ("T t=a*b; T u=c*d; o[0]=t-e; o[1]=t-u; o[2]=u;", "fma(a,b,-e); fma(a,b,-(c*d)); (c*d)"),
    ("T t=a*b; T u=c*d; o[0]=t; o[1]=t-u;", "(a*b); fma(-c,d,(a*b))"),
    ("T t=a*b; T u=c*d; o[0]=t; o[1]=t+u;", "(a*b); fma(c,d,(a*b))"),
    ("T t=a*b; o[0]=t-c; o[1]=t+d; o[2]=t*e;", "((a*b)-c); ((a*b)+d); ((a*b)*e)"),
    (
        "T t=a*b; o[0]=t+c; o[1]=t+d; o[2]=t+e; o[3]=t+f; o[4]=t+g;",
        "fma(a,b,c); fma(a,b,d); fma(a,b,e); fma(a,b,f); fma(a,b,g)",
    ),
    // Of two candidates the one with fewer users.
    ("T t=a*b; T u=c*d; o[0]=u-t;", "fma(c,d,-(a*b))"),
    ("T t=a*b; T u=c*d; o[0]=t-u; o[2]=t-e;", "fma(-c,d,(a*b)); ((a*b)-e)"),
    ("T t=a*b; T u=c*d; o[0]=u-t; o[2]=u-e;", "fma(-a,b,(c*d)); ((c*d)-e)"),
    ("T t=a*b; T u=c*d; o[0]=t-u; o[2]=t-e; o[4]=u-f;", "fma(a,b,-(c*d)); fma(a,b,-e); ((c*d)-f)"),
    ("T t=a*b; T u=c*d; T v=e*f; o[0]=t-u; o[2]=u-v;", "fma(a,b,-(c*d)); fma(-e,f,(c*d))"),
    ("T t=a*b; T u=c*d; T v=e*f; o[0]=t-u; o[2]=t-v;", "fma(-c,d,(a*b)); fma(-e,f,(a*b))"),
    (
        "T t=a*b; T u=c*d; T v=e*f; o[0]=t-u; o[2]=t-v; o[4]=u-g; o[6]=u-h;",
        "fma(-c,d,(a*b)); fma(-e,f,(a*b)); fma(c,d,-g); fma(c,d,-h)",
    ),
    (
        "T t=a*b; T u=c*d; T v=e*f; o[0]=t-u; o[2]=t-v; o[4]=u-v;",
        "fma(a,b,-(c*d)); fma(a,b,-(e*f)); ((c*d)-(e*f))",
    ),
    ("T t=a*b; o[0]=t-t; o[2]=t-c;", "((a*b)-(a*b)); ((a*b)-c)"),
    // Written twice, computed once.
    ("o[0]=a*b+c; o[1]=a*b;", "((a*b)+c); (a*b)"),
    ("o[0]=a*b+c; o[1]=b*a;", "((a*b)+c); (b*a)"),
    ("o[0]=-a*b+c; o[1]=b*a;", "(-(a*b)+c); (b*a)"),
    // Branches and loops.
    ("T t=a*b; if{o[0]=t+c;}", "fma(a,b,c)"),
    ("T t=a*b; if{o[0]=t+c;}else{o[0]=t-d;}", "((a*b)+c); ((a*b)-d)"),
    ("if{o[1]=c+d*e; o[0]=a*b+c;}else{o[1]=a*b-d;}", "fma(d,e,c); fma(a,b,c); fma(a,b,-d)"),
    ("T t=a*b; if{o[0]=c;} o[1]=t+e;", "c; ((a*b)+e)"),
    ("if{o[0]=c;} o[1]=a*b+e;", "c; fma(a,b,e)"),
    ("T t=a*b; o[2]=t+d; if{o[0]=t+c;}", "((a*b)+d); ((a*b)+c)"),
    // One sum of a choice.
    ("V s=h; if{s=s+a*b;}else{s=s-c*d;} o[0]=s;", "h; (s+(a*b)); (s-(c*d)); s"),
    ("V s=h; if{s=s+a*b;}else{s=s+c*d;} o[0]=s;", "h; (s+(a*b)); (s+(c*d)); s"),
    ("V s=h; if{s=a*b-s;}else{s=c*d-s;} o[0]=s;", "h; ((a*b)-s); ((c*d)-s); s"),
    ("V s=h; if{s=s-a*b;}else{s=s-c*d;} o[0]=s;", "h; (s-(a*b)); (s-(c*d)); s"),
    ("V s=h; if{s=s+a*b;}else{s=s+d;} o[0]=s;", "h; (s+(a*b)); (s+d); s"),
    ("V s=h; if{s=s+a*b;}else{s=e+c*d;} o[0]=s;", "h; fma(a,b,s); fma(c,d,e); s"),
    ("V s=h; if{s=s+a*b;}else{s=s*c;} o[0]=s;", "h; fma(a,b,s); (s*c); s"),
    ("V s=h; if{s=s+a*b;} o[0]=s;", "h; fma(a,b,s); s"),
    ("o[0]=select(h+a*b,h+c*d);", "[(h+(a*b)):(h+(c*d))]"),
    ("T t=a*b; o[0]=select(t+c,t+d);", "[fma(a,b,c):fma(a,b,d)]"),
    ("for{o[0]=a*b+p[i];}", "((a*b)+p)"),
    ("for{o[0]=a*b-p[i];}", "((a*b)-p)"),
    ("times 6{o[0]=a*b+p[i];}", "fma(a,b,p)"),
    ("V s=a; for{s=s+p[i]*b;} o[0]=s;", "a; fma(p,b,s); s"),
    ("V s=a; for{s=s*a+p[i];} o[0]=s;", "a; fma(s,a,p); s"),
    ("V s=a; for{s=s*a+c*d;} o[0]=s;", "a; fma(s,a,(c*d)); s"),
    ("V s=a; for{s=c*d+s*a;} o[0]=s;", "a; fma(s,a,(c*d)); s"),
    ("V s=a; for{s=s*a-c*d;} o[0]=s;", "a; fma(s,a,-(c*d)); s"),
    ("V s=a; for{s=c*p[i]+s*a;} o[0]=s;", "a; fma(s,a,(c*p)); s"),
];

#[test]
fn nvcc_fuses_f32_and_f64_alike() {
    for sm in ["70", "75", "80", "86", "89", "90", "100"] {
        check(Scalar::F32, &format!("cuda:sm_{sm}"), NVCC);
    }
    check(Scalar::F64, "cuda:sm_80", NVCC);
    check(Scalar::F64, "cuda:sm_70+fast-math", NVCC);
}

#[test]
fn nvcc_knows_where_functions_end_in_a_product() {
    check(
        Scalar::F32,
        "cuda:sm_80",
        &[
            ("__logf(a)+b", "fma(~log2(a),0.6931471824645996,b)"),
            ("log(a)+b", "(log(a)+b)"),
            ("exp(a)+b", "(exp(a)+b)"),
            // The function is called after everything is loaded.
            ("exp(a)+c*d", "fma(c,d,exp(a))"),
            ("c*d+exp(a)", "fma(c,d,exp(a))"),
            ("exp(h)+c*d", "fma(c,d,exp(h))"),
            ("exp(a)*b+c*d", "fma(c,d,(exp(a)*b))"),
            ("__logf(a)+c*d", "fma(c,d,(~log2(a)*0.6931471824645996))"),
            ("sin(a)*b+c*d", "fma(c,d,(sin(a)*b))"),
            // Called before p is loaded: `ex2 · 2^i` is taken in, and `p · b` is not.
            ("T x=exp(a); T y=p[i]*b; o[0]=x+y;", "(exp(a)+(p*b))"),
            ("T x=a*b; T y=exp(p[i]); o[0]=x+y;", "fma(a,b,exp(p))"),
        ],
    );
}

#[test]
fn fast_math_of_nvcc() {
    check(
        Scalar::F32,
        "cuda:sm_80+fast-math",
        &[
            ("a*b+c", "fma(a,b,c)"),
            ("a/b", "(a*~rcp(b))"),
            ("a/b+c", "fma(a,~rcp(b),c)"),
            ("a/3.0f+b", "fma(a,0.3333333432674408,b)"),
            ("a/0.1f", "(a*10)"),
            ("1.0f/a", "~rcp(a)"),
            ("2.0f/a", "(2*~rcp(a))"),
            ("1.0f/a+b", "(~rcp(a)+b)"),
            ("1.0f/sqrt(a)", "~rsqrt(a)"),
            ("b/sqrt(a)", "(b*~rcp(~sqrt(a)))"),
            ("a/(b/c)", "(a*~rcp((b*~rcp(c))))"),
            // Only ptxas sees the quotient's product, and finds the sum fused.
            ("a/b+c*d", "fma(c,d,(a*~rcp(b)))"),
            ("c*d+a/b", "fma(c,d,(a*~rcp(b)))"),
            ("a/3.0f+c*d", "fma(c,d,(a*0.3333333432674408))"),
            ("a/4.0f+c*d", "fma(c,d,(a*0.25))"),
            ("a/b-c*d", "fma(a,~rcp(b),-(c*d))"),
            ("a/b-c*5.0f", "fma(-c,5,(a*~rcp(b)))"),
            ("a/3.0f-b*5.0f", "fma(-b,5,(a*0.3333333432674408))"),
            ("log(a)+c*d", "fma(c,d,(~log2(a)*0.6931471824645996))"),
            ("log(a)-c*d", "fma(~log2(a),0.6931471824645996,-(c*d))"),
            ("c-0.5f*a", "fma(-0.5,a,c)"),
            ("a-b*2.0f", "(a-(b*2))"),
            ("a*3.0f-b*5.0f", "fma(a,3,-(b*5))"),
            ("a*b-c*3.0f", "fma(a,b,-(c*3))"),
            ("c*3.0f-a*b", "fma(c,3,-(a*b))"),
            ("c*d-a*3.0f", "fma(c,d,-(a*3))"),
            ("T t=a*3.0f; o[0]=b-t; o[1]=c+t;", "fma(-a,3,b); fma(a,3,c)"),
            ("log(a)+b", "fma(~log2(a),0.6931471824645996,b)"),
            ("log(a)*b+c", "fma((~log2(a)*0.6931471824645996),b,c)"),
            ("tanh(a)", "~tanh(a)"),
            // Signs are flipped by an addition, which flushes.
            ("-a", "(-a+-0)"),
            ("-(a*b)", "-(a*b)"),
        ],
    );
    check(Scalar::F64, "cuda:sm_80+fast-math", &[("a/b+c", "((a/b)+c)"), ("-a", "-a")]);
}

#[test]
fn half_types_of_nvcc() {
    let rows: &[(&str, &str)] = &[
        ("a*b+c", "fma(a,b,c)"),
        ("a*b+c*d", "fma(a,b,(c*d))"),
        ("c*d+a*b", "fma(c,d,(a*b))"),
        ("a*b-c*d", "fma(a,b,-(c*d))"),
        ("T t=a*b; o[0]=t+c; o[1]=t;", "((a*b)+c); (a*b)"),
        ("T t=a*b; o[0]=t+c; o[1]=t-d;", "fma(a,b,c); fma(a,b,-d)"),
    ];
    check(Scalar::F16, "cuda:sm_75", rows);
    check(Scalar::F16, "cuda:sm_80", rows);
    check(Scalar::Bf16, "cuda:sm_90", rows);
    // FMA with 1 or −0 in the place of each sum and product: rounded twice.
    check(Scalar::Bf16, "cuda:sm_80", &[("a*b+c", "((a*b)+c)")]);
}

/// Rows on which AMD's chips agree.
const AMD: &[(&str, &str)] = &[
    ("a*b+c", "fma(a,b,c)"),
    ("c-a*b", "fma(-a,b,c)"),
    ("-(a*b)-c", "fma(-a,b,-c)"),
    ("a*b+c*d", "fma(a,b,(c*d))"),
    ("a*b-c*d", "fma(a,b,-(c*d))"),
    ("a*b+c*d+e*f", "fma(e,f,fma(a,b,(c*d)))"),
    ("((a*b)+c)*d+e", "fma(fma(a,b,c),d,e)"),
    ("T t=a*b; o[0]=t+c;", "fma(a,b,c)"),
    ("T t=a*b; o[1]=t; o[0]=t+c;", "(a*b); fma(a,b,c)"),
    ("a*a+2.0f*a*b+b*b", "fma(b,b,fma(a,a,((2*a)*b)))"),
    ("2.0f*a+c", "fma(2,a,c)"),
    ("c-0.5f*a", "fma(-0.5,a,c)"),
    ("a*(b+1.0f)", "(a*(b+1))"),
    ("1.0f-a*b", "fma(-a,b,1)"),
    ("(((a*b+c)*b+d)*b+e)", "fma(fma(fma(a,b,c),b,d),b,e)"),
    ("a+(b-a)*c", "fma((b-a),c,a)"),
    ("c*d+a*b", "fma(a,b,(c*d))"),
    ("c*d-a*b", "fma(c,d,-(a*b))"),
    ("a-b*2.0f", "fma(-b,2,a)"),
    ("a/4.0f+b", "fma(a,0.25,b)"),
    ("-(a*b)+c*d", "fma(c,d,-(a*b))"),
    ("(a*b+c)*(d*e+f)", "(fma(a,b,c)*fma(d,e,f))"),
    ("T t=a*b; o[0]=t+t;", "((a*b)+(a*b))"),
    ("T t=a*b; T u=c*d; o[0]=t; o[1]=t+u;", "(a*b); fma(c,d,(a*b))"),
    ("T t=a*b; o[0]=t+c; o[2]=t+d;", "fma(a,b,c); fma(a,b,d)"),
    ("o[0]=a*b+c; o[1]=d*e+f;", "fma(a,b,c); fma(d,e,f)"),
    ("T t=a*b; if{o[0]=t+c;}else{o[0]=t-d;}", "((a*b)+c); ((a*b)-d)"),
    ("T t=a*b; if{o[0]=c;} o[1]=t+d;", "c; fma(a,b,d)"),
    ("for{o[0]=a*b+p[i];}", "((a*b)+p)"),
];

/// Rows on which chips with packed additions and those without differ.
const SHARED: &[(&str, &str, &str)] = &[
    ("T t=a*b; o[0]=(t+c)*(t+d);", "(fma(a,b,c)*fma(a,b,d))", "(((a*b)+c)*((a*b)+d))"),
    ("T t=a*b; o[0]=t+c; o[1]=t+d;", "fma(a,b,c); fma(a,b,d)", "((a*b)+c); ((a*b)+d)"),
    (
        "T t=a*b; T u=c*d; o[0]=t+u; o[1]=t+e;",
        "fma(a,b,(c*d)); fma(a,b,e)",
        "((a*b)+(c*d)); ((a*b)+e)",
    ),
];

#[test]
fn clang_fuses_for_amd() {
    for chip in ["gfx906", "gfx90a", "gfx942", "gfx1030", "gfx1100"] {
        check(Scalar::F32, &format!("hip:{chip}"), AMD);
    }
    for (text, apart, packed) in SHARED {
        for chip in ["gfx906", "gfx1030", "gfx1100"] {
            check(Scalar::F32, &format!("hip:{chip}"), &[(text, apart)]);
        }
        for chip in ["gfx90a", "gfx942"] {
            check(Scalar::F32, &format!("hip:{chip}"), &[(text, packed)]);
        }
    }
}

#[test]
fn a_cpu_port_and_mathematics_fuse_nothing() {
    for (scalar, profile) in [(Scalar::F32, "cpu"), (Scalar::F64, "cpu"), (Scalar::F64, "exact")] {
        check(
            scalar,
            profile,
            &[("a*b+c", "((a*b)+c)"), ("a/4.0f", "(a/4)"), ("fma(a,b,c)", "fma(a,b,c)")],
        );
    }
}
