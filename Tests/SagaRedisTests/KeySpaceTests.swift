import RedisTransport
import SagaCore
import SagaRedis
import SagaStore
import Testing

@Suite struct KeySpaceTests {
    /// Values of Python's `binascii.crc_hqx(key, 0)`; that of "123456789" is the check value of CRC-16/XMODEM.
    @Test(arguments: [
        ("", 0), ("123456789", 12_739), ("a", 31_879), ("order-17", 51_280), ("A.b_c:d@e-f", 32_912), ("s0", 27_481),
        ("customer@example.com", 58_961), ("order-17/checkout", 35_357),
        (String(repeating: "0", count: 128), 62_876), (String(repeating: "x", count: 255), 15_237),
    ])
    func theChecksumIsThatOfRedisCluster(_ key: String, _ value: Int) {
        #expect(Int(crc16(key.utf8)) == value)
    }

    @Test(arguments: [
        ("order-17", 0, 2_128, 5), ("order-17/checkout", 0, 2_128, 5), ("order-17/refund/child", 0, 2_128, 5),
        ("order-17/", 0, 2_128, 5), ("123456789", 3, 12_739, 6), ("s0", 9, 11_097, 6), ("/s0", 0, 0, 0),
        ("customer@example.com/a", 1, 9_809, 0),
    ])
    func sagasOfOneRoutingKeyShareAPartition(_ saga: String, _ of16: Int, _ of16384: Int, _ of7: Int) {
        for (partitions, partition) in [(16, of16), (16_384, of16384), (7, of7), (1, 0)] {
            #expect(KeySpace(namespace: "skald", partitions: partitions).partition(of: saga) == partition)
        }
    }

    @Test func keysAreSpelledAsTheProtocolSays() {
        let keys = KeySpace(namespace: "skald", partitions: 16)
        #expect(keys.meta == "{skald}:meta" && keys.meta == KeySpace.meta(of: "skald"))
        #expect(keys.intake(3) == "{skald:3}:intake")
        #expect(keys.reply(3) == "{skald:3}:reply")
        #expect(keys.control(15) == "{skald:15}:control")
        #expect(keys.command(3, service: "orders") == "{skald:3}:cmd:orders")
        #expect(keys.event(0, topic: "OrderCreated") == "{skald:0}:event:OrderCreated")
        #expect(keys.outcome(0) == "{skald:0}:outcome")
        #expect(keys.dead(0) == "{skald:0}:dead")
        #expect(keys.index(3, .definition("order")) == "{skald:3}:by:definition:order")
        #expect(keys.index(3, .label(name: "city", value: "a=b c")) == "{skald:3}:by:label:city=a=b c")
        #expect(keys.index(3, .status(.stuck)) == "{skald:3}:by:status:stuck")
    }

    /// One partition is one Cluster slot: the tag is whatever stands between the first braces.
    @Test func allKeysOfAPartitionHaveOneTag() {
        let keys = KeySpace(namespace: "a-0", partitions: 3)
        for partition in 0..<3 {
            let all = [
                keys.intake(partition), keys.reply(partition), keys.control(partition), keys.outcome(partition),
                keys.dead(partition), keys.state(partition), keys.open(partition), keys.ended(partition),
                keys.command(partition, service: "x"), keys.event(partition, topic: "y"),
                keys.log(partition, saga: "order-17/checkout"), keys.index(partition, .definition("d")),
                keys.index(partition, .label(name: "d", value: "")), keys.index(partition, .status(.compensated)),
            ]
            #expect(Set(all).count == all.count)
            #expect(all.allSatisfy { $0.hasPrefix("{a-0:\(partition)}:") && $0.filter { "{}".contains($0) } == "{}" })
            // A label's value may have braces: those behind the first ones don't count.
            let label = keys.index(partition, .label(name: "a", value: "}{x}"))
            #expect(label.hasPrefix("{a-0:\(partition)}:by:label:"))
        }
    }
}
