//! Helpers in user space. They belong to the machine: each test uses its own names.

use std::net::{TcpListener, TcpStream};
use std::slice;

use netlink_core::{Connection, Errno, Error};
use netlink_netfilter::conntrack::{self, IpProtocol, Tuple};
use netlink_netfilter::helper::{self, Helper, HelperStatus, Policy};
use netlink_netfilter::{Family, connect, expect};
use netlink_testing::{Need, Result, file, init_namespace, is_since, module, program, suite};
use tokio::runtime::Builder;

use crate::{flow, host, make, nft, run};

suite! {
    a_helper_is_made_read_changed_and_deleted: init_namespace(), HELPERS;
    one_name_for_many_protocols: init_namespace(), HELPERS;
    unchangeable_attributes: init_namespace(), HELPERS;
    expectations_have_the_limits_of_its_policies: init_namespace(), HELPERS;
    a_rule_gives_it_to_connections: init_namespace(), HELPERS, program("nft"), program("ip");
    nfct_shows_what_was_made_here: init_namespace(), HELPERS, program("nfct");
    objects_made_by_nfct_are_read: init_namespace(), HELPERS, program("nfct"), file(RPC);
    helpers_on_a_reactor: init_namespace(), HELPERS;
    invalid_requests_are_refused_here;
}

/// Of the package conntrackd.
const RPC: &str = match () {
    () if cfg!(target_arch = "s390x") => "/usr/lib/s390x-linux-gnu/conntrack-tools/ct_helper_rpc.so",
    () if cfg!(target_arch = "x86") => "/usr/lib/i386-linux-gnu/conntrack-tools/ct_helper_rpc.so",
    () => "/usr/lib/x86_64-linux-gnu/conntrack-tools/ct_helper_rpc.so",
};
const HELPERS: Need = module("nfnetlink_cthelper");
const TCP: IpProtocol = IpProtocol::TCP;

/// A connection, and helpers of one name that are deleted after the test.
struct Helpers {
    nl: Connection,
    name: &'static str,
}

impl Helpers {
    fn named(name: &'static str) -> Result<Self> {
        let mut nl = connect()?;
        let _ = nl.call(helper::flush().name(name));
        Ok(Self { nl, name })
    }

    fn get(&mut self) -> Result<Helper<'static>, Error> {
        self.nl.call(helper::get(self.name, Family::IPV4, TCP))
    }

    /// In IPv4 and TCP, with the policies "one" and "two".
    fn make(&mut self) -> Result<(), Error> {
        let request = helper::create(self.name, Family::IPV4, TCP, &policies());
        self.nl.call(request.priv_data_len(24).queue_num(7).status(HelperStatus::ENABLED))
    }
}

impl Drop for Helpers {
    fn drop(&mut self) {
        let _ = self.nl.call(helper::flush().name(self.name));
    }
}

fn policies() -> [Policy; 2] {
    let [one, two] = ["one", "two"].map(|name| Policy::new().name(name));
    [one.expect_max(3).expect_timeout(300), two.expect_max(1).expect_timeout(60)]
}

fn a_helper_is_made_read_changed_and_deleted() -> Result {
    let mut helpers = Helpers::named("nl-made")?;
    helpers.make()?;
    assert!(helpers.make().unwrap_err().is_exists());
    let helper = helpers.get()?;
    assert_eq!(helper.name().unwrap(), "nl-made");
    assert_eq!(helper.tuple().unwrap().family(), Some(Family::IPV4));
    assert_eq!(helper.tuple().unwrap().l4proto(), Some(TCP));
    assert_eq!((helper.queue_num(), helper.priv_data_len()), (Some(7), Some(24)));
    assert_eq!(helper.status(), Some(HelperStatus::ENABLED));
    let set = helper.policy().unwrap();
    assert_eq!(set.num(), Some(2));
    assert_eq!(set.policies().collect::<Vec<_>>(), policies().map(Policy::attrs));
    assert_eq!(helper.unknown().count(), 0);

    let update = || helper::update("nl-made", Family::IPV4, TCP);
    helpers.nl.call(update().queue_num(9).status(HelperStatus::DISABLED))?;
    let helper = helpers.get()?;
    assert_eq!((helper.queue_num(), helper.status()), (Some(9), Some(HelperStatus::DISABLED)));
    assert_eq!(helper.policy(), Some(set));

    helpers.nl.call(helper::delete("nl-made", Family::IPV4, TCP))?;
    assert!(matches!(helpers.get(), Err(Error::NoReply(_))));
    // The kernel reads it as an incomplete request to make one.
    assert_eq!(helpers.nl.call(update().queue_num(9)).unwrap_err().errno(), Some(Errno::EINVAL));
    Ok(())
}

