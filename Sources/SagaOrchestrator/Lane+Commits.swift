import Logging
import SagaCore
import SagaStore

/// What becomes of commits, and of partitions whose commits are refused.
extension Lane {
    /// Awaits all commits in flight.
    func settle() async {
        let inFlight = pending
        pending = []
        for (batch, commit) in inFlight {
            let result: Result<CommitOutcome, StoreError>
            var commands: [StreamID] = []
            do throws(StoreError) {
                let applied = try await commit.result()
                commands = applied.commands
                result = .success(applied.outcome)
            } catch {
                result = .failure(error)
            }
            await settle(batch, result, commands)
        }
        await settleConfirmation()
    }

    private func settle(
        _ batch: Batch, _ result: Result<CommitOutcome, StoreError>, _ commands: [StreamID]
    ) async {
        let partition = batch.partition
        if result == .success(.fenced) { holdings.countFenced() }
        guard partitions[partition.index] === partition else { return }
        switch result {
        case .success(.committed(let now)):
            failures = 0
            holdings.noteContact(.lane(index), at: surroundings.monotonic())
            batch.confirm(commands)
            partition.suspects.removeAll()
            // Only now: a trim that overtakes the commit leaves what the commit has applied.
            partition.hasChangedSinceTrim = true
            partition.clock.synchronize(store: now, monotonic: surroundings.monotonic())
            holdings.noteSequence(partition.fence.sequence, of: partition.index)
            holdings.count(batch.tally)
        case .success(.fenced):
            holdings.tellLoss(logger, metadata(partition))
            drop(partition.index)
            holdings.lose(partition.index, owner: partition.claim.owner)
        case .success(.logMoved) where !partition.suspects.isSuperset(of: batch.newSagas):
            // One of the sagas to be started was there. The same messages are decided on again, with a look first; that
            // can start others, such as the children of one that was not there.
            batch.rollBack()
            partition.suspects.formUnion(batch.newSagas)
        case .success(.logMoved), .success(.outOfSequence):
            logger.warning("partition's state is another one than remembered", metadata: metadata(partition))
            partition.doubt()
        case .failure(let error) where error.code == .full && error.effect == .notApplied && batch.commit.startsSagas:
            // The same is decided on again, at once, without what starts sagas: a full store takes that.
            batch.rollBack()
            guard holdings.admission.noteRefusal(at: surroundings.monotonic()) != nil else { return }
            logger.warning(
                "the store is full: no sagas are begun until it has room, starts wait in the intake",
                metadata: ["error": "\(error)"])
        case .failure(let error):
            batch.rollBack()
            if error.effect == .indeterminate || error.code == .unavailable { partition.doubt() }
            await endure(error, "commit was not accepted")
        }
    }

    /// Takes the partitions in doubt anew.
    ///
    /// - Returns: Whether none is left. Where the store fails the first, it isn't asked for the others.
    func clearDoubts() async -> Bool {
        guard partitions.values.contains(where: \.isInDoubt) else { return true }
        // Whatever is in flight has to be known first: a taking raises the epoch.
        await settle()
        for partition in ordered where partition.isInDoubt {
            do throws(StoreError) {
                try await reacquire(partition)
            } catch {
                await endure(error, "partition cannot be taken anew")
                return false
            }
        }
        return true
    }

    /// Takes an own partition anew: with a higher epoch, and with nothing of what was remembered.
    ///
    /// This is how the fate of a commit whose answer was lost is found out: the higher epoch refuses it if it is still on
    /// its way, and the positions that are read back say whether it was executed.
    private func reacquire(_ partition: OwnedPartition) async throws(StoreError) {
        // It may be taken on another server than before.
        confirmations.expire()
        holdings.beginReplacing(partition.index)
        let outcome: PartitionTaker.Outcome
        do throws(StoreError) {
            outcome = try await taker.take(
                partition.index, previous: partition.claim.owner, eraToExceed: partition.eraToExceed)
        } catch {
            holdings.endReplacing(partition.index, with: nil)
            throw error
        }
        switch outcome {
        case .taken(let state, let claim):
            holdings.noteContact(.lane(index), at: surroundings.monotonic())
            holdings.endReplacing(partition.index, with: claim)
            let taken = OwnedPartition(state: state, claim: claim, monotonic: surroundings.monotonic())
            partitions[partition.index] = taken
            if state.era != partition.era {
                logger.warning(
                    "partition's history may have been rewound: era raised, open sagas are verified",
                    metadata: metadata(taken))
            }
        case .held:
            holdings.tellLoss(logger, metadata(partition))
            drop(partition.index)
            holdings.endReplacing(partition.index, with: nil)
            holdings.lose(partition.index, owner: partition.claim.owner)
        }
    }

    func drop(_ index: Int) { partitions[index] = nil }

    /// Gives a partition up to somebody else: finishes the commits in flight, and decides nothing more.
    func handOver(_ index: Int) async {
        await settle()
        guard let partition = partitions[index] else { return }
        guard await release(partition) else {
            // Perhaps it was released: it is taken anew, if nobody else has it.
            partition.doubt()
            return
        }
        drop(index)
        holdings.noteRelease(of: index, owner: partition.claim.owner)
        logger.debug("partition given up", metadata: metadata(partition))
    }

    /// - Returns: Whether the store has accepted it.
    func release(_ partition: OwnedPartition) async -> Bool {
        do throws(StoreError) {
            try await session.release(partition.index, as: partition.claim)
            return true
        } catch {
            logger.debug("partition not released: its lease runs out", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// Says once that the store fails, and waits before the next try.
    func endure(_ error: StoreError, _ what: Logger.Message) async {
        failures += 1
        if holdings.noteFailure(.lane(index), error.message, at: surroundings.monotonic()) {
            logger.warning(what, metadata: ["error": "\(error)"])
        }
        await pause(surroundings.backoff(after: failures, within: options.backoff))
    }

    // MARK: Trimming

    /// The partitions whose streams are to be trimmed now.
    func dueTrims() -> [TrimRequest] {
        let monotonic = surroundings.monotonic()
        var requests: [TrimRequest] = []
        let topics = registry.topics
        for partition in ordered {
            // Events are also read by others, of which nothing is heard here.
            let interval =
                partition.hasChangedSinceTrim
                ? options.trimInterval : topics.isEmpty ? .max : options.idleTrimInterval
            guard monotonic >= partition.lastTrim.adding(interval) else { continue }
            partition.lastTrim = monotonic
            partition.hasChangedSinceTrim = false
            let now = partition.clock.now(monotonic: monotonic)
            requests.append(
                TrimRequest(
                    fence: partition.fence, services: registry.services, topics: topics,
                    outcomesBefore: now - options.outcomeRetention, eventsBefore: now - options.eventRetention))
        }
        return requests
    }

    struct TrimRequest: Sendable {
        var fence: Fence
        var services: [String]
        var topics: [TrimmedTopic]
        var outcomesBefore: Milliseconds
        var eventsBefore: Milliseconds
    }

    /// - Returns: The partitions that are still to be trimmed.
    static func trim(_ session: any StoreSession, _ requests: [TrimRequest]) async -> [Int] {
        for (place, request) in requests.enumerated() {
            do throws(StoreError) {
                _ = try await session.trim(
                    request.fence, services: request.services, topics: request.topics,
                    outcomesBefore: request.outcomesBefore, eventsBefore: request.eventsBefore)
            } catch {
                // The next commit meets the same trouble and deals with it; what was not trimmed is trimmed later.
                return requests[place...].map(\.fence.partition)
            }
        }
        return []
    }
}
