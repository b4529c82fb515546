import SagaCore
import TestSupport
import Testing

/// Rules that hold for all JSON, tried on random texts.
struct JSONPropertyTests {
    @Test func whatIsWrittenReadsBack() {
        let seed = SeededRandom.pickSeed()
        var random = SeededRandom(seed: seed)
        for round in 0..<400 {
            let value = randomValue(&random, depth: 4)
            var writer = JSONWriter()
            writer.value(value)
            let comment: Comment = "SKALD_TEST_SEED=\(seed), round \(round): \(writer.text)"
            do throws(JSONFault) {
                #expect(try JSON.parse(writer.bytes) == value, comment)
            } catch {
                Issue.record(error, comment)
            }
            var embedded = JSONWriter()
            embedded.payload(writer.bytes)
            #expect(embedded.bytes == writer.bytes, comment)
        }
    }

    @Test func mutatedTextNeverTrapsAndIsRefusedOrReadsTheSameAgain() {
        let seed = SeededRandom.pickSeed()
        var random = SeededRandom(seed: seed)
        var accepted = 0
        for round in 0..<3000 {
            var writer = JSONWriter()
            writer.value(randomValue(&random, depth: 3))
            let text = random.mutated(writer.bytes, alphabet: Array("{}[],:\"\\ue0123456789.-+ntf \n\u{e9}\u{1f}".utf8))
            let comment: Comment = "SKALD_TEST_SEED=\(seed), round \(round): \(text)"
            do throws(JSONFault) {
                let value = try JSON.parse(text)
                accepted += 1
                var again = JSONWriter()
                again.value(value)
                #expect(try JSON.parse(again.bytes) == value, comment)
            } catch {
                #expect(error.position.line >= 1 && error.position.column >= 1, comment)
            }
            var embedded = JSONWriter()
            embedded.payload(text)
            #expect(throws: Never.self, comment) { try embeddable(embedded.bytes) }
        }
        #expect(accepted > 100, "SKALD_TEST_SEED=\(seed)")
    }

    /// Whether the bytes are JSON, but for names that are used twice.
    private func embeddable(_ bytes: [UInt8]) throws {
        do throws(JSONFault) {
            _ = try JSON.parse(bytes)
        } catch  where error.reason == "the name is used twice" {
            return
        }
    }

    private func randomValue(_ random: inout SeededRandom, depth: Int) -> JSON {
        switch Int.random(in: 0..<(depth == 0 ? 5 : 8), using: &random) {
        case 0: return .null
        case 1: return .bool(random.chance(0.5))
        case 2: return .number(random.pick(["0", "-1", "12.50", "1e9", "-0.1E-7", "123456789012345678901234567890"]))
        case 3, 4: return .string(randomText(&random))
        case 5, 6:
            return .array(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in randomValue(&random, depth: depth - 1) })
        default:
            return .object(
                (0..<Int.random(in: 0...4, using: &random)).map {
                    JSON.Member("\($0)" + randomText(&random), randomValue(&random, depth: depth - 1))
                })
        }
    }

    private func randomText(_ random: inout SeededRandom) -> String {
        let parts = ["a", "\"", "\\", "\n", "\u{0}", "\u{1f}", "é", "\u{2028}", "😀", "\u{ffff}", " ", "/", "e\u{301}"]
        return (0..<Int.random(in: 0...5, using: &random)).map { _ in random.pick(parts) }.joined()
    }
}
