//@ section CUDART_2_OVER_PI
#define port_CUDART_2_OVER_PI 0x1.45f306dc9c883p-1

//@ section CUDART_2_OVER_PI_F
#define port_CUDART_2_OVER_PI_F 0x1.45f306p-1f

//@ section CUDART_3PIO4
#define port_CUDART_3PIO4 0x1.2d97c7f3321d2p+1

//@ section CUDART_3PIO4_F
#define port_CUDART_3PIO4_F 0x1.2d97c8p+1f

//@ section CUDART_DBL2INT_CVT
#define port_CUDART_DBL2INT_CVT 0x1.8p+52

//@ section CUDART_INF
#define port_CUDART_INF __builtin_inf()

//@ section CUDART_INF_F
#define port_CUDART_INF_F __builtin_inff()

//@ section CUDART_L2E
#define port_CUDART_L2E 0x1.71547652b82fep+0

//@ section CUDART_L2E_F
#define port_CUDART_L2E_F 0x1.715476p+0f

//@ section CUDART_L2E_HI
#define port_CUDART_L2E_HI 0x1.71547652b82fep+0

//@ section CUDART_L2E_LO
#define port_CUDART_L2E_LO 0x1.777d0ffda0d24p-56

//@ section CUDART_L2T
#define port_CUDART_L2T 0x1.a934f0979a371p+1

//@ section CUDART_L2T_F
#define port_CUDART_L2T_F 0x1.a934fp+1f

//@ section CUDART_LG2
#define port_CUDART_LG2 0x1.34413509f79ffp-2

//@ section CUDART_LG2_F
#define port_CUDART_LG2_F 0x1.344136p-2f

//@ section CUDART_LG2_HI
#define port_CUDART_LG2_HI 0x1.34413509f79ffp-2

//@ section CUDART_LG2_LO
#define port_CUDART_LG2_LO (-0x1.9dc1da994fd21p-59)

//@ section CUDART_LG2_X_1024
#define port_CUDART_LG2_X_1024 0x1.34413509f79ffp+8

//@ section CUDART_LG2_X_1075
#define port_CUDART_LG2_X_1075 0x1.439b746e36b52p+8

//@ section CUDART_LGE
#define port_CUDART_LGE 0x1.bcb7b1526e50ep-2

//@ section CUDART_LGE_F
#define port_CUDART_LGE_F 0x1.bcb7b2p-2f

//@ section CUDART_LGE_HI
#define port_CUDART_LGE_HI 0x1.bcb7b1526e50ep-2

//@ section CUDART_LGE_LO
#define port_CUDART_LGE_LO 0x1.95355baaafad3p-57

//@ section CUDART_LN2
#define port_CUDART_LN2 0x1.62e42fefa39efp-1

//@ section CUDART_LN2_F
#define port_CUDART_LN2_F 0x1.62e43p-1f

//@ section CUDART_LN2_HI
#define port_CUDART_LN2_HI 0x1.62e42fefa39efp-1

//@ section CUDART_LN2_LO
#define port_CUDART_LN2_LO 0x1.abc9e3b39803fp-56

//@ section CUDART_LN2_X_1024
#define port_CUDART_LN2_X_1024 0x1.62e42fefa39efp+9

//@ section CUDART_LN2_X_1025
#define port_CUDART_LN2_X_1025 0x1.633ce8fb9f87ep+9

//@ section CUDART_LN2_X_1075
#define port_CUDART_LN2_X_1075 0x1.74910d52d3052p+9

//@ section CUDART_LNPI
#define port_CUDART_LNPI 0x1.250d048e7a1bdp+0

//@ section CUDART_LNPI_F
#define port_CUDART_LNPI_F 0x1.250d04p+0f

//@ section CUDART_LNT
#define port_CUDART_LNT 0x1.26bb1bbb55516p+1

//@ section CUDART_LNT_F
#define port_CUDART_LNT_F 0x1.26bb1cp+1f

//@ section CUDART_LNT_HI
#define port_CUDART_LNT_HI 0x1.26bb1bbb55516p+1

//@ section CUDART_LNT_LO
#define port_CUDART_LNT_LO (-0x1.f48ad494ea3e9p-53)

//@ section CUDART_MAX_NORMAL_F
#define port_CUDART_MAX_NORMAL_F 0x1.fffffep+127f

//@ section CUDART_MIN_DENORM
#define port_CUDART_MIN_DENORM 0x1p-1074

//@ section CUDART_MIN_DENORM_F
#define port_CUDART_MIN_DENORM_F 0x1p-149f

