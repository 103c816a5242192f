/// Other tools' logs under the names of metrics.csv: epochs from 1, accuracies in percent.
enum ForeignLog {
  /// What other tools call our columns, the best first: the mean of an epoch counts more than the
  /// loss of one batch.
  private static let names: [(column: String, names: [String])] = [
    ("epoch", ["epoch"]),
    ("step", ["step", "global_step", "iteration"]),
    ("seconds", ["seconds", "time", "elapsed"]),
    ("lr", ["lr", "learning_rate"]),
    (
      "train_loss",
      ["train_loss", "train_loss_epoch", "loss", "loss_epoch", "training_loss", "train_loss_step"]
    ),
    (
      "train_top1",
      [
        "train_top1", "train_acc", "train_accuracy", "train_acc_epoch", "accuracy", "acc",
        "categorical_accuracy", "sparse_categorical_accuracy",
      ]
    ),
    ("eval_loss", ["eval_loss", "val_loss", "valid_loss", "validation_loss", "test_loss"]),
    (
      "eval_top1",
      [
        "eval_top1", "val_top1", "val_acc", "val_accuracy", "val_acc1", "valid_acc",
        "valid_accuracy", "val_categorical_accuracy", "val_sparse_categorical_accuracy",
        "test_acc", "test_accuracy",
      ]
    ),
    (
      "eval_top5",
      [
        "eval_top5", "val_top5", "val_acc5", "val_top_k_categorical_accuracy",
        "val_sparse_top_k_categorical_accuracy",
      ]
    ),
    ("images_per_s", ["images_per_s", "samples_per_sec", "throughput"]),
  ]

  /// The table with the columns that are known renamed; the others keep their names.
  static func translated(_ table: MetricsTable) -> MetricsTable {
    let spellings = table.columns.map { name in
      String(name.lowercased().map { "-/ ".contains($0) ? "_" : $0 })
    }
    var columns = table.columns
    for (column, names) in names {
      let found =
        names.lazy.compactMap { spellings.firstIndex(of: $0) }.first
        // Lightning's monitor names the optimizer too: lr-SGD, lr-AdamW/pg1.
        ?? (column == "lr" ? spellings.firstIndex { $0.hasPrefix("lr_") } : nil)
      if let found { columns[found] = column }
    }
    let renamed = MetricsTable(columns: columns, rows: withEpochs(columns, table.rows))
    let startsAtZero = renamed["epoch"]?.compactMap { $0 }.min() == 0
    let scales = columns.map { column -> (factor: Double, shift: Double) in
      switch column {
      case "epoch": return (1, startsAtZero ? 1 : 0)
      // A step's number there is that of the batch, from 0.
      case "step": return (1, 1)
      case "train_top1", "eval_top1", "eval_top5":
        let largest = renamed[column]?.compactMap { $0 }.max() ?? 0
        return (largest <= 1 ? 100 : 1, 0)
      default: return (1, 0)
      }
    }
    return MetricsTable(
      columns: columns,
      rows: renamed.rows.map { row in
        zip(row, scales).map { value, scale in value.map { $0 * scale.factor + scale.shift } }
      })
  }

  /// Rows without an epoch (Lightning logs rates so) belong to the next one that is named.
  private static func withEpochs(_ columns: [String], _ rows: [[Double?]]) -> [[Double?]] {
    guard let place = columns.firstIndex(of: "epoch") else { return rows }
    var filled = rows
    var next: Double?
    for index in rows.indices.reversed() {
      next = rows[index][place] ?? next
      filled[index][place] = next
    }
    return filled
  }
}
