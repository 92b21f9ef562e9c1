//! Where the attributes of a set stand in its bytes.

use super::{ATTR_HEADER, Attr, Chosen, NLA_TYPE_MASK, Rule, Scope, Table, align4, split_header, walk};

/// The place of each number among what a table keeps for its rows.
///
/// It is the number itself, unless most numbers below the largest have no row: then rows stand one behind the other,
/// and place 0 is that of all the other numbers.
#[derive(Clone, Copy, Debug)]
pub struct Places(&'static [u8]);

impl Places {
    /// What is kept for numbers without a row, at most, before rows stand one behind the other.
    const SPARE: usize = 16;

    /// Of a table with rows of these numbers, whose [`map`](Self::map) this is.
    pub const fn new(map: &'static [u8]) -> Self {
        Self(map)
    }

    /// One more than the largest number.
    const fn numbers(mut rows: &[usize]) -> usize {
        let mut numbers = 1;
        while let [number, rest @ ..] = rows {
            if *number >= numbers {
                numbers = *number + 1;
            }
            rows = rest;
        }
        numbers
    }

    const fn sparse(rows: &[usize]) -> bool {
        Self::numbers(rows) > 2 * rows.len() + Self::SPARE
    }

    /// How many places rows of these numbers take.
    pub const fn count(rows: &[usize]) -> usize {
        if Self::sparse(rows) { rows.len() + 1 } else { Self::numbers(rows) }
    }

    /// The numbers that a map is needed for.
    pub const fn mapped(rows: &[usize]) -> usize {
        if Self::sparse(rows) { Self::numbers(rows) } else { 0 }
    }

    /// The place of each number, as [`mapped`](Self::mapped) says how many.
    #[allow(clippy::cast_possible_truncation, clippy::indexing_slicing)] // only the compiler runs it
    pub const fn map<const N: usize>(rows: &[usize]) -> [u8; N] {
        let mut map = [0; N];
        let mut row = 0;
        while N > 0 && row < rows.len() {
            assert!(row < 255, "more rows than a map can tell apart");
            map[rows[row]] = row as u8 + 1;
            row += 1;
        }
        map
    }

    /// The room that so many places take in [`Fields`](super::Fields).
    pub const fn room(rows: &[usize]) -> usize {
        let places = Self::count(rows);
        if places <= Few::PLACES { 0 } else { places }
    }

    /// Whether each number is its own place.
    #[inline(always)]
    pub(super) const fn are_numbers(self) -> bool {
        self.0.is_empty()
    }

    /// That of a number, unless it has no row and shares a place with all others.
    #[inline(always)]
    pub(super) fn of_row(self, number: u16) -> Option<usize> {
        let place = self.of(number as usize);
        if place == 0 && !self.are_numbers() { None } else { Some(place) }
    }

    /// That of a number; at or behind the last place, if it is larger than all that have a row.
    #[inline(always)]
    #[allow(clippy::indexing_slicing)] // `get` is no constant function, and there is an element
    pub const fn of(self, number: usize) -> usize {
        match self.0 {
            [] => number,
            map if number < map.len() => map[number] as usize,
            _ => 0,
        }
    }
}

/// Where the attributes of a small table stand, in three words.
///
/// They stay in registers. A slot per number has to be in memory, and is written a few bytes at a time: whoever
/// copies the set next in wider pieces waits for those stores. A route read and every attribute looked at took
/// 39 ns that way and takes 26 this way, read and copied 32 and 14.
#[derive(Clone, Copy)]
pub(super) struct Few {
    /// A bit per place.
    present: u64,
    /// The places of the last seven attributes, each plus one, in a byte each: the last one's is the lowest. None,
    /// if they stand too far behind.
    places: u64,
    /// Their offsets in words of four bytes, likewise, seven bits further up: see [`find`](Self::find).
    words: u64,
}

impl Few {
    pub(super) const NONE: Self = Self { present: 0, places: 0, words: 0 };
    /// How many a table may have.
    const PLACES: usize = 64;
    const EACH: u64 = u64::from_ne_bytes([1; 8]);

    #[inline(always)]
    fn push(&mut self, place: usize, at: usize) {
        self.present |= 1 << (place % 64);
        // Sums, for one instruction less each. What stood before the last seven falls out at the upper end.
        self.places = (self.places << 8).wrapping_add(place as u64 + 1);
        self.words = (self.words << 3).wrapping_add(at as u64) << 5;
    }

    /// After the last one, of a set this long.
    #[inline(always)]
    fn close(&mut self, length: usize) {
        let kept = if length > 1024 { 0 } else { u64::MAX };
        self.places &= kept >> 8;
        self.words &= kept;
    }

    /// Of a set of this table that was checked.
    #[inline(always)]
    pub(super) fn of(set: &[u8], table: &'static Table) -> Option<Self> {
        let (mut few, places) = (Self::NONE, table.rules.len());
        let stopped = walk(set, set, |number, _, at| {
            let place = table.places.of(number);
            if place < places {
                few.push(place, at);
            }
            true
        });
        few.close(set.len());
        if stopped.is_none() { Some(few) } else { None }
    }

    /// Finds and checks the attributes of a set; `None`, if something is wrong with it.
    ///
    /// What takes more than a look at the length is left to [`resume`](Self::resume): with a call in it, the loop
    /// would have to keep its state in memory.
    #[inline(always)]
    pub(super) fn read(scope: &Scope<'_>, table: &'static Table) -> Option<Self> {
        let set = scope.set.rest();
        let mut few = Self::NONE;
        let stopped = walk(set, set, |number, payload, at| {
            let place = table.places.of(number);
            match table.rules.get(place) {
                Some(rule) if rule.fits(payload) => {
                    few.push(place, at);
                    true
                }
                rule => rule.is_none(),
            }
        });
        if let Some(rest) = stopped {
            few = few.resume(rest, *scope, table)?;
        }
        few.close(set.len());
        Some(few)
    }

    #[inline(never)]
    fn resume(mut self, rest: &[u8], scope: Scope<'_>, table: &'static Table) -> Option<Self> {
        let mut chosen = Chosen::default();
        let stopped = walk(scope.set.rest(), rest, |number, payload, at| {
            let place = table.places.of(number);
            let Some(rule) = table.rules.get(place) else { return true };
            self.push(place, at);
            rule.judge(number, payload, &scope, &mut chosen)
        });
        if stopped.is_none() { Some(self) } else { None }
    }

    /// The last attribute of this number in `set`; the table has this place for it.
    #[inline(always)]
    pub(super) fn find<'a>(&self, number: u16, place: usize, set: &'a [u8]) -> Option<Attr<'a>> {
        if self.present >> (place % 64) & 1 == 0 {
            return None;
        }
        // Of the bytes that equal the place, all but the lowest may be missed: none has its highest bit, and
        // the lowest zero is the first to borrow it.
        let differences = self.places ^ Self::EACH.wrapping_mul(place as u64 + 1);
        let equal = differences.wrapping_sub(Self::EACH) & Self::EACH << 7;
        if equal == 0 {
            return search(set, number, self.words);
        }
        let at = (self.words >> equal.trailing_zeros() & 0xff) as usize * 4;
        // One question for room, not two.
        let (before, rest) = set.split_at_checked(at + ATTR_HEADER)?;
        let (length, kind) = split_header(*before.last_chunk()?);
        Some(Attr { number, flags: kind & !NLA_TYPE_MASK, payload: rest.get(..length)? })
    }
}

