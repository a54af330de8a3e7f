// Calling convention: five registers for arguments, one for the result. What does not fit goes through memory: results
// through a pointer that becomes the first argument; the arguments from the fifth register on through a structure in the
// caller's frame, whose address becomes the last argument.
//
// A function's new signature depends on its old one alone, so calls through pointers agree with what they call.
#pragma once

#include "support.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/InstIterator.h"

namespace sbf {
class Signatures {
public:
  explicit Signatures(Support &S) : S(S) {}

  void rewriteAll() {
    SmallVector<CallInst *, 64> Calls;
    SmallVector<Function *, 64> Functions;
    for (Function &F : S.M) {
      for (Instruction &I : instructions(F)) {
        if (isa<InvokeInst>(I) || isa<CallBrInst>(I))
          S.fail(&F, "call with more than one successor; a program does not unwind");
        auto *Call = dyn_cast<CallInst>(&I);
        if (Call && !Call->isInlineAsm() && !isa<IntrinsicInst>(Call) && lowered(Call->getFunctionType()).Changed)
          Calls.push_back(Call);
      }
      if (!F.isIntrinsic() && lowered(F.getFunctionType()).Changed)
        Functions.push_back(&F);
    }
    for (CallInst *Call : Calls)
      rewriteCall(Call);
    for (Function *F : Functions)
      rewriteFunction(F);
    dropMarks();
  }

private:
  struct Lowered {
    FunctionType *Type = nullptr;
    bool Changed = false;
    // The result goes through memory.
    bool ReturnsByPointer = false;
    // Indices of the original parameters that stay, and of those that go into `Structure` (null if none do).
    SmallVector<unsigned, 8> Kept, Packed;
    StructType *Structure = nullptr;
  };

  Support &S;
  DenseMap<FunctionType *, Lowered> Known;

  static constexpr unsigned ArgumentRegisters = 5, Unknown = 100;

  // Registers that an argument of a type takes.
  static unsigned registersOf(Type *T) {
    if (auto *Integer = dyn_cast<IntegerType>(T))
      return (Integer->getBitWidth() + 63) / 64;
    if (T->isPointerTy() || T->isFloatTy() || T->isDoubleTy())
      return 1;
    if (auto *Structure = dyn_cast<StructType>(T)) {
      unsigned Sum = 0;
      for (Type *Element : Structure->elements())
        Sum += registersOf(Element);
      return Sum;
    }
    if (auto *Array = dyn_cast<ArrayType>(T))
      return Array->getNumElements() * registersOf(Array->getElementType());
    return Unknown;
  }

  static bool fitsResultRegister(Type *T) {
    if (auto *Integer = dyn_cast<IntegerType>(T))
      return Integer->getBitWidth() <= 64;
    return T->isVoidTy() || T->isPointerTy() || T->isFloatTy() || T->isDoubleTy();
  }

  // By value: rewriting adds to `Known`.
  Lowered lowered(FunctionType *Original) {
    auto Found = Known.find(Original);
    if (Found != Known.end())
      return Found->second;
    Lowered L;
    L.ReturnsByPointer = !fitsResultRegister(Original->getReturnType());
    unsigned Needed = L.ReturnsByPointer;
    for (Type *Parameter : Original->params())
      Needed += registersOf(Parameter);
    bool Pack = Needed > ArgumentRegisters;
    L.Changed = L.ReturnsByPointer || Pack;

    SmallVector<Type *, 8> Parameters, Elements;
    if (L.ReturnsByPointer)
      Parameters.push_back(S.Ptr);
    unsigned Used = L.ReturnsByPointer;
    for (unsigned I = 0; I < Original->getNumParams(); ++I) {
      Type *Parameter = Original->getParamType(I);
      unsigned Registers = registersOf(Parameter);
      // The structure's address takes the last register.
      if (!Pack || (L.Packed.empty() && Used + Registers < ArgumentRegisters)) {
        Used += Registers;
        L.Kept.push_back(I);
        Parameters.push_back(Parameter);
      } else {
        L.Packed.push_back(I);
        Elements.push_back(Parameter);
      }
    }
    if (Pack) {
      L.Structure = StructType::get(S.C, Elements);
      Parameters.push_back(S.Ptr);
    }
    L.Type = FunctionType::get(L.ReturnsByPointer ? S.Void : Original->getReturnType(), Parameters, false);
    return Known[Original] = L;
  }

  AttributeList attributes(AttributeList Original, const Lowered &L) {
    SmallVector<AttributeSet, 8> Parameters;
    if (L.ReturnsByPointer)
      Parameters.push_back(AttributeSet());
    for (unsigned I : L.Kept)
      Parameters.push_back(Original.getParamAttrs(I).removeAttribute(S.C, Attribute::Returned));
    if (L.Structure)
      Parameters.push_back(AttributeSet());
    // The function now uses memory that it did not use before; allocsize counts parameters.
    auto OfFunction = Original.getFnAttrs().removeAttribute(S.C, Attribute::Memory).removeAttribute(S.C, Attribute::AllocSize);
    auto OfResult = L.ReturnsByPointer ? AttributeSet() : Original.getRetAttrs();
    return AttributeList::get(S.C, OfFunction, OfResult, Parameters);
  }

