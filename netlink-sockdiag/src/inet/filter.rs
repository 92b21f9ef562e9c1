//! Filters that the kernel evaluates for each socket of a list.

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::ops::{BitAnd, BitOr, Not, RangeInclusive};

use netlink_core::{Malformed, Payload, Prefix, Rule, Shape, Unsendable, Writer, leaf, values};

use crate::Family;

values! {
    /// `INET_DIAG_BC_*`: instructions of a [`Bytecode`]. Each is a condition, and execution continues
    /// according to its result.
    pub struct Instruction: u8 {
        /// Always true.
        0 INET_DIAG_BC_NOP NOP "nop",
        /// Always false.
        1 INET_DIAG_BC_JMP JMP "jmp",
        /// The source port is this one or higher.
        2 INET_DIAG_BC_S_GE SOURCE_PORT_GE "sport >=",
        /// The source port is this one or lower.
        3 INET_DIAG_BC_S_LE SOURCE_PORT_LE "sport <=",
        /// The destination port is this one or higher.
        4 INET_DIAG_BC_D_GE DEST_PORT_GE "dport >=",
        /// The destination port is this one or lower.
        5 INET_DIAG_BC_D_LE DEST_PORT_LE "dport <=",
        /// The kernel chose the source port.
        6 INET_DIAG_BC_AUTO AUTO "autobound",
        /// The source address is in this prefix.
        7 INET_DIAG_BC_S_COND SOURCE "src",
        /// The destination address is in this prefix.
        8 INET_DIAG_BC_D_COND DEST "dst",
        /// The socket is bound to this link.
        9 INET_DIAG_BC_DEV_COND DEVICE "dev",
        /// The socket has this mark in the bits of a mask.
        10 INET_DIAG_BC_MARK_COND MARK "fwmark",
        /// The source port is this one.
        11 INET_DIAG_BC_S_EQ SOURCE_PORT_EQ "sport =",
        /// The destination port is this one.
        12 INET_DIAG_BC_D_EQ DEST_PORT_EQ "dport =",
        /// The socket belongs to this cgroup. Linux 5.8.
        13 INET_DIAG_BC_CGROUP_COND CGROUP "cgroup",
    }
}

/// Size of `struct inet_diag_bc_op`.
const HEAD: usize = 4;
/// Largest size in an attribute, in whole instructions.
const MAX: usize = (u16::MAX as usize - 4) & !3;

/// A condition for the sockets of a list, which the kernel evaluates.
///
/// ```
/// use netlink_sockdiag::inet::{self, Filter, IpProtocol};
/// use netlink_sockdiag::Family;
///
/// // ss -t 'dport = :80 and ( src 10.0.0.0/8 or not dev 2 )'
/// let ours = Filter::source("10.0.0.0/8".parse()?) | !Filter::interface(2);
/// let request = inet::list(Family::INET, IpProtocol::TCP).filter(&(Filter::dest_port(80) & ours));
/// # Ok::<(), netlink_sockdiag::PrefixError>(())
/// ```
///
/// A filter consists of the kernel's bytecode: a sequence of conditions. If a condition is true, the next one
/// follows; otherwise execution jumps ahead. Combining two filters appends one to the other, and sets the targets of
/// the jumps that are now known. So a filter of any size is built without recursion. A filter of more than 65,528
/// bytes is refused before it is sent. A port has 8 bytes, a prefix 16 or 28, and each `or` and `not` adds 4.
#[derive(Clone, PartialEq, Eq)]
pub struct Filter {
    code: Vec<u8>,
    /// The offsets of instructions that jump to the end and so reject the socket.
    rejecting: Vec<usize>,
}

impl Filter {
    /// Matches all sockets.
    pub fn everything() -> Self {
        Self { code: [Instruction::NOP.0, 4, 4, 0].into(), rejecting: Vec::new() }
    }

