import RedisTransport
import SagaStore

/// What a script returns: a status word, and values behind it.
struct StatusReply {
    private let reply: RedisReply

    init(_ reply: RedisReply) {
        self.reply = reply
    }

    /// The text at this place; empty where there is none.
    func word(_ index: Int) -> String { reply.value[index].string ?? "" }

    /// The decimal number at this place.
    func number(_ index: Int) throws(StoreError) -> Int64 {
        guard let number = Int64(word(index)) else {
            throw StoreError(.corrupt, .indeterminate, "a script returned '\(word(index))' where a number was due")
        }
        return number
    }

    /// Names and values in turn, from this place to the end.
    func pairs(from first: Int) -> [String: String] {
        var pairs: [String: String] = [:]
        for index in stride(from: first, to: reply.value.count - 1, by: 2) { pairs[word(index)] = word(index + 1) }
        return pairs
    }

    /// Who holds a partition, from the second place on.
    func holder() throws(StoreError) -> TakeOutcome.Holder {
        TakeOutcome.Holder(name: word(1), instance: word(4), lease: try number(2), mark: word(3))
    }

    /// Stream ids, from this place on; none where one of them is no id.
    func streamIDs(from first: Int, count: Int) -> [StreamID] {
        var ids: [StreamID] = []
        ids.reserveCapacity(count)
        for index in first..<first + count {
            guard let bytes = reply.value[index].unsafeBytes, let id = StreamID(digits: bytes) else { return [] }
            ids.append(id)
        }
        return ids
    }

    func commitOutcome() throws(StoreError) -> CommitOutcome {
        switch word(0) {
        case "ok": .committed(now: try number(1))
        case "fenced": .fenced
        case "sequence": .outOfSequence
        case "log": .logMoved
        case let word: throw StoreError(.corrupt, .indeterminate, "a script returned the unknown status '\(word)'")
        }
    }
}
