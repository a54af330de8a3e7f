//! Integers beyond 2^53 as decimal text, which no JSON reader rounds.

use std::{fmt::Display, str::FromStr};

use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub(crate) fn serialize<T: Display, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(crate) fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse()
        .map_err(|_| D::Error::custom(format!("`{text}` is no integer that fits here")))
}

/// Two of them: base and quote.
pub(crate) mod pair {
    use super::{Deserialize, Deserializer, Error, Serializer};
    use serde::Serialize;

    pub(crate) fn serialize<S: Serializer>(
        pair: &[u128; 2],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        pair.map(|value| value.to_string()).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u128; 2], D::Error> {
        let texts = <[String; 2]>::deserialize(deserializer)?;
        let parse = |text: &String| {
            text.parse()
                .map_err(|_| D::Error::custom(format!("`{text}` is no integer that fits here")))
        };
        Ok([parse(&texts[0])?, parse(&texts[1])?])
    }
}
