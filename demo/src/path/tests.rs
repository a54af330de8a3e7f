use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::*;

#[test]
fn candles_are_walked_through_without_small_moves() {
    let text = "7,100,110,90,105\n8,105.1,105.2,60,60.1\n";
    let path = PricePath::parse(text).unwrap();
    assert_eq!(path.first(), UsdPrice::dollars(100));
    let points: Vec<_> = path.points.iter().map(|p| (&*p.time, p.price)).collect();
    let dollars = [("7", 90), ("7", 110), ("7", 105), ("8", 60)];
    let expected = dollars.map(|(time, dollars)| (time, UsdPrice::dollars(dollars)));
    assert_eq!(points, expected);
    // A candle of a second is walked through in quarters; what is left out counts for the point after it.
    let secs: Vec<_> = path.points.iter().map(|point| point.secs).collect();
    assert_eq!(secs, [0.25, 0.25, 0.25, 0.75]);
}

/// The built-in path has three steps of a crash and a gap, all else is its usual way of moving.
#[test]
fn what_a_path_does_beyond_its_usual_moves_are_jumps() {
    let path = PricePath::built_in().unwrap();
    let moves = path.moves();
    assert_eq!(moves.sigma_day, SIGMA_DAY_WITHIN);
    assert_eq!((moves.jumps_day * path.days()).round(), 4.0);
    let mean = (228.5f64 / 261.5 * 246.0 / 230.0).ln() / 4.0;
    assert!((moves.jump_mean - mean).abs() < 1e-12, "{moves:?}");
    assert!(moves.jump_sd > 0.04 && moves.jump_sd < 0.07, "{moves:?}");
    let calm =
        PricePath::parse("time,open,high,low,close\n0,100,101,99,100\n3600,100,101,99,100\n");
    let moves = calm.unwrap().moves();
    assert_eq!(
        (moves.jumps_day, moves.jump_mean, moves.jump_sd),
        (0.0, 0.0, 0.0)
    );
}

#[test]
fn what_takers_traded_is_shared_by_the_points_of_a_candle() {
    let text =
        "time,open,high,low,close,taker_volume\n0,100,110,90,105,8\n3600,105,120,105,120,4\n";
    let path = PricePath::parse(text).unwrap();
    let volumes: Vec<_> = path.points.iter().map(|point| point.taker_volume).collect();
    assert_eq!(volumes, [Some(2.0), Some(2.0), Some(2.0), Some(3.0)]);
}

#[test]
fn files_may_be_compressed_and_errors_name_them() {
    let directory = tempfile::tempdir().unwrap();
    let text = "1,100,110,90,105\n";
    let (plain, zipped) = (directory.path().join("a"), directory.path().join("b"));
    std::fs::write(&plain, text).unwrap();
    let mut encoder = GzEncoder::new(File::create(&zipped).unwrap(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap();
    assert_eq!(
        PricePath::read(&plain).unwrap(),
        PricePath::read(&zipped).unwrap()
    );
    let torn = directory.path().join("c.gz");
    let bytes = std::fs::read(&zipped).unwrap();
    std::fs::write(&torn, &bytes[..bytes.len() / 2]).unwrap();
    let bad = |name: &str, bytes: &[u8]| {
        let file = directory.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        file
    };
    for (file, expected) in [
        (torn, " is no whole gzip file: fetch it again: "),
        (bad("empty", b""), ": the file is empty: "),
        (
            bad("zip", b"PK\x03\x04.."),
            ": this is a zip archive: unpack it first",
        ),
        (
            bad("wide", b"\xff\xfe1\0,\0"),
            ": this is UTF-16 text: save it as UTF-8",
        ),
        (
            bad("latin", b"1,1,1,1,1\n2,1,1,1,1,\xe4\n"),
            ": line 2: this is not UTF-8 text: save the file as UTF-8",
        ),
        (
            bad("back", b"2,1,1,1,1\n1,1,1,1,1\n"),
            ": line 2: time 1 is before 2 of line 1: sort the rows from old to new",
        ),
    ] {
        let message = format!("{:#}", PricePath::read(&file).unwrap_err());
        let expected = format!("{}{expected}", file.display());
        assert!(message.starts_with(&expected), "{message}");
    }
    let none = directory.path().join("none.csv");
    let message = format!("{:#}", PricePath::read(&none).unwrap_err());
    assert!(message.starts_with(&format!("cannot open {}", none.display())));
}

#[test]
fn the_built_in_path_opens_the_worked_example() {
    let path = PricePath::built_in().unwrap();
    assert_eq!(path.first(), UsdPrice::dollars(200));
    let band = [UsdPrice::dollars(190), UsdPrice::dollars(210)];
    assert_eq!(path.band().unwrap(), band);
    let times: Vec<_> = path.points.iter().map(|point| &*point.time).collect();
    assert_eq!(times[..2], ["01:00:00", "02:00:00"]);
    let crash = path.points.iter().position(|point| point.secs < 60.0);
    assert_eq!(times[crash.unwrap()], "20:00:15");
    // Steps are smaller than half the band; the gap is not.
    let mut last = path.first().to_f64();
    let large = path.points.iter().filter(|point| {
        let step = (point.price.to_f64() / last - 1.0).abs();
        last = point.price.to_f64();
        step >= HALF_BAND
    });
    assert_eq!(large.count(), 1);
}
