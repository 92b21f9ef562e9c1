//! Policies: the values that were set are read back.

use netlink_testing::{Result, kernel, suite};
use netlink_xfrm::policy::{
    self, Action, DefaultAction, Direction, HashThresholds, Lifetime, Mark, Migration, Mode, PolicyFlags,
    PolicyType, Proto, Selector, Share, Template,
};
use netlink_xfrm::{Errno, Prefix, connect};

use crate::{ANY, ip, policies};

suite! {
    a_policy_is_added_read_changed_and_deleted;
    every_attribute_of_a_policy_reads_back;
    an_optional_template_reads_back;
    a_policy_is_found_by_its_index_mark_interface_and_type;
    a_flush_deletes_all_policies;
    the_default_is_read_and_set: kernel(5, 15);
    hash_thresholds_are_read_and_set;
    bad_policies_are_errors;
    many_policies_are_listed;
}

fn nets() -> Result<Selector> {
    Ok(Selector::new("10.1.0.0/16".parse::<Prefix>()?, "10.2.0.0/16".parse::<Prefix>()?))
}

fn a_policy_is_added_read_changed_and_deleted() -> Result {
    let mut nl = connect()?;
    let v6 = Selector::new("2001:db8::/32".parse::<Prefix>()?, "fc00::/7".parse::<Prefix>()?);
    for (selector, direction) in [(nets()?, Direction::IN), (nets()?, Direction::OUT), (v6, Direction::FWD)] {
        nl.call(policy::add(selector, direction).priority(7))?;
        let policy = nl.call(policy::get(selector, direction))?;
        let info = policy.header();
        assert_eq!((info.sel, info.dir, info.priority), (selector, direction, 7));
        assert_eq!((info.action, info.lft), (Action::ALLOW, Lifetime::UNLIMITED));
        assert_eq!(info.index & 7, u32::from(direction.0));
        assert!(policy.tmpl().is_none());
        assert_eq!(policies(&mut nl)?, [policy]);
        assert!(nl.call(policy::add(selector, direction)).unwrap_err().is_exists());
        nl.call(policy::update(selector, direction).priority(8).action(Action::BLOCK))?;
        let changed = nl.call(policy::get(selector, direction))?.header();
        assert_eq!((changed.priority, changed.action), (8, Action::BLOCK));
        nl.call(policy::delete(selector, direction))?;
        assert_eq!(nl.call(policy::get(selector, direction)).unwrap_err().errno(), Some(Errno::ENOENT));
        assert!(nl.call(policy::delete(selector, direction)).unwrap_err().is_not_found());
        assert!(policies(&mut nl)?.is_empty());
    }
    Ok(())
}

fn every_attribute_of_a_policy_reads_back() -> Result {
    let mut nl = connect()?;
    let selector = nets()?.proto(6).source_port(80).dport(1024).dport_mask(0xfc00).ifindex(1);
    let lifetime = Lifetime::UNLIMITED.soft_packet_limit(5).hard_add_expires_seconds(3000);
    let outer = Template::tunnel(ip("2001:db8::"), ip("2001:db8::2"), Proto::ESP);
    let outer = outer.aalgos(2u32).ealgos(4u32).calgos(8u32).share(Share::UNIQUE).reqid(9u32).spi(0x100);
    let templates = [Template::transport(Proto::AH).between(ANY, ANY), outer];
    let flags = PolicyFlags::LOCALOK | PolicyFlags::ICMP;
    let request = policy::add(selector, Direction::OUT)
        .priority(u32::MAX)
        .index(0x1001)
        .flags(flags)
        .lifetime(lifetime)
        .templates(&templates)
        .mark(Mark::new(3, 7))
        .if_id(44);
    nl.call(request)?;
    let policy = policies(&mut nl)?.remove(0);
    let info = policy.header();
    assert_eq!((info.sel, info.lft, info.flags), (selector, lifetime, flags));
    assert_eq!((info.priority, info.index), (u32::MAX, 0x1001));
    assert!(policy.tmpl().unwrap().iter().eq(templates), "{policy:#?}");
    assert_eq!((policy.mark(), policy.if_id()), (Some(Mark::new(3, 7)), Some(44)));
    assert_eq!(policy.unknown().count(), 0);
    let text = policy.to_string();
    assert!(
        text.starts_with("src 10.1.0.0/16 dst 10.2.0.0/16 proto 6 sport 80 dport 0x400/0xfc00 dev 1 dir out"),
        "{text}"
    );
    assert!(text.contains("tmpl src 2001:db8:: dst 2001:db8::2 proto esp reqid 9 mode tunnel"), "{text}");
    serde_json::to_string(&policy)?;
    Ok(())
}

