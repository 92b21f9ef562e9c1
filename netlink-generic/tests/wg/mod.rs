//! A device in the output format of `wg show`.

use std::fmt::Write as _;

use netlink_generic::wireguard::{Device, PresharedKey, PrivateKey};

const NONE: &str = "(none)";

/// Like `wg show wg0 dump`.
pub(crate) fn dump(device: &Device) -> String {
    let mut text = format!(
        "{}\t{}\t{}\t{}\n",
        device.private_key.as_ref().map_or_else(|| NONE.into(), PrivateKey::expose_base64),
        device.public_key.map_or_else(|| NONE.into(), |key| key.to_string()),
        device.listen_port.unwrap_or_default(),
        device.fwmark.filter(|mark| *mark != 0).map_or_else(|| "off".into(), |mark| format!("0x{mark:x}")),
    );
    for peer in &device.peers {
        let ips: Vec<_> = peer.allowed_ips.iter().map(ToString::to_string).collect();
        writeln!(
            text,
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            peer.public_key,
            peer.preshared_key.as_ref().map_or_else(|| NONE.into(), PresharedKey::expose_base64),
            peer.endpoint.map_or_else(|| NONE.into(), |endpoint| endpoint.to_string()),
            if ips.is_empty() { NONE.into() } else { ips.join(",") },
            peer.last_handshake.unwrap_or_default().as_secs(),
            peer.rx_bytes,
            peer.tx_bytes,
            match peer.persistent_keepalive {
                0 => "off".into(),
                seconds => seconds.to_string(),
            },
        )
        .unwrap();
    }
    text
}
