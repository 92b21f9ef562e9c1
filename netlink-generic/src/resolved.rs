//! Resolved families, and requests with the number of their family.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;

use netlink_core::error::{initial_net_admin, net_admin};
use netlink_core::layout::Field;
use netlink_core::{
    AnyEvent, DecodeError, Errno, Error, Expect, Hint, KernelError, Malformed, Message, MessageFlags,
    MessageInfo, MessageType, Reply, Request, ToRequest, Unsendable,
};

use crate::ctrl::{Family, OperationFlags};
use crate::declare::{Declared, Group, Header, IntoUnbound, Notifies, Unbound};

/// A family with the number, operations and groups that the kernel gave it.
///
/// It is a plain value, and valid on all connections and in all network namespaces that have the family,
/// until the family's module is unloaded. After that the kernel answers `ENOENT`. When the module is loaded
/// again, resolve the family again: it has another number.
pub struct Resolved<F> {
    id: MessageType,
    /// Sorted by command. `None` if the controller was not asked.
    operations: Option<Box<[(u8, OperationFlags)]>>,
    groups: Box<[(Box<str>, u32)]>,
    family: PhantomData<fn() -> F>,
}

impl<F: Declared> Resolved<F> {
    /// A family whose number is known from elsewhere. It has no groups, and `bind` does not check requests.
    pub fn from_id(id: u16) -> Self {
        Self { id: MessageType(id), operations: None, groups: Box::default(), family: PhantomData }
    }

    /// The family in an answer of the controller.
    pub fn from_family(family: &Family<'_>) -> Result<Self, DecodeError> {
        let wrong = |why| DecodeError { at: F::NAME, why };
        if family.name().is_none_or(|name| name != F::NAME) {
            return Err(wrong(Malformed::Value("another family")));
        }
        let id = family.id().ok_or_else(|| wrong(Malformed::Value("a family without a number")))?;
        let user_header = <F::Header as Field>::SIZE - <Header as Field>::SIZE;
        let theirs = usize::try_from(family.header_size().unwrap_or_default()).unwrap_or(usize::MAX);
        if theirs != user_header {
            return Err(wrong(Malformed::Length { want: user_header, got: theirs }));
        }
        let operations = family.operations().into_iter().flat_map(|list| list.iter());
        let mut operations: Vec<_> = operations
            .filter_map(|(_, operation)| {
                let command = u8::try_from(operation.command()?).ok()?;
                Some((command, operation.flags().unwrap_or_default()))
            })
            .collect();
        operations.sort_unstable_by_key(|(command, _)| *command);
        let groups = family.groups().into_iter().flat_map(|list| list.iter());
        let groups =
            groups.filter_map(|(_, group)| Some((group.name()?.as_str()?.into(), group.id()?))).collect();
        Ok(Self { id: MessageType(id), operations: Some(operations.into()), groups, family: PhantomData })
    }

    /// The number that the kernel gave the family: `nlmsg_type` of all its messages.
    pub fn id(&self) -> u16 {
        self.id.0
    }

    /// The controller's information about a command; `None` if the family has no such command, or if nothing
    /// is known.
    pub fn operation(&self, command: u8) -> Option<OperationFlags> {
        let operations = self.operations.as_deref()?;
        let at = operations.binary_search_by_key(&command, |(command, _)| *command).ok()?;
        operations.get(at).map(|(_, flags)| *flags)
    }

    /// The number of a group; `None` if the family has no such group in the running kernel.
    pub fn group(&self, group: Group<F>) -> Option<u32> {
        self.groups.iter().find(|(name, _)| **name == *group.name()).map(|(_, id)| *id)
    }

    /// The numbers of groups, as `subscribe` of a connection takes them. [`Error::Lacking`] if there is no
    /// such group.
    pub fn groups(&self, groups: &[Group<F>]) -> Result<Vec<u32>, Error> {
        let number = |group: &Group<F>| {
            let lacking = Error::Lacking { of: F::NAME, what: "multicast group", name: group.name() };
            self.group(*group).ok_or(lacking)
        };
        groups.iter().map(number).collect()
    }

    /// Adds the family's number to a request, so that a connection can send it.
    ///
    /// If the family doesn't have the command in the running kernel, or the command does not list, sending
    /// fails before the kernel sees the request. The error [`is_unsupported`](Error::is_unsupported). An
    /// `EPERM` names the permission that the command requires.
    #[inline]
    pub fn bind<Q: IntoUnbound<Family = F>>(&self, request: Q) -> Bound<Q::Answer> {
        let Unbound { mut request, .. } = request.into_unbound().with_header();
        let hint = self.check(&mut request);
        Bound { request: request.with_type(self.id), hint }
    }