fn one_name_for_many_protocols() -> Result {
    let mut helpers = Helpers::named("nl-many")?;
    let places = [
        (Family::IPV4, TCP),
        (Family::IPV6, TCP),
        (Family::IPV4, IpProtocol::UDP),
        (Family::IPV6, IpProtocol::SCTP),
    ];
    let four = ["a", "b", "c", "d"].map(|name| Policy::new().name(name).expect_max(255).expect_timeout(1));
    for (n, (family, protocol)) in places.into_iter().enumerate() {
        let request = helper::create("nl-many", family, protocol, &four[..=n]);
        helpers.nl.call(request.priv_data_len(0))?;
        let helper = helpers.nl.call(helper::get("nl-many", family, protocol))?;
        let set = helper.policy().unwrap();
        let all: Vec<_> =
            set.policies().map(|policy| (policy.name().unwrap().to_string(), policy.expect_max())).collect();
        assert_eq!(all.len(), n + 1);
        assert_eq!(all[n], (["a", "b", "c", "d"][n].to_owned(), Some(255)));
        assert_eq!(helper.status(), Some(HelperStatus::DISABLED));
    }
    let count = |nl: &mut Connection| -> Result<usize> {
        let mut listing = nl.dump(helper::list())?;
        let mut count = 0;
        while let Some(helper) = listing.next()? {
            count += usize::from(helper.name().unwrap() == "nl-many");
        }
        Ok(count)
    };
    assert_eq!(count(&mut helpers.nl)?, 4);
    helpers.nl.call(helper::delete("nl-many", Family::IPV6, TCP))?;
    assert_eq!(count(&mut helpers.nl)?, 3);
    helpers.nl.call(helper::flush().name("nl-many"))?;
    assert_eq!(count(&mut helpers.nl)?, 0);
    Ok(())
}

fn unchangeable_attributes() -> Result {
    let mut helpers = Helpers::named("nl-fixed")?;
    helpers.make()?;
    let update = || helper::update("nl-fixed", Family::IPV4, TCP);
    let set = |policies: &[Policy]| update().policy(helper::PolicySet::of(policies));
    let [one, two] = policies();
    let changed = one.clone().expect_timeout(301);
    helpers.nl.call(set(&[changed.clone(), two.clone()]))?;
    let read = helpers.get()?;
    assert_eq!(read.policy().unwrap().policies().next().unwrap().expect_timeout(), Some(301));

    let mut errno = |request| helpers.nl.call(request).unwrap_err().errno().unwrap();
    assert_eq!(errno(set(slice::from_ref(&one))), Errno::EBUSY);
    assert_eq!(errno(set(&[two, one.clone()])), Errno::EBUSY);
    assert_eq!(errno(update().priv_data_len(8)), Errno::EBUSY);
    let too_many = Policy::new().name("x").expect_max(256).expect_timeout(1);
    let create =
        |name, policies: &[Policy]| helper::create(name, Family::IPV4, TCP, policies).priv_data_len(0);
    assert_eq!(errno(create("nl-none", &[too_many])), Errno::EINVAL);
    assert_eq!(errno(create("nl-none", &[])), Errno::EINVAL);
    assert_eq!(errno(create("nl-none", &[Policy::new().name("x")])), Errno::EINVAL);
    assert_eq!(errno(create("nl-none", slice::from_ref(&one)).priv_data_len(1 << 20)), Errno::ENOMEM);
    assert_eq!(errno(helper::create("nl-none", Family::IPV4, TCP, &[one])), Errno::EINVAL);
    Ok(())
}

fn expectations_have_the_limits_of_its_policies() -> Result {
    let mut helpers = Helpers::named("nl-expect")?;
    helpers.make()?;
    let nl = &mut helpers.nl;
    let master = flow(1);
    nl.call(make(&master).help(conntrack::Helper::named("nl-expect")))?;
    let entry = nl.call(conntrack::get(&master))?;
    assert_eq!(entry.help().unwrap().name().unwrap(), "nl-expect");
    let expected = |port| Tuple::tcp((host(1), 0).into(), (host(2), port).into());
    let mask = Tuple::tcp("255.255.255.255:0".parse()?, "255.255.255.255:65535".parse()?);
    let expect =
        |port, class| expect::create(&master, &expected(port), &mask).class(class).help_name("nl-expect");
    for (class, seconds, port) in [(0, 300, 2000), (1, 60, 2001)] {
        nl.call(expect(port, class))?;
        let left = nl.call(expect::get(&expected(port)))?.timeout().unwrap();
        assert!((seconds - 20..=seconds).contains(&left), "{left}");
    }
    // One more of the second class replaces the first, because the class holds one.
    nl.call(expect(2002, 1))?;
    assert!(nl.call(expect::get(&expected(2001))).unwrap_err().is_not_found());
    nl.call(expect::get(&expected(2002)))?;
    nl.call(expect::get(&expected(2000)))?;

    // Connections continue without it.
    nl.call(conntrack::delete(&master))?;
    nl.call(helper::delete("nl-expect", Family::IPV4, TCP))?;
    Ok(())
}

