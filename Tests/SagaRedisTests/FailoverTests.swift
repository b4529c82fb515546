import Foundation
import SagaCore
import SagaTesting
import Testing

/// What a failover loses that somebody was told, by durability.
///
/// `SKALD_MEASURE=1 swift test --filter FailoverTests` prints the table of the page on durability, in a minute.
@Suite(.serialized) struct FailoverTests {
    @Test(arguments: FailoverPlay.Mishap.allCases)
    func underReplicatedNothingIsLostThatWasTold(_ mishap: FailoverPlay.Mishap) async throws {
        let setting = FailoverPlay.Setting(name: "replicated", durability: .replicated)
        let count = try await FailoverPlay(mishap: mishap, setting: setting, span: .seconds(2)).run()
        #expect(count.starts > 0 && count.ends > 0, "\(count)")
        #expect((count.lostStarts, count.lostEnds, count.lostPivots) == (0, 0, 0), "\(count)")
        #expect(count.faults == [])
    }

    /// The mishap is one: without confirmations it loses what was told.
    @Test func underAsyncTheSameLosesWhatWasTold() async throws {
        let count = try await FailoverPlay(mishap: .partition, setting: .all[0], span: .seconds(2)).run()
        #expect(count.lostStarts > 0 && count.lostEnds > 0 && count.lostPivots > 0, "\(count)")
        #expect(count.faults == [])
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["SKALD_MEASURE"] == "1"))
    func theTableOfThePageOnDurability() async throws {
        for mishap in FailoverPlay.Mishap.allCases {
            print("\(mishap.rawValue): starts | lost | ends told | lost | pivots lost")
            for setting in FailoverPlay.Setting.all {
                let count = try await FailoverPlay(mishap: mishap, setting: setting, span: .seconds(4)).run()
                print("\(setting.name) | \(count)")
                #expect(count.faults == [])
            }
        }
    }
}
