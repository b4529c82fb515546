import SagaCore
import Testing

/// create, then reserve for each of the input's items, then ship.
func itemDefinition(
    parallel: Int = 2, whenStuck: WhenStuck? = nil, change: (StepDraft) -> StepDraft = { $0 }
) throws -> Definition {
    try Definition("order", version: 1, whenStuck: whenStuck) {
        command("create")
        change(command("reserve").forEach("input.items", parallel: parallel))
        command("ship")
    }
}

/// A pivot, then a mail to each of the input's items, then archive.
func itemDefinitionAfterPivot(parallel: Int = 2) throws -> Definition {
    try Definition("order", version: 1) {
        finalCommand("ship").pivot()
        finalCommand("mail").forEach("input.items", parallel: parallel).retry(attempts: 1)
        finalCommand("archive")
    }
}

/// An input with this many items.
func input(items: Int) -> String { "{\"items\": [\((1...items).map(String.init).joined(separator: ","))]}" }

@Suite("Items")
struct ItemTests {
    @Test func eachElementOfTheListGetsACommandAndABoundedNumberIsUnderWay() throws {
        var harness = MachineHarness(try itemDefinition(), input: input(items: 4))
        harness.succeed("create")
        #expect(harness.take() == ["create action 1", "reserve#0 action 1", "reserve#1 action 1"])
        harness.succeed("reserve", item: 1)
        #expect(harness.take() == ["reserve#2 action 1"])
        harness.retry("reserve", item: 0)
        #expect(harness.take() == [], "one that waits for its next attempt keeps its place")
        harness.succeed("reserve", item: 2)
        #expect(harness.take() == ["reserve#3 action 1"])
        harness.succeed("reserve", item: 3)
        #expect(harness.action("reserve").status == .running)
        harness.ring()
        #expect(harness.take() == ["reserve#0 action 2"])
        harness.succeed("reserve", item: 0, attempt: 2)
        #expect(harness.take() == ["ship action 1"])
        #expect(harness.action("reserve").status == .succeeded)
    }