/// vishvananda 39: TestXfrmPolicyWithOptional.
fn an_optional_template_reads_back() -> Result {
    let mut nl = connect()?;
    let here = |proto| Template::tunnel(ip("192.0.2.1"), ip("192.0.2.2"), proto);
    let templates = [here(Proto::COMP).optional(1), here(Proto::ESP)];
    nl.call(policy::add(nets()?, Direction::IN).templates(&templates))?;
    let policy = nl.call(policy::get(nets()?, Direction::IN))?;
    let optional: Vec<u8> = policy.tmpl().unwrap().iter().map(|template| template.optional).collect();
    assert_eq!(optional, [1, 0]);
    Ok(())
}

fn a_policy_is_found_by_its_index_mark_interface_and_type() -> Result {
    let mut nl = connect()?;
    let (selector, out) = (nets()?, Direction::OUT);
    nl.call(policy::add(selector, out).priority(1))?;
    nl.call(policy::add(selector, out).priority(2).mark(Mark::new(5, u32::MAX)))?;
    nl.call(policy::add(selector, out).priority(3).if_id(6))?;
    let get = || policy::get(selector, out);
    assert_eq!(nl.call(get())?.header().priority, 1);
    assert_eq!(nl.call(get().mark(Mark::new(5, u32::MAX)))?.header().priority, 2);
    let third = nl.call(get().if_id(6))?;
    let keys: std::collections::HashSet<_> = policies(&mut nl)?.iter().map(|policy| policy.key()).collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.contains(&third.key()));
    assert_eq!(third.header().priority, 3);
    let index = third.header().index;
    assert_eq!(nl.call(policy::get_by_index(index, out).if_id(6))?, third);
    nl.call(policy::delete_by_index(index, out).if_id(6))?;
    assert!(nl.call(get().if_id(6)).unwrap_err().is_not_found());
    // N3: for index 0 the kernel uses the selector.
    assert!(nl.call(policy::delete_by_index(0, out)).unwrap_err().to_string().contains("index 0"));
    assert!(policy::get_by_index(0, out).to_bytes().is_err());
    nl.call(policy::delete(selector, out).mark(Mark::new(5, u32::MAX)))?;
    assert_eq!(policies(&mut nl)?.len(), 1);

    match nl.call(policy::add(selector, out).policy_type(PolicyType::SUB)) {
        // A kernel without CONFIG_XFRM_SUB_POLICY has one type, and does not report it.
        Err(error) => assert_eq!(error.errno(), Some(Errno::EINVAL)),
        Ok(()) => {
            let sub = nl.call(get().policy_type(PolicyType::SUB))?;
            assert_eq!(sub.policy_type().unwrap().kind, PolicyType::SUB);
            assert_eq!(policies(&mut nl)?.len(), 2);
            nl.call(policy::flush(PolicyType::MAIN))?;
            assert_eq!(policies(&mut nl)?, [sub]);
        }
    }
    Ok(())
}

fn a_flush_deletes_all_policies() -> Result {
    let mut nl = connect()?;
    for direction in [Direction::IN, Direction::OUT, Direction::FWD] {
        nl.call(policy::add(nets()?, direction))?;
    }
    let counts = nl.call(policy::info())?.counts().unwrap();
    assert_eq!((counts.incnt, counts.outcnt, counts.fwdcnt), (1, 1, 1));
    assert!(nl.call(policy::info())?.table().unwrap().spdhmcnt > 0);
    nl.call(policy::flush(PolicyType::MAIN))?;
    assert!(policies(&mut nl)?.is_empty());
    nl.call(policy::flush(PolicyType::MAIN))?; // nothing there is no error
    Ok(())
}

