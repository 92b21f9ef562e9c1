//! Random expressions: the bytecode passes the kernel's checks and gives the result of the expression.
//!
//! `audit` and `run` follow `inet_diag_bc_audit` and `inet_diag_bc_run` of `net/ipv4/inet_diag.c`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::*;
use crate::inet::{self, IpProtocol};
use core::net::{Ipv4Addr, Ipv6Addr};
use netlink_core::Error;
use netlink_core::message::HEADER_LEN;

/// The data of a socket that conditions use.
#[derive(Clone, Copy, Debug)]
struct Entry {
    source: IpAddr,
    dest: IpAddr,
    ports: (u16, u16),
    auto: bool,
    interface: u32,
    mark: u32,
    cgroup: u64,
}

#[derive(Clone, Debug)]
enum Expression {
    Everything,
    SourcePort(u16),
    SourcePorts(u16, u16),
    DestPort(u16),
    DestPorts(u16, u16),
    Source(Prefix),
    Dest(Prefix),
    Interface(u32),
    Mark(u32, u32),
    Cgroup(u64),
    Auto,
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

use Expression as E;

impl Expression {
    fn holds(&self, entry: &Entry) -> bool {
        match self {
            Self::Everything => true,
            Self::SourcePort(port) => entry.ports.0 == *port,
            Self::SourcePorts(low, high) => (*low..=*high).contains(&entry.ports.0),
            Self::DestPort(port) => entry.ports.1 == *port,
            Self::DestPorts(low, high) => (*low..=*high).contains(&entry.ports.1),
            Self::Source(prefix) => covers(prefix, entry.source),
            Self::Dest(prefix) => covers(prefix, entry.dest),
            Self::Interface(index) => entry.interface == *index,
            Self::Mark(mark, mask) => entry.mark & mask == *mark,
            Self::Cgroup(id) => entry.cgroup == *id,
            Self::Auto => entry.auto,
            Self::Not(inner) => !inner.holds(entry),
            Self::And(a, b) => a.holds(entry) && b.holds(entry),
            Self::Or(a, b) => a.holds(entry) || b.holds(entry),
        }
    }

    fn filter(&self) -> Filter {
        match self {
            Self::Everything => Filter::everything(),
            Self::SourcePort(port) => Filter::source_port(*port),
            Self::SourcePorts(low, high) => Filter::source_ports(*low..=*high),
            Self::DestPort(port) => Filter::dest_port(*port),
            Self::DestPorts(low, high) => Filter::dest_ports(*low..=*high),
            Self::Source(prefix) => Filter::source(*prefix),
            Self::Dest(prefix) => Filter::dest(*prefix),
            Self::Interface(index) => Filter::interface(*index),
            Self::Mark(mark, mask) => Filter::mark(*mark, *mask),
            Self::Cgroup(id) => Filter::cgroup(*id),
            Self::Auto => Filter::auto_port(),
            Self::Not(inner) => !inner.filter(),
            Self::And(a, b) => a.filter() & b.filter(),
            Self::Or(a, b) => a.filter() | b.filter(),
        }
    }
}

fn covers(prefix: &Prefix, ip: IpAddr) -> bool {
    let bits = |ip| match ip {
        IpAddr::V4(ip) => u128::from(Ipv4Addr::to_bits(ip)) << 96,
        IpAddr::V6(ip) => ip.to_bits(),
    };
    let ip = match ip {
        IpAddr::V6(six) if prefix.ip().is_ipv4() => six.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        _ => ip,
    };
    let outside = bits(prefix.ip()) ^ bits(ip);
    prefix.ip().is_ipv4() == ip.is_ipv4() && outside.leading_zeros() >= prefix.prefix_len().into()
}

/// xorshift64: gives the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    /// Few different values, so that conditions are often true.
    fn port(&mut self) -> u16 {
        [0, 1, 80, 81, 443, 0x1234, u16::MAX][self.below(7) as usize]
    }

    fn ip(&mut self) -> IpAddr {
        let four = Ipv4Addr::new(10, self.below(2) as u8, 0, 1 << self.below(8));
        match self.below(4) {
            0 => four.to_ipv6_mapped().into(),
            1 => Ipv6Addr::from_bits(0x2001_0db8 << 96 | 1 << self.below(96)).into(),
            _ => four.into(),
        }
    }

