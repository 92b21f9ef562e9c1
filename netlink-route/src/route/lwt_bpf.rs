//! BPF programs on a route. Kernel side: `net/core/lwt_bpf.c`.

use core::fmt;

use netlink_core::{Str, attrs};

use super::encap::Words;

attrs! {
    /// `LWT_BPF_PROG_*`: a loaded program.
    pub struct BpfProgramAttrs<'a> for BpfProgram {
        /// Its file descriptor in the requester. Required in requests; never in a reply.
        1 LWT_BPF_PROG_FD fd: u32,
        /// A name for people. Required in requests.
        2 LWT_BPF_PROG_NAME name: Str<'a, 255>,
    }
}

attrs! {
    /// `LWT_BPF_*`: programs that run on packets of this route.
    pub struct BpfAttrs<'a> for Bpf {
        /// Runs on received packets: `BPF_PROG_TYPE_LWT_IN`.
        1 LWT_BPF_IN input: BpfProgramAttrs<'a>,
        /// Runs on sent packets before fragmentation: `BPF_PROG_TYPE_LWT_OUT`.
        2 LWT_BPF_OUT output: BpfProgramAttrs<'a>,
        /// Runs on sent packets, and can change or redirect them: `BPF_PROG_TYPE_LWT_XMIT`.
        3 LWT_BPF_XMIT xmit: BpfProgramAttrs<'a>,
        /// Free bytes in front of packets for the `xmit` program, at most 256. Never in a reply.
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
