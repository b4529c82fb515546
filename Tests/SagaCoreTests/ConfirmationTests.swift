import SagaCore
import Testing

/// What a saga under durability `replicated` lets out, and when.
@Suite("Confirmation")
struct ConfirmationTests {
    private func begun(
        _ definition: Definition, notBefore: Milliseconds? = nil, isAfterRewind: Bool = false
    ) -> MachineHarness {
        MachineHarness(
            definition,
            started: Started(
                definition: "order", version: 1, era: 1, isAfterRewind: isAfterRewind, notBefore: notBefore,
                isReplicated: true))
    }

    @Test func noCommandGoesOutBeforeTheStartIsConfirmed() throws {
        var harness = begun(try definition("create", "reserve"))
        #expect(harness.take() == [])
        #expect(harness.saga.isAwaitingConfirmation && harness.saga.status == .running)
        #expect(harness.confirm(entries: 0) == .ignore)
        #expect(harness.confirm() == .accept(.confirmed))
        #expect(harness.take() == ["create action 1"])
        #expect(!harness.saga.isAwaitingConfirmation)
        #expect(harness.confirm() == .ignore)
    }

    @Test func thePivotGoesOutWhenItIsConfirmedThatItIsDue() throws {
        var harness = begun(try definition("create", "charge", "ship", pivot: "charge"))
        harness.confirm()
        harness.succeed("create")
        #expect(harness.take() == ["create action 1"])
        #expect(harness.saga.isPivotDue && harness.action("charge").status == .pending)
        guard case .refuse = harness.order(.cancel) else {
            Issue.record("a saga whose pivot is due is cancelled")
            return
        }
        guard case .refuse = harness.order(.skip, "charge") else {
            Issue.record("a pivot that waits is declared done")
            return
        }
        #expect(harness.confirm(entries: 2) == .ignore, "not the entry that made it due")
        harness.confirm()
        #expect(harness.take() == ["charge action 1"])
        harness.succeed("charge")
        #expect(harness.take() == ["ship action 1"])
    }

    @Test func aFirstStepThatIsThePivotWaitsTwice() throws {
        var harness = begun(try definition("charge", pivot: "charge"))
        harness.confirm()
        #expect(harness.take() == [])
        harness.confirm()
        #expect(harness.take() == ["charge action 1"])
    }

    @Test func anEndIsToldWhenItIsConfirmed() throws {
        var harness = begun(try definition("create", deadline: 10_000))
        harness.confirm()
        harness.succeed("create")
        #expect(harness.take() == ["create action 1"])
        #expect(harness.saga.status == .running && harness.saga.finishedAt == nil && !harness.saga.isAtRest)
        // It may have been told before something was lost.
        guard case .refuse = harness.order(.cancel) else {
            Issue.record("a saga that is done is cancelled")
            return
        }
        #expect(harness.feed(.tick, after: 60_000) == .ignore, "the deadline was kept")
        harness.confirm()
        #expect(harness.take() == ["completed"])
        #expect(harness.saga.status == .completed && harness.saga.isAtRest)
    }

    @Test func soIsACompensatedOne() throws {
        var harness = begun(try definition("create", "reserve"))
        harness.confirm()
        harness.succeed("create")
        harness.fail("reserve")
        harness.succeed("create", .compensation)
        #expect(harness.take() == ["create action 1", "reserve action 1", "create compensation 1 known"])
        #expect(harness.saga.status == .compensating)
        harness.confirm()
        #expect(harness.take() == ["compensated"])
    }

    @Test func soIsStuckAndAnOperatorNeedNotWaitForThat() throws {
        var harness = begun(try definition("charge", "ship", pivot: "charge"))
        harness.confirm()
        harness.confirm()
        harness.succeed("charge")
        harness.fail("ship")
        #expect(harness.saga.status == .running)
        #expect(harness.take() == ["charge action 1", "ship action 1"])
        harness.order(.retry)
        #expect(harness.take() == ["ship action 2"])
        #expect(!harness.saga.isAwaitingConfirmation)
        harness.fail("ship", attempt: 2)
        harness.confirm()
        #expect(harness.take() == ["stuck"])
        harness.order(.skip, "ship")
        #expect(harness.take() == ["reopened"])
        harness.confirm()
        #expect(harness.take() == ["completed"])
    }

    @Test func aSagaThatIsCancelledBeforeItsStartIsConfirmedSendsNothing() throws {
        var harness = begun(try definition("create"))
        harness.order(.cancel)
        #expect(harness.saga.status == .compensating)
        harness.confirm()
        harness.confirm()
        #expect(harness.take() == ["compensated"])
    }

    @Test func afterARewindItCompensatesAllOfItWhenTheStartIsConfirmed() throws {
        var harness = begun(try definition("create"), isAfterRewind: true)
        harness.order(.cancel)
        #expect(harness.take() == [])
        harness.confirm()
        #expect(harness.take() == ["create compensation 1"])
    }