fn the_default_is_read_and_set() -> Result {
    let mut nl = connect()?;
    let (accept, block, keep) = (DefaultAction::ACCEPT, DefaultAction::BLOCK, DefaultAction::UNSPEC);
    let all = |nl: &mut netlink_xfrm::Connection| -> Result<_> {
        let header = nl.call(policy::default_action())?.header();
        Ok((header.input, header.forward, header.output))
    };
    assert_eq!(all(&mut nl)?, (accept, accept, accept));
    nl.call(policy::set_default_action(keep, block, keep))?;
    assert_eq!(all(&mut nl)?, (accept, block, accept));
    nl.call(policy::set_default_action(block, accept, block))?;
    assert_eq!(all(&mut nl)?, (block, accept, block));
    Ok(())
}

fn hash_thresholds_are_read_and_set() -> Result {
    let mut nl = connect()?;
    let bits = |l, r| HashThresholds::default().lbits(l).rbits(r);
    let spd = nl.call(policy::info())?;
    assert_eq!((spd.ipv4_thresholds(), spd.ipv6_thresholds()), (Some(bits(32, 32)), Some(bits(128, 128))));
    nl.call(policy::set_hash_thresholds().ipv4_thresholds(bits(24, 16)))?;
    nl.call(policy::set_hash_thresholds().ipv6_thresholds(bits(64, 48)))?;
    let spd = nl.call(policy::info())?;
    assert_eq!((spd.ipv4_thresholds(), spd.ipv6_thresholds()), (Some(bits(24, 16)), Some(bits(64, 48))));
    let many = nl.call(policy::set_hash_thresholds().ipv4_thresholds(bits(33, 0))).unwrap_err();
    assert_eq!(many.errno(), Some(Errno::EINVAL));
    Ok(())
}

fn bad_policies_are_errors() -> Result {
    let mut nl = connect()?;
    let mixed = Selector::new(ip("10.0.0.1"), ip("2001:db8::1"));
    for error in [
        nl.call(policy::add(mixed, Direction::OUT)).unwrap_err(),
        nl.call(policy::delete(mixed, Direction::OUT)).unwrap_err(),
        nl.call(policy::get(mixed, Direction::OUT)).unwrap_err(),
        nl.call(policy::expire(mixed, Direction::OUT, true)).unwrap_err(),
    ] {
        assert!(error.to_string().contains("an IPv4 and an IPv6 address"), "{error}");
    }
    let template = Template::tunnel(ip("10.0.0.1"), ip("2001:db8::1"), Proto::ESP);
    assert!(nl.call(policy::add(nets()?, Direction::OUT).templates(&[template])).is_err());
    let moved = Migration::new((ip("::1"), ip("10.0.0.1")), (ip("10.0.0.1"), ip("10.0.0.2")), Proto::ESP);
    assert!(nl.call(policy::migrate(nets()?, Direction::OUT, &[moved])).is_err());
    let seven = [Template::tunnel(ip("10.0.0.1"), ip("10.0.0.2"), Proto::ESP); 7];
    let error = nl.call(policy::add(nets()?, Direction::OUT).templates(&seven)).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL));
    let mode = seven[0].mode(Mode(9));
    assert!(nl.call(policy::add(nets()?, Direction::OUT).templates(&[mode])).is_err());
    assert!(nl.call(policy::add(nets()?, Direction(9))).is_err());
    assert!(policies(&mut nl)?.is_empty());
    Ok(())
}

fn many_policies_are_listed() -> Result {
    let mut nl = connect()?;
    let template = [Template::tunnel(ip("192.0.2.1"), ip("192.0.2.2"), Proto::ESP)];
    let host = |n: u32| Selector::new(std::net::Ipv4Addr::from(0x0a00_0000 + n), ip("10.255.0.1"));
    let added = nl.batch((0..1000).map(|n| policy::add(host(n), Direction::OUT).templates(&template)));
    assert!(added.iter().all(Result::is_ok));
    assert_eq!(policies(&mut nl)?.len(), 1000);
    let mut listing = nl.dump(policy::list())?;
    while let Some(policy) = listing.next()? {
        assert_eq!(policy.tmpl().unwrap().len(), 1);
    }
    Ok(())
}
