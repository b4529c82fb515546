import SagaCore
import SagaTesting
import Testing

@Suite("A test of a definition")
struct SagaFixtureTests {
    @Test func aRefusedStepIsUndone() throws {
        try SagaFixture.given(order(), input: #"{"total": 5}"#) { saga in
            try saga.expect(.command("create"))
            try saga.reply("create", .succeeded(result: #"{"number": 17}"#))
            try saga.expect(.command("reserve", attempt: 1))
            try saga.reply("reserve", .retry(after: .seconds(60)))
            #expect(saga.elapsed == .zero)
            try saga.letNextAlarmRing()
            #expect(saga.elapsed == .seconds(60))
            try saga.expect(.command("reserve", attempt: 2))
            try saga.reply("reserve", .refused("sold-out"))
            try saga.expect(.compensation("create", effectKnown: true))
            try saga.reply("create", .succeeded)
            try saga.expect(.end(.compensated))
            #expect(saga.state.error == "reserve failed: sold-out")
        }
    }

    @Test func commandsThatRunSideBySideAreExpectedInAnyOrder() throws {
        try SagaFixture.given(trip(signalTimeout: .seconds(60))) { saga in
            try saga.expect(.command("quote"))
            try saga.reply("quote", .succeeded)
            try saga.expect(.command("hotel"), .command("flight"))
            try saga.reply("hotel", .succeeded)
            try saga.expect()
            try saga.reply("flight", .succeeded)
            try saga.letPass(.seconds(59))
            try saga.expect()
            try saga.letPass(.seconds(1))
            try saga.expect(.compensation("flight"), .compensation("hotel"))
            try saga.reply("flight", .succeeded)
            try saga.reply("hotel", .succeeded)
            try saga.expect(.end(.compensated))
        }
    }

    @Test func signalsOrdersAndTheirRefusal() throws {
        try SagaFixture.given(trip()) { saga in
            try saga.expect(.command("quote"))
            try saga.signal("approved", payload: #"{"by":"ann"}"#)
            try saga.order(.skip, step: "quote", result: "5")
            try saga.expect(.command("hotel"), .command("flight"))
            try saga.order(.pause)
            try saga.expectRefusal(of: .pause, because: "paused already")
            try saga.order(.resume)
            try saga.reply("hotel", .succeeded)
            try saga.reply("flight", .succeeded)
            try saga.expect(.end(.completed))
            try saga.expectRefusal(of: .cancel, because: "completed")
        }
    }

    @Test func aStuckSagaGoesOn() throws {
        try SagaFixture.given(order()) { saga in
            for step in ["create", "reserve", "charge"] {
                try saga.expect(.command(step))
                try saga.reply(step, .succeeded)
            }
            try saga.expect(.command("ship"))
            try saga.reply("ship", .refused("closed"))
            try saga.expect(.end(.stuck))
            try saga.order(.retry, step: "ship")
            try saga.expect(.command("ship", attempt: 2), .reopening)
            try saga.reply("ship", .succeeded)
            try saga.expect(.end(.completed))
        }
    }

    // MARK: Failures

    private func failure(_ body: (inout SagaFixture) throws -> Void) throws -> SagaFixtureFailure {
        let definition = try order()
        return try #require(
            #expect(throws: SagaFixtureFailure.self) { try SagaFixture.given(definition, body) })
    }

    @Test func whatWasDirectedAndNotExpectedFailsAtTheEnd() throws {
        let failure = try failure { saga in
            try saga.expect(.command("create"))
            try saga.reply("create", .succeeded)
        }
        #expect(failure.reason == "not expected at the end: command for 'reserve' (attempt 1)")
        #expect(
            failure.transcript == [
                "order@1 starts", "+0.000s → command for 'create' (attempt 1)", "+0.000s 'create' answers succeeded",
                "+0.000s → command for 'reserve' (attempt 1)",
            ])
        #expect(failure.description.hasPrefix("SagaSimulationTests/SagaFixtureTests.swift:"))
    }

    @Test func whatWasDirectedAndNotExpectedFailsBeforeTheNextEvent() throws {
        let failure = try failure { try $0.reply("create", .succeeded) }
        #expect(failure.reason == "not expected before 'create' answers succeeded: command for 'create' (attempt 1)")
    }

    @Test func anExpectationThatIsNotMetSaysWhatWasThere() throws {
        let other = try failure { try $0.expect(.command("reserve")) }
        #expect(other.reason == "expected command for 'reserve'; there was command for 'create' (attempt 1)")
        let attempt = try failure { try $0.expect(.command("create", attempt: 2)) }
        #expect(
            attempt.reason == "expected command for 'create' (attempt 2); there was command for 'create' (attempt 1)")
        let twice = try failure { try $0.expect(.command("create"), .command("create")) }
        #expect(twice.reason == "expected command for 'create'; there was nothing")
        let nothing = try failure { try $0.expect() }
        #expect(nothing.reason == "not expected where nothing was expected: command for 'create' (attempt 1)")
    }

    @Test func theEffectOfAStepThatWasNotAnsweredIsNotKnown() throws {
        let failure = try failure { saga in
            try saga.expect(.command("create"))
            try saga.order(.cancel)
            try saga.expect(.compensation("create", effectKnown: true))
        }
        #expect(
            failure.reason == "expected compensation of 'create' (effect known); "
                + "there was compensation of 'create' (attempt 1, effect not known)")
    }

    @Test func anEventThatNothingWaitsForFails() throws {
        let early = try failure { saga in
            try saga.expect(.command("create"))
            try saga.reply("reserve", .succeeded)
        }
        #expect(
            early.reason == "'reserve' answers succeeded: nothing waits for that; under way: 'create' (action)")
        let unknown = try failure { saga in
            try saga.expect(.command("create"))
            try saga.reply("bogus", .succeeded)
        }
        #expect(unknown.reason == "order@1 has no step 'bogus'")
        let signal = try failure { saga in
            try saga.expect(.command("create"))
            try saga.signal("approved")
        }
        #expect(signal.reason == "signal 'approved' comes: refused, order@1 waits for no signal 'approved'")
        let accepted = try failure { saga in
            try saga.expect(.command("create"))
            try saga.expectRefusal(of: .cancel)
        }
        #expect(accepted.reason == "expected 'cancel' to be refused; it would be accepted")
    }

    @Test func withAClosureEveryFailureIsReportedAtItsPlace() throws {
        var failures: [SagaFixtureFailure] = []
        let line = #line
        try SagaFixture.given(order(), report: { failures.append($0) }) { saga in
            try saga.expect(.command("ship"))
            try saga.reply("create", .succeeded)
        }
        #expect(
            failures.map { $0.reason.prefix { $0 != ":" && $0 != ";" } } == [
                "expected command for 'ship'", "not expected before 'create' answers succeeded",
                "not expected at the end",
            ])
        #expect(failures.map { $0.line - line } == [2, 3, 1])
    }
}
