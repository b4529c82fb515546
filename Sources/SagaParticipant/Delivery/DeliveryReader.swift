package import RedisTransport
import SagaCore
package import SagaRedis
package import SagaWire

/// Reads the entries of XREADGROUP's and XAUTOCLAIM's replies, in place.
///
/// Whatever an entry holds, reading it never fails as a whole: what is no command comes out as undecodable, with its
/// dead letter.
struct DeliveryReader {
    let keys: KeySpace
    let service: String
    let commandBytes: Int
    let deliveryLimit: Int
    private let payloadKeys: PayloadKeys?
    private let partitions: [String: Int]
    // Reused from entry to entry: its buffers are valid only while the reply is held.
    private var views: [FieldView] = []

    init(keys: KeySpace, service: String, options: ParticipantOptions) {
        self.keys = keys
        self.service = service
        commandBytes = options.commandBytes
        deliveryLimit = options.deliveryLimit
        payloadKeys = options.payloadKeys
        partitions = Dictionary(
            uniqueKeysWithValues: (0..<keys.partitions).map { (keys.command($0, service: service), $0) })
    }

    /// The entries of a reply to XREADGROUP: an array of streams, or a null where nothing came.
    static func streams(in reply: RedisReply, _ body: (_ key: String, _ entries: RedisValue) -> Void) {
        let streams = reply.value
        for index in 0..<streams.count {
            guard let key = streams[index][0].string else { continue }
            body(key, streams[index][1])
        }
    }

    /// Whether a command that was delivered this often may be what killed those that it was delivered to. Once may be
    /// anything; of those that shared two deaths each has to be looked at by itself.
    func isSuspicious(_ deliveries: Int) -> Bool { deliveries >= min(2, deliveryLimit - 1) }

    /// - Parameter earlier: How often the entries have been delivered before.
    mutating func read(_ reply: RedisReply, earlier: Int = 0) -> [Delivery] {
        var result: [Delivery] = []
        Self.streams(in: reply) { key, entries in
            guard let partition = partitions[key] else { return }
            append(entries, of: partition, earlier: earlier, to: &result)
        }
        return result
    }

    private mutating func append(
        _ entries: RedisValue, of partition: Int, earlier: Int, to result: inout [Delivery]
    ) {
        result.reserveCapacity(result.count + entries.count)
        for index in 0..<entries.count {
            let entry = entries[index]
            // Redis 6.2 claims deleted entries as nulls; they cannot be acknowledged without their id.
            guard let id = entry[0].string else { continue }
            result.append(delivery(EntryID(partition: partition, entry: id), entry[1], earlier: earlier))
        }
    }

    private mutating func delivery(_ id: EntryID, _ fields: RedisValue, earlier: Int) -> Delivery {
        guard fields.kind == .array else { return Delivery(id: id, content: .vanished) }
        fields.withFieldViews(reusing: &views) { _ in }
        let bytes = views.reduce(0) { $0 + $1.name.count + $1.value.count }
        return withExtendedLifetime(fields) {
            do throws(DeadReason) {
                guard bytes <= commandBytes else {
                    throw DeadReason(.oversized, "the command has \(bytes) bytes; the limit is \(commandBytes)")
                }
                var command = try Command.decode(views)
                if let fault = command.keyFault { throw fault }
                if let fault = open(&command) { return Delivery(id: id, content: .sealed(command, fault)) }
                guard earlier >= deliveryLimit else {
                    return Delivery(id: id, content: .command(command), isSuspect: isSuspicious(earlier))
                }
                let reason = DeadReason(.poison, "delivered \(earlier) times and never answered")
                return Delivery(id: id, content: .poison(command, letter(id, reason)))
            } catch {
                return Delivery(id: id, content: .undecodable(letter(id, error)))
            }
        }
    }

    private func open(_ command: inout Command) -> PayloadKeyError? {
        do throws(PayloadKeyError) {
            if let payloadKeys {
                try command.open(with: payloadKeys)
            } else if let id = command.sealingKey {
                throw PayloadKeyError.noKeys(id)
            }
            return nil
        } catch {
            return error
        }
    }

    private func letter(_ id: EntryID, _ reason: DeadReason) -> DeadLetter {
        let saga = views.first { $0.isNamed("saga") }?.text
        return DeadLetter(
            source: keys.command(id.partition, service: service), entry: id.entry, reason: reason,
            saga: saga.flatMap { Names.isSagaID($0) ? $0 : nil }, original: views)
    }
}

/// Reading deliveries apart from a participant.
package enum DeliveryReading {
    /// The commands that a service would be handed from a reply to XREADGROUP, and how many of its entries are none: for
    /// tests that let it read anything at all.
    package static func commands(
        in reply: RedisReply, of service: String, _ keys: KeySpace
    ) -> (commands: [Command], others: Int) {
        var reader = DeliveryReader(keys: keys, service: service, options: ParticipantOptions())
        let deliveries = reader.read(reply)
        let commands = deliveries.compactMap { if case .command(let command) = $0.content { command } else { nil } }
        return (commands, deliveries.count - commands.count)
    }
}