    fn prefix(&mut self) -> Prefix {
        let ip = self.ip();
        Prefix::new(ip, self.below(if ip.is_ipv4() { 33 } else { 129 }) as u8).unwrap()
    }

    fn expression(&mut self, depth: u32) -> Expression {
        let kinds = if depth == 0 { 11 } else { 20 };
        match self.below(kinds) {
            0 => E::Everything,
            1 => E::SourcePort(self.port()),
            2 => E::SourcePorts(self.port(), self.port()),
            3 => E::DestPort(self.port()),
            4 => E::DestPorts(self.port(), self.port()),
            5 => E::Source(self.prefix()),
            6 => E::Dest(self.prefix()),
            7 => E::Interface(self.below(3) as u32),
            8 => E::Mark(self.below(4) as u32, self.below(4) as u32),
            9 => E::Cgroup(self.below(3) << 33),
            10 => E::Auto,
            11..=13 => E::Not(Box::new(self.expression(depth - 1))),
            14..=16 => E::And(Box::new(self.expression(depth - 1)), Box::new(self.expression(depth - 1))),
            _ => E::Or(Box::new(self.expression(depth - 1)), Box::new(self.expression(depth - 1))),
        }
    }

    fn entry(&mut self) -> Entry {
        let source = self.ip();
        let mut dest = self.ip();
        while dest.is_ipv4() != source.is_ipv4() {
            dest = self.ip();
        }
        Entry {
            source,
            dest,
            ports: (self.port(), self.port()),
            auto: self.below(2) == 0,
            interface: self.below(3) as u32,
            mark: self.below(4) as u32,
            cgroup: self.below(3) << 33,
        }
    }
}

fn bytecode(filter: &Filter) -> Vec<u8> {
    let bytes = inet::list(Family::INET, IpProtocol::TCP).filter(filter).to_bytes().unwrap();
    let attrs = netlink_core::Attrs::new(&bytes[HEADER_LEN + 56..]);
    attrs.find(1).unwrap().to_vec()
}

fn parts(code: &[u8]) -> (Instruction, i64, i64) {
    let no = u16::from_ne_bytes([code[2], code[3]]);
    (Instruction(code[0]), code[1].into(), no.into())
}

/// Whether execution reaches the instruction with this many bytes left.
fn is_reached(code: &[u8], left: i64) -> bool {
    let mut at = 0;
    loop {
        match code.len() as i64 - at {
            here if here == left => return true,
            here if here < left => return false,
            _ => at += parts(&code[at as usize..]).1,
        }
    }
}

fn audit(code: &[u8]) -> Result<(), &'static str> {
    let mut at = 0;
    while at < code.len() {
        let left = (code.len() - at) as i64;
        let (instruction, yes, no) = parts(&code[at..]);
        let least = 4 + match instruction {
            Instruction::SOURCE | Instruction::DEST => {
                let ip = match code[at + 4] {
                    2 => 4,
                    10 => 16,
                    _ => return Err("family"),
                };
                if i64::from(code[at + 5]) > 8 * ip {
                    return Err("prefix");
                }
                8 + ip
            }
            Instruction::DEVICE => 4,
            Instruction::MARK | Instruction::CGROUP => 8,
            Instruction::AUTO | Instruction::JMP | Instruction::NOP => 0,
            Instruction(0..=13) => 4,
            _ => return Err("instruction"),
        };
        if left < least {
            return Err("argument");
        }
        if instruction != Instruction::NOP {
            if no < least || no > left + 4 || no & 3 != 0 {
                return Err("no");
            }
            if no < left && !is_reached(code, left - no) {
                return Err("between instructions");
            }
        }
        if yes < least || yes > left + 4 || yes & 3 != 0 {
            return Err("yes");
        }
        at += yes as usize;
    }
    if at == code.len() { Ok(()) } else { Err("end") }
}

