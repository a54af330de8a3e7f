//! How every path ended, as a Parquet file: what `paths.csv` has, in columns.

use std::{io::Write, sync::Arc};

use parquet::{
    data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};

use crate::{Attribution, Outcome, Units};

/// Paths that are held before they are written.
const GROUP: usize = 1 << 15;

/// A Parquet file that paths go to as they come.
pub struct ParquetRows<W: Write + Send> {
    units: Units,
    writer: SerializedFileWriter<W>,
    held: Vec<Outcome>,
}

impl<W: Write + Send> ParquetRows<W> {
    /// Begins the file.
    ///
    /// # Errors
    /// What the writer says.
    pub fn create(to: W, units: Units) -> Result<Self, ParquetError> {
        let mut schema = String::from(
            "message paths { required int64 path; required double price; required double equity; required double lowest_equity; \
             required double in_range; required int64 actions; optional binary first_exit (UTF8); optional int64 first_exit_secs; \
             optional int64 liquidatable_secs; ",
        );
        for (name, _) in Attribution::default().lines() {
            schema += &format!("required double {name}; ");
        }
        let schema = Arc::new(parse_message_type(&(schema + "}"))?);
        let properties = Arc::new(WriterProperties::builder().build());
        Ok(Self {
            units,
            writer: SerializedFileWriter::new(to, schema, properties)?,
            held: Vec::with_capacity(GROUP),
        })
    }

    /// One path more.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&mut self, outcome: &Outcome) -> Result<(), ParquetError> {
        self.held.push(*outcome);
        if self.held.len() == GROUP {
            self.flush()?;
        }
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// What the writer says.
    pub fn finish(mut self) -> Result<(), ParquetError> {
        self.flush()?;
        self.writer.close().map(|_| ())
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        let units = self.units;
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        let doubles = |of: &dyn Fn(&Outcome) -> f64| held.iter().map(of).collect::<Vec<_>>();
        required::<Int64Type>(
            &mut group,
            &held.iter().map(|one| one.path as i64).collect::<Vec<_>>(),
        )?;
        required::<DoubleType>(&mut group, &doubles(&|one| one.price))?;
        required::<DoubleType>(&mut group, &doubles(&|one| units.quote(one.equity)))?;
        required::<DoubleType>(&mut group, &doubles(&|one| units.quote(one.lowest_equity)))?;
        required::<DoubleType>(&mut group, &doubles(&|one| one.in_range))?;
        let actions = held.iter().map(|one| one.acts.own().into());
        required::<Int64Type>(&mut group, &actions.collect::<Vec<_>>())?;
        let side = |below: bool| ByteArray::from(if below { "lower" } else { "upper" });
        let sides = held
            .iter()
            .map(|one| one.first_exit.map(|exit| side(exit.below)));
        optional::<ByteArrayType>(&mut group, sides)?;
        let secs = |secs: Option<u64>| secs.map(|secs| secs as i64);
        let exits = held
            .iter()
            .map(|one| secs(one.first_exit.map(|exit| exit.secs)));
        optional::<Int64Type>(&mut group, exits)?;
        optional::<Int64Type>(
            &mut group,
            held.iter().map(|one| secs(one.liquidatable_secs)),
        )?;
        for line in 0..Attribution::default().lines().len() {
            let line = doubles(&|one| units.quote(one.attribution.lines()[line].1));
            required::<DoubleType>(&mut group, &line)?;
        }
        group.close()?;
        self.held = held;
        self.held.clear();
        Ok(())
    }
}

fn required<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: &[T::T],
) -> Result<(), ParquetError> {
    column::<T>(group, values, None)
}

fn optional<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let values: Vec<Option<T::T>> = values.collect();
    let levels: Vec<i16> = values.iter().map(|value| value.is_some().into()).collect();
    let there: Vec<T::T> = values.into_iter().flatten().collect();
    column::<T>(group, &there, Some(&levels))
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("more values than columns".to_owned()));
    };
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}
