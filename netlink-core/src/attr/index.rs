//! Where the attributes of a set stand in its bytes.

use super::{ATTR_HEADER, Attr, Chosen, NLA_TYPE_MASK, Rule, Scope, align4, split_header, walk};

/// The room a table needs in [`Fields`](super::Fields), by one more than its largest number.
#[doc(hidden)]
pub const fn index_room(numbers: usize) -> usize {
    if numbers <= Few::NUMBERS { 0 } else { numbers }
}

/// Where the attributes of a small table stand, in three words.
///
/// They stay in registers. A slot per number has to be in memory, and is written a few bytes at a time: whoever
/// copies the set next in wider pieces waits for those stores. A route read and every attribute looked at took
/// 39 ns that way and takes 26 this way, read and copied 32 and 14.
#[derive(Clone, Copy)]
pub(super) struct Few {
    /// A bit per number.
    present: u64,
    /// The numbers of the last seven attributes, each plus one, in a byte each: the last one's is the lowest. None,
    /// if they stand too far behind.
    numbers: u64,
    /// Their offsets in words of four bytes, likewise, seven bits further up: see [`find`](Self::find).
    words: u64,
}

impl Few {
    pub(super) const NONE: Self = Self { present: 0, numbers: 0, words: 0 };
    /// What a table's numbers must be below.
    const NUMBERS: usize = 64;
    const EACH: u64 = u64::from_ne_bytes([1; 8]);

    #[inline(always)]
    fn push(&mut self, number: usize, at: usize) {
        self.present |= 1 << (number % 64);
        // Sums, for one instruction less each. What stood before the last seven falls out at the upper end.
        self.numbers = (self.numbers << 8).wrapping_add(number as u64 + 1);
        self.words = (self.words << 3).wrapping_add(at as u64) << 5;
    }

    /// After the last one, of a set this long.
    #[inline(always)]
    fn close(&mut self, length: usize) {
        let kept = if length > 1024 { 0 } else { u64::MAX };
        self.numbers &= kept >> 8;
        self.words &= kept;
    }

    /// Of a set that was checked, for a table with so many numbers.
    #[inline(always)]
    pub(super) fn of(set: &[u8], numbers: usize) -> Option<Self> {
        let mut few = Self::NONE;
        let stopped = walk(set, set, |number, _, at| {
            if number < numbers {
                few.push(number, at);
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
    pub(super) fn read(scope: &Scope<'_>, rules: &'static [Rule]) -> Option<Self> {
        let set = scope.set.rest();
        let mut few = Self::NONE;
        let stopped = walk(set, set, |number, payload, at| match rules.get(number) {
            Some(rule) if rule.fits(payload) => {
                few.push(number, at);
                true
            }
            rule => rule.is_none(),
        });
        if let Some(rest) = stopped {
            few = few.resume(rest, *scope, rules)?;
        }
        few.close(set.len());
        Some(few)
    }

    #[inline(never)]
    fn resume(mut self, rest: &[u8], scope: Scope<'_>, rules: &'static [Rule]) -> Option<Self> {
        let mut chosen = Chosen::default();
        let stopped = walk(scope.set.rest(), rest, |number, payload, at| {
            let Some(rule) = rules.get(number) else { return true };
            self.push(number, at);
            rule.judge(number, payload, &scope, &mut chosen)
        });
        if stopped.is_none() { Some(self) } else { None }
    }

    /// The last attribute of this number in `set`.
    #[inline(always)]
    pub(super) fn find<'a>(&self, number: u16, set: &'a [u8]) -> Option<Attr<'a>> {
        if self.present >> (number % 64) & 1 == 0 {
            return None;
        }
        // Of the bytes that equal the number, all but the lowest may be missed: none has its highest bit, and
        // the lowest zero is the first to borrow it.
        let differences = self.numbers ^ Self::EACH.wrapping_mul(u64::from(number + 1));
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
    pub(super) fn fill(slots: &mut [Self], set: &[u8]) -> bool {
        let stopped = walk(set, set, |number, payload, at| {
            match slots.get_mut(number) {
                Some(slot) if at < Self::REACH - ATTR_HEADER => *slot = Self::new(at, payload.len()),
                _ => {}
            }
            true
        });
        stopped.is_none()
    }

    /// Notes and checks the attributes of a set.
    #[inline(never)]
    pub(super) fn read(slots: &mut [Self], scope: Scope<'_>, rules: &'static [Rule]) -> bool {
        let set = scope.set.rest();
        // As many slots as rules: one question whether there is such a number settles both.
        let Some(near) = slots.get_mut(..rules.len()) else { return false };
        let mut chosen = Chosen::default();
        let stopped = walk(set, set, |number, payload, at| {
            let (Some(rule), Some(slot)) = (rules.get(number), near.get_mut(number)) else { return true };
            *slot = Self::new(at, payload.len());
            rule.judge(number, payload, &scope, &mut chosen)
        });
        if set.len() > Self::REACH {
            slots.fill(Self::ABSENT);
            Self::fill(slots, set);
        }
        stopped.is_none()
    }
}
