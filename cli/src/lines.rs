//! Lines in, lines out, in order, on all cores: blocks of whole lines go round the workers and come back the same way, so
//! that memory stays bounded and a line that arrives alone is answered at once.

use std::{
    io::{self, ErrorKind, Read, Write},
    num::NonZero,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

/// Bytes asked for in one read.
const BLOCK: usize = 256 * 1024;
/// Longest line that is looked at.
pub const MAX_LINE: usize = 1024 * 1024;

/// What some editors put before the text of a UTF-8 file; whoever joins files has it before later lines, too.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A line that has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Number of the line, from 1.
    pub line: u64,
    /// What is wrong.
    pub problem: String,
}

/// How a run went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines that were not blank.
    pub lines: u64,
    /// Those without an answer.
    pub failed: u64,
}

/// Part of the input.
enum Block {
    /// Whole lines, the first of which has this number.
    Lines { first: u64, bytes: Vec<u8> },
    /// A line beyond [`MAX_LINE`].
    TooLong { line: u64 },
}

/// What became of a block.
#[derive(Default)]
struct Answer {
    text: Vec<u8>,
    lines: u64,
    /// With the place in `text` before which they go.
    failures: Vec<(usize, Failure)>,
}

/// Answers every line of `input` with a line of `output`: what `answer` writes, or what `refuse` makes of its problem.
/// Blank lines are skipped. `read` is told the number of bytes read so far.
///
/// # Errors
/// What reading or writing says.
pub fn map_lines<E: ToString>(
    mut input: impl Read,
    mut output: impl Write + Send,
    workers: NonZero<usize>,
    answer: impl Fn(&str) -> Result<String, E> + Sync,
    mut refuse: impl FnMut(&Failure) -> String + Send,
    mut read: impl FnMut(u64),
) -> io::Result<Summary> {
    thread::scope(|scope| {
        let (mut to_workers, mut from_workers) = (Vec::new(), Vec::new());
        for _ in 0..workers.get() {
            let (to, blocks) = sync_channel::<Block>(1);
            let (answers, from) = sync_channel::<Answer>(1);
            let answer = &answer;
            scope.spawn(move || work(&blocks, &answers, answer));
            to_workers.push(to);
            from_workers.push(from);
        }
        let writer = scope.spawn(move || -> io::Result<Summary> {
            let mut summary = Summary::default();
            // Blocks were dealt in this order; the first worker that has none left got the last.
            for from in from_workers.iter().cycle() {
                let Ok(done) = from.recv() else { break };
                summary.lines += done.lines;
                summary.failed += done.failures.len() as u64;
                write_block(&mut output, &done, &mut refuse)?;
            }
            output.flush()?;
            Ok(summary)
        });
        let dealt = deal(&mut input, &to_workers, &mut read);
        drop(to_workers);
        // The writer's error comes first: a closed output ends the reading.
        let summary = writer
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        dealt?;
        Ok(summary)
    })
}

/// Reads blocks of whole lines and deals them to the workers in turn, until the input ends or nobody wants more.
fn deal(
    input: &mut impl Read,
    workers: &[SyncSender<Block>],
    read: &mut impl FnMut(u64),
) -> io::Result<()> {
    let mut turn = workers.iter().cycle();
    let mut send = |block| turn.next().is_some_and(|worker| worker.send(block).is_ok());
    let mut pending = Vec::new();
    let mut line = 1u64;
    let mut skipping = false;
    let mut total = 0u64;
    let mut buffer = vec![0; BLOCK];
    loop {
        let count = match input.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let Some(mut bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        total += count as u64;
        read(total);
        if skipping {
            let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                continue;
            };
            bytes = bytes.get(end + 1..).unwrap_or_default();
            skipping = false;
            line += 1;
        }
        match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => {
                let (whole, rest) = bytes.split_at(end + 1);
                pending.extend_from_slice(whole);
                let lines = pending.iter().filter(|byte| **byte == b'\n').count() as u64;
                if !send(Block::Lines {
                    first: line,
                    bytes: std::mem::take(&mut pending),
                }) {
                    return Ok(());
                }
                line += lines;
                pending.extend_from_slice(rest);
            }
            None => pending.extend_from_slice(bytes),
        }
        if pending.len() > MAX_LINE {
            pending.clear();
            skipping = true;
            if !send(Block::TooLong { line }) {
                return Ok(());
            }
        }
    }
    if !pending.is_empty() {
        send(Block::Lines {
            first: line,
            bytes: pending,
        });
    }
    Ok(())
}

fn work<E: ToString>(
    blocks: &Receiver<Block>,
    answers: &SyncSender<Answer>,
    answer: impl Fn(&str) -> Result<String, E>,
) {
    while let Ok(block) = blocks.recv() {
        let mut done = Answer::default();
        match block {
            Block::TooLong { line } => {
                let problem = format!("longer than {MAX_LINE} bytes: write one position per line");
                done.lines = 1;
                done.fail(line, problem);
            }
            Block::Lines { first, bytes } => {
                let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
                for (line, text) in (first..).zip(text.split(|byte| *byte == b'\n')) {
                    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
                    let text = text.trim_ascii();
                    if text.is_empty() {
                        continue;
                    }
                    done.lines += 1;
                    match str::from_utf8(text) {
                        Err(_) => done.fail(line, foreign(text).into()),
                        Ok(text) => match answer(text) {
                            Ok(text) => {
                                done.text.extend_from_slice(text.as_bytes());
                                done.text.push(b'\n');
                            }
                            Err(problem) => done.fail(line, problem.to_string()),
                        },
                    }
                }
            }
        }
        if answers.send(done).is_err() {
            break;
        }
    }
}

/// What to do about a line that is not UTF-8.
fn foreign(line: &[u8]) -> &'static str {
    if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") {
        "not UTF-8 text but UTF-16: save the file as UTF-8"
    } else {
        "not UTF-8 text: save the file as UTF-8"
    }
}

impl Answer {
    fn fail(&mut self, line: u64, problem: String) {
        self.failures
            .push((self.text.len(), Failure { line, problem }));
    }
}

fn write_block(
    output: &mut impl Write,
    done: &Answer,
    refuse: &mut impl FnMut(&Failure) -> String,
) -> io::Result<()> {
    let mut rest = done.text.as_slice();
    let mut written = 0;
    for (place, failure) in &done.failures {
        let (before, after) = rest
            .split_at_checked(place - written)
            .unwrap_or((rest, &[]));
        output.write_all(before)?;
        output.write_all(refuse(failure).as_bytes())?;
        output.write_all(b"\n")?;
        (rest, written) = (after, *place);
    }
    output.write_all(rest)?;
    output.flush()
}

#[cfg(test)]
mod tests;
