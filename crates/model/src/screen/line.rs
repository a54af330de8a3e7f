use core::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

use super::{DecimalError, Double, Real, RiskInput, parse_decimal, risk};

/// Why a line of `ballast risk` has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RiskError {
    /// Not a JSON object, or one with repeated fields.
    #[error("not a JSON object with the fields P, pa, pb, L, lx, ly, dx, dy, t: {0}")]
    Json(String),
    /// A field is not there.
    #[error("field {0} is missing: every position needs P, pa, pb, L, lx, ly, dx, dy, t")]
    Missing(&'static str),
    /// A field is no usable number.
    #[error("field {field}: {value} {problem}")]
    Number {
        /// Name of the field.
        field: &'static str,
        /// What it holds.
        value: String,
        /// What is wrong with it.
        problem: DecimalError,
    },
    /// An amount below zero.
    #[error(
        "field {field}: {value} is negative: amounts are 0 or more, debts are positive in dx and dy"
    )]
    Negative {
        /// Name of the field.
        field: &'static str,
        /// What it holds.
        value: String,
    },
    /// A price or threshold of zero or less.
    #[error("field {field}: {value} must be greater than 0")]
    NotPositive {
        /// Name of the field.
        field: &'static str,
        /// What it holds.
        value: String,
    },
    /// A range without width.
    #[error("fields pa, pb: the range {lower}..{upper} is empty: pa must be below pb")]
    EmptyRange {
        /// pa.
        lower: String,
        /// pb.
        upper: String,
    },
    /// A threshold above 100 %.
    #[error("field t: {0} must not exceed 1: it is a ratio of debt to assets, 0.8 for 80%")]
    Threshold(String),
}

/// A field as it stands in the line. An unusable value is kept, so that the error can name its field.
enum Field {
    Value(Double),
    Bad(String, DecimalError),
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

fn field(text: &str) -> Field {
    match parse_decimal(text) {
        Ok(value) => Field::Value(value),
        Err(problem) => Field::Bad(format!("{text:?}"), problem),
    }
}

fn bad<E>(what: &str) -> Result<Field, E> {
    Ok(Field::Bad(what.to_owned(), DecimalError::Malformed))
}

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal number in quotes")
    }

    fn visit_str<E>(self, text: &str) -> Result<Field, E> {
        Ok(field(text))
    }

    // Plain JSON numbers have the precision of f64; their shortest text means the number that was written.
    fn visit_f64<E>(self, value: f64) -> Result<Field, E> {
        Ok(field(&format!("{value:e}")))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Field, E> {
        Ok(field(&value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Field, E> {
        Ok(field(&value.to_string()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Field, E> {
        bad(if value { "true" } else { "false" })
    }

    fn visit_unit<E>(self) -> Result<Field, E> {
        bad("null")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Field, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        bad("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        bad("an object")
    }
}

/// The fields in the order of [`NAMES`].
struct Line([Option<Field>; 9]);

const NAMES: [&str; 9] = ["P", "pa", "pb", "L", "lx", "ly", "dx", "dy", "t"];

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LineVisitor)
    }
}

struct LineVisitor;

impl<'de> Visitor<'de> for LineVisitor {
    type Value = Line;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line, A::Error> {
        let mut line = Line([const { None }; 9]);
        while let Some(Key(index)) = map.next_key()? {
            match index.and_then(|index| line.0.get_mut(index).zip(NAMES.get(index))) {
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some((Some(_), name)) => {
                    return Err(A::Error::custom(format!("field {name} is given twice")));
                }
                Some((slot, _)) => *slot = Some(map.next_value()?),
            }
        }
        Ok(line)
    }
}

/// Position of a field's name in [`NAMES`]; other fields are ignored.
struct Key(Option<usize>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Key, E> {
                Ok(Key(NAMES.iter().position(|known| *known == name)))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// Reads one position: a JSON object with the decimal strings (or numbers) P, pa, pb, L, lx, ly, dx, dy, t. Other fields
/// are ignored.
///
/// # Errors
/// [`RiskError`], naming the field and what it should be.
pub fn parse_risk_line(line: &str) -> Result<RiskInput<Double>, RiskError> {
    let Line(fields) =
        serde_json::from_str(line).map_err(|error| RiskError::Json(error.to_string()))?;
    let mut values = [Double::ZERO; 9];
    for ((value, field), name) in values.iter_mut().zip(fields).zip(NAMES) {
        *value = match field {
            None => return Err(RiskError::Missing(name)),
            Some(Field::Bad(value, problem)) => {
                return Err(RiskError::Number {
                    field: name,
                    value,
                    problem,
                });
            }
            Some(Field::Value(value)) => value,
        };
        let positive = matches!(name, "P" | "pa" | "pb" | "t");
        if positive && *value <= Double::ZERO {
            return Err(RiskError::NotPositive {
                field: name,
                value: shown(*value),
            });
        }
        if *value < Double::ZERO {
            return Err(RiskError::Negative {
                field: name,
                value: shown(*value),
            });
        }
    }
    let [
        price,
        lower,
        upper,
        liquidity,
        idle_base,
        idle_quote,
        debt_base,
        debt_quote,
        threshold,
    ] = values;
    if lower >= upper {
        return Err(RiskError::EmptyRange {
            lower: shown(lower),
            upper: shown(upper),
        });
    }
    if threshold > Double::ONE {
        return Err(RiskError::Threshold(shown(threshold)));
    }
    Ok(RiskInput {
        price,
        lower,
        upper,
        liquidity,
        idle_base,
        idle_quote,
        debt_base,
        debt_quote,
        threshold,
    })
}

/// Answers one line of `ballast risk`: a JSON object with the fields of [`super::RiskReport`], without a line break.
///
/// # Errors
/// [`RiskError`].
pub fn risk_line(line: &str) -> Result<String, RiskError> {
    let report = risk(&parse_risk_line(line)?);
    serde_json::to_string(&report).map_err(|error| RiskError::Json(error.to_string()))
}

fn shown(value: Double) -> String {
    value.to_f64().to_string()
}
