//! The controller: lists the families with their numbers, operations and groups. Kernel side:
//! `uapi/linux/genetlink.h`, `net/netlink/genetlink.c`.
//!
//! ```no_run
//! use netlink_generic::Notice;
//! use netlink_generic::ctrl::{self, Ctrl, Event, Policies};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut nl = netlink_generic::connect()?;
//! match nl.call(ctrl::get("wireguard")) {
//!     Ok(family) => println!("{family}"),
//!     Err(error) if error.is_not_found() => println!("no wireguard here"),
//!     Err(error) => return Err(error.into()),
//! }
//! println!("{}", nl.call(ctrl::get_id(16))?);
//!
//! let policies = Policies::new(&nl.dump(ctrl::policies("ethtool"))?.collect()?)?;
//! for attribute in policies.call(1).into_iter().flat_map(|set| set.attributes()) {
//!     println!("{attribute}");
//! }
//!
//! let mut events = ctrl::subscribe(&[Ctrl::NOTIFY])?;
//! while let Notice::Event { event, .. } = events.next()? {
//!     match event {
//!         Event::FamilyAdded(family) => println!("new: {family}"),
//!         other => println!("{other:?}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! To wait for a missing family: subscribe to [`Ctrl::NOTIFY`], ask for the family once more, and wait for its
//! [`FamilyAdded`](Event::FamilyAdded). When a family is removed, the kernel answers its requests with `ENOENT` and
//! silently ends all memberships in its groups. It reuses the number only after all other numbers were used.
//!
//! Families and their numbers are the same in all network namespaces, with two exceptions.
//!
//! A few families exist only in the initial namespace, such as `thermal` and most families of hardware
//! drivers. In other namespaces they are not found.
//!
//! The families dpll, nbd and binder are found in all namespaces, but send their events only to the initial
//! one. In another namespace a stream of their events stays silent: open it in the initial namespace with
//! [`OpenOptions::namespace`](crate::OpenOptions::namespace).

mod policy;

use core::fmt;

use netlink_core::{Dump, Errno, Indexed, KernelError, Message, MessageFlags, Messages, Str, attrs, flags};

pub use netlink_core::error::{PolicyAttrs, PolicyType};
pub use policy::{AttributePolicy, OperationPolicy, Policies, PolicySet};

use crate::declare::Declared;
use crate::resolved::{Bound, Resolved};
use crate::{Header, IntoUnbound, Unbound, family, message};

/// `GENL_ID_CTRL`: the number of the controller. It is the only fixed number of a family.
pub const GENL_ID_CTRL: u16 = 16;

family! {
    /// The controller itself.
    pub struct Ctrl(Header): "nlctrl" = 2 { Family }

    groups {
        /// Families and groups that are added or removed. The initial namespace receives all events. Other
        /// namespaces receive those about their own families.
        "notify" NOTIFY,
    }

    /// A change in the list of families. Families change when modules are loaded and unloaded.
    pub enum Event<'a> {
        /// A family was added. The event has its groups too; an event per group follows.
        FamilyAdded(Family) = NEWFAMILY,
        /// A family was removed.
        FamilyRemoved(Family) = DELFAMILY,
        /// A group of a family was added.
        GroupAdded(Family) = NEWMCAST_GRP,
        /// A group of a family was removed, and all memberships in it ended.
        GroupRemoved(Family) = DELMCAST_GRP,
    }
}

