//! An rtnetlink connection that subscribes, queries and changes links, while others change more or send garbage.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use netlink_core::message::{self, MessageHeader};
use netlink_core::{Errno, Error, MessageFlags, MessageType, Writer};
use netlink_route::addr::{self, Address};
use netlink_route::event::{Change, Event, Group};
use netlink_route::link::{self, Bridge};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, sendto, socket,
};

use super::face::Links;
use super::ledger::Ledger;
use super::{BUFFERS, Case, SENDERS};

/// A thread that makes changes, and their number. Change `n` causes event `n` of this thread.
struct Changer {
    number: u8,
    done: AtomicU64,
}

impl Changer {
    /// Half of the threads change addresses, the others links.
    const fn changes_addresses(&self) -> bool {
        self.number.is_multiple_of(2)
    }

    fn link(&self) -> String {
        format!("changed{}", self.number)
    }

    /// Makes changes as fast as possible, or at a pace.
    fn run(&self, stop: &AtomicBool, pause: Option<Duration>) -> Result<()> {
        let mut nl = netlink_route::connect()?;
        let at_once = if pause.is_some() { 2 } else { 32 };
        while !stop.load(Ordering::Relaxed) {
            let first = self.done.load(Ordering::Relaxed);
            let results = if self.changes_addresses() {
                // An address is added and deleted again.
                let requests = (first..first + at_once).map(|number| {
                    let address = format!("{}/32", self.address(number / 2)).parse()?;
                    Ok(match number % 2 {
                        0 => addr::add(1, address).into_request(),
                        _ => addr::delete(1, address).into_request(),
                    })
                });
                nl.batch(requests.collect::<Result<Vec<_>>>()?)
            } else {
                let link = self.link();
                let requests = (first..first + at_once)
                    .map(|number| link::set(&link).alias(number.to_string().as_str()));
                nl.batch(requests)
            };
            results
                .into_iter()
                .collect::<Result<Vec<()>, Error>>()
                .context("a thread that changes links and addresses")?;
            self.done.store(first + at_once, Ordering::Relaxed);
            if let Some(pause) = pause {
                thread::sleep(pause);
            }
        }
        Ok(())
    }

    fn address(&self, number: u64) -> Ipv4Addr {
        let [.., a, b, c] = number.to_be_bytes();
        Ipv4Addr::new(100 + self.number, a, b, c)
    }

    /// The number of an event of one of these threads.
    fn of(event: &Event<'_>) -> Option<(usize, u64)> {
        match event {
            Event::Address(change, address) => {
                let IpAddr::V4(address) = address.addr()?.ip() else { return None };
                let [first, a, b, c] = address.octets();
                let number = u64::from(u32::from_be_bytes([0, a, b, c])) * 2;
                let changer = first.checked_sub(100)?;
                Some((changer.into(), number + u64::from(matches!(change, Change::Deleted))))
            }
            Event::Link(Change::Changed, link) => {
                let changer = link.name()?.as_str()?.strip_prefix("changed")?.parse().ok()?;
                Some((changer, link.alias()?.0.as_str()?.parse().ok()?))
            }
            _ => None,
        }
    }
}

/// State of the events of each thread.
#[derive(Default)]
struct Seen {
    next: [u64; SENDERS],
    /// Events are missing since the last `Overrun`.
    missing: [bool; SENDERS],
    /// An `Overrun` arrived after the last event.
    excused: [bool; SENDERS],
}

impl Seen {
    fn take(&mut self, event: Result<&Event<'_>, ()>, ledger: &Ledger) {
        let Ok(event) = event else {
            (self.missing, self.excused) = ([false; SENDERS], [true; SENDERS]);
            return ledger.count(|summary| summary.reported += 1);
        };
        let Some((changer, number)) = Changer::of(event) else { return };
        let Some(next) = self.next.get_mut(changer) else {
            return ledger.violation("an event without a cause");
        };
        // The kernel sends several events for one change of a link.
        if matches!(event, Event::Link(..)) && number + 1 == *next {
            return;
        }
        if number < *next {
            return ledger.violation("an event twice, or after a later one");
        }
        let lost = number - *next;
        *next = number + 1;
        // An `Overrun` does not say where events were lost. It comes after everything that waited at that
        // time, and some of that can be later than the gap.
        if let (Some(missing), Some(excused)) = (self.missing.get_mut(changer), self.excused.get_mut(changer))
        {
            *missing |= lost > 0 && !*excused;
            *excused = false;
        }
        ledger
            .count(|summary| (summary.received, summary.lost) = (summary.received + 1, summary.lost + lost));
    }

