import SagaCore

/// How a trace tells what happened.
extension Fact {
    var traceText: String {
        switch self {
        case .started: return "started"
        case .replied(let reply):
            return "\(reply.step)\(item(reply.item)) \(reply.phase.rawValue) \(reply.attempt) \(reply.outcome.rawValue)"
        case .beat(let step, let place, let phase): return "sign of life of \(step)\(item(place)) \(phase.rawValue)"
        case .ticked: return "time passed"
        case .ordered(let order):
            return "\(order.operation.rawValue) ordered\(order.step.map { " for \($0)" } ?? "")"
        case .signaled(let signal): return "signal \(signal.name)\(signal.id.map { ", id \($0)" } ?? "")"
        case .rewound(let era): return "rewound to era \(era)"
        case .childReported(let report): return "child \(report.step) reports \(report.outcome.rawValue)"
        case .recalled(let reason): return "recalled: \(reason)"
        case .confirmed: return "confirmed"
        }
    }

    private func item(_ item: Int?) -> String { item.map { "#\($0)" } ?? "" }
}

extension Directive {
    var traceText: String {
        switch self {
        case .send(let dispatch): "send \(dispatch.branch.label) \(dispatch.phase.rawValue) \(dispatch.attempt)"
        case .finish(let status): status.rawValue
        case .reopen: "reopened"
        case .startChild(let step): "start child s\(step)"
        case .undoChild(let step): "undo child s\(step)"
        case .verifyChild(let step): "verify child s\(step)"
        case .verified: "verified"
        case .emit(let step, let outcome): "event of s\(step): \(outcome.rawValue)"
        }
    }
}