//@ section CUDART_NAN
#define port_CUDART_NAN port_bits_to<double>(0xfff8000000000000ull)

//@ section CUDART_NAN_F
#define port_CUDART_NAN_F port_bits_to<float>(0x7fffffffu)

//@ section CUDART_NEG_ZERO
#define port_CUDART_NEG_ZERO (-0.0)

//@ section CUDART_NEG_ZERO_F
#define port_CUDART_NEG_ZERO_F (-0.0f)

//@ section CUDART_NORM_HUGE_F
#define port_CUDART_NORM_HUGE_F 0x1.fffffep+127f

//@ section CUDART_ONE
#define port_CUDART_ONE 0x1p+0

//@ section CUDART_ONE_F
#define port_CUDART_ONE_F 0x1p+0f

//@ section CUDART_PI
#define port_CUDART_PI 0x1.921fb54442d18p+1

//@ section CUDART_PIO2
#define port_CUDART_PIO2 0x1.921fb54442d18p+0

//@ section CUDART_PIO2_F
#define port_CUDART_PIO2_F 0x1.921fb6p+0f

//@ section CUDART_PIO2_HI
#define port_CUDART_PIO2_HI 0x1.921fb54442d18p+0

//@ section CUDART_PIO2_LO
#define port_CUDART_PIO2_LO 0x1.1a62633145c07p-54

//@ section CUDART_PIO4
#define port_CUDART_PIO4 0x1.921fb54442d18p-1

//@ section CUDART_PIO4_F
#define port_CUDART_PIO4_F 0x1.921fb6p-1f

//@ section CUDART_PIO4_HI
#define port_CUDART_PIO4_HI 0x1.921fb54442d18p-1

//@ section CUDART_PIO4_LO
#define port_CUDART_PIO4_LO 0x1.1a62633145c07p-55

//@ section CUDART_PI_F
#define port_CUDART_PI_F 0x1.921fb6p+1f

//@ section CUDART_PI_HI
#define port_CUDART_PI_HI 0x1.921fb54442d18p+1

//@ section CUDART_PI_LO
#define port_CUDART_PI_LO 0x1.1a62633145c07p-53

//@ section CUDART_REMQUO_BITS_F
#define port_CUDART_REMQUO_BITS_F 3u

//@ section CUDART_REMQUO_MASK_F
#define port_CUDART_REMQUO_MASK_F 7u

//@ section CUDART_SQRT_2OPI
#define port_CUDART_SQRT_2OPI 0x1.9884533d43651p-1

//@ section CUDART_SQRT_2PI
#define port_CUDART_SQRT_2PI 0x1.40d931ff62706p+1

//@ section CUDART_SQRT_2PI_HI
#define port_CUDART_SQRT_2PI_HI 0x1.40d931ff62706p+1

//@ section CUDART_SQRT_2PI_LO
#define port_CUDART_SQRT_2PI_LO (-0x1.a6a0d6f814637p-53)

//@ section CUDART_SQRT_2_OVER_PI_F
#define port_CUDART_SQRT_2_OVER_PI_F 0x1.988454p-1f

//@ section CUDART_SQRT_HALF
#define port_CUDART_SQRT_HALF 0x1.6a09e667f3bcdp-1

//@ section CUDART_SQRT_HALF_F
#define port_CUDART_SQRT_HALF_F 0x1.6a09e6p-1f

//@ section CUDART_SQRT_HALF_HI
#define port_CUDART_SQRT_HALF_HI 0x1.6a09e667f3bcdp-1

//@ section CUDART_SQRT_HALF_HI_F
#define port_CUDART_SQRT_HALF_HI_F 0x1.6a09e6p-1f

//@ section CUDART_SQRT_HALF_LO
#define port_CUDART_SQRT_HALF_LO (-0x1.bdd3413b26456p-55)

//@ section CUDART_SQRT_HALF_LO_F
#define port_CUDART_SQRT_HALF_LO_F 0x1.9fcef4p-27f

//@ section CUDART_SQRT_PIO2
#define port_CUDART_SQRT_PIO2 0x1.40d931ff62706p+0

//@ section CUDART_SQRT_PIO2_HI
#define port_CUDART_SQRT_PIO2_HI 0x1.40d931ff62706p+0

//@ section CUDART_SQRT_PIO2_LO
#define port_CUDART_SQRT_PIO2_LO (-0x1.a6a0d6f814637p-54)

//@ section CUDART_SQRT_TWO
#define port_CUDART_SQRT_TWO 0x1.6a09e667f3bcdp+0

//@ section CUDART_SQRT_TWO_F
#define port_CUDART_SQRT_TWO_F 0x1.6a09e6p+0f

