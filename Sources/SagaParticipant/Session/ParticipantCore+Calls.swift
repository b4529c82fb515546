import RedisTransport
import SagaCore
import SagaWire
import Synchronization

extension ParticipantCore {
    /// The whole way of a call outside of the transaction: intention, call, record, answer.
    func call(_ work: ExternalCalls.Work, answeringThrough writer: RedisRouter) async {
        guard let reply = await reply(to: work.command), !Task.isCancelled else { return }
        var answers = AnswerBatch(keys: work.keys, service: service, payloadKeys: options.payloadKeys)
        answers.add(reply, to: work.id)
        do {
            for transaction in answers.transactions {
                _ = try AnswerBatch.check(await writer.submitTransaction(transaction.commands).get())
            }
            counts.withLock { $0.add(answers.counts, confirmed: 1) }
            noteAnswered([work.id])
        } catch {
            // Pending still. The barrier has the answer, so reading it again is all that is needed.
            noteSurvived([work.id])
            calls.needRecovery(of: work.id.partition)
        }
    }

    /// The reply; nil where the task was cancelled on the way.
    private func reply(to command: Command) async -> ReplyMessage? {
        guard let now = clock.now, case .external(_, let handler) = handlers[command.operation] else { return nil }
        if let late = Self.lateReply(to: command, now: now) { return late }
        do {
            // The same words as for a local handler; only the outcome is an intention.
            let answer = try await perform([command], now: now).first
            guard let answer, case .proceed = answer else { return answer?.reply }
            let outcome = await outcome(of: command, begunAt: now, handler)
            let settled = CommandBatch(namespace: namespace, now: clock.now ?? now, commands: [command])
            return try await settle(settled) { _, _ in outcome }.first?.reply
        } catch {
            // Only cancellation ends here: like a crash, it leaves the intention, and the command pending.
            return nil
        }
    }

    /// Makes the call, within its time; what the intention took until the commit comes off it.
    private func outcome(
        of command: Command, begunAt begin: Milliseconds, _ handler: @escaping Handlers<Store>.External
    ) async -> HandlerOutcome {
        guard case .external(let within, _) = handlers[command.operation], let now = clock.now else {
            return .retry(error: "the call was not begun", code: RetryCode.interrupted)
        }
        let remaining = within - .milliseconds(now - begin)
        guard remaining > .zero else {
            return .retry(error: "no time was left to begin the call", code: RetryCode.interrupted)
        }
        return await withTaskGroup(of: HandlerOutcome?.self) { group in
            group.addTask {
                do {
                    return HandlerOutcome(result: try await handler(CommandContext(command)))
                } catch is CancellationError {
                    return .retry(error: "the call did not end within \(within)", code: RetryCode.interrupted)
                } catch {
                    return HandlerOutcome(thrown: error)
                }
            }
            group.addTask {
                // The sleep only ends early when the call has ended.
                try? await Task.sleep(for: remaining)
                return nil
            }
            // The call's own outcome counts, also when it comes after the cancellation.
            for await outcome in group {
                group.cancelAll()
                if let outcome { return outcome }
            }
            return .retry(error: "the call did not end", code: RetryCode.interrupted)
        }
    }

    /// The answer to a command that the coordinator no longer waits for; nil where it does.
    static func lateReply(to command: Command, now: Milliseconds) -> ReplyMessage? {
        guard command.deadline > 0, command.deadline < now else { return nil }
        return ReplyMessage(
            id: command.id, outcome: .retry, error: "the attempt's deadline passed before it was begun",
            code: RetryCode.deadlinePassed)
    }
}
