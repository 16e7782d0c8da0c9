//! Sets of words that the database, settings and people write the same way.

/// An enum whose variants are words, with the way there and back.
macro_rules! words {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$about:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$about])* $variant,)*
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As the database and people write it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The inverse of [`Self::as_str`].
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fmt::Debug};

    use crate::domain::{
        action::{Kind, Origin, State, Step},
        agent::Desired,
        approval::Answer,
        freeze::Mode,
        grant::{self, Level},
        schedule::{self, Job, Missed, Overlap, Stage},
        secret,
    };

    /// What is written is read as what it was, and no two are written alike.
    fn read_back<T: Copy + Debug + PartialEq>(
        all: &[T],
        write: impl Fn(T) -> &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) {
        for one in all {
            assert_eq!(read(write(*one)), Some(*one));
        }
        let written: BTreeSet<&str> = all.iter().map(|one| write(*one)).collect();
        assert_eq!(written.len(), all.len());
        assert_eq!(read("no such word"), None);
    }

    #[test]
    fn every_word_is_read_as_it_is_written() {
        read_back(&Kind::ALL, Kind::as_str, Kind::parse);
        read_back(&Origin::ALL, Origin::as_str, Origin::parse);
        read_back(&State::ALL, State::as_str, State::parse);
        let steps = [
            Step::Waiting,
            Step::Pulling(None),
            Step::Swapped,
            Step::Done,
        ];
        read_back(&steps, Step::as_str, Step::parse);
        let desired = [Desired::Running, Desired::Paused, Desired::Stopped];
        read_back(&desired, Desired::as_str, Desired::parse);
        let answers = [Answer::Approve, Answer::Deny];
        read_back(&answers, Answer::as_str, Answer::parse);
        read_back(&[Mode::Pause, Mode::Cut], Mode::as_str, Mode::parse);
        read_back(&Level::ALL, Level::as_str, Level::parse);
        read_back(
            &grant::Source::ALL,
            grant::Source::as_str,
            grant::Source::parse,
        );
        read_back(
            &schedule::Source::ALL,
            schedule::Source::as_str,
            schedule::Source::parse,
        );
        read_back(&Stage::ALL, Stage::as_str, Stage::parse);
        read_back(&Job::ALL, Job::as_str, Job::parse);
        let missed = [Missed::Skip, Missed::Once, Missed::All];
        read_back(&missed, Missed::as_str, Missed::parse);
        read_back(
            &[Overlap::Skip, Overlap::Queue],
            Overlap::as_str,
            Overlap::parse,
        );
        let origins = [secret::Origin::Chat, secret::Origin::Adopted];
        read_back(&origins, secret::Origin::as_str, secret::Origin::parse);
    }
}
