import RedisTransport
import Testing

@Suite struct OneShotTests {
    @Test func theFirstValueCounts() async {
        let slot = OneShot<Int>()
        slot.complete(1)
        slot.complete(2)
        #expect(await slot.get() == 1)
        #expect(await slot.get() == 1)
    }

    @Test func aWaitingTaskIsResumed() async {
        let slot = OneShot<Int>()
        async let value = slot.get()
        await Task.yield()
        slot.complete(3)
        #expect(await value == 3)
    }

    @Test func cancellationEndsTheWaitAndNotTheValue() async {
        let slot = OneShot<Int>()
        for yields in 0..<5 {
            let task = Task { await slot.get() }
            for _ in 0..<yields { await Task.yield() }
            task.cancel()
            #expect(await task.value == nil)
        }
        slot.complete(4)
        let late = Task { await slot.get() }
        late.cancel()
        #expect(await late.value == 4)
    }

    @Test func valuesAndWaitsMayRace() async {
        for round in 0..<500 {
            let slot = OneShot<Int>()
            async let value = slot.get()
            async let done: Void = slot.complete(round)
            _ = await done
            #expect(await value == round)
        }
    }
}
