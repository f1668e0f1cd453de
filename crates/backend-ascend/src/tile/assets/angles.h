namespace lanes {

// Angles whose tangent is `a`: above 1 that of its inverse, above tan(pi / 8) from pi / 4 on, then a series.
__aicore__ inline void ArcTangent(Block& block, const LocalTensor<float>& result, const LocalTensor<float>& a)
{
    const uint32_t count = block.padded;
    auto& tangent = block.scratch[0];
    auto& square = block.scratch[1];
    auto& sum = block.scratch[2];
    Abs(tangent, a, count);
    Duplicate(square, 1.0f, count);
    CompareScalar(block.scratchMask[0], tangent, 1.0f, CMPMODE::GT, count);
    Div(sum, square, tangent, count);
    block.Choose(tangent, block.scratchMask[0], sum, tangent);
    CompareScalar(block.scratchMask[1], tangent, 0.414213562f, CMPMODE::GT, count);
    Adds(square, tangent, -1.0f, count);
    Adds(sum, tangent, 1.0f, count);
    Div(square, square, sum, count);
    block.Choose(tangent, block.scratchMask[1], square, tangent);
    Mul(square, tangent, tangent, count);
    Muls(sum, square, 1.0f / 17.0f, count);
    const float terms[] = {-1.0f / 15.0f, 1.0f / 13.0f, -1.0f / 11.0f, 1.0f / 9.0f, -1.0f / 7.0f, 1.0f / 5.0f, -1.0f / 3.0f};
    for (const float term : terms) {
        Adds(sum, sum, term, count);
        Mul(sum, sum, square, count);
    }
    Mul(sum, sum, tangent, count);
    Add(sum, sum, tangent, count);
    Adds(square, sum, 0.785398163f, count);
    block.Choose(sum, block.scratchMask[1], square, sum);
    Muls(square, sum, -1.0f, count);
    Adds(square, square, 1.57079633f, count);
    block.Choose(sum, block.scratchMask[0], square, sum);
    block.CopySign(result, sum, a);
}
__aicore__ inline void ArcTangent2(Block& block, const LocalTensor<float>& result, const LocalTensor<float>& y, const LocalTensor<float>& x)
{
    const uint32_t count = block.padded;
    auto tangent = block.spare[0].ReinterpretCast<float>();
    auto angle = block.spare[1].ReinterpretCast<float>();
    Abs(block.scratch[0], y, count);
    Abs(block.scratch[1], x, count);
    Div(tangent, block.scratch[0], block.scratch[1], count);
    // Two infinities, two zeros.
    Duplicate(block.scratch[2], 1.0f, count);
    Compare(block.scratchMask[0], block.scratch[0], block.scratch[1], CMPMODE::EQ, count);
    block.Choose(tangent, block.scratchMask[0], block.scratch[2], tangent);
    Duplicate(block.scratch[2], 0.0f, count);
    CompareScalar(block.scratchMask[0], block.scratch[0], 0.0f, CMPMODE::EQ, count);
    block.Choose(tangent, block.scratchMask[0], block.scratch[2], tangent);
    ArcTangent(block, angle, tangent);
    Muls(tangent, angle, -1.0f, count);
    Adds(tangent, tangent, 3.14159265f, count);
    block.IsNegative(block.scratchMask[0], x);
    block.Choose(angle, block.scratchMask[0], tangent, angle);
    block.CopySign(angle, angle, y);
    Compare(block.scratchMask[0], x, x, CMPMODE::NE, count);
    block.Choose(result, block.scratchMask[0], x, angle);
}
__aicore__ inline void ArcSine(Block& block, const LocalTensor<float>& result, const LocalTensor<float>& a)
{
    auto tangent = block.spare[0].ReinterpretCast<float>();
    auto below = block.scratch[0];
    Muls(below, a, -1.0f, block.padded);
    Adds(below, below, 1.0f, block.padded);
    Adds(block.scratch[1], a, 1.0f, block.padded);
    Mul(below, below, block.scratch[1], block.padded);
    Sqrt(below, below, block.padded);
    Div(tangent, a, below, block.padded);
    ArcTangent(block, result, tangent);
}
__aicore__ inline void ArcCosine(Block& block, const LocalTensor<float>& result, const LocalTensor<float>& a)
{
    auto tangent = block.spare[0].ReinterpretCast<float>();
    Muls(tangent, a, -1.0f, block.padded);
    Adds(tangent, tangent, 1.0f, block.padded);
    Adds(block.scratch[1], a, 1.0f, block.padded);
    Div(tangent, tangent, block.scratch[1], block.padded);
    Sqrt(tangent, tangent, block.padded);
    ArcTangent(block, result, tangent);
    Muls(result, result, 2.0f, block.padded);
}
__aicore__ inline void Tangent(Block& block, const LocalTensor<float>& result, const LocalTensor<float>& a)
{
    auto sine = block.spare[1].ReinterpretCast<float>();
    block.Sine(sine, a, 0);
    block.Sine(result, a, 1);
    Div(result, sine, result, block.padded);
}

// (e^a - e^-a) / 2, with e^a - 1 where the difference would lose digits.
__aicore__ inline void HyperbolicSine(Block& block, const LocalTensor<float>& result, const LocalTensor<float>& a)
{
    auto magnitude = block.spare[0].ReinterpretCast<float>();
    auto power = block.spare[1].ReinterpretCast<float>();
    Abs(magnitude, a, block.padded);
    block.ExpMinusOne(power, magnitude);
    Adds(block.scratch[0], power, 1.0f, block.padded);
    Div(block.scratch[0], power, block.scratch[0], block.padded);
    Add(block.scratch[0], block.scratch[0], power, block.padded);
    Muls(block.scratch[0], block.scratch[0], 0.5f, block.padded);
    CompareScalar(block.scratchMask[0], power, __builtin_inff(), CMPMODE::EQ, block.padded);
    block.Choose(magnitude, block.scratchMask[0], power, block.scratch[0]);
    block.CopySign(result, magnitude, a);
}
__aicore__ inline void HyperbolicCosine(Block& block, const LocalTensor<float>& result, const LocalTensor<float>& a)
{
    Abs(block.scratch[0], a, block.padded);
    Exp(block.scratch[0], block.scratch[0], block.padded);
    Duplicate(block.scratch[1], 1.0f, block.padded);
    Div(block.scratch[1], block.scratch[1], block.scratch[0], block.padded);
    Add(block.scratch[0], block.scratch[0], block.scratch[1], block.padded);
    Muls(result, block.scratch[0], 0.5f, block.padded);
}

// The larger times the root of 1 + the square of the quotient: squares may be out of range.
__aicore__ inline void Hypotenuse(Block& block, const LocalTensor<float>& result, const LocalTensor<float>& a, const LocalTensor<float>& b)
{
    const uint32_t count = block.padded;
    Abs(block.scratch[0], a, count);
    Abs(block.scratch[1], b, count);
    Max(block.scratch[2], block.scratch[0], block.scratch[1], count);
    Min(block.scratch[3], block.scratch[0], block.scratch[1], count);
    Div(block.scratch[0], block.scratch[3], block.scratch[2], count);
    Mul(block.scratch[0], block.scratch[0], block.scratch[0], count);
    Adds(block.scratch[0], block.scratch[0], 1.0f, count);
    Sqrt(block.scratch[0], block.scratch[0], count);
    Mul(block.scratch[0], block.scratch[0], block.scratch[2], count);
    // Nothing over nothing, infinity over infinity.
    CompareScalar(block.scratchMask[0], block.scratch[2], 0.0f, CMPMODE::EQ, count);
    block.Choose(block.scratch[0], block.scratchMask[0], block.scratch[2], block.scratch[0]);
    CompareScalar(block.scratchMask[0], block.scratch[2], __builtin_inff(), CMPMODE::EQ, count);
    block.Choose(result, block.scratchMask[0], block.scratch[2], block.scratch[0]);
}

// e^(ln |a| / 3) and one step of Newton's method.
__aicore__ inline void CubeRoot(Block& block, const LocalTensor<float>& result, const LocalTensor<float>& a)
{
    const uint32_t count = block.padded;
    auto root = block.spare[0].ReinterpretCast<float>();
    Abs(block.scratch[0], a, count);
    Ln(root, block.scratch[0], count);
    Muls(root, root, 0.333333333f, count);
    Exp(root, root, count);
    Mul(block.scratch[1], root, root, count);
    Div(block.scratch[2], block.scratch[0], block.scratch[1], count);
    Sub(block.scratch[2], block.scratch[2], root, count);
    Muls(block.scratch[2], block.scratch[2], 0.333333333f, count);
    Add(root, root, block.scratch[2], count);
    CompareScalar(block.scratchMask[0], block.scratch[0], 0.0f, CMPMODE::EQ, count);
    block.Choose(root, block.scratchMask[0], block.scratch[0], root);
    CompareScalar(block.scratchMask[0], block.scratch[0], __builtin_inff(), CMPMODE::EQ, count);
    block.Choose(root, block.scratchMask[0], block.scratch[0], root);
    block.CopySign(result, root, a);
}

}  // namespace lanes
