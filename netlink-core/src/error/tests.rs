use super::*;
use crate::{MessageInfo, Request, Str, attrs, layout, message};
use alloc::format;
use alloc::string::{String, ToString as _};

layout! {
    /// A header.
    struct Header: sample = 4 {
        /// A number.
        number: u32,
    }
}
attrs! {
    /// Inside.
    struct InnerAttrs<'a> for Inner {
        /// A switch.
        1 I_ON on: bool,
        /// A text.
        2 I_TEXT text: Str<'a>,
    }
}
attrs! {
    /// Some attributes.
    struct SampleAttrs<'a> for SampleRequest<R> {
        /// A name.
        1 S_NAME name: Str<'a, 15>,
        /// A set.
        2 S_INNER inner: InnerAttrs<'a>,
        /// A number.
        3 S_NUMBER number: u32,
    }
}
message! {
    /// Knows its object.
    struct Sample<'a>(Header, SampleAttrs<'a>), SampleRequest {
        /// Made.
        16 S_NEW NEW,
    }
    about subject
}
message! {
    /// Doesn't, and is the initial namespace's.
    struct Plain<'a>(Header, PlainAttrs<'a>), PlainRequest {
        /// Made.
        17 P_NEW NEW,
    }
    hint initial_net_admin
}
attrs! {
    /// One attribute.
    struct PlainAttrs<'a> for PlainRequest<R> {
        /// A name.
        1 P_NAME name: Str<'a, 15>,
    }
}

fn subject(sample: &Sample<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    sample.name().map_or(Ok(()), |name| write!(f, "{name:?}"))
}

fn sample(flags: MessageFlags) -> SampleRequest<()> {
    SampleRequest::new(&Sample::NEW, flags, Header::default())
}

/// What the kernel would be answered with.
fn refuse<R>(request: &Request<R>, errno: Errno, attrs: &[u8]) -> Error {
    use crate::ToRequest as _;
    Error::kernel(errno, attrs, (request.info(), request.hint()), &request.to_bytes().unwrap())
}

fn number(attribute: u16, value: u32) -> alloc::vec::Vec<u8> {
    use crate::Payload as _;
    let mut out = crate::Writer::new();
    value.put(attribute, &mut out);
    out.into_bytes()
}

fn text(message: &str) -> alloc::vec::Vec<u8> {
    use crate::Payload as _;
    let mut out = crate::Writer::new();
    Str::<'_, 255>::from(message).put(1, &mut out);
    out.into_bytes()
}

/// `NLMSGERR_ATTR_OFFS`: the first attribute.
pub(crate) fn at_first() -> alloc::vec::Vec<u8> {
    number(2, 20)
}
/// `NLMSGERR_ATTR_MISS_TYPE`: the number 3.
fn misses_third() -> alloc::vec::Vec<u8> {
    number(5, 3)
}

// U4.
#[cfg(feature = "std")]
#[test]
fn a_failed_call_names_its_file() {
    let error = Error::system("open", Errno::ENOENT).at("/run/netns/nope");
    assert_eq!(error.to_string(), "open /run/netns/nope: No such file or directory (ENOENT)");
    assert!(matches!(error, Error::System { errno: Errno::ENOENT, .. }));
    // S-L8.
    let error = Error::system("open", Errno::ENOENT).at("/tmp/a\x1b[2J\nb");
    assert_eq!(error.to_string(), "open /tmp/a\\u{1b}[2J\\nb: No such file or directory (ENOENT)");
    assert_eq!(Error::system("poll", Errno(4711)).to_string(), "poll: errno 4711");
    assert_eq!(Error::Stopped.at("/tmp").to_string(), "stopped");
}

// U4.
#[cfg(all(feature = "std", target_os = "linux"))]
#[test]
fn a_namespace_that_is_not_there_is_named() {
    let error = crate::Namespace::open("of nobody").unwrap_err();
    assert_eq!(error.to_string(), "open /run/netns/of nobody: No such file or directory (ENOENT)");
}

#[test]
fn an_error_stays_small() {
    assert!(size_of::<Error>() <= 56);
}

// U4.
#[test]
fn where_the_kernel_points_at_nothing_the_object_is_named() {
    let request = sample(MessageFlags::empty()).name("eth9");
    let said = |attrs: &[u8]| refuse(&request, Errno::ENODEV, attrs).to_string();
    assert_eq!(said(&[]), "S_NEW \"eth9\": No such device (ENODEV)");
    assert_eq!(said(&text("no")), "S_NEW \"eth9\": No such device (ENODEV): no");
    assert_eq!(said(&at_first()), "S_NEW: No such device (ENODEV); at S_NAME = \"eth9\"");
    assert_eq!(said(&misses_third()), "S_NEW: No such device (ENODEV); S_NUMBER is missing");
    // A list is about no object, but it has filters.
    let list = refuse(&sample(MessageFlags::DUMP).name("eth9"), Errno::ENODEV, &[]);
    assert_eq!(list.to_string(), "S_NEW: No such device (ENODEV); sent: S_NAME \"eth9\"");
    let nameless = refuse(&sample(MessageFlags::empty()), Errno::ENODEV, &[]);
    assert_eq!(nameless.to_string(), "S_NEW: No such device (ENODEV)");
}

