// Floating point: f64 through functions, everything else is refused. Programs do not calculate in floating point, but
// libraries they link may format or parse such numbers.
#pragma once

#include "support.h"

namespace sbf {
class FloatingPoint {
public:
  explicit FloatingPoint(Support &S) : S(S) {}

  // Rewrites an instruction, unless it has nothing to do with floating point.
  void lower(Instruction *I) {
    switch (I->getOpcode()) {
    case Instruction::FAdd: return binary(I, "__adddf3");
    case Instruction::FSub: return binary(I, "__subdf3");
    case Instruction::FMul: return binary(I, "__muldf3");
    case Instruction::FDiv: return binary(I, "__divdf3");
    case Instruction::FCmp: return compare(cast<FCmpInst>(I));
    case Instruction::FNeg: return negate(I);
    case Instruction::UIToFP: return fromInteger(I, false);
    case Instruction::SIToFP: return fromInteger(I, true);
    case Instruction::FPToUI: return toInteger(I);
    case Instruction::FRem:
    case Instruction::FPToSI:
    case Instruction::FPExt:
    case Instruction::FPTrunc: return refuse(I);
    default: break;
    }
    if (auto *Call = dyn_cast<IntrinsicInst>(I))
      if (Call->getIntrinsicID() == Intrinsic::fptoui_sat)
        toInteger(I);
  }

private:
  Support &S;
  static constexpr uint64_t SignBit = 1ull << 63;

  void refuse(Instruction *I) {
    Type *T = I->getOperand(0)->getType();
    StringRef What = T->isFloatTy() ? "f32" : "floating-point";
    S.fail(I->getFunction(), What + " operation `" + I->getOpcodeName() + "`; a program has no floating point");
  }

  void binary(Instruction *I, StringRef Name) {
    if (!I->getType()->isDoubleTy())
      return refuse(I);
    IRBuilder<> B(I);
    auto Callee = S.runtime(Name, S.Double, {S.Double, S.Double});
    S.replace(I, B.CreateCall(Callee, {I->getOperand(0), I->getOperand(1)}));
  }

  void compare(FCmpInst *I) {
    if (!I->getOperand(0)->getType()->isDoubleTy())
      return refuse(I);
    IRBuilder<> B(I);
    auto Bits = [&](unsigned Operand) { return B.CreateBitCast(I->getOperand(Operand), S.I64); };
    // One bit for how the numbers compare: unordered 8, less 4, greater 2, equal 1. A predicate is the set of these bits
    // for which it holds.
    Value *Order = B.CreateCall(S.runtime("__sbf_fcmp", S.I64, {S.I64, S.I64}), {Bits(0), Bits(1)});
    S.replace(I, B.CreateICmpNE(B.CreateAnd(Order, I->getPredicate() & 15), S.word(0)));
  }

  void negate(Instruction *I) {
    if (!I->getType()->isDoubleTy())
      return refuse(I);
    IRBuilder<> B(I);
    Value *Bits = B.CreateXor(B.CreateBitCast(I->getOperand(0), S.I64), S.word(SignBit));
    S.replace(I, B.CreateBitCast(Bits, S.Double));
  }

  void fromInteger(Instruction *I, bool Signed) {
    Value *V = I->getOperand(0);
    if (!I->getType()->isDoubleTy() || !V->getType()->isIntegerTy() || V->getType()->getIntegerBitWidth() > 64)
      return refuse(I);
    IRBuilder<> B(I);
    auto Convert = [&](Value *Magnitude) { return B.CreateCall(S.runtime("__floatundidf", S.Double, {S.I64}), {Magnitude}); };
    if (!Signed)
      return S.replace(I, Convert(B.CreateZExt(V, S.I64)));
    V = B.CreateSExt(V, S.I64);
    Value *Sign = B.CreateAShr(V, 63);
    Value *Magnitude = B.CreateBitCast(Convert(B.CreateSub(B.CreateXor(V, Sign), Sign)), S.I64);
    S.replace(I, B.CreateBitCast(B.CreateOr(Magnitude, B.CreateAnd(Sign, S.word(SignBit))), S.Double));
  }

  // Also for the saturating conversion: __fixunsdfdi saturates.
  void toInteger(Instruction *I) {
    bool Saturating = isa<IntrinsicInst>(I);
    Type *T = I->getType();
    if (!I->getOperand(0)->getType()->isDoubleTy() || !T->isIntegerTy() || T->getIntegerBitWidth() > 64 ||
        (Saturating && !T->isIntegerTy(64)))
      return refuse(I);
    IRBuilder<> B(I);
    Value *Word = B.CreateCall(S.runtime("__fixunsdfdi", S.I64, {S.Double}), {I->getOperand(0)});
    S.replace(I, B.CreateTrunc(Word, T));
  }
};
} // namespace sbf
