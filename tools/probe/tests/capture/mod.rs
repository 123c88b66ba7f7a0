//! A capture file: packets over IPv4 without a link layer, as the server's usual port has them.

use std::path::{Path, PathBuf};

/// `LINKTYPE_RAW`: packets begin with their IP header.
const RAW: u32 = 101;

const UDP: u8 = 17;
const TCP: u8 = 6;
const CLIENT: [u8; 4] = [192, 0, 2, 7];
const SERVER: [u8; 4] = [192, 0, 2, 1];
const PORT: u16 = 17_328;
const CLIENT_PORT: u16 = 40_000;

/// Packets in order.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    packets: Vec<Vec<u8>>,
    /// Bytes that client and server have sent over TCP.
    sent: [u32; 2],
}

impl Capture {
    /// Adds a datagram.
    pub(crate) fn udp(&mut self, from: [u8; 4], port: u16, to: [u8; 4], to_port: u16, payload: &[u8]) {
        let len = u16::try_from(8 + payload.len()).expect("short");
        let header = [port, to_port, len, 0].map(u16::to_be_bytes).concat();
        self.ip(from, to, UDP, &[&header, payload].concat());
    }

    /// Adds a segment between client and server; the first one begins the connection.
    pub(crate) fn tcp(&mut self, from_client: bool, payload: &[u8]) {
        if self.packets.is_empty() {
            self.segment(true, 0x02, &[]);
            self.segment(false, 0x12, &[]);
            self.sent = [1, 1];
        }
        self.segment(from_client, 0x18, payload);
        self.sent[usize::from(!from_client)] += u32::try_from(payload.len()).expect("short");
    }

    fn segment(&mut self, from_client: bool, flags: u8, payload: &[u8]) {
        let [client, server] = self.sent;
        let (from, to, ports, own, other) = if from_client {
            (CLIENT, SERVER, [CLIENT_PORT, PORT], client, server)
        } else {
            (SERVER, CLIENT, [PORT, CLIENT_PORT], server, client)
        };
        let acknowledged = if flags == 0x12 { 1 } else { other };
        let mut segment = ports.map(u16::to_be_bytes).concat();
        segment.extend([own, acknowledged].map(u32::to_be_bytes).concat());
        segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        segment.extend(payload);
        self.ip(from, to, TCP, &segment);
    }

    fn ip(&mut self, from: [u8; 4], to: [u8; 4], protocol: u8, payload: &[u8]) {
        let len = u16::try_from(20 + payload.len()).expect("short").to_be_bytes();
        let mut packet = vec![0x45, 0, len[0], len[1], 0, 0, 0, 0, 64, protocol, 0, 0];
        packet.extend(from);
        packet.extend(to);
        packet.extend(payload);
        self.packets.push(packet);
    }

    /// Writes the file and tells where it is.
    pub(crate) fn write(&self, directory: &Path) -> PathBuf {
        let mut file = [0xa1b2_c3d4_u32.to_be_bytes(), [0, 2, 0, 4], [0; 4], [0; 4]].concat();
        file.extend([65_535, RAW].map(u32::to_be_bytes).concat());
        for (second, packet) in (0..).zip(&self.packets) {
            let len = u32::try_from(packet.len()).expect("short");
            file.extend([second, 0, len, len].map(u32::to_be_bytes).concat());
            file.extend(packet);
        }
        let path = directory.join("capture.pcap");
        std::fs::write(&path, file).expect("written");
        path
    }
}