fn a_rule_gives_it_to_connections() -> Result {
    let mut helpers = Helpers::named("nl-rule")?;
    helpers.make()?;
    // No program has bound its queue.
    helpers.nl.call(helper::update("nl-rule", Family::IPV4, TCP).status(HelperStatus::DISABLED))?;
    run("ip link set lo up")?;
    nft("table ip t { ct helper h { type \"nl-rule\" protocol tcp; l3proto ip; }; \
            chain c { type filter hook output priority 0; ct state new ct helper set \"h\"; }; }")?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    listener.accept()?;
    let entry = helpers.nl.call(conntrack::get(&Tuple::tcp(client.local_addr()?, client.peer_addr()?)))?;
    assert_eq!(entry.help().unwrap().name().unwrap(), "nl-rule");
    let deleted = helpers.nl.call(helper::delete("nl-rule", Family::IPV4, TCP));
    let refusal = if is_since(7, 0) { None } else { Some(Errno::EBUSY) };
    assert_eq!(deleted.err().and_then(|error| error.errno()), refusal);
    run("nft flush ruleset")?;
    Ok(())
}

/// The output of `nfct` for a helper: without its policies.
fn as_nfct(helper: &Helper<'_>) -> String {
    let tuple = helper.tuple().unwrap();
    format!(
        "{{\n\t.name = {},\n\t.queuenum = {},\n\t.l3protonum = {},\n\t.l4protonum = {},\n\t.priv_data_len = {},\n\
         \t.status = {},\n}};\n",
        helper.name().unwrap(),
        helper.queue_num().unwrap(),
        tuple.l3proto().unwrap(),
        tuple.l4proto().unwrap().0,
        helper.priv_data_len().unwrap(),
        helper.status().unwrap(),
    )
}

fn nfct_shows_what_was_made_here() -> Result {
    let mut helpers = Helpers::named("nl-shown")?;
    helpers.make()?;
    let shown = as_nfct(&helpers.get()?);
    let printed = run("nfct list helper")?;
    assert!(printed.contains(&shown), "{shown}\n{printed}");
    Ok(())
}

fn objects_made_by_nfct_are_read() -> Result {
    let mut helpers = Helpers::named("rpc")?;
    run("nfct add helper rpc inet tcp")?;
    let helper = helpers.get()?;
    // Not `nfct get helper`, which prints nothing on a big-endian machine.
    let (shown, printed) = (as_nfct(&helper), run("nfct list helper")?);
    assert!(printed.contains(&shown), "{shown}\n{printed}");
    assert!(helper.policy().unwrap().policies().count() > 0);
    helpers.nl.call(helper::delete("rpc", Family::IPV4, TCP))?;
    assert!(matches!(helpers.get(), Err(Error::NoReply(_))));
    Ok(())
}

fn helpers_on_a_reactor() -> Result {
    let _helpers = Helpers::named("nl-reactor")?;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut nl = netlink_netfilter::tokio::connect()?;
        let create =
            || helper::create("nl-reactor", Family::IPV6, IpProtocol::UDP, &policies()).priv_data_len(0);
        nl.call(create()).await?;
        assert!(nl.call(create()).await.unwrap_err().is_exists());
        let mut listing = nl.dump(helper::list()).await?;
        let mut found = false;
        while let Some(helper) = listing.next().await? {
            found |= helper.name().unwrap() == "nl-reactor";
        }
        assert!(found);
        nl.call(helper::delete("nl-reactor", Family::IPV6, IpProtocol::UDP)).await?;
        let gone = nl.call(helper::get("nl-reactor", Family::IPV6, IpProtocol::UDP)).await;
        assert!(matches!(gone, Err(Error::NoReply(_))));
        Ok(())
    })
}

fn invalid_requests_are_refused_here() -> Result {
    let mut nl = connect()?;
    let five = [(); 5].map(|()| Policy::new());
    let refused = [
        (helper::create("sixteen-is-a-lot", Family::IPV4, TCP, &policies()), "NFCTH_NAME"),
        (helper::create("x", Family::IPV4, TCP, &five), "NFCTH_POLICY"),
        (
            helper::create("x", Family::IPV4, TCP, &[Policy::new().name("sixteen-is-a-lot")]),
            "NFCTH_POLICY_NAME",
        ),
    ];
    for (request, place) in refused {
        let error = nl.call(request).unwrap_err();
        assert!(matches!(&error, Error::Request(_)) && error.to_string().contains(place), "{error}");
    }
    Ok(())
}
