import RedisTransport
import SagaScripts
import Testing

@Suite struct RetireTests {
    @Test func anEndedSagaIsReplacedByItsTombstone() async throws {
        try await ScriptServer.with { server in
            try await ScriptCase.retire.prepare(server)
            let answer = try await ScriptCase.retire.call(server)
            #expect(answer == ["ok", answer.last ?? ""] && Int64(answer.last ?? "") ?? 0 > 1_700_000_000_000)
            #expect(try await server.list(Key.log("done")) == ["tombstone"])
            #expect(try await server.send("PEXPIRETIME", Key.log("done")).integer == 99_999_999_999_999)
            #expect(try await server.scores(Key.ended).isEmpty)
            for index in ["definition:d", "status:compensated"] {
                #expect(try await server.scores(Key.index(index)) == ["old": "41"])
            }
            // One that is not ended keeps everything, and nothing of it expires.
            #expect(try await server.list(Key.log("old")) == ["a", "b"])
            #expect(try await server.send("PEXPIRETIME", Key.log("old")).integer == -1)
            #expect(try await server.scores(Key.open) == ["old": "5"])
        }
    }

    @Test(arguments: ["69", "71", "0", "inf"])
    func aSagaThatIsToGoAtAnotherInstantStays(_ instant: String) async throws {
        try await ScriptServer.with { server in
            try await ScriptCase.retire.prepare(server)
            let before = try await server.dump()
            var call = ScriptCase.retire
            call.arguments[4] = instant
            #expect(try await call.call(server).first == "ok")
            let after = try await server.dump()
            #expect(after == before)
        }
    }

    @Test func aSagaThatIsOpenAgainIsOnlyTakenOutOfTheEndedOnes() async throws {
        try await ScriptServer.with { server in
            try await ScriptCase.retire.prepare(server)
            try await server.send("ZADD", Key.open, "inf", "done")
            #expect(try await ScriptCase.retire.call(server).first == "ok")
            #expect(try await server.list(Key.log("done")) == ["d0", "d1", "d2"])
            #expect(try await server.scores(Key.index("definition:d")) == ["done": "40", "old": "41"])
            #expect(try await server.scores(Key.ended).isEmpty)
            #expect(try await server.scores(Key.open) == ["done": "inf", "old": "5"])
        }
    }

    /// Where the tombstone is empty, or its time is over, nothing stays.
    @Test(arguments: [("", "0"), ("tombstone", "1000")])
    func theLogGoesWithoutATombstone(_ tombstone: String, _ expiry: String) async throws {
        try await ScriptServer.with { server in
            try await ScriptCase.retire.prepare(server)
            var call = ScriptCase.retire
            (call.arguments[5], call.arguments[6]) = (tombstone, expiry)
            #expect(try await call.call(server).first == "ok")
            #expect(try await server.send("EXISTS", Key.log("done")).integer == 0)
            #expect(try await server.scores(Key.ended).isEmpty)
            #expect(try await server.scores(Key.index("definition:d")) == ["old": "41"])
        }
    }

    @Test func aThousandSagasAreRemovedInOneCall() async throws {
        try await ScriptServer.with { server in
            try await server.occupy()
            let sagas = (0..<1_000).map { "s\($0)" }
            for saga in sagas {
                try await server.send("RPUSH", Key.log(saga), "a", "b")
                try await server.send("ZADD", Key.ended, "5", saga)
                try await server.send("ZADD", Key.index("definition:d"), "1", saga)
            }
            var call = ScriptCase.retire
            call.keys = [Key.state, Key.ended, Key.open] + sagas.map { Key.log($0) } + [Key.index("definition:d")]
            call.arguments =
                ["o1", "1", "1000"] + sagas.flatMap { [$0, "5", "tombstone", "99999999999999", "1", "1004"] }
            let start = ContinuousClock.now
            #expect(try await call.call(server).first == "ok")
            #expect(ContinuousClock.now - start < .seconds(2), "it blocks everybody")
            let keys = try await server.dump().keys
            #expect(keys.count == 1_001 && keys.contains(Key.log("s999")) && !keys.contains(Key.ended))
        }
    }
}