/// The last attribute of this number that is none of the seven that these words tell the places of.
#[inline(never)]
fn search(set: &[u8], wanted: u16, words: u64) -> Option<Attr<'_>> {
    let before = match (words >> 55 & 0xff) as usize {
        0 => set,
        seventh => set.get(..seventh * 4)?,
    };
    // Not through `Attrs`: that takes 96 instructions for three attributes, and this 61.
    let (mut found, mut rest) = (None, before);
    while let Some((header, tail)) = rest.split_first_chunk() {
        let (length, kind) = split_header(*header);
        let payload = tail.get(..length)?;
        if kind & NLA_TYPE_MASK == wanted {
            found = Some(Attr { number: wanted, flags: kind & !NLA_TYPE_MASK, payload });
        }
        rest = tail.get(align4(length)..).unwrap_or_default();
    }
    found
}

/// Where one attribute of a large table stands: offset of its payload in words of four bytes, and length of it.
/// No payload stands at the very beginning: 0 is absent.
#[derive(Clone, Copy)]
pub(super) struct Slot(u32);

impl Slot {
    pub(super) const ABSENT: Self = Self(0);
    /// The bytes that offsets reach. No message is longer; what stands further behind reads as absent.
    const REACH: usize = 1 << 18;

    /// For the attribute whose header is at `at`, which is within reach.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)] // neither is: an offset within reach, the length of a payload
    const fn new(at: usize, length: usize) -> Self {
        Self(((at + ATTR_HEADER) as u32) << 14 | length as u32)
    }

    #[inline(always)]
    pub(super) fn find<'a>(self, number: u16, set: &'a [u8]) -> Option<Attr<'a>> {
        if self.0 == 0 {
            return None;
        }
        let at = (self.0 >> 16) as usize * 4;
        let payload = set.get(at..at + (self.0 & 0xffff) as usize)?;
        let kind = set.get(at - 2..).and_then(|rest| rest.first_chunk());
        let flags = kind.map_or(0, |kind| u16::from_ne_bytes(*kind) & !NLA_TYPE_MASK);
        Some(Attr { number, flags, payload })
    }

    /// Notes the attributes of a set that was checked.
    #[inline(never)]
    pub(super) fn fill(slots: &mut [Self], set: &[u8], places: Places) -> bool {
        let stopped = walk(set, set, |number, payload, at| {
            match slots.get_mut(places.of(number)) {
                Some(slot) if at < Self::REACH - ATTR_HEADER => *slot = Self::new(at, payload.len()),
                _ => {}
            }
            true
        });
        stopped.is_none()
    }

    /// Notes and checks the attributes of a set.
    #[inline(never)]
    pub(super) fn read(slots: &mut [Self], scope: Scope<'_>, table: &'static Table) -> bool {
        #[inline(always)]
        fn read(
            slots: &mut [Slot],
            scope: &Scope<'_>,
            rules: &'static [Rule],
            place: impl Fn(usize) -> usize,
        ) -> bool {
            // As many slots as rules: one question whether there is such a place settles both.
            let Some(near) = slots.get_mut(..rules.len()) else { return false };
            let (set, mut chosen) = (scope.set.rest(), Chosen::default());
            let stopped = walk(set, set, |number, payload, at| {
                let place = place(number);
                let (Some(rule), Some(slot)) = (rules.get(place), near.get_mut(place)) else { return true };
                *slot = Slot::new(at, payload.len());
                rule.judge(number, payload, scope, &mut chosen)
            });
            stopped.is_none()
        }
        let sound = if table.places.are_numbers() {
            read(slots, &scope, table.rules, |number| number)
        } else {
            read(slots, &scope, table.rules, |number| table.places.of(number))
        };
        let set = scope.set.rest();
        if set.len() > Self::REACH {
            slots.fill(Self::ABSENT);
            Self::fill(slots, set, table.places);
        }
        sound
    }
}
