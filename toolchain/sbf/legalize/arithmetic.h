// Integer arithmetic that the BPF back end lacks: signed division; multiplication, division and shifts of more than 64 bits;
// multiplication that reports overflow.
#pragma once

#include "support.h"

namespace sbf {
class Arithmetic {
public:
  explicit Arithmetic(Support &S) : S(S) {}

  // Whether an instruction calculates with integers.
  static bool concerns(const Instruction *I) {
    if (auto *Operation = dyn_cast<BinaryOperator>(I))
      return Operation->getType()->isIntegerTy();
    auto *Call = dyn_cast<IntrinsicInst>(I);
    return Call && (Call->getIntrinsicID() == Intrinsic::umul_with_overflow ||
                    Call->getIntrinsicID() == Intrinsic::smul_with_overflow);
  }

  // Rewrites an instruction, unless it is legal.
  void lower(Instruction *I) {
    if (auto *Call = dyn_cast<IntrinsicInst>(I))
      return lowerCheckedMultiplication(Call, Call->getIntrinsicID() == Intrinsic::smul_with_overflow);
    auto *Operation = cast<BinaryOperator>(I);
    auto *T = cast<IntegerType>(Operation->getType());
    if (T->getBitWidth() <= 64)
      lowerNarrow(Operation, T);
    else
      lowerWide(Operation, T);
  }

private:
  Support &S;
  Function *MultiplyHigh = nullptr;

  static bool isSigned(Instruction::BinaryOps Op) {
    return Op == Instruction::SDiv || Op == Instruction::SRem || Op == Instruction::AShr;
  }
  static bool isDivision(Instruction::BinaryOps Op) {
    return Op == Instruction::UDiv || Op == Instruction::URem || Op == Instruction::SDiv || Op == Instruction::SRem;
  }

  // ---- up to 64 bits: only signed division is missing ----
  void lowerNarrow(BinaryOperator *Operation, IntegerType *T) {
    auto Op = Operation->getOpcode();
    if (Op != Instruction::SDiv && Op != Instruction::SRem)
      return;
    IRBuilder<> B(Operation);
    Value *A = B.CreateSExt(Operation->getOperand(0), S.I64), *D = B.CreateSExt(Operation->getOperand(1), S.I64);
    // All ones for a negative number; x ^ sign - sign is then the magnitude, or the number with that sign.
    Value *ASign = B.CreateAShr(A, 63), *DSign = B.CreateAShr(D, 63);
    auto WithSign = [&](Value *X, Value *Sign) { return B.CreateSub(B.CreateXor(X, Sign), Sign); };
    Value *AMagnitude = WithSign(A, ASign), *DMagnitude = WithSign(D, DSign);
    Value *Result = Op == Instruction::SRem
                        ? WithSign(B.CreateURem(AMagnitude, DMagnitude), ASign)
                        : WithSign(B.CreateUDiv(AMagnitude, DMagnitude), B.CreateXor(ASign, DSign));
    S.replace(Operation, B.CreateTrunc(Result, T));
  }

  // ---- more than 64 bits ----
  void lowerWide(BinaryOperator *Operation, IntegerType *T) {
    auto Op = Operation->getOpcode();
    bool Shift = Operation->isShift();
    if (!(isDivision(Op) || Shift || Op == Instruction::Mul))
      return;
    if (Shift && isa<ConstantInt>(Operation->getOperand(1)))
      return;
    if (T->getBitWidth() > 128) {
      S.fail(Operation->getFunction(), "integer of " + Twine(T->getBitWidth()) + " bits; the widest is 128");
      return;
    }
    IRBuilder<> B(Operation);
    auto Extend = [&](Value *V, bool Signed) { return Signed ? B.CreateSExt(V, S.I128) : B.CreateZExt(V, S.I128); };
    Value *A = Extend(Operation->getOperand(0), isSigned(Op));
    Value *D = Extend(Operation->getOperand(1), isSigned(Op) && !Shift);
    Value *Result;
    switch (Op) {
    case Instruction::Mul: Result = multiply(B, A, D); break;
    case Instruction::UDiv: Result = callRuntime(B, "__sbf_udiv128", A, D); break;
    case Instruction::URem: Result = callRuntime(B, "__sbf_umod128", A, D); break;
    case Instruction::SDiv: Result = callRuntime(B, "__sbf_sdiv128", A, D); break;
    case Instruction::SRem: Result = callRuntime(B, "__sbf_smod128", A, D); break;
    default: Result = shift(B, Op, A, D); break;
    }
    S.replace(Operation, B.CreateTrunc(Result, T));
  }

