//! Plain text tables: numbers right, words left.

use std::fmt;

use ballast_chart::escape;

/// A table; the first column is left-aligned, the others as given.
#[derive(Clone, Debug, Default)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    left: Vec<bool>,
}

impl Table {
    /// A table with these column titles. A title that begins with `<` marks a column of words.
    pub fn new<const N: usize>(titles: [&str; N]) -> Self {
        Self {
            header: titles
                .map(|title| title.trim_start_matches('<').to_owned())
                .into(),
            left: titles.map(|title| title.starts_with('<')).into(),
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

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = || std::iter::once(&self.header).chain(&self.rows);
        let widths: Vec<usize> = (0..self.header.len())
            .map(|column| {
                let cells = lines().filter_map(|line| line.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        for line in lines() {
            let mut text = String::from(" ");
            for ((cell, width), left) in line.iter().zip(&widths).zip(&self.left) {
                let cell = if *left {
                    format!(" {cell:<width$} ")
                } else {
                    format!(" {cell:>width$} ")
                };
                text.push_str(&cell);
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