message! {
    /// A family, or a part of the information about it.
    pub struct Family<'a>(Ctrl, FamilyAttrs<'a>), FamilyRequest {
        /// A family that exists or was added.
        1 CTRL_CMD_NEWFAMILY NEWFAMILY [received],
        /// A family that was removed.
        2 CTRL_CMD_DELFAMILY DELFAMILY [received],
        /// Asks for one family or for all.
        3 CTRL_CMD_GETFAMILY GETFAMILY,
        /// No kernel sends it.
        4 CTRL_CMD_NEWOPS NEWOPS,
        /// No kernel sends it.
        5 CTRL_CMD_DELOPS DELOPS,
        /// No kernel accepts it: operations are part of the family.
        6 CTRL_CMD_GETOPS GETOPS,
        /// A group that was added.
        7 CTRL_CMD_NEWMCAST_GRP NEWMCAST_GRP [received],
        /// A group that was removed.
        8 CTRL_CMD_DELMCAST_GRP DELMCAST_GRP [received],
        /// No kernel accepts it: groups are part of the family.
        9 CTRL_CMD_GETMCAST_GRP GETMCAST_GRP,
        /// Asks what a family accepts. The parts of the answer have the same type. Linux 5.7.
        10 CTRL_CMD_GETPOLICY GETPOLICY,
    }
    about subject
}

attrs! {
    /// `CTRL_ATTR_*`.
    pub struct FamilyAttrs<'a> for FamilyRequest<R> {
        /// The number: `nlmsg_type` of the family's messages.
        1 CTRL_ATTR_FAMILY_ID id: u16,
        /// The name: at most 15 bytes.
        2 CTRL_ATTR_FAMILY_NAME name: Str<'a, 15>,
        /// Version of the family's protocol; few families raised it.
        3 CTRL_ATTR_VERSION version: u32,
        /// Length in bytes of the family's own header, after `genlmsghdr`.
        4 CTRL_ATTR_HDRSIZE header_size: u32,
        /// Largest attribute number in the family's outermost set; 0 where it depends on the operation.
        5 CTRL_ATTR_MAXATTR max_attribute: u32,
        /// Operations of the family. The index counts from 1.
        6 CTRL_ATTR_OPS operations: Indexed<'a, OperationAttrs<'a>>,
        /// Groups that receive the family's events. The index counts from 1.
        7 CTRL_ATTR_MCAST_GROUPS groups: Indexed<'a, GroupAttrs<'a>>,
        /// In a policy dump, one attribute of one set: by the set's index, then by the attribute's number. Linux 5.7.
        8 CTRL_ATTR_POLICY policy: Indexed<'a, Indexed<'a, PolicyAttrs<'a>>>,
        /// In a policy dump, by command: index of the sets that the command accepts. Linux 5.10.
        9 CTRL_ATTR_OP_POLICY operation_policy: Indexed<'a, OperationPolicyAttrs<'a>>,
        /// In a request for a policy dump: the command to describe. Linux 5.10.
        10 CTRL_ATTR_OP operation: u32,
    }
}

attrs! {
    /// `CTRL_ATTR_OP_*`: an operation.
    pub struct OperationAttrs<'a> for OperationBuilder {
        /// The command.
        1 CTRL_ATTR_OP_ID command: u32,
        /// What the operation supports, and who may use it.
        2 CTRL_ATTR_OP_FLAGS flags: OperationFlags,
    }
}

flags! {
    /// `GENL_*`: what an operation supports, and who may use it.
    pub struct OperationFlags: u32 {
        /// Requires `CAP_NET_ADMIN` in the initial user namespace.
        0x1 GENL_ADMIN_PERM ADMIN,
        /// Answers with one reply or an acknowledgement.
        0x2 GENL_CMD_CAP_DO DO,
        /// Answers with a list.
        0x4 GENL_CMD_CAP_DUMP DUMP,
        /// Its attributes are checked against a policy.
        0x8 GENL_CMD_CAP_HASPOL HAS_POLICY,
        /// Requires `CAP_NET_ADMIN` in the user namespace that owns the network namespace.
        0x10 GENL_UNS_ADMIN_PERM NAMESPACE_ADMIN,
    }
}

attrs! {
    /// `CTRL_ATTR_MCAST_GRP_*`: a multicast group.
    pub struct GroupAttrs<'a> for GroupBuilder {
        /// Its name, unique in the family: at most 15 bytes.
        1 CTRL_ATTR_MCAST_GRP_NAME name: Str<'a, 15>,
        /// Its number, unique in the kernel. A socket joins the group by this number.
        2 CTRL_ATTR_MCAST_GRP_ID id: u32,
    }
}

