//! A declared family: declared, bound and read, without a kernel.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use netlink_core::testkit::{Replies, answer, listing};
use netlink_core::trace::{Direction, Traffic};
use netlink_generic::ctrl::{
    self, Ctrl, Family, FamilyRequest, GroupBuilder, OperationBuilder, OperationFlags,
};
use netlink_generic::{
    AnyEvent, Dump, Error, Flag, Group, Header, IntoUnbound, Message, MessageFlags, MessageType, Messages,
    Reply, Resolved, attrs, family, layout, message,
};
use netlink_testing::native;

layout! {
    /// The family's own header.
    struct OwnHeader: own_header = 8 {
        /// The command.
        genl: Header,
        /// Something.
        index: u32,
    }
}

attrs! {
    /// Attributes.
    struct ThingAttrs<'a> for ThingRequest<R> {
        /// Something.
        1 THING_A_NUMBER number: u32,
        /// Something.
        2 THING_A_FLAG flag: Flag,
    }
}

message! {
    /// Something.
    struct Thing<'a>(Things, ThingAttrs<'a>), ThingRequest {
        /// Asks.
        1 THING_GET GET,
        /// Makes.
        2 THING_NEW NEW,
        /// An event.
        9 THING_NTF NTF,
    }
}

family! {
    /// A family.
    struct Things(OwnHeader): "things" = 3 { Thing }

    groups {
        /// A group.
        "changes" CHANGES,
    }

    /// Events.
    enum Event<'a> {
        /// A thing.
        Told(Thing) = NTF,
    }
}

fn get() -> ThingRequest<Thing<'static>> {
    ThingRequest::new(&Thing::GET, MessageFlags::empty())
}

fn list() -> ThingRequest<Dump<Thing<'static>>> {
    ThingRequest::new(&Thing::GET, MessageFlags::DUMP)
}

fn make() -> ThingRequest<()> {
    ThingRequest::new(&Thing::NEW, MessageFlags::ACK)
}

fn resolved_with(operations: &[(u32, OperationFlags)], header_size: u32) -> Result<Resolved<Things>, Error> {
    let operations: Vec<_> = operations
        .iter()
        .map(|(command, flags)| (1, OperationBuilder::new().command(*command).flags(*flags).attrs()))
        .collect();
    let groups = [(1, GroupBuilder::new().name("changes").id(77u32).attrs())];
    let reply = FamilyRequest::<()>::new(&Family::NEWFAMILY, MessageFlags::empty()).name("things").id(40);
    let reply = reply.header_size(header_size).operations(operations.as_slice()).groups(&groups);
    let reply = Resolved::<Ctrl>::from_id(16).bind(reply);
    answer(ctrl::resolve::<Things>(), &[&Replies::new().message(&reply)])
}

fn resolved(operations: &[(u32, OperationFlags)]) -> Resolved<Things> {
    resolved_with(operations, 4).unwrap()
}

#[test]
fn a_bound_request_has_the_familys_number_command_version_and_header() {
    let family = resolved(&[(2, OperationFlags::DO)]);
    let request = make().header(|header| header.index = 5).number(7u32);
    let bytes = family.bind(&request).to_bytes().unwrap();
    assert_eq!(bytes[4..8], [40u16, 5].map(u16::to_ne_bytes).concat());
    assert_eq!(bytes[16..], native([2, 3, 0, 0, 5, 0, 0, 0, 8, 0, 1, 0, 7, 0, 0, 0], &[1, 1, 2, 4, 2, 2, 4]));
    let again = family.bind(request.restart().flag(Flag)).to_bytes().unwrap();
    assert_eq!(again[16..], native([2, 3, 0, 0, 0, 0, 0, 0, 4, 0, 2, 0], &[1, 1, 2, 4, 2]));
    // Command and version are those of the request, even if the header is changed.
    let spoilt = make().header(|header| header.genl = Header::default());
    assert_eq!(family.bind(spoilt).to_bytes().unwrap()[16..18], [2, 3]);
}

#[test]
fn unknown_commands_are_not_sent() {
    let family = resolved(&[(1, OperationFlags::DO), (2, OperationFlags::DUMP)]);
    for (bytes, text) in [
        (
            family.bind(list()).to_bytes(),
            "THING_GET can't be sent: things doesn't list with this command in this kernel",
        ),
        (
            family.bind(make()).to_bytes(),
            "THING_NEW can't be sent: things only lists with this command in this kernel",
        ),
        (
            resolved(&[]).bind(get().number(1u32)).to_bytes(),
            "THING_GET can't be sent: things doesn't have this command in this kernel",
        ),
    ] {
        let error = bytes.unwrap_err();
        assert!(error.is_unsupported());
        assert_eq!(error.to_string(), text);
    }
    assert!(family.bind(get()).to_bytes().is_ok());
    assert!(Resolved::from_id(40).bind(list()).to_bytes().is_ok());
}

