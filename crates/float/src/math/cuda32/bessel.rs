//! Bessel functions.

use super::exponential::expm1_of;
use super::logarithm::log_of;
use super::trigonometric::{reduce, sine_of};
use crate::math::number::{Number, constant};

/// The asymptotic form: an amplitude times the cosine of a phase, the phase's quarter turns reduced
/// before π/4 is taken off.
struct Asymptote {
    phase: [u32; 4],
    amplitude: [u32; 4],
    /// What is taken off the phase.
    turn: u32,
}

const J0: Asymptote = Asymptote {
    phase: [0x3f91_e009, 0xbe52_412d, 0x3d85_4ed1, 0xbdff_ffff],
    amplitude: [0x4056_fe93, 0xbf03_b7c2, 0x3dd3_b3f3, 0xbd7f_ffb6],
    turn: 0xbf49_0fdb,
};

fn asymptotic<const F: bool>(
    a: Number<F>,
    phase: &[u32],
    amplitude: Number<F>,
    square: Number<F>,
    inverse: Number<F>,
    turn: u32,
) -> Number<F> {
    let mut correction = constant::<F>(phase[0]);
    for &coefficient in &phase[1..] {
        correction = correction.fma(square, constant(coefficient));
    }
    let (quarters, rest) = reduce(correction.fma(inverse, a));
    let turns = Number::<F>::from_integer(quarters & 3).fma(constant(0x3fc9_0fdb), constant(turn));
    let angle = rest + turns;
    let quarters = (angle * constant(0x3f22_f983)).to_integer();
    let n = Number::<F>::from_integer(quarters);
    let rest = n.fma(constant(0xb3a2_2168), n.fma(constant(0xbfc9_0fda), angle));
    amplitude * sine_of(quarters.wrapping_add(1), rest)
}

fn j0_of<const F: bool>(a: Number<F>) -> Number<F> {
    if a.greater(constant(0x4100_0000)) {
        if a.equals(Number::INFINITY) {
            return Number::ZERO;
        }
        let inverse = a.rcp();
        let square = inverse * inverse;
        let [c0, c1, c2, c3] = J0.amplitude;
        let amplitude =
            square.polynomial([c0, c1, c2, c3, 0x3f80_0000]) * (a.rsqrt() * constant(0x3f4c_422a));
        return asymptotic(a, &J0.phase, amplitude, square, inverse, J0.turn);
    }
    // Around the first zero; the next two as factors.
    let b = (a + constant(0xc019_e8a9)) + constant(0xb3e9_71b3);
    let series = b * b.polynomial([
        0xa6b3_b8e7,
        0xa9ac_a9b3,
        0x2c3f_0e18,
        0xacd4_1781,
        0xafe9_0f38,
        0x3020_305b,
        0x3379_7143,
        0x30f7_6f85,
        0xb6b6_dfc6,
        0xb6f6_65c9,
        0x399e_2deb,
        0x3a4a_e334,
        0xbbee_aa1b,
        0xbcda_7747,
    ]);
    let second = (a + constant(0xc0b0_a47b)) + constant(0x339a_7a37);
    let third = (a + constant(0xc10a_75ab)) + constant(0xb4cc_cded);
    third * (second * series)
}

/// J₀(x)
pub fn j0<const F: bool>(x: f32) -> f32 {
    j0_of(Number::<F>::new(x).abs()).result()
}

