import Model

/// A run that is ready to be trained on: locked, and with nothing in its folder that lies after the
/// checkpoint.
struct RunResumption {
  /// The right to train the run.
  let lock: RunLock
  /// Where training goes on from.
  let checkpoint: Checkpoint
  /// Rows of metrics.csv that training will repeat; they are in metrics.discarded.csv now.
  let discardedRows: Int
  /// Damaged checkpoints that were passed over.
  let passedOver: [CheckpointError]

  /// Prepares a run.
  ///
  /// - Parameter selector: the checkpoint; the last one unless the user chose another.
  /// - Throws: `RunError.busy`, `CheckpointError`, and what the file system refuses.
  init(_ run: RunDirectory, from selector: CheckpointStore.Selector = .last) throws {
    lock = try run.lock()
    if selector == .last {
      (checkpoint, passedOver) = try run.checkpoints.latest()
    } else {
      checkpoint = try run.checkpoints.load(selector)
      passedOver = []
    }
    try run.checkpoints.rewind(to: checkpoint)
    discardedRows = try MetricsFile.discardRows(
      after: checkpoint.state.completedEpochs, in: run.metrics, to: run.discardedMetrics)
  }
}
