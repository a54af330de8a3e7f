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
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Gives its input in pieces of these sizes.
    struct Pieces {
        rest: VecDeque<u8>,
        sizes: Vec<usize>,
        next: usize,
    }

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.sizes[self.next % self.sizes.len()];
            self.next += 1;
            let mut count = 0;
            for byte in buffer.iter_mut().take(size) {
                let Some(next) = self.rest.pop_front() else {
                    break;
                };
                *byte = next;
                count += 1;
            }
            Ok(count)
        }
    }

    fn run(input: &[u8], sizes: &[usize], workers: usize) -> (String, Summary, Vec<u64>) {
        let pieces = Pieces {
            rest: input.iter().copied().collect(),
            sizes: sizes.into(),
            next: 0,
        };
        let mut output = Vec::new();
        let mut refused = Vec::new();
        let summary = map_lines(
            pieces,
            &mut output,
            NonZero::new(workers).unwrap(),
            |line| {
                if line.starts_with('!') {
                    Err("bang")
                } else {
                    Ok(format!("<{line}>"))
                }
            },
            |failure| {
                refused.push(failure.line);
                format!("{}: {}", failure.line, failure.problem)
            },
            |_| (),
        );
        (
            String::from_utf8(output).unwrap(),
            summary.unwrap(),
            refused,
        )
    }

    #[test]
    fn answers_keep_the_order_of_the_lines_however_they_arrive() {
        let input: String = (0..500)
            .map(|n| {
                if n % 7 == 3 {
                    format!("!{n}\n")
                } else {
                    format!("{n}\r\n")
                }
            })
            .collect();
        let expected: String = (0..500)
            .map(|n| {
                if n % 7 == 3 {
                    format!("{}: bang\n", n + 1)
                } else {
                    format!("<{n}>\n")
                }
            })
            .collect();
        for workers in [1, 2, 5] {
            for sizes in [&[1usize][..], &[3, 50, 1], &[BLOCK]] {
                let (text, summary, refused) = run(input.as_bytes(), sizes, workers);
                assert_eq!(text, expected);
                assert_eq!(
                    summary,
                    Summary {
                        lines: 500,
                        failed: refused.len() as u64
                    }
                );
                assert!(refused.is_sorted());
            }
        }
    }

    #[test]
    fn blank_lines_count_but_have_no_answer() {
        let (text, summary, refused) = run(b"\n a \n\n!\nlast without end", &[4], 2);
        assert_eq!(text, "<a>\n4: bang\n<last without end>\n");
        assert_eq!((summary.lines, refused), (3, vec![4]));
        assert_eq!(run(b"", &[4], 2).0, "");
    }

    #[test]
    fn endless_and_foreign_lines_are_refused_alone() {
        let mut input = b"1\n".to_vec();
        input.resize(2 + 2 * MAX_LINE, b'x');
        input.extend_from_slice(b"\n\xff\xfe\n4\n");
        let (text, summary, refused) = run(&input, &[BLOCK, 1000], 2);
        assert!(
            text.starts_with("<1>\n2: longer than") && text.ends_with("\n<4>\n"),
            "{text}"
        );
        assert!(text.contains("\n3: not UTF-8"), "{text}");
        assert_eq!(
            (summary, refused),
            (
                Summary {
                    lines: 4,
                    failed: 2
                },
                vec![2, 3]
            )
        );
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_line() {
        for sizes in [&[1usize][..], &[BLOCK]] {
            let (text, summary, _) =
                run(b"\xef\xbb\xbf1\r\n2\n\xef\xbb\xbf3\n\xef\xbb\xbf", sizes, 2);
            assert_eq!((text.as_str(), summary.lines), ("<1>\n<2>\n<3>\n", 3));
        }
        let (text, ..) = run(b"\xff\xfe1\0\n", &[BLOCK], 1);
        assert_eq!(
            text,
            "1: not UTF-8 text but UTF-16: save the file as UTF-8\n"
        );
    }

    #[test]
    fn a_closed_output_ends_the_work() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let endless = io::repeat(b'\n').chain(io::empty());
        let lines = Read::chain(io::Cursor::new(b"a\n".to_vec()), endless);
        let error = map_lines(
            lines,
            Closed,
            NonZero::new(2).unwrap(),
            |line| Ok::<_, String>(line.to_owned()),
            |_| String::new(),
            |_| (),
        );
        assert_eq!(error.unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
}
