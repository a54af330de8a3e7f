// Copies and fills of memory that are too long for the back end's inline code become calls of memcpy, memmove and memset.
#pragma once

#include "support.h"

namespace sbf {
class Memory {
public:
  explicit Memory(Support &S) : S(S) {}

  void lower(Instruction *I) {
    auto *Operation = dyn_cast<MemIntrinsic>(I);
    if (!Operation || isShort(Operation))
      return;
    IRBuilder<> B(I);
    Value *Bytes = B.CreateZExtOrTrunc(Operation->getLength(), S.I64);
    if (auto *Fill = dyn_cast<MemSetInst>(Operation)) {
      auto Callee = S.runtime("memset", S.Ptr, {S.Ptr, S.I32, S.I64});
      B.CreateCall(Callee, {Fill->getDest(), B.CreateZExt(Fill->getValue(), S.I32), Bytes});
    } else {
      auto *Transfer = cast<MemTransferInst>(Operation);
      auto Callee = S.runtime(isa<MemMoveInst>(Transfer) ? "memmove" : "memcpy", S.Ptr, {S.Ptr, S.Ptr, S.I64});
      B.CreateCall(Callee, {Transfer->getRawDest(), Transfer->getRawSource(), Bytes});
    }
    I->eraseFromParent();
  }

private:
  Support &S;
  // Longest blocks, in bytes, that loads and stores handle more cheaply than a call. A move keeps the whole block in registers.
  static constexpr uint64_t LongestInline = 88, LongestInlineMove = 64;

  static bool isShort(MemIntrinsic *Operation) {
    auto *Bytes = dyn_cast<ConstantInt>(Operation->getLength());
    return Bytes && Bytes->getZExtValue() <= (isa<MemMoveInst>(Operation) ? LongestInlineMove : LongestInline);
  }
};
} // namespace sbf
