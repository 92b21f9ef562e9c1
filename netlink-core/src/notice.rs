//! Events that outlive the receive buffer.

use crate::connection::Notice;
use crate::request::IntoOwned;

impl<V> Notice<V> {
    /// The same notice of something made of its event, as [`Option::map`] does; where events were lost they stay so.
    pub fn map<W>(self, change: impl FnOnce(V) -> W) -> Notice<W> {
        match self {
            Self::Event { event, group, nsid } => Notice::Event { event: change(event), group, nsid },
            Self::Overrun => Notice::Overrun,
        }
    }
}

impl<V: IntoOwned> Notice<V> {
    /// The notice without a borrow: to be kept, or sent to another task or thread.
    pub fn into_owned(self) -> Notice<V::Owned> {
        self.map(V::into_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // U2.
    #[test]
    fn a_notice_keeps_its_group_and_namespace() {
        let notice = Notice::Event { event: 5, group: 7, nsid: Some(3) };
        assert_eq!(notice.map(|event| event + 1), Notice::Event { event: 6, group: 7, nsid: Some(3) });
        assert_eq!(Notice::Overrun.map(|event: u8| event + 1), Notice::Overrun);
    }
}
