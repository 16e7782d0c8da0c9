//! Following the chain row by row, and naming the first one that is not what it was.

use std::fmt;

use super::{GENESIS, Record};

/// How far the chain has been followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    last: i64,
    hash: Vec<u8>,
    /// The hash before the last row.
    before: Vec<u8>,
}

/// A row's number and hash: what is noted down outside, and what a purge leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub number: i64,
    pub hash: Vec<u8>,
}

impl Anchor {
    /// What stands before the first row.
    pub fn genesis() -> Self {
        Self {
            number: 0,
            hash: GENESIS.to_vec(),
        }
    }

    /// As [`fmt::Display`] writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, hash) = text.split_once(':')?;
        let hash = hex::decode(hash.trim()).ok()?;
        (hash.len() == GENESIS.len()).then_some(Self {
            number: number.trim().parse().ok().filter(|number| *number >= 0)?,
            hash,
        })
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, hex::encode(&self.hash))
    }
}

/// The first row that is not what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    pub number: i64,
    pub how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Changed,
    Missing,
    Reordered,
    Inserted,
    /// It and all after it, if there were any.
    CutOff,
    /// It fits its neighbours and not what was noted down: the chain was made anew from some row before on.
    Rewritten,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number;
        match self.how {
            How::Changed => write!(f, "row {number} was changed"),
            How::Missing => write!(f, "row {number} is missing"),
            How::Reordered => write!(f, "row {number} stands in another's place"),
            How::Inserted => write!(f, "row {number} was inserted"),
            How::CutOff => write!(f, "row {number} is missing, and what came after it"),
            How::Rewritten => write!(
                f,
                "row {number} is not the one that was anchored: rows were rewritten at it or before it"
            ),
        }
    }
}

impl Chain {
    /// One that goes on after a row that is known.
    pub fn after(anchor: Anchor) -> Self {
        Self {
            last: anchor.number,
            before: anchor.hash.clone(),
            hash: anchor.hash,
        }
    }

    /// The last row that fitted.
    pub fn head(&self) -> Anchor {
        Anchor {
            number: self.last,
            hash: self.hash.clone(),
        }
    }

    /// Goes on by one row; false if it does not fit.
    pub fn take(&mut self, record: &Record) -> bool {
        if record.number != self.last + 1 || !fits(record, &self.hash) {
            return false;
        }
        self.last = record.number;
        self.before = std::mem::replace(&mut self.hash, record.hash.clone());
        true
    }

    /// What is wrong with a row that does not fit, told by the rows after it.
    pub fn judge(&self, record: &Record, later: &[Record]) -> Broken {
        let expected = self.last + 1;
        let broken = |how| Broken {
            number: expected,
            how,
        };
        if record.number < expected {
            return Broken {
                number: record.number,
                how: How::Inserted,
            };
        }
        if record.number > expected {
            return broken(How::Missing);
        }
        if fits(&numbered(record, self.last), &self.before) {
            // It stood where the one before it stands, which was made to fit.
            return Broken {
                number: self.last,
                how: How::Inserted,
            };
        }
        let Some((next, _)) = later.split_first() else {
            return broken(How::Changed);
        };
        if fits(&numbered(next, expected), &self.hash) {
            let swapped = fits(&numbered(record, next.number), &next.hash);
            return broken(if swapped {
                How::Reordered
            } else {
                How::Inserted
            });
        }
        if later
            .iter()
            .any(|row| fits(&numbered(row, expected), &self.hash))
        {
            return broken(How::Reordered);
        }
        if fits(&numbered(next, next.number + 1), &record.hash) {
            // All after the gap were moved up by one.
            return broken(How::Missing);
        }
        broken(How::Changed)
    }
}

fn fits(record: &Record, previous: &[u8]) -> bool {
    record.hash == record.hash_after(previous)
}

