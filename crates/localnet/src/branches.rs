//! Which branches of the product's program are taken: what coverage-guided fuzzing steers by. The runtime's own trace of every
//! executed instruction shows it, so that the program under test is the very file that is deployed, not an instrumented one.

use std::sync::OnceLock;

use ballast_client::Pubkey;
use litesvm::{InvocationInspectCallback, LiteSVM};
use solana_program_runtime::{
    invoke_context::{Executable, InvokeContext, RegisterTrace},
    solana_sbpf::ebpf,
};
use solana_transaction::sanitized::SanitizedTransaction;

/// One of the two ways on from a conditional jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BranchSide {
    /// Which one: an even number if the jump was not taken, the next odd one if it was. The same for the same program file.
    pub number: usize,
    /// How many the program has.
    pub of: usize,
}

/// Tells `seen` about every conditional jump that a program executes. Calls to other programs made by it are not followed.
pub(crate) struct Branches<F> {
    program: Pubkey,
    jumps: OnceLock<Jumps>,
    seen: F,
}

/// Where a program's conditional jumps are.
struct Jumps {
    /// For each instruction, the number of its first side.
    first_side: Vec<Option<u32>>,
    sides: usize,
}

impl<F: Fn(BranchSide) + Send + Sync> Branches<F> {
    pub(crate) fn of(program: Pubkey, seen: F) -> Self {
        Self {
            program,
            jumps: OnceLock::new(),
            seen,
        }
    }

    fn follow(&self, executable: &Executable, trace: RegisterTrace) {
        let jumps = self.jumps.get_or_init(|| {
            let (_, text) = executable.get_text_bytes();
            let has_jmp32 = executable.get_sbpf_version().enable_jmp32();
            Jumps::in_text(text, has_jmp32)
        });
        for step in trace.windows(2) {
            let [from, to] = [step[0][PROGRAM_COUNTER], step[1][PROGRAM_COUNTER]];
            let Some(Some(first)) = jumps.first_side.get(from as usize) else {
                continue;
            };
            let taken = to != from + 1;
            (self.seen)(BranchSide {
                number: *first as usize + usize::from(taken),
                of: jumps.sides,
            });
        }
    }
}

/// The program with an empty table of sections, if it has none. A runtime that traces wants to read one; nothing else of the
/// file changes, and nothing that is executed.
pub(crate) fn with_section_table(mut program: Vec<u8>) -> Vec<u8> {
    // ELF's header: 8 bytes of offset of the table, then 2 bytes each of one entry's size, their number, and the number of
    // the one that holds the names.
    const TABLE: std::ops::Range<usize> = 0x28..0x30;
    const COUNTS: std::ops::Range<usize> = 0x3a..0x40;
    const ENTRY: usize = 64;
    let none = [0; 2];
    if program.get(COUNTS.start + 2..COUNTS.start + 4) != Some(&none) {
        return program;
    }
    program.resize(program.len().next_multiple_of(8), 0);
    let table = program.len();
    let names = table + 2 * ENTRY;
    // Two entries: one that is always empty, and the names, which are a single empty one.
    program.resize(names + 8, 0);
    program[TABLE].copy_from_slice(&(table as u64).to_le_bytes());
    let counts = [ENTRY as u16, 2, 1].map(u16::to_le_bytes);
    program[COUNTS].copy_from_slice(counts.as_flattened());
    let entry = &mut program[table + ENTRY..names];
    const TYPE_OF_NAMES: u32 = 3;
    entry[4..8].copy_from_slice(&TYPE_OF_NAMES.to_le_bytes());
    entry[24..32].copy_from_slice(&(names as u64).to_le_bytes());
    entry[32..40].copy_from_slice(&8u64.to_le_bytes());
    program
}

/// Which of the traced registers is the program counter.
const PROGRAM_COUNTER: usize = 11;

impl Jumps {
    fn in_text(text: &[u8], has_jmp32: bool) -> Self {
        let mut sides = 0;
        let first_side = text
            .chunks_exact(ebpf::INSN_SIZE)
            .map(|instruction| {
                is_conditional_jump(instruction[0], has_jmp32).then(|| {
                    sides += 2;
                    sides - 2
                })
            })
            .collect();
        Self {
            first_side,
            sides: sides as usize,
        }
    }
}

fn is_conditional_jump(opcode: u8, has_jmp32: bool) -> bool {
    match opcode & ebpf::BPF_CLS_MASK {
        ebpf::BPF_JMP64 => !matches!(
            opcode,
            ebpf::JA | ebpf::CALL_IMM | ebpf::CALL_REG | ebpf::EXIT
        ),
        ebpf::BPF_JMP32 => has_jmp32,
        _ => false,
    }
}

impl<F: Fn(BranchSide) + Send + Sync> InvocationInspectCallback for Branches<F> {
    fn before_invocation(
        &self,
        _: &LiteSVM,
        _: &SanitizedTransaction,
        _: &[u16],
        _: &mut InvokeContext,
        _: bool,
    ) {
    }

    fn after_invocation(
        &self,
        _: &LiteSVM,
        _: &SanitizedTransaction,
        _: &[u16],
        context: &InvokeContext,
        _: bool,
    ) {
        context.iterate_vm_traces(&|instruction, executable, trace| {
            if instruction.get_program_key() == Ok(&self.program) {
                self.follow(executable, trace);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditional_jumps_are_numbered_in_order() {
        let instruction = |opcode| [opcode, 0, 0, 0, 0, 0, 0, 0];
        let text = [
            ebpf::JA,
            ebpf::JEQ64_IMM,
            ebpf::CALL_IMM,
            ebpf::JSLT32_REG,
            ebpf::CALL_REG,
            ebpf::EXIT,
            ebpf::MOV64_IMM,
        ]
        .map(instruction)
        .concat();
        let jumps = Jumps::in_text(&text, true);
        let numbers = [None, Some(0), None, Some(2), None, None, None];
        assert_eq!((jumps.first_side, jumps.sides), (numbers.to_vec(), 4));
        // Before version 3 the same byte meant arithmetic.
        assert_eq!(Jumps::in_text(&text, false).sides, 2);
    }

    #[test]
    fn a_table_of_sections_is_added_where_there_is_none() {
        let mut bare = vec![7; 101];
        bare[0x28..0x40].fill(0);
        let with_table = with_section_table(bare.clone());
        // Aligned behind everything else; two entries of 64 bytes and the names, which begin behind them.
        assert_eq!(with_table.len(), 104 + 2 * 64 + 8);
        assert_eq!(with_table[0x28..0x30], 104u64.to_le_bytes());
        assert_eq!(with_table[0x3a..0x40], [64, 0, 2, 0, 1, 0]);
        assert_eq!(with_table[168 + 24..168 + 32], 232u64.to_le_bytes());
        assert_eq!(
            (&with_table[..0x28], &with_table[0x40..101]),
            (&bare[..0x28], &bare[0x40..])
        );
        // Nothing changes where there is one, and where there is no header.
        assert_eq!(with_section_table(with_table.clone()), with_table);
        assert_eq!(with_section_table(vec![0; 9]), [0; 9]);
    }
}
