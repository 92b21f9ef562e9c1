//! Protocols on top of TCP in the kernel: TLS, and MPTCP on each of its subflows.

use netlink_core::{Flag, Str, attrs, flags, values};

attrs! {
    /// `INET_ULP_INFO_*`.
    pub struct UlpAttrs<'a> for Ulp {
        /// Its name: `tls`, `mptcp`, `espintcp`, `smc`.
        1 INET_ULP_INFO_NAME name: Str<'a, 15>,
        /// Data of TLS.
        2 INET_ULP_INFO_TLS tls: TlsAttrs<'a>,
        /// Data of an MPTCP subflow. Linux 5.7.
        3 INET_ULP_INFO_MPTCP mptcp: SubflowAttrs<'a>,
    }
}

values! {
    /// `TLS_*_VERSION`.
    pub struct TlsVersion: u16 {
        /// TLS 1.2.
        0x303 TLS_1_2_VERSION TLS_1_2 "1.2",
        /// TLS 1.3.
        0x304 TLS_1_3_VERSION TLS_1_3 "1.3",
    }
}

values! {
    /// `TLS_CIPHER_*`.
    pub struct TlsCipher: u16 {
        /// AES-128-GCM.
        51 TLS_CIPHER_AES_GCM_128 AES_GCM_128 "aes-gcm-128",
        /// AES-256-GCM.
        52 TLS_CIPHER_AES_GCM_256 AES_GCM_256 "aes-gcm-256",
        /// AES-128-CCM.
        53 TLS_CIPHER_AES_CCM_128 AES_CCM_128 "aes-ccm-128",
        /// ChaCha20-Poly1305. Linux 5.11.
        54 TLS_CIPHER_CHACHA20_POLY1305 CHACHA20_POLY1305 "chacha20-poly1305",
        /// SM4-GCM. Linux 5.16.
        55 TLS_CIPHER_SM4_GCM SM4_GCM "sm4-gcm",
        /// SM4-CCM. Linux 5.16.
        56 TLS_CIPHER_SM4_CCM SM4_CCM "sm4-ccm",
        /// ARIA-128-GCM. Linux 6.1.
        57 TLS_CIPHER_ARIA_GCM_128 ARIA_GCM_128 "aria-gcm-128",
        /// ARIA-256-GCM. Linux 6.1.
        58 TLS_CIPHER_ARIA_GCM_256 ARIA_GCM_256 "aria-gcm-256",
    }
}

values! {
    /// `TLS_CONF_*`: who encrypts or decrypts.
    pub struct TlsConf: u16 {
        /// The process, before it configures the kernel.
        1 TLS_CONF_BASE BASE "none",
        /// The kernel.
        2 TLS_CONF_SW SW "sw",
        /// The device, for each packet.
        3 TLS_CONF_HW HW "hw",
        /// The device, for the whole of TLS.
        4 TLS_CONF_HW_RECORD HW_RECORD "hw-record",
    }
}

attrs! {
    /// `TLS_INFO_*`.
    pub struct TlsAttrs<'a> for Tls {
        /// The version.
        1 TLS_INFO_VERSION version: TlsVersion,
        /// The cipher.
        2 TLS_INFO_CIPHER cipher: TlsCipher,
        /// Who encrypts.
        3 TLS_INFO_TXCONF tx_conf: TlsConf,
        /// Who decrypts.
        4 TLS_INFO_RXCONF rx_conf: TlsConf,
        /// Files are sent from the page cache without copying, `TLS_TX_ZEROCOPY_RO`. Linux 5.19.
        5 TLS_INFO_ZC_RO_TX zerocopy_sendfile: Flag,
        /// The peer is expected to send no padding, `TLS_RX_EXPECT_NO_PAD`. Linux 6.0.
        6 TLS_INFO_RX_NO_PAD rx_no_pad: Flag,
        /// Largest size of a sent record, in bytes. Linux 6.19.
        7 TLS_INFO_TX_MAX_PAYLOAD_LEN tx_max_payload_len: u16,
    }
}

flags! {
    /// `MPTCP_SUBFLOW_FLAG_*`.
    pub struct SubflowFlags: u32 {
        /// The peer offered MPTCP.
        0x1 MPTCP_SUBFLOW_FLAG_MCAP_REM MCAP_REM,
        /// This host offered MPTCP.
        0x2 MPTCP_SUBFLOW_FLAG_MCAP_LOC MCAP_LOC,
        /// The peer joined the subflow to a connection.
        0x4 MPTCP_SUBFLOW_FLAG_JOIN_REM JOIN_REM,
        /// This host joined the subflow to a connection.
        0x8 MPTCP_SUBFLOW_FLAG_JOIN_LOC JOIN_LOC,
        /// The peer uses the subflow as backup only.
        0x10 MPTCP_SUBFLOW_FLAG_BKUP_REM BKUP_REM,
        /// This host uses the subflow as backup only.
        0x20 MPTCP_SUBFLOW_FLAG_BKUP_LOC BKUP_LOC,
        /// Each side knows that the other uses MPTCP.
        0x40 MPTCP_SUBFLOW_FLAG_FULLY_ESTABLISHED FULLY_ESTABLISHED,
        /// Connected.
        0x80 MPTCP_SUBFLOW_FLAG_CONNECTED CONNECTED,
        /// The mapping attributes are valid.
        0x100 MPTCP_SUBFLOW_FLAG_MAPVALID MAPVALID,
    }
}

attrs! {
    /// `MPTCP_SUBFLOW_ATTR_*`.
    pub struct SubflowAttrs<'a> for Subflow {
        /// The peer's token of the connection.
        1 MPTCP_SUBFLOW_ATTR_TOKEN_REM token_rem: u32,
        /// The local token of the connection.
        2 MPTCP_SUBFLOW_ATTR_TOKEN_LOC token_loc: u32,
        /// Subflow sequence number where the last sent mapping begins.
        3 MPTCP_SUBFLOW_ATTR_RELWRITE_SEQ relwrite_seq: u32,
        /// Connection sequence number where the last received mapping begins.
        4 MPTCP_SUBFLOW_ATTR_MAP_SEQ map_seq: u64,
        /// Subflow sequence number where the last received mapping begins.
        5 MPTCP_SUBFLOW_ATTR_MAP_SFSEQ map_sfseq: u32,
        /// TCP sequence number where the subflow begins.
        6 MPTCP_SUBFLOW_ATTR_SSN_OFFSET ssn_offset: u32,
        /// Length of the last received mapping, in bytes.
        7 MPTCP_SUBFLOW_ATTR_MAP_DATALEN map_datalen: u16,
        /// Flags.
        8 MPTCP_SUBFLOW_ATTR_FLAGS flags: SubflowFlags,
        /// Id of the peer's address.
        9 MPTCP_SUBFLOW_ATTR_ID_REM id_rem: u8,
        /// Id of the local address.
        10 MPTCP_SUBFLOW_ATTR_ID_LOC id_loc: u8,
    }
}
