//! Turns on GRO of a link, so that a veth polls: the needed part of `ethtool`.

use netlink_generic::{Flag, Header, Indexed, MessageFlags, Str, attrs, family, message};
use netlink_testing::Result;

family! {
    /// Network cards.
    struct Ethtool(Header): "ethtool" = 1 { Features }
}

message! {
    /// Features of a link.
    struct Features<'a>(Ethtool, FeaturesAttrs<'a>), FeaturesRequest {
        /// Changes features.
        12 ETHTOOL_MSG_FEATURES_SET SET,
    }
}

attrs! {
    /// `ETHTOOL_A_FEATURES_*`.
    struct FeaturesAttrs<'a> for FeaturesRequest<R> {
        /// The link.
        1 ETHTOOL_A_FEATURES_HEADER link: LinkAttrs<'a>,
        /// The features.
        3 ETHTOOL_A_FEATURES_WANTED wanted: BitsetAttrs<'a>,
    }
}

attrs! {
    /// `ETHTOOL_A_HEADER_*`.
    struct LinkAttrs<'a> for Link {
        /// Its name.
        2 ETHTOOL_A_HEADER_DEV_NAME name: Str<'a, 15>,
    }
}

attrs! {
    /// `ETHTOOL_A_BITSET_*`.
    struct BitsetAttrs<'a> for Bitset {
        /// The bits to change.
        3 ETHTOOL_A_BITSET_BITS bits: Indexed<'a, BitAttrs<'a>>,
    }
}

attrs! {
    /// `ETHTOOL_A_BITSET_BIT_*`.
    struct BitAttrs<'a> for Bit {
        /// Name of the bit.
        2 ETHTOOL_A_BITSET_BIT_NAME name: Str<'a>,
        /// Present if the bit is set.
        3 ETHTOOL_A_BITSET_BIT_VALUE value: Flag,
    }
}

/// Turns GRO on.
pub(crate) fn on(link: &str) -> Result {
    let bit = [(1, Bit::new().name("rx-gro").value(Flag).attrs())];
    let request = FeaturesRequest::<()>::new(&Features::SET, MessageFlags::ACK);
    let request = request.link(Link::new().name(link).attrs()).wanted(Bitset::new().bits(&bit).attrs());
    Ok(connect()?.call(request)?)
}