/// The row as it was before its number was changed.
fn numbered(record: &Record, number: i64) -> Record {
    Record {
        number,
        ..record.clone()
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::{prelude::*, sample::Index};

    use super::*;
    use crate::domain::audit::{Entry, Origin, What};

    fn chained(rows: i64) -> Vec<Record> {
        let mut records: Vec<Record> = Vec::new();
        for number in 1..=rows {
            let entry = Entry {
                text: Some(format!("row {number}")),
                ..Entry::new(What::Reloaded, Origin::CHAT)
            };
            let previous = records
                .last()
                .map_or(GENESIS.to_vec(), |row| row.hash.clone());
            records.push(Record::chain(
                &previous,
                number,
                &entry,
                DateTime::UNIX_EPOCH,
            ));
        }
        records
    }

    /// What `yardarm audit verify` does, on rows in memory.
    fn verify(records: &[Record]) -> Result<Anchor, Broken> {
        let mut chain = Chain::after(Anchor::genesis());
        for (index, record) in records.iter().enumerate() {
            if !chain.take(record) {
                return Err(chain.judge(record, &records[index + 1..]));
            }
        }
        Ok(chain.head())
    }

    fn said(records: &[Record]) -> String {
        verify(records).unwrap_err().to_string()
    }

    /// Numbers the rows from 1, as somebody who hides a gap would.
    fn renumber(records: &mut [Record]) {
        for (number, record) in (1..).zip(records) {
            record.number = number;
        }
    }

    #[test]
    fn a_whole_chain_ends_at_its_last_row() {
        let records = chained(5);
        assert_eq!(verify(&records).unwrap().number, 5);
        assert_eq!(verify(&[]), Ok(Anchor::genesis()));
    }

    #[test]
    fn what_was_done_to_it_is_named() {
        let mut changed = chained(5);
        changed[2].text = None;
        assert_eq!(said(&changed), "row 3 was changed");

        let mut gap = chained(5);
        gap.remove(2);
        assert_eq!(said(&gap), "row 3 is missing");
        renumber(&mut gap);
        assert_eq!(said(&gap), "row 3 is missing");

        let mut swapped = chained(5);
        swapped.swap(1, 2);
        renumber(&mut swapped);
        assert_eq!(said(&swapped), "row 2 stands in another's place");
        let mut far = chained(5);
        far.swap(1, 4);
        renumber(&mut far);
        assert_eq!(said(&far), "row 2 stands in another's place");

        let mut inserted = chained(5);
        inserted.insert(2, inserted[0].clone());
        renumber(&mut inserted);
        assert_eq!(said(&inserted), "row 3 was inserted");
        let hash = inserted[2].hash_after(&inserted[1].hash);
        inserted[2].hash = hash.to_vec();
        assert_eq!(said(&inserted), "row 3 was inserted", "it was made to fit");

        let mut below = chained(2);
        below.insert(0, below[0].clone());
        below[0].number = 0;
        assert_eq!(said(&below), "row 0 was inserted");
    }

    #[test]
    fn an_anchor_is_read_as_it_is_written() {
        let anchor = verify(&chained(3)).unwrap();
        assert_eq!(Anchor::parse(&anchor.to_string()), Some(anchor));
        for text in [
            "",
            "3",
            "3:",
            "3:abcd",
            "-1:00",
            &format!("x:{}", "00".repeat(32)),
        ] {
            assert_eq!(Anchor::parse(text), None, "{text}");
        }
    }

    /// One row, changed in one field.
    fn change(record: &mut Record, field: usize, bit: usize) {
        let flip = |number: Option<i64>| match number {
            Some(number) => Some(number ^ (1 << (bit % 63))),
            None => Some(0),
        };
        let reword =
            |text: Option<String>| text.map_or(Some(String::new()), |text| Some(text + "x"));
        match field {
            0 => record.at.push('x'),
            1 => record.what.push('x'),
            2 => record.actor = flip(record.actor),
            3 => record.origin.push('x'),
            4 => record.agent_id = flip(record.agent_id),
            5 => record.agent_name = reword(record.agent_name.take()),
            6 => record.fleet_id = flip(record.fleet_id),
            7 => record.fleet_name = reword(record.fleet_name.take()),
            8 => record.action_id = flip(record.action_id),
            9 => record.kind = reword(record.kind.take()),
            10 => record.plan = reword(record.plan.take()),
            11 => record.text = None,
            12 => record.details.push(' '),
            _ => record.hash[bit % 32] ^= 1 << (bit % 8),
        }
    }

    proptest! {
        #[test]
        fn any_change_to_any_row_is_found_at_that_row(
            rows in 1_i64..20, row in any::<Index>(), field in 0_usize..14, bit in any::<usize>()
        ) {
            let mut records = chained(rows);
            let at = row.index(records.len());
            change(&mut records[at], field, bit);
            let broken = verify(&records).unwrap_err();
            prop_assert_eq!(broken.number, records[at].number);
        }

        #[test]
        fn any_row_taken_away_or_put_elsewhere_is_found(
            rows in 2_i64..20, from in any::<Index>(), to in any::<Index>(), renumbered in any::<bool>()
        ) {
            let mut records = chained(rows);
            let (from, to) = (from.index(records.len()), to.index(records.len()));
            let moved = records.remove(from);
            if from != to {
                records.insert(to, moved);
                renumber(&mut records);
            } else if renumbered {
                renumber(&mut records);
            }
            // The last one leaves no trace in the chain itself: that is what anchors are for.
            let is_tail = from == to && from == records.len();
            prop_assert_eq!(verify(&records).is_err(), !is_tail);
            if !is_tail {
                let first = i64::try_from(from.min(to)).unwrap() + 1;
                prop_assert_eq!(verify(&records).unwrap_err().number, first);
            }
        }
    }

    #[test]
    fn what_is_broken_is_told_by_its_row() {
        let all = [
            How::Changed,
            How::Missing,
            How::Reordered,
            How::Inserted,
            How::CutOff,
            How::Rewritten,
        ];
        let told = all.map(|how| Broken { number: 7, how }.to_string());
        insta::assert_snapshot!(told.join("\n"), @"
        row 7 was changed
        row 7 is missing
        row 7 stands in another's place
        row 7 was inserted
        row 7 is missing, and what came after it
        row 7 is not the one that was anchored: rows were rewritten at it or before it
        ");
    }
}