  void rewriteCall(CallInst *Call) {
    FunctionType *Original = Call->getFunctionType();
    Function *Caller = Call->getFunction();
    Lowered L = lowered(Original);
    if (Call->isMustTailCall()) {
      S.fail(Caller, "tail call whose arguments or result do not fit registers");
      return;
    }
    IRBuilder<> B(Call);
    SmallVector<Value *, 8> Arguments;
    AllocaInst *Result = nullptr, *Structure = nullptr;
    if (L.ReturnsByPointer) {
      Result = S.slot(Caller, Original->getReturnType(), "sbf.result");
      B.CreateLifetimeStart(Result);
      Arguments.push_back(Result);
    }
    for (unsigned I : L.Kept)
      Arguments.push_back(Call->getArgOperand(I));
    if (L.Structure) {
      Structure = S.slot(Caller, L.Structure, "sbf.arguments");
      B.CreateLifetimeStart(Structure);
      for (unsigned K = 0; K < L.Packed.size(); ++K)
        B.CreateAlignedStore(Call->getArgOperand(L.Packed[K]), B.CreateStructGEP(L.Structure, Structure, K),
                             alignment(L.Structure->getElementType(K)));
      Arguments.push_back(Structure);
    }
    CallInst *New = B.CreateCall(L.Type, Call->getCalledOperand(), Arguments);
    New->setCallingConv(Call->getCallingConv());
    New->setAttributes(attributes(Call->getAttributes(), L));
    New->setDebugLoc(Call->getDebugLoc());
    Value *Value = New;
    if (Result) {
      Type *T = Original->getReturnType();
      Value = B.CreateAlignedLoad(T, Result, alignment(T));
      B.CreateLifetimeEnd(Result);
    }
    if (Structure)
      B.CreateLifetimeEnd(Structure);
    S.replace(Call, Value);
  }

  void rewriteFunction(Function *F) {
    Lowered L = lowered(F->getFunctionType());
    Function *New = Function::Create(L.Type, F->getLinkage(), F->getAddressSpace(), "", &S.M);
    New->takeName(F);
    New->setCallingConv(F->getCallingConv());
    New->setAttributes(attributes(F->getAttributes(), L));
    New->setVisibility(F->getVisibility());
    New->setDSOLocal(F->isDSOLocal());
    New->setSection(F->getSection());
    New->setUnnamedAddr(F->getUnnamedAddr());
    if (!F->isDeclaration())
      moveBody(F, New, L);
    New->setSubprogram(F->getSubprogram());
    F->setSubprogram(nullptr);
    F->replaceAllUsesWith(New);
    F->eraseFromParent();
  }

  void moveBody(Function *F, Function *New, const Lowered &L) {
    New->splice(New->begin(), F);
    IRBuilder<> B(&*New->getEntryBlock().getFirstInsertionPt());
    unsigned First = L.ReturnsByPointer;
    for (unsigned K = 0; K < L.Kept.size(); ++K)
      F->getArg(L.Kept[K])->replaceAllUsesWith(New->getArg(First + K));
    for (unsigned K = 0; K < L.Packed.size(); ++K) {
      Type *T = L.Structure->getElementType(K);
      auto *Address = B.CreateStructGEP(L.Structure, New->getArg(First + L.Kept.size()), K);
      F->getArg(L.Packed[K])->replaceAllUsesWith(B.CreateAlignedLoad(T, Address, alignment(T)));
    }
    if (!L.ReturnsByPointer)
      return;
    for (BasicBlock &Block : *New)
      if (auto *Return = dyn_cast<ReturnInst>(Block.getTerminator())) {
        IRBuilder<> B(Return);
        B.CreateAlignedStore(Return->getReturnValue(), New->getArg(0), alignment(Return->getReturnValue()->getType()));
        B.CreateRetVoid();
        Return->eraseFromParent();
      }
  }

  Align alignment(Type *T) const { return std::min(WordAlign, S.M.getDataLayout().getABITypeAlign(T)); }

  // The back end refuses `sret`, although it marks an ordinary pointer; `byval` it would get wrong.
  void dropMarks() {
    for (Function &F : S.M) {
      for (unsigned I = 0; I < F.arg_size(); ++I) {
        F.removeParamAttr(I, Attribute::StructRet);
        if (F.hasParamAttribute(I, Attribute::ByVal) || F.hasParamAttribute(I, Attribute::InAlloca))
          S.fail(&F, "parameter passed by value in memory");
      }
      for (Instruction &Instruction : instructions(F))
        if (auto *Call = dyn_cast<CallBase>(&Instruction))
          for (unsigned I = 0; I < Call->arg_size(); ++I) {
            Call->removeParamAttr(I, Attribute::StructRet);
            if (Call->paramHasAttr(I, Attribute::ByVal))
              S.fail(&F, "argument passed by value in memory");
          }
    }
  }
};
} // namespace sbf
