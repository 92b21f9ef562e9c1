//! What operations accept, combined from the parts of a policy dump.

use alloc::vec::Vec;
use core::fmt;

use netlink_core::error::{PolicyAttrs, PolicyType};
use netlink_core::{Error, Indexed, Owned};

use super::Family;

/// What the operations of a family accept. A command has one set of attributes for calls and one for lists.
/// Each attribute has a type, a range, a mask and, if it is nested, a set of its own.
///
/// Sets can contain other sets and themselves. Each set is stored once and referred to by index.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    operations: Vec<OperationPolicy>,
    /// Sorted by set, then by attribute.
    rows: Vec<(u16, u16, PolicyAttrs<'static>)>,
}

/// The sets that a command accepts, by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationPolicy {
    /// The command. Recent kernels (seen in 6.18, not in 6.12) report 0 for a command that only lists. Ask
    /// for such a command alone with [`policy_of`](super::policy_of).
    pub command: u16,
    /// The set for calls. `None` if the command has no calls or accepts any attributes.
    pub call: Option<u32>,
    /// The set for lists. `None` if the command has no lists or accepts any attributes.
    pub dump: Option<u32>,
}

impl Policies {
    /// Combines the parts from a dump of [`policies`](super::policies).
    pub fn new(parts: &[Owned<Family<'static>>]) -> Result<Self, Error> {
        let mut policies = Self::default();
        for part in parts {
            let part = part.view()?;
            for (command, sets) in part.operation_policy().iter().flat_map(Indexed::iter) {
                let operation = OperationPolicy { command, call: sets.call(), dump: sets.dump() };
                policies.operations.push(operation);
            }
            for (set, rows) in part.policy().iter().flat_map(Indexed::iter) {
                let rows = rows.iter().map(|(number, policy)| (set, number, policy.into_owned()));
                policies.rows.extend(rows);
            }
        }
        policies.rows.sort_by_key(|(set, number, _)| (*set, *number));
        Ok(policies)
    }

    /// The commands that have a policy.
    pub fn operations(&self) -> &[OperationPolicy] {
        &self.operations
    }

    /// What a command accepts in a call.
    pub fn call(&self, command: u8) -> Option<PolicySet<'_>> {
        self.set(self.operation(command)?.call?)
    }

    /// What a command accepts in a request for a list; see [`OperationPolicy::command`].
    pub fn dump(&self, command: u8) -> Option<PolicySet<'_>> {
        self.set(self.operation(command)?.dump?)
    }

    /// The set of this index. Before Linux 5.10 the family has one set for all its operations, the first.
    pub fn set(&self, index: u32) -> Option<PolicySet<'_>> {
        let index = u16::try_from(index).ok()?;
        Some(PolicySet { policies: self, index })
    }

    /// All sets, in order. A set without attributes is not in the dump.
    pub fn sets(&self) -> impl Iterator<Item = PolicySet<'_>> {
        let rows = self.rows.chunk_by(|(set, ..), (next, ..)| set == next);
        rows.filter_map(|rows| Some(PolicySet { policies: self, index: rows.first()?.0 }))
    }

    fn operation(&self, command: u8) -> Option<OperationPolicy> {
        self.operations.iter().copied().find(|operation| operation.command == u16::from(command))
    }
}

/// A set of attributes that the kernel checks.
#[derive(Clone, Copy)]
pub struct PolicySet<'p> {
    policies: &'p Policies,
    index: u16,
}

impl<'p> PolicySet<'p> {
    /// Its index, unique in the dump.
    pub fn index(&self) -> u16 {
        self.index
    }

    /// The accepted attributes, in order of their numbers.
    pub fn attributes(&self) -> impl Iterator<Item = AttributePolicy<'p>> + use<'p> {
        let (rows, index) = (&self.policies.rows, self.index);
        let first = rows.partition_point(|(set, _, _)| *set < index);
        let rows = rows.get(first..).unwrap_or_default().iter().take_while(move |(set, _, _)| *set == index);
        let policies = self.policies;
        rows.map(move |(_, number, rule)| AttributePolicy { policies, number: *number, rule })
    }

    /// The attribute of this number; `None` if the set does not accept it.
    pub fn get(&self, number: u16) -> Option<AttributePolicy<'p>> {
        self.attributes().find(|attribute| attribute.number == number)
    }
}

impl fmt::Debug for PolicySet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.attributes()).finish()
    }
}

/// What the kernel accepts for one attribute.
#[derive(Clone, Copy)]
pub struct AttributePolicy<'p> {
    policies: &'p Policies,
    number: u16,
    rule: &'p PolicyAttrs<'static>,
}

impl<'p> AttributePolicy<'p> {
    /// The attribute's number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Type, range, length and mask.
    pub fn rule(&self) -> &'p PolicyAttrs<'static> {
        self.rule
    }

    /// The type.
    pub fn kind(&self) -> PolicyType {
        self.rule.kind().unwrap_or_default()
    }

    /// The set of a nested attribute, or of each item of a nested array.
    pub fn nested(&self) -> Option<PolicySet<'p>> {
        self.policies.set(self.rule.policy_index()?)
    }
}

/// A line like `3: u32 1 to 4096`.
impl fmt::Display for AttributePolicy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.number, self.rule)?;
        match self.rule.policy_index() {
            Some(set) => write!(f, " of set {set}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for AttributePolicy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
