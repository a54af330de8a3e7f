// What all parts of the legalisation share: the module, its types, and small building blocks.
#pragma once

#include "llvm/ADT/SmallVector.h"
#include "llvm/Demangle/Demangle.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"

namespace sbf {
using namespace llvm;

// The stack and account data of a program are aligned to a word, and so is what lies in them, whatever its type.
inline const Align WordAlign(8);

class Support {
public:
  Module &M;
  LLVMContext &C;
  Type *Void, *I32, *I64, *I128, *Double, *Ptr;

  explicit Support(Module &M)
      : M(M), C(M.getContext()), Void(Type::getVoidTy(C)), I32(Type::getInt32Ty(C)),
        I64(Type::getInt64Ty(C)), I128(Type::getInt128Ty(C)), Double(Type::getDoubleTy(C)),
        Ptr(PointerType::getUnqual(C)) {}

  // Reports something that cannot be made legal. Goes on, so that one build shows all of it.
  void fail(const Function *F, const Twine &Message) {
    errs() << "in `" << demangle(F->getName()) << "`: " << Message << "\n";
    Failed = true;
  }
  bool failed() const { return Failed; }

  Value *word(uint64_t V) const { return ConstantInt::get(I64, V); }

  // Declares a function of the run-time support (`../rt`) or of compiler_builtins.
  FunctionCallee runtime(StringRef Name, Type *Result, ArrayRef<Type *> Parameters) {
    return M.getOrInsertFunction(Name, FunctionType::get(Result, Parameters, false));
  }

  // A slot in the function's frame.
  AllocaInst *slot(Function *F, Type *T, const Twine &Name) {
    IRBuilder<> B(&*F->getEntryBlock().getFirstInsertionPt());
    auto *Slot = B.CreateAlloca(T, nullptr, Name);
    Slot->setAlignment(WordAlign);
    return Slot;
  }

  // The halves of a 128-bit value, and a value from its halves.
  Value *low(IRBuilder<> &B, Value *V) const { return B.CreateTrunc(V, I64); }
  Value *high(IRBuilder<> &B, Value *V) const { return B.CreateTrunc(B.CreateLShr(V, 64), I64); }
  Value *join(IRBuilder<> &B, Value *Low, Value *High) const {
    return B.CreateOr(B.CreateShl(B.CreateZExt(High, I128), 64), B.CreateZExt(Low, I128));
  }

  // Puts `V` in place of `I`.
  void replace(Instruction *I, Value *V) const {
    I->replaceAllUsesWith(V);
    I->eraseFromParent();
  }

private:
  bool Failed = false;
};
} // namespace sbf
