//! Which payloads are right, and the walk that checks a set without keeping anything of it.

use core::fmt;

use super::{Attrs, Choose, Chosen, Content, DecodeError, MAX_DEPTH, Malformed, Scope, Table, walk};

const TOO_DEEP: Malformed = Malformed::Value("attributes inside of attributes, deeper than in any table");

/// Which payloads a type takes; checked once, when a set is read.
#[derive(Clone, Copy)]
pub struct Rule {
    /// So many bytes or more are right without a further question. No payload has `u16::MAX`.
    enough: u16,
    further: Further,
}

#[derive(Clone, Copy)]
enum Further {
    /// Nothing else is right.
    Enough,
    /// A bit per length below 64 that is right.
    Lengths(u64),
    /// Any number of elements of so many bytes.
    Elements(u16),
    /// Attributes of this table, whose numbers are their places.
    Set(&'static Table),
    /// Attributes of this table, where they are not.
    Sparse(&'static Table),
    /// A struct of so many bytes, and attributes of this table behind it.
    Headed(u16, &'static Table),
    /// A run of attributes, each with a payload that this is right for.
    Each(&'static Rule),
    /// What the neighbours choose; anything, if they choose nothing.
    Select(Choose),
    Check(Check),
}

/// Reads a payload for nothing but the error.
pub type Check = fn(&[u8], &Scope<'_>) -> Result<(), DecodeError>;

impl Rule {
    /// Any payload is right: the number has no row.
    pub const NO_ROW: Self = Self::at_least(0);

    /// Four bytes or sixteen.
    pub const IP: Self = Self::lengths(&[4, 16]);

    const fn asking(further: Further) -> Self {
        Self { enough: u16::MAX, further }
    }

    /// So many bytes or more: kernels make structs longer, never shorter.
    #[allow(clippy::cast_possible_truncation)]
    pub const fn at_least(bytes: usize) -> Self {
        assert!(bytes < u16::MAX as usize);
        Self { enough: bytes as u16, further: Further::Enough }
    }

    /// One of these lengths, each below 64.
    pub const fn lengths(mut lengths: &[usize]) -> Self {
        let mut bits = 0;
        while let [length, rest @ ..] = lengths {
            bits |= 1 << *length;
            lengths = rest;
        }
        Self::asking(Further::Lengths(bits))
    }

    /// At most so many bytes, fewer than 64.
    pub const fn at_most(bytes: usize) -> Self {
        Self::asking(Further::Lengths(u64::MAX >> (63 - bytes)))
    }

    /// Any number of elements of so many bytes.
    #[allow(clippy::cast_possible_truncation)]
    pub const fn elements(bytes: usize) -> Self {
        assert!(bytes > 0 && bytes < u16::MAX as usize);
        Self::asking(Further::Elements(bytes as u16))
    }

    /// Attributes of this table.
    pub const fn set(table: &'static Table) -> Self {
        Self::asking(if table.places.are_numbers() { Further::Set(table) } else { Further::Sparse(table) })
    }

    /// A struct of so many bytes, padded to four, and attributes of this table behind it.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) const fn headed(bytes: usize, table: &'static Table) -> Self {
        assert!(bytes < u16::MAX as usize);
        Self::asking(Further::Headed(bytes as u16, table))
    }

    /// A run of attributes, each with a payload that is right by this rule.
    pub const fn each(item: &'static Self) -> Self {
        item.of_each();
        Self::asking(Further::Each(item))
    }

    /// For a list of such payloads, where nothing tells which of them its neighbours are about.
    pub const fn of_each(&self) -> Self {
        assert!(!matches!(self.further, Further::Select(_)), "a list of attributes that neighbours select");
        *self
    }

    /// What the function chooses by what stands around; anything, where it chooses nothing.
    ///
    /// It is called once for all attributes of the number in a set.
    pub const fn select(choose: Choose) -> Self {
        Self::asking(Further::Select(choose))
    }

    /// Whatever the function says.
    pub const fn check(check: Check) -> Self {
        Self::asking(Further::Check(check))
    }

    /// Whether the length alone makes a payload right.
    #[inline(always)]
    pub(super) fn fits(&self, payload: &[u8]) -> bool {
        payload.len() >= usize::from(self.enough)
            || matches!(self.further, Further::Lengths(lengths)
                if payload.len() < 64 && lengths >> payload.len() & 1 != 0)
    }

    /// Whether a payload is right; it is that of an attribute of this number in the set of `scope`.
    #[inline(always)]
    pub(super) fn judge(
        &self,
        number: usize,
        payload: &[u8],
        scope: &Scope<'_>,
        chosen: &mut Chosen,
    ) -> bool {
        self.fits(payload)
            || match self.further {
                Further::Set(table) => sound(scope.header, payload, table, scope.depth + 1),
                _ => self.ask(number, payload, scope, chosen),
            }
    }

    /// Whether an item of a list is right, or why not.
    pub(crate) fn verify(&self, payload: &[u8], scope: &Scope<'_>) -> Result<(), DecodeError> {
        if scope.depth >= MAX_DEPTH {
            return Err(TOO_DEEP.into());
        }
        let chosen = &mut Chosen::default();
        if self.judge(0, payload, scope, chosen) { Ok(()) } else { self.explain(0, payload, scope, chosen) }
    }

    /// What the length alone doesn't settle. Nothing is kept here over a call, which costs more than most answers.
    #[inline(never)]
    fn ask(&self, number: usize, payload: &[u8], scope: &Scope<'_>, chosen: &mut Chosen) -> bool {
        match self.further {
            Further::Enough | Further::Lengths(_) => false,
            Further::Elements(bytes) => payload.len().is_multiple_of(bytes.into()),
            Further::Check(check) => complies(check, payload, scope),
            Further::Headed(bytes, table) => match split(payload, bytes.into()) {
                Some((header, set)) if scope.depth + 1 < MAX_DEPTH => {
                    sound_by_map(header, set, table, scope.depth + 1)
                }
                _ => false,
            },
            Further::Each(item) => all_are_right(item, &scope.inside(payload)),
            Further::Select(choose) => chosen_is_right(number, payload, choose, scope, chosen),
            Further::Set(table) | Further::Sparse(table) => {
                sound_by_map(scope.header, payload, table, scope.depth + 1)
            }
        }
    }

    /// Why a payload is wrong.
    #[cold]
    fn explain(
        &self,
        number: usize,
        payload: &[u8],
        scope: &Scope<'_>,
        chosen: &mut Chosen,
    ) -> Result<(), DecodeError> {
        let got = payload.len();
        let want = match self.further {
            Further::Enough => self.enough.into(),
            Further::Lengths(lengths) => lengths.checked_ilog2().unwrap_or_default() as usize,
            Further::Elements(bytes) => got.next_multiple_of(bytes.into()),
            Further::Headed(bytes, table) => match split(payload, bytes.into()) {
                Some((header, set)) => return explain(&Scope { header, ..scope.inside(set) }, table),
                None => bytes.into(),
            },
            Further::Each(item) => return explain_each(item, &scope.inside(payload)),
            Further::Check(check) => return check(payload, scope),
            Further::Set(table) | Further::Sparse(table) => return explain(&scope.inside(payload), table),
            Further::Select(choose) => {
                return match chosen.content(number, choose, scope) {
                    Some(content) => content.rule.explain(number, payload, scope, chosen),
                    None => Ok(()),
                };
            }
        };
        Err(Malformed::Length { want, got }.into())
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rule")
    }
}

#[inline(never)]
fn all_are_right(item: &Rule, scope: &Scope<'_>) -> bool {
    let (set, mut chosen) = (scope.set.rest(), Chosen::default());
    let each = |number, payload: &_, _| item.judge(number, payload, scope, &mut chosen);
    scope.depth < MAX_DEPTH && walk(set, set, each).is_none()
}

#[cold]
fn explain_each(item: &Rule, scope: &Scope<'_>) -> Result<(), DecodeError> {
    if scope.depth >= MAX_DEPTH {
        return Err(TOO_DEEP.into());
    }
    { scope.set }.try_for_each(|attr| item.verify(attr?.payload, scope))
}

/// Whether a payload is what its neighbours choose.
#[inline(never)]
fn chosen_is_right(
    number: usize,
    payload: &[u8],
    choose: Choose,
    scope: &Scope<'_>,
    chosen: &mut Chosen,
) -> bool {
    let Some(Content { rule, .. }) = chosen.content(number, choose, scope) else { return true };
    // A choice can lead back to a table that it came from; a set can't, as no constant holds itself.
    let deeper = matches!(rule.further, Further::Set(_) | Further::Sparse(_));
    (!deeper || scope.depth + 1 < MAX_DEPTH) && rule.judge(number, payload, scope, chosen)
}

#[inline(never)]
fn complies(check: Check, payload: &[u8], scope: &Scope<'_>) -> bool {
    check(payload, scope).is_ok()
}

/// A struct of so many bytes, and the attributes behind it.
pub(crate) fn split(payload: &[u8], bytes: usize) -> Option<(&[u8], &[u8])> {
    let header = payload.get(..bytes)?;
    Some((header, payload.get(bytes.next_multiple_of(4)..).unwrap_or_default()))
}

/// Checks the attributes of a set, also inside of nested sets.
pub(super) fn check(scope: &Scope<'_>, table: &'static Table) -> Result<(), DecodeError> {
    let sound = scope.depth < MAX_DEPTH && sound_by_map(scope.header, scope.set.rest(), table, scope.depth);
    if sound { Ok(()) } else { explain(scope, table) }
}

/// Whether all attributes of a set are right, in a table whose numbers are their places. What it needs comes in
/// registers: most sets inside of others have two or three attributes.
#[inline(never)]
fn sound(header: &[u8], set: &[u8], table: &'static Table, depth: u8) -> bool {
    all_right(header, set, table.rules, |number| number, depth)
}

/// The same in any table.
#[inline(never)]
fn sound_by_map(header: &[u8], set: &[u8], table: &'static Table, depth: u8) -> bool {
    all_right(header, set, table.rules, |number| table.places.of(number), depth)
}

#[inline(always)]
fn all_right(
    header: &[u8],
    set: &[u8],
    rules: &'static [Rule],
    place: impl Fn(usize) -> usize,
    depth: u8,
) -> bool {
    let scope = Scope { header, set: Attrs::new(set), depth };
    let mut chosen = Chosen::default();
    let stopped = walk(set, set, |number, payload, _| {
        rules.get(place(number)).is_none_or(|rule| rule.judge(number, payload, &scope, &mut chosen))
    });
    stopped.is_none()
}

/// What is wrong with a set, and where. Apart from the check, so that sound messages don't pay for it.
#[cold]
#[inline(never)]
pub(super) fn explain(scope: &Scope<'_>, table: &'static Table) -> Result<(), DecodeError> {
    if scope.depth >= MAX_DEPTH {
        return Err(TOO_DEEP.into());
    }
    let mut chosen = Chosen::default();
    for attr in scope.set {
        let attr = attr?;
        let number = usize::from(attr.number);
        if let Some(rule) = table.rules.get(table.places.of(number))
            && !rule.judge(number, attr.payload, scope, &mut chosen)
        {
            let wrong = rule.explain(number, attr.payload, scope, &mut chosen);
            wrong.map_err(|error| error.within(table.c_name(attr.number)))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use super::*;
    use crate::{Array, HwAddr, Writer, attrs};

    attrs! {
        /// A payload of each rule.
        struct RuledAttrs<'a> for Ruled {
            1 R_INT int: u32,
            2 R_IP ip: IpAddr,
            3 R_MAC mac: HwAddr,
            4 R_ARRAY array: Array<'a, u64>,
        }
    }
    attrs! {
        /// A set around it.
        struct AroundAttrs<'a> for Around { 1 R_SET set: RuledAttrs<'a>, }
    }

    #[test]
    fn what_is_wrong_is_named_with_what_was_wanted() {
        for (number, at, wrong) in [
            (1, "R_INT", &[(3, 4)][..]),
            (2, "R_IP", &[(0, 16), (5, 16), (64, 16), (68, 16)]),
            (3, "R_MAC", &[(33, 32), (70, 32)]),
            (4, "R_ARRAY", &[(4, 8), (65, 72)]),
        ] {
            for got in 0..80 {
                let mut out = Writer::new();
                out.nest(1, |out| out.put_bytes(number, &[0; 80][..got]));
                let scope = Scope::new(&[], Attrs::new(out.as_slice()));
                let read = AroundAttrs::read(&scope).map(|_| ());
                let mut here = AroundAttrs::unread(out.as_slice());
                assert_eq!(here.fill(&scope), read);
                let right = match number {
                    1 => got >= 4,
                    2 => got == 4 || got == 16,
                    3 => got <= 32,
                    _ => got % 8 == 0,
                };
                assert_eq!(read.is_ok(), right, "{at} of {got} bytes");
                if let Some((_, want)) = wrong.iter().find(|(length, _)| *length == got) {
                    assert_eq!(read, Err(DecodeError { at, why: Malformed::Length { want: *want, got } }));
                }
            }
        }
    }
}
