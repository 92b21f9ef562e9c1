//! The blocking and the tokio connection with one set of functions.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use netlink_netfilter::{log, queue};
use netlink_route::event::{Event, Group};
use netlink_route::{Error, Notice, Owned, ToRequest, link};

use super::ledger::{DEADLINE, Ledger};

/// A runtime of one thread, with a task that detects when a call blocks the others.
pub(super) struct Runtime {
    runtime: tokio::runtime::Runtime,
    /// The longest time that the task waited for its turn, in microseconds.
    stood: Arc<AtomicU64>,
    /// The runtime was not running, so the next measurement does not count.
    paused: Arc<AtomicBool>,
}

/// Largest time that other tasks of a thread may wait for their turn.
const TURN: Duration = Duration::from_secs(1);

impl Runtime {
    pub(super) fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stood, paused) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(true)));
        let (stands, pauses) = (Arc::clone(&stood), Arc::clone(&paused));
        runtime.spawn(async move {
            let mut last = Instant::now();
            loop {
                tokio::time::sleep(Duration::from_millis(10)).await;
                if !pauses.swap(false, Ordering::Relaxed) {
                    let waited = u64::try_from(last.elapsed().as_micros()).unwrap_or(u64::MAX);
                    stands.fetch_max(waited, Ordering::Relaxed);
                }
                last = Instant::now();
            }
        });
        Ok(Self { runtime, stood, paused })
    }

    /// `None` if the limit passes.
    fn within<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        self.paused.store(true, Ordering::Relaxed);
        self.runtime.block_on(async { tokio::time::timeout(limit, future).await.ok() })
    }

    fn call<T>(&self, future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.within(DEADLINE, future).unwrap_or(Err(Error::Timeout(DEADLINE)))
    }

    fn conclude(&self, ledger: &Ledger) {
        let stood = Duration::from_micros(self.stood.load(Ordering::Relaxed));
        if stood > TURN {
            ledger.violation(format!("other tasks of the thread stood still for more than {TURN:?}"));
        }
    }
}

/// A connection that subscribes to links and addresses.
pub(super) enum Links {
    Blocking(netlink_route::Connection),
    Tokio(Runtime, netlink_route::tokio::Connection),
}

const GROUPS: [u32; 3] = [Group::LINK.0, Group::IPV4_ADDR.0, Group::IPV4_ROUTE.0];

impl Links {
    pub(super) fn open(face: super::Face, buffer: usize) -> Result<Self> {
        Ok(match face {
            super::Face::Blocking => {
                let mut nl = netlink_route::connect()?;
                nl.socket().set_receive_buffer(buffer)?;
                nl.subscribe(&GROUPS)?;
                nl.set_timeout(Some(DEADLINE))?;
                Self::Blocking(nl)
            }
            super::Face::Tokio => {
                let runtime = Runtime::new()?;
                let guard = runtime.runtime.enter();
                let mut nl = netlink_route::tokio::connect()?;
                nl.socket().set_receive_buffer(buffer)?;
                nl.subscribe(&GROUPS)?;
                drop(guard);
                Self::Tokio(runtime, nl)
            }
        })
    }

    pub(super) fn port(&self) -> u32 {
        match self {
            Self::Blocking(nl) => nl.socket().port(),
            Self::Tokio(_, nl) => nl.socket().port(),
        }
    }

    pub(super) fn call<Q>(&mut self, request: Q) -> Result<Q::Answer, Error>
    where
        Q: ToRequest,
        Q::Answer: netlink_core::Reply,
    {
        match self {
            Self::Blocking(nl) => nl.call(request),
            Self::Tokio(runtime, nl) => runtime.call(nl.call(request)),
        }
    }

