import Foundation
import Model

/// A network with where it came from: the slot `model`.
struct LoadedModel {
  /// How many classes the user asked for.
  enum Classes: Equatable {
    /// As many as the data has; the head follows the data.
    case auto
    case count(Int)
    /// Those of the weight file, whatever the data has.
    case keep
  }

  /// Where the weights came from.
  enum Weights {
    case scratch(seed: UInt64)
    case file(URL, sha256: String)
    case run(String, checkpoint: String)
  }

  let variant: Variant
  var network: Network
  let classes: Classes
  let weights: Weights
  /// How the run sees images whose weights these are; nil for weights of no run.
  var runPreprocessing: Preprocessing?
  /// What the outputs mean, where a run says so; empty otherwise.
  var classNames: [String] = []
  /// The runs that trained it since it was loaded.
  var trainedBy: [String] = []
  /// Over how many batches its running statistics were estimated anew; nil for those of its weights.
  var recalibration: Int?

  /// What `auto` means for its input.
  var preprocessing: Preprocessing { runPreprocessing ?? variant.preprocessing }
  var classCount: Int { network.blueprint.classCount }

  /// The classifier as PyTorch prints it.
  var classifierText: String {
    let blueprint = network.blueprint
    return
      "Linear(in_features=\(blueprint.featureCount), out_features=\(blueprint.classCount), bias=True)"
  }
}

/// Data with how it was asked for: the slot `data`.
struct LoadedData {
  let source: DataSource
  /// What was asked for, so that a run can load it again.
  let request: DataRequest

  var classCount: Int { source.classNames.count }
}

/// A data set by name, as a run remembers it.
struct DataRequest: Equatable {
  let name: String
  /// The absolute path of the folder or the archive; nil for embedded data.
  var directory: String?
  var limit: Int?
  /// The share of the training set that validates; nil for the sets as they are.
  var validationFraction: Double?
  /// The seed by which those are drawn.
  var splitSeed: UInt64 = 0
  /// The absolute path of the file of class names.
  var classMap: String?
  /// Whether pictures that cannot be decoded are left out.
  var skipsBroken = false
  /// The memory for decoded pictures; it changes no result.
  var cacheBytes = 512 << 20

  init(name: String) { self.name = name }

  /// Whether the files mix the classes, so that the first images are a fair sample of all.
  var isCutWhileReading: Bool {
    validationFraction == nil && !["folder", "tar"].contains(name)
  }
}