#[test]
fn a_refusal_names_the_required_permission() {
    let family = resolved(&[
        (1, OperationFlags::DO | OperationFlags::NAMESPACE_ADMIN),
        (2, OperationFlags::DO | OperationFlags::ADMIN),
    ]);
    let refused = Replies::new().error(1, &[]);
    assert_eq!(
        answer(family.bind(get()), &[&refused]).unwrap_err().to_string(),
        "THING_GET: Operation not permitted (EPERM); it takes CAP_NET_ADMIN in the user namespace that owns the \
         socket's network namespace"
    );
    assert_eq!(
        answer(family.bind(make()), &[&refused]).unwrap_err().to_string(),
        "THING_NEW: Operation not permitted (EPERM); it takes CAP_NET_ADMIN in the initial user namespace"
    );
    let gone = Replies::new().error(2, &[]);
    for family in [&family, &Resolved::from_id(40)] {
        let error = answer(family.bind(get()), &[&gone]).unwrap_err();
        assert!(error.is_not_found());
        assert_eq!(
            error.to_string(),
            "THING_GET: No such file or directory (ENOENT); if it is not the object that is missing, the family \
             things is: unloaded since it was resolved, or not in this network namespace"
        );
    }
    // `NLMSGERR_ATTR_MSG`: the family exists and explains the error.
    let explained = Replies::new().error(2, &native([7, 0, 1, 0, b'n', b'o', 0, 0], &[2, 2, 1]));
    assert_eq!(
        answer(family.bind(get()), &[&explained]).unwrap_err().to_string(),
        "THING_GET: No such file or directory (ENOENT): no"
    );
}

#[test]
fn groups_go_by_name() {
    let family = resolved(&[]);
    assert_eq!(family.groups(&[Things::CHANGES]).unwrap(), vec![77]);
    let error = family.groups(&[Things::CHANGES, Group::named("later")]).unwrap_err();
    assert!(error.is_unsupported());
    assert_eq!(error.to_string(), "things has no multicast group later in this kernel");
}

#[test]
fn another_header_is_another_protocol() {
    let error = resolved_with(&[], 8).unwrap_err();
    assert!(error.to_string().ends_with("things: 4 bytes wanted, 8 given"), "{error}");
}

#[test]
fn a_dump_reads_and_prints_names() {
    let family = resolved(&[(1, OperationFlags::DO | OperationFlags::DUMP)]);
    let reply = |number: u32| {
        let reply = ThingRequest::<()>::new(&Thing::NEW, MessageFlags::empty())
            .header(|header| header.index = number);
        Resolved::<Things>::from_id(40).bind(reply.number(number))
    };
    let replies = Replies::new().part(&reply(1)).part(&reply(2)).done(0);
    let items = listing(family.bind(list()), &[&replies]).unwrap();
    let read: Vec<_> = items
        .iter()
        .map(|item| item.view().unwrap())
        .map(|thing| (thing.header().index, thing.number()))
        .collect();
    assert_eq!(read, [(1, Some(1)), (2, Some(2))]);

    let mut traffic = Traffic {
        direction: Direction::Received,
        group: 0,
        datagram: replies.as_bytes(),
        info: Some(list().into_unbound().info()),
        kind: Some(MessageType(40)),
    };
    let text = traffic.to_string();
    assert!(text.contains("THING_NEW flags 0x2") && text.contains("THING_A_NUMBER 2"), "{text}");
    traffic.kind = Some(MessageType(41));
    assert!(!traffic.to_string().contains("THING"), "another family's");
}

#[test]
fn events_are_distinguished_by_command_and_families_by_number() {
    let family = resolved(&[]);
    let told = ThingRequest::<()>::new(&Thing::NTF, MessageFlags::empty()).number(9u32);
    let told = Resolved::<Things>::from_id(40).bind(told).to_bytes().unwrap();
    let message = Messages::new(&told).next().unwrap().unwrap();
    let any = AnyEvent::own(AnyEvent::view(&message).unwrap());
    assert!(matches!(family.event(&any), Some(Ok(Event::Told(thing))) if thing.number() == Some(9)));
    assert!(Resolved::<Things>::from_id(41).event(&any).is_none());

    let later = Message { body: &[200, 1, 0, 0, 7], ..message };
    let event = Event::own(Event::view(&later).unwrap());
    assert_eq!(event, Event::Other(AnyEvent::new(&later)));
    let cut = Message { body: &[9, 1], ..message };
    assert!(Event::view(&cut).unwrap_err().to_string().ends_with("bytes wanted, 2 given"));
    let short = native([9, 1, 0, 0, 0, 0, 0, 0, 3, 0, 1, 0], &[1, 1, 2, 4, 2]);
    let broken = Message { body: &short, ..message };
    assert!(Event::view(&broken).is_err());
}

#[test]
fn printed_text() {
    let family = resolved(&[(1, OperationFlags::DO)]);
    let text = format!("{family:?}");
    assert_eq!(
        text,
        "things { id: 40, operations: Some([(1, OperationFlags(DO))]), groups: [(\"changes\", 77)] }"
    );
    let text = format!("{:?}", get().number(3u32));
    assert!(text.contains("THING_GET flags 0x1") && text.contains("THING_A_NUMBER 3"), "{text}");
}
