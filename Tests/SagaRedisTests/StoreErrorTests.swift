import RedisTransport
import SagaRedis
import SagaStore
import Testing

@Suite struct StoreErrorTests {
    @Test(arguments: [
        (RedisError.Code.outOfMemory, StoreError.Code.full), (.misconf, .full), (.wrongType, .corrupt),
        (.noAuth, .refused), (.wrongPass, .refused), (.noPermission, .refused), (.crossSlot, .refused),
        (.moved(slot: 1, address: "a:1"), .refused), (.ask(slot: 1, address: "a:1"), .refused),
        (.loading, .unavailable), (.busy, .unavailable), (.readOnly, .unavailable), (.noReplicas, .unavailable),
        (.masterDown, .unavailable), (.tryAgain, .unavailable), (.clusterDown, .unavailable),
        (.connectionClosed, .unavailable), (.connectFailed, .unavailable), (.timeout, .unavailable),
        (.noScript, .unavailable), (.other("ERR"), .unavailable), (.replyTooLarge, .unavailable),
    ])
    func everyErrorOfRedisHasItsPlace(_ code: RedisError.Code, _ expected: StoreError.Code) {
        for effect in [RedisError.Effect.notApplied, .indeterminate] {
            let error = StoreError(RedisError(code: code, message: "text", effect: effect))
            #expect(error.code == expected)
            #expect(error.effect == (effect == .notApplied ? .notApplied : .indeterminate))
            // What a node says of another one is put into words first.
            #expect(error.message.contains("text"))
        }
    }
}
