//! Sockets of queues and logs that are configured while packets arrive faster than they are read.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use netlink_core::{Be, Bytes, MessageFlags, Str, attrs, message};
use netlink_netfilter::batch::Transaction;
use netlink_netfilter::log::{self, Arrival as Logged, Log, Mode};
use netlink_netfilter::queue::{self, Arrival, Params, Queue, Verdict};
use netlink_netfilter::{Error, Family, Header, Subsystem, connect};
use netlink_testing::{Need, Result, patience, program, seconds, suite, when};

use crate::wire::{SHORT, Udp};

suite! {
    every_packet_that_came_is_given_out: program("ip"), TARGETS, seconds(120);
    a_log_is_configured_under_a_flood: program("ip"), TARGETS, seconds(120);
    a_log_on_a_reactor_is_configured_under_a_flood: program("ip"), TARGETS, seconds(120);
}

attrs! {
    /// The hook of a base chain.
    pub struct HookAttrs<'a> for Hook {
        /// The hook.
        1 NFTA_HOOK_HOOKNUM hooknum: Be<u32> as u32,
        /// The priority.
        2 NFTA_HOOK_PRIORITY priority: Be<i32> as i32,
    }
}

attrs! {
    /// Tables.
    pub struct TableAttrs<'a> for TableRequest<R> {
        /// Its name.
        1 NFTA_TABLE_NAME name: Str<'a>,
    }
}

attrs! {
    /// Chains.
    pub struct ChainAttrs<'a> for ChainRequest<R> {
        /// Its table.
        1 NFTA_CHAIN_TABLE table: Str<'a>,
        /// Its name.
        3 NFTA_CHAIN_NAME name: Str<'a>,
        /// Its hook.
        4 NFTA_CHAIN_HOOK hook: HookAttrs<'a>,
        /// Its type.
        7 NFTA_CHAIN_TYPE kind: Str<'a>,
    }
}

attrs! {
    /// A target of iptables.
    pub struct TargetAttrs<'a> for Target {
        /// Its name.
        1 NFTA_TARGET_NAME name: Str<'a>,
        /// Version of its struct.
        2 NFTA_TARGET_REV rev: Be<u32> as u32,
        /// The struct.
        3 NFTA_TARGET_INFO info: Bytes<'a>,
    }
}

attrs! {
    /// An expression.
    pub struct ExprAttrs<'a> for Expr {
        /// Its name.
        1 NFTA_EXPR_NAME name: Str<'a>,
        /// The target.
        2 NFTA_EXPR_DATA data: TargetAttrs<'a>,
    }
}

attrs! {
    /// A list of one expression.
    pub struct ListAttrs<'a> for List {
        /// The expression.
        1 NFTA_LIST_ELEM elem: ExprAttrs<'a>,
    }
}

attrs! {
    /// Rules.
    pub struct RuleAttrs<'a> for RuleRequest<R> {
        /// Its table.
        1 NFTA_RULE_TABLE table: Str<'a>,
        /// Its chain.
        2 NFTA_RULE_CHAIN chain: Str<'a>,
        /// Its expressions.
        4 NFTA_RULE_EXPRESSIONS expressions: ListAttrs<'a>,
    }
}

message! {
    /// Tables.
    pub struct Table<'a>(Header, TableAttrs<'a>), TableRequest {
        /// Makes a table.
        2560 NFT_MSG_NEWTABLE NEW,
    }
}

message! {
    /// Chains.
    pub struct Chain<'a>(Header, ChainAttrs<'a>), ChainRequest {
        /// Makes a chain.
        2563 NFT_MSG_NEWCHAIN NEW,
    }
}

message! {
    /// Rules.
    pub struct Rule<'a>(Header, RuleAttrs<'a>), RuleRequest {
        /// Makes a rule.
        2566 NFT_MSG_NEWRULE NEW,
    }
}

const TARGETS: Need = when("nftables takes no targets of iptables here", || {
    catch("NFQUEUE", &queued_to(7), 1).is_ok() && catch("NFLOG", &logged_to(7), 1).is_ok()
});

/// Aligns the data of a target: `XT_ALIGN`.
const fn aligned(bytes: usize) -> usize {
    bytes.next_multiple_of(align_of::<u64>())
}

/// `struct xt_NFQ_info`.
fn queued_to(number: u16) -> Vec<u8> {
    let mut info = vec![0; aligned(4)];
    info[..2].copy_from_slice(&number.to_ne_bytes());
    info
}

/// `struct xt_nflog_info`.
fn logged_to(group: u16) -> Vec<u8> {
    let mut info = vec![0; aligned(76)];
    info[4..6].copy_from_slice(&group.to_ne_bytes());
    info[6..8].copy_from_slice(&1u16.to_ne_bytes());
    info
}

/// Adds this many rules that pass packets received over IPv4 to a target, without a program.
fn catch(target: &str, info: &[u8], times: usize) -> Result {
    const NF_INET_LOCAL_IN: u32 = 1;
    let (create, header) = (MessageFlags::CREATE, Header::of(Family::IPV4));
    let mut transaction = Transaction::new(Subsystem::NFTABLES);
    transaction.push(TableRequest::<()>::new(&Table::NEW, create, header).name(target));
    let hook = Hook::new().hooknum(NF_INET_LOCAL_IN).priority(0);
    let chain = ChainRequest::<()>::new(&Chain::NEW, create, header).table(target).name("in");
    transaction.push(chain.hook(hook).kind("filter"));
    for _ in 0..times {
        let expr = Expr::new().name("target").data(Target::new().name(target).rev(0).info(info));
        let rule = RuleRequest::<()>::new(&Rule::NEW, create | MessageFlags::APPEND, header);
        transaction.push(rule.table(target).chain("in").expressions(List::new().elem(expr)));
    }
    Ok(transaction.commit(&mut connect()?)?)
}

