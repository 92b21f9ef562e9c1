//! The same with tokio.

use netlink_generic::ctrl;
use netlink_generic::{Error, Notice};
use netlink_testing::{Result, generic, kind, program, suite};

use crate::output;
use crate::own::{self as netdev, Event, Netdev};

suite! {
    families_are_listed_and_resolved;
    a_client_on_a_reactor: generic("netdev"), kind("veth"), program("ip");
}

fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}

fn families_are_listed_and_resolved() -> Result {
    block_on(async {
        let mut nl = netlink_generic::tokio::connect()?;
        let count = nl.dump(ctrl::list()).await?.collect().await?.len();
        assert!(count > 3, "{count}");
        assert!(nl.call(ctrl::get("absent")).await.unwrap_err().is_not_found());
        let mut client = ctrl::tokio::connect().await?;
        assert_eq!(client.resolve().await?.id(), ctrl::GENL_ID_CTRL);
        Ok(())
    })
}

fn a_client_on_a_reactor() -> Result {
    block_on(async {
        let mut client = netdev::tokio::connect().await?;
        assert_eq!(client.call(netdev::get(1)).await?.ifindex(), Some(1));
        let answers = client.batch([netdev::get(1), netdev::get(4711)]).await;
        assert!(matches!(&answers[..], [Ok(_), Err(error)] if error.is_not_found()), "{answers:?}");
        let gone = netlink_generic::Resolved::<Netdev>::from_id(1023);
        let error: Error = client.connection().call(gone.bind(netdev::get(1))).await.unwrap_err();
        assert!(error.to_string().contains("the family netdev is: unloaded"), "{error}");

        let mut events = netdev::tokio::subscribe(&[Netdev::MGMT]).await?;
        client.subscribe(&[Netdev::MGMT])?;
        output("ip", &["link", "add", "a0", "type", "veth", "peer", "name", "b0"])?;
        assert!(matches!(events.next().await?, Notice::Event { event: Event::Added(_), .. }));
        assert_eq!(client.dump(netdev::list()).await?.collect().await?.len(), 3);
        assert!(matches!(client.next_event().await?, Notice::Event { event: Event::Added(_), .. }));
        Ok(())
    })
}