  // a * b modulo 2^128.
  Value *multiply(IRBuilder<> &B, Value *X, Value *Y) {
    Value *XLow = S.low(B, X), *YLow = S.low(B, Y);
    Value *Low = B.CreateMul(XLow, YLow);
    Value *High = B.CreateCall(multiplyHigh(), {XLow, YLow});
    if (!fitsWord(Y))
      High = B.CreateAdd(High, B.CreateMul(XLow, S.high(B, Y)));
    if (!fitsWord(X))
      High = B.CreateAdd(High, B.CreateMul(S.high(B, X), YLow));
    return S.join(B, Low, High);
  }

  // Whether the upper half of a 128-bit value is obviously zero.
  static bool fitsWord(Value *V) {
    auto Small = [](Value *V) {
      auto *Constant = dyn_cast<ConstantInt>(V);
      return Constant && Constant->getValue().getActiveBits() <= 64;
    };
    if (auto *Extension = dyn_cast<ZExtInst>(V))
      return Extension->getSrcTy()->getIntegerBitWidth() <= 64;
    if (auto *Operation = dyn_cast<BinaryOperator>(V)) {
      if (Operation->getOpcode() == Instruction::LShr)
        if (auto *Distance = dyn_cast<ConstantInt>(Operation->getOperand(1)))
          return Distance->getZExtValue() >= 64;
      if (Operation->getOpcode() == Instruction::And)
        return Small(Operation->getOperand(0)) || Small(Operation->getOperand(1));
    }
    return Small(V);
  }

  // A function for the upper half of the 128-bit product of two words, from four products of 32-bit digits.
  Function *multiplyHigh() {
    if (MultiplyHigh)
      return MultiplyHigh;
    MultiplyHigh = Function::Create(FunctionType::get(S.I64, {S.I64, S.I64}, false), GlobalValue::InternalLinkage,
                                    "__sbf_umulh", &S.M);
    MultiplyHigh->addFnAttr(Attribute::NoInline);
    MultiplyHigh->addFnAttr(Attribute::NoUnwind);
    MultiplyHigh->addFnAttr(Attribute::WillReturn);
    MultiplyHigh->setMemoryEffects(MemoryEffects::none());
    IRBuilder<> B(BasicBlock::Create(S.C, "entry", MultiplyHigh));
    Value *X = MultiplyHigh->getArg(0), *Y = MultiplyHigh->getArg(1), *Mask = S.word(0xffffffff);
    Value *X0 = B.CreateAnd(X, Mask), *X1 = B.CreateLShr(X, 32);
    Value *Y0 = B.CreateAnd(Y, Mask), *Y1 = B.CreateLShr(Y, 32);
    Value *P00 = B.CreateMul(X0, Y0), *P01 = B.CreateMul(X0, Y1), *P10 = B.CreateMul(X1, Y0), *P11 = B.CreateMul(X1, Y1);
    // Neither sum overflows: (2^32 - 1)^2 + 2 (2^32 - 1) < 2^64.
    Value *Middle = B.CreateAdd(P01, B.CreateLShr(P00, 32));
    Value *Carry = B.CreateAdd(P10, B.CreateAnd(Middle, Mask));
    B.CreateRet(B.CreateAdd(B.CreateAdd(P11, B.CreateLShr(Middle, 32)), B.CreateLShr(Carry, 32)));
    return MultiplyHigh;
  }