// U4.
#[test]
fn a_refusal_without_a_reason_lists_what_was_sent() {
    let request = sample(MessageFlags::empty()).name("br0").inner(Inner::new().on(false).text("x"));
    let said = |errno, attrs: &[u8]| refuse(&request, errno, attrs).to_string();
    let list = "; sent: S_NAME \"br0\", S_INNER { I_ON false, I_TEXT \"x\" }";
    for (errno, name) in [
        (Errno::EOPNOTSUPP, "Operation not supported (EOPNOTSUPP)"),
        (Errno::EINVAL, "Invalid argument (EINVAL)"),
    ] {
        assert_eq!(said(errno, &[]), format!("S_NEW \"br0\": {name}{list}"));
        assert_eq!(said(errno, &text("why")), format!("S_NEW \"br0\": {name}: why"));
        assert!(!said(errno, &at_first()).contains("sent:"));
    }
    assert_eq!(said(Errno::EEXIST, &[]), "S_NEW \"br0\": File exists (EEXIST)");
    let plain = PlainRequest::<()>::new(&Plain::NEW, MessageFlags::empty(), Header::default()).name("n");
    let said = refuse(&plain.attr(9, &7u32), Errno::EEXIST, &[]).to_string();
    assert_eq!(said, "P_NEW: File exists (EEXIST); sent: P_NAME \"n\", [9] <4 bytes>");
}

// U4.
#[test]
fn what_is_listed_is_bounded() {
    let long = "y".repeat(5000);
    let request = sample(MessageFlags::empty()).name("br0").inner(Inner::new().text(&*long).on(true));
    let said = refuse(&request, Errno::EINVAL, &[]).to_string();
    let list = said.split_once("; sent: ").unwrap().1;
    assert_eq!(list.strip_suffix('…').map(str::len), Some(400), "{list}");
    assert!(list.ends_with("yyy…"), "{list}");
    // Two bytes each, behind a byte of a quote: it is cut between characters.
    const LONG: MessageInfo =
        MessageInfo { subject: Some(|_, f| write!(f, "'{}", "é".repeat(500))), ..Sample::NEW };
    let request = SampleRequest::<()>::new(&LONG, MessageFlags::empty(), Header::default());
    let said = refuse(&request, Errno::EEXIST, &[]).to_string();
    assert_eq!(said, format!("S_NEW '{}…: File exists (EEXIST)", "é".repeat(99)));
}

// U4.
#[test]
fn no_text_is_made_before_somebody_prints_it() {
    const LOUD: MessageInfo = MessageInfo {
        subject: Some(|_, _| panic!("a subject that nobody asked for")),
        hint: |_, _| panic!("a hint that nobody asked for"),
        ..Sample::NEW
    };
    let request = SampleRequest::<()>::new(&LOUD, MessageFlags::empty(), Header::default()).name("x");
    let error = refuse(&request, Errno::EINVAL, &text("why"));
    assert_eq!(error.errno(), Some(Errno::EINVAL));
    assert!(!error.is_not_found() && !error.is_permission() && !error.is_unsupported());
    let Error::Kernel(error) = &error else { panic!("{error}") };
    assert_eq!(error.ext_ack().message(), Some("why"));
}

// U5.
#[test]
fn debug_is_the_text_and_in_full_the_request_too() {
    let request = sample(MessageFlags::empty()).name("eth9");
    let error = refuse(&request, Errno::ENODEV, &text("no"));
    let line = "S_NEW \"eth9\": No such device (ENODEV): no";
    let tree = "S_NEW flags 0x1 seq 0 port 0\n    sample 00000000\n    S_NAME \"eth9\"";
    assert_eq!(format!("{error:?}"), line);
    assert_eq!(format!("{error:#?}"), format!("{line}\n{tree}"));
    let Error::Kernel(refused) = &error else { panic!("{error}") };
    assert_eq!(format!("{refused:?}"), line);
    assert_eq!(format!("{:?}", refused.ext_ack()), "S_NEW: no");
    assert_eq!(format!("{:?}", Warning(refused.ext_ack().clone())), "S_NEW was done: no");

    let error = sample(MessageFlags::empty()).name("sixteen bytes ..").to_bytes().unwrap_err();
    let line = error.to_string();
    assert!(line.starts_with("S_NEW can't be sent: ") && line.ends_with("; at S_NAME"), "{line}");
    assert_eq!(format!("{error:?}"), line);
    // It was cut where it went wrong, and is shown as far as it goes.
    assert!(
        format!("{error:#?}").starts_with(&format!("{line}\nS_NEW flags 0x1 seq 0 port 0\n")),
        "{error:#?}"
    );

    assert_eq!(format!("{:?}", Error::Stopped), "stopped");
    let error = Error::system("poll", Errno::EINTR);
    assert_eq!(format!("{error:#?}"), "poll: Interrupted system call (EINTR)");
}