attrs! {
    /// `CTRL_ATTR_POLICY_*`: the sets that an operation accepts, by their index in the dump. Linux 5.10.
    pub struct OperationPolicyAttrs<'a> for OperationPolicyBuilder {
        /// The set for calls.
        1 CTRL_ATTR_POLICY_DO call: u32,
        /// The set for lists.
        2 CTRL_ATTR_POLICY_DUMP dump: u32,
    }
}

/// Asks for a family by its name. The kernel loads the module of the family if there is one. The error
/// [`is_not_found`](crate::Error::is_not_found) if there is no such family or the namespace may not use it.
pub fn get(name: &str) -> Bound<Family<'static>> {
    ask(FamilyRequest::new(&Family::GETFAMILY, MessageFlags::empty()).name(name))
}

/// Asks for a family by its number.
pub fn get_id(id: u16) -> Bound<Family<'static>> {
    ask(FamilyRequest::new(&Family::GETFAMILY, MessageFlags::empty()).id(id))
}

/// Lists the families of the namespace.
pub fn list() -> Bound<Dump<Family<'static>>> {
    ask(FamilyRequest::new(&Family::GETFAMILY, MessageFlags::DUMP))
}

/// Asks for a declared family, to bind requests to.
///
/// ```no_run
/// use netlink_generic::ctrl::{self, Ctrl};
///
/// # fn main() -> Result<(), netlink_generic::Error> {
/// let mut nl = netlink_generic::connect()?;
/// let family = nl.call(ctrl::resolve::<Ctrl>())?;
/// assert_eq!(family.id(), ctrl::GENL_ID_CTRL);
/// # Ok(())
/// # }
/// ```
pub fn resolve<F: Declared>() -> Bound<Resolved<F>> {
    ask(FamilyRequest::new(&Family::GETFAMILY, MessageFlags::empty()).name(F::NAME))
}

/// Lists what a family accepts. The answer comes in parts; [`Policies`] combines them. Linux 5.7, operations 5.10.
pub fn policies(name: &str) -> Bound<Dump<Family<'static>>> {
    ask(FamilyRequest::new(&Family::GETPOLICY, MessageFlags::DUMP).name(name))
}

/// Lists what one command of a family accepts. Linux 5.10.
pub fn policy_of(name: &str, command: u8) -> Bound<Dump<Family<'static>>> {
    ask(FamilyRequest::new(&Family::GETPOLICY, MessageFlags::DUMP).name(name).operation(u32::from(command)))
}

/// The controller has a fixed number, so the request is bound at once.
fn ask<R>(request: FamilyRequest<R>) -> Bound<R> {
    let request: Unbound<Ctrl, R> = request.into_unbound();
    Bound::new(GENL_ID_CTRL, request, absent)
}

/// Adds the name or number of the missing family to the error.
fn absent(error: &KernelError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let asked = Messages::new(error.ext_ack().request()).flatten().next();
    let Some(asked) = asked.and_then(|message: Message<'_>| Family::read(&message).ok()) else {
        return Ok(());
    };
    match (error.errno(), asked.name(), asked.id()) {
        (Errno::ENOENT, Some(name), _) => write!(
            f,
            "; the kernel has no generic netlink family {name} in this network namespace, and no module \
             net-pf-16-proto-16-family-{name} that brings it"
        ),
        (Errno::ENOENT, None, Some(id)) => write!(f, "; no generic netlink family has the number {id}"),
        _ => Ok(()),
    }
}

/// A line like `wireguard: id 31, version 1, header 0, attributes to 9; operations 0 (dump, …), …; groups …`.
/// `"ethtool"`: the family, as errors show it.
fn subject(family: &Family<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (family.name(), family.id()) {
        (Some(name), _) => write!(f, "{name:?}"),
        (None, Some(id)) => write!(f, "number {id}"),
        (None, None) => Ok(()),
    }
}

