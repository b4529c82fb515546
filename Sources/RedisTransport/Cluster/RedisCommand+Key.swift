extension RedisCommand {
    /// The first key, by which a cluster's node is chosen; nil for a command that has none.
    ///
    /// Of a command that is not known here, it is what follows the name.
    package var firstKey: ArraySlice<UInt8>? {
        guard let name = argument(0) else { return nil }
        switch String(decoding: name, as: UTF8.self) {
        case "PING", "INFO", "TIME", "ROLE", "CONFIG", "SLOWLOG", "ACL", "SCRIPT", "CLIENT", "CLUSTER", "SCAN", "WAIT",
            "MULTI", "EXEC", "DISCARD", "DBSIZE", "KEYS", "FLUSHALL", "FLUSHDB", "SAVE", "BGSAVE", "AUTH", "SELECT",
            "COMMAND", "ASKING", "LATENCY", "FUNCTION", "REPLICAOF", "SHUTDOWN", "UNWATCH":
            return nil
        case "EVALSHA", "EVAL", "FCALL", "EVALSHA_RO", "EVAL_RO", "FCALL_RO":
            return argument(2).map { $0.elementsEqual("0".utf8) } ?? true ? nil : argument(3)
        case "XINFO", "XGROUP", "OBJECT", "MEMORY", "DEBUG":
            return argument(2)
        case "XREAD", "XREADGROUP":
            guard let place = (1..<argumentCount).first(where: { argument($0)?.elementsEqual("STREAMS".utf8) ?? false })
            else { return nil }
            return argument(place + 1)
        default:
            return argument(1)
        }
    }

    /// The slot of the first key.
    package var slot: Int? { firstKey.map { KeySlot.of($0) } }

    private func argument(_ index: Int) -> ArraySlice<UInt8>? {
        var start = body.startIndex
        for place in 0...index {
            // "$LENGTH\r\n", the argument, "\r\n".
            guard let end = body[start...].firstIndex(of: UInt8(ascii: "\r")) else { return nil }
            let length = body[(start + 1)..<end].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            let argument = body[(end + 2)..<(end + 2 + length)]
            if place == index { return argument }
            start = argument.endIndex + 2
        }
        return nil
    }
}