    fn condition(instruction: Instruction, argument: &[u8]) -> Self {
        let length = HEAD + argument.len();
        let mut code = Vec::with_capacity(length);
        // The longest argument has 24 bytes.
        code.extend([instruction.0, u8::try_from(length).unwrap_or_default(), 0, 0]);
        code.extend(argument);
        Self { code, rejecting: [0].into() }
    }

    fn port(instruction: Instruction, port: u16) -> Self {
        // The port is in an instruction of its own, in its second jump.
        let [low, high] = port.to_ne_bytes();
        Self::condition(instruction, &[0, 0, low, high])
    }

    /// Matches sockets with this source port.
    pub fn source_port(port: u16) -> Self {
        Self::port(Instruction::SOURCE_PORT_EQ, port)
    }

    /// Matches sockets with a source port in this range. An empty range matches none.
    pub fn source_ports(ports: RangeInclusive<u16>) -> Self {
        Self::port(Instruction::SOURCE_PORT_GE, *ports.start())
            & Self::port(Instruction::SOURCE_PORT_LE, *ports.end())
    }

    /// Matches sockets with this destination port.
    pub fn dest_port(port: u16) -> Self {
        Self::port(Instruction::DEST_PORT_EQ, port)
    }

    /// Matches sockets with a destination port in this range. An empty range matches none.
    pub fn dest_ports(ports: RangeInclusive<u16>) -> Self {
        Self::port(Instruction::DEST_PORT_GE, *ports.start())
            & Self::port(Instruction::DEST_PORT_LE, *ports.end())
    }

    fn prefix(instruction: Instruction, prefix: Prefix) -> Self {
        let mut argument = [0; 24];
        let length = match prefix.ip() {
            IpAddr::V4(ip) => {
                Self::host_condition(&mut argument, Family::INET, prefix.prefix_len(), ip.octets())
            }
            IpAddr::V6(ip) => {
                Self::host_condition(&mut argument, Family::INET6, prefix.prefix_len(), ip.octets())
            }
        };
        Self::condition(instruction, argument.get(..length).unwrap_or_default())
    }

    /// `struct inet_diag_hostcond`: family, length, padding, any port, address.
    fn host_condition<const N: usize>(out: &mut [u8; 24], family: Family, len: u8, ip: [u8; N]) -> usize {
        use netlink_core::layout::Field as _;
        [family.0, len, 0, 0].store(out, 0);
        (-1i32).store(out, 4);
        ip.store(out, 8);
        8 + N
    }

    /// Matches sockets with a source address in this prefix. An IPv4 prefix also matches IPv6 sockets with
    /// IPv4-mapped addresses (`::ffff:10.0.0.1`). Apart from that, no prefix matches sockets of the other
    /// family, not even `0.0.0.0/0`.
    pub fn source(prefix: Prefix) -> Self {
        Self::prefix(Instruction::SOURCE, prefix)
    }

    /// Matches sockets with a destination address in this prefix, with the rules of [`source`](Self::source).
    pub fn dest(prefix: Prefix) -> Self {
        Self::prefix(Instruction::DEST, prefix)
    }

    /// Matches sockets that are bound to the link with this index; 0 matches sockets that are bound to none.
    pub fn interface(index: u32) -> Self {
        Self::condition(Instruction::DEVICE, &index.to_ne_bytes())
    }

    /// Matches sockets with this mark in the bits of `mask`. Needs `CAP_NET_ADMIN`, otherwise the list is `EPERM`.
    pub fn mark(mark: u32, mask: u32) -> Self {
        Self::condition(Instruction::MARK, [mark.to_ne_bytes(), mask.to_ne_bytes()].as_flattened())
    }

    /// Matches sockets of the cgroup with this id: the inode of its directory in cgroup v2. Linux 5.8.
    pub fn cgroup(id: u64) -> Self {
        Self::condition(Instruction::CGROUP, &id.to_ne_bytes())
    }

    /// Matches sockets whose source port the kernel chose, and accepted connections.
    pub fn auto_port() -> Self {
        Self::condition(Instruction::AUTO, &[])
    }

