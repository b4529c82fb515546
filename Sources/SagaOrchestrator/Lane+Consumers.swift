import SagaCore
import SagaStore

/// The removal of services' consumers that are gone: names that no instance uses any more.
extension Lane {
    /// The partitions in which such consumers are to be looked for now.
    func dueConsumerLooks() -> [Fence] {
        let monotonic = surroundings.monotonic()
        var fences: [Fence] = []
        for partition in ordered
        where monotonic >= partition.lastConsumerLook.adding(options.consumerInterval) {
            partition.lastConsumerLook = monotonic
            fences.append(partition.fence)
        }
        return fences
    }

    static func removeConsumers(
        _ session: any StoreSession, _ fences: [Fence], services: [String], options: OrchestratorOptions
    ) async {
        guard !services.isEmpty else { return }
        for fence in fences {
            do throws(StoreError) {
                _ = try await session.removeConsumers(
                    fence, services: services, idle: options.consumerRetention, limit: options.consumerCount)
            } catch {
                // The next commit meets the same trouble and deals with it; who is gone is still gone next time.
                return
            }
        }
    }
}
