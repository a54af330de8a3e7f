use super::*;

fn refused(text: &str) -> String {
    format!("{:#}", parse(text).unwrap_err())
}

#[test]
fn columns_are_found_by_name_or_as_klines() {
    let named = parse("close,time,low,high,open\n105,7,90,110,100\n").unwrap();
    let klines = parse("7,100,110,90,105,1234.5,99\n\n").unwrap();
    assert_eq!(named[0].walk, [100, 90, 110, 105].map(UsdPrice::dollars));
    assert_eq!(named, klines);
    assert_eq!(named[0].time, "7");
    let header = "open_time,open,high,low,close,volume,close_time,quote_volume";
    let headed = format!("{header}\n7,100,110,90,105,1234.5,8,99\n");
    assert_eq!(parse(&headed).unwrap(), klines);
    let falling = parse("7,105,110,90,100\n").unwrap();
    assert_eq!(falling[0].walk, [105, 110, 90, 100].map(UsdPrice::dollars));
}

#[test]
fn candles_say_when_and_how_much() {
    let read = |text: &str| parse(text).unwrap();
    for text in [
        "time,open,high,low,close\n1704067200,1,1,1,1\n1704070800,1,1,1,1",
        "1704067200000,1,1,1,1\n1704070800000,1,1,1,1",
        "1704067200000000,1,1,1,1\n1704070800000000,1,1,1,1",
        "2024-01-01T00:00:00Z,1,1,1,1\n2024-01-01T01:00:00Z,1,1,1,1",
        "time,open,high,low,close\n2024-01-01 00:00,1,1,1,1\n2024-01-01 01:00,1,1,1,1",
    ] {
        let secs: Vec<_> = read(text).iter().map(|candle| candle.start_secs).collect();
        assert_eq!(secs, [1_704_067_200, 1_704_070_800], "{text:?}");
    }
    let text = "time,open,high,low,close,taker_volume\n7,1,1,1,1,1.5e6\n";
    assert_eq!(read(text)[0].taker_volume, Some(1.5e6));
    assert_eq!(
        refused("time,open,high,low,close,taker_volume\n7,1,1,1,1,-2\n"),
        "line 2: field taker_volume (number 6): \"-2\" is no volume: write quote tokens, 0 or more"
    );
    assert_eq!(
        refused("2024-13-01,1,1,1,1"),
        "line 1: field time (number 1): \"2024-13-01\" is on no calendar or clock"
    );
}

#[test]
fn quotes_a_byte_order_mark_and_windows_line_ends_change_nothing() {
    let plain = parse("time,open,high,low,close\n7,100,110,90,105\n").unwrap();
    for text in [
        "\u{feff}time,open,high,low,close\n7,100,110,90,105\n",
        "\u{feff}7,100,110,90,105\n",
        "time,open,high,low,close\r\n7,100,110,90,105\r\n",
        "\"time\",\"open\",\"high\",\"low\",\"close\"\n\"7\",\"100\",\"110\",\"90\",\"105\"\n",
        "\"7\", \"100\" , 110,\"90\", 105\n",
        "time,open,note,high,low,close\n7,100,\"a, b\",110,90,105\n",
    ] {
        assert_eq!(parse(text).unwrap(), plain, "{text:?}");
    }
}

