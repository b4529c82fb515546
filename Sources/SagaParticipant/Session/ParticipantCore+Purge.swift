import Logging
import SagaCore
import ServiceLifecycle

extension ParticipantCore {
    /// The most sagas that one local transaction removes.
    private static var purgeLimit: Int { 500 }

    /// Removes records past their retention, in small portions with pauses, until the task ends.
    func purge() async {
        do {
            try await cancelWhenGracefulShutdown {
                while true {
                    // Not at once: a process that has just started has other things to do.
                    try await Task.sleep(for: min(self.options.purgeInterval, .seconds(60)))
                    await self.purgeOnce()
                    try await Task.sleep(for: self.options.purgeInterval)
                }
            }
        } catch {
            // Only the end of the task ends the loop.
        }
    }

    private func purgeOnce() async {
        guard let now = clock.now else { return }
        let instant = now - Milliseconds(options.retention)
        do {
            while try await barrier.purge(before: instant, limit: Self.purgeLimit) >= Self.purgeLimit {
                try await Task.sleep(for: .milliseconds(200))
            }
        } catch {
            guard !Task.isCancelled else { return }
            logger.warning("old records could not be removed; trying again later", metadata: ["reason": "\(error)"])
        }
    }
}
