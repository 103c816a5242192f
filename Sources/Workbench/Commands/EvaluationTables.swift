import Model

/// What `eval` prints.
enum EvaluationTables {
  /// Loss, accuracies, calibration error, count and time in one row.
  static func means(_ means: Evaluation, _ details: EvaluationDetails) -> Table {
    Table(
      [
        .init("loss", .right), .init("top1", .right), .init("top5", .right), .init("ece", .right),
        .init("images", .right), .init("time", key: "seconds", .right),
      ],
      rows: [
        [
          .init(means.loss, decimals: 6), .init(means.top1, decimals: 2),
          .init(means.top5, decimals: 2), .init(100 * details.calibration.error, decimals: 2),
          .init(means.count), .init(seconds: means.seconds),
        ]
      ])
  }

  /// How the images of each class fared.
  static func perClass(_ details: EvaluationDetails, _ names: ClassNames) -> Table {
    let rows = details.classes.enumerated().map { label, result -> [Table.Cell] in
      [
        .init(names[label]), .init(result.count), .init(result.right),
        .init(result.accuracy, decimals: 2), .init(result.predicted),
        .init(result.precision, decimals: 2),
      ]
    }
    return Table(
      [
        .init("class"), .init("images", .right), .init("right", .right), .init("top1", .right),
        .init("predicted", .right), .init("precision", .right),
      ], rows: rows)
  }

  /// How often an image of the class of the row was taken for that of the column.
  static func confusion(_ details: EvaluationDetails, _ names: ClassNames) -> Table {
    let labels = 0..<details.classCount
    return Table(
      [.init("class")] + labels.map { .init(names[$0], key: names[$0], .right) },
      rows: labels.map { label in
        [.init(names[label])] + labels.map { .init(details.count(of: label, takenFor: $0)) }
      })
  }

  /// The most frequent mistakes, for people to whom the whole matrix says nothing.
  static func mistakes(_ details: EvaluationDetails, _ names: ClassNames) -> Table {
    Table(
      [.init("class"), .init("taken for"), .init("images", .right)],
      rows: details.mistakes.prefix(20).map {
        [.init(names[$0.label]), .init(names[$0.predicted]), .init($0.count)]
      })
  }

  /// How sure and how right the network was, by bins of confidence.
  static func calibration(_ details: EvaluationDetails) -> Table {
    let bins = details.calibration.bins
    let rows = bins.enumerated().map { number, bin -> [Table.Cell] in
      let share = bin.count > 0 ? 100 / Double(bin.count) : nil
      return [
        .init(Double(number) / Double(bins.count), decimals: 3),
        .init(Double(number + 1) / Double(bins.count), decimals: 3), .init(bin.count),
        .init(share.map { $0 * bin.confidence }, decimals: 2),
        .init(share.map { $0 * Double(bin.right) }, decimals: 2),
      ]
    }
    return Table(
      [
        .init("above", .right), .init("up to", .right), .init("images", .right),
        .init("confidence", .right), .init("top1", .right),
      ], rows: rows)
  }

  /// A row per image: its right class and the most probable ones.
  static func predictions(
    _ details: EvaluationDetails, of images: any Dataset, _ names: ClassNames
  ) -> Table {
    let ranks = details.predictions.first?.classes.count ?? 0
    let hasFiles = images.count > 0 && images.file(0) != nil
    var columns: [Table.Column] = [.init("index", .right)]
    if hasFiles { columns.append(.init("file")) }
    columns.append(.init("label"))
    columns += (0..<ranks).flatMap(Predicting.columns)
    let rows = details.predictions.map { prediction -> [Table.Cell] in
      var row: [Table.Cell] = [.init(prediction.index)]
      if hasFiles { row.append(.init(images.file(prediction.index) ?? "")) }
      row.append(.init(names[prediction.label]))
      for (label, probability) in zip(prediction.classes, prediction.probabilities) {
        row += [.init(names[label]), .init(probability, decimals: 4)]
      }
      return row
    }
    return Table(columns, rows: rows)
  }
}
