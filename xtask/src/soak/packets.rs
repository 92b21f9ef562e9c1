//! A queue and a log whose group is changed while packets flood it.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use netlink_netfilter::queue::{Arrival, Params};
use netlink_netfilter::{Error, log, queue};
use netlink_route::link;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{SndBuf, SndBufForce};

use super::face::{Log, Queue};
use super::ledger::Ledger;
use super::{Case, SENDERS};

const PORT: u16 = 7000;

const GROUP: u16 = 5;

/// After this time without packets, no more are expected.
const QUIET: Duration = Duration::from_millis(300);

fn rule(target: &str) -> Result<()> {
    netlink_route::connect()?.call(link::set("lo").up())?;
    let rule = format!("-w -A OUTPUT -p udp --dport {PORT} -j {target}");
    let output = Command::new("iptables").args(rule.split(' ')).output().context("iptables")?;
    if !output.status.success() {
        bail!("iptables {rule}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Runs a function while four senders send. Returns the number of sent packets.
fn flooded(receive: impl FnOnce() -> Result<()>) -> Result<u64> {
    let (stop, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| -> Result<()> {
        let mut senders = Vec::new();
        for _ in 0..SENDERS {
            senders.push(scope.spawn(|| -> Result<()> {
                let socket = UdpSocket::bind("127.0.0.1:0")?;
                // Waiting packets use the send buffer, which must not limit the flood.
                if setsockopt(&socket, SndBufForce, &(256 << 20)).is_err() {
                    setsockopt(&socket, SndBuf, &(256 << 20))?;
                }
                socket.set_nonblocking(true)?;
                let (small, large) = ([7; 1400], [7; 60_000]);
                for round in 0u32.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let packet = if round % 4 == 0 { large.as_slice() } else { &small };
                    match socket.send_to(packet, ("127.0.0.1", PORT)) {
                        Err(error) if error.kind() == ErrorKind::WouldBlock => thread::yield_now(),
                        // A packet that is dropped when leaving is an error, but it counts.
                        _ => {
                            sent.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
                Ok(())
            }));
        }
        let result = receive();
        stop.store(true, Ordering::Relaxed);
        for sender in senders {
            sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))??;
        }
        result
    })?;
    Ok(sent.into_inner())
}

/// One more packet into an empty buffer: it reports the losses before it.
fn probe() -> Result<u64> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let _ = socket.send_to(&[8; 10], ("127.0.0.1", PORT));
    Ok(1)
}

/// The acknowledgement of a change can be dropped if the buffer is full. The socket reports no `ENOBUFS`, so
/// the call must end in time with `Timeout`.
fn changed(ledger: &Ledger, result: Result<(), Error>) {
    match result {
        Err(Error::Timeout(_)) => ledger.count(|summary| summary.failed += 1),
        result => {
            ledger.judge("a change of the group", result);
        }
    }
}

fn arrived(ledger: &Ledger, ended: Result<(), Error>) {
    if let Err(error) = ended {
        ledger.violation(format!("a packet: {error}"));
    }
}

pub(super) fn queue(case: Case, flood: Duration, ledger: &Ledger) -> Result<()> {
    rule(&format!("NFQUEUE --queue-num {GROUP}"))?;
    let config = queue::bind(GROUP, Params::whole()).max_length(8192);
    let mut packets = Queue::open(case.face, case.buffer, &config)?;
    let mut sent = flooded(|| {
        let end = Instant::now() + flood;
        for round in 0u32.. {
            if Instant::now() > end {
                break;
            }
            for _ in 0..8 {
                decide(&mut packets, Duration::from_millis(20), 64, ledger);
            }
            let config = match round % 4 {
                0 => queue::configure(GROUP).max_length(4096),
                1 => queue::bind(GROUP + 1, Params::meta()),
                2 => queue::configure(GROUP).max_length(8192),
                _ => queue::unbind(GROUP + 1),
            };
            let result = ledger.timed("a change of the group", || packets.configure(&config));
            changed(ledger, result);
        }
        Ok(())
    })?;
    while decide(&mut packets, QUIET, 64, ledger) > 0 {}
    sent += probe()?;
    while decide(&mut packets, QUIET, 64, ledger) > 0 {}
    packets.conclude(ledger);

    // `/proc/net` is the namespace of the process's first thread, which can be another one.
    let counters = std::fs::read_to_string("/proc/thread-self/net/netfilter/nfnetlink_queue")?;
    let own = counters.lines().map(|line| line.split_whitespace().map(|number| number.parse().unwrap_or(0)));
    let own = own.map(Iterator::collect::<Vec<u64>>).find(|own| own.first() == Some(&u64::from(GROUP)));
    let own = own.context("the queue is gone")?;
    let &[_, _, waiting, _, _, full, undelivered, last, ..] = own.as_slice() else {
        bail!("/proc/net/netfilter/nfnetlink_queue: {counters}");
    };
    ledger.count(|summary| {
        summary.sent = sent;
        summary.lost = full + undelivered;
    });
    if waiting > 0 {
        ledger.violation(format!("{waiting} packets wait for a verdict that is never sent"));
    }
    let summary = ledger.so_far();
    if summary.received + summary.reported != last {
        ledger.violation(format!(
            "of {last} packets {} were received and {} reported as missed",
            summary.received, summary.reported
        ));
    }
    if summary.reported != undelivered {
        ledger.violation(format!(
            "{undelivered} packets were dropped, but {} are reported as missed",
            summary.reported
        ));
    }
    Ok(())
}

/// Accepts at most this many packets. Returns the number that arrived.
fn decide(packets: &mut Queue, quiet: Duration, most: usize, ledger: &Ledger) -> usize {
    let mut tickets = Vec::new();
    let ended = packets.arrivals(quiet, |arrival| {
        match arrival {
            Arrival::Packet { packet, missed } => {
                tickets.push(packet.ticket());
                ledger.count(|summary| {
                    summary.received += 1;
                    summary.reported += u64::from(*missed);
                });
            }
            Arrival::Refused(refused) => ledger.violation(format!("a verdict: {}", refused.error)),
            Arrival::Overrun => ledger.violation("an Overrun, although the packets' numbers show the losses"),
        }
        tickets.len() < most
    });
    arrived(ledger, ended);
    for ticket in &tickets {
        if let Err(error) = packets.accept(*ticket) {
            ledger.violation(format!("a verdict: {error}"));
        }
    }
    tickets.len()
}

pub(super) fn log(case: Case, flood: Duration, ledger: &Ledger) -> Result<()> {
    rule(&format!("NFLOG --nflog-group {GROUP} --nflog-threshold 1"))?;
    let config = log::bind(GROUP, log::Mode::whole()).threshold(1);
    let mut packets = Log::open(case.face, case.buffer, &config)?;
    let mut sent = flooded(|| {
        let end = Instant::now() + flood;
        for round in 0u32.. {
            if Instant::now() > end {
                break;
            }
            read(&mut packets, Duration::from_millis(20), 512, ledger);
            let config = match round % 4 {
                0 => log::configure(GROUP).timeout(200),
                1 => log::bind(GROUP + 1, log::Mode::meta()),
                2 => log::configure(GROUP).threshold(1),
                _ => log::unbind(GROUP + 1),
            };
            let result = ledger.timed("a change of the group", || packets.configure(&config));
            changed(ledger, result);
        }
        Ok(())
    })?;
    while read(&mut packets, QUIET, 512, ledger) > 0 {}
    sent += probe()?;
    while read(&mut packets, QUIET, 512, ledger) > 0 {}
    packets.conclude(ledger);
    ledger.count(|summary| (summary.sent, summary.lost) = (sent, sent.saturating_sub(summary.received)));
    let summary = ledger.so_far();
    if summary.received + summary.reported != sent {
        ledger.violation(format!(
            "of {sent} packets {} were received and {} reported as missed",
            summary.received, summary.reported
        ));
    }
    Ok(())
}

fn read(packets: &mut Log, quiet: Duration, most: usize, ledger: &Ledger) -> usize {
    let mut came = 0;
    let ended = packets.arrivals(quiet, |arrival| {
        match arrival {
            log::Arrival::Packet { missed: Some(missed), .. } => {
                came += 1;
                ledger.count(|summary| {
                    summary.received += 1;
                    summary.reported += u64::from(*missed);
                });
            }
            log::Arrival::Packet { missed: None, .. } => ledger.violation("a packet without a number"),
            log::Arrival::Overrun => {
                ledger.violation("an Overrun, although the packets' numbers show the losses")
            }
        }
        came < most
    });
    arrived(ledger, ended);
    came
}