/// Number of waiting packets in a queue, and number of those that did not fit into its socket.
fn waiting(number: u32) -> Result<(u32, u32)> {
    let queues = fs::read_to_string("/proc/thread-self/net/netfilter/nfnetlink_queue")?;
    for line in queues.lines() {
        let columns = line.split_whitespace().map(str::parse).collect::<Result<Vec<u32>, _>>()?;
        if columns[0] == number {
            return Ok((columns[2], columns[6]));
        }
    }
    Err("no such queue".into())
}

/// N1: more packets than a connection keeps arrive while another queue is bound on the same socket.
fn every_packet_that_came_is_given_out() -> Result {
    const PACKETS: usize = 1100;
    let udp = Udp::loopback()?;
    catch("NFQUEUE", &queued_to(5), 1)?;
    let mut queue = Queue::open(&queue::bind(5, Params::whole()).max_length(8192))?;
    let sender = udp.sender();
    for _ in 0..PACKETS {
        sender.send(&[b'x'; 65_507])?;
    }
    let (came, lost) = waiting(5)?;
    assert_eq!((came + lost) as usize, PACKETS);
    queue.configure(&queue::bind(6, Params::meta()))?;
    queue.set_timeout(Some(SHORT))?;
    let (mut ids, mut gaps) = (BTreeSet::new(), 0);
    loop {
        match queue.next() {
            Ok(Arrival::Packet { packet, missed }) => {
                let ticket = packet.ticket();
                assert!(ids.insert(ticket.id), "{ticket:?} twice");
                gaps += missed;
                queue.verdict(ticket, Verdict::DROP)?;
            }
            Err(Error::Timeout(_)) => break,
            other => panic!("{other:?} after {} packets", ids.len()),
        }
    }
    let last = ids.last().copied().unwrap_or_default();
    assert_eq!(ids.len() as u32 + gaps, last);
    assert_eq!((ids.len() as u32, waiting(5)?.0), (came, 0));
    Ok(())
}

/// Four threads that send to the port until this value is dropped, or until a time limit.
struct Flood {
    stop: Arc<AtomicBool>,
    senders: Vec<thread::JoinHandle<()>>,
}

impl Flood {
    /// Much longer than reading a full receive buffer, and less than the limit of a configuration.
    const MOST: Duration = Duration::from_secs(50);

    fn start(udp: &Udp) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let senders = (0..4).map(|_| {
            let (socket, stop, start) = (udp.sender(), stop.clone(), Instant::now());
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) && start.elapsed() < Self::MOST {
                    let _ = socket.send(&[b'x'; 30]);
                }
            })
        });
        Self { senders: senders.collect(), stop }
    }

    /// Whether any thread still sends.
    fn goes_on(&self) -> bool {
        self.senders.iter().any(|sender| !sender.is_finished())
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.senders.drain(..).for_each(|sender| sender.join().unwrap());
    }
}

/// The receive buffer of a log.
const LOGGED: usize = 1 << 20;

/// Duration of the flood before the log is configured.
const FILLED: Duration = Duration::from_millis(300);

/// An ordinary user can't enlarge the receive buffer and may lose the answer, which is reported at once.
fn done_or_reported(configured: std::result::Result<(), Error>) -> Result {
    match configured {
        Ok(()) | Err(Error::Overrun) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// N2
fn a_log_is_configured_under_a_flood() -> Result {
    let udp = Udp::loopback()?;
    catch("NFLOG", &logged_to(3), 5)?;
    let mut log = Log::open(&log::bind(3, Mode::whole()).threshold(1))?;
    // The amount that an emulated machine reads in a moment.
    log.connection().socket().set_receive_buffer(LOGGED)?;
    let flood = Flood::start(&udp);
    thread::sleep(FILLED);
    done_or_reported(log.configure(&log::configure(3).timeout(200)))?;
    assert!(flood.goes_on(), "it took as long as the flood");
    drop(flood);
    // Packets that arrived meanwhile are still returned.
    log.set_timeout(Some(SHORT))?;
    assert!(matches!(log.next()?, Logged::Packet { .. }));
    Ok(())
}

/// N2: other tasks of the thread continue too.
fn a_log_on_a_reactor_is_configured_under_a_flood() -> Result {
    let udp = Udp::loopback()?;
    catch("NFLOG", &logged_to(3), 5)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut log = log::tokio::Log::open(&log::bind(3, Mode::whole()).threshold(1)).await?;
        let longest = Arc::new(AtomicU64::new(0));
        let ticking = tokio::spawn({
            let longest = longest.clone();
            async move {
                loop {
                    let start = Instant::now();
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    longest.fetch_max(start.elapsed().as_millis() as u64, Ordering::Relaxed);
                }
            }
        });
        log.connection().socket().set_receive_buffer(LOGGED)?;
        let flood = Flood::start(&udp);
        tokio::time::sleep(FILLED).await;
        done_or_reported(log.configure(&log::configure(3).timeout(200)).await)?;
        assert!(flood.goes_on(), "it took as long as the flood");
        drop(flood);
        tokio::time::sleep(Duration::from_millis(20)).await;
        ticking.abort();
        let longest = Duration::from_millis(longest.load(Ordering::Relaxed));
        assert!(longest > Duration::ZERO && longest < Duration::from_secs(2) * patience(), "{longest:?}");
        assert!(matches!(log.next().await?, Logged::Packet { .. }));
        Ok(())
    })
}
