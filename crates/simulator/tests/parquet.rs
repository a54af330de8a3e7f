//! A Parquet file says what the paths said.

mod common;

use ballast_simulator::{Baseline, Gbm, Interest, Looks, ParquetRows};
use common::{UNITS, example, run};
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::RowAccessor,
};

#[test]
fn every_path_is_read_back() {
    let terms = example(None, Interest::new(0.1, 0.0).unwrap());
    let looks = Looks::new(7.0, 43_200).unwrap();
    let model = Gbm::new(0.08, 0.0).unwrap();
    // More than a group.
    let outcomes = run(&terms, looks, &model, &Baseline::Hold, 40_000, 2);
    let mut file = tempfile::tempfile().unwrap();
    let mut rows = ParquetRows::create(&mut file, UNITS).unwrap();
    for outcome in &outcomes {
        rows.write(outcome).unwrap();
    }
    rows.finish().unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), 2);
    let mut exits = 0;
    let mut count = 0;
    for (row, outcome) in reader.get_row_iter(None).unwrap().zip(&outcomes) {
        let row = row.unwrap();
        assert_eq!(row.get_long(0).unwrap() as u64, outcome.path);
        assert_eq!(row.get_double(1).unwrap(), outcome.price);
        assert_eq!(row.get_double(2).unwrap(), UNITS.quote(outcome.equity));
        match outcome.first_exit {
            Some(exit) => {
                let side = if exit.below { "lower" } else { "upper" };
                assert_eq!(row.get_string(6).unwrap(), side);
                assert_eq!(row.get_long(7).unwrap() as u64, exit.secs);
                exits += 1;
            }
            None => assert!(row.get_string(6).is_err() && row.get_long(7).is_err()),
        }
        let lines = outcome.attribution.lines();
        for (column, (_, amount)) in (9..).zip(lines) {
            assert_eq!(row.get_double(column).unwrap(), UNITS.quote(amount));
        }
        count += 1;
    }
    assert_eq!(count, 40_000);
    assert!(exits > 1_000 && exits < 39_000, "{exits}");
}