    /// Appends an instruction that is always false, and returns its offset.
    fn jump(&mut self) -> usize {
        let at = self.code.len();
        self.code.extend([Instruction::JMP.0, 4, 0, 0]);
        at
    }

    /// Sets the target of these jumps: the current end plus `further` bytes.
    fn land(&mut self, jumps: &[usize], further: usize) {
        let end = self.code.len() + further;
        for at in jumps {
            // The distance is too large only if the filter is too long.
            let distance = u16::try_from(end - at).unwrap_or_default();
            if let Some(no) = self.code.get_mut(at + 2..).and_then(|rest| rest.first_chunk_mut()) {
                *no = distance.to_ne_bytes();
            }
        }
    }

    fn append(&mut self, other: &Self) {
        let start = self.code.len();
        self.code.extend_from_slice(&other.code);
        self.rejecting.extend(other.rejecting.iter().map(|at| at + start));
    }

    pub(super) fn put(&self, out: &mut Writer) {
        const INET_DIAG_REQ_BYTECODE: u16 = 1;
        let mut whole = self.clone();
        // A jump to four bytes after the end makes the kernel reject the socket.
        whole.land(&self.rejecting, HEAD);
        let start = out.open(INET_DIAG_REQ_BYTECODE);
        if whole.code.len() > MAX {
            out.fail(Unsendable::TooLong { length: whole.code.len(), max: MAX });
        } else {
            out.push(&whole.code);
        }
        out.close(start);
    }
}

impl BitAnd for Filter {
    type Output = Self;

    fn bitand(mut self, other: Self) -> Self {
        self.append(&other);
        self
    }
}

impl BitOr for Filter {
    type Output = Self;

    fn bitor(mut self, other: Self) -> Self {
        let failed = core::mem::take(&mut self.rejecting);
        let held = self.jump();
        self.land(&failed, 0);
        self.append(&other);
        self.land(&[held], 0);
        self
    }
}

impl Not for Filter {
    type Output = Self;

    fn not(mut self) -> Self {
        let failed = core::mem::take(&mut self.rejecting);
        let held = self.jump();
        self.land(&failed, 0);
        self.rejecting.push(held);
        self
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut whole = self.clone();
        whole.land(&self.rejecting, HEAD);
        Bytecode(&whole.code).fmt(f)
    }
}

/// A filter in its wire format. Prints as its instructions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bytecode<'a>(
    /// The bytes.
    pub &'a [u8],
);

/// One instruction of a [`Bytecode`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Step<'a> {
    /// The condition.
    pub instruction: Instruction,
    /// Offset in bytes to the next instruction if the condition is true.
    pub yes: u8,
    /// Offset in bytes to the next instruction if the condition is false.
    pub no: u16,
    /// The bytes after the instruction.
    pub argument: &'a [u8],
}

impl fmt::Debug for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { instruction, yes, no, argument } = self;
        write!(f, "{instruction} {:?} +{yes} +{no}", netlink_core::attr::Hex(argument))
    }
}

impl<'a> Bytecode<'a> {
    /// The instructions in order. An instruction that can't be read ends the iteration.
    pub fn steps(&self) -> impl Iterator<Item = Step<'a>> + use<'a> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let ([code, yes, no @ ..], _) = rest.split_first_chunk::<HEAD>()?;
            let (instruction, no) = (Instruction(*code), u16::from_ne_bytes(*no));
            let argument = rest.get(HEAD..usize::from(*yes))?;
            rest = rest.get(usize::from(*yes)..)?;
            Some(Step { instruction, yes: *yes, no, argument })
        })
    }
}

impl<'a> Payload<'a> for Bytecode<'a> {
    type Value = Self;
    const RULE: Rule = Rule::at_least(0);
    const SHAPE: Shape = leaf!(Bytecode<'_>);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        Ok(Self(payload))
    }

    fn encode(&self, out: &mut Writer) {
        out.push(self.0);
    }
}

impl fmt::Debug for Bytecode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.steps()).finish()
    }
}

netlink_core::serialize! { @value Bytecode<'_>, |code| netlink_core::Bytes(code.0) }

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
