//! BPF programs on a route. Kernel side: `net/core/lwt_bpf.c`.

use core::fmt;

use netlink_core::{Str, attrs};

use super::encap::Words;

attrs! {
    /// `LWT_BPF_PROG_*`: a loaded program.
    pub struct BpfProgramAttrs<'a> for BpfProgram {
        /// Its file descriptor in the requester. Required to set; the kernel never tells it.
        1 LWT_BPF_PROG_FD fd: u32,
        /// A name for people. Required to set.
        2 LWT_BPF_PROG_NAME name: Str<'a, 255>,
    }
}

attrs! {
    /// `LWT_BPF_*`: programs that packets of this route pass.
    pub struct BpfAttrs<'a> for Bpf {
        /// For packets that come in: `BPF_PROG_TYPE_LWT_IN`.
        1 LWT_BPF_IN input: BpfProgramAttrs<'a>,
        /// For packets that leave, before they are fragmented: `BPF_PROG_TYPE_LWT_OUT`.
        2 LWT_BPF_OUT output: BpfProgramAttrs<'a>,
        /// For packets that leave, and may be changed or sent elsewhere: `BPF_PROG_TYPE_LWT_XMIT`.
        3 LWT_BPF_XMIT xmit: BpfProgramAttrs<'a>,
        /// Bytes to keep free in front of packets for the last of them, at most 256. Never in a reply.
        4 LWT_BPF_XMIT_HEADROOM xmit_headroom: u32,
    }
}

/// `in name out name xmit name headroom 14`
impl Words for BpfAttrs<'_> {
    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let programs = [("in", self.input()), ("out", self.output()), ("xmit", self.xmit())];
        for (hook, program) in programs {
            let Some(program) = program else { continue };
            write!(f, " {hook} {}", program.name().unwrap_or_default())?;
        }
        self.xmit_headroom().map_or(Ok(()), |bytes| write!(f, " headroom {bytes}"))
    }
}
