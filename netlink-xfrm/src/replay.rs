//! Replay protection: counters and windows.

use netlink_core::{Array, Malformed, Payload, Rule, Shape, Unsendable, Writer, checked, layout, leaf};

layout! {
    /// `struct xfrm_replay_state`: counters of 32 bits, and a window of at most 32 packets.
    pub struct Replay: xfrm_replay_state = 12 {
        /// Sequence number of the last packet sent.
        oseq: u32,
        /// Highest sequence number received.
        seq: u32,
        /// One bit per received packet. The lowest bit is the highest sequence number.
        bitmap: u32,
    }
}

/// Largest window of the kernel, in packets: `XFRMA_REPLAY_ESN_MAX`.
pub const REPLAY_ESN_MAX: u32 = 4096;

/// `struct xfrm_replay_state_esn`: a window of up to 4096 packets. Counters have 64 bits if the state has
/// [`StateFlags::ESN`](crate::state::StateFlags::ESN).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReplayEsn<'a> {
    /// Sequence number of the last packet sent, lower half.
    pub oseq: u32,
    /// Highest sequence number received, lower half.
    pub seq: u32,
    /// Upper half of `oseq`.
    pub oseq_hi: u32,
    /// Upper half of `seq`.
    pub seq_hi: u32,
    /// Size of the window, in packets.
    pub replay_window: u32,
    /// One bit per packet. To send: as many words as `words`, or none for zeros.
    pub bitmap: Array<'a, u32>,
    /// Number of words in the bitmap.
    pub words: u32,
}

impl<'a> ReplayEsn<'a> {
    const HEADER: usize = 24;

    /// No packet sent or received, and a window of this many packets.
    pub const fn new(window: u32) -> Self {
        let bitmap = Array::new(&[]);
        let words = window.div_ceil(32);
        Self { oseq: 0, seq: 0, oseq_hi: 0, seq_hi: 0, replay_window: window, bitmap, words }
    }

    /// The sequence number of the last packet sent.
    #[must_use]
    pub const fn sent(self, number: u64) -> Self {
        let [oseq, oseq_hi] = halves(number);
        Self { oseq, oseq_hi, ..self }
    }

    /// The highest sequence number received.
    #[must_use]
    pub const fn received(self, number: u64) -> Self {
        let [seq, seq_hi] = halves(number);
        Self { seq, seq_hi, ..self }
    }

    /// The received packets of the window.
    #[must_use]
    pub const fn bitmap(self, words: &'a [u32]) -> Self {
        Self { bitmap: Array::new(words), ..self }
    }
}

#[allow(clippy::cast_possible_truncation)]
const fn halves(number: u64) -> [u32; 2] {
    [number as u32, (number >> 32) as u32]
}

impl<'a> Payload<'a> for ReplayEsn<'a> {
    type Value = Self;
    const RULE: Rule = checked!(ReplayEsn<'_>);
    const SHAPE: Shape = leaf!(ReplayEsn<'_>);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let short = |want| Malformed::Length { want, got: payload.len() };
        let (header, rest) = payload.split_at_checked(Self::HEADER).ok_or_else(|| short(Self::HEADER))?;
        let header = Array::<'_, u32>::decode(header)?;
        let number = |at| header.get(at).unwrap_or_default();
        let length = usize::try_from(number(0)).unwrap_or(usize::MAX).saturating_mul(4);
        let bitmap = match rest.get(..length) {
            Some(words) => Array::decode(words)?,
            None if rest.is_empty() => Array::new(&[]),
            None => return Err(short(Self::HEADER.saturating_add(length))),
        };
        Ok(Self {
            words: number(0),
            oseq: number(1),
            seq: number(2),
            oseq_hi: number(3),
            seq_hi: number(4),
            replay_window: number(5),
            bitmap,
        })
    }

    fn encode(&self, out: &mut Writer) {
        if self.replay_window > REPLAY_ESN_MAX || self.words > REPLAY_ESN_MAX / 32 {
            return out.fail(Unsendable::Value("a replay window of more than 4096 packets"));
        }
        if !self.bitmap.is_empty() && u32::try_from(self.bitmap.len()) != Ok(self.words) {
            return out.fail(Unsendable::Value("a replay bitmap of another size than its window"));
        }
        for number in [self.words, self.oseq, self.seq, self.oseq_hi, self.seq_hi, self.replay_window] {
            out.push(&number.to_ne_bytes());
        }
        let words = usize::try_from(self.words).unwrap_or_default();
        for at in 0..words {
            out.push(&self.bitmap.get(at).unwrap_or_default().to_ne_bytes());
        }
    }
}

netlink_core::serialize! { impl ['x] for ReplayEsn<'x>, |replay, fields| {
    fields.entry("oseq", &replay.oseq)?;
    fields.entry("seq", &replay.seq)?;
    fields.entry("oseq_hi", &replay.oseq_hi)?;
    fields.entry("seq_hi", &replay.seq_hi)?;
    fields.entry("replay_window", &replay.replay_window)?;
    fields.entry("bitmap", &replay.bitmap)?;
} }

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(replay: ReplayEsn<'_>) -> Result<alloc::vec::Vec<u8>, Unsendable> {
        let mut out = Writer::new();
        replay.encode(&mut out);
        out.error().map_or_else(|| Ok(out.into_bytes()), |(_, why)| Err(why))
    }

    #[test]
    fn windows_of_any_size_read_as_they_were_written() {
        for window in [0, 1, 32, 33, 64, 128, 1000, 4096] {
            let replay = ReplayEsn::new(window).sent(0x1_0000_0002).received(3);
            let bytes = bytes(replay).unwrap();
            assert_eq!(bytes.len(), 24 + window.div_ceil(32) as usize * 4);
            let read = ReplayEsn::decode(&bytes).unwrap();
            assert_eq!((read.replay_window, read.oseq, read.oseq_hi, read.seq), (window, 2, 1, 3));
            assert!(read.bitmap.iter().all(|word| word == 0));
            assert_eq!(ReplayEsn::decode(&bytes[..24]).unwrap().replay_window, window);
        }
        let words = [1, 2];
        let read = bytes(ReplayEsn::new(64).bitmap(&words)).unwrap();
        assert!(ReplayEsn::decode(&read).unwrap().bitmap.iter().eq(words));
        assert!(ReplayEsn::decode(&read[..28]).is_err() && ReplayEsn::decode(&read[..23]).is_err());
    }

    #[test]
    fn windows_larger_than_the_kernels_are_refused() {
        assert!(bytes(ReplayEsn::new(4097)).is_err());
        assert!(bytes(ReplayEsn::new(64).bitmap(&[1])).is_err());
    }
}