    fn conclude(&self, changers: &[Changer], ledger: &Ledger) {
        if self.missing.contains(&true) {
            ledger.violation("events were lost, and no Overrun said so");
        }
        for ((changer, next), excused) in changers.iter().zip(self.next).zip(self.excused) {
            let sent = changer.done.load(Ordering::Relaxed);
            match sent.checked_sub(next) {
                None => ledger.violation("an event without a cause"),
                Some(lost) if lost > 0 && !excused => {
                    ledger.violation("the last events were lost, and no Overrun said so");
                }
                _ => {}
            }
            ledger.count(|summary| {
                summary.sent += sent;
                summary.lost += sent.saturating_sub(next);
            });
        }
    }
}

pub(super) fn run(case: Case, flood: Duration, ledger: &Ledger, hostile: bool) -> Result<()> {
    let mut others = netlink_route::connect()?;
    others.call(link::set("lo").up())?;
    let changers: Vec<Changer> =
        (0..).take(SENDERS).map(|number| Changer { number, done: 0.into() }).collect();
    for changer in &changers {
        // The kernel sends fewer events about a link that is down.
        others.call(link::create(&changer.link()).kind(Bridge::new()).up())?;
    }
    let mut nl = Links::open(case.face, case.buffer)?;
    let port = nl.port();
    let (stop, mut seen) = (AtomicBool::new(false), Seen::default());
    let (garbage, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| -> Result<()> {
        let mut senders = Vec::new();
        let pause = hostile.then_some(Duration::from_millis(2));
        for changer in &changers {
            let stop = &stop;
            senders.push(scope.spawn(move || changer.run(stop, pause)));
        }
        if hostile {
            for number in 0..SENDERS {
                let (stop, garbage, refused) = (&stop, &garbage, &refused);
                senders.push(scope.spawn(move || attack(number, port, stop, garbage, refused)));
            }
        }
        let result = ask(&mut nl, flood, ledger, &mut seen);
        stop.store(true, Ordering::Relaxed);
        for sender in senders {
            match sender.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => ledger.violation(format!("a sender failed: {error:#}")),
                Err(_) => bail!("a sender panicked"),
            }
        }
        result
    })?;
    let quiet = Duration::from_millis(300);
    events(&mut nl, quiet, usize::MAX, ledger, &mut seen);
    // No thread sends any longer, so this call must succeed.
    if let Err(error) = ledger.timed("the last call", || nl.call(link::get("lo"))) {
        ledger.violation(format!("the last call, after the flood: {error}"));
    }
    events(&mut nl, quiet, usize::MAX, ledger, &mut seen);
    seen.conclude(&changers, ledger);
    nl.conclude(ledger);
    ledger.count(|summary| {
        summary.garbage = (garbage.load(Ordering::Relaxed), refused.load(Ordering::Relaxed));
        // Two changes per millisecond fill only the smallest buffer.
        if hostile && case.buffer > BUFFERS[0] && summary.reported + summary.failed > 0 {
            summary.violations.push("datagrams of other processes filled the receive buffer".to_owned());
        }
    });
    Ok(())
}

/// Calls, lists and batches, with events in between, for some time.
fn ask(nl: &mut Links, flood: Duration, ledger: &Ledger, seen: &mut Seen) -> Result<()> {
    let end = Instant::now() + flood;
    for round in 0u32.. {
        if Instant::now() > end {
            break;
        }
        let got = ledger.timed("a call with a reply", || nl.call(link::get("lo")));
        if ledger.judge("a call with a reply", got).is_some_and(|link| link.index() != 1) {
            ledger.violation("a call took the answer of another one");
        }
        let mtu = 60_000 + round % 1000;
        let set = ledger.timed("a call with an acknowledgement", || nl.call(link::set("lo").mtu(mtu)));
        if ledger.judge("a call with an acknowledgement", set).is_some() {
            let got = ledger.timed("a call with a reply", || nl.call(link::get("lo")));
            let got = ledger.judge("a call with a reply", got);
            if got.is_some_and(|link| link.mtu() != Some(mtu)) {
                ledger.violation("an acknowledged change was not made");
            }
        }
        if round % 4 == 0 {
            let listed = ledger.timed("a list", || nl.list());
            if let Some(links) = ledger.judge("a list", listed) {
                let names = links.iter().filter(|link| link.view().is_ok_and(|link| link.name().is_some()));
                if names.count() != SENDERS + 1 {
                    ledger.violation("a list has too few links or too many, and did not say so");
                }
            }
        }
        if round % 4 == 2 {
            batch(nl, ledger);
        }
        events(nl, Duration::from_millis(5), 2000, ledger, seen);
    }
    Ok(())
}

