//! Tokens into pages, pages into rows, pages onto pages. Everything is a copy, or the quotient by a
//! scale, rounded to a float and then to the nearest integer: exact.

use super::{Expected, Inputs};

/// The stored form of a value, given the scale of a quantised cache.
fn entry(value: f64, scale: Option<f64>) -> f64 {
    // A quotient of floats computed in f64 rounds to the same float as the exact one: 53 bits are
    // more than twice 24 plus two (Figueroa 1995).
    let quantized = |scale: f64| f64::from((value / scale) as f32).round_ties_even();
    scale.map_or(value, |scale| quantized(scale).clamp(-128.0, 127.0))
}

struct Tokens<'case> {
    inputs: Inputs<'case>,
    n: usize,
    block_size: usize,
}

impl Tokens<'_> {
    /// A cache after the tokens of `source` were put where `place(page, offset, element)` says.
    fn cached(
        &self,
        [source, cache]: [&str; 2],
        stride: usize,
        scale: Option<&str>,
        place: impl Fn(usize, usize, usize) -> usize,
    ) -> Expected {
        let scale = scale.map(|name| self.inputs.values(name)[0]);
        let source = self.inputs.values(source);
        let mut result = Expected::exact(cache, self.inputs.values(cache));
        for (token, slot) in self.inputs.integers("slots").into_iter().enumerate() {
            let Ok(slot) = usize::try_from(slot) else { continue };
            for element in 0..self.n {
                let at = place(slot / self.block_size, slot % self.block_size, element);
                result.values[at] = entry(source[token * stride + element], scale);
            }
        }
        result
    }

    fn gathered(&self) -> Expected {
        let (cache, lengths) = (self.inputs.values("cache_f16"), self.inputs.integers("lengths"));
        let table = self.inputs.integers("table");
        let mut result = Expected::exact("gathered", self.inputs.values("gathered"));
        for (sequence, bounds) in lengths.windows(2).enumerate() {
            for (position, token) in (bounds[0] as usize..bounds[1] as usize).enumerate() {
                let page = table[sequence * 32 + position / self.block_size] as usize;
                let from = (page * self.block_size + position % self.block_size) * self.n;
                result.values[token * self.n..(token + 1) * self.n]
                    .copy_from_slice(&cache[from..from + self.n]);
            }
        }
        result
    }

    fn copied(&self, name: &str) -> Expected {
        let mut result = Expected::exact(name, self.inputs.values(name));
        for pair in self.inputs.integers("mapping").chunks_exact(2) {
            let (from, to) = (pair[0] as usize * self.n, pair[1] as usize * self.n);
            result.values.copy_within(from..from + self.n, to);
        }
        result
    }
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let (n, stride, block_size) =
        (inputs.count("n"), inputs.count("stride"), inputs.count("block_size"));
    let (heads, head_size, x) =
        (inputs.count("heads"), inputs.count("head_size"), inputs.count("x"));
    let tokens = Tokens { inputs, n, block_size };
    // [pages, heads, head_size / x, block_size, x] and [pages, heads, head_size, block_size]
    let keys = |page: usize, offset: usize, element: usize| {
        let (head, at) = (element / head_size, element % head_size);
        let group = (page * heads + head) * (head_size / x) + at / x;
        (group * block_size + offset) * x + at % x
    };
    let values = |page: usize, offset: usize, element: usize| {
        (page * heads * head_size + element) * block_size + offset
    };
    let flash =
        |page: usize, offset: usize, element: usize| (page * block_size + offset) * n + element;
    let (k, v) = (Some("k_scale"), Some("v_scale"));
    vec![
        tokens.cached(["key_f32", "kc_f32"], stride, None, keys),
        tokens.cached(["value_f32", "vc_f32"], n, None, values),
        tokens.cached(["key_f32", "kc_i8"], stride, k, keys),
        tokens.cached(["value_f32", "vc_i8"], n, v, values),
        tokens.cached(["key_bf16", "flash_k_bf16"], stride, None, flash),
        tokens.cached(["value_bf16", "flash_v_bf16"], n, None, flash),
        tokens.cached(["key_f16", "flash_k_i8"], stride, k, flash),
        tokens.cached(["value_f16", "flash_v_i8"], n, v, flash),
        tokens.gathered(),
        tokens.copied("copied_k"),
        tokens.copied("copied_v"),
    ]
}
