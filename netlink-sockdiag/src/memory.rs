//! Memory use of a socket.

use core::fmt;

use netlink_core::{Array, Attr, Malformed, Payload, Rule, Scope, Shape, Writer, leaf, values};

values! {
    /// `SK_MEMINFO_*`: counters of a socket's memory; see [`Memory`].
    pub struct MemoryCounter: u16 {
        /// Bytes of packets that were received and not yet read, with overhead.
        0 SK_MEMINFO_RMEM_ALLOC RMEM_ALLOC "rmem_alloc",
        /// Limit for received packets, in bytes: `SO_RCVBUF`.
        1 SK_MEMINFO_RCVBUF RCVBUF "rcvbuf",
        /// Bytes of packets that were given to the link layer and not yet sent, with overhead.
        2 SK_MEMINFO_WMEM_ALLOC WMEM_ALLOC "wmem_alloc",
        /// Limit for data to send, in bytes: `SO_SNDBUF`.
        3 SK_MEMINFO_SNDBUF SNDBUF "sndbuf",
        /// Bytes that were charged to the protocol in advance and not yet used.
        4 SK_MEMINFO_FWD_ALLOC FWD_ALLOC "fwd_alloc",
        /// Bytes that were written and not yet acknowledged, with overhead. TCP.
        5 SK_MEMINFO_WMEM_QUEUED WMEM_QUEUED "wmem_queued",
        /// Bytes of options and filters.
        6 SK_MEMINFO_OPTMEM OPTMEM "optmem",
        /// Bytes of packets that arrived while the process used the socket.
        7 SK_MEMINFO_BACKLOG BACKLOG "backlog",
        /// Packets dropped since the socket was made.
        8 SK_MEMINFO_DROPS DROPS "drops",
    }
}

/// Memory use of a socket: a number per [`MemoryCounter`].
#[derive(Clone, Copy, PartialEq)]
pub struct Memory<'a>(Array<'a, u32>);

impl<'a> Memory<'a> {
    /// Numbers to send, in the order of [`MemoryCounter`].
    pub const fn new(values: &'a [u32]) -> Self {
        Self(Array::new(values))
    }

    /// One number; `None` if the kernel does not have it.
    pub fn get(&self, counter: MemoryCounter) -> Option<u32> {
        self.0.get(counter.0.into())
    }

    /// All numbers, including those without a name.
    pub fn iter(&self) -> impl Iterator<Item = (MemoryCounter, u32)> + use<'a> {
        (0..).map(MemoryCounter).zip(self.0.iter())
    }
}

impl<'a> Payload<'a> for Memory<'a> {
    type Value = Self;
    const RULE: Rule = Array::<'a, u32>::RULE;
    const SHAPE: Shape = leaf!(Memory<'_>);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        Array::decode(payload).map(Self)
    }

    fn encode(&self, out: &mut Writer) {
        self.0.encode(out);
    }

    fn of(attr: Attr<'a>, scope: &Scope<'a>) -> Result<Self, Malformed> {
        Array::of(attr, scope).map(Self)
    }
}

impl fmt::Debug for Memory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

netlink_core::serialize! { @with ['a] Memory<'a>, |memory, serializer| {
    serializer.collect_map(memory.iter())
} }

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn memory_may_be_shorter_or_longer() {
        let bytes = [7u32, 8].map(u32::to_ne_bytes).concat();
        let memory = Memory::decode(&bytes).unwrap();
        assert_eq!(memory.get(MemoryCounter::RCVBUF), Some(8));
        assert_eq!(memory.get(MemoryCounter::DROPS), None);
        assert_eq!(format!("{memory:?}"), "{rmem_alloc: 7, rcvbuf: 8}");
    }
}
