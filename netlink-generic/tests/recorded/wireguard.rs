//! Dumps of devices that kernels sent, and the output of `wg show wg0 dump` at that time.

use netlink_core::testkit::Recording;
use netlink_generic::Indexed;
use netlink_generic::ctrl::Family;
use netlink_generic::wireguard::{self, Device, DeviceMessage, Wireguard};
use netlink_testing::golden::Read;

use super::{reread, wg};

#[test]
fn recorded_devices_equal_wg() {
    netlink_testing::golden::exchanges("tests/golden/wireguard", tell, read);
}

pub(crate) fn read(bytes: &[u8]) -> Read {
    if bytes.get(4..6) == Some(&16_u16.to_ne_bytes()) {
        return reread!(Family<'_>, bytes);
    }
    reread!(DeviceMessage<'_>, bytes)
}

pub(crate) fn tell(_name: &str, recorded: &str) -> Result<String, String> {
    let mut recording = Recording::parse(recorded).ok_or("no recording")?;
    let family = recording.call(netlink_generic::ctrl::resolve::<Wireguard>()).unwrap().unwrap();
    let parts = recording.dump(family.bind(wireguard::get("wg0"))).unwrap().unwrap();
    for part in &parts {
        let read = part.view().unwrap();
        assert!(read.peers().iter().flat_map(Indexed::iter).all(|(index, _)| index == 0));
    }
    Ok(wg::dump(&Device::new(&parts).unwrap()))
}