// S-L8.
#[test]
fn the_kernels_text_does_nothing_to_a_terminal() {
    let error = refuse(&sample(MessageFlags::empty()), Errno::EEXIST, &text("a\x1b[2J\nb \u{9b}é"));
    assert_eq!(error.to_string(), "S_NEW: File exists (EEXIST): a\\u{1b}[2J\\nb \\u{9b}é");
}

// U4, P28.
#[test]
fn a_missing_capability_is_named() {
    let own = sample(MessageFlags::empty()).name("x");
    let initial = PlainRequest::<()>::new(&Plain::NEW, MessageFlags::empty(), Header::default()).name("x");
    let said = "Operation not permitted (EPERM); it takes CAP_NET_ADMIN in the";
    assert_eq!(
        refuse(&own, Errno::EPERM, &[]).to_string(),
        format!("S_NEW \"x\": {said} user namespace that owns the socket's network namespace")
    );
    assert_eq!(
        refuse(&initial, Errno::EPERM, &[]).to_string(),
        format!("P_NEW: {said} initial user namespace")
    );
    let explained = refuse(&own, Errno::EPERM, &text("not this one"));
    assert_eq!(explained.to_string(), "S_NEW \"x\": Operation not permitted (EPERM): not this one");
    // A prohibit route is no missing capability.
    assert_eq!(refuse(&own, Errno::EACCES, &[]).to_string(), "S_NEW \"x\": Permission denied (EACCES)");
}

// P20, F17.
#[cfg(all(feature = "std", target_os = "linux", target_env = "gnu"))]
#[test]
fn every_errno_has_its_name_and_text() {
    for number in (1..=133).filter(|number| ![41, 58].contains(number)) {
        let errno = Errno(number);
        let text = std::io::Error::from_raw_os_error(number).to_string();
        assert_eq!(errno.name().map(String::from), text.split(" (os").next().map(String::from));
        let name = errno.c_name().unwrap();
        assert!(name.starts_with('E'), "{name}");
        assert_eq!(ErrnoText(errno).to_string(), format!("{} ({name})", errno.name().unwrap()));
    }
    assert_eq!(Errno::CONSTANTS.len(), 131);
    assert_eq!(Errno(libc::ENOTSOCK).c_name(), Some("ENOTSOCK"));
    for number in [0, -1, 41, 58, 134, 511, 520, 525] {
        assert_eq!(ErrnoText(Errno(number)).to_string(), format!("errno {number}"));
    }
}

// P20.
#[test]
fn the_kernels_own_word_for_unsupported_is_understood() {
    let error = refuse(&sample(MessageFlags::empty()).name("x"), Errno(524), &[]);
    assert_eq!(error.to_string(), "S_NEW \"x\": Not supported (524, ENOTSUPP); sent: S_NAME \"x\"");
    assert!(error.is_unsupported());
    assert_eq!(Errno(512).c_name(), Some("ERESTARTSYS"));
}

// U5.
#[test]
fn what_would_be_made_is_not_what_is_not_found() {
    for errno in [Errno::ENOENT, Errno::ENODEV, Errno::ESRCH, Errno::ENXIO, Errno::EADDRNOTAVAIL] {
        assert!(refuse(&sample(MessageFlags::empty()), errno, &[]).is_not_found());
        // A route's link, not the route.
        assert!(!refuse(&sample(MessageFlags::CREATE), errno, &[]).is_not_found());
        assert!(Error::system("open", errno).is_not_found());
    }
    assert!(!refuse(&sample(MessageFlags::empty()), Errno::EINVAL, &[]).is_not_found());
}

// U4.
#[test]
fn a_quoted_text_is_cut_between_characters() {
    assert_eq!(Quoted::new("10.0.0\n").to_string(), "\"10.0.0\\n\" is ");
    assert_eq!(Quoted::NONE.to_string(), "");
    let long = "é".repeat(100);
    assert_eq!(Quoted::new(&format!("'{long}")).text(), Some(&*format!("'{}", "é".repeat(39))));
    let error = long.parse::<crate::HwAddr>().unwrap_err();
    assert!(error.to_string().starts_with("\"éé"), "{error}");
}
