import RedisTransport
import SagaScripts

/// The keys of one partition.
enum Key {
    static let state = "{t:0}:state", open = "{t:0}:open", ended = "{t:0}:ended", outcome = "{t:0}:outcome"
    static let dead = "{t:0}:dead", reply = "{t:0}:reply", control = "{t:0}:control", intake = "{t:0}:intake"
    static let meta = "{t}:meta", definitions = "{t}:definitions", members = "{t}:members"

    static func log(_ saga: String) -> String { "{t:0}:log:\(saga)" }
    static func index(_ name: String) -> String { "{t:0}:by:\(name)" }
    static func command(_ service: String) -> String { "{t:0}:cmd:\(service)" }
    static func event(_ topic: String) -> String { "{t:0}:event:\(topic)" }
}

/// A call of a script that is accepted on the state that ``prepare`` makes.
struct ScriptCase: CustomStringConvertible, Sendable {
    var script: SagaScripts.Script
    var keys: [String]
    var arguments: [String]
    /// The first word of the answer; nil where the answer has no status.
    var status: String?
    /// Whether it works on a full server.
    var worksWhenFull = false
    var prepare: @Sendable (ScriptServer) async throws -> Void = { _ in }

    var description: String { script.name }

    /// What its first line promises.
    var isReadOnly: Bool { String(decoding: script.source.prefix(40), as: UTF8.self).contains("no-writes") }

    func call(_ server: ScriptServer) async throws -> [String] {
        try await server.call(script, keys, arguments)
    }

    /// The partition's first owner, under epoch 1, at sequence 0.
    static let take = ScriptCase(
        script: SagaScripts.partitionTake, keys: [Key.state], arguments: ["o1", "ann", "60000", "", "", "i1"],
        status: "taken", worksWhenFull: true, prepare: { try await $0.create() })

    /// Takes the partition, and fills it.
    private static let occupy: @Sendable (ScriptServer) async throws -> Void = { server in
        try await server.occupy()
        try await server.send("RPUSH", Key.log("old"), "a", "b")
        try await server.send("ZADD", Key.open, "5", "old")
        try await server.send("RPUSH", Key.log("done"), "d0", "d1", "d2")
        try await server.send("ZADD", Key.ended, "70", "done")
        for index in ["definition:d", "status:compensated"] {
            try await server.send("ZADD", Key.index(index), "40", "done", "41", "old")
        }
        for stream in [Key.reply, Key.control, Key.intake] {
            for id in 1...3 { try await server.send("XADD", stream, "\(id)-0", "type", "junk", "n", "\(id)") }
        }
        try await server.send("XADD", Key.outcome, "1-0", "saga", "old")
        for service in ["a", "b"] {
            try await server.send("XGROUP", "CREATE", Key.command(service), service, "0", "MKSTREAM")
            for id in 1...4 { try await server.send("XADD", Key.command(service), "\(id)-0", "n", "\(id)") }
            try await server.send(
                "XREADGROUP", "GROUP", service, "c", "COUNT", "3", "STREAMS", Key.command(service), ">")
            try await server.send("XACK", Key.command(service), service, "1-0")
        }
        for topic in ["A", "B"] {
            for id in 1...3 { try await server.send("XADD", Key.event(topic), "\(id)-0", "id", "\(id)") }
        }
        try await server.send("HSET", Key.state, "reply", "2-0", "event:A", "2-0")
    }

    static let commit: ScriptCase = {
        var call = CommitCall()
        call.changes = [
            .init(
                "new", entries: ["n0", "n1"], alarm: "at", instant: "100",
                indexes: [("definition:d", "99"), ("label:a=b", "99")]),
            .init(
                "old", length: 2, entries: ["c"], alarm: "ended", instant: "50",
                indexes: [("status:compensated", "")]),
        ]
        call.commands = [("a", ["saga", "new"]), ("b", ["saga", "new"])]
        call.outcomes = [["saga", "old", "status", "completed"]]
        call.dead = [
            .init(Key.reply, "1-0"), .init(Key.control, "2-0"), .init(Key.intake, "3-0", saga: "x"),
            .init(Key.event("A"), "3-0"),
        ]
        call.events = [("A", "3-0"), ("B", "1-0")]
        call.replaced = [("a", "4-0")]
        return ScriptCase(
            script: SagaScripts.partitionCommit, keys: call.keys, arguments: call.arguments, status: "ok",
            prepare: occupy)
    }()

