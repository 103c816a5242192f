/// The parts of a training, by what of the network trains.
public enum TrainingPhase: String, Hashable, Sendable, CaseIterable {
  /// The classifier alone: a new one learns what the features mean before its first, wild gradients
  /// reach the pretrained weights.
  case classifier
  /// Everything that `freeze` leaves.
  case whole
}

extension HyperparameterValues {
  /// The epochs at the beginning in which the classifier alone trains.
  var headEpochs: Int { holdsBackbone ? 0 : integer("head-epochs") }

  /// Whether `freeze` leaves nothing but the classifier in any case.
  var holdsBackbone: Bool { word("freeze").split(separator: ",").contains("backbone") }

  /// The phase of an epoch, counted from 0.
  func phase(epoch: Int) -> TrainingPhase { epoch < headEpochs ? .classifier : .whole }
}

extension Hyperparameters {
  /// The epochs at the beginning in which the classifier alone trains.
  public var headEpochs: Int { values.headEpochs }

  /// The phase of an epoch, counted from 0.
  func phase(epoch: Int) -> TrainingPhase { values.phase(epoch: epoch) }

  /// The phases that a training comes through, if only when it goes on with more epochs.
  var phases: [TrainingPhase] {
    headEpochs > 0 ? [.classifier, .whole] : [.whole]
  }

  /// What does not train in a phase of a network's training, layers below layer-decay-no-opt-scale
  /// included.
  ///
  /// - Throws: `HyperparameterError.frozenNothing`, `.frozenEverything`, and `.conflict` when `freeze`
  ///   holds the classifier that is to train alone.
  public func freezing(
    _ phase: TrainingPhase, _ table: ParameterTable
  ) throws(HyperparameterError) -> Freezing {
    let slow = optimizer.unoptimized(in: table)
    guard phase == .classifier else { return try Freezing(freezing, table, with: slow) }
    do {
      return try Freezing(freezing.holdingBackbone, table, with: slow)
    } catch .frozenEverything {
      throw .conflict(
        keys: ["head-epochs", "freeze"],
        reason: "head-epochs trains the classifier alone, which freeze keeps as it is",
        advice: "set head-epochs=0, or leave the classifier out of freeze")
    }
  }
}

extension FreezeRule {
  /// The rule with everything but the classifier on top, and its batch norms at rest.
  var holdingBackbone: FreezeRule {
    FreezeRule((patterns + ["backbone"]).joined(separator: ","), fixesNorms: true)
  }
}
