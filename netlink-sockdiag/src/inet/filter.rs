//! Filters that the kernel runs on every socket of a dump.

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::ops::{BitAnd, BitOr, Not, RangeInclusive};

use netlink_core::{Malformed, Payload, Prefix, Rule, Shape, Unsendable, Writer, values};

use crate::Family;

values! {
    /// `INET_DIAG_BC_*`: instructions of a [`Bytecode`]. Each holds or not, and goes on accordingly.
    pub struct Instruction: u8 {
        /// Holds.
        0 INET_DIAG_BC_NOP NOP "nop",
        /// Doesn't hold.
        1 INET_DIAG_BC_JMP JMP "jmp",
        /// The source port is this one or higher.
        2 INET_DIAG_BC_S_GE SOURCE_PORT_GE "sport >=",
        /// The source port is this one or lower.
        3 INET_DIAG_BC_S_LE SOURCE_PORT_LE "sport <=",
        /// The destination port is this one or higher.
        4 INET_DIAG_BC_D_GE DEST_PORT_GE "dport >=",
        /// The destination port is this one or lower.
        5 INET_DIAG_BC_D_LE DEST_PORT_LE "dport <=",
        /// Nobody bound the socket to its source port.
        6 INET_DIAG_BC_AUTO AUTO "autobound",
        /// The source address is in this prefix.
        7 INET_DIAG_BC_S_COND SOURCE "src",
        /// The destination address is in this prefix.
        8 INET_DIAG_BC_D_COND DEST "dst",
        /// The socket is bound to this link.
        9 INET_DIAG_BC_DEV_COND DEVICE "dev",
        /// The socket has this mark under this mask.
        10 INET_DIAG_BC_MARK_COND MARK "fwmark",
        /// The source port is this one.
        11 INET_DIAG_BC_S_EQ SOURCE_PORT_EQ "sport =",
        /// The destination port is this one.
        12 INET_DIAG_BC_D_EQ DEST_PORT_EQ "dport =",
        /// The socket is of this cgroup. Linux 5.8.
        13 INET_DIAG_BC_CGROUP_COND CGROUP "cgroup",
    }
}

/// Bytes of `struct inet_diag_bc_op`.
const HEAD: usize = 4;
/// As much as an attribute holds, in whole instructions.
const MAX: usize = (u16::MAX as usize - 4) & !3;

/// Which sockets a dump lists: an expression the kernel evaluates.
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
/// It is the kernel's bytecode from the start: a run of conditions, each of which goes on to the next one if it holds
/// and jumps ahead if it doesn't. Combining filters appends one to the other and fixes the jumps that get their
/// target by that, so that a filter of any size is built without recursion. One of more than 65,528 bytes is refused
/// when it is sent; a port is 8, a prefix 16 or 28 of them, and each `or` and `not` adds 4.
#[derive(Clone, PartialEq, Eq)]
pub struct Filter {
    code: Vec<u8>,
    /// The instructions that jump to the end of all, and so reject the socket, by their offsets.
    rejecting: Vec<usize>,
}

impl Filter {
    /// Every socket.
    pub fn everything() -> Self {
        Self { code: [Instruction::NOP.0, 4, 4, 0].into(), rejecting: Vec::new() }
    }

    fn condition(instruction: Instruction, argument: &[u8]) -> Self {
        let length = HEAD + argument.len();
        let mut code = Vec::with_capacity(length);
        // The longest argument is 24 bytes.
        code.extend([instruction.0, u8::try_from(length).unwrap_or_default(), 0, 0]);
        code.extend(argument);
        Self { code, rejecting: [0].into() }
    }

    fn port(instruction: Instruction, port: u16) -> Self {
        // In an instruction of its own, where that keeps its second jump.
        let [low, high] = port.to_ne_bytes();
        Self::condition(instruction, &[0, 0, low, high])
    }

    /// The source port is this one.
    pub fn source_port(port: u16) -> Self {
        Self::port(Instruction::SOURCE_PORT_EQ, port)
    }

    /// The source port is one of these; none is if the range is empty.
    pub fn source_ports(ports: RangeInclusive<u16>) -> Self {
        Self::port(Instruction::SOURCE_PORT_GE, *ports.start())
            & Self::port(Instruction::SOURCE_PORT_LE, *ports.end())
    }

    /// The destination port is this one.
    pub fn dest_port(port: u16) -> Self {
        Self::port(Instruction::DEST_PORT_EQ, port)
    }

    /// The destination port is one of these; none is if the range is empty.
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

    /// The source address is in this prefix. One of IPv4 also takes in IPv6 sockets with an IPv4 address
    /// (`::ffff:10.0.0.1`); none takes in sockets of the other family, not even `0.0.0.0/0`.
    pub fn source(prefix: Prefix) -> Self {
        Self::prefix(Instruction::SOURCE, prefix)
    }

    /// The destination address is in this prefix; as with [`source`](Self::source).
    pub fn dest(prefix: Prefix) -> Self {
        Self::prefix(Instruction::DEST, prefix)
    }

    /// The socket is bound to the link of this index; 0 is to none.
    pub fn interface(index: u32) -> Self {
        Self::condition(Instruction::DEVICE, &index.to_ne_bytes())
    }

    /// The socket's mark is this one, in the bits of the mask. Needs `CAP_NET_ADMIN`, else the dump is `EPERM`.
    pub fn mark(mark: u32, mask: u32) -> Self {
        Self::condition(Instruction::MARK, [mark.to_ne_bytes(), mask.to_ne_bytes()].as_flattened())
    }

    /// The socket is of the cgroup of this id: the inode of its directory in cgroup v2. Linux 5.8.
    pub fn cgroup(id: u64) -> Self {
        Self::condition(Instruction::CGROUP, &id.to_ne_bytes())
    }

    /// Nobody bound the socket to its source port: the kernel chose it, or the connection was accepted.
    pub fn auto_port() -> Self {
        Self::condition(Instruction::AUTO, &[])
    }

    /// Appends an instruction that never holds; gives its offset.
    fn jump(&mut self) -> usize {
        let at = self.code.len();
        self.code.extend([Instruction::JMP.0, 4, 0, 0]);
        at
    }

    /// Lets instructions jump to the end of what there is, and so many bytes further.
    fn land(&mut self, jumps: &[usize], further: usize) {
        let end = self.code.len() + further;
        for at in jumps {
            // Too far is only possible in a filter that is too long.
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

    /// Appends the attribute.
    pub(super) fn put(&self, out: &mut Writer) {
        const INET_DIAG_REQ_BYTECODE: u16 = 1;
        let mut whole = self.clone();
        // Four bytes behind the end is where the kernel rejects.
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

/// A filter as it travels. Prints as its instructions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bytecode<'a>(
    /// The bytes.
    pub &'a [u8],
);

/// One instruction of a [`Bytecode`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Step<'a> {
    /// What is asked.
    pub instruction: Instruction,
    /// How many bytes further it goes on if that holds.
    pub yes: u8,
    /// How many bytes further it goes on if not.
    pub no: u16,
    /// What follows the instruction.
    pub argument: &'a [u8],
}

impl fmt::Debug for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { instruction, yes, no, argument } = self;
        write!(f, "{instruction} {:?} +{yes} +{no}", netlink_core::attr::Hex(argument))
    }
}

impl<'a> Bytecode<'a> {
    /// The instructions in the order they stand; those that can't be read end it.
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
    const SHAPE: Shape = Shape::Value(|bytes, f| Shape::show(f, bytes, Bytecode::decode(bytes)));

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