/// Y₀(x)
pub fn y0<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    if x.less(Number::ZERO) {
        return Number::<F>::NAN.result();
    }
    let a = x.abs();
    if a.is_nan() {
        return a.result();
    }
    let around = |high: u32, low: u32| (a + constant(high)) + constant(low);
    if !a.greater(constant(0x3ee4_c176)) {
        let square = a * a;
        let (log, scaled) = log_of(a);
        let log = if scaled.equals(Number::ZERO) {
            constant(0xff80_0000)
        } else {
            log * constant(0x3f22_f983)
        };
        let series = square.polynomial([
            0x33db_e5ac,
            0xb71f_49b6,
            0x3a0d_3100,
            0xbc83_ad8e,
            0x3e35_de5a,
            0xbd97_26b5,
        ]);
        return log.fma(j0_of(a), series).result();
    }
    if !a.greater(constant(0x3ff6_7af8)) {
        let b = around(0xbf64_c176, 0x3265_7d03);
        return (b * b.polynomial([
            0x3cdd_c8b3,
            0xbe02_574c,
            0x3e7f_2cc9,
            0xbe8b_f29b,
            0x3e5b_ce93,
            0xbe38_c4ff,
            0x3e42_774d,
            0xbe52_5cb2,
            0x3e60_f43d,
            0xbe67_9145,
            0x3e61_d24a,
            0xbefb_f1ad,
            0x3f61_21bb,
        ]))
        .result();
    }
    if !a.greater(constant(0x40b0_b31e)) {
        let b = around(0xc07d_4a9a, 0xb3d9_856a);
        return (b * b.polynomial([
            0xb449_dd3f,
            0xb45e_2607,
            0xb685_7064,
            0x3855_4610,
            0x394a_ced7,
            0xbb0f_1a0c,
            0xbbe0_7f2e,
            0x3d6f_b6b5,
            0x3d50_4df1,
            0xbece_1a13,
        ]))
        .result();
    }
    if !a.greater(constant(0x410a_7798)) {
        let b = around(0xc0e2_c0ee, 0xb39c_e420);
        return (b * b.polynomial([
            0x3510_cebe,
            0x3629_da6c,
            0xb840_54c0,
            0xb913_18ab,
            0x3b0e_9921,
            0x3b59_74d5,
            0xbd44_b4d7,
            0xbcad_7799,
            0x3e99_a665,
        ]))
        .result();
    }
    if a.equals(Number::INFINITY) {
        return 0.0;
    }
    let inverse = a.rcp();
    let square = inverse * inverse;
    let amplitude = square.polynomial([0xbecc_69f3, 0x3dd0_d5f0, 0xbd7f_f855, 0x3f80_0000])
        * (a.rsqrt() * constant(0x3f4c_422a));
    let phase = [0x3f8c_cd61, 0xbe50_d31c, 0x3d85_4783, 0xbdff_fffb];
    asymptotic(a, &phase, amplitude, square, inverse, 0xc016_cbe4).result()
}

fn j1_of<const F: bool>(a: Number<F>) -> Number<F> {
    if a.greater(constant(0x4100_0000)) {
        if a.equals(Number::INFINITY) {
            return Number::ZERO;
        }
        let inverse = a.rcp();
        let square = inverse * inverse;
        let amplitude =
            square.polynomial([0xc082_cb37, 0x3f3f_f7e9, 0xbe45_8bae, 0x3e3f_ff8b, 0x3f80_0000])
                * (a.rsqrt() * constant(0x3f4c_422a));
        let phase = [0xbfca_3ba2, 0x3eb9_14ad, 0xbe27_f2ec, 0x3ebf_fffd];
        return asymptotic(a, &phase, amplitude, square, inverse, 0xc016_cbe4);
    }
    let b = (a + constant(0xc075_3aac)) + constant(0x33a5_090f);
    let series = b.polynomial([
        0x29af_3463,
        0x2b81_bf42,
        0xade2_1ec1,
        0xaf5d_deff,
        0x319b_0c9d,
        0x32e8_1173,
        0xb50f_8dc8,
        0xb61e_653d,
        0x382c_d9c5,
        0x38f9_eb10,
        0xbaec_eb9c,
        0xbb27_6ffd,
        0x3d07_3993,
    ]);
    let second = (a + constant(0xc0e0_7fb0)) + constant(0x3444_b8db);
    a * (b * (second * series))
}

/// J₁ with the sign of its operand; of tiny operands the sign is copied, lest it be lost in zero.
fn signed_j1<const F: bool>(x: Number<F>, of_magnitude: Number<F>) -> Number<F> {
    let result = if x.less(Number::ZERO) { -of_magnitude } else { of_magnitude };
    if x.abs().less(constant(0x0da2_4260)) { result.with_sign_of(x) } else { result }
}

/// J₁(x)
pub fn j1<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    signed_j1(x, j1_of(x.abs())).result()
}

/// Y₁(x)
pub fn y1<const F: bool>(x: f32) -> f32 {
    y1_of::<F>(x, Number::divide)
}

/// Y₁(x) with the quotient of fast math.
pub fn y1_fast<const F: bool>(x: f32) -> f32 {
    y1_of::<F>(x, Number::divide_full_range)
}