impl fmt::Display for Family<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: id {}", self.name().unwrap_or_default(), self.id().unwrap_or_default())?;
        for (what, value) in [
            ("version", self.version()),
            ("header size", self.header_size()),
            ("attributes to", self.max_attribute()),
        ] {
            if let Some(value) = value {
                write!(f, ", {what} {value}")?;
            }
        }
        for (at, (_, operation)) in self.operations().iter().flat_map(Indexed::iter).enumerate() {
            let before = if at == 0 { "; operations " } else { ", " };
            let flags = operation.flags().unwrap_or_default();
            write!(f, "{before}{} ({flags})", operation.command().unwrap_or_default())?;
        }
        for (at, (_, group)) in self.groups().iter().flat_map(Indexed::iter).enumerate() {
            let before = if at == 0 { "; groups " } else { ", " };
            write!(f, "{before}{} ({})", group.name().unwrap_or_default(), group.id().unwrap_or_default())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unsendable;
    use alloc::string::{String, ToString};
    use netlink_core::Error;
    use netlink_testing::native;

    #[test]
    fn requests() {
        let get = get("wireguard").to_bytes().unwrap();
        assert_eq!(get[4..8], native([16, 0, 1, 0], &[2]));
        assert_eq!(get[16..], native(*b"\x03\x02\0\0\x0e\0\x02\0wireguard\0\0\0", &[1, 1, 2, 2, 2, 1]));
        assert_eq!(
            get_id(31).to_bytes().unwrap()[16..],
            native([3, 2, 0, 0, 6, 0, 1, 0, 31, 0, 0, 0], &[1, 1, 2])
        );
        assert_eq!(
            list().to_bytes().unwrap(),
            native([20, 0, 0, 0, 16, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 3, 2, 0, 0], &[4, 2, 2, 4, 4, 1])
        );
        let policies = policy_of("x", 3).to_bytes().unwrap();
        assert_eq!(policies[4..8], native([16, 0, 1, 3], &[2]));
        assert_eq!(
            policies[16..],
            native(
                *b"\x0a\x02\0\0\x06\0\x02\0x\0\0\0\x08\0\x0a\0\x03\0\0\0",
                &[1, 1, 2, 2, 2, 1, 1, 1, 1, 2, 2, 4]
            )
        );
    }

    #[test]
    fn an_invalid_name_is_not_sent() {
        for (name, why) in [
            ("sixteen-bytes-is", Unsendable::TooLong { length: 16, max: 15 }),
            ("nul\0", Unsendable::Nul { at: 3 }),
        ] {
            let Err(Error::Request(error)) = get(name).to_bytes() else { panic!("{name} was taken") };
            assert_eq!(error.why(), why);
            assert!(error.to_string().ends_with("; at CTRL_ATTR_FAMILY_NAME"), "{error}");
        }
        assert!(get("fifteen-bytes-i").to_bytes().is_ok());
    }

    #[test]
    fn a_family_is_one_line() {
        let operations = [(1, OperationBuilder::new().command(3).flags(OperationFlags::DO).attrs())];
        let groups = [(1, GroupBuilder::new().name("notify").id(16u32).attrs())];
        let request = FamilyRequest::<()>::new(&Family::NEWFAMILY, MessageFlags::empty());
        let request = request.name("nlctrl").id(16).version(2).operations(&operations).groups(&groups);
        let bytes = ask(request).to_bytes().unwrap();
        let family = Family::read(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap();
        assert_eq!(family.to_string(), "nlctrl: id 16, version 2; operations 3 (DO); groups notify (16)");
        let empty = FamilyRequest::<()>::new(&Family::NEWFAMILY, MessageFlags::empty());
        let bytes = ask(empty).to_bytes().unwrap();
        let family = Family::read(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap();
        assert_eq!(family.to_string(), String::from(": id 0"));
    }
}
