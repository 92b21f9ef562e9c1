//! Requests that take only what their exchange heeds.

/// Declares a request that takes some attributes of another one, and no more.
///
/// The kernel overlooks what it does not expect: a deletion with an attribute that it does not look at there deletes
/// more than was said. So what a question, a list or a deletion has no use for must not compile.
///
/// ```
/// # use netlink_core::{MessageFlags, attrs, layout, message, narrow};
/// # layout! {
/// #     /// Header.
/// #     pub struct Header: header = 4 {
/// #         /// Number.
/// #         number: u32,
/// #     }
/// # }
/// # attrs! {
/// #     /// Attributes.
/// #     pub struct ThingAttrs<'a> for ThingRequest<R> {
/// #         /// Id.
/// #         1 THING_ID id: u32,
/// #         /// Size.
/// #         2 THING_SIZE size: u32,
/// #     }
/// # }
/// # message! {
/// #     /// A thing.
/// #     pub struct Thing<'a>(Header, ThingAttrs<'a>), ThingRequest {
/// #         /// Deleted.
/// #         1 THING_DELETE DELETE,
/// #     }
/// # }
/// narrow! {
///     /// Which things go.
///     pub struct DeleteRequest<R>(ThingRequest<R>) {
///         /// Only the one with this id.
///         id: u32,
///     }
/// }
/// let request: ThingRequest<()> = ThingRequest::new(&Thing::DELETE, MessageFlags::ACK, Header::default());
/// let request = DeleteRequest::from(request).id(5);
/// ```
///
/// A size, which the kernel does not look at in a deletion, can't be given:
///
/// ```compile_fail
/// # use netlink_core::{MessageFlags, attrs, layout, message, narrow};
/// # layout! {
/// #     /// Header.
/// #     pub struct Header: header = 4 {
/// #         /// Number.
/// #         number: u32,
/// #     }
/// # }
/// # attrs! {
/// #     /// Attributes.
/// #     pub struct ThingAttrs<'a> for ThingRequest<R> {
/// #         /// Id.
/// #         1 THING_ID id: u32,
/// #         /// Size.
/// #         2 THING_SIZE size: u32,
/// #     }
/// # }
/// # message! {
/// #     /// A thing.
/// #     pub struct Thing<'a>(Header, ThingAttrs<'a>), ThingRequest {
/// #         /// Deleted.
/// #         1 THING_DELETE DELETE,
/// #     }
/// # }
/// # narrow! {
/// #     /// Which things go.
/// #     pub struct DeleteRequest<R>(ThingRequest<R>) {
/// #         /// Only the one with this id.
/// #         id: u32,
/// #     }
/// # }
/// # let request: ThingRequest<()> = ThingRequest::new(&Thing::DELETE, MessageFlags::ACK, Header::default());
/// let request = DeleteRequest::from(request).size(7);
/// ```
///
/// A row is a setter of the request inside, with the type of its attribute. It makes a newtype over that request with
/// these setters, which goes wherever a request does.
#[macro_export]
macro_rules! narrow {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident<R>($request:ident<R>) {
            $( $(#[$row:meta])* $setter:ident: $type:ty, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        #[must_use = "a request does nothing until a connection sends it"]
        $vis struct $name<R>($request<R>);

        #[allow(clippy::extra_unused_lifetimes, single_use_lifetimes)]
        impl<R> $name<R> {
            $(
                $(#[$row])*
                #[inline]
                pub fn $setter<'a>(self, value: impl $crate::IntoAttr<$type>) -> Self {
                    Self(self.0.$setter(value))
                }
            )*

            /// The plain request.
            pub fn into_request(self) -> $crate::Request<R> {
                self.0.into_request()
            }
        }

        impl<R> From<$request<R>> for $name<R> {
            fn from(request: $request<R>) -> Self {
                Self(request)
            }
        }

        impl<R> Clone for $name<R> {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }

        impl<R> ::core::ops::Deref for $name<R> {
            type Target = $crate::Request<R>;

            fn deref(&self) -> &$crate::Request<R> {
                &self.0
            }
        }

        impl<R> $crate::ToRequest for $name<R> {
            type Answer = R;

            #[inline]
            fn to_request(&self) -> &$crate::Request<R> {
                &self.0
            }

            fn hint(&self) -> $crate::Hint {
                $crate::ToRequest::hint(&self.0)
            }
        }
    };
}
