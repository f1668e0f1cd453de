//! Inputs on which reference and port lie furthest apart, found by trying: a bounded number of runs, from
//! a seed. Only numbers of the inputs' own ranges are tried, and sizes and integers stay as they are, so
//! that what is found is a case that the spec allows.

use crate::generate;
use crate::judge::Comparison;
use crate::machine::{Machine, Options};
use crate::metrics;
use crate::spec::Case;
use crate::tensor::Tensor;

/// The worst that was found for an output.
#[derive(Clone, Debug)]
pub struct Worst {
    /// The output.
    pub output: String,
    /// The distance on the spec's own inputs.
    pub before: Distance,
    /// The largest that was found.
    pub worst: Distance,
    /// After how many runs; 0 for the spec's own inputs.
    pub found_at: u32,
    /// What was done to the spec's inputs, in order.
    pub steps: Vec<String>,
    /// The case with these inputs.
    pub case: Case,
}

/// How far reference and port are apart on an output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance {
    /// Largest error over the largest magnitude; infinite where only one side has a number.
    pub of_scale: f64,
    /// Largest relative error of an element.
    pub relative: f64,
    /// In units in the last place.
    pub ulp: u64,
    /// The element that `relative` is about, where it is known.
    pub index: Option<usize>,
}

/// Tries `runs` inputs. The port is what was read back, else the reference under the target's arithmetic.
/// The error is one clause.
pub fn search(comparison: &Comparison<'_>, runs: u32, seed: u64) -> Result<Vec<Worst>, String> {
    let machines = [
        Machine::new(comparison.reference, &comparison.reference_profile),
        Machine::new(comparison.port.unwrap_or(comparison.reference), &comparison.target_profile),
    ];
    let base = comparison.case;
    let measure = |case: &Case| distances(&machines, case, &comparison.options);
    let first = measure(base).ok_or("the spec's own inputs do not run to their end")?;
    let mut found: Vec<Worst> = first
        .into_iter()
        .map(|(output, distance)| Worst {
            output,
            before: distance,
            worst: distance,
            found_at: 0,
            steps: Vec::new(),
            case: base.clone(),
        })
        .collect();
    let inputs = inputs(base);
    if inputs.is_empty() || found.is_empty() {
        return Ok(found);
    }
    let mut random = Random { seed, next: 0 };
    for run in 1..=runs {
        // Mostly from the worst so far of some output, sometimes from the spec's own inputs.
        let from = match random.below(4) {
            0 => None,
            _ => found.get(random.below(found.len())),
        };
        let mut case = from.map_or(base, |from| &from.case).clone();
        let mut steps = from.map(|from| from.steps.clone()).unwrap_or_default();
        let buffer = inputs[random.below(inputs.len())];
        let Some(place) = case.buffers.get_mut(buffer) else { continue };
        let range = Range::of(&base.buffers[buffer].tensor);
        let step = change(&mut place.tensor, range, &mut random);
        steps.push(format!("{}: {step}", place.name));
        let Some(now) = measure(&case) else { continue };
        for (output, distance) in now {
            let Some(known) = found.iter_mut().find(|known| known.output == output) else {
                continue;
            };
            if distance.of_scale > known.worst.of_scale {
                known.worst = distance;
                known.found_at = run;
                known.steps.clone_from(&steps);
                known.case.clone_from(&case);
            }
        }
    }
    Ok(found)
}

/// Buffers that hold numbers to begin with.
fn inputs(case: &Case) -> Vec<usize> {
    let is_input = |(index, buffer): (usize, &crate::spec::Buffer)| {
        let tensor = &buffer.tensor;
        let any = (0..tensor.len()).any(|at| tensor.get_f64(at) != 0.0);
        (tensor.dtype().is_float() && any).then_some(index)
    };
    case.buffers.iter().enumerate().filter_map(is_input).collect()
}