    #[inline]
    fn check<R>(&self, request: &mut Request<R>) -> Hint {
        if self.operations.is_none() {
            return gone::<F>;
        }
        let operation = u8::try_from(request.info().number).ok().and_then(|command| self.operation(command));
        let wanted = match request.flags().contains(MessageFlags::DUMP) {
            true => OperationFlags::DUMP,
            false => OperationFlags::DO,
        };
        match operation {
            None => lacking::<F>(request.writer(), "doesn't have this command in this kernel"),
            Some(flags) if !flags.contains(wanted) && wanted == OperationFlags::DUMP => {
                lacking::<F>(request.writer(), "doesn't list with this command in this kernel");
            }
            Some(flags) if !flags.contains(wanted) => {
                lacking::<F>(request.writer(), "only lists with this command in this kernel");
            }
            Some(flags) if flags.contains(OperationFlags::ADMIN) => return admin::<F>,
            Some(flags) if flags.contains(OperationFlags::NAMESPACE_ADMIN) => return namespace_admin::<F>,
            Some(_) => {}
        }
        gone::<F>
    }

    /// Whether a message is of this family.
    pub fn owns(&self, message: &Message<'_>) -> bool {
        message.header.kind == self.id
    }
}

impl<F: Notifies> Resolved<F> {
    /// Reads an event of a connection that subscribed to groups of several families; `None` if it is of
    /// another family.
    ///
    /// ```no_run
    /// use netlink_generic::ctrl::{self, Ctrl};
    /// use netlink_generic::{AnyEvent, Notice};
    ///
    /// # fn main() -> Result<(), netlink_generic::Error> {
    /// let mut nl = netlink_generic::connect()?;
    /// let ctrl = nl.call(ctrl::resolve::<Ctrl>())?;
    /// nl.subscribe(&ctrl.groups(&[Ctrl::NOTIFY])?)?;
    /// while let Notice::Event { event, .. } = nl.next_event::<AnyEvent>()? {
    ///     if let Some(event) = ctrl.event(&event) {
    ///         println!("{event:?}");
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn event<'e>(
        &self,
        event: &'e AnyEvent<'_>,
    ) -> Option<Result<<F::Event as Reply>::View<'e>, DecodeError>> {
        let message = event.message();
        self.owns(&message).then(|| F::Event::view(&message))
    }
}

#[cold]
fn lacking<F: Declared>(out: &mut netlink_core::Writer, why: &'static str) {
    out.fail_at(0, Unsendable::Lacking { of: F::NAME, why });
}

/// For commands that require `CAP_NET_ADMIN` in the initial user namespace.
pub(crate) fn admin<F: Declared>(error: &KernelError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    initial_net_admin(error, f)?;
    gone::<F>(error, f)
}

/// For commands that require it in the user namespace that owns the network namespace.
fn namespace_admin<F: Declared>(error: &KernelError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    net_admin(error, f)?;
    gone::<F>(error, f)
}

/// The kernel also answers `ENOENT` if the family was removed.
fn gone<F: Declared>(error: &KernelError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if error.errno() == Errno::ENOENT && !error.is_explained() {
        return write!(
            f,
            "; if it is not the object that is missing, the family {} is: unloaded since it was resolved, or not in \
             this network namespace",
            F::NAME
        );
    }
    Ok(())
}

impl<F> Clone for Resolved<F> {
    fn clone(&self) -> Self {
        Self {
            id: self.id,
            operations: self.operations.clone(),
            groups: self.groups.clone(),
            family: PhantomData,
        }
    }
}

impl<F: Declared> fmt::Debug for Resolved<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(F::NAME)
            .field("id", &self.id.0)
            .field("operations", &self.operations)
            .field("groups", &self.groups)
            .finish()
    }
}

/// The answer to [`ctrl::resolve`](crate::ctrl::resolve).
impl<F: Declared> Reply for Resolved<F> {
    const EXPECT: Expect = Expect::Reply;
    const INFO: Option<&'static MessageInfo> = Family::INFO;
    type View<'a> = Self;

    fn view(message: &Message<'_>) -> Result<Self, DecodeError> {
        Self::from_family(&Family::read(message)?)
    }

    fn own(view: Self) -> Self {
        view
    }
}

/// A request with the number of its family. A connection can send it.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until a connection sends it"]
pub struct Bound<R> {
    request: Request<R>,
    hint: Hint,
}

impl<R> Bound<R> {
    pub(crate) fn new<F>(id: u16, request: Unbound<F, R>, hint: Hint) -> Self {
        Self { request: request.request.with_type(MessageType(id)), hint }
    }
}

impl<R> Deref for Bound<R> {
    type Target = Request<R>;

    fn deref(&self) -> &Request<R> {
        &self.request
    }
}

impl<R> ToRequest for Bound<R> {
    type Answer = R;

    #[inline]
    fn to_request(&self) -> &Request<R> {
        &self.request
    }

    fn hint(&self) -> Hint {
        self.hint
    }
}
