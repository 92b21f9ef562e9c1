//! The same clients for tokio. `connect()` in a family's module `tokio` opens one.
//!
//! ```no_run
//! # async fn example() -> Result<(), netlink_generic::Error> {
//! use netlink_generic::ctrl::{self, Ctrl};
//!
//! let mut nl = netlink_generic::tokio::connect()?;
//! let family = nl.call(ctrl::get("ethtool")).await?;
//! let mut events = ctrl::tokio::subscribe(&[Ctrl::NOTIFY]).await?;
//! println!("{:?}", events.next().await?);
//! # Ok(())
//! # }
//! ```

pub use netlink_core::tokio::{Connection, Events, Listing};

use crate::declare::{Declared, Group, IntoUnbound, Notifies};
use crate::resolved::{Bound, Resolved};
use crate::{Dump, Error, Notice, OpenOptions, Protocol, Reply, ctrl};

type Result<T> = std::result::Result<T, Error>;

/// A connection with a resolved family, for tokio. All calls work like those of the blocking
/// [`Client`](crate::Client).
#[derive(Debug)]
pub struct Client<F: Declared> {
    connection: Connection,
    family: Resolved<F>,
}

impl<F: Declared> Client<F> {
    /// Opens a connection in the namespace of the calling thread, and asks the controller for the family. Must be
    /// called inside a runtime.
    pub async fn connect() -> Result<Self> {
        Self::connect_with(&OpenOptions::new()).await
    }

    /// Opens a connection with a given port or in a given namespace.
    pub async fn connect_with(options: &OpenOptions<'_>) -> Result<Self> {
        Self::on(Connection::open_with(Protocol::GENERIC, options)?).await
    }

    /// Asks for the family on an existing connection.
    pub async fn on(mut connection: Connection) -> Result<Self> {
        let family = connection.call(ctrl::resolve()).await?;
        Ok(Self { connection, family })
    }

    /// Asks for the family again. Its module may have been unloaded and loaded.
    pub async fn resolve(&mut self) -> Result<&Resolved<F>> {
        self.family = self.connection.call(ctrl::resolve()).await?;
        Ok(&self.family)
    }

    /// The family.
    pub fn family(&self) -> &Resolved<F> {
        &self.family
    }

    /// The connection, for its options and warnings, and for other families.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Sends a request and waits for its answer: an acknowledgement or one reply.
    #[inline]
    pub async fn call<Q>(&mut self, request: Q) -> Result<Q::Answer>
    where
        Q: IntoUnbound<Family = F>,
        Q::Answer: Reply,
    {
        self.connection.call(self.family.bind(request)).await
    }

    /// Sends a request for a list. The listing returns the replies one by one from the receive buffer.
    pub async fn dump<Q, R>(&mut self, request: Q) -> Result<Listing<'_, R>>
    where
        Q: IntoUnbound<Family = F, Answer = Dump<R>>,
        R: Reply,
    {
        self.connection.dump(self.family.bind(request)).await
    }

    /// Sends requests without waiting for each answer. Returns one result per request, in order.
    pub async fn batch<Q>(&mut self, requests: impl IntoIterator<Item = Q>) -> Vec<Result<Q::Answer>>
    where
        Q: IntoUnbound<Family = F>,
        Q::Answer: Reply,
    {
        self.connection.batch(Binding { family: &self.family, requests: requests.into_iter() }).await
    }
}

/// Binds each request when the iterator yields it. A named type is needed because the future of a task must
/// be `Send` for all lifetimes of the answer, and a closure in it has only one.
struct Binding<'f, F, I> {
    family: &'f Resolved<F>,
    requests: I,
}

impl<F: Declared, Q: IntoUnbound<Family = F>, I: Iterator<Item = Q>> Iterator for Binding<'_, F, I> {
    type Item = Bound<Q::Answer>;

    fn next(&mut self) -> Option<Self::Item> {
        self.requests.next().map(|request| self.family.bind(request))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.requests.size_hint()
    }
}

impl<F: Notifies> Client<F> {
    /// Joins groups of the family on this connection; [`next_event`](Self::next_event) returns their events.
    pub fn subscribe(&mut self, groups: &[Group<F>]) -> Result<()> {
        self.connection.subscribe(&self.family.groups(groups)?)
    }

    /// Waits for the next event.
    pub async fn next_event(&mut self) -> Result<Notice<<F::Event as Reply>::View<'_>>> {
        self.connection.next_event::<F::Event>().await
    }
}

/// Opens a connection in the namespace of the calling thread. Must be called inside a runtime.
pub fn connect() -> Result<Connection> {
    Connection::open(Protocol::GENERIC)
}

/// Opens a connection with a given port or in a given namespace.
pub fn connect_with(options: &OpenOptions<'_>) -> Result<Connection> {
    Connection::open_with(Protocol::GENERIC, options)
}

/// Opens a stream of events of one family.
#[doc(hidden)]
pub async fn subscribe<F: Notifies>(
    groups: &[Group<F>],
    options: &OpenOptions<'_>,
) -> Result<Events<F::Event>> {
    let family = Client::<F>::connect_with(options).await?.family;
    Events::open_with(Protocol::GENERIC, &family.groups(groups)?, options)
}

/// The module `tokio` of [`family!`](crate::family).
#[macro_export]
#[doc(hidden)]
macro_rules! __connect_tokio {
    ($vis:vis $family:ident $($event:ident)?) => {
        /// The same functions for tokio.
        #[allow(unreachable_pub, dead_code)]
        $vis mod tokio {
            use super::$family;

            /// Opens a connection in the namespace of the calling thread, and resolves the family on it. Must be
            /// called inside a runtime.
            pub async fn connect() -> ::core::result::Result<$crate::tokio::Client<$family>, $crate::Error> {
                $crate::tokio::Client::connect().await
            }

            /// Opens a connection with a given port or in a given namespace, and resolves the family on it.
            pub async fn connect_with(
                options: &$crate::OpenOptions<'_>,
            ) -> ::core::result::Result<$crate::tokio::Client<$family>, $crate::Error> {
                $crate::tokio::Client::connect_with(options).await
            }

            $(
                /// Opens a stream of events in the namespace of the calling thread. Must be called inside a runtime.
                pub async fn subscribe(
                    groups: &[$crate::Group<$family>],
                ) -> ::core::result::Result<$crate::tokio::Events<super::$event<'static>>, $crate::Error> {
                    $crate::tokio::subscribe(groups, &$crate::OpenOptions::new()).await
                }

                /// Opens a stream of events with a given port or in a given namespace.
                pub async fn subscribe_with(
                    groups: &[$crate::Group<$family>],
                    options: &$crate::OpenOptions<'_>,
                ) -> ::core::result::Result<$crate::tokio::Events<super::$event<'static>>, $crate::Error> {
                    $crate::tokio::subscribe(groups, options).await
                }
            )?
        }
    };
}