#[test]
fn rows_go_from_old_to_new() {
    for (text, line) in [
        (
            "7,1,1,1,1\n9,1,1,1,1\n8,1,1,1,1",
            "line 3: time 8 is before 9 of line 2: sort the rows from old to new",
        ),
        (
            "time,open,high,low,close\n\n9,1,1,1,1\n8,1,1,1,1",
            "line 4: time 8 is before 9 of line 3: sort the rows from old to new",
        ),
        // As text 10 would be before 9.
        (
            "9,1,1,1,1\n10,1,1,1,1\n10,1,1,1,1",
            "line 3: time 10 is that of line 2 as well: keep one row for each time",
        ),
        (
            "9,1,1,1,1\n9.0,1,1,1,1",
            "line 2: time 9 is that of line 1 as well: keep one row for each time",
        ),
        (
            "2024-02-01 00:00,1,1,1,1\n2024-01-31 23:59,1,1,1,1",
            "line 2: time 2024-01-31 23:59 is before 2024-02-01 00:00 of line 1: sort the rows from old to new",
        ),
        (
            "2024-02-01,1,1,1,1\n2024-02-01T10:00:00Z,1,1,1,1",
            "line 2: its time is not written as that of line 1: write all of them alike",
        ),
        (
            "2024-02-01,1,1,1,1\n1706800000,1,1,1,1",
            "line 2: its time is not written as that of line 1: write all of them alike",
        ),
    ] {
        assert_eq!(refused(text), line, "{text:?}");
    }
    // Binance went from milliseconds to microseconds.
    for text in [
        "1735689599000,1,1,1,1\n1735689600000000,1,1,1,1",
        "2024-01-31T23:59:00Z,1,1,1,1\n2024-02-01T00:00:00Z,1,1,1,1",
    ] {
        assert_eq!(parse(text).unwrap().len(), 2, "{text:?}");
    }
}

#[test]
fn what_is_no_price_is_named_with_its_line() {
    let written = "is no price: write a number of dollars like 1234.5, without separators";
    let range = "is no price: it must be above 0 and below 90 billion";
    for (value, why) in [
        ("NaN", range),
        ("inf", range),
        ("0", range),
        ("-90", range),
        ("1e-9", range),
        ("1e11", range),
        ("", written),
        ("x", written),
        ("$90", written),
        ("\"90,5\"", written),
        ("\"1,234.5\"", written),
    ] {
        let text = format!("time,open,high,low,close\n6,1,1,1,1\n7,100,110,{value},105");
        let shown = value.trim_matches('"');
        let expected = format!("line 3: field low (number 4): {shown:?} {why}");
        assert_eq!(refused(&text), expected);
    }
}

#[test]
fn what_is_no_candle_is_named_with_its_line() {
    for (text, expected) in [
        (
            "",
            "the file is empty: it needs columns time, open, high, low, close",
        ),
        (
            "\u{feff}\n \n",
            "the file is empty: it needs columns time, open, high, low, close",
        ),
        (
            "time,open,high,low,close\n",
            "there are no prices: no row follows the header",
        ),
        (
            "time,open,high,close\n1,1,1,1",
            "line 1: the header has no column \"low\": it needs time, open, high, low, close, with commas between them",
        ),
        (
            "\ntime;open;high;low;close\n1;1;1;1;1",
            "line 2: the header has no column \"time\": it needs time, open, high, low, close, with commas between them",
        ),
        (
            ",100,110,90,105",
            "line 1: the header has no column \"time\": it needs time, open, high, low, close, with commas between them",
        ),
        ("1,100,110,90", "line 1: field close (number 5) is missing"),
        (
            "time,open,high,low,close\n,100,110,90,105",
            "line 2: field time (number 1): \"\" is no time: write a Unix time, or a date in UTC like \
             2024-01-31T18:30:00Z",
        ),
        (
            "31.01.2024,100,110,90,105",
            "line 1: field time (number 1): \"31.01.2024\" is no time: write a Unix time, or a date in UTC like \
             2024-01-31T18:30:00Z",
        ),
        // An offset would break the order of the text.
        (
            "2024-01-31T00:00+02:00,100,110,90,105",
            "line 1: field time (number 1): \"2024-01-31T00:00+02:00\" is no time: write a Unix time, or a date in \
             UTC like 2024-01-31T18:30:00Z",
        ),
        (
            "1,100,90,110,105",
            "line 1: low 110 is above high 90: are the two columns swapped?",
        ),
        (
            "1,100,101,90,105",
            "line 1: open 100 and close 105 do not lie between low 90 and high 101",
        ),
        (
            "1,\"100,110,90,105",
            "line 1: the quote before \"100,110,90,105\" is not closed",
        ),
        (
            "1,\"10\"0,110,90,105",
            "line 1: after the field \"10\" there is \"0,110,90,105\" instead of a comma",
        ),
    ] {
        assert_eq!(refused(text), expected, "{text:?}");
    }
}