    @Test func anItemIsTheElementAsJSON() throws {
        let harness = try reserving(#"{"items": [{"sku": "a b", "n": 1.50}, "x", null, [1, 2]]}"#)
        #expect(
            harness.saga.steps[1].items.map { String(decoding: $0.value, as: UTF8.self) }
                == [#"{"sku":"a b","n":1.50}"#, #""x""#, "null", "[1,2]"])
    }

    @Test func theResultIsTheListOfTheItemsResultsInTheirOrder() throws {
        var harness = try reserving(input(items: 4), parallel: 4)
        harness.succeed("reserve", item: 3, result: #"{"lot": 3}"#)
        harness.succeed("reserve", item: 1)
        harness.succeed("reserve", item: 0, result: "7")
        #expect(harness.result("reserve") == nil)
        harness.succeed("reserve", item: 2, result: "raw")
        #expect(harness.result("reserve") == #"[7,null,{"base64":"cmF3"},{"lot":3}]"#)
    }

    @Test func anEmptyListIsDoneAtOnce() throws {
        let harness = try reserving(#"{"items": []}"#)
        #expect(harness.transcript == ["create action 1", "ship action 1"])
        #expect(harness.result("reserve") == "[]")
    }

    @Test func aListComesFromAnEarlierStepToo() throws {
        let definition = try Definition("order", version: 1) {
            command("split")
            command("reserve").forEach("result.split.parts")
        }
        var harness = MachineHarness(definition)
        harness.succeed("split", result: #"{"parts": [1, 2]}"#)
        #expect(harness.take() == ["split action 1", "reserve#0 action 1", "reserve#1 action 1"])
        harness.succeed("reserve", item: 0)
        harness.succeed("reserve", item: 1)
        #expect(harness.take() == ["completed"])
    }

    @Test(arguments: [
        ("{}", "reserve failed: 'input.items' must lead to a list: there is none"),
        (#"{"items": {"a": 1}}"#, "reserve failed: 'input.items' must lead to a list: what is there is none"),
        (#"{"items": null}"#, "reserve failed: 'input.items' must lead to a list: what is there is none"),
    ])
    func whatIsNoListTurnsTheSagaBack(input: String, error: String) throws {
        var harness = MachineHarness(try itemDefinition(), input: input)
        harness.succeed("create")
        #expect(harness.take() == ["create action 1", "create compensation 1 known"])
        #expect(harness.saga.error == error)
        harness.succeed("create", .compensation)
        #expect(harness.take() == ["compensated"])
    }

    @Test func aPayloadThatIsNoJSONTurnsTheSagaBack() throws {
        let harness = try reserving("items")
        #expect(harness.transcript == ["create action 1", "create compensation 1 known"])
        #expect(harness.saga.error?.hasPrefix("reserve failed: 'input.items' cannot be looked up: ") == true)
    }

    @Test func aListThatIsTooLongTurnsTheSagaBack() throws {
        let harness = try reserving(input(items: DefinitionLimits.items + 1))
        #expect(harness.transcript == ["create action 1", "create compensation 1 known"])
        #expect(harness.saga.error == "reserve failed: 'input.items' has 1001 items: at most 1000 are allowed")
    }

    @Test func theLongestListIsGoneThrough() throws {
        let harness = try reserving(input(items: DefinitionLimits.items))
        #expect(harness.transcript.count == 3)
        #expect(harness.saga.steps[1].items.count == 1_000)
    }

    @Test func resultsThatAreTooLongTogetherTurnTheSagaBackAndEveryItemIsUndone() throws {
        var harness = try reserving(input(items: 2))
        harness.succeed("reserve", item: 0, result: "\"" + String(repeating: "x", count: 200_000) + "\"")
        #expect(harness.action("reserve").status == .running)
        harness.succeed("reserve", item: 1, result: "\"" + String(repeating: "x", count: 100_000) + "\"")
        #expect(
            harness.saga.error == "reserve failed: the results of its items have more than 262144 bytes together")
        #expect(harness.transcript.suffix(2) == ["reserve#0 compensation 1 known", "reserve#1 compensation 1 known"])
    }

    @Test func duplicateAndLateAnswersChangeNothing() throws {
        var harness = try reserving(input(items: 3))
        harness.retry("reserve", item: 0)
        harness.ring()
        #expect(harness.retry("reserve", item: 0, attempt: 1) == .ignore)
        harness.succeed("reserve", item: 0, attempt: 1, result: "1")
        #expect(harness.succeed("reserve", item: 0, attempt: 2, result: "2") == .ignore)
        #expect(harness.fail("reserve", item: 0) == .ignore)
        #expect(harness.succeed("reserve", item: 0, .compensation) == .ignore)
        #expect(harness.saga.steps[1].items[0].result == Array("1".utf8))
    }

    @Test func answersOfItemsThatThereAreNotAreRefused() throws {
        var early = MachineHarness(try itemDefinition(), input: input(items: 3))
        #expect(early.succeed("reserve", item: 0) == .refuse("order@1 has no command step 'reserve#0'"))
        var harness = try reserving(input(items: 3))
        for item in [3, -1, Int.max, Int.min] {
            #expect(harness.succeed("reserve", item: item) == .refuse("order@1 has no command step 'reserve#\(item)'"))
        }
        #expect(harness.succeed("reserve") == .refuse("order@1 has no command step 'reserve'"))
        #expect(harness.succeed("create", item: 0) == .refuse("order@1 has no command step 'create#0'"))
        #expect(harness.succeed("reserve", item: 2) == .ignore, "it was not sent yet")
    }

    @Test func eachItemHasATimeoutAndHeartbeatsOfItsOwn() throws {
        var harness = MachineHarness(
            try itemDefinition { $0.timeout(.seconds(10)) }, input: input(items: 2))
        harness.succeed("create")
        #expect(harness.saga.nextAlarm == 11_000)
        harness.feed(.heartbeat(step: "reserve", item: 0, phase: .action, attempt: 1), after: 5_000)
        harness.feed(.tick, after: 5_000)
        #expect(harness.action("reserve", item: 0).status == .running)
        #expect(harness.action("reserve", item: 1).status == .waiting)
        #expect(harness.saga.steps[1].items[1].action.error == "no answer within 10000 ms")
    }

    /// create has succeeded.
    private func reserving(_ input: String, parallel: Int = 2) throws -> MachineHarness {
        var harness = MachineHarness(try itemDefinition(parallel: parallel), input: input)
        harness.succeed("create")
        return harness
    }
}

@Suite("Items after the pivot, and orders about them")
struct ItemOrderTests {
    /// The pivot has succeeded.
    private func mailing(items: Int, parallel: Int = 2) throws -> MachineHarness {
        var harness = MachineHarness(try itemDefinitionAfterPivot(parallel: parallel), input: input(items: items))
        harness.succeed("ship")
        _ = harness.take()
        return harness
    }

    @Test func aStuckItemDoesNotHoldUpTheOthers() throws {
        var harness = try mailing(items: 3)
        harness.fail("mail", item: 0, error: "no address")
        #expect(harness.take() == ["mail#2 action 1"])
        #expect(harness.saga.status == .running)
        harness.succeed("mail", item: 2)
        harness.succeed("mail", item: 1)
        #expect(harness.take() == ["stuck"])
        #expect(harness.saga.error == "mail is stuck: item 0: no address")
    }

    @Test func aRetryIsOfTheStuckItemsAlone() throws {
        var harness = try mailing(items: 3, parallel: 3)
        harness.succeed("mail", item: 0)
        harness.succeed("mail", item: 2)
        harness.retry("mail", item: 1)
        #expect(harness.take() == ["stuck"])
        harness.order(.retry, "mail")
        #expect(harness.take() == ["mail#1 action 2", "reopened"])
        harness.succeed("mail", item: 1, attempt: 2)
        #expect(harness.take() == ["archive action 1"])
    }

    @Test func anItemIsRetriedWhileOthersAreUnderWay() throws {
        var harness = try mailing(items: 2)
        harness.fail("mail", item: 0)
        harness.order(.retry, "mail")
        #expect(harness.take() == ["mail#0 action 2"])
    }

    @Test func manyRetriedItemsKeepTheBound() throws {
        var harness = try mailing(items: 5)
        for item in 0..<5 { harness.fail("mail", item: item) }
        #expect(harness.take().last == "stuck")
        harness.order(.retry)
        #expect(harness.take() == ["mail#0 action 2", "mail#1 action 2", "reopened"])
        #expect(harness.saga.nextAlarm == harness.now + 30_000, "the others wait for room, not for a time")
        harness.succeed("mail", item: 1, attempt: 2)
        #expect(harness.take() == ["mail#2 action 2"])
        harness.succeed("mail", item: 4, attempt: 1)
        #expect(harness.take() == [], "a late success spares one its next attempt")
        harness.succeed("mail", item: 0, attempt: 2)
        harness.succeed("mail", item: 2, attempt: 2)
        harness.succeed("mail", item: 3, attempt: 2)
        #expect(harness.take() == ["mail#3 action 2", "archive action 1"])
    }

    @Test func aParticipantCannotMakeAnItemForgetItsBackoff() throws {
        var harness = MachineHarness(try itemDefinition(), input: input(items: 2))
        harness.succeed("create")
        _ = harness.take()
        harness.retry("reserve", item: 0, after: .max)
        #expect(harness.take() == [])
        harness.succeed("reserve", item: 1)
        #expect(harness.take() == [])
    }

    @Test func retriedItemsWaitForTheEndOfAPause() throws {
        var harness = try mailing(items: 2)
        harness.fail("mail", item: 0)
        harness.fail("mail", item: 1)
        harness.order(.pause)
        harness.order(.retry)
        #expect(harness.take() == ["stuck"])
        harness.order(.resume)
        #expect(harness.take() == ["mail#0 action 2", "mail#1 action 2", "reopened"])
    }

    @Test func aSkippedStepHasTheGivenResultAndItsItemsAreHeardNoMore() throws {
        var harness = try mailing(items: 3)
        harness.succeed("mail", item: 0)
        harness.order(.skip, "mail", result: "[1,2,3]")
        #expect(harness.take() == ["mail#2 action 1", "archive action 1"])
        #expect(harness.result("mail") == "[1,2,3]")
        #expect(harness.succeed("mail", item: 1) == .ignore)
        #expect(harness.result("mail") == "[1,2,3]")
    }
}