/// The distance of each float output; `None` where a side does not run to its end.
fn distances(
    machines: &[Machine<'_>; 2],
    case: &Case,
    options: &Options,
) -> Option<Vec<(String, Distance)>> {
    let [reference, port] = machines.each_ref().map(|machine| machine.run(case, options));
    if !reference.is_complete() || !port.is_complete() {
        return None;
    }
    let outputs = reference.result.outputs.iter().filter_map(|(name, expected)| {
        let actual = port.result.output(name)?;
        let c = metrics::compare(actual, expected)?;
        let broken = c.nan_mismatch + c.infinity_mismatch > 0;
        let of_scale = if broken { f64::INFINITY } else { c.scale_error };
        let error = |at: &usize| {
            let (a, b) = (actual.get_f64(*at), expected.get_f64(*at));
            if b == 0.0 { (a - b).abs() } else { ((a - b) / b).abs() }
        };
        let differs = |at: &usize| actual.bits(*at) != expected.bits(*at);
        let index = (0..expected.len())
            .filter(differs)
            .max_by(|a, b| error(a).total_cmp(&error(b)).then(b.cmp(a)));
        let distance = Distance { of_scale, relative: c.max_relative, ulp: c.max_ulp, index };
        expected.dtype().is_float().then(|| (name.clone(), distance))
    });
    Some(outputs.collect())
}

/// The numbers that an input holds.
#[derive(Clone, Copy)]
struct Range {
    low: f64,
    high: f64,
}

impl Range {
    fn of(tensor: &Tensor) -> Range {
        let finite = (0..tensor.len()).map(|at| tensor.get_f64(at)).filter(|v| v.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if low <= high { Range { low, high } } else { Range { low: 0.0, high: 0.0 } }
    }

    fn clamp(self, value: f64) -> f64 {
        value.clamp(self.low, self.high)
    }

    /// A number of the range, of any size: small ones are as likely as large ones.
    fn any(self, random: &mut Random) -> f64 {
        let part = random.part();
        match random.below(3) {
            0 => self.low + (self.high - self.low) * part,
            _ => {
                let ends = [self.low, self.high];
                let end = ends[random.below(2)];
                self.clamp(end * 2f64.powf(-24.0 * part))
            }
        }
    }
}

/// Changes an input, and says how.
fn change(tensor: &mut Tensor, range: Range, random: &mut Random) -> String {
    let count = tensor.len();
    match random.below(7) {
        0 => {
            let value = range.any(random);
            (0..count).for_each(|at| tensor.set_f64(at, value));
            format!("all {value:e}")
        }
        1 => {
            let value = range.any(random);
            let other = range.clamp(-value);
            (0..count).for_each(|at| tensor.set_f64(at, if at % 2 == 0 { value } else { other }));
            format!("{value:e} and {other:e} in turn")
        }
        2 => {
            let (at, value) = (random.below(count), range.any(random));
            tensor.set_f64(at, value);
            format!("[{at}] = {value:e}")
        }
        3 => {
            let shrink = 2f64.powi(-(random.below(20) as i32) - 1);
            for at in 0..count {
                tensor.set_f64(at, range.clamp(tensor.get_f64(at) * shrink));
            }
            format!("times {shrink:e}")
        }
        4 => {
            let seed = random.bits();
            for at in 0..count {
                let mut own = Random { seed, next: at as u64 * 4 };
                tensor.set_f64(at, range.any(&mut own));
            }
            "drawn again, of all sizes".to_owned()
        }
        5 => {
            // Neighbours that nearly cancel.
            for at in 1..count {
                if at % 2 == 1 {
                    let before = tensor.get_f64(at - 1);
                    let near = 1.0 + f64::from(f32::EPSILON) * (random.part() - 0.5) * 64.0;
                    tensor.set_f64(at, range.clamp(-before * near));
                }
            }
            "neighbours nearly cancel".to_owned()
        }
        _ => {
            let most = (count / 8).max(1);
            let changed = 1 + random.below(most);
            for _ in 0..changed {
                let at = random.below(count);
                tensor.set_f64(at, range.any(random));
            }
            format!("{changed} elements drawn again")
        }
    }
}

/// Numbers that the seed decides.
struct Random {
    seed: u64,
    next: u64,
}

impl Random {
    fn bits(&mut self) -> u64 {
        self.next += 1;
        generate::bits(self.seed, self.next, 0)
    }

    /// Below `end`; 0 where that is 0.
    fn below(&mut self, end: usize) -> usize {
        (self.bits() % end.max(1) as u64) as usize
    }

    /// In [0, 1).
    fn part(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * 2f64.powi(-53)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_inputs_stay_in_their_range() {
        let mut random = Random { seed: 5, next: 0 };
        for values in [&[1.5f32, 2.0, 8.0][..], &[-3.0, 0.5, 2.0, 1.0], &[0.25]] {
            let start = Tensor::from_f32(values);
            let range = Range::of(&start);
            for _ in 0..200 {
                let mut tensor = start.clone();
                change(&mut tensor, range, &mut random);
                let inside = |at| (range.low..=range.high).contains(&tensor.get_f64(at));
                assert!((0..tensor.len()).all(inside), "{:?}", tensor.to_f64());
            }
        }
    }
}
