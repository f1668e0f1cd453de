//! One step of AdamW (Loshchilov and Hutter 2019) after clipping by the global norm.
//!
//! A parameter rounded stochastically is one of the two neighbours of its value: the rounding errs by
//! less than a whole step, twice the unit roundoff.

use super::bounded::{BF16, Bounded, F32, Format};
use super::{Expected, Inputs};

const fn single(value: f32) -> f64 {
    value as f64
}

const LEARNING_RATE: f64 = single(0.01);
const BETA1: f64 = single(0.9);
const BETA2: f64 = single(0.999);
const CORRECTION1: f64 = single(0.271);
const CORRECTION2: f64 = single(0.002_997_001);
const EPSILON: f64 = single(1e-8);

fn sqrt(x: Bounded) -> Bounded {
    let value = x.value.sqrt();
    let moved = value - (x.value - x.error).max(0.0).sqrt();
    Bounded::new(value, moved.max((x.value + x.error).sqrt() - value)).rounded(F32)
}

/// `w·end + (1 − w)·start`, evaluated in any of its forms: three single roundings cover two fused
/// operations.
fn lerp(start: Bounded, end: f64, weight: f64) -> Bounded {
    let kept = Bounded::exact(weight) * Bounded::exact(end);
    let added = Bounded::exact(1.0 - weight).times(start);
    let added = added + start.times(Bounded::new(0.0, F32.unit));
    kept + added
}

/// The new parameter, first and second moment.
fn step(p: f64, gradient: Bounded, [m, v]: [f64; 2], weight_decay: f64) -> [Bounded; 3] {
    let m = lerp(gradient, m, BETA1);
    let v = lerp(gradient * gradient, v, BETA2);
    let m_hat = m / Bounded::exact(CORRECTION1);
    let root = sqrt(v / Bounded::exact(CORRECTION2)) + Bounded::exact(EPSILON);
    let decay = Bounded::exact(weight_decay) * Bounded::exact(p);
    let moved = Bounded::exact(LEARNING_RATE) * (m_hat / root + decay);
    [Bounded::exact(p) - moved, m, v]
}

/// What each block's threads have summed, and the factor of the gradients.
fn clipping(inputs: Inputs<'_>, suffix: &str, threads: usize, limit: f64) -> [Expected; 2] {
    let gradient = inputs.values(if suffix.is_empty() { "g_f32" } else { "g_bf16" });
    let blocks = inputs.count("blocks");
    let partial = (0..blocks).map(|block| {
        let seen = gradient.iter().enumerate().filter(|(i, _)| i / threads % blocks == block);
        Bounded::sum(seen.map(|(_, g)| Bounded::exact(*g) * Bounded::exact(*g)), F32)
    });
    let partial: Vec<Bounded> = partial.collect();
    let norm = sqrt(Bounded::sum(partial.iter().copied(), F32));
    let scale = match norm.value > limit {
        true => Bounded::exact(limit) / norm,
        false => Bounded::exact(1.0),
    };
    let named = |name: &str| format!("{name}{suffix}");
    [
        Expected::stored(&named("partial"), port_check::DType::F32, partial),
        Expected::stored(&named("scale"), port_check::DType::F32, [scale]),
    ]
}

struct Launch {
    parameters: &'static str,
    master: Option<&'static str>,
    gradients: &'static str,
    moments: [&'static str; 2],
    /// How the parameter is stored.
    stored: Option<Format>,
    weight_decay: f64,
}

fn updated(inputs: Inputs<'_>, launch: &Launch, scale: Bounded) -> Vec<Expected> {
    let aligned = launch.parameters == "p_aligned";
    let (n, slices) = match aligned {
        true => (4 * inputs.count("n4"), 1),
        false => (inputs.count("n"), inputs.count("slices")),
    };
    let stride = |name: &str| if aligned { n } else { inputs.count(name) };
    let (w_stride, g_stride, s_stride) =
        (stride("w_stride"), stride("g_stride"), stride("s_stride"));
    let initial = |name: &str| Expected::exact(name, inputs.values(name));
    let gradients = inputs.values(launch.gradients);
    let mut parameters = initial(launch.parameters);
    let mut master = launch.master.map(initial);
    let mut moments = launch.moments.map(initial);
    let put = |expected: &mut Expected, at: usize, result: Bounded| {
        (expected.values[at], expected.tolerance[at]) = (result.value, result.error);
    };
    for (slice, i) in (0..slices).flat_map(|slice| (0..n).map(move |i| (slice, i))) {
        let (w, s) = (slice * w_stride + i, slice * s_stride + i);
        let gradient = scale * Bounded::exact(gradients[slice * g_stride + i]);
        let p = master.as_ref().map_or(parameters.values[w], |master| master.values[s]);
        let old = [moments[0].values[s], moments[1].values[s]];
        let [p, m, v] = step(p, gradient, old, launch.weight_decay);
        put(&mut parameters, w, launch.stored.map_or(p, |format| p.rounded(format)));
        if let Some(master) = &mut master {
            put(master, s, p);
        }
        put(&mut moments[0], s, m);
        put(&mut moments[1], s, v);
    }
    std::iter::once(parameters).chain(master).chain(moments).collect()
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let clipped = clipping(inputs, "", 128, 0.25);
    let unclipped = clipping(inputs, "_bf16", 64, 1000.0);
    let scale =
        |clipping: &[Expected; 2]| Bounded::new(clipping[1].values[0], clipping[1].tolerance[0]);
    let (clip, keep) = (scale(&clipped), scale(&unclipped));
    let plain = Launch {
        parameters: "p_f32",
        master: None,
        gradients: "g_f32",
        moments: ["m_f32", "v_f32"],
        stored: None,
        weight_decay: single(0.1),
    };
    let mastered = Launch {
        parameters: "p_master",
        master: Some("master"),
        gradients: "g_bf16",
        moments: ["m_master", "v_master"],
        stored: Some(BF16),
        ..plain
    };
    let stochastic = Launch {
        parameters: "p_stochastic",
        master: None,
        moments: ["m_stochastic", "v_stochastic"],
        stored: Some(Format { unit: 2.0 * BF16.unit, ..BF16 }),
        ..mastered
    };
    let aligned = Launch {
        parameters: "p_aligned",
        gradients: "g_aligned",
        moments: ["m_aligned", "v_aligned"],
        weight_decay: 0.0,
        ..plain
    };
    let mut outputs: Vec<Expected> = [
        updated(inputs, &plain, clip),
        updated(inputs, &mastered, keep),
        updated(inputs, &stochastic, keep),
        updated(inputs, &aligned, clip),
    ]
    .into_iter()
    .flatten()
    .collect();
    outputs.extend(clipped);
    outputs.extend(unclipped);
    outputs
}
