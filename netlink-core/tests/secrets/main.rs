//! No memory is given back with a key in it: an allocator looks.
#![cfg(feature = "secret")]

mod sys;

use netlink_core::{
    Bytes, Message, MessageFlags, Messages, Owned, Payload, Secret, Str, Writer, attrs, layout, message,
};
use sys::{KEY, left_by};

layout! {
    /// Header.
    struct Header: sample = 4 {
        /// A number.
        number: u32,
    }
}
attrs! {
    /// A set inside.
    struct InnerAttrs<'a> for Inner { 1 I_KEY key: Secret<'a>, }
}
attrs! {
    /// Attributes.
    struct SampleAttrs<'a> for SampleRequest<R> {
        /// A set with a key.
        1 S_INNER inner: InnerAttrs<'a>,
        /// A short text.
        2 S_TEXT text: Str<'a, 1>,
    }
}
message! {
    /// A sample.
    struct Sample<'a>(Header, SampleAttrs<'a>), SampleRequest {
        /// Made.
        16 S_NEW NEW,
    }
}

fn request() -> SampleRequest<()> {
    let request = SampleRequest::new(&Sample::NEW, MessageFlags::empty(), Header::default());
    // Longer than what is kept without an allocation.
    request.inner(Inner::new().key(&KEY)).attr(9, &Bytes(&[1; 40]))
}

fn writer() -> Writer {
    let mut out = Writer::new();
    out.push_secret(&KEY);
    out
}

/// One test: what others free at the same time would count. S-L4, S-L11, S-X.
#[test]
fn freed_memory_holds_no_key() {
    assert_eq!(left_by(|| KEY.to_vec()), 1, "the allocator looks");

    assert_eq!(left_by(writer), 0, "dropped");
    assert_eq!(
        left_by(|| {
            let mut out = writer();
            out.truncate(0);
            out.push(&[1; 8]);
            out
        }),
        0,
        "cut"
    );
    assert_eq!(
        left_by(|| {
            let mut out = writer();
            (0..100).for_each(|_| out.push(&[1; 100]));
            out
        }),
        0,
        "grown"
    );
    assert_eq!(
        left_by(|| {
            let mut out = Writer::new();
            (0..20).for_each(|_| out.append(&writer()));
            out.clone()
        }),
        0,
        "appended and cloned"
    );
    let oversize = || {
        let mut out = Writer::new();
        let start = out.open(1);
        out.push(&[1; 65_500]);
        out.push_secret(&KEY);
        out.push(&[1; 100]);
        out.close(start);
        out
    };
    assert!(oversize().error().is_some() && oversize().len() == 4);
    assert_eq!(left_by(oversize), 0, "cut for its length");

    assert_eq!(left_by(request), 0, "a request");
    assert_eq!(left_by(|| request().restart(Header::default())), 0, "a request that began anew");
    let refused = || request().text("ab").to_bytes().unwrap_err();
    assert!(matches!(refused(), netlink_core::Error::Request(_)));
    assert_eq!(left_by(refused), 0, "an error that keeps the request");

    let bytes = request().to_bytes().unwrap();
    let message = Messages::new(&bytes).next().unwrap().unwrap();
    let told = Owned::<Sample<'static>>::new(&message);
    assert_eq!(told.view().unwrap().inner().unwrap().key().unwrap().expose(), KEY);
    assert_eq!(left_by(|| told.clone()), 0, "a message that is kept");
    assert_eq!(left_by(|| Sample::read(&message).unwrap().into_owned()), 0, "a message of its own");
    let inner = bytes.get(24..60).unwrap();
    assert_eq!(left_by(|| InnerAttrs::decode(inner).unwrap().into_owned()), 0, "a set of its own");
    assert_eq!(left_by(|| InnerAttrs::decode(inner).unwrap().into_owned().clone()), 0, "cloned");
    let cut = Message { body: bytes.get(16..bytes.len() - 1).unwrap(), ..message };
    let unread = Owned::<Sample<'static>>::new(&cut);
    assert!(unread.view().is_err());
    assert_eq!(left_by(|| unread.view().map(|_| ()).unwrap_err()), 0, "a message that can't be read");
    assert_eq!(left_by(|| (told, unread)), 0, "messages that were kept");
}