    @Test func aPauseHoldsWhatWasConfirmed() throws {
        var harness = begun(try definition("create", "charge", pivot: "charge"))
        harness.confirm()
        harness.succeed("create")
        harness.order(.pause)
        #expect(!harness.saga.isAwaitingConfirmation)
        #expect(harness.confirm() == .ignore)
        harness.order(.resume)
        #expect(harness.take() == ["create action 1"])
        harness.confirm()
        #expect(harness.take() == ["charge action 1"])
    }

    @Test func aVerifyRoundComesBeforeTheConfirmation() throws {
        var harness = begun(try definition("create", "charge", pivot: "charge"))
        harness.confirm()
        harness.succeed("create")
        harness.feed(.rewind(era: 7))
        #expect(harness.take() == ["create action 1", "create action 1"])
        #expect(harness.confirm() == .ignore)
        harness.succeed("create")
        #expect(harness.take() == [])
        harness.confirm()
        #expect(harness.take() == ["charge action 1"])
    }

    @Test func anEndThatWasLostIsComeToAgain() throws {
        var harness = begun(try definition("create"))
        harness.confirm()
        harness.succeed("create")
        harness.feed(.rewind(era: 7))
        guard case .refuse = harness.order(.cancel) else {
            Issue.record("a saga whose end may have been told is cancelled")
            return
        }
        harness.succeed("create")
        harness.confirm()
        #expect(harness.take().last == "completed")
    }

    @Test func whatFollowsAPivotThatWasDeclaredDoneWaits() throws {
        var harness = begun(try definition("charge", "ship", pivot: "charge"))
        harness.confirm()
        harness.confirm()
        harness.order(.skip, "charge")
        #expect(harness.take() == ["charge action 1"])
        harness.confirm()
        #expect(harness.take() == ["ship action 1"])
    }

    @Test func aSagaThatIsToBeginLaterIsConfirmedBefore() throws {
        var harness = begun(try definition("create"), notBefore: 9_000)
        harness.confirm()
        #expect(harness.saga.status == .scheduled && harness.take() == [])
        harness.ring()
        #expect(harness.take() == ["create action 1"])
    }

    /// Each wait, and everything that can happen meanwhile: whether the saga waits on, or what it lets out.
    @Test func whatHappensDuringAWait() throws {
        enum Wait: CaseIterable { case start, pivot, skip, end }
        let events: [(String, Event, Milliseconds)] = [
            ("confirm", .confirm(entries: .max), 0), ("confirm less", .confirm(entries: 0), 0),
            ("cancel", .order(Order(.cancel)), 0), ("retry", .order(Order(.retry)), 0),
            ("tick", .tick, 90_000_000), ("signal", .signal(Signal("none")), 0),
            ("pause", .order(Order(.pause)), 0), ("rewind", .rewind(era: 9), 0),
        ]
        let expected: [Wait: [String: String]] = [
            .start: [
                "confirm": "create action 1", "confirm less": "ignored", "cancel": "waits", "retry": "refused",
                "tick": "waits", "signal": "refused", "pause": "paused", "rewind": "waits",
            ],
            .pivot: [
                "confirm": "charge action 1", "confirm less": "ignored", "cancel": "refused", "retry": "refused",
                "tick": "ignored", "signal": "refused", "pause": "paused", "rewind": "create action 1",
            ],
            .skip: [
                "confirm": "ship action 1", "confirm less": "ignored", "cancel": "refused", "retry": "refused",
                "tick": "ignored", "signal": "refused", "pause": "paused", "rewind": "create action 1",
            ],
            .end: [
                "confirm": "completed", "confirm less": "ignored", "cancel": "refused", "retry": "refused",
                "tick": "ignored", "signal": "refused", "pause": "paused",
                "rewind": "create action 1, charge action 1, ship action 1",
            ],
        ]
        for wait in Wait.allCases {
            var state = begun(try definition("create", "charge", "ship", pivot: "charge", deadline: 3_600_000))
            if wait != .start {
                state.confirm()
                state.succeed("create")
            }
            if wait == .skip || wait == .end { state.confirm() }
            if wait == .skip { state.order(.skip, "charge") }
            if wait == .end {
                state.succeed("charge")
                state.succeed("ship")
            }
            #expect(state.saga.isAwaitingConfirmation, "\(wait)")
            _ = state.take()
            for (name, event, span) in events {
                var harness = state
                let outcome: String
                switch harness.feed(event, after: span) {
                case .ignore: outcome = "ignored"
                case .refuse: outcome = "refused"
                case .accept:
                    let lines = harness.take().joined(separator: ", ")
                    let isHeld = harness.saga.isAwaitingConfirmation
                    outcome = lines.isEmpty ? (harness.saga.isPaused ? "paused" : isHeld ? "waits" : "idle") : lines
                }
                #expect(outcome == expected[wait]?[name], "\(wait), \(name)")
            }
        }
    }
}

extension MachineHarness {
    /// Confirms the log as it is, or its first entries.
    @discardableResult
    fileprivate mutating func confirm(entries: Int? = nil) -> Decision {
        feed(.confirm(entries: entries ?? saga.entryCount))
    }
}
