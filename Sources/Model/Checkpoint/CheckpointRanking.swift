/// Which epochs' checkpoints stay for what they scored, as timm's `CheckpointSaver` keeps them.
///
/// The scored ones come first, the best in front, of equal ones the earlier; then those without a
/// score, the latest in front. timm decides each time it saves, and one that it has dropped never comes
/// back; so the choice among what is left is the choice among all. A score that is no number counts as
/// none: in timm it would block its place for good.
struct CheckpointRanking {
  /// What the epochs scored, from the first; nil where none was evaluated.
  let scores: [Double?]
  /// Whether a smaller score is a better one.
  let isLowerBetter: Bool

  /// The best so many of some epochs, counted from 1; the beginning of training, 0, is none of them.
  func best(_ count: Int, of epochs: [Int]) -> [Int] {
    let ordered = epochs.filter { $0 > 0 }.sorted { first, second in
      switch (score(first), score(second)) {
      case (let a?, let b?) where a != b: isLowerBetter ? a < b : a > b
      case (.some, .some): first < second
      case (.some, nil): true
      case (nil, .some): false
      case (nil, nil): first > second
      }
    }
    return Array(ordered.prefix(count))
  }

  private func score(_ epoch: Int) -> Double? {
    guard scores.indices.contains(epoch - 1), let score = scores[epoch - 1], !score.isNaN else {
      return nil
    }
    return score
  }
}

extension TrainingState {
  /// Whether the metric that judges the epochs is the better the smaller it is.
  var isLowerBetter: Bool {
    parameters.word("eval-metric") == EvaluationMetric.loss.rawValue
  }
}
