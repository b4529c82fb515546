import SagaCore

/// What every event means in every state of a command step: an outcome for each pair, none missing, none twice.
extension TransitionTests {
    private typealias Row = TransitionTable.Row

    /// A step that is a command.
    static let commands = TransitionTable(
        [
            Row(
                .action, .none,
                """
                tickLate, cancel, pause, signal, rewind, recall: none
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: ignored
                beatEarlier, tickEarly: ignored
                resume, orderRetry, skip, childCompleted, childCompensated, childRefused, childRunning: refused
                """),
            Row(
                .action, .running,
                """
                succeeded, succeededEarlier: succeeded
                failed, failedEarlier: failed
                retry, tickLate: waiting
                beat, pause, signal, rewind: running
                cancel, recall: unknown
                skip: skipped
                retryEarlier, beatEarly, beatEarlier, tickEarly: ignored
                resume, orderRetry, childCompleted, childCompensated, childRefused, childRunning: refused
                """),
            Row(
                .action, .waiting,
                """
                succeeded, succeededEarlier: succeeded
                failed, failedEarlier: failed
                tickLate, orderRetry: running
                cancel, recall: unknown
                pause, signal, rewind: waiting
                skip: skipped
                retry, retryEarlier, beat, beatEarly, beatEarlier, tickEarly: ignored
                resume, childCompleted, childCompensated, childRefused, childRunning: refused
                """),
            Row(
                .action, .succeeded,
                """
                cancel, pause, signal, rewind, recall: succeeded
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: ignored
                beatEarlier, tickEarly, tickLate: ignored
                resume, orderRetry, skip, childCompleted, childCompensated, childRefused, childRunning: refused
                """),
            Row(
                .action, .failed,
                """
                pause, rewind: failed
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: ignored
                beatEarlier, tickEarly, tickLate, signal, recall: ignored
                cancel, resume, orderRetry, skip, childCompleted, childCompensated, childRefused: refused
                childRunning: refused
                """),
            Row(
                .action, .unknown,
                """
                tickLate, pause, skip, rewind: unknown
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: ignored
                beatEarlier, tickEarly, signal, recall: ignored
                cancel, resume, orderRetry, childCompleted, childCompensated, childRefused, childRunning: refused
                """),
            Row(
                .action, .stuck,
                """
                succeeded, succeededEarlier: succeeded
                cancel, recall: failed
                pause, signal, rewind: stuck
                orderRetry: running
                skip: skipped
                failed, failedEarlier, retry, retryEarlier, beat, beatEarly, beatEarlier, tickEarly: ignored
                tickLate: ignored
                resume, childCompleted, childCompensated, childRefused, childRunning: refused
                """),
            Row(
                .action, .skipped,
                """
                cancel, pause, signal, rewind, recall: skipped
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: ignored
                beatEarlier, tickEarly, tickLate: ignored
                resume, orderRetry, skip, childCompleted, childCompensated, childRefused, childRunning: refused
                """),
            Row(
                .action, .omitted,
                """
                cancel, pause, signal, rewind, recall: omitted
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: ignored
                beatEarlier, tickEarly, tickLate: ignored
                resume, orderRetry, skip, childCompleted, childCompensated, childRefused, childRunning: refused
                """),
            Row(
                .compensation, .none,
                """
                pause: none
                rewind: pending
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: ignored
                beatEarlier, tickEarly, tickLate, signal, recall: ignored
                cancel, resume, orderRetry, skip, childCompleted, childCompensated, childRefused: refused
                childRunning: refused
                """),
            Row(
                .compensation, .pending,
                """
                pause, rewind: pending
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: ignored
                beatEarlier, tickEarly, tickLate, signal, recall: ignored
                cancel, resume, orderRetry, skip, childCompleted, childCompensated, childRefused: refused
                childRunning: refused
                """),
            Row(
                .compensation, .running,
                """
                succeeded, succeededEarlier: succeeded
                failed, failedEarlier: stuck
                retry, tickLate: waiting
                beat, pause: running
                skip: skipped
                rewind: pending
                retryEarlier, beatEarly, beatEarlier, tickEarly, signal, recall: ignored
                cancel, resume, orderRetry, childCompleted, childCompensated, childRefused, childRunning: refused
                """),
            Row(
                .compensation, .waiting,
                """
                succeeded, succeededEarlier: succeeded
                failed, failedEarlier: stuck
                tickLate, orderRetry: running
                pause: waiting
                skip: skipped
                rewind: pending
                retry, retryEarlier, beat, beatEarly, beatEarlier, tickEarly, signal, recall: ignored
                cancel, resume, childCompleted, childCompensated, childRefused, childRunning: refused
                """),
            Row(
                .compensation, .succeeded,
                """
                pause, rewind: succeeded
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: ignored
                beatEarlier, tickEarly, tickLate, signal, recall: ignored
                cancel, resume, orderRetry, skip, childCompleted, childCompensated, childRefused: refused
                childRunning: refused
                """),
            Row(
                .compensation, .stuck,
                """
                succeeded, succeededEarlier: succeeded
                pause, rewind: stuck
                orderRetry: running
                skip: skipped
                failed, failedEarlier, retry, retryEarlier, beat, beatEarly, beatEarlier, tickEarly: ignored
                tickLate, signal, recall: ignored
                cancel, resume, childCompleted, childCompensated, childRefused, childRunning: refused
                """),
            Row(
                .compensation, .skipped,
                """
                pause, rewind: skipped
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: ignored
                beatEarlier, tickEarly, tickLate, signal, recall: ignored
                cancel, resume, orderRetry, skip, childCompleted, childCompensated, childRefused: refused
                childRunning: refused
                """),
        ],
        impossible: [
            Place(.action, .pending), Place(.compensation, .failed), Place(.compensation, .unknown),
            Place(.compensation, .omitted),
        ])
}
