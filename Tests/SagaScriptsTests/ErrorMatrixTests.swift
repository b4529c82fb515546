import LocalRedis
import RedisTransport
import SagaRedis
import SagaScripts
import SagaStore
import SagaTesting
import Testing

/// Every script against every error that a server can answer: nothing is written, the caller is told so, and the same
/// call is accepted afterwards.
@Suite struct ErrorMatrixTests {
    @Test func everyScriptIsInTheMatrix() {
        #expect(ScriptCase.all.map(\.script.name).sorted() == SagaScripts.all.map(\.name).sorted())
    }

    @Test(arguments: ServerTrouble.all)
    func everyScript(in trouble: ServerTrouble) async throws {
        try await withLocalRedis(.init(extra: trouble.settings)) { redis in
            let server = ScriptServer(connection: try await .connect(to: redis.endpoint))
            let admin = ScriptServer(connection: try await .connect(to: redis.endpoint))
            try await server.connection.load(SagaScripts.all.map { RedisScript(name: $0.name, source: $0.source) })
            let place = ServerTrouble.Place(redis: redis, admin: admin)
            var row: [String] = []
            for one in ScriptCase.all {
                try await server.send("FLUSHALL")
                try await one.prepare(server)
                let before = try await server.dump()
                try await trouble.begin(place)
                let expected = trouble.expected(by: one)
                let error = await Self.error { _ = try await one.call(server) }
                try await trouble.end(place)
                var after = try await server.dump()
                after = after.filter { !$0.key.hasPrefix("filler") }
                #expect(error?.code == expected, "\(one) in \(trouble)")
                row.append("\(one): \(expected == nil ? "works" : "refused")")
                guard let error, expected != nil else { continue }
                #expect(after == before, "\(one) in \(trouble) has written something")
                #expect(error.effect == .notApplied, "\(one) in \(trouble)")
                #expect(StoreError(error).effect == .notApplied, "\(one) in \(trouble)")
                let answer = try await one.call(server)
                if let status = one.status { #expect(answer.first == status, "\(one) after \(trouble)") }
            }
            print("\(trouble): \(row.joined(separator: ", "))")
            await server.connection.close()
            await admin.connection.close()
        }
    }

    static func error(_ body: () async throws -> Void) async -> RedisError? {
        do {
            try await body()
            return nil
        } catch let error as RedisError {
            return error
        } catch {
            Issue.record("another error: \(error)")
            return nil
        }
    }

    /// A server that doesn't know a script has done nothing; the caller gives it the source, and that is all.
    @Test(arguments: ScriptCase.all)
    func aForgottenScript(_ one: ScriptCase) async throws {
        try await ScriptServer.with { server in
            try await one.prepare(server)
            try await server.send("SCRIPT", "FLUSH")
            let before = try await server.dump()
            let script = RedisScript(name: one.script.name, source: one.script.source)
            var command = script.command(keys: one.keys)
            for argument in one.arguments { command.append(argument) }
            let error = await Self.error { _ = try await server.connection.send(command) }
            #expect(error?.code == .noScript && error?.effect == .notApplied)
            let after = try await server.dump()
            #expect(after == before)
            let answer = try await one.call(server)
            if let status = one.status { #expect(answer.first == status) }
        }
    }
}
