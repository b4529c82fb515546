import ArgumentParser
import Foundation
import SagaClient
import SagaCore
import SagaWire

/// Who orders, and why.
struct OrderSignature: ParsableArguments {
    @Option(help: ArgumentHelp("Why; kept in the saga's log.", valueName: "text")) var reason: String?
    @Option(help: ArgumentHelp("Who; kept in the saga's log. Default: user@host.", valueName: "name")) var by: String?

    func sign(_ order: Order) -> Order {
        var order = order
        let process = ProcessInfo.processInfo
        order.by = by ?? "\(process.environment["USER"] ?? NSUserName())@\(process.hostName)"
        order.reason = reason
        return order
    }
}

/// What the orders share that can be given to one saga or to many at once.
struct OrderArguments: ParsableArguments {
    @OptionGroup var global: GlobalOptions
    @OptionGroup var signature: OrderSignature
    @Argument(help: "The saga's id; without one, the options say which sagas are meant.") var id: String?
    @Option(help: "The step that is meant.") var step: String?
    @Option(help: "All sagas that are scheduled, running, compensating or stuck.") var status: String?
    @Option(help: "All sagas of this definition that are not ended.") var definition: String?
    @Option(
        name: .customLong("label"),
        help: ArgumentHelp("All that have this label; any number of times.", valueName: "name=value"))
    var labels: [String] = []
    @Option(help: "How many sagas at most.") var limit: Int?
    @Flag(help: "Send nothing; say what would be done, and what would be refused.") var dryRun = false

    /// Gives the order to the saga or the sagas that are meant.
    func give(_ operation: Order.Operation, service: String? = nil) async throws {
        let order = signature.sign(Order(operation, step: step))
        let selection = try selection(service)
        if let id {
            guard selection == SagaSelection() else {
                throw ValidationError("either a saga's id or options that select sagas, not both")
            }
            return try await global.give(order, to: id, isDryRun: dryRun)
        }
        guard selection.status != nil || selection.definition != nil || service != nil || !labels.isEmpty else {
            let service = operation == .retry ? ", --service" : ""
            throw ValidationError(
                "which sagas? Give an id, or select them with --status, --definition, --label\(service)")
        }
        guard step == nil || operation == .retry && service == nil else {
            throw ValidationError("--step goes with an id, or with a retry that does not select by --service")
        }
        try await global.give(order, to: selection, isDryRun: dryRun)
    }

    private func selection(_ service: String?) throws -> SagaSelection {
        var selection = SagaSelection(definition: definition, service: service, limit: limit)
        if let status {
            let known = Saga.Status.allCases.filter { !$0.isFinal }
            guard let status = known.first(where: { $0.rawValue == status }) else {
                throw ValidationError("--status takes one of \(known.map(\.rawValue).joined(separator: ", "))")
            }
            selection.status = status
        }
        for text in labels {
            let (name, value) = try label(text)
            selection.labels[name] = value
        }
        if let limit, limit < 1 { throw ValidationError("--limit takes a number from 1") }
        return selection
    }
}
