//! Shows the connections with the most traffic every two seconds, and runs a firewall: queued TCP and UDP
//! packets to one of the given ports are dropped, and all other queued packets pass. As root:
//!
//! ```sh
//! sysctl -w net.netfilter.nf_conntrack_acct=1
//! iptables -A INPUT -m conntrack --ctstate NEW -j NFQUEUE --queue-num 7
//! cargo run -p netlink-netfilter --example conntrack_top -- 7 23 3389
//! ```
//!
//! While the program does not run, the kernel drops packets of the rule; with `--queue-bypass` in the rule they pass.

use std::cmp::Reverse;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use netlink_netfilter::conntrack::{self, Conntrack};
use netlink_netfilter::queue::{self, Arrival, Packet, Params, Queue, Verdict};
use netlink_netfilter::{Connection, Error, Family};

fn main() -> ExitCode {
    let numbers: Result<Vec<u16>, _> = std::env::args().skip(1).map(|number| number.parse()).collect();
    let Ok([number, ports @ ..]) = numbers.as_deref() else {
        eprintln!("conntrack_top: a queue's number, and ports that nobody may reach");
        return ExitCode::FAILURE;
    };
    let firewall = Firewall::open(*number, ports);
    match firewall.and_then(|mut firewall| firewall.run(Duration::from_secs(2), &mut std::io::stdout())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conntrack_top: {error}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) struct Firewall {
    pub(crate) queue: Queue,
    conntrack: Connection,
    ports: Vec<u16>,
    dropped: u64,
    passed: u64,
}

impl Firewall {
    pub(crate) fn open(number: u16, ports: &[u16]) -> Result<Self, Error> {
        // The headers are enough, with all options and extension headers that are usual.
        let queue = Queue::open(&queue::bind(number, Params::first(128)).max_length(4096))?;
        let conntrack = netlink_netfilter::connect()?;
        Ok(Self { queue, conntrack, ports: ports.to_vec(), dropped: 0, passed: 0 })
    }

    /// Runs until it is stopped, or until its output is closed.
    pub(crate) fn run(&mut self, pause: Duration, out: &mut dyn Write) -> Result<(), Error> {
        let mut shown: Option<Instant> = None;
        loop {
            let left = shown.map_or(Duration::ZERO, |shown| pause.saturating_sub(shown.elapsed()));
            if left.is_zero() {
                if write!(out, "{}", self.top(10)?).and_then(|()| out.flush()).is_err() {
                    return Ok(());
                }
                shown = Some(Instant::now());
                continue;
            }
            self.queue.set_timeout(Some(left))?;
            match self.queue.next() {
                Ok(Arrival::Packet { packet, missed }) => {
                    if missed > 0 {
                        eprintln!("conntrack_top: {missed} packets were lost");
                    }
                    let ticket = packet.ticket();
                    let drops = dest_port(&packet).is_some_and(|port| self.ports.contains(&port));
                    *if drops { &mut self.dropped } else { &mut self.passed } += 1;
                    self.queue.verdict(ticket, if drops { Verdict::DROP } else { Verdict::ACCEPT })?;
                }
                Ok(Arrival::Refused(refused)) => eprintln!("conntrack_top: {refused}"),
                Ok(Arrival::Overrun) => eprintln!("conntrack_top: packets were lost"),
                Err(Error::Timeout(_)) => {}
                Err(Error::Stopped) => return Ok(()),
                // A packet that can't be read waits forever; the error has its bytes.
                Err(Error::Decode(error)) => eprintln!("conntrack_top: {error}"),
                Err(error) => return Err(error),
            }
        }
    }

    /// The connections with the most bytes.
    pub(crate) fn top(&mut self, most: usize) -> Result<String, Error> {
        let mut entries = self.conntrack.dump(conntrack::list())?.to_vec()?;
        let all = entries.len();
        entries.sort_by_cached_key(|entry| Reverse(bytes(entry)));
        let (dropped, passed) = (self.dropped, self.passed);
        let mut text = format!("{all} connections; of new ones {passed} passed, {dropped} dropped\n");
        for entry in entries.iter().take(most) {
            text += &format!("{:>12} {entry}\n", bytes(entry));
        }
        Ok(text)
    }
}

/// Bytes of both directions; 0 if the kernel does not count.
fn bytes(entry: &Conntrack<'_>) -> u64 {
    let directions = [entry.counters_orig(), entry.counters_reply()];
    directions.iter().flatten().filter_map(|counters| counters.bytes()).sum()
}

/// The destination port of a TCP or UDP packet. Later fragments have none.
fn dest_port(packet: &Packet<'_>) -> Option<u16> {
    const TCP: u8 = 6;
    const UDP: u8 = 17;
    let bytes = packet.payload()?.0;
    let (protocol, length) = match packet.header().family {
        Family::IPV4 => {
            let fragment = u16::from_be_bytes(*bytes.get(6..)?.first_chunk()?) & 0x1fff;
            let length = usize::from(bytes.first()? & 0xf) * 4;
            (*bytes.get(9)?, if fragment == 0 { length } else { return None })
        }
        // Packets with extension headers pass.
        Family::IPV6 => (*bytes.get(6)?, 40),
        _ => return None,
    };
    let ports = bytes.get(length..)?.get(2..)?.first_chunk()?;
    [TCP, UDP].contains(&protocol).then(|| u16::from_be_bytes(*ports))
}
