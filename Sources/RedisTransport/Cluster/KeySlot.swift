/// The slot of a key in a Redis Cluster.
package enum KeySlot {
    package static let count = 16_384

    /// CRC-16/XMODEM of the key's hash tag, or of the whole key where it has none.
    package static func of(_ key: some BidirectionalCollection<UInt8>) -> Int {
        guard let open = key.firstIndex(of: UInt8(ascii: "{")) else { return slot(key) }
        let behind = key[key.index(after: open)...]
        guard let close = behind.firstIndex(of: UInt8(ascii: "}")), close != behind.startIndex else { return slot(key) }
        return slot(behind[..<close])
    }

    private static func slot(_ bytes: some Sequence<UInt8>) -> Int { Int(crc16(bytes)) % count }
}

/// CRC-16/XMODEM, the checksum of Redis Cluster's key slots.
package func crc16(_ bytes: some Sequence<UInt8>) -> UInt16 {
    var crc: UInt16 = 0
    for byte in bytes {
        crc = crc << 8 ^ crc16Table[Int(UInt8(truncatingIfNeeded: crc >> 8) ^ byte)]
    }
    return crc
}

private let crc16Table: [UInt16] = (0..<256).map { index in
    var crc = UInt16(index) << 8
    for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
    return crc
}
