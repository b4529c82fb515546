/// Which node of a cluster serves each slot, as one node knew it.
package struct SlotMap: Sendable, Equatable {
    /// The nodes that serve slots, in the order of their lowest.
    package private(set) var nodes: [RedisNode] = []
    /// For each slot the place of its node; -1 where nobody serves it.
    private var owners = [Int16](repeating: -1, count: KeySlot.count)
    /// The cluster's epoch: a map with a lower one is older.
    package private(set) var epoch: Int64

    package init(_ ranges: [(slots: ClosedRange<Int>, node: RedisNode)], epoch: Int64 = 0) {
        self.epoch = epoch
        for (slots, node) in ranges.sorted(by: { $0.slots.lowerBound < $1.slots.lowerBound }) {
            for slot in slots.clamped(to: 0...KeySlot.count - 1) { move(slot, to: node) }
        }
    }

    /// Reads the reply to CLUSTER SLOTS; nil where it names no node.
    ///
    /// - Parameter source: The node that was asked, which may leave out its own host.
    init?(_ reply: RedisValue, epoch: Int64, from source: RedisNode) {
        var ranges: [(slots: ClosedRange<Int>, node: RedisNode)] = []
        for index in 0..<reply.count {
            let range = reply[index]
            guard let first = range[0].integer, let last = range[1].integer, 0 <= first, first <= last,
                last < Int64(KeySlot.count), let port = range[2][1].integer, (1...65_535).contains(port)
            else { continue }
            let host = range[2][0].string ?? ""
            let node = RedisNode(host: host.isEmpty || host == "?" ? source.host : host, port: Int(port))
            ranges.append((Int(first)...Int(last), node))
        }
        guard !ranges.isEmpty else { return nil }
        self.init(ranges, epoch: epoch)
    }

    package func node(of slot: Int) -> RedisNode? {
        let place = owners[slot]
        return place < 0 ? nil : nodes[Int(place)]
    }

    /// A node has said who serves a slot now.
    package mutating func move(_ slot: Int, to node: RedisNode) {
        if let place = nodes.firstIndex(of: node) {
            owners[slot] = Int16(place)
        } else if nodes.count < Int(Int16.max) {
            nodes.append(node)
            owners[slot] = Int16(nodes.count - 1)
        }
    }
}

extension RedisNode {
    /// The address of a MOVED or ASK error, which may leave out the host of the node that replied it.
    package init?(redirect address: String, from source: RedisNode?) {
        guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        let named = String(address[..<colon])
        guard let host = named.isEmpty ? source?.host : named else { return nil }
        self.init(host: host, port: port)
    }
}
