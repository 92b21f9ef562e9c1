//! The program of `examples/`, run.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use netlink_netfilter::connect;
use netlink_testing::{Result, ipv6, program, suite};

use crate::conntrack_top::Firewall;
use crate::packets::{exchange_udp, track};
use crate::wire::{LONG, PORT, SHORT, Udp};
use crate::{flow, make, run, sysctl};

suite! {
    packets_to_a_closed_port_are_dropped: program("ip"), program("iptables");
    packets_of_ipv6_to_a_closed_port_are_dropped: program("ip"), program("ip6tables"), ipv6();
    the_table_is_shown;
    the_busiest_connection_is_first: program("ip"), program("nft");
    another_has_the_queue;
}

/// The output of the program.
struct Screens(Sender<String>);

impl io::Write for Screens {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(String::from_utf8_lossy(bytes).into_owned()).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn filter(address: IpAddr, iptables: &str) -> Result {
    run("ip link set lo up")?;
    let udp = Udp::between(address);
    run(&format!("{iptables} -w -A OUTPUT -p udp -j NFQUEUE --queue-num 7"))?;
    let mut firewall = Firewall::open(7, &[1, PORT])?;
    let stop = firewall.queue.connection().stop_handle()?;
    let (sender, screens) = channel();
    let works = thread::spawn(move || firewall.run(SHORT, &mut Screens(sender)));
    udp.send("no");
    assert_eq!(udp.receive_within(SHORT), None);
    let open = UdpSocket::bind((address, 0))?;
    open.send_to(b"yes", open.local_addr()?)?;
    open.set_read_timeout(Some(LONG))?;
    assert_eq!(open.recv(&mut [0; 8])?, 3);
    let mut text = String::new();
    while !text.contains("; of new ones 1 passed, 1 dropped\n") {
        text += &screens.recv_timeout(LONG)?;
    }
    assert!(text.contains("; of new ones 0 passed, 0 dropped\n"), "{text}");
    stop.stop();
    Ok(works.join().map_err(|_| "the firewall died")??)
}

fn packets_to_a_closed_port_are_dropped() -> Result {
    filter(Ipv4Addr::LOCALHOST.into(), "iptables")
}

fn packets_of_ipv6_to_a_closed_port_are_dropped() -> Result {
    filter(Ipv6Addr::LOCALHOST.into(), "ip6tables")
}

fn the_table_is_shown() -> Result {
    let mut nl = connect()?;
    let mut firewall = Firewall::open(7, &[])?;
    assert_eq!(firewall.top(5)?, "0 connections; of new ones 0 passed, 0 dropped\n");
    for number in 1..4 {
        nl.call(make(&flow(number)).mark(number))?;
    }
    let text = firewall.top(2)?;
    assert!(text.starts_with("3 connections; "), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("           0 tcp 6 ")).count(), 2, "{text}");
    Ok(())
}

fn the_busiest_connection_is_first() -> Result {
    let mut nl = connect()?;
    track(&mut nl)?;
    sysctl("acct", "1")?;
    let (quiet, busy) = (exchange_udp(1)?, exchange_udp(9)?);
    let mut firewall = Firewall::open(7, &[])?;
    let text = firewall.top(1)?;
    // 20 bytes of IP, 8 of UDP, 4 of data.
    let [_, line] = &text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(line.contains(&busy.attrs().to_string()) && line.starts_with("         288 udp"), "{text}");
    assert!(firewall.top(9)?.contains(&quiet.attrs().to_string()));
    Ok(())
}

fn another_has_the_queue() -> Result {
    let _first = Firewall::open(7, &[])?;
    let Err(error) = Firewall::open(7, &[]) else { panic!("two of one queue") };
    assert!(error.is_permission() && error.to_string().contains("another socket has the queue"), "{error}");
    Ok(())
}