/// A batch in which every other request is refused.
fn batch(nl: &mut Links, ledger: &Ledger) {
    const REQUESTS: usize = 200;
    let name = |number: usize| if number.is_multiple_of(2) { "lo" } else { "missing" };
    let requests: Vec<_> = (0..REQUESTS).map(|number| link::get(name(number))).collect();
    let results = ledger.timed("a batch", || nl.batch(requests));
    if results.len() != REQUESTS {
        let late = Err::<(), _>(Error::Timeout(super::ledger::DEADLINE));
        ledger.judge("a batch", late);
        return;
    }
    for (number, result) in results.into_iter().enumerate() {
        match result {
            Err(Error::Kernel(refusal)) if refusal.errno() == Errno::ENODEV => {
                if number % 2 == 0 {
                    ledger.violation("a batch: the answer of another request");
                }
            }
            result => {
                if ledger.judge("a batch", result).is_some_and(|link| number % 2 == 1 || link.index() != 1) {
                    ledger.violation("a batch: the answer of another request");
                }
            }
        }
    }
}

fn events(nl: &mut Links, quiet: Duration, most: usize, ledger: &Ledger, seen: &mut Seen) {
    let mut left = most;
    let ended = nl.events(quiet, |event| {
        seen.take(event, ledger);
        left -= 1;
        left > 0
    });
    match ended {
        Ok(()) => {}
        Err(Error::Decode(_)) => ledger.violation("an event: accepted an invalid message"),
        Err(error) => ledger.violation(format!("an event: {error}")),
    }
}

/// Sends messages to another process's port that it must not accept as the kernel's.
fn attack(number: usize, port: u32, stop: &AtomicBool, sent: &AtomicU64, refused: &AtomicU64) -> Result<()> {
    let protocol = SockProtocol::NetlinkRoute;
    let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
    let write = |kind: u16, flags: MessageFlags, sequence: u32, body: &[u8]| {
        let mut out = Writer::new();
        let header =
            MessageHeader::default().kind(MessageType(kind)).flags(flags).sequence(sequence).port(port);
        message::write(&mut out, header, |out| out.push(body));
        out.into_bytes()
    };
    let none = MessageFlags::empty();
    let address = addr::add(1, "103.255.255.255/32".parse()?).into_request().to_bytes()?;
    let event = write(Address::NEW.number, none, 0, address.get(16..).unwrap_or_default());
    let large = vec![0xaa; 1_500_000];
    for round in 0u32.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        // Sequence numbers that can be in use by chance.
        let sequence = round.wrapping_mul(2_654_435_761) % 4096;
        let forged = match round % 6 {
            0 => vec![0; 16],
            1 => write(MessageType::ERROR.0, none, sequence, &[0; 20]),
            2 => write(MessageType::DONE.0, MessageFlags::MULTI, sequence, &[0; 4]),
            3 => write(MessageType::OVERRUN.0, none, sequence, &[]),
            4 if round % 600 == 4 => large.clone(),
            4 => vec![0xff; 3000],
            _ => event.clone(),
        };
        // Members can't refuse messages to their group; more than a few would fill their buffers.
        let to_group = number == 0 && round % 4096 == 5;
        let groups = if to_group { 1 << (Group::IPV4_ADDR.0 - 1) } else { 0 };
        let to = NetlinkAddr::new(if to_group { 0 } else { port }, groups);
        match sendto(socket.as_raw_fd(), &forged, &to, MsgFlags::MSG_DONTWAIT) {
            Ok(_) => sent.fetch_add(1, Ordering::Relaxed),
            // `EAGAIN`: the buffer is full of such messages.
            Err(_) => refused.fetch_add(1, Ordering::Relaxed),
        };
    }
    Ok(())
}