  // A shift by a variable distance, below 128.
  Value *shift(IRBuilder<> &B, Instruction::BinaryOps Op, Value *A, Value *Distance) {
    Value *N = B.CreateTrunc(Distance, S.I64);
    // Within a word: the distance, and its complement 63 - distance, for a shift by 64 - distance in two steps.
    Value *Inner = B.CreateAnd(N, 63), *Complement = B.CreateXor(Inner, 63);
    Value *WholeWord = B.CreateICmpNE(B.CreateAnd(N, 64), S.word(0));
    Value *Low = S.low(B, A), *High = S.high(B, A);
    if (Op == Instruction::Shl) {
      Value *Shifted = B.CreateShl(Low, Inner);
      Value *Upper = B.CreateOr(B.CreateShl(High, Inner), B.CreateLShr(B.CreateLShr(Low, 1), Complement));
      return S.join(B, B.CreateSelect(WholeWord, S.word(0), Shifted), B.CreateSelect(WholeWord, Shifted, Upper));
    }
    bool Arithmetic = Op == Instruction::AShr;
    Value *Shifted = Arithmetic ? B.CreateAShr(High, Inner) : B.CreateLShr(High, Inner);
    Value *Lower = B.CreateOr(B.CreateLShr(Low, Inner), B.CreateShl(B.CreateShl(High, 1), Complement));
    Value *Fill = Arithmetic ? B.CreateAShr(High, 63) : S.word(0);
    return S.join(B, B.CreateSelect(WholeWord, Shifted, Lower), B.CreateSelect(WholeWord, Fill, Shifted));
  }

  // Calls a function of the run-time support on two 128-bit values. The result comes through memory. With `Overflow` the
  // function also returns whether the result is wrong.
  Value *callRuntime(IRBuilder<> &B, StringRef Name, Value *X, Value *Y, Value **Overflow = nullptr) {
    auto *Result = S.slot(B.GetInsertBlock()->getParent(), ArrayType::get(S.I64, 2), "sbf.result");
    auto Callee = S.runtime(Name, Overflow ? S.I64 : S.Void, {S.Ptr, S.I64, S.I64, S.I64, S.I64});
    B.CreateLifetimeStart(Result);
    auto *Call = B.CreateCall(Callee, {Result, S.low(B, X), S.high(B, X), S.low(B, Y), S.high(B, Y)});
    if (Overflow)
      *Overflow = B.CreateICmpNE(Call, S.word(0));
    Value *Low = B.CreateLoad(S.I64, Result);
    Value *High = B.CreateLoad(S.I64, B.CreateConstInBoundsGEP1_64(S.I64, Result, 1));
    B.CreateLifetimeEnd(Result);
    return S.join(B, Low, High);
  }

  // ---- multiplication that reports overflow ----
  void lowerCheckedMultiplication(IntrinsicInst *Call, bool Signed) {
    IRBuilder<> B(Call);
    Value *X = Call->getArgOperand(0), *Y = Call->getArgOperand(1), *Product, *Overflow;
    Type *T = X->getType();
    unsigned Width = T->isIntegerTy() ? T->getIntegerBitWidth() : 0;
    auto Extend = [&](Value *V) { return Signed ? B.CreateSExt(V, S.I64) : B.CreateZExt(V, S.I64); };
    if (Width > 0 && Width <= 32) {
      Value *Wide = B.CreateMul(Extend(X), Extend(Y));
      Product = B.CreateTrunc(Wide, T);
      Overflow = B.CreateICmpNE(Wide, Extend(Product));
    } else if (Width == 64 && !Signed) {
      // x * y overflows when x > MAX / y: one division, instead of a 128-bit product. MAX / 1 stands in for y = 0.
      Product = B.CreateMul(X, Y);
      Value *Divisor = B.CreateSelect(B.CreateICmpEQ(Y, S.word(0)), S.word(1), Y);
      Overflow = B.CreateICmpUGT(X, B.CreateUDiv(S.word(~0ull), Divisor));
    } else if (Width == 64) {
      auto *Result = S.slot(Call->getFunction(), S.I64, "sbf.result");
      auto Callee = S.runtime("__sbf_smulo64", S.I64, {S.Ptr, S.I64, S.I64});
      Overflow = B.CreateICmpNE(B.CreateCall(Callee, {Result, X, Y}), S.word(0));
      Product = B.CreateLoad(S.I64, Result);
    } else if (Width == 128) {
      Product = callRuntime(B, Signed ? "__sbf_smulo128" : "__sbf_umulo128", X, Y, &Overflow);
    } else {
      S.fail(Call->getFunction(), "checked multiplication of an unusual type");
      return;
    }
    Value *Pair = B.CreateInsertValue(PoisonValue::get(Call->getType()), Product, 0);
    S.replace(Call, B.CreateInsertValue(Pair, Overflow, 1));
  }
};
} // namespace sbf
