import Logging
import SagaCore
import SagaStore

/// Says again and again that this orchestrator runs, and hears which others do.
///
/// Apart from the keeper of the leases: whatever becomes of heartbeats, no lease may wait for it.
struct RollCall: Sendable {
    let store: any SagaStore
    let holdings: Holdings
    let options: OrchestratorOptions
    let logger: Logger
    let surroundings: Surroundings

    /// Runs until the partitions are handed over.
    func run() async {
        let pace = PlacementPace(lease: options.lease)
        var phase = Heartbeat.Phase.joining
        var lastAnswer = surroundings.monotonic()
        var isFailing = false
        while !holdings.isClosed {
            let began = surroundings.monotonic()
            do throws(StoreError) {
                holdings.noteMembers(try await store.beat(heartbeat(holdings.isStopping ? .leaving : phase)))
                (phase, lastAnswer, isFailing) = (.present, surroundings.monotonic(), false)
                holdings.noteRest(.heartbeats)
            } catch {
                if holdings.noteFailure(.heartbeats, error.message, at: surroundings.monotonic()) {
                    logger.warning(
                        "heartbeat not accepted: partitions are not shared evenly until it is",
                        metadata: ["error": "\(error)"])
                }
                isFailing = true
                // As if alone: what the others hold is left to them, what is free is taken, nothing is given up.
                if began - lastAnswer > options.lease { holdings.noteMembers([]) }
            }
            let interval = isFailing ? pace.round : nil
            repeat {
                await pause(pace.glance)
            } while !holdings.isClosed && surroundings.monotonic() - began < (interval ?? holdings.roundTime(pace))
        }
        // A heartbeat that is lost is missed by the others within a lease.
        _ = try? await store.beat(heartbeat(.gone))
    }

    private func heartbeat(_ phase: Heartbeat.Phase) -> Heartbeat {
        Heartbeat(
            instance: holdings.instance, name: options.name, phase: phase, lease: options.lease,
            held: holdings.heldPartitions.count, offer: holdings.offer)
    }

    private func pause(_ duration: Milliseconds) async {
        // Not cancelled: see `Orchestrator.run()`.
        await surroundings.sleep(.milliseconds(duration))
    }
}

extension Holdings {
    /// Time from one look around to the next.
    func roundTime(_ pace: PlacementPace) -> Milliseconds { isRestless || isStopping ? pace.glance : pace.round }
}
