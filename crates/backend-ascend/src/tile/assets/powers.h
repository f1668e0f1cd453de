namespace lanes {

// base^exponent as 2^(exponent log2 |base|): the exponent of the base apart from the logarithm of its fraction in
// [sqrt(1/2), sqrt(2)], whose products with the exponent are added where the whole part is exact.
__aicore__ inline void Power(Block& block, const LocalTensor<float>& result, const LocalTensor<float>& base,
                             const LocalTensor<float>& exponent)
{
    const uint32_t count = block.padded;
    const auto& size = block.scratch[0];
    const auto& fraction = block.scratch[1];
    const auto& part = block.scratch[2];
    const auto& other = block.scratch[3];
    auto power = block.spare[0].ReinterpretCast<float>();
    auto high = block.spare[1].ReinterpretCast<float>();
    auto bits = block.spare[2];
    const auto& mask = block.scratchMask[0];
    // |base| = 2^power fraction; what is below the normal numbers is scaled first.
    Abs(size, base, count);
    Muls(part, size, 16777216.0f, count);
    CompareScalar(mask, size, 1.17549435e-38f, CMPMODE::LT, count);
    block.Choose(fraction, mask, part, size);
    Duplicate(part, -151.0f, count);
    Duplicate(other, -127.0f, count);
    block.Choose(other, mask, part, other);
    block.ShiftDown(bits, fraction.ReinterpretCast<int32_t>(), 23);
    Cast(power, bits, RoundMode::CAST_NONE, count);
    Add(power, power, other, count);
    Duplicate(bits, 0x007fffff, count);
    block.BitAnd(bits, fraction.ReinterpretCast<int32_t>(), bits);
    Adds(fraction.ReinterpretCast<int32_t>(), bits, 0x3f800000, count);
    CompareScalar(mask, fraction, 1.41421356f, CMPMODE::GT, count);
    Muls(part, fraction, 0.5f, count);
    block.Choose(fraction, mask, part, fraction);
    Adds(part, power, 1.0f, count);
    block.Choose(power, mask, part, power);
    Ln(fraction, fraction, count);
    Muls(fraction, fraction, 1.44269504f, count);
    // Beyond 2^31 nothing but a base of 1 stays finite or above zero. The upper 12 bits times a power are exact.
    Mins(part, exponent, 2147483648.0f, count);
    Maxs(part, part, -2147483648.0f, count);
    Duplicate(bits, static_cast<int32_t>(0xfffff000u), count);
    block.BitAnd(high.ReinterpretCast<int32_t>(), part.ReinterpretCast<int32_t>(), bits);
    Sub(other, part, high, count);
    Mul(fraction, fraction, part, count);
    Mul(other, other, power, count);
    Add(fraction, fraction, other, count);
    Mul(high, high, power, count);
    Add(part, high, fraction, count);
    Cast(part, part, RoundMode::CAST_RINT, count);
    Sub(high, high, part, count);
    Add(high, high, fraction, count);
    Mins(high, high, 1.0f, count);
    Maxs(high, high, -1.0f, count);
    Muls(high, high, 0.693147180559945f, count);
    Exp(high, high, count);
    // 2^whole in two factors.
    Mins(part, part, 130.0f, count);
    Maxs(part, part, -160.0f, count);
    Cast(bits, part, RoundMode::CAST_RINT, count);
    auto half = fraction.ReinterpretCast<int32_t>();
    block.ShiftDownSigned(half, bits, 1);
    Sub(bits, bits, half, count);
    Adds(half, half, 127, count);
    Adds(bits, bits, 127, count);
    block.ShiftUp(half, half, 23);
    block.ShiftUp(bits, bits, 23);
    Mul(high, high, fraction, count);
    Mul(high, high, bits.ReinterpretCast<float>(), count);
    // Nothing and infinity stay what they are, or become each other.
    Duplicate(part, 1.0f, count);
    Div(part, part, size, count);
    CompareScalar(mask, exponent, 0.0f, CMPMODE::LT, count);
    block.Choose(part, mask, part, size);
    const auto& edge = block.scratchMask[1];
    CompareScalar(edge, size, 0.0f, CMPMODE::EQ, count);
    CompareScalar(mask, size, __builtin_inff(), CMPMODE::EQ, count);
    block.MaskOr(edge, edge, mask);
    block.Choose(high, edge, part, high);
    // A base below zero: odd exponents keep the sign, those that are not whole have no result.
    Cast(part, exponent, RoundMode::CAST_TRUNC, count);
    Compare(mask, part, exponent, CMPMODE::EQ, count);
    block.MaskOr(edge, edge, mask);
    Duplicate(other, __builtin_nanf(""), count);
    block.Choose(other, edge, high, other);
    CompareScalar(edge, base, 0.0f, CMPMODE::LT, count);
    block.Choose(high, edge, other, high);
    Muls(other, exponent, 0.5f, count);
    Cast(part, other, RoundMode::CAST_TRUNC, count);
    Compare(edge, part, other, CMPMODE::EQ, count);
    block.MaskAndNot(edge, mask, edge);
    block.IsNegative(mask, base);
    block.MaskAnd(edge, edge, mask);
    Muls(other, high, -1.0f, count);
    block.Choose(high, edge, other, high);
    // What is no number stays none, but for a base of 1 and an exponent of 0.
    Add(other, base, exponent, count);
    Compare(mask, base, base, CMPMODE::EQ, count);
    Compare(edge, exponent, exponent, CMPMODE::EQ, count);
    block.MaskAnd(mask, mask, edge);
    block.Choose(high, mask, high, other);
    Duplicate(other, 1.0f, count);
    CompareScalar(mask, base, 1.0f, CMPMODE::EQ, count);
    CompareScalar(edge, exponent, 0.0f, CMPMODE::EQ, count);
    block.MaskOr(mask, mask, edge);
    block.Choose(result, mask, other, high);
}
// To a whole power by multiplication.
__aicore__ inline void WholePower(Block& block, const LocalTensor<float>& result, const LocalTensor<float>& base, uint32_t exponent)
{
    const auto& factor = block.scratch[0];
    const auto& product = block.scratch[1];
    block.Move(factor, base);
    Duplicate(product, 1.0f, block.padded);
    for (; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) != 0) Mul(product, product, factor, block.padded);
        if (exponent > 1) Mul(factor, factor, factor, block.padded);
    }
    block.Move(result, product);
}
// (sine or, with quarter = 1, cosine) of pi a: whole turns leave exactly.
__aicore__ inline void SineOfHalfTurns(Block& block, const LocalTensor<float>& result, const LocalTensor<float>& a, int32_t quarter)
{
    const uint32_t count = block.padded;
    auto angle = block.spare[1].ReinterpretCast<float>();
    auto turns = block.spare[2];
    Muls(angle, a, 0.5f, count);
    Cast(block.scratch[0], angle, RoundMode::CAST_RINT, count);
    Muls(block.scratch[0], block.scratch[0], 2.0f, count);
    Sub(angle, a, block.scratch[0], count);
    Muls(block.scratch[0], angle, 2.0f, count);
    Cast(block.scratch[0], block.scratch[0], RoundMode::CAST_RINT, count);
    Cast(turns, block.scratch[0], RoundMode::CAST_RINT, count);
    Muls(block.scratch[0], block.scratch[0], 0.5f, count);
    Sub(angle, angle, block.scratch[0], count);
    Muls(angle, angle, 3.14159265f, count);
    block.SineFrom(result, angle, turns, quarter);
}

