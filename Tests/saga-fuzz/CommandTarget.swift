import RedisTransport
import SagaCore
import SagaParticipant
import SagaRedis
import SagaWire
import TestSupport

/// Commands to a service, as they stand in a reply to XREADGROUP.
struct CommandTarget: FuzzTarget {
    static let name = "command"

    private static let keys = KeySpace(namespace: "t", partitions: 2)
    private let mutator = Mutator([
        "saga", "step", "phase", "action", "compensation", "operation", "key", "effect", "known", "attempt", "era",
        "token", "input", "result.", "result.a", "deadline", "item", "value", "version", "s/a/action", "s/a#0/action",
    ])
    private let bytes = Mutator(["*2\r\n", "$-1\r\n", "*-1\r\n", ":1\r\n", "*0\r\n", "$0\r\n\r\n"])

    mutating func attempt(_ random: inout SeededRandom) throws(Flaw) -> Bool {
        let command = Command(
            saga: "s", definition: "d", version: 1, step: "a", item: random.maybe { _ in 0 },
            value: random.maybe { _ in [0x37] }, phase: random.pick(Phase.allCases), operation: "do",
            isEffectKnown: random.chance(0.3), attempt: 1, era: 7, token: "t", input: SagaSamples.payload(&random),
            results: random.chance(0.5) ? [.init(step: "b", payload: SagaSamples.payload(&random))] : [],
            deadline: 1_700_000_000_000, traceparent: random.maybe { _ in "00-1" })
        var list = FieldList(command.fields)
        let isWhole = random.chance(0.1)
        if !isWhole { list.spoil(mutator, &random) }
        let decoded = list.withViews { views in try? Command.decode(views) }
        if isWhole, decoded != command { throw Flaw("a command reads as it was written", list.bytes) }
        if let decoded, list.isText {
            guard (try? decoded.fields.withViews { views throws(DeadReason) in try Command.decode(views) }) == decoded
            else {
                throw Flaw("what was read and is written reads the same", list.bytes)
            }
        }
        try deliver(list, isWhole, &random)
        return decoded != nil
    }

    /// The entry within a whole reply, which may be spoilt as well.
    private func deliver(_ list: FieldList, _ isWhole: Bool, _ random: inout SeededRandom) throws(Flaw) {
        let fields = RespValue.array(list.pairs.flatMap { [.string($0.name), .string($0.value)] })
        let entry = RespValue.array([.string(Array("1-1".utf8)), random.chance(0.9) || isWhole ? fields : .null])
        let key = RespValue.string(Array(Self.keys.command(0, service: "v").utf8))
        var input = RespValue.array([.array([key, .array([entry])])]).encoded
        if !isWhole, random.chance(0.3) { input = bytes.spoil(input, fields.encoded, &random) }
        guard var parser = ReplyParser(options: ConnectionOptions()) else { return }
        var replies: [RedisReply] = []
        _ = input.withUnsafeBytes { bytes in parser.parse(bytes, into: &replies) }
        for reply in replies {
            let (commands, others) = DeliveryReading.commands(in: reply, of: "v", Self.keys)
            if isWhole, commands.count != 1 || others != 0 { throw Flaw("a command is delivered", input) }
        }
    }
}
