// SBF legalization for LLVM 22's upstream BPF back end (opt plugin).
//   opt-22 -load-pass-plugin=libSbfLegalize.so -passes=sbf-legalize
// Rewrites what the upstream BPF target cannot select into what it can:
//   * >5 argument registers  -> the tail is packed into a caller-stack struct
//   * i128 mul / checked mul / div / rem / variable shifts, signed division
//   * wide mem* intrinsics   -> runtime functions (sol_mem*_ syscalls)
//   * checked i64 multiplication (needs no 128-bit product)
// It must be the last IR pass: InstCombine would undo some of it.
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/PassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Plugins/PassPlugin.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/Utils/Cloning.h"
using namespace llvm;

static cl::opt<unsigned> InlineMem("sbf-inline-mem", cl::init(88),
    cl::desc("largest constant memcpy/memset expanded inline"));
static cl::opt<bool> InlineMul("sbf-inline-mul", cl::init(false),
    cl::desc("expand 64x64->128 products inline"));

namespace {
bool Failed = false;
void fail(const Function *F, const Twine &M) {
  errs() << "sbf-legalize: error: in `" << (F ? F->getName() : StringRef("?")) << "`: " << M << "\n";
  Failed = true;
}

unsigned regsOf(Type *T) {
  if (T->isVoidTy()) return 0;
  if (auto *I = dyn_cast<IntegerType>(T)) return (I->getBitWidth() + 63) / 64;
  if (T->isPointerTy() || T->isFloatTy() || T->isDoubleTy()) return 1;
  if (auto *S = dyn_cast<StructType>(T)) { unsigned n = 0; for (Type *E : S->elements()) n += regsOf(E); return n; }
  if (auto *A = dyn_cast<ArrayType>(T)) return A->getNumElements() * regsOf(A->getElementType());
  return 100;
}
bool badRet(Type *T) {
  if (T->isVoidTy() || T->isPointerTy()) return false;
  if (auto *I = dyn_cast<IntegerType>(T)) return I->getBitWidth() > 64;
  if (T->isFloatTy() || T->isDoubleTy()) return false;
  return true;
}

struct Sig {
  bool Changed = false, Sret = false, Pack = false;
  FunctionType *NewTy = nullptr;
  SmallVector<unsigned, 8> Kept;    // original parameter indices passed directly
  SmallVector<unsigned, 8> Packed;  // original parameter indices passed in memory
  StructType *PackTy = nullptr;
};

struct Legalizer {
  Module &M;
  LLVMContext &C;
  const DataLayout &DL;
  Type *I64, *I128, *I1, *I32, *Ptr, *VoidT;
  DenseMap<FunctionType *, Sig> Sigs;
  Function *MulWide = nullptr;
  Legalizer(Module &M) : M(M), C(M.getContext()), DL(M.getDataLayout()) {
    I64 = Type::getInt64Ty(C); I128 = Type::getInt128Ty(C); I1 = Type::getInt1Ty(C);
    I32 = Type::getInt32Ty(C); Ptr = PointerType::getUnqual(C); VoidT = Type::getVoidTy(C);
  }
  Value *c64(uint64_t v) { return ConstantInt::get(I64, v); }
  AllocaInst *entryAlloca(Function *F, Type *T, const Twine &N) {
    IRBuilder<> B(&*F->getEntryBlock().getFirstInsertionPt());
    auto *A = B.CreateAlloca(T, nullptr, N);
    A->setAlignment(Align(8));
    return A;
  }
  FunctionCallee rt(StringRef Name, Type *Ret, ArrayRef<Type *> Args) {
    return M.getOrInsertFunction(Name, FunctionType::get(Ret, Args, false));
  }
  Value *lo(IRBuilder<> &B, Value *V) { return B.CreateTrunc(V, I64); }
  Value *hi(IRBuilder<> &B, Value *V) { return B.CreateTrunc(B.CreateLShr(V, 64), I64); }
  Value *join(IRBuilder<> &B, Value *L, Value *H) {
    return B.CreateOr(B.CreateShl(B.CreateZExt(H, I128), 64), B.CreateZExt(L, I128));
  }
  // ---- 64x64 -> high 64 -------------------------------------------------
  Value *umulhBody(IRBuilder<> &B, Value *x, Value *y) {
    Value *m = c64(0xffffffffu);
    Value *x0 = B.CreateAnd(x, m), *x1 = B.CreateLShr(x, 32);
    Value *y0 = B.CreateAnd(y, m), *y1 = B.CreateLShr(y, 32);
    Value *p00 = B.CreateMul(x0, y0);
    Value *p01 = B.CreateMul(x0, y1), *p10 = B.CreateMul(x1, y0), *p11 = B.CreateMul(x1, y1);
    Value *t = B.CreateAdd(p01, B.CreateLShr(p00, 32));          // no overflow
    Value *u = B.CreateAdd(p10, B.CreateAnd(t, m));              // no overflow
    return B.CreateAdd(B.CreateAdd(p11, B.CreateLShr(t, 32)), B.CreateLShr(u, 32));
  }
  Value *umulh(IRBuilder<> &B, Value *x, Value *y) {
    if (InlineMul) return umulhBody(B, x, y);
    if (!MulWide) {
      MulWide = Function::Create(FunctionType::get(I64, {I64, I64}, false),
                                 GlobalValue::InternalLinkage, "__sbf_umulh", &M);
      MulWide->addFnAttr(Attribute::NoInline);
      MulWide->addFnAttr(Attribute::NoUnwind);
      MulWide->setMemoryEffects(MemoryEffects::none());
      MulWide->addFnAttr(Attribute::WillReturn);
      IRBuilder<> K(BasicBlock::Create(C, "e", MulWide));
      K.CreateRet(umulhBody(K, MulWide->getArg(0), MulWide->getArg(1)));
    }
    return B.CreateCall(MulWide, {x, y});
  }
  bool zeroHi(Value *V) {
    if (auto *Z = dyn_cast<ZExtInst>(V)) return Z->getSrcTy()->getIntegerBitWidth() <= 64;
    if (auto *K = dyn_cast<ConstantInt>(V)) return K->getValue().getActiveBits() <= 64;
    if (auto *S = dyn_cast<BinaryOperator>(V)) {
      if (S->getOpcode() == Instruction::LShr)
        if (auto *K = dyn_cast<ConstantInt>(S->getOperand(1))) return K->getZExtValue() >= 64;
      if (S->getOpcode() == Instruction::And)
        for (Value *O : S->operands())
          if (auto *K = dyn_cast<ConstantInt>(O)) if (K->getValue().getActiveBits() <= 64) return true;
    }
    return false;
  }
  Value *mul128(IRBuilder<> &B, Value *a, Value *b) {
    Value *al = lo(B, a), *bl = lo(B, b);
    Value *l = B.CreateMul(al, bl), *h = umulh(B, al, bl);
    if (!zeroHi(b)) h = B.CreateAdd(h, B.CreateMul(al, hi(B, b)));
    if (!zeroHi(a)) h = B.CreateAdd(h, B.CreateMul(hi(B, a), bl));
    return join(B, l, h);
  }
  Value *viaMem(IRBuilder<> &B, Function *F, StringRef Name, Value *a, Value *b, Value **Flag) {
    auto *S = entryAlloca(F, ArrayType::get(I64, 2), "sbf.r");
    S->setAlignment(Align(16));
    auto Fn = rt(Name, Flag ? I64 : VoidT, {Ptr, I64, I64, I64, I64});
    B.CreateLifetimeStart(S);
    auto *Call = B.CreateCall(Fn, {S, lo(B, a), hi(B, a), lo(B, b), hi(B, b)});
    if (Flag) *Flag = B.CreateICmpNE(Call, c64(0));
    Value *l = B.CreateLoad(I64, S), *h = B.CreateLoad(I64, B.CreateConstInBoundsGEP1_64(I64, S, 1));
    B.CreateLifetimeEnd(S);
    return join(B, l, h);
  }
  Value *shift128(IRBuilder<> &B, Instruction::BinaryOps Op, Value *a, Value *amt) {
    Value *n = B.CreateTrunc(amt, I64);
    Value *s = B.CreateAnd(n, 63), *r = B.CreateXor(s, 63);   // 63 - s
    Value *big = B.CreateICmpNE(B.CreateAnd(n, 64), c64(0));
    Value *l = lo(B, a), *h = hi(B, a), *z = c64(0);
    if (Op == Instruction::Shl) {
      Value *ls = B.CreateShl(l, s);
      Value *hs = B.CreateOr(B.CreateShl(h, s), B.CreateLShr(B.CreateLShr(l, 1), r));
      return join(B, B.CreateSelect(big, z, ls), B.CreateSelect(big, ls, hs));
    }
    bool Ar = Op == Instruction::AShr;
    Value *hs = Ar ? B.CreateAShr(h, s) : B.CreateLShr(h, s);
    Value *ls = B.CreateOr(B.CreateLShr(l, s), B.CreateShl(B.CreateShl(h, 1), r));
    Value *top = Ar ? B.CreateAShr(h, 63) : z;
    return join(B, B.CreateSelect(big, hs, ls), B.CreateSelect(big, top, hs));
  }
  Value *sdiv64(IRBuilder<> &B, Value *a, Value *b, bool Rem) {
    Value *sa = B.CreateAShr(a, 63), *sb = B.CreateAShr(b, 63);
    Value *ua = B.CreateSub(B.CreateXor(a, sa), sa), *ub = B.CreateSub(B.CreateXor(b, sb), sb);
    Value *q = Rem ? B.CreateURem(ua, ub) : B.CreateUDiv(ua, ub);
    Value *s = Rem ? sa : B.CreateXor(sa, sb);
    return B.CreateSub(B.CreateXor(q, s), s);
  }
  Value *pair(IRBuilder<> &B, Type *T, Value *v, Value *f) {
    return B.CreateInsertValue(B.CreateInsertValue(PoisonValue::get(T), v, 0), f, 1);
  }
  // ---- instruction lowering ---------------------------------------------
  bool lowerInst(Instruction *I) {
    Function *F = I->getFunction();
    IRBuilder<> B(I);
    if (auto *BO = dyn_cast<BinaryOperator>(I)) {
      auto *IT = dyn_cast<IntegerType>(BO->getType());
      if (!IT) {
        if (!BO->getType()->isDoubleTy()) { fail(F, "unsupported arithmetic type (f32/vector)"); return false; }
        StringRef N;
        switch (BO->getOpcode()) {
        case Instruction::FAdd: N = "__adddf3"; break;
        case Instruction::FSub: N = "__subdf3"; break;
        case Instruction::FMul: N = "__muldf3"; break;
        case Instruction::FDiv: N = "__divdf3"; break;
        default: fail(F, "frem is not supported"); return false;
        }
        Type *D = BO->getType();
        Value *R = B.CreateCall(rt(N, D, {D, D}), {BO->getOperand(0), BO->getOperand(1)});
        BO->replaceAllUsesWith(R); BO->eraseFromParent();
        return true;
      }
      unsigned W = IT->getBitWidth();
      auto Op = BO->getOpcode();
      bool Sgn = Op == Instruction::SDiv || Op == Instruction::SRem;
      bool Div = Sgn || Op == Instruction::UDiv || Op == Instruction::URem;
      bool Shift = Op == Instruction::Shl || Op == Instruction::LShr || Op == Instruction::AShr;
      Value *a = BO->getOperand(0), *b = BO->getOperand(1), *R = nullptr;
      if (W <= 64) {
        if (!Sgn) return false;
        R = sdiv64(B, B.CreateSExt(a, I64), B.CreateSExt(b, I64), Op == Instruction::SRem);
        R = B.CreateTrunc(R, IT);
      } else {
        if (!(Div || Op == Instruction::Mul || Shift)) return false;
        if (Shift && isa<ConstantInt>(b)) return false;
        if (W > 128) { fail(F, "integer wider than 128 bits: " + Twine(W)); return false; }
        bool Sx = Sgn || Op == Instruction::AShr;
        auto ext = [&](Value *V) { return W == 128 ? V : Sx ? B.CreateSExt(V, I128) : B.CreateZExt(V, I128); };
        a = ext(a); b = Shift ? B.CreateZExt(b, I128) : ext(b);
        if (Op == Instruction::Mul) R = mul128(B, a, b);
        else if (Shift) R = shift128(B, Op, a, b);
        else R = viaMem(B, F, Op == Instruction::UDiv ? "__sbf_udiv128" : Op == Instruction::URem ? "__sbf_umod128"
                 : Op == Instruction::SDiv ? "__sbf_sdiv128" : "__sbf_smod128", a, b, nullptr);
        R = B.CreateTrunc(R, IT);
      }
      BO->replaceAllUsesWith(R); BO->eraseFromParent();
      return true;
    }
    auto isD = [](Value *V) { return V->getType()->isDoubleTy(); };
    auto done = [&](Value *R) { I->replaceAllUsesWith(R); I->eraseFromParent(); return true; };
    Type *D = Type::getDoubleTy(C);
    if (auto *FC = dyn_cast<FCmpInst>(I)) {
      if (!isD(FC->getOperand(0))) { fail(F, "f32/vector comparison"); return false; }
      unsigned P = FC->getPredicate();   // LLVM encodes U L G E as bits 8 4 2 1
      Value *m = B.CreateCall(rt("__sbf_fcmp", I64, {I64, I64}), {B.CreateBitCast(FC->getOperand(0), I64), B.CreateBitCast(FC->getOperand(1), I64)});
      return done(B.CreateICmpNE(B.CreateAnd(m, c64(P & 15)), c64(0)));
    }
    if (isa<UIToFPInst>(I) && isD(I) && I->getOperand(0)->getType()->getIntegerBitWidth() <= 64)
      return done(B.CreateCall(rt("__floatundidf", D, {I64}), {B.CreateZExt(I->getOperand(0), I64)}));
    if (isa<SIToFPInst>(I) && isD(I) && I->getOperand(0)->getType()->getIntegerBitWidth() <= 64) {
      Value *v = B.CreateSExt(I->getOperand(0), I64), *sg = B.CreateAShr(v, 63);
      Value *u = B.CreateSub(B.CreateXor(v, sg), sg);
      Value *d = B.CreateBitCast(B.CreateCall(rt("__floatundidf", D, {I64}), {u}), I64);
      return done(B.CreateBitCast(B.CreateOr(d, B.CreateAnd(sg, c64(1ull << 63))), D));
    }
    if (isa<FPToUIInst>(I) && isD(I->getOperand(0)) && I->getType()->getIntegerBitWidth() <= 64)
      return done(B.CreateTrunc(B.CreateCall(rt("__fixunsdfdi", I64, {D}), {I->getOperand(0)}), I->getType()));
    if (I->getOpcode() == Instruction::FNeg && isD(I))
      return done(B.CreateBitCast(B.CreateXor(B.CreateBitCast(I->getOperand(0), I64), c64(1ull << 63)), D));
    if (isa<FPToUIInst>(I) || isa<FPToSIInst>(I) || isa<UIToFPInst>(I) || isa<SIToFPInst>(I) || isa<FPExtInst>(I) || isa<FPTruncInst>(I) || I->getOpcode() == Instruction::FNeg) {
      fail(F, Twine("unsupported floating point operation: ") + I->getOpcodeName()); return false;
    }
    auto *II = dyn_cast<IntrinsicInst>(I);
    if (!II) return false;
    switch (II->getIntrinsicID()) {
    case Intrinsic::umul_with_overflow: case Intrinsic::smul_with_overflow: {
      bool Sg = II->getIntrinsicID() == Intrinsic::smul_with_overflow;
      Value *a = II->getArgOperand(0), *b = II->getArgOperand(1);
      unsigned W = a->getType()->getIntegerBitWidth();
      Value *v, *f;
      if (W <= 32) {
        Value *x = Sg ? B.CreateSExt(a, I64) : B.CreateZExt(a, I64), *y = Sg ? B.CreateSExt(b, I64) : B.CreateZExt(b, I64);
        Value *p = B.CreateMul(x, y);
        v = B.CreateTrunc(p, a->getType());
        f = B.CreateICmpNE(p, Sg ? B.CreateSExt(v, I64) : B.CreateZExt(v, I64));
      } else if (W == 64 && !Sg) {
        // one native division instead of a wide product; b==0 can not overflow
        v = B.CreateMul(a, b);
        Value *bz = B.CreateICmpEQ(b, c64(0));
        Value *d = B.CreateSelect(bz, c64(1), b);
        Value *q = B.CreateUDiv(c64(~0ull), d);          // floor(MAX / b)
        f = B.CreateICmpUGT(a, q);                        // b==0: q==MAX
      } else if (W == 64) {
        auto Fn = rt("__sbf_smulo64", I64, {Ptr, I64, I64});
        auto *S = entryAlloca(F, I64, "sbf.so");
        f = B.CreateICmpNE(B.CreateCall(Fn, {S, a, b}), c64(0));
        v = B.CreateLoad(I64, S);
      } else if (W == 128) {
        v = viaMem(B, F, Sg ? "__sbf_smulo128" : "__sbf_umulo128", a, b, &f);
      } else { fail(F, "checked multiplication of unusual width"); return false; }
      Value *R = pair(B, II->getType(), v, f);
      II->replaceAllUsesWith(R); II->eraseFromParent();
      return true;
    }
    case Intrinsic::fptoui_sat: {   // __fixunsdfdi saturates
      if (!isD(II->getArgOperand(0)) || !II->getType()->isIntegerTy(64)) { fail(F, "fptoui.sat of unusual types"); return false; }
      return done(B.CreateCall(rt("__fixunsdfdi", I64, {D}), {II->getArgOperand(0)}));
    }
    case Intrinsic::memcpy: case Intrinsic::memmove: case Intrinsic::memset: {
      auto *MI = cast<MemIntrinsic>(II);
      if (auto *K = dyn_cast<ConstantInt>(MI->getLength()))
        if (K->getZExtValue() <= InlineMem && !(isa<MemMoveInst>(MI) && K->getZExtValue() > 64)) return false;
      Value *n = B.CreateZExtOrTrunc(MI->getLength(), I64);
      if (auto *MS = dyn_cast<MemSetInst>(MI))
        B.CreateCall(rt("memset", Ptr, {Ptr, I32, I64}), {MS->getDest(), B.CreateZExt(MS->getValue(), I32), n});
      else
        B.CreateCall(rt(isa<MemMoveInst>(MI) ? "memmove" : "memcpy", Ptr, {Ptr, Ptr, I64}),
                     {MI->getRawDest(), cast<MemTransferInst>(MI)->getRawSource(), n});
      MI->eraseFromParent();
      return true;
    }
    default: return false;
    }
  }
  // ---- signature lowering -------------------------------------------------
  Sig &sig(FunctionType *FT) {
    auto It = Sigs.find(FT);
    if (It != Sigs.end()) return It->second;
    Sig S;
    S.Sret = badRet(FT->getReturnType());
    unsigned Total = S.Sret;
    for (Type *P : FT->params()) Total += regsOf(P);
    S.Pack = Total > 5;
    S.Changed = S.Sret || S.Pack;
    SmallVector<Type *, 8> NP, PT;
    unsigned Used = S.Sret;
    if (S.Sret) NP.push_back(Ptr);
    for (unsigned i = 0; i < FT->getNumParams(); ++i) {
      unsigned R = regsOf(FT->getParamType(i));
      if (!S.Pack || (S.Packed.empty() && Used + R <= 4)) { Used += R; S.Kept.push_back(i); NP.push_back(FT->getParamType(i)); }
      else { S.Packed.push_back(i); PT.push_back(FT->getParamType(i)); }
    }
    if (S.Pack) { S.PackTy = StructType::get(C, PT); NP.push_back(Ptr); }
    S.NewTy = FunctionType::get(S.Sret ? VoidT : FT->getReturnType(), NP, false);
    return Sigs[FT] = S;
  }
  AttributeList attrs(AttributeList A, const Sig &S, bool Fn) {
    SmallVector<AttributeSet, 8> P;
    if (S.Sret) P.push_back(AttributeSet());
    for (unsigned i : S.Kept) {
      AttributeSet AS = A.getParamAttrs(i);
      AS = AS.removeAttribute(C, Attribute::Returned);
      P.push_back(AS);
    }
    if (S.Pack) P.push_back(AttributeSet());
    AttributeSet FA = A.getFnAttrs().removeAttribute(C, Attribute::Memory).removeAttribute(C, Attribute::AllocSize);
    return AttributeList::get(C, FA, S.Sret ? AttributeSet() : A.getRetAttrs(), P);
  }
  void rewriteCall(CallInst *CI) {
    FunctionType *FT = CI->getFunctionType();
    Sig S = sig(FT);
    Function *F = CI->getFunction();
    if (CI->isMustTailCall()) { fail(F, "musttail call with too many arguments"); return; }
    IRBuilder<> B(CI);
    SmallVector<Value *, 8> Args;
    AllocaInst *RA = nullptr, *PA = nullptr;
    if (S.Sret) { RA = entryAlloca(F, FT->getReturnType(), "sbf.ret"); B.CreateLifetimeStart(RA); Args.push_back(RA); }
    for (unsigned i : S.Kept) Args.push_back(CI->getArgOperand(i));
    if (S.Pack) {
      PA = entryAlloca(F, S.PackTy, "sbf.args");
      B.CreateLifetimeStart(PA);
      for (unsigned k = 0; k < S.Packed.size(); ++k)
        B.CreateStore(CI->getArgOperand(S.Packed[k]), B.CreateStructGEP(S.PackTy, PA, k));
      Args.push_back(PA);
    }
    CallInst *N = B.CreateCall(S.NewTy, CI->getCalledOperand(), Args);
    N->setCallingConv(CI->getCallingConv());
    N->setAttributes(attrs(CI->getAttributes(), S, false));
    N->setDebugLoc(CI->getDebugLoc());
    Value *R = N;
    if (S.Sret) { R = B.CreateLoad(FT->getReturnType(), RA); B.CreateLifetimeEnd(RA); }
    if (PA) B.CreateLifetimeEnd(PA);
    if (!CI->getType()->isVoidTy()) { if (!S.Sret) R->takeName(CI); CI->replaceAllUsesWith(R); }
    CI->eraseFromParent();
  }
  void rewriteFunction(Function *F) {
    FunctionType *FT = F->getFunctionType();
    Sig S = sig(FT);
    Function *N = Function::Create(S.NewTy, F->getLinkage(), F->getAddressSpace(), "", &M);
    N->takeName(F);
    N->setCallingConv(F->getCallingConv());
    N->setAttributes(attrs(F->getAttributes(), S, true));
    N->setVisibility(F->getVisibility());
    N->setDSOLocal(F->isDSOLocal());
    N->setSection(F->getSection());
    N->setUnnamedAddr(F->getUnnamedAddr());
    if (!F->isDeclaration()) {
      N->splice(N->begin(), F);
      unsigned Base = S.Sret;
      IRBuilder<> B(&*N->getEntryBlock().getFirstInsertionPt());
      for (unsigned k = 0; k < S.Kept.size(); ++k) {
        F->getArg(S.Kept[k])->replaceAllUsesWith(N->getArg(Base + k));
        N->getArg(Base + k)->takeName(F->getArg(S.Kept[k]));
      }
      for (unsigned k = 0; k < S.Packed.size(); ++k) {
        Value *P = B.CreateStructGEP(S.PackTy, N->getArg(Base + S.Kept.size()), k);
        F->getArg(S.Packed[k])->replaceAllUsesWith(B.CreateLoad(S.PackTy->getElementType(k), P));
      }
      if (S.Sret)
        for (BasicBlock &BB : *N)
          if (auto *R = dyn_cast<ReturnInst>(BB.getTerminator())) {
            IRBuilder<> RB(R);
            RB.CreateStore(R->getReturnValue(), N->getArg(0));
            RB.CreateRetVoid();
            R->eraseFromParent();
          }
    }
    N->setSubprogram(F->getSubprogram()); F->setSubprogram(nullptr);
    F->replaceAllUsesWith(N);
    F->eraseFromParent();
  }
  bool run() {
    SmallVector<Instruction *, 64> Work;
    // Repeat, since the runtime functions contain i128 arithmetic of their own.
    for (Function &F : M) {
      Work.clear();
      for (Instruction &I : instructions(F)) Work.push_back(&I);
      for (Instruction *I : Work) lowerInst(I);
    }
    SmallVector<CallInst *, 64> Calls;
    SmallVector<Function *, 64> Funcs;
    for (Function &F : M) {
      for (Instruction &I : instructions(F)) {
        if (isa<InvokeInst>(I) || isa<CallBrInst>(I)) fail(&F, "invoke/callbr is not supported");
        auto *CI = dyn_cast<CallInst>(&I);
        if (!CI || CI->isInlineAsm() || isa<IntrinsicInst>(CI)) continue;
        if (sig(CI->getFunctionType()).Changed) Calls.push_back(CI);
      }
      if (!F.isIntrinsic() && sig(F.getFunctionType()).Changed) Funcs.push_back(&F);
    }
    for (CallInst *CI : Calls) rewriteCall(CI);
    for (Function *F : Funcs) rewriteFunction(F);
    // BPF refuses functions that carry `sret`, though it is an ordinary pointer.
    for (Function &F : M) {
      for (unsigned i = 0; i < F.arg_size(); ++i) {
        F.removeParamAttr(i, Attribute::StructRet);
        if (F.hasParamAttribute(i, Attribute::ByVal) || F.hasParamAttribute(i, Attribute::InAlloca)) fail(&F, "byval argument");
      }
      for (Instruction &I : instructions(F))
        if (auto *CI = dyn_cast<CallBase>(&I))
          for (unsigned i = 0; i < CI->arg_size(); ++i) {
            CI->removeParamAttr(i, Attribute::StructRet);
            if (CI->paramHasAttr(i, Attribute::ByVal)) fail(&F, "byval argument");
          }
    }
    for (Function &F : M) if (!F.isDeclaration()) F.addFnAttr("warn-stack-size", "4096");
    if (Failed) report_fatal_error("sbf-legalize failed", false);
    return true;
  }
};

struct SbfLegalizePass : PassInfoMixin<SbfLegalizePass> {
  PreservedAnalyses run(Module &M, ModuleAnalysisManager &) {
    Legalizer(M).run();
    if (verifyModule(M, &errs())) report_fatal_error("sbf-legalize: broken module", false);
    return PreservedAnalyses::none();
  }
  static bool isRequired() { return true; }
};
} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo llvmGetPassPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "sbf-legalize", "0.1", [](PassBuilder &PB) {
    PB.registerPipelineParsingCallback([](StringRef N, ModulePassManager &PM, ArrayRef<PassBuilder::PipelineElement>) {
      if (N == "sbf-legalize") { PM.addPass(SbfLegalizePass()); return true; }
      return false; });
  }};
}