fn y1_of<const F: bool>(x: f32, divide: fn(Number<F>, Number<F>) -> Number<F>) -> f32 {
    let x = Number::<F>::new(x);
    if x.less(Number::ZERO) {
        return Number::<F>::NAN.result();
    }
    let a = x.abs();
    if a.is_nan() {
        return a.result();
    }
    if a.less(constant(0x0080_0000)) {
        return divide(constant(0xbf22_f983), a).result();
    }
    let around = |high: u32, low: u32| (a + constant(high)) + constant(low);
    if !a.greater(constant(0x3fd9_6ac4)) {
        let (log, _) = log_of(a);
        let j1 = signed_j1(a, j1_of(a));
        let singular = j1.fma(log, divide(constant(0xbf80_0000), a)) * constant(0x3f22_f983);
        let series = (a * a).polynomial([
            0x3214_62cc,
            0xb585_27da,
            0x3896_3e95,
            0xbb41_adcb,
            0x3d5e_9cbb,
            0xbe48_c331,
        ]);
        return series.fma(a, singular).result();
    }
    if !a.greater(constant(0x4074_0eee)) {
        let b = around(0xc00c_9df7, 0x33b2_00dc);
        return (b * b.polynomial([
            0xb789_e29d,
            0x3906_4a88,
            0xb9f0_ab0d,
            0x3a8f_6102,
            0xbb2c_7045,
            0x3bf3_5df7,
            0xbb9d_097c,
            0xbd06_968a,
            0xbdf2_b7df,
            0x3f05_5242,
        ]))
        .result();
    }
    if !a.greater(constant(0x40e0_6937)) {
        let b = around(0xc0ad_bff2, 0xb468_7b03);
        return (b * b.polynomial([
            0x32be_57d0,
            0xb508_a416,
            0xb63f_8a14,
            0x3842_7e02,
            0x3919_bb1c,
            0xbb0d_f1fd,
            0xbb88_5189,
            0x3d50_aec1,
            0x3d00_5cfc,
            0xbeae_3e2b,
        ]))
        .result();
    }
    if !a.greater(constant(0x4122_c2e3)) {
        let b = around(0xc109_893d, 0xb4e6_169b);
        return (b * b.polynomial([
            0x350c_f383,
            0x3602_902e,
            0xb837_5f71,
            0xb8d9_faa8,
            0x3b03_d19a,
            0x3b1e_736d,
            0xbd31_cae5,
            0xbc81_59b6,
            0x3e8a_fcca,
        ]))
        .result();
    }
    if a.equals(Number::INFINITY) {
        return 0.0;
    }
    let inverse = a.rcp();
    let square = inverse * inverse;
    let amplitude = square.polynomial([0x3f26_7f60, 0xbe44_ab90, 0x3e3f_febf, 0x3f80_0000])
        * (a.rsqrt() * constant(0x3f4c_422a));
    let phase = [0xbfe4_e1ab, 0x3ebb_73ab, 0xbe27_fb6e, 0x3ebf_ffff];
    asymptotic(a, &phase, amplitude, square, inverse, 0xc07b_53d1).result()
}

/// The asymptotic form of the modified functions: a series of 1/a times e^a/√a, the exponential as
/// a square.
fn growing_from<const F: bool>(a: Number<F>, series: Number<F>) -> Number<F> {
    let factor = series * a.rsq();
    let exponential = expm1_of(a * Number::HALF);
    (factor * exponential) * (exponential + Number::TWO) + factor
}

/// I₀(x)
pub fn i0<const F: bool>(x: f32) -> f32 {
    let a = Number::<F>::new(x).abs();
    if a.at_least(constant(0x4110_0000)) && a.less(Number::INFINITY) {
        let series = a.rcp().polynomial([
            0x3eb2_8ba6,
            0xbbb2_cb0d,
            0x3d08_9707,
            0x3ce4_77e2,
            0x3d4c_4525,
            0x3ecc_4229,
        ]);
        return growing_from(a, series).result();
    }
    (a * a)
        .polynomial([
            0x2037_2901,
            0x2385_ab76,
            0x2840_8812,
            0x2c24_4edb,
            0x3002_0914,
            0x3391_8d5a,
            0x36e3_919c,
            0x39e3_8df6,
            0x3c80_0002,
            0x3e80_0000,
            0x3f80_0000,
        ])
        .result()
}

/// I₁(x)
pub fn i1<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let a = x.abs();
    if a.at_least(constant(0x4101_5c29)) && a.less(Number::INFINITY) {
        let series = a.rcp().polynomial([
            0xbf00_bcd4,
            0x3ce9_3d2e,
            0xbd47_a025,
            0xbd3e_1ea9,
            0xbe19_334b,
            0x3ecc_422b,
        ]);
        return growing_from(a, series).with_sign_of(x).result();
    }
    let square = x * x;
    let series = square
        * square.polynomial([
            0x224d_7bdd,
            0x25c5_4ac1,
            0x2a37_0c80,
            0x2e11_c2c5,
            0x31c2_96ae,
            0x3535_fffe,
            0x3863_8f95,
            0x3b2a_aa97,
            0x3d80_0001,
        ]);
    x.fma(series, x * Number::HALF).result()
}
