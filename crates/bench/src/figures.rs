//! What was measured, by name, in the order it was measured.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::stats::{Spread, rounded};

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Figure {
    Spread(Spread),
    /// By number of agents.
    BySize(BTreeMap<usize, Spread>),
    Number(f64),
    /// By number of agents.
    NumberBySize(BTreeMap<usize, f64>),
    /// Several numbers that mean something together only.
    Numbers(BTreeMap<&'static str, f64>),
}

#[derive(Debug, Default)]
pub(crate) struct Figures(Vec<(&'static str, Figure)>);

impl Figures {
    pub(crate) fn spread(&mut self, name: &'static str, samples: &[Duration]) -> Result<()> {
        let spread = spread(name, samples)?;
        self.0.push((name, Figure::Spread(spread)));
        Ok(())
    }

    pub(crate) fn of_size(
        &mut self,
        name: &'static str,
        size: usize,
        samples: &[Duration],
    ) -> Result<()> {
        let spread = spread(name, samples)?;
        let known = self.0.iter_mut().find(|(known, _)| *known == name);
        if let Some((_, Figure::BySize(sizes))) = known {
            sizes.insert(size, spread);
        } else {
            let sizes = BTreeMap::from([(size, spread)]);
            self.0.push((name, Figure::BySize(sizes)));
        }
        Ok(())
    }

    pub(crate) fn number(&mut self, name: &'static str, value: f64) {
        self.0.push((name, Figure::Number(rounded(value))));
    }

    /// How often something was done in a second.
    pub(crate) fn rate(&mut self, name: &'static str, count: usize, span: Duration) {
        let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        self.number(name, count / span.as_secs_f64());
    }

    pub(crate) fn number_of_size(&mut self, name: &'static str, size: usize, value: f64) {
        let known = self.0.iter_mut().find(|(known, _)| *known == name);
        if let Some((_, Figure::NumberBySize(sizes))) = known {
            sizes.insert(size, rounded(value));
        } else {
            let sizes = BTreeMap::from([(size, rounded(value))]);
            self.0.push((name, Figure::NumberBySize(sizes)));
        }
    }

    pub(crate) fn numbers<const N: usize>(
        &mut self,
        name: &'static str,
        values: [(&'static str, f64); N],
    ) {
        let values = values.map(|(name, value)| (name, rounded(value)));
        self.0.push((name, Figure::Numbers(values.into())));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Figure)> {
        self.0.iter().map(|(name, figure)| (*name, figure))
    }

    /// One distribution; of a figure that depends on a size, that of `size`.
    pub(crate) fn get(&self, name: &str, size: usize) -> Option<Spread> {
        match self.iter().find(|(known, _)| *known == name)? {
            (_, Figure::Spread(spread)) => Some(*spread),
            (_, Figure::BySize(sizes)) => sizes.get(&size).copied(),
            (_, Figure::Number(_) | Figure::NumberBySize(_) | Figure::Numbers(_)) => None,
        }
    }

    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        match self.iter().find(|(known, _)| *known == name)? {
            (_, Figure::Number(value)) => Some(*value),
            _ => None,
        }
    }

    /// With where and when they were taken.
    pub(crate) fn to_json(&self, place: &str) -> Result<String> {
        let by_name: BTreeMap<_, _> = self.iter().collect();
        let json = serde_json::json!({ "machine": place, "figures": by_name });
        Ok(serde_json::to_string_pretty(&json)? + "\n")
    }
}

fn spread(name: &'static str, samples: &[Duration]) -> Result<Spread> {
    Spread::of(samples).with_context(|| format!("nothing was measured for `{name}`"))
}
