/// 128 bits of a situation's bytes: with a million states, two of them share one with a chance of 1 in 10²⁶.
package struct StateHash: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    package init(_ bytes: [UInt8]) {
        var (first, second): (UInt64, UInt64) = (0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f)
        bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                var word: UInt64 = 0
                if offset + 8 <= buffer.count {
                    word = buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                } else {
                    for byte in buffer[offset...] { word = word << 8 | UInt64(byte) }
                }
                first = Self.mix(first ^ word, 0xa076_1d64_78bd_642f)
                second = Self.mix(second &+ word, 0xe703_7ed1_a0b4_28db) ^ word
                offset += 8
            }
        }
        high = Self.mix(first ^ UInt64(bytes.count), 0x8ebc_6af0_9c88_c6e3)
        low = Self.mix(second ^ UInt64(bytes.count), 0x5899_65cc_7537_4cc3)
    }

    private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(low) }
}
