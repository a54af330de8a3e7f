// Pass plugin `sbf-legalize`: rewrites what LLVM 22's BPF back end cannot select into what it can. The back end was made
// for the small programs of the Linux kernel; Rust needs more (see the headers). It must be the last pass but for clean-up:
// instruction combining would undo some of it.
//
//   opt -load-pass-plugin=legalize.so -passes=sbf-legalize
#include "arithmetic.h"
#include "floating_point.h"
#include "memory.h"
#include "signatures.h"
#include "support.h"

#include "llvm/IR/InstIterator.h"
#include "llvm/IR/PassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Plugins/PassPlugin.h"

namespace {
using namespace llvm;

// Bytes in a frame of the virtual machine, as sbf-link has it.
constexpr StringRef FrameBytes = "4096";

struct SbfLegalize : PassInfoMixin<SbfLegalize> {
  PreservedAnalyses run(Module &M, ModuleAnalysisManager &) {
    sbf::Support Support(M);
    sbf::Arithmetic Arithmetic(Support);
    sbf::FloatingPoint FloatingPoint(Support);
    sbf::Memory Memory(Support);
    SmallVector<Instruction *, 64> Instructions;
    // Also visits functions that are added meanwhile, for they come last.
    for (Function &F : M) {
      Instructions.clear();
      for (Instruction &I : instructions(F))
        Instructions.push_back(&I);
      // Each concerns other instructions than the rest; every instruction here is still there when its turn comes, because
      // a rewrite only removes the instruction itself.
      for (Instruction *I : Instructions)
        if (isa<BinaryOperator>(I) && I->getType()->isVectorTy())
          Support.fail(&F, Twine("vector operation `") + I->getOpcodeName() + "`; a program has no vectors");
        else if (sbf::Arithmetic::concerns(I))
          Arithmetic.lower(I);
        else if (isa<MemIntrinsic>(I))
          Memory.lower(I);
        else
          FloatingPoint.lower(I);
    }
    sbf::Signatures(Support).rewriteAll();
    // llc then names every larger frame, with its size.
    for (Function &F : M)
      if (!F.isDeclaration())
        F.addFnAttr("warn-stack-size", FrameBytes);

    if (Support.failed())
      report_fatal_error("the program contains what SBPF cannot execute, see above", false);
    if (verifyModule(M, &errs()))
      report_fatal_error("sbf-legalize made a broken module: this is a bug in toolchain/sbf/legalize", false);
    return PreservedAnalyses::none();
  }
  static bool isRequired() { return true; }
};
} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo llvmGetPassPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "sbf-legalize", "1", [](PassBuilder &PB) {
            PB.registerPipelineParsingCallback(
                [](StringRef Name, ModulePassManager &PM, ArrayRef<PassBuilder::PipelineElement>) {
                  if (Name != "sbf-legalize")
                    return false;
                  PM.addPass(SbfLegalize());
                  return true;
                });
          }};
}