    /// The same on a full server.
    static let settle: ScriptCase = {
        var one = commit
        (one.script, one.worksWhenFull) = (SagaScripts.partitionSettle, true)
        return one
    }()

    /// Removes `done`, and leaves `old`, which is not ended, alone.
    static let retire = ScriptCase(
        script: SagaScripts.partitionRetire,
        keys: [
            Key.state, Key.ended, Key.open, Key.log("done"), Key.log("old"), Key.index("definition:d"),
            Key.index("status:compensated"),
        ],
        arguments: [
            "o1", "1", "2", "done", "70", "tombstone", "99999999999999", "2", "6", "7", "old", "50", "tombstone",
            "99999999999999", "1", "6",
        ],
        status: "ok", worksWhenFull: true, prepare: occupy)

    static let all: [ScriptCase] = [
        ScriptCase(script: SagaScripts.namespaceOpen, keys: [Key.meta], arguments: ["4", "1", "abc"]),
        ScriptCase(
            script: SagaScripts.definitionRegister, keys: [Key.definitions], arguments: ["order@1", "{}"],
            status: "registered"),
        ScriptCase(
            script: SagaScripts.inboxPeek, keys: [Key.intake], arguments: ["1-0"], status: "2-0", worksWhenFull: true,
            prepare: occupy),
        ScriptCase(
            script: SagaScripts.memberBeat, keys: [Key.members],
            arguments: ["i1", "present", "60000", "3", "-", "ann"], status: "ok", worksWhenFull: true),
        ScriptCase(
            script: SagaScripts.partitionLook, keys: [Key.state], arguments: [], status: "held", worksWhenFull: true,
            prepare: occupy),
        ScriptCase(script: SagaScripts.partitionCreate, keys: [Key.state], arguments: [], status: "created"),
        take,
        ScriptCase(
            script: SagaScripts.partitionRenew, keys: [Key.state], arguments: ["o1", "60000"], status: "renewed",
            worksWhenFull: true, prepare: occupy),
        ScriptCase(
            script: SagaScripts.partitionRelease, keys: [Key.state], arguments: ["o1"], status: "released",
            worksWhenFull: true, prepare: occupy),
        ScriptCase(
            script: SagaScripts.partitionRaise, keys: [Key.state], arguments: ["o1", "1", "0", "99999999999999"],
            status: "ok", worksWhenFull: true, prepare: occupy),
        commit,
        settle,
        retire,
        ScriptCase(
            script: SagaScripts.namespaceAnnounce, keys: [Key.meta], arguments: ["", "0"], status: "ok",
            worksWhenFull: true),
        ScriptCase(
            script: SagaScripts.consumerRemove, keys: [Key.state, Key.command("a"), Key.command("b")],
            arguments: ["o1", "1", "0", "10", "a", "b"], status: "ok", worksWhenFull: true,
            prepare: { server in
                try await occupy(server)
                try await server.send("XGROUP", "CREATECONSUMER", Key.command("a"), "a", "gone")
            }),
        ScriptCase(
            script: SagaScripts.partitionTrim,
            keys: [
                Key.state, Key.reply, Key.control, Key.intake, Key.outcome, Key.command("a"), Key.command("b"),
                Key.event("A"), Key.event("B"),
            ],
            arguments: ["o1", "1", "2-0", "2-0", "2", "a", "b", "event:A", ""], status: "ok", worksWhenFull: true,
            prepare: occupy),
    ]

    /// Those that only an owner may call, with the places of what proves that in their arguments.
    static let fenced: [(ScriptCase, proofs: [(index: Int, status: String)])] = all.compactMap { one in
        switch one.script.name {
        case "partition_commit", "partition_settle", "partition_raise":
            (one, [(0, "fenced"), (1, "fenced"), (2, "sequence")])
        case "partition_trim", "partition_retire", "consumer_remove": (one, [(0, "fenced"), (1, "fenced")])
        case "partition_renew", "partition_release": (one, [(0, "lost")])
        default: nil
        }
    }
}

extension ScriptServer {
    /// Begins the partition's history.
    func create() async throws { try await call(SagaScripts.partitionCreate, [Key.state], []) }

    /// Begins the partition's history and takes it.
    func occupy() async throws {
        try await create()
        try await call(ScriptCase.take.script, ScriptCase.take.keys, ScriptCase.take.arguments)
    }
}
