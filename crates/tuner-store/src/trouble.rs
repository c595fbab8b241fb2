//! What is wrong with a database that fails, in words that say what to do.
//!
//! *Invariant*: trouble passes if the same call may succeed later with nobody but the administrator doing anything, and
//! waiting for that loses less than giving up.

use sea_orm::{DbErr, RuntimeErr};

/// What is wrong with a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The server cannot be reached: it starts, stops, or the way to it is cut.
    Away,
    /// Another process holds its lock, or two transactions met.
    Locked,
    /// No room is left: disk, connections, memory.
    Full,
    /// It may only be read.
    ReadOnly,
    /// What is stored cannot be understood.
    Damaged,
    /// The disk does not do what it should.
    Disk,
    /// Anything else.
    Other,
}

impl Trouble {
    /// What a database said.
    pub(crate) fn of(error: &DbErr) -> Self {
        let source = match error {
            DbErr::Conn(source) | DbErr::Exec(source) | DbErr::Query(source) => source,
            DbErr::ConnectionAcquire(_) => return Self::Away,
            _ => return Self::Other,
        };
        let RuntimeErr::SqlxError(source) = source else { return Self::Other };
        use sea_orm::sqlx::Error;
        match source.as_ref() {
            Error::Database(error) => error.code().map_or(Self::Other, |code| Self::of_code(&code)),
            Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::PoolTimedOut | Error::WorkerCrashed => {
                Self::Away
            }
            // SQLite has no checksums: a page of nonsense is first seen in what it says.
            Error::ColumnDecode { .. } | Error::Decode(_) => Self::Damaged,
            _ => Self::Other,
        }
    }

    /// PostgreSQL's have five characters (its documentation, appendix A), SQLite's are numbers of up to four digits.
    fn of_code(code: &str) -> Self {
        if code.len() < 5 {
            return code.parse().map_or(Self::Other, Self::of_sqlite);
        }
        match code {
            "25P03" => Self::Away,
            "40001" | "40P01" | "55P03" => Self::Locked,
            "25006" => Self::ReadOnly,
            "58030" => Self::Disk,
            _ if code.starts_with("08") || code.starts_with("57P") => Self::Away,
            _ if code.starts_with("53") => Self::Full,
            _ if code.starts_with("XX") => Self::Damaged,
            _ => Self::Other,
        }
    }

    /// The lower byte of a code is its kind.
    fn of_sqlite(code: u32) -> Self {
        match (code, code & 0xff) {
            // The file that its processes share cannot grow.
            (4874, _) => Self::Full,
            (_, 5 | 6) => Self::Locked,
            (_, 8) => Self::ReadOnly,
            (_, 10 | 14) => Self::Disk,
            (_, 11 | 26) => Self::Damaged,
            (_, 13) => Self::Full,
            _ => Self::Other,
        }
    }

    /// Whether to wait for its end.
    pub fn passes(self) -> bool {
        matches!(self, Self::Away | Self::Locked | Self::Full)
    }

    /// What to do about it.
    pub fn hint(self) -> Option<&'static str> {
        match self {
            Self::Away => {
                Some("look whether the database server runs and can be reached; what works goes on when it is back")
            }
            Self::Locked => Some("another program holds the database's lock; what works goes on when it gives it back"),
            Self::Full => Some("the database has no room: free some disk space; what works goes on when there is some"),
            Self::ReadOnly => Some(
                "the database may only be read: check who owns its file and directory, how the disk is mounted, or \
                      whether the server is a standby",
            ),
            Self::Damaged => Some(
                "the database is damaged: stop everything that uses it, keep a copy, and put a backup in its place",
            ),
            Self::Disk => Some("the disk of the database fails: look into the system's log"),
            Self::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_databases_say_what_is_wrong() {
        for (code, trouble) in [
            ("5", Trouble::Locked),
            ("517", Trouble::Locked),
            ("261", Trouble::Locked),
            ("8", Trouble::ReadOnly),
            ("1032", Trouble::ReadOnly),
            ("11", Trouble::Damaged),
            ("26", Trouble::Damaged),
            ("13", Trouble::Full),
            ("4874", Trouble::Full),
            ("778", Trouble::Disk),
            ("14", Trouble::Disk),
            ("19", Trouble::Other),
            ("08006", Trouble::Away),
            ("57P01", Trouble::Away),
            ("25P03", Trouble::Away),
            ("40001", Trouble::Locked),
            ("55P03", Trouble::Locked),
            ("53100", Trouble::Full),
            ("25006", Trouble::ReadOnly),
            ("XX001", Trouble::Damaged),
            ("23505", Trouble::Other),
        ] {
            assert_eq!(Trouble::of_code(code), trouble, "{code}");
            assert_eq!(trouble.hint().is_none(), trouble == Trouble::Other, "{code}");
        }
    }
}
