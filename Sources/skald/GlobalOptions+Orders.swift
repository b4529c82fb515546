import ArgumentParser
import SagaClient
import SagaCore
import SagaWire

extension GlobalOptions {
    /// Gives an order to one saga, and waits for the coordinator's answer.
    func give(_ order: Order, to id: String, isDryRun: Bool = false) async throws {
        let operation = order.operation.rawValue
        try await withClient { client in
            guard Names.isSagaID(id) else { throw fail("'\(id)' is no saga id") }
            if isDryRun {
                guard let preview = try await client.preview(order, of: id) else {
                    throw fail("there is no saga '\(id)'")
                }
                if let reason = preview.error { throw fail("\(operation) of '\(id)' would be refused: \(reason)") }
                return tell(preview, isDryRun: true)
            }
            let message = ControlMessage(
                saga: id, operation: order.operation, step: order.step, result: order.result, reason: order.reason,
                by: order.by)
            if let refusal = try await client.order(message) {
                throw fail("\(operation) of '\(id)' was refused: \(refusal)")
            }
            guard json else { return print("accepted: \(operation) \(id)") }
            printJSON { writer in
                writer.beginObject()
                writer.field("id", id)
                writer.field("operation", operation)
                writer.field("status", "accepted")
                writer.endObject()
            }
        }
    }

    /// Gives an order to many sagas: a line for each answer, then how many there were of each kind.
    func give(_ order: Order, to selection: SagaSelection, isDryRun: Bool) async throws {
        var tally = OrderTally()
        try await withClient { client in
            let result: Result<Void, ClientError>
            do throws(ClientError) {
                try await client.order(order, selection, isDryRun: isDryRun) { selected in
                    tell(selected, isDryRun: isDryRun)
                    tally.count(selected.answer)
                }
                result = .success(())
            } catch {
                result = .failure(error)
            }
            // What was done until then is told in any case.
            if tally.all == 0 { try result.get() }
            if json { printJSON { tally.write(to: &$0, isDryRun: isDryRun) } } else { print(tally.text(isDryRun)) }
            try result.get()
            guard tally.accepted == tally.all else {
                let verb = isDryRun ? "would not be" : "were not"
                throw fail("\(tally.all - tally.accepted) of \(tally.all) orders \(verb) accepted")
            }
        }
    }

    private func tell(_ selected: SelectedOrder, isDryRun: Bool) {
        if json { return printJSON { selected.write(to: &$0, isDryRun: isDryRun) } }
        var line = [selected.operation.rawValue, selected.saga, selected.step].compactMap(\.self).joined(separator: " ")
        if let error = selected.error { line += ": \(error)" }
        if isDryRun, !selected.steps.isEmpty { line += " (\(selected.steps.joined(separator: ", ")))" }
        print(Terminal.clean("\(isDryRun ? "would be " : "")\(selected.status): \(line)"))
    }
}

/// How many orders were answered how.
private struct OrderTally {
    private(set) var (accepted, refused, unanswered, unreadable) = (0, 0, 0, 0)

    var all: Int { accepted + refused + unanswered + unreadable }

    mutating func count(_ answer: SelectedOrder.Answer) {
        switch answer {
        case .accepted: accepted += 1
        case .refused: refused += 1
        case .unanswered: unanswered += 1
        case .unreadable: unreadable += 1
        }
    }

    func text(_ isDryRun: Bool) -> String {
        guard all > 0 else { return "no saga is meant" }
        let parts = [
            "\(accepted) accepted", "\(refused) refused", unanswered > 0 ? "\(unanswered) unanswered" : nil,
            unreadable > 0 ? "\(unreadable) unreadable" : nil,
        ].compactMap(\.self).joined(separator: ", ")
        return "\(all) \(all == 1 ? "order" : "orders"): \(parts)" + (isDryRun ? " (nothing was sent)" : "")
    }

    func write(to writer: inout JSONWriter, isDryRun: Bool) {
        writer.beginObject()
        writer.field("orders", all)
        writer.field("accepted", accepted)
        writer.field("refused", refused)
        writer.field("unanswered", unanswered)
        writer.field("unreadable", unreadable)
        writer.field("dryRun", isDryRun)
        writer.endObject()
    }
}