// ln(a + sqrt(a^2 + 1)) with the sign of a; the root of large squares is the number itself.
__aicore__ inline void InverseHyperbolicSine(Block& block, const LocalTensor<float>& result, const LocalTensor<float>& a)
{
    const uint32_t count = block.padded;
    auto size = block.spare[0].ReinterpretCast<float>();
    auto sum = block.spare[1].ReinterpretCast<float>();
    Abs(size, a, count);
    Mins(sum, size, 65536.0f, count);
    Mul(sum, sum, sum, count);
    Adds(block.scratch[0], sum, 1.0f, count);
    Sqrt(block.scratch[0], block.scratch[0], count);
    Adds(block.scratch[0], block.scratch[0], 1.0f, count);
    Div(sum, sum, block.scratch[0], count);
    Add(sum, sum, size, count);
    block.LogOnePlus(sum, sum);
    Ln(block.scratch[0], size, count);
    Adds(block.scratch[0], block.scratch[0], 0.693147181f, count);
    CompareScalar(block.scratchMask[0], size, 65536.0f, CMPMODE::GT, count);
    block.Choose(sum, block.scratchMask[0], block.scratch[0], sum);
    block.CopySign(result, sum, a);
}
// ln(a + sqrt(a^2 - 1)), from what a is above 1.
__aicore__ inline void InverseHyperbolicCosine(Block& block, const LocalTensor<float>& result, const LocalTensor<float>& a)
{
    const uint32_t count = block.padded;
    auto above = block.spare[0].ReinterpretCast<float>();
    auto sum = block.spare[1].ReinterpretCast<float>();
    Adds(above, a, -1.0f, count);
    Mins(sum, above, 65536.0f, count);
    Mul(block.scratch[0], sum, sum, count);
    Muls(block.scratch[1], sum, 2.0f, count);
    Add(block.scratch[0], block.scratch[0], block.scratch[1], count);
    Sqrt(block.scratch[0], block.scratch[0], count);
    Add(sum, sum, block.scratch[0], count);
    block.LogOnePlus(sum, sum);
    Ln(block.scratch[0], a, count);
    Adds(block.scratch[0], block.scratch[0], 0.693147181f, count);
    CompareScalar(block.scratchMask[0], above, 65536.0f, CMPMODE::GT, count);
    block.Choose(result, block.scratchMask[0], block.scratch[0], sum);
}
// ln(1 + 2 |a| / (1 - |a|)) / 2 with the sign of a.
__aicore__ inline void InverseHyperbolicTangent(Block& block, const LocalTensor<float>& result, const LocalTensor<float>& a)
{
    const uint32_t count = block.padded;
    auto ratio = block.spare[0].ReinterpretCast<float>();
    Abs(ratio, a, count);
    Muls(block.scratch[0], ratio, -1.0f, count);
    Adds(block.scratch[0], block.scratch[0], 1.0f, count);
    Muls(ratio, ratio, 2.0f, count);
    Div(ratio, ratio, block.scratch[0], count);
    block.LogOnePlus(ratio, ratio);
    Muls(ratio, ratio, 0.5f, count);
    block.CopySign(result, ratio, a);
}

}  // namespace lanes
