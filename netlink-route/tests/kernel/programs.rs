//! BPF programs on links and routes: attached, replaced, identified, detached.

use std::os::fd::{AsRawFd, OwnedFd};
use std::process::Command;

use netlink_core::{Connection, Errno};
use netlink_route::link::{
    self, Veth, Xdp,
    xdp::{XdpAttached, XdpFlags},
};
use netlink_route::route::{self, encap};
use netlink_testing::{Result, bpf_program, init_namespace, kernel, kind, program, suite};
use serde_json::Value;

use crate::{LO, connect};

suite! {
    a_program_in_the_stack: kind("veth"), init_namespace(), program("ip");
    a_program_in_the_driver: kind("veth"), init_namespace();
    a_program_is_replaced_only_by_who_knows_it: kind("veth"), init_namespace(), kernel(5, 7);
    programs_on_a_route: init_namespace();
}

const BPF_PROG_TYPE_XDP: u32 = 6;
const BPF_PROG_TYPE_LWT_IN: u32 = 10;
const BPF_PROG_TYPE_LWT_OUT: u32 = 11;
const BPF_PROG_TYPE_LWT_XMIT: u32 = 12;

/// A program that returns a number.
fn returns(kind: u32, number: u8) -> std::io::Result<OwnedFd> {
    const BPF_MOV64_IMM: u8 = 0xb7;
    const BPF_EXIT: u8 = 0x95;
    bpf_program(kind, &[[BPF_MOV64_IMM, 0, 0, 0, number, 0, 0, 0], [BPF_EXIT, 0, 0, 0, 0, 0, 0, 0]])
}

fn passes() -> std::io::Result<OwnedFd> {
    const XDP_PASS: u8 = 2;
    returns(BPF_PROG_TYPE_XDP, XDP_PASS)
}

/// A connection and a pair of links, `a` and `b`.
fn pair() -> Result<Connection> {
    let mut nl = connect()?;
    nl.call(link::create("a").kind(Veth::new().peer(link::peer("b"))))?;
    Ok(nl)
}

/// Where the program of `a` runs, and its id.
fn attached(nl: &mut Connection) -> Result<(Option<XdpAttached>, Option<u32>)> {
    let link = nl.call(link::get("a"))?;
    let xdp = link.xdp().ok_or("no IFLA_XDP")?;
    Ok((xdp.attached(), xdp.prog_id()))
}

/// vishvananda 14
fn a_program_in_the_stack() -> Result {
    let mut nl = pair()?;
    let (first, second) = (passes()?, passes()?);
    let attach = |fd: &OwnedFd, flags| link::set("a").xdp(Xdp::attach(fd.as_raw_fd()).flags(flags));
    nl.call(attach(&first, XdpFlags::SKB_MODE))?;
    let (place, id) = attached(&mut nl)?;
    assert_eq!(place, Some(XdpAttached::SKB));
    let shown = Command::new("ip").args(["-j", "link", "show", "a"]).output()?;
    let shown: Value = serde_json::from_slice(&shown.stdout)?;
    assert_eq!(shown[0]["xdp"]["prog"]["id"].as_u64(), id.map(u64::from), "{shown}");

    let busy = nl.call(attach(&second, XdpFlags::SKB_MODE | XdpFlags::UPDATE_IF_NOEXIST)).unwrap_err();
    assert!(busy.is_busy(), "{busy}");
    assert_eq!(attached(&mut nl)?, (place, id));
    nl.call(attach(&second, XdpFlags::SKB_MODE))?;
    let (place, other) = attached(&mut nl)?;
    assert_eq!(place, Some(XdpAttached::SKB));
    assert!(other.is_some() && other != id);
    nl.call(link::set("a").xdp(Xdp::detach().flags(XdpFlags::SKB_MODE)))?;
    assert_eq!(attached(&mut nl)?, (Some(XdpAttached::NONE), None));
    Ok(())
}

fn a_program_in_the_driver() -> Result {
    let mut nl = pair()?;
    let program = passes()?;
    let in_driver = Xdp::attach(program.as_raw_fd()).flags(XdpFlags::DRV_MODE);
    nl.call(link::set("a").xdp(in_driver))?;
    assert_eq!(attached(&mut nl)?.0, Some(XdpAttached::DRV));
    let link = nl.call(link::get("a"))?;
    let xdp = link.xdp().ok_or("no IFLA_XDP")?;
    assert!(xdp.drv_prog_id().is_some() && xdp.skb_prog_id().is_none());
    let in_device = Xdp::attach(program.as_raw_fd()).flags(XdpFlags::HW_MODE);
    let refused = nl.call(link::set("a").xdp(in_device)).unwrap_err();
    assert!(refused.errno().is_some(), "{refused}");
    assert_eq!(attached(&mut nl)?.0, Some(XdpAttached::DRV));
    nl.call(link::set("a").xdp(Xdp::detach().flags(XdpFlags::DRV_MODE)))?;
    assert_eq!(attached(&mut nl)?.0, Some(XdpAttached::NONE));
    Ok(())
}

fn a_program_is_replaced_only_by_who_knows_it() -> Result {
    let mut nl = pair()?;
    let (first, second) = (passes()?, passes()?);
    let mut replace = |expected: i32, program: &OwnedFd| {
        nl.call(link::set("a").xdp(Xdp::replace(expected, program.as_raw_fd(), XdpFlags::SKB_MODE)))
    };
    replace(-1, &first)?;
    assert_eq!(replace(-1, &second).unwrap_err().errno(), Some(Errno::EEXIST));
    assert_eq!(replace(second.as_raw_fd(), &second).unwrap_err().errno(), Some(Errno::EEXIST));
    let (_, before) = attached(&mut nl)?;
    nl.call(link::set("a").xdp(Xdp::replace(first.as_raw_fd(), second.as_raw_fd(), XdpFlags::SKB_MODE)))?;
    let (place, after) = attached(&mut nl)?;
    assert_eq!(place, Some(XdpAttached::SKB));
    assert!(after.is_some() && after != before);
    Ok(())
}

fn programs_on_a_route() -> Result {
    let mut nl = connect()?;
    const BPF_OK: u8 = 0;
    let input = returns(BPF_PROG_TYPE_LWT_IN, BPF_OK)?;
    let output = returns(BPF_PROG_TYPE_LWT_OUT, BPF_OK)?;
    let xmit = returns(BPF_PROG_TYPE_LWT_XMIT, BPF_OK)?;
    let named = |fd: &OwnedFd, name: &'static str| {
        encap::BpfProgram::new().fd(fd.as_raw_fd().unsigned_abs()).name(name)
    };
    let programs = encap::Bpf::new()
        .input(named(&input, "comes"))
        .output(named(&output, "goes"))
        .xmit(named(&xmit, "leaves"))
        .xmit_headroom(14);
    nl.call(route::add("10.0.0.0/24".parse()?).oif(LO).encap(programs))?;
    let routes = nl.dump(route::list().oif(LO).table(254))?.collect()?;
    let [made] = routes.as_slice() else { panic!("{routes:?}") };
    let text = made.view()?.to_string();
    assert!(text.contains("encap bpf in comes out goes xmit leaves dev"), "{text}");

    let wrong = encap::Bpf::new().xmit(named(&input, "of another type"));
    let refused = nl.call(route::add("10.0.1.0/24".parse()?).oif(LO).encap(wrong)).unwrap_err();
    assert_eq!(refused.errno(), Some(Errno::EINVAL), "{refused}");
    Ok(())
}