fn matches_host(argument: &[u8], ip: IpAddr) -> bool {
    assert_eq!(i32::from_ne_bytes(argument[4..8].try_into().unwrap()), -1);
    let want = match argument[0] {
        2 => IpAddr::from(<[u8; 4]>::try_from(&argument[8..12]).unwrap()),
        _ => IpAddr::from(<[u8; 16]>::try_from(&argument[8..24]).unwrap()),
    };
    covers(&Prefix::new(want, argument[1]).unwrap(), ip)
}

fn run(code: &[u8], entry: &Entry) -> bool {
    let mut at = 0;
    while at < code.len() {
        let (instruction, yes, no) = parts(&code[at..]);
        let argument = &code[at + 4..];
        let port = || u16::from_ne_bytes([argument[2], argument[3]]);
        let word = |at: usize| u32::from_ne_bytes(argument[at..at + 4].try_into().unwrap());
        let holds = match instruction {
            Instruction::NOP => true,
            Instruction::JMP => false,
            Instruction::SOURCE_PORT_EQ => entry.ports.0 == port(),
            Instruction::SOURCE_PORT_GE => entry.ports.0 >= port(),
            Instruction::SOURCE_PORT_LE => entry.ports.0 <= port(),
            Instruction::DEST_PORT_EQ => entry.ports.1 == port(),
            Instruction::DEST_PORT_GE => entry.ports.1 >= port(),
            Instruction::DEST_PORT_LE => entry.ports.1 <= port(),
            Instruction::AUTO => entry.auto,
            Instruction::SOURCE => matches_host(argument, entry.source),
            Instruction::DEST => matches_host(argument, entry.dest),
            Instruction::DEVICE => entry.interface == word(0),
            Instruction::MARK => entry.mark & word(4) == word(0),
            Instruction::CGROUP => entry.cgroup == u64::from_ne_bytes(argument[..8].try_into().unwrap()),
            _ => unreachable!("the audit lets it pass"),
        };
        at += (if holds { yes } else { no }) as usize;
    }
    at == code.len()
}

#[test]
fn bytecode_gives_the_result_of_its_expression() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut held = 0;
    for round in 0..4000 {
        let expression = random.expression(round % 7);
        let code = bytecode(&expression.filter());
        assert_eq!(audit(&code), Ok(()), "{expression:?}");
        for _ in 0..20 {
            let entry = random.entry();
            let holds = expression.holds(&entry);
            assert_eq!(run(&code, &entry), holds, "{expression:?} {entry:?}");
            held += u32::from(holds);
        }
    }
    assert!((20_000..60_000).contains(&held), "{held} of 80,000 held: too few or too many for a test");
}

#[test]
fn a_filter_holds_thousands_of_ports_and_refuses_more() {
    let ports = |count: u16| {
        let each = (1..count).map(Filter::dest_port);
        each.fold(Filter::source_port(9), |all, one| all | one)
    };
    // Eight bytes each, with four bytes between them.
    let most = ports(5461);
    let code = bytecode(&most);
    assert_eq!(code.len(), 65_528);
    assert_eq!(audit(&code), Ok(()));
    let mut entry = Random(1).entry();
    entry.ports = (1, 5460);
    assert!(run(&code, &entry));
    entry.ports = (1, 5461);
    assert!(!run(&code, &entry));
    for count in [5462, 60_000] {
        let refused = inet::list(Family::INET, IpProtocol::TCP).filter(&ports(count)).to_bytes().unwrap_err();
        let Error::Request(why) = &refused else { panic!("{refused}") };
        assert!(matches!(why.why(), Unsendable::TooLong { max: 65_528, .. }), "{refused}");
        assert!(refused.to_string().ends_with("at INET_DIAG_REQ_BYTECODE"), "{refused}");
    }
}

#[test]
fn instructions_print() {
    let filter = !Filter::source_port(80) & Filter::interface(2);
    // Words in memory order.
    let wanted = if cfg!(target_endian = "little") {
        "[sport = 00005000 +8 +12, jmp  +4 +16, dev 02000000 +8 +12]"
    } else {
        "[sport = 00000050 +8 +12, jmp  +4 +16, dev 00000002 +8 +12]"
    };
    assert_eq!(format!("{filter:?}"), wanted);
}
