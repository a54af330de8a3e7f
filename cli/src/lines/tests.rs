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
        let (text, summary, _) = run(b"\xef\xbb\xbf1\r\n2\n\xef\xbb\xbf3\n\xef\xbb\xbf", sizes, 2);
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
