//! Broken texts: whatever is done to a program, reading it ends, panics nowhere and keeps its
//! promises about spans. The mutator is in-process and gives the same texts on every machine.

use port_diag::{FileId, SourceMap};
use port_syntax::{Configuration, Parsed, lex, read};

/// Programs to start from: between them they use every form that the crate treats specially.
const SEEDS: &[&str] = &[
    r##"#include "b.cuh"
#define DIV_UP(a, b) (((a) + (b) - 1) / (b))
#define STR(x) #x
#define CAT(a, b) a ## b
#define LOG(fmt, ...) printf(fmt __VA_OPT__(,) __VA_ARGS__, ##__VA_ARGS__)
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 700 || CAT(1, 2) > 3
template <typename T, int N = DIV_UP(256, 32)>
__global__ void __launch_bounds__(N, 2) k(const T *__restrict__ x, T *y, int n) {
  extern __shared__ __align__(16) unsigned char smem[];
#pragma unroll N
  for (int i = threadIdx.x; i < n; i += blockDim.x) { y[i] = x[i] >> 2; }
  LOG("%d" STR(a "b" c), __LINE__);
}
#else
#error no
#endif
void f() { k<float, (1 > 2)><<<DIV_UP(n, 256), A<B<int>>()>>>(x, y); }
template class X<float>;
"##,
    r##"#ifndef B_CUH
#define B_CUH
#include "c.h"
_Pragma("once") struct API S { explicit API S(int x = {}) : x(x) {} int x; };
#define F(x) G(x) F
#define G(x) F(x)(x) CAT(x, __COUNTER__)
F(F(1)(2))(G)
#endif /* B_CUH */
CHECK(x)
auto g = [=] __device__(int i) { return typename T::X{} + R"d(a)"b)d" "c\
d" 'e'; };
int *p = new int*[3]; asm volatile("x" : "=r"(a) :: "memory");
"##,
];

struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// Moves, drops, doubles and exchanges tokens.
fn mutate(random: &mut SplitMix, text: &str, donor: &str) -> String {
    let words = |text: &str| -> Vec<String> {
        lex(text).iter().map(|token| token.bytes(text).to_owned()).collect()
    };
    let (mut tokens, donor) = (words(text), words(donor));
    for _ in 0..1 + random.below(6) {
        let at = random.below(tokens.len());
        match random.below(6) {
            0 if !tokens.is_empty() => {
                tokens.remove(at);
            }
            1 => tokens.truncate(tokens.len() - random.below(tokens.len() / 4 + 1)),
            2 if !tokens.is_empty() => {
                let other = random.below(tokens.len());
                tokens.swap(at, other);
            }
            3 if !tokens.is_empty() => {
                let length = random.below(20).min(tokens.len() - at);
                let copy = tokens[at..at + length].to_vec();
                let to = random.below(tokens.len());
                tokens.splice(to..to, copy);
            }
            4 if !tokens.is_empty() => {
                let mut characters: Vec<char> = tokens[at].chars().collect();
                if !characters.is_empty() {
                    characters.remove(random.below(characters.len()));
                }
                tokens[at] = characters.into_iter().collect();
            }
            _ => tokens.insert(at.min(tokens.len()), donor[random.below(donor.len())].clone()),
        }
    }
    tokens.concat()
}

/// What holds for any text.
fn check(sources: &SourceMap, parsed: &Parsed) {
    let in_text = |span: port_diag::Span| {
        let text = &sources.file(span.file).text;
        assert!(text.get(span.range()).is_some(), "{span:?} is no part of the text");
    };
    for token in parsed.tokens() {
        in_text(token.origin.span);
        assert!(!token.kind.is_trivia());
        for frame in parsed.expansions().chain(token.origin) {
            in_text(frame.call.span);
        }
        if token.origin.expansion.is_none() {
            // Plain text spells itself, but for splices and a missing end.
            let bytes = sources.text(token.origin.span);
            let spelled = token.text.as_str();
            assert!(
                bytes == spelled || bytes.contains('\\') || spelled.starts_with(bytes),
                "{bytes:?} is spelled {spelled:?}"
            );
        }
    }
    for group in &parsed.unit.conditionals {
        for branch in &group.branches {
            in_text(branch.directive);
            in_text(branch.body);
            assert!(group.reached || !branch.active);
        }
        assert!(group.branches.iter().filter(|branch| branch.active).count() <= 1);
    }
    for pair in parsed.hidden.windows(2) {
        assert!(pair[0].tokens.end <= pair[1].tokens.start);
    }
    for pair in parsed.unit.pragmas.windows(2) {
        assert!(pair[0].before <= pair[1].before);
    }
    let mut cursor = parsed.tree().walk();
    'tree: loop {
        let tokens = parsed.tokens_in(cursor.node());
        assert!(tokens.start <= tokens.end && tokens.end <= parsed.tokens().len());
        in_text(parsed.origin_of(tokens).span);
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                break 'tree;
            }
        }
    }
    for region in parsed.errors() {
        in_text(parsed.origin_of(region.tokens.clone()).span);
    }
    for finding in &parsed.unit.diagnostics {
        finding.primary.iter().chain(&finding.secondary).for_each(|label| in_text(label.span));
    }
}

#[test]
fn mutated_programs_are_read() {
    let mut random = SplitMix(7);
    for round in 0..500 {
        let (seed, donor) = (SEEDS[round % 2], SEEDS[(round / 2) % 2]);
        let mut sources = SourceMap::new();
        let root = sources.add("a.cu", &mutate(&mut random, seed, donor));
        sources.add("b.cuh", &mutate(&mut random, donor, seed));
        let configuration =
            if round % 3 == 0 { Configuration::hip() } else { Configuration::cuda(80) };
        let parsed = read(&sources, root, &configuration);
        check(&sources, &parsed);
        if round % 50 == 0 {
            let again = read(&sources, root, &configuration);
            assert_eq!(again.tokens(), parsed.tokens());
            assert_eq!(again.buffer, parsed.buffer);
            assert_eq!(again.unit.diagnostics, parsed.unit.diagnostics);
        }
    }
}

#[test]
fn every_prefix_of_a_program_is_read() {
    for seed in SEEDS {
        for end in (0..seed.len()).step_by(3).filter(|end| seed.is_char_boundary(*end)) {
            let mut sources = SourceMap::new();
            sources.add("a.cu", &seed[..end]);
            sources.add("b.cuh", SEEDS[1]);
            check(&sources, &read(&sources, FileId(0), &Configuration::cuda(80)));
        }
    }
}
