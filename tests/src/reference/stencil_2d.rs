//! Stencils: sums of products of coefficients and neighbours, in any order. A star's neighbours of
//! one distance are added before they are multiplied. The heat equation's steps carry the errors of
//! those before them.

use port_check::DType;

use super::bounded::{Bounded, F32, F64};
use super::{Expected, Inputs};

struct Grid {
    height: usize,
    width: usize,
    pitch: usize,
}

impl Grid {
    fn points(&self) -> impl Iterator<Item = (usize, usize)> {
        let width = self.width;
        (0..self.height).flat_map(move |row| (0..width).map(move |column| (row, column)))
    }

    fn index(&self, row: usize, column: usize) -> usize {
        row * self.pitch + column
    }

    /// A grid that holds `value` at each point, and what the buffer held between rows.
    fn filled(&self, before: &[f64], value: impl Fn(usize, usize) -> Bounded) -> Vec<Bounded> {
        let mut result: Vec<Bounded> = before.iter().copied().map(Bounded::exact).collect();
        for (row, column) in self.points() {
            result[self.index(row, column)] = value(row, column);
        }
        result
    }
}

fn clamped(at: i64, size: usize) -> usize {
    at.clamp(0, size as i64 - 1) as usize
}

fn wrapped(at: i64, size: usize) -> usize {
    at.rem_euclid(size as i64) as usize
}

/// The signed distance of tap `tap` of a box from its centre, added to `at`.
fn shifted(at: usize, tap: usize, radius: usize) -> i64 {
    at as i64 + tap as i64 - radius as i64
}

fn star(
    grid: &Grid,
    values: &[f64],
    coefficients: &[f64],
    dtype: DType,
    edge: fn(i64, usize) -> usize,
    before: &[f64],
) -> Vec<Bounded> {
    let format = if dtype == DType::F64 { F64 } else { F32 };
    let mut result = grid.filled(before, |row, column| {
        let at = |y: i64, x: i64| {
            let (y, x) = (edge(row as i64 + y, grid.height), edge(column as i64 + x, grid.width));
            Bounded::exact(values[grid.index(y, x)])
        };
        let terms = coefficients.iter().enumerate().map(|(distance, coefficient)| {
            let d = distance as i64;
            let neighbours = match d {
                0 => at(0, 0),
                _ => Bounded::sum([at(0, -d), at(0, d), at(-d, 0), at(d, 0)], format),
            };
            Bounded::exact(*coefficient).times(neighbours).rounded(format)
        });
        Bounded::sum(terms, format)
    });
    if dtype == DType::F64 {
        // The reference rounds as much as the kernel does.
        result.iter_mut().for_each(|bounded| bounded.error *= 2.0);
    }
    result
}

fn boxed(
    grid: &Grid,
    values: &[f64],
    weights: &[f64],
    radius: usize,
    before: &[f64],
) -> Vec<Bounded> {
    let side = 2 * radius + 1;
    grid.filled(before, |row, column| {
        let terms = (0..side * side).map(|tap| {
            let y = shifted(row, tap / side, radius);
            let x = shifted(column, tap % side, radius);
            let inside =
                (0..grid.height as i64).contains(&y) && (0..grid.width as i64).contains(&x);
            let value = if inside { values[grid.index(y as usize, x as usize)] } else { 0.0 };
            Bounded::exact(weights[tap]).times(Bounded::exact(value)).rounded(F32)
        });
        Bounded::sum(terms, F32)
    })
}

/// One step, and its largest change.
fn heated(grid: &Grid, now: &[Bounded], before: &[f64], alpha: Bounded) -> (Vec<Bounded>, Bounded) {
    let change = |row: usize, column: usize| {
        let edge = row == 0 || column == 0 || row + 1 == grid.height || column + 1 == grid.width;
        if edge {
            return Bounded::exact(0.0);
        }
        let centre = grid.index(row, column);
        let four = Bounded::exact(-4.0) * now[centre];
        let around = [centre - 1, centre + 1, centre - grid.pitch, centre + grid.pitch];
        let terms = around.iter().map(|at| now[*at]).chain([four]);
        alpha * Bounded::sum(terms, F32)
    };
    let next = grid.filled(before, |row, column| {
        let (held, change) = (now[grid.index(row, column)], change(row, column));
        // What does not change is copied.
        if change == Bounded::exact(0.0) { held } else { held + change }
    });
    let largest = grid.points().map(|(row, column)| {
        let change = change(row, column);
        Bounded::new(change.value.abs(), change.error)
    });
    (next, largest.fold(Bounded::exact(0.0), Bounded::max))
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let grid = Grid {
        height: inputs.count("height"),
        width: inputs.count("width"),
        pitch: inputs.count("pitch"),
    };
    let stored = |name: &str, values| Expected::stored(name, inputs.dtype(name), values);
    let single = inputs.values("grid_f32");
    let mut outputs = Vec::new();

    for (name, input, symbol, radius, edge) in [
        ("star_wrap", "grid_f32", "c_star", 2, wrapped as fn(i64, usize) -> usize),
        ("star_clamp", "grid_f32", "c_star", 4, clamped),
        ("star_f64", "grid_f64", "c_star_double", 1, clamped),
    ] {
        let coefficients = &inputs.symbol(symbol)[..=radius];
        let (values, dtype, before) =
            (inputs.values(input), inputs.dtype(name), inputs.values(name));
        outputs.push(stored(name, star(&grid, &values, coefficients, dtype, edge, &before)));
    }
    let (weights, before) = (inputs.symbol("c_box"), inputs.values("box"));
    let radius = inputs.count("radius");
    outputs.push(stored("box", boxed(&grid, &single, &weights, radius, &before)));

    // The coefficient as single precision holds it.
    let alpha = Bounded::exact(f64::from(0.2_f32));
    let start: Vec<Bounded> = inputs.values("heat").into_iter().map(Bounded::exact).collect();
    let (even, odd) = (inputs.values("heat_even"), inputs.values("heat_odd"));
    let (first, first_change) = heated(&grid, &start, &odd, alpha);
    let (second, second_change) = heated(&grid, &first, &even, alpha);
    let (third, third_change) = heated(&grid, &second, &odd, alpha);
    outputs.push(stored("heat_even", second));
    outputs.push(stored("heat_odd", third));
    outputs.push(stored("change", vec![first_change, second_change, third_change]));
    outputs
}
