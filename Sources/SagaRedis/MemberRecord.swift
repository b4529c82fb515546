import RedisTransport
package import SagaCore
package import SagaStore

/// How a heartbeat is written: what `member_beat.lua` takes, keeps and returns.
package struct MemberRecord: Sendable {
    package var heartbeat: Heartbeat
    /// The server's instant at which it was written.
    package var at: Milliseconds

    /// Reads a field of the members' hash; nil where it is none that this version writes.
    package init?(instance: String, value: String) {
        let words = value.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard words.count == 6, let at = Milliseconds(words[0]),
            let heartbeat = Self.heartbeat(instance, Array(words.dropFirst()))
        else { return nil }
        self.heartbeat = heartbeat
        self.at = at
    }

    /// The member as it counts at an instant of the server.
    package func member(at now: Milliseconds) -> Member { Member(heartbeat, age: max(0, now - at)) }

    static func arguments(of heartbeat: Heartbeat) -> [String] {
        [
            heartbeat.instance, heartbeat.phase.rawValue, "\(heartbeat.lease)", "\(heartbeat.held)",
            heartbeat.offer.map { "\($0)" } ?? "-", heartbeat.name,
        ]
    }

    /// Reads the script's answer. What cannot be read is another version's member, with which nothing is shared.
    static func members(_ reply: RedisValue) -> [Member] {
        stride(from: 1, to: reply.count - 6, by: 7).compactMap { place in
            let words = (0..<7).map { reply[place + $0].string ?? "" }
            guard let age = Milliseconds(words[1]), let heartbeat = heartbeat(words[0], Array(words.dropFirst(2)))
            else { return nil }
            return Member(heartbeat, age: age)
        }.sorted { $0.instance < $1.instance }
    }

    /// - Parameter words: Lease, phase, held, offer and name.
    private static func heartbeat(_ instance: String, _ words: [String]) -> Heartbeat? {
        guard let lease = Milliseconds(words[0]), let phase = Heartbeat.Phase(rawValue: words[1]),
            let held = Int(words[2])
        else { return nil }
        return Heartbeat(
            instance: instance, name: words[4], phase: phase, lease: lease, held: held, offer: Int(words[3]))
    }
}
