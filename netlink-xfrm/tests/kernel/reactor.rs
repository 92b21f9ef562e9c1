//! The tokio connection: the same calls.

use netlink_testing::{Result, suite};
use netlink_xfrm::event::{Event, Group};
use netlink_xfrm::policy::{self, Direction, Selector};
use netlink_xfrm::{Notice, tokio as nl};

use crate::ip;

suite! {
    a_policy_is_made_listed_reported_and_deleted;
}

fn a_policy_is_made_listed_reported_and_deleted() -> Result {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut connection = nl::connect()?;
        let mut events = nl::subscribe(&[Group::POLICY])?;
        let selector = Selector::new(ip("10.0.0.1"), ip("10.0.0.2"));
        connection.call(policy::add(selector, Direction::OUT)).await?;
        let mut listing = connection.dump(policy::list()).await?;
        assert_eq!(listing.next().await?.unwrap().header().sel, selector);
        assert!(listing.next().await?.is_none());
        connection.call(policy::delete(selector, Direction::OUT)).await?;
        for deleted in [false, true] {
            match events.next().await? {
                Notice::Event { event: Event::PolicyAdded(policy), .. } => {
                    assert!(!deleted && policy.header().sel == selector);
                }
                Notice::Event { event: Event::PolicyDeleted(policy), .. } => {
                    assert!(deleted && policy.policy().unwrap().sel == selector);
                }
                other => panic!("{other:?}"),
            }
        }
        Ok(())
    })
}