//@ section CUDART_THIRD
#define port_CUDART_THIRD 0x1.5555555555555p-2

//@ section CUDART_THIRD_F
#define port_CUDART_THIRD_F 0x1.555556p-2f

//@ section CUDART_TRIG_PLOSS
#define port_CUDART_TRIG_PLOSS 0x1p+31

//@ section CUDART_TRIG_PLOSS_F
#define port_CUDART_TRIG_PLOSS_F 0x1.9c8fp+16f

//@ section CUDART_TWOTHIRD
#define port_CUDART_TWOTHIRD 0x1.5555555555555p-1

//@ section CUDART_TWO_TO_126_F
#define port_CUDART_TWO_TO_126_F 0x1p+126f

//@ section CUDART_TWO_TO_23
#define port_CUDART_TWO_TO_23 0x1p+23

//@ section CUDART_TWO_TO_23_F
#define port_CUDART_TWO_TO_23_F 0x1p+23f

//@ section CUDART_TWO_TO_24_F
#define port_CUDART_TWO_TO_24_F 0x1p+24f

//@ section CUDART_TWO_TO_31_F
#define port_CUDART_TWO_TO_31_F 0x1p+31f

//@ section CUDART_TWO_TO_32_F
#define port_CUDART_TWO_TO_32_F 0x1p+32f

//@ section CUDART_TWO_TO_52
#define port_CUDART_TWO_TO_52 0x1p+52

//@ section CUDART_TWO_TO_53
#define port_CUDART_TWO_TO_53 0x1p+53

//@ section CUDART_TWO_TO_54
#define port_CUDART_TWO_TO_54 0x1p+54

//@ section CUDART_TWO_TO_M1022
#define port_CUDART_TWO_TO_M1022 0x1p-1022

//@ section CUDART_TWO_TO_M126_F
#define port_CUDART_TWO_TO_M126_F 0x1p-126f

//@ section CUDART_TWO_TO_M54
#define port_CUDART_TWO_TO_M54 0x1p-54

//@ section CUDART_ZERO
#define port_CUDART_ZERO 0x0p+0

//@ section CUDART_ZERO_F
#define port_CUDART_ZERO_F 0x0p+0f

//@ section CUDART_INF_FP16
//@ needs half
#define port_CUDART_INF_FP16 port_bits_to<__half>((unsigned short)0x7c00)

//@ section CUDART_NAN_FP16
//@ needs half
#define port_CUDART_NAN_FP16 port_bits_to<__half>((unsigned short)0x7fff)

//@ section CUDART_MIN_DENORM_FP16
//@ needs half
#define port_CUDART_MIN_DENORM_FP16 port_bits_to<__half>((unsigned short)0x0001)

//@ section CUDART_MAX_NORMAL_FP16
//@ needs half
#define port_CUDART_MAX_NORMAL_FP16 port_bits_to<__half>((unsigned short)0x7bff)

//@ section CUDART_NEG_ZERO_FP16
//@ needs half
#define port_CUDART_NEG_ZERO_FP16 port_bits_to<__half>((unsigned short)0x8000)

//@ section CUDART_ZERO_FP16
//@ needs half
#define port_CUDART_ZERO_FP16 port_bits_to<__half>((unsigned short)0x0000)

//@ section CUDART_ONE_FP16
//@ needs half
#define port_CUDART_ONE_FP16 port_bits_to<__half>((unsigned short)0x3c00)

//@ section CUDART_INF_BF16
#define port_CUDART_INF_BF16 port_bits_to<port_bfloat16>((unsigned short)0x7f80)

//@ section CUDART_NAN_BF16
#define port_CUDART_NAN_BF16 port_bits_to<port_bfloat16>((unsigned short)0x7fff)

//@ section CUDART_MIN_DENORM_BF16
#define port_CUDART_MIN_DENORM_BF16 port_bits_to<port_bfloat16>((unsigned short)0x0001)

//@ section CUDART_MAX_NORMAL_BF16
#define port_CUDART_MAX_NORMAL_BF16 port_bits_to<port_bfloat16>((unsigned short)0x7f7f)

//@ section CUDART_NEG_ZERO_BF16
#define port_CUDART_NEG_ZERO_BF16 port_bits_to<port_bfloat16>((unsigned short)0x8000)

//@ section CUDART_ZERO_BF16
#define port_CUDART_ZERO_BF16 port_bits_to<port_bfloat16>((unsigned short)0x0000)

//@ section CUDART_ONE_BF16
#define port_CUDART_ONE_BF16 port_bits_to<port_bfloat16>((unsigned short)0x3f80)
