//! The decision.

use std::fmt;

use crate::{Action, Actor, Role};

/// What it is done to, as far as that matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Resource {
    /// Something that this service keeps.
    #[default]
    Kept,
    /// A file of this machine that this service does not keep.
    ForeignFile,
}

impl Resource {
    /// Every resource.
    pub const ALL: [Self; 2] = [Self::Kept, Self::ForeignFile];
}

/// Why nobody with this standing may do it, whatever their role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Nobody is known to ask.
    NoToken,
    /// Over the network, files of the machine stay closed.
    ForeignFile,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoToken => "a token is needed",
            Self::ForeignFile => "only files in the data directory can be read over the network",
        })
    }
}

/// May they?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Yes.
    Allow,
    /// Somebody with this role may.
    NeedsRole(Role),
    /// No.
    Deny(Refusal),
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow => f.write_str("allow"),
            Self::NeedsRole(role) => write!(f, "needs {role}"),
            Self::Deny(why) => write!(f, "deny: {why}"),
        }
    }
}

/// Whether this actor may do this to that.
pub fn decide(actor: Actor, action: Action, resource: Resource) -> Decision {
    match actor {
        Actor::Anonymous => Decision::Deny(Refusal::NoToken),
        Actor::Local => Decision::Allow,
        Actor::Token { role } if role < action.role() => Decision::NeedsRole(action.role()),
        Actor::Token { .. } => match resource {
            Resource::Kept => Decision::Allow,
            Resource::ForeignFile => Decision::Deny(Refusal::ForeignFile),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    use super::*;
    use crate::Effect;

    /// A change of anybody's rights is a change of this table.
    #[test]
    fn the_matrix_of_every_actor_and_action() {
        let mut table = String::new();
        for resource in Resource::ALL {
            let _ = writeln!(table, "{resource:?}");
            let _ = write!(table, "{:16} {:7}", "action", "effect");
            for actor in Actor::ALL {
                let _ = write!(table, " | {:24}", actor.word());
            }
            table.push('\n');
            for action in Action::ALL {
                let effect = match action.effect() {
                    Effect::Reads => "reads",
                    Effect::Changes => "changes",
                };
                let _ = write!(table, "{:16} {effect:7}", action.word());
                for actor in Actor::ALL {
                    let said: String = decide(actor, *action, resource).to_string().chars().take(24).collect();
                    let _ = write!(table, " | {said:24}");
                }
                table.push('\n');
            }
        }
        let table: Vec<&str> = table.lines().map(str::trim_end).collect();
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn who_may_do_something_keeps_that_right_with_every_higher_role() {
        for action in Action::ALL {
            for resource in Resource::ALL {
                let may = Role::ALL.map(|role| decide(Actor::Token { role }, *action, resource) == Decision::Allow);
                assert!(may.is_sorted(), "{action:?} on {resource:?}: {may:?}");
            }
        }
    }

    #[test]
    fn nobody_unknown_may_do_anything_and_viewers_change_nothing() {
        for action in Action::ALL {
            for resource in Resource::ALL {
                assert!(matches!(decide(Actor::Anonymous, *action, resource), Decision::Deny(_)));
                let viewer = decide(Actor::Token { role: Role::Viewer }, *action, resource);
                assert!(action.effect() == Effect::Reads || viewer != Decision::Allow, "{action:?}");
            }
        }
    }

    #[test]
    fn every_action_and_every_role_has_a_word_of_its_own() {
        let words: BTreeSet<&str> = Action::ALL.iter().map(|a| a.word()).collect();
        assert_eq!(words.len(), Action::ALL.len());
        assert!(Role::ALL.iter().all(|role| role.word().parse() == Ok(*role)));
        assert!("root".parse::<Role>().is_err());
    }
}