    pub(super) fn list(&mut self) -> Result<Vec<Owned<link::Link<'static>>>, Error> {
        match self {
            Self::Blocking(nl) => nl.dump(link::list())?.collect().map_err(|partial| partial.error),
            Self::Tokio(runtime, nl) => runtime.call(async {
                nl.dump(link::list()).await?.collect().await.map_err(|partial| partial.error)
            }),
        }
    }

    pub(super) fn batch<Q>(&mut self, requests: Vec<Q>) -> Vec<Result<Q::Answer, Error>>
    where
        Q: ToRequest,
        Q::Answer: netlink_core::Reply,
    {
        match self {
            Self::Blocking(nl) => nl.batch(requests),
            Self::Tokio(runtime, nl) => runtime
                .within(DEADLINE, nl.batch(requests))
                .unwrap_or_else(|| vec![Err(Error::Timeout(DEADLINE))]),
        }
    }

    /// Passes each event to a function until no event arrives for this time, or the function has enough.
    /// `Err` is a loss.
    pub(super) fn events(
        &mut self,
        quiet: Duration,
        mut take: impl FnMut(Result<&Event<'_>, ()>) -> bool,
    ) -> Result<(), Error> {
        let mut taken = |notice: &Notice<Event<'_>>| match notice {
            Notice::Event { event, .. } => take(Ok(event)),
            _ => take(Err(())),
        };
        match self {
            Self::Blocking(nl) => {
                nl.set_timeout(Some(quiet))?;
                let ended = loop {
                    match nl.next_event::<Event<'static>>() {
                        Ok(notice) if taken(&notice) => {}
                        Ok(_) | Err(Error::Timeout(_)) => break Ok(()),
                        Err(error) => break Err(error),
                    }
                };
                nl.set_timeout(Some(DEADLINE))?;
                ended
            }
            Self::Tokio(runtime, nl) => loop {
                match runtime.within(quiet, nl.next_event::<Event<'static>>()) {
                    Some(Ok(notice)) if taken(&notice) => {}
                    Some(Ok(_)) | None => return Ok(()),
                    Some(Err(error)) => return Err(error),
                }
            },
        }
    }

    pub(super) fn conclude(&self, ledger: &Ledger) {
        if let Self::Tokio(runtime, _) = self {
            runtime.conclude(ledger);
        }
    }
}

/// A queue or a log, blocking or tokio: both have the same functions.
macro_rules! packets {
    ($name:ident, $blocking:ty, $tokio:ty, $config:ty, $arrival:ty) => {
        pub(super) enum $name {
            Blocking($blocking),
            Tokio(Runtime, $tokio),
        }

        impl $name {
            pub(super) fn open(face: super::Face, buffer: usize, config: &$config) -> Result<Self> {
                Ok(match face {
                    super::Face::Blocking => {
                        let mut opened = <$blocking>::open(config)?;
                        opened.connection().socket().set_receive_buffer(buffer)?;
                        Self::Blocking(opened)
                    }
                    super::Face::Tokio => {
                        let runtime = Runtime::new()?;
                        let mut opened = runtime.call(<$tokio>::open(config))?;
                        opened.connection().socket().set_receive_buffer(buffer)?;
                        Self::Tokio(runtime, opened)
                    }
                })
            }

            /// `configure` with a time limit.
            pub(super) fn configure(&mut self, config: &$config) -> Result<(), Error> {
                match self {
                    Self::Blocking(opened) => {
                        let nl = opened.connection();
                        nl.set_timeout(Some(DEADLINE))?;
                        nl.call(config)
                    }
                    Self::Tokio(runtime, opened) => runtime.call(opened.configure(config)),
                }
            }

            /// Passes each arrival to a function until none comes for this time, or the function has enough.
            pub(super) fn arrivals(
                &mut self,
                quiet: Duration,
                mut take: impl FnMut(&$arrival) -> bool,
            ) -> Result<(), Error> {
                match self {
                    Self::Blocking(opened) => {
                        opened.set_timeout(Some(quiet))?;
                        loop {
                            match opened.next() {
                                Ok(arrival) if take(&arrival) => {}
                                Ok(_) | Err(Error::Timeout(_)) => return Ok(()),
                                Err(error) => return Err(error),
                            }
                        }
                    }
                    Self::Tokio(runtime, opened) => loop {
                        match runtime.within(quiet, opened.next()) {
                            Some(Ok(arrival)) if take(&arrival) => {}
                            Some(Ok(_)) | None => return Ok(()),
                            Some(Err(error)) => return Err(error),
                        }
                    },
                }
            }

            pub(super) fn conclude(&self, ledger: &Ledger) {
                if let Self::Tokio(runtime, _) = self {
                    runtime.conclude(ledger);
                }
            }
        }
    };
}

packets!(Queue, queue::Queue, queue::tokio::Queue, queue::ConfigRequest<()>, queue::Arrival<'_>);
packets!(Log, log::Log, log::tokio::Log, log::ConfigRequest<()>, log::Arrival<'_>);

impl Queue {
    pub(super) fn accept(&mut self, ticket: queue::Ticket) -> Result<(), Error> {
        match self {
            Self::Blocking(queue) => queue.verdict(ticket, queue::Verdict::ACCEPT),
            Self::Tokio(_, queue) => queue.verdict(ticket, queue::Verdict::ACCEPT),
        }
    }
}
