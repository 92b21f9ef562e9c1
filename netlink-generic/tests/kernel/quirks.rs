//! Exchanges that break the usual rules, with families declared in the tests. The rules are in netlink-core's
//! `exchange`.

use netlink_core::{Connection, Expect, Protocol, Reply};
use netlink_generic::{Dump, MessageFlags, Namespace, OpenOptions, attrs};
use netlink_testing::{Result, generic, init_namespace, skip, suite};

use self::ethtool::{Device, DeviceHeader, DeviceRequest};
use self::thermal::{Zones, ZonesRequest};

suite! {
    a_list_whose_data_is_not_numbered_is_not_empty: init_namespace();
    an_answer_after_its_acknowledgement_is_awaited: init_namespace();
    a_list_without_multi_is_read_to_its_end: generic("ethtool");
    a_refusal_at_the_end_of_a_list_is_reported: generic("ethtool");
}

mod thermal {
    use netlink_generic::{Header, attrs, family, message};

    family! {
        /// Thermal zones.
        pub(crate) struct Thermal(Header): "thermal" = 1 { Zones }
    }

    message! {
        /// All zones in one message.
        pub(crate) struct Zones<'a>(Thermal, ZonesAttrs<'a>), ZonesRequest {
            /// Their ids.
            1 THERMAL_GENL_CMD_TZ_GET_ID GET [unnumbered],
        }
    }

    attrs! {
        /// `THERMAL_GENL_ATTR_*`.
        pub(crate) struct ZonesAttrs<'a> for ZonesRequest<R> {
            /// Zones.
            1 THERMAL_GENL_ATTR_TZ zones: netlink_generic::Bytes<'a>,
        }
    }
}

/// P4
fn a_list_whose_data_is_not_numbered_is_not_empty() -> Result {
    // The family exists only in the initial namespace, where the first thread of the process is.
    let initial = Namespace::open_path("/proc/self/ns/net")?;
    let mut nl = match thermal::connect_with(&OpenOptions::new().namespace(&initial)) {
        Err(error) if error.is_not_found() => skip(error.to_string()),
        connected => connected?,
    };
    for _ in 0..2 {
        let request = ZonesRequest::<Dump<Zones<'static>>>::new(&Zones::GET, MessageFlags::DUMP);
        let listed = nl.dump(request)?.collect()?;
        assert_eq!(listed.len(), 1);
        assert!(listed[0].view()?.zones().is_some());
    }
    Ok(())
}

netlink_core::layout! {
    /// `struct audit_status`, its first fields.
    pub(crate) struct Status: audit_status = 32 {
        /// The settings to change.
        mask: u32,
        /// Whether it is on.
        enabled: u32,
        /// The action if memory is lacking.
        failure: u32,
        /// Process of the daemon.
        pid: u32,
        /// Messages per second.
        rate_limit: u32,
        /// Largest number of waiting messages.
        backlog_limit: u32,
        /// Messages lost.
        lost: u32,
        /// Messages that wait.
        backlog: u32,
    }
}

attrs! {
    /// No attributes: the rest of the struct follows.
    pub(crate) struct NoAttrs<'a> for AuditRequest<R> {
        /// Not an attribute.
        1 AUDIT_NOTHING nothing: u32,
    }
}

netlink_core::message! {
    /// The state of auditing.
    pub(crate) struct Audit<'a>((), NoAttrs<'a>), AuditRequest {
        /// Asks for it. The answer has the same type.
        1000 AUDIT_GET GET [answer_after_ack],
        /// Lists rules.
        1013 AUDIT_LIST_RULES LIST [answer_after_ack],
    }
}

/// The fixed part of an answer.
struct Answer(Status);

impl Reply for Answer {
    const EXPECT: Expect = Expect::Reply;
    type View<'a> = Status;

    fn view(message: &netlink_core::Message<'_>) -> Result<Status, netlink_core::DecodeError> {
        netlink_core::layout::Field::take(&mut { message.body }).map_err(Into::into)
    }

    fn own(view: Status) -> Self {
        Self(view)
    }
}

/// P5, P6: port 0, and an acknowledgement that arrives first.
fn an_answer_after_its_acknowledgement_is_awaited() -> Result {
    let mut nl = match Connection::open(Protocol::AUDIT) {
        Err(error) if error.errno().map(|errno| errno.0) == Some(93) => skip("a kernel without auditing"),
        opened => opened?,
    };
    nl.set_timeout(Some(std::time::Duration::from_secs(10)))?;
    for _ in 0..3 {
        let status = match nl.call(AuditRequest::<Answer>::new(&Audit::GET, MessageFlags::ACK, ())) {
            // Auditing belongs to the initial user namespace, and needs CAP_AUDIT_CONTROL there.
            Err(error) if error.is_permission() || error.errno().map(|errno| errno.0) == Some(111) => {
                skip(format!("AUDIT_GET: {error}"))
            }
            answered => answered?,
        };
        assert!(status.0.enabled <= 2);
        let list = AuditRequest::<Dump<Answer>>::new(&Audit::LIST, MessageFlags::ACK, ());
        assert!(nl.dump(list)?.collect().is_ok());
    }
    Ok(())
}

mod ethtool {
    use netlink_generic::{Header, attrs, family, message};

    family! {
        /// Devices.
        pub(crate) struct Ethtool(Header): "ethtool" = 1 { Device }
    }

    message! {
        /// A part of a device.
        pub(crate) struct Device<'a>(Ethtool, DeviceAttrs<'a>), DeviceRequest {
            /// Time stamping.
            25 ETHTOOL_MSG_TSINFO_GET TSINFO,
            /// Tunnels.
            28 ETHTOOL_MSG_TUNNEL_INFO_GET TUNNELS,
        }
    }

    attrs! {
        /// The header of all messages.
        pub(crate) struct DeviceAttrs<'a> for DeviceRequest<R> {
            /// The device. Until Linux 6.6 a list needs it too, with empty content.
            1 ETHTOOL_A_TSINFO_HEADER device: HeaderAttrs<'a>,
        }
    }

    attrs! {
        /// `ETHTOOL_A_HEADER_*`.
        pub(crate) struct HeaderAttrs<'a> for DeviceHeader {
            /// Index of the link.
            1 ETHTOOL_A_HEADER_DEV_INDEX index: u32,
        }
    }
}

fn list(what: &'static netlink_core::MessageInfo) -> DeviceRequest<Dump<Device<'static>>> {
    DeviceRequest::new(what, MessageFlags::DUMP).device(DeviceHeader::new().attrs())
}

/// P1
fn a_list_without_multi_is_read_to_its_end() -> Result {
    let mut nl = ethtool::connect()?;
    for _ in 0..2 {
        let listed = nl.dump(list(&Device::TSINFO))?.collect()?;
        assert!(!listed.is_empty());
        assert!(listed.iter().all(|device| device.view().is_ok_and(|device| device.header().command == 26)));
    }
    Ok(())
}

/// P24: if no device has tunnels, the list ends with `EOPNOTSUPP`.
fn a_refusal_at_the_end_of_a_list_is_reported() -> Result {
    let mut nl = ethtool::connect()?;
    let partial = nl.dump(list(&Device::TUNNELS))?.collect().unwrap_err();
    assert!(partial.items.is_empty() && partial.error.is_unsupported(), "{partial}");
    assert!(!nl.dump(list(&Device::TSINFO))?.collect()?.is_empty());
    Ok(())
}
