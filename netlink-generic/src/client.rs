//! A connection with a resolved family.

use crate::declare::{Declared, Group, IntoUnbound, Notifies};
use crate::resolved::Resolved;
use crate::{Connection, Dump, Error, Events, Listing, Notice, OpenOptions, Protocol, Reply, ctrl};

type Result<T> = std::result::Result<T, Error>;

/// A connection with a resolved family; `connect()` of each family opens one.
///
/// It binds each request to the family when it sends it. [`connection`](Self::connection) gives access to the
/// rest of the [`Connection`].
#[derive(Debug)]
pub struct Client<F: Declared> {
    connection: Connection,
    family: Resolved<F>,
}

impl<F: Declared> Client<F> {
    /// Opens a connection in the namespace of the calling thread, and asks the controller for the family. The
    /// kernel loads the family's module if possible. The error [`is_not_found`](Error::is_not_found) if there
    /// is no such family.
    pub fn connect() -> Result<Self> {
        Self::connect_with(&OpenOptions::new())
    }

    /// Opens a connection with a given port or in a given namespace.
    pub fn connect_with(options: &OpenOptions<'_>) -> Result<Self> {
        Self::on(Connection::open_with(Protocol::GENERIC, options)?)
    }

    /// Asks for the family on an existing connection.
    pub fn on(mut connection: Connection) -> Result<Self> {
        let family = connection.call(ctrl::resolve())?;
        Ok(Self { connection, family })
    }

    /// Asks for the family again. Its module may have been unloaded and loaded.
    pub fn resolve(&mut self) -> Result<&Resolved<F>> {
        self.family = self.connection.call(ctrl::resolve())?;
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
    pub fn call<Q>(&mut self, request: Q) -> Result<Q::Answer>
    where
        Q: IntoUnbound<Family = F>,
        Q::Answer: Reply,
    {
        self.connection.call(self.family.bind(request))
    }

    /// Sends a request for a list. The listing returns the replies one by one from the receive buffer.
    pub fn dump<Q, R>(&mut self, request: Q) -> Result<Listing<'_, R>>
    where
        Q: IntoUnbound<Family = F, Answer = Dump<R>>,
        R: Reply,
    {
        self.connection.dump(self.family.bind(request))
    }

    /// Sends requests without waiting for each answer. Returns one result per request, in order.
    pub fn batch<Q>(&mut self, requests: impl IntoIterator<Item = Q>) -> Vec<Result<Q::Answer>>
    where
        Q: IntoUnbound<Family = F>,
        Q::Answer: Reply,
    {
        let family = &self.family;
        self.connection.batch(requests.into_iter().map(|request| family.bind(request)))
    }
}

impl<F: Notifies> Client<F> {
    /// Joins groups of the family on this connection; [`next_event`](Self::next_event) returns their events.
    /// A separate stream, from the family's `subscribe()`, has a larger buffer and does not delay calls.
    pub fn subscribe(&mut self, groups: &[Group<F>]) -> Result<()> {
        self.connection.subscribe(&self.family.groups(groups)?)
    }

    /// Waits for the next event.
    pub fn next_event(&mut self) -> Result<Notice<<F::Event as Reply>::View<'_>>> {
        self.connection.next_event::<F::Event>()
    }
}

/// Opens a stream of events of one family.
#[doc(hidden)]
pub fn subscribe<F: Notifies>(groups: &[Group<F>], options: &OpenOptions<'_>) -> Result<Events<F::Event>> {
    let family = Client::<F>::connect_with(options)?.family;
    Events::open_with(Protocol::GENERIC, &family.groups(groups)?, options)
}

/// The connecting functions that [`family!`](crate::family) makes.
#[macro_export]
#[doc(hidden)]
macro_rules! __connect {
    ($vis:vis $family:ident $($event:ident)?) => {
        /// Opens a connection in the namespace of the calling thread, and resolves the family on it.
        #[allow(dead_code)]
        $vis fn connect() -> ::core::result::Result<$crate::Client<$family>, $crate::Error> {
            $crate::Client::connect()
        }

        /// Opens a connection with a given port or in a given namespace, and resolves the family on it.
        #[allow(dead_code)]
        $vis fn connect_with(
            options: &$crate::OpenOptions<'_>,
        ) -> ::core::result::Result<$crate::Client<$family>, $crate::Error> {
            $crate::Client::connect_with(options)
        }

        $(
            /// Opens a stream of events in the namespace of the calling thread.
            #[allow(dead_code)]
            $vis fn subscribe(
                groups: &[$crate::Group<$family>],
            ) -> ::core::result::Result<$crate::Events<$event<'static>>, $crate::Error> {
                $crate::__subscribe(groups, &$crate::OpenOptions::new())
            }

            /// Opens a stream of events with a given port or in a given namespace.
            #[allow(dead_code)]
            $vis fn subscribe_with(
                groups: &[$crate::Group<$family>],
                options: &$crate::OpenOptions<'_>,
            ) -> ::core::result::Result<$crate::Events<$event<'static>>, $crate::Error> {
                $crate::__subscribe(groups, options)
            }
        )?

        $crate::__connect_tokio! { $vis $family $($event)? }
    };
}
