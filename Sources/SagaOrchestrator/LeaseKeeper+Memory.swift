import Logging
import SagaCore
import SagaStore

/// Watches the store's memory, and tells starters.
extension LeaseKeeper {
    func watchMemory() async throws(StoreError) {
        let admission = holdings.admission
        do throws(StoreError) {
            let memory = try await session.memory()
            log(admission.note(memory, at: surroundings.monotonic()))
            let monotonic = surroundings.monotonic()
            guard let overload = admission.overload else {
                guard lastAnnouncement != nil else { return }
                try await session.announce(nil, validity: 0)
                lastAnnouncement = nil
                return
            }
            if let lastAnnouncement, monotonic < lastAnnouncement.adding(options.overloadValidity / 4) { return }
            try await session.announce(overload, validity: options.overloadValidity)
            lastAnnouncement = monotonic
        } catch {
            // Without the right to look, only a full store stops starts.
            guard error.code == .refused else { throw error }
        }
    }

    private func log(_ change: Admission.Change?) {
        switch change {
        case .closed(let overload):
            logger.warning(
                "no sagas are begun until the store has room: starts wait in the intake",
                metadata: ["used_percent": "\(overload.used)", "limit_percent": "\(overload.allowed)"])
        case .opened: logger.notice("sagas are begun again")
        case nil: break
        }
    }
}
