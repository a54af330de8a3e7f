//! Plain text tables: numbers right, words left, no wider than the terminal.

use std::fmt;

use ballast_chart::escape;
use ballast_client::Pubkey;
use console::measure_text_width;

/// A table; the first column is left-aligned, the others as given.
#[derive(Clone, Debug, Default)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    left: Vec<bool>,
    may_go: Vec<bool>,
}

impl Table {
    /// A table with these column titles. `<` before a title marks a column of words, `?` one that may be left out where there is
    /// no room, the last such one first.
    pub fn new<const N: usize>(titles: [&str; N]) -> Self {
        Self {
            header: titles
                .map(|title| title.trim_start_matches(['<', '?']).to_owned())
                .into(),
            left: titles.map(|title| marks(title).contains('<')).into(),
            may_go: titles.map(|title| marks(title).contains('?')).into(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; cells beyond the titles are not shown.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// As HTML, in a box of its own that scrolls where it is too wide.
    pub fn html(&self) -> String {
        let line = |cells: &[String], cell: &str| {
            let line: String = cells
                .iter()
                .zip(&self.left)
                .map(|(text, left)| {
                    let class = if *left { " class=\"words\"" } else { "" };
                    format!("<{cell}{class}>{}</{cell}>", escape(text))
                })
                .collect();
            format!("<tr>{line}</tr>")
        };
        let rows: String = self.rows.iter().map(|row| line(row, "td")).collect();
        format!(
            "<div class=\"wide\"><table><thead>{}</thead><tbody>{rows}</tbody></table></div>",
            line(&self.header, "th")
        )
    }
}

/// What stands before a title.
fn marks(title: &str) -> &str {
    let words = title.trim_start_matches(['<', '?']);
    title.strip_suffix(words).unwrap_or_default()
}

/// What a table looks like where there is room for it all, or less.
struct Laid<'a> {
    table: &'a Table,
    /// Which columns.
    columns: Vec<usize>,
    /// Whether addresses are whole.
    whole: bool,
}

impl Laid<'_> {
    fn cell(&self, line: &[String], column: usize) -> String {
        let cell = line.get(column).map_or("", String::as_str);
        match self.whole {
            true => cell.to_owned(),
            false => shortened(cell).unwrap_or_else(|| cell.to_owned()),
        }
    }

    fn lines(&self) -> impl Iterator<Item = &Vec<String>> {
        std::iter::once(&self.table.header).chain(&self.table.rows)
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: &usize| {
            let cells = self.lines().map(|line| self.cell(line, *column));
            cells
                .map(|cell| measure_text_width(&cell))
                .max()
                .unwrap_or(0)
        };
        self.columns.iter().map(width).collect()
    }

    fn width(&self) -> usize {
        let widths = self.widths();
        widths.iter().sum::<usize>() + 2 * widths.len()
    }

    /// The last of the columns that may go goes; `false`: there is none.
    fn narrow(&mut self) -> bool {
        let may_go = |column: &usize| self.table.may_go.get(*column) == Some(&true);
        match self.columns.iter().rposition(may_go) {
            Some(place) => {
                self.columns.remove(place);
                true
            }
            None => false,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, last: usize) -> fmt::Result {
        let mut widths = self.widths();
        if let Some(width) = widths.last_mut() {
            *width = (*width).min(last);
        }
        for line in self.lines() {
            let mut text = String::from(" ");
            let mut rest = Vec::new();
            for (place, (column, width)) in self.columns.iter().zip(&widths).enumerate() {
                let mut cell = self.cell(line, *column);
                if place + 1 == widths.len() && measure_text_width(&cell) > *width {
                    rest = in_lines(&cell, *width);
                    cell = rest.remove(0);
                }
                let room = " ".repeat(width.saturating_sub(measure_text_width(&cell)));
                let left = self.table.left.get(*column) == Some(&true);
                text.push_str(&match left {
                    true => format!(" {cell}{room} "),
                    false => format!(" {room}{cell} "),
                });
            }
            writeln!(f, "{}", text.trim_end())?;
            let indent = 2 + widths
                .iter()
                .rev()
                .skip(1)
                .map(|width| width + 2)
                .sum::<usize>();
            for more in rest {
                writeln!(f, "{:indent$}{more}", "")?;
            }
        }
        Ok(())
    }

    /// How wide the last column may be, if it is of words and there is enough room for them beside the others.
    fn room_for_words(&self, room: usize) -> Option<usize> {
        let last = self.columns.last()?;
        let others: usize = self
            .widths()
            .iter()
            .rev()
            .skip(1)
            .map(|width| width + 2)
            .sum();
        let words = self.table.left.get(*last) == Some(&true);
        let left = room.saturating_sub(others + 2);
        (words && self.columns.len() > 1 && left >= FEWEST_FOR_WORDS).then_some(left)
    }

    /// A line for every cell, where not even the columns that have to stay have room beside each other.
    fn write_stacked(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles = &self.table.header;
        let width = titles
            .iter()
            .map(|title| measure_text_width(title))
            .max()
            .unwrap_or(0);
        for (number, row) in self.table.rows.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            for (column, title) in titles.iter().enumerate() {
                let cell = self.cell(row, column);
                if !cell.is_empty() {
                    writeln!(f, "  {title:<width$}  {cell}")?;
                }
            }
        }
        Ok(())
    }

    /// What is not shown.
    fn note(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles = self.table.header.iter().enumerate();
        let gone = titles.filter(|(column, _)| !self.columns.contains(column));
        let mut gone: Vec<&str> = gone.map(|(_, title)| title.as_str()).collect();
        let cells = || self.table.rows.iter().flatten();
        if !self.whole && cells().any(|cell| shortened(cell).is_some()) {
            gone.push("whole addresses");
        }
        match gone.is_empty() {
            true => Ok(()),
            false => writeln!(f, "  --wide also shows: {}", gone.join(", ")),
        }
    }
}

/// Less room is not worth it.
const FEWEST_FOR_WORDS: usize = 24;

/// A text in lines that are no wider, but for words that are.
fn in_lines(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut column = 0;
    for word in text.split(' ') {
        let long = measure_text_width(word);
        if column > 0 && column + 1 + long > width {
            lines.push(String::new());
            column = 0;
        }
        if let Some(line) = lines.last_mut() {
            if column > 0 {
                line.push(' ');
                column += 1;
            }
            line.push_str(word);
        }
        column += long;
    }
    lines
}

/// Both ends of an address; `None`: it is none.
fn shortened(cell: &str) -> Option<String> {
    let _: Pubkey = cell.parse().ok()?;
    Some(ends(cell))
}

/// Both ends of an address or a signature, as tables show them; whole if it is no longer than that.
pub fn ends(text: &str) -> String {
    match (text.get(..4), text.get(text.len().saturating_sub(4)..)) {
        (Some(begin), Some(end)) if text.len() > 9 => format!("{begin}…{end}"),
        _ => text.to_owned(),
    }
}

impl fmt::Display for Table {
    /// The formatter's width is the terminal's; `#` asks for everything, however wide.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut laid = Laid {
            table: self,
            columns: (0..self.header.len()).collect(),
            whole: true,
        };
        let room = match f.alternate() {
            true => None,
            false => f.width(),
        };
        let Some(room) = room else {
            return laid.write(f, usize::MAX);
        };
        if laid.width() <= room {
            return laid.write(f, usize::MAX);
        }
        if let Some(words) = laid.room_for_words(room) {
            return laid.write(f, words);
        }
        laid.whole = false;
        while laid.width() > room {
            if !laid.narrow() {
                return laid.write_stacked(f);
            }
        }
        laid.write(f, usize::MAX)?;
        laid.note(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOL: &str = "So11111111111111111111111111111111111111112";

    #[test]
    fn cells_cannot_leave_their_table() {
        let mut table = Table::new(["<name", "price"]);
        table.row(["<b>".into(), "1".into()]);
        assert_eq!(
            table.html(),
            "<div class=\"wide\"><table><thead><tr><th class=\"words\">name</th><th>price</th></tr></thead><tbody><tr>\
             <td class=\"words\">&lt;b&gt;</td><td>1</td></tr></tbody></table></div>"
        );
    }

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["<name", "price"]);
        table.row(["a".into(), "1".into()]);
        table.row(["longer".into(), "200.5".into()]);
        assert_eq!(
            table.to_string(),
            "  name    price\n  a           1\n  longer  200.5\n"
        );
        // Colours have no width.
        let mut table = Table::new(["a", "b"]);
        table.row(["\u{1b}[31m1\u{1b}[0m".into(), "22".into()]);
        assert_eq!(table.to_string(), "  a   b\n  \u{1b}[31m1\u{1b}[0m  22\n");
    }

    #[test]
    fn a_table_fits_the_terminal_or_says_what_it_leaves_out() {
        let mut table = Table::new(["<position", "equity", "?id", "?delta"]);
        table.row([SOL.into(), "100".into(), "7".into(), "0.25".into()]);
        let whole = format!(
            "  {:<43}  equity  id  delta\n  {SOL}     100   7   0.25\n",
            "position"
        );
        assert_eq!(format!("{table}"), whole);
        assert_eq!(format!("{table:90}"), whole);
        // Asked for everything.
        assert_eq!(format!("{table:#30}"), whole);
        assert_eq!(
            format!("{table:40}"),
            "  position   equity  id  delta\n  So11…1112     100   7   0.25\n  --wide also shows: whole addresses\n"
        );
        assert_eq!(
            format!("{table:24}"),
            "  position   equity  id\n  So11…1112     100   7\n  --wide also shows: delta, whole addresses\n"
        );
        // Not even that: everything, below each other.
        assert_eq!(
            format!("{table:10}"),
            "  position  So11…1112\n  equity    100\n  id        7\n  delta     0.25\n"
        );
    }

    #[test]
    fn words_at_the_end_of_a_row_go_on_below() {
        let mut table = Table::new(["<", "<check", "<finding"]);
        table.row([
            "ok".into(),
            "node".into(),
            "one two three four five six seven".into(),
        ]);
        assert_eq!(
            format!("{table:40}"),
            "      check  finding\n  ok  node   one two three four five six\n             seven\n"
        );
    }
}
